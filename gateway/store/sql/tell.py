"""Outbox rows for trusts: news of a line, and application answers that follow the first one."""

from datetime import datetime
from uuid import UUID

from gateway.domain.identifiers import OdsCode, derived_id
from gateway.domain.submission import Answer, Submission
from gateway.store.sql.instants import stored
from gateway.store.sql.transaction import Transaction

_TELL = """
INSERT INTO outbox (kind, destination, tenant, message_id, octets, content_type, news, accepted_at, due_at, state)
VALUES ('tell', :tenant, :tenant, :message, :octets, :content_type, :news, :at, :at, 'due')
"""
_TENANT = "SELECT tenant FROM line WHERE id = ?"


def answer_id(tenant: str, key: str) -> UUID:
    """Give the id under which the later answer to a trust's message is sent."""
    return derived_id("answer", tenant, key)


def tell_answer(transaction: Transaction, submission: Submission, key: str, answer: Answer, *, now: datetime) -> None:
    """Queue the application answer that an HL7 sender in enhanced mode is sent later."""
    tenant = submission.tenant.value
    transaction.run(
        _TELL,
        {
            "tenant": tenant,
            "message": answer_id(tenant, key).bytes,
            "octets": answer.later,
            "content_type": answer.content_type,
            "news": None,
            "at": stored(now),
        },
    )


def tell_news(transaction: Transaction, line: int, seq: int, *, now: datetime) -> None:
    """Queue one event of one line for its trust, if that trust wants to be told."""
    if not transaction.tells:
        return
    row = transaction.row(_TENANT, (line,))
    assert row is not None
    tenant: str = row[0]
    if OdsCode(tenant) not in transaction.tells:
        return
    transaction.run(
        _TELL,
        {
            "tenant": tenant,
            "message": derived_id("news", tenant, str(transaction.generation), str(seq)).bytes,
            "octets": None,
            "content_type": "",
            "news": seq,
            "at": stored(now),
        },
    )
