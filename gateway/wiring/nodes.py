"""This node among those that share its store: it begins only where it is like them, says that it runs, and leaves.

Of a store in a file there is one gateway, which the lock of its folder sees to.

Source: brief D12.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from socket import gethostname
from typing import Final, Protocol
from uuid import uuid4

import structlog

from gateway.domain.errors import ConfigurationError, Unavailable
from gateway.domain.node import MOST_OFF, SILENCE, Node
from gateway.ports.clock import Clock

_log = structlog.get_logger("gateway")

SAY_SECONDS: Final = SILENCE.total_seconds() / 6
_HOST: Final = 40
_LIKE_THEM: Final = (
    "every node needs the same seal keys, configuration and reference tables: mount the same, or to change them stop"
    " all nodes first"
)


class Register(Protocol):
    """The store as it knows its nodes; see `gateway.store.sql.store.SqlStore`."""

    async def enter(self, node: Node, *, now: datetime) -> tuple[str, ...]: ...  # noqa: D102 - said there

    async def stay(self, node: Node, *, now: datetime) -> tuple[str, ...]: ...  # noqa: D102

    async def leave(self, name: str) -> None: ...  # noqa: D102


class Facts(Protocol):
    """What the database says of itself; see `gateway.store.sql.enquiries.SqlEnquiries`."""

    async def ready(self) -> dict[str, str]: ...  # noqa: D102


def node_name() -> str:
    """Give a name for this process: of its machine, and unlike that of any other."""
    return f"{gethostname()[:_HOST]}-{uuid4().hex[:8]}"


class Membership:
    """One node's place among the others.

    Args:
        node: who it is.
        register: where nodes are written down.
        facts: where the database's clock is found.
        clock: its own.
        shared: whether others may be there: a store in a file has one gateway, and then nothing is written down.
        say_seconds: how often it says that it runs.
    """

    def __init__(
        self,
        node: Node,
        register: Register,
        facts: Facts,
        clock: Clock,
        *,
        shared: bool = True,
        say_seconds: float = SAY_SECONDS,
    ) -> None:
        self._node = node
        self._register = register
        self._facts = facts
        self._clock = clock
        self._shared = shared
        self._say_seconds = say_seconds
        self._stopped = asyncio.Event()

    async def enter(self) -> None:
        """Begin.

        Raises:
            ConfigurationError: it differs from a node that lives, or its clock from the database's.
            Unavailable: the store is away.
        """
        if not self._shared:
            return
        if abs(off := await self._off()) > MOST_OFF:
            raise ConfigurationError(clock_off(off))
        if differs := await self._register.enter(self._node, now=self._clock.now()):
            raise ConfigurationError(*differs, _LIKE_THEM)

    async def run(self, differs: Callable[[], None]) -> None:
        """Say now and then that it runs, until stopped.

        Args:
            differs: called where it may not go on, because others have begun that it is not like.
        """
        while not self._stopped.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stopped.wait(), timeout=self._say_seconds)
                return
            if self._shared:
                with suppress(Unavailable):
                    await self._say(differs)

    def stop(self) -> None:
        """Let `run` return."""
        self._stopped.set()

    async def leave(self) -> None:
        """End. Where the store is away, the others find out by its silence."""
        if self._shared:
            with suppress(Unavailable):
                await self._register.leave(self._node.name)

    async def _say(self, differs: Callable[[], None]) -> None:
        if found := await self._register.stay(self._node, now=self._clock.now()):
            _log.error("node_differs", why=list(found))
            differs()
        elif abs(off := await self._off()) > MOST_OFF:
            _log.error("clock_off", seconds=round(off.total_seconds()))

    async def _off(self) -> timedelta:
        told = (await self._facts.ready()).get("clock")
        return self._clock.now() - datetime.fromisoformat(told) if told else timedelta()


def clock_off(off: timedelta) -> str:
    """Say how far this machine's clock is from the database's."""
    seconds, when = abs(off.total_seconds()), "ahead of" if off > timedelta() else "behind"
    return f"this machine's clock is {seconds:.0f} s {when} the database's: set both by their time service"
