"""Giving lines to another provider: the fence is judged on the rows of the transaction that does it.

Either every line of the message changes hands or none does. Each leaves a row that says on what ground, and who wanted
it; the database refuses the new allocation where its own tables do not bear that ground out (I10).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final
from uuid import UUID

from gateway.domain.deadline import Request
from gateway.domain.fence import FREE, TOGETHER, Ground, Holding, Withheld, decide, next_epoch
from gateway.domain.identifiers import OdsCode
from gateway.domain.lifecycle import Actor, LineEvent, LineState
from gateway.domain.reroute import Reroute, Revocation, Wanted
from gateway.domain.transition import Moved
from gateway.store.sql import holds
from gateway.store.sql.alerts import open_alert
from gateway.store.sql.allocate import deliver, give, store_message
from gateway.store.sql.history import Happening, LineNow, line_now, note_event, record_event
from gateway.store.sql.holdings import held_line
from gateway.store.sql.instants import stored
from gateway.store.sql.leaves import append_leaf
from gateway.store.sql.listing import numbers
from gateway.store.sql.reconciling import unreconciled
from gateway.store.sql.transaction import Transaction

_LINE = """
SELECT id, prescription FROM line WHERE uuid = ? AND tenant = ? AND action IN ('new', 'replace')
ORDER BY state IN ('REFUSED', 'CANCELLED', 'SUPERSEDED', 'EXPIRED', 'CLOSED'), id DESC LIMIT 1
"""
_INSERT = """
INSERT INTO reroute (line, epoch, earlier, provider, person, second_person, reason, state, ground, message, asked_at,
    answer_by, revoked_at, ended_at)
VALUES (:line, :epoch, :earlier, :provider, :person, :second, :reason, :state, :ground, :message, :at, :by, NULL,
    :ended)
"""
_OPEN = "SELECT id FROM reroute WHERE line = ? AND state IN ('ASKED', 'PENDING', 'CONFIRMED')"
_OFF = "UPDATE reroute SET state = 'OFF', ended_at = ? WHERE id = ?"
_DONE = "UPDATE reroute SET state = 'DONE', ground = ?, ended_at = ? WHERE id = ?"
_SAME = """
SELECT id FROM reroute WHERE line = ? AND state IN ('ASKED', 'PENDING', 'CONFIRMED') AND provider = ? AND person = ?
    AND second_person = ?
"""
_END = "UPDATE allocation SET ended_at = ? WHERE line = ? AND ended_at IS NULL"
_UNQUEUE = """
UPDATE outbox SET state = 'done' WHERE state = 'due' AND kind = 'deliver' AND (
    message_id IN (
        SELECT held.message FROM allocation AS held WHERE held.line = :line AND NOT EXISTS (
            SELECT 1 FROM allocation AS other WHERE other.message = held.message AND other.ended_at IS NULL))
    OR message_id IN (SELECT message FROM reroute WHERE line = :line AND message IS NOT NULL))
"""
_SHARES = f"""
SELECT 1 FROM allocation AS held JOIN allocation AS other ON other.message = held.message AND other.line <> held.line
JOIN line ON line.id = other.line
WHERE held.line = :line AND held.ended_at IS NULL AND other.ended_at IS NULL AND line.state = 'READY'
    AND other.line NOT IN {numbers(":chosen")}
LIMIT 1
"""  # noqa: S608 - our own words alone
_ORDER_ROW = """
SELECT outbox.id, allocation.prescription FROM allocation JOIN outbox ON outbox.message_id = allocation.message
WHERE allocation.line = ? AND allocation.ended_at IS NULL
"""
_WAIT_ON = """
INSERT INTO wait (outbox, line)
SELECT DISTINCT CAST(:outbox AS BIGINT), wait.line
FROM allocation AS held JOIN outbox ON outbox.message_id = held.message
JOIN wait ON wait.outbox = outbox.id AND wait.line IS NOT NULL
WHERE held.line = :line AND held.epoch = :epoch
    AND NOT EXISTS (SELECT 1 FROM ruling WHERE ruling.outbox = outbox.id AND ruled = 'send')
    AND NOT EXISTS (SELECT 1 FROM wait AS known WHERE known.outbox = :outbox AND known.line = wait.line)
"""
_WAIT = "INSERT INTO wait (outbox, earlier) VALUES (?, ?)"
_HASTEN = "UPDATE line SET act_by = CASE WHEN act_by < :by THEN act_by ELSE :by END WHERE id = :line"

RESTORED: Final = "restored from a backup: every provider must be reconciled first"
MOVED_ON: Final = "it has moved on since it was looked at; look again"

_GROUNDS: Final = {
    Ground.NEVER_ON_WIRE: "nothing of it ever reached the earlier provider",
    Ground.GIVEN_BACK: "the earlier provider gave it up",
    Ground.EXPIRED: "it expired at the earlier provider, which refuses what has expired",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Chosen:
    """One line that is to change hands, as it stands, with the ground on which it may."""

    now: LineNow
    holding: Holding
    ground: Ground


def reroute(transaction: Transaction, request: Reroute, *, now: datetime) -> tuple[str, ...]:
    """Give lines to another provider, all or none.

    Returns:
        Why nothing was done, a reason for each line that cannot go; empty when it was done.
    """
    if unreconciled(transaction):
        return (RESTORED,)
    found = _rows(transaction, request.tenant, tuple(request.seen))
    if found is None or set(request.message.line_ids) != request.seen.keys():
        return (MOVED_ON,)
    rows, prescription = found
    judged = [_judge(transaction, rows[uuid], uuid, request, now) for uuid in request.seen]
    reasons = [one for one in judged if isinstance(one, str)]
    chosen = [one for one in judged if isinstance(one, _Chosen)]
    reasons += _left_behind(transaction, chosen)
    if reasons:
        return tuple(reasons)
    for one in chosen:
        _leave(transaction, one, request.wanted, now)
    store_message(transaction, request.message, prescription, now=now)
    give(transaction, request.message, prescription, [one.now.row for one in chosen], now=now)
    outbox = deliver(transaction, request.message, request.tenant, now=now)
    for one in chosen:
        transaction.run(_WAIT_ON, {"outbox": outbox, "line": one.now.row, "epoch": one.holding.epoch})
    holds.carry_over(transaction, [line_now(transaction, one.now.row) for one in chosen], now=now)
    return ()


def ask(transaction: Transaction, request: Revocation, *, now: datetime) -> tuple[str, ...]:
    """Ask the holder of a line to give it up; nothing else moves.

    Returns:
        Why nothing was asked; empty when it was.
    """
    found = _rows(transaction, request.tenant, (request.line_id,))
    if found is None:
        return (MOVED_ON,)
    row, wanted = found[0][request.line_id], request.wanted
    held = held_line(transaction.rows, row)
    if held.holding.epoch != request.epoch:
        return (MOVED_ON,)
    if held.reroute is not None:
        return (f"a re-route to {held.reroute.wanted.to} is under way",)
    verdict = decide(held.holding, to=wanted.to, now=now, people=wanted.people)
    if isinstance(verdict, Ground):
        return (MOVED_ON,)
    if not verdict.ask:
        return (verdict.reason,)
    _ask(transaction, line_now(transaction, row), held.holding, request, now)
    return ()


def stop(transaction: Transaction, tenant: OdsCode, line_id: UUID, reason: str, *, now: datetime) -> bool:
    """Call off what is left of a re-route, and tell a person where that leaves the line.

    Returns:
        Whether there was one to call off.
    """
    found = _rows(transaction, tenant, (line_id,))
    row = found[0][line_id] if found is not None else None
    one = transaction.row(_OPEN, (row,)) if row is not None else None
    if row is None or one is None:
        return False
    line = line_now(transaction, row)
    transaction.run(_OFF, (stored(now), one[0]))
    append_leaf(transaction, "reroute", at=now, line=str(line_id), epoch=line.epoch, state="OFF")
    text = f"A re-route was stopped: {reason}. Where the provider gave the line up, nobody will supply it now."
    _alert(transaction, line, "reroute-stopped", text, at=now)
    return True


def _rows(transaction: Transaction, tenant: OdsCode, lines: Sequence[UUID]) -> tuple[dict[UUID, int], int] | None:
    """Give the rows of lines of one prescription, and its row; None where they are not, or not of one."""
    found = {uuid: transaction.row(_LINE, (uuid.bytes, tenant.value)) for uuid in lines}
    rows = {uuid: row[0] for uuid, row in found.items() if row is not None}
    prescriptions = {row[1] for row in found.values() if row is not None}
    if len(rows) < len(found) or len(prescriptions) != 1:
        return None
    return rows, prescriptions.pop()


def _judge(transaction: Transaction, row: int, line: UUID, request: Reroute, now: datetime) -> _Chosen | str:
    holding = replace(held_line(transaction.rows, row).holding, refuses_expired=request.refuses_expired)
    if holding.epoch != request.seen[line] or request.message.epoch < next_epoch([holding]):
        return MOVED_ON
    verdict = decide(holding, to=request.wanted.to, now=now, people=request.wanted.people)
    if isinstance(verdict, Withheld):
        return verdict.reason
    if request.message.destination != request.wanted.to or holding.provider is None:
        return MOVED_ON
    if request.left.get(line, holding.left) != holding.left:
        return MOVED_ON  # another made a supply that the message asks for
    return _Chosen(now=line_now(transaction, row), holding=holding, ground=verdict)


def _left_behind(transaction: Transaction, chosen: Sequence[_Chosen]) -> list[str]:
    """Refuse to split a message that has yet to leave: what stays behind could then not be sent."""
    rows = f"[{','.join(str(one.now.row) for one in chosen)}]"
    shared = [one for one in chosen if transaction.row(_SHARES, {"line": one.now.row, "chosen": rows})]
    return [TOGETHER] * len(shared)


def _leave(transaction: Transaction, one: _Chosen, wanted: Wanted, now: datetime) -> None:
    """End the allocation, on the record, and make the line ready for the next."""
    at = stored(now)
    open_row = transaction.row(_OPEN, (one.now.row,))
    same = transaction.row(_SAME, (one.now.row, wanted.to.value, *wanted.people))
    if same is not None:
        transaction.run(_DONE, (one.ground.value, at, same[0]))
    else:
        if open_row is not None:
            transaction.run(_OFF, (at, open_row[0]))
        values = {**_values(one.now, one.holding, wanted, at), "by": None}
        transaction.run(_INSERT, {**values, "state": "DONE", "ground": one.ground.value, "message": None, "ended": at})
    happening = Happening(
        event=event_of(one.ground, one.now.state),
        actor=Actor.TWO_PEOPLE,
        at=now,
        text=f"to {wanted.to} by {' and '.join(wanted.people)}: {_GROUNDS[one.ground]}",
        reason=wanted.reason,
    )
    moved = isinstance(record_event(transaction, one.now, happening).result, Moved)
    if not moved:
        raise AssertionError("the fence opened where the lifecycle has no arrow")
    transaction.run(_END, (at, one.now.row))
    transaction.run(_UNQUEUE, {"line": one.now.row})
    append_leaf(
        transaction,
        "reroute",
        at=now,
        line=str(one.now.id),
        epoch=one.holding.epoch,
        state="DONE",
        ground=one.ground.value,
        earlier=str(one.holding.provider),
        provider=wanted.to.value,
        person=wanted.people[0],
        second_person=wanted.people[1],
    )


def event_of(ground: Ground, state: LineState) -> LineEvent:
    """Give the event that moves a line from where it stands: one that was asked back was revoked."""
    revoked = ground is Ground.GIVEN_BACK and state not in FREE
    return LineEvent.REVOKED_FOR_REROUTE if revoked else LineEvent.REROUTE


def _ask(transaction: Transaction, line: LineNow, holding: Holding, request: Revocation, now: datetime) -> None:
    at, wanted = stored(now), request.wanted
    order = transaction.row(_ORDER_ROW, (line.row,))
    message = request.message if order is not None else None
    if message is not None and order is not None:
        store_message(transaction, message, order[1], now=now)
        transaction.run(_WAIT, (deliver(transaction, message, request.tenant, now=now), order[0]))
    by = stored(transaction.deadlines.answer_by(Request.REROUTE, now))
    values = {**_values(line, holding, wanted, at), "state": "ASKED", "ground": None, "by": by, "ended": None}
    transaction.run(_INSERT, {**values, "message": message.id.bytes if message is not None else None})
    happening = Happening(
        event=LineEvent.CANCEL_ASKED,
        actor=Actor.TWO_PEOPLE,
        at=now,
        text=f"asked to give it up for {wanted.to}, by {' and '.join(wanted.people)}; it stays there until confirmed",
        reason=wanted.reason,
    )
    note_event(transaction, line, happening)
    transaction.run(_HASTEN, {"by": by, "line": line.row})
    append_leaf(
        transaction,
        "reroute",
        at=now,
        line=str(line.id),
        epoch=holding.epoch,
        state="ASKED",
        provider=wanted.to.value,
        person=wanted.people[0],
        second_person=wanted.people[1],
    )
    if message is None:
        text = "The provider could not be asked to give the line up for a re-route. It stays there."
        _alert(transaction, line, "reroute-waits", text, at=now)


def _values(line: LineNow, holding: Holding, wanted: Wanted, at: int) -> dict[str, str | int]:
    return {
        "line": line.row,
        "epoch": holding.epoch,
        "earlier": str(holding.provider),
        "provider": wanted.to.value,
        "person": wanted.people[0],
        "second": wanted.people[1],
        "reason": wanted.reason,
        "at": at,
    }


def _alert(transaction: Transaction, line: LineNow, kind: str, text: str, *, at: datetime) -> None:
    open_alert(transaction, kind=kind, subject=str(line.id), line=line.row, at=at, text=text)
