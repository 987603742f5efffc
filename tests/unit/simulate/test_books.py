"""The reckoning finds what is lost and what is supplied twice, and nothing else."""

from dataclasses import replace
from datetime import UTC, datetime
from random import Random
from uuid import uuid4

import pytest

from gateway.simulate.books import COUNTS, NOWHERE, Place, imbalances, reckon
from gateway.simulate.journal import Answered, Arrived, Journal, ProviderEntry, Supplied, Surprise, TrustEntry
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


def arrived(*names: str, items: tuple[str, ...] = ()) -> Arrived:
    return Arrived(
        provider="VNE51",
        message=str(uuid4()),
        items=items,
        names=names,
        sealed=True,
        repeat=False,
        behaviour="",
        at=NOW,
    )


def supplied(item: str, issue: int, provider: str = "VNE51") -> Supplied:
    return Supplied(provider=provider, item=item, issue=issue, at=NOW)


def lost(answers: list[TrustEntry], arrivals: list[ProviderEntry], place: Place = NOWHERE) -> bool:
    trust: Journal[TrustEntry] = Journal()
    provider: Journal[ProviderEntry] = Journal()
    for answer in answers:
        trust.write(answer)
    for arrival in arrivals:
        provider.write(arrival)
    return reckon([([WRITTEN], trust)], [provider], {WRITTEN.key: place}).lost == (WRITTEN.key,)


@pytest.mark.parametrize("standing", [Standing.ACCEPTED, Standing.COMMITTED, Standing.HELD])
def test_a_promise_that_nobody_holds_is_a_loss(standing: Standing) -> None:
    assert lost([answered(standing)], [])


def test_what_was_never_promised_cannot_be_lost() -> None:
    assert not lost([], [])
    assert not lost([answered(Standing.REFUSED)], [])
    assert not lost([answered(Standing.COMMITTED), answered(Standing.REFUSED, later=True)], [])


def test_a_line_that_reached_a_provider_is_not_lost() -> None:
    assert not lost([answered(Standing.ACCEPTED)], [arrived(WRITTEN.key)])
    assert not lost([answered(Standing.ACCEPTED)], [arrived(items=(str(WRITTEN.item),))])
    assert lost([answered(Standing.ACCEPTED)], [arrived("RXOTHER")])


def test_a_line_that_is_reported_is_not_lost_but_one_that_is_only_said_to_be_sent_is() -> None:
    assert not lost([answered(Standing.ACCEPTED)], [], Place(states=("READY",), alerts=1))
    assert not lost([answered(Standing.ACCEPTED)], [], Place(states=("HELD",), alerts=0))
    assert lost([answered(Standing.ACCEPTED)], [], Place(states=("SENT",), alerts=0))
    assert lost([answered(Standing.ACCEPTED)], [], Place(states=("FULFILLED",), alerts=0))


def test_the_same_supply_handed_over_twice_is_found_whoever_did_it() -> None:
    one: Journal[ProviderEntry] = Journal()
    other: Journal[ProviderEntry] = Journal()
    for entry in (supplied("a", 1), supplied("a", 2), supplied("b", 1)):
        one.write(entry)
    assert reckon([], [one, other], {}).double_supplied == ()
    other.write(supplied("a", 2, "VNCEL"))
    assert reckon([], [one, other], {}).double_supplied == ("a",)


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
