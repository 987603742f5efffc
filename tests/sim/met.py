"""What one life met, counted from its tables: a proof is worth as much as what happened in it.

Source: issue 4, the simulator; reliability-security.md 3.4.
"""

from collections import Counter
from typing import Final

import apsw

_EVENTS: Final = "SELECT count(*) FROM event WHERE moved = 1 AND event = '{}'"
_QUESTIONS: Final[dict[str, str]] = {
    "held": "SELECT count(DISTINCT line) FROM event WHERE moved = 1 AND state_after = 'HELD'",
    "waited for screening": "SELECT count(DISTINCT line) FROM event WHERE moved = 1"
    " AND state_after = 'AWAITING_SCREENING'",
    "in doubt": "SELECT count(*) FROM event WHERE moved = 1 AND state_after = 'UNCERTAIN'",
    "sent again word for word": _EVENTS.format("verbatim_retry"),
    "retries spent": _EVENTS.format("retries_spent"),
    "refused format": _EVENTS.format("refused_format"),
    "rejected": _EVENTS.format("rejected"),
    "queried": _EVENTS.format("queried"),
    "returned": _EVENTS.format("returned"),
    "delivery failed": "SELECT count(*) FROM delivery_event WHERE event = 'failed'",
    "fulfilled": _EVENTS.format("last_delivered"),
    "cancelled here": _EVENTS.format("cancel"),
    "cancelled before it came": _EVENTS.format("tombstone_cancel"),
    "cancel confirmed": _EVENTS.format("cancel_confirmed"),
    "cancel too late": "SELECT count(*) FROM cancel WHERE state = 'TOO_LATE'",
    "replaced": "SELECT count(*) FROM event WHERE moved = 1 AND state_after = 'SUPERSEDED'",
    "ruled: send": "SELECT count(*) FROM ruling WHERE ruled = 'send'",
    "ruled: drop": "SELECT count(*) FROM ruling WHERE ruled = 'drop'",
    "put on hold": _EVENTS.format("hold_confirmed"),
    "released": _EVENTS.format("release_confirmed"),
    "given to another": "SELECT count(*) FROM reroute WHERE state = 'DONE'",
    "given up for another": _EVENTS.format("revoked_for_reroute"),
    "expired": _EVENTS.format("validity_over"),
    "expired, its holder told": "SELECT count(*) FROM event WHERE moved = 1 AND event = 'validity_over'"
    " AND text LIKE '%the provider is told'",
    "paused": "SELECT count(*) FROM pause WHERE kind = 'by operator'",
    "resumed": "SELECT count(*) FROM pause WHERE kind = 'by operator' AND ended_at IS NOT NULL",
    "told to a trust": "SELECT count(*) FROM outbox WHERE kind = 'tell' AND state = 'done'",
    "kept apart": "SELECT count(*) FROM kept_apart",
    "moved nothing": "SELECT count(*) FROM event WHERE moved = 0",
}
FROM_TABLES: Final = frozenset(_QUESTIONS)
FROM_ACTORS: Final = frozenset(
    {
        "answered",
        "handed over",
        "passed screening",
        "failed screening",
        "provider removed",
        "removal refused",
        "process killed",
        "restored",
        "reconciled",
        "sent again after a restore",
        "clock jumped back",
        "clock jumped forward",
        "disk failed",
        "provider away",
        "network cut",
        "lie told",
        "whole way",
    }
)
"""What leaves no row of its own; counted by those who do it."""


def count(connection: apsw.Connection) -> Counter[str]:
    """Count what the tables show to have happened."""
    return Counter({name: int(str(connection.execute(question).get)) for name, question in _QUESTIONS.items()})
