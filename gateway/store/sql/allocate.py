"""Giving a line to a provider: the sealed message, the allocation under its epoch, and the outbox row.

One live allocation for a line at a time, by a partial unique index (I2).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from gateway.domain.identifiers import OdsCode
from gateway.domain.message import SealedMessage
from gateway.store.sql.history import LineNow
from gateway.store.sql.instants import stored
from gateway.store.sql.leaves import append_leaf
from gateway.store.sql.transaction import Transaction

_INSERT_MESSAGE = """
INSERT INTO message (id, prescription, event, destination, epoch, not_valid_after, key_id, digest, body, rendered,
    content_type, created_at)
VALUES (:id, :prescription, :event, :destination, :epoch, :not_valid_after, :key_id, :digest, :body, :rendered,
    :content_type, :at)
"""
_ALLOCATE = """
INSERT INTO allocation (line, prescription, epoch, provider, message, made_at)
VALUES (:line, :prescription, :epoch, :provider, :message, :at)
"""
_GIVE = "UPDATE line SET epoch = :epoch, provider = :provider WHERE id = :line"
_DELIVER = """
INSERT INTO outbox (kind, destination, tenant, message_id, content_type, accepted_at, due_at, state)
VALUES ('deliver', :destination, :tenant, :message, :content_type, :at, :at, 'due')
"""

_UNQUEUE = """
UPDATE outbox SET withheld = 0, state = CASE state WHEN 'due' THEN 'done' ELSE state END
WHERE kind = 'deliver' AND state IN ('due', 'claimed') AND message_id IN (SELECT message FROM allocation WHERE line = ?)
"""


def store_message(transaction: Transaction, message: SealedMessage, prescription: int, *, now: datetime) -> None:
    """Keep the sealed bytes, which are what is sent, resent and proved."""
    digest = message.digest
    transaction.run(
        _INSERT_MESSAGE,
        {
            "id": message.id.bytes,
            "prescription": prescription,
            "event": message.event.value,
            "destination": message.destination.value,
            "epoch": message.epoch,
            "not_valid_after": stored(message.not_valid_after),
            "key_id": message.key_id,
            "digest": digest,
            "body": message.body,
            "rendered": message.rendered,
            "content_type": message.content_type,
            "at": stored(now),
        },
    )
    append_leaf(
        transaction,
        "seal",
        at=now,
        message=str(message.id),
        destination=message.destination.value,
        digest=digest,
        epoch=message.epoch,
        key=message.key_id,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What is given to a provider: a prescription, by its row, with all of its lines."""

    prescription: int
    tenant: OdsCode
    lines: Sequence[LineNow]


def allocate(transaction: Transaction, message: SealedMessage | None, given: Given, *, now: datetime) -> int:
    """Give the lines of a stored message to its destination, put it in the outbox, and give its row there.

    Raises:
        ValueError: there is no message, or it does not speak of exactly the prescription's lines.
    """
    if message is None or set(message.line_ids) != {line.id for line in given.lines}:
        raise ValueError("a line that is ready needs a message that speaks of it")
    give(transaction, message, given.prescription, [line.row for line in given.lines], now=now)
    return deliver(transaction, message, given.tenant, now=now)


def give(
    transaction: Transaction, message: SealedMessage, prescription: int, lines: Sequence[int], *, now: datetime
) -> None:
    """Give lines to the destination of a stored message, under its epoch; the database holds the fence (I10)."""
    at = stored(now)
    for row in lines:
        values = {"line": row, "epoch": message.epoch, "provider": message.destination.value}
        transaction.run(_ALLOCATE, {**values, "prescription": prescription, "message": message.id.bytes, "at": at})
        transaction.run(_GIVE, values)


def unqueue(transaction: Transaction, line: int) -> None:
    """Take a line's order out of the outbox; one that is leased finds at its last step that it may not go."""
    transaction.run(_UNQUEUE, (line,))


def deliver(transaction: Transaction, message: SealedMessage, tenant: OdsCode, *, now: datetime) -> int:
    """Put a stored message in the outbox and give its row."""
    return transaction.insert(
        _DELIVER,
        {
            "destination": message.destination.value,
            "tenant": tenant.value,
            "message": message.id.bytes,
            "content_type": message.content_type,
            "at": stored(now),
        },
    )
