"""Bringing the file to the schema this code needs, one numbered step at a time.

A step named `pre` leaves code of the version before it running; `post` needs the new code. Each runs in one
transaction together with the row that says it ran. Of a file that a newer version has prepared, only its `post` steps
are refused: so a gateway can be rolled back to the version before.
"""

import importlib.resources
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import apsw

from gateway.domain.cancel import CANCEL_TABLE
from gateway.domain.delivery import DELIVERY_TABLE, DeliveryState
from gateway.domain.errors import ConfigurationError, Unavailable
from gateway.domain.lifecycle import BEFORE, LINE_TABLE, LineState
from gateway.domain.renewal import RENEWAL_TABLE
from gateway.store.sql.instants import stored
from gateway.store.sqlite.connection import APPLICATION_ID

_NAME = re.compile(r"(\d{4})_(pre|post)_\w+\.sql")
FIRST: Final = 16
"""The newest step of release 0.1.0, which knows of no table of steps and refuses a higher `user_version`."""
_STEPS = (
    "CREATE TABLE IF NOT EXISTS step (number INTEGER PRIMARY KEY, kind TEXT NOT NULL, ran_at INTEGER NOT NULL) STRICT"
)
_RAN = "SELECT number FROM step"
_HAS_STEPS = "SELECT count(*) FROM sqlite_schema WHERE name = 'step'"


@dataclass(frozen=True, slots=True, kw_only=True)
class Schema:
    """How the schema of a file stands to this code.

    Attributes:
        newest: the newest step that ran on the file.
        needs: the newest step that code must know to work on it.
        missing: steps of this code that have not run.
        known: the newest step of this code.
    """

    newest: int
    needs: int
    missing: tuple[int, ...]
    known: int

    @property
    def fits(self) -> bool:
        """Whether this code may work on the file as it is."""
        return not self.missing and self.needs <= self.known


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One migration: `kind` is `pre` or `post`."""

    number: int
    kind: str
    sql: str

    @property
    def needed(self) -> bool:
        """Whether code that does not know it may no longer work on the file."""
        return self.kind == "post" or self.number <= FIRST


def steps() -> dict[int, Step]:
    """Give every step by its number, in order."""
    folder = importlib.resources.files("gateway.store.sqlite.migrations")
    found = {name: _NAME.fullmatch(name) for name in sorted(entry.name for entry in folder.iterdir())}
    return {
        int(match[1]): Step(number=int(match[1]), kind=match[2], sql=(folder / name).read_text("utf-8"))
        for name, match in found.items()
        if match
    }


def schema_in(connection: apsw.Connection) -> Schema:
    """Read how the schema of a file stands; nothing is written."""
    needs: int = connection.pragma("user_version")
    later = {number for (number,) in connection.execute(_RAN)} if connection.execute(_HAS_STEPS).get else set()
    ran = {*range(1, min(needs, FIRST) + 1), *later}
    known = steps()
    return Schema(
        newest=max({needs, *ran}),
        needs=needs,
        missing=tuple(number for number in known if number not in ran),
        known=max(known),
    )


def migrate(connection: apsw.Connection, *, now: datetime) -> int:
    """Run the steps that have not run, and give the number of the newest.

    Raises:
        ConfigurationError: a newer version of the gateway wrote the file in a way that this one does not know.
        Unavailable: a step could not be committed; the file is as it was before it.
    """
    found = schema_in(connection)
    if found.needs > found.known:
        raise ConfigurationError("the database was written by a newer version of the gateway")
    try:
        with connection:
            connection.execute(_STEPS)
        for number in found.missing:
            _run(connection, steps()[number], now)
        with connection:
            connection.execute("INSERT OR IGNORE INTO meta VALUES (1, 1, ?)", (stored(now),))
            _write_arrows(connection)
    except apsw.Error as error:
        raise Unavailable("the database could not be migrated") from error
    after = schema_in(connection)
    if not after.fits or connection.pragma("application_id") != APPLICATION_ID:
        raise ConfigurationError("the database did not keep its version")
    return after.newest


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


def _run(connection: apsw.Connection, step: Step, now: datetime) -> None:
    with connection:
        connection.execute(step.sql)
        connection.execute("INSERT INTO step VALUES (?, ?, ?)", (step.number, step.kind, stored(now)))
        if step.needed:
            connection.execute(f"PRAGMA user_version = {step.number:d}")
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
