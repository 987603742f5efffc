"""All doubts about a line together: what is remembered of one line changes nothing that is said of another."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.coding import SNOMED, UCUM, Coding
from gateway.domain.prescription import Dosage, Duration, Line, ProductLevel, TimeUnit, Timing
from gateway.domain.quantity import Quantity
from gateway.domain.reference import ProductRow
from gateway.validate import directions
from gateway.validate.directions import LONGEST, line_doubts
from gateway.validate.words.check import Doubt
from tests.factories import line

MG = Coding(system=UCUM, code="mg", display="milligram")
TABLET = Coding(system=SNOMED, code="428673006", display="tablet")
TABLETS = ProductRow(code="1", level=ProductLevel.VMP, display="Example 5mg tablets", strength="5mg", unit=TABLET)
PRODUCT = replace(line().product, display=TABLETS.display)
FIRST, LAST = date(2026, 10, 5), date(2026, 12, 31)

WORDS = st.sampled_from(["", "Take TWO tablets ONCE a day", "10mg daily", "Take ONE tablet TWICE a day", "x" * 300])
LINES = st.builds(
    lambda text, dose, times, given, days, supplies, notes, number: line(
        id=UUID(int=number),
        order_number=f"RX{number}",
        product=PRODUCT,
        dosages=(
            Dosage(
                text=text,
                dose=Quantity(value=Decimal(dose), unit=MG),
                timing=Timing(frequency=times, period=Decimal(1), period_unit=TimeUnit.DAY),
            ),
        ),
        quantity=Quantity(value=Decimal(given), unit=TABLET),
        days_per_supply=days,
        interval=Duration(value=Decimal(28), unit=TimeUnit.DAY),
        total_supplies=supplies,
        notes=notes,
    ),
    WORDS,
    st.sampled_from(["10", "10.0", "5"]),
    st.integers(1, 2),
    st.sampled_from(["56", "56.0", "5"]),
    st.sampled_from([None, 14, 28]),
    st.integers(0, 6),
    st.sampled_from([(), ("TWO tablets a day",)]),
    st.integers(1, 9),
)


def found(value: Line) -> list[Doubt]:
    return list(line_doubts(value, TABLETS, FIRST, LAST))


def clear_line() -> Line:
    dose = Quantity(value=Decimal(10), unit=MG)
    timing = Timing(frequency=1, period=Decimal(1), period_unit=TimeUnit.DAY)
    dosage = Dosage(text="Take TWO tablets ONCE a day", dose=dose, timing=timing)
    given = Quantity(value=Decimal(56), unit=TABLET)
    return line(product=PRODUCT, dosages=(dosage,), quantity=given, days_per_supply=28, total_supplies=2)


@pytest.fixture(autouse=True)
def nothing_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(directions, "_clear", set())


@given(st.lists(LINES, min_size=2, max_size=12))
def test_what_is_said_of_a_line_is_the_same_whatever_lines_came_before(lines: list[Line]) -> None:
    one_after_another = [found(value) for value in (*lines, *lines)]
    alone = []
    for value in (*lines, *lines):
        directions._clear.clear()
        alone.append(found(value))
    assert one_after_another == alone


def test_a_line_that_is_clear_is_remembered_for_all_who_order_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    assert found(clear_line()) == []
    monkeypatch.setattr(directions, "_of_words", lambda *_: pytest.fail("worked through again"))
    assert found(replace(clear_line(), id=UUID(int=7), order_number="RX7", total_supplies=3)) == []


def test_a_line_of_another_product_is_worked_through_again() -> None:
    assert found(clear_line()) == []
    stronger = replace(TABLETS, strength="50mg")
    assert list(line_doubts(clear_line(), stronger, FIRST, LAST))


def test_only_so_many_lines_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(directions, "MOST", 2)
    for days in (26, 27, 28, 29):
        assert found(replace(clear_line(), days_per_supply=days)) == []
        assert 1 <= len(directions._clear) <= 2


def test_words_that_may_be_about_one_patient_are_not_remembered() -> None:
    value = clear_line()
    long = replace(value.dosages[0], patient_instruction="x" * (LONGEST + 1))
    for personal in (replace(value, notes=("Mrs Example asks",)), replace(value, dosages=(long,))):
        found(personal)
        assert not directions._clear
