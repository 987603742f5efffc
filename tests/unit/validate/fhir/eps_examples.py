"""The published EPS examples, read in place; and those of them that are really invalid, each with the reason."""

from pathlib import Path
from typing import Any

from gateway.wire import strict_json

FOLDER = Path(__file__).parents[4] / "../shared/eps-examples"
ABSENT = "the published EPS examples are not beside this checkout"
HOMECARE_ORDER = FOLDER / "homecare/clinical-practitioner/1-Process-Request-Send-200_OK.json"

INVALID: dict[str, str] = {
    "community/acute/nominated-pharmacy/clinical-practitioner/1-Process-Request-Cancel-200_OK.json": (
        "MessageHeader.focus is an object where R4 wants an array"
    ),
    "community/acute/nominated-pharmacy/clinical-practitioner/multiple-drugs/bulk-translation/"
    "1-Prepare-Request-Send-400_Bad_Request.json": "five lines, where four are allowed",
    "community/acute/nominated-pharmacy/clinical-practitioner/multiple-drugs/bulk-translation/"
    "1-Process-Request-Send-400_Bad_Request.json": "five lines, where four are allowed",
    "errors/1-Process-Request-Send-400_INVALID_CHECKSUM.json": "the check character is wrong on purpose",
    "errors/3-Process-Request-Dispense-400_Invalid_Value.json": "two reasons why items were not dispensed",
    "homecare/concurrent-dosage-instructions/1-Prepare-Request-200_OK.json": "check character 2 where O is right",
    "homecare/concurrent-dosage-instructions/1-Process-Request-Dispense-200_OK.json": "the same number",
    "homecare/concurrent-dosage-instructions/1-Process-Request-Send-200_OK.json": "the same number",
    "homecare/concurrent-dosage-instructions/1-Task-Request-Release-200_OK.json": "the same number",
    "sandbox/Release-Response-200_OK.json": "empty displays, and resources that stand in entry without `resource`",
    "signature.json": "a Signature, which is no resource",
    "spec/errors/prescription-order-update/bundle-success.json": "a display is empty",
    "test-resources/spine-responses/tracker-responses/detail/success-1-lineItem.json": "a tracker's own JSON",
    "test-resources/spine-responses/tracker-responses/detail/success-created.json": "a tracker's own JSON",
    "test-resources/spine-responses/tracker-responses/summary/success.json": "a tracker's own JSON",
    "test-resources/test-data/fhir/dispensing/Process-Request-Dispense-Has-StatusReasonCodableConcept-200_OK.json": (
        "a suffix is null, and two quantities have a code that is no SNOMED CT code"
    ),
    "test-resources/test-data/fhir/dispensing/"
    "Process-Request-Dispense-Notifications-No-Extension-for-ReimbursementAuthority.json": (
        "it has no reimbursement authority, on purpose"
    ),
    "test-resources/test-data/fhir/dispensing/Process-Request-Dispense-eRD.json": (
        "MessageHeader.sender refers to an entry that is not there"
    ),
}


def every() -> dict[str, Path]:
    """Give every JSON example by its path below the folder."""
    return {path.relative_to(FOLDER).as_posix(): path for path in sorted(FOLDER.rglob("*.json"))}


def read(path: Path) -> dict[str, Any]:
    """Read one example as the gateway reads."""
    resource = strict_json.loads(path.read_bytes())
    assert isinstance(resource, dict)
    return resource
