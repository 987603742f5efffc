"""A structured dosage in the terms of the grammar, so that the two can be compared."""

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache

from gateway.domain.coding import Coding
from gateway.domain.prescription import Dosage, Duration, Range, TimeUnit, Timing
from gateway.domain.quantity import Quantity, lexeme
from gateway.validate.amounts import of_quantity
from gateway.validate.words.grammar import read
from gateway.validate.words.said import DAY, DAYS_A_WEEK, MONTH, Lasting, Often, Spread, on_days

_ABBREVIATED = {
    "QD": Fraction(1),
    "AM": Fraction(1),
    "PM": Fraction(1),
    "BED": Fraction(1),
    "BID": Fraction(2),
    "TID": Fraction(3),
    "QID": Fraction(4),
    "QOD": Fraction(1, 2),
    "Q1H": Fraction(24),
    "Q2H": Fraction(12),
    "Q3H": Fraction(8),
    "Q4H": Fraction(6),
    "Q6H": Fraction(4),
    "Q8H": Fraction(3),
    "WK": Fraction(1, 7),
}
"""Times a day by FHIR's abbreviations of timings; `MO` is left out, for a month has no number of days."""

_LENGTHS: dict[TimeUnit, tuple[str, Fraction]] = {
    TimeUnit.SECOND: (DAY, Fraction(1, 86400)),
    TimeUnit.MINUTE: (DAY, Fraction(1, 1440)),
    TimeUnit.HOUR: (DAY, Fraction(1, 24)),
    TimeUnit.DAY: (DAY, Fraction(1)),
    TimeUnit.WEEK: (DAY, Fraction(DAYS_A_WEEK)),
    TimeUnit.MONTH: (MONTH, Fraction(1)),
    TimeUnit.YEAR: (MONTH, Fraction(12)),
}


def dose_of(dosage: Dosage) -> Spread | None:
    """Give the dose of one administration; None where there is none, or its unit cannot be compared."""
    if isinstance(dosage.dose, Range):
        return _range(dosage.dose)
    return _single(lexeme(dosage.dose.value), dosage.dose.unit) if dosage.dose is not None else None


@lru_cache(maxsize=4096)
def _single(value: str, unit: Coding) -> Spread | None:
    """Give a dose by its lexeme, so that it can be remembered: every rule asks for it anew."""
    dose = Quantity(value=Decimal(value), unit=unit)
    amount = of_quantity(dose)
    if amount is None:
        return None
    return Spread(low=amount.value, high=amount.value, kind=amount.kind, words=str(dose))


def _range(dose: Range) -> Spread | None:
    low, high = of_quantity(dose.low), of_quantity(dose.high)
    ends = [end for end in (low, high) if end]
    if not ends or len({end.kind for end in ends}) > 1 or len(ends) != bool(dose.low) + bool(dose.high):
        return None
    words = " to ".join(str(end) for end in (dose.low, dose.high) if end)
    return Spread(low=low.value if low else None, high=high.value if high else None, kind=ends[0].kind, words=words)


def often_of(timing: Timing | None) -> Often | None:
    """Give how often; None where the timing states no frequency that repeats.

    Days of the week say which days count: once a day on Mondays is once a week.
    """
    if timing is None:
        return None
    if timing.frequency is None and timing.frequency_max is None and timing.period is None:
        return _by_moments(timing) or coded_often(timing)
    if timing.period is None or timing.period_unit is None:
        return None
    period, period_max = str(timing.period), str(timing.period_max or "")
    return _often(timing.frequency, timing.frequency_max, period, period_max, timing.period_unit, timing.day_of_week)


@lru_cache(maxsize=4096)
def _often(  # noqa: PLR0917 - what a frequency is made of, each by its value, so that it can be remembered
    frequency: int | None,
    frequency_max: int | None,
    period: str,
    period_max: str,
    period_unit: TimeUnit,
    days: Sequence[str],
) -> Often | None:
    of, length = _LENGTHS[period_unit]
    shortest = Fraction(period) * length
    longest = Fraction(period_max) * length if period_max else shortest
    if not shortest or not longest:
        return None
    least = frequency if frequency is not None or frequency_max else 1
    most = frequency_max or least
    stated = Often(
        low=None if least is None else Fraction(least) / longest,
        high=None if most is None else Fraction(most) / shortest,
        of=of,
        words=_words((frequency, frequency_max), (period, period_max), period_unit, days),
    )
    return on_days(stated, len(set(days)))


def coded_often(timing: Timing | None) -> Often | None:
    """Give how often the code of a timing says it is, by its letters or its words; None where they say nothing known.

    Source: FHIR R4 value set timing-abbreviation; datatypes.html#Timing, by which the code is a complete statement.
    """
    if timing is None or timing.code is None:
        return None
    times = _ABBREVIATED.get(timing.code.code)
    said = timing.code.display or timing.code.code
    if times is not None:
        return Often(low=times, high=times, of=DAY, words=said)
    found = read(timing.code.display).often
    return found[0] if len(found) == 1 else None


def _by_moments(timing: Timing) -> Often | None:
    """Count the times and parts of a day, or the days of a week."""
    moments = len(timing.time_of_day) or len(timing.when)
    if not moments and not timing.day_of_week:
        return None
    share = Fraction(len(set(timing.day_of_week)), DAYS_A_WEEK) if timing.day_of_week else Fraction(1)
    times = Fraction(max(moments, 1)) * share
    longest = str(timing.period_max or "")
    return Often(low=times, high=times, of=DAY, words=_words((), (longest,), timing.period_unit, timing.day_of_week))


def _words(times: Sequence[int | None], periods: Sequence[str], unit: TimeUnit | None, days: Sequence[str]) -> str:
    numbers = " to ".join(str(number) for number in times if number)
    period = " to ".join(format(number, "f") for each in periods if each and (number := Decimal(each)))
    said = f"{numbers or 'once'} in {period} {unit.value if unit else ''}" if period else numbers
    return " ".join(part for part in (said, " ".join(days)) if part) or "at stated moments"


def length_of(duration: Duration | None) -> Lasting | None:
    """Give a duration in days or months."""
    return _length(lexeme(duration.value), duration.unit) if duration is not None else None


@lru_cache(maxsize=4096)
def _length(value: str, unit: TimeUnit) -> Lasting:
    of, length = _LENGTHS[unit]
    return Lasting(value=Fraction(value) * length, of=of, words=f"{value} {unit.value}")


def is_structured(dosage: Dosage) -> bool:
    """Tell whether there is any structure that words could contradict."""
    timing = dosage.timing
    timed = timing is not None and any(
        (
            timing.frequency,
            timing.frequency_max,
            timing.period,
            timing.day_of_week,
            timing.time_of_day,
            timing.when,
            timing.code,
        )
    )
    return isinstance(dosage.dose, Quantity | Range) or timed
