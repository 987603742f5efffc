"""What moved, in the order in which it was committed: for pages that stay open, on whichever node.

The sequence is that of the audit leaves: every thing that happens has one, they have no gaps, and a later one is never
committed before an earlier one. Whoever knows the number of the last one seen can ask for the rest.

Source: console.md 8; reliability-security.md I8, I9.
"""

from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from gateway.domain.identifiers import OdsCode


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One thing that moved.

    Attributes:
        seq: its number.
        kind: what happened, in the word of its audit leaf: `event`, `alert`, `alert-closed`, …
        prescription_id: of which prescription; None for what is of none, which those who see everything may know of.
        seen_by: the trust, and every provider that may see it (`gateway.domain.sight`).
    """

    seq: int
    kind: str
    prescription_id: UUID | None = None
    seen_by: frozenset[OdsCode] = frozenset()

    def is_for(self, tenant: OdsCode | None) -> bool:
        """Tell whether somebody of this organisation may know of it; None sees all."""
        return tenant is None or tenant in self.seen_by


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """What moved since a number.

    Attributes:
        changes: oldest first.
        position: the last number looked at, also of what no page shows; ask from here next.
        newest: the newest number there is.
    """

    changes: tuple[Change, ...]
    position: int
    newest: int


class Changes(Protocol):
    """The reading side."""

    async def changes(self, *, since: int, limit: int) -> Moved:
        """Give what moved after a number, at most so many numbers on; nothing where it is the newest, or beyond."""

    async def newest_change(self) -> int:
        """Give the number of the newest thing that happened."""
