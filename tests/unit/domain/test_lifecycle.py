import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.custody import CUSTODY, Holder
from gateway.domain.labels import LABELS, ROLL_UP, WORST_FIRST, Condition, roll_up, worst
from gateway.domain.lifecycle import BEFORE, LINE_TABLE, LIVE, TERMINAL, Actor, LineEvent, LineState
from gateway.domain.transition import Ignored, Moved, resolve_supply, transition

S, E, A = LineState, LineEvent, Actor


def test_no_two_rows_answer_for_the_same_state_and_event() -> None:
    pairs = [(state, row.event) for row in LINE_TABLE for state in row.states]
    assert len(pairs) == len(set(pairs))


def test_every_state_can_be_reached_from_received() -> None:
    reached = {S.RECEIVED}
    for _ in S:
        reached |= {S(row.to) for row in LINE_TABLE if row.to != BEFORE and row.states & reached}
    assert reached == set(S)


def test_every_open_state_can_reach_a_final_one_without_the_rows_for_any_state() -> None:
    rows = [row for row in LINE_TABLE if row.event not in {E.REPLACED, E.VALIDITY_OVER, E.CANCEL_CONFIRMED}]
    ends = set(TERMINAL)
    for _ in S:
        ends |= {state for row in rows for state in row.states if row.to in ends}
    assert ends == set(S)


@given(st.sampled_from(sorted(TERMINAL)), st.sampled_from(list(E)), st.sampled_from(list(A)))
def test_a_final_state_absorbs_every_event_and_tells_somebody(state: S, event: E, actor: A) -> None:
    result = transition(state, event, actor)
    assert isinstance(result, Ignored)
    assert result.alert


@given(st.lists(st.tuples(st.sampled_from(list(E)), st.sampled_from(list(A))), max_size=40))
def test_no_sequence_of_events_leaves_a_final_state(steps: list[tuple[E, A]]) -> None:
    state, before, final = S.RECEIVED, None, False
    for event, actor in steps:
        result = transition(state, event, actor, before=before)
        if isinstance(result, Moved):
            assert not final
            before, state = state, result.state
            final = state in TERMINAL


def test_only_the_provider_can_say_that_medicine_was_supplied() -> None:
    supplies = {E.DISPENSED, E.DISPATCHED, E.DELIVERED, E.LAST_DELIVERED, E.SUPPLY_SHORT}
    for row in LINE_TABLE:
        if row.event in supplies:
            assert row.actors == {A.PROVIDER_SYSTEM}


def test_a_time_out_never_makes_a_line_ready_for_another_provider() -> None:
    for row in LINE_TABLE:
        if row.actors & {A.CLOCK}:
            assert row.to in {S.UNCERTAIN, S.EXPIRED, S.CLOSED}


def test_a_cancel_is_confirmed_by_us_only_when_nothing_is_on_the_wire() -> None:
    (row,) = [row for row in LINE_TABLE if row.event is E.CANCEL]
    assert not row.states & {S.SENT, S.UNCERTAIN, S.WITH_PROVIDER, S.ACCEPTED, S.IN_SUPPLY}


def test_re_routing_takes_two_people() -> None:
    for row in LINE_TABLE:
        if row.event in {E.REROUTE, E.REVOKED_FOR_REROUTE}:
            assert row.actors == {A.TWO_PEOPLE}


@pytest.mark.parametrize(
    "path",
    [
        [(E.CLEAR, A.GATEWAY, S.READY), (E.ON_WIRE, A.GATEWAY, S.SENT), (E.ARRIVED, A.PROVIDER_SYSTEM, S.WITH_PROVIDER),
         (E.ACCEPTED, A.PROVIDER_SYSTEM, S.ACCEPTED), (E.VALIDATED, A.PROVIDER_SYSTEM, S.VALIDATED),
         (E.DISPENSED, A.PROVIDER_SYSTEM, S.IN_SUPPLY), (E.LAST_DELIVERED, A.PROVIDER_SYSTEM, S.FULFILLED),
         (E.WINDOW_OVER, A.CLOCK, S.CLOSED)],
        [(E.CLEAR, A.GATEWAY, S.READY), (E.ON_WIRE, A.GATEWAY, S.SENT), (E.NOTHING_DECISIVE, A.CLOCK, S.UNCERTAIN),
         (E.VERBATIM_RETRY, A.GATEWAY, S.SENT), (E.REJECTED, A.PROVIDER_SYSTEM, S.REJECTED),
         (E.CLOSE, A.TRUST_PHARMACIST, S.CLOSED)],
        [(E.CLEAR, A.GATEWAY, S.READY), (E.ON_WIRE, A.GATEWAY, S.SENT), (E.DELIVERED, A.PROVIDER_SYSTEM, S.IN_SUPPLY)],
    ],
    ids=["delivered", "in doubt, then rejected", "a supply overtakes the acceptance"],
)  # fmt: skip
def test_a_line_walks_the_published_paths(path: list[tuple[E, A, S]]) -> None:
    state = S.RECEIVED
    for event, actor, expected in path:
        result = transition(state, event, actor)
        assert isinstance(result, Moved)
        assert result.state is expected
        state = result.state


def test_a_query_that_is_answered_returns_to_the_state_before() -> None:
    result = transition(S.QUERIED, E.ANSWERED, A.TRUST_PHARMACIST, before=S.VALIDATED)
    assert isinstance(result, Moved)
    assert result.state is S.VALIDATED
    assert isinstance(transition(S.QUERIED, E.ANSWERED, A.TRUST_PHARMACIST), Ignored)


def test_the_wrong_party_moves_nothing() -> None:
    assert isinstance(transition(S.SENT, E.ACCEPTED, A.GATEWAY), Ignored)


def test_a_trailing_answer_wakes_nobody_but_a_second_delivery_does() -> None:
    trailing = transition(S.ACCEPTED, E.ARRIVED, A.PROVIDER_SYSTEM)
    again = transition(S.FULFILLED, E.DELIVERED, A.PROVIDER_SYSTEM)
    assert isinstance(trailing, Ignored)
    assert not trailing.alert
    assert isinstance(again, Ignored)
    assert again.alert


def test_every_state_has_words_custody_and_a_place_in_the_roll_up() -> None:
    assert set(LABELS) == set(CUSTODY) == set(WORST_FIRST) == set(S)
    for state, custody in CUSTODY.items():
        assert (custody.limit_seconds is None) == (custody.holder is Holder.NOBODY), state


def test_live_and_terminal_states_do_not_overlap() -> None:
    assert not LIVE & TERMINAL


def test_a_prescription_is_as_bad_as_its_worst_line() -> None:
    assert worst((S.FULFILLED, S.UNCERTAIN, S.ACCEPTED)) is S.UNCERTAIN


@pytest.mark.parametrize(
    ("delivered", "total", "expected"),
    [(0, 1, E.LAST_DELIVERED), (0, 6, E.DELIVERED), (5, 6, E.LAST_DELIVERED), (6, 6, E.DELIVERED)],
)
def test_the_last_of_n_deliveries_is_told_from_the_others(delivered: int, total: int, expected: E) -> None:
    assert resolve_supply(E.DELIVERED, delivered=delivered, total=total) is expected


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([(S.ACCEPTED, None), (S.SENT, None)], (S.SENT, None)),
        ([(S.SENT, Condition.SENT_OVERDUE), (S.PART_SUPPLIED, None)], (S.SENT, Condition.SENT_OVERDUE)),
        (
            [(S.ACCEPTED, Condition.CANCEL_OVERDUE), (S.SENT, Condition.SENT_OVERDUE)],
            (S.ACCEPTED, Condition.CANCEL_OVERDUE),
        ),
        ([(S.ACCEPTED, Condition.CANCEL_OVERDUE), (S.QUERIED, None)], (S.QUERIED, None)),
        ([(S.CANCELLED, Condition.INCIDENT), (S.UNCERTAIN, None)], (S.CANCELLED, Condition.INCIDENT)),
        ([(S.REJECTED, Condition.CANCEL_OVERDUE)], (S.REJECTED, None)),
    ],
)
def test_an_overdue_cancel_or_an_incident_speaks_before_better_states(
    lines: list[tuple[S, Condition | None]], expected: tuple[S, Condition | None]
) -> None:
    assert roll_up(tuple(lines)) == expected


def test_the_roll_up_has_every_state_and_condition_once_in_the_published_order() -> None:
    assert set(ROLL_UP) == set(S) | set(Condition)
    assert len(ROLL_UP) == len(set(ROLL_UP))
    assert [one for one in ROLL_UP if one in set(S)] == list(WORST_FIRST)
