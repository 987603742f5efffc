"""A provider's answer: kept whatever it says, and followed only if it is bound to an allocation.

Bound means (I11): the answer names a message we sent, the one who answers is that message's provider, the epoch is the
line's present one, and the lines it speaks of are the message's. Anything else is kept, shown and alerted, and changes
nothing. What a bound answer changes is the lifecycle's to say.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from gateway.domain.acknowledgement import Acknowledgement, LineReport
from gateway.domain.cancel import CancelState
from gateway.domain.hold import ANSWERS, REFUSALS, HoldKind
from gateway.domain.issue import Issue
from gateway.domain.lifecycle import (
    LIVE,
    Actor,
    Ignored,
    LineEvent,
    LineState,
    Moved,
    Row,
    resolve_return,
    resolve_supply,
)
from gateway.domain.quantity import lexeme
from gateway.ports import Callback, CallbackResult, Effectiveness
from gateway.store.document import encode
from gateway.store.sqlite import deliveries, holds, renewals
from gateway.store.sqlite.alerts import open_alert
from gateway.store.sqlite.cancels import follow, region
from gateway.store.sqlite.claims import hold_of, is_cancel, lines_of
from gateway.store.sqlite.history import Happening, LineNow, last_event, line_now, note_event, record_event
from gateway.store.sqlite.instants import stored
from gateway.store.sqlite.leaves import append_leaf
from gateway.store.sqlite.replacing import names_another, with_withdrawals
from gateway.store.sqlite.tell import tell_news
from gateway.store.sqlite.transaction import Transaction

_FIRST = "SELECT id, meaning FROM callback WHERE destination = ? AND answer_id = ? ORDER BY id LIMIT 1"
_DID_SOMETHING = """
SELECT 1 FROM event WHERE callback = ? AND (moved = 1 OR text NOT LIKE 'nothing moved%'
    AND (event LIKE 'cancel%' OR event LIKE 'hold_%' OR event LIKE 'release_%' OR event = 'renewal_requested')) LIMIT 1
"""
_INSERT = """
INSERT INTO callback (destination, received_at, content_type, digest, body, answer_id, correlation, meaning, issues)
VALUES (:destination, :received_at, :content_type, :digest, :body, :answer_id, :correlation, :meaning, :issues)
ON CONFLICT (destination, answer_id, digest) DO NOTHING
"""
_MESSAGE = "SELECT destination, epoch FROM message WHERE id = ?"
_EARLIER_DOUBT = "SELECT 1 FROM outbox WHERE message_id = ? AND possible_duplicate = 1"
_MESSAGE_OF_LINE = "SELECT message FROM allocation WHERE line = ? AND ended_at IS NULL"
_COUNT = "UPDATE line SET delivered = max(0, min(total_supplies, delivered + :by)) WHERE id = :line"

_HANDED_OVER: Final = frozenset({LineEvent.DELIVERED, LineEvent.LAST_DELIVERED})
_SUPPLY: Final = _HANDED_OVER | {
    LineEvent.DISPENSED,
    LineEvent.DISPATCHED,
    LineEvent.SUPPLY_SHORT,
    LineEvent.BALANCE_SUPPLIED,
}
_COUNTS: Final = _HANDED_OVER | {LineEvent.BALANCE_SUPPLIED}
"""Reports that complete one supply of the line."""
_LONDON: Final = ZoneInfo("Europe/London")
_CANCELS: Final = frozenset(
    {
        LineEvent.CANCEL_CONFIRMED,
        LineEvent.CANCEL_TOO_LATE,
        LineEvent.CANCEL_PENDING,
        LineEvent.CANCEL_UNKNOWN,
        LineEvent.CANCEL_BY_OTHER,
        LineEvent.CANCEL_REPLY_ERROR,
    }
)
_REFUSES: Final = frozenset({LineEvent.REJECTED, LineEvent.REFUSED_FORMAT, LineEvent.NOT_STORED})
_TAKES: Final = frozenset({LineEvent.ARRIVED, LineEvent.ACCEPTED, LineEvent.VALIDATED})
_CLAIMS_THE_LINE: Final = _SUPPLY | {LineEvent.ACCEPTED, LineEvent.VALIDATED, LineEvent.SUPPLY_PLANNED}
_PLANS_OR_SUPPLIES: Final = _SUPPLY | {LineEvent.SUPPLY_PLANNED}
_NOT_YET_ACCEPTED: Final = frozenset({LineState.SENT, LineState.UNCERTAIN, LineState.WITH_PROVIDER, LineState.QUERIED})
_NOT_YET_VALIDATED: Final = frozenset({LineState.ACCEPTED})
_MAY_SUPPLY: Final = LIVE - {LineState.ON_HOLD} | {LineState.FULFILLED}


@dataclass(frozen=True, slots=True)
class _Kept:
    """Why an answer is not bound, and what a person is told."""

    kind: str
    reason: str
    line: int | None = None


def acknowledge(
    transaction: Transaction,
    callback: Callback,
    answer: Acknowledgement | None,
    issues: Sequence[Issue],
    *,
    answers: UUID | None = None,
) -> CallbackResult:
    """Keep a callback, and follow it if it is bound.

    Args:
        transaction: the one it is kept in.
        callback: as received.
        answer: as the adapter read it.
        issues: why it could not, or what in it is not known.
        answers: the message whose response it was; stands in for a correlation that the answer does not state.
    """
    meaning = _meaning(answer)
    first = transaction.row(_FIRST, (callback.destination.value, answer.id)) if answer is not None else None
    row = _keep(transaction, callback, answer, issues, meaning)
    if first is None or meaning != first[1]:
        return _take(transaction, callback, answer, issues, row=row, answers=answers, reused=first is not None)
    if transaction.row(_DID_SOMETHING, (first[0],)):
        return CallbackResult(effect=Effectiveness.REPEAT)
    # It came too early, or out of turn, and moved nothing: what it says may hold now. If not, nothing is added.
    transaction.run("SAVEPOINT again")
    result = _take(transaction, callback, answer, issues, row=first[0], answers=answers, reused=False)
    if result.effect is not Effectiveness.APPLIED:
        transaction.run("ROLLBACK TO again")
    transaction.run("RELEASE again")
    return result


def _take(
    transaction: Transaction,
    callback: Callback,
    answer: Acknowledgement | None,
    issues: Sequence[Issue],
    *,
    row: int | None,
    answers: UUID | None,
    reused: bool,
) -> CallbackResult:
    why = _why_unread(callback, answer, issues, reused=reused)
    if why is None and answer is not None and answer.replaces:
        restated = with_withdrawals(transaction, callback.destination, answer)
        if isinstance(restated, Acknowledgement):
            answer = restated
        else:
            why = _Kept("answer-takes-back", restated)
    if answer is not None and answer.correlation is None:
        answer = replace(answer, correlation=answers)
    bound = why or _bind(transaction, callback, answer, answers)
    if isinstance(bound, _Kept) or answer is None:
        return _alert(transaction, callback, bound if isinstance(bound, _Kept) else _Kept("answer-unread", ""))
    return _follow(transaction, bound, answer, row, now=callback.received_at)


def _meaning(answer: Acknowledgement | None) -> str:
    """Give a digest of what an answer says, so that the same answer in other bytes is known again."""
    said: tuple[object, ...] = ()
    if answer is not None:
        said = (answer.correlation, answer.epoch, answer.reports, answer.issues)
        said += (answer.replaces, answer.prescription_number) if answer.replaces or answer.prescription_number else ()
    return hashlib.sha256(encode(said)).hexdigest()


def _keep(
    transaction: Transaction,
    callback: Callback,
    answer: Acknowledgement | None,
    issues: Sequence[Issue],
    meaning: str,
) -> int | None:
    digest = hashlib.sha256(callback.body).hexdigest()
    new = transaction.changed(
        _INSERT,
        {
            "destination": callback.destination.value,
            "received_at": stored(callback.received_at),
            "content_type": callback.content_type,
            "digest": digest,
            "body": callback.body,
            "answer_id": answer.id if answer is not None else "",
            "correlation": answer.correlation.bytes if answer is not None and answer.correlation else None,
            "meaning": meaning,
            "issues": encode(tuple(issues)).decode(),
        },
    )
    if not new:
        return None
    row = transaction.connection.last_insert_rowid()
    append_leaf(
        transaction,
        "callback",
        at=callback.received_at,
        callback=row,
        destination=callback.destination.value,
        digest=digest,
    )
    return row


def _why_unread(
    callback: Callback, answer: Acknowledgement | None, issues: Sequence[Issue], *, reused: bool
) -> _Kept | None:
    if answer is None or issues:
        codes = ", ".join(sorted({issue.code for issue in issues})) or "unreadable"
        return _Kept("answer-not-understood", f"An answer of {callback.destination} was not understood: {codes}.")
    if reused:
        return _Kept("answer-id-reused", f"{callback.destination} used one answer id for two different answers.")
    return None


def _bind(
    transaction: Transaction, callback: Callback, answer: Acknowledgement | None, answers: UUID | None
) -> list[tuple[LineReport, LineNow]] | _Kept:
    """Give each report with the line it speaks of, or why the answer as a whole changes nothing (I11)."""
    correlation = (answer.correlation or answers) if answer is not None else None
    if answer is None or correlation is None or (answers is not None and correlation != answers):
        return _Kept("answer-unbound", "An answer does not name the message it was given to.")
    message = transaction.row(_MESSAGE, (correlation.bytes,))
    found = [(line_now(transaction, row), current) for row, current in lines_of(transaction, correlation)]
    kind = hold_of(transaction, correlation)
    if kind is not None:
        answer = _of_a_hold(answer, kind)
    elif is_cancel(transaction, correlation):
        answer = _of_a_cancel(answer)
    if message is None or not found:
        return _Kept("answer-unbound", "An answer names a message that this gateway did not send.")
    if message[0] != callback.destination.value:
        return _Kept("answer-wrong-provider", "A provider answered a message that was sent to another one.")
    if names_another(transaction, answer):
        return _Kept("answer-unbound", "An answer names another prescription than its message.", found[0][0].row)
    if answer.epoch is not None and answer.epoch != message[1]:
        return _Kept("answer-unbound", "An answer states another epoch than its message.", found[0][0].row)
    return _pair(answer, found, epoch=message[1])


def _of_a_cancel(answer: Acknowledgement) -> Acknowledgement:
    """Read an answer to a cancel: what refuses the cancel does not refuse the order, and what takes it says no more."""
    reports = []
    for report in answer.reports:
        if report.event in _REFUSES:
            reports.append(replace(report, event=LineEvent.CANCEL_REPLY_ERROR))
        elif report.event not in _TAKES:
            reports.append(report)
    return replace(answer, reports=tuple(reports))


def _of_a_hold(answer: Acknowledgement, kind: HoldKind) -> Acknowledgement:
    """Read an answer to a hold or a release: only the very word confirms it, and what refuses it refuses it alone."""
    said = {
        LineEvent.REJECTED: REFUSALS[kind],
        LineEvent.REFUSED_FORMAT: REFUSALS[kind],
        LineEvent.NOT_STORED: LineEvent.HOLD_REPLY_ERROR,
    }
    read = (replace(report, event=said.get(report.event, report.event)) for report in answer.reports)
    return replace(answer, reports=tuple(report for report in read if report.event not in _TAKES))


def _pair(
    answer: Acknowledgement, found: list[tuple[LineNow, bool]], *, epoch: int
) -> list[tuple[LineReport, LineNow]] | _Kept:
    lines = {line.id: line for line, _ in found}
    pairs: list[tuple[LineReport, LineNow]] = []
    for report in answer.reports:
        if report.line_id is not None and report.line_id not in lines:
            return _Kept("answer-unbound", "An answer speaks of a line that its message does not carry.")
        chosen = list(lines.values()) if report.line_id is None else [lines[report.line_id]]
        for line in chosen:
            if line.epoch != epoch:
                kind = "safety-incident" if report.event in _CLAIMS_THE_LINE else "answer-unbound"
                return _Kept(kind, f"An earlier holder of the line reports: {report.event}.", line.row)
        pairs += [(report, line) for line in chosen]
    return pairs


def _alert(transaction: Transaction, callback: Callback, kept: _Kept) -> CallbackResult:
    digest = hashlib.sha256(callback.body).hexdigest()
    open_alert(
        transaction,
        kind=kept.kind,
        subject=f"{callback.destination}:{digest[:16]}",
        line=kept.line,
        at=callback.received_at,
        text=kept.reason,
    )
    return CallbackResult(effect=Effectiveness.KEPT, reasons=(kept.reason,), kind=kept.kind)


def _follow(
    transaction: Transaction,
    pairs: list[tuple[LineReport, LineNow]],
    answer: Acknowledgement,
    callback: int | None,
    *,
    now: datetime,
) -> CallbackResult:
    reasons: list[str] = []
    moved = False
    for report, line in pairs:
        # An earlier report of the same answer may have moved the line already.
        result = _apply(transaction, report, line_now(transaction, line.row), answer, callback, now=now)
        if isinstance(result, Moved):
            moved = True
        else:
            reasons.append(result.reason)
    return CallbackResult(effect=Effectiveness.APPLIED if moved else Effectiveness.KEPT, reasons=tuple(reasons))


def _apply(
    transaction: Transaction,
    report: LineReport,
    line: LineNow,
    answer: Acknowledgement,
    callback: int | None,
    *,
    now: datetime,
) -> Moved | Ignored:
    """Append one report to one line's history and let the lifecycle decide."""
    # Whether a delivery is the last is our own count's to say, never the report's.
    said = LineEvent.DELIVERED if report.event is LineEvent.LAST_DELIVERED else report.event
    event = _resolved(transaction, line, resolve_return(said, line.state))
    implied = _implied(line, event)
    stated = f"stated at {answer.at.isoformat()}" if answer.at is not None else ""
    actor = Actor.PROVIDER_SYSTEM
    if event is LineEvent.NOT_STORED and _earlier_doubt(transaction, line):
        # It speaks of the last attempt; an earlier one of the same message may have arrived all the same (I12).
        event, actor, implied = LineEvent.NOTHING_DECISIVE, Actor.GATEWAY, "not stored, but an earlier attempt may be"
    happening = Happening(
        event=event,
        actor=actor,
        at=now,
        text="; ".join(filter(None, (stated, implied, *_pack(report)))),
        reason_code=report.reason_code,
        reason=report.reason,
        amount=lexeme(report.amount) if report.amount is not None else "",
        unit=report.unit,
        callback=callback,
    )
    if event in _CANCELS:
        return _answer_cancel(transaction, line, happening)
    if event is LineEvent.RENEWAL_REQUESTED and renewals.request(transaction, line, happening):
        return _stays(line, event)
    if event in ANSWERS:
        return _answer_hold(transaction, line, happening, answer.correlation)
    kept = record_event(transaction, line, happening)
    if isinstance(kept.result, Ignored):
        _tell_of_ignored(transaction, line, event, kept.result, now=now)
        return kept.result
    _count(transaction, line, event)
    _deliver(transaction, line, said, report, kept.seq, now=now)
    follow(transaction, line_now(transaction, line.row), event, None, now=now)
    tell_news(transaction, line.row, kept.seq, now=now)
    if line.state in _NOT_YET_ACCEPTED and event in _PLANS_OR_SUPPLIES:
        text = f"The provider reports {event} and never said that it accepted the line."
        subject = str(line.id)
        open_alert(transaction, kind="acceptance-missing", subject=subject, line=line.row, at=now, text=text)
    return kept.result


def _resolved(transaction: Transaction, line: LineNow, event: LineEvent) -> LineEvent:
    """Tell the report that completes the line from the others; what will not be supplied is not waited for."""
    if event is LineEvent.BALANCE_SUPPLIED and line.state is not LineState.PART_SUPPLIED:
        return event
    expected = line.total - deliveries.lost(transaction, line.row) if event in _COUNTS else line.total
    return resolve_supply(event, delivered=line.delivered, total=expected)


def _deliver(
    transaction: Transaction, line: LineNow, event: LineEvent, report: LineReport, seq: int, *, now: datetime
) -> None:
    """Move the issue that a report means; a rest that will not come is the trust's to know at once."""
    slot = report.supplied_at.astimezone(_LONDON).date() if report.supplied_at else None
    agreed = slot if event is LineEvent.SUPPLY_PLANNED else None
    cause = deliveries.Cause(actor=Actor.PROVIDER_SYSTEM, at=now, source=seq, agreed=agreed)
    deliveries.follow(transaction, line.supplies, event, cause)
    if event is LineEvent.BALANCE_WILL_NOT_COME:
        text = "The rest of a part supply will not come. The patient may be without medicine."
        subject = str(line.id)
        open_alert(transaction, kind="balance-will-not-come", subject=subject, line=line.row, at=now, text=text)


def _pack(report: LineReport) -> list[str]:
    """Say which pack it was: kept in the history, for a recall."""
    said = [f"supplied at {report.supplied_at.isoformat()}"] if report.supplied_at else []
    said += [f"batch {report.batch}"] if report.batch else []
    return [*said, f"expires {report.expiry.isoformat()}"] if report.expiry else said


def _answer_cancel(transaction: Transaction, line: LineNow, happening: Happening) -> Moved | Ignored:
    """Take an answer to a cancel: the cancel's own table says what it does, to itself and to the line."""
    arrow = follow(transaction, line, happening.event, happening, now=happening.at)
    if arrow is None:
        note_event(transaction, line, replace(happening, text="nothing moved: no cancel waits for this answer"))
        ignored = Ignored(f"{happening.event} answers no cancel that was asked", alert=not _known(transaction, line))
        _tell_of_ignored(transaction, line, happening.event, ignored, now=happening.at)
        return ignored
    if region(transaction, line.row) is not CancelState.NONE:  # a revocation for a re-route is no news of a cancel
        tell_news(transaction, line.row, last_event(transaction, line.row), now=happening.at)
    return _stays(line_now(transaction, line.row), happening.event)


def _stays(line: LineNow, event: LineEvent) -> Moved:
    """Say that a report was followed, though it is not the line that moved by it."""
    return Moved(line.state, Row(states=frozenset(), event=event, to=line.state, actors=frozenset()))


def _answer_hold(
    transaction: Transaction, line: LineNow, happening: Happening, message: UUID | None
) -> Moved | Ignored:
    """Take an answer to a hold or a release, which its own table follows."""
    result = holds.answer(transaction, line, happening, message)
    if isinstance(result, Ignored):
        _tell_of_ignored(transaction, line, happening.event, result, now=happening.at)
    return result


def _known(transaction: Transaction, line: LineNow) -> bool:
    """Tell whether the answer repeats what is settled: a confirmed cancel is confirmed once."""
    return region(transaction, line.row) is CancelState.CONFIRMED


def _earlier_doubt(transaction: Transaction, line: LineNow) -> bool:
    row = transaction.row(_MESSAGE_OF_LINE, (line.row,))
    return row is not None and transaction.row(_EARLIER_DOUBT, (row[0],)) is not None


def _implied(line: LineNow, event: LineEvent) -> str:
    if event not in _PLANS_OR_SUPPLIES:
        return ""
    if line.state in _NOT_YET_ACCEPTED:
        return "acceptance implied"
    return "validation implied" if line.state in _NOT_YET_VALIDATED else ""


def _count(transaction: Transaction, line: LineNow, event: LineEvent) -> None:
    by = 1 if event in _COUNTS else -1 if event is LineEvent.SUPPLY_WITHDRAWN else 0
    if by:
        transaction.run(_COUNT, {"by": by, "line": line.row})


def _tell_of_ignored(
    transaction: Transaction, line: LineNow, event: LineEvent, ignored: Ignored, *, now: datetime
) -> None:
    """Open the alert for a report that moved nothing: graver where medicine may have left that should not have."""
    supplied = event in _SUPPLY
    beyond = event in _HANDED_OVER and line.delivered >= line.total
    incident = supplied and (beyond or line.state not in _MAY_SUPPLY)
    if incident:
        text = f"A supply was reported ({event}) of a line that is {line.state.lower()}."
    elif ignored.alert:
        text = f"An answer does not fit: {ignored.reason}."
    else:
        return
    kind = "safety-incident" if incident else "answer-unexpected"
    open_alert(transaction, kind=kind, subject=str(line.id), line=line.row, at=now, text=text)
