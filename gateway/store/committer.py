"""The one writer: it takes what is waiting, and makes one transaction of it.

Every write is a closure. The thread begins a transaction, runs each waiting closure inside its own savepoint, commits
once with full synchronisation, and only then tells the callers. Under load this is group commit with no added delay:
what arrives during one synchronisation shares the next. A closure that fails is rolled back alone.

What fails the group, and what ends the writer for good, the engine says (`Writer`). Where the group fails nobody is
told that anything was stored: the same bytes may be sent again, and find the answer if there is one after all.
"""

import asyncio
import threading
from collections.abc import Callable
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Any, Final, Protocol, TypeVar

from gateway.domain.errors import Unavailable

LARGEST_GROUP = 128
"""Writes in one transaction, so that the first of them never waits for a long queue."""

T = TypeVar("T")


class Writer(Protocol):
    """The writing connection of an engine. Used on the committer's thread alone."""

    lost: tuple[type[BaseException], ...]
    """Errors that are the engine's: they fail the whole group, and are no one write's."""

    def begin(self) -> None:
        """Begin a transaction that no other writer's can overlap."""

    def commit(self) -> None:
        """Commit; when it returns, everything is durable."""

    def mark(self) -> None:
        """Set the savepoint of one write."""

    def undo(self) -> bool:
        """Take one write back to its savepoint; False where the whole transaction is gone."""

    def keep(self) -> None:
        """Let go of the savepoint of one write, taken back or not."""

    def give_up(self, error: BaseException) -> bool:
        """Roll back what is left of the transaction; False where this engine must not be written to again."""

    def rest(self) -> bool:
        """Do what is best done after the answers; False where this engine must not be written to again."""

    def close(self) -> None:
        """Let go of the connection; nothing is lost by how this ends."""


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
        writer: the engine's writing connection; used by no one else from now on.
        failed: called once, on the writer's thread, when the engine can no longer be trusted.
        grouped: called after each commit with the number of writes it held.
    """

    def __init__(self, writer: Writer, *, failed: Callable[[], None], grouped: Callable[[int], None]) -> None:
        self._writer = writer
        self._failed = failed
        self._grouped = grouped
        self._waiting: SimpleQueue[_Write | None] = SimpleQueue()
        self._broken = False
        self._closed = False
        self._thread = threading.Thread(target=self._work, name="committer", daemon=True)
        self._thread.start()

    async def submit(self, closure: Callable[[], T]) -> T:
        """Run a write and wait until it is durable.

        Raises:
            Unavailable: nothing was stored, or it is not known that anything was.
        """
        if self._broken or self._closed:
            raise Unavailable("the store is closed")
        loop = asyncio.get_running_loop()
        write = _Write(closure, loop, loop.create_future())
        self._waiting.put(write)
        result: T = await write.future
        return result

    async def close(self) -> None:
        """Finish what was submitted, and let go."""
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
                self._rest()
        self._writer.close()

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
        away = "nothing was stored"
        try:
            self._writer.begin()
            results = [self._run(write.closure) for write in group]
            away = "it is not known whether it was stored"
            self._writer.commit()
        except Exception as error:  # noqa: BLE001 - whatever it is, this thread must answer, and take what comes next
            return [_Failed(self._give_up(error, away))] * len(group)
        self._grouped(len(group))
        return results

    def _run(self, closure: Callable[[], Any]) -> Any:
        self._writer.mark()
        try:
            result = closure()
        except self._writer.lost:
            raise
        except BaseException as error:
            # It goes to the caller it belongs to; the others' writes go on.
            if not self._writer.undo():
                raise _GroupLostError from error
            result = _Failed(error)
        self._writer.keep()
        return result

    def _give_up(self, error: BaseException, words: str) -> Unavailable:
        if not self._writer.give_up(error):
            self._broken = True
            self._failed()
        away = Unavailable(words)
        away.__cause__ = error
        return away

    def _rest(self) -> None:
        if not self._broken and not self._writer.rest():
            self._broken = True
            self._failed()

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
