"""The writer: every value written is explained, and every value known is written."""

import json
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from gateway.domain.coding import Coding
from gateway.domain.identifiers import OdsCode, ProfessionalId, Register
from gateway.domain.message import FhirMessage
from gateway.domain.partner import Environment, Provider
from gateway.domain.prescription import (
    AllergyStatus,
    CourseOfTherapy,
    Dosage,
    Homecare,
    PrescriberSignature,
    Prescription,
)
from gateway.domain.quantity import Quantity
from gateway.domain.submission import Envelope, Submission, WireFormat
from gateway.domain.trace import TraceRow
from gateway.translate.to_fhir.message import write
from gateway.wire.strict_json import loads
from tests.factories import MILLIGRAM, MOMENT, dosage, line, patient, prescriber, prescription
from tests.unit.translate.to_fhir.accounts import populated
from tests.unit.translate.to_fhir.drawn import prescriptions

GOLDEN = Path(__file__).parents[3] / "golden" / "to_fhir" / "order.json"


def rows(*targets: str) -> list[TraceRow]:
    return [TraceRow(target=t, source="", rule="r", transform="copy", raw="", result="") for t in targets]


def written(
    value: Prescription | None = None,
    *,
    trace: Sequence[TraceRow] = (),
    environment: Environment = Environment.TEST,
    provider: str = "VNE51",
) -> FhirMessage:
    return write(
        value or prescription(),
        submission=Submission(tenant=OdsCode("RBA"), format=WireFormat.HL7V2, body=b"MSH|", received_at=MOMENT),
        envelope=Envelope(format=WireFormat.HL7V2, control_id="S01-0001", system="EPMA"),
        trace=trace,
        provider=Provider(
            ods=OdsCode(provider), name="Example Homecare", environment=environment, adapter="sandbox", endpoint=""
        ),
        environment=environment,
        organisation=OdsCode("HCGW1"),
        reference_release="simulation-2026-11",
    )


def resources(message: FhirMessage, kind: str) -> list[dict]:
    return [
        entry["resource"]
        for entry in json.loads(message.body, parse_float=str)["entry"]
        if entry["resource"]["resourceType"] == kind
    ]


def leaves(node: object, path: str) -> Iterator[str]:
    if isinstance(node, dict):
        for key, child in node.items():
            yield from leaves(child, f"{path}.{key}")
    elif isinstance(node, list):
        for index, child in enumerate(node):
            yield from leaves(child, f"{path}[{index}]")
    else:
        yield path


any_prescription = settings(
    max_examples=30,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@any_prescription
@given(prescriptions)
def test_every_populated_leaf_of_a_prescription_is_written(value: Prescription) -> None:
    origins = {origin for _, origin in written(value).explained}
    missing = [path for path in populated(value) if path not in origins]
    assert missing == []


@any_prescription
@given(prescriptions)
def test_every_leaf_written_is_explained_exactly_where_it_stands(value: Prescription) -> None:
    message = written(value)
    explained = [path for path, _ in message.explained]
    assert sorted(set(explained)) == sorted(leaves(loads(message.body), "Bundle"))


@any_prescription
@given(prescriptions)
def test_a_trace_row_for_every_leaf_leaves_nothing_unexplained(value: Prescription) -> None:
    assert written(value, trace=rows(*populated(value))).unexplained == ()


@any_prescription
@given(prescriptions)
def test_the_same_prescription_gives_the_same_bytes_and_ends_with_its_entries(value: Prescription) -> None:
    message = written(value)
    assert message.body == written(value).body
    assert message.body.endswith(b"]}")
    assert list(json.loads(message.body))[-1] == "entry"


@any_prescription
@given(prescriptions)
def test_every_reference_resolves_and_every_id_is_unique(value: Prescription) -> None:
    bundle = json.loads(written(value).body)
    names = [entry["fullUrl"] for entry in bundle["entry"]]
    assert len(set(names)) == len(names)
    assert all(entry["fullUrl"] == f"urn:uuid:{entry['resource']['id']}" for entry in bundle["entry"])
    assert set(re.findall(r'"reference": ?"([^"]+)"', json.dumps(bundle["entry"]))) <= set(names)


def test_a_value_that_no_row_covers_is_unexplained() -> None:
    whole = rows("id", "number", "group_number", "patient", "prescriber", "authored", "type_code", "course", "homecare")
    message = written(trace=[*whole, *rows("lines[0].id")])
    assert message.unexplained
    assert all("entry[1]" in path for path in message.unexplained)
    assert written(trace=[*whole, *rows("lines")]).unexplained == ()


def test_a_system_or_display_stands_with_the_code_it_qualifies() -> None:
    covered = [path for path in populated(prescription()) if not path.endswith((".system", ".display", ".register"))]
    paths = written(trace=rows(*covered)).unexplained
    assert paths == ()


@pytest.mark.parametrize("lexeme", ["5.00", "0.5", "10", "0.050", "12345678901234567", "0.0000000001"])
def test_a_number_keeps_its_lexeme(lexeme: str) -> None:
    value = prescription(lines=(line(dosages=(dosage(dose=Quantity(value=Decimal(lexeme), unit=MILLIGRAM)),)),))
    assert f'"doseQuantity":{{"value":{lexeme},'.encode() in written(value).body


def test_the_prescribers_own_words_are_the_text() -> None:
    (order,) = resources(written(), "MedicationRequest")
    assert order["dosageInstruction"][0]["text"] == "Inject 10mg ONCE a WEEK on a Monday"


def test_words_are_made_where_none_were_given() -> None:
    (order,) = resources(written(prescription(lines=(line(dosages=(dosage(text=""),)),))), "MedicationRequest")
    words = "Inject 10 milligram - once a week - on Monday - Subcutaneous route"
    assert order["dosageInstruction"][0]["text"] == words


def test_words_for_the_whole_line_are_not_read_as_one_dose_among_others() -> None:
    parts = (dosage(text="80mg at once, then 40mg weekly", sequence=1), dosage(text="", sequence=2))
    (order,) = resources(written(prescription(lines=(line(dosages=parts),))), "MedicationRequest")
    first, second = order["dosageInstruction"]
    assert first["text"] == "80mg at once, then 40mg weekly"
    assert second["text"].startswith("Part 2 of the directions written in part 1: Inject 10 milligram")


def test_no_words_are_invented_for_a_structure_that_cannot_be_said() -> None:
    silent = Dosage(dose=Quantity(value=Decimal(1), unit=Coding(code="x", display="")))
    (order,) = resources(written(prescription(lines=(line(dosages=(silent,)),))), "MedicationRequest")
    assert "text" not in order["dosageInstruction"][0]


def test_repeats_are_the_supplies_after_the_first() -> None:
    (order,) = resources(written(), "MedicationRequest")
    assert order["dispenseRequest"]["numberOfRepeatsAllowed"] == 5


@pytest.mark.parametrize(
    ("course", "intent"),
    [
        (CourseOfTherapy.ACUTE, "order"),
        (CourseOfTherapy.CONTINUOUS, "order"),
        (CourseOfTherapy.REPEAT_DISPENSING, "original-order"),
    ],
)
def test_the_intent_follows_the_course(course: CourseOfTherapy, intent: str) -> None:
    (order,) = resources(written(prescription(course=course)), "MedicationRequest")
    assert order["intent"] == intent


def test_only_a_test_message_is_marked() -> None:
    assert json.loads(written().body)["meta"]["tag"][0]["code"] == "HTEST"
    assert "meta" not in json.loads(written(environment=Environment.LIVE).body)


def test_the_message_names_every_line_and_its_destination() -> None:
    value = prescription(lines=(line(), line("RX7002")))
    (header,) = resources(written(value), "MessageHeader")
    assert [one["reference"] for one in header["focus"]] == [f"urn:uuid:{one.id}" for one in value.lines]
    assert header["destination"][0]["receiver"]["identifier"]["value"] == "VNE51"
    assert header["sender"]["identifier"]["value"] == "RBA"


def test_another_destination_is_another_message() -> None:
    assert written().id != written(provider="VNCEL").id


def test_the_name_the_sender_gave_one_provider_is_never_given_to_another() -> None:
    value = prescription(homecare=Homecare(provider=OdsCode("VNE51"), provider_name="Named Homecare"))
    (order,) = resources(written(value, provider="VNCEL"), "MedicationRequest")
    assert order["dispenseRequest"]["performer"] == {
        "identifier": {"system": "https://fhir.nhs.uk/Id/ods-organization-code", "value": "VNCEL"},
        "display": "Example Homecare",
    }


def test_not_stated_is_never_written_as_no_known_allergy() -> None:
    stated = {
        status: bool(resources(written(prescription(allergy_status=status)), "AllergyIntolerance"))
        for status in AllergyStatus
    }
    assert [status for status, said in stated.items() if said] == [AllergyStatus.NONE_KNOWN]


@pytest.mark.parametrize(
    ("ids", "systems"),
    [
        ([(Register.GMC, "9999991")], ["gmc-number"]),
        ([(Register.CONSULTANT, "C9999991")], ["professional-code"]),
        ([(Register.CONSULTANT, "C9999991"), (Register.GMC, "9999991")], ["gmc-number", None]),
        ([(Register.SDS_USER, "1"), (Register.NMC, "12A3456B")], ["nmc-number", "sds-user-id"]),
        ([(Register.DIN, "12345"), (Register.HCPC, "PH12345")], ["hcpc-number", "din-number"]),
        ([(Register.GDC, "12345")], ["professional-code"]),
    ],
)
def test_a_prescriber_has_one_professional_code(ids: list, systems: list) -> None:
    person = prescriber(ids=tuple(ProfessionalId(register, value) for register, value in ids))
    (practitioner,) = resources(written(prescription(prescriber=person)), "Practitioner")
    found = [one["system"].rsplit("/", 1)[1] if "system" in one else None for one in practitioner["identifier"]]
    assert found == systems


def test_a_role_profile_belongs_to_the_role_and_a_second_one_is_not_lost() -> None:
    ids = (ProfessionalId(Register.SDS_ROLE_PROFILE, "1"), ProfessionalId(Register.SDS_ROLE_PROFILE, "2"))
    message = written(prescription(prescriber=prescriber(ids=ids)))
    assert resources(message, "PractitionerRole")[0]["identifier"][0]["value"] == "1"
    assert resources(message, "Practitioner")[0]["identifier"][0]["value"] == "2"


def test_the_prescribers_signature_and_the_source_travel_verbatim() -> None:
    value = prescription(signature=PrescriberSignature(format="xmldsig", data=b"<Signature/>"))
    message = written(value)
    (evidence,) = resources(message, "Provenance")
    (source,) = resources(message, "Binary")
    assert evidence["signature"][0]["data"] == "PFNpZ25hdHVyZS8+"
    assert source["data"] == "TVNIfA=="
    assert evidence["entity"][0]["what"]["reference"] == f"urn:uuid:{source['id']}"


def test_no_communication_names_another_patient() -> None:
    value = prescription(patient_information=("Ring us.",), patient=patient())
    (request,) = resources(written(value), "CommunicationRequest")
    assert request["recipient"][0]["identifier"]["value"] == "9990000077"


def test_the_account_reads_as_a_sequence() -> None:
    explained = written().explained
    assert explained[0] == ("Bundle.resourceType", "rule:constant.resource-type")
    assert explained[:1] == (explained[0],)
    assert len(explained) == len(list(explained))


def test_origins_name_canonical_paths_of_the_prescription() -> None:
    by_origin = defaultdict(list)
    for path, origin in written().explained:
        by_origin[origin].append(path)
    dose = "Bundle.entry[1].resource.dosageInstruction[0].doseAndRate[0].doseQuantity.value"
    assert by_origin["lines[0].dosages[0].dose.value"] == [dose]


def test_the_order_is_written_as_the_golden_file_says() -> None:
    value = replace(prescription(), group_number="GRP7001")
    assert written(value).body == GOLDEN.read_bytes()
