"""Sending once more, by a person's decision, what the gateway had given up: news to a trust, or a cancel.

The same octets go under the same id. A cancel says twice what it said once, so that nobody is harmed by a repeat; an
order is never sent again this way: what is in doubt is resolved, and what could not be sent is re-routed or closed.

Source: reliability-security.md I7, I12.
"""

from datetime import datetime
from uuid import UUID

from gateway.domain.identifiers import OdsCode
from gateway.store.sql.alerts import close_alert
from gateway.store.sql.instants import stored
from gateway.store.sql.leaves import append_leaf, reason_digest
from gateway.store.sql.transaction import Transaction

_STUCK = """
SELECT DISTINCT outbox.id, outbox.message_id FROM outbox
LEFT JOIN cancel ON cancel.message = outbox.message_id AND cancel.state IN ('ASKED', 'PENDING')
LEFT JOIN event ON event.seq = outbox.news
LEFT JOIN line ON line.id = coalesce(cancel.line, event.line)
LEFT JOIN prescription ON prescription.id = line.prescription
WHERE outbox.state = 'stuck' AND (outbox.kind = 'tell' OR cancel.id IS NOT NULL)
    AND (outbox.message_id = :id OR prescription.uuid = :id) AND (:tenant = '' OR outbox.tenant = :tenant)
ORDER BY outbox.id
"""
_AGAIN = "UPDATE outbox SET state = 'due', due_at = :at WHERE id = :id"
_ALERTS = """
SELECT id FROM alert WHERE closed_at IS NULL AND (kind IN ('tell-stuck', 'transmission-stuck')
    AND (subject = :subject OR subject LIKE :subject || ' %')
    OR kind = 'cancel-not-sent' AND line IN (SELECT line FROM cancel WHERE message = :message))
"""


def resend(
    transaction: Transaction, what: UUID, *, by: str, reason: str, now: datetime, tenant: OdsCode | None = None
) -> int:
    """Make due again what is stuck.

    Args:
        transaction: a write.
        what: the id of a message, or of a prescription: then its cancel and everything its trust was to be told.
        by: short name of the person.
        reason: why it may succeed now.
        now: when.
        tenant: the trust whose messages are meant; None for any.

    Returns:
        How many messages will be sent; the alerts that asked for it are closed.
    """
    rows = transaction.rows(_STUCK, {"id": what.bytes, "tenant": str(tenant or "")})
    for row, message in rows:
        transaction.run(_AGAIN, {"id": row, "at": stored(now)})
        name = str(UUID(bytes=message))
        append_leaf(transaction, "resent", at=now, message=name, by=by, reason_digest=reason_digest(reason))
        for (alert,) in transaction.rows(_ALERTS, {"subject": name, "message": message}):
            close_alert(transaction, alert, by=by, reason=reason, now=now)
    return len(rows)
