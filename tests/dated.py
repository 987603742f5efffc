"""Golden messages as if they had been written yesterday, for a gateway that goes by the machine's own clock.

An order does not live long: the golden ones are of 5 October 2026 and are refused as expired six months later. A test
with a clock of its own sends them as they are; so does one that can tell a command the time.
"""

import re
from datetime import date, datetime, timedelta
from typing import Final

_WRITTEN: Final = date(2026, 10, 5)
"""When S01 was. All are moved equally far, so that a message still comes after the one it speaks of."""
_MONTH_AND_DAY: Final = rb"(0[1-9]|1[0-2])%s(0[1-9]|[12]\d|3[01])"
_HL7: Final = re.compile(rb"(?<![\d.-])202[6-9]" + _MONTH_AND_DAY % b"" + rb"(?=\d{4}(?:\d\d)?[+-]|[^\d.-]|$)")
"""A date, or the date of a time with its zone; a number that only begins like one, as a code may, is no date."""
_ISO: Final = re.compile(rb"(?<![\w-])202[6-9]-" + _MONTH_AND_DAY % b"-" + rb"(?=T\d\d:|[^\w-]|$)")


def as_of_yesterday(body: bytes) -> bytes:
    """Move every date of an unsigned message so far that what was written on 5 October 2026 was written yesterday.

    Args:
        body: HL7 v2, XML or FHIR JSON; dates before 2026, of birth among them, stay.

    Returns:
        It, of the same length; days between its dates, times of day and zones are as they were.

    Raises:
        Nothing.
    """
    moved = datetime.now().astimezone().date() - timedelta(days=1) - _WRITTEN

    def later(form: str, found: re.Match[bytes]) -> bytes:
        try:
            return (datetime.strptime(found[0].decode(), form) + moved).strftime(form).encode()  # noqa: DTZ007 - a date
        except ValueError:  # 31 February, as a bad message has it
            return found[0]

    compact = _HL7.sub(lambda found: later("%Y%m%d", found), body)
    return _ISO.sub(lambda found: later("%Y-%m-%d", found), compact)
