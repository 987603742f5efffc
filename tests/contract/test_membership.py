"""Nodes on one store: none begins, and none goes on, that differs from those that live."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from gateway.domain.custody import CUSTODY
from gateway.domain.errors import ConfigurationError, Unavailable
from gateway.domain.node import MOST_OFF, SILENCE, Node, NodeSeen
from gateway.store.sql.enquiries import SqlEnquiries
from gateway.store.sql.store import SqlStore
from gateway.wiring.nodes import Membership
from tests.contract.store_engines import ENGINES, Clock, Opened

ONE = Node(name="one", version="1.0", parts="http", configuration="c" * 64, reference="r-1", key_id="k-1")
TWO = replace(ONE, name="two", parts="worker")
DIFFERENCES = [("configuration", "d" * 64), ("reference", "r-2"), ("key_id", "k-2")]


@dataclass
class Ground:
    """A store with its clock."""

    store: SqlStore
    enquiries: SqlEnquiries
    clock: Clock
    opened: Opened

    async def enter(self, node: Node) -> tuple[str, ...]:
        return await self.store.enter(node, now=self.clock.now())

    async def stay(self, node: Node) -> tuple[str, ...]:
        return await self.store.stay(node, now=self.clock.now())

    async def names(self) -> list[str]:
        return [one.node.name for one in await self.enquiries.nodes()]

    async def adopt(self, node: Node) -> None:
        await self.store.adopt_configuration(node.configuration, "v", checked_lines=0)


@pytest.fixture(params=sorted(ENGINES))
async def ground(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Ground]:
    clock = Clock()
    opened = ENGINES[request.param](tmp_path, clock, frozenset(), CUSTODY)
    assert isinstance(opened.store, SqlStore)
    assert isinstance(opened.enquiries, SqlEnquiries)
    yield Ground(opened.store, opened.enquiries, clock, opened)
    closing = opened.close()
    assert asyncio.iscoroutine(closing)
    await closing


async def test_nodes_that_are_alike_run_side_by_side(ground: Ground) -> None:
    for node in (ONE, TWO, replace(ONE, name="three", version="2.0")):
        assert await ground.enter(node) == ()
    assert await ground.enquiries.nodes() == tuple(
        NodeSeen(node=node, started_at=ground.clock.now(), seen_at=ground.clock.now())
        for node in (ONE, replace(ONE, name="three", version="2.0"), TWO)
    )


@pytest.mark.parametrize(("what", "value"), DIFFERENCES)
async def test_a_node_that_differs_from_one_that_lives_does_not_begin(ground: Ground, what: str, value: str) -> None:
    await ground.enter(ONE)
    (why,) = await ground.enter(replace(TWO, **{what: value}))
    assert why.startswith("one (http) runs with another")
    assert value[:12] in why
    assert await ground.names() == ["one"]


async def test_what_seals_nothing_needs_no_key(ground: Ground) -> None:
    await ground.enter(ONE)
    assert await ground.enter(replace(TWO, key_id="")) == ()
    assert await ground.enter(replace(ONE, name="three")) == ()


async def test_a_node_that_left_is_in_nobodys_way(ground: Ground) -> None:
    await ground.enter(ONE)
    await ground.store.leave(ONE.name)
    assert await ground.enter(replace(TWO, key_id="k-2")) == ()
    assert await ground.names() == ["two"]


async def test_a_node_that_fell_silent_is_taken_to_have_ended(ground: Ground) -> None:
    await ground.enter(ONE)
    ground.clock.moment += SILENCE
    assert await ground.enter(replace(TWO, key_id="k-2")) != ()
    ground.clock.move(seconds=1)
    assert await ground.enter(replace(TWO, key_id="k-2")) == ()
    assert await ground.names() == ["one", "two"]
    ground.clock.move(days=2)
    await ground.enter(replace(TWO, name="three"))
    assert await ground.names() == ["three"]


async def test_saying_that_it_runs_keeps_a_node_alive(ground: Ground) -> None:
    begun = ground.clock.now()
    await ground.enter(ONE)
    for _ in range(3):
        ground.clock.moment += SILENCE
        assert await ground.stay(ONE) == ()
    (seen,) = await ground.enquiries.nodes()
    assert (seen.started_at, seen.seen_at) == (begun, ground.clock.now())
    assert await ground.enter(replace(TWO, key_id="k-2")) != ()


async def test_a_node_that_wakes_where_others_began_with_another_key_does_not_go_on(ground: Ground) -> None:
    await ground.enter(ONE)
    ground.clock.move(hours=1)
    await ground.enter(replace(TWO, key_id="k-2"))
    (why,) = await ground.stay(ONE)
    assert "another seal key" in why
    assert await ground.stay(replace(TWO, key_id="k-2")) == ()


async def test_a_node_does_not_go_on_when_another_configuration_is_in_force(ground: Ground) -> None:
    await ground.enter(ONE)
    await ground.adopt(ONE)
    assert await ground.stay(ONE) == ()
    await ground.adopt(replace(ONE, configuration="d" * 64))
    (why,) = await ground.stay(ONE)
    assert "another configuration is in force" in why


async def test_a_node_does_not_go_on_when_the_store_was_put_back_beneath_it(ground: Ground) -> None:
    await ground.enter(ONE)
    await ground.adopt(ONE)
    raw = ground.opened.raw
    raw.execute("UPDATE meta SET generation = generation + 1")
    (why,) = await ground.stay(ONE)
    assert "put back" in why


@dataclass
class Told:
    """A register and a database's clock that say what they are told to."""

    clock: str = ""
    differs: tuple[str, ...] = ()
    away: bool = False
    said: list[str] = field(default_factory=list)
    often: asyncio.Event = field(default_factory=asyncio.Event)

    async def enter(self, node: Node, *, now: datetime) -> tuple[str, ...]:
        self.said.append(f"enter {node.name} {now:%H}")
        return self.differs

    async def stay(self, node: Node, *, now: datetime) -> tuple[str, ...]:
        self.said.append(f"stay {node.name} {now:%H}")
        if len(self.said) > 2:
            self.often.set()
        if self.away:
            raise Unavailable("away")
        return self.differs

    async def leave(self, name: str) -> None:
        self.said.append(f"leave {name}")
        if self.away:
            raise Unavailable("away")

    async def ready(self) -> dict[str, str]:
        return {"clock": self.clock} if self.clock else {}


@pytest.mark.parametrize("sign", [1, -1])
async def test_a_node_whose_clock_is_not_the_databases_does_not_begin(sign: int) -> None:
    clock = Clock()
    told = Told(clock=(clock.now() + sign * MOST_OFF).isoformat())
    await Membership(ONE, told, told, clock).enter()
    told.clock = (clock.now() + sign * (MOST_OFF + timedelta(minutes=10))).isoformat()
    with pytest.raises(ConfigurationError, match=f"clock is 630 s {'behind' if sign > 0 else 'ahead of'}"):
        await Membership(ONE, told, told, clock).enter()


async def test_who_differs_is_told_in_what_and_what_to_do() -> None:
    told = Told(differs=("two runs with another seal key",))
    with pytest.raises(ConfigurationError, match=r"another seal key\n.*mount the same"):
        await Membership(ONE, told, told, Clock()).enter()


async def test_a_node_says_that_it_runs_until_it_differs() -> None:
    told, differs = Told(), asyncio.Event()
    membership = Membership(ONE, told, told, Clock(), say_seconds=0.01)
    running = asyncio.create_task(membership.run(differs.set))
    await told.often.wait()
    told.away = True
    await asyncio.sleep(0.05)
    assert not differs.is_set()
    told.away, told.differs = False, ("another configuration is in force",)
    async with asyncio.timeout(10):
        await differs.wait()
    membership.stop()
    await running
    await membership.leave()
    assert told.said[-1] == "leave one"


async def test_a_store_in_a_file_has_one_gateway_and_nothing_is_written_down() -> None:
    told = Told(away=True, differs=("never asked",))
    membership = Membership(ONE, told, told, Clock(), shared=False, say_seconds=0.01)
    await membership.enter()
    running = asyncio.create_task(membership.run(lambda: None))
    await asyncio.sleep(0.05)
    membership.stop()
    await running
    await membership.leave()
    assert told.said == []
