"""Sending again what never left, on every engine: behind the fence, and behind the database's own."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from gateway.destination import InDoubt, Taken, TransmitOutcome, TryLater
from gateway.domain.identifiers import OdsCode
from gateway.domain.lifecycle import LineEvent, LineState
from gateway.domain.prescription import Prescription
from gateway.ports.again import Again
from tests.contract.store_engines import (
    PROVIDER,
    REFUSED,
    TRUST,
    Exchange,
    make_acceptance,
    make_prescription,
    seal,
)

S = LineState
OTHER = OdsCode("RZA")


async def tried(exchange: Exchange, *outcomes: TransmitOutcome) -> Prescription:
    """Try to send an order, the last time for good."""
    await exchange.store.accept(make_acceptance("A"))
    for index, outcome in enumerate(outcomes):
        later = exchange.clock.now() if index + 1 < len(outcomes) else None
        await exchange.store.record(await exchange.send(), outcome, now=exchange.clock.now(), retry_at=later)
    return make_prescription("A")


def again(exchange: Exchange, what: Prescription, *, seen: int = 1, provider: OdsCode = PROVIDER) -> Again:
    return Again(
        tenant=TRUST,
        seen={each.id: seen for each in what.lines},
        message=seal(what, provider=provider, epoch=seen + 1, salt="again"),
        by="p.one",
        reason="They are back.",
        now=exchange.clock.now(),
    )


async def test_what_never_left_is_sent_again_under_the_next_epoch(exchange: Exchange) -> None:
    what = await tried(exchange, TryLater(reason="away"), TryLater(reason="away"))
    assert await exchange.states(what) == [S.UNDELIVERABLE]
    assert await exchange.store.send_again(again(exchange, what)) == ()
    assert await exchange.states(what) == [S.READY]
    assert await exchange.alert_kinds() == []
    claim = await exchange.send()
    await exchange.store.record(claim, Taken(), now=exchange.clock.now(), retry_at=None)
    await exchange.answer(claim.message_id, LineEvent.ACCEPTED, epoch=2)
    assert await exchange.states(what) == [S.ACCEPTED]
    assert exchange.opened.rows("SELECT epoch, ended_at IS NULL FROM allocation ORDER BY epoch")[1][0] == 2


@pytest.mark.parametrize("outcome", [Taken(), InDoubt(reason="no answer")])
async def test_what_may_have_arrived_is_never_sent_again(exchange: Exchange, outcome: TransmitOutcome) -> None:
    what = await tried(exchange, outcome)
    before = await exchange.states(what)
    (reason,) = await exchange.store.send_again(again(exchange, what))
    assert reason.startswith("it is no line that could not be sent")
    assert await exchange.states(what) == before
    assert await exchange.claim() == []


async def test_another_provider_another_epoch_and_another_trust_find_that_it_moved(exchange: Exchange) -> None:
    what = await tried(exchange, TryLater(reason="away"))
    moved = ("it has moved on since it was looked at; look again",)
    assert await exchange.store.send_again(again(exchange, what, provider=OdsCode("VNCEL"))) == moved
    assert await exchange.store.send_again(again(exchange, what, seen=2)) == moved
    assert await exchange.store.send_again(replace(again(exchange, what), tenant=OTHER)) == moved
    assert await exchange.states(what) == [S.UNDELIVERABLE]


async def test_two_at_once_send_it_once(exchange: Exchange) -> None:
    what = await tried(exchange, TryLater(reason="away"))
    found = await asyncio.gather(*(exchange.store.send_again(again(exchange, what)) for _ in range(2)))
    assert sorted(map(len, found)) == [0, 1]
    assert len(await exchange.claim()) == 1


async def test_the_database_refuses_it_for_what_may_have_arrived_whatever_the_program_believes(
    exchange: Exchange,
) -> None:
    what = await tried(exchange, InDoubt(reason="no answer"))
    ((line, prescription, provider, message),) = exchange.opened.rows(
        "SELECT line, prescription, provider, message FROM allocation"
    )
    raw = exchange.opened.raw
    raw.execute("UPDATE allocation SET ended_at = 1")
    raw.execute("INSERT INTO sent_again (line, epoch, person, reason, at) VALUES (?, 1, 'eve', 'x', 1)", (line,))
    with pytest.raises(REFUSED, match="no ground to give it to another"):
        raw.execute(
            "INSERT INTO allocation (line, prescription, epoch, provider, message, made_at) VALUES (?, ?, 2, ?, ?, 1)",
            (line, prescription, provider, message),
        )
    assert what.lines


async def test_what_waits_for_its_next_attempt_is_tried_at_once(exchange: Exchange) -> None:
    await exchange.store.accept(make_acceptance("A"))
    what = make_prescription("A")
    claim = await exchange.send()
    later = exchange.clock.now() + timedelta(hours=1)
    await exchange.store.record(claim, TryLater(reason="away"), now=exchange.clock.now(), retry_at=later)
    assert await exchange.claim() == []
    act = {"by": "p.one", "reason": "They are back.", "now": exchange.clock.now()}
    assert await exchange.store.send_now(what.id, tenant=OTHER, **act) == 0  # type: ignore[arg-type]
    assert await exchange.store.send_now(what.id, tenant=TRUST, **act) == 1  # type: ignore[arg-type]
    assert len(await exchange.claim()) == 1


async def test_no_person_sends_what_is_in_doubt_once_more_by_another_way(exchange: Exchange) -> None:
    """News and cancels may go once more as they are, and what waits may be tried at once; an order in doubt may not."""
    what = await tried(exchange, InDoubt(reason="no answer"))
    ((message,),) = exchange.opened.rows("SELECT message FROM allocation")
    act = {"by": "p.one", "reason": "They are back.", "now": exchange.clock.now()}
    for name in (what.id, UUID(bytes=bytes(message))):
        assert await exchange.store.resend(name, **act) == 0  # type: ignore[arg-type]
    assert await exchange.store.send_now(what.id, tenant=TRUST, **act) == 0  # type: ignore[arg-type]
    assert await exchange.states(what) == [S.UNCERTAIN]
    assert await exchange.claim() == []


async def test_the_person_is_in_the_history_and_in_the_audit(exchange: Exchange) -> None:
    what = await tried(exchange, TryLater(reason="away"))
    await exchange.store.send_again(again(exchange, what))
    ((actor, text),) = exchange.opened.rows("SELECT actor, text FROM event WHERE event = 'sent_again'")
    assert (actor, "p.one" in text) == ("TPh", True)
    bodies = [bytes(body) for (body,) in exchange.opened.rows("SELECT body FROM audit_leaf WHERE kind = 'act'")]
    assert [b"p.one" in body and b"They are back" not in body for body in bodies] == [True]
