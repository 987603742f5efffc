"""Reads of one SQLite file: a few read-only connections on their own threads, so that no question waits for a write."""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

import apsw

from gateway.domain.errors import Unavailable
from gateway.domain.identifiers import OdsCode
from gateway.store.sql.enquiries import SqlEnquiries
from gateway.store.sqlite.connection import open_reader, settings_of
from gateway.store.sqlite.schema import schema_in

T = TypeVar("T")
READERS = 3


class SqliteReaders:
    """The reading connections of one file; of a second lock this engine has none."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._own = threading.local()
        self._opened: list[apsw.Connection] = []
        self._pool = ThreadPoolExecutor(max_workers=READERS, thread_name_prefix="reader")

    async def ask(self, question: Callable[[apsw.Connection], T], tenant: OdsCode | None = None) -> T:
        """See `gateway.store.sql.enquiries.Readers`."""
        del tenant
        return await asyncio.get_running_loop().run_in_executor(self._pool, self._answer, question)

    async def ready(self) -> dict[str, str]:
        """See `gateway.store.sql.enquiries.Readers`."""
        return await self.ask(_ready)

    async def close(self) -> None:
        """See `gateway.store.sql.enquiries.Readers`."""
        await asyncio.to_thread(self._pool.shutdown)
        for connection in self._opened:
            connection.close()

    def _answer(self, question: Callable[[apsw.Connection], T]) -> T:
        try:
            connection = self._connection()
            with connection:  # one transaction, so that the parts of an answer agree
                answer = question(connection)
        except apsw.Error as error:
            raise Unavailable("the database cannot be read") from error
        return answer

    def _connection(self) -> apsw.Connection:
        connection: apsw.Connection | None = getattr(self._own, "connection", None)
        if connection is None:
            connection = open_reader(self._path)
            self._own.connection = connection
            self._opened.append(connection)
        return connection


class SqliteEnquiries(SqlEnquiries):
    """Questions to one SQLite file. Made by `open`."""

    @classmethod
    def open(cls, path: Path) -> "SqliteEnquiries":
        """Prepare to read a file that `SqliteStore.open` has made.

        Raises:
            Unavailable: it cannot be read.
        """
        open_reader(path).close()
        return cls(SqliteReaders(path))


def _ready(reader: apsw.Connection) -> dict[str, str]:
    settings = settings_of(reader)
    if settings["journal_mode"] != "wal":
        raise Unavailable("the database's settings are wrong: journal_mode")
    if not schema_in(reader).fits:
        raise Unavailable("the database has the schema of another version")
    leaves = reader.execute("SELECT size FROM audit_head WHERE id = 1").get
    generation = reader.execute("SELECT generation FROM meta WHERE id = 1").get
    return {**settings, "sqlite": apsw.sqlite_lib_version(), "generation": str(generation), "leaves": str(leaves)}
