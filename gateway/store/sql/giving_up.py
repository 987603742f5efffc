"""A provider gives up a line that it stated after a restore and that was never sent it from here.

Whatever waited for that goes on: a cancel of the line is confirmed, and an order that was stopped for it is sent. An
order of several lines, of which one was cancelled meanwhile and another was not, stays where it is and is told: its
message is sealed as a whole, and would give the provider what the trust has taken back.

Source: reliability-security.md I22, I7; mapping.md 10.3.
"""

from datetime import datetime
from typing import Final
from uuid import UUID

from gateway.domain.identifiers import OdsCode
from gateway.domain.lifecycle import LineState
from gateway.store.sql.alerts import newest_line, open_alert
from gateway.store.sql.cancels import nobody_has
from gateway.store.sql.history import line_now
from gateway.store.sql.instants import stored
from gateway.store.sql.leaves import append_leaf, reason_digest
from gateway.store.sql.reconciling import end_statement, stated_elsewhere
from gateway.store.sql.transaction import Transaction

_STUCK = """
SELECT outbox.id FROM outbox
JOIN allocation ON allocation.message = outbox.message_id AND allocation.line = ?
WHERE outbox.kind = 'deliver' AND outbox.state = 'stuck' ORDER BY outbox.id DESC LIMIT 1
"""
_LINES = """
SELECT allocation.line, allocation.ended_at IS NULL FROM outbox
JOIN allocation ON allocation.message = outbox.message_id WHERE outbox.id = ? ORDER BY allocation.line
"""
_AGAIN = "UPDATE outbox SET state = 'due', due_at = ? WHERE id = ?"
_DONE = "UPDATE outbox SET state = 'done' WHERE id = ?"
_SPLIT: Final = (
    "Not sent: a line of its message was cancelled while another provider had it. The message cannot be parted: give"
    " the other lines to a provider by a re-route, or have them prescribed anew."
)


def give_up(transaction: Transaction, line_id: UUID, *, provider: OdsCode, by: str, reason: str, now: datetime) -> bool:
    """Take note that a provider gave up what it stated, and let go on what waited for it.

    Returns:
        Whether such a statement stood.
    """
    if not end_statement(transaction, line_id, provider=provider, by=by, reason=reason, now=now):
        return False
    append_leaf(
        transaction,
        "stated-ended",
        at=now,
        line=str(line_id),
        destination=provider.value,
        by=by,
        reason_digest=reason_digest(reason),
    )
    row = newest_line(transaction, line_id.bytes)
    line = line_now(transaction, row) if row is not None else None
    if line is not None and not stated_elsewhere(transaction, line):
        nobody_has(transaction, line, f"given up by {provider}, who had stated it; the cancel stands", now=now)
        _go_on(transaction, line.row, now=now)
    return True


def _go_on(transaction: Transaction, row: int, *, now: datetime) -> None:
    """Send the order that was stopped for the line, if the whole of it may still be sent."""
    found = transaction.row(_STUCK, (row,))
    if found is None:
        return
    lines = [(line_now(transaction, each), bool(current)) for each, current in transaction.rows(_LINES, (found[0],))]
    ready = [line for line, current in lines if current and line.state is LineState.READY]
    if not ready:
        if all(not current for _, current in lines):
            transaction.run(_DONE, (found[0],))
        return
    if len(ready) == len(lines):
        transaction.run(_AGAIN, (stored(now), found[0]))
        return
    for line in ready:
        open_alert(
            transaction, kind="holding-elsewhere", subject=f"{line.id} split", line=line.row, at=now, text=_SPLIT
        )
