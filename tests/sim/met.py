"""What one life met, counted from its tables: a proof is worth as much as what happened in it.

Source: issue 4, the simulator; reliability-security.md 3.4.
"""

from collections import Counter
from typing import Final

import apsw

_EVENTS: Final = "SELECT count(*) FROM event WHERE moved = 1 AND event = '{}'"
_BY_PERSON: Final = "SELECT count(*) FROM event WHERE event IN ({}) AND text LIKE 'asked at the console by %'"
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
    "sent again by a person": _EVENTS.format("sent_again"),
    "closed by a person": _EVENTS.format("close"),
    "sent again, and closed": "SELECT count(*) FROM event WHERE moved = 1 AND event = 'close' AND EXISTS (SELECT 1"
    " FROM sent_again WHERE sent_again.line = event.line)",
    "sent again, and supplied": "SELECT count(*) FROM event WHERE event = 'last_delivered' AND EXISTS (SELECT 1"
    " FROM sent_again WHERE sent_again.line = event.line)",
    "question answered": _EVENTS.format("answered"),
    "rejected after a question": "SELECT count(*) FROM event WHERE moved = 1 AND event = 'rejected' AND EXISTS ("
    "SELECT 1 FROM event AS earlier WHERE earlier.line = event.line AND earlier.event = 'queried')",
    "cancelled by a person": _BY_PERSON.format("'cancel', 'cancel_confirmed'"),
    "cancel asked by a person": _BY_PERSON.format("'cancel_asked'"),
    "held by a person": _BY_PERSON.format("'hold_confirmed'"),
    "hold asked by a person": _BY_PERSON.format("'hold_asked'"),
    "released by a person": _BY_PERSON.format("'release_confirmed'"),
    "release asked by a person": _BY_PERSON.format("'release_asked'"),
    "agreed by two, and done": "SELECT count(*) FROM proposal WHERE state = 'done'",
    "agreed by two, and too late": "SELECT count(*) FROM proposal WHERE state = 'not-done'",
    "proposal withdrawn": "SELECT count(*) FROM proposal WHERE state = 'withdrawn'",
    "re-route called off": "SELECT count(*) FROM reroute WHERE state = 'OFF'",
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
        "cancel confirmed once more",
        "clock jumped back",
        "clock jumped forward",
        "clock seen to go back",
        "disk failed",
        "provider away",
        "network cut",
        "lie told",
        "busy, and taken",
        "known after all",
        "whole way",
    }
)
"""What leaves no row of its own; counted by those who do it."""


def count(connection: apsw.Connection) -> Counter[str]:
    """Count what the tables show to have happened."""
    return Counter({name: int(str(connection.execute(question).get)) for name, question in _QUESTIONS.items()})
