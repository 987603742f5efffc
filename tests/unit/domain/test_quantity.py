from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.quantity import lexeme, parse_decimal


@pytest.mark.parametrize("text", ["0.50", "5.00", "10", "0.010", "0", "123456789012345678", "0.00000000001"])
def test_a_decimal_keeps_its_lexeme(text: str) -> None:
    value = parse_decimal(text)
    assert value is not None
    assert lexeme(value) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1,5",
        "10-20",
        "ten",
        "1e3",
        "+5",
        "-1",
        " 5 ",
        "٥",
        "5½",
        "5.",
        ".5",
        "05",
        '""',
        "1234567890123456789",
        "0x10",
    ],
)
def test_anything_but_an_exact_decimal_is_refused(text: str) -> None:
    assert parse_decimal(text) is None


@given(st.decimals(min_value=0, max_value=10**9, allow_nan=False, allow_infinity=False, places=4))
def test_every_decimal_survives_the_round_trip(value: Decimal) -> None:
    assert parse_decimal(lexeme(value)) == value
