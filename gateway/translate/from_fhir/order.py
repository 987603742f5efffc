"""One MedicationRequest: one line of the prescription.

Source: eps.md 2.3, 2.7, 2.11; mapping.md 6.2.
"""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from gateway.domain.code_map import MapKind, UnknownCode
from gateway.domain.coding import SNOMED, Coding
from gateway.domain.identifiers import derived_id
from gateway.domain.prescription import ControlledSchedule, Dosage, FirstSupply, Line, Product
from gateway.translate import lexical, terms
from gateway.translate.context import ReadingContext
from gateway.translate.from_fhir.bundle import Entries
from gateway.translate.from_fhir.dosage import dosage
from gateway.translate.from_fhir.nodes import Node
from gateway.translate.from_fhir.uk_core import own_identifier
from gateway.translate.from_fhir.values import choice, codings, duration, identified, quantity, worded
from gateway.translate.maps.rules import FHIR
from gateway.translate.record import Leaf, Record
from gateway.translate.to_fhir import systems

_CODING = FHIR.named("FHIR.ignored.coding")
_FURTHER = FHIR.named("FHIR.ignored.further-coding")
_SCHEDULE_IGNORED = FHIR.named("FHIR.ignored.schedule")

_SCHEDULES = {member.value: member for member in ControlledSchedule} | {
    "CD4-1": ControlledSchedule.CD4,
    "CD4-2": ControlledSchedule.CD4,
}
_INTENTS = {"order", "original-order", "instance-order"}
_CHANGES = {"cancelled", "stopped", "entered-in-error", "on-hold"}
_PRIORITIES = {name: name for name in ("routine", "urgent", "asap", "stat")}
_DAYS_ONLY = "Send the duration in days (UCUM d)."


@dataclass(frozen=True, slots=True, kw_only=True)
class _Supply:
    total: int | None
    days: int | None
    first: FirstSupply | None


def line(
    record: Record, context: ReadingContext, entries: Entries, node: Node, index: int, *, loose: bool = False
) -> Line | None:
    """Read one MedicationRequest; None, with issues, where a part that must be there is not."""
    target = f"lines[{index}]"
    _meaning(record, node)
    line_id = _line_id(record, context, node, target, loose=loose)
    needed: dict[str, Any] = {
        "id": line_id,
        "product": _product(record, context, entries, node, f"{target}.product"),
        "dosages": _dosages(record, context, node, f"{target}.dosages"),
        "quantity": _quantity(record, context, node, target),
    }
    supply = _supply(record, context, node, target)
    optional = _optional(record, node, target)
    request = node.one("dispenseRequest")
    interval = duration(record, request.one("dispenseInterval") if request else None, f"{target}.interval")
    if any(not part for part in needed.values()) or supply.total is None or line_id is None:
        return None
    number, assigner = _own_number(record, node, line_id, target, loose=loose)
    return Line(
        **needed,
        **optional,
        order_number=number,
        order_assigner=assigner,
        total_supplies=supply.total,
        days_per_supply=supply.days,
        first_supply=supply.first,
        interval=interval,
    )


def _meaning(record: Record, node: Node) -> None:
    """Refuse what turns an order into something else."""
    status, intent = node.leaf("status"), node.leaf("intent")
    record.use(status, intent)
    if status is None or intent is None:
        record.flag("FIELD_MISSING", node.path, "status and intent are required.")
    if status and status.raw in _CHANGES:
        text = f"The status {status.raw} asks for a change; send it in a prescription-order-update."
        record.flag("ACTION_UNSUPPORTED", status.locator, text)
    elif status and status.raw != "active":
        record.flag("VALUE_INVALID", status.locator, "A new order has the status active.")
    if intent and intent.raw not in _INTENTS:
        text = f"Send one of these intents: {', '.join(sorted(_INTENTS))}."
        record.flag("VALUE_INVALID", intent.locator, text)
    negative, told = node.leaf("doNotPerform"), node.leaf("reportedBoolean")
    record.use(negative, told)
    if negative and negative.raw != "false":
        record.flag("VALUE_INVALID", negative.locator, "An order not to give something cannot be carried.")
    if (told and told.raw != "false") or node.one("reportedReference"):
        record.flag("VALUE_INVALID", f"{node.path}.reported[x]", "A reported order is not an order.")


def _line_id(record: Record, context: ReadingContext, node: Node, target: str, *, loose: bool) -> UUID | None:
    own = own_identifier(node)
    if loose and own is not None and not any(i.raw("system") == systems.ITEM_NUMBER for i in node.many("identifier")):
        record.use(own)
        derived = derived_id("line", context.trust.ods.value, own.raw)
        record.trace(f"{target}.id", None, "derive:line-id", str(derived))
        return derived
    items = [item for item in node.many("identifier") if item.raw("system") == systems.ITEM_NUMBER]
    if len(items) != 1:
        text = f"Exactly one identifier of the system {systems.ITEM_NUMBER} is wanted."
        record.flag("FIELD_MISSING" if not items else "VALUE_INVALID", f"{node.path}.identifier", text)
        return None
    return identified(
        record, items[0], systems.ITEM_NUMBER, f"{target}.id", lexical.identifier, "parse:uuid", "IDENTIFIER_INVALID"
    )


def _own_number(record: Record, node: Node, line_id: UUID, target: str, *, loose: bool) -> tuple[str, str]:
    """Give the trust's own number for the order where it sent one, else the item's."""
    own = own_identifier(node)
    if loose and own is not None:
        item = next(item for item in node.many("identifier") if item.leaf("value"))
        record.use(item.leaf("system"))
        return record.words(own, f"{target}.order_number"), ""
    for item in node.many("identifier"):
        by = item.one("assigner")
        code = by.one("identifier") if by else None
        if item.raw("system") != systems.ITEM_NUMBER and (code or _is_placers(item)) and item.leaf("value"):
            record.use(item.leaf("system"), code.leaf("system") if code else None)
            assigner = record.words(code.leaf("value"), f"{target}.order_assigner") if code else ""
            return record.words(item.leaf("value"), f"{target}.order_number"), assigner
    record.trace(f"{target}.order_number", None, "derive:item-number", str(line_id))
    return str(line_id), ""


def _is_placers(item: Node) -> bool:
    """Tell whether an identifier is the placer's by its type (HL7 table 0203)."""
    kind = item.one("type")
    return any(coding.raw("code") == "PLAC" for coding in (kind.many("coding") if kind else ()))


def _product(record: Record, context: ReadingContext, entries: Entries, node: Node, target: str) -> Product | None:
    concept, reference = node.one("medicationCodeableConcept"), node.one("medicationReference")
    if (concept is None) is (reference is None):
        text = "Send either medicationCodeableConcept or medicationReference."
        record.flag("FIELD_MISSING" if concept is None else "VALUE_INVALID", f"{node.path}.medication[x]", text)
        return None
    if reference is not None:
        medication = entries.follow(record, reference, "Medication", node)
        concept = medication.one("code") if medication else None
        if medication is not None and medication.many("ingredient"):
            record.flag(
                "FIELD_NOT_UNDERSTOOD", f"{medication.path}.ingredient", "A made-up medicine cannot be carried."
            )
        if medication is not None and concept is None:
            record.flag("DRUG_UNCODED", f"{medication.path}.code", "The Medication has no code.")
        product = _coded(record, context, concept, target) if concept else None
        form = medication.one("form") if medication else None
        if product is not None and form is not None:
            said = (form.leaf("text"), *(coding.leaf("display") for coding in form.many("coding")))
            terms.other_words(record, context, product, said)
        return product
    return _coded(record, context, concept, target) if concept else None


def _coded(record: Record, context: ReadingContext, concept: Node, target: str) -> Product | None:
    found = codings(concept, SNOMED)
    if len({coding.raw("code") for coding in found}) > 1:
        record.use(*concept.below())
        record.flag("FIELD_NOT_UNDERSTOOD", concept.path, "Two different products are coded here; send one.")
        return None
    code = found[0].leaf("code") if found else None
    if code is None:
        return _local(record, context, concept, target)
    coding = found[0]
    record.use(coding.leaf("system"))
    record.ignore((coding.leaf("version"), coding.leaf("userSelected")), _CODING)
    others = (one for one in concept.many("coding") if one is not coding)
    record.ignore((leaf for one in others for leaf in one.below()), _FURTHER)
    product = terms.product(record, context, code, coding.leaf("display") or concept.leaf("text"), target)
    if product is not None:
        said = (concept.leaf("text"), *(one.leaf("display") for one in concept.many("coding")))
        terms.other_words(record, context, product, said)
    return product


def _local(record: Record, context: ReadingContext, concept: Node, target: str) -> Product | None:
    """Read a local drug code by the trust's approved entry, whose words are part of its key."""
    record.use(*concept.below())
    for coding in concept.many("coding"):
        code, words = coding.leaf("code"), coding.raw("display") or concept.raw("text")
        entry = context.trust.entry("drug", code.raw, words, coding.raw("system")) if code else None
        if code and entry:
            return terms.product(record, context, Leaf(code.locator, entry.target.code), None, target)
    if any(coding.leaf("code") for coding in concept.many("coding")):
        record.unmapped(_unknown(concept, "DRUG_LOCAL_UNMAPPED"), "The code is not SNOMED CT, and no entry maps it.")
    else:
        record.unmapped(_unknown(concept, "DRUG_UNCODED"), "The product has no code.")
    return None


def _unknown(concept: Node, issue: str) -> UnknownCode:
    """Name the product that nothing reads, as its entry would be looked up."""
    coding = next((part for part in concept.many("coding") if part.leaf("code")), None)
    words = (coding.raw("display") if coding else "") or concept.raw("text")
    return UnknownCode(
        kind=MapKind.DRUG,
        code=coding.raw("code") if coding else "",
        text=words,
        system=coding.raw("system") if coding else "",
        location=concept.path,
        issue=issue,
    )


def _dosages(record: Record, context: ReadingContext, node: Node, target: str) -> tuple[Dosage, ...]:
    parts = node.many("dosageInstruction")
    if not parts:
        record.flag("DOSE_MISSING", f"{node.path}.dosageInstruction", "The directions are missing.")
    if len(parts) > 1 and not all(part.leaf("sequence") for part in parts):
        text = "Several dosages need a sequence: equal numbers together, rising ones in turn."
        record.flag("TIMING_JOIN_MISSING", f"{node.path}.dosageInstruction", text)
    for part in parts:
        if not part.one("doseAndRate") and part.leaf("text"):
            record.flag("DOSE_TEXT_ONLY", part.path, "No structured dose was sent.")
        elif not part.leaf("text") and not part.one("doseAndRate"):
            record.flag("DOSE_MISSING", part.path, "Neither words nor a dose were sent.")
    return tuple(dosage(record, context, part, f"{target}[{n}]") for n, part in enumerate(parts))


def _quantity(record: Record, context: ReadingContext, node: Node, target: str) -> Any:
    request = node.one("dispenseRequest")
    found = request.one("quantity") if request else None
    if found is None:
        record.flag("QUANTITY_MISSING", f"{node.path}.dispenseRequest.quantity", "The quantity is missing.")
    return quantity(record, context, found, f"{target}.quantity")


def _supply(record: Record, context: ReadingContext, node: Node, target: str) -> _Supply:
    request = node.one("dispenseRequest")
    repeats = request.leaf("numberOfRepeatsAllowed") if request else None
    total: int | None = 1
    if repeats is None:
        record.trace(f"{target}.total_supplies", None, "default:one-supply", "1")
    else:
        total = record.take(repeats, f"{target}.total_supplies", _one_more, "derive:repeats+1", "Send 0 or more.")
    first = request.one("initialFill") if request else None
    return _Supply(
        total=total,
        days=_days(record, request.one("expectedSupplyDuration") if request else None, f"{target}.days_per_supply"),
        first=_first(record, context, first, f"{target}.first_supply"),
    )


def _one_more(text: str) -> int | None:
    value = lexical.whole(text)
    return None if value is None else value + 1


def _days(record: Record, node: Node | None, target: str) -> int | None:
    if node is None:
        return None
    record.use(node.leaf("system"), node.leaf("code"), node.leaf("unit"))
    if node.raw("code") != "d":
        record.use(node.leaf("value"))
        record.flag("VALUE_INVALID", f"{node.path}.code", _DAYS_ONLY)
        return None
    return record.take(node.leaf("value"), target, lexical.counted, "parse:integer", _DAYS_ONLY)


def _first(record: Record, context: ReadingContext, node: Node | None, target: str) -> FirstSupply | None:
    if node is None:
        return None
    of = quantity(record, context, node.one("quantity"), f"{target}.quantity")
    lasts = duration(record, node.one("duration"), f"{target}.lasts")
    return FirstSupply(quantity=of, lasts=lasts) if of else None


def _optional(record: Record, node: Node, target: str) -> dict[str, Any]:
    reasons = (worded(record, said, f"{target}.reasons[{n}]") for n, said in enumerate(node.many("reasonCode")))
    notes = (record.words(said.leaf("text"), f"{target}.notes[{n}]") for n, said in enumerate(node.many("note")))
    _substitution(record, node, target)
    return {
        "priority": choice(record, node.leaf("priority"), f"{target}.priority", _PRIORITIES) or "",
        "reasons": tuple(reason for reason in reasons if reason),
        "notes": tuple(note for note in notes if note),
        "endorsements": _endorsements(record, node, f"{target}.endorsements"),
        **_controlled(record, node, target),
    }


def _substitution(record: Record, node: Node, target: str) -> None:
    block = node.one("substitution")
    allowed = block.leaf("allowedBoolean") if block else None
    if allowed is None:
        record.trace(f"{target}.substitution_allowed", None, "default:as-written", "false")
    else:
        record.trace(f"{target}.substitution_allowed", allowed, "default:as-written", "false")
    if (allowed and allowed.raw == "true") or (block and block.one("allowedCodeableConcept")):
        record.use(*(block.below() if block else ()))
        record.flag("SUBSTITUTION_NOT_CARRIED", f"{node.path}.substitution", "The product stands as written.")


def _endorsements(record: Record, node: Node, target: str) -> tuple[Coding, ...]:
    found: list[Coding] = []
    for item in node.extensions(systems.ENDORSEMENT_EXTENSION):
        record.use(item.leaf("url"))
        said = worded(record, item.one("valueCodeableConcept"), f"{target}[{len(found)}]")
        if said:
            found.append(said)
    return tuple(found)


def _controlled(record: Record, node: Node, target: str) -> dict[str, Any]:
    block = node.extension(systems.CONTROLLED_EXTENSION)
    if block is None:
        return {}
    schedule, words = block.extension("schedule"), block.extension("quantityWords")
    coding = schedule.one("valueCoding") if schedule else None
    record.use(block.leaf("url"), *(part.leaf("url") for part in (schedule, words) if part))
    record.use(coding.leaf("system") if coding else None)
    record.ignore((coding.leaf("display") if coding else None,), _SCHEDULE_IGNORED)
    return {
        "schedule": choice(record, coding.leaf("code") if coding else None, f"{target}.schedule", _SCHEDULES),
        "quantity_in_words": record.words(words.leaf("valueString") if words else None, f"{target}.quantity_in_words"),
    }
