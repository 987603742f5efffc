"""What the store and its reading side do with people of the console, as `gateway.ports.people` promises it."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import TypeVar
from uuid import UUID

from gateway.domain.identifiers import OdsCode
from gateway.domain.person import Grant, GrantView, Seen
from gateway.store.sql import people
from gateway.store.sql.transaction import Reader, Transaction

T = TypeVar("T")


class PeopleAnswers(ABC):
    """The questions."""

    @abstractmethod
    async def _ask(self, question: Callable[[Reader], T], tenant: OdsCode | None = None) -> T:
        """Run a question."""

    async def people(self, *, tenant: OdsCode | None, limit: int = 500) -> tuple[Seen, ...]:
        """See `gateway.ports.people.PeopleReads`."""
        return await self._ask(lambda reader: people.everybody(reader, tenant=tenant, limit=limit), tenant)

    async def grants(self, *, tenant: OdsCode | None, now: datetime, limit: int = 500) -> tuple[GrantView, ...]:
        """See `gateway.ports.people.PeopleReads`."""
        return await self._ask(lambda reader: people.grants(reader, tenant=tenant, now=now, limit=limit), tenant)

    async def granted_to(self, name: str, *, now: datetime) -> tuple[Grant, ...]:
        """See `gateway.ports.people.PeopleReads`."""
        return await self._ask(lambda reader: people.granted_to(reader, name, now=now))


class PeopleActs(ABC):
    """The writes."""

    _transaction: Transaction

    @abstractmethod
    async def _run(self, write: Callable[[], T]) -> T:
        """Run a write."""

    async def let_in(self, name: str, *, person: str, role: str, tenant: OdsCode | None, now: datetime) -> None:
        """See `gateway.ports.people.PeopleWrites`."""
        write = partial(people.let_in, self._transaction, name)
        await self._run(partial(write, person=person, role=role, tenant=tenant, now=now))

    async def grant(self, grant: Grant) -> tuple[str, ...]:
        """See `gateway.ports.people.PeopleWrites`."""
        return await self._run(partial(people.grant, self._transaction, grant))

    async def end_grant(
        self, grant: UUID, *, by: str, reason: str, tenant: OdsCode | None, now: datetime
    ) -> tuple[str, ...]:
        """See `gateway.ports.people.PeopleWrites`."""
        end = partial(people.end, self._transaction, grant)
        return await self._run(partial(end, by=by, reason=reason, tenant=tenant, now=now))
