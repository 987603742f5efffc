"""Deliveries, one an issue: they follow their line, keep their first agreed date, and end with it."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from gateway.domain.acknowledgement import Acknowledgement, LineReport
from gateway.domain.delivery import DeliveryState
from gateway.domain.identifiers import OdsCode
from gateway.domain.lifecycle import LineEvent, LineState
from gateway.domain.prescription import Delivery, Homecare
from gateway.ports.callback import Callback
from tests.contract.store_engines import (
    PROVIDER,
    Exchange,
    make_acceptance,
    make_order,
    make_prescription,
)

S = DeliveryState
E = LineEvent


class Supplies:
    """A line at its provider, and its deliveries as the file holds them."""

    def __init__(self, exchange: Exchange, total: int) -> None:
        self.exchange = exchange
        self.what = make_prescription("A", total=total)
        self.count = 0

    async def accepted(self, **homecare: Any) -> None:
        lines = tuple(replace(line, days_per_supply=28) for line in self.what.lines)
        self.what = replace(self.what, lines=lines, homecare=Homecare(delivery=Delivery(**homecare)))
        await self.exchange.store.accept(make_acceptance("A", make_order(self.what)))
        self.message = (await self.exchange.send()).message_id
        await self.say(E.ACCEPTED)

    async def say(
        self, *events: LineEvent, at: datetime | None = None, by: OdsCode = PROVIDER, issue: int | None = None
    ) -> None:
        for event in events:
            self.count += 1
            report = LineReport(line_id=None, event=event, supplied_at=at, issue=issue)
            answer = Acknowledgement(id=str(self.count), correlation=self.message, reports=(report,))
            callback = Callback(
                destination=by,
                received_at=self.exchange.clock.now(),
                content_type="",
                body=str(self.count).encode(),
            )
            await self.exchange.store.acknowledge(callback, answer, ())

    def rows(self, sql: str) -> list[Any]:
        return self.exchange.opened.rows(sql)

    def states(self) -> list[str]:
        return [row[0] for row in self.rows("SELECT state FROM delivery ORDER BY issue")]

    async def line(self) -> LineState:
        return (await self.exchange.states(self.what))[0]


@pytest.fixture
def supplies(exchange: Exchange) -> Supplies:
    return Supplies(exchange, total=3)


async def test_every_issue_is_planned_when_the_provider_takes_the_line(supplies: Supplies) -> None:
    await supplies.accepted(first_required_by=datetime(2026, 12, 1, tzinfo=UTC).date())
    assert supplies.states() == [S.PLANNED] * 3
    assert supplies.rows("SELECT issue, due_on, covers_until FROM delivery ORDER BY issue") == [
        (1, "2026-12-01", None),
        (2, "2026-12-29", None),
        (3, "2027-01-26", "2027-02-22"),
    ]


async def test_reports_move_the_issue_they_mean_and_the_count_agrees(supplies: Supplies) -> None:
    await supplies.accepted()
    await supplies.say(E.SUPPLY_PLANNED, E.DISPENSED, E.DISPATCHED)
    assert supplies.states() == [S.DISPATCHED, S.PLANNED, S.PLANNED]
    await supplies.say(E.DELIVERED, E.DELIVERED)
    assert supplies.states() == [S.DELIVERED, S.DELIVERED, S.PLANNED]
    await supplies.say(E.DELIVERED)
    assert (await supplies.line(), supplies.states()) == (LineState.FULFILLED, [S.DELIVERED] * 3)
    await supplies.say(E.SUPPLY_WITHDRAWN)
    assert (await supplies.line(), supplies.states()) == (LineState.IN_SUPPLY, [S.DELIVERED, S.DELIVERED, S.PLANNED])
    assert supplies.rows("SELECT delivered FROM line") == [(2,)]


async def test_the_first_agreed_date_is_kept_when_a_slot_is_agreed_again(supplies: Supplies) -> None:
    await supplies.accepted()
    await supplies.say(E.SUPPLY_PLANNED, at=datetime(2026, 12, 1, 9, tzinfo=UTC))
    await supplies.say(E.DELIVERY_FAILED)
    await supplies.say(E.SUPPLY_PLANNED, at=datetime(2026, 12, 8, 9, tzinfo=UTC))
    assert supplies.rows("SELECT state, agreed_first, agreed_for FROM delivery WHERE issue = 1") == [
        (S.BOOKED, "2026-12-01", "2026-12-08")
    ]


async def test_a_part_supply_is_owed_and_its_balance_completes_the_issue(supplies: Supplies) -> None:
    await supplies.accepted()
    await supplies.say(E.DELIVERED, E.DELIVERED, E.SUPPLY_SHORT)
    assert await supplies.line() is LineState.PART_SUPPLIED
    assert supplies.rows("SELECT state, owed FROM delivery WHERE issue = 3") == [(S.PREPARING, 1)]
    await supplies.say(E.BALANCE_SUPPLIED)
    assert (await supplies.line(), supplies.states()) == (LineState.FULFILLED, [S.DELIVERED] * 3)
    assert supplies.rows("SELECT owed FROM delivery WHERE issue = 3") == [(0,)]


async def test_a_rest_that_will_not_come_is_told_and_no_longer_waited_for(supplies: Supplies) -> None:
    await supplies.accepted()
    await supplies.say(E.SUPPLY_SHORT, E.BALANCE_WILL_NOT_COME)
    assert (await supplies.line(), supplies.states()) == (
        LineState.IN_SUPPLY,
        [S.NOT_SUPPLIED, S.PLANNED, S.PLANNED],
    )
    assert "balance-will-not-come" in await supplies.exchange.alert_kinds()
    await supplies.say(E.DELIVERED, E.DELIVERED)
    assert await supplies.line() is LineState.FULFILLED


async def test_what_has_not_left_is_withdrawn_when_the_line_is_handed_back(supplies: Supplies) -> None:
    await supplies.accepted()
    await supplies.say(E.DELIVERED, E.RETURNED)
    assert (await supplies.line(), supplies.states()) == (
        LineState.RETURNED,
        [S.DELIVERED, S.WITHDRAWN, S.WITHDRAWN],
    )
    assert "delivery-under-way" not in await supplies.exchange.alert_kinds()


async def test_a_van_that_is_on_its_way_when_the_line_ends_is_told_at_once(supplies: Supplies) -> None:
    await supplies.accepted()
    await supplies.say(E.DISPATCHED, E.RETURNED)
    assert supplies.states() == [S.DISPATCHED, S.WITHDRAWN, S.WITHDRAWN]
    assert "delivery-under-way" in await supplies.exchange.alert_kinds()


async def test_a_line_that_one_report_completes_has_its_delivery_too(exchange: Exchange) -> None:
    one = Supplies(exchange, total=1)
    await exchange.store.accept(make_acceptance("A", make_order(one.what)))
    one.message = (await exchange.send()).message_id
    await one.say(E.DELIVERED)
    assert (await one.line(), one.states()) == (LineState.FULFILLED, [S.DELIVERED])


async def test_every_step_of_a_delivery_has_its_event_and_its_leaf(supplies: Supplies) -> None:
    await supplies.accepted()
    await supplies.say(E.DISPATCHED, E.DELIVERED)
    events = supplies.rows("SELECT event, state_before, state_after, source IS NOT NULL FROM delivery_event")
    assert events == [
        ("dispatched", S.PLANNED, S.DISPATCHED, 1),
        ("delivered", S.DISPATCHED, S.DELIVERED, 1),
    ]
    assert supplies.rows("SELECT count(*) FROM audit_leaf WHERE kind = 'delivery'") == [(2,)]
