"""What people and the clock do to lines, as values: who, why, and what they mean.

Source: mapping.md 10.2 and 10.5; reliability-security.md I3 (closed only by a person with a reason).
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from gateway.domain.identifiers import OdsCode
from gateway.domain.lifecycle import LineState
from gateway.domain.message import SealedMessage


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """One act of a named person on the lines of one prescription.

    Attributes:
        line_id: the one line meant; None for every line of the prescription that the act fits.
        tenant: the trust whose prescription is meant, for another may use the same id (I9); None for an operator's act
            on whatever bears it.
        by: the person's short name, as it stands in the audit.
        reason: in words; never patient data.
    """

    prescription_id: UUID
    by: str
    reason: str
    now: datetime
    line_id: UUID | None = None
    tenant: OdsCode | None = None

    @property
    def whose(self) -> tuple[bytes, str]:
        """Which prescription is meant, as statements ask for it: its id, and its trust or nothing."""
        return self.prescription_id.bytes, str(self.tenant or "")


class Ruling(StrEnum):
    """What a pharmacist rules on a changed order whose cancel of the old one came too late."""

    SEND = "send"
    """Send the new order all the same: the patient needs both supplies."""
    DROP = "drop"
    """Cancel the new order: what was supplied is enough."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rescue:
    """One supply of a line that the trust, or a backup, made in the provider's place.

    Attributes:
        issue: number of the supply, from 1, as the line's deliveries count them.
        link: what replaced it, by its own name: the number of the other supply, or of the prescription it was made on.
        told: the provider was told not to supply it any more.
    """

    issue: int
    link: str
    told: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Screened:
    """What a screening is about to let go.

    Attributes:
        key: the store's own name for the order.
        waiting: its lines that wait for screening.
        whole: whether they are all the lines of the message that was sealed for them.
    """

    key: int
    destination: OdsCode | None
    waiting: tuple[UUID, ...]
    whole: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Expiring:
    """One open line whose validity is over.

    Attributes:
        key: the store's own name for its order.
        holder: the provider that is to be told; None where nobody has it.
        message_id: of the order message that the provider has.
    """

    key: int
    line_id: UUID
    tenant: OdsCode
    state: LineState
    epoch: int
    holder: OdsCode | None = None
    message_id: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Expiry:
    """End a line because its validity is over.

    Attributes:
        seen: its state when this was written; another by then, and nothing is done.
        message: what tells the holder; None where nobody has it, or it cannot be told.
    """

    key: int
    line_id: UUID
    seen: LineState
    message: SealedMessage | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Turned:
    """What one look at the clock did: deliveries that became due, lines closed, renewals opened and lapsed."""

    due: int = 0
    closed: int = 0
    renewals: int = 0
    lapsed: int = 0
