"""Which dose is for which time of day: words made from a schedule never contradict it, exchanged doses always do."""

from datetime import time
from decimal import Decimal

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from gateway.domain.coding import SNOMED, UCUM, Coding
from gateway.domain.identifiers import SnomedCode
from gateway.domain.prescription import Dosage, Product, ProductLevel, TimeUnit, Timing
from gateway.domain.quantity import Quantity
from gateway.domain.reference import ProductRow
from gateway.translate.dose_words import words
from gateway.validate.words.check import doubts
from gateway.validate.words.grammar import read
from gateway.validate.words.moments import clauses
from tests.factories import line

MG = Coding(system=UCUM, code="mg", display="milligram")
TABLET = Coding(system=SNOMED, code="428673006", display="tablet")
TABLETS = ProductRow(code="1", level=ProductLevel.VMP, display="Example 5mg tablets", strength="5mg", unit=TABLET)
MORNING, NIGHT, EVENING, NOON = "MORN", "HS", "EVE", "NOON"
SAID = {"MORN": "morning", "HS": "night", "EVE": "evening", "NOON": "midday"}


def _dosage(
    value: str, *when: str, at: tuple[time, ...] = (), unit: Coding = MG, frequency: int | None = None
) -> Dosage:
    often = {"frequency": frequency, "period": Decimal(1), "period_unit": TimeUnit.DAY} if frequency else {}
    timing = Timing(when=when, time_of_day=at, **often)  # type: ignore[arg-type]
    return Dosage(dose=Quantity(value=Decimal(value), unit=unit), timing=timing)


def _worded(text: str, *dosages: Dosage) -> tuple[Dosage, ...]:
    first, *rest = dosages
    return (Dosage(text=text, dose=first.dose, timing=first.timing), *rest)


def _codes(text: str, *dosages: Dosage) -> list[str]:
    product = Product(code=SnomedCode("325427002"), display="Example 5mg tablets", level=ProductLevel.VMP)
    return [one.code for one in doubts(line(product=product, dosages=_worded(text, *dosages)), TABLETS)]


AGREES: list[str] = []
DIFFERS = ["TEXT_STRUCTURE_MISMATCH"]
TWO = (_dosage("20", MORNING), _dosage("40", NIGHT))
FORMS = [
    "{} mg morning {} mg night",
    "{} mg in the morning and {} mg at night",
    "Take {} mg every morning and {} mg every night",
    "{} mg mane, {} mg nocte",
    "{} mg am, {} mg pm",
    "{} mg AM / {} mg PM",
    "AM: {} mg, PM: {} mg",
    "morning {} mg, night {} mg",
    "In the morning take {} mg and at bedtime take {} mg",
    "{} mg with water on waking and {} mg at night before bed",
    "{} mg at 8am and {} mg at 10pm",
    "{} mg at 08:00 and {} mg at 22:00",
]


@pytest.mark.parametrize("form", FORMS)
def test_exchanged_doses_are_held_and_right_ones_are_not(form: str) -> None:
    assert _codes(form.format(20, 40), *TWO) == AGREES
    assert set(_codes(form.format(40, 20), *TWO)) == set(DIFFERS)
    assert _codes(form.format(20, 40), *reversed(TWO)) == AGREES
    clock = (_dosage("20", at=(time(8),)), _dosage("40", at=(time(22),)))
    assert _codes(form.format(20, 40), *clock) == AGREES
    assert set(_codes(form.format(40, 20), *clock)) == set(DIFFERS)


def test_amounts_in_tablets_are_exchanged_as_well() -> None:
    text = "{} tablets in the morning and {} tablets at night"
    assert _codes(text.format("Four", "eight"), *TWO) == AGREES
    assert set(_codes(text.format("Eight", "four"), *TWO)) == set(DIFFERS)


def test_an_amount_said_in_two_units_is_one_amount() -> None:
    text = "{} mg ({} tablets) in the morning and {} mg ({} tablets) at night"
    assert _codes(text.format(20, 4, 40, 8), *TWO) == AGREES
    assert set(_codes(text.format(40, 8, 20, 4), *TWO)) == set(DIFFERS)


@pytest.mark.parametrize(
    "text",
    [
        "20 mg in the morning, at night 40 mg",
        "20 mg in the morning or 40 mg at night",
        "20 mg in the morning, not 40 mg at night",
        "20 mg and 40 mg twice a day",
    ],
)
def test_words_that_run_otherwise_are_said_to_be_unchecked(text: str) -> None:
    assert _codes(text, *TWO) == ["TEXT_NOT_CHECKED"]


@pytest.mark.parametrize(
    ("text", "when", "codes"),
    [
        ("20 mg at night", NIGHT, AGREES),
        ("20 mg at night", EVENING, AGREES),
        ("20 mg at dinner", NOON, AGREES),
        ("20 mg at night before bed", NIGHT, AGREES),
        ("20 mg in the evening (at 8pm)", EVENING, AGREES),
        ("20 mg at night for morning stiffness", NIGHT, AGREES),
        ("20 mg at night", MORNING, DIFFERS),
        ("20 mg in the morning", NIGHT, DIFFERS),
        ("20 mg daily", MORNING, AGREES),
        ("20 mg once a day after a meal", MORNING, AGREES),
    ],
)
def test_one_dose_is_for_one_time_of_day(text: str, when: str, codes: list[str]) -> None:
    assert _codes(text, _dosage("20", when, frequency=1)) == codes


def test_parts_of_the_day_that_may_be_either_way_round_are_not_compared() -> None:
    early = (_dosage("20", "WAKE"), _dosage("40", "MORN.early"))
    assert _codes("20 mg on waking and 40 mg at breakfast", *early) == ["TEXT_NOT_CHECKED"]


def test_more_times_in_words_than_in_the_structure_are_not_matched() -> None:
    text = "20 mg in the morning and at noon, 40 mg at night"
    assert [timed.moment.words for timed in read(text).timed] == ["morning", "noon", "night"]
    assert _codes(text, *TWO) != AGREES


@pytest.mark.parametrize(
    ("marks", "wanted"),
    [
        ("", None),
        ("d", None),
        ("m", None),
        ("dm", [("0", "1")]),
        ("md", [("1", "0")]),
        ("dmdm", [("0", "1"), ("2", "3")]),
        ("mdmd", [("1", "0"), ("3", "2")]),
        ("ddmdm", [("01", "2"), ("3", "4")]),
        ("dmmdm", [("0", "12"), ("3", "4")]),
        ("dmd", None),
        ("mdm", None),
    ],
)
def test_clauses_are_read_only_from_an_order_without_doubt(marks: str, wanted: list[tuple[str, str]] | None) -> None:
    shown = [
        ("".join(map(str, doses)), "".join(map(str, moments))) for doses, moments in clauses(list(marks)) or ()
    ] or None
    assert shown == wanted


_PARTS = ("WAKE", "MORN", "CD", "AFT", "EVE", "HS")
_ALONE = ("ACM", "NOON", "PCV", "NIGHT")


@st.composite
def schedules(draw: st.DrawFn) -> tuple[Dosage, ...]:
    """Draw two to four doses, each for a moment of its own, in any order."""
    codes = draw(
        st.lists(st.sampled_from(draw(st.sampled_from([_PARTS, _ALONE]))), min_size=2, max_size=4, unique=True)
    )
    hours = draw(st.lists(st.integers(0, 23), min_size=len(codes), max_size=len(codes), unique=True))
    clock = draw(st.booleans())
    unit = draw(st.sampled_from([MG, TABLET]))
    frequency = draw(st.sampled_from([None, 1]))
    values = draw(st.lists(st.integers(1, 9), min_size=len(codes), max_size=len(codes)))
    return tuple(
        _dosage(str(value), unit=unit, frequency=frequency, at=(time(hour),))
        if clock
        else _dosage(str(value), code, unit=unit, frequency=frequency)
        for value, code, hour in zip(values, codes, hours, strict=True)
    )


@given(schedules())
def test_words_made_from_a_schedule_never_contradict_it(dosages: tuple[Dosage, ...]) -> None:
    assert _codes(str(words(dosages)), *dosages) == AGREES


@given(schedules(), st.data())
def test_exchanged_doses_always_contradict(dosages: tuple[Dosage, ...], data: st.DataObject) -> None:
    doses = [dosage.dose for dosage in dosages]
    exchanged = data.draw(st.permutations(doses))
    assume(exchanged != doses)
    other = tuple(Dosage(dose=dose, timing=dosage.timing) for dose, dosage in zip(exchanged, dosages, strict=True))
    assert set(_codes(str(words(dosages)), *other)) == set(DIFFERS)


@given(st.permutations(["MORN", "NOON", "EVE"]), st.lists(st.integers(1, 9), min_size=3, max_size=3))
def test_words_as_people_write_them_are_read_in_any_order(order: list[str], values: list[int]) -> None:
    stated = [_dosage(str(value), code) for value, code in zip(values, ("MORN", "NOON", "EVE"), strict=True)]
    amount = dict(zip(("MORN", "NOON", "EVE"), values, strict=True))
    text = ", ".join(f"{amount[code]} mg in the {SAID[code]}".replace("in the midday", "at midday") for code in order)
    assert _codes(text, *stated) == AGREES
