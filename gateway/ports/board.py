"""The figures of the service and of each provider: how they are counted, and how they are looked up.

Counting follows the history: it reads what came since a mark, and what is kept is added together with the new mark or
not at all. So everything counts once, whoever counts and however often that is begun.

Source: console.md 6.5, 6.6; domain.md 2.2.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Protocol
from uuid import UUID

from gateway.domain.identifiers import OdsCode
from gateway.domain.provider_health import Pulse
from gateway.domain.service_figures import Item, Key, Outcome
from gateway.domain.spread import Spread


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """What one stretch of the history makes of the figures.

    Attributes:
        marks: of each table that is followed, up to which row it was and now is counted.
        figures: what each sum now is.
        items: of each line and epoch what is listed of it now; None for nothing.
        pulses: of each provider.
        until: the newest thing counted; None where nothing was.
        behind: there is more to count.
    """

    marks: Mapping[str, tuple[int, int]]
    figures: Mapping[Key, Spread]
    items: Mapping[tuple[int, int], Item | None]
    pulses: Mapping[OdsCode, Pulse]
    until: datetime | None
    behind: bool

    @property
    def moves(self) -> bool:
        """Whether anything came."""
        return any(before != after for before, after in self.marks.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One sum.

    Attributes:
        provider: None where there is none yet.
    """

    day: date
    provider: OdsCode | None
    measure: str
    urgent: bool
    spread: Spread


@dataclass(frozen=True, slots=True, kw_only=True)
class Backlog:
    """What waits of one provider.

    Attributes:
        to_send: not sent yet. `waiting`: sent and not decided; `not_known`: of others nobody knows whether they
            arrived. At most one more than `MOST` of each are counted.
        oldest: since when the oldest of those that were sent waits.
    """

    to_send: int = 0
    waiting: int = 0
    not_known: int = 0
    oldest: datetime | None = None


MOST = 10_000
"""More than this are not counted one by one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemsWanted:
    """Which items are listed.

    Attributes:
        first: those sent from then on; `before`: and before then.
        provider: of one alone; None for any.
    """

    outcomes: frozenset[Outcome]
    first: datetime
    before: datetime
    provider: OdsCode | None = None
    limit: int = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemView:
    """One item of a list."""

    prescription_id: UUID
    number: str
    medicine: str = field(repr=False)
    tenant: OdsCode
    provider: OdsCode
    outcome: Outcome
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Standings:
    """How far counting has come.

    Attributes:
        until: the newest thing counted; None before the first.
        since: the first day of which anything is counted.
        counted_at: when everything there was had last been counted; None if it never had.
    """

    until: datetime | None
    since: date | None
    counted_at: datetime | None


class BoardReads(Protocol):
    """Reads. A trust sees its own figures, a provider its own; None those of everybody together."""

    async def to_count(self, *, limit: int) -> Counted:
        """Read what came since the marks, at most so many rows of each table, and what that makes of the figures."""

    async def counted(self) -> Standings:
        """Tell how far counting has come."""

    async def figures(self, *, tenant: OdsCode | None, first: date, last: date) -> tuple[Figure, ...]:
        """Give the sums of the days from `first` to `last`, both included."""

    async def pulses(self) -> Mapping[OdsCode, Pulse]:
        """Give the last signs of life of each provider's system, whoever's prescriptions they were about."""

    async def backlog(self, *, tenant: OdsCode | None) -> Mapping[OdsCode, Backlog]:
        """Give what waits, of each provider of which anything does."""

    async def items(self, wanted: ItemsWanted, *, tenant: OdsCode | None) -> tuple[ItemView, ...]:
        """List items by where they stand, oldest first."""


class BoardWrites(Protocol):
    """Writes."""

    async def keep_count(self, counted: Counted, *, now: datetime) -> bool:
        """Put what was counted in place of what was; nothing, and False, where somebody else has counted meanwhile."""
