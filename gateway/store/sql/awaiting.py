"""Changed orders that wait for a cancel which came too late: a person must rule whether they are sent as well.

The alert is on the line that waits, for that is what may never be supplied; the cancelled line has one of its own.

Source: mapping.md 10.3; reliability-security.md I3, I16.
"""

from datetime import datetime
from typing import Final

from gateway.store.sql.alerts import open_alert
from gateway.store.sql.history import line_now
from gateway.store.sql.transaction import Transaction

AWAITS_RULING: Final = "change-awaits-ruling"
_WAITING = """
SELECT DISTINCT allocation.line FROM wait
JOIN cancel ON cancel.line = wait.line AND cancel.state = 'TOO_LATE'
JOIN outbox ON outbox.id = wait.outbox AND outbox.state = 'due'
JOIN allocation ON allocation.message = outbox.message_id AND allocation.ended_at IS NULL
JOIN line ON line.id = allocation.line AND line.state IN ('READY', 'ON_HOLD')
WHERE wait.line = ? AND NOT EXISTS (SELECT 1 FROM ruling WHERE ruling.outbox = wait.outbox)
ORDER BY allocation.line
"""
_TEXT: Final = (
    "The order that this one replaces could not be cancelled in time. It is not sent until you rule whether it is to "
    "be sent as well or dropped."
)


def ask_for_ruling(transaction: Transaction, old: int, *, now: datetime) -> None:
    """Alert a person of every changed order that waits in vain for a line to be cancelled.

    Args:
        transaction: the one in which the cancel came too late, or the changed order began to wait.
        old: row id of the line that was to be cancelled.
        now: when.
    """
    for (row,) in transaction.rows(_WAITING, (old,)):
        subject = str(line_now(transaction, row).id)
        open_alert(transaction, kind=AWAITS_RULING, subject=subject, line=row, at=now, text=_TEXT)
