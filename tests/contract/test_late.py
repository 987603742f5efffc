"""Why a line has not left, and which stage of its supply is the last that is known: on both engines."""

from datetime import timedelta

from gateway.destination import TryLater
from gateway.domain.delivery import DeliveryState
from gateway.domain.lifecycle import LineEvent
from gateway.domain.work_item import Reason
from gateway.ports.attention import AttentionQuery, LineOnList, WorkItem
from gateway.ports.late import Stage, Unsent
from gateway.watch import Watch
from tests.contract.store_engines import (
    PROVIDER,
    TRUST,
    Exchange,
    make_acceptance,
    make_order,
    make_prescription,
)
from tests.factories import MOMENT


async def late(exchange: Exchange) -> tuple[WorkItem, LineOnList]:
    """Let the watch look, and give the one row there is."""
    watch = Watch(
        enquiries=exchange.enquiries,
        store=exchange.store,
        clock=exchange.clock,
        beat=lambda _: None,
        interval_seconds=1,
    )
    await watch.sweep()
    found = await exchange.enquiries.needs_attention(tenant=TRUST, query=AttentionQuery(), now=exchange.clock.now())
    (row,) = found.rows
    assert isinstance(row, WorkItem)
    assert row.line is not None
    return row, row.line


async def test_of_what_was_never_tried_no_attempt_is_claimed(exchange: Exchange) -> None:
    await exchange.store.accept(make_acceptance("A", make_order(make_prescription("A"))))
    exchange.clock.move(hours=1)
    row, line = await late(exchange)
    assert row.reason is Reason.NOT_YET_SENT
    assert line.unsent == Unsent(state="due", due_at=MOMENT)
    found = await exchange.enquiries.dossier(line.prescription_id, tenant=TRUST)
    assert found is not None
    assert dict(found[1].unsent) == {line.line_id: line.unsent}
    (tended,) = (await exchange.enquiries.tended(taken_by="", first=0, size=9, now=exchange.clock.now())).rows
    assert isinstance(tended, WorkItem)
    assert tended.opaque is not None
    assert tended.opaque.unsent == line.unsent


async def test_a_pause_is_why_and_so_is_one_after_a_restore(exchange: Exchange) -> None:
    await exchange.store.accept(make_acceptance("A", make_order(make_prescription("A"))))
    now = exchange.clock.move(minutes=1)
    await exchange.store.pause(PROVIDER, by="anna", reason="They asked.", now=now)
    exchange.clock.move(hours=1)
    _, line = await late(exchange)
    assert line.unsent == Unsent(state="due", due_at=MOMENT, paused_at=now, paused_for="They asked.")
    await exchange.store.resume(PROVIDER, by="anna", reason="Over.", now=exchange.clock.now())
    await exchange.store.pause(
        TRUST, by="us", reason="Restored.", now=exchange.clock.now(), kind="after restore, trust"
    )
    _, line = await late(exchange)
    assert line.unsent is not None
    assert line.unsent.paused_for == "Restored."


async def test_what_came_of_the_last_attempt_is_said_to_the_trust_and_not_to_who_runs_the_gateway(
    exchange: Exchange,
) -> None:
    await exchange.store.accept(make_acceptance("A", make_order(make_prescription("A"))))
    claim = await exchange.send()
    tried = exchange.clock.move(seconds=1)
    again = tried + timedelta(hours=2)
    await exchange.store.record(claim, TryLater(reason="HTTP 503"), now=tried, retry_at=again)
    exchange.clock.move(hours=1)
    _, line = await late(exchange)
    assert line.unsent == Unsent(state="due", due_at=again, attempts=1, tried_at=tried, said="HTTP 503")
    (row,) = (await exchange.enquiries.tended(taken_by="", first=0, size=9, now=exchange.clock.now())).rows
    assert isinstance(row, WorkItem)
    assert row.opaque is not None
    assert row.opaque.unsent == Unsent(state="due", due_at=again, attempts=1, tried_at=tried)


async def test_of_a_late_supply_the_stage_is_the_first_that_is_not_made(exchange: Exchange) -> None:
    await exchange.store.accept(make_acceptance("A", make_order(make_prescription("A"))))
    message = (await exchange.send()).message_id
    await exchange.answer(message, LineEvent.ACCEPTED, id="1")
    await exchange.answer(message, LineEvent.DELIVERED, id="2")
    exchange.clock.move(days=1)
    gone = exchange.clock.now()
    await exchange.answer(message, LineEvent.DISPATCHED, id="3")
    exchange.clock.move(days=60)
    row, line = await late(exchange)
    assert row.reason is Reason.PROVIDER_LATE
    assert line.unsent is None
    assert line.stage == Stage(issue=2, state=DeliveryState.DISPATCHED, since=gone, day=line.stage and line.stage.day)
