"""What the store and its reading side do with notices outside the console, as `gateway.ports.notices` promises it."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import TypeVar

from gateway.domain.escalation import Unattended
from gateway.domain.identifiers import OdsCode
from gateway.domain.notice import Channel, Outgoing, Standing
from gateway.ports.notices import Attempted, NoticeCounts, NoticeView, Step, Summary
from gateway.store.sql import escalating
from gateway.store.sql.transaction import Reader, Transaction

T = TypeVar("T")


class NoticeAnswers(ABC):
    """The questions."""

    @abstractmethod
    async def _ask(self, question: Callable[[Reader], T], tenant: OdsCode | None = None) -> T:
        """Run a question."""

    async def unattended(self, *, now: datetime, after: int = 0, limit: int = 2000) -> tuple[Unattended, ...]:
        """See `gateway.ports.notices.NoticeReads`."""
        return await self._ask(partial(escalating.unattended, now=now, after=after, limit=limit))

    async def notices_of(self, alert: int, *, tenant: OdsCode | None) -> tuple[NoticeView, ...]:
        """See `gateway.ports.notices.NoticeReads`."""
        return await self._ask(lambda reader: escalating.of_alert(reader, alert, tenant=tenant), tenant)

    async def notice_counts(self, *, now: datetime) -> NoticeCounts:
        """See `gateway.ports.notices.NoticeReads`."""
        return await self._ask(partial(escalating.counts, now=now))

    async def standing_of(self, tenant: OdsCode | None, *, now: datetime) -> Standing:
        """See `gateway.ports.notices.NoticeReads`."""
        return await self._ask(lambda reader: escalating.standing(reader, tenant, now=now), tenant)


class NoticeActs(ABC):
    """The writes."""

    _transaction: Transaction

    @abstractmethod
    async def _run(self, write: Callable[[], T]) -> T:
        """Run a write."""

    async def tell_step(self, step: Step, *, now: datetime) -> int:
        """See `gateway.ports.notices.NoticeWrites`."""
        return await self._run(partial(escalating.tell_step, self._transaction, step, now=now))

    async def tell_summary(self, summary: Summary, *, now: datetime) -> bool:
        """See `gateway.ports.notices.NoticeWrites`."""
        return await self._run(partial(escalating.tell_summary, self._transaction, summary, now=now))

    async def claim_notices(
        self, channel: Channel, *, worker: str, now: datetime, lease_seconds: float, limit: int
    ) -> tuple[Outgoing, ...]:
        """See `gateway.ports.notices.NoticeWrites`."""
        claim = partial(escalating.claim, self._transaction, channel, worker=worker, now=now)
        return await self._run(partial(claim, lease_seconds=lease_seconds, limit=limit))

    async def record_notice(self, notice: Outgoing, outcome: Attempted, *, now: datetime) -> bool:
        """See `gateway.ports.notices.NoticeWrites`."""
        return await self._run(partial(escalating.record, self._transaction, notice, outcome, now=now))
