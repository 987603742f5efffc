"""Every state, event and actor has its words; times and numbers are said one way."""

from datetime import UTC, datetime, timedelta

import pytest

from gateway.console.words import (
    ACTORS,
    EVENTS,
    HOLDERS,
    STATES,
    begun,
    born,
    clock_time,
    how_long,
    nhs_number,
    they_said,
    when,
)
from gateway.domain.custody import Holder
from gateway.domain.labels import LABELS
from gateway.domain.lifecycle import Actor, LineEvent, LineState

ACCEPTED = {LineState.ACCEPTED, LineState.VALIDATED, LineState.IN_SUPPLY}


def test_nothing_that_can_happen_is_without_words() -> None:
    assert set(STATES) == set(LineState)
    assert set(EVENTS) == set(LineEvent)
    assert set(ACTORS) == set(Actor)
    assert set(HOLDERS) == set(Holder)


def test_green_means_that_the_provider_accepted() -> None:
    assert {state for state, shown in STATES.items() if shown.colour == "green"} == ACCEPTED


def test_the_label_is_that_of_the_lifecycle_and_no_two_states_share_one() -> None:
    assert {state: shown.label for state, shown in STATES.items()} == LABELS
    assert len({shown.label for shown in STATES.values()}) == len(LineState)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 s"),
        (-5, "0 s"),
        (59, "59 s"),
        (60, "1 min"),
        (251, "4 min 11 s"),
        (13200, "3 h 40 min"),
        (90000, "1 day 1 h"),
    ],
)
def test_a_length_of_time_is_said_in_its_two_largest_units(seconds: int, words: str) -> None:
    assert how_long(timedelta(seconds=seconds)) == words


def test_times_are_london_s_in_summer_and_winter() -> None:
    assert clock_time(datetime(2026, 7, 1, 8, 20, 11, tzinfo=UTC)) == "1 Jul 2026, 09:20:11"
    assert clock_time(datetime(2026, 11, 1, 8, 20, 11, tzinfo=UTC)) == "1 Nov 2026, 08:20:11"


def test_what_is_to_come_is_not_said_to_be_past() -> None:
    now = datetime(2026, 7, 1, tzinfo=UTC)
    assert when(now + timedelta(hours=2), now) == "in 2 h"
    assert when(now - timedelta(hours=2), now) == "2 h ago"
    assert when(now + timedelta(milliseconds=40), now) == "0 s ago"


@pytest.mark.parametrize(
    ("today", "age"), [("2026-04-11T22:59:00", 46), ("2026-04-11T23:30:00", 47), ("2026-04-12T12:00:00", 47)]
)
def test_an_age_changes_at_midnight_in_london(today: str, age: int) -> None:
    assert born("1979-04-12", datetime.fromisoformat(today).replace(tzinfo=UTC)) == f"12 Apr 1979 ({age})"


def test_an_nhs_number_is_read_out_in_threes_and_four() -> None:
    assert nhs_number("9990000077") == "999 000 0077"
    assert not nhs_number("")


def test_words_that_begin_a_sentence_keep_every_other_letter() -> None:
    assert begun("signed answer from Example Homecare, OCSP good") == "Signed answer from Example Homecare, OCSP good"
    assert begun("") == ""


def test_a_providers_words_are_quoted_as_they_are_and_said_to_be_missing_where_they_are() -> None:
    assert they_said("Out of stock.", "It will not come.") == "They said: “Out of stock”. It will not come."
    assert they_said("Which strength?", "They wait.") == "They said: “Which strength?” They wait."
    assert they_said("", "They wait.") == "They gave no reason. They wait."
