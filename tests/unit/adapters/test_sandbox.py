"""The sandbox's JSON answers: what each says, and what is not understood."""

from datetime import date
from decimal import Decimal
from uuid import UUID

import pytest

from adapters.sandbox.payload import read_answer
from adapters.sandbox.statuses import STATUSES
from gateway.destination import Unrecognised
from gateway.domain.acknowledgement import Acknowledgement
from gateway.domain.lifecycle import LineEvent
from gateway.domain.quantity import lexeme
from gateway.wire.strict_json import JSON, dumps

_MESSAGE = "0d3f1c52-6a7e-4f4e-9f0b-7a1b2c3d4e5f"
_ITEM = "a54219b8-f741-4c47-b662-e4f8dfa49ab6"


def _answer(**change: JSON) -> bytes:
    said: dict[str, JSON] = {"answer": "a1", "message": _MESSAGE, "item": _ITEM, "status": "accepted"}
    return dumps(said | change)


@pytest.mark.parametrize("status", STATUSES)
def test_every_status_is_its_event_for_its_line(status: str) -> None:
    read = read_answer(_answer(status=status, reason="why"))
    assert isinstance(read, Acknowledgement)
    assert (read.id, read.correlation) == ("a1", UUID(_MESSAGE))
    assert [(report.line_id, report.event) for report in read.reports] == [(UUID(_ITEM), STATUSES[status])]


def test_an_item_of_null_is_every_line() -> None:
    read = read_answer(_answer(item=None))
    assert isinstance(read, Acknowledgement)
    assert read.reports[0].line_id is None


@pytest.mark.parametrize("amount", ["2.50", Decimal("2.50")])
def test_an_amount_keeps_its_digits_as_text_or_number(amount: JSON) -> None:
    read = read_answer(
        _answer(status="delivered", amount=amount, unit="millilitre", epoch=2, at="2026-11-02T09:00:00Z")
    )
    assert isinstance(read, Acknowledgement)
    report = read.reports[0]
    assert report.amount is not None
    assert (lexeme(report.amount), report.unit, read.epoch) == ("2.50", "millilitre", 2)
    assert read.at is not None


def test_a_plan_may_number_its_supply_and_name_its_day() -> None:
    read = read_answer(_answer(status="postponed", reason="rang us", supply=2, day="2026-11-30"))
    assert isinstance(read, Acknowledgement)
    report = read.reports[0]
    assert report.supplied_at is not None
    assert (report.event, report.issue, report.supplied_at.date()) == (LineEvent.POSTPONED, 2, date(2026, 11, 30))


_FAULTS: dict[str, tuple[bytes, str]] = {
    "no status": (_answer(status=None), "status"),
    "an unknown status": (_answer(status="sent"), "status"),
    "a message that is no id": (_answer(message="m1"), "message"),
    "an item that is no id": (_answer(item="1"), "item"),
    "an item that is a number": (_answer(item=1), "item"),
    "an empty answer id": (_answer(answer=" "), "answer"),
    "an amount with a sign": (_answer(amount="-1"), "amount"),
    "an amount that is true": (_answer(amount=True), "amount"),
    "a time without its zone": (_answer(at="2026-11-02T09:00:00"), "at"),
    "a time of the year 1": (_answer(at="0001-01-01T00:00:00+14:00"), "at"),
    "a day of the year 9999": (_answer(day="9999-12-31"), "day"),
    "an epoch of nought": (_answer(epoch=0), "epoch"),
    "a supply of nought": (_answer(supply=0), "supply"),
    "a day in words": (_answer(day="tomorrow"), "day"),
    "postponed by nobody": (_answer(status="postponed"), "reason"),
    "an essay": (_answer(reason="x" * 5000), "reason"),
}


@pytest.mark.parametrize("fault", _FAULTS.values(), ids=_FAULTS)
def test_what_is_not_understood_is_named_and_moves_nothing(fault: tuple[bytes, str]) -> None:
    body, location = fault
    read = read_answer(body)
    assert isinstance(read, Unrecognised)
    assert [issue.location for issue in read.issues] == [location]


@pytest.mark.parametrize("name", ["answer", "message", "item", "status"])
def test_a_compulsory_member_that_is_missing_is_named(name: str) -> None:
    said: dict[str, JSON] = {"answer": "a1", "message": _MESSAGE, "item": _ITEM, "status": "accepted"}
    del said[name]
    read = read_answer(dumps(said))
    assert isinstance(read, Unrecognised)
    assert [issue.location for issue in read.issues] == [name]
