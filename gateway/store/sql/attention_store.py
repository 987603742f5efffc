"""What the store and its reading side do with what needs attention, as `gateway.ports.attention` promises it."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import TypeVar
from uuid import UUID

from gateway.domain.cover import Cover
from gateway.domain.identifiers import OdsCode
from gateway.ports.attention import (
    Aliveness,
    Attention,
    AttentionQuery,
    Call,
    Place,
    Places,
    SilentProvider,
    Whose,
    WorkItem,
    WorkNote,
)
from gateway.store.sql import (
    affected,
    attention,
    attention_found,
    attention_rows,
    silences,
    tending,
    work_notes,
    working,
)
from gateway.store.sql.transaction import Reader, Transaction

T = TypeVar("T")


class AttentionAnswers(ABC):
    """The questions."""

    @abstractmethod
    async def _ask(self, question: Callable[[Reader], T], tenant: OdsCode | None = None) -> T:
        """Run a question."""

    async def needs_attention(self, *, tenant: OdsCode | None, query: AttentionQuery, now: datetime) -> Attention:
        """See `gateway.ports.attention.AttentionReads`."""
        groups: tuple[SilentProvider, ...] = ()
        if query.grouped and not query.narrows:
            groups = await self._ask(lambda reader: silences.silences(reader, tenant=tenant, now=now))
        asked = partial(attention.page, tenant=tenant, query=query, now=now, groups=groups)
        return await self._ask(asked, tenant)

    async def attention_places(self, *, tenant: OdsCode | None, query: AttentionQuery, now: datetime) -> Places:
        """See `gateway.ports.attention.AttentionReads`."""
        return await self._ask(partial(attention.places, tenant=tenant, query=query, now=now), tenant)

    async def attention_rows(
        self, places: Sequence[Place], *, tenant: OdsCode | None, speaks_at: datetime | None
    ) -> tuple[WorkItem, ...]:
        """See `gateway.ports.attention.AttentionReads`."""
        asked = partial(attention_rows.items, places=places, tenant=tenant, speaks_at=speaks_at)
        read = await self._ask(asked, tenant)
        return tuple(read[one] for one in places if one in read)

    async def tended(self, *, taken_by: str, first: int, size: int, now: datetime) -> Attention:
        """See `gateway.ports.attention.AttentionReads`."""
        asked = partial(tending.page, taken_by=taken_by, first=first, size=size, now=now)
        return await self._ask(asked)

    async def tended_item(self, alert: int) -> WorkItem | None:
        """See `gateway.ports.attention.AttentionReads`."""
        return await self._ask(lambda reader: tending.item(reader, alert))

    async def attention_count(self, *, tenant: OdsCode | None, now: datetime) -> int:
        """See `gateway.ports.attention.AttentionReads`."""
        return await self._ask(partial(attention_found.count, tenant=tenant, now=now), tenant)

    async def running_out(
        self, providers: Collection[OdsCode], *, tenant: OdsCode | None, days: int, now: datetime
    ) -> Mapping[OdsCode, int]:
        """See `gateway.ports.attention.AttentionReads`."""
        asked = partial(attention_found.running_out, providers=providers, tenant=tenant, days=days, now=now)
        return await self._ask(asked, tenant)

    async def work_item(self, alert: int, *, tenant: OdsCode | None) -> WorkItem | None:
        """See `gateway.ports.attention.AttentionReads`."""
        return await self._ask(partial(attention.item, alert=alert, tenant=tenant), tenant)

    async def work_notes(self, alert: int, *, tenant: OdsCode | None) -> tuple[WorkNote, ...]:
        """See `gateway.ports.attention.AttentionReads`."""
        return await self._ask(lambda reader: work_notes.of_alert(reader, alert, tenant=tenant), tenant)

    async def stated(self, prescription_id: UUID, *, tenant: OdsCode | None) -> tuple[WorkNote, ...]:
        """See `gateway.ports.attention.AttentionReads`."""
        return await self._ask(lambda reader: work_notes.stated(reader, prescription_id, tenant=tenant), tenant)

    async def covers(self, prescription_id: UUID, *, tenant: OdsCode | None) -> Mapping[UUID, Cover]:
        """See `gateway.ports.attention.AttentionReads`."""
        return await self._ask(lambda reader: work_notes.covers(reader, prescription_id, tenant=tenant), tenant)

    async def covers_held(self, keys: Sequence[int], *, tenant: OdsCode | None) -> Mapping[int, Mapping[UUID, Cover]]:
        """See `gateway.ports.attention.AttentionReads`."""
        return await self._ask(partial(affected.covers, keys=keys, tenant=tenant), tenant)

    async def whose(self, keys: Sequence[int], *, tenant: OdsCode | None) -> Mapping[int, Whose]:
        """See `gateway.ports.attention.AttentionReads`."""
        return await self._ask(partial(affected.whose, keys=keys, tenant=tenant), tenant)

    async def colleagues(self, *, tenant: OdsCode | None) -> tuple[str, ...]:
        """See `gateway.ports.attention.AttentionReads`."""
        return await self._ask(partial(work_notes.colleagues, tenant=tenant), tenant)

    async def aliveness(self, *, tenant: OdsCode | None) -> Aliveness:
        """See `gateway.ports.attention.AttentionReads`."""
        return await self._ask(partial(attention.aliveness, tenant=tenant), tenant)


class AttentionActs(ABC):
    """The acts."""

    _transaction: Transaction

    @abstractmethod
    async def _run(self, write: Callable[[], T]) -> T:
        """Run a write."""

    async def take(
        self, alerts: Sequence[int], *, by: str, seen: Mapping[int, str], tenant: OdsCode | None, now: datetime
    ) -> Mapping[int, str]:
        """See `gateway.ports.attention.WorkWrites`."""
        act = partial(working.take, self._transaction, alerts, by=by, seen=seen)
        return await self._run(partial(act, tenant=tenant, now=now))

    async def hand_over(
        self, alerts: Sequence[int], *, to: str, by: str, seen: Mapping[int, str], tenant: OdsCode | None, now: datetime
    ) -> Mapping[int, str]:
        """See `gateway.ports.attention.WorkWrites`."""
        act = partial(working.hand_over, self._transaction, alerts, to=to, by=by, seen=seen)
        return await self._run(partial(act, tenant=tenant, now=now))

    async def put_off(
        self,
        alert: int,
        *,
        until: datetime,
        latest: datetime,
        reason: str,
        by: str,
        tenant: OdsCode | None,
        now: datetime,
    ) -> str:
        """See `gateway.ports.attention.WorkWrites`."""
        act = partial(working.put_off, self._transaction, alert, until=until, latest=latest, reason=reason, by=by)
        return await self._run(partial(act, tenant=tenant, now=now))

    async def log_call(self, alert: int, call: Call, *, by: str, tenant: OdsCode | None, now: datetime) -> str:
        """See `gateway.ports.attention.WorkWrites`."""
        return await self._run(partial(working.log_call, self._transaction, alert, call, by=by, tenant=tenant, now=now))

    async def reminded(
        self, alerts: Sequence[int], *, person: str, words: str, by: str, tenant: OdsCode | None, now: datetime
    ) -> Mapping[int, str]:
        """See `gateway.ports.attention.WorkWrites`."""
        act = partial(working.reminded, self._transaction, alerts, person=person, words=words, by=by)
        return await self._run(partial(act, tenant=tenant, now=now))
