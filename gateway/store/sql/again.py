"""Sending again what never left, by one person, to the provider it was for, under the next epoch.

The fence is judged on the rows of this transaction, and once more by the database: no byte of it was ever taken.

Source: console.md 6.3; reliability-security.md I10, I12.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Final, TypeVar
from uuid import UUID

from gateway.domain.fence import Holding, why_not_sent_again
from gateway.domain.identifiers import OdsCode
from gateway.domain.lifecycle import Actor, LineEvent
from gateway.domain.transition import Moved
from gateway.ports.again import Again
from gateway.store.sql.alerts import close_alerts_of
from gateway.store.sql.allocate import deliver, give, store_message
from gateway.store.sql.history import Happening, LineNow, line_now, record_event
from gateway.store.sql.holdings import held_line
from gateway.store.sql.instants import stored
from gateway.store.sql.leaves import append_leaf, reason_digest
from gateway.store.sql.reconciling import stated_elsewhere, unreconciled
from gateway.store.sql.transaction import Transaction

T = TypeVar("T")

_LINE: Final = """
SELECT id, prescription FROM line WHERE uuid = ? AND tenant = ? AND action IN ('new', 'replace')
ORDER BY id DESC LIMIT 1
"""
_INSERT: Final = "INSERT INTO sent_again (line, epoch, person, reason, at) VALUES (?, ?, ?, ?, ?)"
_NOW: Final = """
UPDATE outbox SET due_at = :now WHERE kind = 'deliver' AND state = 'due' AND withheld = 0 AND due_at > :now
    AND message_id IN (
        SELECT allocation.message FROM allocation JOIN line ON line.id = allocation.line
        JOIN prescription ON prescription.id = line.prescription
        WHERE prescription.uuid = :prescription AND prescription.tenant = :tenant
            AND allocation.ended_at IS NULL AND line.state = 'READY')
RETURNING id
"""
_RESTORED: Final = ("restored from a backup: every provider must be reconciled first",)
_MOVED: Final = ("it has moved on since it was looked at; look again",)
_ALERTS: Final = frozenset({"line-undeliverable", "overdue"})


def send_again(transaction: Transaction, request: Again) -> tuple[str, ...]:
    """Make lines ready once more, all or none. Gives why not, in words; empty when it was done."""
    if unreconciled(transaction):
        return _RESTORED
    found = {uuid: transaction.row(_LINE, (uuid.bytes, request.tenant.value)) for uuid in request.seen}
    rows = {uuid: row for uuid, row in found.items() if row is not None}
    if len(rows) < len(found) or set(request.message.line_ids) != request.seen.keys():
        return _MOVED
    chosen = [(line_now(transaction, row[0]), held_line(transaction.rows, row[0])) for row in rows.values()]
    reasons = []
    for line, held in chosen:
        if held.reroute is not None:
            reasons.append(f"a re-route to {held.reroute.wanted.to} is under way")
        else:
            reasons += _why_not(transaction, line, held.holding, request)
    if reasons:
        return tuple(dict.fromkeys(reasons))
    for line, held in chosen:
        _leave(transaction, line, held.holding, request)
    prescription = next(iter(rows.values()))[1]
    store_message(transaction, request.message, prescription, now=request.now)
    give(transaction, request.message, prescription, [line.row for line, _ in chosen], now=request.now)
    deliver(transaction, request.message, request.tenant, now=request.now)
    return ()


def _why_not(transaction: Transaction, line: LineNow, holding: Holding, request: Again) -> tuple[str, ...]:
    moved = holding.epoch != request.seen[line.id] or request.message.epoch <= max(holding.epoch, holding.lost_epochs)
    if moved or request.message.destination != holding.provider:
        return _MOVED
    if stated_elsewhere(transaction, line):
        return ("a provider stated after a restore that it has the line",)
    why = why_not_sent_again(holding)
    return (why,) if why else ()


def _leave(transaction: Transaction, line: LineNow, holding: Holding, request: Again) -> None:
    transaction.run(_INSERT, (line.row, holding.epoch, request.by, request.reason, stored(request.now)))
    happening = Happening(
        event=LineEvent.SENT_AGAIN,
        actor=Actor.TRUST_PHARMACIST,
        at=request.now,
        text=f"by {request.by}: nothing of it ever left",
        reason=request.reason,
    )
    moved = isinstance(record_event(transaction, line, happening).result, Moved)
    if not moved:
        raise AssertionError("the fence opened where the lifecycle has no arrow")
    close_alerts_of(transaction, line.row, kinds=_ALERTS, by=request.by, reason=request.reason, now=request.now)
    facts = {"act": "sent-again", "by": request.by, "reason_digest": reason_digest(request.reason)}
    append_leaf(transaction, "act", at=request.now, line=str(line.id), epoch=holding.epoch, **facts)


def send_now(
    transaction: Transaction, prescription: UUID, *, tenant: OdsCode, by: str, reason: str, now: datetime
) -> int:
    """Try at once what waits for its next attempt. Gives how many messages are due now that were not."""
    values = {"prescription": prescription.bytes, "tenant": tenant.value, "now": stored(now)}
    count = len(transaction.rows(_NOW, values))
    if count:
        facts = {"act": "sent-now", "by": by, "reason_digest": reason_digest(reason)}
        append_leaf(transaction, "act", at=now, prescription=str(prescription), **facts)
    return count


class AgainActs(ABC):
    """The acts."""

    _transaction: Transaction

    @abstractmethod
    async def _run(self, write: Callable[[], T]) -> T:
        """Run a write."""

    async def send_again(self, request: Again) -> tuple[str, ...]:
        """See `gateway.ports.again.AgainWrites`."""
        return await self._run(partial(send_again, self._transaction, request))

    async def send_now(self, prescription: UUID, *, tenant: OdsCode, by: str, reason: str, now: datetime) -> int:
        """See `gateway.ports.again.AgainWrites`."""
        write = partial(send_now, self._transaction, prescription)
        return await self._run(partial(write, tenant=tenant, by=by, reason=reason, now=now))
