"""The time in which a message did not go for a reason that is not its own: it does not age meanwhile.

A pause of its destination, the hold of any line of it, and the time in which nobody knew whether it had arrived, once
a person found that it had not. Where two overlap the time counts once.

Source: mapping.md 10.2 (hold, release; UNCERTAIN, never had it); `gateway.worker.Pace`.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final, TypeAlias
from uuid import UUID

from gateway.domain.identifiers import OdsCode
from gateway.store.sql.instants import instant
from gateway.store.sql.pauses import ended_pauses
from gateway.store.sql.transaction import Transaction

Span: TypeAlias = tuple[datetime, datetime]

_HOLDS: Final = """
SELECT DISTINCT begun.at, (SELECT min(ended.at) FROM event AS ended WHERE ended.line = begun.line
    AND ended.seq > begun.seq AND ended.moved = 1 AND ended.state_before = 'ON_HOLD' AND ended.state_after <> 'ON_HOLD')
FROM allocation JOIN event AS begun ON begun.line = allocation.line
WHERE allocation.message = ? AND begun.moved = 1 AND begun.state_after = 'ON_HOLD' AND begun.state_before <> 'ON_HOLD'
ORDER BY 1
"""
_DOUBTED: Final = """
SELECT DISTINCT begun.at, (SELECT min(ended.at) FROM event AS ended WHERE ended.line = begun.line
    AND ended.seq > begun.seq AND ended.moved = 1 AND ended.event = 'never_had_it')
FROM allocation JOIN event AS begun ON begun.line = allocation.line
WHERE allocation.message = ? AND begun.moved = 1 AND begun.event = 'nothing_decisive'
ORDER BY 1
"""


def idle_since(transaction: Transaction, message: UUID, destination: OdsCode, since: datetime) -> timedelta:
    """Give how long a message was kept back since a moment, by what has ended since."""
    return _covered((*ended_pauses(transaction, destination, since), *_held(transaction, message)), since)


def held_since(transaction: Transaction, message: UUID, since: datetime) -> timedelta:
    """Give how long lines of a message were on hold or in doubt since a moment: deadlines do not run meanwhile."""
    return _covered(_held(transaction, message), since)


def _held(transaction: Transaction, message: UUID) -> list[Span]:
    rows = [*transaction.rows(_HOLDS, (message.bytes,)), *transaction.rows(_DOUBTED, (message.bytes,))]
    return [(instant(begun), instant(ended)) for begun, ended in rows if ended is not None]


def _covered(spans: Iterable[Span], since: datetime) -> timedelta:
    covered, until = timedelta(), since
    for begun, ended in sorted(spans):
        covered += max(ended - max(begun, until), timedelta())
        until = max(until, ended)
    return covered
