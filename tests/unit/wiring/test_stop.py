"""A stop ends every part within the time allowed, however many of them are stuck."""

import asyncio
import time
from pathlib import Path
from typing import cast

import pytest

from gateway.mllp import MllpListener
from gateway.settings import Settings
from gateway.watch import Watch
from gateway.wiring import application
from gateway.wiring.build import Part
from gateway.wiring.doors import Server
from gateway.worker import Worker

ALLOWED = 1.0


class Stuck:
    """A part that is told to stop and does not."""

    told = False

    def stop(self) -> None:
        self.told = True

    async def close(self, *, drain_seconds: float) -> None:
        self.told = True
        await asyncio.sleep(drain_seconds)


async def _for_ever() -> None:
    await asyncio.Event().wait()


async def test_stuck_parts_share_the_time_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(application, "LAST_WORD_SECONDS", 0.1)
    running = application._Application(
        Settings(drain_seconds=ALLOWED, data=Path("unused")), frozenset(Part), lambda _: None, lambda _: None
    )
    for name in ("http", "worker", "watch"):
        running._start(name, _for_ever())
    running._stop.set()
    server, listener, worker, watch = Stuck(), Stuck(), Stuck(), Stuck()
    begun = time.monotonic()
    await running._drain(
        cast("Server", server), cast("MllpListener", listener), cast("Worker", worker), cast("Watch", watch)
    )
    assert time.monotonic() - begun < 2 * ALLOWED
    assert (server.told, listener.told, worker.told, watch.told) == (True, True, True, True)
    assert all(task.done() for task in running._tasks.values())
