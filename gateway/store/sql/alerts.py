"""Alerts: rows that only a person closes, with a reason. One is open for a kind and a subject at a time."""

from datetime import datetime
from typing import Any

from gateway.domain.calendar import LONDON
from gateway.domain.identifiers import OdsCode
from gateway.domain.issue import Effect, Issue
from gateway.domain.lifecycle import LineState
from gateway.domain.medicine_risk import ORDINARY
from gateway.domain.work_item import INCIDENTS, REASONS, SILENT, measures_slack, reason_of, risk_of
from gateway.store.document import decode
from gateway.store.sql import clock_jumps
from gateway.store.sql.instants import stored
from gateway.store.sql.leaves import append_leaf, reason_digest
from gateway.store.sql.reckoning import reckon
from gateway.store.sql.transaction import Transaction

_OPEN = """
INSERT INTO alert (kind, subject, line, tenant, opened_at, text, place, last_day, risk, provider, silent)
VALUES (:kind, :subject, :line, :tenant, :at, :text, :place, :last_day, :risk, :provider, :silent)
ON CONFLICT (kind, subject) WHERE closed_at IS NULL DO NOTHING
"""
_CLOSE = """
UPDATE alert SET closed_at = :at, closed_by = :by, close_reason = :reason WHERE id = :alert AND closed_at IS NULL
"""
_CLOSED = "SELECT kind, subject FROM alert WHERE id = ?"
_OPEN_OF_LINE = "SELECT id, kind FROM alert WHERE line = ? AND closed_at IS NULL ORDER BY id"
OF_STATES = frozenset({"overdue", *(f"line-{state.lower().replace('_', '-')}" for state in LineState)})
"""Alerts that say no more than where a line stands or stood: nobody needs them once a person has ended it."""
_HOLDS = frozenset({Effect.HOLD_MAP, Effect.HOLD_SOURCE})
_LINE = "SELECT tenant, provider, state FROM line WHERE id = ?"
_IS_OPEN = "SELECT 1 FROM alert WHERE kind = ? AND subject = ? AND closed_at IS NULL"
_NEWEST_LINE = "SELECT id FROM line WHERE uuid = ? ORDER BY id DESC LIMIT 1"


def open_alert(
    transaction: Transaction,
    *,
    kind: str,
    subject: str,
    at: datetime,
    text: str,
    line: int | None = None,
    tenant: OdsCode | None = None,
) -> bool:
    """Open an alert unless one of the kind is open for the subject.

    Args:
        transaction: the one whose facts give rise to it.
        kind: what a person is told: `line-rejected`, `safety-incident`, …
        subject: opaque name of what it is about.
        at: when.
        text: words for people; never patient data.
        line: row id of the line it is about.
        tenant: the trust that sees it; the line's own where there is one.

    Returns:
        Whether a new one was opened.
    """
    if transaction.row(_IS_OPEN, (kind, subject)) is not None:
        return False
    seen_by, provider, state = _line_of(transaction, line) or (str(tenant or "") or None, None, None)
    values = {"kind": kind, "subject": subject, "line": line, "tenant": seen_by, "at": stored(at), "text": text}
    standing = _standing(transaction, kind, line, state, at)
    if not transaction.changed(_OPEN, {**values, "provider": provider, **standing}):
        return False
    append_leaf(transaction, "alert", at=at, alert=kind, subject=subject)
    return True


def close_alert(transaction: Transaction, alert: int, *, by: str, reason: str, now: datetime) -> bool:
    """Close an alert for good.

    Args:
        transaction: a write.
        alert: its number.
        by: short name of the person.
        reason: what was done about it.
        now: when.

    Returns:
        Whether it was open. Where its cause lasts, the watch opens another. Of a clock that jumped it says that the
        clock is right now: limits that were counted ahead of it count from now.
    """
    if not transaction.changed(_CLOSE, {"alert": alert, "by": by, "reason": reason, "at": stored(now)}):
        return False
    row = transaction.row(_CLOSED, (alert,))
    assert row is not None
    kind, subject = row
    if kind == clock_jumps.KIND:
        clock_jumps.count_from(transaction, now=now)
    digest = reason_digest(reason)
    append_leaf(
        transaction, "alert-closed", at=now, alert=kind, number=alert, subject=subject, by=by, reason_digest=digest
    )
    return True


def close_alerts_of(
    transaction: Transaction, line: int, *, kinds: frozenset[str], by: str, reason: str, now: datetime
) -> None:
    """Close the alerts of these kinds that are open for a line, because a person acted on what they ask for."""
    for alert, kind in transaction.rows(_OPEN_OF_LINE, (line,)):
        if kind in kinds:
            close_alert(transaction, alert, by=by, reason=reason, now=now)


def holding(issues: str) -> tuple[Issue, ...]:
    """Give the issues for which an order is held.

    Args:
        issues: as a prescription's row holds them.
    """
    return tuple(issue for issue in decode(issues.encode(), tuple[Issue, ...]) if issue.effect in _HOLDS)


def held_for(issues: str) -> tuple[str, ...]:
    """Give the codes for which an order is held, each once."""
    return tuple(dict.fromkeys(issue.code for issue in holding(issues)))


def newest_line(transaction: Transaction, uuid: bytes) -> int | None:
    """Give the row id of the newest line that bears this item id."""
    row = transaction.row(_NEWEST_LINE, (uuid,))
    return row[0] if row else None


def _line_of(transaction: Transaction, line: int | None) -> tuple[str | None, str | None, LineState | None] | None:
    row = transaction.row(_LINE, (line,)) if line is not None else None
    return (row[0], row[1], LineState(row[2])) if row is not None else None


def _standing(
    transaction: Transaction, kind: str, line: int | None, state: LineState | None, at: datetime
) -> dict[str, Any]:
    """Give where an alert will stand on the list: by what is left of the medicine, or else by its usual limit."""
    reason = reason_of(kind, state)
    reckoned = reckon(transaction.connection.execute, line) if line is not None else None
    limit = (at + REASONS[reason].limit).astimezone(LONDON).date().isoformat()
    return {
        "place": int(kind not in INCIDENTS),
        "last_day": reckoned.last_day if reckoned is not None and measures_slack(reason) else limit,
        "risk": risk_of(kind, reckoned.risk if reckoned is not None else ORDINARY.rank),
        "silent": int(reason in SILENT),
    }
