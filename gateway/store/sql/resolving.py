"""What a person found out about a transmission in doubt: the provider has it, or never had it (I12).

The row's lines move by the lifecycle and the alerts that asked for this are closed in the same transaction, by the same
person, with the evidence as the reason. Nothing is resolved while an attempt is under way: its outcome will say more.
"""

from datetime import datetime
from uuid import UUID

from gateway.domain.identifiers import OdsCode
from gateway.domain.lifecycle import Actor, LineEvent, LineState
from gateway.domain.transition import Moved
from gateway.ports.work import Whereabouts
from gateway.store.sql import holds
from gateway.store.sql.alerts import close_alerts_of
from gateway.store.sql.cancels import never_left
from gateway.store.sql.claims import finish
from gateway.store.sql.history import Happening, LineNow, line_now, record_event
from gateway.store.sql.instants import stored
from gateway.store.sql.leaves import append_leaf, reason_digest
from gateway.store.sql.transaction import Transaction

_LINES = """
SELECT line.id, outbox.id, outbox.state
FROM prescription JOIN line ON line.prescription = prescription.id
JOIN allocation ON allocation.line = line.id AND allocation.ended_at IS NULL AND allocation.epoch = line.epoch
JOIN outbox ON outbox.message_id = allocation.message
WHERE prescription.uuid = ? AND ? IN ('', prescription.tenant) AND line.state = 'UNCERTAIN' ORDER BY line.id
"""
_AGAIN = """
UPDATE outbox SET state = 'due', due_at = :at, possible_duplicate = 0, lease = NULL, lease_until = NULL WHERE id = :id
"""
_OPEN = """
SELECT allocation.line FROM outbox JOIN allocation ON allocation.message = outbox.message_id
WHERE outbox.id = ? AND allocation.ended_at IS NULL ORDER BY allocation.line
"""
_TO_SEND = """
SELECT 1 FROM outbox JOIN allocation ON allocation.message = outbox.message_id AND allocation.ended_at IS NULL
JOIN line ON line.id = allocation.line AND line.epoch = allocation.epoch
WHERE outbox.id = ? AND line.state = 'READY'
"""
_ALERTS = frozenset({"line-uncertain", "overdue"})


def resolve_doubt(
    transaction: Transaction,
    prescription: UUID,
    *,
    found: Whereabouts,
    evidence: str,
    by: str,
    now: datetime,
    tenant: OdsCode | None = None,
) -> int:
    """Move every uncertain line of a prescription, of one trust or of any, by what its provider was found to have.

    Returns:
        How many lines moved: none where none is in doubt, or where an attempt is under way.
    """
    rows = transaction.rows(_LINES, (prescription.bytes, str(tenant or "")))
    if any(state == "on_wire" for _, _, state in rows):
        return 0
    lines = [line_now(transaction, row) for row, _, _ in rows]
    moved = sum(_resolve(transaction, line, found=found, evidence=evidence, by=by, now=now) for line in lines)
    for outbox in {outbox for _, outbox, _ in rows}:
        _settle(transaction, outbox, found, now)
    return moved


def _settle(transaction: Transaction, outbox: int, found: Whereabouts, now: datetime) -> None:
    """Finish the row, or make it due again: the octets and their id stay as they were, and it is no duplicate."""
    lines = [line_now(transaction, row) for (row,) in transaction.rows(_OPEN, (outbox,))]
    if found is Whereabouts.NEVER_ARRIVED:
        never_left(transaction, lines, goes=True, now=now)
    if found is Whereabouts.NEVER_ARRIVED and transaction.row(_TO_SEND, (outbox,)):
        transaction.run(_AGAIN, {"id": outbox, "at": stored(now)})
        holds.never_left(transaction, lines, now=now)
    else:
        finish(transaction, outbox, "done")


def _resolve(
    transaction: Transaction, line: LineNow, *, found: Whereabouts, evidence: str, by: str, now: datetime
) -> bool:
    event, actor = {
        # The provider's own people say so; the operator writes it down.
        Whereabouts.WITH_PROVIDER: (LineEvent.ARRIVED, Actor.PROVIDER_PHARMACIST),
        Whereabouts.NEVER_ARRIVED: (LineEvent.NEVER_HAD_IT, Actor.OPERATOR),
    }[found]
    assert line.state is LineState.UNCERTAIN
    close_alerts_of(transaction, line.row, kinds=_ALERTS, by=by, reason=evidence, now=now)
    kept = record_event(transaction, line, Happening(event=event, actor=actor, at=now, text=f"{by}: {evidence}"))
    append_leaf(
        transaction,
        "resolved",
        at=now,
        line=str(line.id),
        epoch=line.epoch,
        found=found.value,
        by=by,
        reason_digest=reason_digest(evidence),
        event_seq=kept.seq,
    )
    return isinstance(kept.result, Moved)
