"""A clock that jumped: whether it is right, only a person knows, who closes the alert by which that is asked.

Until then nothing ends by the clock. What was to wait for a moment that an earlier clock named is due now, and nobody
keeps work for longer than a lease: that does no harm either way. Limits that began ahead are counted anew when the
alert is closed; where it was the clock that had gone wrong in going back, no line is ahead of it by then.

Source: reliability-security.md I3, I17.
"""

from datetime import datetime, timedelta
from typing import Final

from gateway.domain.deadline import Urgency
from gateway.domain.lifecycle import LineState
from gateway.store.sql.instants import instant, stored
from gateway.store.sql.transaction import Transaction

KIND: Final = "clock-jumped"
DISTRUSTED: Final = "SELECT 1 FROM alert WHERE kind = 'clock-jumped' AND closed_at IS NULL"
"""Whether a person is still to say that the clock is right."""
_LONGEST_LEASE: Final = timedelta(hours=1)
"""No configuration allows a longer one (`gateway/config/load.py`); whoever holds one that is younger keeps it."""
_HASTEN: Final = tuple(
    f"UPDATE {queue} SET due_at = :now WHERE state = 'due' AND due_at > :now"  # noqa: S608 - our own words alone
    for queue in ("outbox", "notice")
)
_CLIP: Final = (
    "UPDATE outbox SET lease_until = :until WHERE state IN ('claimed', 'on_wire') AND lease_until > :until",
    "UPDATE notice SET lease_until = :until WHERE state = 'claimed' AND lease_until > :until",
)
_AHEAD: Final = """
SELECT id, state, urgency, act_by FROM line WHERE act_by > :now AND entered_at > :now ORDER BY id
"""
_LIMIT: Final = "UPDATE line SET act_by = :act_by WHERE id = :line"
_ANSWERS: Final = tuple(
    f"UPDATE {asked} SET answer_by = answer_by - (asked_at - :now)"  # noqa: S608 - our own words alone
    f" WHERE state IN ('ASKED', 'PENDING') AND asked_at > :now AND answer_by IS NOT NULL"
    for asked in ("cancel", "hold", "reroute")
)
_PAPERS: Final = """
UPDATE awaited_paper SET act_by = act_by - (since - :now) WHERE registered_at IS NULL AND since > :now
"""


def hasten(transaction: Transaction, *, now: datetime) -> None:
    """Let nothing wait for a moment that a clock which was ahead had named."""
    for sql in _HASTEN:
        transaction.run(sql, {"now": stored(now)})
    for sql in _CLIP:
        transaction.run(sql, {"until": stored(now + _LONGEST_LEASE)})


def count_from(transaction: Transaction, *, now: datetime) -> None:
    """Count every limit from now that began at a moment which is yet to come. None becomes later."""
    for line, state, urgency, act_by in transaction.rows(_AHEAD, {"now": stored(now)}):
        limit = transaction.deadlines.act_by(LineState(state), Urgency(urgency), now)
        if limit is not None and limit < instant(act_by):
            transaction.run(_LIMIT, {"line": line, "act_by": stored(limit)})
    for sql in (*_ANSWERS, _PAPERS):
        transaction.run(sql, {"now": stored(now)})
