"""A line leaves its holder on a ground, never for want of an answer."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.cancel import CancelState
from gateway.domain.fence import FREE, REVOCABLE, SKEW, Ground, Holding, Said, Withheld, decide, next_epoch, unsettled
from gateway.domain.identifiers import OdsCode
from gateway.domain.lifecycle import LINE_TABLE, LineEvent, LineState

NOW = datetime(2026, 10, 5, 9, 15, tzinfo=UTC)
HOLDER, NEXT = OdsCode("VNE51"), OdsCode("VNCEL")
PEOPLE = ("anna", "ben")
S, E = LineState, LineEvent
SENT = Holding(
    state=S.SENT, epoch=1, provider=HOLDER, unproven=1, not_valid_after=NOW + timedelta(days=90), total=6, delivered=0
)
TAKEN_ON = (Said(event=E.ON_WIRE, bound=False), Said(event=E.ARRIVED), Said(event=E.ACCEPTED))


def said(*events: LineEvent) -> tuple[Said, ...]:
    return tuple(Said(event=event) for event in events)


def judged(holding: Holding, **change: object) -> Ground | Withheld:
    return decide(replace(holding, **change), to=NEXT, now=NOW, people=PEOPLE)  # type: ignore[arg-type]


GRANTED = {
    "ready, never tried": (replace(SENT, state=S.READY, unproven=0), Ground.NEVER_ON_WIRE),
    "undeliverable, proven": (replace(SENT, state=S.UNDELIVERABLE, unproven=0), Ground.NEVER_ON_WIRE),
    "rejected": (replace(SENT, state=S.REJECTED, said=said(E.ARRIVED, E.REJECTED)), Ground.GIVEN_BACK),
    "format refused": (replace(SENT, state=S.REJECTED, said=said(E.REFUSED_FORMAT)), Ground.GIVEN_BACK),
    "returned": (replace(SENT, state=S.RETURNED, said=(*TAKEN_ON, *said(E.RETURNED))), Ground.GIVEN_BACK),
    "dispensed, then returned": (
        replace(SENT, state=S.RETURNED, said=(*TAKEN_ON, *said(E.DISPENSED, E.RETURNED))),
        Ground.GIVEN_BACK,
    ),
    "not supplied": (replace(SENT, state=S.RETURNED, said=(*TAKEN_ON, *said(E.NOT_SUPPLIED))), Ground.GIVEN_BACK),
    "revoked": (
        replace(SENT, state=S.ACCEPTED, revoked=True, said=(*TAKEN_ON, Said(event=E.CANCEL_CONFIRMED, moved=False))),
        Ground.GIVEN_BACK,
    ),
    "revoked after a delivery": (
        replace(
            SENT,
            state=S.IN_SUPPLY,
            revoked=True,
            delivered=1,
            said=(*TAKEN_ON, *said(E.DISPATCHED, E.DELIVERED, E.CANCEL_CONFIRMED)),
        ),
        Ground.GIVEN_BACK,
    ),
    "expired where that is refused": (
        replace(SENT, refuses_expired=True, not_valid_after=NOW - SKEW - timedelta(seconds=1)),
        Ground.EXPIRED,
    ),
}

ASKED_FIRST = {
    "sent": SENT,
    "uncertain": replace(SENT, state=S.UNCERTAIN),
    "accepted": replace(SENT, state=S.ACCEPTED, said=TAKEN_ON),
    "expired where it is not refused": replace(SENT, not_valid_after=NOW - timedelta(days=900)),
    "expired within the skew": replace(SENT, refuses_expired=True, not_valid_after=NOW - SKEW),
    "expired after it was accepted": replace(
        SENT, state=S.WITH_PROVIDER, refuses_expired=True, not_valid_after=NOW - timedelta(days=9), said=TAKEN_ON
    ),
    "a confirmation nobody asked for": replace(SENT, state=S.ACCEPTED, said=(*TAKEN_ON, *said(E.CANCEL_CONFIRMED))),
    "a rejection that moved nothing": replace(
        SENT, state=S.ACCEPTED, said=(*TAKEN_ON, Said(event=E.REJECTED, moved=False))
    ),
    "a rejection from elsewhere": replace(SENT, said=(Said(event=E.REJECTED, bound=False),)),
    "revoked, then accepted again": replace(
        SENT, state=S.ACCEPTED, revoked=True, said=(*TAKEN_ON, *said(E.CANCEL_CONFIRMED, E.ACCEPTED))
    ),
}

A_PERSON = {
    "rejected, and later accepted": replace(SENT, state=S.REJECTED, said=said(E.REJECTED, E.ACCEPTED)),
    "rejected, and dispensed all the same": replace(SENT, state=S.REJECTED, said=said(E.REJECTED, E.DISPENSED)),
    "rejected without a word of the holder": replace(SENT, state=S.REJECTED),
    "ready again, and an attempt is in doubt": replace(SENT, state=S.READY, unproven=1),
    "ready, but the holder spoke of it": replace(SENT, state=S.READY, unproven=0, said=said(E.ACCEPTED)),
    "ready, but the holder says that it came": replace(SENT, state=S.READY, unproven=0, said=said(E.ARRIVED)),
    "undeliverable, but the holder takes a report back": replace(
        SENT, state=S.UNDELIVERABLE, unproven=0, said=said(E.SUPPLY_WITHDRAWN)
    ),
    "held": Holding(state=S.HELD, epoch=0, provider=HOLDER),
    "waiting for screening": Holding(state=S.AWAITING_SCREENING, epoch=0, provider=HOLDER),
    "on hold": replace(SENT, state=S.ON_HOLD),
    "delivered": replace(SENT, state=S.FULFILLED),
    "cancelled": replace(SENT, state=S.CANCELLED),
    "a cancel is asked": replace(SENT, state=S.ACCEPTED, cancel=CancelState.ASKED),
    "a cancel came too late": replace(SENT, state=S.ACCEPTED, cancel=CancelState.TOO_LATE),
    "nothing is left": replace(SENT, state=S.RETURNED, delivered=6, said=said(E.RETURNED)),
    "dispensed": replace(SENT, state=S.IN_SUPPLY, said=(*TAKEN_ON, *said(E.DISPENSED))),
    "dispatched, then returned": replace(SENT, state=S.RETURNED, said=(*TAKEN_ON, *said(E.DISPATCHED, E.RETURNED))),
    "supplied in part": replace(SENT, state=S.PART_SUPPLIED, said=(*TAKEN_ON, *said(E.SUPPLY_SHORT))),
    "the balance will not come": replace(
        SENT, state=S.IN_SUPPLY, said=(*TAKEN_ON, *said(E.SUPPLY_SHORT, E.BALANCE_WILL_NOT_COME))
    ),
}


@pytest.mark.parametrize(("holding", "ground"), GRANTED.values(), ids=GRANTED.keys())
def test_a_ground_that_holds_lets_the_line_go(holding: Holding, ground: Ground) -> None:
    assert judged(holding) is ground


@pytest.mark.parametrize("holding", ASKED_FIRST.values(), ids=ASKED_FIRST.keys())
def test_without_a_ground_the_holder_is_asked_first(holding: Holding) -> None:
    verdict = judged(holding)
    assert isinstance(verdict, Withheld)
    assert verdict.ask
    assert str(HOLDER) in verdict.reason


@pytest.mark.parametrize("holding", A_PERSON.values(), ids=A_PERSON.keys())
def test_where_asking_would_not_help_a_person_must_see_to_it(holding: Holding) -> None:
    verdict = judged(holding)
    assert isinstance(verdict, Withheld)
    assert not verdict.ask
    assert verdict.reason


@pytest.mark.parametrize("people", [(), ("anna",), ("anna", "anna"), ("anna", " ANNA"), ("anna", " ")])
@pytest.mark.parametrize("holding", [holding for holding, _ in GRANTED.values()], ids=list(GRANTED))
def test_no_ground_serves_without_two_people(holding: Holding, people: tuple[str, ...]) -> None:
    assert isinstance(decide(holding, to=NEXT, now=NOW, people=people), Withheld)


@pytest.mark.parametrize("holding", [holding for holding, _ in GRANTED.values()], ids=list(GRANTED))
def test_a_line_never_goes_to_the_provider_that_had_it(holding: Holding) -> None:
    assert isinstance(decide(holding, to=HOLDER, now=NOW, people=PEOPLE), Withheld)


HOLDINGS = st.builds(
    Holding,
    state=st.sampled_from(LineState),
    epoch=st.integers(0, 3),
    provider=st.sampled_from([HOLDER, None]),
    unproven=st.integers(0, 2),
    said=st.lists(
        st.builds(Said, event=st.sampled_from(LineEvent), moved=st.booleans(), bound=st.booleans()), max_size=8
    ).map(tuple),
    not_valid_after=st.sampled_from([None, NOW - timedelta(days=400), NOW + timedelta(days=1)]),
    refuses_expired=st.booleans(),
    revoked=st.booleans(),
    delivered=st.integers(0, 2),
    total=st.just(3),
)


@given(holding=HOLDINGS)
def test_every_ground_is_a_fact_and_has_an_arrow(holding: Holding) -> None:
    verdict = judged(holding)
    if isinstance(verdict, Withheld):
        assert not verdict.ask or holding.state in REVOCABLE
        return
    arrows = {(state, row.event) for row in LINE_TABLE for state in row.states if row.to is LineState.READY}
    gives_back = verdict is Ground.GIVEN_BACK and holding.state not in FREE
    assert (holding.state, E.REVOKED_FOR_REROUTE if gives_back else E.REROUTE) in arrows
    if verdict is Ground.NEVER_ON_WIRE:
        assert holding.unproven == 0
        assert all(one.event is E.NOT_STORED for one in holding.said if one.bound)
    if verdict is Ground.GIVEN_BACK:
        assert any(one.bound for one in holding.said)
    if verdict is Ground.EXPIRED:
        assert holding.refuses_expired


@given(holding=HOLDINGS, years=st.integers(0, 50))
def test_time_alone_opens_nothing(holding: Holding, years: int) -> None:
    """At a provider that is not known to refuse what has expired, waiting changes no verdict."""
    patient = replace(holding, refuses_expired=False)
    later = decide(patient, to=NEXT, now=NOW + timedelta(days=365 * years), people=PEOPLE)
    assert later == judged(patient)


@given(holding=HOLDINGS)
def test_a_supply_reported_last_closes_the_fence(holding: Holding) -> None:
    supplied = replace(holding, said=(*holding.said, Said(event=E.DISPENSED)))
    assert isinstance(judged(supplied), Withheld)


def test_the_next_epoch_is_above_every_epoch_of_its_lines() -> None:
    def holdings(*epochs: int, lost: int = 0) -> list[Holding]:
        return [Holding(state=LineState.READY, epoch=epoch, provider=None, lost_epochs=lost) for epoch in epochs]

    assert next_epoch(holdings(1)) == 2
    assert next_epoch(holdings(1, 4, 2)) == 5
    assert next_epoch(holdings(1, 4, lost=1000)) == 1001


def test_a_supply_that_failed_or_arrived_is_settled() -> None:
    for event in (E.DELIVERED, E.LAST_DELIVERED, E.DELIVERY_FAILED):
        assert unsettled(said(E.DISPENSED, E.DISPATCHED, event)) == ""
    assert unsettled(said(E.DISPATCHED, E.RETURNED)) != ""


def test_a_report_that_moved_nothing_settles_nothing() -> None:
    assert unsettled((*said(E.SUPPLY_SHORT), Said(event=E.DELIVERED, moved=False))) != ""


def test_of_two_supplies_on_their_way_one_that_arrived_does_not_settle_the_other() -> None:
    line = replace(SENT, state=S.RETURNED, delivered=1, said=said(E.DISPATCHED, E.DISPATCHED, E.DELIVERED, E.RETURNED))
    assert judged(line) is Ground.GIVEN_BACK
    assert isinstance(judged(line, unaccounted=1), Withheld)


@pytest.mark.parametrize("event", [E.DISPENSED, E.DISPATCHED, E.SUPPLY_SHORT, E.BALANCE_WILL_NOT_COME])
def test_what_an_issue_accounts_for_bars_no_longer_than_an_issue_is_open(event: LineEvent) -> None:
    moved = Said(event=event, accounted=True)
    line = replace(SENT, state=S.RETURNED, said=(moved, *said(E.RETURNED)))
    assert judged(line) is Ground.GIVEN_BACK
    assert isinstance(judged(line, unaccounted=1), Withheld)
    unknown = replace(line, said=(Said(event=event, moved=False), moved, *said(E.RETURNED)))
    assert isinstance(judged(unknown), Withheld) is (event is not E.DISPENSED)


def test_a_supply_that_was_reported_and_not_counted_bars_whatever_the_ground() -> None:
    line = replace(SENT, state=S.RETURNED, said=said(E.RETURNED))
    assert judged(line) is Ground.GIVEN_BACK
    verdict = judged(line, uncounted=1)
    assert isinstance(verdict, Withheld)
    assert "not counted" in verdict.reason
