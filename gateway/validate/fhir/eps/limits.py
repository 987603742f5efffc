"""What the API would find only in translation, and Spine only on storing: eps.md 5.7 and 5.8.

What needs a clock (a window that is over, a birth in the future) or the store (an id in use) is checked where they are.
"""

from datetime import date

from gateway.validate.fhir.eps.every_message import PROFESSIONAL_CODES
from gateway.validate.fhir.eps.message import Message, at, codes, listed, wrong
from gateway.validate.fhir.eps.order import REPEAT_DISPENSING
from gateway.validate.fhir.finding import Level
from gateway.validate.fhir.narrow import found_at

MOST_ITEMS = 4
_MOST_ISSUES = 99
_LONGEST_CODE, _LONGEST_USUAL_CODE = 12, 8


def items(message: Message) -> None:
    """Want one to four items (5.8)."""
    found = len(message.of["MedicationRequest"])
    if not 1 <= found <= MOST_ITEMS:
        text = f"expected 1 to {MOST_ITEMS} MedicationRequests, found {found} (INVALID_NUMBER_MEDICATIONREQUESTS)"
        message.tell(wrong("5.8 items", "business-rule", "Bundle.entry", text))


def notes(message: Message) -> None:
    """Want at most one note on an item (5.7)."""
    for index, line in message.of["MedicationRequest"]:
        if len(listed(line, "note")) > 1:
            text = "expected at most one note (TOO_MANY_VALUES_SUBMITTED)"
            message.tell(wrong("5.7 note", "invalid", at(index, "note"), text))


def names(message: Message) -> None:
    """Tell of names that EPS needs to translate and sign: exactly one of a person, one of an organisation (5.7)."""
    for index, person in message.of["Practitioner"]:
        if len(listed(person, "name")) != 1:
            text = "EPS needs exactly one name to translate and sign"
            message.tell(wrong("5.7 name", "invalid", at(index, "name"), text, Level.WARNING))
    for index, organisation in message.of["Organization"]:
        if not organisation.get("name"):
            text = "EPS needs a name to translate and sign"
            message.tell(wrong("5.7 name", "invalid", at(index, "name"), text, Level.WARNING))


def prescriber_codes(message: Message) -> None:
    """Refuse a prescriber's code of more than twelve characters, and tell of one of more than eight (5.8)."""
    for index, person in message.of["Practitioner"]:
        for number, one in enumerate(listed(person, "identifier")):
            if type(one) is not dict or str(one.get("system")) not in PROFESSIONAL_CODES:
                continue
            length = len(str(one.get("value", "")))
            if length > _LONGEST_USUAL_CODE:
                level = Level.ERROR if length > _LONGEST_CODE else Level.WARNING
                text = f"must be at most {_LONGEST_CODE} characters, and is usually at most {_LONGEST_USUAL_CODE}"
                message.tell(
                    wrong("5.8 prescriber code", "value", at(index, f"identifier[{number}].value"), text, level)
                )


def windows(message: Message) -> None:
    """Want a repeat-dispensing window of at most twelve months that begins before it ends, and 1 to 99 issues (5.8)."""
    lines = message.of["MedicationRequest"]
    if not lines or REPEAT_DISPENSING not in codes(lines[0][1].get("courseOfTherapyType")):
        return
    for index, line in lines:
        for allowed in found_at(line, ("dispenseRequest", "numberOfRepeatsAllowed")):
            if isinstance(allowed, int) and not 0 <= allowed < _MOST_ISSUES:
                where = at(index, "dispenseRequest.numberOfRepeatsAllowed")
                message.tell(wrong("5.8 issues", "business-rule", where, f"must be 0 to {_MOST_ISSUES - 1} repeats"))
        for window in found_at(line, ("dispenseRequest", "validityPeriod")):
            if _too_long(window):
                text = "must begin before it ends, and end within twelve months"
                message.tell(wrong("5.8 window", "business-rule", at(index, "dispenseRequest.validityPeriod"), text))


def _too_long(window: object) -> bool:
    first, last = (_day(window, name) for name in ("start", "end"))
    if first is None or last is None:
        return False
    return last < first or (last.year - first.year, last.month, last.day) > (1, first.month, first.day)


def _day(window: object, name: str) -> date | None:
    text = window.get(name) if type(window) is dict else None
    try:
        return date.fromisoformat(str(text)[:10])
    except ValueError:
        return None
