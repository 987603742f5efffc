"""Sending again, to the provider it was for, what never left: what the store promises of it.

Source: console.md 6.3; reliability-security.md I10, I12.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from gateway.domain.identifiers import OdsCode
from gateway.domain.message import SealedMessage


@dataclass(frozen=True, slots=True, kw_only=True)
class Again:
    """Send lines again that could not be sent, in one message.

    Attributes:
        seen: the epoch each line had when the message was written; another by then, and nothing is done.
        message: written and sealed anew for the same provider, under an epoch above all of `seen`.
        by: short name of the person.
    """

    tenant: OdsCode
    seen: dict[UUID, int]
    message: SealedMessage
    by: str
    reason: str
    now: datetime


class AgainWrites(Protocol):
    """One transaction each; durable on return, and audited with the person's short name."""

    async def send_again(self, request: Again) -> tuple[str, ...]:
        """Make lines ready once more that could not be sent, all or none; never one that may have arrived.

        Returns:
            Why nothing was done, in words; empty when it was.
        """

    async def send_now(self, prescription: UUID, *, tenant: OdsCode, by: str, reason: str, now: datetime) -> int:
        """Try at once what waits for its next attempt. Returns how many messages are due now that were not."""
