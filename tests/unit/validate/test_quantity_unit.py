"""Quantities in the product's own unit pass; what would need a sum to be supplied is held."""

from dataclasses import replace
from decimal import Decimal

import pytest

from gateway.config.reference import load_reference
from gateway.domain.prescription import FirstSupply, ProductLevel
from gateway.domain.quantity import Quantity
from gateway.domain.reference import ProductRow
from gateway.validate.quantity_unit import unit_doubts
from tests.factories import line

REFERENCE = load_reference()
SYRINGE, TABLET, SPOON = "3318611000001103", "428673006", "733015007"


def row(unit: str, strength: str) -> ProductRow:
    known = REFERENCE.units[unit] if unit else None
    return ProductRow(code="1", level=ProductLevel.VMP, display="X", unit=known, strength=strength)


def amount(unit: str) -> Quantity:
    return Quantity(value=Decimal(4), unit=REFERENCE.units[unit])


@pytest.mark.parametrize(
    ("product", "strength", "sent", "held"),
    [
        (SYRINGE, "10mg/0.2ml", SYRINGE, False),
        (SYRINGE, "10mg/0.2ml", "mL", False),
        (SYRINGE, "10mg/0.2ml", "mg", True),
        (SYRINGE, "10mg", "mL", True),
        (TABLET, "10mg", TABLET, False),
        (TABLET, "10mg", "mg", True),
        (TABLET, "10mg", SYRINGE, True),
        (SPOON, "5mg/5ml", "mL", False),
        ("", "10mg", "mg", False),
    ],
)
def test_a_quantity_is_supplied_in_the_products_unit(product: str, strength: str, sent: str, held: bool) -> None:  # noqa: FBT001 - a column of the table
    what = replace(line(), quantity=amount(sent))
    assert [doubt.code for doubt in unit_doubts(what, row(product, strength))] == ["QUANTITY_UNIT_MISMATCH"] * held


def test_a_first_supply_is_held_to_the_same_and_both_units_are_shown() -> None:
    what = replace(line(), quantity=amount(SYRINGE), first_supply=FirstSupply(quantity=amount("mg")))
    (doubt,) = unit_doubts(what, row(SYRINGE, "10mg/0.2ml"))
    assert (doubt.at, doubt.values) == (
        "first_supply.quantity.unit",
        ("milligram", "pre-filled disposable injection"),
    )


def test_nothing_is_said_of_a_product_that_is_not_known() -> None:
    assert list(unit_doubts(line(), None)) == []
