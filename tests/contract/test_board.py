"""The figures of the service: everything counts once, whatever is counted when, and is shown to whoever may see it."""

import random
from collections.abc import Iterable
from datetime import date, timedelta
from pathlib import Path
from uuid import UUID

import asyncpg
import pytest

from gateway.destination import InDoubt, Refused, Taken, TransmitOutcome, TryLater
from gateway.domain.books import london_day
from gateway.domain.custody import CUSTODY
from gateway.domain.identifiers import OdsCode
from gateway.domain.lifecycle import LineEvent
from gateway.domain.provider_health import Pulse
from gateway.domain.service_figures import Outcome
from gateway.ports.board import Backlog, ItemsWanted
from tests.contract.store_engines import (
    ENGINES,
    PROVIDER,
    TRUST,
    Clock,
    Exchange,
    make_acceptance,
    make_order,
    make_prescription,
    make_refusal,
)
from tests.contract.test_second_lock import asking
from tests.factories import MOMENT

OTHER = OdsCode("RZA")
NEXT = OdsCode("VNCEL")
DAY = london_day(MOMENT)
ALL = frozenset(Outcome)


async def submit(exchange: Exchange, name: str, *, tenant: OdsCode = TRUST, provider: OdsCode = PROVIDER) -> UUID:
    """Take an order and give its message's id."""
    order = make_order(make_prescription(name), provider=provider)
    await exchange.store.accept(make_acceptance(name, order, tenant=tenant))
    assert order.message is not None
    return order.message.id


async def transmit(exchange: Exchange, outcome: TransmitOutcome, provider: OdsCode = PROVIDER) -> UUID:
    claim = await exchange.send(provider)
    exchange.clock.move(seconds=2)
    retry = exchange.clock.now() + timedelta(minutes=1) if isinstance(outcome, TryLater) else None
    await exchange.store.record(claim, outcome, now=exchange.clock.now(), retry_at=retry)
    return claim.message_id


async def count(exchange: Exchange, *, limit: int = 1000) -> int:
    """Count until nothing is left; tells in how many stretches."""
    for stretch in range(1, 200):
        counted = await exchange.enquiries.to_count(limit=limit)
        assert await exchange.store.keep_count(counted, now=exchange.clock.now())
        if not counted.behind:
            return stretch
    raise AssertionError("it never ends")


async def sums(exchange: Exchange, tenant: OdsCode | None = None, day: date = DAY) -> dict[tuple[str, str], int]:
    found = await exchange.enquiries.figures(tenant=tenant, first=day, last=day)
    return {(str(one.provider or ""), one.measure): len(one.spread) for one in found}


def wanted(outcomes: Iterable[Outcome] = ALL, provider: OdsCode | None = None) -> ItemsWanted:
    days = timedelta(days=400)
    return ItemsWanted(outcomes=frozenset(outcomes), first=MOMENT - days, before=MOMENT + days, provider=provider)


async def kept(exchange: Exchange) -> list[list[tuple[object, ...]]]:
    return [
        exchange.opened.rows(f"SELECT * FROM {table} ORDER BY 1, 2, 3, 4, 5")  # noqa: S608 - constants
        for table in ("figure", "figure_item", "provider_pulse")
    ]


async def test_nothing_is_counted_in_a_new_store(exchange: Exchange) -> None:
    await count(exchange)
    assert await sums(exchange) == {}
    standings = await exchange.enquiries.counted()
    assert (standings.until, standings.since, standings.counted_at) == (None, None, MOMENT)


async def test_an_item_is_counted_from_its_arrival_to_its_acceptance(exchange: Exchange) -> None:
    await submit(exchange, "A")
    await count(exchange)
    assert await sums(exchange) == {("", "taken"): 1}
    (item,) = await exchange.enquiries.items(wanted(), tenant=TRUST)
    assert (item.outcome, item.since, item.tenant, item.provider) == (Outcome.TO_SEND, MOMENT, TRUST, PROVIDER)

    message = await transmit(exchange, Taken())
    await count(exchange)
    assert (await sums(exchange))["VNE51", "sent"] == 1
    assert [one.outcome for one in await exchange.enquiries.items(wanted(), tenant=TRUST)] == [Outcome.WAITING]

    exchange.clock.move(minutes=3)
    await exchange.answer(message, LineEvent.ACCEPTED)
    await count(exchange)
    found = await exchange.enquiries.figures(tenant=TRUST, first=DAY, last=DAY)
    took = {one.measure: one.spread.counts for one in found}
    assert took["accepted"] == took["answered"] == {240: 1}  # 3 min 2 s: shown as 4 min, never as less
    assert await exchange.enquiries.items(wanted(), tenant=TRUST) == ()
    assert (await exchange.enquiries.counted()).until == exchange.clock.now()


async def test_what_is_accepted_late_and_what_is_rejected_is_listed(exchange: Exchange) -> None:
    for name in ("A", "B"):
        await submit(exchange, name)
    first, second = await transmit(exchange, Taken()), await transmit(exchange, Taken())
    exchange.clock.move(hours=24, seconds=1)
    await exchange.answer(first, LineEvent.ACCEPTED)
    await exchange.answer(second, LineEvent.REJECTED)
    await count(exchange)
    found = {one.outcome for one in await exchange.enquiries.items(wanted(), tenant=None)}
    assert found == {Outcome.LATE, Outcome.REJECTED}
    after = await sums(exchange, day=DAY + timedelta(days=1))
    assert after["VNE51", "reason:rejected:"] == 1
    assert (await sums(exchange))["VNE51", "rejected"] == 1


async def test_what_was_proven_not_to_arrive_was_not_sent(exchange: Exchange) -> None:
    await submit(exchange, "A")
    await transmit(exchange, TryLater(reason="503"))
    await count(exchange)
    found = await sums(exchange)
    assert ("VNE51", "sent") not in found
    assert (found["VNE51", "attempt:on_wire"], found["VNE51", "attempt:try_later"]) == (1, 1)
    assert await exchange.enquiries.backlog(tenant=TRUST) == {PROVIDER: Backlog(to_send=1)}


async def test_what_was_refused_at_the_door_is_counted(exchange: Exchange) -> None:
    await exchange.store.accept(make_refusal("A"))
    await count(exchange)
    assert await sums(exchange, TRUST) == {("", "refused"): 1}


async def test_a_provider_is_heard_when_it_takes_or_says_something(exchange: Exchange) -> None:
    for name in ("A", "B", "C"):
        await submit(exchange, name)
    at = exchange.clock.now()
    message = await transmit(exchange, Taken())
    await count(exchange)
    assert await exchange.enquiries.pulses() == {PROVIDER: Pulse(heard_at=exchange.clock.now(), tried_at=at)}
    silent = exchange.clock.now()
    await transmit(exchange, InDoubt(reason="time-out"))
    last = exchange.clock.now()
    await transmit(exchange, InDoubt(reason="time-out"))
    await count(exchange)
    pulse = (await exchange.enquiries.pulses())[PROVIDER]
    assert (pulse.tried_since, pulse.silent_since, pulse.tried_at, pulse.heard_at) == (2, silent, last, silent)
    await exchange.answer(message, LineEvent.ACCEPTED)
    await count(exchange)
    now = exchange.clock.now()
    assert (await exchange.enquiries.pulses())[PROVIDER] == Pulse(heard_at=now, tried_at=last, said_at=now)


async def story(exchange: Exchange, seed: int, step: int | None) -> None:
    """Live through some days of two trusts and two providers, counting now and then or not at all."""
    chance, pieces = random.Random(seed), random.Random(seed)
    sent: list[tuple[UUID, OdsCode]] = []
    for number in range(40):
        provider = chance.choice((PROVIDER, NEXT))
        exchange.clock.move(minutes=chance.choice((1, 30, 700)))
        match chance.choice(("submit", "submit", "send", "send", "answer", "refuse")):
            case "submit":
                await submit(exchange, f"N{number}", tenant=chance.choice((TRUST, OTHER)), provider=provider)
            case "refuse":
                await exchange.store.accept(make_refusal(f"N{number}"))
            case "send":
                for claim in await exchange.claim(provider, room=1):
                    if await exchange.store.on_wire(claim, now=exchange.clock.now()):
                        outcome = chance.choice(
                            (Taken(), TryLater(reason="503"), InDoubt(reason="?"), Refused(reason="no"))
                        )
                        retry = exchange.clock.now() if isinstance(outcome, TryLater) else None
                        await exchange.store.record(claim, outcome, now=exchange.clock.now(), retry_at=retry)
                        sent.append((claim.message_id, provider))
            case _:
                if sent:
                    message, whose = chance.choice(sent)
                    event = chance.choice(
                        (LineEvent.ACCEPTED, LineEvent.REJECTED, LineEvent.QUERIED, LineEvent.DELIVERED)
                    )
                    await exchange.answer(message, event, provider=whose)
        if step is not None and number % step == 0:
            await count(exchange, limit=pieces.choice((1, 2, 7, 1000)))
    await count(exchange, limit=3 if step else 1000)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("engine", sorted(ENGINES))
async def test_counting_often_and_counting_once_come_to_the_same(tmp_path: Path, seed: int, engine: str) -> None:
    found = []
    for step in (None, 3):
        clock = Clock()
        folder = tmp_path / str(step)
        folder.mkdir()
        opened = ENGINES[engine](folder, clock, frozenset(), CUSTODY)
        exchange = Exchange(opened, clock)
        await story(exchange, seed, step)
        found.append(await kept(exchange))
        await opened.close()
    assert found[0] == found[1]
    assert found[0][0]


async def test_the_sums_of_all_are_those_of_each_trust_together(exchange: Exchange) -> None:
    await story(exchange, 7, 5)
    days = {"first": DAY, "last": DAY + timedelta(days=60)}
    everybody, *trusts = [await exchange.enquiries.figures(tenant=one, **days) for one in (None, TRUST, OTHER)]
    whole = {(one.day, one.provider, one.measure): one.spread.counts for one in everybody if one.measure != "said"}
    added: dict[tuple[date, OdsCode | None, str], dict[int, int]] = {}
    for one in (figure for trust in trusts for figure in trust):
        spread = added.setdefault((one.day, one.provider, one.measure), {})
        for took, how_many in one.spread.counts.items():
            spread[took] = spread.get(took, 0) + how_many
    assert whole == added


async def test_nothing_is_kept_where_another_has_counted_meanwhile(exchange: Exchange) -> None:
    await submit(exchange, "A")
    counted = await exchange.enquiries.to_count(limit=100)
    assert await exchange.store.keep_count(counted, now=exchange.clock.now())
    before = await kept(exchange)
    assert not await exchange.store.keep_count(counted, now=exchange.clock.now())
    assert await kept(exchange) == before


async def test_each_sees_its_own_figures_and_no_others(exchange: Exchange) -> None:
    await submit(exchange, "A")
    await submit(exchange, "B", tenant=OTHER, provider=NEXT)
    for provider in (PROVIDER, NEXT):
        await transmit(exchange, Taken(), provider)
    await count(exchange)

    for tenant, provider in ((TRUST, PROVIDER), (OTHER, NEXT)):
        own = await sums(exchange, tenant)
        assert {ods for ods, _ in own} == {"", provider.value}
        assert own["", "taken"] == own[provider.value, "sent"] == 1
        assert set(await exchange.enquiries.backlog(tenant=tenant)) == {provider}
        assert [one.tenant for one in await exchange.enquiries.items(wanted(), tenant=tenant)] == [tenant]
        theirs = await sums(exchange, provider)
        assert {ods for ods, _ in theirs} == {provider.value}
        assert theirs[provider.value, "sent"] == 1
        assert set(await exchange.enquiries.backlog(tenant=provider)) == {provider}
        assert [one.provider for one in await exchange.enquiries.items(wanted(), tenant=provider)] == [provider]
    assert (await sums(exchange))["", "taken"] == 2
    assert set(await exchange.enquiries.backlog(tenant=None)) == {PROVIDER, NEXT}
    assert len(await exchange.enquiries.items(wanted(), tenant=None)) == 2
    assert len(await exchange.enquiries.items(wanted(provider=NEXT), tenant=None)) == 1
    assert await exchange.enquiries.items(wanted(provider=NEXT), tenant=TRUST) == ()
    assert await exchange.enquiries.items(wanted(provider=NEXT), tenant=PROVIDER) == ()
    for nobody in (OdsCode("RXX"), OdsCode("VNXXX")):
        assert await sums(exchange, nobody) == {}
        assert await exchange.enquiries.backlog(tenant=nobody) == {}
        assert await exchange.enquiries.items(wanted(), tenant=nobody) == ()


async def test_the_oldest_that_waits_is_the_first_that_was_sent(exchange: Exchange) -> None:
    for name in ("A", "B"):
        await submit(exchange, name)
    sent = exchange.clock.now()
    await transmit(exchange, Taken())
    exchange.clock.move(hours=1)
    await transmit(exchange, InDoubt(reason="time-out"))
    await submit(exchange, "C")
    await count(exchange)
    for tenant in (TRUST, PROVIDER, None):
        assert await exchange.enquiries.backlog(tenant=tenant) == {
            PROVIDER: Backlog(to_send=1, waiting=1, not_known=1, oldest=sent)
        }


async def test_the_database_itself_shows_each_its_own_figures(tmp_path: Path) -> None:
    opened = ENGINES["postgres"](tmp_path, Clock(), frozenset(), CUSTODY)
    exchange = Exchange(opened, Clock())
    for name, tenant, provider in (("A", TRUST, PROVIDER), ("B", OTHER, NEXT)):
        await submit(exchange, name, tenant=tenant, provider=provider)
        await transmit(exchange, Taken(), provider)
    await count(exchange)
    whose = "SELECT DISTINCT tenant, provider FROM {} ORDER BY 1, 2"
    for asks, figures, items in (
        (TRUST.value, [("RBA", ""), ("RBA", "VNE51")], [("RBA", "VNE51")]),
        (PROVIDER.value, [("", "VNE51")], [("RBA", "VNE51")]),
        ("", [], []),
        ("ZZZ", [], []),
    ):
        with asking(tmp_path, asks) as raw:
            assert raw.execute(whose.format("figure")) == figures
            assert raw.execute(whose.format("figure_item")) == items
    for table in ("figure_mark", "provider_pulse"):
        with asking(tmp_path, TRUST.value) as raw, pytest.raises(asyncpg.InsufficientPrivilegeError):
            raw.execute(f"SELECT 1 FROM {table}")  # noqa: S608 - constants
    await opened.close()
