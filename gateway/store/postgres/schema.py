"""Bringing a database to the schema this code needs; each node does so at its start, one of them at a time.

All steps that are missing run in one transaction, under a lock of their own, together with the rows that say they ran.
A `post` step of a newer version is refused, a `pre` step is not: so nodes of two versions can share a database while
one replaces the other. For the same reason the arrows that the database asks are only ever added to here.
"""

from datetime import datetime
from typing import Final

import asyncpg

from gateway.domain.errors import ConfigurationError, Unavailable
from gateway.store.postgres.connection import Postgres, ServerAwayError
from gateway.store.sql.instants import stored
from gateway.store.sql.schema import Schema, Step, arrows, region_arrows, steps_in
from gateway.store.sql.transaction import Reader

MIGRATORS_LOCK: Final = 0x4843504D  # "HCPM"
STEP_SECONDS: Final = 6 * 3600.0
"""For one step, and for another node's: it may visit every line of big books, and a step given up begins anew."""
TENANT_ROLE: Final = "gateway_tenant"
"""Whom the questions of a tenant are asked as; its rows alone are shown to it."""

_STEPS = """
CREATE TABLE IF NOT EXISTS step (
    number bigint PRIMARY KEY, kind text COLLATE "C" NOT NULL, ran_at bigint NOT NULL)
"""
_HAS_STEPS = "SELECT count(*) FROM pg_class WHERE oid = to_regclass('step')"
_FOREIGN = "SELECT count(*) FROM pg_class WHERE oid = to_regclass('submission')"
_RAN = "SELECT number, kind FROM step ORDER BY number"
_NOTE = "INSERT INTO step (number, kind, ran_at) VALUES (?, ?, ?)"
_HIDDEN = "SELECT count(*) FROM pg_class WHERE oid = to_regclass('line') AND row_security_active(oid)"
_META = "INSERT INTO meta (id, generation, created_at) VALUES (1, 1, ?) ON CONFLICT DO NOTHING"
_ARROWS = "SELECT state, event, next FROM arrow"
_ADD_ARROW = "INSERT INTO arrow (state, event, next) VALUES (?, ?, ?) ON CONFLICT DO NOTHING"
_BESIDE = "SELECT machine, state, event, next FROM region_arrow"
_ADD_BESIDE = "INSERT INTO region_arrow (machine, state, event, next) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING"


def steps() -> dict[int, Step]:
    """Give every step by its number, in order."""
    return steps_in("gateway.store.postgres.migrations")


def schema_in(reader: Reader) -> Schema:
    """Read how the schema of a database stands; nothing is written."""
    ((has,),) = reader.execute(_HAS_STEPS)
    ran: dict[int, str] = {int(number): str(kind) for number, kind in reader.execute(_RAN)} if has else {}
    known = steps()
    return Schema(
        newest=max(ran, default=0),
        needs=max((number for number, kind in ran.items() if kind == "post"), default=0),
        missing=tuple(number for number in known if number not in ran),
        known=max(known),
    )


def migrate(connection: Postgres, *, now: datetime) -> int:
    """Run the steps that have not run, and give the number of the newest.

    Raises:
        ConfigurationError: a newer version of the gateway changed the database in a way that this one does not know,
            the database is another program's, or its user may not do what a step needs or does not own the tables.
        Unavailable: the server was away, and the database is as it was before.
    """
    try:
        connection.script("BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE")
        found = schema_in(connection)
        if found.missing or not _has_arrows(connection):
            connection.script(f"SELECT pg_advisory_xact_lock({MIGRATORS_LOCK})", seconds=STEP_SECONDS)
            found = _run(connection, now)
        ((hidden,),) = connection.execute(_HIDDEN)
        connection.commit()
    except ServerAwayError as error:
        connection.drop()
        raise Unavailable("the database could not be migrated") from error
    except asyncpg.InsufficientPrivilegeError as error:
        connection.drop()
        raise ConfigurationError("the database's user may not do what a step of the schema needs") from error
    if found.needs > found.known:
        raise ConfigurationError("the database was written by a newer version of the gateway")
    if hidden:
        # It would find nothing late and nothing known, and say that all is well.
        raise ConfigurationError("the tables belong to another user of the database, and this one sees no row of them")
    return found.newest


def _run(connection: Postgres, now: datetime) -> Schema:
    """Run what is missing, inside the transaction that has the lock: another node may have been here first."""
    found = schema_in(connection)
    ((foreign,),) = connection.execute(_FOREIGN)
    if foreign and not found.newest:
        connection.script("ROLLBACK")
        raise ConfigurationError("the database holds another program's tables")
    connection.script(_STEPS)
    for number in found.missing:
        step = steps()[number]
        connection.script(step.sql, seconds=STEP_SECONDS)
        connection.execute(_NOTE, (step.number, step.kind, stored(now)))
    connection.execute(_META, (stored(now),))
    connection.executemany(_ADD_ARROW, sorted((state.value, event, end.value) for state, event, end in arrows()))
    connection.executemany(_ADD_BESIDE, sorted(region_arrows()))
    return schema_in(connection)


def _has_arrows(connection: Postgres) -> bool:
    wanted = {(state.value, event, end.value) for state, event, end in arrows()}
    return wanted <= set(connection.execute(_ARROWS)) and region_arrows() <= set(connection.execute(_BESIDE))
