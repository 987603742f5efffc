"""A dosage as it was structured, part by part in words; what was not stated is left out, and nothing is worked out.

The prescriber's own words stand above this on every page: it shows what a machine will read of them.

Source: FHIR R4 Dosage and Timing; console.md 9 (units spelt out, no trailing zeros added, drug and dose never cut).
"""

from collections.abc import Iterator
from typing import Final

from gateway.console.words import day, inert
from gateway.domain.prescription import Bounds, Dosage, Duration, Line, Range, Rate, TimeUnit, Timing
from gateway.domain.quantity import Quantity, lexeme

_UNITS: Final = {
    TimeUnit.SECOND: ("second", "seconds"),
    TimeUnit.MINUTE: ("minute", "minutes"),
    TimeUnit.HOUR: ("hour", "hours"),
    TimeUnit.DAY: ("day", "days"),
    TimeUnit.WEEK: ("week", "weeks"),
    TimeUnit.MONTH: ("month", "months"),
    TimeUnit.YEAR: ("year", "years"),
}
_DAYS: Final = {
    "mon": "Monday",
    "tue": "Tuesday",
    "wed": "Wednesday",
    "thu": "Thursday",
    "fri": "Friday",
    "sat": "Saturday",
    "sun": "Sunday",
}
_WHEN: Final = {
    "MORN": "in the morning",
    "MORN.early": "early in the morning",
    "MORN.late": "late in the morning",
    "NOON": "at noon",
    "AFT": "in the afternoon",
    "EVE": "in the evening",
    "NIGHT": "at night",
    "HS": "before sleep",
    "WAKE": "on waking",
    "C": "with a meal",
    "CM": "with breakfast",
    "CD": "with lunch",
    "CV": "with dinner",
    "AC": "before a meal",
    "ACM": "before breakfast",
    "ACD": "before lunch",
    "ACV": "before dinner",
    "PC": "after a meal",
    "PCM": "after breakfast",
    "PCD": "after lunch",
    "PCV": "after dinner",
}


def duration(length: Duration) -> str:
    """Give a length of time, as `4 weeks`."""
    one, many = _UNITS[length.unit]
    return f"{lexeme(length.value)} {one if length.value == 1 else many}"


def supplies(line: Line) -> str:
    """Give how many supplies and how often, as `6 supplies, one every 4 weeks`."""
    count = "1 supply" if line.total_supplies == 1 else f"{line.total_supplies} supplies"
    return f"{count}, one every {duration(line.interval)}" if line.interval else count


def parts(dosage: Dosage) -> tuple[tuple[str, str], ...]:
    """Give the parts of a dosage that were stated, each with its term."""
    return tuple((term, inert(words)) for term, words in _parts(dosage) if words)


def _parts(dosage: Dosage) -> Iterator[tuple[str, str]]:
    yield "Method", dosage.method.display or dosage.method.code if dosage.method else ""
    yield "Dose", _amount(dosage.dose)
    yield "Rate", _rate(dosage.rate)
    if dosage.timing:
        yield from _timing(dosage.timing)
    if dosage.as_needed is not None:
        reasons = ", ".join(reason.display or reason.code for reason in dosage.as_needed.reasons)
        yield "As required", reasons or "Yes, no reason stated"
    yield "Route", dosage.route.display or dosage.route.code if dosage.route else ""
    yield "Site", dosage.site.display or dosage.site.code if dosage.site else ""
    if dosage.max_per_period:
        yield "At most", f"{dosage.max_per_period.amount} in {duration(dosage.max_per_period.within)}"
    yield "At most each time", str(dosage.max_per_administration or "")
    yield "At most in a lifetime", str(dosage.max_per_lifetime or "")
    yield "Also", "; ".join(one.display or one.code for one in dosage.additional)
    yield "For the patient", dosage.patient_instruction


def _amount(amount: Quantity | Range | None) -> str:
    if isinstance(amount, Range):
        if amount.low is None or amount.high is None:
            return f"From {amount.low}" if amount.low else f"Up to {amount.high}"
        return f"{amount.low} to {amount.high}"
    return str(amount) if amount else ""


def _rate(rate: Quantity | Range | Rate | None) -> str:
    if isinstance(rate, Rate):
        return f"{rate.amount} in {rate.per}" if rate.per else str(rate.amount)
    return _amount(rate)


def _timing(timing: Timing) -> Iterator[tuple[str, str]]:
    yield "How often", _often(timing)
    yield "On", ", ".join(_DAYS.get(one, one) for one in timing.day_of_week)
    yield "At", ", ".join(f"{one:%H:%M}" for one in timing.time_of_day)
    yield "When", ", ".join(_WHEN.get(one, one) for one in timing.when)
    if timing.offset_minutes:
        yield "Offset", f"{timing.offset_minutes} minutes"
    if timing.administer_over:
        most = f" to {duration(timing.administer_over_max)}" if timing.administer_over_max else ""
        yield "Over", duration(timing.administer_over) + most
    if timing.count:
        most = f" to {timing.count_max}" if timing.count_max else ""
        yield "Number of doses", f"{timing.count}{most}"
    yield "On the days", ", ".join(day(one) for one in timing.on_dates)
    if timing.bounds:
        yield "For how long", _bounds(timing.bounds)
    if timing.code:
        yield "Timing code", timing.code.display or timing.code.code


def _often(timing: Timing) -> str:
    if timing.frequency is None and timing.period is None:
        return ""
    most = f" to {timing.frequency_max}" if timing.frequency_max else ""
    times = f"{timing.frequency}{most}" if timing.frequency else ""
    often = {"": "Number of times not stated", "1": "Once", "2": "Twice"}.get(times, f"{times} times")
    if timing.period is None or timing.period_unit is None:
        return often
    one, many = _UNITS[timing.period_unit]
    if timing.period == 1 and timing.period_max is None:
        return f"{often} a {one}" if one != "hour" else f"{often} an hour"
    span = lexeme(timing.period) + (f" to {lexeme(timing.period_max)}" if timing.period_max else "")
    return f"{often} every {span} {many}"


def _bounds(bounds: Bounds) -> str:
    said = [f"from {day(bounds.start)}"] if bounds.start else []
    said += [f"until {day(bounds.end)}"] if bounds.end else []
    if bounds.duration:
        most = f" to {duration(bounds.duration_high)}" if bounds.duration_high else ""
        said.append(f"for {duration(bounds.duration)}{most}")
    return " ".join(said)
