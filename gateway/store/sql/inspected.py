"""One message with everything that came of it: bytes, trace, attempts, answers and what each was matched to."""

import zlib
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final, TypeVar
from uuid import UUID

from gateway.domain.identifiers import OdsCode
from gateway.domain.issue import Issue
from gateway.domain.prescription import Prescription
from gateway.domain.submission import Answer, Envelope, Verdict
from gateway.domain.trace import Leftover, TraceRow
from gateway.ports.inspection import (
    Answered,
    Channel,
    Happened,
    KeptApart,
    MessageId,
    MessageRow,
    MessageView,
    Received,
    Sealed,
    Sent,
    Traced,
    Transmitted,
    Tried,
)
from gateway.store.document import decode
from gateway.store.sql.inspecting import one
from gateway.store.sql.instants import instant
from gateway.store.sql.tell import answer_id
from gateway.store.sql.transaction import Reader, Row

T = TypeVar("T")

_RECEIVED: Final = """
SELECT body, content_type, envelope, verdict, leftovers, answer_body, answer_type, answer_status, answer_later,
    archive IS NOT NULL, tenant, control_id, received_at
FROM submission WHERE id = ?
"""
_IN_FORCE: Final = "SELECT version FROM configuration WHERE since <= ? ORDER BY id DESC LIMIT 1"
_ORDERS: Final = """
SELECT id, uuid, action, number, nhs_number, issues, trace, document FROM prescription WHERE submission = ? ORDER BY id
"""
_STATES: Final = "SELECT state FROM line WHERE prescription = ? ORDER BY id"
_SEALED: Final = """
SELECT message.id, message.event, message.destination, message.epoch, message.digest, message.key_id,
    message.created_at, message.body, outbox.id
FROM message LEFT JOIN outbox ON outbox.kind = 'deliver' AND outbox.message_id = message.id
WHERE message.{which} = ? ORDER BY message.created_at
"""
SEALED_OF: Final = _SEALED.format(which="prescription")
SEALED_AS: Final = _SEALED.format(which="id")
_CHANGES: Final = """
SELECT outbox.id FROM cancel JOIN outbox ON outbox.message_id = cancel.message WHERE cancel.submission = :submission
UNION SELECT outbox.id FROM hold JOIN outbox ON outbox.message_id = hold.message WHERE hold.submission = :submission
ORDER BY 1
"""
_LATER: Final = "SELECT id FROM outbox WHERE message_id = ?"
_APART: Final = "SELECT body, content_type, issues FROM kept_apart WHERE id = ?"
_SENT: Final = """
SELECT coalesce(outbox.octets, message.rendered, message.body), outbox.content_type, outbox.message_id,
    message.prescription, outbox.news
FROM outbox LEFT JOIN message ON outbox.kind = 'deliver' AND message.id = outbox.message_id WHERE outbox.id = ?
"""
_WHOSE: Final = "SELECT uuid, submission FROM prescription WHERE id = ?"
_OF_NEWS: Final = """
SELECT prescription.uuid, prescription.submission FROM event JOIN line ON line.id = event.line
JOIN prescription ON prescription.id = line.prescription WHERE event.seq = ?
"""
_QUEUED: Final = "SELECT message_id, state, due_at, possible_duplicate, withheld FROM outbox WHERE id = ?"
_ATTEMPTS: Final = """
SELECT number, at, outcome, fenced, reason, evidence FROM attempt WHERE outbox = ? ORDER BY id
"""
_ANSWERS_ABOUT: Final = """
SELECT DISTINCT event.callback FROM line JOIN event ON event.line = line.id
WHERE line.prescription = ? AND event.callback IS NOT NULL ORDER BY 1
"""
_ANSWER: Final = """
SELECT body, content_type, correlation, issues, archive IS NOT NULL, destination, digest FROM callback WHERE id = ?
"""
_CORRELATED: Final = "SELECT outbox.id FROM outbox WHERE kind = 'deliver' AND message_id = ?"
_HAPPENED: Final = """
SELECT event.seq, event.at, line.uuid, prescription.uuid, event.event, event.moved, event.state_before,
    event.state_after, event.text, prescription.tenant
FROM event JOIN line ON line.id = event.line JOIN prescription ON prescription.id = line.prescription
WHERE event.callback = ? ORDER BY event.seq
"""
_ALERTS: Final = """
SELECT kind, text FROM alert WHERE subject = :subject AND kind = :kind
UNION ALL SELECT kind, text FROM alert WHERE subject = :subject || ':1' AND kind = :kind
"""
_KINDS: Final = (
    "answer-unbound",
    "answer-wrong-provider",
    "answer-not-understood",
    "answer-id-reused",
    "answer-takes-back",
    "answer-unread",
    "safety-incident",
)
"""Of the alerts that say why an answer moved nothing; each names the answer by its sender and digest."""
_MOST_ANSWERS: Final = 50


def message(reader: Reader, name: MessageId, *, tenant: OdsCode | None) -> MessageView | None:
    """Give one message. See `gateway.ports.inspection.Inspection`."""
    row = one(reader, name, tenant)
    if row is None:
        return None
    match name.channel:
        case Channel.RECEIVED:
            return _received(reader, row, tenant)
        case Channel.APART:
            return _apart(reader, row)
        case Channel.SENT:
            return _sent(reader, row, tenant)
        case Channel.ANSWER:
            return _answered(reader, row, tenant)


def _received(reader: Reader, row: MessageRow, tenant: OdsCode | None) -> Received:
    found = _first(reader, _RECEIVED, row.id.number)
    archived = bool(found[9])
    orders = _many(reader, _ORDERS, row.id.number)
    traced = tuple(_traced(reader, order) for order in orders)
    later = reader.execute(_LATER, (answer_id(found[10], found[11]).bytes,)) if found[8] is not None else ()
    sent = [one.sent for order in traced for one in order.sealed if one.sent is not None]
    sent += [MessageId(Channel.SENT, number) for (number,) in reader.execute(_CHANGES, {"submission": row.id.number})]
    sent += [MessageId(Channel.SENT, int(str(number))) for (number,) in later]
    about = [callback for order in orders for (callback,) in _many(reader, _ANSWERS_ABOUT, order[0])]
    version = next(iter(reader.execute(_IN_FORCE, (found[12],))), None)
    return Received(
        row=row,
        body=found[0],
        content_type=found[1],
        envelope=None if archived else decode(found[2], Envelope),
        verdict=None if archived else decode(found[3], Verdict),
        leftovers=_inflated(found[4], tuple[Leftover, ...]),
        answer=Answer(body=found[5], content_type=found[6], http_status=found[7], later=found[8]),
        orders=traced,
        transmitted=tuple(
            _transmitted(reader, queued) for name in dict.fromkeys(sent) if (queued := one(reader, name, tenant))
        ),
        answered=_answers(reader, about, tenant),
        archived=archived,
        configuration=str(version[0]) if version else "",
    )


def _inflated(octets: bytes, kind: type[tuple[T, ...]]) -> tuple[T, ...]:
    return decode(zlib.decompress(octets), kind) if octets else ()


def _traced(reader: Reader, row: Row) -> Traced:
    return Traced(
        prescription_id=UUID(bytes=row[1]),
        action=row[2],
        number=row[3],
        nhs_number=row[4],
        states=tuple(str(state) for (state,) in reader.execute(_STATES, (row[0],))),
        issues=decode(row[5], tuple[Issue, ...]),
        trace=_inflated(row[6], tuple[TraceRow, ...]),
        document=decode(row[7], Prescription) if row[7] else None,
        sealed=tuple(_sealed(sealed) for sealed in reader.execute(SEALED_OF, (row[0],))),
    )


def _sealed(row: Row) -> Sealed:
    return Sealed(
        id=UUID(bytes=row[0]),
        event=row[1],
        destination=row[2],
        epoch=row[3],
        digest=row[4],
        key_id=row[5],
        created_at=instant(row[6]),
        body=row[7],
        sent=MessageId(Channel.SENT, row[8]) if row[8] is not None else None,
    )


def _apart(reader: Reader, row: MessageRow) -> KeptApart:
    body, content_type, issues = _first(reader, _APART, row.id.number)
    return KeptApart(row=row, body=body, content_type=content_type, issues=decode(issues, tuple[Issue, ...]))


def _sent(reader: Reader, row: MessageRow, tenant: OdsCode | None) -> Sent:
    octets, content_type, name, prescription, news = _first(reader, _SENT, row.id.number)
    sealed = next((_sealed(one) for one in reader.execute(SEALED_AS, (name,))), None) if prescription else None
    whose: Row | None = None
    if prescription is not None:
        whose = _first(reader, _WHOSE, prescription)
    elif news is not None:
        whose = next(iter(reader.execute(_OF_NEWS, (news,))), None)
    about = [callback for (callback,) in _many(reader, _ANSWERS_ABOUT, prescription)] if prescription else []
    answered = (one for one in _answers(reader, about, tenant) if one.answers == row.id)
    return Sent(
        transmitted=_transmitted(reader, row),
        octets=octets,
        content_type=content_type,
        sealed=sealed,
        prescription_id=UUID(bytes=whose[0]) if whose else None,
        received=MessageId(Channel.RECEIVED, whose[1]) if whose else None,
        answered=tuple(answered),
    )


def _transmitted(reader: Reader, row: MessageRow) -> Transmitted:
    name, state, due_at, duplicate, withheld = _first(reader, _QUEUED, row.id.number)
    return Transmitted(
        row=row,
        message_id=UUID(bytes=name),
        tried=tried(_many(reader, _ATTEMPTS, row.id.number)),
        next_at=instant(due_at) if state == "due" else None,
        possible_duplicate=bool(duplicate),
        withheld=bool(withheld),
    )


def tried(rows: Sequence[Row]) -> tuple[Tried, ...]:
    """Join the steps of each attempt: that its first byte was about to leave, and what came of it.

    Args:
        rows: number, time, outcome, fenced, reason, evidence; in the order in which they were written.
    """
    out: list[Tried] = []
    for number, at, outcome, fenced, reason, evidence in rows:
        began = instant(at)
        earlier = next((each for each in reversed(out) if each.number == number and each.ended is None), None)
        if outcome == "on_wire":
            out.append(
                Tried(
                    number=number,
                    began=began,
                    ended=None,
                    outcome=outcome,
                    fenced=bool(fenced),
                    reason="",
                    evidence=b"",
                )
            )
        elif earlier is not None:
            place = out.index(earlier)
            out[place] = replace(
                earlier, ended=began, outcome=outcome, fenced=bool(fenced), reason=reason, evidence=evidence
            )
        else:
            out.append(
                Tried(
                    number=number,
                    began=None,
                    ended=began,
                    outcome=outcome,
                    fenced=bool(fenced),
                    reason=reason,
                    evidence=evidence,
                )
            )
    return tuple(out)


def _answers(reader: Reader, callbacks: Sequence[int], tenant: OdsCode | None) -> tuple[Answered, ...]:
    newest = sorted(set(callbacks))[-_MOST_ANSWERS:]
    rows = (one(reader, MessageId(Channel.ANSWER, number), tenant) for number in newest)
    return tuple(_answered(reader, row, tenant) for row in rows if row is not None)


def _answered(reader: Reader, row: MessageRow, tenant: OdsCode | None) -> Answered:
    body, content_type, correlation, issues, archived, destination, digest = _first(reader, _ANSWER, row.id.number)
    answers = next(iter(reader.execute(_CORRELATED, (correlation,))), None) if correlation is not None else None
    subject = f"{destination}:{digest[:16]}"
    alerts = [
        (str(kind), str(text))
        for wanted in _KINDS
        for kind, text in reader.execute(_ALERTS, {"subject": subject, "kind": wanted})
    ]
    happened = [_happened(event) for event in reader.execute(_HAPPENED, (row.id.number,)) if _own(event, tenant)]
    return Answered(
        row=row,
        body=body,
        content_type=content_type,
        correlation=UUID(bytes=correlation) if correlation is not None else None,
        answers=MessageId(Channel.SENT, int(str(answers[0]))) if answers else None,
        issues=decode(issues, tuple[Issue, ...]) if issues else (),
        happened=tuple(happened),
        alerts=tuple(alerts),
        archived=bool(archived),
    )


def _own(event: Row, tenant: OdsCode | None) -> bool:
    return tenant is None or event[9] == tenant.value


def _happened(row: Row) -> Happened:
    return Happened(
        seq=row[0],
        at=instant(row[1]),
        line_id=UUID(bytes=row[2]),
        prescription_id=UUID(bytes=row[3]),
        event=row[4],
        moved=bool(row[5]),
        state_before=row[6],
        state_after=row[7],
        text=row[8],
    )


def _first(reader: Reader, sql: str, number: int) -> tuple[Any, ...]:
    return next(iter(reader.execute(sql, (number,))))


def _many(reader: Reader, sql: str, number: int) -> list[tuple[Any, ...]]:
    return list(reader.execute(sql, (number,)))
