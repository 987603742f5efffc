"""A follow-up of a known order: its cancel, its hold or its release, in a message or as the order itself.

What it repeats of the order is not read: the order is cancelled or held as it was accepted.

Source: eps.md 1.5, 5.4, 6.6; mapping.md 4.1, 6.1, 6.2.
"""

from collections.abc import Sequence
from uuid import UUID

from gateway.domain.coding import SNOMED
from gateway.domain.identifiers import NhsNumber
from gateway.domain.prescription import Professional
from gateway.domain.submission import Action, Change, Order, OrderNumber
from gateway.translate import lexical
from gateway.translate.cancel_reasons import PRESCRIBING_ERROR, SYSTEM, reason_of
from gateway.translate.from_fhir.bundle import Entries
from gateway.translate.from_fhir.nodes import Node
from gateway.translate.from_fhir.people import professional
from gateway.translate.from_fhir.uk_core import own_identifier
from gateway.translate.maps.rules import FHIR
from gateway.translate.record import Leaf, Record
from gateway.translate.to_fhir import systems

_CHANGE_IGNORED = FHIR.named("FHIR.ignored.change")


_UPDATES = {"cancelled": Action.CANCEL, "on-hold": Action.HOLD, "active": Action.RELEASE}
"""What the status of the one line of an update asks for."""
_IN_ERROR = "entered-in-error"
STANDINGS = {
    "cancelled": Action.CANCEL,
    "stopped": Action.CANCEL,
    _IN_ERROR: Action.CANCEL,
    "on-hold": Action.HOLD,
}
"""What the status of an order on its own asks for, where it is no longer active (mapping.md 6.2)."""
_WORDS = {"cancel": Action.CANCEL, "hold": Action.HOLD, "release": Action.RELEASE}
"""Why an update is sent, MessageHeader.reason."""


def read_update(record: Record, entries: Entries) -> Order:
    """Read one cancel, hold or release; every fault becomes an issue that refuses it."""
    lines, people = entries.of("MedicationRequest"), entries.of("Patient")
    if len(lines) != 1 or len(people) != 1:
        record.flag("STRUCTURE_INVALID", "Bundle.entry", "An update holds one MedicationRequest and one Patient.")
    action = _asked(record, entries, lines[0]) if lines else Action.CANCEL
    change = _change(record, entries, lines[0], action) if lines else None
    return _order(record, entries, action, change)


def read_standing(record: Record, entries: Entries) -> Order:
    """Read orders that no message brings, and that are no longer active: a change of what is known under their numbers.

    Every one of them must ask for the same; which of several things is meant is not guessed.
    """
    lines = entries.of("MedicationRequest")
    if len(entries.of("Patient")) != 1:
        record.flag("GROUP_PATIENT_MISMATCH", "Bundle.entry", "Exactly one Patient is wanted.")
    asked = [STANDINGS.get(node.raw("status")) for node in lines]
    action = next(one for one in asked if one is not None)
    for node, one in zip(lines, asked, strict=True):
        record.use(node.leaf("status"))
        if one is not action:
            text = "Orders and changes, and changes of several kinds, are sent in a Bundle each."
            record.flag("VALUE_INVALID", f"{node.path}.status", text)
    return _order(record, entries, action, _standing_change(record, entries, lines, action))


def _order(record: Record, entries: Entries, action: Action, change: Change | None) -> Order:
    people = entries.of("Patient")
    number = _nhs_number(record, people[0]) if people else ""
    for node in entries.resources:
        record.ignore(node.below(), _CHANGE_IGNORED)
    record.ignore((leaf for entry in entries.entries for leaf in entry.leaves.values()), _CHANGE_IGNORED)
    return Order(
        action=action,
        numbers=(),
        prescription=None,
        issues=tuple(record.issues),
        trace=tuple(record.rows),
        nhs_number=number,
        change=change,
    )


def _asked(record: Record, entries: Entries, line: Node) -> Action:
    """Say what an update asks for: the status of its line does, and nothing beside it may say another thing."""
    status = line.leaf("status")
    record.use(status)
    place = status.locator if status else f"{line.path}.status"
    action = _UPDATES.get(status.raw) if status else None
    if action is None:
        text = "In an update the status is cancelled, on-hold to hold, or active to release; to order, send an order."
        record.flag("VALUE_INVALID", place, text)
        return Action.CANCEL
    reason = entries.resources[0].one("reason")
    said = {_WORDS.get(part.raw("code")) for part in (reason.many("coding") if reason else ())} - {None}
    if action is Action.RELEASE and _coded_reason(line):
        record.flag(
            "VALUE_INVALID", place, "An update that is active releases an order; a reason to cancel does not fit."
        )
    elif said - {action}:
        record.flag(
            "VALUE_INVALID", place, "The status of the line and the reason of the message contradict each other."
        )
    return action


def _coded_reason(line: Node) -> Leaf | None:
    """Give the reason of the national list."""
    reason = line.one("statusReason")
    codings = reason.many("coding") if reason else ()
    return next((part.leaf("code") for part in codings if part.raw("system") == SYSTEM), None)


def _change(record: Record, entries: Entries, line: Node, action: Action) -> Change | None:
    items = [part for part in line.many("identifier") if part.raw("system") == systems.ITEM_NUMBER]
    if len(items) != 1:
        text = f"Exactly one identifier of the system {systems.ITEM_NUMBER} is wanted."
        record.flag("FIELD_MISSING", f"{line.path}.identifier", text)
        return None
    value = items[0].leaf("value")
    item = _item(record, value, 0)
    requester = line.one("requester")
    role = entries.follow(record, requester, "PractitionerRole", line) if requester else None
    code = _coded_reason(line)
    if code is None and action is Action.CANCEL:
        record.flag("FIELD_MISSING", f"{line.path}.statusReason", f"Send the reason, with a coding of {SYSTEM}.")
    reason = line.one("statusReason")
    return Change(
        items=(item,) if item else (),
        location=value.locator if value else items[0].path,
        reason=record.take(code, "change.reason", reason_of, "copy", "Send a reason 0001 to 0009."),
        reason_text=record.words(reason.leaf("text") if reason else None, "change.reason_text"),
        product_code=_product(record, line),
        by=professional(record, entries, role, "change.by") if role else None,
    )


def _item(record: Record, value: Leaf | None, index: int) -> UUID | None:
    at, wanted = f"change.items[{index}]", "Send the item number as a UUID."
    return record.take(value, at, lexical.identifier, "parse:uuid", wanted, "IDENTIFIER_INVALID")


def _standing_change(record: Record, entries: Entries, lines: Sequence[Node], action: Action) -> Change:
    """Read which orders are meant, by item number or by the trust's own, and why."""
    items: list[UUID] = []
    numbers: list[OrderNumber] = []
    for node in lines:
        numbered = [part for part in node.many("identifier") if part.raw("system") == systems.ITEM_NUMBER]
        own = own_identifier(node)
        if numbered:
            item = _item(record, numbered[0].leaf("value"), len(items))
            items += [item] if item else []
        elif own is not None:
            record.use(own)
            numbers.append(OrderNumber(trust_number=own.raw, location=own.locator))
        else:
            record.flag(
                "FIELD_MISSING", f"{node.path}.identifier", "Name the order by the identifier it was sent with."
            )
    code = next((leaf for node in lines if (leaf := _coded_reason(node))), None)
    in_error = code is None and all(node.raw("status") == _IN_ERROR for node in lines)
    if code is None and action is Action.CANCEL and not in_error:
        text = "The reason is not one of 0001 to 0009. The cancel goes on with the words alone."
        record.flag("CANCEL_REASON_UNMAPPED", f"{lines[0].path}.statusReason", text)
    reason = lines[0].one("statusReason")
    products = {product for node in lines if (product := _product(record, node))}
    return Change(
        orders=tuple(numbers),
        items=tuple(items),
        location=f"{lines[0].path}.identifier",
        reason=reason_of(PRESCRIBING_ERROR)
        if in_error
        else record.take(code, "change.reason", reason_of, "copy", "Send a reason 0001 to 0009."),
        reason_text=record.words(reason.leaf("text") if reason else None, "change.reason_text"),
        product_code=products.pop() if len(products) == 1 else "",
        by=_requester(record, entries, lines[0]),
    )


def _requester(record: Record, entries: Entries, line: Node) -> Professional | None:
    found = entries.find(line.one("requester"), line)
    if found is None or found.kind != "PractitionerRole":
        return None
    role = entries.follow(record, line.one("requester"), "PractitionerRole", line)
    return professional(record, entries, role, "change.by")


def _product(record: Record, line: Node) -> str:
    """Give the product the sender believes the line to be for; EPS sends a placeholder in answers only."""
    medication = line.one("medicationCodeableConcept")
    codings: Sequence[Node] = medication.many("coding") if medication else ()
    code = next((part.leaf("code") for part in codings if part.raw("system") == SNOMED), None)
    record.use(code)
    return code.raw if code else ""


def _nhs_number(record: Record, person: Node) -> str:
    items = [part for part in person.many("identifier") if part.raw("system") == systems.NHS_NUMBER]
    leaf = items[0].leaf("value") if items else None
    if leaf is None:
        record.flag("NHSNO_MISSING", f"{person.path}.identifier", "Send the patient's NHS number.")
        return ""
    wanted = "The check digit of the NHS number is wrong."
    number = record.take(leaf, "patient.nhs_number", NhsNumber.parse, "parse:nhs-number", wanted, "NHSNO_CHECK_DIGIT")
    return number.value if number else ""
