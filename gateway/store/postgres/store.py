"""Opening the store over a PostgreSQL database; what it then does is `gateway.store.sql.store`.

Source: brief D3, D4.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import datetime
from typing import TypeVar

from gateway.domain.deadline import ALWAYS, Deadlines
from gateway.domain.errors import Unavailable
from gateway.domain.identifiers import OdsCode
from gateway.store.committer import Committer
from gateway.store.postgres.connection import Address, Postgres, ServerAwayError
from gateway.store.postgres.schema import migrate
from gateway.store.postgres.writer import PostgresWriter
from gateway.store.sql.store import SqlStore
from gateway.store.sql.transaction import Transaction

T = TypeVar("T")

_GENERATION = "SELECT generation FROM meta WHERE id = 1"


class PostgresStore(SqlStore):
    """The store over one database, as one of its nodes. Made by `open`."""

    @classmethod
    def open(
        cls,
        where: Address,
        *,
        now: Callable[[], datetime],
        deadlines: Deadlines = ALWAYS,
        tells: frozenset[OdsCode] = frozenset(),
        failed: Callable[[], None] = lambda: None,
        grouped: Callable[[int], None] = lambda _size: None,
    ) -> "PostgresStore":
        """Connect, migrate as needed, and start the writer.

        Args:
            where: the database.
            now: the clock, for what no argument gives a time of.
            deadlines: who holds a line in each state, and by when somebody must act.
            tells: trusts that want to be told of their provider's decisions.
            failed: never called: a server that comes back is written to again.
            grouped: called from the writer's thread after each commit with the number of writes in it.

        Raises:
            ConfigurationError: the server or a setting is not what it must be, or the database is not ours.
            Unavailable: it cannot be reached, or could not be migrated.
        """
        connection = Postgres(where)
        generation = elsewhere(lambda: _open(connection, now()))
        transaction = Transaction(connection=connection, deadlines=deadlines, tells=tells, generation=generation)
        committer = Committer(PostgresWriter(connection), failed=failed, grouped=grouped)
        return cls(transaction, committer, now, connection.settings)


def migrate_database(where: Address, *, now: datetime) -> int:
    """Bring a database to the schema of this version, and give the number of its newest step.

    Raises:
        ConfigurationError: as `PostgresStore.open`.
        Unavailable: the same.
    """
    connection = Postgres(where)

    def run() -> int:
        try:
            _connect(connection)
            return migrate(connection, now=now)
        finally:
            connection.close()

    return elsewhere(run)


def elsewhere(doing: Callable[[], T]) -> T:
    """Do something that runs a loop of its own, and wait for it; the caller may be inside one."""
    with ThreadPoolExecutor(max_workers=1) as pool:
        return pool.submit(doing).result()


def _open(connection: Postgres, now: datetime) -> int:
    with ExitStack() as unless_opened:
        unless_opened.callback(connection.close)
        _connect(connection)
        migrate(connection, now=now)
        ((generation,),) = connection.look(_GENERATION)
        unless_opened.pop_all()
    number: int = generation
    return number


def _connect(connection: Postgres) -> None:
    try:
        connection.connect()
    except ServerAwayError as error:
        raise Unavailable("the database cannot be reached") from error
