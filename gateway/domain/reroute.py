"""A re-route as values: what is held by whom, what two people want done with it, and what is known of how it went.

Source: mapping.md 10.2; reliability-security.md I10.
"""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from gateway.domain.fence import Holding
from gateway.domain.identifiers import OdsCode
from gateway.domain.message import SealedMessage
from gateway.domain.prescription import Prescription
from gateway.domain.submission import Envelope, Submission
from gateway.domain.trace import TraceRow


class RerouteState(StrEnum):
    """Where the re-route of one line stands."""

    ASKED = "ASKED"
    """The holder was asked to give it up."""
    PENDING = "PENDING"
    """The holder says that a person there must see to it."""
    CONFIRMED = "CONFIRMED"
    """The holder gave it up; nobody has the line yet."""
    TOO_LATE = "TOO_LATE"
    """The holder supplied it."""
    DONE = "DONE"
    OFF = "OFF"
    """Called off; the line stays where it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What two people want, and why.

    Attributes:
        to: the provider that is to have the line.
        people: short names of the two.
        reason: in words; never patient data.
    """

    to: OdsCode
    people: tuple[str, str]
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenReroute:
    """A re-route that has not ended."""

    state: RerouteState
    wanted: Wanted
    asked_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldLine:
    """One line that is not at its end, with all that the fence asks about it.

    Attributes:
        message_id: of the order message of its present or last allocation.
        reroute: the one under way, if there is one.
    """

    line_id: UUID
    order_number: str
    holding: Holding
    message_id: UUID | None = None
    reroute: OpenReroute | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldPrescription:
    """The lines of one accepted order that are not at their end: ids and states, no patient.

    Attributes:
        key: the store's own name for it.
    """

    key: int
    tenant: OdsCode
    prescription_id: UUID
    number: str
    lines: tuple[HeldLine, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenOrder:
    """What a message is written from anew. The prescription is None where it could not be completed."""

    submission: Submission
    envelope: Envelope
    prescription: Prescription | None = field(repr=False)
    trace: tuple[TraceRow, ...] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reroute:
    """Give lines of one prescription to another provider, in one message.

    Attributes:
        seen: the epoch each line had when the message was written; another by then, and nothing is done.
        message: the new order message, sealed for `wanted.to` under an epoch above all of `seen`.
        left: how many supplies of a line the message asks for; another count by then, and nothing is done.
        refuses_expired: the present holder is proven to refuse what has expired (an adapter's promise).
    """

    tenant: OdsCode
    seen: dict[UUID, int]
    message: SealedMessage
    wanted: Wanted
    left: dict[UUID, int] = field(default_factory=dict)
    refuses_expired: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Revocation:
    """Ask the holder of one line to give it up.

    Attributes:
        epoch: of the line when this was written; another by then, and nothing is done.
        message: what the holder is sent; None where it cannot be told, and a person must ring.
    """

    tenant: OdsCode
    line_id: UUID
    epoch: int
    message: SealedMessage | None
    wanted: Wanted
