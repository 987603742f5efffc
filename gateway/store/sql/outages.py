"""Planned outages of providers: rows that are written once, and withdrawn at most once.

Source: console.md 6.5, 6.10.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Final, TypeVar

from gateway.domain.identifiers import OdsCode
from gateway.ports.outages import Outage, PlannedOutage
from gateway.store.sql.instants import instant, stored
from gateway.store.sql.leaves import append_leaf, reason_digest
from gateway.store.sql.transaction import Reader, Transaction

T = TypeVar("T")

_PLAN: Final = """
INSERT INTO planned_outage (provider, begins, ends, note, told_by, told_at)
VALUES (:provider, :begins, :ends, :note, :by, :at)
ON CONFLICT (ends, provider, begins) WHERE withdrawn_at IS NULL DO NOTHING
"""
_WITHDRAW: Final = """
UPDATE planned_outage SET withdrawn_at = :at, withdrawn_by = :by, reason = :reason
WHERE id = :number AND provider = :provider AND withdrawn_at IS NULL AND ends > :at
"""
_OPEN: Final = """
SELECT id, provider, begins, ends, note, told_by, told_at FROM planned_outage
WHERE withdrawn_at IS NULL AND ends > ? ORDER BY begins, id LIMIT 500
"""


def plan_outage(transaction: Transaction, outage: Outage) -> bool:
    """Write an outage down. Tells whether it is new."""
    values = {"provider": outage.provider.value, "begins": stored(outage.begins), "ends": stored(outage.ends)}
    said = {"note": outage.note, "by": outage.by, "at": stored(outage.at)}
    if not transaction.changed(_PLAN, {**values, **said}):
        return False
    named = {"destination": outage.provider.value, "by": outage.by, "reason_digest": reason_digest(outage.note)}
    times = {"begins": outage.begins.isoformat(), "ends": outage.ends.isoformat()}
    append_leaf(transaction, "outage-planned", at=outage.at, **named, **times)
    return True


def withdraw_outage(
    transaction: Transaction, number: int, *, provider: OdsCode, by: str, reason: str, now: datetime
) -> bool:
    """Take note that an outage will not be. Tells whether it stood."""
    values = {"number": number, "provider": provider.value, "by": by, "reason": reason, "at": stored(now)}
    if not transaction.changed(_WITHDRAW, values):
        return False
    named = {"destination": provider.value, "by": by, "reason_digest": reason_digest(reason)}
    append_leaf(transaction, "outage-withdrawn", at=now, number=number, **named)
    return True


def planned_outages(reader: Reader, *, now: datetime) -> tuple[PlannedOutage, ...]:
    """Give those that are not over, the soonest first."""
    return tuple(
        PlannedOutage(
            number=number,
            outage=Outage(
                provider=OdsCode(provider),
                begins=instant(begins),
                ends=instant(ends),
                note=note,
                by=by,
                at=instant(at),
            ),
        )
        for number, provider, begins, ends, note, by, at in reader.execute(_OPEN, (stored(now),))
    )


class OutageAnswers(ABC):
    """The question."""

    @abstractmethod
    async def _ask(self, question: Callable[[Reader], T], tenant: OdsCode | None = None) -> T:
        """Run a question."""

    async def planned_outages(self, *, now: datetime) -> tuple[PlannedOutage, ...]:
        """See `gateway.ports.outages.OutageReads`."""
        return await self._ask(lambda reader: planned_outages(reader, now=now))


class OutageActs(ABC):
    """The acts."""

    _transaction: Transaction

    @abstractmethod
    async def _run(self, write: Callable[[], T]) -> T:
        """Run a write."""

    async def plan_outage(self, outage: Outage) -> bool:
        """See `gateway.ports.outages.OutageWrites`."""
        return await self._run(partial(plan_outage, self._transaction, outage))

    async def withdraw_outage(self, number: int, *, provider: OdsCode, by: str, reason: str, now: datetime) -> bool:
        """See `gateway.ports.outages.OutageWrites`."""
        withdraw = partial(withdraw_outage, self._transaction, number, provider=provider)
        return await self._run(partial(withdraw, by=by, reason=reason, now=now))
