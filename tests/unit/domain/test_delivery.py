"""One issue of a line: what may happen to it, and which issue a report means that numbers none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.delivery import (
    DELIVERY_TABLE,
    ENDED,
    FINAL,
    IN_FLIGHT,
    LABELS,
    Delivery,
    DeliveryEvent,
    DeliveryState,
    in_flight,
    move,
    owed_after,
    reported,
    spoken_of,
)
from gateway.domain.lifecycle import BEFORE, Actor, LineEvent

S = DeliveryState
E = DeliveryEvent
A = Actor


def at(state: S, issue: int = 1, *, owed: bool = False, before: S | None = None) -> Delivery:
    return Delivery(issue=issue, state=state, owed=owed, before=before)


def test_no_two_rows_answer_for_the_same_state_and_event() -> None:
    pairs = [(state, row.event) for row in DELIVERY_TABLE for state in row.states]
    assert len(pairs) == len(set(pairs))


def test_every_state_can_be_reached_and_has_words() -> None:
    reached = {S.PLANNED}
    for _ in S:
        reached |= {S(row.to) for row in DELIVERY_TABLE if row.to != BEFORE and row.states & reached}
    assert reached == set(S) == set(LABELS)


@given(st.sampled_from(sorted(ENDED)), st.sampled_from(list(E)), st.sampled_from(list(A)))
def test_a_delivery_that_ended_absorbs_every_event_but_that_another_made_it(state: S, event: E, actor: A) -> None:
    said = event is E.RESCUED and actor is A.TRUST_PHARMACIST and state not in FINAL
    assert move(at(state, before=S.BOOKED), event, actor) is (S.RESCUED if said else None)


def test_another_may_have_made_every_issue_that_nobody_delivered() -> None:
    rescued = {state for state in S if move(at(state), E.RESCUED, A.TRUST_PHARMACIST) is S.RESCUED}
    assert rescued == set(S) - FINAL - {S.DELIVERED}


def test_no_arrow_leaves_a_final_state() -> None:
    assert not any(row.states & FINAL for row in DELIVERY_TABLE)


def test_only_the_provider_says_that_medicine_moved() -> None:
    for row in DELIVERY_TABLE:
        if row.event in {E.DISPENSED, E.DISPATCHED, E.DELIVERED, E.FAILED, E.SUPPLY_SHORT, E.BALANCE_SUPPLIED}:
            assert row.actors == {A.PROVIDER_SYSTEM}


def test_nothing_that_is_on_its_way_is_withdrawn_or_ended_by_the_clock() -> None:
    for row in DELIVERY_TABLE:
        if A.CLOCK in row.actors and row.event is E.DUE:
            assert not row.states & IN_FLIGHT
        if row.to in {S.WITHDRAWN, S.NOT_SUPPLIED}:
            assert S.DISPATCHED not in row.states


@pytest.mark.parametrize(
    "path",
    [
        [(E.DUE, A.CLOCK, S.RELEASED), (E.SUPPLY_PLANNED, A.PROVIDER_SYSTEM, S.BOOKED),
         (E.DISPENSING_STARTED, A.PROVIDER_SYSTEM, S.PREPARING), (E.DISPENSED, A.PROVIDER_SYSTEM, S.READY_TO_GO),
         (E.DISPATCHED, A.PROVIDER_SYSTEM, S.DISPATCHED), (E.FAILED, A.PROVIDER_SYSTEM, S.FAILED),
         (E.SUPPLY_PLANNED, A.PROVIDER_SYSTEM, S.BOOKED), (E.DELIVERED, A.PROVIDER_SYSTEM, S.DELIVERED),
         (E.SUPPLY_WITHDRAWN, A.PROVIDER_SYSTEM, S.BOOKED)],
        [(E.SUPPLY_SHORT, A.PROVIDER_SYSTEM, S.PREPARING), (E.BALANCE_SUPPLIED, A.PROVIDER_SYSTEM, S.DELIVERED)],
        [(E.SUPPLY_SHORT, A.PROVIDER_SYSTEM, S.PREPARING),
         (E.BALANCE_WILL_NOT_COME, A.PROVIDER_SYSTEM, S.NOT_SUPPLIED)],
        [(E.DISPATCHED, A.PROVIDER_SYSTEM, S.DISPATCHED), (E.RESCUED, A.TRUST_PHARMACIST, S.RESCUED)],
        [(E.LINE_ENDED, A.PROVIDER_SYSTEM, S.WITHDRAWN), (E.RESCUED, A.TRUST_PHARMACIST, S.RESCUED)],
        [(E.NOT_SUPPLIED, A.PROVIDER_PHARMACIST, S.NOT_SUPPLIED), (E.RESCUED, A.TRUST_PHARMACIST, S.RESCUED)],
        [(E.SUPPLY_PLANNED, A.PROVIDER_SYSTEM, S.BOOKED), (E.LINE_ENDED, A.PRESCRIBER, S.WITHDRAWN)],
    ],
    ids=["every step, with a failure", "short, then the rest", "short, and no rest", "rescued",
         "given back and rescued", "not supplied and rescued", "cancelled"],
)  # fmt: skip
def test_a_delivery_walks_the_published_paths(path: list[tuple[E, A, S]]) -> None:
    one = at(S.PLANNED)
    for event, actor, expected in path:
        state = move(one, event, actor)
        assert state is expected
        one = at(expected, owed=owed_after(one, event), before=one.state)


def test_a_part_supply_leaves_a_rest_owed_until_it_is_supplied() -> None:
    assert owed_after(at(S.BOOKED), E.SUPPLY_SHORT)
    assert owed_after(at(S.PREPARING, owed=True), E.DISPATCHED)
    assert not owed_after(at(S.PREPARING, owed=True), E.BALANCE_SUPPLIED)


@pytest.mark.parametrize(
    ("states", "event", "issue"),
    [
        ([S.DELIVERED, S.PLANNED, S.DISPATCHED], E.DELIVERED, 3),
        ([S.DELIVERED, S.PLANNED, S.PLANNED], E.DELIVERED, 2),
        ([S.DELIVERED, S.DELIVERED, S.PLANNED], E.SUPPLY_WITHDRAWN, 2),
        ([S.BOOKED, S.PLANNED], E.SUPPLY_PLANNED, 1),
        ([S.DISPATCHED, S.FAILED, S.PLANNED], E.SUPPLY_PLANNED, 2),
        ([S.DELIVERED, S.NOT_SUPPLIED], E.DELIVERED, None),
        ([S.PREPARING, S.PLANNED], E.BALANCE_SUPPLIED, None),
    ],
)
def test_a_report_without_a_number_means_the_issue_nearest_the_door(states: list[S], event: E, issue: int) -> None:
    found = spoken_of(
        [at(state, number, before=S.DISPATCHED) for number, state in enumerate(states, start=1)],
        event,
        A.PROVIDER_SYSTEM,
    )
    assert (found.issue if found else None) == issue


def test_a_balance_is_of_the_issue_that_owes_one() -> None:
    both = [at(S.PREPARING, 1), at(S.PREPARING, 2, owed=True)]
    found = spoken_of(both, E.BALANCE_SUPPLIED, A.PROVIDER_SYSTEM)
    assert found is both[1]


def test_a_report_of_the_last_delivery_is_a_delivery_and_an_acceptance_is_none() -> None:
    assert reported(LineEvent.LAST_DELIVERED) is E.DELIVERED
    assert reported(LineEvent.ACCEPTED) is None


def test_medicine_is_in_flight_from_the_bench_to_the_door() -> None:
    assert in_flight([at(S.PLANNED), at(S.DISPATCHED, 2)])
    assert not in_flight([at(S.BOOKED), at(S.DELIVERED, 2), at(S.FAILED, 3)])
