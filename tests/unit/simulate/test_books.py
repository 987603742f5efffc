"""The reckoning finds what is lost and what is supplied twice, and nothing else."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random
from uuid import uuid4

import pytest

from gateway.simulate.books import COUNTS, NOWHERE, Place, imbalances, reckon
from gateway.simulate.follow_ups import Deed
from gateway.simulate.journal import Answered, Arrived, Followed, GaveUp, Journal, ProviderEntry, Surprise, TrustEntry
from gateway.simulate.promises import Promise, standings
from gateway.simulate.standing import Reply, Standing
from gateway.simulate.written import Flaw, Written, write_prescriptions

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
WRITTEN: Written = next(
    write_prescriptions(Random(1), trust="RBA", run="T", flaws=(Flaw.NONE,), providers=("VNE51",), now=NOW)
)
BALANCED = dict.fromkeys(COUNTS, 0) | {
    "submitted": 10,
    "accepted": 8,
    "refused": 2,
    "held": 1,
    "delivered": 4,
    "closed": 1,
    "open": 3,
    "alerted": 3,
}


def answered(standing: Standing, *, later: bool = False) -> Answered:
    return Answered(
        key=WRITTEN.key,
        control_id=str(WRITTEN.message),
        reply=Reply(standing=standing),
        digest="",
        flaw=Flaw.NONE,
        at=NOW,
        later=later,
    )


def arrived(*names: str, items: tuple[str, ...] = (), replaces: tuple[str, ...] = ()) -> Arrived:
    return Arrived(
        provider="VNE51",
        message=str(uuid4()),
        items=items,
        names=names,
        replaces=replaces,
        sealed=True,
        repeat=False,
        behaviour="",
        at=NOW,
    )


def followed(deed: Deed) -> Followed:
    return Followed(key=WRITTEN.key, deed=deed, control_id="F1", reply=Reply(standing=Standing.ACCEPTED), at=NOW)


def lost(answers: list[TrustEntry], arrivals: list[ProviderEntry], place: Place = NOWHERE) -> bool:
    trust: Journal[TrustEntry] = Journal()
    provider: Journal[ProviderEntry] = Journal()
    for answer in answers:
        trust.write(answer)
    for arrival in arrivals:
        provider.write(arrival)
    promises = [
        Promise(key=key, message=str(WRITTEN.message), item=str(WRITTEN.item), standing=standing)
        for key, standing in standings(trust).items()
    ]
    return reckon([(promises, trust)], [provider], {str(WRITTEN.message): place}).lost == (WRITTEN.key,)


@pytest.mark.parametrize("standing", [Standing.ACCEPTED, Standing.COMMITTED, Standing.HELD])
def test_a_promise_that_nobody_holds_is_a_loss(standing: Standing) -> None:
    assert lost([answered(standing)], [])


def test_what_was_never_promised_cannot_be_lost() -> None:
    assert not lost([], [])
    assert not lost([answered(Standing.REFUSED)], [])
    assert not lost([answered(Standing.COMMITTED), answered(Standing.REFUSED, later=True)], [])


def test_a_line_that_reached_a_provider_is_not_lost() -> None:
    assert not lost([answered(Standing.ACCEPTED)], [arrived(WRITTEN.key, items=("a",))])
    assert not lost([answered(Standing.ACCEPTED)], [arrived(items=(str(WRITTEN.item),))])
    assert lost([answered(Standing.ACCEPTED)], [arrived("RXOTHER", items=("a",))])


def test_a_line_that_is_reported_is_not_lost_but_one_that_is_only_said_to_be_sent_is() -> None:
    assert not lost([answered(Standing.ACCEPTED)], [], Place(states=("READY",), alerts=1))
    assert not lost([answered(Standing.ACCEPTED)], [], Place(states=("HELD",), alerts=0))
    assert lost([answered(Standing.ACCEPTED)], [], Place(states=("SENT",), alerts=0))
    assert lost([answered(Standing.ACCEPTED)], [], Place(states=("FULFILLED",), alerts=0))


def test_what_the_trust_itself_withdrew_is_not_lost_but_what_the_gateway_withdrew_is() -> None:
    cancelled = Place(states=("CANCELLED",), alerts=0)
    assert not lost([answered(Standing.ACCEPTED), followed(Deed.CANCEL)], [], cancelled)
    assert lost([answered(Standing.ACCEPTED)], [], cancelled)
    assert lost([answered(Standing.ACCEPTED), followed(Deed.HOLD)], [], cancelled)
    assert lost([answered(Standing.ACCEPTED), followed(Deed.CANCEL)], [], Place(states=("SENT",), alerts=0))


def changed(*arrivals: Arrived, states: tuple[str, ...] = ("SENT",), by: Deed = Deed.CHANGE) -> tuple[str, ...]:
    provider: Journal[ProviderEntry] = Journal()
    trust: Journal[TrustEntry] = Journal()
    trust.write(followed(by))
    for arrival in arrivals:
        provider.write(arrival)
    change = Promise(key=WRITTEN.key, message="F1", standing=Standing.ACCEPTED, change=True)
    return reckon([([change], trust)], [provider], {"F1": Place(states=states, alerts=0)}).lost


def test_a_change_is_lost_when_only_the_order_that_it_replaces_arrived() -> None:
    assert changed(arrived(WRITTEN.key, items=("old",))) == (WRITTEN.key,)
    assert changed(arrived(WRITTEN.key, items=("new",), replaces=("old",))) == ()


OLD = arrived(WRITTEN.key, items=("old",))


def test_a_change_that_was_let_go_for_the_old_order_was_supplied_is_not_lost() -> None:
    assert changed(OLD, states=("CANCELLED", "FULFILLED")) == ()
    assert changed(OLD, states=("FULFILLED", "SUPERSEDED")) == ()


@pytest.mark.parametrize("states", [("FULFILLED",), ("CANCELLED", "SENT"), ("CANCELLED", "FULFILLED", "READY"), ()])
def test_a_change_of_which_anything_else_is_said_is_lost(states: tuple[str, ...]) -> None:
    assert changed(OLD, states=states) == (WRITTEN.key,)


def test_a_change_is_lost_where_no_old_order_arrived_or_nobody_changed_one() -> None:
    assert changed(states=("CANCELLED", "FULFILLED")) == (WRITTEN.key,)
    assert changed(OLD, states=("CANCELLED", "FULFILLED"), by=Deed.HOLD) == (WRITTEN.key,)


def test_what_is_said_to_be_withdrawn_while_a_provider_has_it_is_a_surprise() -> None:
    provider: Journal[ProviderEntry] = Journal()
    provider.write(arrived(WRITTEN.key, items=("a",)))
    promise = Promise(key=WRITTEN.key, message="M1", standing=Standing.ACCEPTED)
    places = {"M1": Place(states=("CANCELLED",), alerts=0)}
    assert reckon([([promise], Journal())], [provider], places).surprises == (
        f"{WRITTEN.key} is said to be withdrawn, and VNE51 has a",
    )
    provider.write(GaveUp(provider="VNE51", message="", item="a", at=NOW + timedelta(seconds=1)))
    assert reckon([([promise], Journal())], [provider], places).surprises == ()


def test_surprises_are_told() -> None:
    journal: Journal[TrustEntry] = Journal()
    journal.write(Surprise(key="RX1", what="odd", at=NOW))
    assert reckon([([], journal)], [], {}).surprises == ("RX1 odd",)


def test_books_that_keep_every_equation_balance() -> None:
    assert imbalances(BALANCED) == ()


@pytest.mark.parametrize("name", ["submitted", "accepted", "refused", "delivered", "closed", "open", "alerted"])
def test_one_more_or_less_of_any_count_is_an_imbalance(name: str) -> None:
    assert imbalances(BALANCED | {name: BALANCED[name] + 1})
    assert imbalances(BALANCED | {name: BALANCED[name] - 1})


def test_more_held_than_accepted_is_an_imbalance() -> None:
    assert imbalances(BALANCED | {"held": 9})


def test_a_place_is_settled_when_it_has_ended_or_is_reported() -> None:
    fulfilled = Place(states=("FULFILLED",), alerts=0)
    assert fulfilled.settled
    assert not replace(fulfilled, states=("FULFILLED", "SENT")).settled
    assert replace(fulfilled, states=("SENT",), alerts=1).settled
    assert not NOWHERE.settled
