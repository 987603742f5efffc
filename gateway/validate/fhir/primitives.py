"""The primitive types of FHIR R4: for each, whether a parsed JSON value is one.

Each function gives None for a good value, or what is wrong with it. JSON is parsed with decimals as `Decimal`, so a
float never reaches these. Dates are real dates: 1999-02-30 is not one.

Source: FHIR R4 4.0.1, datatypes (regular expressions and ranges); RFC 4648 for base64.
"""

import re
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Final

Check = Callable[[object], str | None]

_CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
_LONGEST: Final = 1 << 20
_INT_LOW, _INT_HIGH = -(1 << 31), (1 << 31) - 1


def _text(pattern: str, what: str) -> Check:
    match = re.compile(pattern).fullmatch

    def check(value: object) -> str | None:
        if type(value) is not str:
            return f"must be a string ({what})"
        return None if match(value) else f"is not {what}"

    return check


def _string(value: object) -> str | None:
    if type(value) is not str:
        return "must be a string"
    if not value or value.isspace():
        return "must not be empty"
    if len(value) > _LONGEST:
        return "is longer than 1 MB"
    return "holds a control character" if _CONTROL.search(value) else None


def _boolean(value: object) -> str | None:
    return None if type(value) is bool else "must be true or false"


def _integer(low: int, what: str) -> Check:
    def check(value: object) -> str | None:
        return None if type(value) is int and low <= value <= _INT_HIGH else f"must be {what}"

    return check


def _decimal(value: object) -> str | None:
    return None if type(value) is int or type(value) is Decimal else "must be a number"


_DAY: Final = len("2026-01-31")
_DATE = r"[0-9]{4}(?:-(?:0[1-9]|1[0-2])(?:-(?:0[1-9]|[12][0-9]|3[01]))?)?"
_TIME = r"(?:[01][0-9]|2[0-3]):[0-5][0-9]:(?:[0-5][0-9]|60)(?:\.[0-9]+)?"
_ZONE = r"(?:Z|[+-](?:(?:0[0-9]|1[0-3]):[0-5][0-9]|14:00))"


def _calendar(pattern: str, what: str) -> Check:
    match = re.compile(pattern).fullmatch

    def check(value: object) -> str | None:
        if type(value) is not str:
            return f"must be a string ({what})"
        if not match(value):
            return f"is not {what}"
        try:
            date.fromisoformat(value[:10] if len(value) >= _DAY else f"{value}-01-01"[:_DAY])  # or the first day of it
        except ValueError:
            return "is not a day of the calendar"
        return None

    return check


def _base64(value: object) -> str | None:
    if type(value) is not str:
        return "must be a string (base64)"
    text = value if len(value) % 4 == 0 and _BASE64.fullmatch(value) else "".join(value.split())
    return None if text and len(text) % 4 == 0 and _BASE64.fullmatch(text) else "is not base64"


_BASE64: Final = re.compile(r"[0-9A-Za-z+/]*={0,2}")
_ACTIVE: Final = re.compile(
    r"<\s*(script|iframe|object|embed|form|input|link|meta|base|style|svg|audio|video|frame)|\son\w+\s*=|javascript:",
    re.IGNORECASE,
)


def _xhtml(value: object) -> str | None:
    if type(value) is not str or not value.lstrip().startswith("<div"):
        return "must be one div element"
    return "holds active content, which a narrative may not" if _ACTIVE.search(value) else None


PRIMITIVES: dict[str, Check] = {
    "base64Binary": _base64,
    "boolean": _boolean,
    "canonical": _text(r"\S+", "a canonical URL"),
    "code": _text(r"[^\s]+( [^\s]+)*", "a code"),
    "date": _calendar(_DATE, "a date"),
    "dateTime": _calendar(rf"{_DATE}(?:(?<=-[0-9][0-9]-[0-9][0-9])T{_TIME}{_ZONE})?", "a date and time with its zone"),
    "decimal": _decimal,
    "id": _text(r"[A-Za-z0-9.-]{1,64}", "an id"),
    "instant": _calendar(
        rf"[0-9]{{4}}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])T{_TIME}{_ZONE}", "an instant with its zone"
    ),
    "integer": _integer(_INT_LOW, "a whole number"),
    "markdown": _string,
    "oid": _text(r"urn:oid:[0-2](\.(0|[1-9][0-9]*))+", "an OID"),
    "positiveInt": _integer(1, "a whole number above nought"),
    "string": _string,
    "time": _text(_TIME, "a time of day"),
    "unsignedInt": _integer(0, "a whole number, nought or above"),
    "uri": _text(r"\S+", "a URI"),
    "url": _text(r"\S+", "a URL"),
    "uuid": _text(r"urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "a UUID"),
    "xhtml": _xhtml,
}
