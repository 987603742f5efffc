"""A code with words that name something else is held in every format, and both are shown."""

import pytest

from gateway.config.reference import load_reference
from gateway.domain.coding import SNOMED, UCUM, Coding
from gateway.domain.issue import held
from gateway.translate.contradictions import route_contradicts, unit_contradicts
from tests.hl7v2_orders import codes, edited, golden, issues, read

REFERENCE = load_reference()
MILLIGRAM = Coding(system=UCUM, code="mg", display="milligram")


@pytest.mark.parametrize(
    ("words", "contradicts"),
    [
        ("milligram", False),
        ("mg", False),
        ("Milligram", False),
        ("something unknown", False),
        ("microgram", True),
        ("mcg", True),
        ("µg", True),
        ("gram", True),
        ("g", True),
        ("tablet", True),
        ("millilitre", True),
    ],
)
def test_words_that_name_another_unit_contradict_its_code(words: str, *, contradicts: bool) -> None:
    assert unit_contradicts(REFERENCE, words, MILLIGRAM) is contradicts


@pytest.mark.parametrize(
    ("words", "contradicts"),
    [
        ("Subcutaneous route", False),
        ("subcutaneous", False),
        ("under the skin", False),
        ("", False),
        ("Oral route", True),
        ("oral", True),
        ("Intramuscular", True),
    ],
)
def test_words_that_name_another_route_contradict_its_code(words: str, *, contradicts: bool) -> None:
    route = Coding(system=SNOMED, code="34206005", display=words)
    assert route_contradicts(REFERENCE, route) is contradicts


def test_no_unit_or_route_of_the_tables_contradicts_itself() -> None:
    assert not [unit for unit in REFERENCE.units.values() if unit_contradicts(REFERENCE, unit.display, unit)]
    assert not [route for route in REFERENCE.routes.values() if route_contradicts(REFERENCE, route)]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"RXE-5": "mg^microgram^UCUM"}, "DOSE_CONFLICT"),
        ({"RXE-11": "3318611000001103^tablet^SCT"}, "DOSE_CONFLICT"),
        ({"RXR-1": "34206005^Oral route^SCT"}, "ROUTE_AMBIGUOUS"),
    ],
    ids=["the dose's unit", "the quantity's unit", "the route"],
)
def test_an_order_whose_code_and_words_differ_is_held(changes: dict[str, str], code: str) -> None:
    reading = read(edited(golden("S01"), changes))
    assert code in codes(reading)
    assert held(tuple(issues(reading)))
