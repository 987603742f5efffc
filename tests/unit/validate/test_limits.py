"""A dose against the maximum that is stated beside it."""

from decimal import Decimal
from typing import Any

import pytest

from gateway.config.reference import load_reference
from gateway.domain.coding import SNOMED, UCUM, Coding
from gateway.domain.prescription import Duration, MaxDose, Range, TimeUnit
from gateway.domain.quantity import Quantity
from gateway.validate.limits import limit_doubts
from tests.factories import dosage, line

ROW = load_reference().products["15517911000001104"]
WEEK = Duration(value=Decimal(1), unit=TimeUnit.WEEK)


def amount(value: str, code: str = "mg") -> Quantity:
    system = SNOMED if code.isdigit() else UCUM
    return Quantity(value=Decimal(value), unit=Coding(system=system, code=code, display=code))


def found(**change: Any) -> list[str]:
    return [doubt.at for doubt in limit_doubts(line(dosages=(dosage(), dosage(**change))), ROW)]


@pytest.mark.parametrize(
    ("most", "exceeded"),
    [
        (amount("10"), False),
        (amount("10.0"), False),
        (amount("9.99"), True),
        (amount("10000", "ug"), False),
        (amount("9999", "ug"), True),
        (amount("0.2", "mL"), False),  # 10mg/0.2ml
        (amount("0.1", "mL"), True),
        (amount("1", "3318611000001103"), False),
        (amount("1", "428673006"), False),  # tablets, which nothing compares with an injection
        (amount("5", "mg/kg"), False),
    ],
)
def test_one_dose_above_its_own_maximum_is_held(most: Quantity, exceeded: bool) -> None:  # noqa: FBT001 - a column
    assert found(max_per_administration=most) == ["dosages[1].max_per_administration"] * exceeded
    assert found(max_per_lifetime=most) == ["dosages[1].max_per_lifetime"] * exceeded
    within = MaxDose(amount=most, within=WEEK)
    assert found(max_per_period=within) == ["dosages[1].max_per_period.amount"] * exceeded


def test_the_upper_end_of_a_range_is_what_may_be_given() -> None:
    spread = Range(low=amount("5"), high=amount("15"))
    assert found(dose=spread, max_per_administration=amount("10")) == ["dosages[1].max_per_administration"]
    assert found(dose=spread, max_per_administration=amount("15")) == []


def test_no_dose_exceeds_nothing() -> None:
    assert found(dose=None, max_per_administration=amount("1")) == []


def test_both_amounts_are_shown() -> None:
    (doubt,) = limit_doubts(line(dosages=(dosage(max_per_administration=amount("5")),)), ROW)
    assert (doubt.code, doubt.values) == ("DOSE_CONFLICT", ("10 milligram", "5 mg"))
