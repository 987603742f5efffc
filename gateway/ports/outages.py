"""Planned outages of a provider's system, as a person was told of them: shown on the board, and told the day before.

They change nothing that is sent: a provider is paused by an act of its own.

Source: console.md 6.5 (planned outage), 6.10.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from gateway.domain.identifiers import OdsCode


@dataclass(frozen=True, slots=True, kw_only=True)
class Outage:
    """From when till when, and what was said.

    Attributes:
        begins, ends: aware; `ends` is later.
        note: who said so, and what; never patient data.
        by: short name of the person who was told.
    """

    provider: OdsCode
    begins: datetime
    ends: datetime
    note: str
    by: str
    at: datetime

    def runs(self, now: datetime) -> bool:
        """Tell whether it is on."""
        return self.begins <= now < self.ends


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedOutage:
    """One that is not over, with its number."""

    number: int
    outage: Outage


class OutageReads(Protocol):
    """Reads: everybody who may see the providers sees all of theirs."""

    async def planned_outages(self, *, now: datetime) -> tuple[PlannedOutage, ...]:
        """Give those that are not over and not withdrawn, the soonest first."""


class OutageWrites(Protocol):
    """One transaction each; durable on return, and audited with the person's short name."""

    async def plan_outage(self, outage: Outage) -> bool:
        """Write one down. Tells whether it is new: the same stated again is kept once."""

    async def withdraw_outage(self, number: int, *, provider: OdsCode, by: str, reason: str, now: datetime) -> bool:
        """Take note that one will not be. Tells whether it stood."""
