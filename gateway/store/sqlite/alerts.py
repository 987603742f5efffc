"""Alerts: rows that a person must close. One is open for a kind and a subject at a time."""

from datetime import datetime

from gateway.domain.identifiers import OdsCode
from gateway.store.sqlite.instants import stored
from gateway.store.sqlite.leaves import append_leaf
from gateway.store.sqlite.transaction import Transaction

_OPEN = """
INSERT INTO alert (kind, subject, line, tenant, opened_at, text)
VALUES (:kind, :subject, :line, :tenant, :at, :text)
ON CONFLICT (kind, subject) WHERE closed_at IS NULL DO NOTHING
"""
_LINE_TENANT = "SELECT tenant FROM line WHERE id = ?"
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
    seen_by = _tenant_of(transaction, line) if line is not None else str(tenant or "") or None
    values = {"kind": kind, "subject": subject, "line": line, "tenant": seen_by, "at": stored(at), "text": text}
    if not transaction.changed(_OPEN, values):
        return False
    append_leaf(transaction, "alert", at=at, alert=kind, subject=subject)
    return True


def newest_line(transaction: Transaction, uuid: bytes) -> int | None:
    """Give the row id of the newest line that bears this item id."""
    row = transaction.row(_NEWEST_LINE, (uuid,))
    return row[0] if row else None


def _tenant_of(transaction: Transaction, line: int) -> str | None:
    row = transaction.row(_LINE_TENANT, (line,))
    return row[0] if row else None
