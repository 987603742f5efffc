"""What the simulated trusts prescribe exists in the reference tables, and its dose, unit and quantity agree."""

from decimal import Decimal

import pytest

from gateway.config.reference import load_reference
from gateway.simulate.formulary import Medicine, medicines
from gateway.simulate.written import CONTROLLED, NOT_IN_ANY_RELEASE

REFERENCE = load_reference()
DAYS = {"d": 1, "wk": 7, "mo": 30}


@pytest.mark.parametrize("medicine", [*medicines(), CONTROLLED], ids=lambda medicine: medicine.display)
def test_a_medicine_is_named_as_the_tables_name_it(medicine: Medicine) -> None:
    row = REFERENCE.products[medicine.code]
    assert (row.display, row.level) == (medicine.display, medicine.level)
    assert row.unit is not None
    assert (row.unit.code, row.unit.display) == (medicine.supply_unit_code, medicine.supply_unit)
    assert medicine.route_code in REFERENCE.routes
    assert medicine.ucum in REFERENCE.units or medicine.ucum in REFERENCE.unit_words


@pytest.mark.parametrize("medicine", medicines(), ids=lambda medicine: medicine.display)
def test_a_medicine_that_should_be_sent_is_neither_controlled_nor_a_generic_biologic(medicine: Medicine) -> None:
    row = REFERENCE.products[medicine.code]
    assert row.schedule is None
    assert not row.biologic or medicine.level == "AMP"
    assert not row.replaced_by


@pytest.mark.parametrize("medicine", medicines(), ids=lambda medicine: medicine.display)
def test_a_supply_lasts_as_long_as_it_says(medicine: Medicine) -> None:
    """One unit a dose: as many units as there are doses in the days of the supply."""
    doses = Decimal(medicine.times) * Decimal(medicine.days) / (Decimal(medicine.period) * DAYS[medicine.period_unit])
    assert abs(doses - Decimal(medicine.quantity)) < 1


def test_the_controlled_drug_is_controlled_and_the_unknown_one_is_unknown() -> None:
    assert REFERENCE.products[CONTROLLED.code].schedule is not None
    assert NOT_IN_ANY_RELEASE not in REFERENCE.products
