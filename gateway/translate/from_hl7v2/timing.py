"""Timing statements to FHIR's `Timing`: every part exactly as said, or a reason.

Source: mapping.md 3.4 (TQ1) and 4.4.
"""

import calendar
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, time, timedelta, tzinfo
from decimal import Decimal

from gateway.domain.code_map import MapKind, UnknownCode
from gateway.domain.coding import Coding
from gateway.domain.prescription import AsNeeded, Bounds, Duration, TimeUnit, Timing
from gateway.translate.from_hl7v2.amounts import whole
from gateway.translate.from_hl7v2.desk import Desk
from gateway.translate.from_hl7v2.moments import clock, day
from gateway.translate.from_hl7v2.patterns import DAYS, EVENTS, Pattern, contradicts, folded, pattern
from gateway.translate.from_hl7v2.timing_fields import Fields, Repeat
from gateway.translate.record import Leaf

_PERIOD_UNITS = {unit.value: unit for unit in TimeUnit}
_TABLE = "HL70335"


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One timing statement, understood.

    Attributes:
        timings: one for each dosage it makes; patterns that cannot be merged make several.
        understood: False when a part of it was held or refused.
        words: the folded patterns, to compare what could not be understood.
    """

    at: str
    timings: tuple[Timing, ...]
    as_needed: AsNeeded | None
    understood: bool
    words: tuple[str, ...]


def read_timing(desk: Desk, fields: Fields, target: str, zone: tzinfo) -> Said:
    """Read one statement; its first timing is traced below `target`."""
    before = len(desk.issues)
    patterns = [found for repeat in fields.repeats if (found := _pattern(desk, repeat, target))]
    as_needed = _as_needed(desk, fields, patterns, target)
    whole_statement = _common(desk, fields, target, zone)
    timings = tuple(
        _checked(desk, fields, _joined(desk, fields, found, whole_statement)) for found in _merged(patterns)
    )
    if not timings and whole_statement != Timing():
        timings = (_checked(desk, fields, whole_statement),)
    words = tuple(folded((repeat.code or repeat.words or Leaf("", "")).raw) for repeat in fields.repeats)
    understood = not any(issue.effect != "warn" for issue in desk.issues[before:])
    return Said(at=fields.at, timings=timings, as_needed=as_needed, understood=understood, words=words)


def _pattern(desk: Desk, repeat: Repeat, target: str) -> Pattern | None:
    found = _coded_pattern(desk, repeat, target)
    said = [leaf for leaf in (repeat.period, repeat.period_unit, repeat.alignment, repeat.event) if leaf]
    if repeat.code is None and repeat.words is None:
        found = Pattern()
    if found is None or not said:
        return _no_phase(desk, repeat, found)
    found = _aligned(desk, repeat, _with_period(desk, repeat, found, target), target)
    return _with_event(desk, repeat, found, target) if found else None


def _no_phase(desk: Desk, repeat: Repeat, found: Pattern | None) -> Pattern | None:
    if repeat.phase_begin or repeat.phase_end:
        desk.use(repeat.phase_begin, repeat.phase_end)
        desk.flag("TIMING_RANGE_AMBIGUOUS", repeat.at, "A phase without its calendar alignment cannot be read.")
    return found


def _coded_pattern(desk: Desk, repeat: Repeat, target: str) -> Pattern | None:
    """Read the code by table 0335, or code or words by the trust's own entry; never by likeness."""
    desk.use(repeat.code, repeat.words)
    leaf = repeat.code or repeat.words
    if leaf is None:
        return None
    words = repeat.words.raw if repeat.words else ""
    found = pattern(leaf.raw) if repeat.code and repeat.system in {"", _TABLE} else None
    meant = leaf.raw
    if found is None and (entry := _entry(desk, leaf.raw, words, repeat.system)):
        meant, found = entry, pattern(entry)
    if found is None:
        free = repeat.code is None or " " in leaf.raw.strip() or leaf.raw != leaf.raw.upper()
        code = "TIMING_FREE_TEXT" if free else "TIMING_UNMAPPED"
        unknown = UnknownCode(
            kind=MapKind.TIMING, code=leaf.raw, text=words, system=repeat.system, location=leaf.locator, issue=code
        )
        desk.unmapped(unknown, "The timing is not a pattern of table 0335 or one this trust has mapped.")
        return None
    if words and repeat.code and contradicts(words, meant):
        desk.flag("TIMING_CONFLICT", leaf.locator, "The words beside the pattern say another.", (leaf.raw, words))
        return None
    desk.trace(f"{target}.timing", leaf, f"table:{_TABLE}", meant)
    return found


def _entry(desk: Desk, code: str, words: str, system: str) -> str:
    """Find the trust's entry for a phrase: exact after folding case and spaces (mapping.md 4.4)."""
    for row in desk.context.trust.codes:
        if (
            row.kind == "timing"
            and folded(row.code or row.text) == folded(code)
            and (not row.code or not row.text or folded(row.text) == folded(words))
            and row.system in {"", system}
        ):
            return row.target.code
    return ""


def _with_period(desk: Desk, repeat: Repeat, found: Pattern, target: str) -> Pattern:
    if repeat.period is None and repeat.period_unit is None:
        return found
    number = whole(desk, repeat.period, "", least=1)
    unit = _PERIOD_UNITS.get(desk.text(repeat.period_unit))
    if number is None or unit is None:
        desk.flag("TIMING_UNMAPPED", repeat.at, "A period needs a whole number and a UCUM unit of time.")
        return found
    if found.period is not None and (found.period != number or found.unit is not unit):
        desk.flag("TIMING_CONFLICT", repeat.at, "The pattern's code and its period differ.")
    if found.period is None:
        desk.trace(f"{target}.timing", repeat.period, "parse:period", f"{number} {unit}")
    return replace(found, frequency=found.frequency or 1, period=Decimal(number), unit=unit)


def _aligned(desk: Desk, repeat: Repeat, found: Pattern, target: str) -> Pattern | None:
    """Read the calendar alignment: one day of the week. A phase range may be read two ways and is held."""
    if repeat.alignment is None:
        return _no_phase(desk, repeat, found)
    desk.use(repeat.alignment, repeat.phase_begin, repeat.phase_end)
    begin = repeat.phase_begin.raw if repeat.phase_begin else ""
    end = repeat.phase_end.raw if repeat.phase_end else begin
    if repeat.alignment.raw != "DW" or begin not in set("1234567"):
        desk.flag("TIMING_UNMAPPED", repeat.at, "Only one day of the week (DW, 1 to 7) is read as an alignment.")
        return None
    if begin != end:
        desk.flag("TIMING_RANGE_AMBIGUOUS", repeat.at, "A range of days can be read in two ways.", (begin, end))
        return None
    desk.trace(f"{target}.timing.day_of_week", repeat.phase_begin, "table:weekdays", DAYS[int(begin) - 1])
    weekly = found.period is None
    return replace(
        found,
        frequency=found.frequency or 1,
        period=Decimal(1) if weekly else found.period,
        unit=TimeUnit.WEEK if weekly else found.unit,
        day_of_week=(DAYS[int(begin) - 1],),
    )


def _with_event(desk: Desk, repeat: Repeat, found: Pattern, target: str) -> Pattern | None:
    if repeat.event is None:
        return found
    desk.use(repeat.event, repeat.offset, repeat.offset_unit)
    if repeat.event.raw not in EVENTS or repeat.offset or found.frequency is None:
        desk.flag("TIMING_UNMAPPED", repeat.at, "The event, its offset or its missing frequency cannot be read.")
        return None
    desk.trace(f"{target}.timing.when", repeat.event, "table:HL70528", repeat.event.raw)
    return replace(found, when=(*found.when, repeat.event.raw))


def _merged(patterns: Sequence[Pattern]) -> list[Pattern]:
    """Join `QAM~QPM` into twice a day and `Q1J1~Q1J4` into twice a week; others apply together, a dosage each."""
    regular = [found for found in patterns if found.frequency is not None]
    if len(regular) > 1 and all(found.by_day_part for found in regular):
        when = tuple(part for found in regular for part in found.when)
        return [replace(regular[0], frequency=len(regular), when=when)]
    weekdays = {weekday for found in regular for weekday in found.day_of_week}
    alike = {replace(found, day_of_week=()) for found in regular}
    if len(weekdays) == len(regular) > 1 and len(alike) == 1 and regular[0].frequency == 1:
        return [replace(regular[0], frequency=len(regular), day_of_week=tuple(sorted(weekdays, key=DAYS.index)))]
    return regular


def _as_needed(desk: Desk, fields: Fields, patterns: Sequence[Pattern], target: str) -> AsNeeded | None:
    asked = [leaf for leaf in fields.priorities if leaf.raw == "PRN"]
    prn = bool(asked) or any(found.as_needed for found in patterns)
    reasons = [Coding(display=found.reason) for found in patterns if found.reason]
    if fields.condition:
        desk.use(fields.condition)
        if prn:
            at = f"{target}.as_needed.reasons[{len(reasons)}]"
            reasons.append(Coding(display=desk.words(fields.condition, at)))
        else:
            desk.not_understood(fields.condition.locator, "A condition without PRN cannot be read.")
    for leaf in asked:
        desk.trace(f"{target}.as_needed", leaf, "table:HL70485", "PRN")
    if prn and not asked:
        desk.trace(f"{target}.as_needed", None, "derive:PRN", "PRN")
    return AsNeeded(reasons=tuple(reasons)) if prn else None


def _common(desk: Desk, fields: Fields, target: str, zone: tzinfo) -> Timing:
    """Read what holds for every dosage of the statement."""
    times = tuple(found for leaf in fields.times if (found := _time(desk, leaf, target)))
    relative = fields.relative
    return Timing(
        frequency=1 if relative else None,
        period=relative.value if relative else None,
        period_unit=relative.unit if relative else None,
        time_of_day=times,
        administer_over=fields.lasts,
        count=whole(desk, fields.occurrences, f"{target}.timing.count", least=1),
        bounds=_bounds(desk, fields, target, zone),
    )


def _time(desk: Desk, leaf: Leaf, target: str) -> time | None:
    found = clock(leaf.raw)
    if found is None:
        desk.use(leaf)
        desk.flag("VALUE_INVALID", leaf.locator, "Send clock times as HHMM.")
        return None
    desk.trace(f"{target}.timing.time_of_day", leaf, "parse:hl7-time", found.isoformat())
    return found


def _bounds(desk: Desk, fields: Fields, target: str, zone: tzinfo) -> Bounds | None:
    """Read start, end and length: with a start, the length gives the last day (mapping.md 3.4, TQ1-6)."""
    at = f"{target}.timing.bounds"
    start = day(desk, fields.start, f"{at}.start", zone)
    end = day(desk, fields.end, f"{at}.end", zone)
    length = fields.length
    if start and end and end < start:
        desk.flag("VALUE_INVALID", fields.at, "The end is before the start.")
    if start is None and end is not None and length is not None:
        desk.flag("TIMING_CONFLICT", fields.at, "A duration with an end needs its start.")
        return None
    if start is None or length is None:
        return Bounds(start=start, end=end, duration=length) if start or end or length else None
    last = _last_day(start, length)
    if last is None or (end is not None and end != last):
        desk.flag("TIMING_CONFLICT", fields.at, "The start, the duration and the end cannot be joined.")
        return None
    if end is None:
        desk.trace(f"{at}.end", None, "derive:start+duration", last.isoformat())
    return Bounds(start=start, end=last)


def _last_day(start: date, length: Duration) -> date | None:
    """Give the last day of a length that starts on a day; None for lengths that are not whole days."""
    if length.value != int(length.value) or length.value > 3650:  # noqa: PLR2004 - ten years of anything is a mistake
        return None
    number = int(length.value)
    match length.unit:
        case TimeUnit.DAY:
            return start + timedelta(days=number - 1)
        case TimeUnit.WEEK:
            return start + timedelta(weeks=number, days=-1)
        case TimeUnit.MONTH | TimeUnit.YEAR:
            months = start.month - 1 + number * (12 if length.unit is TimeUnit.YEAR else 1)
            year, month = start.year + months // 12, months % 12 + 1
            if year > date.max.year:
                return None
            first = date(year, month, min(start.day, calendar.monthrange(year, month)[1]))
            return first - timedelta(days=1)
        case _:
            return None


def _joined(desk: Desk, fields: Fields, found: Pattern, common: Timing) -> Timing:
    if (
        common.period is not None
        and found.period is not None
        and ((common.period, common.period_unit) != (found.period, found.unit))
    ):
        desk.flag("TIMING_CONFLICT", fields.at, "The pattern and the relative time differ.")
    once = found.once and common.count is None
    return replace(
        common,
        frequency=None if found.once else found.frequency,
        period=found.period if found.period is not None else common.period,
        period_unit=found.unit or common.period_unit,
        day_of_week=found.day_of_week,
        when=found.when,
        count=1 if once else common.count,
    )


def _checked(desk: Desk, fields: Fields, timing: Timing) -> Timing:
    """Clock times must be as many as a daily frequency."""
    daily = timing.period == 1 and timing.period_unit is TimeUnit.DAY
    if timing.time_of_day and daily and timing.frequency != len(timing.time_of_day):
        desk.flag("TIMING_CONFLICT", fields.at, "There are not as many clock times as the frequency says.")
    return timing
