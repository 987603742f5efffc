"""Renewals: a task beside a line, opened by the provider, a trust's message or the clock, and ended by the trust.

The row says where the task stands; every step of it is an event in the line's own history, so that the timeline tells
it. A renewal moves no line (mapping.md 10.5).
"""

import json
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from gateway.domain.acts import Act
from gateway.domain.identifiers import OdsCode
from gateway.domain.lifecycle import TERMINAL, Actor, LineEvent
from gateway.domain.renewal import RENEWAL_ENDED, RenewalEvent, RenewalState, renewed
from gateway.store.sql.alerts import close_alerts_of, open_alert
from gateway.store.sql.history import Happening, LineNow, line_now, note_event
from gateway.store.sql.instants import stored
from gateway.store.sql.leaves import append_leaf, reason_digest
from gateway.store.sql.tell import tell_news
from gateway.store.sql.transaction import Transaction

KIND: Final = "renewal-requested"
"""The alert that is open while a renewal waits for somebody."""

_OPEN = "SELECT id, state FROM renewal WHERE line = ? AND state IN ('REQUESTED', 'WITH_PRESCRIBER')"
_INSERT = "INSERT INTO renewal (line, state, opened_at, entered_at) VALUES (:line, 'REQUESTED', :at, :at)"
_MOVE = "UPDATE renewal SET state = :state, entered_at = :at, prescription = :prescription WHERE id = :id"
_OF_PRESCRIPTION = """
SELECT line.id FROM prescription JOIN line ON line.prescription = prescription.id
JOIN renewal ON renewal.line = line.id AND renewal.state IN ('REQUESTED', 'WITH_PRESCRIBER')
WHERE prescription.uuid = ? AND ? IN ('', prescription.tenant) ORDER BY line.id
"""
_KNOWN = """
SELECT 1 FROM prescription WHERE uuid = ?
    AND tenant = (SELECT tenant FROM prescription WHERE uuid = ? AND ? IN ('', tenant) ORDER BY id DESC LIMIT 1)
"""
_ENDING = """
SELECT delivery.line FROM delivery JOIN line ON line.id = delivery.line
WHERE delivery.covers_until IS NOT NULL AND delivery.covers_until <= :until AND delivery.issue = line.total_supplies
    AND line.total_supplies > 1 AND delivery.state NOT IN ('WITHDRAWN', 'NOT_SUPPLIED')
    AND line.state IN ('ACCEPTED', 'VALIDATED', 'QUERIED', 'IN_SUPPLY', 'PART_SUPPLIED', 'ON_HOLD', 'FULFILLED')
    AND NOT EXISTS (SELECT 1 FROM renewal WHERE renewal.line = delivery.line)
    AND CASE WHEN CAST(:tenant AS TEXT) IS NULL THEN line.tenant NOT IN (SELECT value FROM json_each(:others))
        ELSE line.tenant = :tenant END
ORDER BY delivery.covers_until LIMIT :most
"""
_LAPSED = """
SELECT line.id FROM renewal JOIN line ON line.id = renewal.line
WHERE renewal.state IN ('REQUESTED', 'WITH_PRESCRIBER')
    AND line.state IN ('REFUSED', 'CANCELLED', 'SUPERSEDED', 'EXPIRED', 'CLOSED')
ORDER BY renewal.id LIMIT ?
"""
_EVENTS: Final = {
    RenewalEvent.PASSED_ON: LineEvent.RENEWAL_PASSED_ON,
    RenewalEvent.APPROVED: LineEvent.RENEWAL_APPROVED,
    RenewalEvent.DECLINED: LineEvent.RENEWAL_DECLINED,
    RenewalEvent.LAPSED: LineEvent.RENEWAL_LAPSED,
}
_TEXT: Final = "A renewal is asked for. Only a prescriber can write one; say what became of it."


def request(transaction: Transaction, line: LineNow, happening: Happening) -> bool:
    """Open a renewal for a line that is not at its end, unless one is open. Tells whether a new one was opened.

    Args:
        transaction: the one whose facts give rise to it.
        line: as it stands.
        happening: who asks, and in which words; its event is RENEWAL_REQUESTED.
    """
    if line.state in TERMINAL or transaction.row(_OPEN, (line.row,)):
        return False
    transaction.run(_INSERT, {"line": line.row, "at": stored(happening.at)})
    tell_news(transaction, line.row, note_event(transaction, line, happening), now=happening.at)
    _leaf(transaction, line, RenewalState.REQUESTED, at=happening.at, by=happening.actor.value)
    open_alert(transaction, kind=KIND, subject=str(line.id), line=line.row, at=happening.at, text=_TEXT)
    return True


def decide(transaction: Transaction, act: Act, event: RenewalEvent, prescription: UUID | None) -> tuple[str, ...]:
    """Say what became of the open renewals of a prescription.

    Args:
        transaction: the act's own.
        act: whose, and why.
        event: passed on, approved or declined.
        prescription: the new one, for an approval; it must be known here, and the same trust's.

    Returns:
        Why nothing was done, in words; empty when it was.
    """
    if (event is RenewalEvent.APPROVED) is not (prescription is not None):
        return ("an approval names the new prescription, and nothing else does",)
    if prescription is not None and not _is_another(transaction, act, prescription):
        return ("the new prescription is not known here, or is not that trust's",)
    rows = [row for (row,) in transaction.rows(_OF_PRESCRIPTION, act.whose)]
    lines = [line for line in (line_now(transaction, row) for row in rows) if act.line_id in {None, line.id}]
    text = f"by {act.by}" + (f": {prescription}" if prescription else "")
    happening = Happening(event=_EVENTS[event], actor=Actor.TRUST_PHARMACIST, at=act.now, text=text, reason=act.reason)
    moved = [_move(transaction, line, event, happening, by=act.by, prescription=prescription) for line in lines]
    return () if any(moved) else ("no renewal of this prescription waits for that: look again",)


def ask_in_time(
    transaction: Transaction,
    *,
    today: date,
    lead: timedelta,
    leads: Mapping[OdsCode, timedelta],
    now: datetime,
    most: int,
) -> int:
    """Open a renewal of every line whose supplies cover the patient for no longer than its trust's lead time.

    Lines of one supply are complete by themselves; where the order does not say how long a supply lasts, the clock
    cannot know, and does not guess.
    """
    others = json.dumps([tenant.value for tenant in leads])
    asked = ((None, lead), *((tenant.value, own) for tenant, own in leads.items()))
    rows = [
        row
        for tenant, time in asked
        for row in transaction.rows(
            _ENDING, {"until": (today + time).isoformat(), "most": most, "tenant": tenant, "others": others}
        )
    ]
    happening = Happening(
        event=LineEvent.RENEWAL_REQUESTED, actor=Actor.CLOCK, at=now, text="the supplies that are left end soon"
    )
    return sum(request(transaction, line_now(transaction, row), happening) for (row,) in rows)


def lapse(transaction: Transaction, *, now: datetime, most: int) -> int:
    """End the renewals of lines that have ended themselves."""
    happening = Happening(
        event=LineEvent.RENEWAL_LAPSED, actor=Actor.CLOCK, at=now, text="the line ended without a renewal"
    )
    rows = transaction.rows(_LAPSED, (most,))
    return sum(
        _move(transaction, line_now(transaction, row), RenewalEvent.LAPSED, happening, by="", prescription=None)
        for (row,) in rows
    )


def _is_another(transaction: Transaction, act: Act, prescription: UUID) -> bool:
    known = transaction.row(_KNOWN, (prescription.bytes, *act.whose))
    return known is not None and prescription != act.prescription_id


def _move(
    transaction: Transaction,
    line: LineNow,
    event: RenewalEvent,
    happening: Happening,
    *,
    by: str,
    prescription: UUID | None,
) -> bool:
    row = transaction.row(_OPEN, (line.row,))
    state = renewed(RenewalState(row[1]), event, happening.actor) if row is not None else None
    if row is None or state is None:
        return False
    named = prescription.bytes if prescription else None
    values: dict[str, Any] = {"id": row[0], "state": state.value, "at": stored(happening.at), "prescription": named}
    transaction.run(_MOVE, values)
    tell_news(transaction, line.row, note_event(transaction, line, happening), now=happening.at)
    _leaf(transaction, line, state, at=happening.at, by=by or happening.actor.value, reason=happening.reason)
    if state in RENEWAL_ENDED and by:
        kinds = frozenset({KIND})
        close_alerts_of(transaction, line.row, kinds=kinds, by=by, reason=happening.reason, now=happening.at)
    return True


def _leaf(
    transaction: Transaction, line: LineNow, state: RenewalState, *, at: datetime, by: str, reason: str = ""
) -> None:
    digest = reason_digest(reason)
    append_leaf(transaction, "renewal", at=at, line=str(line.id), state=state.value, by=by, reason_digest=digest)
