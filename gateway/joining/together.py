"""Nodes of one process, joined in its memory: what a single node has, and the measure for what joins many."""

import asyncio
import math
import time
from collections import deque
from collections.abc import AsyncGenerator, Callable, Mapping
from dataclasses import dataclass, field

from gateway.domain.identifiers import OdsCode
from gateway.ports.joining import Changed, Health, Hint, Share, Wish

MOST_HINTS = 1000
"""Beyond them the oldest are forgotten: who looks for one finds the others."""
MOST_REST_SECONDS = 900.0
"""Longer than this no destination rests at the word of another node."""


@dataclass(slots=True, kw_only=True)
class _Lane:
    """One destination, as all nodes see it."""

    held: dict[str, tuple[int, float]] = field(default_factory=dict)
    """By node: how many transmissions, and until when that counts."""
    failures: int | None = None
    closed_until: float = 0.0


class Together:
    """What the nodes of one process share.

    Args:
        share_seconds: how long a node counts, and what it has under way, after it last asked.
        monotonic: seconds that never go back.
    """

    def __init__(self, *, share_seconds: float = 10.0, monotonic: Callable[[], float] = time.monotonic) -> None:
        self.share_seconds = share_seconds
        self.monotonic = monotonic
        self.hints: deque[Hint] = deque(maxlen=MOST_HINTS)
        self.arrived = asyncio.Event()
        self.lanes: dict[OdsCode, _Lane] = {}
        self.names: set[str] = set()
        self.seen: dict[str, float] = {}
        self.listeners: set[asyncio.Queue[Changed]] = set()

    def node(self, name: str) -> "Node":
        """Join one more node."""
        return Node(self, name)

    def lane(self, destination: OdsCode) -> _Lane:
        """Give what is known of a destination."""
        return self.lanes.setdefault(destination, _Lane())


class Node:
    """One node among those of `Together`; keeps the promises of `gateway.ports.joining.Joining`."""

    def __init__(self, shared: Together, name: str) -> None:
        self._shared = shared
        self._name = name

    async def start(self) -> None:
        """See `Joining`."""
        self._shared.names.add(self._name)

    async def close(self) -> None:
        """See `Joining`."""
        self._shared.names.discard(self._name)

    @property
    def trouble(self) -> str:
        """See `Joining`."""
        return ""

    @property
    def alone(self) -> bool:
        """See `Joining`."""
        return len(self._shared.names) < 2  # noqa: PLR2004 - itself and another

    def announce(self, *hints: Hint) -> None:
        """See `Joining`. A node that is alone is woken by what it did itself."""
        if self.alone:
            return
        self._shared.hints.extend(hints)
        self._shared.arrived.set()

    async def hints(self) -> tuple[Hint, ...]:
        """See `Joining`. One at a time, so that every idle node gets some."""
        while not self._shared.hints:
            self._shared.arrived.clear()
            await self._shared.arrived.wait()
        return (self._shared.hints.popleft(),)

    def looked(self, hints: tuple[Hint, ...]) -> None:
        """See `Joining`. A hint that was given is gone already."""

    async def share(self, wishes: Mapping[OdsCode, Wish]) -> Mapping[OdsCode, Share]:
        """See `Joining`."""
        moment = self._shared.monotonic()
        self._shared.seen[self._name] = moment + self._shared.share_seconds
        alive = sum(1 for ends in self._shared.seen.values() if ends > moment)
        return {ods: self._share(ods, wish, alive, moment) for ods, wish in wishes.items()}

    def _share(self, destination: OdsCode, wish: Wish, alive: int, moment: float) -> Share:
        lane = self._shared.lane(destination)
        others = sum(held for name, (held, ends) in lane.held.items() if name != self._name and ends > moment)
        rest = max(0.0, lane.closed_until - moment)
        most = 1 if (lane.failures or 0) >= wish.probes_from else wish.most
        free = max(0, most - others - wish.held)
        granted = 0 if rest else min(wish.wanted, math.ceil(free / alive))
        lane.held[self._name] = (wish.held + granted, moment + self._shared.share_seconds)
        known = None if lane.failures is None else Health(failures=lane.failures, rest_seconds=rest)
        return Share(granted=granted, health=known)

    def hold(self, held: Mapping[OdsCode, int]) -> None:
        """See `Joining`."""
        until = self._shared.monotonic() + self._shared.share_seconds
        for ods, count in held.items():
            self._shared.lane(ods).held[self._name] = (count, until)

    def answered(self, destination: OdsCode) -> None:
        """See `Joining`."""
        lane = self._shared.lane(destination)
        lane.failures, lane.closed_until = 0, 0.0

    def failed(self, destination: OdsCode, *, failures: int, rest_seconds: float) -> None:
        """See `Joining`."""
        lane = self._shared.lane(destination)
        lane.failures = max((lane.failures or 0) + 1, failures)
        if rest_seconds:
            lane.closed_until = self._shared.monotonic() + min(rest_seconds, MOST_REST_SECONDS)

    def publish(self, *changes: Changed) -> None:
        """See `Joining`."""
        for listener in self._shared.listeners:
            for change in changes:
                listener.put_nowait(change)

    async def listen(self) -> AsyncGenerator[Changed, None]:
        """See `Joining`. The first says that anything may have moved."""
        heard: asyncio.Queue[Changed] = asyncio.Queue()
        self._shared.listeners.add(heard)
        try:
            yield Changed(subject=None)
            while True:
                yield await heard.get()
        finally:
            self._shared.listeners.discard(heard)
