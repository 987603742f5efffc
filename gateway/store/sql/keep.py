"""Input with no place among the submissions: kept apart, with an alert."""

from collections.abc import Sequence

from gateway.domain.issue import Issue
from gateway.domain.issue_texts import in_words
from gateway.domain.submission import Answer, Submission
from gateway.ports.acceptance import Refused
from gateway.store.document import encode
from gateway.store.sql.alerts import open_alert
from gateway.store.sql.instants import stored
from gateway.store.sql.leaves import append_leaf
from gateway.store.sql.tell import tell_answer
from gateway.store.sql.transaction import Transaction

_INSERT = """
INSERT INTO kept_apart (tenant, why, format, content_type, received_at, length, digest, body, issues,
    control_id)
VALUES (:tenant, :why, :format, :content_type, :received_at, :length, :digest, :body, :issues, :control_id)
"""
_KEPT = "SELECT 1 FROM kept_apart WHERE tenant = ? AND digest = ? AND why = ? AND body IS NOT NULL"


def keep_apart(
    transaction: Transaction,
    submission: Submission,
    why: Refused,
    issues: Sequence[Issue],
    *,
    keep_bytes: bool,
    answer: Answer | None,
    control_id: str,
) -> None:
    """Keep the bytes, or their length and digest; the bytes of a repeat are kept once, and each sending is answered."""
    tenant = submission.tenant
    known = transaction.row(_KEPT, (tenant.value, submission.digest, why.value))
    row = transaction.insert(
        _INSERT,
        {
            "tenant": tenant.value,
            "why": why.value,
            "format": submission.format.value,
            "content_type": submission.content_type,
            "received_at": stored(submission.received_at),
            "length": submission.length,
            "digest": submission.digest,
            "body": submission.body if keep_bytes and submission.too_large is None and not known else None,
            "issues": encode(tuple(issues)).decode(),
            "control_id": control_id if "\0" not in control_id else "",
        },
    )
    at = submission.received_at
    digest = submission.digest
    append_leaf(transaction, "kept-apart", at=at, tenant=tenant.value, why=why.value, digest=digest)
    subject = f"{tenant}:{digest[:16]}"
    words = in_words(sorted(issue.code for issue in issues))
    text = f"A message of {tenant} was kept apart ({why}). {words}"
    open_alert(transaction, kind=f"submission-{why.value}", subject=subject, at=at, text=text, tenant=tenant)
    if answer is not None and answer.later is not None:
        tell_answer(transaction, submission, f"kept-apart:{transaction.generation}:{row}", answer, now=at)
