"""A cancel that came before its order: it meets the order under the number it names, and no other system's (I16)."""

from dataclasses import replace

import pytest

from gateway.domain.lifecycle import LineState
from gateway.domain.submission import Outcome, Verdict
from gateway.ports.acceptance import Tombstone
from tests.contract.store_engines import Exchange, make_acceptance, make_order, make_prescription
from tests.contract.test_store import exchange

__all__ = ["exchange"]


@pytest.mark.parametrize(
    ("cancelled", "ordered", "state"),
    [
        ("", "", LineState.CANCELLED),
        ("EPR1", "EPR1", LineState.CANCELLED),
        ("", "EPR1", LineState.CANCELLED),
        ("EPR1", "", LineState.CANCELLED),
        ("EPR1", "EPR2", LineState.READY),
    ],
)
async def test_an_early_cancel_meets_the_order_whose_number_it_may_name(
    exchange: Exchange, cancelled: str, ordered: str, state: LineState
) -> None:
    what = make_prescription("A")
    what = replace(what, lines=tuple(replace(line, order_assigner=ordered) for line in what.lines))
    stone = Tombstone(order_number=what.lines[0].order_number, order_assigner=cancelled)
    early = replace(make_acceptance("C"), orders=(), tombstones=(stone,), verdict=Verdict(outcome=Outcome.TRANSLATED))
    await exchange.store.accept(early)
    await exchange.store.accept(make_acceptance("A", make_order(what)))
    assert await exchange.states(what) == [state]
