"""Days of medicine left: a sum that is shown, and never a guess."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.cover import Cover, Grade, Stock, Supplied, cover
from gateway.domain.prescription import (
    AsNeeded,
    Bounds,
    Dosage,
    Duration,
    FirstSupply,
    Line,
    Range,
    TimeUnit,
    Timing,
)
from gateway.domain.quantity import Quantity
from tests.factories import MILLIGRAM, SYRINGE, dosage, line

DAY = date(2026, 10, 20)
ONE = Quantity(value=Decimal(1), unit=SYRINGE)
WEEKLY = Timing(frequency=1, period=Decimal(1), period_unit=TimeUnit.WEEK)


def syringes(count: int | str) -> Quantity:
    return Quantity(value=Decimal(count), unit=SYRINGE)


def counted(*dosages: Dosage, **change: Any) -> Line:
    return line(dosages=dosages or (dosage(dose=ONE, timing=WEEKLY),), total_supplies=1, **change)


def after(what: Line, supplied: Supplied | None = None, stock: Stock | None = None) -> Cover:
    return cover(what, (supplied or Supplied(on=DAY),), stock)


@pytest.mark.parametrize(
    ("timing", "days"),
    [
        (WEEKLY, 28),
        (replace(WEEKLY, day_of_week=("mon",)), 28),
        (replace(WEEKLY, frequency=2, day_of_week=("mon", "thu")), 14),
        (replace(WEEKLY, period=Decimal(2)), 56),
        (replace(WEEKLY, period_max=Decimal(2)), 28),
        (replace(WEEKLY, frequency_max=2), 14),
        (Timing(frequency=1, period=Decimal(1), period_unit=TimeUnit.DAY), 4),
        (Timing(frequency=2, period=Decimal(1), period_unit=TimeUnit.DAY), 2),
        (Timing(frequency=1, period=Decimal(1), period_unit=TimeUnit.DAY, day_of_week=("mon", "wed")), 14),
        (Timing(frequency=1, period=Decimal(12), period_unit=TimeUnit.HOUR), 2),
        (Timing(when=("MORN", "HS")), 2),
    ],
)
def test_a_supply_lasts_what_the_dose_makes_of_it(timing: Timing, days: int) -> None:
    found = after(counted(dosage(dose=ONE, timing=timing)))
    assert (found.grade, found.ends_on) == (Grade.DERIVED, DAY + timedelta(days=days))


@pytest.mark.parametrize(
    ("dosages", "why"),
    [
        ((), "no dose is known"),
        ((dosage(as_needed=AsNeeded()),), "as required"),
        ((dosage(dose=None),), "in words alone"),
        ((dosage(timing=None),), "in words alone"),
        ((dosage(),), "the dose is in milligram, the supply in pre-filled disposable injection"),
        ((dosage(dose=ONE, timing=replace(WEEKLY, period_unit=TimeUnit.MONTH)),), "cannot be counted in days"),
        ((dosage(dose=ONE, timing=replace(WEEKLY, day_of_week=("mon", "thu"))),), "cannot be counted in days"),
        ((dosage(dose=ONE, timing=Timing()),), "cannot be counted in days"),
        ((dosage(dose=ONE, timing=replace(WEEKLY, count=4)),), "cannot be counted in days"),
        ((dosage(dose=ONE, timing=replace(WEEKLY, bounds=Bounds(end=DAY))),), "cannot be counted in days"),
        ((dosage(dose=Range(low=ONE), timing=WEEKLY),), "no upper end"),
        ((dosage(dose=ONE, timing=WEEKLY), dosage(dose=ONE, timing=WEEKLY, sequence=2)), "changes with time"),
    ],
)
def test_what_cannot_be_worked_out_is_unknown_and_says_why(dosages: tuple[Dosage, ...], why: str) -> None:
    found = after(line(dosages=dosages, total_supplies=1))
    assert found.grade is Grade.UNKNOWN
    assert (found.ends_on, found.days_left(DAY), found.sum_on(DAY)) == (None, None, ())
    assert why in found.why


def test_as_required_is_unknown_even_where_somebody_stated_days() -> None:
    what = line(dosages=(dosage(as_needed=AsNeeded()),), days_per_supply=28)
    assert after(what, stock=Stock(days=14, as_at=DAY)).grade is Grade.UNKNOWN


def test_nothing_delivered_and_nothing_stated_is_unknown() -> None:
    assert "no delivery is known" in cover(counted(), (), None).why


def test_the_highest_dose_counts() -> None:
    low_to_high = Range(low=ONE, high=syringes(2))
    assert after(counted(dosage(dose=low_to_high, timing=WEEKLY))).days_left(DAY) == 14


def test_what_is_taken_together_is_added_up() -> None:
    both = (dosage(dose=ONE, timing=WEEKLY), dosage(dose=ONE, timing=WEEKLY))
    assert after(counted(*both)).days_left(DAY) == 14


def test_how_long_a_supply_lasts_is_believed_where_units_differ() -> None:
    what = line(dosages=(dosage(dose=Quantity(value=Decimal(10), unit=MILLIGRAM)),), days_per_supply=30)
    found = after(what)
    assert (found.grade, found.days_left(DAY)) == (Grade.DERIVED, 30)
    assert found.terms[0].words == (
        "Delivered on 20 Oct 2026: 4 pre-filled disposable injections, which lasts 30 days, as prescribed"
    )


def test_of_two_statements_the_shorter_counts() -> None:
    weeks = Duration(value=Decimal(4), unit=TimeUnit.WEEK)
    assert after(line(days_per_supply=30, interval=weeks)).days_left(DAY) == 28
    assert after(counted(dosage(dose=ONE, timing=WEEKLY), days_per_supply=60)).days_left(DAY) == 28


def test_an_interval_says_nothing_of_a_single_supply() -> None:
    weeks = Duration(value=Decimal(4), unit=TimeUnit.WEEK)
    assert after(line(interval=weeks, total_supplies=1)).grade is Grade.UNKNOWN


def test_the_first_supply_lasts_what_is_said_of_it_alone() -> None:
    starter = FirstSupply(quantity=syringes(2), lasts=Duration(value=Decimal(1), unit=TimeUnit.WEEK))
    what = line(first_supply=starter, days_per_supply=28)
    assert after(what, Supplied(on=DAY, first=True)).days_left(DAY) == 7
    assert after(what).days_left(DAY) == 28


def test_a_part_supply_lasts_what_its_own_amount_does() -> None:
    what = counted(days_per_supply=28)
    assert after(what, Supplied(on=DAY, quantity=syringes(2), whole=False)).days_left(DAY) == 14
    assert after(what, Supplied(on=DAY, quantity=None, whole=False)).grade is Grade.UNKNOWN
    assert after(line(days_per_supply=28), Supplied(on=DAY, quantity=syringes(2), whole=False)).grade is Grade.UNKNOWN


def test_less_than_prescribed_does_not_last_as_long_as_prescribed() -> None:
    assert after(line(days_per_supply=28), Supplied(on=DAY, quantity=syringes(3))).grade is Grade.UNKNOWN


def test_stock_stated_after_the_delivery_holds_what_was_delivered() -> None:
    found = after(counted(), stock=Stock(days=20, as_at=DAY + timedelta(days=3)))
    assert (found.grade, found.days_left(DAY + timedelta(days=3))) == (Grade.STATED, 20)


def test_stock_stated_before_the_delivery_is_used_up_first() -> None:
    found = after(counted(), stock=Stock(days=10, as_at=DAY - timedelta(days=4)))
    assert [(term.words, term.days) for term in found.sum_on(DAY + timedelta(days=5))] == [
        ("Delivered on 20 Oct 2026: 4 pre-filled disposable injections, at the most that is taken a day", 28),
        ("Left on that day of 10 days stated on 16 Oct 2026", 6),
        ("Used since 20 Oct 2026, if taken as prescribed", -5),
    ]
    assert found.days_left(DAY + timedelta(days=5)) == 29


counts = st.integers(min_value=1, max_value=400)
spans = st.integers(min_value=0, max_value=400)


@given(days=counts, delivered=st.none() | spans, stated=st.none() | spans, stock=spans, later=spans)
def test_the_sum_adds_up_to_what_is_left(
    days: int, delivered: int | None, stated: int | None, stock: int, later: int
) -> None:
    supplies = () if delivered is None else (Supplied(on=DAY + timedelta(days=delivered)),)
    said = None if stated is None else Stock(days=stock, as_at=DAY + timedelta(days=stated))
    found = cover(line(days_per_supply=days), supplies, said)
    today = DAY + timedelta(days=later)
    left = found.days_left(today)
    if delivered is None and stated is None:
        assert left is None
        return
    assert left == max(0, sum(term.days for term in found.sum_on(today)))


@given(quantity=counts, a_week=st.integers(min_value=1, max_value=40), later=spans)
def test_never_more_days_than_doses(quantity: int, a_week: int, later: int) -> None:
    timing = Timing(frequency=a_week, period=Decimal(1), period_unit=TimeUnit.WEEK)
    what = counted(dosage(dose=ONE, timing=timing), quantity=syringes(quantity))
    left = after(what).days_left(DAY + timedelta(days=later))
    assert left is not None
    assert left * a_week <= quantity * 7


@given(first=spans, second=spans, days=counts)
def test_a_later_delivery_never_leaves_less(first: int, second: int, days: int) -> None:
    earlier, later = sorted((DAY + timedelta(days=first), DAY + timedelta(days=second)))
    what = line(days_per_supply=days)
    one = cover(what, (Supplied(on=earlier),), None).ends_on
    both = cover(what, (Supplied(on=later), Supplied(on=earlier)), None).ends_on
    assert one is not None
    assert both is not None
    assert both >= one
