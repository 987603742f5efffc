"""Words against structure: what agrees, what contradicts, what could not be compared."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.coding import SNOMED, UCUM, Coding
from gateway.domain.identifiers import SnomedCode
from gateway.domain.prescription import Bounds, Dosage, Duration, Product, ProductLevel, Range, TimeUnit, Timing
from gateway.domain.quantity import Quantity
from gateway.domain.reference import ProductRow
from gateway.translate.dose_words import words
from gateway.validate.amounts import NO_STRENGTH
from gateway.validate.words.check import Doubt, doubts
from gateway.validate.words.compare import compared, differences
from gateway.validate.words.grammar import read
from tests.factories import SUBCUTANEOUS, SYRINGE, dosage, line

MG = Coding(system=UCUM, code="mg", display="milligram")
TABLET = Coding(system=SNOMED, code="428673006", display="tablet")
ORAL = Coding(system=SNOMED, code="26643006", display="Oral route")
TABLETS = ProductRow(code="1", level=ProductLevel.VMP, display="Example 5mg tablets", strength="5mg", unit=TABLET)
PENS = ProductRow(
    code="1", level=ProductLevel.VMP, display="Example 40mg/0.8ml pens", strength="40mg/0.8ml", unit=SYRINGE
)
EVERY_DAY = Timing(frequency=1, period=Decimal(1), period_unit=TimeUnit.DAY)
EVERY_WEEK = Timing(frequency=1, period=Decimal(1), period_unit=TimeUnit.WEEK)


def _amount(value: str, unit: Coding = MG) -> Quantity:
    return Quantity(value=Decimal(value), unit=unit)


def _found(row: ProductRow, *dosages: Dosage, name: str = "Example") -> list[Doubt]:
    product = Product(code=SnomedCode("15517911000001104"), display=name, level=ProductLevel.VMP)
    return list(doubts(line(product=product, dosages=dosages), row))


def _codes(row: ProductRow, *dosages: Dosage, name: str = "Example") -> list[str]:
    return [one.code for one in _found(row, *dosages, name=name)]


def _times(number: int, unit: TimeUnit = TimeUnit.DAY, period: int = 1) -> Timing:
    return Timing(frequency=number, period=Decimal(period), period_unit=unit)


AGREE = {
    "the same words": ("5mg once daily", Dosage(dose=_amount("5"), timing=EVERY_DAY), TABLETS),
    "a tablet of 5 mg": ("ONE tablet daily", Dosage(dose=_amount("5"), timing=EVERY_DAY), TABLETS),
    "milligrams of a tablet": ("10mg daily", Dosage(dose=_amount("2", TABLET), timing=EVERY_DAY), TABLETS),
    "a bare number of tablets": ("take 2 at night", Dosage(dose=_amount("2", TABLET), timing=EVERY_DAY), TABLETS),
    "the contents of a pen": (
        "inject contents of one pen every 14 days",
        Dosage(dose=_amount("40"), timing=_times(1, TimeUnit.WEEK, 2)),
        PENS,
    ),
    "millilitres of a pen": (
        "0.8 ml fortnightly",
        Dosage(dose=_amount("40"), timing=_times(1, TimeUnit.WEEK, 2)),
        PENS,
    ),
    "grams and milligrams": ("1 g twice a day", Dosage(dose=_amount("1000"), timing=_times(2)), TABLETS),
    "twice a day and every 12 hours": (
        "5 mg twice a day",
        Dosage(dose=_amount("5"), timing=_times(1, TimeUnit.HOUR, 12)),
        TABLETS,
    ),
    "a weekday the structure lacks": ("5 mg weekly on Monday", Dosage(dose=_amount("5"), timing=EVERY_WEEK), TABLETS),
    "once a day on one weekday": (
        "5 mg once a week on Monday",
        Dosage(
            dose=_amount("5"),
            timing=Timing(frequency=1, period=Decimal(1), period_unit=TimeUnit.DAY, day_of_week=("mon",)),
        ),
        TABLETS,
    ),
    "a range": (
        "1 to 2 tablets daily",
        Dosage(dose=Range(low=_amount("1", TABLET), high=_amount("2", TABLET)), timing=EVERY_DAY),
        TABLETS,
    ),
    "a range that says its unit twice": (
        "5mg to 10mg once a day",
        Dosage(dose=Range(low=_amount("5"), high=_amount("10")), timing=EVERY_DAY),
        TABLETS,
    ),
    "a range of one thing to several": (
        "1 tablet to 2 tablets once a day",
        Dosage(dose=Range(low=_amount("1", TABLET), high=_amount("2", TABLET)), timing=EVERY_DAY),
        TABLETS,
    ),
    "every other Tuesday": (
        "5 mg every other Tuesday",
        Dosage(
            dose=_amount("5"),
            timing=Timing(frequency=1, period=Decimal(2), period_unit=TimeUnit.WEEK, day_of_week=("tue",)),
        ),
        TABLETS,
    ),
    "a maximum beside the dose": (
        "1 tablet daily, maximum 4 tablets in 24 hours",
        Dosage(dose=_amount("1", TABLET), timing=EVERY_DAY),
        TABLETS,
    ),
    "more words than structure": (
        "Take ONE tablet daily with plenty of water under specialist supervision",
        Dosage(dose=_amount("1", TABLET), timing=EVERY_DAY),
        TABLETS,
    ),
}


@pytest.mark.parametrize("case", AGREE.values(), ids=AGREE)
def test_words_that_agree_give_no_issue(case: tuple[str, Dosage, ProductRow]) -> None:
    text, structure, row = case
    assert _codes(row, _worded(structure, text)) == []


def _worded(structure: Dosage, text: str) -> Dosage:
    return Dosage(
        text=text, dose=structure.dose, timing=structure.timing, route=structure.route, sequence=structure.sequence
    )


DIFFER = {
    "a dose ten times as high": ("50mg daily", Dosage(dose=_amount("5"), timing=EVERY_DAY), TABLETS),
    "milligram and microgram": ("5 micrograms daily", Dosage(dose=_amount("5"), timing=EVERY_DAY), TABLETS),
    "two tablets of 5 mg": (
        "2 tablets to be taken at 08:00 for two days",
        Dosage(dose=_amount("5"), timing=EVERY_DAY),
        TABLETS,
    ),
    "half a tablet": ("half a tablet daily", Dosage(dose=_amount("1", TABLET), timing=EVERY_DAY), TABLETS),
    "a tablet and a capsule": ("ONE capsule daily", Dosage(dose=_amount("1", TABLET), timing=EVERY_DAY), TABLETS),
    "daily and weekly": ("5mg daily", Dosage(dose=_amount("5"), timing=EVERY_WEEK), TABLETS),
    "weekly and fortnightly": (
        "one pen weekly",
        Dosage(dose=_amount("40"), timing=_times(1, TimeUnit.WEEK, 2)),
        PENS,
    ),
    "monthly and every four weeks": (
        "40 mg monthly",
        Dosage(dose=_amount("40"), timing=_times(1, TimeUnit.WEEK, 4)),
        PENS,
    ),
    "a range that says its unit twice and another": (
        "5mg to 15mg once a day",
        Dosage(dose=Range(low=_amount("5"), high=_amount("10")), timing=EVERY_DAY),
        TABLETS,
    ),
    "every other Tuesday and every Tuesday": (
        "5 mg every other Tuesday",
        Dosage(
            dose=_amount("5"),
            timing=Timing(frequency=1, period=Decimal(1), period_unit=TimeUnit.WEEK, day_of_week=("tue",)),
        ),
        TABLETS,
    ),
    "a range and a dose": ("1-2 tablets daily", Dosage(dose=_amount("1", TABLET), timing=EVERY_DAY), TABLETS),
    "other weekdays": (
        "5 mg weekly on Tuesday",
        Dosage(
            dose=_amount("5"),
            timing=Timing(frequency=1, period=Decimal(1), period_unit=TimeUnit.WEEK, day_of_week=("mon",)),
        ),
        TABLETS,
    ),
    "another route": (
        "5 mg daily by mouth",
        Dosage(dose=_amount("5"), timing=EVERY_DAY, route=SUBCUTANEOUS),
        TABLETS,
    ),
    "injected by mouth": ("Inject 5 mg daily", Dosage(dose=_amount("5"), timing=EVERY_DAY, route=ORAL), TABLETS),
    "another duration": (
        "5 mg daily for 7 days",
        Dosage(
            dose=_amount("5"),
            timing=Timing(
                frequency=1,
                period=Decimal(1),
                period_unit=TimeUnit.DAY,
                bounds=Bounds(duration=Duration(value=Decimal(10), unit=TimeUnit.DAY)),
            ),
        ),
        TABLETS,
    ),
    "a step the structure lacks": (
        "5 mg daily, then 10 mg daily",
        Dosage(dose=_amount("5"), timing=EVERY_DAY),
        TABLETS,
    ),
}


@pytest.mark.parametrize("case", DIFFER.values(), ids=DIFFER)
def test_words_that_contradict_are_held_with_both_values(case: tuple[str, Dosage, ProductRow]) -> None:
    text, structure, row = case
    found = _found(row, _worded(structure, text))
    assert {one.code for one in found} == {"TEXT_STRUCTURE_MISMATCH"}
    assert all(all(one.values) and len(one.values) == 2 for one in found)
    assert all(one.at == "dosages[0].text" for one in found)


@pytest.mark.parametrize(
    "text",
    [
        "Take FOUR daily",
        "4 daily",
        "5 mg every second Tuesday of the month",
        "5mg biweekly",
        "with food",
        "5mg",
        "every day",
        "5 mg daily, increasing as tolerated",
        "40 mg in 2 doses daily",
    ],
)
def test_words_that_cannot_be_compared_with_the_whole_structure_are_said_to_be_unchecked(text: str) -> None:
    structure = Dosage(text=text, dose=_amount("5"), timing=EVERY_DAY)
    codes = _codes(TABLETS, structure)
    assert codes == ["TEXT_STRUCTURE_MISMATCH"] if "40" in text else codes == ["TEXT_NOT_CHECKED"]


def test_words_alone_need_no_check() -> None:
    assert _codes(TABLETS, Dosage(text="Take one as your nurse showed you")) == []


def test_a_dose_in_tablets_is_not_compared_with_milligrams_where_the_strength_is_not_known() -> None:
    row = ProductRow(code="1", level=ProductLevel.VMP, display="Example", strength="5mg / 10mg", unit=TABLET)
    assert _codes(row, Dosage(text="2 tablets daily", dose=_amount("5"), timing=EVERY_DAY)) == ["TEXT_NOT_CHECKED"]


def test_words_written_once_are_the_words_of_every_dosage() -> None:
    first = Dosage(text="40 mg weekly, 80 mg daily", dose=_amount("40"), timing=EVERY_WEEK)
    assert _codes(TABLETS, first, Dosage(sequence=2, dose=_amount("80"), timing=EVERY_DAY)) == []
    assert "TEXT_STRUCTURE_MISMATCH" in _codes(TABLETS, first, Dosage(sequence=2, dose=_amount("20"), timing=EVERY_DAY))


def test_methotrexate_more_often_than_weekly_is_held_though_words_and_structure_agree() -> None:
    structure = dosage(text="Inject 10mg ONCE a DAY", timing=EVERY_DAY)
    assert _codes(TABLETS, structure, name="Methotrexate 10mg") == ["WEEKLY_MEDICINE_MORE_OFTEN"]
    assert _codes(TABLETS, dosage(text="", timing=EVERY_DAY), name="Methotrexate") == ["WEEKLY_MEDICINE_MORE_OFTEN"]
    assert _codes(TABLETS, dosage(), name="Methotrexate 10mg") == []


@pytest.mark.parametrize(
    "directions", [dosage(text="Inject 10mg", timing=EVERY_WEEK), Dosage(text="Inject 10mg as your clinic advises")]
)
def test_methotrexate_whose_words_state_no_frequency_is_held(directions: Dosage) -> None:
    found = _found(TABLETS, directions, name="Methotrexate")
    assert [(one.code, one.escalated) for one in found] == [("TEXT_NOT_CHECKED", True)]


@pytest.mark.parametrize("text", ["Inject 10mg once a week", "Inject 10mg on Mondays", "Inject 10mg once only"])
def test_methotrexate_in_words_alone_that_state_how_often_is_not_held(text: str) -> None:
    assert _codes(TABLETS, Dosage(text=text), name="Methotrexate") == []


def test_methotrexate_too_often_in_words_alone_is_told_of_the_words() -> None:
    (found,) = _found(TABLETS, Dosage(text="Take 10mg daily"), name="Methotrexate")
    assert (found.code, found.at) == ("WEEKLY_MEDICINE_MORE_OFTEN", "dosages[0].text")


def _coded(code: str, display: str = "", **timing: Any) -> Timing:
    return Timing(code=Coding(code=code, display=display), **timing)


WEEKLY_CODED: dict[str, Any] = {"frequency": 1, "period": Decimal(1), "period_unit": TimeUnit.WEEK}


@pytest.mark.parametrize(
    ("text", "timing"),
    [
        ("5mg once a week", _coded("BID")),
        ("5mg once a week", _coded("229797004", "Once daily")),
        ("5mg once a week", _coded("", "daily", **WEEKLY_CODED)),
        ("", _coded("BID", **WEEKLY_CODED)),
    ],
)
def test_the_code_of_a_timing_may_say_nothing_else(text: str, timing: Timing) -> None:
    assert _codes(TABLETS, Dosage(text=text, dose=_amount("5"), timing=timing)) == ["TEXT_STRUCTURE_MISMATCH"]


def test_the_code_of_a_timing_agrees_or_is_said_to_be_unchecked() -> None:
    def codes(text: str, timing: Timing) -> list[str]:
        return _codes(TABLETS, Dosage(text=text, dose=_amount("5"), timing=timing))

    assert codes("5mg twice a day", _coded("BID")) == []
    assert codes("5mg once a week", _coded("WK", **WEEKLY_CODED)) == []
    assert codes("5mg once a week", _coded("LOCAL9")) == ["TEXT_NOT_CHECKED"]


def test_a_weekly_medicine_with_a_daily_code_is_held() -> None:
    directions = Dosage(dose=_amount("10"), timing=_coded("QD"))
    assert _codes(TABLETS, directions, name="Methotrexate") == ["WEEKLY_MEDICINE_MORE_OFTEN"]


def test_a_brand_is_known_by_its_ingredient_to_be_given_weekly() -> None:
    branded = replace(PENS, display="RoActemra 162mg/0.9ml pens", ingredient="Tocilizumab")
    assert _codes(branded, Dosage(text="Inject ONE pen daily")) == ["WEEKLY_MEDICINE_MORE_OFTEN"]
    assert _codes(branded, Dosage(text="Inject ONE pen weekly")) == []


ONCE_A_DAY = "Take ONE tablet once a day"


@pytest.mark.parametrize(
    "directions",
    [
        Dosage(text="5mg twice a day", patient_instruction=ONCE_A_DAY, dose=_amount("5"), timing=_times(2)),
        Dosage(patient_instruction="Take TWO tablets twice a day", dose=_amount("5"), timing=_times(2)),
        Dosage(text="Take ONE tablet twice a day", patient_instruction=ONCE_A_DAY),
        Dosage(text=ONCE_A_DAY, patient_instruction="Take TWO tablets once a day"),
    ],
)
def test_directions_sent_twice_and_differently_are_held_with_both_values(directions: Dosage) -> None:
    (found,) = _found(TABLETS, directions)
    assert (found.code, found.at) == ("TEXT_STRUCTURE_MISMATCH", "dosages[0].patient_instruction")
    assert all(found.values)


@pytest.mark.parametrize(
    "advice",
    [
        "Take with food",
        "Drink 2 litres of water daily",
        "Take out of the refrigerator 30 minutes before",
        "Check your temperature every week",
        "Take ONE tablet twice a day",
    ],
)
def test_advice_beside_the_directions_contradicts_nothing(advice: str) -> None:
    said_again = Dosage(text="5mg twice a day", patient_instruction=advice, dose=_amount("5"), timing=_times(2))
    assert _codes(TABLETS, said_again) == []
    assert _codes(TABLETS, Dosage(text="Take ONE tablet twice a day", patient_instruction=advice)) == []


_UNITS = (MG, Coding(system=UCUM, code="mL", display="millilitre"), TABLET)
_doses = st.builds(
    Quantity,
    value=st.decimals(min_value=Decimal("0.01"), max_value=9999, places=2),
    unit=st.sampled_from(_UNITS),
)
_timings = st.builds(
    Timing,
    frequency=st.integers(1, 9),
    period=st.integers(1, 12).map(Decimal),
    period_unit=st.sampled_from([TimeUnit.HOUR, TimeUnit.DAY, TimeUnit.WEEK, TimeUnit.MONTH, TimeUnit.YEAR]),
    day_of_week=st.lists(st.sampled_from(["mon", "tue", "sat", "sun"]), max_size=3, unique=True).map(tuple),
)
_dosages = st.builds(Dosage, dose=_doses, timing=_timings, route=st.sampled_from([None, ORAL, SUBCUTANEOUS]))


@given(_dosages)
def test_words_made_from_a_structure_are_read_back_as_that_structure(structure: Dosage) -> None:
    said = read(str(words([structure])))
    assert differences(said, [structure], NO_STRENGTH) == ()
    assert compared(said, [structure], NO_STRENGTH)


@given(_dosages, _dosages)
def test_words_of_another_dose_in_the_same_unit_contradict(one: Dosage, other: Dosage) -> None:
    assert isinstance(one.dose, Quantity)
    assert isinstance(other.dose, Quantity)
    said = read(str(words([Dosage(dose=one.dose)])))
    same = one.dose.unit != other.dose.unit or one.dose.value == other.dose.value
    assert bool(differences(said, [other], NO_STRENGTH)) is not same


@pytest.mark.parametrize(
    ("days", "codes"),
    [
        (9, ["TEXT_STRUCTURE_MISMATCH"]),
        (10, []),
        (11, []),
        (12, []),
        (13, ["TEXT_STRUCTURE_MISMATCH"]),
        (20, ["TEXT_STRUCTURE_MISMATCH"]),
    ],
)
def test_days_in_words_are_compared_with_a_first_and_a_last_day(days: int, codes: list[str]) -> None:
    first = date(2026, 10, 19)
    bounds = Bounds(start=first, end=first + timedelta(days=days - 1))
    course = Dosage(dose=_amount("5"), timing=replace(EVERY_DAY, bounds=bounds))
    assert _codes(TABLETS, _worded(course, "5 mg once a day for 10 days")) == codes


@pytest.mark.parametrize("last_dose", [77, 83, 84])
def test_weeks_in_words_may_be_counted_to_the_last_dose_or_beyond_it(last_dose: int) -> None:
    first = date(2026, 10, 19)
    bounds = Bounds(start=first, end=first + timedelta(days=last_dose))
    course = Dosage(dose=_amount("5"), timing=replace(EVERY_WEEK, bounds=bounds))
    assert _codes(TABLETS, _worded(course, "5 mg once a week for 12 weeks")) == []


METHOTREXATE = ProductRow(
    code="1", level=ProductLevel.VMP, display="Methotrexate 2.5mg tablets", strength="2.5mg", unit=TABLET
)


@pytest.mark.parametrize(
    "text",
    [
        "15mg once a week. Folic acid 5mg to be taken on a different day",
        "Take 15mg once a week with folic acid 5mg on Fridays",
        "Take 15mg once weekly, take folic acid 5mg the day after",
        "Take 15mg ONCE a WEEK, NOT DAILY",
        "Take 15mg once a week. Do not take daily.",
        "Take 15mg (6 x 2.5mg) once a week",
        "Take 15mg weekly. Bloods every 4 weeks.",
        "Take 15mg weekly. Blood tests weekly for 4 weeks then monthly.",
        "Take 15mg weekly. Contact the ward on ext 4512.",
        "Take 15mg weekly. Ring 020 7946 0000.",
        "15mg weekly, methotrexate 2.5mg tablets only",
        "Take 15mg once a week using 2.5mg tablets",
    ],
)
def test_ordinary_words_around_a_weekly_dose_are_not_held(text: str) -> None:
    found = _found(METHOTREXATE, Dosage(dose=_amount("15"), timing=EVERY_WEEK, text=text), name="Methotrexate")
    assert all(one.code == "TEXT_NOT_CHECKED" and not one.escalated for one in found)


@pytest.mark.parametrize(
    "text",
    [
        "Folic acid 5mg on Fridays and methotrexate 20mg once a week",
        "Folic acid 5mg on Fridays. Take 20mg once a week",
        "Take 15mg daily, NOT WEEKLY",
        "Take 15mg (8 x 2.5mg) once a week",
        "Take 15mg every 4 weeks. Bloods weekly.",
        "Take 20mg once a week using 2.5mg tablets",
    ],
)
def test_another_dose_among_such_words_is_held(text: str) -> None:
    found = _found(METHOTREXATE, Dosage(dose=_amount("15"), timing=EVERY_WEEK, text=text), name="Methotrexate")
    assert "TEXT_STRUCTURE_MISMATCH" in [one.code for one in found]


def test_folic_acid_itself_is_compared() -> None:
    value = Dosage(dose=_amount("5"), timing=EVERY_WEEK, text="Take folic acid 10mg once a week")
    assert _codes(TABLETS, value, name="Folic acid 5mg tablets") == ["TEXT_STRUCTURE_MISMATCH"]


@pytest.mark.parametrize(
    ("text", "times"),
    [
        ("Take 5mg morning and night", _times(2)),
        ("5mg am and pm", _times(2)),
        ("5mg in the morning and lunchtime", _times(2)),
        ("5mg before breakfast and dinner", _times(2)),
        ("5mg once or twice a day", replace(_times(1), frequency_max=2)),
    ],
)
def test_two_times_of_day_are_two(text: str, times: Timing) -> None:
    assert _codes(TABLETS, Dosage(dose=_amount("5"), timing=times, text=text)) == []
    once = _codes(TABLETS, Dosage(dose=_amount("5"), timing=EVERY_DAY, text=text))
    assert once == ["TEXT_STRUCTURE_MISMATCH"]


def _for_days(dose: str, sequence: int, days: int = 5) -> Dosage:
    timing = replace(EVERY_DAY, bounds=Bounds(duration=Duration(value=Decimal(days), unit=TimeUnit.DAY)))
    return Dosage(dose=_amount(dose), timing=timing, sequence=sequence)


@pytest.mark.parametrize(
    "text",
    [
        "30mg OM 5/7 then 20mg OM 5/7",
        "30mg in the morning for 5/7 then 20mg in the morning for 5/7",
        "30mg daily for 5 days, then 20mg daily for 5 days, reducing by 5mg every 5 days",
    ],
)
def test_a_course_that_is_reduced_is_not_held(text: str) -> None:
    found = _codes(TABLETS, replace(_for_days("30", 1), text=text), _for_days("20", 2))
    assert found == ["TEXT_NOT_CHECKED"]
    other = _codes(TABLETS, replace(_for_days("30", 1), text=text), _for_days("25", 2))
    assert "TEXT_STRUCTURE_MISMATCH" in other


@pytest.mark.parametrize(
    ("text", "timing", "expected"),
    [
        ("5mg every 2/52", _times(1, TimeUnit.WEEK, 2), []),
        ("5mg every 2/52", EVERY_DAY, ["TEXT_STRUCTURE_MISMATCH"]),
        ("5mg eow", _times(1, TimeUnit.WEEK, 2), []),
        ("5mg eow", EVERY_WEEK, ["TEXT_STRUCTURE_MISMATCH"]),
        ("5mg daily for 5/7", _for_days("5", 1).timing, []),
        ("5mg daily for 5/7", _for_days("5", 1, 7).timing, ["TEXT_STRUCTURE_MISMATCH"]),
    ],
)
def test_british_shorthand_is_read(text: str, timing: Timing, expected: list[str]) -> None:
    assert _codes(TABLETS, Dosage(dose=_amount("5"), timing=timing, text=text)) == expected


def test_a_frequency_and_a_time_of_day_stand_beside_each_other() -> None:
    text, night = "5mg TDS with meals and 10mg at bedtime", replace(EVERY_DAY, when=("HS",))
    first = Dosage(dose=_amount("5"), timing=_times(3), text=text)
    assert _codes(TABLETS, first, Dosage(dose=_amount("10"), timing=night)) == []
    wrong = Dosage(dose=_amount("10"), timing=_times(2))
    assert _codes(TABLETS, first, wrong) == ["TEXT_STRUCTURE_MISMATCH"]
