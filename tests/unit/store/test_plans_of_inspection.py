"""What engineers and auditors look up costs the same however many messages there are."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime

import apsw
import pytest

from gateway.store.sql import audit_trail, inspected, inspecting
from gateway.store.sqlite.schema import migrate
from tests.unit.store.test_plans import GROWS

SCAN = re.compile(r"SCAN (\w+)")


def questions() -> Iterator[tuple[str, str]]:
    for (channel, own, partner), sql in inspecting.LISTS.items():
        yield f"list of {channel}, own {own}, partner {partner}", sql
    for (channel, own, _), sql in inspecting._ONE.items():
        yield f"one of {channel}, own {own}", sql
    for kind, sql in inspecting.NAMED.items():
        yield f"named by {kind}", sql
    for channel, sql in {**inspecting._SPAN, **inspecting._AT}.items():
        yield f"time of {channel}", sql
    for module in (inspected, audit_trail):
        for name, value in vars(module).items():
            if isinstance(value, str) and value.strip().startswith("SELECT") and "{" not in value:
                yield f"{module.__name__.rpartition('.')[2]} {name}", value


@pytest.fixture(scope="module")
def schema() -> Iterator[apsw.Connection]:
    connection = apsw.Connection(":memory:")
    migrate(connection, now=datetime.now(UTC))
    yield connection
    connection.close()


@pytest.mark.parametrize(("name", "sql"), list(questions()))
def test_no_table_that_grows_is_read_whole(schema: apsw.Connection, name: str, sql: str) -> None:
    named = set(re.findall(r":(\w+)", sql))
    values = dict.fromkeys(named) if named else (None,) * sql.count("?")
    plan = [str(row[3]) for row in schema.execute(f"EXPLAIN QUERY PLAN {sql}", values)]
    scanned = {found[1] for step in plan if (found := SCAN.match(step))} & GROWS
    assert not scanned, f"{name}: {plan}"
