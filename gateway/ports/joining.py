"""What joins several nodes: hints of due work, shared limits and health of destinations, news of what changed.

Everything here may be lost at any moment, and costs at most one poll interval then: the store alone decides what is
due, what leaves and what was answered. Nothing here waits in the way of an answer, and nothing here holds patient
data: ids of messages and lines, ODS codes and numbers only.

Source: brief D5, D16; reliability-security.md I1, I8, T24, C12.
"""

from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from gateway.domain.identifiers import OdsCode


@dataclass(frozen=True, slots=True, kw_only=True)
class Hint:
    """Word that there is something to send.

    Attributes:
        destination: for whom; None where only a look at the store can tell.
        messages: ids of what is due.
        mark: what `looked` needs to know it by; empty where nobody waits for it.
    """

    destination: OdsCode | None
    messages: tuple[UUID, ...] = ()
    mark: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What one node asks for one destination.

    Attributes:
        most: transmissions that may be under way to it from all nodes together.
        probes_from: running failures from which on it is one.
        held: how many this node has under way.
        wanted: how many more it would begin.
    """

    most: int
    probes_from: int
    held: int
    wanted: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """How a destination answers, as all nodes together saw it.

    Attributes:
        failures: running failures.
        rest_seconds: for how long nobody sends to it; 0 where anybody may.
    """

    failures: int
    rest_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """What one node may do for one destination.

    Attributes:
        granted: how many more it may begin.
        health: None where nothing is known beyond what this node saw itself.
    """

    granted: int
    health: Health | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """Word that something moved.

    Attributes:
        subject: id of the line or message; None where word may have been missed, and anything may have moved.
        tenant: whose it is; None where only the store can tell, which also says who may see it.
    """

    subject: UUID | None
    tenant: OdsCode | None = None


class Joining(Protocol):
    """One node's view of the others. No method fails: where they cannot be asked, it is as if there were none."""

    async def start(self) -> None:
        """Look for the others, and be found. It makes no difference to what follows whether they are there."""

    async def close(self) -> None:
        """Send what is still to be told, and leave."""

    @property
    def trouble(self) -> str:
        """What is wrong with the way to the others: the kind of failure; empty where nothing is."""

    @property
    def alone(self) -> bool:
        """Whether there is nobody to ask just now."""

    def announce(self, *hints: Hint) -> None:
        """Tell one idle node of each hint. Called after the commit; never waits."""

    async def hints(self) -> tuple[Hint, ...]:
        """Wait for hints. None at all: some may have been lost, or for a while there were none; look all the same."""

    def looked(self, hints: tuple[Hint, ...]) -> None:
        """Say that the store was looked at since these hints came. Never waits."""

    async def share(self, wishes: Mapping[OdsCode, Wish]) -> Mapping[OdsCode, Share]:
        """Ask what this node may begin; what is not in the answer it decides by what it knows itself.

        What it has under way counts until it asks again, or for a while when it does not: a node that ended gives its
        share back so.
        """

    def hold(self, held: Mapping[OdsCode, int]) -> None:
        """Say how many transmissions this node has under way after all. Never waits."""

    def answered(self, destination: OdsCode) -> None:
        """Say that a destination took or refused something: it is well, for every node. Never waits."""

    def failed(self, destination: OdsCode, *, failures: int, rest_seconds: float) -> None:
        """Say that a destination failed. Never waits.

        Args:
            destination: which.
            failures: running failures that this node knows of, with this one.
            rest_seconds: for how long it should be left alone; 0 for not at all.
        """

    def publish(self, *changes: Changed) -> None:
        """Tell every node that listens. Called after the commit; never waits."""

    def listen(self) -> AsyncGenerator[Changed, None]:
        """Give what any node publishes from now on; first of all that anything may have moved before."""
