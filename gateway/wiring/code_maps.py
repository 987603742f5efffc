"""Keeps a node's maps up to date, and works off the held orders that are to be read again.

Every node that reads messages looks now and then whether an entry was approved or taken back; those that send also read
again what waits. Whoever approves wakes its own node, so that nobody waits for the next look there.

Source: brief D12; console.md 6.8.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress

import structlog

from gateway.domain.errors import Unavailable
from gateway.enquiries import Enquiries
from gateway.pipeline.code_book import CodeBook
from gateway.pipeline.rereading import Rereading

_log = structlog.get_logger("gateway")


class CodeMapKeeper:
    """Looks, and works.

    Args:
        book: what reads messages on this node asks.
        enquiries: the store.
        rereading: reads held orders again; None on a node that only reads what comes.
        woken: set when something was approved on this node, to look at once.
        poll_seconds: between two looks.
        released: called when something may have been let go, so that it is sent at once.
    """

    def __init__(
        self,
        book: CodeBook,
        enquiries: Enquiries,
        rereading: Rereading | None,
        *,
        woken: asyncio.Event,
        poll_seconds: float,
        released: Callable[[], None],
    ) -> None:
        self._book = book
        self._enquiries = enquiries
        self._rereading = rereading
        self._poll_seconds = poll_seconds
        self._woken = woken
        self._released = released
        self._stopped = False

    async def run(self) -> None:
        """Look and work until it is stopped."""
        while not self._stopped:
            self._woken.clear()
            try:
                await self.look()
            except Unavailable:
                _log.warning("code_maps_store_away")
            with suppress(TimeoutError):
                async with asyncio.timeout(self._poll_seconds):
                    await self._woken.wait()

    async def look(self) -> None:
        """Take over what moved, and read again what waits until nothing does.

        Raises:
            Unavailable: the store or the key is away; what was to be done waits.
        """
        if await self._book.look(self._enquiries):
            _log.info("code_maps_moved")
        while self._rereading is not None and not self._stopped and await self._rereading.work():
            self._released()

    def stop(self) -> None:
        """Look no more."""
        self._stopped = True
        self._woken.set()
