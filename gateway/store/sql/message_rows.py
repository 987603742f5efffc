"""The rows of the four lists of messages: what is read of each way, and what each column of it means.

Source: console.md 6.7.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final
from uuid import UUID

import msgspec

from gateway.domain.issue import CODES, Effect
from gateway.ports.inspection import Channel, MessageId, MessageRow
from gateway.store.sql.instants import instant
from gateway.store.sql.transaction import Row

SELECT: Final[Mapping[Channel, str]] = {
    Channel.RECEIVED: """
SELECT id, received_at, tenant, format, control_id, envelope, outcome, verdict, octet_length(body), digest
FROM submission WHERE {which} ORDER BY id DESC LIMIT :most
""",
    Channel.APART: """
SELECT id, received_at, tenant, format, why, issues, length, digest
FROM kept_apart WHERE {which} ORDER BY id DESC LIMIT :most
""",
    Channel.SENT: """
SELECT outbox.id, outbox.accepted_at, outbox.destination, outbox.kind, outbox.message_id, message.event,
    outbox.content_type, outbox.state, outbox.attempts,
    octet_length(coalesce(outbox.octets, message.rendered, message.body)), message.digest,
    (SELECT attempt.outcome FROM attempt WHERE attempt.outbox = outbox.id ORDER BY attempt.id DESC LIMIT 1),
    outbox.news
FROM outbox LEFT JOIN message ON outbox.kind = 'deliver' AND message.id = outbox.message_id
WHERE {which} ORDER BY outbox.id DESC LIMIT :most
""",
    Channel.ANSWER: """
SELECT id, received_at, destination, content_type, answer_id, issues, octet_length(body), digest,
    (SELECT max(moved) FROM event WHERE event.callback = callback.id)
FROM callback WHERE {which} ORDER BY id DESC LIMIT :most
""",
}
"""Each with `{which}` for the condition; the readers below go by the order of its columns."""


def message_row(channel: Channel, row: Row) -> MessageRow:
    """Read one row of a list."""
    return _READ[channel](row)


def _received(row: Row) -> MessageRow:
    envelope = msgspec.json.decode(row[5]) if row[5] else {}
    issues = _codes(msgspec.json.decode(row[7]).get("issues", ())) if row[7] else ()
    return MessageRow(
        id=MessageId(Channel.RECEIVED, row[0]),
        at=instant(row[1]),
        partner=row[2],
        form=row[3],
        control_id=row[4],
        kind=str(envelope.get("message_type", "")),
        outcome=row[6],
        issues=issues,
        warned=_warned(issues),
        size=row[8],
        digest=row[9],
    )


def _apart(row: Row) -> MessageRow:
    issues = _codes(msgspec.json.decode(row[5]))
    return MessageRow(
        id=MessageId(Channel.APART, row[0]),
        at=instant(row[1]),
        partner=row[2],
        form=row[3],
        control_id="",
        kind="",
        outcome=row[4],
        issues=issues,
        warned=_warned(issues),
        size=row[6],
        digest=row[7],
    )


def _sent(row: Row) -> MessageRow:
    delivers = row[3] == "deliver"
    return MessageRow(
        id=MessageId(Channel.SENT, row[0]),
        at=instant(row[1]),
        partner=row[2],
        form=row[6],
        control_id=str(UUID(bytes=row[4])),
        kind=(row[5] or "") if delivers else "news" if row[12] is not None else "application answer",
        outcome=row[11] or "not sent yet",
        size=row[9] or 0,
        attempts=row[8],
        state=row[7],
        digest=row[10] or "",
    )


def _answer(row: Row) -> MessageRow:
    issues = _codes(msgspec.json.decode(row[5])) if row[5] else ()
    outcome = "not understood" if issues else "moved" if row[8] else "changed nothing"
    return MessageRow(
        id=MessageId(Channel.ANSWER, row[0]),
        at=instant(row[1]),
        partner=row[2],
        form=row[3],
        control_id=row[4],
        kind="answer",
        outcome=outcome,
        issues=issues,
        warned=_warned(issues),
        size=row[6],
        digest=row[7],
    )


_READ: Final[Mapping[Channel, Callable[[Row], MessageRow]]] = {
    Channel.RECEIVED: _received,
    Channel.APART: _apart,
    Channel.SENT: _sent,
    Channel.ANSWER: _answer,
}


def _codes(issues: Any) -> tuple[str, ...]:
    return tuple(dict.fromkeys(str(issue["code"]) for issue in issues))


def _warned(codes: tuple[str, ...]) -> bool:
    return any(code in CODES and CODES[code].effect is Effect.WARN for code in codes)
