"""The one writer: it takes what is waiting, and makes one transaction of it.

Every write is a closure. The thread begins a transaction, runs each waiting closure inside its own savepoint, commits
once with full synchronisation, and only then tells the callers. Under load this is group commit with no added delay:
what arrives during one synchronisation shares the next. A closure that fails is rolled back alone.

A full disk or a locked file fails the group, nothing of it is stored, and the next group tries again. An input or
output error ends the writer for good: after a failed synchronisation the only truth is on the disk, so the process
must stop and start from it (reliability-security.md I1). The same goes for folding the log into the file, which SQLite
would do by itself inside a commit, and say nothing where it fails; so it is done here, after the answers.
"""

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Any, Final, TypeVar

import apsw

from gateway.domain.errors import Unavailable

LARGEST_GROUP = 128
"""Writes in one transaction, so that the first of them never waits for a long queue."""

T = TypeVar("T")
_FATAL = (apsw.IOError, apsw.CorruptError, apsw.NotADBError)
_PASSING = (apsw.FullError, apsw.BusyError, apsw.LockedError, apsw.ReadOnlyError, apsw.CantOpenError, apsw.NoMemError)


@dataclass(frozen=True, slots=True)
class _Write:
    closure: Callable[[], Any]
    loop: asyncio.AbstractEventLoop
    future: "asyncio.Future[Any]"


@dataclass(frozen=True, slots=True)
class _Failed:
    error: BaseException


class _GroupLostError(Exception):
    """The transaction of the whole group is gone."""


_STOP: Final = None


class Committer:
    """Runs writes in groups on one thread.

    Args:
        connection: the writing connection; used by no one else from now on.
        failed: called once, on the writer's thread, when the disk can no longer be trusted.
        grouped: called after each commit with the number of writes it held.
    """

    def __init__(
        self, connection: apsw.Connection, *, failed: Callable[[], None], grouped: Callable[[int], None]
    ) -> None:
        self._connection = connection
        self._failed = failed
        self._grouped = grouped
        self._waiting: SimpleQueue[_Write | None] = SimpleQueue()
        self._broken = False
        self._closed = False
        self._log_pages = 0
        self._longest_log: int = connection.pragma("wal_autocheckpoint")
        connection.set_wal_hook(self._note_log)  # in place of SQLite's own, which folds and tells nobody how it went
        self._thread = threading.Thread(target=self._work, name="committer", daemon=True)
        self._thread.start()

    async def submit(self, closure: Callable[[], T]) -> T:
        """Run a write and wait until it is durable.

        Raises:
            Unavailable: nothing was stored.
        """
        if self._broken or self._closed:
            raise Unavailable("the store is closed")
        loop = asyncio.get_running_loop()
        write = _Write(closure, loop, loop.create_future())
        self._waiting.put(write)
        result: T = await write.future
        return result

    async def close(self) -> None:
        """Finish what was submitted, fold the log into the file and let go."""
        if not self._closed:
            self._closed = True
            self._waiting.put(_STOP)
        await asyncio.to_thread(self._thread.join)

    def _work(self) -> None:
        stopping = False
        while not stopping:
            group, stopping = self._gather()
            if group:
                self._answer(group, self._commit(group))
                self._fold()
        with suppress(apsw.Error):  # a log that cannot be folded into the file now is read at the next opening
            self._connection.close()

    def _gather(self) -> tuple[list[_Write], bool]:
        write = self._waiting.get()
        group: list[_Write] = []
        while write is not _STOP:
            group.append(write)
            if len(group) == LARGEST_GROUP:
                return group, False
            try:
                write = self._waiting.get_nowait()
            except Empty:
                return group, False
        return group, True

    def _commit(self, group: list[_Write]) -> list[Any]:
        if self._broken:
            return [_Failed(Unavailable("the store has failed"))] * len(group)
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            results = [self._run(write.closure) for write in group]
            self._connection.execute("COMMIT")
        except (*_PASSING, *_FATAL, _GroupLostError) as error:
            return [_Failed(self._give_up(error))] * len(group)
        self._grouped(len(group))
        return results

    def _note_log(self, _connection: apsw.Connection, _name: str, pages: int) -> int:
        self._log_pages = pages
        return apsw.SQLITE_OK

    def _fold(self) -> None:
        """Fold a long log into the file. What was answered is durable in the log, however this goes."""
        if self._broken or self._log_pages < self._longest_log:
            return
        try:
            self._connection.wal_checkpoint()
        except _PASSING:
            return  # the log is whole, and the next group tries again
        except apsw.Error:
            self._broken = True
            self._failed()

    def _run(self, closure: Callable[[], Any]) -> Any:
        self._connection.execute("SAVEPOINT one")
        try:
            result = closure()
        except (*_PASSING, *_FATAL):
            raise
        except BaseException as error:
            # It goes to the caller it belongs to; the others' writes go on.
            if not self._connection.in_transaction:
                raise _GroupLostError from error
            self._connection.execute("ROLLBACK TO one")
            result = _Failed(error)
        self._connection.execute("RELEASE one")
        return result

    def _give_up(self, error: BaseException) -> Unavailable:
        try:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
        except apsw.Error:
            self._broken = True
        if isinstance(error, _FATAL):
            self._broken = True
        if self._broken:
            self._failed()
        away = Unavailable("nothing was stored")
        away.__cause__ = error
        return away

    @staticmethod
    def _answer(group: list[_Write], results: list[Any]) -> None:
        by_loop: dict[asyncio.AbstractEventLoop, list[tuple[asyncio.Future[Any], Any]]] = {}
        for write, result in zip(group, results, strict=True):
            by_loop.setdefault(write.loop, []).append((write.future, result))
        for loop, answers in by_loop.items():
            if not loop.is_closed():
                loop.call_soon_threadsafe(_settle, answers)


def _settle(answers: "list[tuple[asyncio.Future[Any], Any]]") -> None:
    for future, result in answers:
        if future.done():
            continue
        if isinstance(result, _Failed):
            future.set_exception(result.error)
        else:
            future.set_result(result)
