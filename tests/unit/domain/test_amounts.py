"""An amount as people read it: the number and the unit that were sent."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.amounts import PLURALS, amount_words


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        ("28 tablet", "28 tablets"),
        ("1 tablet", "1 tablet"),
        ("1.0 tablet", "1.0 tablet"),
        ("0.5 tablet", "0.5 tablets"),
        ("4 pre-filled disposable injection", "4 pre-filled disposable injections"),
        ("10 milligram", "10 milligrams"),
        ("2 patch", "2 patches"),
        ("12 suppository", "12 suppositories"),
        ("28 wafer", "28 × wafer"),
        ("28 tablets", "28 tablets"),
        ("10 mg", "10 mg"),
        ("5 ml", "5 ml"),
        ("2 Tablet (white)", "2 Tablet (white)"),
        ("3 mg/kg", "3 mg/kg"),
        ("20 milligram per dose", "20 milligram per dose"),
        ("10 microgram per hour", "10 microgram per hour"),
        ("2 box of tablet", "2 box of tablet"),
        ("28 428673006", "28 428673006"),
        ("<5 tablet", "<5 tablet"),
        ("", ""),
        ("as directed", "as directed"),
    ],
)
def test_an_amount_is_read_by_the_table_and_else_stays_as_it_was_sent(sent: str, read: str) -> None:
    assert amount_words(sent) == read


@given(number=st.decimals(min_value=0, max_value=10**6, places=3), unit=st.sampled_from(sorted(PLURALS)))
def test_the_number_is_never_touched(number: object, unit: str) -> None:
    read = amount_words(f"{number} {unit}")
    assert read.split(" ")[0] == str(number)
    assert read.split(" ")[1] in {unit, PLURALS[unit]}


@given(st.text(max_size=40))
def test_nothing_of_what_was_sent_is_left_out(text: str) -> None:
    kept = iter(amount_words(text))
    assert all(letter in kept for letter in text.removesuffix("y"))
