"""Supply sums: quantity against dose, frequency and the time one supply must last."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.coding import SNOMED, UCUM, Coding
from gateway.domain.prescription import AsNeeded, Bounds, Dosage, Duration, Line, ProductLevel, Range, TimeUnit, Timing
from gateway.domain.quantity import Quantity
from gateway.domain.reference import ProductRow
from gateway.validate.supply import gap_doubts, supply_doubts, supply_sum
from tests.factories import SYRINGE, line

MG = Coding(system=UCUM, code="mg", display="milligram")
ML = Coding(system=UCUM, code="mL", display="millilitre")
TABLET = Coding(system=SNOMED, code="428673006", display="tablet")
TABLETS = ProductRow(code="1", level=ProductLevel.VMP, display="Example 5mg tablets", strength="5mg", unit=TABLET)
SYRUP = ProductRow(
    code="1", level=ProductLevel.VMP, display="Example 5mg/5ml oral solution", strength="5mg/5ml", unit=ML
)
PENS = ProductRow(
    code="1", level=ProductLevel.VMP, display="Example 10mg/0.2ml injection", strength="10mg/0.2ml", unit=SYRINGE
)
MULTIDOSE = replace(
    PENS, display="Example 20micrograms/80microlitres 2.4ml pre-filled", strength="20micrograms/80microlitres"
)


def _days(number: int) -> Duration:
    return Duration(value=Decimal(number), unit=TimeUnit.DAY)


def _dosage(dose: str, times: int, unit: Coding = MG, *, per: TimeUnit = TimeUnit.DAY, bound: int = 0) -> Dosage:
    bounds = Bounds(duration=_days(bound)) if bound else None
    return Dosage(
        dose=Quantity(value=Decimal(dose), unit=unit),
        timing=Timing(frequency=times, period=Decimal(1), period_unit=per, bounds=bounds),
    )


def _line(quantity: str, unit: Coding, *dosages: Dosage, days: int | None = None, supplies: int = 1) -> Line:
    return line(
        dosages=dosages,
        quantity=Quantity(value=Decimal(quantity), unit=unit),
        days_per_supply=days,
        total_supplies=supplies,
    )


def _verdict(value: Line, row: ProductRow) -> str:
    """Say what became of it: "", "warned" or "held"."""
    found = list(supply_doubts(value, row))
    assert {one.code for one in found} <= {"SUPPLY_SUM_MISMATCH"}
    return ("held" if found[0].escalated else "warned") if found else ""


def _dated(dosage: Dosage, days: int) -> Dosage:
    """Bound a dosage by its first and its last day instead of by a number of days."""
    assert dosage.timing is not None
    first = date(2026, 10, 19)
    bounds = Bounds(start=first, end=first + timedelta(days=days - 1))
    return replace(dosage, timing=replace(dosage.timing, bounds=bounds))


WEEKLY = _dosage("10", 1, per=TimeUnit.WEEK)
CASES = {
    "four syringes for four weeks": (_line("4", SYRINGE, WEEKLY, days=28, supplies=6), PENS, ""),
    "a tablet twice a day for 28 days": (_line("56", TABLET, _dosage("5", 2), days=28), TABLETS, ""),
    "two packs of 28 for 60 days": (_line("56", TABLET, _dosage("5", 1), days=60), TABLETS, ""),
    "one tablet too many": (_line("8", TABLET, _dosage("5", 1), days=7), TABLETS, ""),
    "a part of a syringe is a whole one": (
        _line("4", SYRINGE, _dosage("7.5", 1, per=TimeUnit.WEEK), days=28),
        PENS,
        "",
    ),
    "half as much again": (_line("84", TABLET, _dosage("5", 2), days=28), TABLETS, "warned"),
    "ten times too much": (_line("560", TABLET, _dosage("5", 2), days=28), TABLETS, "held"),
    "a tenth of it": (_line("6", TABLET, _dosage("5", 2), days=28), TABLETS, "held"),
    "5 mg five times a day for 10 days from 5 ml": (_line("5", ML, _dosage("5", 5, bound=10)), SYRUP, "held"),
    "methotrexate five times a day for 10 days from one syringe": (
        _line("1", SYRINGE, _dosage("10", 5, bound=10)),
        PENS,
        "held",
    ),
    "steps that follow each other": (
        _line(
            "42",
            TABLET,
            replace(_dosage("4", 1, TABLET, bound=7), sequence=1),
            replace(_dosage("2", 1, TABLET, bound=7), sequence=2),
        ),
        TABLETS,
        "",
    ),
    "doses on the same day add up": (
        _line("8", TABLET, _dosage("2", 1, TABLET, bound=2), _dosage("2", 1, TABLET, bound=2)),
        TABLETS,
        "",
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_a_quantity_fits_or_does_not(case: tuple[Line, ProductRow, str]) -> None:
    value, row, expected = case
    assert _verdict(value, row) == expected


SILENT = {
    "as required": _line("1", TABLET, replace(_dosage("5", 2), as_needed=AsNeeded()), days=28),
    "no days": _line("1", TABLET, _dosage("5", 2)),
    "a month of days": _line("1", TABLET, _dosage("5", 2, per=TimeUnit.MONTH), days=28),
    "no timing": _line("1", TABLET, Dosage(dose=Quantity(value=Decimal(5), unit=MG)), days=28),
    "another measure": _line("1", ML, _dosage("5", 2), days=28),
    "maintenance without an end": _line(
        "1", TABLET, _dosage("5", 2, bound=7), replace(_dosage("5", 1), sequence=2), days=28
    ),
    "a count": _line(
        "1",
        TABLET,
        replace(_dosage("5", 1), timing=Timing(frequency=1, period=Decimal(1), period_unit=TimeUnit.DAY, count=3)),
        days=28,
    ),
}


@pytest.mark.parametrize("value", SILENT.values(), ids=SILENT)
def test_what_cannot_be_computed_exactly_is_not_spoken_of(value: Line) -> None:
    assert _verdict(value, TABLETS) == ""


MICROGRAMS = ProductRow(
    code="1",
    level=ProductLevel.VMP,
    display="Example 40micrograms/0.4ml injection",
    strength="40micrograms/0.4ml",
    unit=SYRINGE,
)
FORTNIGHTLY = Timing(frequency=1, period=Decimal(2), period_unit=TimeUnit.WEEK)
ONE_DOSE = {
    "milligrams for micrograms": (Dosage(dose=Quantity(value=Decimal(40), unit=MG), timing=FORTNIGHTLY), "held"),
    "the same in words alone": (Dosage(text="Inject 40mg every 2 weeks"), "held"),
    "as required": (Dosage(dose=Quantity(value=Decimal(40), unit=MG), as_needed=AsNeeded()), "held"),
    "three of the two syringes": (Dosage(dose=Quantity(value=Decimal(3), unit=SYRINGE), timing=FORTNIGHTLY), "warned"),
    "both syringes at once": (Dosage(dose=Quantity(value=Decimal(2), unit=SYRINGE), timing=FORTNIGHTLY), ""),
    "a range that begins within it": (
        Dosage(
            dose=Range(low=Quantity(value=Decimal(1), unit=SYRINGE), high=Quantity(value=Decimal(3), unit=SYRINGE)),
            timing=FORTNIGHTLY,
        ),
        "",
    ),
    "words that are not read": (Dosage(text="Inject as on your card, 40mg increasing"), ""),
}


@pytest.mark.parametrize("case", ONE_DOSE.values(), ids=ONE_DOSE)
def test_one_dose_is_never_more_than_the_whole_supply(case: tuple[Dosage, str]) -> None:
    dosage, expected = case
    assert _verdict(_line("2", SYRINGE, dosage), MICROGRAMS) == expected


@pytest.mark.parametrize(
    ("lasts", "weeks", "supplies", "expected"),
    [
        (28, 4, 6, ""),
        (30, 4, 6, ""),
        (28, 8, 6, "warned"),
        (28, 12, 6, "held"),
        (28, 12, 1, ""),
        (None, 12, 6, ""),
        (28, None, 6, ""),
    ],
)
def test_a_supply_lasts_until_the_next_one(lasts: int | None, weeks: int | None, supplies: int, expected: str) -> None:
    interval = Duration(value=Decimal(weeks), unit=TimeUnit.WEEK) if weeks else None
    value = line(days_per_supply=lasts, interval=interval, total_supplies=supplies)
    found = list(gap_doubts(value))
    assert (("held" if found[0].escalated else "warned") if found else "") == expected


def test_a_pen_that_holds_many_doses_is_not_counted_as_one() -> None:
    assert _verdict(_line("1", SYRINGE, _dosage("0.02", 1), days=28), MULTIDOSE) == ""


def test_what_is_used_in_a_day_is_not_rounded_until_the_sum_no_longer_holds() -> None:
    seldom = replace(_dosage("50", 1), timing=Timing(frequency=1, period=Decimal(12), period_unit=TimeUnit.WEEK))
    found = supply_sum(_line("50", MG, seldom, days=84), TABLETS)
    assert found is not None
    assert (found.per_day, found.needed) == ("about 0.5952", "50")
    daily = supply_sum(_line("28", TABLET, _dosage("5", 1), days=28), TABLETS)
    assert daily is not None
    assert (daily.per_day, daily.needed) == ("1", "28")


WORDS_ALONE = {
    "5mg five times a day for 10 days": ("5", ML, SYRUP, None, "held"),
    "5mg five times a day for 10 days, with food": ("250", ML, SYRUP, None, ""),
    "Take ONE tablet twice a day": ("56", TABLET, TABLETS, 28, ""),
    "Take TWO tablets twice a day": ("560", TABLET, TABLETS, 28, "held"),
    "Take 5mg once a week": ("28", TABLET, TABLETS, 28, "held"),
    "Take 5mg daily if needed": ("280", TABLET, TABLETS, 28, ""),
    "Take 5mg daily then 10mg daily": ("280", TABLET, TABLETS, 28, ""),
    "Take as on your card": ("280", TABLET, TABLETS, 28, ""),
}


@pytest.mark.parametrize(("text", "case"), WORDS_ALONE.items(), ids=WORDS_ALONE)
def test_words_alone_are_summed_where_they_say_one_dose(
    text: str, case: tuple[str, Coding, ProductRow, int | None, str]
) -> None:
    quantity, unit, row, days, expected = case
    assert _verdict(_line(quantity, unit, Dosage(text=text), days=days), row) == expected


def test_both_sides_of_the_sum_are_told() -> None:
    (found,) = supply_doubts(CASES["ten times too much"][0], TABLETS)
    assert found.values == ("560 tablet", "needed: 56 tablet")


@given(st.integers(1, 8), st.integers(1, 4), st.integers(1, 90))
def test_the_exact_quantity_always_fits_and_five_times_it_never_does(dose: int, times: int, days: int) -> None:
    exact = dose * times * days
    assert _verdict(_line(str(exact), TABLET, _dosage(str(dose), times, TABLET), days=days), TABLETS) == ""
    assert _verdict(_line(str(5 * exact), TABLET, _dosage(str(dose), times, TABLET), days=days), TABLETS) == "held"


@given(st.integers(1, 60), st.integers(1, 6), st.integers(1, 400), st.sampled_from([TimeUnit.DAY, TimeUnit.WEEK]))
def test_a_course_between_two_dates_is_summed_as_one_of_as_many_days(
    days: int, times: int, quantity: int, per: TimeUnit
) -> None:
    counted = _dosage("2", times, TABLET, per=per, bound=days)
    by_dates = _line(str(quantity), TABLET, _dated(counted, days))
    assert _verdict(by_dates, TABLETS) == _verdict(_line(str(quantity), TABLET, counted), TABLETS)


def test_a_course_between_two_dates_is_held_where_a_tenth_of_it_is_sent() -> None:
    course = _dated(_dosage("5", 5), 10)
    assert _verdict(_line("5", ML, course), SYRUP) == "held"
    assert _verdict(_line("250", ML, course), SYRUP) == ""


def test_a_course_that_ends_before_it_begins_is_not_summed() -> None:
    assert _verdict(_line("500", TABLET, _dated(_dosage("2", 1, TABLET), 0)), TABLETS) == ""


def test_steps_between_dates_are_added_up() -> None:
    first, then = _dated(_dosage("4", 1, TABLET), 7), replace(_dated(_dosage("2", 1, TABLET), 7), sequence=2)
    assert _verdict(_line("42", TABLET, first, then), TABLETS) == ""
    assert _verdict(_line("12", TABLET, first, then), TABLETS) == "held"
