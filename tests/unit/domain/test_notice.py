"""What a notice says, and what it never says."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.alert_kinds import ALERT_KINDS
from gateway.domain.notice import Item, Standing, alert_of, daily_words, reference, step_words, weekly_words
from tests.factories import MOMENT


@given(st.integers(min_value=1, max_value=10**12))
def test_a_reference_is_read_back_also_as_people_write_it(number: int) -> None:
    said = reference(number)
    assert alert_of(said) == alert_of(f" {said.lower()} ") == number
    assert alert_of(said.replace("0", "O").replace("1", "l")) == number


@given(st.integers(min_value=1, max_value=10**6), st.data())
def test_one_wrong_digit_is_noticed(number: int, data: st.DataObject) -> None:
    said = reference(number)
    at = data.draw(st.integers(min_value=0, max_value=3))
    other = data.draw(st.sampled_from([digit for digit in "0123456789ABCDEFGHJKMNPQRSTVWXYZ" if digit != said[at]]))
    assert alert_of(said[:at] + other + said[at + 1 :]) != number


@pytest.mark.parametrize(
    "text", ["", "-", "0001", "0001-", "U001-01", "0001-x1", "0001-²", "1" * 40 + "-01", "0001-02"]
)
def test_what_is_no_reference_is_none(text: str) -> None:
    assert alert_of(text) is None


def test_one_prescription_is_told_as_console_md_says() -> None:
    words = step_words([Item(alert=7, kind="line-rejected")])
    assert words.text == f"1 prescription needs you today, reference {reference(7)}. Nobody has taken it. Sign in."
    assert words.path == "/console/work/7"


def test_many_are_told_together_with_the_soonest_first_and_some_references() -> None:
    items = [Item(alert=number, kind="renewal-requested") for number in range(1, 8)]
    words = step_words([*items, Item(alert=9, kind="safety-incident")])
    assert words.text.startswith("8 prescriptions need you now, references 0001-01, 0002-02")
    assert "and 3 more" in words.text
    assert words.path == "/console/"
    assert "8 items" in step_words([*items, Item(alert=9, kind="room-low", prescription=False)]).text


@given(st.lists(st.sampled_from(sorted(ALERT_KINDS)), min_size=1, max_size=30), st.booleans())
def test_a_notice_is_one_short_line_and_no_more(kinds: list[str], prescription: bool) -> None:  # noqa: FBT001 - drawn
    words = step_words([Item(alert=n, kind=kind, prescription=prescription) for n, kind in enumerate(kinds, 1)])
    assert re.fullmatch(r"[\x20-\x7e]{10,200}", words.subject)
    assert re.fullmatch(r"[\x20-\x7e]{10,260}", words.text)


def test_a_digest_says_what_is_open_the_oldest_and_what_was_closed() -> None:
    standing = Standing(still_open=3, untaken=2, oldest=MOMENT, oldest_alert=5, closed=4)
    assert daily_words(standing).text.startswith(
        "3 items are open this morning; nobody has taken 2 of them. The oldest"
    )
    assert reference(5) in daily_words(standing).text
    assert weekly_words(standing).subject == "Weekly summary: 3 still open, 4 closed in seven days"
    none = Standing(still_open=0, untaken=0, oldest=None, oldest_alert=None, closed=0)
    assert "Nothing is open." in weekly_words(none).text
