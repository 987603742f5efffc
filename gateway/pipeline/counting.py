"""Keeping the figures of the service up with the history, a stretch at a time, out of everybody's way.

A stretch is worked out beside the writer and kept in one short transaction; where there is much to catch up with, the
pauses between stretches are longer than the stretches.

Source: console.md 6.5, 6.6.
"""

import time
from typing import Final

from gateway.enquiries import Enquiries
from gateway.ports.clock import Clock
from gateway.ports.store import Store

STRETCH: Final = 500
"""Rows of each table that are counted at once."""
IDLE_SECONDS: Final = 5.0
QUIET_SECONDS: Final = 20.0
"""Where nothing comes, it is written down no oftener than this that everything is counted."""
SHARE: Final = 5
"""Of the time, one part in so many and one more is spent on counting at most."""


class Counting:
    """Counts."""

    def __init__(self, enquiries: Enquiries, store: Store, clock: Clock) -> None:
        self._enquiries = enquiries
        self._store = store
        self._clock = clock
        self._said_until = 0.0

    async def count(self) -> float:
        """Count one stretch. Where another node has counted it meanwhile, that is as good.

        Returns:
            After how many seconds to count again.

        Raises:
            Unavailable: the store is away; nothing was counted, and nothing will be missing.
        """
        began = time.monotonic()
        counted = await self._enquiries.to_count(limit=STRETCH)
        if counted.moves or began >= self._said_until:
            await self._store.keep_count(counted, now=self._clock.now())
            self._said_until = 0.0 if counted.behind else began + QUIET_SECONDS
        return (time.monotonic() - began) * SHARE if counted.behind else IDLE_SECONDS
