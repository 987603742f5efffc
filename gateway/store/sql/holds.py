"""Holds and releases: each request moved by its own table, in the transaction of whatever moves it.

Nothing of a line on the wire: it is on hold, and its row of the outbox withheld, in one transaction. Otherwise the
request is sealed, queued behind the order to the same provider under the same epoch, and stays *asked* until the
provider answers that very request: an answer to an earlier one must not pass for it.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final
from uuid import UUID

from gateway.domain.deadline import Request
from gateway.domain.errors import Unavailable
from gateway.domain.hold import REFUSALS, HoldEvent, HoldKind, HoldRow, HoldState, beneath, move
from gateway.domain.lifecycle import Actor, LineEvent, LineState, Row
from gateway.domain.transition import Ignored, Moved
from gateway.ports.acceptance import HoldRequest, OvertakenError
from gateway.store.sql.alerts import open_alert
from gateway.store.sql.allocate import deliver, store_message
from gateway.store.sql.cancels import Asked, for_its_holder, under_way
from gateway.store.sql.history import Happening, LineNow, last_event, line_now, note_event, record_event
from gateway.store.sql.instants import instant, stored
from gateway.store.sql.reconciling import refuse_while_unreconciled, stated_elsewhere
from gateway.store.sql.tell import tell_news
from gateway.store.sql.transaction import Transaction

_LINE = """
SELECT id FROM line WHERE uuid = ? AND tenant = ? AND action IN ('new', 'replace')
ORDER BY state IN ('REFUSED', 'CANCELLED', 'SUPERSEDED', 'EXPIRED', 'CLOSED'), id DESC LIMIT 1
"""
_OPEN = "SELECT kind FROM hold WHERE line = ? AND state = 'ASKED' ORDER BY id DESC LIMIT 1"
_INSERT = """
INSERT INTO hold (line, submission, kind, state, reason_code, reason, message, asked_at, answer_by, ended_at)
VALUES (:line, :submission, :kind, :state, :reason_code, :reason, :message, :at, :by, :ended)
"""
_ASKED_IN = "SELECT id, kind FROM hold WHERE message = ? AND line = ? AND state = 'ASKED'"
_END = "UPDATE hold SET state = :state, ended_at = :at WHERE id = :id"
_OVERTAKE_EARLIER = """
UPDATE hold SET state = 'OVERTAKEN', ended_at = :at WHERE line = :line AND state = 'ASKED' AND id < :id
"""
_OVERTAKE_SAME = """
UPDATE hold SET state = 'OVERTAKEN', ended_at = :at WHERE line = :line AND kind = :kind AND state = 'ASKED'
"""
_OVERTAKE = "UPDATE hold SET state = 'OVERTAKEN', ended_at = :at WHERE line = :line AND state = 'ASKED'"
_UNQUEUE = """
UPDATE outbox SET state = 'done' WHERE state = 'due'
    AND message_id IN (SELECT message FROM hold WHERE line = ? AND state <> 'ASKED')
"""
_WITHHOLD = """
UPDATE outbox SET withheld = 1 WHERE kind = 'deliver' AND state IN ('due', 'claimed', 'on_wire')
    AND message_id IN (SELECT message FROM allocation WHERE line = ? AND ended_at IS NULL)
"""
_ORDER_ROW = """
SELECT outbox.id, allocation.prescription FROM allocation JOIN outbox ON outbox.message_id = allocation.message
WHERE allocation.line = ? AND allocation.ended_at IS NULL
"""
_EARLIER_ROWS = """
SELECT outbox.id FROM hold JOIN outbox ON outbox.message_id = hold.message
WHERE hold.line = ? AND outbox.state IN ('due', 'claimed', 'on_wire')
"""
_WAIT = "INSERT INTO wait (outbox, earlier) VALUES (?, ?)"
_OF_MESSAGE = "SELECT id, line, kind FROM hold WHERE message = ? AND state = 'ASKED'"
_UNSENT = """
SELECT hold.id, hold.kind FROM hold JOIN outbox ON outbox.message_id = hold.message
WHERE hold.line = ? AND hold.state = 'ASKED' AND outbox.attempts = 0 ORDER BY hold.id
"""
_LAST_ASKED = "SELECT id, kind FROM hold WHERE line = ? AND state = 'ASKED' ORDER BY id DESC LIMIT 1"
_VALID_UNTIL = "SELECT valid_until FROM line WHERE id = ? AND valid_until IS NOT NULL"
_BEGINS_UNTIL = """
SELECT message.not_valid_after FROM allocation JOIN message ON message.id = allocation.message
WHERE allocation.line = ? AND allocation.ended_at IS NULL
"""
"""Until when a supply may begin, as its message says; what is under way goes on until the line's own validity ends."""

_ASKING: Final = {HoldKind.HOLD: LineEvent.HOLD_ASKED, HoldKind.RELEASE: LineEvent.RELEASE_ASKED}
_REQUESTS: Final = {HoldKind.HOLD: Request.HOLD, HoldKind.RELEASE: Request.RELEASE}
_NOT_YET: Final = {HoldKind.HOLD: "Not on hold.", HoldKind.RELEASE: "Still on hold."}


def ask(transaction: Transaction, request: HoldRequest, asked: Asked) -> None:
    """Apply one hold or release.

    Raises:
        OvertakenError: the line has moved since the answer was written.
        Unavailable: it rests on nothing having left, which nobody knows after a restore.
    """
    row = transaction.row(_LINE, (request.line_id.bytes, asked.tenant.value))
    if row is None:
        raise OvertakenError
    line = line_now(transaction, row[0])
    if not _as_seen(transaction, line, request):
        raise OvertakenError
    arrow = move(request.kind, HoldState.NONE, _how(request))
    if arrow is not None and arrow.line is not None:
        _do_here(transaction, line, request, arrow.line, asked)
    else:
        _ask_provider(transaction, line, request, asked)
    _insert(transaction, line, request, asked)


def _how(request: HoldRequest) -> HoldEvent:
    here = request.state is HoldState.CONFIRMED
    return HoldEvent.ASKED_BEFORE_WIRE if here else HoldEvent.ASKED_ON_WIRE


def _as_seen(transaction: Transaction, line: LineNow, request: HoldRequest) -> bool:
    """Tell whether the answer is still true: the line stands where it stood when the answer was written."""
    open_kind = asked(transaction, line.row)
    same = (line.state is LineState.READY, line.state is LineState.ON_HOLD, beneath(line.state, line.before))
    seen = (request.seen is LineState.READY, request.seen is LineState.ON_HOLD, request.beneath)
    kinds = (same[0], same[1], same[2] is LineState.READY) == (seen[0], seen[1], seen[2] is LineState.READY)
    cancelled = under_way(transaction, line.row) and request.beneath is not LineState.READY
    ours = request.state is HoldState.CONFIRMED or for_its_holder(line, request.message)
    return kinds and open_kind is request.open_request and not cancelled and ours


def asked(transaction: Transaction, line: int) -> HoldKind | None:
    """Give what was last asked for a line and is not answered yet."""
    row = transaction.row(_OPEN, (line,))
    return HoldKind(row[0]) if row else None


def _do_here(transaction: Transaction, line: LineNow, request: HoldRequest, event: LineEvent, asked: Asked) -> None:
    """Hold or release a line of which nothing has left."""
    refuse_while_unreconciled(transaction)
    if stated_elsewhere(transaction, line):
        raise Unavailable("a provider stated after a restore that it has the line: it cannot be held here")
    holds = request.kind is HoldKind.HOLD
    text = "nothing of it has left; its message is withheld" if holds else "its message may leave"
    happening = _happening(request, event, asked, text)
    if not isinstance(record_event(transaction, line, happening).result, Moved):
        raise OvertakenError
    if holds:
        transaction.run(_WITHHOLD, (line.row,))


def _ask_provider(transaction: Transaction, line: LineNow, request: HoldRequest, asked: Asked) -> None:
    said = {HoldKind.HOLD: "not on hold", HoldKind.RELEASE: "still on hold"}[request.kind]
    text = f"asked; {said} until the provider confirms it"
    note_event(transaction, line, _happening(request, _ASKING[request.kind], asked, text))
    order = transaction.row(_ORDER_ROW, (line.row,))
    if request.message is None or order is None:
        words = f"The {request.kind} could not be sent to the provider. {_NOT_YET[request.kind]}"
        _alert(transaction, line, f"{request.kind}-not-sent", words, at=asked.now)
        return
    earlier = {order[0], *(row[0] for row in transaction.rows(_EARLIER_ROWS, (line.row,)))}
    store_message(transaction, request.message, order[1], now=asked.now)
    outbox = deliver(transaction, request.message, asked.tenant, now=asked.now)
    for row in sorted(earlier):
        transaction.run(_WAIT, (outbox, row))


def _happening(request: HoldRequest, event: LineEvent, asked: Asked, text: str) -> Happening:
    code, words = request.reason_code, request.reason
    return Happening(
        event=event, actor=asked.actor, at=asked.now, text=asked.said(text), reason_code=code, reason=words
    )


def _insert(transaction: Transaction, line: LineNow, request: HoldRequest, asked: Asked) -> None:
    done = request.state is HoldState.CONFIRMED
    # Held, released and held again before a word came: only the answer to the last of the two counts.
    values = {"at": stored(asked.now), "line": line.row, "kind": request.kind.value}
    transaction.run(_OVERTAKE_SAME, values)
    transaction.run(
        _INSERT,
        {
            "line": line.row,
            "submission": asked.submission,
            "kind": request.kind.value,
            "state": request.state.value,
            "reason_code": request.reason_code,
            "reason": request.reason,
            "message": request.message.id.bytes if request.message is not None and not done else None,
            "at": stored(asked.now),
            "by": stored(transaction.deadlines.answer_by(_REQUESTS[request.kind], asked.now)),
            "ended": stored(asked.now) if done else None,
        },
    )


def answer(transaction: Transaction, line: LineNow, happening: Happening, message: UUID | None) -> Moved | Ignored:
    """Take a provider's answer to a hold or a release.

    Args:
        transaction: the answer's own.
        line: as it stands.
        happening: the answer.
        message: the one it names; an answer that names another than the request's own says nothing of the request.
    """
    row = transaction.row(_ASKED_IN, (message.bytes, line.row)) if message is not None else None
    arrow = move(HoldKind(row[1]), HoldState.ASKED, HoldEvent(happening.event.value)) if row else None
    if row is None or arrow is None:
        note_event(
            transaction, line, replace(happening, text="nothing moved: no hold or release waits for this answer")
        )
        return Ignored(f"{happening.event} answers no hold or release that was asked")
    _end(transaction, row[0], line, arrow, now=happening.at)
    result = _follow(transaction, line, arrow, happening)
    tell_news(transaction, line.row, last_event(transaction, line.row), now=happening.at)
    if arrow.alert:
        _alert(transaction, line, happening.event.value.replace("_", "-"), arrow.alert, at=happening.at)
    if happening.event is LineEvent.RELEASE_CONFIRMED:
        _check_validity(transaction, line, now=happening.at)
    return result


def _end(transaction: Transaction, request: int, line: LineNow, arrow: HoldRow, *, now: datetime) -> None:
    if arrow.to is HoldState.ASKED:
        return
    transaction.run(_END, {"state": arrow.to.value, "at": stored(now), "id": request})
    if arrow.to is HoldState.CONFIRMED:
        # The provider has done the later thing: what was asked before it, and never answered, no longer matters.
        transaction.run(_OVERTAKE_EARLIER, {"at": stored(now), "line": line.row, "id": request})


def _follow(transaction: Transaction, line: LineNow, arrow: HoldRow, happening: Happening) -> Moved | Ignored:
    """Move the line where the arrow says so, and it is not there already."""
    there = (arrow.kind is HoldKind.HOLD) == (line.state is LineState.ON_HOLD)
    if arrow.line is not None and not there:
        return record_event(transaction, line, happening).result
    note_event(transaction, line, happening)
    return Moved(line.state, Row(states=frozenset(), event=happening.event, to=line.state, actors=frozenset()))


def _check_validity(transaction: Transaction, line: LineNow, *, now: datetime) -> None:
    """Tell a person where a line was released after its time: it may not be supplied (mapping.md 10.2)."""
    begun = line.delivered > 0 or LineState.IN_SUPPLY in {line.state, line.before}
    ends = [transaction.row(_VALID_UNTIL, (line.row,)), None if begun else transaction.row(_BEGINS_UNTIL, (line.row,))]
    if any(row is not None and instant(row[0]) < now for row in ends):
        words = "It was released after its validity was over: it may not be supplied."
        _alert(transaction, line, "released-expired", words, at=now)


def undelivered(transaction: Transaction, message: UUID, *, surely_not: bool, now: datetime) -> None:
    """Tell a person that a hold or release did not reach the provider, or may not have.

    Args:
        transaction: the attempt's own.
        message: that was to be sent.
        surely_not: the provider has not taken it, which ends the request; otherwise nobody knows.
        now: when.
    """
    for request, row, kind in transaction.rows(_OF_MESSAGE, (message.bytes,)):
        line = line_now(transaction, row)
        if surely_not:
            happening = Happening(
                event=REFUSALS[HoldKind(kind)],
                actor=Actor.GATEWAY,
                at=now,
                text="the provider's system did not take it",
            )
            transaction.run(_END, {"state": HoldState.REFUSED.value, "at": stored(now), "id": request})
            tell_news(transaction, row, note_event(transaction, line, happening), now=now)
        words = f"The {kind} was not taken." if surely_not else f"The {kind} may not have arrived."
        _alert(transaction, line, f"{kind}-not-sent", f"{words} {_NOT_YET[HoldKind(kind)]}", at=now)


def never_left(transaction: Transaction, lines: Sequence[LineNow], *, now: datetime) -> bool:
    """Put the lines of a message on hold that turned out not to have been taken, where that was asked for all of them.

    Where it was asked for some only, the message leaves whole and the holds follow it.

    Returns:
        Whether the message is now withheld.
    """
    asked_of = [_last_unsent(transaction, line) for line in lines]
    if not lines or any(
        found is None or line.state is not LineState.READY for line, found in zip(lines, asked_of, strict=True)
    ):
        return False
    held = [found for found in asked_of if found is not None and found[1] == HoldKind.HOLD]
    for line, found in zip(lines, asked_of, strict=True):
        if len(held) == len(lines) and found is not None:
            happening = Happening(
                event=LineEvent.HOLD_CONFIRMED,
                actor=Actor.PRESCRIBER,
                at=now,
                text="the provider never took it; its message is withheld",
            )
            _withhold(transaction, line, happening, found[0])
        if len(held) in {0, len(lines)}:
            # held, or released again before anybody had it: nothing is left to ask
            transaction.run(_OVERTAKE, {"at": stored(now), "line": line.row})
            transaction.run(_UNQUEUE, (line.row,))
    return bool(held) and len(held) == len(lines)


def _withhold(transaction: Transaction, line: LineNow, happening: Happening, request: int) -> None:
    kept = record_event(transaction, line, happening)
    transaction.run(_END, {"state": HoldState.CONFIRMED.value, "at": stored(happening.at), "id": request})
    transaction.run(_WITHHOLD, (line.row,))
    tell_news(transaction, line.row, kept.seq, now=happening.at)


def carry_over(transaction: Transaction, lines: Sequence[LineNow], *, now: datetime) -> None:
    """Take holds along that the earlier holder never answered, to lines that another provider has just been given.

    Where every line of the new message was to be held it is withheld, as if it had been asked of it. Otherwise the
    message goes, and a person is told: the next provider was asked nothing.
    """
    asked_of = [(line, transaction.row(_LAST_ASKED, (line.row,))) for line in lines]
    whole = all(found is not None and found[1] == HoldKind.HOLD for _, found in asked_of)
    for line, found in asked_of:
        if found is None:
            continue
        text = "asked of the earlier provider, which never answered; "
        if whole:
            text += "its message is withheld"
            held = Happening(event=LineEvent.HOLD_CONFIRMED, actor=Actor.PRESCRIBER, at=now, text=text)
            _withhold(transaction, line, held, found[0])
        elif found[1] == HoldKind.HOLD:
            text += "the next one was not asked"
            lost = Happening(event=LineEvent.HOLD_REFUSED, actor=Actor.GATEWAY, at=now, text=text)
            tell_news(transaction, line.row, note_event(transaction, line, lost), now=now)
            words = "A hold went unanswered, and the line was given to another provider, which was not asked."
            _alert(transaction, line, "hold-not-sent", f"{words} Not on hold.", at=now)
        transaction.run(_OVERTAKE, {"at": stored(now), "line": line.row})
        transaction.run(_UNQUEUE, (line.row,))


def _last_unsent(transaction: Transaction, line: LineNow) -> tuple[int, str] | None:
    """Give the newest request of a line if none of its requests has been sent."""
    rows = transaction.rows(_UNSENT, (line.row,))
    return (rows[-1][0], rows[-1][1]) if rows else None


def _alert(transaction: Transaction, line: LineNow, kind: str, text: str, *, at: datetime) -> None:
    open_alert(transaction, kind=kind, subject=str(line.id), line=line.row, at=at, text=text)
