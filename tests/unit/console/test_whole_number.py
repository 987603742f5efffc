"""Whole numbers of addresses: one reader for all."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import gateway.console
from gateway.console.whole_number import LARGEST, page_number, whole_number

_CONSOLE = Path(gateway.console.__file__).parent


@given(st.integers(min_value=0, max_value=LARGEST))
def test_every_number_that_a_row_can_have_is_read(number: int) -> None:
    assert whole_number(str(number)) == number


@given(st.text(max_size=30))
def test_nothing_else_is_a_number(text: str) -> None:
    read = whole_number(text)
    assert read is None or re.fullmatch(r"[0-9]{1,19}", text)


@pytest.mark.parametrize(
    "text", ["", "-1", "+1", "1.0", " 1", "1 ", "\N{ARABIC-INDIC DIGIT ONE}", "²", "1e3", "9" * 5000]
)
def test_what_only_looks_like_a_number_is_none(text: str) -> None:
    assert whole_number(text) is None


def test_what_is_larger_than_can_be_meant_is_none() -> None:
    assert whole_number(str(LARGEST + 1)) is None
    assert (whole_number("7", most=7), whole_number("8", most=7)) == (7, None)


@pytest.mark.parametrize(
    ("text", "page"), [("", 1), ("0", 1), ("1", 1), ("7", 7), ("40", 40), ("41", 40), ("9" * 18, 40), ("x", 1)]
)
def test_a_page_is_one_that_there_is(text: str, page: int) -> None:
    assert page_number(text, last=40) == page


def test_no_page_reads_numbers_in_a_way_of_its_own() -> None:
    own = [
        file.name
        for file in _CONSOLE.rglob("*.py")
        if file.name != "whole_number.py"
        and re.search(r"isdigit\(\) (and|else int)|isdecimal\(\)|not \w+\.isdigit\(\):", file.read_text("utf-8"))
    ]
    assert own == []
