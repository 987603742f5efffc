"""What waits for a person is found by what waits alone, however much history there is beside it."""

import re
from contextlib import closing
from datetime import UTC, datetime

import apsw
import pytest

from gateway.store.sql import code_maps, rereading, screening
from gateway.store.sqlite.schema import migrate

_ALLOWED = {"line_held", "line_to_screen", "reread_waiting", "waiting"}
_SCAN = re.compile(r"SCAN (\w+)(?: USING (?:COVERING )?INDEX (\w+))?$")
_ASKED = {
    "held codes": code_maps._HELD,
    "one code": code_maps._ONE,
    "orders of a code": code_maps._ORDERS,
    "messages of a code": code_maps._TOUCHED,
    "count of messages": code_maps._COUNT_TOUCHED,
    "entries of a code": code_maps._OF_CODE,
    "orders to read again": rereading._WAITING,
    "readings of a code": rereading._OF_CODE,
    "orders to check": screening._WAITING,
    "one order to check": screening._ORDER,
    "earlier orders": screening._EARLIER,
}


@pytest.mark.parametrize("name", sorted(_ASKED))
def test_no_history_is_read_whole(name: str) -> None:
    sql = _ASKED[name]
    named = set(re.findall(r":(\w+)", sql))
    values = dict.fromkeys(named) if named else (None,) * sql.count("?")
    with closing(apsw.Connection(":memory:")) as connection:
        migrate(connection, now=datetime.now(UTC))
        steps = [str(row[3]) for row in connection.execute(f"EXPLAIN QUERY PLAN {sql}", values)]
    scans = [found for step in steps if (found := _SCAN.match(step))]
    assert [one[0] for one in scans if not {one[1], one[2]} & _ALLOWED] == [], steps
