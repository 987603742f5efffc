"""How many days of medicine a patient has left of a line, with the sum, or why that cannot be worked out.

What was delivered last, and what was left of the stock that was stated, less the days since. Nothing is guessed: where
the dose is as required or in words alone, where units differ and nobody said how long a supply lasts, or where nothing
was delivered or stated, the answer is *unknown* with the reason, and unknown is treated as urgent by whoever ranks.
Where several readings are possible the one that leaves fewer days counts. A missed delivery is not a missed dose.

Source: console.md 6.1 (days left, shown as a sum) and 11.5; domain.md 6; brief 2.4.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from typing import Final

from gateway.domain.amounts import amount_words
from gateway.domain.prescription import Dosage, Duration, Line, Range, TimeUnit, Timing
from gateway.domain.quantity import Quantity

_DAYS: Final[dict[TimeUnit, Fraction]] = {
    TimeUnit.SECOND: Fraction(1, 86400),
    TimeUnit.MINUTE: Fraction(1, 1440),
    TimeUnit.HOUR: Fraction(1, 24),
    TimeUnit.DAY: Fraction(1),
    TimeUnit.WEEK: Fraction(7),
}
"""Months and years have no fixed number of days, and are not counted in them."""
_WEEK: Final = 7


class Grade(StrEnum):
    """How we know how many days are left."""

    DERIVED = "derived from delivery"
    STATED = "stated"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Supplied:
    """What was handed over to the patient on a day.

    Attributes:
        on: the London day.
        quantity: how much, in the unit of the line's quantity; None where the provider did not say, or said it in
            words that cannot be compared: then nothing can be reckoned from it.
        whole: it was one whole supply of the line.
        first: it was the first supply, which may differ from the rest.
    """

    on: date
    quantity: Quantity | None = None
    whole: bool = True
    first: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Stock:
    """Days of medicine at home, as somebody stated on a day."""

    days: int
    as_at: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """One row of the sum: words, and the days it adds or takes."""

    words: str
    days: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Cover:
    """How long the medicine lasts.

    Attributes:
        ends_on: the first London day without medicine; None where it is not known.
        terms: the sum as far as it depends on no day; empty where it is not known.
        since: the day from which what is used counts.
        why: why it cannot be worked out; empty where it is known.
    """

    grade: Grade
    ends_on: date | None = None
    terms: tuple[Term, ...] = ()
    since: date | None = None
    why: str = ""

    def days_left(self, today: date) -> int | None:
        """Give the whole days left on a day, never less than none; None where that is not known."""
        return None if self.ends_on is None else max(0, (self.ends_on - today).days)

    def sum_on(self, today: date) -> tuple[Term, ...]:
        """Give the whole sum on a day: its rows add up to the days left, or to how long ago the medicine ended."""
        if self.since is None:
            return ()
        used = Term(words=f"Used since {_day(self.since)}, if taken as prescribed", days=-(today - self.since).days)
        return (*self.terms, used)


def cover(line: Line, supplies: Sequence[Supplied], stock: Stock | None) -> Cover:
    """Work out how long a patient's medicine lasts.

    Args:
        line: as prescribed.
        supplies: what was delivered of it, in any order.
        stock: what was stated to be at home, if anything.

    Source:
        console.md 6.1.
    """
    why = _uncountable(line.dosages)
    if why:
        return _unknown(why)
    last = max(supplies, key=lambda one: (one.on, not one.whole), default=None)
    if last is None or (stock is not None and stock.as_at >= last.on):
        return _from_stock(stock)
    lasts = _lasts(line, last)
    if isinstance(lasts, str):
        return _unknown(lasts)
    terms = [lasts]
    if stock is not None:
        left = max(0, stock.days - (last.on - stock.as_at).days)
        terms.append(Term(words=f"Left on that day of {_count(stock.days)} stated on {_day(stock.as_at)}", days=left))
    ends = last.on + timedelta(days=sum(term.days for term in terms))
    return Cover(grade=Grade.DERIVED, ends_on=ends, terms=tuple(terms), since=last.on)


def _from_stock(stock: Stock | None) -> Cover:
    if stock is None:
        return _unknown("no delivery is known, and nobody has stated what the patient has at home")
    terms = (Term(words=f"At home, as stated on {_day(stock.as_at)}", days=stock.days),)
    ends = stock.as_at + timedelta(days=stock.days)
    return Cover(grade=Grade.STATED, ends_on=ends, terms=terms, since=stock.as_at)


def _unknown(why: str) -> Cover:
    return Cover(grade=Grade.UNKNOWN, why=why)


def _uncountable(dosages: Sequence[Dosage]) -> str:
    """Say why the directions cannot be counted at all; empty where they may be."""
    if not dosages:
        return "no dose is known"
    if any(dosage.as_needed is not None for dosage in dosages):
        return "it is taken as required"
    if any(dosage.dose is None or dosage.timing is None for dosage in dosages):
        return "the dose is stated in words alone"
    return ""


def _lasts(line: Line, supplied: Supplied) -> Term | str:
    """Give how many days a supply lasts, by the shortest of what is said of it, or why that is not known."""
    quantity, named = _amount(line, supplied)
    if quantity is None:
        return "how much was delivered last is not known"
    found = [
        one
        for one in (_by_dose(line.dosages, quantity), *(_stated(line, supplied) if supplied.whole else ()))
        if not isinstance(one, str)
    ]
    if not found:
        reason = _by_dose(line.dosages, quantity)
        return reason if isinstance(reason, str) else "how long a supply lasts is not known"
    days, how = min(found)
    return Term(words=f"Delivered on {_day(supplied.on)}: {named}, {how}", days=days)


def _amount(line: Line, supplied: Supplied) -> tuple[Quantity | None, str]:
    if not supplied.whole or supplied.quantity is not None:
        return supplied.quantity, amount_words(str(supplied.quantity))
    starter = line.first_supply if supplied.first else None
    quantity = starter.quantity if starter else line.quantity
    return quantity, amount_words(str(quantity))


def _stated(line: Line, supplied: Supplied) -> tuple[tuple[int, str], ...]:
    """Give how long one whole supply is to last, by each of the statements there are of it."""
    starter = line.first_supply if supplied.first else None
    if starter is not None:
        days = _whole_days(starter.lasts)
        return ((days, f"which lasts {_count(days)}, as prescribed"),) if days else ()
    if supplied.quantity is not None and supplied.quantity.value < line.quantity.value:
        return ()
    found = []
    if line.days_per_supply:
        found.append((line.days_per_supply, f"which lasts {_count(line.days_per_supply)}, as prescribed"))
    every = _whole_days(line.interval)
    if every and line.total_supplies > 1:
        found.append((every, f"one supply every {_count(every)}"))
    return tuple(found)


def _by_dose(dosages: Sequence[Dosage], quantity: Quantity) -> tuple[int, str] | str:
    """Divide a quantity by what is used a day; say why it cannot be done."""
    if len({dosage.sequence for dosage in dosages}) > 1:
        return "the dose changes with time"
    daily = Fraction(0)
    for dosage in dosages:
        dose = _most(dosage)
        if dose is None:
            return "the dose has no upper end"
        if (dose.unit.system, dose.unit.code) != (quantity.unit.system, quantity.unit.code) or not dose.unit.code:
            return f"the dose is in {_unit(dose)}, the supply in {_unit(quantity)}, and how long it lasts is not stated"
        often = _times_a_day(dosage.timing) if dosage.timing else None
        if often is None:
            return "how often it is taken cannot be counted in days"
        daily += Fraction(dose.value) * often
    if not daily:
        return "no dose is known"
    return int(Fraction(quantity.value) / daily), "at the most that is taken a day"


def _most(dosage: Dosage) -> Quantity | None:
    """Give the highest dose: it leaves the fewest days."""
    return dosage.dose.high if isinstance(dosage.dose, Range) else dosage.dose


def _times_a_day(timing: Timing) -> Fraction | None:
    """Give how often a day, at the most; None where that would need a guess."""
    bounds = timing.bounds
    ends = bounds is not None and bool(bounds.end or bounds.duration or bounds.duration_high)
    if timing.count or timing.count_max or timing.on_dates or ends:
        return None
    moments = len(timing.time_of_day) or len(timing.when)
    if timing.period_unit is None:
        return _on_days(Fraction(moments), timing) if moments and timing.frequency in {None, moments} else None
    length = _DAYS.get(timing.period_unit)
    times = timing.frequency_max or timing.frequency or moments or 1
    if length is None or not timing.period or (moments and moments != times):
        return None
    a_day = Fraction(times) / (Fraction(timing.period) * length)
    if timing.period_unit is TimeUnit.WEEK and timing.day_of_week:
        agree = timing.period == Decimal(1) and len(timing.day_of_week) == times
        return a_day if agree else None
    return _on_days(a_day, timing)


def _on_days(a_day: Fraction, timing: Timing) -> Fraction | None:
    """Spread what is taken on some days of the week alone over all of them."""
    if not timing.day_of_week:
        return a_day
    return a_day * len(timing.day_of_week) / _WEEK if timing.period_unit in {None, TimeUnit.DAY} else None


def _whole_days(length: Duration | None) -> int:
    days = _DAYS.get(length.unit) if length else None
    return int(Fraction(length.value) * days) if length and days else 0


def _unit(quantity: Quantity) -> str:
    return quantity.unit.display or quantity.unit.code or "no unit"


def _count(days: int) -> str:
    return f"{days} day{'s' * (days != 1)}"


def _day(value: date) -> str:
    return f"{value.day} {value:%b %Y}"
