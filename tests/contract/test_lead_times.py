"""What a provider has stated that a supply needs: the order of the list follows it, and says so, on every engine."""

from datetime import date, timedelta

import pytest

from gateway.domain.identifiers import OdsCode
from gateway.domain.lifecycle import LineState
from gateway.domain.work_item import LEAD_TIME, Reason
from gateway.ports.attention import AttentionQuery, WorkItem
from tests.contract.store_engines import PROVIDER, TRUST, Exchange, make_acceptance, make_order
from tests.contract.test_attention import items, orders, supplied, with_stock

NEXT = OdsCode("VNCEL")
TODAY = date(2026, 10, 5)


async def take(exchange: Exchange, name: str, days: int | None, to: OdsCode, state: LineState = LineState.HELD) -> None:
    order = make_order(with_stock(name, days), provider=to, state=state)
    await exchange.store.accept(make_acceptance(name, order))


async def keep(exchange: Exchange, **days: int) -> None:
    stated = {OdsCode(ods): timedelta(days=many) for ods, many in days.items()}
    await exchange.store.keep_lead_times(stated, now=exchange.clock.now())


async def by_name(exchange: Exchange) -> dict[str, WorkItem]:
    return {row.line.order_number[2:-1]: row for row in await items(exchange) if row.line is not None}


@pytest.mark.parametrize("state", [LineState.HELD, LineState.AWAITING_SCREENING])
async def test_what_needs_longer_stands_before_what_lasts_as_long(exchange: Exchange, state: LineState) -> None:
    await keep(exchange, VNCEL=8)
    await take(exchange, "A", 9, PROVIDER, state)
    await take(exchange, "B", 10, NEXT, state)
    assert await orders(exchange) == ["B", "A"]
    found = await by_name(exchange)
    assert [found[name].line.needs for name in "AB" if found[name].line] == [None, timedelta(days=8)]
    assert [found[name].standing.last_day for name in "AB"] == [
        TODAY + timedelta(days=9) - LEAD_TIME,
        TODAY + timedelta(days=2),
    ]


@pytest.mark.parametrize("state", [LineState.HELD, LineState.AWAITING_SCREENING])
async def test_what_is_open_moves_when_a_lead_time_changes_and_back_when_it_is_gone(
    exchange: Exchange, state: LineState
) -> None:
    for name, days, to in (("A", 9, PROVIDER), ("B", 10, NEXT), ("C", 11, NEXT), ("D", 12, NEXT), ("E", None, NEXT)):
        await take(exchange, name, days, to, state)
    usual = ["E", "A", "B", "C", "D"]
    assert await orders(exchange) == usual
    for lead in (7, 8, 2, 10):
        await keep(exchange, VNCEL=lead)
        days = {name: row.standing.last_day for name, row in (await by_name(exchange)).items()}
        assert days == {
            "A": TODAY + timedelta(days=4),
            **{name: TODAY + timedelta(days=left - lead) for name, left in (("B", 10), ("C", 11), ("D", 12))},
            "E": None,
        }
        assert (lead, await orders(exchange)) == (lead, sorted(days, key=lambda name: (days[name] or TODAY, name)))
    await keep(exchange)
    assert await orders(exchange) == usual


async def test_days_of_medicine_left_are_asked_for_as_they_are_whatever_a_supply_needs(exchange: Exchange) -> None:
    await keep(exchange, VNCEL=9)
    for name, days, to in (("A", 6, PROVIDER), ("B", 6, NEXT), ("C", 7, PROVIDER), ("D", 7, NEXT), ("E", None, NEXT)):
        await take(exchange, name, days, to)
    for name, days, to in (("F", 6, NEXT), ("G", 7, NEXT), ("H", 6, PROVIDER), ("I", 7, PROVIDER)):
        await take(exchange, name, days, to, LineState.AWAITING_SCREENING)
    assert sorted(await orders(exchange, AttentionQuery(days_under=7))) == ["A", "B", "E", "F", "H"]
    assert sorted(await orders(exchange, AttentionQuery(days_under=7), TRUST)) == ["A", "B", "E", "F", "H"]
    assert sorted(await orders(exchange, AttentionQuery(days_under=7, provider=NEXT))) == ["B", "E", "F"]
    now = exchange.clock.now()
    counted = await exchange.enquiries.running_out((PROVIDER, NEXT), tenant=TRUST, days=7, now=now)
    assert counted == {PROVIDER: 2, NEXT: 3}


async def test_pages_follow_each_other_where_lead_times_differ(exchange: Exchange) -> None:
    await keep(exchange, VNCEL=9)
    states = (LineState.HELD, LineState.AWAITING_SCREENING)
    for number, (days, to) in enumerate(((5, PROVIDER), (9, NEXT), (None, NEXT), (8, PROVIDER), (3, NEXT), (7, NEXT))):
        await take(exchange, f"N{number}", days, to, states[number % 2])
    for query in (AttentionQuery(), AttentionQuery(days_under=30)):
        whole = await orders(exchange, query)
        paged = [
            one
            for first in range(0, 6, 2)
            for one in await orders(exchange, AttentionQuery(first=first, size=2, days_under=query.days_under))
        ]
        assert (paged, len(set(paged))) == (whole, 6)


async def test_a_lead_time_that_is_kept_again_leaves_no_second_word_of_it(exchange: Exchange) -> None:
    await keep(exchange, VNCEL=8)
    before = await exchange.enquiries.ready()
    await keep(exchange, VNCEL=8)
    assert (await exchange.enquiries.ready())["leaves"] == before["leaves"]


async def test_a_supply_that_nobody_booked_is_told_of_earlier_where_it_needs_longer(exchange: Exchange) -> None:
    await supplied(exchange, with_stock("A", None), "A")
    exchange.clock.move(days=10)  # the next is due in 18
    assert await items(exchange) == []
    await keep(exchange, VNE51=12)
    (row,) = await items(exchange)
    assert row.reason is Reason.NO_DELIVERY
    assert row.standing.last_day == TODAY + timedelta(days=10 + 18 - 12)
    assert await orders(exchange, AttentionQuery(days_under=19), TRUST) == ["A"]
    assert await orders(exchange, AttentionQuery(days_under=18), TRUST) == []
