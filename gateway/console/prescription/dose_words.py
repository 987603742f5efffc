"""A dosage as it was structured, part by part in words; what was not stated is left out, and nothing is worked out.

The prescriber's own words stand above this on every page: it shows what a machine will read of them.

Source: FHIR R4 Dosage and Timing; console.md 9 (units spelt out, no trailing zeros added, drug and dose never cut).
"""

from collections.abc import Iterator
from datetime import time
from decimal import Decimal

from gateway.console.words import day, inert
from gateway.domain.amounts import amount_words
from gateway.domain.prescription import Bounds, Dosage, Duration, Line, Range, Rate, Timing
from gateway.domain.quantity import Quantity, lexeme
from gateway.translate.timing_words import DAY_WORDS, EVENT_WORDS, UNIT_WORDS


def duration(length: Duration) -> str:
    """Give a length of time, as `4 weeks`."""
    return f"{lexeme(length.value)} {UNIT_WORDS[length.unit]}{'s' * (length.value != 1)}"


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
        yield (
            "At most",
            f"{amount_words(str(dosage.max_per_period.amount))} in {duration(dosage.max_per_period.within)}",
        )
    yield "At most each time", amount_words(str(dosage.max_per_administration or ""))
    yield "At most in a lifetime", amount_words(str(dosage.max_per_lifetime or ""))
    yield "Also", "; ".join(one.display or one.code for one in dosage.additional)
    yield "For the patient", dosage.patient_instruction


def _amount(amount: Quantity | Range | None) -> str:
    if isinstance(amount, Range):
        if amount.low is None or amount.high is None:
            return f"From {_amount(amount.low)}" if amount.low else f"Up to {_amount(amount.high)}"
        return f"{_amount(amount.low)} to {_amount(amount.high)}"
    return amount_words(str(amount)) if amount else ""


def _rate(rate: Quantity | Range | Rate | None) -> str:
    if isinstance(rate, Rate):
        return f"{rate.amount} in {rate.per}" if rate.per else str(rate.amount)
    return _amount(rate)


def _timing(timing: Timing) -> Iterator[tuple[str, str]]:
    yield "How often", _often(timing)
    yield "On", ", ".join(DAY_WORDS.get(one, one) for one in timing.day_of_week)
    yield "At", ", ".join(map(_clock, timing.time_of_day))
    yield "When", ", ".join(EVENT_WORDS.get(one, one) for one in timing.when)
    if timing.offset_minutes is not None:
        yield "Offset", f"{timing.offset_minutes} minutes"
    yield "Over", _lasting(timing.administer_over, timing.administer_over_max)
    yield "Number of doses", _between(_whole(timing.count), _whole(timing.count_max))
    yield "On the days", ", ".join(day(one) for one in timing.on_dates)
    if timing.bounds:
        yield "For how long", _bounds(timing.bounds)
    if timing.code:
        yield "Timing code", timing.code.display or timing.code.code


def _often(timing: Timing) -> str:
    times = _between(_whole(timing.frequency), _whole(timing.frequency_max))
    span = _between(_number(timing.period), _number(timing.period_max))
    if not times and not span:
        return ""
    often = {"": "Number of times not stated", "1": "Once", "2": "Twice"}.get(times, f"{times} times")
    often = often[:1].upper() + often[1:]
    if not span or timing.period_unit is None:
        return f"{often} every {span} (unit not stated)" if span else often
    unit = UNIT_WORDS[timing.period_unit]
    if timing.period == 1 and timing.period_max is None:
        return f"{often} {'an' if unit == 'hour' else 'a'} {unit}"
    return f"{often} every {span} {unit}s"


def _bounds(bounds: Bounds) -> str:
    said = [f"from {day(bounds.start)}"] if bounds.start else []
    said += [f"until {day(bounds.end)}"] if bounds.end else []
    lasting = _lasting(bounds.duration, bounds.duration_high)
    return " ".join((*said, *([f"for {lasting}"] if lasting else [])))


def _lasting(least: Duration | None, most: Duration | None) -> str:
    return _between(duration(least) if least else "", duration(most) if most else "")


def _between(least: str, most: str) -> str:
    """Say both ends of what was stated, or the one that was."""
    return f"up to {most}" if most and not least else " to ".join(part for part in (least, most) if part)


def _whole(count: int | None) -> str:
    return "" if count is None else str(count)


def _number(value: Decimal | None) -> str:
    return "" if value is None else lexeme(value)


def _clock(moment: time) -> str:
    return f"{moment:%H:%M:%S}" if moment.second else f"{moment:%H:%M}"
