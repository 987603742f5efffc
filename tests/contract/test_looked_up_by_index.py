"""Under the second lock too, PostgreSQL looks rows up by an index: none of its questions reads every row there is.

A condition that might tell of a hidden row by failing, or two with OR between them, would have each row of the books
asked whose it is: nothing is seen of it in a small store, and it takes minutes in one of millions.
"""

import asyncio
import re
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any, Final

import pytest

from bench.backlog import BEGAN, Orders, prepare
from bench.backlog_rows import PROVIDERS, Bulk, name_of, nhs_of, number_of
from bench.books import NOW
from bench.books_postgres import copy
from bench.work_rows import work
from gateway.domain.identifiers import OdsCode
from gateway.domain.work_item import Reason
from gateway.ports.attention import AttentionQuery
from gateway.ports.looking_up import Key, NameSought
from gateway.store.postgres.connection import Postgres
from gateway.store.postgres.dialect import statement
from gateway.store.postgres.store import elsewhere
from gateway.store.sql import attention, attention_found, board, finding, lookup
from gateway.store.sql.seeing import sights
from gateway.store.sql.transaction import Reader, Row, Values
from tests.postgres import database, raw

ROWS: Final = 2_000
_BOOKS: Final = frozenset({"prescription", "line", "submission", "message", "event", "allocation", "patient_index"})
_OPEN: Final = frozenset({"alert", "delivery", "figure_item", "figure"})
"""Beside them what a list or the board goes through, which of everybody is as much as the books are long."""
_WHOSE: Final = re.compile(r"\b(?:tenant|provider|line|id|delivery) = ")
"""What is looked for in an index for a tenant: its own, one provider's, or of one row."""
_BY_INDEX: Final = ("Index Cond", "Recheck Cond")
_BEGIN: Final = """
BEGIN READ ONLY; SET LOCAL enable_seqscan = off; SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off
"""
"""So few rows would be read whole; what cannot be looked up still is, for then there is no other way."""
_AS: Final = "SET LOCAL ROLE gateway_tenant; SET LOCAL app.tenant = '{}'"
_NODE: Final = re.compile(r"(?:->)?\s*(\w.* Scan)(?: Backward)?(?: using \w+)? on (\w+)")
ROW: Final = 200
TRUST: Final = OdsCode("R050")
"""Whose that row is."""
PROVIDER: Final = PROVIDERS[0]
VALUES: Final = {
    Key.NHS_NUMBER: nhs_of(ROW % (ROWS // 10)),
    Key.NUMBER: number_of(ROW),
    Key.ORDER_NUMBER: f"RX{ROW}",
    Key.OTHER_NUMBER: f"PO-{ROW}",
    Key.CONTROL_ID: f"BULK-{ROW}",
    Key.ID: "9b571248-0000-00c8-0000-000000000000",
    Key.DIGEST: "ab" * 32,
}


def _listed(reader: Reader, tenant: OdsCode | None, query: AttentionQuery) -> object:
    return attention.page(reader, tenant=tenant, query=query, now=NOW)


ASKED: Final[dict[str, Callable[..., object]]] = {
    **{f"look up by {key}": partial(lookup.look_up, key=key, value=VALUES[key], of=[TRUST.value]) for key in Key},
    "search by NHS number": partial(finding.search, nhs_number=VALUES[Key.NHS_NUMBER], number="", order_number=""),
    "search by prescription ID": partial(finding.search, nhs_number="", number=VALUES[Key.NUMBER], order_number=""),
    "search by order number": partial(finding.search, nhs_number="", number="", order_number=f"RX{ROW}"),
    "what came of a message": lambda reader, tenant: finding.by_control_id(
        reader, VALUES[Key.CONTROL_ID], tenant=tenant or TRUST
    ),
    "a trust's own message": lambda reader, tenant: lookup.own_messages(
        reader, VALUES[Key.CONTROL_ID], tenant=tenant or TRUST
    ),
    "by name": partial(lookup.by_name, sought=NameSought(family=name_of(ROW)[0], born=name_of(ROW)[1])),
    "described": partial(finding.describe, rows=[ROW, ROW + 1]),
    **{
        f"attention: {name}": partial(_listed, query=query)
        for name, query in {
            "the whole list": AttentionQuery(),
            "further down": AttentionQuery(first=50),
            "a reason": AttentionQuery(reason=Reason.NO_ACCEPTANCE),
            "one provider": AttentionQuery(provider=PROVIDER),
            "one provider and a reason": AttentionQuery(provider=PROVIDER, reason=Reason.REJECTED),
            "few days left": AttentionQuery(days_under=7),
        }.items()
    },
    "attention: how much": partial(attention_found.count, now=NOW),
    "board: what runs out": partial(attention_found.running_out, providers=PROVIDERS, days=7, now=NOW),
    "board: what waits": board.backlog,
    "what a provider sees": lambda reader, tenant: sights(reader, [ROW, ROW + 1], tenant or PROVIDER),
}


class Explaining:
    """A reader that keeps the plan of each statement beside its rows.

    Attributes:
        plans: lines of each.
    """

    def __init__(self, connection: Postgres) -> None:
        self._connection = connection
        self.plans: list[list[str]] = []

    def execute(self, sql: str, values: Values = (), /) -> list[Row]:
        """See `gateway.store.sql.transaction.Reader`."""
        said = statement(sql)
        inner = self._connection._connection()
        plan = self._connection._run(inner.fetch(f"EXPLAIN {said.text}", *said.arguments(values)))
        self.plans.append([str(row[0]) for row in plan])
        return list(self._connection.execute(sql, values))


@pytest.fixture(scope="module")
def connection(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    folder = Path(tmp_path_factory.mktemp("by-index"))
    where = database(folder)

    async def fill() -> None:
        books = Bulk(rows=ROWS, began=BEGAN, until=NOW, full_every=1_000, open_every=7, leaves=False, guarded=False)
        await copy(await prepare(folder / "books", Orders(folder), books, work), where.url)

    asyncio.run(fill())
    with closing(raw(where)) as found:
        yield found


def read_whole(plan: list[str], tenant: OdsCode | None) -> list[str]:
    """Give the tables of the books that a plan reads from end to end; for a tenant, also what it reads of everybody."""
    found = []
    for place, line in enumerate(plan):
        node = _NODE.search(line)
        if not node:
            continue
        below = plan[place + 1] if place + 1 < len(plan) else ""
        by_index = any(sign in below for sign in _BY_INDEX)
        of_everybody = tenant is not None and node[2] in _OPEN and not (by_index and _WHOSE.search(below))
        if (node[2] in _BOOKS and not by_index) or of_everybody:
            found.append(f"{node[2]}: {line.strip()} {below.strip()}")
    return found


def asked(connection: Postgres, ask: Callable[[Reader], Any], tenant: OdsCode | None) -> list[str]:
    """Give what is read whole when a question is asked as the tenant."""
    reader = Explaining(connection)

    def run() -> None:
        connection.script(_BEGIN + (f";{_AS.format(tenant.value)}" if tenant else ""))
        try:
            ask(reader)
        finally:
            connection.script("ROLLBACK")

    elsewhere(run)
    assert reader.plans
    return [fault for plan in reader.plans for fault in read_whole(plan, tenant)]


@pytest.mark.parametrize("tenant", [None, TRUST, PROVIDER], ids=["gateway", "trust", "provider"])
@pytest.mark.parametrize("question", sorted(ASKED))
def test_no_row_is_read_that_is_not_looked_for(connection: Postgres, question: str, tenant: OdsCode | None) -> None:
    assert asked(connection, partial(ASKED[question], tenant=tenant), tenant) == []
