"""What waits for a trust's pharmacist to check, and what the check is made from.

Source: console.md 6.4; mapping.md 10.2 (AWAITING_SCREENING).
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol
from uuid import UUID

from gateway.domain.identifiers import OdsCode
from gateway.domain.issue import Issue
from gateway.domain.lifecycle import LineState
from gateway.domain.prescription import Prescription


@dataclass(frozen=True, slots=True, kw_only=True)
class ToScreen:
    """One order that waits for the check.

    Attributes:
        act_by: by when somebody must have looked; None where no limit is set.
        urgent: one of its lines is.
    """

    prescription_id: UUID
    number: str
    tenant: OdsCode
    received_at: datetime
    act_by: datetime | None
    urgent: bool
    patient: str = field(repr=False)
    medicines: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Screening:
    """An order with what a pharmacist needs to judge it.

    Attributes:
        states: of its lines as they stand, by line.
        epochs: of its lines.
        issues: what was noticed when it was read.
        earlier: orders of the same patient at the same trust that came before, newest first, at most 50.
    """

    prescription_id: UUID
    tenant: OdsCode
    received_at: datetime
    prescription: Prescription = field(repr=False)
    states: dict[UUID, LineState]
    act_by: datetime | None
    issues: tuple[Issue, ...]
    earlier: tuple["EarlierOrder", ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class EarlierOrder:
    """An earlier order of the same patient."""

    prescription_id: UUID
    received_at: datetime
    prescription: Prescription = field(repr=False)
    states: dict[UUID, LineState]


class ScreeningReads(Protocol):
    """`tenant` narrows as everywhere: None sees all."""

    async def to_screen(self, *, tenant: OdsCode | None, limit: int) -> tuple[ToScreen, ...]:
        """Give the orders that wait for the check, the one to be acted on first first."""

    async def screening(self, prescription_id: UUID, *, tenant: OdsCode | None) -> Screening | None:
        """Give one order for its check, whatever its state; None where there is none, or it is not theirs (I9)."""
