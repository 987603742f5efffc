"""Bringing the file to the schema this code needs, one numbered step at a time.

A step named `pre` leaves code of the version before it running; `post` needs the new code. Each runs in one
transaction together with the number that says it ran.
"""

import importlib.resources
import re
from datetime import datetime

import apsw

from gateway.domain.cancel import CANCEL_TABLE
from gateway.domain.delivery import DELIVERY_TABLE, DeliveryState
from gateway.domain.errors import ConfigurationError, Unavailable
from gateway.domain.lifecycle import BEFORE, LINE_TABLE, LineState
from gateway.domain.renewal import RENEWAL_TABLE
from gateway.store.sql.instants import stored
from gateway.store.sqlite.connection import APPLICATION_ID

_NAME = re.compile(r"(\d{4})_(pre|post)_\w+\.sql")


def steps() -> dict[int, str]:
    """Give every step's SQL by its number, in order."""
    folder = importlib.resources.files("gateway.store.sqlite.migrations")
    found = {name: _NAME.fullmatch(name) for name in sorted(entry.name for entry in folder.iterdir())}
    return {int(match[1]): (folder / name).read_text("utf-8") for name, match in found.items() if match}


def migrate(connection: apsw.Connection, *, now: datetime) -> int:
    """Run the steps that have not run, and give the number of the last.

    Raises:
        ConfigurationError: the file was written by a newer version of the gateway.
        Unavailable: a step could not be committed; the file is as it was before it.
    """
    newest = max(steps())
    if connection.pragma("user_version") > newest:
        raise ConfigurationError("the database was written by a newer version of the gateway")
    try:
        for number, sql in steps().items():
            if number > connection.pragma("user_version"):
                _run(connection, number, sql)
        with connection:
            connection.execute("INSERT OR IGNORE INTO meta VALUES (1, 1, ?)", (stored(now),))
            _write_arrows(connection)
    except apsw.Error as error:
        raise Unavailable("the database could not be migrated") from error
    if connection.pragma("user_version") != newest or connection.pragma("application_id") != APPLICATION_ID:
        raise ConfigurationError("the database did not keep its version")
    return newest


def arrows() -> frozenset[tuple[LineState, str, LineState]]:
    """Give every arrow of the lifecycle as (state, event, next); a row that returns may return to any open state."""
    found: set[tuple[LineState, str, LineState]] = set()
    for row in LINE_TABLE:
        for state in row.states:
            ends = [end for end in LineState if end is not state] if row.to == BEFORE else [LineState(row.to)]
            found.update((state, row.event.value, end) for end in ends)
    return frozenset(found)


def region_arrows() -> frozenset[tuple[str, str, str, str]]:
    """Give every arrow of the machines beside the line as (machine, state, event, next)."""
    found: set[tuple[str, str, str, str]] = set()
    for one in DELIVERY_TABLE:
        ends = [end.value for end in DeliveryState] if one.to == BEFORE else [str(one.to)]
        found.update(("delivery", state.value, one.event.value, end) for state in one.states for end in ends)
    for machine, table in (("cancel", CANCEL_TABLE), ("renewal", RENEWAL_TABLE)):
        found.update((machine, state, row.event.value, row.to.value) for row in table for state in row.states)
    return frozenset(found)


def _run(connection: apsw.Connection, number: int, sql: str) -> None:
    with connection:
        connection.execute(sql)
        connection.execute(f"PRAGMA user_version = {number:d}")
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID:d}")


def _write_arrows(connection: apsw.Connection) -> None:
    wanted = {(state.value, event, end.value) for state, event, end in arrows()}
    if set(connection.execute("SELECT state, event, next FROM arrow")) != wanted:
        connection.execute("DELETE FROM arrow")
        connection.executemany("INSERT INTO arrow VALUES (?, ?, ?)", sorted(wanted))
    beside = region_arrows()
    if set(connection.execute("SELECT machine, state, event, next FROM region_arrow")) != beside:
        connection.execute("DELETE FROM region_arrow")
        connection.executemany("INSERT INTO region_arrow VALUES (?, ?, ?, ?)", sorted(beside))
