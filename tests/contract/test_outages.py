"""Planned outages, on every engine: kept, shown until they are over, withdrawn once, never edited; and told before."""

from dataclasses import replace
from datetime import timedelta

import pytest

from gateway.domain.identifiers import OdsCode
from gateway.ports.outages import Outage
from gateway.watch import Watch
from tests.contract.store_engines import PROVIDER, REFUSED, Exchange

OTHER = OdsCode("VNCEL")
HOUR = timedelta(hours=1)


def outage(exchange: Exchange, *, after: timedelta = 30 * HOUR, lasts: timedelta = 3 * HOUR) -> Outage:
    now = exchange.clock.now()
    begins = now + after
    return Outage(provider=PROVIDER, begins=begins, ends=begins + lasts, note="Servers are moved.", by="o.one", at=now)


async def planned(exchange: Exchange) -> list[Outage]:
    return [one.outage for one in await exchange.enquiries.planned_outages(now=exchange.clock.now())]


async def test_it_is_kept_once_and_shown_until_it_is_over_the_soonest_first(exchange: Exchange) -> None:
    later, sooner = outage(exchange), outage(exchange, after=HOUR)
    for one in (later, sooner):
        assert await exchange.store.plan_outage(one)
    assert not await exchange.store.plan_outage(replace(later, note="Again."))
    assert await planned(exchange) == [sooner, later]
    exchange.clock.move(hours=4)
    assert await planned(exchange) == [later]
    exchange.clock.move(hours=29)
    assert await planned(exchange) == []


async def test_it_is_withdrawn_once_by_its_provider_and_may_be_planned_again(exchange: Exchange) -> None:
    await exchange.store.plan_outage(outage(exchange))
    (one,) = await exchange.enquiries.planned_outages(now=exchange.clock.now())
    by, now = {"by": "o.two", "reason": "They rang."}, exchange.clock.now()
    assert not await exchange.store.withdraw_outage(one.number, provider=OTHER, **by, now=now)
    assert await exchange.store.withdraw_outage(one.number, provider=PROVIDER, **by, now=now)
    assert not await exchange.store.withdraw_outage(one.number, provider=PROVIDER, **by, now=now)
    assert await planned(exchange) == []
    assert await exchange.store.plan_outage(one.outage)


async def test_both_are_audited_with_who_and_the_digest_of_why(exchange: Exchange) -> None:
    await exchange.store.plan_outage(outage(exchange))
    (one,) = await exchange.enquiries.planned_outages(now=exchange.clock.now())
    now = exchange.clock.now()
    await exchange.store.withdraw_outage(one.number, provider=PROVIDER, by="o.two", reason="They rang.", now=now)
    rows = exchange.opened.rows("SELECT body FROM audit_leaf WHERE kind LIKE 'outage-%' ORDER BY seq")
    assert [who in bytes(body) for who, (body,) in zip((b"o.one", b"o.two"), rows, strict=True)] == [True, True]
    assert not any(b"Servers" in bytes(body) or b"rang" in bytes(body) for (body,) in rows)


async def test_it_is_told_within_a_day_of_its_beginning_and_once(exchange: Exchange) -> None:
    await exchange.store.plan_outage(outage(exchange))
    watch = Watch(enquiries=exchange.enquiries, store=exchange.store, clock=exchange.clock)
    assert await watch.sweep() == 0
    exchange.clock.move(hours=6)
    assert await watch.sweep() == 1
    (alert,) = await exchange.enquiries.open_alerts(tenant=None, limit=9)
    assert alert.kind == "outage-near"
    assert alert.text == "VNE51 told us of an outage from 6 Oct 2026, 16:15:00 to 6 Oct 2026, 19:15:00."
    assert await watch.sweep() == 0


CHANGES = "UPDATE planned_outage SET ends = ends + 1", "DELETE FROM planned_outage"


@pytest.mark.parametrize("change", CHANGES)
async def test_what_was_told_is_neither_edited_nor_taken_out(exchange: Exchange, change: str) -> None:
    await exchange.store.plan_outage(outage(exchange))
    with pytest.raises(REFUSED):
        exchange.opened.rows(change)
