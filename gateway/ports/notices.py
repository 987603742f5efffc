"""Notices outside the console: rows written before anything is sent, sent at least once, by one node each.

Source: console.md 6.11; reliability-security.md I1, I3.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol

from gateway.domain.escalation import Rung, Unattended
from gateway.domain.identifiers import OdsCode
from gateway.domain.notice import Channel, NoticeKind, NoticeState, Outgoing, Standing

NOTIFIER: Final = "notifier"
"""Name of the heartbeat of what writes and sends notices."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Addressed:
    """One person on one channel."""

    person: str
    channel: Channel


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """That the people of one rung are to be told of some alerts, together.

    Attributes:
        circle: of which trust, or `gateway`.
        alerts: numbers, each with whether nobody comes after this rung.
        to: who they are, once for each way in which they are told.
        gap: how long ago they must have been told of anything last; what comes meanwhile is told together.
    """

    circle: str
    rung: Rung
    alerts: Sequence[tuple[int, bool]]
    to: Sequence[Addressed]
    gap: timedelta = timedelta(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """That the readers of a circle's digest are to have it.

    Attributes:
        tenant: whose alerts it counts; None for all.
        occasion: name of its day or week; each is written once.
        even_if_none: also when nothing is open.
    """

    kind: NoticeKind
    circle: str
    tenant: OdsCode | None
    occasion: str
    to: Sequence[Addressed]
    even_if_none: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempted:
    """What came of an attempt.

    Attributes:
        state: SENT, SPENT or DROPPED; DUE where it is tried again.
        said: what the other side said, or why nothing was sent; never patient data, never a secret.
        retry_at: when it is tried again.
        alarm: what a person is told; empty for nothing.
    """

    state: NoticeState
    said: str
    retry_at: datetime | None = None
    alarm: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeView:
    """One notice, as the console shows who was told.

    Attributes:
        rung: empty for a digest.
    """

    kind: NoticeKind
    circle: str
    rung: str
    person: str
    channel: Channel
    written_at: datetime
    state: NoticeState
    attempts: int
    said: str
    ended_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeCounts:
    """How the notices stand: what waits, since when, and what was given up in the last seven days."""

    waiting: int
    since: datetime | None
    spent: int


class NoticeWrites(Protocol):
    """The writing side. One transaction each; durable on return."""

    async def tell_step(self, step: Step, *, now: datetime) -> int:
        """Write the notices of one step, of those of its alerts that nobody took, put off, closed or told it before.

        Returns:
            How many alerts they speak of; 0 where nothing was written.
        """

    async def tell_summary(self, summary: Summary, *, now: datetime) -> bool:
        """Write the notices of a digest, once for its occasion. Returns whether any was written."""

    async def claim_notices(
        self, channel: Channel, *, worker: str, now: datetime, lease_seconds: float, limit: int
    ) -> tuple[Outgoing, ...]:
        """Lease what is due on a channel, oldest first; what is no longer needed is dropped instead.

        A lease that ran out is due again: whoever is told twice is told the same, under the same id.
        """

    async def record_notice(self, notice: Outgoing, outcome: Attempted, *, now: datetime) -> bool:
        """Record what came of an attempt, and open an alert if it says so. Returns whether the lease still held."""


class NoticeReads(Protocol):
    """The reading side."""

    async def unattended(self, *, now: datetime, after: int = 0, limit: int = 2000) -> tuple[Unattended, ...]:
        """Give open alerts that nobody has taken or put off, and whose ladder is not at its end, by number."""

    async def notices_of(self, alert: int, *, tenant: OdsCode | None) -> tuple[NoticeView, ...]:
        """Give who was told of an alert, oldest first; nothing of a foreign one."""

    async def notice_counts(self, *, now: datetime) -> NoticeCounts:
        """Tell how the notices stand."""

    async def standing_of(self, tenant: OdsCode | None, *, now: datetime) -> Standing:
        """Count what a digest says of one trust; None for all."""
