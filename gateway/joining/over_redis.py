"""Nodes joined over Redis or Valkey. Whatever befalls the server, a node goes on as if it were alone.

What is told is put into a queue and sent in the background; only `share` waits, and for no longer than the patience
allows. Every key begins with the gateway's own name in braces, so that a cluster keeps them in one place.

Source: brief D5; libraries.md 5.
"""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping
from typing import Any, Final

from gateway.domain.identifiers import OdsCode
from gateway.joining.changes import Channel
from gateway.joining.link import FAILURES, Command, Link
from gateway.joining.scripts import ANSWERED, FAILED, HOLD, LANE_LASTS_MS, MOST_REST_MS, SHARE
from gateway.joining.stream import Stream, entries
from gateway.ports.joining import Changed, Health, Hint, Share, Wish

MOST_QUEUED: Final = 10_000
"""Beyond them the oldest are dropped: the poll finds what they spoke of."""
PATIENCE_SECONDS: Final = 0.3
"""A server of the same house answers within a millisecond or two."""
SHARE_SECONDS: Final = 10.0
"""Many times the longest a node that lives goes without asking."""


class Joined:
    """One node among those on one server; keeps the promises of `gateway.ports.joining.Joining`.

    Args:
        url: as `address.checked` takes it.
        gateway: name of the gateway whose nodes these are: no key is shared with another's.
        node: this one's name, unlike any other's.
        patience_seconds: how long an answer may take before the server counts as away.
        share_seconds: how long what a node has under way counts after it last asked.
        tell: told at every change what is wrong with the server; nothing where it is there.
    """

    def __init__(
        self,
        url: str,
        *,
        gateway: str,
        node: str,
        patience_seconds: float = PATIENCE_SECONDS,
        share_seconds: float = SHARE_SECONDS,
        tell: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._prefix = f"homecare:{{{gateway}}}:"
        self._node = node
        self._share_ms = int(share_seconds * 1000)
        self._link = Link(url, probe=self._probe(), patience_seconds=patience_seconds, tell=tell)
        self._stream = Stream(
            url, key=f"{self._prefix}due", node=node, patience_seconds=patience_seconds, link=self._link
        )
        self._channel = Channel(url, name=f"{self._prefix}changed", patience_seconds=patience_seconds, link=self._link)
        self._queue: deque[Command] = deque(maxlen=MOST_QUEUED)
        self._spoken_of: set[OdsCode] = set()
        self._filled = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """See `Joining`. Looks once now, and then in the background."""
        await self._link.look()
        self._tasks = [asyncio.create_task(self._link.keep()), asyncio.create_task(self._flush())]

    async def close(self) -> None:
        """See `Joining`."""
        self._link.closed = True
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if told := self._taken():
            await self._link.run(told)
        await self._stream.close()
        await self._link.close()

    @property
    def trouble(self) -> str:
        """See `Joining`."""
        return self._link.trouble

    @property
    def alone(self) -> bool:
        """See `Joining`."""
        return not self._link.there

    def announce(self, *hints: Hint) -> None:
        """See `Joining`. What is announced together for one destination is one entry."""
        self._put(*(self._stream.add(entry) for entry in entries(hints)))

    async def hints(self) -> tuple[Hint, ...]:
        """See `Joining`."""
        return await self._stream.read()

    def looked(self, hints: tuple[Hint, ...]) -> None:
        """See `Joining`."""
        if marks := [hint.mark for hint in hints if hint.mark]:
            self._put(self._stream.done(marks))

    async def share(self, wishes: Mapping[OdsCode, Wish]) -> Mapping[OdsCode, Share]:
        """See `Joining`."""
        if self.alone or not wishes:
            return {}
        told = self._taken()
        answers = await self._link.run([*told, self._ask(wishes)])
        try:
            return dict(self._shares(wishes, answers[-1])) if answers else {}
        except FAILURES as error:
            self._link.lost(error)
            return {}

    def hold(self, held: Mapping[OdsCode, int]) -> None:
        """See `Joining`."""
        if held:
            keys = [self._lane(ods) for ods in held]
            self._put(("EVAL", HOLD, len(keys), *keys, self._node, self._share_ms, LANE_LASTS_MS, *held.values()))

    def answered(self, destination: OdsCode) -> None:
        """See `Joining`."""
        self._spoken_of.add(destination)
        self._put(("EVAL", ANSWERED, 1, self._lane(destination), LANE_LASTS_MS))

    def failed(self, destination: OdsCode, *, failures: int, rest_seconds: float) -> None:
        """See `Joining`."""
        rest = int(rest_seconds * 1000)
        self._spoken_of.add(destination)
        self._put(("EVAL", FAILED, 1, self._lane(destination), failures, rest, LANE_LASTS_MS, MOST_REST_MS))

    def publish(self, *changes: Changed) -> None:
        """See `Joining`."""
        self._put(*(self._channel.tell(change) for change in changes))

    def listen(self) -> AsyncGenerator[Changed, None]:
        """See `Joining`."""
        return self._channel.listen()

    def _probe(self) -> Command:
        """Give what proves that the server may be written to."""
        return ("SET", f"{self._prefix}there", "", "EX", 60)

    def _lane(self, destination: OdsCode) -> str:
        return f"{self._prefix}lane:{destination}"

    def _put(self, *commands: Command) -> None:
        if self.alone:
            return
        self._queue.extend(commands)
        self._filled.set()

    def _taken(self) -> list[Command]:
        """Take what is queued, to be sent now."""
        told = list(self._queue)
        self._queue.clear()
        self._spoken_of.clear()
        return told

    async def _flush(self) -> None:
        while not self._link.closed:
            await self._filled.wait()
            self._filled.clear()
            if told := self._taken():
                await self._link.run(told)

    def _ask(self, wishes: Mapping[OdsCode, Wish]) -> Command:
        keys = [f"{self._prefix}nodes", *(self._lane(ods) for ods in wishes)]
        numbers = [n for wish in wishes.values() for n in (wish.most, wish.probes_from, wish.held, wish.wanted)]
        return ("EVAL", SHARE, len(keys), *keys, self._node, self._share_ms, LANE_LASTS_MS, MOST_REST_MS, *numbers)

    def _shares(self, wishes: Mapping[OdsCode, Wish], answer: Any) -> Iterator[tuple[OdsCode, Share]]:
        for ods, (granted, failures, rest) in zip(wishes, answer, strict=True):
            # What this node said of it while the answer was under way is newer than the answer.
            known = failures >= 0 and ods not in self._spoken_of
            health = Health(failures=failures, rest_seconds=rest / 1000) if known else None
            yield ods, Share(granted=granted, health=health)
