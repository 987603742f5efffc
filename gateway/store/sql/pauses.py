"""Destinations to which nothing is sent until a person lets them go on. Deadlines go on running meanwhile.

Source: issue "never lost, never twice", build 6; reliability-security.md I3, I22.
"""

from datetime import datetime
from typing import Final

from gateway.domain.identifiers import OdsCode
from gateway.domain.reconciliation import AFTER_RESTORE, TRUST_AFTER_RESTORE
from gateway.enquiries import PauseView
from gateway.store.sql.instants import instant, stored
from gateway.store.sql.leaves import append_leaf, reason_digest
from gateway.store.sql.transaction import Reader, Transaction

_BEGIN = """
INSERT INTO pause (destination, kind, begun_at, begun_by, reason) VALUES (:destination, :kind, :at, :by, :reason)
ON CONFLICT (destination, kind) WHERE ended_at IS NULL DO NOTHING
"""
_END = """
UPDATE pause SET ended_at = :at, ended_by = :by, end_reason = :reason
WHERE destination = :destination AND kind = :kind AND ended_at IS NULL
"""
HOLDS_ORDERS: Final = f"(kind = '{AFTER_RESTORE}' OR kind = '{TRUST_AFTER_RESTORE}' AND destination = {{tenant}})"
"""Of a pause: a trust's orders wait for it wherever they go, since a restore."""
_PAUSED = f"""
SELECT 1 FROM pause WHERE ended_at IS NULL
    AND (destination = :destination OR :tenant <> '' AND {HOLDS_ORDERS.format(tenant=":tenant")})
"""  # noqa: S608 - of our own words alone
_ENDED = "SELECT begun_at, ended_at FROM pause WHERE destination = ? AND ended_at > ? ORDER BY begun_at"
_OPEN = "SELECT destination, kind, begun_at, begun_by, reason FROM pause WHERE ended_at IS NULL ORDER BY id"


def pause(transaction: Transaction, destination: OdsCode, *, kind: str, by: str, reason: str, now: datetime) -> bool:
    """Send nothing more to a destination. Tells whether it was not paused for this kind of reason before."""
    values = {"destination": destination.value, "kind": kind, "at": stored(now), "by": by, "reason": reason}
    if not transaction.changed(_BEGIN, values):
        return False
    _leaf(transaction, "pause", at=now, destination=destination, pause=kind, by=by, why=reason)
    return True


def resume(transaction: Transaction, destination: OdsCode, *, kind: str, by: str, reason: str, now: datetime) -> bool:
    """End the pause of one kind. Tells whether there was one; others of the destination stay."""
    values = {"destination": destination.value, "kind": kind, "at": stored(now), "by": by, "reason": reason}
    if not transaction.changed(_END, values):
        return False
    _leaf(transaction, "resume", at=now, destination=destination, pause=kind, by=by, why=reason)
    return True


def may_send(transaction: Transaction, destination: OdsCode, *, ordered_by: OdsCode | None) -> bool:
    """Tell whether something may be sent to a destination now.

    Args:
        transaction: in which it is about to leave.
        destination: where to.
        ordered_by: of an order the trust, which waits after a restore until every provider and itself are reconciled.
    """
    values = {"destination": destination.value, "tenant": ordered_by.value if ordered_by is not None else ""}
    return transaction.row(_PAUSED, values) is None


def ended_pauses(transaction: Transaction, destination: OdsCode, since: datetime) -> list[tuple[datetime, datetime]]:
    """Give from when till when a destination was paused, of the pauses that ended after a moment."""
    rows = transaction.rows(_ENDED, (destination.value, stored(since)))
    return [(instant(begun), instant(ended)) for begun, ended in rows]


def open_pauses(reader: Reader) -> tuple[PauseView, ...]:
    """Give every pause that has not ended, oldest first."""
    return tuple(
        PauseView(destination=OdsCode(row[0]), kind=row[1], begun_at=instant(row[2]), begun_by=row[3], reason=row[4])
        for row in reader.execute(_OPEN)
    )


def _leaf(
    transaction: Transaction, act: str, *, at: datetime, destination: OdsCode, pause: str, by: str, why: str
) -> None:
    digest = reason_digest(why)
    append_leaf(transaction, act, at=at, destination=destination.value, pause=pause, by=by, reason_digest=digest)
