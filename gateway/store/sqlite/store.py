"""Opening the store over one SQLite file; what it then does is `gateway.store.sql.store`.

Source: brief D3, D4.
"""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from gateway.domain.deadline import ALWAYS, Deadlines
from gateway.domain.identifiers import OdsCode
from gateway.store.committer import Committer
from gateway.store.sql.store import SqlStore
from gateway.store.sql.transaction import Transaction
from gateway.store.sqlite.connection import open_writer, refuse_unfinished, settings_of
from gateway.store.sqlite.schema import migrate
from gateway.store.sqlite.writer import SqliteWriter

_RAISE_GENERATION = "UPDATE meta SET generation = generation + 1 WHERE id = 1"
_GENERATION = "SELECT generation FROM meta WHERE id = 1"


class SqliteStore(SqlStore):
    """The store over one file. Made by `open`."""

    @classmethod
    def open(
        cls,
        path: Path,
        *,
        now: Callable[[], datetime],
        deadlines: Deadlines = ALWAYS,
        tells: frozenset[OdsCode] = frozenset(),
        restored: bool = False,
        failed: Callable[[], None] = lambda: None,
        grouped: Callable[[int], None] = lambda _size: None,
    ) -> "SqliteStore":
        """Open the file, making or migrating it as needed, and start the writer.

        Args:
            path: the database file; its folder exists.
            now: the clock, for what no argument gives a time of.
            deadlines: who holds a line in each state, and by when somebody must act.
            tells: trusts that want to be told of their provider's decisions.
            restored: the file came from a backup: begin a new generation, which voids every lease (I22).
            failed: called from the writer's thread when the disk can no longer be trusted; the process must then stop.
            grouped: called from the writer's thread after each commit with the number of writes in it.

        Raises:
            ConfigurationError: a setting did not take, the library is too old, the file is not ours, or a restore of
                it was not finished.
            Unavailable: the file cannot be opened or migrated.
        """
        refuse_unfinished(path)
        connection = open_writer(path)
        migrate(connection, now=now())
        if restored:
            connection.execute(_RAISE_GENERATION)
        generation: int = connection.execute(_GENERATION).get
        transaction = Transaction(connection=connection, deadlines=deadlines, tells=tells, generation=generation)
        committer = Committer(SqliteWriter(connection), failed=failed, grouped=grouped)
        return cls(transaction, committer, now, settings_of(connection))
