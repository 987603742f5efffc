"""Lexemes to values, for the formats that write dates and numbers as XML Schema and FHIR do. None: not such a value.

Source: FHIR R4 datatypes; XML Schema part 2, of which only the unambiguous forms are read.
"""

import re
from datetime import date, datetime, time
from decimal import Decimal
from typing import TypeVar
from uuid import UUID
from zoneinfo import ZoneInfo

from gateway.domain.calendar import is_possible
from gateway.domain.identifiers import parse_uuid
from gateway.domain.quantity import parse_decimal

_Dated = TypeVar("_Dated", date, datetime)

_LONGEST = 9
_LONDON = ZoneInfo("Europe/London")
_WHOLE = re.compile(r"0|[1-9]\d*", re.ASCII)
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_CLOCK = re.compile(r"\d\d:\d\d:\d\d(\.\d{1,6})?", re.ASCII)
_FRACTION = re.compile(r"(\.\d{6})\d+")
_TRUTHS = {"true": True, "1": True, "false": False, "0": False}
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)", re.ASCII)


def positive(text: str) -> Decimal | None:
    """Parse a decimal above nought; trailing zeros stay."""
    value = parse_decimal(text.strip(" \t\r\n"))
    return value or None


def whole(text: str) -> int | None:
    """Parse a whole number from nought up, without sign or leading noughts."""
    text = text.strip(" \t\r\n")
    return int(text) if _WHOLE.fullmatch(text) and len(text) <= _LONGEST else None


def counted(text: str) -> int | None:
    """Parse a whole number from one up."""
    return whole(text) or None


def day(text: str) -> date | None:
    """Parse a complete date without a zone, of a year that a date of care can have."""
    return _possible(any_day(text))


def any_day(text: str) -> date | None:
    """Parse a complete date without a zone, of any year of the calendar: its form is judged, and it is not used."""
    text = text.strip(" \t\r\n")
    if not _DAY.fullmatch(text):
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def instant(text: str) -> datetime | None:
    """Parse a date and time with its zone, of a year that a date of care can have.

    Fractions beyond microseconds are cut.
    """
    return _possible(any_instant(text))


def any_instant(text: str) -> datetime | None:
    """Parse a date and time with its zone, of any year of the calendar: its form is judged, and it is not used."""
    text = text.strip(" \t\r\n")
    if not _INSTANT.fullmatch(text):
        return None
    try:
        return datetime.fromisoformat(_FRACTION.sub(r"\1", text))
    except ValueError:
        return None


def _possible(value: _Dated | None) -> _Dated | None:
    return value if value is not None and is_possible(value) else None


def moment(text: str) -> datetime | None:
    """Parse a date and time with its zone, or a date alone, which is its midnight in London."""
    date_alone = day(text)
    return datetime.combine(date_alone, time.min, _LONDON) if date_alone else instant(text)


def clock(text: str) -> time | None:
    """Parse a time of day without a zone."""
    text = text.strip(" \t\r\n")
    if not _CLOCK.fullmatch(text):
        return None
    try:
        return time.fromisoformat(text)
    except ValueError:
        return None


def truth(text: str) -> bool | None:
    """Parse a boolean; XML also writes 1 and 0."""
    return _TRUTHS.get(text.strip(" \t\r\n"))


def identifier(text: str) -> UUID | None:
    """Parse a UUID in either case."""
    return parse_uuid(text)


def local_number(text: str) -> str | None:
    """Accept a number of the sender's own: printable, without spaces at its ends or controls inside."""
    return text if text == text.strip() and text.isprintable() and "\xa0" not in text and text else None


def words(text: str) -> str | None:
    """Accept any words that are not blank."""
    return text if text.strip() else None
