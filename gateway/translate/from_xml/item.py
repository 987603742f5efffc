"""One `Item` element: one medication order."""

from typing import Any

from gateway.domain.prescription import (
    NEVER_ELECTRONIC,
    ControlledSchedule,
    Dosage,
    FirstSupply,
    Line,
    Product,
    ProductLevel,
)
from gateway.translate import lexical, terms
from gateway.translate.context import ReadingContext
from gateway.translate.from_xml.document import Node
from gateway.translate.from_xml.dosage import count, dosage, duration, quantity
from gateway.translate.from_xml.people import coded
from gateway.translate.record import Record

_SCHEDULES = {member.value: member for member in ControlledSchedule}
_NUMBER = "Send the order number without spaces around it or control characters in it."


def item(record: Record, context: ReadingContext, node: Node, index: int, assigner: str) -> Line | None:
    """Read one item.

    Args:
        record: takes the trace and the issues.
        context: reference tables and the trust.
        node: the `Item` element.
        index: its place among the items, from nought.
        assigner: ODS code of the sender, who gave the order number.

    Returns:
        The line, or None with the issues that kept it from being one.
    """
    target = f"lines[{index}]"
    record.trace(f"{target}.order_assigner", None, "derive:sender", assigner)
    needed: dict[str, Any] = {
        "id": record.take(
            node.attribute("id"), f"{target}.id", lexical.identifier, "parse:uuid", "Send a UUID.", "IDENTIFIER_INVALID"
        ),
        "order_number": record.take(
            node.words("TrustOrderNumber"), f"{target}.order_number", lexical.local_number, "copy", _NUMBER
        ),
        "product": _product(record, context, node.one("Product"), f"{target}.product"),
        "dosages": _dosages(record, context, node, f"{target}.dosages"),
        "quantity": quantity(record, context, node.one("QuantityPerSupply"), f"{target}.quantity"),
    }
    supply = _supply(record, context, node.one("Supply"), target)
    controlled = _controlled(record, node.one("ControlledDrug"), target)
    reasons = [coded(record, said, f"{target}.reasons[{n}]") for n, said in enumerate(node.many("Indication"))]
    notes = [record.words(note.text, f"{target}.notes[{n}]") for n, note in enumerate(node.many("Note"))]
    record.trace(f"{target}.substitution_allowed", None, "default:as-written", "false")
    if supply is None or any(not part for part in needed.values()):
        return None
    return Line(
        **needed,
        **supply,
        **controlled,
        order_assigner=assigner,
        reasons=tuple(reason for reason in reasons if reason),
        notes=tuple(filter(None, notes)),
    )


def _product(record: Record, context: ReadingContext, node: Node | None, target: str) -> Product | None:
    code = node.attribute("dmd") if node else None
    if node is None or code is None:
        return None
    product = terms.product(record, context, code, node.text, target, node.attribute("level"))
    flag = node.attribute("brandRequired")
    brand = record.take(flag, f"{target}.brand_required", lexical.truth, "parse:boolean", "Send true or false.")
    if product is None:
        return None
    if flag is None:
        record.trace(f"{target}.brand_required", None, "default:schema", "false")
    if brand and product.level in {ProductLevel.VMP, ProductLevel.VMPP}:
        record.flag("BRAND_REQUIRED", f"{node.path}/@dmd", "A brand is required, and the code does not name one.")
    return Product(code=product.code, display=product.display, level=product.level, brand_required=bool(brand))


def _dosages(record: Record, context: ReadingContext, node: Node, target: str) -> tuple[Dosage, ...]:
    """Read the directions.

    The format has one set of words for the whole item. One rule for all: they stand on the first dosage, and where
    there is no structure, on a dosage that has nothing else.
    """
    text = record.take(
        node.words("DirectionsText"),
        f"{target}[0].text",
        lexical.words,
        "copy",
        "Write the directions.",
        "DOSE_MISSING",
    )
    structured = node.many("Dosage")
    if not structured:
        record.flag("DOSE_TEXT_ONLY", f"{node.path}/DirectionsText", "No structured dose was sent.")
        record.trace(f"{target}[0].sequence", None, "default:first", "1")
        return (Dosage(text=text),) if text else ()
    return tuple(
        dosage(record, context, part, f"{target}[{index}]", (text or "") if index == 0 else "")
        for index, part in enumerate(structured)
    )


def _supply(record: Record, context: ReadingContext, node: Node | None, target: str) -> dict[str, Any] | None:
    if node is None:
        return None
    total = count(record, node.words("TotalSupplies"), f"{target}.total_supplies")
    supply: dict[str, Any] = {
        "total_supplies": total,
        "interval": duration(record, node.one("Interval"), f"{target}.interval"),
        "days_per_supply": count(record, node.words("DaysPerSupply"), f"{target}.days_per_supply"),
        "first_supply": _first(record, context, node.one("FirstSupply"), f"{target}.first_supply"),
    }
    return supply if total else None


def _first(record: Record, context: ReadingContext, node: Node | None, target: str) -> FirstSupply | None:
    if node is None:
        return None
    amount = quantity(record, context, node.one("Quantity"), f"{target}.quantity")
    lasts = duration(record, node.one("Lasts"), f"{target}.lasts")
    return FirstSupply(quantity=amount, lasts=lasts) if amount else None


def _controlled(record: Record, node: Node | None, target: str) -> dict[str, Any]:
    if node is None:
        return {}
    stated = node.attribute("schedule")
    schedule = record.take(stated, f"{target}.schedule", _SCHEDULES.get, "copy", "Send CD2, CD3, CD4 or CD5.")
    if schedule in NEVER_ELECTRONIC and stated:
        text = f"A {schedule} controlled drug cannot go this way; write the prescription on paper."
        record.flag("CD_SCHEDULE_NOT_ALLOWED", stated.locator, text)
    words = record.words(node.words("QuantityInWords"), f"{target}.quantity_in_words")
    return {"schedule": schedule, "quantity_in_words": words}
