"""What a person asks of lines at the console: through the same doors as what the trust's own message asks.

The submission that brought the order stands for the one that did not come; the person stands in the event, the reason
and the audit leaf. The lines must be exactly as the person saw them, in this transaction.

Source: mapping.md 10.2 and 10.3; reliability-security.md I7, I16; console.md 7.
"""

from typing import Final
from uuid import UUID

from gateway.domain.asking import AskedFor, Seen, Wish
from gateway.domain.cancel import CancelState
from gateway.domain.hold import HoldState
from gateway.ports.acceptance import OvertakenError
from gateway.ports.asking import PersonsRequest
from gateway.store.sql import cancels, holds
from gateway.store.sql.alerts import OF_STATES, close_alerts_of
from gateway.store.sql.history import last_event, line_now
from gateway.store.sql.leaves import append_leaf, reason_digest
from gateway.store.sql.tell import tell_news
from gateway.store.sql.transaction import Transaction

_LINE: Final = """
SELECT line.id, prescription.submission FROM line JOIN prescription ON prescription.id = line.prescription
WHERE line.uuid = :line AND line.tenant = :tenant AND line.action IN ('new', 'replace')
ORDER BY line.state IN ('REFUSED', 'CANCELLED', 'SUPERSEDED', 'EXPIRED', 'CLOSED'), line.id DESC LIMIT 1
"""
_ENDED_HERE: Final = OF_STATES | {"change-awaits-ruling"}
"""What no longer needs anybody once a line is cancelled here."""


def ask(transaction: Transaction, request: PersonsRequest) -> None:
    """Apply what a person asks.

    Raises:
        OvertakenError: a line has moved since it was looked at.
        Unavailable: it rests on nothing having left, which nobody knows until a restore is reconciled.
    """
    wish = request.wish
    rows = {line: _row(transaction, wish, line, seen) for line, seen in wish.lines.items()}
    for cancel in request.cancels:
        row, submission = rows[cancel.line_id] if cancel.line_id in rows else _other(transaction, wish, cancel.line_id)
        cancels.ask(transaction, cancel, _asked(request, submission))
        _after(transaction, request, row, done=cancel.state is CancelState.CONFIRMED)
    for hold in request.holds:
        row, submission = rows[hold.line_id]
        holds.ask(transaction, hold, _asked(request, submission))
        _after(transaction, request, row, done=hold.state is HoldState.CONFIRMED)


def _asked(request: PersonsRequest, submission: int) -> cancels.Asked:
    wish = request.wish
    return cancels.Asked(tenant=wish.tenant, submission=submission, now=request.now, actor=wish.actor, by=wish.by)


def _row(transaction: Transaction, wish: Wish, line: UUID, seen: Seen) -> tuple[int, int]:
    """Give the rows of a line and of the submission that brought it, if it is as it was seen."""
    row, submission = _other(transaction, wish, line)
    now = line_now(transaction, row)
    if (now.state, now.epoch) != (seen.state, seen.epoch):
        raise OvertakenError
    return row, submission


def _other(transaction: Transaction, wish: Wish, line: UUID) -> tuple[int, int]:
    """Give the same of a line that goes with those that were seen: a change of one that is held."""
    found = transaction.row(_LINE, {"line": line.bytes, "tenant": wish.tenant.value})
    if found is None:
        raise OvertakenError
    return found[0], found[1]


def _after(transaction: Transaction, request: PersonsRequest, row: int, *, done: bool) -> None:
    """Say who it was; where it is done at once, tell the trust's system, and take away what asked for it."""
    wish, line = request.wish, line_now(transaction, row)
    if done:
        tell_news(transaction, row, last_event(transaction, row), now=request.now)
    if done and wish.what is AskedFor.CANCEL:
        close_alerts_of(transaction, row, kinds=_ENDED_HERE, by=wish.by, reason=wish.reason, now=request.now)
    append_leaf(
        transaction,
        "act",
        at=request.now,
        act=f"{wish.what}-asked",
        by=wish.by,
        reason_digest=reason_digest(wish.reason),
        line=str(line.id),
        epoch=line.epoch,
        done=int(done),
    )
