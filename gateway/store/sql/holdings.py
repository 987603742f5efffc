"""What is held by whom: the facts that the fence judges, read from the tables in one transaction.

Used by the reading side to show what would happen, and by the writing side to decide what does.
"""

import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, TypeAlias
from uuid import UUID

from gateway.domain.cancel import CancelState
from gateway.domain.fence import MOVABLE, Holding, Said
from gateway.domain.identifiers import OdsCode
from gateway.domain.lifecycle import LineEvent, LineState
from gateway.domain.prescription import Prescription
from gateway.domain.reroute import HeldLine, HeldPrescription, OpenReroute, RerouteState, Wanted, WrittenOrder
from gateway.domain.submission import Envelope, Submission, WireFormat
from gateway.domain.trace import TraceRow
from gateway.store.document import decode
from gateway.store.sql.instants import instant

Ask: TypeAlias = Callable[[str, Sequence[Any]], Iterable[tuple[Any, ...]]]
"""Runs a question: a reader's `execute`, or a transaction's `rows`."""

_HELD = """
SELECT line.id, line.uuid, line.order_number, line.state, line.delivered, line.total_supplies,
    held.epoch, coalesce(held.provider, line.provider), held.message, message.not_valid_after, cancel.state,
    (SELECT count(*) FROM unproven_attempt WHERE unproven_attempt.message = held.message),
    EXISTS (SELECT 1 FROM reroute AS given WHERE given.line = line.id AND given.epoch = held.epoch
        AND given.revoked_at IS NOT NULL),
    reroute.state, reroute.provider, reroute.person, reroute.second_person, reroute.reason, reroute.asked_at,
    (SELECT max(epoch) FROM (SELECT max(first_epoch) - 1 AS epoch FROM restoration
        UNION ALL SELECT max(epoch) FROM stated_holding WHERE stated_holding.line = line.uuid) AS lost),
    (SELECT count(*) FROM delivery WHERE delivery.line = line.id AND delivery.state = 'RESCUED'),
    (SELECT count(*) FROM delivery WHERE delivery.line = line.id
        AND (delivery.state IN ('READY_TO_GO', 'DISPATCHED') OR delivery.owed = 1 AND delivery.state <> 'RESCUED')),
    (SELECT count(*) FROM event WHERE event.line = line.id AND coalesce(event.epoch, 1) = held.epoch
        AND event.event IN ('delivered', 'last_delivered', 'balance_supplied')
        AND NOT EXISTS (SELECT 1 FROM delivery JOIN delivery_event ON delivery_event.delivery = delivery.id
            WHERE delivery.line = event.line AND delivery_event.source = event.seq)
        AND EXISTS (SELECT 1 FROM alert WHERE alert.line = event.line AND alert.closed_at IS NULL
            AND alert.kind IN ('answer-unexpected', 'safety-incident')))
FROM line
LEFT JOIN allocation AS held ON held.line = line.id
    AND held.epoch = (SELECT max(epoch) FROM allocation WHERE allocation.line = line.id)
LEFT JOIN message ON message.id = held.message
LEFT JOIN cancel ON cancel.line = line.id
LEFT JOIN reroute ON reroute.line = line.id AND reroute.state IN ('ASKED', 'PENDING', 'CONFIRMED')
WHERE {condition}
"""
_BY_ROW = _HELD.format(condition="line.id = ?")
_OF_PRESCRIPTION = _HELD.format(
    condition="line.prescription = ? AND line.action IN ('new', 'replace')"
    " AND line.state NOT IN ('REFUSED', 'CANCELLED', 'SUPERSEDED', 'EXPIRED', 'CLOSED') AND line.state <> 'FULFILLED'"
    " ORDER BY line.id"
)
_SAID = """
SELECT event.event, event.moved, callback.destination, event.callback IS NULL,
    event.text LIKE 'nothing moved: % says nothing new: issue %'
    OR EXISTS (SELECT 1 FROM delivery JOIN delivery_event ON delivery_event.delivery = delivery.id
        WHERE delivery.line = event.line AND delivery_event.source = event.seq)
FROM event LEFT JOIN callback ON callback.id = event.callback
WHERE event.line = ? AND coalesce(event.epoch, 1) = ? ORDER BY event.seq
"""
_OPEN = "line.state NOT IN ('REFUSED', 'CANCELLED', 'SUPERSEDED', 'EXPIRED', 'CLOSED') AND line.state <> 'FULFILLED'"
_PRESCRIPTIONS = """
SELECT DISTINCT prescription.id, prescription.tenant, prescription.uuid, prescription.number
FROM {source} JOIN prescription ON prescription.id = line.prescription
WHERE {condition} AND line.action IN ('new', 'replace') ORDER BY prescription.id{limit}
"""
_BY_ID = _PRESCRIPTIONS.format(source="line", condition=f"prescription.uuid = ? AND {_OPEN}", limit="")
_BY_PROVIDER, _MOVABLE_BY_PROVIDER = (
    _PRESCRIPTIONS.format(
        source="line", condition=f"line.provider = ? AND ? IN ('', line.tenant) AND {states}", limit=" LIMIT ?"
    )
    for states in (_OPEN, f"line.state IN ({', '.join(repr(state.value) for state in sorted(MOVABLE))})")
)
_REVOKED = _PRESCRIPTIONS.format(
    source="reroute JOIN line ON line.id = reroute.line", condition=f"reroute.state = 'CONFIRMED' AND {_OPEN}", limit=""
)
_WRITTEN = """
SELECT submission.tenant, submission.format, submission.body, submission.content_type, submission.received_at,
    submission.envelope, prescription.document, prescription.trace
FROM prescription JOIN submission ON submission.id = prescription.submission WHERE prescription.id = ?
"""
EVERY: Final = 2**31 - 1
_EVENTS: Mapping[str, LineEvent] = {event.value: event for event in LineEvent}


def held_line(ask: Ask, row: int) -> HeldLine:
    """Give one line by its row, with what the fence asks about it."""
    return _line(ask, next(iter(ask(_BY_ROW, (row,)))))


def of_prescription(ask: Ask, prescription_id: UUID) -> tuple[HeldPrescription, ...]:
    """Give what is open under a prescription's id: one entry for each order that was accepted under it."""
    return _gather(ask, _BY_ID, (prescription_id.bytes,))


def of_provider(
    ask: Ask, provider: OdsCode, *, tenant: OdsCode | None = None, movable: bool = False, most: int = EVERY
) -> tuple[HeldPrescription, ...]:
    """Give the oldest prescriptions, of one trust or of all, with an open line that is, or was last, that provider's.

    If wished, only those of which such a line may go to another provider.
    Each line is asked about by itself: whoever shows a page of them says how many at most.
    """
    values = (provider.value, str(tenant or ""), most)
    sql = _MOVABLE_BY_PROVIDER if movable else _BY_PROVIDER
    return tuple(_only(one, provider) for one in _gather(ask, sql, values))


def revoked(ask: Ask) -> tuple[HeldPrescription, ...]:
    """Give every prescription with a line that its holder gave up for a re-route, and nobody has yet."""
    return _gather(ask, _REVOKED, ())


def written(ask: Ask, key: int) -> WrittenOrder:
    """Give what a message is written from.

    Raises:
        KeyError: there is no such prescription.
    """
    row = next(iter(ask(_WRITTEN, (key,))), None)
    if row is None:
        raise KeyError(key)
    return WrittenOrder(
        submission=Submission(
            tenant=OdsCode(row[0]),
            format=WireFormat(row[1]),
            body=row[2],
            content_type=row[3],
            received_at=instant(row[4]),
        ),
        envelope=decode(row[5], Envelope),
        prescription=decode(row[6], Prescription) if row[6] else None,
        trace=decode(zlib.decompress(row[7]), tuple[TraceRow, ...]),
    )


def _gather(ask: Ask, sql: str, values: Sequence[Any]) -> tuple[HeldPrescription, ...]:
    return tuple(
        HeldPrescription(
            key=row[0],
            tenant=OdsCode(row[1]),
            prescription_id=UUID(bytes=row[2]),
            number=row[3],
            lines=tuple(_line(ask, line) for line in list(ask(_OF_PRESCRIPTION, (row[0],)))),
        )
        for row in list(ask(sql, values))
    )


def _only(one: HeldPrescription, provider: OdsCode) -> HeldPrescription:
    return replace(one, lines=tuple(line for line in one.lines if line.holding.provider == provider))


def _line(ask: Ask, row: tuple[Any, ...]) -> HeldLine:
    epoch, provider = row[6] or 0, row[7]
    return HeldLine(
        line_id=UUID(bytes=row[1]),
        order_number=row[2],
        message_id=UUID(bytes=row[8]) if row[8] else None,
        reroute=_open_reroute(row[13:19]) if row[13] else None,
        holding=Holding(
            state=LineState(row[3]),
            epoch=epoch,
            provider=OdsCode(provider) if provider else None,
            unproven=row[11],
            said=_said(ask, row[0], epoch, provider),
            not_valid_after=instant(row[9]) if row[9] is not None else None,
            cancel=CancelState(row[10]) if row[10] else CancelState.NONE,
            revoked=bool(row[12]),
            delivered=row[4],
            total=row[5],
            lost_epochs=row[19] or 0,
            rescued=row[20],
            unaccounted=row[21],
            uncounted=row[22],
        ),
    )


def _said(ask: Ask, line: int, epoch: int, provider: str | None) -> tuple[Said, ...]:
    return tuple(
        Said(
            event=_EVENTS[name],
            moved=bool(moved),
            bound=destination == provider or bool(transmitted and moved and name == LineEvent.REFUSED_FORMAT),
            accounted=bool(accounted),
        )
        for name, moved, destination, transmitted, accounted in ask(_SAID, (line, epoch))
        if name in _EVENTS
    )


def _open_reroute(row: tuple[Any, ...]) -> OpenReroute:
    return OpenReroute(
        state=RerouteState(row[0]),
        wanted=Wanted(to=OdsCode(row[1]), people=(row[2], row[3]), reason=row[4]),
        asked_at=instant(row[5]),
    )
