"""A provider's answer: kept whatever it says, and followed only if it is bound to an allocation (`binding`).

Anything else is kept, shown and alerted, and changes nothing. What a bound answer changes is the lifecycle's to say.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final
from uuid import UUID

from gateway.domain.acknowledgement import Acknowledgement, LineReport
from gateway.domain.cancel import CancelState
from gateway.domain.hold import ANSWERS
from gateway.domain.issue import Issue
from gateway.domain.labels import LABELS
from gateway.domain.lifecycle import LIVE, Actor, LineEvent, LineState, Row
from gateway.domain.quantity import lexeme
from gateway.domain.transition import Ignored, Moved, resolve_return, resolve_supply
from gateway.ports.callback import Callback, CallbackResult, Effectiveness
from gateway.store.document import encode
from gateway.store.sql import deliveries, holds, renewals, rests
from gateway.store.sql.alerts import open_alert
from gateway.store.sql.binding import HANDED_OVER, SUPPLY, Kept, Pairs, bind
from gateway.store.sql.cancels import follow, heard, region
from gateway.store.sql.claimed import GIVES_UP, NOBODYS
from gateway.store.sql.claims import lines_now
from gateway.store.sql.contradicted import doubt
from gateway.store.sql.history import Happening, LineNow, last_event, line_now, note_event, record_event
from gateway.store.sql.instants import stored
from gateway.store.sql.leaves import append_leaf
from gateway.store.sql.meaning import meaning
from gateway.store.sql.numbering import Misnumbered, named_issue, spares_others
from gateway.store.sql.reconciling import supplied_before
from gateway.store.sql.replacing import with_withdrawals
from gateway.store.sql.supplying import COUNTS, PLANS, deliver, lose_one, set_aside
from gateway.store.sql.tell import tell_news
from gateway.store.sql.transaction import Transaction

_FIRST = """
SELECT id, meaning, archive, digest FROM callback WHERE destination = ? AND answer_id = ? ORDER BY id LIMIT 1
"""
_DID_SOMETHING = """
SELECT 1 FROM event WHERE callback = ? AND (moved = 1 OR text NOT LIKE 'nothing moved%'
    AND (event LIKE 'cancel%' OR event LIKE 'hold_%' OR event LIKE 'release_%'
        OR event IN ('renewal_requested', 'not_supplied'))) LIMIT 1
"""
_INSERT = """
INSERT INTO callback (destination, received_at, content_type, digest, body, answer_id, correlation, meaning, issues)
VALUES (:destination, :received_at, :content_type, :digest, :body, :answer_id, :correlation, :meaning, :issues)
ON CONFLICT (destination, answer_id, digest) DO NOTHING
"""
_EARLIER_DOUBT = "SELECT 1 FROM outbox WHERE message_id = ? AND possible_duplicate = 1"
_MESSAGE_OF_LINE = "SELECT message FROM allocation WHERE line = ? AND ended_at IS NULL"
_OURS_TO_SAY: Final = {
    LineEvent.LAST_DELIVERED: LineEvent.DELIVERED,
    LineEvent.BALANCE_WITHDRAWN: LineEvent.SUPPLY_WITHDRAWN,
}
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
_PLANS_OR_SUPPLIES: Final = SUPPLY | PLANS
_NOT_YET_ACCEPTED: Final = frozenset({LineState.SENT, LineState.UNCERTAIN, LineState.WITH_PROVIDER, LineState.QUERIED})
_NOT_YET_VALIDATED: Final = frozenset({LineState.ACCEPTED})
_MAY_SUPPLY: Final = LIVE - {LineState.ON_HOLD} | {LineState.FULFILLED}


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
    said = meaning(answer)
    first = transaction.row(_FIRST, (callback.destination.value, answer.id)) if answer is not None else None
    row = _keep(transaction, callback, answer, issues, said)
    if first is not None and first[2] is not None:
        # What it said is in an archive, with the lines it was about; by its bytes it is known again all the same.
        if first[3] == _digest(callback):
            return CallbackResult(effect=Effectiveness.REPEAT)
        first = None
    if first is None or said != first[1]:
        return _take(transaction, callback, answer, issues, row=row, answers=answers, reused=first is not None)
    if transaction.row(_DID_SOMETHING, (first[0],)):
        return CallbackResult(effect=Effectiveness.REPEAT)
    # It came too early, or out of turn, and moved nothing: what it says may hold now. If not, nothing is added.
    kept = len(transaction.leaves)
    transaction.run("SAVEPOINT again")
    result = _take(transaction, callback, answer, issues, row=first[0], answers=answers, reused=False)
    if result.effect is not Effectiveness.APPLIED:
        transaction.run("ROLLBACK TO again")
        del transaction.leaves[kept:]
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
            why = Kept("answer-takes-back", restated)
    if answer is not None and answer.correlation is None:
        answer = replace(answer, correlation=answers)
    bound = bind(transaction, callback.destination, answer, answers)
    if why is not None:
        bound = replace(why, about=tuple(bound) if isinstance(bound, list) else bound.about)
    if isinstance(bound, Kept) or answer is None:
        kept = bound if isinstance(bound, Kept) else Kept("answer-unread", "")
        return _set_apart(transaction, callback, answer, kept, row)
    return _follow(transaction, bound, answer, row, now=callback.received_at)


def _keep(
    transaction: Transaction,
    callback: Callback,
    answer: Acknowledgement | None,
    issues: Sequence[Issue],
    said: str,
) -> int | None:
    digest = _digest(callback)
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
            "meaning": said,
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


def _digest(callback: Callback) -> str:
    return hashlib.sha256(callback.body).hexdigest()


def _why_unread(
    callback: Callback, answer: Acknowledgement | None, issues: Sequence[Issue], *, reused: bool
) -> Kept | None:
    if answer is None or issues:
        codes = ", ".join(sorted({issue.code for issue in issues})) or "unreadable"
        return Kept("answer-not-understood", f"An answer of {callback.destination} was not understood: {codes}.")
    if reused:
        return Kept("answer-id-reused", f"{callback.destination} used one answer id for two different answers.")
    return None


def _set_apart(
    transaction: Transaction, callback: Callback, answer: Acknowledgement | None, kept: Kept, row: int | None
) -> CallbackResult:
    """Tell a person, and show what was said in the history of every line that it speaks of; nothing moves (I13)."""
    subject = f"{callback.destination}:{hashlib.sha256(callback.body).hexdigest()[:16]}"
    at = callback.received_at
    if row is not None and answer is not None:
        for report, spoken_of in kept.about:
            happening = _happening(report, answer, row, at=at, text=f"nothing moved: {kept.reason}")
            note_event(transaction, spoken_of, happening)
    for number, line in enumerate(kept.lines):
        about = subject if number == 0 else f"{subject}:{number}"
        open_alert(transaction, kind=kept.kind, subject=about, line=line, at=at, text=kept.reason)
    return CallbackResult(effect=Effectiveness.KEPT, reasons=(kept.reason,), kind=kept.kind)


def _follow(
    transaction: Transaction,
    pairs: Pairs,
    answer: Acknowledgement,
    callback: int | None,
    *,
    now: datetime,
) -> CallbackResult:
    reasons: list[str] = []
    moved = False
    moved_on = doubt(transaction, pairs, now=now)
    if answer.correlation is not None and any(report.event in SUPPLY for report, _ in pairs):
        lines = [line for line, _ in lines_now(transaction, answer.correlation)]
        supplied_before(transaction, lines, now=now)
        moved_on = True
    for report, line in pairs:
        # An earlier report of the same answer may have moved the line already.
        stands = line_now(transaction, line.row) if moved_on else line
        result = _apply(transaction, report, stands, answer, callback, now=now)
        moved_on = True
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
    issue = named_issue(transaction, line, report)
    if isinstance(issue, Misnumbered):
        return set_aside(transaction, line, issue, _happening(report, answer, callback, at=now, text=""))
    if issue is not None and spares_others(transaction, line, report, issue):
        if rests.owed(transaction, line, issue):
            report = replace(report, event=LineEvent.BALANCE_WILL_NOT_COME)
            return _as_said(transaction, report, line, answer, callback, issue=issue, now=now)
        lose_one(transaction, line, issue, _happening(report, answer, callback, at=now, text=""))
        tell_news(transaction, line.row, last_event(transaction, line.row), now=now)
        return _stays(line, report.event)
    return _as_said(transaction, report, line, answer, callback, issue=issue, now=now)


def _as_said(
    transaction: Transaction,
    report: LineReport,
    line: LineNow,
    answer: Acknowledgement,
    callback: int | None,
    *,
    issue: int | None,
    now: datetime,
) -> Moved | Ignored:
    """Let the table of the line decide, or that of its cancel, its hold or its renewal."""
    # Whether a delivery is the last, or what is taken back was a balance, our own history says, never the report.
    said = _OURS_TO_SAY.get(report.event, report.event)
    if rests.completes(transaction, line, report, issue):
        said = LineEvent.BALANCE_SUPPLIED
    event = _resolved(transaction, line, resolve_return(said, line.state), issue)
    implied = _implied(line, event)
    happening = replace(_happening(report, answer, callback, at=now, text=implied), event=event)
    if event is LineEvent.NOT_STORED and _earlier_doubt(transaction, line):
        # It speaks of the last attempt; an earlier one of the same message may have arrived all the same (I12).
        event = LineEvent.NOTHING_DECISIVE
        doubt = _happening(report, answer, callback, at=now, text="not stored, but an earlier attempt may be")
        happening = replace(doubt, event=event, actor=Actor.GATEWAY)
    if event in _CANCELS:
        return _answer_cancel(transaction, line, happening)
    if event is LineEvent.RENEWAL_REQUESTED and renewals.request(transaction, line, happening):
        return _stays(line, event)
    if event in ANSWERS:
        return _answer_hold(transaction, line, happening, answer.correlation)
    apart = _of_a_rest(transaction, line, happening, replace(report, event=said), issue=issue)
    if apart is not None:
        return apart
    if event in rests.OF_ONE:
        happening = replace(happening, act_by=rests.awaited_by(transaction, line))
    kept = record_event(transaction, line, happening)
    if isinstance(kept.result, Ignored):
        return _moves_nothing(transaction, line, event, kept.result, now=now)
    taken_back = event is LineEvent.BALANCE_WITHDRAWN
    moves = event if taken_back else said
    cause = deliveries.Cause(actor=Actor.PROVIDER_SYSTEM, at=now, source=kept.seq)
    deliver(transaction, line, moves, report, cause, issue=issue)
    tell_news(transaction, line.row, kept.seq, now=now)
    heard(transaction, line.row, event, now=now)
    if line.state in _NOT_YET_ACCEPTED and event in _PLANS_OR_SUPPLIES:
        text = f"The provider reports {event} and never said that it accepted the line."
        _alert(transaction, line, "acceptance-missing", text, at=now)
    return kept.result


def _moves_nothing(
    transaction: Transaction, line: LineNow, event: LineEvent, ignored: Ignored, *, now: datetime
) -> Ignored:
    """Tell of what has no arrow; what its provider had claimed meanwhile and gives up again settles its cancel."""
    _tell_of_ignored(transaction, line, event, ignored, now=now)
    if event in GIVES_UP and line.state in NOBODYS:
        heard(transaction, line.row, event, now=now)
    return ignored


def _of_a_rest(
    transaction: Transaction,
    line: LineNow,
    happening: Happening,
    report: LineReport,
    *,
    issue: int | None,
) -> Moved | Ignored | None:
    """Take what is of one of several rests, or may be of either of two issues; None where it is of neither kind."""
    said = report.event
    if said is happening.event and rests.may_be_of_either(transaction, line, said, issue):
        ignored = rests.keep(transaction, line, happening)
        _tell_of_ignored(transaction, line, said, ignored, now=happening.at)
        return ignored
    if said is LineEvent.BALANCE_WILL_NOT_COME and rests.several(transaction, line):
        rests.lose(transaction, line, happening, report, issue)
        return _stays(line, said)
    return None


def _happening(
    report: LineReport, answer: Acknowledgement, callback: int | None, *, at: datetime, text: str
) -> Happening:
    """Give a report as it goes into a line's history, `text` being what we say of it."""
    stated = f"stated at {answer.at.isoformat()}" if answer.at is not None else ""
    said = (text, stated) if text.startswith("nothing moved") else (stated, text)
    return Happening(
        event=report.event,
        actor=Actor.PROVIDER_SYSTEM,
        at=at,
        text="; ".join(filter(None, (*said, *_pack(report)))),
        reason_code=report.reason_code,
        reason=report.reason,
        amount=lexeme(report.amount) if report.amount is not None else "",
        unit=report.unit,
        callback=callback,
    )


def _resolved(transaction: Transaction, line: LineNow, event: LineEvent, issue: int | None) -> LineEvent:
    """Tell the report that completes the line from the others; what will not be supplied is not waited for."""
    if event is LineEvent.SUPPLY_WITHDRAWN and deliveries.was_balance(transaction, line.row, issue):
        return LineEvent.BALANCE_WITHDRAWN
    if event is LineEvent.BALANCE_SUPPLIED and line.state is not LineState.PART_SUPPLIED:
        return event
    if event is LineEvent.BALANCE_SUPPLIED and rests.several(transaction, line):
        return LineEvent.DELIVERED  # one rest of several: the line goes on being supplied in part
    expected = line.total - deliveries.lost(transaction, line.row) if event in COUNTS else line.total
    return resolve_supply(event, delivered=line.delivered, total=expected)


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


def _tell_of_ignored(
    transaction: Transaction, line: LineNow, event: LineEvent, ignored: Ignored, *, now: datetime
) -> None:
    """Open the alert for a report that moved nothing: graver where medicine may have left that should not have."""
    supplied = event in SUPPLY
    beyond = event in HANDED_OVER and line.delivered >= line.total - deliveries.lost(transaction, line.row)
    incident = supplied and (beyond or line.state not in _MAY_SUPPLY)
    if incident:
        text = f"A supply was reported, and the line stands as: {LABELS[line.state].lower()}."
    elif ignored.alert:
        text = f"An answer does not fit: {ignored.reason}."
    else:
        return
    _alert(transaction, line, "safety-incident" if incident else "answer-unexpected", text, at=now)


def _alert(transaction: Transaction, line: LineNow, kind: str, text: str, *, at: datetime) -> None:
    open_alert(transaction, kind=kind, subject=str(line.id), line=line.row, at=at, text=text)
