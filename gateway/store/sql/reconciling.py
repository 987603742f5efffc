"""After a restore: nothing goes to any provider until each has said what it holds, or a person has answered for it.

What a provider says it has, and we would have sent, is with it: it is not sent again. What it says and we do not know
was taken and sent in the time that the restore lost: it is kept beside the lines, and stops the line if its trust sends
it again. Nothing here gives a line to anyone.

Source: reliability-security.md I22, I7; mapping.md 10.2.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from gateway.domain.errors import Unavailable
from gateway.domain.identifiers import OdsCode
from gateway.domain.lifecycle import LIVE, TERMINAL, Actor, LineEvent, LineState
from gateway.domain.reconciliation import (
    AFTER_RESTORE,
    STANCES,
    TRUST_AFTER_RESTORE,
    Difference,
    DifferenceKind,
    Reconciled,
    Stance,
    StatedHolding,
    Statement,
)
from gateway.store.sql.alerts import close_alerts_of, newest_line, open_alert
from gateway.store.sql.history import Happening, LineNow, line_now, record_event
from gateway.store.sql.instants import stored
from gateway.store.sql.pauses import resume
from gateway.store.sql.transaction import Transaction

_OPEN = "SELECT DISTINCT destination FROM pause WHERE kind = :kind AND ended_at IS NULL ORDER BY destination"
_RESTORED = "SELECT 1 FROM restoration LIMIT 1"
"""Whether this store came from a backup: all that was stated, or is unstated, is of such a time."""
_UNSTATED = "INSERT INTO unstated VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING"
# Taken before its trust had said what it was told in the lost time, for a provider that could not say what it has; and
# nobody has found out since.
_MAY_HAVE_LEFT = """
SELECT 1 FROM outbox JOIN unstated ON unstated.provider = outbox.destination AND unstated.generation = :generation
WHERE outbox.id = :id AND outbox.accepted_at <= coalesce(
    (SELECT max(coalesce(pause.ended_at, outbox.accepted_at)) FROM pause
     WHERE pause.kind = :trust AND pause.destination = outbox.tenant),
    (SELECT max(restored_at) FROM restoration))
AND NOT EXISTS (SELECT 1 FROM attempt WHERE attempt.outbox = outbox.id AND attempt.lease = :lease)
"""
# Stated as given up, and not as rejected: of what was accepted once, some may have been supplied before it was.
_SUPPLIED_IN_PART = """
SELECT 1 FROM stated_holding
WHERE line = :line AND known = 0 AND end_reason = :why AND state <> 'REJECTED'
    AND NOT EXISTS (SELECT 1 FROM attempt WHERE attempt.outbox = :id AND attempt.lease = :lease)
LIMIT 1
"""
_GIVEN = "SELECT 1 FROM allocation WHERE line = ? AND provider = ? AND epoch = ?"
# Of an archived line there stays who had it last, under which epoch, and whether its prescription was supplied in full.
_ARCHIVED = """
SELECT archived_line.state, archived_line.epoch, archived_line.provider, archived_prescription.delivered
FROM archived_line JOIN archived_prescription ON archived_prescription.id = archived_line.prescription
WHERE archived_line.uuid = ? ORDER BY archived_line.id DESC LIMIT 1
"""
_INSERT = """
INSERT INTO stated_holding (generation, provider, line, prescription, epoch, state, stated_at, stated_by, known,
    ended_at, ended_by, end_reason)
VALUES (:generation, :provider, :line, :prescription, :epoch, :state, :at, :by, :known, :ended, :ended_by, :why)
ON CONFLICT (generation, provider, line, epoch) DO NOTHING
"""
_HELD_BY = """
SELECT line.id FROM allocation JOIN line ON line.id = allocation.line
WHERE allocation.provider = ? AND allocation.ended_at IS NULL ORDER BY line.id
"""
_QUEUED = """
SELECT DISTINCT outbox.id, allocation.line FROM outbox
JOIN allocation ON allocation.message = outbox.message_id AND allocation.ended_at IS NULL
JOIN line ON line.id = allocation.line AND line.epoch = allocation.epoch
WHERE outbox.destination = ? AND outbox.kind = 'deliver' AND outbox.state IN ('due', 'claimed')
ORDER BY allocation.line
"""
_ROW_OF = """
SELECT outbox.id FROM allocation JOIN outbox ON outbox.message_id = allocation.message
WHERE allocation.line = ? AND allocation.ended_at IS NULL
"""
_ATTEMPT = """
INSERT INTO attempt (outbox, number, at, lease, outcome, fenced, reason, evidence)
SELECT id, attempts + 1, :at, :lease, :outcome, 0, :reason, :evidence FROM outbox WHERE id = :id
"""
_COUNT_ATTEMPT = "UPDATE outbox SET attempts = attempts + 1 WHERE id = ?"
_FINISH = "UPDATE outbox SET state = :state, lease = NULL, lease_until = NULL WHERE id = :id"
_STATED = """
SELECT provider, epoch FROM stated_holding
WHERE line = ? AND known = 0 AND ended_at IS NULL ORDER BY epoch DESC, id DESC LIMIT 1
"""
_END = """
UPDATE stated_holding SET ended_at = :at, ended_by = :by, end_reason = :reason
WHERE line = :line AND known = 0 AND ended_at IS NULL AND (CAST(:provider AS TEXT) IS NULL OR provider = :provider)
"""
_LEASE: Final = "restored"
_GIVEN_UP: Final = "given up, as stated"
_BY: Final = "gateway"
_NOT_SENT: Final = frozenset({LineState.READY, LineState.UNDELIVERABLE})
_DOUBTED: Final = frozenset({LineState.READY, LineState.SENT, LineState.UNCERTAIN})
_ALERTS: Final = frozenset({"line-uncertain", "overdue"})

_TEXTS: Final = {
    DifferenceKind.UNKNOWN: "{provider} holds this line under epoch {epoch} ({stated}); it was taken in the time that a"
    " restore lost. Ask its trust to send the order again; it will not be sent twice. Compare what both have.",
    DifferenceKind.ELSEWHERE: "{provider} holds this line under epoch {epoch} ({stated}), and here it is with another"
    " or under another epoch. It is sent to nobody. Ask one of them to give it up.",
    DifferenceKind.MISSING: "{provider} does not have this line of epoch {epoch}; here it stands as {known}."
    " Find out what became of it.",
    DifferenceKind.DIFFERENT: "{provider} states this line of epoch {epoch} as {stated}; here it stands as {known}."
    " Ask the provider to send its answers since the backup again.",
}

_ACTS: Final = {
    LineState.CANCELLED: " It may have been asked to cancel in the time that a restore lost.",
    LineState.ON_HOLD: " It may have been asked to hold in the time that a restore lost.",
}
"""What people of a trust asked of a provider, and only the provider remembers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Told:
    """A statement inside its transaction."""

    transaction: Transaction
    statement: Statement
    now: datetime


def refuse_while_unreconciled(transaction: Transaction) -> None:
    """Refuse what rests on nothing having left: after a restore nobody knows that.

    Raises:
        Unavailable: a provider has still to be reconciled.
    """
    if unreconciled(transaction):
        raise Unavailable("restored from a backup: every provider must be reconciled first")


def unreconciled(transaction: Transaction) -> tuple[OdsCode, ...]:
    """Give the destinations that have still to be reconciled."""
    return tuple(OdsCode(row[0]) for row in transaction.rows(_OPEN, {"kind": AFTER_RESTORE}))


def reconcile(transaction: Transaction, statement: Statement, *, now: datetime) -> Reconciled | None:
    """Take a provider's statement of everything it holds, and end its pause.

    Returns:
        What it did; None where the destination is not waiting for one.
    """
    if statement.destination not in unreconciled(transaction):
        return None
    told = _Told(transaction=transaction, statement=statement, now=now)
    found: list[UUID] = []
    differences = [one for holding in statement.holdings if (one := _take(told, holding, found)) is not None]
    differences += _missing(told)
    for one in differences:
        _alert(told, one)
    _end_pause(transaction, statement.destination, by=statement.by, reason=statement.reason, now=now)
    return Reconciled(found_there=tuple(found), differences=tuple(differences), waiting=unreconciled(transaction))


def answer_for(
    transaction: Transaction, destination: OdsCode, *, by: str, reason: str, now: datetime
) -> tuple[UUID, ...] | None:
    """End a destination's pause without its statement: a person answers for it.

    What was queued for it at the time of the backup may have left in the lost time. It is uncertain, is not sent, and
    waits for a person to say which.

    Returns:
        The lines that are uncertain now; None where the destination is not waiting.
    """
    if destination not in unreconciled(transaction):
        return None
    transaction.run(_UNSTATED, (transaction.generation, destination.value, stored(now), by))
    queued: dict[int, list[LineNow]] = {}
    for row, line_row in transaction.rows(_QUEUED, (destination.value,)):
        queued.setdefault(row, []).append(line_now(transaction, line_row))
    doubted = [
        line.id for row, lines in queued.items() if _found_out(transaction, lines, row=row, now=now) for line in lines
    ]
    _end_pause(transaction, destination, by=by, reason=reason, now=now)
    return tuple(doubted)


def end_statement(
    transaction: Transaction, line_id: UUID, *, provider: OdsCode, by: str, reason: str, now: datetime
) -> bool:
    """Note that what a provider stated of a line stands no more; tell whether it stood."""
    values = {"line": line_id.bytes, "provider": provider.value, "by": by, "reason": reason, "at": stored(now)}
    return bool(transaction.changed(_END, values))


def stated_elsewhere(transaction: Transaction, line: LineNow) -> bool:
    """Tell whether a provider stated that it has a line which is not its own here, and has not given it up since."""
    return transaction.row(_STATED, (line.id.bytes,)) is not None


def stopped(transaction: Transaction, lines: Sequence[LineNow], *, epoch: int, row: int, now: datetime) -> bool:
    """Stop a message of which a provider said, after a restore, that it has a line already.

    Args:
        transaction: in which the message was about to leave.
        lines: of the message, all READY or UNCERTAIN.
        epoch: of the message.
        row: in the outbox.
        now: when.

    Returns:
        Whether it was stopped. A line found at the very provider it is for is with it now; any other waits, alerted.
    """
    if transaction.row(_RESTORED) is None:
        return False
    told = {line.row: transaction.row(_STATED, (line.id.bytes,)) for line in lines}
    if not any(told.values()):
        return _found_out(transaction, lines, row=row, now=now)
    for line in lines:
        stated = told[line.row]
        if stated == (line.provider, epoch):
            _arrived(transaction, line, row, text="stated after a restore, before the order came again", now=now)
            values = {"line": line.id.bytes, "provider": line.provider, "at": stored(now), "by": _BY}
            transaction.run(_END, {**values, "reason": "the order came again"})
        else:
            text = (
                f"Not sent: {stated[0]} stated after a restore that it holds this line under epoch {stated[1]}."
                if stated is not None
                else "Not sent: another line of its message is held already, as stated after a restore."
            )
            kind = DifferenceKind.ELSEWHERE.value
            open_alert(transaction, kind=kind, subject=str(line.id), line=line.row, at=now, text=text)
    left = any(line_now(transaction, line.row).state in _DOUBTED for line in lines)
    transaction.run(_FINISH, {"id": row, "state": "stuck" if left else "done"})
    return True


def supplied_before(transaction: Transaction, lines: Sequence[LineNow], *, now: datetime) -> None:
    """Stop an order that has not left here, of which its provider reports a supply: it left in what a restore lost.

    Whatever the provider stated that it holds, it had this order once and supplied of it. It is not sent again; what
    was supplied counts, and a person finds out what is still owed.

    Args:
        transaction: in which the supply is reported.
        lines: every line of the order's message, as it stands.
        now: when.
    """
    if transaction.generation == 1 or any(line.state is not LineState.READY for line in lines):
        return
    for line in lines:
        (row,) = transaction.row(_ROW_OF, (line.row,)) or (0,)
        _doubt(transaction, line, row, now=now)
        transaction.run(_FINISH, {"id": row, "state": "stuck"})


def taken(transaction: Transaction, lines: Sequence[LineNow], *, row: int, now: datetime) -> None:
    """Judge an order that was just taken as `stopped` would before it leaves: a cancel may come before that."""
    if transaction.row(_RESTORED) is None:
        return
    present = [line_now(transaction, line.row) for line in lines]
    stopped(transaction, present, epoch=max(line.epoch for line in present), row=row, now=now)


def _found_out(transaction: Transaction, lines: Sequence[LineNow], *, row: int, now: datetime) -> bool:
    """Stop what may have left, or been supplied of, in the lost time: a person must find out first.

    It is for a provider that could not say what it has, or a provider stated that it had it and gave it up.
    """
    values = {"id": row, "generation": transaction.generation, "trust": TRUST_AFTER_RESTORE, "lease": _LEASE}
    given_up = {"id": row, "lease": _LEASE, "why": _GIVEN_UP}
    if transaction.row(_MAY_HAVE_LEFT, values) is None and not any(
        transaction.row(_SUPPLIED_IN_PART, {**given_up, "line": line.id.bytes}) for line in lines
    ):
        return False
    for line in lines:
        if line.state is LineState.READY:
            _doubt(transaction, line, row, now=now)
    transaction.run(_FINISH, {"id": row, "state": "stuck"})
    return True


def _take(told: _Told, holding: StatedHolding, found: list[UUID]) -> Difference | None:
    """Keep one stated line, act on it, and give the difference there is."""
    transaction, provider = told.transaction, told.statement.destination
    row = newest_line(transaction, holding.line_id.bytes)
    if row is None:
        return _take_archived(told, holding)
    given = transaction.row(_GIVEN, (row, provider.value, holding.epoch)) is not None
    _keep(told, holding, known=given)
    line = line_now(transaction, row)
    if not given:
        elsewhere = holding.stance is not Stance.GAVE_UP
        return _difference(DifferenceKind.ELSEWHERE, holding, line.state) if elsewhere else None
    current = line.epoch == holding.epoch and line.provider == provider.value
    known = line.state
    if current and known in _DOUBTED:
        (outbox,) = transaction.row(_ROW_OF, (row,)) or (0,)
        text = f"stated by {provider} after a restore"
        _arrived(transaction, line, outbox, text=text, now=told.now)
        close_alerts_of(transaction, row, kinds=_ALERTS, by=told.statement.by, reason=text, now=told.now)
        found.append(line.id)
        as_sent = holding.stance is Stance.HAS and holding.state is not LineState.ON_HOLD
        return None if as_sent else _difference(DifferenceKind.DIFFERENT, holding, known)
    return None if _agrees(line, holding, current=current) else _difference(DifferenceKind.DIFFERENT, holding, known)


def _take_archived(told: _Told, holding: StatedHolding) -> Difference | None:
    """Keep one stated line that is not in the store: it ended and is in an archive, or it is not known at all.

    Nobody may be asked to send again what was archived: it is over, and would be supplied a second time.
    """
    row = told.transaction.row(_ARCHIVED, (holding.line_id.bytes,))
    given = row is not None and (row[1], row[2]) == (holding.epoch, told.statement.destination.value)
    _keep(told, holding, known=given)
    if row is None:
        return _difference(DifferenceKind.UNKNOWN, holding, None)
    state = LineState(row[0])
    if not given:
        elsewhere = holding.stance is not Stance.GAVE_UP
        return _difference(DifferenceKind.ELSEWHERE, holding, state) if elsewhere else None
    ours = Stance.SUPPLIED if state is LineState.CLOSED and row[3] else Stance.GAVE_UP
    return None if holding.stance is ours else _difference(DifferenceKind.DIFFERENT, holding, state)


def _agrees(line: LineNow, holding: StatedHolding, *, current: bool) -> bool:
    """Tell whether a provider says of a line what the tables do, a hold included: what held it may be lost."""
    if _our_stance(line, current=current) is not holding.stance:
        return False
    return not current or (holding.state is LineState.ON_HOLD) is (line.state is LineState.ON_HOLD)


def _our_stance(line: LineNow, *, current: bool) -> Stance | None:
    """Say what the tables hold of a line at a provider that had it; None while nothing of it had left."""
    if not current:
        return Stance.GAVE_UP
    if line.state is LineState.CLOSED:
        return Stance.SUPPLIED if line.delivered >= line.total else Stance.GAVE_UP
    if line.state in TERMINAL:
        return Stance.GAVE_UP
    state = line.before if line.state is LineState.ON_HOLD and line.before is not None else line.state
    return STANCES.get(state)


def _keep(told: _Told, holding: StatedHolding, *, known: bool) -> None:
    gone = holding.stance is Stance.GAVE_UP
    told.transaction.run(
        _INSERT,
        {
            "generation": told.transaction.generation,
            "provider": told.statement.destination.value,
            "line": holding.line_id.bytes,
            "prescription": holding.prescription_id.bytes if holding.prescription_id is not None else None,
            "epoch": holding.epoch,
            "state": holding.state.value,
            "at": stored(told.now),
            "by": told.statement.by,
            "known": known,
            "ended": stored(told.now) if gone else None,
            "ended_by": told.statement.by if gone else "",
            "why": _GIVEN_UP if gone else "",
        },
    )


def _missing(told: _Told) -> Iterator[Difference]:
    """Give what we say that the provider has, and its statement leaves out."""
    stated = {(one.line_id, one.epoch) for one in told.statement.holdings}
    for (row,) in told.transaction.rows(_HELD_BY, (told.statement.destination.value,)):
        line = line_now(told.transaction, row)
        left = line.state in LIVE and line.state not in _NOT_SENT and line.before not in _NOT_SENT
        if left and (line.id, line.epoch) not in stated:
            yield Difference(
                kind=DifferenceKind.MISSING, line_id=line.id, epoch=line.epoch, stated=None, known=line.state
            )


def _arrived(transaction: Transaction, line: LineNow, row: int, *, text: str, now: datetime) -> None:
    """Move a line to its provider, which says that it has it, and take its message out of the queue."""
    if line.state is not LineState.UNCERTAIN:
        _doubt(transaction, line, row, now=now)
        line = line_now(transaction, line.row)
    happening = Happening(event=LineEvent.ARRIVED, actor=Actor.PROVIDER_PHARMACIST, at=now, text=text)
    record_event(transaction, line, happening)
    transaction.run(_FINISH, {"id": row, "state": "done"})


def _doubt(transaction: Transaction, line: LineNow, row: int, *, now: datetime) -> None:
    """Record that a message may have left in the time that a restore lost."""
    text = "it may have left in the time that a restore lost"
    if line.state is LineState.READY:
        values = {"id": row, "at": stored(now), "lease": _LEASE, "reason": text, "evidence": b""}
        transaction.run(_ATTEMPT, {**values, "outcome": "on_wire"})
        transaction.run(_ATTEMPT, {**values, "outcome": "in_doubt"})
        transaction.run(_COUNT_ATTEMPT, (row,))
        record_event(transaction, line, Happening(event=LineEvent.ON_WIRE, actor=Actor.GATEWAY, at=now, text=text))
        line = line_now(transaction, line.row)
    happening = Happening(event=LineEvent.NOTHING_DECISIVE, actor=Actor.GATEWAY, at=now, text=text)
    record_event(transaction, line, happening)


def _difference(kind: DifferenceKind, holding: StatedHolding, known: LineState | None) -> Difference:
    return Difference(kind=kind, line_id=holding.line_id, epoch=holding.epoch, stated=holding.state, known=known)


def _alert(told: _Told, one: Difference) -> None:
    provider = told.statement.destination
    text = _TEXTS[one.kind].format(
        provider=provider, epoch=one.epoch, stated=one.stated or "nothing", known=one.known or "unknown"
    )
    text += _ACTS.get(one.stated, "") if one.kind is DifferenceKind.DIFFERENT and one.stated else ""
    row = newest_line(told.transaction, one.line_id.bytes)
    subject = f"{provider} {one.line_id} {one.epoch}"
    open_alert(told.transaction, kind=one.kind.value, subject=subject, line=row, at=told.now, text=text)


def _end_pause(transaction: Transaction, destination: OdsCode, *, by: str, reason: str, now: datetime) -> None:
    resume(transaction, destination, kind=AFTER_RESTORE, by=by, reason=reason, now=now)
