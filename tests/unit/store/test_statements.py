"""How many statements one unit of work asks of its store: each costs more than what most of them do."""

from collections.abc import AsyncIterator, Iterable
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from gateway.destination import Taken
from gateway.domain.lifecycle import LineEvent, LineState
from gateway.ports.attention import AttentionQuery
from gateway.store.sql import attention, attention_rows
from gateway.store.sql.transaction import Reader, Values
from gateway.store.sqlite.store import SqliteStore
from tests.contract.store_engines import Clock, Exchange, make_acceptance, make_order, open_sqlite
from tests.contract.test_attention import with_stock

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


MOST_OF_A_LIST = {"which": 40, "whole": 20}
"""Of what needs attention, however long it is: which rows there are, and those rows whole."""
WITH_ALERTS = (LineState.HELD, LineState.HELD, LineState.READY, LineState.AWAITING_SCREENING)


class Counted:
    """A reader that keeps what it is asked."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self.asked: list[str] = []

    def execute(self, sql: str, values: Values = (), /) -> Iterable[tuple[Any, ...]]:
        self.asked.append(sql)
        return self._reader.execute(sql, values)


async def test_what_a_list_asks_of_the_store_does_not_grow_with_its_rows(exchange: Exchange) -> None:
    counts: list[dict[str, int]] = []
    for first, last in ((0, 8), (8, 100)):
        for number in range(first, last):
            order = make_order(with_stock(f"N{number}", number), state=WITH_ALERTS[number % 4])
            await exchange.store.accept(make_acceptance(f"N{number}", order))
            if order.state is LineState.READY:
                line = order.prescription.lines[0].id
                await exchange.store.open_alert(
                    kind="safety-incident", subject=f"{number}", line_id=line, now=exchange.clock.now(), text="One."
                )
        counts.append(await exchange.enquiries._ask(partial(_counted, now=exchange.clock.now(), rows=last)))
    assert counts[0] == counts[1]
    assert {name: number for name, number in counts[1].items() if number > MOST_OF_A_LIST[name]} == {}


def _counted(reader: Reader, *, now: datetime, rows: int) -> dict[str, int]:
    which, whole = Counted(reader), Counted(reader)
    query = AttentionQuery(size=1000, grouped=False)
    found = attention.places(which, tenant=None, query=query, now=now)
    read = attention_rows.items(whole, found.rows, tenant=None, speaks_at=found.speaks_at)
    assert len(read) == len(found.rows) == rows
    return {"which": len(which.asked), "whole": len(whole.asked)}
