"""Directions as UK prescribers write them: what the grammar finds, and when it says that it is unsure."""

from fractions import Fraction
from typing import TypeAlias

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.validate.words.grammar import read
from gateway.validate.words.said import DAY, MONTH

Dose: TypeAlias = tuple[str | None, str | None, str]
Often: TypeAlias = tuple[str | None, str | None, str]
WEEK = "1/7"

DIRECTIONS: dict[str, tuple[list[Dose], list[Often]]] = {
    "Inject 10mg ONCE a WEEK on a Monday": ([("10000", "10000", "microgram")], [(WEEK, WEEK, DAY)]),
    "ONE tablet TWICE a day": ([("1", "1", "tablet")], [("2", "2", DAY)]),
    "5mg once daily": ([("5000", "5000", "microgram")], [("1", "1", DAY)]),
    "inject contents of one pen every 14 days": ([("1", "1", "injection")], [("1/14", "1/14", DAY)]),
    "Inject the contents of ONE pre-filled syringe every 2 weeks": (
        [("1", "1", "injection")],
        [("1/14", "1/14", DAY)],
    ),
    "10 mg weekly on Mondays": ([("10000", "10000", "microgram")], [(WEEK, WEEK, DAY)]),
    "inject 40 mg on a Tuesday": ([("40000", "40000", "microgram")], [(WEEK, WEEK, DAY)]),
    "take 2 at night": ([("2", "2", "")], [("1", "1", DAY)]),
    "one in the morning and one at night": ([("1", "1", ""), ("1", "1", "")], [("2", "2", DAY)]),
    "half a tablet": ([("1/2", "1/2", "tablet")], []),
    "Take one and a half tablets daily": ([("3/2", "3/2", "tablet")], [("1", "1", DAY)]),
    "1½ tablets om": ([("3/2", "3/2", "tablet")], [("1", "1", DAY)]),
    "1/2 tablet mane": ([("1/2", "1/2", "tablet")], [("1", "1", DAY)]),
    "up to 3 times a day": ([], [(None, "3", DAY)]),
    "ONE capsule up to THREE times a day": ([("1", "1", "capsule")], [(None, "3", DAY)]),
    "every other day": ([], [("1/2", "1/2", DAY)]),
    "on alternate days": ([], [("1/2", "1/2", DAY)]),
    "every third day": ([], [("1/3", "1/3", DAY)]),
    "every other week": ([], [("1/14", "1/14", DAY)]),
    "fortnightly": ([], [("1/14", "1/14", DAY)]),
    "every 12 weeks": ([], [("1/84", "1/84", DAY)]),
    "2-weekly": ([], [("1/14", "1/14", DAY)]),
    "every month": ([], [("1", "1", MONTH)]),
    "twice weekly": ([], [("2/7", "2/7", DAY)]),
    "4 hourly": ([], [("6", "6", DAY)]),
    "every 4 to 6 hours": ([], [("4", "6", DAY)]),
    "twice every 12 hours": ([], [("4", "4", DAY)]),
    "1-2 tablets every 4-6 hours when required. Max 8 tablets in 24 hours": (
        [("1", "2", "tablet")],
        [("4", "6", DAY)],
    ),
    "500mg BD": ([("500000", "500000", "microgram")], [("2", "2", DAY)]),
    "500 mg b.d.": ([("500000", "500000", "microgram")], [("2", "2", DAY)]),
    "5 ml t.d.s.": ([("5000", "5000", "microlitre")], [("3", "3", DAY)]),
    "10ml QDS": ([("10000", "10000", "microlitre")], [("4", "4", DAY)]),
    "ONE tablet nocte": ([("1", "1", "tablet")], [("1", "1", DAY)]),
    "0.5 micrograms daily": ([("1/2", "1/2", "microgram")], [("1", "1", DAY)]),
    "10,000 units three times a week": ([("10000", "10000", "unit")], [("3/7", "3/7", DAY)]),
    "6 million units three times a week": ([("6000000", "6000000", "unit")], [("3/7", "3/7", DAY)]),
    "Apply one patch every 72 hours": ([("1", "1", "patch")], [("1/3", "1/3", DAY)]),
    "TWO puffs four times a day": ([("2", "2", "puff")], [("4", "4", DAY)]),
    "Inject 300mg every 4 weeks over 30 minutes": ([("300000", "300000", "microgram")], [("1/28", "1/28", DAY)]),
    "2 tablets to be taken at 08:00 for two days": ([("2", "2", "tablet")], [("1", "1", DAY)]),
    "30 minutes before food, 20 mg daily": ([("20000", "20000", "microgram")], [("1", "1", DAY)]),
    "5 mg at least 6 hours apart": ([("5000", "5000", "microgram")], []),
    "40mg/0.8ml pen fortnightly": ([], [("1/14", "1/14", DAY)]),
    "10 milligram, Inject, Subcutaneous route, once weekly": (
        [("10000", "10000", "microgram")],
        [(WEEK, WEEK, DAY)],
    ),
    "mdu": ([], []),
}


@pytest.mark.parametrize(("text", "expected"), DIRECTIONS.items(), ids=DIRECTIONS)
def test_directions_are_read(text: str, expected: tuple[list[Dose], list[Often]]) -> None:
    said = read(text)
    doses, often = expected
    assert [(one.low, one.high, one.kind) for one in said.doses] == [
        (_f(low), _f(high), kind) for low, high, kind in doses
    ]
    assert [(one.low, one.high, one.of) for one in said.often] == [(_f(low), _f(high), of) for low, high, of in often]
    assert not said.unsure


def _f(text: str | None) -> Fraction | None:
    return None if text is None else Fraction(text)


@pytest.mark.parametrize(
    "text",
    [
        "500mg biweekly",
        "10 mg daily, increase by 5 mg each week",
        "1g daily in 2 divided doses",
        "5 mg/kg twice a day",
        "160 mg then 80 mg",
        "take 2.5.5",
        "do not take with milk, not on Mondays",
    ],
)
def test_what_the_grammar_cannot_read_makes_it_unsure(text: str) -> None:
    assert read(text).unsure


def test_a_count_and_a_strength_are_one_dose() -> None:
    said = read("Take TWO 500mg tablets THREE times a day")
    (one,) = said.doses
    assert (one.low, one.kind) == (2, "tablet")
    assert one.each is not None
    assert one.each.value == 500_000


@pytest.mark.parametrize(
    ("text", "route"),
    [
        ("5mg by mouth", "oral"),
        ("5mg s/c", "subcutaneous"),
        ("5mg SC weekly", "subcutaneous"),
        ("inject under the skin", "subcutaneous"),
        ("40 mg IM", "intramuscular"),
        ("Intravenous infusion", "intravenous"),
    ],
)
def test_routes_are_found(text: str, route: str) -> None:
    assert read(text).routes == {route}


def test_weekdays_are_found_in_full_and_in_short() -> None:
    assert read("Mon, Wed and Fridays").days == {"mon", "wed", "fri"}


@given(st.text(max_size=200))
def test_any_text_is_read_without_an_error(text: str) -> None:
    assert read(text) == read(text)


HEAP = "take 0 1 2 1/2 1/0 2 1/0 a half mg ml tablet of to - , / every other 12 week once times up twice days".split()  # noqa: SIM905 - a list to be read


@given(st.lists(st.sampled_from(HEAP), max_size=12))
def test_any_heap_of_known_words_is_read_without_an_error(words: list[str]) -> None:
    read(" ".join(words))


def test_directions_as_long_as_a_leaflet_are_left_to_a_person() -> None:
    assert read("5 mg daily " * 1000).unsure
