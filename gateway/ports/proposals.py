"""Proposals of acts that need two people: what the store promises of them, and how they are looked up.

Source: console.md 3, 6.10; reliability-security.md I10.
"""

from datetime import datetime
from typing import Protocol
from uuid import UUID

from gateway.domain.identifiers import OdsCode
from gateway.domain.proposal import Proposal, ProposalView


class ProposalWrites(Protocol):
    """One transaction each; durable on return, and audited with the person's short name."""

    async def propose(self, proposal: Proposal) -> tuple[str, ...]:
        """Write down what one person wants done, until a second agrees.

        The same proposal, by its id, is written once; asked again it gives the same answer.

        Returns:
            Why it was not, in words; empty when it stands. Of a kind one alone is open for a subject.
        """

    async def second(self, proposal: UUID, *, by: str, tenant: OdsCode | None, now: datetime) -> tuple[str, ...]:
        """Let a second person agree. Whoever is given the empty answer, and nobody else, carries it out and settles it.

        Args:
            proposal: its id.
            by: short name of the second person; never the first's.
            tenant: that of the person; None for one who may see every trust's.
            now: when.

        Returns:
            Why not, in words; empty when it is agreed.
        """

    async def settle(self, proposal: UUID, *, done: bool, outcome: str, now: datetime) -> bool:
        """Say what came of a proposal that was seconded: done, or not, in words. Returns whether it waited for that."""

    async def withdraw(
        self, proposal: UUID, *, by: str, reason: str, tenant: OdsCode | None, now: datetime
    ) -> tuple[str, ...]:
        """Take an open proposal back, by whoever may see it.

        Returns:
            Why not, in words; empty when it is withdrawn.
        """


class ProposalReads(Protocol):
    """What stands; `tenant` narrows it as everywhere: None sees all."""

    async def proposals(self, *, tenant: OdsCode | None, now: datetime, limit: int = 100) -> tuple[ProposalView, ...]:
        """Give what waits: open proposals, oldest first, and seconded ones that nobody settled before them."""

    async def proposal(self, proposal: UUID, *, tenant: OdsCode | None, now: datetime) -> ProposalView | None:
        """Give one, whatever became of it; None also where it is not the tenant's (I9)."""

    async def proposals_of(
        self, kind: str, subject: str, *, tenant: OdsCode | None, now: datetime
    ) -> tuple[ProposalView, ...]:
        """Give every proposal of a kind there was for a subject, newest first, at most 20."""
