"""One FHIR Dosage.

Source: FHIR R4 dosage.html; eps.md 2.8; mapping.md 6.2.
"""

from typing import Any

from gateway.domain.coding import Coding
from gateway.domain.prescription import AsNeeded, Bounds, Dosage, Duration, MaxDose, Range, Rate, TimeUnit, Timing
from gateway.domain.quantity import Quantity
from gateway.translate import lexical
from gateway.translate.context import ReadingContext
from gateway.translate.from_fhir.nodes import Node
from gateway.translate.from_fhir.values import (
    amount,
    choice,
    count,
    day,
    duration,
    quantity,
    snomed,
    spread,
    worded,
)
from gateway.translate.record import Record
from gateway.translate.terms import route

_TIME_UNITS = {member.value: member for member in TimeUnit}
_DAYS = {name: name for name in ("mon", "tue", "wed", "thu", "fri", "sat", "sun")}
_EVENTS = (
    "MORN MORN.early MORN.late NOON AFT AFT.early AFT.late EVE EVE.early EVE.late NIGHT PHS HS WAKE C CM CD CV AC ACM"
    " ACD ACV PC PCM PCD PCV"
)
_WHEN = {name: name for name in _EVENTS.split()}


def dosage(record: Record, context: ReadingContext, node: Node, target: str) -> Dosage:
    """Read one dosage.

    Args:
        record: takes the trace and the issues.
        context: tables of units and routes, and the trust's own entries.
        node: the Dosage.
        target: canonical path of the dosage.
    """
    sequence = record.take(
        node.leaf("sequence"), f"{target}.sequence", lexical.counted, "parse:integer", "Send a number from 1 up."
    )
    if sequence is None:
        record.trace(f"{target}.sequence", None, "default:first", "1")
    administration_route = snomed(record, node.one("route"), f"{target}.route")
    route_known = route(record, context, administration_route, f"{node.path}.route")
    if node.one("route") and administration_route is None:
        record.flag("ROUTE_UNMAPPED", f"{node.path}.route", "The route has no SNOMED CT code that can be read.")
    return Dosage(
        sequence=sequence or 1,
        text=record.words(node.leaf("text"), f"{target}.text"),
        method=snomed(record, node.one("method"), f"{target}.method"),
        route=route_known,
        site=_site(record, node, target),
        timing=_timing(record, node.one("timing"), f"{target}.timing"),
        as_needed=_as_needed(record, node, f"{target}.as_needed"),
        additional=_additional(record, node, f"{target}.additional"),
        patient_instruction=record.words(node.leaf("patientInstruction"), f"{target}.patient_instruction"),
        max_per_period=_most(record, context, node.one("maxDosePerPeriod"), f"{target}.max_per_period"),
        max_per_administration=quantity(
            record, context, node.one("maxDosePerAdministration"), f"{target}.max_per_administration"
        ),
        max_per_lifetime=quantity(record, context, node.one("maxDosePerLifetime"), f"{target}.max_per_lifetime"),
        **_dose_and_rate(record, context, node, target),
    )


def _site(record: Record, node: Node, target: str) -> Coding | None:
    site = snomed(record, node.one("site"), f"{target}.site")
    if node.one("site") and site is None:
        record.flag("SITE_UNMAPPED", f"{node.path}.site", "The site has no SNOMED CT code that can be read.")
    return site


def _additional(record: Record, node: Node, target: str) -> tuple[Coding, ...]:
    said = (worded(record, part, f"{target}[{n}]") for n, part in enumerate(node.many("additionalInstruction")))
    return tuple(coding for coding in said if coding)


def _as_needed(record: Record, node: Node, target: str) -> AsNeeded | None:
    flag, reason = node.leaf("asNeededBoolean"), node.one("asNeededCodeableConcept")
    if flag and reason:
        record.use(flag, *reason.below())
        record.flag("VALUE_INVALID", f"{node.path}.asNeededBoolean", "Send asNeeded as boolean or as reason, not both.")
        return None
    if flag is not None:
        record.trace(target, flag, "copy", flag.raw)
        return AsNeeded() if flag.raw == "true" else None
    said = worded(record, reason, f"{target}.reasons[0]")
    return AsNeeded(reasons=(said,)) if said else None


def _dose_and_rate(record: Record, context: ReadingContext, node: Node, target: str) -> dict[str, Any]:
    parts = node.many("doseAndRate")
    if len(parts) > 1:
        record.flag("DOSE_CONFLICT", f"{node.path}.doseAndRate", "Several doses stand in one dosage; send one.")
    if not parts:
        return {}
    part = parts[0]
    kind = part.one("type")
    record.ignore(kind.below() if kind else (), "FHIR.doseAndRate.type: ordered or calculated, the dose is the dose")
    doses = [part.one("doseQuantity"), part.one("doseRange")]
    rates = [part.one("rateQuantity"), part.one("rateRange"), part.one("rateRatio")]
    if sum(map(bool, doses)) > 1 or sum(map(bool, rates)) > 1:
        record.flag("DOSE_CONFLICT", part.path, "The dose or the rate is sent in two ways.")
    dose: Quantity | Range | None = quantity(record, context, doses[0], f"{target}.dose")
    rate: Quantity | Range | Rate | None = quantity(record, context, rates[0], f"{target}.rate")
    return {
        "dose": dose or spread(record, context, doses[1], f"{target}.dose"),
        "rate": rate or spread(record, context, rates[1], f"{target}.rate") or _rate(record, context, rates[2], target),
    }


def _rate(record: Record, context: ReadingContext, node: Node | None, target: str) -> Rate | None:
    if node is None:
        return None
    of = quantity(record, context, node.one("numerator"), f"{target}.rate.amount")
    per = quantity(record, context, node.one("denominator"), f"{target}.rate.per")
    if node.one("numerator") is None or node.one("denominator") is None:
        record.flag("FIELD_MISSING", node.path, "A rate needs an amount and a time.")
    return Rate(amount=of, per=per) if of and per else None


def _most(record: Record, context: ReadingContext, node: Node | None, target: str) -> MaxDose | None:
    if node is None:
        return None
    most = quantity(record, context, node.one("numerator"), f"{target}.amount")
    within = duration(record, node.one("denominator"), f"{target}.within")
    if node.one("numerator") is None or node.one("denominator") is None:
        record.flag("FIELD_MISSING", node.path, "A greatest dose needs an amount and a time.")
    return MaxDose(amount=most, within=within) if most and within else None


def _timing(record: Record, node: Node | None, target: str) -> Timing | None:
    if node is None:
        return None
    repeat = node.one("repeat")
    dates = tuple(
        on for n, leaf in enumerate(node.repeated("event")) if (on := day(record, leaf, f"{target}.on_dates[{n}]"))
    )
    code = worded(record, node.one("code"), f"{target}.code")
    return Timing(on_dates=dates, code=code, **(_repeat(record, repeat, target) if repeat else {}))


def _repeat(record: Record, node: Node, target: str) -> dict[str, Any]:
    parts: dict[str, Any] = {
        "frequency": count(record, node.leaf("frequency"), f"{target}.frequency"),
        "frequency_max": count(record, node.leaf("frequencyMax"), f"{target}.frequency_max"),
        "period": amount(record, node.leaf("period"), f"{target}.period"),
        "period_max": amount(record, node.leaf("periodMax"), f"{target}.period_max"),
        "period_unit": choice(record, node.leaf("periodUnit"), f"{target}.period_unit", _TIME_UNITS),
        "count": count(record, node.leaf("count"), f"{target}.count"),
        "count_max": count(record, node.leaf("countMax"), f"{target}.count_max"),
        "day_of_week": _listed(record, node, "dayOfWeek", f"{target}.day_of_week", _DAYS),
        "when": _listed(record, node, "when", f"{target}.when", _WHEN),
        "time_of_day": tuple(
            at
            for n, leaf in enumerate(node.repeated("timeOfDay"))
            if (at := record.take(leaf, f"{target}.time_of_day[{n}]", lexical.clock, "parse:time", "Send hh:mm:ss."))
        ),
        "offset_minutes": record.take(
            node.leaf("offset"), f"{target}.offset_minutes", lexical.whole, "parse:integer", "Send whole minutes."
        ),
        "bounds": _bounds(record, node, f"{target}.bounds"),
        **_over(record, node, target),
    }
    _consistent(record, node, parts)
    return parts


def _consistent(record: Record, node: Node, parts: dict[str, Any]) -> None:
    """Refuse what FHIR forbids: a period without its unit, an offset without an event, a least above its greatest."""
    if (parts["period"] is None) is not (parts["period_unit"] is None):
        record.flag("VALUE_INVALID", f"{node.path}.period", "Send period and periodUnit together.")
    if parts["offset_minutes"] is not None and not parts["when"]:
        record.flag("VALUE_INVALID", f"{node.path}.offset", "An offset needs a when.")
    if parts["when"] and parts["time_of_day"]:
        record.flag("VALUE_INVALID", f"{node.path}.timeOfDay", "Send when or timeOfDay, not both.")
    for low, high in (("frequency", "frequency_max"), ("period", "period_max"), ("count", "count_max")):
        if parts[low] and parts[high] and parts[low] > parts[high]:
            record.flag("VALUE_INVALID", node.path, "A least value is above its greatest.")


def _listed(record: Record, node: Node, member: str, target: str, table: dict[str, str]) -> tuple[str, ...]:
    said = (choice(record, leaf, f"{target}[{n}]", table) for n, leaf in enumerate(node.repeated(member)))
    return tuple(word for word in said if word)


def _over(record: Record, node: Node, target: str) -> dict[str, Duration | None]:
    least, most, in_unit = node.leaf("duration"), node.leaf("durationMax"), node.leaf("durationUnit")
    if least is None and most is None:
        return {}
    unit = choice(record, in_unit, f"{target}.administer_over.unit", _TIME_UNITS)
    if unit is None or least is None:
        record.use(least, most)
        record.flag("VALUE_INVALID", f"{node.path}.duration", "Send duration and durationUnit together.")
        return {}
    value = amount(record, least, f"{target}.administer_over.value")
    longest = amount(record, most, f"{target}.administer_over_max.value")
    if longest:
        record.trace(f"{target}.administer_over_max.unit", in_unit, "copy", unit.value)
    return {
        "administer_over": Duration(value=value, unit=unit) if value else None,
        "administer_over_max": Duration(value=longest, unit=unit) if longest else None,
    }


def _bounds(record: Record, node: Node, target: str) -> Bounds | None:
    length, span, period = node.one("boundsDuration"), node.one("boundsRange"), node.one("boundsPeriod")
    if sum(map(bool, (length, span, period))) > 1:
        record.flag("TIMING_CONFLICT", node.path, "The bounds are sent in two ways.")
    if period is not None:
        start = day(record, period.leaf("start"), f"{target}.start")
        end = day(record, period.leaf("end"), f"{target}.end")
        if start and end and end < start:
            record.flag("VALUE_INVALID", f"{period.path}.end", "The end is before the start.")
        return Bounds(start=start, end=end)
    if span is not None:
        low = duration(record, span.one("low"), f"{target}.duration")
        high = duration(record, span.one("high"), f"{target}.duration_high")
        return Bounds(duration=low, duration_high=high)
    for_time = duration(record, length, f"{target}.duration")
    return Bounds(duration=for_time) if for_time else None
