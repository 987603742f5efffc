"""What stands behind a prescription's page. Every table is asked by an index of the prescription or of its lines.

Source: console.md 6.3.
"""

import json
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final
from uuid import UUID

import msgspec

from gateway.domain.cancel import CancelState
from gateway.domain.identifiers import OdsCode
from gateway.domain.prescription import Prescription
from gateway.domain.sight import Sight, words_for
from gateway.enquiries import PrescriptionView
from gateway.ports.dossier import (
    AnswerFacts,
    AttemptFacts,
    DeliveryStep,
    Dossier,
    EventFacts,
    LeafFacts,
    Link,
    Linked,
    MessageFacts,
    SubmissionFacts,
)
from gateway.ports.late import Unsent
from gateway.store.document import decode
from gateway.store.sql import late, viewing
from gateway.store.sql.finding import visible
from gateway.store.sql.instants import instant
from gateway.store.sql.listing import numbers
from gateway.store.sql.seeing import provider_of, sights
from gateway.store.sql.transaction import Reader, Row

_ROWS: Final = "SELECT id FROM prescription WHERE uuid = ? AND tenant = ? ORDER BY id"
_HEAD: Final = """
SELECT prescription.document, prescription.trace, submission.id, submission.control_id, submission.format,
    submission.content_type, submission.received_at, submission.digest, length(submission.body), submission.envelope,
    prescription.group_number
FROM prescription JOIN submission ON submission.id = prescription.submission WHERE prescription.id = ?
"""
_MESSAGES: Final = f"""
SELECT message.id, message.event, message.destination, message.epoch, message.digest, message.key_id,
    message.created_at, message.not_valid_after, length(message.body), outbox.state, outbox.due_at, outbox.id
FROM message LEFT JOIN outbox ON outbox.message_id = message.id
WHERE message.prescription IN {numbers("?")} ORDER BY message.created_at, message.id
"""  # noqa: S608 - our own words alone
_ATTEMPTS: Final = f"""
SELECT outbox, number, at, outcome, reason, evidence FROM attempt
WHERE outbox IN {numbers("?")} ORDER BY id
"""  # noqa: S608 - our own words alone
_EVENTS: Final = f"""
SELECT event.seq, event.callback, event.provider, event.epoch, event.moved, event.reason_code, event.reason,
    event.amount, event.unit, event.text, event.line, event.actor
FROM line JOIN event ON event.line = line.id
WHERE line.prescription IN {numbers("?")} ORDER BY event.seq
"""  # noqa: S608 - our own words alone
_ANSWERS: Final = f"""
SELECT id, destination, received_at, digest, length(body), answer_id, correlation FROM callback
WHERE id IN {numbers("?")} ORDER BY id
"""  # noqa: S608 - our own words alone
_ANSWER: Final = "SELECT body FROM callback WHERE id = ?"
_STEPS: Final = f"""
SELECT line.uuid, delivery.issue, step.at, step.event, step.state_after, step.source, event.text, event.amount,
    event.unit, event.callback, line.id, delivery.epoch
FROM line JOIN delivery ON delivery.line = line.id JOIN delivery_event AS step ON step.delivery = delivery.id
LEFT JOIN event ON event.seq = step.source
WHERE line.prescription IN {numbers("?")} ORDER BY step.id
"""  # noqa: S608 - our own words alone
_CANCELS: Final = f"""
SELECT line.uuid, cancel.state, cancel.replaced_by, line.id, message.destination
FROM line JOIN cancel ON cancel.line = line.id LEFT JOIN message ON message.id = cancel.message
WHERE line.prescription IN {numbers("?")}
"""  # noqa: S608 - our own words alone
_OF_LINE: Final = """
SELECT prescription.uuid, prescription.number FROM line JOIN prescription ON prescription.id = line.prescription
WHERE line.uuid = ? AND line.tenant = ? ORDER BY prescription.id DESC LIMIT 1
"""
_NUMBER: Final = "SELECT number FROM prescription WHERE uuid = ? AND tenant = ? ORDER BY id DESC LIMIT 1"
_GROUP: Final = """
SELECT DISTINCT uuid, number FROM prescription
WHERE group_number = ? AND group_number <> '' AND tenant = ? AND uuid <> ? ORDER BY number LIMIT 20
"""
_RENEWED: Final = f"""
SELECT DISTINCT renewal.prescription FROM line JOIN renewal ON renewal.line = line.id
WHERE line.prescription IN {numbers("?")} AND renewal.prescription IS NOT NULL
"""  # noqa: S608 - our own words alone
_STATED: Final = f"""
SELECT DISTINCT value FROM other_number WHERE kind = 'purchase-order'
    AND prescription IN {numbers("?")} ORDER BY value
"""  # noqa: S608 - our own words alone
_READY: Final = "SELECT uuid, id FROM line WHERE prescription = ? AND state = 'READY' ORDER BY id"
_LEAVES: Final = "SELECT size FROM audit_head WHERE id = 1"
_LEAF_FROM: Final = """
SELECT seq, at, body, leaf_hash FROM audit_leaf WHERE seq >= ? AND kind = 'event' ORDER BY seq LIMIT 1
"""


def dossier(
    reader: Reader, prescription_id: UUID, *, tenant: OdsCode | None
) -> tuple[PrescriptionView, Dossier] | None:
    """Give a prescription with all that stands behind it, if the tenant may see it.

    A provider is not shown what went between the gateway and another.
    """
    view = viewing.prescription(reader, prescription_id, tenant=tenant)
    seen = visible(reader, prescription_id, tenant)
    if view is None or seen is None:
        return None
    newest, owner = seen
    rows = json.dumps([int(row[0]) for row in reader.execute(_ROWS, (prescription_id.bytes, owner))])
    head = next(iter(reader.execute(_HEAD, (newest,))))
    document = decode(head[0], Prescription) if head[0] else None
    only = provider_of(tenant, owner)
    scope = _Scope(provider=only, sights=sights(reader, [newest], only)) if only is not None else None
    events = {int(row[0]): one for row in reader.execute(_EVENTS, (rows,)) if (one := _fact(row, scope)) is not None}
    answers = sorted({fact.answer for fact in events.values() if fact.answer is not None})
    cancels = list(reader.execute(_CANCELS, (rows,)))
    own = _Own(id=prescription_id, tenant=owner, rows=rows, group=head[10])
    linked = dict.fromkeys(_linked(reader, own, document, cancels))
    return view, Dossier(
        document=scope.document(document, view) if scope is not None else document,
        submission=_submission(head[2:10]),
        messages=tuple(one for one in _messages(reader, rows) if only in {None, one.destination}),
        answers=tuple(one for one in _answers(reader, answers) if only in {None, one.destination}),
        events=MappingProxyType(events),
        steps=tuple(_steps(reader, rows, events, scope)),
        cancels=MappingProxyType(
            {UUID(bytes=row[0]): CancelState(row[1]) for row in cancels if scope is None or scope.has_cancel(row)}
        ),
        linked=tuple(one for one in linked if scope is None or visible(reader, one.prescription_id, tenant)),
        unsent=MappingProxyType(_unsent(reader, newest) if scope is None else {}),
        facts=len(msgspec.json.decode(zlib.decompress(head[1]))) if head[1] and scope is None else 0,
        stated_numbers=tuple(str(row[0]) for row in reader.execute(_STATED, (rows,)) if scope is None or scope.has_any),
    )


def _unsent(reader: Reader, newest: int) -> dict[UUID, Unsent | None]:
    ready = {line: UUID(bytes=uuid) for uuid, line in reader.execute(_READY, (newest,))}
    found = late.unsent(reader, ready)
    return {item: found.get(line) for line, item in ready.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Scope:
    """How much of it a provider is shown."""

    provider: OdsCode
    sights: Mapping[int, Sight]

    @property
    def has_any(self) -> bool:
        """Whether it has any line still: what is stated of the order since is for whoever has it."""
        return any(one.ended is None for one in self.sights.values())

    def document(self, document: Prescription | None, view: PrescriptionView) -> Prescription | None:
        """Give the order with the provider's own lines alone, and without whom else the trust would ask."""
        if document is None:
            return None
        own = {line.line_id for line in view.lines}
        lines = tuple(line for line in document.lines if line.id in own)
        named = document.homecare.provider if document.homecare.provider == self.provider else None
        homecare = replace(document.homecare, provider=named, provider_name="", backups=())
        return replace(document, lines=lines, homecare=homecare)

    def has_step(self, row: Row) -> bool:
        """Tell whether a step of a delivery is shown: what came with an event with that, what did not by its time.

        What bears the time of the end came after it, as far as anybody can say; so it is not shown.
        """
        at, source, line, epoch = row[2], row[5], row[10], row[11]
        sight = self.sights.get(line)
        if sight is None or epoch not in sight.epochs:
            return False
        if source is not None:
            return sight.shows(source)
        return sight.ended is None or instant(at) < sight.ended.at

    def has_cancel(self, row: Row) -> bool:
        """Tell whether where a cancel stands is shown: one that the provider itself was asked for, while it is open."""
        sight = self.sights.get(row[3])
        return sight is not None and sight.ended is None and row[4] == self.provider.value


def answer_octets(reader: Reader, row: int) -> bytes | None:
    """Give a provider's answer as it was received; None where it is in an archive, or there is none."""
    found = next(iter(reader.execute(_ANSWER, (row,))), None)
    return bytes(found[0]) if found and found[0] else None


def leaf_of(reader: Reader, event: int) -> LeafFacts | None:
    """Find the leaf that was written with an event; None where there is none.

    Events and leaves are numbered in the same order, each in the transaction of the other, so it is found by halving.
    """
    size = int(next(iter(reader.execute(_LEAVES)))[0])
    low, high = 1, size
    while low <= high:
        middle = (low + high) // 2
        row = next(iter(reader.execute(_LEAF_FROM, (middle,))), None)
        said = int(msgspec.json.decode(row[2]).get("event_seq", 0)) if row else event + 1
        if row is not None and said == event:
            return LeafFacts(number=int(row[0]), at=instant(row[1]), hash=bytes(row[3]).hex(), of=size)
        if row is None or said > event:
            high = middle - 1
        else:
            low = int(row[0]) + 1
    return None


def _submission(row: Sequence[object]) -> SubmissionFacts:
    number, control_id, format_, content_type, received, digest, length, envelope = row
    said = json.loads(str(envelope))
    return SubmissionFacts(
        row=int(str(number)),
        control_id=str(control_id),
        format=str(format_),
        content_type=str(content_type),
        received_at=instant(int(str(received))),
        digest=str(digest),
        length=int(str(length)),
        system=str(said.get("system", "")),
    )


def _messages(reader: Reader, rows: str) -> Iterator[MessageFacts]:
    found = list(reader.execute(_MESSAGES, (rows,)))
    queued = json.dumps([int(row[11]) for row in found if row[11] is not None])
    attempts: dict[int, list[AttemptFacts]] = {}
    for outbox, number, at, outcome, reason, evidence in reader.execute(_ATTEMPTS, (queued,)):
        attempts.setdefault(int(str(outbox)), []).append(
            AttemptFacts(number=number, at=instant(at), outcome=outcome, reason=reason, evidence=bytes(evidence))
        )
    for row in found:
        yield MessageFacts(
            id=UUID(bytes=row[0]),
            event=row[1],
            destination=OdsCode(row[2]),
            epoch=row[3],
            digest=row[4],
            key_id=row[5],
            made_at=instant(row[6]),
            not_valid_after=instant(row[7]),
            length=row[8],
            queued=row[11],
            state=row[9] or "",
            next_at=instant(row[10]) if row[9] == "due" else None,
            attempts=tuple(attempts.get(row[11], ())),
        )


def _fact(row: Row, scope: _Scope | None) -> EventFacts | None:
    """Give what an event rests on, as far as it may be seen."""
    if scope is None:
        return _event(row)
    sight = scope.sights.get(row[10])
    if sight is None or not sight.shows(row[0]):
        return None
    said = row[1] is not None
    text = viewing.own_words(sight, seq=row[0], actor=row[11], text=row[9], said=said)
    shown = replace(_event(row), text=text, reason=words_for(row[11], row[6], said=said), provider=scope.provider)
    return replace(shown, epoch=None) if row[0] in sight.beyond else shown


def _event(row: Row) -> EventFacts:
    return EventFacts(
        answer=row[1],
        provider=OdsCode(row[2]) if row[2] else None,
        epoch=row[3],
        moved=bool(row[4]),
        reason_code=row[5],
        reason=row[6],
        amount=row[7],
        unit=row[8],
        text=row[9],
    )


def _answers(reader: Reader, rows: Sequence[int]) -> Iterator[AnswerFacts]:
    for row in reader.execute(_ANSWERS, (json.dumps(list(rows)),)):
        yield _answer(row)


def _answer(row: Row) -> AnswerFacts:
    return AnswerFacts(
        row=row[0],
        destination=OdsCode(row[1]),
        received_at=instant(row[2]),
        digest=row[3],
        length=row[4],
        answer_id=row[5],
        correlation=UUID(bytes=row[6]) if row[6] else None,
    )


def _steps(reader: Reader, rows: str, events: Mapping[int, EventFacts], scope: _Scope | None) -> Iterator[DeliveryStep]:
    for row in reader.execute(_STEPS, (rows,)):
        if scope is None:
            yield _step(row)
        elif scope.has_step(row):
            source = events.get(row[5]) if row[5] is not None else None
            yield replace(_step(row), text=source.text if source is not None else "")


def _step(row: Row) -> DeliveryStep:
    return DeliveryStep(
        line_id=UUID(bytes=row[0]),
        issue=row[1],
        at=instant(row[2]),
        event=row[3],
        state_after=row[4],
        source=row[5],
        text=row[6] or "",
        amount=row[7] or "",
        unit=row[8] or "",
        answered=row[9] is not None,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Own:
    """Whose links are looked for; `rows` as the statements take them."""

    id: UUID
    tenant: str
    rows: str
    group: str


def _linked(reader: Reader, own: _Own, document: Prescription | None, cancels: Sequence[Row]) -> Iterator[Linked]:
    if document is not None and document.replaces is not None:
        yield _named(reader, Link.REPLACES, document.replaces, own.tenant)
    prior = [line.prior for line in document.lines if line.prior] if document else []
    for how, line in (*((Link.REPLACES, one.bytes) for one in prior), *((Link.REPLACED_BY, row[2]) for row in cancels)):
        found = next(iter(reader.execute(_OF_LINE, (line, own.tenant))), None) if line else None
        if found is not None and UUID(bytes=found[0]) != own.id:
            yield Linked(how=how, prescription_id=UUID(bytes=found[0]), number=found[1])
    for (renewed,) in reader.execute(_RENEWED, (own.rows,)):
        yield _named(reader, Link.RENEWED_BY, UUID(bytes=renewed), own.tenant)
    for uuid, number in reader.execute(_GROUP, (own.group, own.tenant, own.id.bytes)):
        yield Linked(how=Link.SAME_GROUP, prescription_id=UUID(bytes=uuid), number=number)


def _named(reader: Reader, how: Link, prescription_id: UUID, tenant: str) -> Linked:
    row = next(iter(reader.execute(_NUMBER, (prescription_id.bytes, tenant))), None)
    return Linked(how=how, prescription_id=prescription_id, number=row[0] if row else "")
