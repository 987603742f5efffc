"""Two workers on one store, joined by a real server that is emptied, killed, frozen, slow or shut to them (T24).

Nothing is lost and nothing goes twice, whatever becomes of the server; it may cost one poll interval.
"""

import asyncio
import statistics
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, cast
from uuid import UUID

import pytest

from gateway.destination import Taken, Transmission, TransmitOutcome, TryLater
from gateway.domain.identifiers import OdsCode
from gateway.domain.partner import Environment, Provider
from gateway.joining.over_redis import Joined
from gateway.pipeline.word import due, moved
from gateway.ports.joining import Joining
from gateway.worker import Pace, Surroundings, Worker
from tests.contract.store_engines import Clock as StillClock
from tests.contract.store_engines import Opened, make_acceptance, make_order, make_prescription, open_sqlite
from tests.factories import MOMENT
from tests.joined import Slow, Valkey, joined, valkey

ONE, TWO = OdsCode("VNE51"), OdsCode("VNCEL")
POLL = 4.0
"""Long, so that a message found by a poll can be told from one found by a hint."""
SLACK = 4.0
"""Seconds that a busy machine may take besides."""


async def _until(true: Callable[[], bool], seconds: float = 20) -> None:
    async with asyncio.timeout(seconds):
        while not true():  # noqa: ASYNC110 - nobody tells a test
            await asyncio.sleep(0.02)


def pending(server: Valkey) -> int:
    """Count the hints that were taken and are not confirmed."""
    script = "return redis.call('XPENDING', KEYS[1], 'nodes')[1]"
    return int(server.run("EVAL", script, "1", "homecare:{YGM1A-test}:due"))


class RunningClock(StillClock):
    """A clock that runs, from a day on which the messages are in date."""

    def __init__(self) -> None:
        super().__init__()
        self._begun = time.monotonic()

    def now(self) -> datetime:
        return MOMENT + timedelta(seconds=time.monotonic() - self._begun)


@dataclass
class Outlet:
    """A provider that both workers speak to."""

    seconds: float = 0.002
    well: bool = True
    asks: float | None = None
    sent: list[tuple[UUID, float]] = field(default_factory=list)
    tried: int = 0
    under_way: int = 0
    most: int = 0

    async def transmit(self, transmission: Transmission) -> TransmitOutcome:
        self.tried += 1
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        await asyncio.sleep(self.seconds)
        self.under_way -= 1
        if not self.well:
            return TryLater(reason="closed", after_seconds=self.asks)
        self.sent.append((transmission.message_id, time.monotonic()))
        return Taken()


@dataclass
class House:
    """One store, a door that accepts, and workers that send."""

    opened: Opened
    outlets: dict[OdsCode, Outlet]
    clock: RunningClock
    stack: AsyncExitStack
    accepted: dict[UUID, float] = field(default_factory=dict)

    async def accept(self, door: Joining, name: str) -> None:
        """Take one order and say so, as the pipeline does."""
        provider = ONE if len(self.accepted) % 2 else TWO
        order = make_order(make_prescription(name), provider=provider)
        assert order.message is not None
        acceptance = make_acceptance(name, order)
        await self.opened.store.accept(acceptance)
        self.accepted[order.message.id] = time.monotonic()
        door.announce(*due(acceptance))
        door.publish(*moved(acceptance))

    async def work(self, joining: Joining, *, most: int = 4, **pace: Any) -> Worker:
        """Start one more worker."""
        providers = {
            ods: Provider(
                ods=ods,
                name=str(ods),
                environment=Environment.TEST,
                adapter="fake",
                endpoint="",
                max_in_flight=most,
                recognises_repeats=True,
            )
            for ods in self.outlets
        }
        around = Surroundings(
            store=self.opened.store,
            enquiries=self.opened.enquiries,
            clock=self.clock,
            destinations=self.outlets,
            providers=providers,
            compose=lambda _: (b"", ""),
            joining=joining,
        )
        worker = Worker(name="w", around=around, pace=Pace(**({"poll_seconds": POLL} | pace)))
        running = asyncio.create_task(worker.run())

        async def end() -> None:
            worker.stop()
            await running

        self.stack.push_async_callback(end)
        return worker

    @property
    def sent(self) -> Counter[UUID]:
        """How often each message went."""
        return Counter(message for outlet in self.outlets.values() for message, _ in outlet.sent)

    @property
    def delays(self) -> list[float]:
        """Seconds from acceptance to arrival, of each message that arrived."""
        return [at - self.accepted[message] for outlet in self.outlets.values() for message, at in outlet.sent]

    async def all_sent(self, seconds: float) -> None:
        """Wait until everything accepted has arrived, once each."""
        await _until(lambda: len(self.sent) >= len(self.accepted), seconds)
        assert self.sent == dict.fromkeys(self.accepted, 1)


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    clock = RunningClock()
    opened = open_sqlite(tmp_path, clock, frozenset())
    async with AsyncExitStack() as stack:
        yield House(opened, {ONE: Outlet(), TWO: Outlet()}, clock, stack)
    await cast("Callable[[], Awaitable[None]]", opened.close)()


@pytest.fixture
def server() -> Iterator[Valkey]:
    with valkey() as running:
        yield running


@asynccontextmanager
async def three(server_url: str, **change: Any) -> AsyncIterator[list[Joined]]:
    """Join a door and two workers' nodes."""
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(joined(server_url, name, **change)) for name in ("door", "one", "two")]


async def test_a_hint_wakes_a_worker_of_another_node_long_before_its_poll(house: House, server: Valkey) -> None:
    async with three(server.url) as (door, one, two):
        await house.work(one)
        await house.work(two)
        await asyncio.sleep(0.5)
        for number in range(10):
            await house.accept(door, f"H{number}")
            await asyncio.sleep(0.05)
        await house.all_sent(POLL + SLACK)
        assert statistics.median(house.delays) < POLL / 4
        await _until(lambda: not pending(server), 10)
        await house.stack.aclose()


async def test_an_emptied_server_loses_nothing_and_costs_at_most_one_poll(house: House, server: Valkey) -> None:
    with server.overheard() as heard:
        async with three(server.url) as (door, one, two):
            await house.work(one)
            await house.work(two)
            for number in range(200):
                await house.accept(door, f"F{number}")
                if number % 20 == 10:
                    await asyncio.to_thread(server.empty)
            await house.all_sent(POLL + SLACK)
            assert max(house.delays) <= POLL + SLACK
            assert {"one", "two"} <= set(server.run("ZRANGE", "homecare:{YGM1A-test}:nodes", "0", "-1"))
            everything = server.everything()
            await house.stack.aclose()
    assert any("XADD" in line for line in heard)
    assert any("PUBLISH" in line for line in heard)
    for canary in ("9990000077", "TESTPATIENT", "Aoife", "RXF1", "GRPF1", "MSGF1", "3318611000001103", "Bundle"):
        assert canary not in everything
        assert not [line for line in heard if canary in line]


async def test_two_workers_together_keep_to_a_providers_limit(house: House, server: Valkey) -> None:
    for outlet in house.outlets.values():
        outlet.seconds = 0.03
    async with three(server.url, share_seconds=60.0) as (door, one, two):
        for number in range(60):
            await house.accept(door, f"L{number}")
        await house.work(one, most=3)
        await house.work(two, most=3)
        await house.all_sent(60)
        assert [outlet.most for outlet in house.outlets.values()] == [3, 3]
        await house.stack.aclose()


async def test_what_rests_is_probed_by_one_and_opens_for_all(house: House, server: Valkey) -> None:
    sick = house.outlets[TWO]
    sick.well, sick.seconds = False, 0.05
    async with three(server.url, share_seconds=60.0) as (door, one, two):
        for number in range(40):
            await house.accept(door, f"B{number}")
        workers = [await house.work(node, poll_seconds=0.2, probe_seconds=0.2) for node in (one, two)]
        await _until(lambda: all(worker._lanes[TWO].failures >= 3 for worker in workers))
        await asyncio.sleep(0.3)  # what was begun before is over
        sick.most, before = 0, sick.tried
        await asyncio.sleep(2.0)
        assert (sick.most, sick.tried > before) == (1, True)
        sick.well = True
        await house.all_sent(20)
        await _until(lambda: all(not worker._lanes[TWO].failures for worker in workers))
        assert sick.most > 1
        await house.stack.aclose()


async def test_a_long_rest_ends_for_all_when_one_is_answered(house: House, server: Valkey) -> None:
    sick = house.outlets[TWO]
    sick.well, sick.asks = False, 600.0
    async with three(server.url, share_seconds=60.0) as (door, one, two):
        for number in range(10):
            await house.accept(door, f"R{number}")
        workers = [await house.work(node, poll_seconds=0.5) for node in (one, two)]
        await _until(lambda: all(worker._lanes[TWO].closed_until > time.monotonic() + 60 for worker in workers))
        sick.well = True
        before = sick.tried
        await asyncio.sleep(1.5)
        assert sick.tried == before
        door.answered(TWO)
        await _until(lambda: all(not worker._lanes[TWO].closed_until for worker in workers))
        await house.stack.aclose()


@dataclass(frozen=True, kw_only=True)
class Fault:
    """Something that befalls the server, and how it ends."""

    begins: Callable[[Valkey], object]
    ends: Callable[[Valkey], object]


FAULTS = {
    "killed": Fault(begins=Valkey.kill, ends=Valkey.start),
    "frozen": Fault(begins=Valkey.freeze, ends=Valkey.thaw),
    "read only": Fault(
        begins=lambda server: server.run("REPLICAOF", "127.0.0.1", "9"),
        ends=lambda server: server.run("REPLICAOF", "NO", "ONE"),
    ),
    "full": Fault(
        begins=lambda server: server.run("CONFIG", "SET", "maxmemory", "1"),
        ends=lambda server: server.run("CONFIG", "SET", "maxmemory", "0"),
    ),
    "of another make": Fault(
        begins=lambda server: (server.run("FLUSHALL"), server.run("SET", "homecare:{YGM1A-test}:due", "a string")),
        ends=Valkey.empty,
    ),
}


@pytest.mark.parametrize("name", FAULTS)
async def test_whatever_befalls_the_server_every_message_goes_once(name: str, house: House, server: Valkey) -> None:
    fault = FAULTS[name]
    async with three(server.url, patience_seconds=0.5) as nodes:
        door, one, two = nodes
        await house.work(one, poll_seconds=1.0)
        await house.work(two, poll_seconds=1.0)
        for number in range(60):
            if number == 20:
                await asyncio.to_thread(fault.begins, server)
            if number == 40:
                await house.all_sent(1.0 + SLACK)
                await asyncio.to_thread(fault.ends, server)
                await _until(lambda: not any(node.alone for node in nodes))
            await house.accept(door, f"A{number}")
        await house.all_sent(1.0 + SLACK)
        assert max(house.delays) <= 1.0 + SLACK
        await house.stack.aclose()


async def test_a_slow_server_is_done_without(house: House, server: Valkey) -> None:
    async with Slow(server.socket, seconds=3.0) as slow, three(f"unix://{slow.socket}", patience_seconds=0.3) as nodes:
        door, one, two = nodes
        await house.work(one, poll_seconds=1.0)
        await house.work(two, poll_seconds=1.0)
        for number in range(40):
            await house.accept(door, f"S{number}")
        await house.all_sent(1.0 + SLACK)
        assert all(node.alone for node in nodes)
        await house.stack.aclose()


async def test_a_wrong_password_is_told_and_harms_nothing(house: House) -> None:
    with valkey(password="right") as server:
        wrong = server.url.replace("right", "wrong")
        async with three(wrong) as (door, one, two):
            assert (one.alone, one.trouble) == (True, "AuthenticationError")
            await house.work(one, poll_seconds=1.0)
            await house.work(two, poll_seconds=1.0)
            for number in range(20):
                await house.accept(door, f"P{number}")
            await house.all_sent(1.0 + SLACK)
            await house.stack.aclose()
        async with joined(server.url, "one") as node:
            assert (node.alone, node.trouble) == (False, "")
