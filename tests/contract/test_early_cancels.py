"""A cancel that came before its order: it meets the order under the number it names, and no other system's (I16)."""

from dataclasses import replace

import pytest

from gateway.domain.errors import Refusal
from gateway.domain.lifecycle import LineState
from gateway.domain.prescription import Prescription
from gateway.domain.submission import Outcome, Verdict
from gateway.ports.acceptance import Tombstone
from tests.contract.store_engines import Exchange, make_acceptance, make_order, make_prescription


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
    what = await _after_its_cancel(exchange, cancelled, ordered)
    assert await exchange.states(what) == [state]


@pytest.mark.parametrize(
    ("before", "again", "refused"),
    [("", "", True), ("EPR1", "EPR1", True), ("", "EPR1", True), ("EPR1", "EPR2", False)],
)
async def test_a_copy_of_an_order_that_is_over_is_no_new_order(
    exchange: Exchange, before: str, again: str, *, refused: bool
) -> None:
    over = await _cancelled(exchange, before)
    number = over.lines[0].order_number
    copy = make_prescription("B")
    copy = replace(copy, lines=tuple(replace(line, order_number=number, order_assigner=again) for line in copy.lines))
    given = make_order(copy)
    numbers = tuple(replace(one, assigner=again) for one in given.verdict.numbers)
    given = replace(given, verdict=replace(given.verdict, numbers=numbers))
    if not refused:
        await exchange.store.accept(make_acceptance("B", given))
        assert await exchange.states(copy) == [LineState.READY]
        return
    with pytest.raises(Refusal) as refusal:
        await exchange.store.accept(make_acceptance("B", given))
    assert {issue.code for issue in refusal.value.issues} == {"ORDER_REUSED"}
    assert await exchange.states(over) == [LineState.CANCELLED]


async def test_an_item_that_is_over_comes_under_no_other_number(exchange: Exchange) -> None:
    over = await _cancelled(exchange, "")
    copy = make_prescription("B")
    copy = replace(copy, lines=tuple(replace(line, id=over.lines[0].id) for line in copy.lines))
    with pytest.raises(Refusal):
        await exchange.store.accept(make_acceptance("B", make_order(copy)))


async def _cancelled(exchange: Exchange, assigner: str) -> Prescription:
    """Give an order that its cancel met when it came."""
    what = await _after_its_cancel(exchange, assigner, assigner)
    assert await exchange.states(what) == [LineState.CANCELLED]
    return what


async def _after_its_cancel(exchange: Exchange, cancelled: str, ordered: str) -> Prescription:
    """Give an order that came after a cancel of its number, each as its ordering system says whose that is."""
    what = make_prescription("A")
    what = replace(what, lines=tuple(replace(line, order_assigner=ordered) for line in what.lines))
    stone = Tombstone(order_number=what.lines[0].order_number, order_assigner=cancelled)
    early = replace(make_acceptance("C"), orders=(), tombstones=(stone,), verdict=Verdict(outcome=Outcome.TRANSLATED))
    await exchange.store.accept(early)
    await exchange.store.accept(make_acceptance("A", make_order(what)))
    return what
