"""What the API would find only in translation, and Spine only on storing: eps.md 5.7 and 5.8.

What needs a clock (a window that is over, a birth in the future) or the store (an id in use) is checked where they are.
"""

import base64
import binascii
from collections.abc import Iterator, Mapping
from datetime import date

from gateway.validate.fhir.eps.every_message import PROFESSIONAL_CODES
from gateway.validate.fhir.eps.message import Message, codes, listed, wrong
from gateway.validate.fhir.eps.order import REPEAT_DISPENSING
from gateway.validate.fhir.finding import Finding, Level
from gateway.validate.fhir.narrow import found_at

MOST_ITEMS = 4
_MOST_ISSUES = 99
_LONGEST_CODE, _LONGEST_USUAL_CODE = 12, 8
_HEAD = 256  # characters of base64 that tell whether a document begins as XML does


def items(message: Message) -> Iterator[Finding]:
    """Want one to four items (5.8)."""
    found = len(message.of("MedicationRequest"))
    if not 1 <= found <= MOST_ITEMS:
        text = f"expected 1 to {MOST_ITEMS} MedicationRequests, found {found} (INVALID_NUMBER_MEDICATIONREQUESTS)"
        yield wrong("5.8 items", "business-rule", "Bundle.entry", text)


def notes(message: Message) -> Iterator[Finding]:
    """Want at most one note on an item (5.7)."""
    for place, line in message.of("MedicationRequest"):
        if len(listed(line, "note")) > 1:
            text = "expected at most one note (TOO_MANY_VALUES_SUBMITTED)"
            yield wrong("5.7 note", "invalid", f"{place}.note", text)


def names(message: Message) -> Iterator[Finding]:
    """Tell of names that EPS needs to translate and sign: exactly one of a person, one of an organisation (5.7)."""
    for place, person in message.of("Practitioner"):
        if len(listed(person, "name")) != 1:
            text = "EPS needs exactly one name to translate and sign"
            yield wrong("5.7 name", "invalid", f"{place}.name", text, Level.WARNING)
    for place, organisation in message.of("Organization"):
        if not organisation.get("name"):
            text = "EPS needs a name to translate and sign"
            yield wrong("5.7 name", "invalid", f"{place}.name", text, Level.WARNING)


def signature_data(message: Message) -> Iterator[Finding]:
    """Tell of a requester's signature that is not XML (5.7): EPS knows no other, although this gateway does."""
    lines = message.of("MedicationRequest")
    signer = found_at(lines[0][1], ("requester", "reference")) if lines else []
    for place, provenance in message.of("Provenance"):
        for one in listed(provenance, "signature"):
            if isinstance(one, dict) and found_at(one, ("who", "reference")) == signer and not _is_xml(one):
                text = "EPS needs a signature in XML (INVALID_VALUE)"
                yield wrong("5.7 signature data", "invalid", f"{place}.signature.data", text, Level.WARNING)


def _is_xml(signature: Mapping[str, object]) -> bool:
    data = signature.get("data")
    if not isinstance(data, str):
        return True  # a signature that is missing is another matter
    try:
        return base64.b64decode(data[:_HEAD], validate=True).lstrip().startswith(b"<")
    except binascii.Error:
        return False


def prescriber_codes(message: Message) -> Iterator[Finding]:
    """Refuse a prescriber's code of more than twelve characters, and tell of one of more than eight (5.8)."""
    for place, person in message.of("Practitioner"):
        for index, one in enumerate(listed(person, "identifier")):
            if not isinstance(one, dict) or str(one.get("system")) not in PROFESSIONAL_CODES:
                continue
            length = len(str(one.get("value", "")))
            if length > _LONGEST_USUAL_CODE:
                level = Level.ERROR if length > _LONGEST_CODE else Level.WARNING
                text = f"must be at most {_LONGEST_CODE} characters, and is usually at most {_LONGEST_USUAL_CODE}"
                yield wrong("5.8 prescriber code", "value", f"{place}.identifier[{index}].value", text, level)


def windows(message: Message) -> Iterator[Finding]:
    """Want a repeat-dispensing window of at most twelve months that begins before it ends, and 1 to 99 issues (5.8)."""
    lines = message.of("MedicationRequest")
    if not lines or REPEAT_DISPENSING not in codes(lines[0][1].get("courseOfTherapyType")):
        return
    for place, line in lines:
        for allowed in found_at(line, ("dispenseRequest", "numberOfRepeatsAllowed")):
            if isinstance(allowed, int) and not 0 <= allowed < _MOST_ISSUES:
                where = f"{place}.dispenseRequest.numberOfRepeatsAllowed"
                yield wrong("5.8 issues", "business-rule", where, f"must be 0 to {_MOST_ISSUES - 1} repeats")
        for window in found_at(line, ("dispenseRequest", "validityPeriod")):
            if _too_long(window):
                text = "must begin before it ends, and end within twelve months"
                yield wrong("5.8 window", "business-rule", f"{place}.dispenseRequest.validityPeriod", text)


def _too_long(window: object) -> bool:
    first, last = (_day(window, name) for name in ("start", "end"))
    if first is None or last is None:
        return False
    return last < first or (last.year - first.year, last.month, last.day) > (1, first.month, first.day)


def _day(window: object, name: str) -> date | None:
    text = window.get(name) if isinstance(window, dict) else None
    try:
        return date.fromisoformat(str(text)[:10])
    except ValueError:
        return None
