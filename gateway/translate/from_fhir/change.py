"""`prescription-order-update`: the cancel of one line, named by its item number.

What the message repeats of the order is not read: the order is cancelled as it was accepted.

Source: eps.md 1.5, 5.4, 6.6; mapping.md 6.1.
"""

from collections.abc import Sequence

from gateway.domain.coding import SNOMED
from gateway.domain.identifiers import NhsNumber
from gateway.domain.submission import Action, Change, Order
from gateway.translate import lexical
from gateway.translate.cancel_reasons import SYSTEM, reason_of
from gateway.translate.from_fhir.bundle import Entries
from gateway.translate.from_fhir.nodes import Node
from gateway.translate.from_fhir.people import professional
from gateway.translate.maps.rules import FHIR
from gateway.translate.record import Record
from gateway.translate.to_fhir import systems

_CHANGE_IGNORED = FHIR.named("FHIR.ignored.change")


def read_cancel(record: Record, entries: Entries) -> Order:
    """Read one cancel; every fault becomes an issue that refuses it."""
    lines, people = entries.of("MedicationRequest"), entries.of("Patient")
    if len(lines) != 1 or len(people) != 1:
        record.flag("STRUCTURE_INVALID", "Bundle.entry", "A cancel holds one MedicationRequest and one Patient.")
    change = _change(record, entries, lines[0]) if lines else None
    number = _nhs_number(record, people[0]) if people else ""
    for node in entries.resources:
        record.ignore(node.below(), _CHANGE_IGNORED)
    record.ignore((leaf for entry in entries.entries for leaf in entry.leaves.values()), _CHANGE_IGNORED)
    return Order(
        action=Action.CANCEL,
        numbers=(),
        prescription=None,
        issues=tuple(record.issues),
        trace=tuple(record.rows),
        nhs_number=number,
        change=change,
    )


def _change(record: Record, entries: Entries, line: Node) -> Change | None:
    status = line.leaf("status")
    record.use(status)
    if status is None or status.raw != "cancelled":
        place = status.locator if status else f"{line.path}.status"
        record.flag("VALUE_INVALID", place, "In an update the status is cancelled; to order, send prescription-order.")
    items = [part for part in line.many("identifier") if part.raw("system") == systems.ITEM_NUMBER]
    if len(items) != 1:
        text = f"Exactly one identifier of the system {systems.ITEM_NUMBER} is wanted."
        record.flag("FIELD_MISSING", f"{line.path}.identifier", text)
        return None
    value = items[0].leaf("value")
    wanted = "Send the item number as a UUID."
    item = record.take(value, "change.items[0]", lexical.identifier, "parse:uuid", wanted, "IDENTIFIER_INVALID")
    requester = line.one("requester")
    role = entries.follow(record, requester, "PractitionerRole", line) if requester else None
    reason = line.one("statusReason")
    codings = reason.many("coding") if reason else ()
    code = next((part.leaf("code") for part in codings if part.raw("system") == SYSTEM), None)
    if code is None:
        record.flag("FIELD_MISSING", f"{line.path}.statusReason", f"Send the reason, with a coding of {SYSTEM}.")
    return Change(
        items=(item,) if item else (),
        location=value.locator if value else items[0].path,
        reason=record.take(code, "change.reason", reason_of, "copy", "Send a reason 0001 to 0009."),
        reason_text=record.words(reason.leaf("text") if reason else None, "change.reason_text"),
        product_code=_product(record, line),
        by=professional(record, entries, role, "change.by") if role else None,
    )


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
