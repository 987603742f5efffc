"""FHIR Timing: how often, when, for how long.

Source: FHIR R4 datatypes.html#timing (rules tim-1 to tim-10); mapping.md 8.2: dates are dates in London.
"""

from datetime import date, time
from typing import Any
from zoneinfo import ZoneInfo

from gateway.domain.prescription import Bounds, Duration, TimeUnit, Timing
from gateway.translate import lexical
from gateway.translate.from_fhir.nodes import Node
from gateway.translate.from_fhir.values import amount, choice, count, day, duration, worded
from gateway.translate.record import Leaf, Record
from gateway.translate.timing_words import DAY_WORDS, EVENT_WORDS

_LONDON = ZoneInfo("Europe/London")
_TIME_UNITS = {member.value: member for member in TimeUnit}
_DAYS = {name: name for name in DAY_WORDS}
_WHEN = {name: name for name in EVENT_WORDS}


def timing(record: Record, node: Node | None, target: str) -> Timing | None:
    """Read a Timing.

    Args:
        record: takes the trace and the issues.
        node: the Timing; None gives None.
        target: canonical path of the timing.
    """
    if node is None:
        return None
    repeat = node.one("repeat")
    dates = tuple(
        on for n, leaf in enumerate(node.repeated("event")) if (on := _date(record, leaf, f"{target}.on_dates[{n}]"))
    )
    code = worded(record, node.one("code"), f"{target}.code")
    return Timing(on_dates=dates, code=code, **(_repeat(record, repeat, target) if repeat else {}))


def _date(record: Record, leaf: Leaf, target: str) -> date | None:
    """Read the date of one dose; a time of day on it would be lost, and is held."""
    at = lexical.instant(leaf.raw)
    if at is not None and at.astimezone(_LONDON).time() != time():
        record.use(leaf)
        record.flag("FIELD_NOT_UNDERSTOOD", leaf.locator, "Send a date here, and its time as timeOfDay.")
        return None
    return day(record, leaf, target)


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
