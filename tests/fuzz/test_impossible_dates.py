"""A date that is none of care, in every place where a message has a date: refused or left alone, and never a fault.

The calendar ends with the years 1 and 9999. From its ends another zone, or six months more, leads out of it.
"""

import re
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from datetime import date

import pytest

from gateway.domain.calendar import is_possible
from gateway.domain.submission import Outcome, WireFormat
from tests.fuzz.submissions import FHIR_XML, carry
from tests.fuzz.targets import targets

ISO = re.compile(rb"(?<=[\"'>])(\d{4}-\d\d-\d\d)(T\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d))?(?=[\"'<])")
HL7 = re.compile(rb"(?<=[|^~&])((?:19|20)\d{6})(\d{4,6})?([+-]\d{4})?(?=[|^~&\r])")
DAYS = ("0001-01-01", "9999-12-31", "1799-12-31", "1800-01-01", "2999-12-31", "3000-01-01")
CLOCKS = ("00:00:00Z", "23:59:59.999999Z", "00:00:00+14:00", "23:59:59-14:00", "00:00:00+23:59", "23:59:59-23:59")
DOORS = {
    "submitted hl7v2": (WireFormat.HL7V2, ""),
    "submitted xml": (WireFormat.XML, ""),
    "submitted fhir": (WireFormat.FHIR, ""),
    "submitted fhir xml": (WireFormat.FHIR, FHIR_XML),
}


def iso(*, timed: bool) -> Iterator[bytes]:
    yield from ((f"{day}T{clock}" if timed else day).encode() for day in DAYS for clock in (CLOCKS if timed else "-"))


def hl7(*, timed: bool) -> Iterator[bytes]:
    plain = re.compile(rb"[-:TZ](?=\d\d)|Z|\.\d+")
    for lexeme in iso(timed=timed):
        day, zone = lexeme[:10].replace(b"-", b""), lexeme[-6:] if lexeme[-6:-5] in {b"+", b"-"} else b""
        yield day + plain.sub(b"", lexeme[10:19]) + (zone.replace(b":", b"") if timed else b"")


def damaged(seed: bytes) -> Iterator[bytes]:
    """Give a message with one of its dates replaced by one at an end of the calendar, or of what is taken."""
    pattern, lexemes = (HL7, hl7) if seed.startswith(b"MSH") else (ISO, iso)
    for found in pattern.finditer(seed):
        yield from (seed[: found.start()] + new + seed[found.end() :] for new in lexemes(timed=bool(found[2])))


def dates_in(value: object) -> Iterator[date]:
    """Give every date and time of a value and of all its parts."""
    if isinstance(value, date):
        yield value
    elif is_dataclass(value):
        for each in fields(value):
            yield from dates_in(getattr(value, each.name))
    elif isinstance(value, tuple):
        for part in value:
            yield from dates_in(part)


@pytest.mark.parametrize("door", DOORS)
def test_a_date_at_the_end_of_the_calendar_is_refused_or_not_read_wherever_it_stands(door: str) -> None:
    form, content_type = DOORS[door]
    tried = refused = 0
    for seed in targets()[door].seeds:
        for body in damaged(seed):
            seen = carry(form, seed, body, content_type)
            tried += 1
            refused += seen.verdict.outcome is Outcome.REFUSED
            for order in seen.orders:
                assert all(map(is_possible, dates_in(order.prescription))), body
    assert tried > 100
    assert refused > tried // 4
