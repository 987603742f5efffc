"""The cancel region: its table, and what must hold of every path through it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.cancel import (
    CANCEL_TABLE,
    ENDED,
    GIVEN_BACK,
    NOTHING_ON_WIRE,
    SUPPLIED,
    CancelEvent,
    CancelState,
    move,
    provider_event,
)
from gateway.domain.lifecycle import TERMINAL, Actor, LineEvent, LineState
from gateway.domain.transition import Moved, transition

PROVIDERS = [event for event in CancelEvent if event.value in set(LineEvent)]
CONFIRMING = {
    CancelEvent(name) for name in ("cancel_confirmed", "returned", "not_supplied", "rejected", "refused_format")
}
"""What the holder says that ends it: its answer, or that it gives the line up."""
OURS = {CancelEvent.ASKED_BEFORE_WIRE, CancelEvent.ORDER_CAME, CancelEvent.NEVER_LEFT}


def test_no_two_arrows_leave_one_state_by_one_event() -> None:
    pairs = [(state, row.event) for row in CANCEL_TABLE for state in row.states]
    assert len(pairs) == len(set(pairs))


@pytest.mark.parametrize("state", sorted(ENDED))
def test_a_cancel_that_has_ended_stays_as_it_ended(state: CancelState) -> None:
    assert all(move(state, event) is None for event in CancelEvent)


def test_only_what_never_left_or_the_holder_confirms_a_cancel() -> None:
    confirming = {row.event for row in CANCEL_TABLE if row.to is CancelState.CONFIRMED}
    assert confirming == OURS | CONFIRMING


@given(st.lists(st.sampled_from(PROVIDERS)))
def test_sending_and_waiting_never_confirm(events: list[CancelEvent]) -> None:
    """Whatever arrives, a cancel is confirmed only after a confirming answer."""
    state = CancelState.ASKED
    for event in events:
        arrow = move(state, event)
        if arrow is not None and arrow.to is CancelState.CONFIRMED:
            assert event in CONFIRMING
        state = arrow.to if arrow is not None else state


@pytest.mark.parametrize("row", [row for row in CANCEL_TABLE if row.line], ids=lambda row: str(row.event))
def test_a_line_event_of_an_arrow_cancels_the_line(row: object) -> None:
    event = next(each.line for each in CANCEL_TABLE if each is row)
    assert event is not None
    starts = [state for state in LineState if state not in TERMINAL]
    actors = list(Actor)
    ends = {
        moved.state
        for start in starts
        for actor in actors
        if isinstance(moved := transition(start, event, actor), Moved)
    }
    assert ends == {LineState.CANCELLED}


def test_every_state_with_nothing_on_the_wire_can_be_cancelled_by_the_trust() -> None:
    for state in NOTHING_ON_WIRE:
        assert isinstance(transition(state, LineEvent.CANCEL, Actor.PRESCRIBER), Moved)


def test_the_kinds_of_state_do_not_overlap() -> None:
    kinds = [NOTHING_ON_WIRE, GIVEN_BACK, SUPPLIED, TERMINAL]
    assert sum(map(len, kinds)) == len(frozenset().union(*kinds))


def test_a_report_that_says_nothing_of_a_cancel_is_no_cancel_event() -> None:
    assert provider_event(LineEvent.DISPATCHED) is None
    assert provider_event(LineEvent.CANCEL_PENDING) is CancelEvent.CANCEL_PENDING
