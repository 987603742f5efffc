"""Notes beside the directions: plain directions that differ are held, and nothing else is."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.coding import SNOMED, UCUM, Coding
from gateway.domain.identifiers import SnomedCode
from gateway.domain.prescription import Dosage, Product, ProductLevel, TimeUnit, Timing
from gateway.domain.quantity import Quantity
from gateway.domain.reference import ProductRow
from gateway.translate.dose_words import words
from gateway.validate.words.notes import note_doubts
from tests.factories import SUBCUTANEOUS, line

MG = Coding(system=UCUM, code="mg", display="milligram")
TABLET = Coding(system=SNOMED, code="428673006", display="tablet")
ROW = ProductRow(
    code="1", level=ProductLevel.VMP, display="Example 5mg tablets", ingredient="Examplin", strength="5mg", unit=TABLET
)
PRODUCT = Product(code=SnomedCode("325427002"), display="Example 5mg tablets", level=ProductLevel.VMP)
HELD, UNCHECKED, NOTHING = "TEXT_STRUCTURE_MISMATCH", "TEXT_NOT_CHECKED", ""


def _times(number: int, unit: TimeUnit = TimeUnit.DAY, *days: str) -> Timing:
    return Timing(frequency=number, period=Decimal(1), period_unit=unit, day_of_week=days)


def _dosage(value: str = "20", timing: Timing | None = None, *, unit: Coding = MG) -> Dosage:
    return Dosage(
        dose=Quantity(value=Decimal(value), unit=unit), timing=timing or _times(1), route=SUBCUTANEOUS, text="as said"
    )


def _told(note: str, *dosages: Dosage) -> str:
    value = line(product=PRODUCT, dosages=dosages or (_dosage(),), notes=("Ring before delivery.", note))
    found = list(note_doubts(value, ROW))
    assert all(one.at == "notes[1]" for one in found)
    assert all(len(one.values) == 2 and all(one.values) for one in found if one.code == HELD)
    return found[0].code if found else NOTHING


@pytest.mark.parametrize(
    "note",
    [
        "40 mg once a day",
        "Take 40 mg daily",
        "Inject 40 mg",
        "Dose 20 micrograms daily",
        "Please take 20 mg twice a day",
        "Take once a week",
        "Take EIGHT tablets daily",
        "Example 40 mg daily",
        "Please deliver on Monday. Inject 40 mg once a day.",
        "Take 20 mg daily by mouth",
    ],
)
def test_a_note_that_directs_otherwise_is_held(note: str) -> None:
    assert _told(note) == HELD


@pytest.mark.parametrize(
    "note",
    [
        "20 mg once a day",
        "Take FOUR tablets daily",
        "Inject 20 mg every day with food",
        "",
        "New patient",
        "Use 2.5mg tablets only",
        "Weekly delivery please",
        "Deliver 4 weekly",
        "Bloods every 4 weeks",
        "Previous dose 15 mg",
        "Increased from 10 mg",
        "Last supply 28 tablets",
        "Weight 72.5 kg",
        "Keep 2 weeks in hand",
        "Also takes folic acid 5 mg",
        "Drink 2 litres of water daily",
        "Take temperature once a week",
        "weekly",
        "10 mg",
    ],
)
def test_a_note_that_restates_the_dose_or_speaks_of_something_else_contradicts_nothing(note: str) -> None:
    assert _told(note) == NOTHING


@pytest.mark.parametrize(
    "note",
    [
        "Patient also takes folic acid 5 mg once a week",
        "Increased from 10 mg weekly",
        "Was 15 mg daily until last month",
        "If not tolerated give 10 mg daily",
    ],
)
def test_another_dose_among_words_that_are_not_understood_is_said_to_be_unchecked(note: str) -> None:
    assert _told(note) == UNCHECKED


def test_the_amount_of_a_day_in_one_is_not_another_dose() -> None:
    twice = _dosage("20", _times(2))
    assert _told("40 mg daily", twice) == UNCHECKED
    assert _told("60 mg daily", twice) == HELD
    parts = (_dosage("20", Timing(when=("MORN",))), _dosage("40", Timing(when=("HS",))))
    assert _told("60 mg once a day", *parts) == UNCHECKED
    assert _told("20 mg once a day", *parts) == NOTHING


def test_one_of_several_doses_may_be_noted() -> None:
    steps = (_dosage("20"), Dosage(sequence=2, dose=Quantity(value=Decimal(40), unit=MG), timing=_times(1)))
    assert _told("Take 40 mg daily", *steps) == NOTHING
    assert _told("Take 80 mg daily", *steps) == HELD


def test_another_weekday_is_held() -> None:
    weekly = _dosage("20", _times(1, TimeUnit.WEEK, "mon"))
    assert _told("Take 20 mg on Monday", weekly) == NOTHING
    assert _told("Take 20 mg once a week on Tuesday", weekly) == HELD


def test_a_note_beside_words_alone_is_compared_with_the_words() -> None:
    assert _told("Take 40 mg daily", Dosage(text="Take 20 mg daily")) == HELD
    assert _told("Take 20 mg daily", Dosage(text="Take 20 mg daily")) == NOTHING
    assert _told("Take 40 mg daily", Dosage(text="As your clinic advises")) == NOTHING
    assert _told("Take 40 mg daily", Dosage(text="20 mg daily, then 30 mg daily")) == NOTHING


@given(st.integers(1, 99), st.integers(1, 99), st.integers(1, 4), st.integers(1, 4))
def test_words_made_from_the_line_are_its_note_and_those_of_another_dose_are_not(
    dose: int, other: int, times: int, often: int
) -> None:
    mine = Dosage(dose=Quantity(value=Decimal(dose), unit=MG), timing=_times(times))
    noted = Dosage(dose=Quantity(value=Decimal(other), unit=MG), timing=_times(often))
    told = _told(str(words([noted])), mine)
    if (dose, times) == (other, often):
        assert told == NOTHING
    else:
        assert told == (UNCHECKED if dose * times == other * often else HELD)


WEEKLY, FORTNIGHTLY = _times(1, TimeUnit.WEEK), Timing(frequency=1, period=Decimal(2), period_unit=TimeUnit.WEEK)


@pytest.mark.parametrize(
    ("note", "timing", "expected"),
    [
        ("Take in the morning", WEEKLY, NOTHING),
        ("Inject in the evening", FORTNIGHTLY, NOTHING),
        ("Inject on Fridays", FORTNIGHTLY, NOTHING),
        ("Inject on Fridays", WEEKLY, NOTHING),
        ("Inject on Mondays and Fridays", WEEKLY, HELD),
        ("Take in the morning and at night", WEEKLY, HELD),
        ("Take on Fridays", _times(1), HELD),
        ("Take in the morning", _times(2), HELD),
        ("Take daily", WEEKLY, HELD),
    ],
)
def test_a_day_or_a_time_of_day_says_which_and_not_how_often(note: str, timing: Timing, expected: str) -> None:
    assert _told(note, _dosage(timing=timing)) == expected
