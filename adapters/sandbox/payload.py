"""The sandbox provider's JSON answers.

One answer is one object::

    {
        "answer": "…",
        "message": "…",
        "item": "…",
        "status": "accepted",
        "at": "2026-11-02T09:00:00Z",
        "epoch": 1,
        "reason_code": "…",
        "reason": "…",
        "amount": "28",
        "unit": "tablet",
        "supply": 2,
        "day": "2026-11-30",
    }

`answer` is the provider's own id for it, `message` the id of the message it answers, `item` the order item it speaks
of (null for every item), `supply` which of the supplies it was sent, from 1, and `day` the one agreed for what is
planned or postponed; that a patient postponed is stated with its `reason`. The first four are compulsory. A member that
is not listed here is an issue.
"""

from datetime import date, datetime, time
from decimal import Decimal
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from adapters.sandbox.statuses import STATUSES
from gateway.destination import Unrecognised
from gateway.domain.acknowledgement import Acknowledgement, LineReport
from gateway.domain.calendar import is_possible
from gateway.domain.identifiers import parse_uuid
from gateway.domain.issue import Issue
from gateway.domain.quantity import parse_decimal
from gateway.wire.strict_json import JSON, JsonError, loads

COMPULSORY: Final = ("answer", "message", "item", "status")
OPTIONAL: Final = ("at", "epoch", "reason_code", "reason", "amount", "unit", "supply", "day")
_LONGEST_TEXT: Final = 2000


def read_answer(body: bytes) -> Acknowledgement | Unrecognised:
    """Read one answer.

    Returns:
        The answer, or every reason why it is not one.
    """
    try:
        value = loads(body)
    except JsonError as error:
        return Unrecognised(issues=(Issue(code=error.code, location=error.location, text=error.text),))
    if not isinstance(value, dict):
        return Unrecognised(issues=(Issue(code="STRUCTURE_INVALID", location="", text="Send one JSON object."),))
    reading = _Reading(value)
    answer = reading.answer()
    return Unrecognised(issues=tuple(reading.issues)) if reading.issues else answer


class _Reading:
    """One answer being read; what is wrong gathers in `issues`."""

    def __init__(self, value: dict[str, JSON]) -> None:
        self._value = value
        self.issues: list[Issue] = []

    def answer(self) -> Acknowledgement:
        for name in COMPULSORY:
            if name not in self._value:
                self._report("FIELD_MISSING", name, "Send this member.")
        for name in self._value:
            if name not in {*COMPULSORY, *OPTIONAL}:
                self._report("STRUCTURE_INVALID", "", "A member is not one of those that are agreed.")
        if self._value.get("status") == "postponed" and not self._value.get("reason"):
            self._report("FIELD_MISSING", "reason", "Say how the patient asked for a later day.")
        report = LineReport(
            line_id=self._item(),
            event=STATUSES.get(self._status(), STATUSES["arrived"]),
            reason_code=self._text("reason_code"),
            reason=self._text("reason"),
            amount=self._amount(),
            unit=self._text("unit"),
            issue=self._count("supply"),
            supplied_at=self._day(),
        )
        return Acknowledgement(
            id=self._text("answer"),
            correlation=self._uuid("message"),
            reports=(report,),
            at=self._at(),
            epoch=self._count("epoch"),
        )

    def _report(self, code: str, name: str, text: str) -> None:
        self.issues.append(Issue(code=code, location=name, text=text))

    def _text(self, name: str) -> str:
        value = self._value.get(name)
        if value is None and name not in COMPULSORY:
            return ""
        if isinstance(value, str) and value.strip() and len(value) <= _LONGEST_TEXT:
            return value
        if name in self._value:
            self._report("VALUE_INVALID", name, f"Send a string of 1 to {_LONGEST_TEXT} characters.")
        return ""

    def _status(self) -> str:
        status = self._text("status")
        if status and status not in STATUSES:
            self._report("VALUE_INVALID", "status", "This status is not one of those that are agreed.")
        return status

    def _uuid(self, name: str) -> UUID | None:
        text = self._text(name)
        value = parse_uuid(text)
        if text and value is None:
            self._report("VALUE_INVALID", name, "Send the UUID as it was received.")
        return value

    def _item(self) -> UUID | None:
        return None if self._value.get("item") is None else self._uuid("item")

    def _amount(self) -> Decimal | None:
        """Read the amount, a JSON number or the same as a string."""
        value = self._value.get("amount")
        if value is None:
            return None
        text = value if isinstance(value, str) else format(value, "f") if isinstance(value, Decimal) else str(value)
        amount = parse_decimal(text)
        if amount is None or isinstance(value, bool):
            self._report("VALUE_INVALID", "amount", "Send a plain decimal number.")
        return amount

    def _at(self) -> datetime | None:
        text = self._text("at")
        if not text:
            return None
        try:
            at = datetime.fromisoformat(text)
        except ValueError:
            at = None
        if at is None or at.tzinfo is None or not is_possible(at):
            self._report("VALUE_INVALID", "at", "Send a real date and time with its zone.")
            return None
        return at

    def _day(self) -> datetime | None:
        """Read the day agreed, as noon of it in London, which is that day in every zone of the country."""
        text = self._text("day")
        if not text:
            return None
        try:
            day = date.fromisoformat(text)
        except ValueError:
            day = date.min
        if not is_possible(day):
            self._report("VALUE_INVALID", "day", "Send a real day, as YYYY-MM-DD.")
            return None
        return datetime.combine(day, time(12), ZoneInfo("Europe/London"))

    def _count(self, name: str) -> int | None:
        value = self._value.get(name)
        if value is None or (isinstance(value, int) and not isinstance(value, bool) and value > 0):
            return value
        self._report("VALUE_INVALID", name, "Send a whole number above nought.")
        return None
