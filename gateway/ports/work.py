"""Work that is due: what a worker claims, and what a trust is to be told.

Source: reliability-security.md I6, I12.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from gateway.domain.identifiers import OdsCode
from gateway.domain.lifecycle import LineEvent, LineState
from gateway.domain.submission import Submission


class WorkKind(StrEnum):
    """What a row of the outbox is."""

    DELIVER = "deliver"
    """A sealed message to a provider."""
    TELL = "tell"
    """News or an application answer to a trust."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """One row of the outbox, leased to one worker.

    Attributes:
        lease: fencing token; every later call with an old token changes nothing.
        destination: the provider, or for TELL the trust.
        octets: what to send; None for news that has yet to be composed from `news`.
        attempt: this attempt's number, from 1.
        possible_duplicate: an earlier attempt of it was in doubt.
        accepted_at: when the gateway took it, for the age of the work.
        idle: of the time since then, what does not count as age: before its first attempt, while its destination was
            paused, and while a line of it was on hold.
    """

    id: int
    lease: str
    kind: WorkKind
    destination: OdsCode
    message_id: UUID
    octets: bytes | None = field(repr=False)
    content_type: str
    attempt: int
    possible_duplicate: bool
    accepted_at: datetime
    idle: timedelta = timedelta()
    news: int | None = None
    """Sequence number of the event to tell."""


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """What a trust is to be told: one event of one line, with what its answer must repeat.

    Attributes:
        submission: the one it answers, for its format and its names.
        issue: number of the supply it speaks of, from 1, of the `total` that were ordered; 0 where it speaks of no one
            supply, or of which is not known.
    """

    seq: int
    at: datetime
    event: LineEvent
    state: LineState
    reason_code: str
    reason: str
    tenant: OdsCode
    destination: OdsCode
    prescription_id: UUID
    prescription_number: str
    line_id: UUID
    order_number: str
    order_assigner: str
    group_number: str
    product_code: str
    product_display: str
    amount: str
    unit: str
    nhs_number: str
    submission: Submission
    control_id: str
    issue: int = 0
    total: int = 0


class Whereabouts(StrEnum):
    """What a person found out about a transmission in doubt (I12)."""

    WITH_PROVIDER = "with-provider"
    """The provider says that it has it."""
    NEVER_ARRIVED = "never-arrived"
    """The provider proves that it never had it."""


BY_OPERATOR = "by operator"
"""The pause that a person begins; others, such as after a restore, end by other acts."""
