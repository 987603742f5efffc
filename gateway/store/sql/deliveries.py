"""The deliveries of a line: planned when its provider takes it, moved by reports and the clock, withdrawn with it.

They follow the line in the transaction that moves it, along their own table; what does not fit them moves nothing here,
for whether a person is told is decided by what the report means for the line.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec

from gateway.domain.delivery import (
    Delivery,
    DeliveryEvent,
    DeliveryState,
    move,
    owed_after,
    reported,
    spoken_of,
)
from gateway.domain.lifecycle import Actor, LineEvent, LineState
from gateway.store.sql.instants import stored
from gateway.store.sql.leaves import append_leaf
from gateway.store.sql.transaction import Transaction

_LONDON: Final = ZoneInfo("Europe/London")
_DAYS: Final = {"d": 1, "wk": 7}

_LATEST = """
SELECT id, issue, state, owed, state_before, epoch FROM delivery AS one WHERE line = ?
    AND epoch = (SELECT max(epoch) FROM delivery WHERE line = one.line AND issue = one.issue)
ORDER BY issue
"""
_INSERT = """
INSERT INTO delivery (line, issue, epoch, state, due_on, covers_until, entered_at)
VALUES (:line, :issue, :epoch, 'PLANNED', :due_on, :covers_until, :at)
"""
_EVENT = """
INSERT INTO delivery_event (delivery, at, event, actor, state_before, state_after, source, text)
VALUES (:delivery, :at, :event, :actor, :before, :after, :source, :text)
"""
_MOVE = """
UPDATE delivery SET state = :state, state_before = :before, owed = :owed, entered_at = :at,
    agreed_first = coalesce(agreed_first, :agreed), agreed_for = coalesce(:agreed, agreed_for)
WHERE id = :id
"""
_HOW_DELIVERED = """
SELECT delivery_event.event FROM delivery JOIN delivery_event ON delivery_event.delivery = delivery.id
WHERE delivery.line = :line AND delivery.state = 'DELIVERED'
    AND (CAST(:issue AS BIGINT) IS NULL OR delivery.issue = :issue)
ORDER BY delivery.issue DESC, delivery.epoch DESC, delivery_event.id DESC LIMIT 1
"""
_DOCUMENT = """
SELECT prescription.document FROM line JOIN prescription ON prescription.id = line.prescription WHERE line.id = ?
"""

PLANS: Final = frozenset(
    {LineState.ACCEPTED, LineState.VALIDATED, LineState.IN_SUPPLY, LineState.PART_SUPPLIED, LineState.FULFILLED}
)
"""States in which a provider has taken the line on, so that its supplies are to be expected."""
_PLANNED_ANEW: Final = frozenset({DeliveryState.WITHDRAWN, DeliveryState.NOT_SUPPLIED})
_LOST: Final = frozenset({DeliveryState.NOT_SUPPLIED, DeliveryState.RESCUED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Of:
    """Whose deliveries are meant: a line as it stands."""

    line: int
    id: UUID
    epoch: int
    total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """What moves a delivery.

    Attributes:
        source: number of the line's event that it came with; None for the clock.
        agreed: the day agreed with the patient, where the report states one.
    """

    actor: Actor
    at: datetime
    source: int | None = None
    agreed: date | None = None
    text: str = ""


@dataclass(frozen=True, slots=True)
class _Row:
    id: int
    delivery: Delivery
    epoch: int


@dataclass(frozen=True, slots=True)
class _Length:
    value: Any = None
    unit: Any = ""


@dataclass(frozen=True, slots=True)
class _Starter:
    lasts: _Length | None = None


@dataclass(frozen=True, slots=True)
class _Line:
    id: UUID
    days_per_supply: Any = None
    interval: _Length | None = None
    first_supply: _Starter | None = None


@dataclass(frozen=True, slots=True)
class _Wanted:
    first_required_by: Any = None


@dataclass(frozen=True, slots=True)
class _Homecare:
    delivery: _Wanted | None = None


@dataclass(frozen=True, slots=True)
class _Order:
    """As much of a stored prescription as says when its supplies are due; the rest is passed over, which costs less."""

    lines: tuple[_Line, ...] = ()
    homecare: _Homecare | None = None


_read: Final = msgspec.json.Decoder(_Order).decode


def deliveries(transaction: Transaction, line: int) -> tuple[Delivery, ...]:
    """Give every issue of a line as it stands under its latest epoch, in order; none before the line was taken."""
    return tuple(row.delivery for row in _rows(transaction, line))


def lost(transaction: Transaction, line: int) -> int:
    """Count the issues that this provider will not deliver: the last of the others completes the line."""
    return sum(one.state in _LOST for one in deliveries(transaction, line))


def rescued(transaction: Transaction, line: int) -> int:
    """Count the supplies of this line that another made in its provider's place."""
    return sum(one.state is DeliveryState.RESCUED for one in deliveries(transaction, line))


def was_balance(transaction: Transaction, line: int, issue: int | None) -> bool:
    """Tell whether an issue, or the latest delivered, came in two parts, the second of them reported as a balance."""
    row = transaction.row(_HOW_DELIVERED, {"line": line, "issue": issue})
    return row is not None and row[0] == DeliveryEvent.BALANCE_SUPPLIED


def plan(transaction: Transaction, of: Of, *, at: datetime) -> None:
    """Plan every issue that has not been: at first all of them; under a new epoch what the earlier holder left over.

    Until when a supply lasts is written of the last alone: only that is asked for, for the renewal, and by an index.
    """
    issues = _unplanned(_rows(transaction, of.line), of)
    schedule: Mapping[int, tuple[date, date | None]] = _schedule(transaction, of, at) if issues else {}
    entered = stored(at)
    planned = [(issue, *schedule.get(issue, (None, None))) for issue in issues]
    transaction.run_each(
        _INSERT,
        [
            {
                "line": of.line,
                "issue": issue,
                "epoch": of.epoch,
                "due_on": due.isoformat() if due else None,
                "covers_until": until.isoformat() if until and issue == of.total else None,
                "at": entered,
            }
            for issue, due, until in planned
        ],
    )


def of_holder(transaction: Transaction, of: Of) -> list[Delivery]:
    """Give the issues that the line's present holder was sent, in order: those planned under its epoch, or to be."""
    rows = _rows(transaction, of.line)
    begun = [row.delivery for row in rows if row.epoch == of.epoch]
    return begun or [Delivery(issue=issue, state=DeliveryState.PLANNED) for issue in _unplanned(rows, of)]


def follow(transaction: Transaction, of: Of, event: LineEvent, cause: Cause, *, issue: int | None = None) -> bool:
    """Move the issue that a provider's report of the line means, or the one it names; tell whether there is one."""
    said = reported(event)
    if said is None:
        return True
    if issue is not None:
        return happen(transaction, of, issue, said, cause)
    rows = _rows(transaction, of.line)
    chosen = spoken_of([row.delivery for row in rows], said, cause.actor)
    for row in rows:
        if row.delivery is chosen:
            _apply(transaction, of, row, said, cause)
    return chosen is not None


def withdraw(transaction: Transaction, of: Of, cause: Cause) -> bool:
    """Withdraw what has not left of a line that ended; tell whether a delivery is on its way all the same."""
    rows = _rows(transaction, of.line)
    for row in rows:
        if move(row.delivery, DeliveryEvent.LINE_ENDED, cause.actor) is not None:
            _apply(transaction, of, row, DeliveryEvent.LINE_ENDED, cause)
    return any(row.delivery.state is DeliveryState.DISPATCHED for row in rows)


def happen(transaction: Transaction, of: Of, issue: int, event: DeliveryEvent, cause: Cause) -> bool:
    """Let an event happen to one issue by its number; tell whether it moved."""
    found = next((row for row in _rows(transaction, of.line) if row.delivery.issue == issue), None)
    if found is None or move(found.delivery, event, cause.actor) is None:
        return False
    _apply(transaction, of, found, event, cause)
    return True


def _rows(transaction: Transaction, line: int) -> list[_Row]:
    return [
        _Row(
            row[0],
            Delivery(
                issue=row[1],
                state=DeliveryState(row[2]),
                owed=bool(row[3]),
                before=DeliveryState(row[4]) if row[4] else None,
            ),
            row[5],
        )
        for row in transaction.rows(_LATEST, (line,))
    ]


def _unplanned(rows: list[_Row], of: Of) -> list[int]:
    known = {row.delivery.issue: row for row in rows}
    return [
        issue
        for issue in range(1, of.total + 1)
        if issue not in known or (known[issue].epoch < of.epoch and known[issue].delivery.state in _PLANNED_ANEW)
    ]


def _apply(transaction: Transaction, of: Of, row: _Row, event: DeliveryEvent, cause: Cause) -> None:
    state = move(row.delivery, event, cause.actor)
    if state is None:
        return
    before, at = row.delivery.state, stored(cause.at)
    values = {"delivery": row.id, "at": at, "event": event.value, "actor": cause.actor.value, "source": cause.source}
    transaction.run(_EVENT, {**values, "before": before.value, "after": state.value, "text": cause.text})
    moved = {"id": row.id, "state": state.value, "before": before.value, "owed": owed_after(row.delivery, event)}
    agreed = cause.agreed.isoformat() if cause.agreed and state is DeliveryState.BOOKED else None
    transaction.run(_MOVE, {**moved, "at": at, "agreed": agreed})
    append_leaf(
        transaction,
        "delivery",
        at=cause.at,
        line=str(of.id),
        issue=row.delivery.issue,
        epoch=row.epoch,
        event=event.value,
        actor=cause.actor.value,
        before=before.value,
        after=state.value,
    )


def _schedule(transaction: Transaction, of: Of, at: datetime) -> Mapping[int, tuple[date, date | None]]:
    """Give the day each issue is due and the last day it covers, as far as the order says; never guessed.

    The first is due when it was required, or else at once. The others follow where the order says how long one lasts.
    """
    found = transaction.row(_DOCUMENT, (of.line,))
    order = _read(found[0]) if found and found[0] else _Order()
    line = next((one for one in order.lines if one.id == of.id), None)
    delivery = order.homecare.delivery if order.homecare else None
    required = delivery.first_required_by if delivery else None
    first = date.fromisoformat(required) if required else at.astimezone(_LONDON).date()
    lasts = (_days(line.days_per_supply) or _length(line.interval)) if line else None
    starter = line.first_supply if line else None
    begins = _length(starter.lasts) if starter else lasts
    if begins is None:
        return {1: (first, None)}
    found_for: dict[int, tuple[date, date | None]] = {1: (first, first + timedelta(days=begins - 1))}
    if lasts is not None:
        for issue in range(2, of.total + 1):
            start = first + timedelta(days=begins + lasts * (issue - 2))
            found_for[issue] = (start, start + timedelta(days=lasts - 1))
    return found_for


def _length(said: _Length | None) -> int | None:
    """Give a length of time in whole days; None where it is not said in days or weeks."""
    days = _DAYS.get(said.unit) if said else None
    value = _days(said.value) if said else None
    return value * days if value is not None and days else None


def _days(value: Any) -> int | None:
    return int(value) if value and str(value).isdigit() else None
