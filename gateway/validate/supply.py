"""Supply sums: does the quantity last as long as it must, at the dose and frequency stated?

Everything is exact. A sum is made only where nothing has to be assumed: a dose that can be put into the unit of the
quantity, a frequency in days, and a known number of days. Otherwise nothing is said.

One dose that the whole supply does not hold needs no days to be noticed: 40 mg from two syringes of 40 micrograms.

The least needed is the dose itself; the most is whole units for each administration, for what is left of a syringe is
thrown away. Up to a tenth, or one unit, either way is rounding; beyond a factor of two the line is held.

Source: mapping.md 8.5.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import groupby
from math import ceil

from gateway.domain.prescription import Bounds, Dosage, Duration, Line
from gateway.domain.quantity import lexeme
from gateway.domain.reference import ProductRow
from gateway.validate.amounts import Amount, Strength, of_quantity, strength_of
from gateway.validate.words.check import Doubt
from gateway.validate.words.grammar import read
from gateway.validate.words.said import DAY, Often, Spread
from gateway.validate.words.structure import dose_of, length_of, often_of

_TOLERANCE = Fraction(1, 10)
_LITTLE_LESS, _LITTLE_MORE = 1 - _TOLERANCE, 1 + _TOLERANCE
_GRAVE = 2
_AT_NEED = re.compile(r"\b(required|needed|necessary|prn|if)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Need:
    """How much is needed, from `least` to `most`, in the unit of the quantity."""

    least: Fraction
    most: Fraction


@dataclass(frozen=True, slots=True, kw_only=True)
class SupplySum:
    """The sum of one supply, for a person to follow.

    Attributes:
        days: how long one supply must last.
        needed: what the directions use up in that time, in the unit of the quantity: `4`, or `4 to 8`.
        per_day: the same for one day.
        quantity: what is ordered for each supply.
        unit: of the three above.
    """

    days: str
    needed: str
    per_day: str
    quantity: str
    unit: str


def supply_sum(line: Line, row: ProductRow | None) -> SupplySum | None:
    """Give the sum of one supply; None where it cannot be made without assuming something.

    Args:
        line: as read.
        row: what is known of its product.
    """
    quantity, days = of_quantity(line.quantity), days_of_one(line)
    if quantity is None or not quantity.value or not days:
        return None
    need = _needed(line.dosages, quantity, strength_of(row), days, once=line.total_supplies == 1)
    if need is None or not need.most:
        return None
    factor = quantity.value / Fraction(line.quantity.value)
    return SupplySum(
        days=_said(days),
        needed=_span(need.least / factor, need.most / factor),
        per_day=_a_day(need.least / factor / days, need.most / factor / days),
        quantity=lexeme(line.quantity.value),
        unit=line.quantity.unit.display or line.quantity.unit.code,
    )


def supply_doubts(line: Line, row: ProductRow | None) -> Iterator[Doubt]:
    """Compare the quantity of one supply with what the directions use up in the time it must last.

    Args:
        line: as read.
        row: what is known of its product.
    """
    quantity, strength = of_quantity(line.quantity), strength_of(row)
    if quantity is None or not quantity.value:
        return
    days = days_of_one(line)
    need = _needed(line.dosages, quantity, strength, days, once=line.total_supplies == 1)
    if need is None or not need.most:
        yield from _one_dose(line, quantity, strength)
        return
    unit = 1 if quantity.counted else 0
    if need.least * _LITTLE_LESS - unit <= quantity.value <= need.most * _LITTLE_MORE + unit:
        return
    short, long = quantity.value * _GRAVE < need.least - unit, quantity.value > need.most * _GRAVE + unit
    text = "The quantity does not fit the dose, the frequency and the time that one supply must last."
    yield Doubt(
        code="SUPPLY_SUM_MISMATCH",
        at="quantity.value",
        text=text,
        values=(f"{lexeme(line.quantity.value)} {line.quantity.unit.display}", _told(need, quantity, line)),
        escalated=short or long,
    )


def _one_dose(line: Line, quantity: Amount, strength: Strength) -> Iterator[Doubt]:
    """Compare one dose, of the structure or else of the words, with all there is."""
    doses = [dose for dosage in line.dosages for dose in _doses(dosage)]
    ends = [(dose.kind, end) for dose in doses if (end := dose.low if dose.low is not None else dose.high)]
    amounts = [strength.convert(Amount(value=end, kind=kind), quantity.kind) for kind, end in ends]
    most = max((amount.value for amount in amounts if amount), default=Fraction(0))
    if most <= quantity.value * _LITTLE_MORE:
        return
    factor = quantity.value / Fraction(line.quantity.value)
    yield Doubt(
        code="SUPPLY_SUM_MISMATCH",
        at="quantity.value",
        text="One dose is more than the whole quantity. Check the unit of the dose.",
        values=(
            f"{lexeme(line.quantity.value)} {line.quantity.unit.display}",
            f"one dose: {_said(most / factor)} {line.quantity.unit.display}",
        ),
        escalated=most > quantity.value * _GRAVE,
    )


def _doses(dosage: Dosage) -> tuple[Spread, ...]:
    if dosage.dose is not None:
        dose = dose_of(dosage)
        return (dose,) if dose else ()
    said = read(dosage.text)
    return () if said.unsure else said.doses


def _told(need: _Need, quantity: Amount, line: Line) -> str:
    """Say what is needed, in the unit of the quantity as sent."""
    factor = quantity.value / Fraction(line.quantity.value)
    return f"needed: {_span(need.least / factor, need.most / factor)} {line.quantity.unit.display}"


def _span(low: Fraction, high: Fraction) -> str:
    return _said(low) if low == high else f"{_said(low)} to {_said(high)}"


def _a_day(low: Fraction, high: Fraction) -> str:
    """Write what is used in a day to four places: one injection in twelve weeks is no 0.01, and the sum is followed."""
    parts = [round(number * _FINE) for number in dict.fromkeys((low, high))]
    said = [f"{part // _FINE}.{part % _FINE:04d}".rstrip("0").rstrip(".") for part in parts]
    exact = all((number * _FINE).denominator == 1 for number in (low, high))
    return f"{'' if exact else 'about '}{' to '.join(said)}"


_FINE = 10_000


def _said(number: Fraction) -> str:
    """Write a number for people, to two places; comparing never uses it."""
    hundredths = round(number * 100)
    return f"{hundredths // 100}" if hundredths % 100 == 0 else f"{hundredths // 100}.{hundredths % 100:02d}"


def days_of_one(line: Line) -> Fraction | None:
    """Give how many days one supply must last: as stated, else until the next one."""
    if line.days_per_supply:
        return Fraction(line.days_per_supply)
    return _in_days(line.interval) if line.total_supplies > 1 or line.interval else None


def days_between(line: Line) -> Fraction | None:
    """Give how many days lie between two supplies: the interval as stated, else what one supply lasts."""
    return _in_days(line.interval) or days_of_one(line)


def gap_doubts(line: Line) -> Iterator[Doubt]:
    """Compare how long one supply lasts with when the next comes: in between the patient would have none."""
    between, lasts = _in_days(line.interval), line.days_per_supply
    if not between or not lasts or line.total_supplies <= 1 or between <= lasts * _LITTLE_MORE:
        return
    yield Doubt(
        code="SUPPLY_SUM_MISMATCH",
        at="days_per_supply",
        text="One supply does not last until the next one.",
        values=(f"lasts {lasts} days", f"next after {_said(between)} days"),
        escalated=between > lasts * _GRAVE,
    )


def _in_days(duration: Duration | None) -> Fraction | None:
    length = length_of(duration)
    return length.value if length and length.of == DAY else None


def _needed(
    dosages: Sequence[Dosage], quantity: Amount, strength: Strength, days: Fraction | None, *, once: bool
) -> _Need | None:
    """Add up dosages: those of one sequence together, the next ones after them."""
    ordered = sorted((_of_words(dosage) or dosage for dosage in dosages), key=lambda dosage: dosage.sequence)
    steps = [tuple(step) for _, step in groupby(ordered, key=lambda dosage: dosage.sequence)]
    if not steps or any(not _countable(dosage) for dosage in ordered):
        return None
    bounded = [_bound(step) for step in steps]
    if all(bounded) and once:
        lengths = bounded
        if days is not None and len(steps) == 1 and bounded[0] and bounded[0] > days:
            lengths = [days]
    elif len(steps) == 1 and days is not None and (bounded[0] is None or bounded[0] >= days):
        lengths = [days]
    else:
        return None
    needs = [
        _need(dosage, quantity, strength, length)
        for step, length in zip(steps, lengths, strict=True)
        for dosage in step
        if length
    ]
    stated = [need for need in needs if need]
    if len(stated) < len(dosages):
        return None
    if len(stated) == 1:
        return stated[0]
    return _Need(
        least=sum((need.least for need in stated), Fraction(0)), most=sum((n.most for n in stated), Fraction(0))
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Said:
    """What words alone use up, where they say one dose, how often, and at most one length of time."""

    sequence: int
    dose: Spread
    often: Often
    lasts: Fraction | None


def _of_words(dosage: Dosage) -> _Said | None:
    """Read directions that are words and nothing else; None where they say more, or less, than can be counted."""
    if (
        dosage.dose is not None
        or dosage.timing is not None
        or dosage.as_needed is not None
        or _AT_NEED.search(dosage.text)
    ):
        return None
    said = read(dosage.text)
    if said.unsure or (len(said.doses), len(said.often)) != (1, 1) or len(said.lasting) > 1 or said.once_only:
        return None
    lasts = said.lasting[0].value if said.lasting and said.lasting[0].of == DAY else None
    return _Said(sequence=dosage.sequence, dose=said.doses[0], often=said.often[0], lasts=lasts)


def _countable(dosage: Dosage | _Said) -> bool:
    """Tell whether what it uses up can be known: not as required, not on dates, not a number of times."""
    if isinstance(dosage, _Said):
        return True
    timing = dosage.timing
    return (
        dosage.as_needed is None
        and dosage.rate is None
        and timing is not None
        and not (timing.on_dates or timing.count or timing.count_max)
    )


def _bound(step: Sequence[Dosage | _Said]) -> Fraction | None:
    """Give how many days a step lasts, where all of its dosages say the same."""
    lengths = set()
    for dosage in step:
        if isinstance(dosage, _Said):
            lengths.add(dosage.lasts)
            continue
        bounds = dosage.timing.bounds if dosage.timing else None
        lengths.add(_course(bounds))
    return lengths.pop() if len(lengths) == 1 else None


def _course(bounds: Bounds | None) -> Fraction | None:
    """Give how many days a dosage is for: as counted, else from its first day to its last, both included."""
    if bounds is None or bounds.duration_high:
        return None
    if bounds.duration is None and bounds.start and bounds.end and bounds.start <= bounds.end:
        return Fraction((bounds.end - bounds.start).days + 1)
    return _in_days(bounds.duration)


def _need(dosage: Dosage | _Said, quantity: Amount, strength: Strength, days: Fraction) -> _Need | None:
    if isinstance(dosage, _Said):
        dose: Spread | None = dosage.dose
        often: Often | None = dosage.often
    else:
        dose, often = dose_of(dosage), often_of(dosage.timing)
    if dose is None or often is None or often.of != DAY or None in {dose.low, dose.high, often.low, often.high}:
        return None
    one = strength.convert(Amount(value=Fraction(1), kind=dose.kind), quantity.kind)
    if one is None or dose.low is None or dose.high is None or often.low is None or often.high is None:
        return None
    low = dose.low * one.value
    high = low if dose.high == dose.low else dose.high * one.value
    whole = Fraction(ceil(high)) if quantity.counted else high
    return _Need(least=low * often.low * days, most=whole * ceil(often.high * days))
