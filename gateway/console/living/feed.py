"""What moved, kept at hand for every page that stays open: one reader of the store for all of a node's browsers.

It looks once a second, and when word comes that something moved, from this node or another: at once where it has not
just looked. Word may be lost: what counts is the store. Nothing here is patient data: numbers, opaque ids, kinds, and
who may know of it.

Source: console.md 8; reliability-security.md I8, I9.
"""

import asyncio
import time
from collections import deque
from collections.abc import AsyncGenerator, Callable
from contextlib import suppress
from datetime import datetime
from itertools import takewhile
from typing import Final

import structlog

from gateway.domain.errors import Unavailable
from gateway.enquiries import WATCH, Enquiries, has_stopped
from gateway.ports.changes import Change
from gateway.ports.joining import Changed

_log = structlog.get_logger(__name__)

_KEPT: Final = 5000
"""Changes kept at hand: who was away for longer is told to read the page anew."""
_AT_ONCE: Final = 2000
_BEAT_SECONDS: Final = 5.0
_GATHER_SECONDS: Final = 0.2
"""Least time between two looks: under load there is word many times a second, and one look finds it all."""
_PAGE_SECONDS: Final = 5.0
"""A page was read from the store no longer before it was written than this, whatever was committed between the two."""


class Feed:
    """Follows the store until stopped.

    Args:
        enquiries: the store.
        listen: word of what moved; it may say nothing at all.
        now: the clock the watch's heartbeat is compared with.
        watch_seconds: how old that may be.
        poll_seconds: how often to look without word.
        monotonic: seconds that never go back.
    """

    def __init__(
        self,
        *,
        enquiries: Enquiries,
        listen: Callable[[], AsyncGenerator[Changed, None]],
        now: Callable[[], datetime],
        watch_seconds: float,
        poll_seconds: float = 1.0,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._enquiries = enquiries
        self._listen = listen
        self._now = now
        self._watch_seconds = watch_seconds
        self._poll_seconds = poll_seconds
        self._monotonic = monotonic
        self._changes: deque[Change] = deque(maxlen=_KEPT)
        self._positions: deque[tuple[float, int]] = deque()
        self._begun = False
        self._from = 0
        self.position = 0
        self.fresh = False
        """Whether the store was read just now, and the watch has looked at deadlines."""
        self.read_at = now()
        """When the store was last read in full: what a page shows is no older."""
        self._beaten = float("-inf")
        self._word = asyncio.Event()
        self._moved = asyncio.Event()
        self.stopped = asyncio.Event()

    def stop(self) -> None:
        """End, and every stream with it."""
        self.stopped.set()
        self._word.set()
        self._moved.set()

    async def run(self) -> None:
        """Follow the store until stopped. While it is away nothing is fresh, and nothing is lost."""
        hearing = asyncio.create_task(self._hear(), name="live word")
        try:
            while not self.stopped.is_set():
                try:
                    await self.look()
                except Unavailable:
                    self.fresh = False
                    _log.warning("live_store_away")
                looked = self._monotonic()
                with suppress(TimeoutError):
                    async with asyncio.timeout(self._poll_seconds):
                        await self._word.wait()
                await self._gather(looked)
                self._word.clear()
        finally:
            hearing.cancel()
            await asyncio.gather(hearing, return_exceptions=True)

    async def _gather(self, looked: float) -> None:
        """Let word gather since the last look: most of what is told of in quick succession belongs together."""
        with suppress(TimeoutError):
            async with asyncio.timeout(max(0.0, looked + _GATHER_SECONDS - self._monotonic())):
                await self.stopped.wait()

    async def look(self) -> None:
        """Read what moved since the last look.

        Raises:
            Unavailable: the store is away.
        """
        if not self._begun:
            self.position = self._from = await self._enquiries.newest_change()
            self._begun = True  # a store in which nothing has happened yet has begun too
        found = await self._enquiries.changes(since=self.position, limit=_AT_ONCE)
        if found.newest < self.position or found.newest - found.position > _KEPT:
            self._changes.clear()  # another life of the store, or too much to follow: every page is to be read anew
            self.position = self._from = found.newest
            self._tell()
        elif found.position > self.position:
            self._keep(found.changes)
            self.position = found.position
            self._tell()
        await self._look_at_watch()
        self.read_at = self._now()
        self._remember()

    def _keep(self, changes: tuple[Change, ...]) -> None:
        for change in changes:
            if len(self._changes) == _KEPT:
                self._from = self._changes[0].seq
            self._changes.append(change)

    async def _look_at_watch(self) -> None:
        moment = self._monotonic()
        if moment - self._beaten < _BEAT_SECONDS and self.fresh:
            return
        last = await self._enquiries.last_beat(WATCH)
        self.fresh = not has_stopped(last, now=self._now(), allowed_seconds=self._watch_seconds)
        self._beaten = moment

    def _remember(self) -> None:
        """Keep where the feed stood, as far back as a page may have been read."""
        moment = self._monotonic()
        self._positions.append((moment, self.position))
        while len(self._positions) > 1 and self._positions[1][0] <= moment - _PAGE_SECONDS:
            self._positions.popleft()

    @property
    def since(self) -> int:
        """The number from which a page that is written now must be told of everything; 0 before the first look."""
        return self._positions[0][1] if self._positions else 0

    def after(self, position: int) -> tuple[Change, ...] | None:
        """Give what moved after a number; None where that is no longer known, or never was."""
        if not self._from <= position <= self.position:
            return None
        return tuple(reversed(tuple(takewhile(lambda change: change.seq > position, reversed(self._changes)))))

    async def wait(self, position: int, *, seconds: float) -> None:
        """Wait until something moved after a number, or for so long."""
        if self.position != position or self.stopped.is_set():
            return
        with suppress(TimeoutError):
            await asyncio.wait_for(self._moved.wait(), timeout=seconds)

    def _tell(self) -> None:
        told, self._moved = self._moved, asyncio.Event()
        told.set()

    async def _hear(self) -> None:
        async for _ in self._listen():
            self._word.set()
