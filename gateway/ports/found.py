"""One prescription in a list, whoever asked for the list."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from gateway.domain.identifiers import OdsCode
from gateway.domain.labels import Condition, Held
from gateway.domain.lifecycle import LineState


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One prescription in a list."""

    prescription_id: UUID
    number: str
    group_number: str
    tenant: OdsCode
    destination: OdsCode | None
    state: LineState
    received_at: datetime
    medicines: tuple[str, ...]
    alerts: int
    condition: Condition | None = None
    """What makes it worse than the state says (mapping.md 10.5)."""
    held: Held | None = None
    """What it is held for, where it is and that is known."""
