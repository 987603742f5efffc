"""The EPS digest against every usable published pair, and derived cases for the branches no pair exercises."""

import copy
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from gateway.sign.eps_bundle import EpsOrder, Unsignable
from gateway.sign.eps_digest import Algorithm, prepare, signed_info
from gateway.sign.eps_fragments import dosage_text, fragments
from gateway.wire import strict_json

SHARED = Path(__file__).parents[3] / "../shared/eps-examples"
UNUSABLE = {
    "community/acute/nominated-pharmacy/clinical-practitioner/controlled-drugs/2-Prepare-Request-200_OK.json":
        "made when GP V81999 was sent as a null flavour",
    "primary-care/acute/nominated-pharmacy/medical-prescriber/Prepare-Request-Multiple-Dosages-200_OK.json":
        "carries another prescription's digest",
    "spec/prepare/eRD-primary-example-req.json": "carries another prescription's digest",
}  # fmt: skip
JOB_ROLE = "https://fhir.hl7.org.uk/CodeSystem/UKCore-SDSJobRoleName"
WHEN = datetime(2024, 12, 9, 11, 50, 4, tzinfo=UTC)


def published() -> list[tuple[Path, Path]]:
    requests = [*SHARED.rglob("*Prepare-Request*.json"), *SHARED.glob("spec/prepare/*-req.json")]
    pairs = []
    for request in sorted(requests):
        name = request.name.replace("Prepare-Request", "Prepare-Response").replace("-req.", "-res.")
        answer = request.with_name(name)
        if answer.exists() and str(request.relative_to(SHARED)) not in UNUSABLE:
            pairs.append((request, answer))
    return pairs


@pytest.mark.skipif(not SHARED.exists(), reason="the published EPS examples are not beside this checkout")
def test_every_usable_published_pair_is_reproduced_byte_for_byte() -> None:
    counts = {Algorithm.RS256: 0, Algorithm.RS1: 0}
    for request, answer in published():
        values = {item["name"]: item["valueString"] for item in json.loads(answer.read_text())["parameter"]}
        bundle = strict_json.loads(request.read_bytes())
        assert isinstance(bundle, dict)
        algorithm = Algorithm(values["algorithm"])
        prepared = prepare(EpsOrder(bundle), datetime.fromisoformat(values["timestamp"]), algorithm)
        assert (prepared.digest, prepared.timestamp) == (values["digest"], values["timestamp"]), request
        counts[algorithm] += 1
    assert counts == {Algorithm.RS256: 20, Algorithm.RS1: 18}


def bundle() -> dict[str, Any]:
    def entry(number: int, resource: dict[str, Any]) -> dict[str, Any]:
        return {"fullUrl": f"urn:uuid:00000000-0000-4000-8000-00000000000{number}", "resource": resource}

    def reference(number: int) -> dict[str, str]:
        return {"reference": f"urn:uuid:00000000-0000-4000-8000-00000000000{number}"}

    return {
        "resourceType": "Bundle",
        "entry": [
            entry(
                1,
                {
                    "resourceType": "MedicationRequest",
                    "identifier": [
                        {
                            "system": "https://fhir.nhs.uk/Id/prescription-order-item-number",
                            "value": "a54219b8-f741-4c47-b662-e4f8dfa49ab7",
                        }
                    ],
                    "groupIdentifier": {
                        "extension": [
                            {
                                "url": "https://fhir.nhs.uk/StructureDefinition/Extension-DM-PrescriptionId",
                                "valueIdentifier": {"value": "a5b9dc81-ccf4-4dab-b887-3d88e557febb"},
                            }
                        ]
                    },
                    "medicationCodeableConcept": {
                        "coding": [
                            {
                                "system": "http://snomed.info/sct",
                                "code": "317972000",
                                "display": "Furosemide 40mg tablets",
                            }
                        ]
                    },
                    "subject": reference(2),
                    "requester": reference(3),
                    "courseOfTherapyType": {"coding": [{"code": "acute"}]},
                    "dosageInstruction": [{"text": "once a day"}],
                    "dispenseRequest": {"quantity": {"value": 28, "unit": "tablet", "code": "428673006"}},
                },
            ),
            entry(
                2,
                {
                    "resourceType": "Patient",
                    "identifier": [{"system": "https://fhir.nhs.uk/Id/nhs-number", "value": "9990000077"}],
                    "name": [{"use": "usual", "family": "TESTPATIENT", "given": ["Aoife"]}],
                    "gender": "female",
                    "birthDate": "1979-04-12",
                    "address": [{"use": "home", "line": ["1 Example Street"], "postalCode": "TA1 1AA"}],
                },
            ),
            entry(
                3,
                {
                    "resourceType": "PractitionerRole",
                    "practitioner": reference(4),
                    "organization": reference(5),
                    "telecom": [{"value": "01234 567890", "use": "work"}],
                },
            ),
            entry(
                4,
                {
                    "resourceType": "Practitioner",
                    "identifier": [{"system": "https://fhir.hl7.org.uk/Id/gmc-number", "value": "9999991"}],
                    "name": [{"family": "PRESCRIBER"}],
                },
            ),
            entry(
                5,
                {
                    "resourceType": "Organization",
                    "identifier": [{"system": "https://fhir.nhs.uk/Id/ods-organization-code", "value": "RBA11"}],
                    "name": "Rheumatology",
                    "telecom": [{"value": "tel:01823333444"}],
                    "address": [{"line": ["A"], "city": "B", "postalCode": "C"}],
                    "partOf": {
                        "identifier": {"system": "https://fhir.nhs.uk/Id/ods-organization-code", "value": "RBA"},
                        "display": "Example Trust",
                    },
                },
            ),
        ],
    }


def part(value: dict[str, Any], number: int) -> dict[str, Any]:
    return value["entry"][number - 1]["resource"]  # type: ignore[no-any-return]


def text_of(value: dict[str, Any]) -> str:
    return "".join(fragments(EpsOrder(value), WHEN))


def test_the_first_fragment_is_time_and_upper_case_id() -> None:
    assert fragments(EpsOrder(bundle()), WHEN)[0] == (
        '<time xmlns="urn:hl7-org:v3" value="20241209115004"></time>'
        '<id xmlns="urn:hl7-org:v3" root="A5B9DC81-CCF4-4DAB-B887-3D88E557FEBB"></id>'
    )


def test_a_line_is_written_as_published() -> None:
    assert fragments(EpsOrder(bundle()), WHEN)[3] == (
        '<pertinentLineItem xmlns="urn:hl7-org:v3" classCode="SBADM" moodCode="RQO">'
        '<id root="A54219B8-F741-4C47-B662-E4F8DFA49AB7"></id><code code="225426007" '
        'codeSystem="2.16.840.1.113883.2.1.3.2.4.15" displayName="Administration of therapeutic substance (procedure)">'
        '</code><effectiveTime nullFlavor="NA"></effectiveTime><product contextControlCode="OP" typeCode="PRD">'
        '<manufacturedProduct classCode="MANU"><manufacturedRequestedMaterial classCode="MMAT" determinerCode="KIND">'
        '<code code="317972000" codeSystem="2.16.840.1.113883.2.1.3.2.4.15" displayName="Furosemide 40mg tablets">'
        "</code></manufacturedRequestedMaterial></manufacturedProduct></product>"
        '<component typeCode="COMP"><seperatableInd value="false"></seperatableInd>'
        '<lineItemQuantity classCode="SPLY" moodCode="RQO"><code code="373784005" '
        'codeSystem="2.16.840.1.113883.2.1.3.2.4.15" displayName="Dispensing medication (procedure)"></code>'
        '<quantity unit="1" value="28"><translation code="428673006" codeSystem="2.16.840.1.113883.2.1.3.2.4.15" '
        'displayName="tablet" value="28"></translation></quantity></lineItemQuantity></component>'
        '<pertinentInformation2 contextConductionInd="true" typeCode="PERT"><seperatableInd value="false">'
        '</seperatableInd><pertinentDosageInstructions classCode="OBS" moodCode="EVN">'
        '<code code="DI" codeSystem="2.16.840.1.113883.2.1.3.2.4.17.30"></code><value>once a day</value>'
        "</pertinentDosageInstructions></pertinentInformation2></pertinentLineItem>"
    )


Change = Callable[[dict[str, Any]], object]
DERIVED: dict[str, tuple[Change, str]] = {
    "a decimal keeps its lexeme": (
        lambda b: part(b, 1)["dispenseRequest"]["quantity"].update(value=Decimal("5.00")), 'value="5.00"'),
    "a patient's telephone": (
        lambda b: part(b, 2).update(telecom=[{"use": "mobile", "value": "07700 900123"}]),
        '<telecom use="MC" value="tel:07700900123"></telecom><patientPerson'),
    "no practice known": (lambda _: None, 'extension="V81999"'),
    "gender other": (lambda b: part(b, 2).update(gender="other"), 'administrativeGenderCode code="9"'),
    "gender unknown": (lambda b: part(b, 2).update(gender="unknown"), 'administrativeGenderCode code="0"'),
    "a GMC number loses its leading C": (
        lambda b: part(b, 4)["identifier"][0].update(value="C1234567"), 'extension="1234567"'),
    "an HCPC number": (
        lambda b: part(b, 4)["identifier"][0].update(
            system="https://fhir.hl7.org.uk/Id/hcpc-number", value="PH123456"), 'extension="PH123456"'),
    "a name in free text": (
        lambda b: part(b, 4).update(name=[{"text": "Dr Casey"}]), "<name>Dr Casey</name></agentPerson>"),
    "a maiden name": (lambda b: part(b, 2)["name"][0].update(use="maiden"), '<name use="PREVIOUS-MAIDEN">'),
    "city, district and state": (
        lambda b: part(b, 2)["address"][0].update(city="C", district="D", state="S"),
        "".join(f"<streetAddressLine>{part}</streetAddressLine>" for part in "CDS") + "<postalCode>"),
    "telecom of the organisation when neither role nor person has one": (
        lambda b: part(b, 3).pop("telecom"),
        '<AgentPerson xmlns="urn:hl7-org:v3" classCode="AGNT"><telecom value="tel:01823333444">'),
    "the UK Core job role when there is no other": (
        lambda b: part(b, 3).update(
            code=[{"coding": [{"system": JOB_ROLE, "code": "R8000"}]}]),
        '<code code="R8000" codeSystem="1.2.826.0.1285.0.2.1.104">'),
    "characters that XML escapes, and others it does not": (
        lambda b: part(b, 1)["dosageInstruction"][0].update(text="½ < 1 & > 0\r\nthen é"),
        "<value>½ &lt; 1 &amp; &gt; 0\nthen é</value>"),
    "white space in an attribute": (
        lambda b: part(b, 1)["medicationCodeableConcept"]["coding"][0].update(display='a\t\tb\nc "d" <'),
        'displayName="a b c &quot;d&quot; &lt;"'),
    "no parent organisation: the licence is its own": (
        lambda b: part(b, 5).pop("partOf"),
        '<Organization classCode="ORG" determinerCode="INSTANCE"><id extension="RBA11"'),
    "a note is signed as an additional instruction": (
        lambda b: part(b, 1).update(note=[{"text": "keep cold"}]),
        "<value>keep cold</value></pertinentAdditionalInstructions>"),
}  # fmt: skip


@pytest.mark.parametrize("name", DERIVED)
def test_a_branch_without_a_published_pair_follows_the_rule(name: str) -> None:
    change, expected = DERIVED[name]
    value = copy.deepcopy(bundle())
    change(value)
    assert expected in text_of(value)


def test_acute_and_continuous_together_count_as_acute() -> None:
    value = bundle()
    part(value, 1)["courseOfTherapyType"]["coding"].append({"code": "continuous"})
    assert "repeatNumber" not in text_of(value)


@pytest.mark.parametrize(
    ("sequences", "expected"), [([1, 1], "a, and b"), ([1, 2], "a, then b"), ([2, 1], "b, then a")]
)
def test_dosages_are_joined_by_their_sequence(sequences: list[int], expected: str) -> None:
    dosages = [{"sequence": number, "text": text} for number, text in zip(sequences, "ab", strict=True)]
    assert dosage_text({"dosageInstruction": dosages}) == expected


def test_the_zone_of_the_signing_time_does_not_change_the_digest() -> None:
    there = WHEN.astimezone(timezone(timedelta(hours=5)))
    assert prepare(EpsOrder(bundle()), WHEN) == prepare(EpsOrder(bundle()), there)


def test_signed_info_for_sha_256_is_541_bytes() -> None:
    assert len(signed_info("3j2+qTQVTnbyGTbXc6YDnfKYvZe5xtmHxeS1eb0IY9g=", Algorithm.RS256)) == 541


@pytest.mark.parametrize(
    "change",
    [
        lambda b: part(b, 1).pop("subject"),
        lambda b: part(b, 1).pop("groupIdentifier"),
        lambda b: part(b, 1).pop("dispenseRequest"),
        lambda b: part(b, 2).pop("identifier"),
        lambda b: part(b, 4).pop("identifier"),
        lambda b: part(b, 5).pop("address"),
        lambda b: b.update(entry=[]),
    ],
    ids=["patient", "prescription id", "quantity", "NHS number", "professional code", "address", "everything"],
)
def test_what_is_signed_must_be_there(change: Change) -> None:
    value = bundle()
    change(value)
    with pytest.raises(Unsignable):
        text_of(value)


def test_changing_the_provider_does_not_change_the_digest_but_changing_the_dose_does() -> None:
    original, moved, altered = bundle(), bundle(), bundle()
    part(moved, 1)["dispenseRequest"]["performer"] = {"identifier": {"value": "VNE51"}}
    part(altered, 1)["dosageInstruction"][0]["text"] = "twice a day"
    digest = prepare(EpsOrder(original), WHEN).digest
    assert prepare(EpsOrder(moved), WHEN).digest == digest
    assert prepare(EpsOrder(altered), WHEN).digest != digest
