"""A provider that speaks of what its own system said it had not taken: nobody knows any more, and nothing is sent.

Between the gateway and a provider stand others, and one of them may say *busy* of what went through. Sent again
the order could be supplied twice, and a cancel would be confirmed here of what the provider has.

Source: reliability-security.md I2, I7, I12.
"""

from datetime import datetime
from typing import Final
from uuid import UUID

from gateway.domain.hold import beneath
from gateway.domain.lifecycle import Actor, LineEvent, LineState
from gateway.store.sql.alerts import open_alert
from gateway.store.sql.binding import Pairs
from gateway.store.sql.claims import lines_now
from gateway.store.sql.history import Happening, LineNow, record_event
from gateway.store.sql.transaction import Transaction

_SPEAKS_OF_IT: Final = frozenset(
    {
        LineEvent.ARRIVED,
        LineEvent.ACCEPTED,
        LineEvent.VALIDATED,
        LineEvent.QUERIED,
        LineEvent.REJECTED,
        LineEvent.REFUSED_FORMAT,
        LineEvent.RETURNED,
        LineEvent.NOT_SUPPLIED,
        LineEvent.SUPPLY_PLANNED,
        LineEvent.POSTPONED,
        LineEvent.DISPENSING_STARTED,
        LineEvent.DISPENSED,
        LineEvent.DISPATCHED,
        LineEvent.DELIVERED,
        LineEvent.LAST_DELIVERED,
        LineEvent.DELIVERY_FAILED,
        LineEvent.SUPPLY_SHORT,
        LineEvent.BALANCE_SUPPLIED,
        LineEvent.BALANCE_WILL_NOT_COME,
        LineEvent.SUPPLY_WITHDRAWN,
    }
)
"""What nobody can say of an order that never came."""
_TRIED: Final = """
SELECT outbox.id, outbox.message_id FROM allocation JOIN outbox ON outbox.message_id = allocation.message
JOIN attempt ON attempt.outbox = outbox.id AND attempt.outcome = 'on_wire'
WHERE allocation.line = ? AND allocation.ended_at IS NULL AND outbox.kind = 'deliver'
    AND outbox.state IN ('due', 'claimed') LIMIT 1
"""
_STOP: Final = """
UPDATE outbox SET state = 'stuck', withheld = 0, possible_duplicate = 1, lease = NULL, lease_until = NULL WHERE id = ?
"""
_TEXT: Final = "The provider speaks of an order that its system had said it did not take. It is not sent again."


def doubt(transaction: Transaction, pairs: Pairs, *, now: datetime) -> bool:
    """Call the orders in doubt that wait to be sent again, where their provider turns out to know them.

    Nothing that was never on the wire: what speaks of that is not believed.

    Args:
        transaction: the answer's own, before what it says is followed.
        pairs: what it says of which line, bound to the provider and the epoch that have it.
        now: when.

    Returns:
        Whether a line moved.
    """
    doubted = False
    for line in [line for report, line in pairs if report.event in _SPEAKS_OF_IT and _waits(line)]:
        order = transaction.row(_TRIED, (line.row,))
        if order is not None:  # the other lines of a message are doubted with the first
            _doubt(transaction, order[0], UUID(bytes=order[1]), now=now)
            doubted = True
    return doubted


def _doubt(transaction: Transaction, row: int, message: UUID, *, now: datetime) -> None:
    transaction.run(_STOP, (row,))
    for line in [line for line, current in lines_now(transaction, message) if current and _waits(line)]:
        happening = Happening(event=LineEvent.NOTHING_DECISIVE, actor=Actor.GATEWAY, at=now, text=_TEXT, act_by=now)
        record_event(transaction, line, happening)
        open_alert(transaction, kind="answer-unexpected", subject=str(line.id), line=line.row, at=now, text=_TEXT)


def _waits(line: LineNow) -> bool:
    return beneath(line.state, line.before) is LineState.READY
