"""A bad day: the gateway is killed without warning, providers fall silent or go down and come back, people re-route.

Everything is drawn from one seed, but when it meets the work is not: the machine decides that.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Mapping
from random import Random
from typing import Final

from gateway.simulate.child import Child
from gateway.simulate.office import Office
from gateway.simulate.providers import Provider

_AT_LEAST: Final = 15.0
_BETWEEN_KILLS: Final = (0.5, 12.0)
_AWAY: Final = (0.0, 0.5)
_BETWEEN_SPELLS: Final = (0.5, 3.0)
_SILENT_FOR: Final = (2.0, 9.0)
_DOWN_FOR: Final = (0.5, 4.0)
_BETWEEN_ROUNDS: Final = (2.0, 6.0)
"""Each command of the gateway starts a process of its own."""


class Unrest:
    """What goes wrong around one gateway.

    Args:
        child: the gateway.
        providers: who falls silent or goes down.
        office: who acts.
        source: seeded; draws what happens when.
        tally: counts what happened, in words for people.
    """

    def __init__(
        self,
        *,
        child: Child,
        providers: Mapping[str, Provider],
        office: Office,
        source: Random,
        tally: Counter[str],
    ) -> None:
        self._child = child
        self._providers = providers
        self._office = office
        self._source = source
        self._tally = tally

    async def last(self, work: Awaitable[None]) -> None:
        """Let things go wrong while some work is done, and for a little while at least; then everybody is back.

        Raises:
            ExceptionGroup: of `GatewayDiedError`, should the gateway not come back.
        """
        over = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            for trouble in (self._kill, self._silence, self._people):
                group.create_task(trouble(over))
            await asyncio.gather(work, asyncio.sleep(_AT_LEAST))
            over.set()

    async def _kill(self, over: asyncio.Event) -> None:
        while not await self._over_within(_BETWEEN_KILLS, over):
            await self._child.kill()
            self._tally["killed"] += 1
            await asyncio.sleep(self._source.uniform(*_AWAY))
            await self._child.start()

    async def _silence(self, over: asyncio.Event) -> None:
        async with asyncio.TaskGroup() as group:
            while not await self._over_within(_BETWEEN_SPELLS, over):
                provider = self._source.choice(tuple(self._providers.values()))
                if self._source.random() < 0.4:  # noqa: PLR2004 - less often than silence
                    provider.go_down(self._source.uniform(*_DOWN_FOR))
                    self._tally["down"] += 1
                else:
                    group.create_task(self._one_silence(provider, over))

    async def _one_silence(self, provider: Provider, over: asyncio.Event) -> None:
        provider.fall_silent()
        self._tally["silent"] += 1
        await self._over_within(_SILENT_FOR, over)
        provider.speak_up()

    async def _people(self, over: asyncio.Event) -> None:
        while not await self._over_within(_BETWEEN_ROUNDS, over):
            await self._office.work()

    async def _over_within(self, seconds: tuple[float, float], over: asyncio.Event) -> bool:
        """Wait a while, drawn between two bounds; True at once when it is over."""
        try:
            async with asyncio.timeout(self._source.uniform(*seconds)):
                await over.wait()
        except TimeoutError:
            return False
        return True
