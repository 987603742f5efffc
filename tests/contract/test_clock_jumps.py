"""A clock that jumps: nothing ends by it unasked, waits for a moment that it named, or has a limit that runs by it."""

from datetime import datetime, timedelta

import pytest

from gateway.destination import Taken, TryLater
from gateway.domain.acts import Expiry, Turned
from gateway.domain.lifecycle import LineEvent, LineState
from gateway.watch import Watch
from tests.contract.store_engines import (
    Exchange,
    ask_to_cancel,
    make_acceptance,
    make_order,
    make_prescription,
)

A = make_prescription("A")
JUMP = {"days": 30}
BACK = {"days": -30}


async def sweep(exchange: Exchange) -> int:
    return await Watch(enquiries=exchange.enquiries, store=exchange.store, clock=exchange.clock).sweep()


async def jump_and_tell(exchange: Exchange) -> None:
    """See the clock ahead once, go back, and see that."""
    await sweep(exchange)
    exchange.clock.move(**BACK)
    assert await sweep(exchange) == 1


async def trust_the_clock(exchange: Exchange) -> datetime:
    """Close the alert, as the person does who has set the clock right."""
    now = exchange.clock.now()
    (alert,) = [one for one in await exchange.enquiries.open_alerts(tenant=None, limit=9) if one.kind == "clock-jumped"]
    assert await exchange.store.close_alert(alert.id, by="anna", reason="The time service was off.", now=now)
    return now


async def test_what_would_wait_for_a_moment_of_the_earlier_clock_is_due_at_once(exchange: Exchange) -> None:
    await exchange.store.accept(make_acceptance("A", make_order(A)))
    exchange.clock.move(**JUMP)
    claim = await exchange.send()
    later = exchange.clock.now() + timedelta(minutes=1)
    await exchange.store.record(claim, TryLater(reason="busy"), now=exchange.clock.now(), retry_at=later)
    await jump_and_tell(exchange)
    assert [one.message_id for one in await exchange.claim()] == [claim.message_id]


@pytest.mark.parametrize("on_wire", [False, True])
async def test_what_a_dead_worker_took_by_the_earlier_clock_is_found_within_a_lease(
    exchange: Exchange,
    on_wire: bool,  # noqa: FBT001
) -> None:
    await exchange.store.accept(make_acceptance("A", make_order(A)))
    exchange.clock.move(**JUMP)
    await (exchange.send() if on_wire else exchange.claim())
    await jump_and_tell(exchange)
    found = await exchange.store.recover(now=exchange.clock.move(minutes=61), recognises_repeats=frozenset())
    assert found == 1
    assert await exchange.states(A) == [LineState.UNCERTAIN if on_wire else LineState.READY]


async def test_limits_that_began_ahead_count_from_when_a_person_says_that_the_clock_is_right(
    exchange: Exchange,
) -> None:
    await exchange.store.accept(make_acceptance("A", make_order(A)))
    exchange.clock.move(**JUMP)
    claim = await exchange.send()
    await exchange.store.record(claim, Taken(), now=exchange.clock.now(), retry_at=None)
    await exchange.answer(claim.message_id, LineEvent.ACCEPTED)
    await ask_to_cancel(exchange, A, "B")
    await jump_and_tell(exchange)
    ahead = exchange.clock.now() + timedelta(days=29)
    assert await exchange.enquiries.overdue(now=ahead) == (), "until then nobody would be told"
    now = await trust_the_clock(exchange)
    assert await exchange.enquiries.overdue(now=now) == ()
    found = await exchange.enquiries.overdue(now=ahead)
    assert {one.asked for one in found} == {"", "cancel"}
    assert all(now < one.act_by < now + timedelta(days=9) for one in found)


async def test_where_it_was_the_clock_that_had_gone_wrong_in_going_back_no_limit_changes(exchange: Exchange) -> None:
    await sweep(exchange)
    await exchange.store.accept(make_acceptance("A", make_order(A)))
    before = exchange.opened.rows("SELECT act_by FROM line")
    exchange.clock.move(**BACK)
    assert await sweep(exchange) == 1
    assert exchange.opened.rows("SELECT act_by FROM line") == before
    exchange.clock.move(**JUMP)
    await trust_the_clock(exchange)
    assert exchange.opened.rows("SELECT act_by FROM line") == before


async def test_it_is_told_once(exchange: Exchange) -> None:
    exchange.clock.move(**JUMP)
    await jump_and_tell(exchange)
    exchange.clock.move(minutes=1)
    assert await sweep(exchange) == 0
    await trust_the_clock(exchange)
    assert await sweep(exchange) == 0


async def test_nothing_expires_by_a_clock_that_went_ahead_before_a_person_says_that_it_is_right(
    exchange: Exchange,
) -> None:
    await exchange.store.accept(make_acceptance("A", make_order(A)))
    await sweep(exchange)
    now = exchange.clock.move(days=200)
    (one,) = await exchange.enquiries.expiring(now=now)
    expiry = Expiry(key=one.key, line_id=one.line_id, seen=one.state, message=None)
    await sweep(exchange)
    assert await exchange.enquiries.expiring(now=now) == ()
    assert not await exchange.store.expire(expiry, now=now)
    assert await exchange.states(A) == [LineState.READY]
    await trust_the_clock(exchange)
    assert await exchange.enquiries.expiring(now=now) == (one,)
    assert await exchange.store.expire(expiry, now=now)


async def test_no_delivery_falls_due_by_it_either(exchange: Exchange) -> None:
    await exchange.store.accept(make_acceptance("A", make_order(A)))
    claim = await exchange.send()
    await exchange.store.record(claim, Taken(), now=exchange.clock.now(), retry_at=None)
    await exchange.answer(claim.message_id, LineEvent.ACCEPTED)
    await sweep(exchange)
    now = exchange.clock.move(days=40)
    await sweep(exchange)
    assert await exchange.store.turn_clock(now=now) == Turned()
    await trust_the_clock(exchange)
    assert (await exchange.store.turn_clock(now=now)).due


@pytest.mark.parametrize("away", [timedelta(hours=24), timedelta(minutes=-5), timedelta(0)])
async def test_a_night_of_standstill_and_clocks_that_differ_a_little_ask_nobody(
    exchange: Exchange, away: timedelta
) -> None:
    await sweep(exchange)
    exchange.clock.moment += away
    assert await sweep(exchange) == 0
