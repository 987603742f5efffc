"""Why a line has not left, or which stage of its supply is late, in words."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from gateway.console.late_words import NOT_QUEUED, stage_words, unsent_words
from gateway.domain.delivery import ENDED, DeliveryState
from gateway.ports.late import Awaits, Stage, Unsent

NOW = datetime(2026, 10, 5, 9, tzinfo=UTC)
DUE = Unsent(state="due", due_at=NOW - timedelta(minutes=20))
TRIED = replace(DUE, attempts=3, tried_at=NOW - timedelta(minutes=4), said="no connection: the connection broke")
LATER = NOW + timedelta(minutes=6)


@pytest.mark.parametrize(
    ("unsent", "words"),
    [
        (None, NOT_QUEUED),
        (
            DUE,
            (
                "No attempt was made yet. It has been due since 5 Oct 2026, 09:40, 20 min ago, and was not taken up: it"
                " waits its turn, or for an order before it, or no part of the gateway that sends is running."
            ),
        ),
        (
            replace(DUE, paused_at=NOW - timedelta(hours=2), paused_for="They asked for it."),
            (
                "No attempt was made yet. Nothing is sent to this provider since 5 Oct 2026, 08:00:00, 2 h ago: They"
                " asked for it."
            ),
        ),
        (
            replace(TRIED, due_at=LATER),
            (
                "Tried 3 times, last 4 min ago: no connection: the connection broke. Next attempt at 5 Oct 2026, 10:06,"
                " in 6 min."
            ),
        ),
        (
            replace(TRIED, attempts=1, said="", state="on_wire"),
            "Tried once, last 4 min ago. It is being sent now.",
        ),
        (
            replace(TRIED, state="stuck", said=""),
            "Tried 3 times, last 4 min ago. It is not tried again by itself: a person must act.",
        ),
        (
            replace(DUE, awaits=Awaits.RULING),
            (
                "No attempt was made yet. It waits for a person: the order that it replaces could not be cancelled in"
                " time. Nothing of it leaves until it is decided, under Decide the late change on its page, whether it"
                " is sent as well."
            ),
        ),
        (
            replace(DUE, awaits=Awaits.CANCEL, paused_at=NOW - timedelta(hours=2), paused_for="They asked for it."),
            (
                "No attempt was made yet. It waits for the order that it replaces: nothing of it leaves until the"
                " cancel of that one is confirmed."
            ),
        ),
        (
            replace(DUE, withheld=True),
            "No attempt was made yet. It is held back: a line of the same message is on hold.",
        ),
    ],
)
def test_why_it_has_not_left_is_what_is_known(unsent: Unsent | None, words: str) -> None:
    assert unsent_words(unsent, NOW) == words


def test_every_stage_has_its_own_words_and_none_is_called_unbooked_that_was_booked() -> None:
    said = {
        state: stage_words(Stage(issue=2, state=state, since=NOW, day=date(2026, 10, 1)))
        for state in DeliveryState
        if state not in {*ENDED, DeliveryState.DELIVERED}
    }
    assert len(set(said.values())) == len(said)
    unbooked = {state for state, words in said.items() if "no delivery" in words.lower()}
    assert unbooked == {DeliveryState.PLANNED, DeliveryState.RELEASED}
    assert said[DeliveryState.BOOKED] == (
        "The delivery of supply 2 is booked for 1 Oct 2026, and we know of nothing after that."
    )
    assert said[DeliveryState.DISPATCHED] == (
        "Supply 2 left on 5 Oct 2026, 10:00, and is not known to have arrived; it was planned for 1 Oct 2026."
    )


def test_where_no_supply_is_left_none_is_called_made_that_may_have_been_withdrawn() -> None:
    assert stage_words(None) == "We know of no supply that is still to be made, and the line has not ended."
