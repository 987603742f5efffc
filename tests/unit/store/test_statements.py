"""How many statements one unit of work asks of its store: each costs more than what most of them do."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.destination import Taken
from gateway.domain.lifecycle import LineEvent
from gateway.store.sqlite.store import SqliteStore
from tests.contract.store_engines import Clock, Exchange, make_acceptance, open_sqlite

FRAME = 4
"""The transaction and the savepoint, begun and ended."""
MOST = {"accept": 22, "claim": 6, "put on wire": 11, "record": 9, "acknowledge": 20}
"""Of one prescription with one line, whose trust is told of it; each leaf is counted, and each set of values."""


@pytest.fixture
async def exchange(tmp_path: Path) -> AsyncIterator[Exchange]:
    clock = Clock()
    opened = open_sqlite(tmp_path, clock)
    yield Exchange(opened, clock)
    await opened.enquiries.close()
    await opened.store.close()


async def test_a_unit_of_work_asks_no_more_of_the_store_than_it_must(exchange: Exchange) -> None:
    store = exchange.store
    assert isinstance(store, SqliteStore)
    asked: list[str] = []
    store._transaction.connection.exec_trace = lambda _cursor, sql, _values: asked.append(sql) or True  # type: ignore[attr-defined]
    counted: dict[str, int] = {}

    def count(unit: str) -> None:
        counted[unit] = len(asked) - FRAME
        asked.clear()

    await store.accept(make_acceptance("A"))
    count("accept")
    (claim,) = await exchange.claim()
    count("claim")
    await store.on_wire(claim, now=exchange.clock.now())
    count("put on wire")
    await store.record(claim, Taken(evidence=b"202"), now=exchange.clock.now(), retry_at=None)
    count("record")
    await exchange.answer(claim.message_id, LineEvent.ACCEPTED)
    count("acknowledge")
    assert {unit: number for unit, number in counted.items() if number > MOST[unit]} == {}
