"""People of the console: what the store promises of them, and how they are looked up.

Source: console.md 6.10.
"""

from datetime import datetime
from typing import Protocol
from uuid import UUID

from gateway.domain.identifiers import OdsCode
from gateway.domain.person import Grant, GrantView, Seen


class PeopleWrites(Protocol):
    """One transaction each; durable on return."""

    async def let_in(self, name: str, *, person: str, role: str, tenant: OdsCode | None, now: datetime) -> None:
        """Write down who takes which role, for the list of people and for work to be handed to."""

    async def grant(self, grant: Grant) -> tuple[str, ...]:
        """Give a role until a date. The same grant, by its id, is given once.

        Returns:
            Why not, in words; empty when it is given.
        """

    async def end_grant(
        self, grant: UUID, *, by: str, reason: str, tenant: OdsCode | None, now: datetime
    ) -> tuple[str, ...]:
        """End a grant before its date, by one person, and with it every session of whoever had it: less is safe.

        Returns:
            Why not, in words; empty when it is ended.
        """


class PeopleReads(Protocol):
    """Who is here; `tenant` narrows it as everywhere: None sees all."""

    async def people(self, *, tenant: OdsCode | None, limit: int = 500) -> tuple[Seen, ...]:
        """Give who was let in, in which role, by organisation and name."""

    async def grants(self, *, tenant: OdsCode | None, now: datetime, limit: int = 500) -> tuple[GrantView, ...]:
        """Give the grants that can be taken now, and those that ended within the last 90 days, the newest first."""

    async def granted_to(self, name: str, *, now: datetime) -> tuple[Grant, ...]:
        """Give the grants of one person that can be taken now."""
