"""One prescription with everything that is known of it: its lines, its timeline and its alerts."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from gateway.domain.custody import Holder
from gateway.domain.delivery import DeliveryState
from gateway.domain.identifiers import OdsCode
from gateway.domain.issue import Issue
from gateway.domain.labels import LABELS
from gateway.domain.lifecycle import LineState
from gateway.domain.prescription import Prescription
from gateway.domain.renewal import RenewalState
from gateway.domain.restricted import is_restricted
from gateway.domain.sight import Sight, words_beyond, words_for
from gateway.enquiries import AlertView, DeliveryView, EventView, LineView, PrescriptionView, RenewalView
from gateway.store.document import decode
from gateway.store.sql.finding import describe, visible
from gateway.store.sql.instants import instant, stored
from gateway.store.sql.listing import numbers
from gateway.store.sql.seeing import OWN_ALERT, provider_of, sights
from gateway.store.sql.transaction import Reader

_LONDON: Final = ZoneInfo("Europe/London")
_HEAD = """
SELECT submission.control_id, submission.format, submission.body, prescription.document, prescription.issues,
    prescription.nhs_number,
    (SELECT body FROM message WHERE message.prescription = prescription.id AND event = 'prescription-order'
            AND (:provider = '' OR message.destination = :provider)
        ORDER BY created_at DESC, rowid DESC LIMIT 1)
FROM prescription JOIN submission ON submission.id = prescription.submission WHERE prescription.id = :row
"""
_LINES = """
SELECT line.uuid, order_number, product_display, product_code, directions, quantity, state, holder, act_by, epoch,
    delivered, total_supplies, line.id
FROM line JOIN prescription ON prescription.id = line.prescription
WHERE prescription.uuid = ? AND prescription.tenant = ?
ORDER BY line.id
"""
_EVENTS = """
SELECT event.seq, event.at, line.uuid, event.event, event.state_before, event.state_after, event.actor, event.text,
    event.reason, event.reason_code, event.amount, event.unit, event.line, event.callback
FROM prescription JOIN line ON line.prescription = prescription.id JOIN event ON event.line = line.id
WHERE prescription.uuid = ? AND prescription.tenant = ? ORDER BY event.seq
"""
_DELIVERIES = """
SELECT issue, state, owed, due_on, agreed_first, agreed_for FROM delivery AS one WHERE line = ?
    AND epoch = (SELECT max(epoch) FROM delivery WHERE line = one.line AND issue = one.issue)
ORDER BY issue
"""
_OWN_DELIVERIES = f"""
SELECT issue,
    CASE WHEN state = 'RESCUED' AND entered_at >= CAST(:ended AS BIGINT) THEN 'WITHDRAWN'
        ELSE state END,
    owed, due_on, agreed_first, agreed_for
FROM delivery AS one WHERE line = :line AND epoch = (SELECT max(epoch) FROM delivery WHERE line = one.line
    AND issue = one.issue AND epoch IN {numbers(":epochs")})
ORDER BY issue
"""  # noqa: S608 - our own words alone
_RENEWAL = "SELECT state, entered_at, prescription FROM renewal WHERE line = ? ORDER BY id DESC LIMIT 1"
_OWN_RENEWAL = """
SELECT state, entered_at, NULL FROM renewal WHERE line = ? AND opened_at >= ? ORDER BY id DESC LIMIT 1
"""
ALERTS: Final = """
SELECT alert.id, alert.kind, alert.subject, line.uuid, alert.opened_at, alert.closed_at, alert.text,
    prescription.uuid, line.product_display, prescription.number, alert.closed_by, alert.close_reason,
    CASE WHEN alert.kind LIKE 'line-%' AND alert.closed_at IS NULL
            AND line.state <> upper(replace(substr(alert.kind, 6), '-', '_'))
        THEN (SELECT max(event.at) FROM event WHERE event.line = line.id AND event.moved = 1
            AND event.state_before = upper(replace(substr(alert.kind, 6), '-', '_'))
            AND event.state_after <> event.state_before)
        END,
    line.state
FROM {source} WHERE {condition}
"""
"""Alerts as `alert_view` reads them. One of a state that its line has left since is settled: by then, and nobody but a
person closes it."""
_ALERTS = ALERTS.format(
    source="prescription JOIN line ON line.prescription = prescription.id JOIN alert ON alert.line = line.id",
    condition="prescription.uuid = :uuid AND prescription.tenant = :owner"
    f" AND (:tenant = '' OR {OWN_ALERT})"
    " ORDER BY alert.kind <> 'safety-incident' OR alert.closed_at IS NOT NULL, alert.id",
)


def prescription(reader: Reader, prescription_id: UUID, *, tenant: OdsCode | None) -> PrescriptionView | None:
    """Give a prescription if the tenant may see it; None for a foreign one as for one that does not exist.

    A provider is given the lines that are or were its own, each as far as it may see it, and the message that was for
    it; never another's, and never the trust's own bytes.
    """
    found = visible(reader, prescription_id, tenant)
    return _view(reader, prescription_id, *found, tenant) if found is not None else None


def _view(reader: Reader, uuid: UUID, row: int, owner: str, tenant: OdsCode | None) -> PrescriptionView:
    key = (uuid.bytes, owner)
    provider = provider_of(tenant, owner)
    seen = sights(reader, [row], provider) if provider is not None else None
    name = str(provider or "")
    head: tuple[Any, ...] = next(iter(reader.execute(_HEAD, {"row": row, "provider": name})))
    document = decode(head[3], Prescription) if head[3] else None
    issues = decode(head[4], tuple[Issue, ...])
    return PrescriptionView(
        found=describe(reader, [row], tenant)[0],
        control_id=head[0],
        format=head[1],
        patient_name=str(document.patient.name) if document else "",
        nhs_number=head[5],
        birth_date=document.patient.birth_date.isoformat() if document else "",
        prescriber=str(document.prescriber.name) if document else "",
        lines=tuple(_lines(reader, key, seen)),
        events=tuple(_events(reader, key, seen)),
        alerts=tuple(
            alert_view(alert) for alert in reader.execute(_ALERTS, {"uuid": key[0], "owner": owner, "tenant": name})
        ),
        issues=issues if seen is None else tuple(issue for issue in issues if is_restricted((issue,))),
        source=b"" if seen is not None else head[2],
        message=head[6],
    )


def alert_view(row: tuple[Any, ...]) -> AlertView:
    """Read an alert's row.

    Args:
        row: id, kind, subject, item id, opened, closed, text, prescription id, medicine, number, closed by, reason, and
            since when it is settled and how its line stands now (`ALERTS`).
    """
    return AlertView(
        id=row[0],
        kind=row[1],
        subject=row[2],
        line_id=UUID(bytes=row[3]) if row[3] is not None else None,
        opened_at=instant(row[4]),
        closed_at=instant(row[5]) if row[5] is not None else None,
        text=row[6] + _settled(row[12], row[13]),
        prescription_id=UUID(bytes=row[7]) if row[7] is not None else None,
        medicine=row[8] or "",
        number=row[9] or "",
        closed_by=row[10],
        close_reason=row[11],
    )


def _settled(at: int | None, state: str | None) -> str:
    """Say that an alert's cause is past: only a person closes it, and must see that nothing is left to do."""
    if at is None or state is None:
        return ""
    local = instant(at).astimezone(_LONDON)
    return f" Settled since {local.day} {local:%b %Y, %H:%M}: {LABELS[LineState(state)].lower()}."


def _lines(reader: Reader, key: tuple[bytes, str], seen: Mapping[int, Sight] | None) -> Iterator[LineView]:
    for row in list(reader.execute(_LINES, key)):
        if seen is None:
            yield _line(reader, row)
        elif row[12] in seen:
            yield _own_line(reader, row, seen[row[12]])


def _line(reader: Reader, row: tuple[Any, ...]) -> LineView:
    return LineView(
        line_id=UUID(bytes=row[0]),
        order_number=row[1],
        product=row[2],
        product_code=row[3],
        directions=row[4],
        quantity=row[5],
        state=LineState(row[6]),
        holder=row[7],
        act_by=instant(row[8]) if row[8] is not None else None,
        epoch=row[9],
        delivered=row[10],
        total_supplies=row[11],
        deliveries=tuple(_delivery(one) for one in reader.execute(_DELIVERIES, (row[12],))),
        renewal=next((_renewal(one) for one in reader.execute(_RENEWAL, (row[12],))), None),
    )


def _own_line(reader: Reader, row: tuple[Any, ...], sight: Sight) -> LineView:
    """Give a line as its provider sees it; one that it no longer has, as it was left."""
    ended, span = sight.ended, sight.span
    until = stored(span.ended_at) if span.ended_at is not None else None
    values = {"line": row[12], "epochs": json.dumps(sorted(sight.epochs)), "ended": until}
    own = replace(
        _line(reader, row),
        epoch=span.epoch,
        deliveries=tuple(_delivery(one) for one in reader.execute(_OWN_DELIVERIES, values)),
    )
    if ended is not None:
        made = sum(one.state is DeliveryState.DELIVERED for one in own.deliveries)
        return replace(own, state=ended.state, holder=Holder.NOBODY.value, act_by=None, delivered=made, renewal=None)
    begun = (row[12], stored(span.made_at))
    return replace(own, renewal=next((_renewal(one) for one in reader.execute(_OWN_RENEWAL, begun)), None))


def _delivery(row: tuple[Any, ...]) -> DeliveryView:
    due, first, agreed = (date.fromisoformat(day) if day else None for day in row[3:])
    return DeliveryView(
        issue=row[0], state=DeliveryState(row[1]), owed=bool(row[2]), due_on=due, agreed_first=first, agreed_for=agreed
    )


def _renewal(row: tuple[Any, ...]) -> RenewalView:
    named = UUID(bytes=row[2]) if row[2] is not None else None
    return RenewalView(state=RenewalState(row[0]), since=instant(row[1]), prescription_id=named)


def _events(reader: Reader, key: tuple[bytes, str], seen: Mapping[int, Sight] | None) -> Iterator[EventView]:
    for row in reader.execute(_EVENTS, key):
        if seen is None:
            yield _event(row)
        elif row[12] in seen and seen[row[12]].shows(row[0]):
            yield _own_event(row, seen[row[12]])


def _own_event(row: tuple[Any, ...], sight: Sight) -> EventView:
    """Give an event as a provider sees it: without what others wrote, and where the line stood at another's."""
    text = own_words(sight, seq=row[0], actor=row[6], text=row[7], said=row[13] is not None)
    reason = words_for(row[6], row[8], said=row[13] is not None)
    shown = _event((*row[:7], text, reason, *row[9:]))
    if row[0] in sight.beyond:
        return replace(shown, state_before="", state_after="")
    return replace(shown, state_after=sight.after(row[0], shown.state_after))


def own_words(sight: Sight, *, seq: int, actor: str, text: str, said: bool) -> str:
    """Give as much of an event's text as its provider is shown."""
    return words_beyond(text) if seq in sight.beyond else words_for(actor, text, said=said)


def _event(row: tuple[Any, ...]) -> EventView:
    supplied = " ".join(part for part in (row[10], row[11]) if part)
    words = (row[9], row[8], supplied, row[7])
    return EventView(
        seq=row[0],
        at=instant(row[1]),
        line_id=UUID(bytes=row[2]),
        event=row[3],
        state_before=row[4],
        state_after=row[5],
        actor=row[6],
        text="; ".join(word for word in words if word),
    )
