"""Rates of administration: whole or held, never completed by us."""

from decimal import Decimal

import pytest

from gateway.domain.coding import UCUM, Coding
from gateway.domain.prescription import Rate
from gateway.domain.quantity import Quantity
from tests.hl7v2_orders import codes, edited, golden, read

HOUR = Coding(system=UCUM, code="h", display="hour")
WHOLE = {"RXE-22": "H1", "RXE-23": "12.50", "RXE-24": "mL^millilitre^UCUM"}
REQUESTED = {"RXO>": "RXO|" + "|" * 15 + "|H1||||12.50|mL^millilitre^UCUM"}


def rates(changes: dict[str, str]) -> list[object]:
    order = read(edited(golden("S01"), changes)).orders[0]
    assert order.prescription is not None
    return [dosage.rate for line in order.prescription.lines for dosage in line.dosages]


@pytest.mark.parametrize(
    ("letter", "code"), [("S", "s"), ("M", "min"), ("H", "h"), ("D", "d"), ("W", "wk"), ("L", "mo")]
)
def test_amount_unit_and_time_make_a_rate(letter: str, code: str) -> None:
    (rate,) = rates(WHOLE | {"RXE-22": f"{letter}30"})
    assert isinstance(rate, Rate)
    assert (str(rate.amount.value), rate.amount.unit.code) == ("12.50", "mL")
    assert rate.per is not None
    assert (rate.per.value, rate.per.unit.code) == (Decimal(30), code)


@pytest.mark.parametrize("changes", [WHOLE, REQUESTED, WHOLE | REQUESTED], ids=["RXE", "RXO", "both the same"])
def test_a_rate_is_read_where_it_is_said_and_every_value_of_it_is_traced(changes: dict[str, str]) -> None:
    reading = read(edited(golden("S01"), changes))
    assert reading.unaccounted == ()
    assert codes(reading) == codes(read(golden("S01")))
    (rate,) = rates(changes)
    assert isinstance(rate, Rate)
    assert rate.per == Quantity(value=Decimal(1), unit=HOUR)
    targets = {row.target for row in reading.orders[0].trace}
    assert {f"lines[0].dosages[0].rate.{part}" for part in ("amount.value", "amount.unit", "per")} <= targets


@pytest.mark.parametrize("missing", WHOLE)
def test_a_rate_of_which_a_part_is_missing_is_held(missing: str) -> None:
    assert "FIELD_NOT_UNDERSTOOD" in codes(read(edited(golden("S01"), WHOLE | {missing: ""})))


@pytest.mark.parametrize(
    "change",
    [
        {"RXE-22": "H"},
        {"RXE-22": "1H"},
        {"RXE-22": "H0"},
        {"RXE-22": "Q1"},
        {"RXE-23": "fast"},
        {"RXE-23": "0"},
        {"RXE-24": "mL/h^millilitre per hour^UCUM"},
        {"RXE-24": "ug/h^microgram per hour^UCUM"},
        {"RXE-24": "GTT"},
    ],
    ids=str,
)
def test_a_rate_that_could_be_read_in_two_ways_is_held(change: dict[str, str]) -> None:
    assert "FIELD_NOT_UNDERSTOOD" in codes(read(edited(golden("S01"), WHOLE | change)))


def test_two_rates_that_differ_are_held() -> None:
    changes = WHOLE | {"RXE-23": "25"} | REQUESTED
    assert "DOSE_CONFLICT" in codes(read(edited(golden("S01"), changes)))


def test_one_rate_for_several_dosages_is_held() -> None:
    second = {"+TQ1": "TQ1|2||Q2W^every 2 weeks^HL70335||||20270406|20270601"}
    assert "FIELD_NOT_UNDERSTOOD" in codes(read(edited(golden("S01"), WHOLE | {"TQ1-12": "S"} | second)))
