"""What a trust's pharmacist does at a desk: screen, close, answer, and rule on a change whose cancel came too late.

Each act is one transaction by a named person with a reason: the lines move by the lifecycle, the alerts that asked for
it are closed, and an audit leaf proves who did it.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final, TypeAlias
from uuid import UUID

from gateway.domain.acts import Act, Ruling, Screened
from gateway.domain.identifiers import OdsCode
from gateway.domain.lifecycle import Actor, LineEvent, LineState
from gateway.domain.message import MessageEvent, SealedMessage
from gateway.domain.transition import Moved, transition
from gateway.store.sql.alerts import OF_STATES, close_alerts_of, open_alert
from gateway.store.sql.allocate import deliver, give, store_message
from gateway.store.sql.awaiting import AWAITS_RULING, ask_for_ruling
from gateway.store.sql.cancels import never_left, under_way
from gateway.store.sql.history import Happening, LineNow, line_now, record_event
from gateway.store.sql.instants import instant, stored
from gateway.store.sql.leaves import append_leaf, reason_digest
from gateway.store.sql.tell import tell_news
from gateway.store.sql.transaction import Transaction

Ask: TypeAlias = Callable[[str, Sequence[Any]], Iterable[tuple[Any, ...]]]

_TENANT = "SELECT tenant FROM prescription WHERE id = ?"
_SCREENING = """
SELECT prescription.id, line.uuid, line.state, line.provider
FROM prescription JOIN line ON line.prescription = prescription.id
WHERE prescription.uuid = ? AND ? IN ('', prescription.tenant) AND line.action IN ('new', 'replace')
ORDER BY prescription.id DESC, line.id
"""
_LINES = "SELECT id FROM line WHERE prescription = ? AND action IN ('new', 'replace') ORDER BY id"
_LINES_UNDER = """
SELECT line.id FROM line JOIN prescription ON prescription.id = line.prescription
WHERE prescription.uuid = ? AND ? IN ('', prescription.tenant) AND line.action IN ('new', 'replace') ORDER BY line.id
"""
_MESSAGE = """
SELECT id, destination, epoch, not_valid_after, body, key_id, rendered, content_type FROM message
WHERE prescription = ? AND event = 'prescription-order' ORDER BY created_at DESC, rowid DESC LIMIT 1
"""
_REPLACES = "SELECT line FROM cancel WHERE replaced_by = ? AND line IS NOT NULL"
_WAIT = "INSERT INTO wait (outbox, line) VALUES (?, ?)"
_WAITING = """
SELECT DISTINCT outbox.id FROM line JOIN allocation ON allocation.line = line.id AND allocation.ended_at IS NULL
JOIN outbox ON outbox.message_id = allocation.message AND outbox.state = 'due'
JOIN wait ON wait.outbox = outbox.id JOIN cancel ON cancel.line = wait.line AND cancel.state = 'TOO_LATE'
WHERE line.prescription IN (SELECT id FROM prescription WHERE uuid = ? AND ? IN ('', tenant)) AND line.state = 'READY'
    AND NOT EXISTS (SELECT 1 FROM ruling WHERE ruling.outbox = outbox.id)
"""
_RULE = "INSERT INTO ruling (outbox, ruled, at, operator, reason) VALUES (?, ?, ?, ?, ?)"
_OF_OUTBOX = """
SELECT allocation.line FROM outbox JOIN allocation ON allocation.message = outbox.message_id
WHERE outbox.id = ? AND allocation.ended_at IS NULL ORDER BY allocation.line
"""
_OLD_LINES = "SELECT line FROM wait WHERE outbox = ? AND line IS NOT NULL"
_DONE = "UPDATE outbox SET state = 'done' WHERE id = ? AND state = 'due'"

_NOTHING: Final = ("no line of this prescription waits for that: look again",)
_UNCANCELLED: Final = ("its cancel waits for the provider's word, which alone can end it",)
_OF_SCREENING: Final = frozenset({"line-awaiting-screening", "overdue"})
_OF_ANSWER: Final = frozenset({"line-queried", "overdue"})
_RING: Final = "The provider's question was answered here, and the provider does not know it yet."
_OF_RULING: Final = frozenset({"cancel-too-late", "cancel-last-delivered", AWAITS_RULING})


def screened(ask: Ask, prescription: UUID, tenant: OdsCode | None = None) -> Screened | None:
    """Give what waits for screening under a prescription's id, of one trust or of any; None where nothing does."""
    orders: dict[int, list[tuple[Any, ...]]] = {}
    for key, *line in ask(_SCREENING, (prescription.bytes, str(tenant or ""))):
        orders.setdefault(key, []).append(tuple(line))
    for key, lines in orders.items():
        waiting = [line for line in lines if line[1] == LineState.AWAITING_SCREENING]
        if waiting:
            provider = waiting[0][2]
            return Screened(
                key=key,
                destination=OdsCode(provider) if provider else None,
                waiting=tuple(UUID(bytes=line[0]) for line in waiting),
                whole=len(waiting) == len(lines),
            )
    return None


def pass_screening(transaction: Transaction, act: Act, message: SealedMessage | None) -> tuple[str, ...]:
    """Let the lines of a screened order go: by the message sealed for them, or by a new one where some were cancelled.

    Args:
        transaction: the act's own.
        act: whose, and why.
        message: written anew for the lines that wait; None where the one that is stored speaks of just these.

    Returns:
        Why nothing was done, in words; empty when it was.
    """
    found = screened(transaction.rows, act.prescription_id, act.tenant)
    if found is None:
        return _NOTHING
    chosen = message or (_stored_message(transaction, found) if found.whole else None)
    if chosen is None or set(chosen.line_ids) != set(found.waiting):
        return ("a line of it was cancelled since the message was written: look again",)
    if chosen.not_valid_after < act.now:
        return ("the prescription is no longer valid: a new one is needed",)
    lines = [line for line in _order_lines(transaction, found.key) if line.id in found.waiting]
    for line in lines:
        _move(transaction, line, act, LineEvent.CLEAR, _OF_SCREENING, words="screened: passed")
    if message is not None:
        store_message(transaction, message, found.key, now=act.now)
    give(transaction, chosen, found.key, [line.row for line in lines], now=act.now)
    outbox = deliver(transaction, chosen, OdsCode(transaction.rows(_TENANT, (found.key,))[0][0]), now=act.now)
    for line in lines:
        for (old,) in transaction.rows(_REPLACES, (line.id.bytes,)):
            transaction.run(_WAIT, (outbox, old))
            ask_for_ruling(transaction, old, now=act.now)
    return ()


def fail_screening(transaction: Transaction, act: Act) -> int:
    """Hold the lines of an order that did not pass; the trust corrects or cancels it. Gives how many moved."""
    return _every(transaction, act, LineEvent.SCREENING_FAILED, _OF_SCREENING, "screened: not passed")


def close_lines(transaction: Transaction, act: Act) -> tuple[str, ...]:
    """Close lines that were rejected, returned or never sent: the patient's supply is accounted for otherwise.

    A line whose cancel waits for its provider's word stays: they have spoken of it as if they had it (DECISIONS 0085),
    and neither the cancel nor the change that waits behind it could end any more.

    Returns:
        Why no line was closed, in words; empty when one was.
    """
    meant = [line for line in _chosen(transaction, act) if _fits(line, LineEvent.CLOSE)]
    free = [line for line in meant if not under_way(transaction, line.row)]
    moved = [_move(transaction, line, act, LineEvent.CLOSE, OF_STATES, words="closed") for line in free]
    if any(moved):
        return ()
    return _UNCANCELLED if meant else _NOTHING


def answer_query(transaction: Transaction, act: Act, *, told: bool) -> int:
    """Return queried lines to where they stood: the answer changed nothing clinical. Gives how many moved.

    Args:
        transaction: the act's own.
        act: whose, and the answer in words.
        told: the person has given the answer to the provider. Otherwise the provider knows nothing of it, for no
            message of the dialect carries one, and an alert stays open until a person has rung.
    """
    words = "answered, and the provider told," if told else "answered; the provider is not told yet;"
    moved = [line for line in _chosen(transaction, act) if _fits(line, LineEvent.ANSWERED)]
    for line in moved:
        _move(transaction, line, act, LineEvent.ANSWERED, _OF_ANSWER, words=words)
        if not told:
            subject = str(line.id)
            open_alert(transaction, kind="answer-not-told", subject=subject, line=line.row, at=act.now, text=_RING)
    return len(moved)


def rule(transaction: Transaction, act: Act, ruling: Ruling) -> tuple[str, ...]:
    """Send or drop a changed order that waits for a cancel which came too late.

    Returns:
        Why nothing was done, in words; empty when it was.
    """
    rows = [row for (row,) in transaction.rows(_WAITING, act.whose)]
    for outbox in rows:
        transaction.run(_RULE, (outbox, ruling.value, stored(act.now), act.by, act.reason))
        lines = [line_now(transaction, row) for (row,) in transaction.rows(_OF_OUTBOX, (outbox,))]
        if ruling is Ruling.DROP:
            never_left(transaction, lines, goes=False, now=act.now)
        for line in [line_now(transaction, line.row) for line in lines] if ruling is Ruling.DROP else ():
            _move(transaction, line, act, LineEvent.CANCEL, frozenset(), words="dropped: the old order was supplied")
        if ruling is Ruling.DROP:
            transaction.run(_DONE, (outbox,))
        ruled = [line.row for line in lines] + [old for (old,) in transaction.rows(_OLD_LINES, (outbox,))]
        for row in ruled:
            close_alerts_of(transaction, row, kinds=_OF_RULING, by=act.by, reason=act.reason, now=act.now)
        _leaf(transaction, act, f"ruled-{ruling}", outbox=outbox)
    return () if rows else _NOTHING


def _every(transaction: Transaction, act: Act, event: LineEvent, alerts: frozenset[str], words: str) -> int:
    return sum(_move(transaction, line, act, event, alerts, words=words) for line in _chosen(transaction, act))


def _chosen(transaction: Transaction, act: Act) -> list[LineNow]:
    """Give the lines that an act may mean."""
    rows = transaction.rows(_LINES_UNDER, act.whose)
    lines = [line_now(transaction, row) for (row,) in rows]
    return [line for line in lines if act.line_id in {None, line.id}]


def _move(
    transaction: Transaction, line: LineNow, act: Act, event: LineEvent, alerts: frozenset[str], *, words: str
) -> bool:
    """Move one line if the lifecycle lets a pharmacist move it so; a line it does not fit is left alone."""
    if not _fits(line, event):
        return False
    happening = Happening(
        event=event, actor=Actor.TRUST_PHARMACIST, at=act.now, text=f"{words} by {act.by}", reason=act.reason
    )
    kept = record_event(transaction, line, happening)
    if not isinstance(kept.result, Moved):
        return False
    close_alerts_of(transaction, line.row, kinds=alerts, by=act.by, reason=act.reason, now=act.now)
    tell_news(transaction, line.row, kept.seq, now=act.now)
    _leaf(transaction, act, event.value, line=str(line.id))
    return True


def _fits(line: LineNow, event: LineEvent) -> bool:
    """Tell whether the act means this line at all, so that the others' histories stay free of it."""
    return isinstance(transition(line.state, event, Actor.TRUST_PHARMACIST, before=line.before), Moved)


def _order_lines(transaction: Transaction, key: int) -> list[LineNow]:
    return [line_now(transaction, row) for (row,) in transaction.rows(_LINES, (key,))]


def _stored_message(transaction: Transaction, found: Screened) -> SealedMessage | None:
    row = transaction.row(_MESSAGE, (found.key,))
    if row is None:
        return None
    return SealedMessage(
        id=UUID(bytes=row[0]),
        event=MessageEvent.ORDER,
        destination=OdsCode(row[1]),
        line_ids=found.waiting,
        epoch=row[2],
        not_valid_after=instant(row[3]),
        body=row[4],
        key_id=row[5],
        rendered=row[6],
        rendered_type=row[7] if row[6] is not None else "",
    )


def _leaf(transaction: Transaction, act: Act, what: str, **facts: str | int) -> None:
    digest = reason_digest(act.reason)
    append_leaf(transaction, "act", at=act.now, act=what, by=act.by, reason_digest=digest, **facts)
