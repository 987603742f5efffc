"""Lists for spreadsheets: nothing in them runs, and nothing of them is lost."""

import csv
import io
import unicodedata
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gateway.console.csv_text import csv_bytes, csv_response, inert

_RUNS = ("=", "+", "-", "@", "＝", "＋", "－", "＠", "﹦", "﹢", "﹣", "﹫", "⁺", "₋", "⁼", "−", "–", "—")


def _read(octets: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(octets.decode(), newline=""), strict=True))


@pytest.mark.parametrize("start", _RUNS)
@pytest.mark.parametrize("before", ["", " ", "\u00a0", "\u200b", "\ufeff", "\u202e", "\u3000", "\v"])
def test_what_may_run_stands_behind_an_apostrophe(start: str, before: str) -> None:
    assert inert(f"{before}{start}cmd|' /C calc'!A0") == f"'{before}{start}cmd|' /C calc'!A0"


@pytest.mark.parametrize("start", ["\t", "\r", "\n"])
def test_what_moves_to_another_cell_stands_behind_an_apostrophe(start: str) -> None:
    assert inert(f"{start}a") == f"'{start}a"


@pytest.mark.parametrize("text", ["", " ", "O'Neill", "10 mg", "a=b", "1-2", "Łukasz", "'quoted'", "…"])
def test_other_text_stays_as_it_is(text: str) -> None:
    assert inert(text) == text


@given(st.lists(st.lists(st.text(), min_size=3, max_size=3)))
@example([["=1+1", '"', "a\r\nb"], ["＝1", ",", ";=1"], ["\0", "", "\ud800"], ["\U000e0080=1", "\ue000-1", "\ud800@"]])
def test_no_cell_begins_as_a_formula_and_no_word_is_lost(rows: list[list[str]]) -> None:
    octets = csv_bytes(("a", "b", "c"), rows)
    read = _read(octets)
    assert read[0] == ["a", "b", "c"]
    assert len(read) == len(rows) + 1
    for row, back in zip(rows, read[1:], strict=True):
        for cell, got in zip(row, back, strict=True):
            kept = cell.replace("\0", "\ufffd").encode(errors="replace").decode()
            assert got in {kept, f"'{kept}"}
            seen = "".join(sign for sign in got if unicodedata.category(sign)[0] not in "CZ")
            assert unicodedata.normalize("NFKC", seen[:1]) not in {"=", "+", "-", "@"}
            assert got[:1] not in {"\t", "\r", "\n"}


@given(st.lists(st.text(), min_size=1))
def test_text_is_always_in_quotation_marks(row: list[str]) -> None:
    line = csv_bytes(["a"] * len(row), [row]).decode().removeprefix(",".join(['"a"'] * len(row)) + "\r\n")
    assert line.startswith('"')
    assert line.endswith('"\r\n')


def test_values_are_written_in_iso_forms() -> None:
    at = datetime(2026, 10, 5, 9, 20, 11, tzinfo=UTC)
    row = (date(2026, 10, 5), at, -5, Decimal("1E+2"), None, True, "x")
    assert csv_bytes(tuple("abcdefg"), [row]).decode().splitlines()[1] == (
        '2026-10-05,2026-10-05T09:20:11+00:00,-5,100,,true,"x"'
    )


def test_a_header_is_made_inert_too() -> None:
    assert _read(csv_bytes(("=a",), [])) == [["'=a"]]


def test_a_time_without_a_zone_is_not_written() -> None:
    with pytest.raises(ValueError, match="zone"):
        csv_bytes(("a",), [(datetime(2026, 10, 5, 9, 20),)])  # noqa: DTZ001


def test_a_row_of_another_length_is_not_written() -> None:
    with pytest.raises(ValueError, match="columns"):
        csv_bytes(("a", "b"), [("1",)])


def test_the_answer_is_a_file_that_nothing_keeps() -> None:
    answer = csv_response("providers-2026-10", ("a",), [("b",)])
    assert answer.body == b'"a"\r\n"b"\r\n'
    assert answer.headers["content-type"] == "text/csv; charset=utf-8; header=present"
    assert answer.headers["content-disposition"] == 'attachment; filename="providers-2026-10.csv"'
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("name", ["", "a b", 'a"', "a\r\nb", "A", "../a", "a.csv"])
def test_a_name_that_could_say_more_is_not_given(name: str) -> None:
    with pytest.raises(ValueError, match="name"):
        csv_response(name, ("a",), [])
