"""A product's strength is dm+d's, in the words of the product's name."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.config.dmd.strength import Ingredient, Measure, strength


def of(number: str, unit: str, per: str = "", per_unit: str = "") -> Ingredient:
    return Ingredient((Decimal(number), unit), (Decimal(per), per_unit) if per else None)


@pytest.mark.parametrize(
    ("ingredient", "name", "unit_dose", "written"),
    [
        (of("50", "mg", "1", "ml"), "Some 40mg/0.8ml injection", ("0.8", "ml"), "40mg/0.8ml"),
        (of("50", "mg", "1", "ml"), "Some 40mg/0.8ml injection", None, "40mg/0.8ml"),
        (of("2", "mg", "1", "ml"), "Some 10mg/5ml oral solution", None, "10mg/5ml"),
        (of("20", "mg", "1", "ml"), "Some 20mg/ml oral solution", None, "20mg/ml"),
        (of("500", "mg"), "Some 500mg tablets", ("1", "tablet"), "500mg"),
        (of("1", "gram"), "Some 1g powder", None, "1g"),
        (of("1000", "mg"), "Some 1g powder", None, "1g"),
        (of("300", "microgram"), "Some 300microgram injection", None, "300microgram"),
        (of("10000", "unit", "1", "ml"), "Some 5,000units/0.5ml injection", None, "5,000units/0.5ml"),
        (of("6", "mega u", "1", "ml"), "Some 3million units/0.5ml pens", None, "3million units/0.5ml"),
        (of("25", "microgram", "1", "hour"), "Some 25micrograms/hour patches", None, "25micrograms/hour"),
        # the name disagrees or says nothing: dm+d's own numbers stand
        (of("50", "mg", "1", "ml"), "Some 80mg/0.8ml injection", ("0.8", "ml"), "40mg/0.8ml"),
        (of("50", "mg", "1", "ml"), "Some 40mg injection", None, "50mg/1ml"),
        (of("500", "mg"), "Some 250mg tablets", None, "500mg"),
        (of("23.20", "mg", "1", "gram"), "Some 2.32% gel", None, "23.2mg/1g"),
        (of("10", "unknown thing"), "Some 10mg tablets", None, "10unknown thing"),
        (of("10", "mg", "0", "ml"), "Some 10mg/ml injection", ("1", "ml"), "10mg/0ml"),
    ],
)
def test_one_substance_is_written_as_the_name_does_where_they_agree(
    ingredient: Ingredient, name: str, unit_dose: tuple[str, str] | None, written: str
) -> None:
    size: Measure | None = (Decimal(unit_dose[0]), unit_dose[1]) if unit_dose else None
    assert strength((ingredient,), name, size) == written


def test_several_substances_are_written_one_by_one() -> None:
    both = (of("8", "mg"), of("500", "mg"))
    assert strength(both, "Some 8mg / Other 500mg tablets", None) == "8mg + 500mg"


def test_no_ingredient_has_no_strength() -> None:
    assert strength((), "Some 5mg tablets", None) == ""


@given(st.decimals("0.01", "9999", places=2), st.decimals("0.01", "99", places=2))
def test_a_name_in_other_numbers_is_used_only_if_the_ratio_is_exact(amount: Decimal, volume: Decimal) -> None:
    name = f"Some {amount}mg/{volume}ml injection"
    exact = Fraction(amount) / Fraction(volume)
    stated = Decimal(exact.numerator) / Decimal(exact.denominator)
    written = strength((of(str(stated), "mg", "1", "ml"),), name, None)
    assert (written == f"{amount}mg/{volume}ml") is (Fraction(stated) == exact)
