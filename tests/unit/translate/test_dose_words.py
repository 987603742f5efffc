"""Structured dosages in English words: the golden cases, and properties of all words."""

import re
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.coding import UCUM, Coding
from gateway.domain.errors import Refusal
from gateway.domain.prescription import Bounds, Dosage, Duration, Range, TimeUnit, Timing
from gateway.domain.quantity import Quantity, lexeme
from gateway.translate.dose_words import NoWords, words
from gateway.translate.from_fhir.dosage_list import dosages
from gateway.translate.timing_words import spelt_date
from gateway.wire.strict_json import JSON, loads

_CASES = Path(__file__).parents[2] / "golden/dose/cases.json"


def _cases() -> list[dict[str, JSON]]:
    return cast("list[dict[str, JSON]]", loads(_CASES.read_bytes()))


@pytest.mark.parametrize("case", _cases(), ids=lambda case: str(case["id"]))
def test_a_golden_case_gives_exactly_its_words(case: dict[str, JSON]) -> None:
    try:
        said = words(dosages(case["dosage"]))
    except Refusal:
        said = NoWords(reason="refused")
    assert (None if isinstance(said, NoWords) else said) == case["gateway"]


def _mg(value: str, display: str = "milligram") -> Quantity:
    return Quantity(value=Decimal(value), unit=Coding(system=UCUM, code="mg", display=display))


_ORAL = Coding(system="http://snomed.info/sct", code="26643006", display="Oral route")
_SC = Coding(system="http://snomed.info/sct", code="34206005", display="Subcutaneous route")
_TIMED: dict[str, tuple[Timing, str]] = {
    "every hour": (Timing(frequency=1, period=Decimal(1), period_unit=TimeUnit.HOUR), "once an hour"),
    "a fraction of an hour": (
        Timing(frequency=1, period=Decimal("0.5"), period_unit=TimeUnit.HOUR),
        "every 0.5 hours",
    ),
    "a range of periods": (
        Timing(frequency=1, period=Decimal(3), period_max=Decimal(4), period_unit=TimeUnit.WEEK),
        "every 3 to 4 weeks",
    ),
    "a range of frequencies": (
        Timing(frequency=1, frequency_max=2, period=Decimal(1), period_unit=TimeUnit.DAY),
        "1 to 2 times a day",
    ),
    "annually": (Timing(period=Decimal(1), period_unit=TimeUnit.YEAR), "annually"),
    "an offset in days": (Timing(when=("ACD",), offset_minutes=2880), "2 days before lunch"),
    "an offset in minutes": (Timing(when=("PC",), offset_minutes=30), "30 minutes after a meal"),
    "an open bound": (
        Timing(bounds=Bounds(duration_high=Duration(value=Decimal(1), unit=TimeUnit.HOUR))),
        "for up to 1 hour",
    ),
    "bounds in two units": (
        Timing(
            bounds=Bounds(
                duration=Duration(value=Decimal(10), unit=TimeUnit.MINUTE),
                duration_high=Duration(value=Decimal(1), unit=TimeUnit.HOUR),
            )
        ),
        "for 10 minutes to 1 hour",
    ),
}


@pytest.mark.parametrize("case", _TIMED.values(), ids=_TIMED)
def test_a_timing_has_its_words(case: tuple[Timing, str]) -> None:
    timing, expected = case
    assert words([Dosage(timing=timing)]) == expected


_UNSAYABLE: dict[str, Dosage] = {
    "a unit without words": Dosage(dose=_mg("1", display="")),
    "a range without ends": Dosage(dose=Range()),
    "a range that falls": Dosage(dose=Range(low=_mg("2"), high=_mg("1"))),
    "a longest duration alone": Dosage(
        timing=Timing(administer_over_max=Duration(value=Decimal(1), unit=TimeUnit.HOUR))
    ),
    "an offset alone": Dosage(timing=Timing(offset_minutes=30)),
    "an offset from a part of the day": Dosage(timing=Timing(offset_minutes=30, when=("NIGHT",))),
    "a highest count alone": Dosage(route=_ORAL, timing=Timing(count_max=3)),
    "a count of injections": Dosage(route=_SC, dose=_mg("5"), timing=Timing(count=6)),
    "a count by an unstated route": Dosage(dose=_mg("5"), timing=Timing(count=6)),
    "a period without its unit": Dosage(timing=Timing(frequency=1, period=Decimal(1))),
    "a timing code alone": Dosage(dose=_mg("5"), timing=Timing(code=Coding(code="BID", display="BID"))),
    "an unknown event": Dosage(timing=Timing(when=("TEATIME",))),
}


@pytest.mark.parametrize("dosage", _UNSAYABLE.values(), ids=_UNSAYABLE)
def test_what_cannot_be_said_gives_no_words_and_a_reason(dosage: Dosage) -> None:
    said = words([dosage])
    assert isinstance(said, NoWords)
    assert said.reason


def test_one_dosage_without_words_silences_the_others() -> None:
    assert isinstance(words([Dosage(dose=_mg("5")), Dosage(sequence=2, text="as directed")]), NoWords)


_numbers = st.decimals(min_value=Decimal("0.001"), max_value=9999, places=3).map(abs)
_structured = st.builds(
    Dosage,
    sequence=st.integers(1, 3),
    dose=st.builds(Quantity, value=_numbers, unit=st.just(Coding(display="milligram"))),
    route=st.sampled_from([None, _ORAL, _SC]),
    timing=st.builds(
        Timing,
        frequency=st.integers(1, 9),
        period=_numbers,
        period_unit=st.sampled_from(list(TimeUnit)),
        day_of_week=st.lists(st.sampled_from(["mon", "sun"]), max_size=2, unique=True).map(tuple),
    ),
)


@given(st.lists(_structured, min_size=1, max_size=3))
def test_every_amount_appears_as_written_and_no_part_is_empty(dosages: list[Dosage]) -> None:
    said = words(dosages)
    assert isinstance(said, str)
    assert "None" not in said
    assert not re.search(r" - ( |-|$)|  ", said)
    for dosage in dosages:
        assert isinstance(dosage.dose, Quantity)
        assert f"{lexeme(dosage.dose.value)} milligram" in said


@given(st.lists(_structured, min_size=1, max_size=3, unique_by=lambda dosage: dosage.sequence))
def test_the_order_of_distinct_sequences_in_the_list_changes_nothing(dosages: list[Dosage]) -> None:
    assert words(dosages) == words(sorted(dosages, key=lambda dosage: -dosage.sequence))


def test_dates_are_spelt_for_people_and_stay_as_the_message_bears_them_otherwise() -> None:
    start, end = date(2026, 3, 2), date(2026, 3, 3)
    one = Dosage(
        text="",
        dose=_mg("10"),
        timing=Timing(on_dates=(end,), bounds=Bounds(start=start, end=end)),
        patient_instruction="Not on 04/03/2026",
    )
    said, spelt = words([one]), words([one], spelt_date)
    assert isinstance(said, str)
    assert isinstance(spelt, str)
    assert "from 02/03/2026 to 03/03/2026" in said
    assert "from 2 Mar 2026 to 3 Mar 2026" in spelt
    assert "on 3 Mar 2026" in spelt
    assert "Not on 04/03/2026" in spelt, "the sender's own words stay"
