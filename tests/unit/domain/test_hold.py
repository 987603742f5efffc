"""The hold region: its table, and what must hold of every path through it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.hold import (
    ANSWERS,
    ENDED,
    HOLD_TABLE,
    HOLDABLE,
    REFUSALS,
    HoldEvent,
    HoldKind,
    HoldState,
    beneath,
    move,
)
from gateway.domain.lifecycle import TERMINAL, Actor, LineEvent, LineState
from gateway.domain.transition import Moved, transition

DONE = {HoldKind.HOLD: "hold_confirmed", HoldKind.RELEASE: "release_confirmed"}
OURS = {HoldEvent.ASKED_BEFORE_WIRE, HoldEvent.NEVER_LEFT}


def test_no_two_arrows_leave_one_state_by_one_event() -> None:
    triples = [(row.kind, row.state, row.event) for row in HOLD_TABLE]
    assert len(triples) == len(set(triples))


@pytest.mark.parametrize("state", sorted(ENDED))
@pytest.mark.parametrize("kind", HoldKind)
def test_a_request_that_has_ended_stays_as_it_ended(kind: HoldKind, state: HoldState) -> None:
    assert all(move(kind, state, event) is None for event in HoldEvent)


@given(st.sampled_from(HoldKind), st.lists(st.sampled_from([event for event in HoldEvent if event not in OURS])))
def test_sending_and_waiting_never_confirm(kind: HoldKind, events: list[HoldEvent]) -> None:
    """Whatever arrives, a request is confirmed only by the word that says that very thing."""
    state = HoldState.ASKED
    for event in events:
        arrow = move(kind, state, event)
        if arrow is not None and arrow.to is HoldState.CONFIRMED:
            assert event == DONE[kind]
        state = arrow.to if arrow is not None else state


def test_every_answer_has_its_arrow_and_a_refusal_tells_a_person() -> None:
    assert {event.value for event in ANSWERS} <= {event.value for event in HoldEvent}
    for kind, event in REFUSALS.items():
        arrow = move(kind, HoldState.ASKED, HoldEvent(event.value))
        assert arrow is not None
        assert (arrow.to, arrow.line, bool(arrow.alert)) == (HoldState.REFUSED, None, True)


@pytest.mark.parametrize("state", sorted(HOLDABLE))
def test_what_can_be_held_goes_on_hold_and_comes_back(state: LineState) -> None:
    actor = Actor.PRESCRIBER if state is LineState.READY else Actor.PROVIDER_SYSTEM
    held = transition(state, LineEvent.HOLD_CONFIRMED, actor)
    assert isinstance(held, Moved)
    assert held.state is LineState.ON_HOLD
    released = transition(held.state, LineEvent.RELEASE_CONFIRMED, actor, before=state)
    assert isinstance(released, Moved)
    assert released.state is state


@pytest.mark.parametrize("state", sorted(set(LineState) - HOLDABLE - {LineState.ON_HOLD}))
def test_nothing_else_can_be_held(state: LineState) -> None:
    for actor in Actor:
        assert not isinstance(transition(state, LineEvent.HOLD_CONFIRMED, actor), Moved)


def test_a_trust_holds_only_what_has_not_left() -> None:
    for state in HOLDABLE - {LineState.READY}:
        assert not isinstance(transition(state, LineEvent.HOLD_CONFIRMED, Actor.PRESCRIBER), Moved)


def test_no_supply_moves_a_line_on_hold() -> None:
    for event in (LineEvent.DISPENSED, LineEvent.DISPATCHED, LineEvent.DELIVERED, LineEvent.LAST_DELIVERED):
        assert not isinstance(transition(LineState.ON_HOLD, event, Actor.PROVIDER_SYSTEM), Moved)


def test_the_state_beneath_is_the_one_before_the_hold() -> None:
    assert beneath(LineState.ON_HOLD, LineState.ACCEPTED) is LineState.ACCEPTED
    assert beneath(LineState.QUERIED, LineState.ACCEPTED) is LineState.QUERIED
    assert not HOLDABLE & TERMINAL
