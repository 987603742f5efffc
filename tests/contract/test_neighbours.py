"""One sick provider hurts nobody else; an outage is over when it is over (issue of speed, 3).

The real worker on the real stores, one look after another on a clock that only these tests move: what is compared is
after how many looks a message left, not how long a busy machine took over it.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import cast

import pytest

from gateway.destination import Taken, Transmission, TransmitOutcome, TryLater
from gateway.domain.custody import CUSTODY
from gateway.domain.identifiers import OdsCode
from gateway.domain.lifecycle import LineState
from gateway.domain.partner import Environment, Provider
from gateway.lane import Outlet
from gateway.ports.work import News
from gateway.worker import Pace, Surroundings, Worker
from tests.contract.store_engines import ENGINES, Clock, Exchange, make_acceptance, make_order, make_prescription

TEN = tuple(OdsCode(f"VN{number:03d}") for number in range(10))
SICK, *OTHERS = TEN
ROOM, WAVES, IN_A_WAVE = 4, 4, 2
POLL_SECONDS = 0.5


class Health(StrEnum):
    """How a provider is."""

    WELL = "well"
    DEAD = "dead"
    SLOW = "slow"


@dataclass(kw_only=True)
class Outlets:
    """A provider as the worker sees it."""

    stuck: set[asyncio.Task[None]]
    health: Health = Health.WELL
    taken: list[int] = field(default_factory=list)
    """The look at which each message was taken."""
    tries: list[int] = field(default_factory=list)
    """The look at which each was tried."""
    look: int = 0

    @property
    def tried(self) -> int:
        return len(self.tries)

    async def transmit(self, _: Transmission) -> TransmitOutcome:
        self.tries.append(self.look)
        if self.health is Health.DEAD:
            return TryLater(reason="no connection")
        if self.health is Health.SLOW:
            task = cast("asyncio.Task[None]", asyncio.current_task())
            self.stuck.add(task)
            await asyncio.Event().wait()
        self.taken.append(self.look)
        return Taken()


class World:
    """Ten providers, one worker, and a clock that moves from look to look."""

    def __init__(self, exchange: Exchange) -> None:
        self.exchange = exchange
        self.stuck: set[asyncio.Task[None]] = set()
        self.outlets = {ods: Outlets(stuck=self.stuck) for ods in TEN}
        self.seconds = 0.0
        self.looks = 0
        self.accepted: list[tuple[str, OdsCode]] = []
        around = Surroundings(
            store=exchange.store,
            enquiries=exchange.enquiries,
            clock=exchange.clock,
            destinations=cast("dict[OdsCode, Outlet]", self.outlets),
            providers={ods: _provider(ods) for ods in TEN},
            compose=_no_news,
            jitter=lambda: 1.0,
            monotonic=lambda: self.seconds,
        )
        self.worker = Worker(name="w", around=around, pace=Pace(poll_seconds=POLL_SECONDS))

    async def accept(self, count: int, destinations: Iterable[OdsCode] = TEN) -> None:
        """Accept so many prescriptions for each destination, in turns."""
        acceptances = []
        for destination in tuple(destinations) * count:
            name = f"{len(self.accepted):04d}"
            order = make_order(make_prescription(name), provider=destination)
            acceptances.append(self.exchange.store.accept(make_acceptance(name, order)))
            self.accepted.append((name, destination))
        await asyncio.gather(*acceptances)

    async def look(self) -> None:
        """Let the worker look once, and everything finish that can."""
        self.seconds += POLL_SECONDS
        self.looks += 1
        self.exchange.clock.move(seconds=POLL_SECONDS)
        for outlet in self.outlets.values():
            outlet.look = self.looks
        await self.worker._round()
        while pending := self.worker._tasks - self.stuck:
            await asyncio.wait(pending, timeout=0.01)

    async def waits(self) -> dict[OdsCode, list[int]]:
        """Accept waves, look twice after each, and give after how many looks each provider's messages left."""
        accepted_at: dict[OdsCode, list[int]] = {ods: [] for ods in TEN}
        for _ in range(WAVES):
            await self.accept(IN_A_WAVE)
            for looks in accepted_at.values():
                looks.extend([self.looks] * IN_A_WAVE)
            await self.look()
            await self.look()
        return {
            ods: [left - came for came, left in zip(accepted_at[ods], self.outlets[ods].taken, strict=False)]
            for ods in TEN
        }

    def let_go(self) -> None:
        """Cut off what is stuck."""
        for task in self.stuck:
            task.cancel()


def _no_news(_: News) -> tuple[bytes, str]:
    raise AssertionError("nobody is told in these tests")


def _provider(ods: OdsCode) -> Provider:
    return Provider(
        ods=ods,
        name="Example",
        environment=Environment.TEST,
        adapter="sandbox",
        endpoint="",
        max_in_flight=ROOM,
        answers_within_seconds=3600.0,
    )


@pytest.fixture(params=sorted(ENGINES))
async def world(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[World]:
    clock = Clock()
    opened = ENGINES[request.param](tmp_path, clock, frozenset(), CUSTODY)
    one = World(Exchange(opened, clock))
    yield one
    one.let_go()
    await asyncio.gather(*one.worker._tasks, return_exceptions=True)
    await opened.close()


@pytest.mark.parametrize("health", Health)
async def test_nine_providers_get_everything_at_once_whatever_ails_the_tenth(world: World, health: Health) -> None:
    world.outlets[SICK].health = health
    waits = await world.waits()
    for ods in OTHERS:
        assert len(waits[ods]) == WAVES * IN_A_WAVE, "nothing is left behind"
        assert median(waits[ods]) == 1, "each leaves at the first look after it was accepted, as when all are well"
        assert max(waits[ods]) == 1
    if health is Health.SLOW:
        assert world.outlets[SICK].tried == ROOM, "no more of it is under way than it has room for"


@pytest.mark.timeout(400)  # hundreds of small transactions: a busy machine takes its time, on a server above all
async def test_after_an_outage_of_all_each_gets_its_first_within_five_seconds_and_the_rest_at_full_speed(
    world: World,
) -> None:
    each = 3 * ROOM
    for outlet in world.outlets.values():
        outlet.health = Health.DEAD
    await world.accept(each)
    while world.seconds < 24:
        await world.look()
    for outlet in world.outlets.values():
        rests = [POLL_SECONDS * (later - earlier) for earlier, later in pairwise(outlet.tries)]
        assert max(rests) < 5.0 - POLL_SECONDS, "whenever it comes back, it is found in time"
        assert outlet.tried < 40, "a provider that is away is probed, not hammered"
    for outlet in world.outlets.values():
        outlet.health = Health.WELL
    back, looks = world.seconds, world.looks
    while world.seconds - back < 5.0:
        await world.look()
    assert all(outlet.taken for outlet in world.outlets.values()), "somebody waits out a back-off"
    for _ in range(5):
        await world.look()
    assert {ods: len(outlet.taken) for ods, outlet in world.outlets.items()} == dict.fromkeys(TEN, each)
    busy = [outlet.taken.count(at) for outlet in world.outlets.values() for at in range(looks, world.looks + 1)]
    assert max(busy) == ROOM, "as many at once as it has room for"
    states = [await world.exchange.states(make_prescription(name)) for name, _ in world.accepted[:20]]
    assert states == [[LineState.WITH_PROVIDER]] * 20


async def test_messages_that_never_left_in_a_long_outage_are_not_given_up(world: World) -> None:
    for outlet in world.outlets.values():
        outlet.health = Health.DEAD
    await world.accept(1, [SICK])
    pace = world.worker._pace
    world.worker._pace = Pace(poll_seconds=POLL_SECONDS, attempts=5, age_seconds=pace.age_seconds)
    while world.outlets[SICK].tried < 12:
        assert world.seconds < 300, "it was given up"
        await world.look()
    world.outlets[SICK].health = Health.WELL
    while not world.outlets[SICK].taken and world.outlets[SICK].tried < 20:
        await world.look()
    assert await world.exchange.states(make_prescription("0000")) == [LineState.WITH_PROVIDER]
