"""No order of events lets one line be supplied twice, or a confirmed cancel be supplied; and a broken rule is found."""

from dataclasses import replace
from datetime import datetime

import pytest

from gateway.domain.fence import Ground, Holding, Withheld, decide
from gateway.domain.identifiers import OdsCode
from gateway.domain.lifecycle import LineState
from tests.sim import model
from tests.sim.model import Hand, Place, Rules, World, search

PROMISES = [
    Rules(recognises_repeats=repeats, refuses_expired=expired) for repeats in (False, True) for expired in (False, True)
]


@pytest.mark.parametrize("rules", PROMISES)
def test_nothing_goes_wrong_within_the_first_steps(rules: Rules) -> None:
    found = search(rules, most=12_000)
    assert not found.fault, found.way
    assert found.worlds >= 12_000


def _on_time_out(holding: Holding, to: OdsCode, now: datetime) -> Ground | Withheld:
    """Re-route what has not answered."""
    if holding.state is LineState.UNCERTAIN:
        return Ground.EXPIRED
    return decide(holding, to=to, now=now, people=("ada", "ben"))


def _on_expiry_alone(holding: Holding, to: OdsCode, now: datetime) -> Ground | Withheld:
    """Take every provider to refuse what has expired."""
    return decide(replace(holding, refuses_expired=True), to=to, now=now, people=("ada", "ben"))


@pytest.mark.parametrize("fence", [_on_time_out, _on_expiry_alone])
def test_a_fence_that_lets_too_much_through_is_found_out(fence: object) -> None:
    found = search(Rules(fence=fence), most=60_000)  # type: ignore[arg-type]
    assert found.fault, found.worlds
    assert found.way


def _from_anyone(world: World, place: Place) -> bool:
    """Take an answer whoever gave it, about whichever epoch."""
    return bool(world) and bool(place)


def test_an_answer_that_is_not_bound_to_its_epoch_is_found_out() -> None:
    assert search(Rules(binds=_from_anyone), most=60_000).fault


def test_a_promise_that_covers_only_what_was_not_accepted_is_not_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    def late(_world: World, place: Place, hand: Hand, rules: Rules) -> bool:
        return rules.refuses_expired and place[1] in _world.expired and hand is Hand.HAS

    monkeypatch.setattr(model, "_barred", late)
    assert search(Rules(refuses_expired=True), most=60_000).fault
