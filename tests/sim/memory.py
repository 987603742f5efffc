"""The production store's database, committer and readers, in memory and without threads.

The committer's group commit is the production code; the loop says when a group is committed, and the disk may fail.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, Final, TypeVar, cast

import apsw

from gateway.domain.errors import Unavailable
from gateway.domain.identifiers import OdsCode
from gateway.store.committer import Committer, _GroupLostError, _Write
from gateway.store.sql.enquiries import SqlEnquiries
from gateway.store.sql.transaction import Reader
from gateway.store.sqlite.schema import migrate
from gateway.store.sqlite.writer import SqliteWriter
from tests.sim.loop import Task, Write

BEGUN: Final = datetime(2026, 10, 5, 9, 15, tzinfo=UTC)
T = TypeVar("T")


def moment(seconds: float) -> datetime:
    """Give the true time so many seconds after the beginning."""
    return BEGUN + timedelta(seconds=seconds)


@cache
def template() -> bytes:
    """Give an empty database of the newest version."""
    connection = connected(None)
    migrate(connection, now=BEGUN)
    return bytes(connection.serialize("main"))


def connected(content: bytes | None) -> apsw.Connection:
    connection = apsw.Connection(":memory:", statementcachesize=500)
    connection.config(apsw.SQLITE_DBCONFIG_ENABLE_QPSG, 1)
    if content is not None:
        _fill(connection, content)
    for name, value in (("foreign_keys", 1), ("recursive_triggers", 1), ("trusted_schema", 0)):
        connection.pragma(name, value)
    return connection


def _fill(connection: apsw.Connection, content: bytes) -> None:
    """Copy a database in, page by page: one that is deserialised would be a file in memory, and cost what files do."""
    other = apsw.Connection(":memory:")
    other.deserialize("main", content)
    with connection.backup("main", other, "main") as copying:
        copying.step()
    other.close()


class Disk(SqliteWriter):
    """The production way to the connection, over a disk that may be full or fail at a commit."""

    def __init__(self, connection: apsw.Connection, trouble: Callable[[], apsw.Error | None]) -> None:
        super().__init__(connection)
        self._trouble = trouble

    def commit(self) -> None:
        if (error := self._trouble()) is not None:
            raise error
        super().commit()


class InlineCommitter(Committer):
    """The production committer without its thread: the loop says when a group is committed."""

    def __init__(self, disk: Disk, *, failed: Callable[[], None]) -> None:
        self._writer = disk
        self._losses = (*disk.lost, _GroupLostError)
        self._failed = failed
        self._grouped = lambda _size: None
        self._broken = False
        self._closed = False

    async def submit(self, closure: Callable[[], T]) -> T:
        """Hand a write to the loop."""
        if self._broken or self._closed:
            raise Unavailable("the store is closed")
        return cast("T", await Write(closure))

    def commit(self, group: list[tuple[Task, Callable[[], Any]]]) -> list[Any]:
        """Commit a group as the thread would."""
        return self._commit([_Write(closure, cast("Any", None), cast("Any", None)) for _, closure in group])


class InlineEnquiries(SqlEnquiries):
    """The production questions on the writer's own connection, which is never read inside a transaction."""

    def __init__(self, connection: apsw.Connection) -> None:
        self._reader = connection

    async def _ask(self, question: Callable[[Reader], T], tenant: OdsCode | None = None) -> T:
        del tenant
        return question(self._reader)
