"""Cancels: each line's cancel region, moved by its own table, in the transaction of whatever moves it.

Nothing of a line on the wire: it is cancelled, and its row leaves the outbox, in one transaction. Otherwise the cancel
is sealed, queued behind the order to the same provider, and stays *asked* until the provider answers (I7, I16).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from gateway.domain.cancel import (
    GIVEN_BACK,
    NOTHING_ON_WIRE,
    OURS_TO_CONFIRM,
    CancelEvent,
    CancelRow,
    CancelState,
    move,
    provider_event,
)
from gateway.domain.deadline import Request
from gateway.domain.hold import beneath
from gateway.domain.identifiers import OdsCode
from gateway.domain.lifecycle import TERMINAL, Actor, LineEvent, LineState
from gateway.domain.message import SealedMessage
from gateway.domain.transition import Moved
from gateway.ports.acceptance import CancelRequest, OvertakenError, Tombstone
from gateway.store.sql import revoking
from gateway.store.sql.alerts import open_alert
from gateway.store.sql.allocate import deliver, store_message, unqueue
from gateway.store.sql.awaiting import ask_for_ruling
from gateway.store.sql.claimed import claimed
from gateway.store.sql.history import Happening, LineNow, last_event, line_now, note_event, record_event
from gateway.store.sql.instants import stored
from gateway.store.sql.reconciling import refuse_while_unreconciled, stated_elsewhere
from gateway.store.sql.tell import tell_news
from gateway.store.sql.transaction import Transaction

_LINE = """
SELECT id FROM line WHERE uuid = ? AND tenant = ? AND action IN ('new', 'replace')
ORDER BY state IN ('REFUSED', 'CANCELLED', 'SUPERSEDED', 'EXPIRED', 'CLOSED'), id DESC LIMIT 1
"""
_STATE = "SELECT id, state, replaced_by FROM cancel WHERE line = ?"
_INSERT = """
INSERT INTO cancel (line, submission, tenant, order_number, order_assigner, item, prescription, state, reason_code,
    reason, message, replaced_by, asked_at, answer_by, ended_at)
VALUES (:line, :submission, :tenant, :order_number, :order_assigner, :item, :prescription, :state, :reason_code,
    :reason, :message, :replaced_by, :at, :by, :ended)
"""
_MOVE = "UPDATE cancel SET state = :state, ended_at = :ended WHERE id = :id"
_REPLACED = "UPDATE line SET replaced = 1 WHERE id = ?"
_HASTEN = "UPDATE line SET act_by = CASE WHEN act_by < :by THEN act_by ELSE :by END WHERE id = :line"
_UNQUEUE_CANCEL = """
UPDATE outbox SET state = 'done' WHERE state = 'due' AND message_id = (SELECT message FROM cancel WHERE line = ?)
"""
_CANCEL_AGAIN = """
UPDATE outbox SET state = 'due', due_at = :at WHERE message_id = (SELECT message FROM cancel WHERE line = :line)
    AND state IN ('done', 'stuck') RETURNING id
"""
_ORDER_ROW = """
SELECT outbox.id, allocation.prescription FROM allocation JOIN outbox ON outbox.message_id = allocation.message
WHERE allocation.line = ? AND allocation.ended_at IS NULL
"""
_WAIT = "INSERT INTO wait (outbox, earlier) VALUES (?, ?)"
SAME_ASSIGNER: Final = "(order_assigner IN ('', :order_assigner) OR :order_assigner = '')"
"""Of two orders under one number: neither says that another system gave it (ORC-2.2)."""
_TOMBSTONE = f"""
SELECT id FROM cancel WHERE state = 'TOMBSTONE' AND tenant = :tenant AND (
    (order_number <> '' AND order_number = :order_number
        AND {SAME_ASSIGNER})
    OR item = :item OR prescription = :prescription)
LIMIT 1
"""  # noqa: S608 - of our own words alone
_MEET = "UPDATE cancel SET line = :line, state = 'CONFIRMED', ended_at = :at WHERE id = :id"
_WANTED_BACK = """
SELECT 1 FROM cancel WHERE line = :line
UNION ALL SELECT 1 FROM reroute WHERE line = :line AND state IN ('ASKED', 'PENDING')
"""
_OF_MESSAGE = "SELECT line, state FROM cancel WHERE message = ? AND line IS NOT NULL"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Who asked, when, and in which submission.

    Attributes:
        submission: what asked; for a person at the console, what brought the order.
        actor: for whom it was asked.
        by: short name of the person who asked at the console; empty where the trust's own message did.
    """

    tenant: OdsCode
    submission: int
    now: datetime
    actor: Actor = Actor.PRESCRIBER
    by: str = ""

    def said(self, text: str) -> str:
        """Give the words of an event with the person in them."""
        return f"asked at the console by {self.by}; {text}" if self.by else text


def ask(transaction: Transaction, request: CancelRequest, asked: Asked) -> None:
    """Apply one cancel.

    Raises:
        OvertakenError: the line has moved since the answer was written.
        Unavailable: it rests on nothing having left, which nobody knows until a restore is reconciled.
    """
    row = transaction.row(_LINE, (request.line_id.bytes, asked.tenant.value))
    if row is None:
        raise OvertakenError
    line = line_now(transaction, row[0])
    if not _as_seen(line, request) or transaction.row(_STATE, (line.row,)):
        raise OvertakenError
    if request.elsewhere is not _unreachable(transaction, line):
        raise OvertakenError
    if request.state is CancelState.CONFIRMED:
        refuse_while_unreconciled(transaction)
        _cancel_here(transaction, line, request, asked)
    else:
        _ask_provider(transaction, line, request, asked)
    _insert(transaction, request, asked, line=line.row)


def _as_seen(line: LineNow, request: CancelRequest) -> bool:
    """Tell whether the answer is still true: the line is in the same kind of state as when it was written."""
    kinds = (NOTHING_ON_WIRE, GIVEN_BACK, TERMINAL)
    now = beneath(line.state, line.before)
    same = [now in kind for kind in kinds] == [request.seen in kind for kind in kinds]
    return same and (request.state is CancelState.CONFIRMED or for_its_holder(line, request.message))


def _unreachable(transaction: Transaction, line: LineNow) -> bool:
    nobodys = beneath(line.state, line.before) in OURS_TO_CONFIRM
    return nobodys and (stated_elsewhere(transaction, line) or claimed(transaction, line.row))


def for_its_holder(line: LineNow, message: SealedMessage | None) -> bool:
    """Tell whether what a holder is to be sent was written for the one that has the line now."""
    if message is None:
        return True
    return message.destination.value == line.provider and message.epoch == max(line.epoch, 1)


def _cancel_here(transaction: Transaction, line: LineNow, request: CancelRequest, asked: Asked) -> None:
    ours = line.state in GIVEN_BACK or line.state is LineState.ON_HOLD
    event = LineEvent.CANCEL_CONFIRMED if ours else LineEvent.CANCEL
    actor = Actor.GATEWAY if ours else asked.actor
    if request.replaced_by is not None:
        event, actor = LineEvent.REPLACED, Actor.PRESCRIBER
    text = "the provider had given it back" if line.state in GIVEN_BACK else "nothing of it ever left"
    unqueue(transaction, line.row)
    happening = _happening(request, event, actor, asked.now, asked.said(text))
    record_event(transaction, line, happening)


def _ask_provider(transaction: Transaction, line: LineNow, request: CancelRequest, asked: Asked) -> None:
    text = "asked; not cancelled until the provider confirms it"
    note_event(transaction, line, _happening(request, LineEvent.CANCEL_ASKED, asked.actor, asked.now, asked.said(text)))
    by = transaction.deadlines.answer_by(Request.CANCEL, asked.now)
    transaction.run(_HASTEN, {"by": stored(by), "line": line.row})
    if request.replaced_by is not None:
        transaction.run(_REPLACED, (line.row,))
    order = transaction.row(_ORDER_ROW, (line.row,))
    if request.message is None or order is None:
        words = "The cancel could not be sent to the provider: not cancelled."
        _alert(transaction, line, "cancel-not-sent", words, at=asked.now)
        return
    store_message(transaction, request.message, order[1], now=asked.now)
    outbox = deliver(transaction, request.message, asked.tenant, now=asked.now)
    transaction.run(_WAIT, (outbox, order[0]))


def _happening(request: CancelRequest, event: LineEvent, actor: Actor, at: datetime, text: str) -> Happening:
    return Happening(event=event, actor=actor, at=at, text=text, reason_code=request.reason_code, reason=request.reason)


def _insert(transaction: Transaction, request: CancelRequest, asked: Asked, *, line: int) -> None:
    ended = request.state is CancelState.CONFIRMED
    transaction.run(
        _INSERT,
        {
            "line": line,
            "submission": asked.submission,
            "tenant": asked.tenant.value,
            "order_number": "",
            "order_assigner": "",
            "item": None,
            "prescription": None,
            "state": request.state.value,
            "reason_code": request.reason_code,
            "reason": request.reason,
            "message": request.message.id.bytes if request.message is not None and not ended else None,
            "replaced_by": request.replaced_by.bytes if request.replaced_by is not None else None,
            "at": stored(asked.now),
            "by": stored(transaction.deadlines.answer_by(Request.CANCEL, asked.now)),
            "ended": stored(asked.now) if ended else None,
        },
    )


def bury(transaction: Transaction, stone: Tombstone, asked: Asked) -> None:
    """Keep a cancel that came before its order, and tell a person: the number may be wrong."""
    row = transaction.insert(
        _INSERT,
        {
            "line": None,
            "submission": asked.submission,
            "tenant": asked.tenant.value,
            "order_number": stone.order_number,
            "order_assigner": stone.order_assigner,
            "item": stone.item.bytes if stone.item is not None else None,
            "prescription": stone.prescription_id.bytes if stone.prescription_id is not None else None,
            "state": CancelState.TOMBSTONE.value,
            "reason_code": stone.reason_code,
            "reason": stone.reason,
            "message": None,
            "replaced_by": None,
            "at": stored(asked.now),
            "by": None,
            "ended": None,
        },
    )
    open_alert(
        transaction,
        kind="cancel-order-unknown",
        subject=f"cancel:{row}",
        at=asked.now,
        text="A cancel names an order that is not known here. If it comes, it is cancelled and nothing is sent.",
        tenant=asked.tenant,
    )


def waiting(
    transaction: Transaction, line: LineNow, *, tenant: OdsCode, number: tuple[str, str], prescription: UUID
) -> int | None:
    """Give the cancel that was waiting for this line, if there is one."""
    values = {
        "tenant": tenant.value,
        "order_number": number[0],
        "order_assigner": number[1],
        "item": line.id.bytes,
        "prescription": prescription.bytes,
    }
    row = transaction.row(_TOMBSTONE, values)
    return row[0] if row else None


def meet(transaction: Transaction, cancel: int, line: LineNow, *, now: datetime) -> None:
    """Cancel a line that has just come, and whose cancel was here first."""
    happening = Happening(
        event=LineEvent.TOMBSTONE_CANCEL, actor=Actor.GATEWAY, at=now, text="its cancel came first; nothing is sent"
    )
    record_event(transaction, line, happening)
    transaction.run(_MEET, {"line": line.row, "at": stored(now), "id": cancel})
    words = "An order came whose cancel was already here: it was cancelled and not sent."
    _alert(transaction, line, "cancelled-on-arrival", words, at=now)


def under_way(transaction: Transaction, line: int) -> bool:
    """Tell whether a cancel of the line waits for its provider's answer."""
    return region(transaction, line) in {CancelState.ASKED, CancelState.PENDING}


def region(transaction: Transaction, line: int) -> CancelState:
    """Say where the cancel of a line stands."""
    row = transaction.row(_STATE, (line,))
    return CancelState(row[1]) if row else CancelState.NONE


def heard(transaction: Transaction, line: int, event: LineEvent, *, now: datetime) -> None:
    """Move what was asked of a line, its cancel or its re-route, after a report of the line itself; of most nothing."""
    if transaction.row(_WANTED_BACK, {"line": line}) is not None:
        follow(transaction, line_now(transaction, line), event, None, now=now)


def follow(
    transaction: Transaction, line: LineNow, event: LineEvent, happening: Happening | None, *, now: datetime
) -> CancelRow | None:
    """Move the cancel region after a provider's report of the line, and the line with it where the table says so.

    Args:
        transaction: the report's own.
        line: as it stands after the report.
        event: what was reported.
        happening: the report, when it is itself an answer to the cancel; its words go into the history.
        now: when.

    Returns:
        The arrow that was followed; None where the report changes nothing of a cancel.
    """
    said = provider_event(event)
    row = transaction.row(_STATE, (line.row,))
    if row is None:
        return revoking.follow(transaction, line, event, happening, now=now)
    arrow = move(CancelState(row[1]), said) if said is not None else None
    if arrow is None:
        return None
    ended = arrow.to in {CancelState.CONFIRMED, CancelState.TOO_LATE}
    transaction.run(_MOVE, {"state": arrow.to.value, "ended": stored(now) if ended else None, "id": row[0]})
    if arrow.line is not None and line.state not in TERMINAL:
        actor = Actor.PROVIDER_SYSTEM
        own = happening or Happening(event=arrow.line, actor=actor, at=now, text=f"{event}: the cancel stands")
        if row[2] is None:
            record_event(transaction, line, own)
        else:
            _replace(transaction, line, own)
        if happening is None:  # what was reported is told by itself; that it settles the cancel is news as well
            tell_news(transaction, line.row, last_event(transaction, line.row), now=now)
        transaction.run(_UNQUEUE_CANCEL, (line.row,))
    elif happening is not None:
        note_event(transaction, line, happening)
    if arrow.alert:
        _alert(
            transaction, line, f"cancel-{event.value.removeprefix('cancel_').replace('_', '-')}", arrow.alert, at=now
        )
    ask_for_ruling(transaction, line.row, now=now)
    return arrow


def _replace(transaction: Transaction, line: LineNow, own: Happening) -> None:
    """Put the changed order in the line's place, and keep what the provider said as the newest of its history."""
    text = "the cancel is confirmed; a changed order stands in its place"
    record_event(transaction, line, Happening(event=LineEvent.REPLACED, actor=Actor.PRESCRIBER, at=own.at, text=text))
    note_event(transaction, line_now(transaction, line.row), own)


def never_left(transaction: Transaction, lines: Sequence[LineNow], *, goes: bool, now: datetime) -> None:
    """Cancel lines of one message that turned out not to have been taken, where that was asked.

    What the provider made of a cancel that reached it does not matter: it had nothing to cancel.

    Args:
        transaction: whatever showed that nothing of it left.
        lines: those of the message that are still open.
        goes: the message will be sent again. Where a line of it is to stay it leaves whole, and the cancels follow,
            once more if they were sent before.
        now: when.
    """
    asked_of = [line for line in lines if _unsent(transaction, line)]
    if goes and len(asked_of) < len(lines):
        for line in asked_of:
            _send_again(transaction, line, now=now)
        return
    for line in asked_of:
        _cancel_unsent(transaction, line, now=now)


def _unsent(transaction: Transaction, line: LineNow) -> bool:
    """Tell whether nothing of the line is with a provider, and a cancel of it waits for an answer."""
    row = transaction.row(_STATE, (line.row,))
    waits = row is not None and move(CancelState(row[1]), CancelEvent.NEVER_LEFT) is not None
    here = beneath(line.state, line.before) in NOTHING_ON_WIRE
    return waits and here


def _send_again(transaction: Transaction, line: LineNow, *, now: datetime) -> None:
    """Queue a cancel that was sent already behind the order that now goes again; one still in the queue stays there."""
    order = transaction.row(_ORDER_ROW, (line.row,))
    again = transaction.row(_CANCEL_AGAIN, {"line": line.row, "at": stored(now)})
    if order is not None and again is not None:
        transaction.run(_WAIT, (again[0], order[0]))


def nobody_has(transaction: Transaction, line: LineNow, text: str, *, now: datetime) -> bool:
    """Confirm a cancel that was asked, because nobody turned out to have the line; tell whether one was.

    Args:
        transaction: whatever showed it.
        line: as it stands.
        text: what showed it, in words.
        now: when.
    """
    row = transaction.row(_STATE, (line.row,))
    waits = row is not None and CancelState(row[1]) in {CancelState.ASKED, CancelState.PENDING}
    if not waits or beneath(line.state, line.before) not in OURS_TO_CONFIRM:
        return False
    _cancel_unsent(transaction, line, text, now=now)
    return True


def _cancel_unsent(
    transaction: Transaction,
    line: LineNow,
    text: str = "the provider never took it; the cancel stands",
    *,
    now: datetime,
) -> None:
    ours = line.state in {LineState.ON_HOLD, *GIVEN_BACK}
    event, actor = (LineEvent.CANCEL_CONFIRMED, Actor.GATEWAY) if ours else (LineEvent.CANCEL, Actor.PRESCRIBER)
    kept = record_event(transaction, line, Happening(event=event, actor=actor, at=now, text=text))
    row = transaction.row(_STATE, (line.row,))
    assert row is not None
    assert isinstance(kept.result, Moved)
    transaction.run(_MOVE, {"state": CancelState.CONFIRMED.value, "ended": stored(now), "id": row[0]})
    transaction.run(_UNQUEUE_CANCEL, (line.row,))
    tell_news(transaction, line.row, kept.seq, now=now)


def lines_of_cancel(transaction: Transaction, message: UUID) -> list[tuple[int, CancelState]]:
    """Give the lines that a cancel message speaks of; none for any other message."""
    return [(row, CancelState(state)) for row, state in transaction.rows(_OF_MESSAGE, (message.bytes,))]


def tell_undelivered(transaction: Transaction, message: UUID, words: str, *, now: datetime) -> None:
    """Tell a person that a cancel may not have reached the provider."""
    for row, state in lines_of_cancel(transaction, message):
        if state in {CancelState.ASKED, CancelState.PENDING}:
            line = line_now(transaction, row)
            _alert(transaction, line, "cancel-not-sent", f"{words} Not cancelled.", at=now)
    for row in revoking.waiting_lines(transaction, message):
        text = f"{words} It asked to give the line up for a re-route: the line stays there."
        _alert(transaction, line_now(transaction, row), "reroute-waits", text, at=now)


def _alert(transaction: Transaction, line: LineNow, kind: str, text: str, *, at: datetime) -> None:
    open_alert(transaction, kind=kind, subject=str(line.id), line=line.row, at=at, text=text)
