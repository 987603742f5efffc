"""A reported supply as MedicationDispense: held against the model of the resource, by a second library."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from fhir.resources.R4B.bundle import Bundle

from gateway.domain.acknowledgement import LineReport
from gateway.domain.identifiers import OdsCode
from gateway.domain.lifecycle import LineEvent
from gateway.translate.to_fhir.dispense import Dispense, write_dispenses
from gateway.wire.strict_json import dumps
from tests.factories import prescription

WHAT = prescription()
REPORT = LineReport(
    line_id=WHAT.lines[0].id,
    event=LineEvent.DISPENSED,
    reason="as ordered",
    amount=Decimal("4.0"),
    unit="tablet",
    batch="B1",
    expiry=date(2027, 11, 30),
    supplied_at=datetime(2026, 10, 20, 10, 30, tzinfo=UTC),
)


def written(report: LineReport) -> bytes:
    name = "RDS/HC1/1"
    line = WHAT.lines[0]
    return dumps(
        write_dispenses((Dispense(name=name, provider=OdsCode("VNE51"), prescription=WHAT, line=line, report=report),))
    )


@pytest.mark.parametrize(
    ("event", "status", "code"),
    [
        (LineEvent.DISPENSED, "completed", "0001"),
        (LineEvent.BALANCE_SUPPLIED, "completed", "0001"),
        (LineEvent.SUPPLY_SHORT, "completed", "0003"),
        (LineEvent.NOT_SUPPLIED, "declined", "0002"),
    ],
)
def test_the_type_is_what_was_reported_and_the_resource_is_fhir(event: LineEvent, status: str, code: str) -> None:
    body = written(replace(REPORT, event=event))
    Bundle.model_validate_json(body)
    dispense = json.loads(body)["entry"][0]["resource"]
    assert (dispense["status"], dispense["type"]["coding"][0]["code"]) == (status, code)
    assert ("quantity" in dispense) is (event is not LineEvent.NOT_SUPPLIED)


def test_the_amount_keeps_its_digits_and_batch_and_expiry_stand_as_words() -> None:
    body = written(REPORT)
    assert b'"value":4.0,' in body
    notes = json.loads(body)["entry"][0]["resource"]["note"]
    assert [note["text"] for note in notes] == ["as ordered", "Batch B1", "Expires 2027-11-30"]


def test_what_was_not_said_is_not_written() -> None:
    plain = LineReport(line_id=None, event=LineEvent.SUPPLY_SHORT)
    dispense = json.loads(written(plain))["entry"][0]["resource"]
    assert not {"note", "quantity", "whenPrepared"} & set(dispense)
