"""Two nodes on one database whose clocks differ, whose versions differ, or that both watch: nothing lost or doubled."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest

from gateway.destination import Taken, Transmission, TransmitOutcome
from gateway.domain.custody import CUSTODY
from gateway.domain.lifecycle import LineState
from gateway.domain.partner import Environment, Provider
from gateway.lane import Outlet
from gateway.ports.work import News
from gateway.store.postgres import schema
from gateway.store.postgres.store import migrate_database
from gateway.store.sql.schema import Step
from gateway.watch import Watch
from gateway.worker import Pace, Surroundings, Worker
from tests.contract.store_engines import (
    PROVIDER,
    Clock,
    Exchange,
    make_acceptance,
    make_order,
    make_prescription,
    open_postgres,
)
from tests.faults.invariants import broken
from tests.postgres import database

OFF = timedelta(minutes=10)
PATIENCE_SECONDS = 60.0
SETTINGS = Provider(
    ods=PROVIDER,
    name="Example",
    environment=Environment.TEST,
    adapter="sandbox",
    endpoint="",
    max_in_flight=4,
    answers_within_seconds=1.0,
)
PACE = Pace(poll_seconds=0.02, lease_seconds=1.0)


@pytest.fixture
async def join(tmp_path: Path) -> AsyncIterator[Callable[..., Exchange]]:
    """Give what opens one more node on the same database, with a clock of its own."""
    made: list[Exchange] = []

    def one(*, off: timedelta = timedelta()) -> Exchange:
        clock = Clock()
        clock.moment += off
        made.append(Exchange(open_postgres(tmp_path, clock, frozenset(), CUSTODY), clock))
        return made[-1]

    yield one
    for exchange in made:
        closing = exchange.opened.close()
        assert asyncio.iscoroutine(closing)
        await closing


@dataclass
class Taker:
    """A provider that takes everything in its own time; it has not promised to know repeats."""

    seconds: float = 0.0
    came: list[UUID] = field(default_factory=list)

    async def transmit(self, transmission: Transmission) -> TransmitOutcome:
        self.came.append(transmission.message_id)
        await asyncio.sleep(self.seconds)
        return Taken()


def worker_of(exchange: Exchange, provider: Outlet, name: str) -> Worker:
    def compose(_: News) -> tuple[bytes, str]:
        raise AssertionError("nobody is told")

    around = Surroundings(
        store=exchange.store,
        enquiries=exchange.enquiries,
        clock=exchange.clock,
        destinations={PROVIDER: provider},
        providers={PROVIDER: SETTINGS},
        compose=compose,
    )
    return Worker(name=name, around=around, pace=PACE)


async def accept(exchange: Exchange, name: str) -> bool:
    stored = await exchange.store.accept(make_acceptance(name, make_order(make_prescription(name))))
    return stored is not None


def faults(exchange: Exchange) -> list[str]:
    return broken(exchange.opened.raw)


@pytest.mark.parametrize("off", [OFF, -OFF], ids=["ahead", "behind"])
@pytest.mark.parametrize("seconds", [0.0, 0.1], ids=["at once", "slowly"])
async def test_clocks_that_differ_by_ten_minutes_lose_nothing_and_send_nothing_twice(
    join: Callable[..., Exchange], off: timedelta, seconds: float
) -> None:
    right, wrong = join(), join(off=off)
    provider = Taker(seconds)
    workers = [worker_of(right, provider, "right"), worker_of(wrong, provider, "wrong")]
    running = [asyncio.create_task(worker.run()) for worker in workers]
    orders = [make_prescription(f"K{number}") for number in range(20)]
    for number, order in enumerate(orders):
        node = (right, wrong)[number % 2]
        await node.store.accept(make_acceptance(f"K{number}", make_order(order)))
        await asyncio.sleep(0.02)
    right.clock.moment += OFF
    wrong.clock.moment += OFF
    settled = {LineState.WITH_PROVIDER, LineState.UNCERTAIN}
    async with asyncio.timeout(PATIENCE_SECONDS):
        for order in orders:
            while not set(await right.states(order)) <= settled:  # noqa: ASYNC110 - the store is asked
                await asyncio.sleep(0.1)
    for worker in workers:
        worker.stop()
    await asyncio.gather(*running)
    assert len(provider.came) == len(set(provider.came)) == len(orders)
    doubtful = [order for order in orders if await right.states(order) == [LineState.UNCERTAIN]]
    assert len(await right.alert_kinds()) == len(doubtful)
    assert faults(right) == []


async def test_nodes_that_watch_together_tell_of_each_matter_once(join: Callable[..., Exchange]) -> None:
    one, two = join(), join()
    for number in range(5):
        name = f"L{number}"
        await one.store.accept(make_acceptance(name, make_order(make_prescription(name))))
    for node in (one, two):
        node.clock.move(days=30)
    before = len(await one.alert_kinds())
    watches = [Watch(enquiries=node.enquiries, store=node.store, clock=node.clock) for node in (one, two)]
    opened = await asyncio.gather(*(watch.sweep() for watch in watches for _ in range(4)))
    assert sum(opened) == 5
    assert (await one.alert_kinds()).count("overdue") == 5
    assert len(await one.alert_kinds()) == before + 5


def newer(monkeypatch: pytest.MonkeyPatch, kind: str) -> int:
    """Let this process be of a version that has one more step."""
    known = schema.steps()
    number = max(known) + 1
    sql = "ALTER TABLE submission ADD COLUMN remark text; CREATE TABLE remark (id bigint PRIMARY KEY);"
    monkeypatch.setattr(schema, "steps", lambda: {**known, number: Step(number=number, kind=kind, sql=sql)})
    return number


async def test_a_newer_node_prepares_the_database_while_an_older_one_serves(
    join: Callable[..., Exchange], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    older = join()
    taken = 0
    ended = asyncio.Event()

    async def serve() -> None:
        nonlocal taken
        while not ended.is_set():
            assert await accept(older, f"V{taken}")
            taken += 1

    serving = asyncio.create_task(serve())
    while not taken:  # noqa: ASYNC110 - the load has begun
        await asyncio.sleep(0.01)
    with monkeypatch.context() as patch:
        number = newer(patch, "pre")
        assert await asyncio.to_thread(migrate_database, database(tmp_path), now=older.clock.now()) == number
    before = taken
    while taken < before + 10:  # noqa: ASYNC110 - the older one goes on
        await asyncio.sleep(0.01)
    ended.set()
    await serving
    assert await older.opened.enquiries.waiting() is not None
    again = join()  # the older version begins anew as well
    assert await accept(again, "AGAIN")
    assert (await again.enquiries.waiting()).total == taken + 1
    assert faults(again) == []
