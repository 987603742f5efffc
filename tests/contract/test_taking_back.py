"""An answer that takes an earlier one back: a withdrawn or amended notification, and a prescription handed back."""

from dataclasses import replace

import pytest

from gateway.domain.acknowledgement import Acknowledgement, LineReport
from gateway.domain.lifecycle import LineEvent, LineState
from gateway.ports.callback import CallbackResult, Effectiveness
from tests.contract.store_engines import Exchange, make_prescription
from tests.contract.test_store import posted, sent

_DELIVERED = LineReport(line_id=None, event=LineEvent.DELIVERED)
_WITHDRAWN = LineReport(line_id=None, event=LineEvent.SUPPLY_WITHDRAWN, reason_code="DA")


async def _say(exchange: Exchange, answer: Acknowledgement) -> CallbackResult:
    return await exchange.store.acknowledge(posted(exchange, answer.id.encode()), answer, ())


async def _delivered(exchange: Exchange) -> tuple[LineState, int]:
    view = await exchange.enquiries.prescription(make_prescription("A").id, tenant=None)
    assert view is not None
    return view.lines[0].state, view.lines[0].delivered


def _withdrawal(name: str, of: str) -> Acknowledgement:
    return Acknowledgement(id=name, correlation=None, reports=(_WITHDRAWN,), replaces=of)


async def test_a_withdrawn_notification_is_not_counted_and_a_repeat_changes_nothing(exchange: Exchange) -> None:
    answer = await sent(exchange, total=3)
    await _say(exchange, replace(answer, id="n1", reports=(_DELIVERED,)))
    await _say(exchange, replace(answer, id="n2", reports=(_DELIVERED,)))
    assert await _delivered(exchange) == (LineState.IN_SUPPLY, 2)
    assert (await _say(exchange, _withdrawal("w1", "N2"))).effect is Effectiveness.APPLIED
    assert await _delivered(exchange) == (LineState.IN_SUPPLY, 1)
    assert (await _say(exchange, _withdrawal("w1", "N2"))).effect is Effectiveness.REPEAT
    assert (await _say(exchange, _withdrawal("w2", "n2"))).effect is Effectiveness.KEPT
    assert await _delivered(exchange) == (LineState.IN_SUPPLY, 1)


async def test_an_amended_notification_counts_once(exchange: Exchange) -> None:
    answer = await sent(exchange, total=1)
    await _say(exchange, replace(answer, id="n1", reports=(_DELIVERED,)))
    assert await _delivered(exchange) == (LineState.FULFILLED, 1)
    amended = replace(answer, id="n2", reports=(_DELIVERED,), replaces="n1")
    assert (await _say(exchange, amended)).effect is Effectiveness.APPLIED
    assert await _delivered(exchange) == (LineState.FULFILLED, 1)
    again = replace(amended, id="n3", reports=(replace(_DELIVERED, event=LineEvent.SUPPLY_SHORT),), replaces="n2")
    assert (await _say(exchange, again)).effect is Effectiveness.APPLIED
    assert await _delivered(exchange) == (LineState.PART_SUPPLIED, 0)
    assert (await _say(exchange, replace(amended, id="n4", replaces="n3"))).effect is Effectiveness.KEPT


@pytest.mark.parametrize(("total", "state"), [(1, LineState.FULFILLED), (2, LineState.IN_SUPPLY)])
async def test_a_withdrawn_balance_is_owed_again_and_may_come_again(
    exchange: Exchange, total: int, state: LineState
) -> None:
    answer = await sent(exchange, total=total)
    for name, event in (("n1", LineEvent.SUPPLY_SHORT), ("n2", LineEvent.BALANCE_SUPPLIED)):
        await exchange.answer(answer.correlation, LineEvent.ACCEPTED)
        await _say(exchange, replace(answer, id=name, reports=(replace(_DELIVERED, event=event),)))
    assert await _delivered(exchange) == (state, 1)
    assert (await _say(exchange, _withdrawal("w1", "n2"))).effect is Effectiveness.APPLIED
    assert await _delivered(exchange) == (LineState.PART_SUPPLIED, 0)
    view = await exchange.enquiries.prescription(make_prescription("A").id, tenant=None)
    assert view is not None
    assert (view.lines[0].deliveries[0].state, view.lines[0].deliveries[0].owed) == ("PREPARING", True)
    assert (await _say(exchange, _withdrawal("w2", "n2"))).effect is Effectiveness.KEPT
    again = replace(_DELIVERED, event=LineEvent.BALANCE_SUPPLIED)
    assert (await _say(exchange, replace(answer, id="n3", reports=(again,)))).effect is Effectiveness.APPLIED
    assert await _delivered(exchange) == (state, 1)


@pytest.mark.parametrize("named", ["never-sent", "answer-A"])
async def test_what_delivered_nothing_cannot_be_withdrawn(exchange: Exchange, named: str) -> None:
    await _say(exchange, await sent(exchange))
    before = await _delivered(exchange)
    assert (await _say(exchange, _withdrawal("w1", named))).effect is Effectiveness.KEPT
    assert await _delivered(exchange) == before
    assert "answer-takes-back" in await exchange.alert_kinds()


async def test_an_amendment_that_answers_another_message_changes_nothing(exchange: Exchange) -> None:
    answer, other = await sent(exchange), await sent(exchange, "B")
    await _say(exchange, replace(answer, id="n1", reports=(_DELIVERED,)))
    result = await _say(exchange, replace(other, id="n2", reports=(_DELIVERED,), replaces="n1"))
    assert result.effect is Effectiveness.KEPT
    assert await _delivered(exchange) == (LineState.IN_SUPPLY, 1)


@pytest.mark.parametrize(
    ("first", "state"), [(LineEvent.ARRIVED, LineState.REJECTED), (LineEvent.ACCEPTED, LineState.RETURNED)]
)
async def test_what_is_handed_back_was_accepted_first_or_is_rejected(
    exchange: Exchange, first: LineEvent, state: LineState
) -> None:
    answer = await sent(exchange)
    await exchange.answer(answer.correlation, first)
    await exchange.answer(answer.correlation, LineEvent.RETURNED)
    assert await exchange.states(make_prescription("A")) == [state]


async def test_an_answer_that_names_another_prescription_changes_nothing(exchange: Exchange) -> None:
    answer = await sent(exchange)
    result = await _say(exchange, replace(answer, prescription_number="A0548B-A99968-451485"))
    assert result.effect is Effectiveness.KEPT
    number = make_prescription("A").number.value
    assert (await _say(exchange, replace(answer, id="x", prescription_number=number.lower()))).effect is (
        Effectiveness.APPLIED
    )


@pytest.mark.parametrize(
    ("number", "effect"), [("9990000077", Effectiveness.APPLIED), ("9990000212", Effectiveness.KEPT)]
)
async def test_an_answer_for_another_patient_changes_nothing(
    exchange: Exchange, number: str, effect: Effectiveness
) -> None:
    answer = await sent(exchange, total=3)
    before = await _delivered(exchange)
    said = replace(answer, id="n1", reports=(_DELIVERED,), nhs_number=number)
    assert (await _say(exchange, said)).effect is effect
    kept = effect is Effectiveness.KEPT
    assert (await _delivered(exchange) == before) is kept
    assert ("answer-unbound" in await exchange.alert_kinds()) is kept
