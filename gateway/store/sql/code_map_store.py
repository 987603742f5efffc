"""What the store and its reading side do with codes, as `gateway.ports.code_maps` promises it."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import TypeVar
from uuid import UUID

from gateway.domain.code_map import ApprovedEntry, RereadState
from gateway.domain.identifiers import OdsCode
from gateway.ports.code_maps import (
    Approval,
    HeldCode,
    OrderAsTaken,
    Reread,
    RereadTask,
    RereadView,
    Touched,
    WaitingOrder,
)
from gateway.store.sql import code_maps, rereading
from gateway.store.sql.transaction import Reader, Transaction

T = TypeVar("T")


class CodeMapAnswers(ABC):
    """The questions."""

    @abstractmethod
    async def _ask(self, question: Callable[[Reader], T], tenant: OdsCode | None = None) -> T:
        """Run a question."""

    async def held_codes(self, *, tenant: OdsCode | None) -> tuple[HeldCode, ...]:
        """See `gateway.ports.code_maps.CodeMapReads`."""
        return await self._ask(partial(code_maps.held_codes, tenant=tenant), tenant)

    async def held_code(self, code_id: UUID, *, tenant: OdsCode | None) -> HeldCode | None:
        """See `gateway.ports.code_maps.CodeMapReads`."""
        return await self._ask(lambda reader: code_maps.held_code(reader, code_id, tenant=tenant), tenant)

    async def waiting_orders(self, code_id: UUID, *, tenant: OdsCode | None) -> tuple[WaitingOrder, ...]:
        """See `gateway.ports.code_maps.CodeMapReads`."""
        return await self._ask(lambda reader: code_maps.waiting_orders(reader, code_id, tenant=tenant), tenant)

    async def touched(
        self, code_id: UUID, *, tenant: OdsCode | None, since: datetime, limit: int, offset: int = 0
    ) -> Touched:
        """See `gateway.ports.code_maps.CodeMapReads`."""
        asked = partial(code_maps.touched, tenant=tenant, since=since, limit=limit, offset=offset)
        return await self._ask(lambda reader: asked(reader, code_id), tenant)

    async def order_as_taken(self, key: int) -> OrderAsTaken:
        """See `gateway.ports.code_maps.CodeMapReads`."""
        return await self._ask(lambda reader: rereading.order_as_taken(reader, key))

    async def approved_entries(self) -> tuple[ApprovedEntry, ...]:
        """See `gateway.ports.code_maps.CodeMapReads`."""
        return await self._ask(code_maps.live_entries)

    async def entries_of(self, code_id: UUID, *, tenant: OdsCode | None) -> tuple[ApprovedEntry, ...]:
        """See `gateway.ports.code_maps.CodeMapReads`."""
        return await self._ask(lambda reader: code_maps.entries_of(reader, code_id, tenant=tenant), tenant)

    async def entries_version(self) -> tuple[int, int]:
        """See `gateway.ports.code_maps.CodeMapReads`."""
        return await self._ask(code_maps.version)

    async def rereads_waiting(self, *, limit: int) -> tuple[RereadTask, ...]:
        """See `gateway.ports.code_maps.CodeMapReads`."""
        return await self._ask(partial(rereading.waiting, limit=limit))

    async def rereads_of(self, code_id: UUID, *, tenant: OdsCode | None) -> tuple[RereadView, ...]:
        """See `gateway.ports.code_maps.CodeMapReads`."""
        return await self._ask(lambda reader: rereading.of_code(reader, code_id, tenant=tenant), tenant)


class CodeMapActs(ABC):
    """The writes."""

    _transaction: Transaction

    @abstractmethod
    async def _run(self, write: Callable[[], T]) -> T:
        """Run a write."""

    async def approve_entry(self, approval: Approval) -> ApprovedEntry | tuple[str, ...]:
        """See `gateway.ports.code_maps.CodeMapWrites`."""
        return await self._run(partial(code_maps.approve, self._transaction, approval))

    async def withdraw_entry(
        self, number: int, *, by: str, reason: str, tenant: OdsCode | None, now: datetime
    ) -> tuple[str, ...]:
        """See `gateway.ports.code_maps.CodeMapWrites`."""
        withdraw = partial(code_maps.withdraw, self._transaction, number)
        return await self._run(partial(withdraw, by=by, reason=reason, tenant=tenant, now=now))

    async def ask_reread(self, code_id: UUID, *, by: str, reason: str, tenant: OdsCode | None, now: datetime) -> int:
        """See `gateway.ports.code_maps.CodeMapWrites`."""
        ask = partial(code_maps.ask_by_hand, self._transaction, code_id)
        return await self._run(partial(ask, by=by, reason=reason, tenant=tenant, now=now))

    async def finish_reread(self, reread: Reread) -> RereadState:
        """See `gateway.ports.code_maps.CodeMapWrites`."""
        return await self._run(partial(rereading.finish, self._transaction, reread))

    async def reread_failed(self, task: int, *, now: datetime, give_up: bool) -> None:
        """See `gateway.ports.code_maps.CodeMapWrites`."""
        await self._run(partial(rereading.failed, self._transaction, task, now=now, give_up=give_up))
