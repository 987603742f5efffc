"""What a person asks of lines at the console, on every engine: as they were seen or not at all, once, and audited."""

import asyncio
from dataclasses import replace

import pytest

from gateway.destination import Taken
from gateway.domain.asking import AskedFor, Seen, Wish
from gateway.domain.cancel import CancelState
from gateway.domain.hold import HoldKind, HoldState
from gateway.domain.lifecycle import Actor, LineEvent, LineState
from gateway.domain.prescription import Prescription
from gateway.ports.acceptance import CancelRequest, HoldRequest, OvertakenError
from gateway.ports.asking import PersonsRequest
from tests.contract.store_engines import TRUST, Exchange, make_acceptance, make_order, make_prescription
from tests.contract.test_desk_and_clock import update

S = LineState


async def accepted(exchange: Exchange, *, lines: int = 1, state: LineState = S.READY) -> Prescription:
    what = make_prescription("A", lines=lines)
    await exchange.store.accept(make_acceptance("A", make_order(what, state=state)))
    return what


def wish(what: Prescription, state: LineState, kind: AskedFor = AskedFor.CANCEL, *, epoch: int = 1) -> Wish:
    return Wish(
        what=kind,
        tenant=TRUST,
        prescription_id=what.id,
        lines={each.id: Seen(state=state, epoch=epoch) for each in what.lines},
        by="p.pharmacist",
        actor=Actor.TRUST_PHARMACIST,
        reason="Treatment was stopped.",
        reason_code="0003",
    )


def cancels(exchange: Exchange, wanted: Wish, what: Prescription, state: CancelState) -> PersonsRequest:
    asked = state is CancelState.ASKED
    requests = tuple(
        CancelRequest(
            line_id=line,
            seen=seen.state,
            state=state,
            reason=wanted.reason,
            reason_code=wanted.reason_code,
            message=update(what, index) if asked else None,
        )
        for index, (line, seen) in enumerate(wanted.lines.items())
    )
    return PersonsRequest(wish=wanted, cancels=requests, now=exchange.clock.now())


async def test_what_never_left_is_cancelled_by_the_person_and_the_trusts_system_is_told(exchange: Exchange) -> None:
    what = await accepted(exchange)
    await exchange.store.ask(cancels(exchange, wish(what, S.READY), what, CancelState.CONFIRMED))
    assert await exchange.states(what) == [S.CANCELLED]
    assert await exchange.claim() == []
    told = exchange.opened.rows(
        "SELECT event.event, event.actor, event.reason FROM outbox JOIN event ON event.seq = outbox.news"
    )
    assert told == [("cancel", "TPh", "Treatment was stopped.")]


async def test_what_left_is_asked_of_its_provider_with_a_clock(exchange: Exchange) -> None:
    what = await accepted(exchange)
    await exchange.store.record(await exchange.send(), Taken(), now=exchange.clock.now(), retry_at=None)
    await exchange.store.ask(cancels(exchange, wish(what, S.WITH_PROVIDER), what, CancelState.ASKED))
    assert await exchange.states(what) == [S.WITH_PROVIDER]
    ((state, answer_by),) = exchange.opened.rows("SELECT state, answer_by FROM cancel")
    assert state == "ASKED"
    assert answer_by > 0
    claim = await exchange.send()
    await exchange.answer(claim.message_id, LineEvent.CANCEL_CONFIRMED, line_id=what.lines[0].id)
    assert await exchange.states(what) == [S.CANCELLED]


@pytest.mark.parametrize("seen", [(S.WITH_PROVIDER, 1), (S.READY, 2), (S.READY, 0)])
async def test_a_line_that_is_not_exactly_as_it_was_seen_is_left_alone(
    exchange: Exchange, seen: tuple[LineState, int]
) -> None:
    what = await accepted(exchange)
    wanted = wish(what, seen[0], epoch=seen[1])
    with pytest.raises(OvertakenError):
        await exchange.store.ask(cancels(exchange, wanted, what, CancelState.CONFIRMED))
    assert await exchange.states(what) == [S.READY]
    assert exchange.opened.rows("SELECT count(*) FROM cancel") == [(0,)]


async def test_of_two_lines_none_is_touched_where_one_has_moved(exchange: Exchange) -> None:
    what = await accepted(exchange, lines=2)
    await exchange.store.record(await exchange.send(), Taken(), now=exchange.clock.now(), retry_at=None)
    wanted = wish(what, S.WITH_PROVIDER)
    moved = what.lines[1].id
    wanted = replace(wanted, lines={**wanted.lines, moved: Seen(state=S.SENT, epoch=1)})
    with pytest.raises(OvertakenError):
        await exchange.store.ask(cancels(exchange, wanted, what, CancelState.ASKED))
    assert exchange.opened.rows("SELECT count(*) FROM cancel") == [(0,)]
    assert await exchange.claim() == []


async def test_a_second_click_finds_it_asked(exchange: Exchange) -> None:
    what = await accepted(exchange)
    await exchange.store.record(await exchange.send(), Taken(), now=exchange.clock.now(), retry_at=None)
    request = cancels(exchange, wish(what, S.WITH_PROVIDER), what, CancelState.ASKED)
    first, second = await asyncio.gather(
        exchange.store.ask(request), exchange.store.ask(request), return_exceptions=True
    )
    assert [type(one) for one in (first, second)] == [type(None), OvertakenError]
    assert len(await exchange.claim()) == 1


async def test_a_hold_is_the_persons_and_withholds_the_message(exchange: Exchange) -> None:
    what = await accepted(exchange)
    wanted = wish(what, S.READY, AskedFor.HOLD)
    request = HoldRequest(
        line_id=what.lines[0].id,
        kind=HoldKind.HOLD,
        seen=S.READY,
        beneath=S.READY,
        open_request=None,
        state=HoldState.CONFIRMED,
        reason=wanted.reason,
    )
    await exchange.store.ask(PersonsRequest(wish=wanted, holds=(request,), now=exchange.clock.now()))
    assert await exchange.states(what) == [S.ON_HOLD]
    assert await exchange.claim() == []
    ((actor, text),) = exchange.opened.rows("SELECT actor, text FROM event WHERE event = 'hold_confirmed'")
    assert (actor, "p.pharmacist" in text) == ("TPh", True)


async def test_what_asked_for_it_is_closed_by_the_person(exchange: Exchange) -> None:
    what = await accepted(exchange, state=S.HELD)
    exchange.clock.move(minutes=1)
    assert await exchange.alert_kinds() == ["line-held"]
    request = cancels(exchange, wish(what, S.HELD, epoch=0), what, CancelState.CONFIRMED)
    await exchange.store.ask(request)
    assert await exchange.alert_kinds() == []
    assert exchange.opened.rows("SELECT closed_by FROM alert") == [("p.pharmacist",)]


async def test_the_act_is_in_the_audit_and_the_reason_is_not(exchange: Exchange) -> None:
    what = await accepted(exchange)
    await exchange.store.ask(cancels(exchange, wish(what, S.READY), what, CancelState.CONFIRMED))
    ((body,),) = exchange.opened.rows("SELECT body FROM audit_leaf WHERE kind = 'act'")
    assert b"p.pharmacist" in bytes(body)
    assert b"cancel-asked" in bytes(body)
    assert b"stopped" not in bytes(body)


async def test_an_archive_later_takes_it_all_with_its_prescription(exchange: Exchange) -> None:
    what = await accepted(exchange)
    await exchange.store.ask(cancels(exchange, wish(what, S.READY), what, CancelState.CONFIRMED))
    (found,) = exchange.opened.rows(
        """SELECT count(*) FROM cancel JOIN line ON line.id = cancel.line
           JOIN prescription ON prescription.id = line.prescription WHERE prescription.submission = cancel.submission"""
    )
    assert found == (1,)
