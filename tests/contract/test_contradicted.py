"""A provider speaks of what its own system said it had not taken: it is not sent again, nor cancelled here."""

from dataclasses import replace
from datetime import timedelta

import pytest

from gateway.destination import InDoubt, Taken, TryLater
from gateway.domain.acts import Act
from gateway.domain.cancel import CancelState
from gateway.domain.hold import HoldKind, HoldState
from gateway.domain.identifiers import OdsCode
from gateway.domain.lifecycle import LineEvent, LineState
from gateway.domain.prescription import Prescription
from gateway.pipeline.changes import stands
from gateway.pipeline.holding import LineHold
from gateway.ports.acceptance import CancelRequest, OvertakenError
from gateway.ports.work import Claim, Whereabouts
from tests.contract.store_engines import (
    PROVIDER,
    TRUST,
    Exchange,
    make_acceptance,
    make_change,
    make_hold,
    make_order,
    make_prescription,
    make_update,
)

S, E = LineState, LineEvent
WHAT = make_prescription("A")
STRANGER = OdsCode("VNCEL")
LATER = TryLater(reason="busy")
SAID = {
    E.ARRIVED: S.WITH_PROVIDER,
    E.ACCEPTED: S.ACCEPTED,
    E.VALIDATED: S.VALIDATED,
    E.QUERIED: S.QUERIED,
    E.REJECTED: S.REJECTED,
    E.REFUSED_FORMAT: S.REJECTED,
    E.RETURNED: S.REJECTED,
    E.DISPENSED: S.IN_SUPPLY,
    E.DISPATCHED: S.IN_SUPPLY,
    E.DELIVERED: S.IN_SUPPLY,
    E.SUPPLY_WITHDRAWN: S.UNCERTAIN,
}
"""Where the line stands once it was said."""


async def not_taken(exchange: Exchange, what: Prescription = WHAT) -> Claim:
    """Send an order, of which the provider's system says that it did not take it; it is due again at once."""
    await exchange.store.accept(make_acceptance("A", make_order(what)))
    claim = await exchange.send()
    await exchange.store.record(claim, LATER, now=exchange.clock.now(), retry_at=exchange.clock.now())
    return claim


@pytest.mark.parametrize(("said", "state"), SAID.items())
async def test_what_its_provider_turns_out_to_know_is_not_sent_again(
    exchange: Exchange, said: LineEvent, state: LineState
) -> None:
    claim = await not_taken(exchange)
    assert await exchange.states(WHAT) == [S.READY]
    await exchange.answer(claim.message_id, said, epoch=1)
    assert await exchange.states(WHAT) == [state]
    assert await exchange.claim() == []
    assert "answer-unexpected" in await exchange.alert_kinds()
    exchange.clock.move(hours=9)
    assert await exchange.claim() == []


async def test_a_worker_that_has_it_in_hand_finds_that_it_may_not_go(exchange: Exchange) -> None:
    claim = await not_taken(exchange)
    (again,) = await exchange.claim()
    await exchange.answer(claim.message_id, E.ACCEPTED, epoch=1)
    assert not await exchange.store.on_wire(again, now=exchange.clock.now())
    assert await exchange.states(WHAT) == [S.ACCEPTED]


async def test_every_line_of_the_message_is_in_doubt_whichever_is_spoken_of(exchange: Exchange) -> None:
    two = make_prescription("A", lines=2)
    claim = await not_taken(exchange, two)
    await exchange.answer(claim.message_id, E.ACCEPTED, line_id=two.lines[0].id, epoch=1)
    assert await exchange.states(two) == [S.ACCEPTED, S.UNCERTAIN]
    assert await exchange.claim() == []


async def test_a_cancel_is_asked_of_the_provider_then_and_not_confirmed_here(exchange: Exchange) -> None:
    claim = await not_taken(exchange)
    (line,) = await exchange.store.known_lines(TRUST, [], items=[WHAT.lines[0].id])
    assert stands(line, (line,)) == "CONFIRMED"
    await exchange.answer(claim.message_id, E.ACCEPTED, epoch=1)
    (line,) = await exchange.store.known_lines(TRUST, [], items=[WHAT.lines[0].id])
    assert stands(line, (line,)) == "ASKED"


NOBODYS = {
    "undeliverable, and accepted": (False, [E.ACCEPTED], S.UNDELIVERABLE, "ASKED"),
    "undeliverable, and arrived": (False, [E.ARRIVED], S.UNDELIVERABLE, "ASKED"),
    "undeliverable, and rejected": (False, [E.REJECTED], S.UNDELIVERABLE, "CONFIRMED"),
    "undeliverable": (False, [], S.UNDELIVERABLE, "CONFIRMED"),
    "rejected, and accepted": (True, [E.REJECTED, E.ACCEPTED], S.REJECTED, "ASKED"),
    "rejected, and dispatched": (True, [E.REJECTED, E.DISPATCHED], S.REJECTED, "ASKED"),
    "rejected, and arrived": (True, [E.REJECTED, E.ARRIVED], S.REJECTED, "CONFIRMED"),
    "accepted, and rejected since": (True, [E.ACCEPTED, E.QUERIED, E.REJECTED], S.REJECTED, "CONFIRMED"),
    "returned, and supplied": (True, [E.ACCEPTED, E.RETURNED, E.DELIVERED], S.RETURNED, "ASKED"),
    "returned": (True, [E.ACCEPTED, E.RETURNED], S.RETURNED, "CONFIRMED"),
    "rejected, accepted, and rejected again": (True, [E.REJECTED, E.ACCEPTED, E.REJECTED], S.REJECTED, "CONFIRMED"),
}


@pytest.mark.parametrize(("taken", "said", "state", "cancel"), NOBODYS.values(), ids=NOBODYS.keys())
async def test_nobody_confirms_here_the_cancel_of_what_its_last_provider_says_it_has(
    exchange: Exchange,
    taken: bool,  # noqa: FBT001
    said: list[LineEvent],
    state: LineState,
    cancel: str,
) -> None:
    await exchange.store.accept(make_acceptance("A"))
    claim = await exchange.send()
    await exchange.store.record(claim, Taken() if taken else LATER, now=exchange.clock.now(), retry_at=None)
    for number, event in enumerate(said):
        exchange.clock.move(seconds=1)
        await exchange.answer(claim.message_id, event, id=str(number), epoch=1)
    assert await exchange.states(WHAT) == [state]
    (line,) = await exchange.store.known_lines(TRUST, [], items=[WHAT.lines[0].id])
    assert stands(line, (line,)) == cancel
    confirmed = CancelRequest(line_id=line.line_id, seen=line.state, state=CancelState.CONFIRMED)
    here = exchange.store.accept(replace(make_change("C"), cancels=(confirmed,)))
    if cancel == "CONFIRMED":
        await here
        assert await exchange.states(WHAT) == [S.CANCELLED]
        return
    with pytest.raises(OvertakenError):
        await here
    asked = replace(confirmed, state=CancelState.ASKED, elsewhere=True)
    await exchange.store.accept(replace(make_change("C"), cancels=(asked,)))
    assert await exchange.states(WHAT) == [state]
    assert "cancel-not-sent" in await exchange.alert_kinds()


async def test_what_waits_for_its_providers_word_is_not_closed_before_it(exchange: Exchange) -> None:
    await exchange.store.accept(make_acceptance("A"))
    claim = await exchange.send()
    await exchange.store.record(claim, Taken(), now=exchange.clock.now(), retry_at=None)
    for event in (E.REJECTED, E.ACCEPTED):
        await exchange.answer(claim.message_id, event, id=event.value, epoch=1)
    (line,) = await exchange.store.known_lines(TRUST, [], items=[WHAT.lines[0].id])
    asked = CancelRequest(line_id=line.line_id, seen=line.state, state=CancelState.ASKED, elsewhere=True)
    await exchange.store.accept(replace(make_change("C"), cancels=(asked,)))
    act = Act(prescription_id=WHAT.id, by="j.smith", reason="Another supplies it.", now=exchange.clock.now())
    (why,) = await exchange.store.close_lines(act)
    assert why.startswith("its cancel waits for the provider's word")
    assert await exchange.states(WHAT) == [S.REJECTED]
    await exchange.answer(claim.message_id, E.RETURNED, id="again", epoch=1)
    assert await exchange.states(WHAT) == [S.CANCELLED]


async def test_of_a_line_on_hold_here_the_state_beneath_moves_on_and_a_person_is_told(exchange: Exchange) -> None:
    claim = await not_taken(exchange)
    (line,) = await exchange.store.known_lines(TRUST, [], items=[WHAT.lines[0].id])
    held = LineHold(line=line, kind=HoldKind.HOLD, state=HoldState.CONFIRMED)
    await exchange.store.accept(make_change("H", make_hold(held, WHAT, "")))
    await exchange.answer(claim.message_id, E.ACCEPTED, epoch=1)
    assert await exchange.states(WHAT) == [S.ON_HOLD]
    (line,) = await exchange.store.known_lines(TRUST, [], items=[WHAT.lines[0].id])
    assert (line.before, stands(line, (line,))) == (S.ACCEPTED, "ASKED")
    assert await exchange.claim() == []
    assert "answer-unexpected" in await exchange.alert_kinds()


@pytest.mark.parametrize("said", [E.NOT_STORED, E.CANCEL_CONFIRMED, E.HOLD_CONFIRMED])
async def test_what_does_not_say_that_it_is_there_changes_nothing_of_that(exchange: Exchange, said: LineEvent) -> None:
    claim = await not_taken(exchange)
    await exchange.answer(claim.message_id, said, epoch=1)
    assert await exchange.states(WHAT) == [S.READY]
    assert len(await exchange.claim()) == 1


async def test_a_stranger_and_another_epoch_change_nothing(exchange: Exchange) -> None:
    claim = await not_taken(exchange)
    await exchange.answer(claim.message_id, E.ACCEPTED, provider=STRANGER, id="1")
    await exchange.answer(claim.message_id, E.ACCEPTED, epoch=2, id="2")
    assert await exchange.states(WHAT) == [S.READY]
    assert len(await exchange.claim()) == 1


async def test_what_never_left_is_not_there_whoever_says_so(exchange: Exchange) -> None:
    await exchange.store.accept(make_acceptance("A", make_order(WHAT)))
    ((message,),) = exchange.opened.rows("SELECT message FROM allocation")
    (claim,) = await exchange.claim()
    assert claim.message_id.bytes == bytes(message)
    await exchange.answer(claim.message_id, E.ACCEPTED, epoch=1)
    assert await exchange.states(WHAT) == [S.READY]
    assert "answer-unexpected" in await exchange.alert_kinds()


async def test_what_is_in_doubt_so_is_settled_by_a_person_or_by_its_provider(exchange: Exchange) -> None:
    claim = await not_taken(exchange)
    await exchange.answer(claim.message_id, E.SUPPLY_WITHDRAWN, epoch=1)
    assert await exchange.states(WHAT) == [S.UNCERTAIN]
    exchange.clock.move(seconds=1)
    await exchange.answer(claim.message_id, E.ACCEPTED, epoch=1)
    assert await exchange.states(WHAT) == [S.ACCEPTED]
    taken = replace(claim, attempt=2)
    await exchange.store.record(taken, Taken(), now=exchange.clock.now() + timedelta(seconds=1), retry_at=None)
    assert await exchange.states(WHAT) == [S.ACCEPTED]
    assert await exchange.claim(PROVIDER) == []


async def test_what_it_says_in_answer_to_the_cancel_is_heard_of_the_order_that_waits(exchange: Exchange) -> None:
    """An order was said never to have arrived and goes again, with the cancel of one of its lines behind it."""
    two = make_prescription("A", lines=2)
    await exchange.store.accept(make_acceptance("A", make_order(two)))
    order = await exchange.send()
    await exchange.store.record(order, InDoubt(reason="cut"), now=exchange.clock.now(), retry_at=None)
    (line, *_) = await exchange.store.known_lines(TRUST, [], items=[two.lines[0].id])
    message = make_update(line, two, "cancel")
    asked = CancelRequest(line_id=line.line_id, seen=line.state, state=CancelState.ASKED, message=message)
    await exchange.store.accept(replace(make_change("C"), cancels=(asked,)))
    await exchange.deliver()
    now = exchange.clock.move(seconds=1)
    found = {"found": Whereabouts.NEVER_ARRIVED, "evidence": "Rung.", "by": "ann", "now": now}
    assert await exchange.store.resolve_doubt(two.id, **found) == 2  # type: ignore[arg-type]
    assert await exchange.states(two) == [S.READY, S.READY]
    exchange.clock.move(seconds=1)
    await exchange.answer(message.id, E.DISPATCHED, line_id=two.lines[0].id, epoch=1)
    assert await exchange.states(two) == [S.IN_SUPPLY, S.UNCERTAIN]
    left = [claim.message_id for claim in await exchange.claim()]
    assert order.message_id not in left
