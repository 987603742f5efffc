"""Keeping the figures up: everything is counted in the end, and a long way behind never takes the whole machine."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.domain.custody import CUSTODY
from gateway.domain.errors import Unavailable
from gateway.pipeline import counting
from gateway.pipeline.counting import IDLE_SECONDS, Counting
from tests.contract.store_engines import Clock, Exchange, make_acceptance, open_sqlite
from tests.factories import MOMENT


@pytest.fixture
async def exchange(tmp_path: Path) -> AsyncIterator[Exchange]:
    clock = Clock()
    opened = open_sqlite(tmp_path, clock, frozenset(), CUSTODY)
    yield Exchange(opened, clock)
    await opened.close()


async def test_what_came_is_counted_stretch_by_stretch(exchange: Exchange, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counting, "STRETCH", 2)
    for name in "ABC":
        await exchange.store.accept(make_acceptance(name))
    one = Counting(exchange.enquiries, exchange.store, exchange.clock)
    waits = [await one.count()]
    assert (await exchange.enquiries.counted()).counted_at is None
    while waits[-1] != IDLE_SECONDS:
        waits.append(await one.count())
    assert len(waits) > 2
    assert all(0 < wait < IDLE_SECONDS for wait in waits[:-1])
    assert (await exchange.enquiries.counted()).counted_at == MOMENT
    (taken,) = await exchange.enquiries.figures(tenant=None, first=MOMENT.date(), last=MOMENT.date())
    assert len(taken.spread) == 3


async def test_where_nothing_comes_little_is_written(exchange: Exchange, monkeypatch: pytest.MonkeyPatch) -> None:
    at = [100.0]
    monkeypatch.setattr(counting.time, "monotonic", lambda: at[0])
    one = Counting(exchange.enquiries, exchange.store, exchange.clock)
    found = []
    for _ in range(6):
        exchange.clock.move(seconds=5)
        await one.count()
        found.append((await exchange.enquiries.counted()).counted_at)
        at[0] += 5
    assert found == [found[0]] * 4 + [found[4]] * 2
    assert found[4] != found[0]
    await exchange.store.accept(make_acceptance("A"))
    await one.count()
    assert (await exchange.enquiries.counted()).counted_at == exchange.clock.now()


async def test_a_store_that_is_away_is_counted_later(exchange: Exchange, monkeypatch: pytest.MonkeyPatch) -> None:
    await exchange.store.accept(make_acceptance("A"))
    one = Counting(exchange.enquiries, exchange.store, exchange.clock)

    async def away(*_: object, **__: object) -> bool:
        raise Unavailable("away")

    with monkeypatch.context() as patch:
        patch.setattr(exchange.store, "keep_count", away)
        with pytest.raises(Unavailable):
            await one.count()
    await one.count()
    assert len(await exchange.enquiries.figures(tenant=None, first=MOMENT.date(), last=MOMENT.date())) == 1
