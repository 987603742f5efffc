"""What the simulated providers say is what their adapters understand."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from uuid import UUID, uuid4

import pytest

from adapters.fhir_push.adapter import FhirPush
from adapters.sandbox.adapter import Sandbox
from gateway.destination import Destination
from gateway.domain.acknowledgement import Acknowledgement
from gateway.domain.identifiers import OdsCode
from gateway.domain.lifecycle import LineEvent
from gateway.domain.partner import Environment, Provider
from gateway.simulate.answers import Line, Message, Statement, Word, in_fhir, in_sandbox_json, read_message

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
LINE = Line(
    item=str(uuid4()),
    names=(),
    product={"coding": [{"system": "http://snomed.info/sct", "code": "39705411000001108"}]},
    quantity={"value": 56, "unit": "tablet", "system": "http://snomed.info/sct", "code": "428673006"},
    supplies=3,
    nhs_number="9990000077",
)
MESSAGE = Message(id=str(uuid4()), lines=(LINE,))
EVENTS = {
    Word.ACCEPTED: LineEvent.ACCEPTED,
    Word.REJECTED: LineEvent.REJECTED,
    Word.QUERIED: LineEvent.QUERIED,
    Word.DELIVERED: LineEvent.DELIVERED,
    Word.CANCELLED: LineEvent.CANCEL_CONFIRMED,
    Word.CANCEL_TOO_LATE: LineEvent.CANCEL_TOO_LATE,
    Word.CANCEL_PENDING: LineEvent.CANCEL_PENDING,
    Word.CANCEL_UNKNOWN: LineEvent.CANCEL_UNKNOWN,
    Word.ON_HOLD: LineEvent.HOLD_CONFIRMED,
    Word.HOLD_REFUSED: LineEvent.HOLD_REFUSED,
    Word.RELEASED: LineEvent.RELEASE_CONFIRMED,
    Word.RELEASE_REFUSED: LineEvent.RELEASE_REFUSED,
    Word.PLANNED: LineEvent.SUPPLY_PLANNED,
    Word.NOT_DELIVERED: LineEvent.DELIVERY_FAILED,
    Word.SHORT: LineEvent.SUPPLY_SHORT,
    Word.RETURNED: LineEvent.RETURNED,
    Word.RENEWAL_WANTED: LineEvent.RENEWAL_REQUESTED,
}
IN_JSON_ALONE = {Word.PLANNED, Word.NOT_DELIVERED, Word.SHORT, Word.RETURNED, Word.RENEWAL_WANTED}
SPOKEN = [(word, own_json) for word in Word for own_json in (True, False) if own_json or word not in IN_JSON_ALONE]


def statement(word: Word, issue: int = 0) -> Statement:
    return Statement(provider="VDEM2", message=MESSAGE, line=LINE, word=word, at=NOW, issue=issue, reason="Because.")


def adapter(kind: type[Destination], name: str) -> Destination:
    return kind(
        Provider(
            ods=OdsCode("VDEM2"), name="", environment=Environment.TEST, adapter=name, endpoint="http://127.0.0.1/"
        )
    )


@pytest.mark.parametrize(("word", "own_json"), SPOKEN)
def test_an_adapter_reads_every_word_as_it_is_meant(word: Word, own_json: bool) -> None:  # noqa: FBT001 - a table
    body = in_sandbox_json(statement(word, 1)) if own_json else in_fhir(statement(word, 1))
    reader = adapter(Sandbox, "sandbox") if own_json else adapter(FhirPush, "fhir_push")
    answer = reader.read_acknowledgement({}, body)
    assert isinstance(answer, Acknowledgement)
    assert answer.correlation == UUID(MESSAGE.id)
    assert [(report.line_id, report.event) for report in answer.reports] == [(UUID(LINE.item), EVENTS[word])]
    if word is Word.DELIVERED:
        assert answer.reports[0].amount == LINE.quantity["value"]


def test_part_of_a_supply_and_the_day_of_a_plan_are_said_beside_the_word() -> None:
    short = replace(statement(Word.SHORT, 1), amount=Decimal(28))
    planned = replace(statement(Word.PLANNED, 1), day=date(2026, 11, 25))
    read = [adapter(Sandbox, "sandbox").read_acknowledgement({}, in_sandbox_json(one)) for one in (short, planned)]
    assert [one.reports[0].amount for one in read if isinstance(one, Acknowledgement)] == [28, None]
    assert b'"day": "2026-11-25"' in in_sandbox_json(planned)


def test_saying_it_again_is_the_same_answer_and_the_next_supply_is_another() -> None:
    assert statement(Word.DELIVERED, 1).id == statement(Word.DELIVERED, 1).id
    assert statement(Word.DELIVERED, 1).id != statement(Word.DELIVERED, 2).id


def test_an_order_is_read_with_its_numbers_and_supplies() -> None:
    item = {"system": "https://fhir.nhs.uk/Id/prescription-order-item-number", "value": LINE.item}
    request = {
        "resourceType": "MedicationRequest",
        "identifier": [item, {"value": "RX1"}],
        "groupIdentifier": {"value": "G1"},
        "medicationCodeableConcept": LINE.product,
        "dispenseRequest": {"numberOfRepeatsAllowed": 2, "quantity": LINE.quantity},
    }
    patient = {"resourceType": "Patient", "identifier": [{"value": LINE.nhs_number}]}
    bundle = {"identifier": {"value": MESSAGE.id}, "entry": [{"resource": request}, {"resource": patient}]}
    message = read_message(json.dumps(bundle).encode())
    assert message.id == MESSAGE.id
    assert message.lines[0].supplies == 3
    assert "RX1" in message.lines[0].names


def test_an_update_is_read_with_what_it_asks_for_and_a_change_with_what_it_replaces() -> None:
    item = {"system": "https://fhir.nhs.uk/Id/prescription-order-item-number", "value": LINE.item}
    request = {
        "resourceType": "MedicationRequest",
        "identifier": [item],
        "groupIdentifier": {"value": "G1"},
        "priorPrescription": {"identifier": {"value": "earlier"}},
        "medicationCodeableConcept": LINE.product,
        "dispenseRequest": {"quantity": LINE.quantity},
    }
    header = {
        "resourceType": "MessageHeader",
        "eventCoding": {"code": "prescription-order-update"},
        "reason": {"coding": [{"code": "cancel"}]},
    }
    patient = {"resourceType": "Patient", "identifier": [{"value": LINE.nhs_number}]}
    entries = [{"resource": header}, {"resource": request}, {"resource": patient}]
    message = read_message(json.dumps({"identifier": {"value": MESSAGE.id}, "entry": entries}).encode())
    assert message.wanted == "cancel"
    assert (message.lines[0].replaces, message.lines[0].supplies) == ("earlier", 1)
