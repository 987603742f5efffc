"""What the clock alone causes: deliveries fall due, windows close, validity ends, renewals are asked for and lapse.

A time-out never makes a line safe: where medicine may be on its way, or nobody knows who has it, the clock only tells
a person (mapping.md 10.2). All of it is found in the base tables anew at every look, so that none depends on a timer.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, TypeAlias
from uuid import UUID
from zoneinfo import ZoneInfo

from gateway.domain.acts import Expiring, Expiry, Turned
from gateway.domain.cancel import CancelState
from gateway.domain.deadline import Request
from gateway.domain.delivery import DeliveryEvent, in_flight
from gateway.domain.hold import beneath
from gateway.domain.identifiers import OdsCode
from gateway.domain.lifecycle import Actor, LineEvent, LineState
from gateway.domain.transition import Moved
from gateway.store.sql import deliveries, renewals
from gateway.store.sql.alerts import open_alert
from gateway.store.sql.allocate import deliver, store_message, unqueue
from gateway.store.sql.cancels import for_its_holder, never_left, region, under_way
from gateway.store.sql.claimed import claimed
from gateway.store.sql.clock_jumps import DISTRUSTED
from gateway.store.sql.history import Happening, LineNow, line_now, record_event
from gateway.store.sql.indexing import catch_up
from gateway.store.sql.instants import instant, stored
from gateway.store.sql.reconciling import stated_elsewhere
from gateway.store.sql.tell import tell_news
from gateway.store.sql.transaction import Transaction

_LONDON: Final = ZoneInfo("Europe/London")
MOST: Final = 500
"""Rows handled at one look, so that a backlog never holds the writer for long."""
WINDOW: Final = timedelta(days=30)
"""How long a report of the last delivery may still be taken back (mapping.md 10.2)."""

Ask: TypeAlias = Callable[[str, Sequence[Any]], Iterable[tuple[Any, ...]]]

_DUE = """
SELECT delivery.line, delivery.issue FROM delivery JOIN line ON line.id = delivery.line
WHERE delivery.state = 'PLANNED' AND delivery.due_on <= ? AND line.state IN ('ACCEPTED', 'VALIDATED', 'IN_SUPPLY',
    'PART_SUPPLIED') AND (line.valid_until IS NULL OR line.valid_until >= ?)
ORDER BY delivery.due_on, delivery.tenant, delivery.provider, delivery.id LIMIT ?
"""
_WINDOW = "SELECT id FROM line WHERE state = 'FULFILLED' AND entered_at <= ? ORDER BY entered_at LIMIT ?"
_EXPIRING = f"""
SELECT line.prescription, line.uuid, line.tenant, line.state, line.epoch, held.provider, held.message, line.state_before
FROM line LEFT JOIN allocation AS held ON held.line = line.id AND held.ended_at IS NULL
WHERE line.valid_until < ? AND line.action IN ('new', 'replace') AND line.state <> 'FULFILLED'
    AND line.state NOT IN ('REFUSED', 'CANCELLED', 'SUPERSEDED', 'EXPIRED', 'CLOSED')
    AND NOT EXISTS (SELECT 1 FROM cancel WHERE cancel.line = line.id AND cancel.state IN ('ASKED', 'PENDING'))
    AND NOT EXISTS (SELECT 1 FROM alert WHERE alert.line = line.id AND kind = 'validity-over' AND closed_at IS NULL)
    AND NOT EXISTS ({DISTRUSTED})
ORDER BY line.valid_until LIMIT ?
"""  # noqa: S608 - of our own words alone
_LINE = """
SELECT id, valid_until FROM line WHERE prescription = ? AND uuid = ? AND action IN ('new', 'replace')
"""
_OTHERS = """
SELECT other.line FROM allocation AS held JOIN allocation AS other ON other.message = held.message
WHERE held.line = :line AND other.line <> :line AND other.ended_at IS NULL ORDER BY other.line
"""
_ORDER = """
SELECT outbox.id, allocation.prescription, line.tenant, prescription.submission
FROM allocation JOIN outbox ON outbox.message_id = allocation.message JOIN line ON line.id = allocation.line
JOIN prescription ON prescription.id = allocation.prescription
WHERE allocation.line = ? AND allocation.ended_at IS NULL
"""
_WAIT = "INSERT INTO wait (outbox, earlier) VALUES (?, ?)"
_CANCEL = """
INSERT INTO cancel (line, submission, tenant, order_number, order_assigner, state, reason_code, reason, message,
    asked_at, answer_by)
VALUES (:line, :submission, :tenant, '', '', 'ASKED', '', :reason, :message, :at, :by)
ON CONFLICT (line) WHERE line IS NOT NULL DO NOTHING
"""

HELD_BY_PROVIDER: Final = frozenset(
    {
        LineState.SENT,
        LineState.WITH_PROVIDER,
        LineState.ACCEPTED,
        LineState.VALIDATED,
        LineState.QUERIED,
        LineState.IN_SUPPLY,
        LineState.PART_SUPPLIED,
        LineState.ON_HOLD,
    }
)
"""States in which a provider must be told that the validity is over."""
REASON: Final = "The prescription is no longer valid."


def turn(
    transaction: Transaction,
    *,
    now: datetime,
    lead: timedelta,
    leads: Mapping[OdsCode, timedelta],
    window: timedelta = WINDOW,
) -> Turned:
    """Do what the clock causes, up to `MOST` of each kind; nothing while a person is asked whether it is right."""
    today = now.astimezone(_LONDON).date()
    catch_up(transaction, most=MOST)
    if transaction.row(DISTRUSTED) is not None:
        return Turned()
    return Turned(
        due=_release(transaction, now),
        closed=_close(transaction, now, window),
        renewals=renewals.ask_in_time(transaction, today=today, lead=lead, leads=leads, now=now, most=MOST),
        lapsed=renewals.lapse(transaction, now=now, most=MOST),
    )


def expiring(ask: Ask, *, now: datetime) -> tuple[Expiring, ...]:
    """Give open lines whose validity is over, oldest first; not those a person was told of, or with a cancel open."""
    return tuple(
        Expiring(
            key=row[0],
            line_id=UUID(bytes=row[1]),
            tenant=OdsCode(row[2]),
            state=LineState(row[3]),
            epoch=row[4],
            holder=OdsCode(row[5]) if row[5] and _stands(row[3], row[7]) in HELD_BY_PROVIDER else None,
            message_id=UUID(bytes=row[6]) if row[6] else None,
        )
        for row in ask(_EXPIRING, (stored(now), MOST))
    )


def expire(transaction: Transaction, expiry: Expiry, *, now: datetime) -> bool:
    """End a line whose validity is over and tell its holder; where a supply may be under way, tell a person instead.

    Returns:
        Whether the line ended. Not where it has moved since it was looked at: the next look sees it again.
    """
    row = transaction.row(_LINE, (expiry.key, expiry.line_id.bytes))
    if row is None or row[1] is None or instant(row[1]) >= now or transaction.row(DISTRUSTED) is not None:
        return False
    line = line_now(transaction, row[0])
    moved = line.state is not expiry.seen or not for_its_holder(line, expiry.message)
    if moved or under_way(transaction, line.row):
        return False
    elsewhere = stated_elsewhere(transaction, line) or claimed(transaction, line.row)
    if elsewhere or line.state is LineState.UNCERTAIN or in_flight(deliveries.deliveries(transaction, line.row)):
        text = "Its validity is over, and a supply may be under way. Nothing was changed."
        _alert(transaction, line, "validity-over", text, at=now)
        return False
    order = transaction.row(_ORDER, (line.row,)) if region(transaction, line.row) is CancelState.NONE else None
    others = transaction.rows(_OTHERS, {"line": line.row})
    tells = expiry.message is not None and order is not None and _is_with_provider(line)
    text = "validity over; the provider is told" if tells else "validity over"
    kept = record_event(
        transaction, line, Happening(event=LineEvent.VALIDITY_OVER, actor=Actor.CLOCK, at=now, text=text, reason=REASON)
    )
    if not isinstance(kept.result, Moved):
        return False
    never_left(transaction, [line_now(transaction, other) for (other,) in others], goes=False, now=now)
    if not any(_is_to_leave(line_now(transaction, other)) for (other,) in others):
        unqueue(transaction, line.row)
    tell_news(transaction, line.row, kept.seq, now=now)
    _tell_holder(transaction, line, expiry, order, now=now)
    made = line.delivered + deliveries.rescued(transaction, line.row)
    if made < line.total:
        text = f"It is no longer valid; {made} of {line.total} supplies were made. A new one may be needed."
        _alert(transaction, line, "line-expired", text, at=now)
    return True


def _stands(state: str, before: str | None) -> LineState:
    """Say where a line stands that may be on hold."""
    return beneath(LineState(state), LineState(before) if before else None)


def _is_with_provider(line: LineNow) -> bool:
    return beneath(line.state, line.before) in HELD_BY_PROVIDER


def _is_to_leave(line: LineNow) -> bool:
    """Tell whether a line still needs the message it shares: its row is the last one's of them to take away."""
    return beneath(line.state, line.before) is LineState.READY


def _release(transaction: Transaction, now: datetime) -> int:
    """Let each planned delivery be booked whose day has come, of lines that may be supplied from."""
    today = now.astimezone(_LONDON).date().isoformat()
    rows = transaction.rows(_DUE, (today, stored(now), MOST))
    cause = deliveries.Cause(actor=Actor.CLOCK, at=now)
    return sum(
        deliveries.happen(transaction, line_now(transaction, line).supplies, issue, DeliveryEvent.DUE, cause)
        for line, issue in rows
    )


def _close(transaction: Transaction, now: datetime, window: timedelta) -> int:
    rows = transaction.rows(_WINDOW, (stored(now - window), MOST))
    for (row,) in rows:
        happening = Happening(event=LineEvent.WINDOW_OVER, actor=Actor.CLOCK, at=now)
        record_event(transaction, line_now(transaction, row), happening)
    return len(rows)


def _tell_holder(
    transaction: Transaction, line: LineNow, expiry: Expiry, order: tuple[Any, ...] | None, *, now: datetime
) -> None:
    """Queue what tells the provider behind the order, as a cancel that waits for its answer (I16).

    A line has one cancel; where the provider has already said that the trust's came too late, a person must ring.
    """
    if not _is_with_provider(line):
        return
    if expiry.message is None or order is None:
        text = "The provider could not be told that the prescription is no longer valid."
        _alert(transaction, line, "cancel-not-sent", text, at=now)
        return
    outbox, prescription, tenant, submission = order
    store_message(transaction, expiry.message, prescription, now=now)
    values = {"line": line.row, "submission": submission, "tenant": tenant, "reason": REASON, "at": stored(now)}
    by = stored(transaction.deadlines.answer_by(Request.CANCEL, now))
    transaction.run(_CANCEL, {**values, "by": by, "message": expiry.message.id.bytes})
    transaction.run(_WAIT, (deliver(transaction, expiry.message, OdsCode(tenant), now=now), outbox))


def _alert(transaction: Transaction, line: LineNow, kind: str, text: str, *, at: datetime) -> None:
    open_alert(transaction, kind=kind, subject=str(line.id), line=line.row, at=at, text=text)
