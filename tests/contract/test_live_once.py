"""That an item and an order number are live once is asked of two columns, which the table keeps as a line moves."""

from dataclasses import replace

import pytest

from gateway.domain.errors import Refusal
from gateway.domain.lifecycle import LineState
from gateway.domain.submission import Action
from gateway.ports.acceptance import AcceptedOrder
from tests.contract.store_engines import Exchange, make_acceptance, make_order, make_prescription


def change(name: str, number: str, state: LineState) -> AcceptedOrder:
    """Give a change under an order number, as held or as ready to leave."""
    what = make_prescription(name)
    order = make_order(replace(what, lines=(replace(what.lines[0], order_number=number),)), state=state)
    return replace(order, verdict=replace(order.verdict, action=Action.REPLACE))


def said(exchange: Exchange) -> list[tuple[str, int, int]]:
    return [(str(state), ended, proposed) for state, ended, proposed in exchange.opened.rows(_SAID)]


_SAID = "SELECT state, ended, proposed FROM line ORDER BY id"


async def test_a_line_says_that_it_has_ended_when_it_has(exchange: Exchange) -> None:
    held = make_order(make_prescription("A"), state=LineState.HELD)
    await exchange.store.accept(make_acceptance("A", held))
    assert [ended for _, ended, _ in said(exchange)] == [0]
    assert held.prescription is not None
    corrected = make_order(held.prescription)
    item = held.prescription.lines[0].id
    await exchange.store.accept(make_acceptance("B", replace(corrected, supersedes=(item,))))
    assert [(state, ended) for state, ended, _ in said(exchange)] == [("SUPERSEDED", 1), ("READY", 0)]


async def test_a_change_bears_its_number_when_it_is_held_no_more(exchange: Exchange) -> None:
    await exchange.store.accept(make_acceptance("A", change("A", "RX1", LineState.HELD)))
    await exchange.store.accept(make_acceptance("B", change("B", "RX1", LineState.HELD)))
    await exchange.store.accept(make_acceptance("C", change("C", "RX1", LineState.READY)))
    assert said(exchange) == [("HELD", 0, 1), ("HELD", 0, 1), ("READY", 0, 0)]
    with pytest.raises(Refusal):
        await exchange.store.accept(make_acceptance("D", change("D", "RX1", LineState.READY)))
