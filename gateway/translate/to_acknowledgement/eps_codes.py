"""Errors in the words of the EPS dialect: one table of codes, and which of our issue codes each stands beside.

An answer names both: our own code, which has a page, and the dialect's, which its systems know.

Source: eps.md 1.3; mapping.md 11.
"""

from dataclasses import dataclass
from typing import Final

from gateway.domain.issue import Issue

EPS_CODES: Final = "https://fhir.nhs.uk/CodeSystem/EPS-IssueCode"
SPINE_CODES: Final = "https://fhir.nhs.uk/CodeSystem/Spine-ErrorOrWarningCode"
OWN_RULES: Final = "https://fhir.nhs.uk/R4/CodeSystem/Spine-ErrorOrWarningCode"
HTTP_CODES: Final = "https://fhir.nhs.uk/CodeSystem/http-error-codes"


@dataclass(frozen=True, slots=True, kw_only=True)
class EpsError:
    """One row.

    Attributes:
        code: in `system`; empty where an issue has a type and words only.
        severity: FHIR R4 `issue-severity`.
        issue: FHIR R4 `issue-type`.
        display: what the code means.
    """

    code: str
    system: str
    severity: str
    issue: str
    display: str


def _row(code: str, system: str, issue: str, display: str, severity: str = "error") -> EpsError:
    return EpsError(code=code, system=system, severity=severity, issue=issue, display=display)


PRESCRIBING: Final[dict[str, EpsError]] = {
    "0001": _row("PATIENT_DECEASED", EPS_CODES, "business-rule", "Patient is recorded as dead"),
    "0002": _row("DUPLICATE_PRESCRIPTION_ID", EPS_CODES, "duplicate", "Prescription ID is in use"),
    "0003": _row("MISSING_DIGITAL_SIGNATURE", EPS_CODES, "business-rule", "Digital signature not found"),
    "0005": _row("PRESCRIPTION_NOT_FOUND", EPS_CODES, "not-found", "Prescription not found"),
    "0007": _row("INVALID_RESOURCE_ID", SPINE_CODES, "code-invalid", "Resource ID is not valid"),
    "0008": _row("MISSING_VALUE", SPINE_CODES, "value", "A value is missing"),
    "0009": _row("INVALID_MESSAGE", EPS_CODES, "structure", "Message is not valid"),
    "7002": _row("INVALID_MESSAGE", EPS_CODES, "structure", "Message is not valid"),
    "0010": _row(
        "INVALID_NUMBER_MEDICATIONREQUESTS", EPS_CODES, "business-rule", "Send one to four medication requests"
    ),
    "0012": _row("PRESCRIPTION_INVALID_STATE_TRANSITION", EPS_CODES, "business-rule", "Prescription may not change so"),
    "0013": _row("MEDICATIONREQUEST_INVALID_STATE_TRANSITION", EPS_CODES, "business-rule", "Item may not change so"),
    "0014": _row("MEDICATIONREQUEST_NOT_FOUND", EPS_CODES, "not-found", "Item not found"),
    "0015": _row("CLAIM_INVALID_NOT_DISPENSED", EPS_CODES, "business-rule", "Claim of what was not dispensed"),
    "0018": _row("MISMATCH_AUTHORISED_REPEAT_COUNT", EPS_CODES, "business-rule", "Repeat counts do not agree"),
    "0019": _row("INVALID_REPEAT_COUNT", EPS_CODES, "business-rule", "Repeat count is not valid"),
    "0021": _row(
        "DISPENSE_AMEND_IDENTIFIER_MISMATCH", EPS_CODES, "business-rule", "Amended notification does not match"
    ),
    "0099": _row("RESOURCE_VERSION_MISMATCH", SPINE_CODES, "conflict", "Resource version does not match"),
    "0100": _row("CLAIM_AMEND_PERIOD_ISSUE", SPINE_CODES, "business-rule", "Claim can no longer be amended"),
    "5008": _row("DUPLICATE_MEDICATIONREQUEST_ID", EPS_CODES, "duplicate", "Item ID is in use"),
    "5009": _row("INVALID_CHECK_DIGIT", EPS_CODES, "value", "Check character is wrong"),
    "9006": _row("INVALID_DATE_FORMAT", EPS_CODES, "value", "Date is not valid"),
    "9999": _row("FAILURE_TO_PROCESS_MESSAGE", SPINE_CODES, "processing", "Message could not be processed"),
}
"""Errors of orders, cancels and reports, by Spine's number."""

DISPENSING: Final[dict[str, EpsError]] = {
    "0001": _row("PRESCRIPTION_CANCELLED", EPS_CODES, "business-rule", "Prescription has been cancelled"),
    "0002": _row("PRESCRIPTION_EXPIRED", EPS_CODES, "business-rule", "Prescription has expired"),
    "0003": _row("RESOURCE_NOT_FOUND", SPINE_CODES, "not-found", "Resource not found"),
    "0004": _row(
        "PRESCRIPTION_WITH_ANOTHER_DISPENSER", EPS_CODES, "business-rule", "Prescription is with another dispenser"
    ),
    "0005": _row("PRESCRIPTION_DISPENSED", EPS_CODES, "business-rule", "Prescription has been dispensed"),
    "0006": _row("NO_MORE_PRESCRIPTIONS", EPS_CODES, "informational", "No more prescriptions available", "information"),
    "0007": _row("SERVICE_DISABLED", EPS_CODES, "exception", "Service is disabled"),
    "0099": _row("RESOURCE_VERSION_MISMATCH", SPINE_CODES, "conflict", "Resource version does not match"),
    "5000": _row("FAILURE_TO_PROCESS_MESSAGE", SPINE_CODES, "processing", "Message could not be processed"),
    "5888": _row("INVALID_MESSAGE", EPS_CODES, "invalid", "Message is not valid"),
    "9006": _row("INVALID_DATE_FORMAT", EPS_CODES, "value", "Date is not valid"),
}
"""Errors of a release, by Spine's number."""

RULES: Final[dict[str, EpsError]] = {
    "value": _row("INVALID_VALUE", OWN_RULES, "value", "A value is not the one expected"),
    "invalid": _row("INVALID_VALUE", OWN_RULES, "invalid", "A value is not valid", "fatal"),
    "few": _row("TOO_FEW_VALUES_SUBMITTED", OWN_RULES, "invalid", "A value is missing", "fatal"),
    "many": _row("TOO_MANY_VALUES_SUBMITTED", OWN_RULES, "invalid", "A value is given more than once", "fatal"),
    "forbidden": _row("ACCESS_DENIED", HTTP_CODES, "forbidden", "This credential may not do this"),
    "failed": _row("SERVER_ERROR", HTTP_CODES, "exception", "Server error", "fatal"),
    "late": _row("TIMEOUT", HTTP_CODES, "exception", "Request timed out", "fatal"),
}
"""Errors of the API's own rules, and of the platform."""

DONE: Final = EpsError(code="", system="", severity="information", issue="informational", display="")

_P: Final = PRESCRIBING
_BY_CODE: Final[dict[str, EpsError]] = {
    "PATIENT_DECEASED": _P["0001"],
    "ORDER_REUSED": _P["0002"],
    "SIGNATURE_MISSING": _P["0003"],
    "CANCEL_ORDER_UNKNOWN": _P["0005"],
    "IDENTIFIER_INVALID": _P["0007"],
    **dict.fromkeys(
        (
            "FIELD_MISSING",
            "SEGMENT_MISSING",
            "CONTROL_ID_MISSING",
            "NHSNO_MISSING",
            "AUTHORED_MISSING",
            "ADDRESS_REQUIRED",
            "AGE_REQUIRED_UNDER_12",
            "PRESCRIBER_REQUIRED",
            "DOSE_MISSING",
            "QUANTITY_MISSING",
        ),
        _P["0008"],
    ),
    **dict.fromkeys(("UNREADABLE", "STRUCTURE_INVALID", "DUPLICATE_KEY", "CHARSET_INVALID"), _P["0009"]),
    **dict.fromkeys(("MESSAGE_TYPE_UNSUPPORTED", "VERSION_UNSUPPORTED", "ACTION_UNSUPPORTED"), _P["7002"]),
    "TOO_MANY_ITEMS": _P["0010"],
    **dict.fromkeys(("CANCEL_TOO_LATE", "HOLD_NOT_POSSIBLE", "RELEASE_NOT_POSSIBLE"), _P["0013"]),
    "ORDER_UNKNOWN": _P["0014"],
    "REPEATS_CONFLICT": _P["0018"],
    "SHORTID_CHECK_DIGIT": _P["5009"],
    "NOT_STORED": _P["9999"],
    "VALUE_INVALID": RULES["value"],
    "NHSNO_CHECK_DIGIT": RULES["value"],
}
_DATES: Final = ("authoredOn", "birthDate", ".start", ".end", ".when", "timestamp", "recorded", "deceasedDateTime")


def eps_error(issue: Issue) -> EpsError | None:
    """Give the dialect's error beside one of ours; None where it has none that means the same.

    Where one of ours means two of the dialect's, the place decides.
    """
    place = issue.location
    match issue.code:
        case "ORDER_REUSED" if "groupIdentifier" not in place and "identifier" in place:
            return PRESCRIBING["5008"]
        case "IDENTIFIER_INVALID" if place.endswith(".identifier"):  # an item number that stands twice
            return PRESCRIBING["5008"]
        case "VALUE_INVALID" if place.endswith("numberOfRepeatsAllowed"):
            return PRESCRIBING["0019"]
        case "VALUE_INVALID" if place.endswith(_DATES):
            return PRESCRIBING["9006"]
    return _BY_CODE.get(issue.code)
