"""One `Dosage` element, which stands one to one with FHIR Dosage."""

from decimal import Decimal
from typing import Any

from gateway.domain.coding import Coding
from gateway.domain.prescription import AsNeeded, Bounds, Dosage, Duration, MaxDose, Range, TimeUnit, Timing
from gateway.domain.quantity import Quantity
from gateway.translate import lexical
from gateway.translate.context import ReadingContext
from gateway.translate.from_xml.document import Node
from gateway.translate.record import Leaf, Record
from gateway.translate.terms import concept, route, unit

_DECIMAL = "Send a plain decimal above nought: no sign, no exponent, no leading noughts, at most 18 digits."
_COUNT = "Send a whole number above nought."
_DATE = "Send a real date."


def amount(record: Record, leaf: Leaf | None, target: str) -> Decimal | None:
    """Read a decimal above nought; its lexeme is kept."""
    return record.take(leaf, target, lexical.positive, "parse:decimal", _DECIMAL)


def count(record: Record, leaf: Leaf | None, target: str) -> int | None:
    """Read a whole number above nought."""
    return record.take(leaf, target, lexical.counted, "parse:integer", _COUNT)


def quantity(record: Record, context: ReadingContext, node: Node | None, target: str) -> Quantity | None:
    """Read an amount and its unit."""
    if node is None:
        return None
    value = amount(record, node.attribute("value"), f"{target}.value")
    codes = tuple(leaf for leaf in (node.attribute("ucum"), node.attribute("snomed")) if leaf)
    of = unit(record, context, node.attribute("unit"), codes, f"{target}.unit", node.path)
    return Quantity(value=value, unit=of) if value is not None and of else None


def duration(record: Record, node: Node | None, target: str) -> Duration | None:
    """Read a length of time."""
    if node is None:
        return None
    value = amount(record, node.attribute("value"), f"{target}.value")
    in_units = time_unit(record, node.attribute("unit"), f"{target}.unit")
    return Duration(value=value, unit=in_units) if value is not None and in_units else None


def time_unit(record: Record, leaf: Leaf | None, target: str) -> TimeUnit | None:
    """Read a UCUM unit of time."""
    return record.take(leaf, target, _TIME_UNITS.get, "copy", "Send s, min, h, d, wk, mo or a.")


_TIME_UNITS = {member.value: member for member in TimeUnit}


def snomed(record: Record, node: Node | None, target: str) -> Coding | None:
    """Read a SNOMED CT concept with its words."""
    return concept(record, node.attribute("code"), node.text, target) if node else None


def dosage(record: Record, context: ReadingContext, node: Node, target: str, text: str) -> Dosage:
    """Read one dosage.

    Args:
        record: takes the trace and the issues.
        context: tables of units and routes.
        node: the `Dosage` element.
        target: canonical path of the dosage.
        text: the item's words, where this dosage carries them.
    """
    administration_route = snomed(record, node.one("Route"), f"{target}.route")
    return Dosage(
        sequence=count(record, node.attribute("sequence"), f"{target}.sequence") or 1,
        text=text,
        method=snomed(record, node.one("Method"), f"{target}.method"),
        dose=_dose(record, context, node, f"{target}.dose"),
        timing=_timing(record, node.one("Timing"), f"{target}.timing"),
        as_needed=_as_needed(record, node.one("AsRequired"), f"{target}.as_needed"),
        route=route(record, context, administration_route, f"{node.path}/Route"),
        site=snomed(record, node.one("Site"), f"{target}.site"),
        max_per_period=_most(record, context, node.one("MaxPerPeriod"), f"{target}.max_per_period"),
        additional=tuple(
            coding
            for index, item in enumerate(node.many("AdditionalInstruction"))
            if (coding := snomed(record, item, f"{target}.additional[{index}]"))
        ),
        patient_instruction=record.words(node.words("PatientInstruction"), f"{target}.patient_instruction"),
    )


def _dose(record: Record, context: ReadingContext, node: Node, target: str) -> Quantity | Range | None:
    span = node.one("DoseRange")
    if span is None:
        return quantity(record, context, node.one("Dose"), target)
    low = quantity(record, context, span.one("Low"), f"{target}.low")
    high = quantity(record, context, span.one("High"), f"{target}.high")
    if not span.children:
        record.flag("FIELD_MISSING", span.path, "State the low or the high end of the range.")
        return None
    if low and high and low.unit == high.unit and low.value > high.value:
        record.flag("VALUE_INVALID", span.path, "The low end of the range is above its high end.")
    if low and high and (low.unit.system, low.unit.code) != (high.unit.system, high.unit.code):
        record.flag("DOSE_CONFLICT", span.path, "The two ends of the range have different units.")
    return Range(low=low, high=high)


def _timing(record: Record, node: Node | None, target: str) -> Timing | None:
    if node is None:
        return None
    parts = _frequency(record, node.one("Frequency"), target)
    parts["day_of_week"] = _words(record, node.many("DayOfWeek"), f"{target}.day_of_week")
    parts["time_of_day"] = tuple(
        at
        for index, item in enumerate(node.many("TimeOfDay"))
        if (
            at := record.take(
                item.text, f"{target}.time_of_day[{index}]", lexical.clock, "parse:time", "Send hh:mm:ss."
            )
        )
    )
    parts["when"] = _words(record, node.many("When"), f"{target}.when")
    parts["offset_minutes"] = _offset(record, node, target)
    parts["administer_over"] = duration(record, node.one("AdministerOver"), f"{target}.administer_over")
    parts["count"] = count(record, node.words("Doses"), f"{target}.count")
    parts["bounds"] = _bounds(record, node, f"{target}.bounds")
    parts["on_dates"] = tuple(
        on
        for index, item in enumerate(node.many("OnDate"))
        if (on := record.take(item.text, f"{target}.on_dates[{index}]", lexical.day, "parse:date", _DATE))
    )
    return Timing(**parts)


def _frequency(record: Record, node: Node | None, target: str) -> dict[str, Any]:
    if node is None:
        return {}
    parts: dict[str, Any] = {
        "frequency": count(record, node.attribute("times"), f"{target}.frequency"),
        "frequency_max": count(record, node.attribute("timesMax"), f"{target}.frequency_max"),
        "period": amount(record, node.attribute("period"), f"{target}.period"),
        "period_max": amount(record, node.attribute("periodMax"), f"{target}.period_max"),
        "period_unit": time_unit(record, node.attribute("unit"), f"{target}.period_unit"),
    }
    for low, high in (("frequency", "frequency_max"), ("period", "period_max")):
        if parts[low] and parts[high] and parts[low] > parts[high]:
            record.flag("VALUE_INVALID", node.path, "A least value is above its greatest.")
    return parts


def _words(record: Record, nodes: tuple[Node, ...], target: str) -> tuple[str, ...]:
    said = (record.words(node.text, f"{target}[{index}]") for index, node in enumerate(nodes))
    return tuple(word for word in said if word)


def _offset(record: Record, node: Node, target: str) -> int | None:
    """Read the minutes before or after an event; FHIR has one for all events of a timing, so they must be equal."""
    leaves = [item.attribute("offsetMinutes") for item in node.many("When")]
    stated = [leaf for leaf in leaves if leaf]
    if not stated:
        return None
    value = record.take(stated[0], f"{target}.offset_minutes", lexical.whole, "parse:integer", "Send whole minutes.")
    record.use(*stated[1:])
    if len({leaf.raw if leaf else "" for leaf in leaves}) > 1:
        record.flag("TIMING_CONFLICT", node.path, "The events of one timing have different offsets; use two dosages.")
    return value


def _bounds(record: Record, node: Node, target: str) -> Bounds | None:
    between = node.one("Between")
    if between is None:
        length = duration(record, node.one("For"), f"{target}.duration")
        return Bounds(duration=length) if length else None
    start = record.take(between.attribute("from"), f"{target}.start", lexical.day, "parse:date", _DATE)
    end = record.take(between.attribute("to"), f"{target}.end", lexical.day, "parse:date", _DATE)
    if start and end and end < start:
        record.flag("VALUE_INVALID", f"{between.path}/@to", "The end is before the start.")
    if not between.attributes:
        record.flag("FIELD_MISSING", between.path, "State from, to or both.")
    return Bounds(start=start, end=end)


def _as_needed(record: Record, node: Node | None, target: str) -> AsNeeded | None:
    if node is None:
        return None
    if not node.children:
        record.trace(target, None, "derive:element-present", "true")
    reasons = (snomed(record, item, f"{target}.reasons[{index}]") for index, item in enumerate(node.many("For")))
    return AsNeeded(reasons=tuple(reason for reason in reasons if reason))


def _most(record: Record, context: ReadingContext, node: Node | None, target: str) -> MaxDose | None:
    if node is None:
        return None
    most = quantity(record, context, node.one("Amount"), f"{target}.amount")
    within = duration(record, node.one("In"), f"{target}.within")
    return MaxDose(amount=most, within=within) if most and within else None
