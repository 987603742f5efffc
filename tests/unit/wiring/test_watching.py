"""A watch that runs alone ends as a failure where it may not go on, so that whoever supervises it starts it again."""

from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.settings import Settings
from gateway.wiring import watching
from gateway.wiring.application import _Application
from gateway.wiring.build import Part, SystemClock
from gateway.wiring.storing import migrate_in_place


class Stranger:
    """The place of a watch that others have begun to differ from."""

    async def enter(self) -> None:
        """It was like them when it began."""

    async def run(self, differs: Callable[[], None]) -> None:
        differs()

    def stop(self) -> None:
        """It has ended."""

    async def leave(self) -> None:
        """It has left."""


async def test_a_watch_that_others_differ_from_ends_as_a_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings(data=tmp_path)
    migrate_in_place(settings, now=SystemClock().now())
    monkeypatch.setenv("GATEWAY_DATA", str(tmp_path))
    monkeypatch.setattr(watching, "_member", lambda *_: Stranger())
    running = _Application(settings, frozenset({Part.WATCH}), lambda _: None, lambda _: None)
    assert await running.run() == 1
