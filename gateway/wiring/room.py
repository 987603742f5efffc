"""Keeps account of the room that is left: counts the queue, holds or gives up the reserve, tells a person.

Source: reliability-security.md I19.
"""

import asyncio
import os
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import structlog

from gateway.domain.errors import Unavailable
from gateway.enquiries import Enquiries
from gateway.pipeline.admission import Admission, Floors, Room
from gateway.ports.clock import Clock
from gateway.ports.store import Store
from gateway.settings import Settings
from gateway.store.reserve import Reserve
from gateway.wiring.storing import on_server

_log = structlog.get_logger("gateway")

ALERT_KIND: Final = "room-low"
INTERVAL_SECONDS: Final = 1.0
_WORDS: Final = {
    "disk": "The disk is nearly full: new prescriptions are refused, work that was taken goes on. Make room.",
    "files": "The disk can hold few more files: new prescriptions are refused. Make room.",
}


def floors_of(settings: Settings) -> Floors:
    """Give the limits that an operator set; of a store that a server holds, the room is that server's to mind."""
    return Floors(
        free_bytes=0 if on_server(settings) else settings.disk_floor_bytes,
        free_files=0 if on_server(settings) else settings.disk_floor_files,
        waiting=settings.most_waiting,
        waiting_of_one=settings.most_waiting_of_one,
    )


def room_on(folder: Path) -> Callable[[], Room]:
    """Give what measures the file system of a folder. Some file systems count no files, and say nought of nought."""

    def room() -> Room:
        found = os.statvfs(folder)
        return Room(bytes=found.f_bavail * found.f_frsize, files=found.f_favail if found.f_files else None)

    return room


_AGAIN: Final = timedelta(minutes=1)
"""How often a person is told again while there is still no room: an alert that is open stays the one there is."""


class RoomKeeper:
    """Renews the figures of the admission, and minds the reserve.

    Args:
        admission: told the figures.
        reserve: held while there is room, given up when the disk falls below its floor.
        enquiries: where the queue is counted.
        store: where a person is told.
        clock: for the alert.
    """

    def __init__(
        self, *, admission: Admission, reserve: Reserve, enquiries: Enquiries, store: Store, clock: Clock
    ) -> None:
        self._admission = admission
        self._reserve = reserve
        self._enquiries = enquiries
        self._store = store
        self._clock = clock
        self._low = ""
        self._told_at = datetime.min.replace(tzinfo=UTC)
        self._stopped = asyncio.Event()

    def stop(self) -> None:
        """End after the present look."""
        self._stopped.set()

    async def run(self) -> None:
        """Look at every interval until stopped; then give the reserve up, for nobody else would use it."""
        while not self._stopped.is_set():
            await self.look()
            with suppress(TimeoutError):
                async with asyncio.timeout(INTERVAL_SECONDS):
                    await self._stopped.wait()
        self._reserve.give_up()

    async def look(self) -> None:
        """Count the queue; hold the reserve or give it up; tell a person when the disk has become too full."""
        with suppress(Unavailable):
            self._admission.counted(await self._enquiries.waiting())
        lacking = self._admission.disk()
        if lacking:
            self._reserve.give_up()
            await self._tell(lacking)
        elif self._reserve.held or not self._admission.disk(ahead_bytes=self._reserve.size):
            # Not before there is room for the reserve as well: else it would be taken and given up in turn.
            self._reserve.hold()
            self._low = ""

    async def _tell(self, lacking: str) -> None:
        """Tell a person, and again when the alert was closed while it is still so; not at every look."""
        now = self._clock.now()
        if lacking == self._low and now - self._told_at < _AGAIN:
            return
        if lacking != self._low:
            _log.error("room_low", what=lacking)
        with suppress(Unavailable):
            await self._store.open_alert(kind=ALERT_KIND, subject=lacking, line_id=None, now=now, text=_WORDS[lacking])
            self._low, self._told_at = lacking, now
