"""Messages that lead to a task: a request for renewal, and news of a patient. They make and change no prescription.

A merge and a death concern every open line of the patient at once; any other demographic change concerns where the
next delivery goes. What was signed stays as it was signed.

Source: mapping.md 3.1, 10.5.
"""

from gateway.domain.identifiers import NhsNumber
from gateway.domain.submission import Action, Notice, Order
from gateway.translate.from_hl7v2.desk import Desk
from gateway.translate.from_hl7v2.header import Header
from gateway.wire.er7 import Message, Segment

_WORDS = {
    "A24": "Two patient records were linked. Check who each open prescription is for.",
    "A37": "Two patient records were unlinked. Check who each open prescription is for.",
    "A40": "Two patient records were merged. Check who each open prescription is for.",
}
_UPDATED = "The patient's details changed. Check name, address and phone before the next delivery; nothing was changed."
_DIED = "The message says that the patient has died. Stop supplies: cancel every open line (reason 0007)."
_RENEWAL = "A renewal of a prescription is asked for. Only a prescriber can write one; nothing was made of the request."


def renewal(number: NhsNumber | None, orders: tuple[str, ...]) -> Notice:
    """Give the task that a renewal request (ORC-1 RF) leads to; never a prescription."""
    numbers = (number.value,) if number else ()
    return Notice(kind="renewal-requested", text=_RENEWAL, nhs_numbers=numbers, orders=orders, always=True)


def read_patient_update(desk: Desk, message: Message, header: Header) -> Order:
    """Read news of a patient: whose it is, and what kind."""
    trigger = header.envelope.message_type.split("^")[1]
    people = message.named("PID")
    if not people:
        desk.flag("SEGMENT_MISSING", "PID[1]", "Send the PID segment: news must name its patient.")
    found = [number for pid in people for number in _numbers(desk, pid, 3)]
    found += [number for merged in message.named("MRG") for number in _numbers(desk, merged, 1)]
    numbers = tuple(dict.fromkeys(found))
    died = True in [_says_death(desk, pid) for pid in people]
    kind = "patient-died" if died else "patient-merged" if trigger in _WORDS else "patient-updated"
    text = _DIED if died else _WORDS.get(trigger, _UPDATED)
    return Order(
        action=Action.PATIENT_UPDATE,
        numbers=(),
        prescription=None,
        issues=(),
        nhs_number=numbers[0] if numbers else "",
        notice=Notice(kind=kind, text=text, nhs_numbers=numbers),
    )


def _numbers(desk: Desk, segment: Segment, field: int) -> list[str]:
    """Give the NHS numbers of a CX field; one with a wrong check digit names nobody."""
    found = []
    for part in desk.all(segment, field):
        authority, kind = desk.text(desk.leaf(part, 4)), desk.text(desk.leaf(part, 5))
        number = desk.text(desk.leaf(part))
        parsed = NhsNumber.parse(number) if authority == "NHS" or kind == "NH" else None
        found += [parsed.value] if parsed else []
    return found


def _says_death(desk: Desk, pid: Segment) -> bool:
    """PID-29 has a time, or PID-30 says anything but no."""
    time, flag = desk.text(desk.leaf(desk.one(pid, 29))), desk.text(desk.leaf(desk.one(pid, 30)))
    return bool(time) or flag not in {"", "N"}
