"""The line to the server: there, or for the moment not there.

One failure is enough to do without it; then nobody waits for it, and a ping every second finds out when it is back.
"""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, Final

from redis.exceptions import RedisError

from gateway.joining.address import client

Command = tuple[str | int, ...]
FAILURES: Final = (RedisError, OSError, TimeoutError, ValueError)
"""What a server that is away, slow, strange or not ours raises. A ValueError is an answer in no known form."""
_ASK_SECONDS: Final = 1.0


def _untold(_: str) -> None:
    """Tell nobody."""


class Link:
    """Sends commands, and keeps account of whether the server is there.

    Args:
        url: as `address.checked` takes it.
        probe: what is sent to find out; it writes, because a server that only reads is of no use.
        patience_seconds: how long an answer may take.
        tell: told at every change what is wrong with the server; nothing where it is there.
    """

    def __init__(
        self, url: str, *, probe: Command, patience_seconds: float, tell: Callable[[str], None] = _untold
    ) -> None:
        self._client = client(url, patience_seconds=patience_seconds)
        self._probe, self._tell = probe, tell
        self._asked = asyncio.Lock()
        self.closed = False
        """Set before what runs is cancelled: the library may swallow a cancellation that meets an answer."""
        self.there = False
        self.trouble = "NotAsked"
        """Why it is not there: the kind of the last failure; empty where it is."""
        self.came = asyncio.Event()
        """Set while the server is there."""
        self.comings = 0
        """How often it came. What was told while it was away, nobody heard."""

    async def run(self, commands: Sequence[Command]) -> list[Any] | None:
        """Send commands in one go, in order. Gives their answers; None where the server is not there."""
        if not self.there:
            return None
        return await self._send(commands)

    async def keep(self) -> None:
        """Find out again and again whether it is there, until closed."""
        while not self.closed:
            await asyncio.sleep(_ASK_SECONDS)
            await self.look()

    async def look(self) -> None:
        """Find out whether it is there."""
        if await self._send((self._probe,)) is not None and not self.there:
            self._turn(trouble="")

    def lost(self, error: BaseException) -> None:
        """Take note that it is not there."""
        self._turn(trouble=type(error.__cause__ or error).__name__)

    async def close(self) -> None:
        """Let go of every connection."""
        self.closed = True
        with suppress(*FAILURES):
            await self._client.aclose()

    async def _send(self, commands: Sequence[Command]) -> list[Any] | None:
        async with self._asked:  # one connection, so that what is sent first is done first
            try:
                pipeline = self._client.pipeline(transaction=False)
                for command in commands:
                    pipeline.execute_command(*command)
                answers: list[Any] = await pipeline.execute()
            except FAILURES as error:
                self.lost(error)
                return None
        return answers

    def _turn(self, *, trouble: str) -> None:
        changed = trouble != self.trouble
        self.trouble, self.there = trouble, not trouble
        if self.there:
            self.comings += 1
            self.came.set()
        else:
            self.came.clear()
        if changed:
            self._tell(trouble)
