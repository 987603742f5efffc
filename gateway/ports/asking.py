"""A person's cancel, hold or release, as it is to be stored: what the store promises of it.

Source: mapping.md 10.2 and 10.3; reliability-security.md I7, I16.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from gateway.domain.asking import Wish
from gateway.ports.acceptance import CancelRequest, HoldRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonsRequest:
    """What a person asks, written and sealed.

    Attributes:
        wish: who, what and why, with every line as it was seen.
        cancels, holds: the lines of which something is to be stored, judged as what the trust's own system asks.
    """

    wish: Wish
    cancels: tuple[CancelRequest, ...] = ()
    holds: tuple[HoldRequest, ...] = ()
    now: datetime


class AskingWrites(Protocol):
    """One transaction; durable on return, and audited with the person's short name."""

    async def ask(self, request: PersonsRequest) -> None:
        """Commit what a person asks of lines, all or nothing, as if the trust's own message had asked it.

        What is done here at once closes the alerts that asked for it; the trust's system is told.

        Raises:
            OvertakenError: a line has moved since it was looked at; nothing was stored.
            Unavailable: nothing was stored, or it cannot be done while a restore is being reconciled.
        """
