"""Bringing the file to the schema this code needs, one numbered step at a time.

A step named `pre` leaves code of the version before it running; `post` needs the new code. Each runs in one
transaction together with the row that says it ran. Of a file that a newer version has prepared, only its `post` steps
are refused: so a gateway can be rolled back to the version before.
"""

from datetime import datetime
from typing import Final

import apsw

from gateway.domain.errors import ConfigurationError, Unavailable
from gateway.store.sql.instants import stored
from gateway.store.sql.schema import Schema, Step, steps_in, write_arrows
from gateway.store.sqlite.connection import APPLICATION_ID

FIRST: Final = 16
"""The newest step of release 0.1.0, which knows of no table of steps and refuses a higher `user_version`."""
_STEPS = (
    "CREATE TABLE IF NOT EXISTS step (number INTEGER PRIMARY KEY, kind TEXT NOT NULL, ran_at INTEGER NOT NULL) STRICT"
)
_RAN = "SELECT number FROM step"
_HAS_STEPS = "SELECT count(*) FROM sqlite_schema WHERE name = 'step'"


def steps() -> dict[int, Step]:
    """Give every step by its number, in order."""
    return steps_in("gateway.store.sqlite.migrations")


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
            write_arrows(connection)
    except apsw.Error as error:
        raise Unavailable("the database could not be migrated") from error
    after = schema_in(connection)
    if not after.fits or connection.pragma("application_id") != APPLICATION_ID:
        raise ConfigurationError("the database did not keep its version")
    return after.newest


def _run(connection: apsw.Connection, step: Step, now: datetime) -> None:
    with connection:
        connection.execute(step.sql)
        connection.execute("INSERT INTO step VALUES (?, ?, ?)", (step.number, step.kind, stored(now)))
        if _needed(step):
            connection.execute(f"PRAGMA user_version = {step.number:d}")
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID:d}")


def _needed(step: Step) -> bool:
    """Tell whether code that does not know a step may no longer work on the file."""
    return step.kind == "post" or step.number <= FIRST
