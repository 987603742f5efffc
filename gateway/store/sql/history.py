"""The only place that moves a line: an event is appended, and the line follows it if the lifecycle says so.

Everything else of this package says what happened and by whom; what it does to the line is decided by
`gateway.domain.transition.transition` alone (I13). An event that moves nothing is kept all the same.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from gateway.domain.deadline import Urgency
from gateway.domain.issue_texts import in_words
from gateway.domain.lifecycle import HAS_HOLDER, TERMINAL, Actor, LineEvent, LineState
from gateway.domain.transition import Ignored, Moved, returns_to, transition
from gateway.store.sql import deliveries, reckoning
from gateway.store.sql.alerts import held_for, open_alert
from gateway.store.sql.instants import stored
from gateway.store.sql.leaves import append_leaf
from gateway.store.sql.transaction import Row, Transaction

RECEIVED = "received"
"""Name of the event that begins a line: the commit itself."""

LINE_COLUMNS = """line.id, line.uuid, line.state, line.state_before, line.epoch, line.provider, line.delivered,
    line.total_supplies, line.urgency"""
"""What `line_of` reads."""
_LINE = f"SELECT {LINE_COLUMNS} FROM line WHERE id = ?"  # noqa: S608 - of our own words alone
_EVENT = """
INSERT INTO event (line, at, event, actor, state_before, state_after, moved, provider, epoch, callback,
                   reason_code, reason, amount, unit, text)
VALUES (:line, :at, :event, :actor, :before, :after, :moved, :provider, :epoch, :callback,
        :reason_code, :reason, :amount, :unit, :text)
"""
_MOVE = """
UPDATE line SET state = :state, state_before = :before, holder = :holder, entered_at = :at, act_by = :act_by,
    first_sent_at = CASE WHEN :unsent THEN NULL ELSE coalesce(first_sent_at, :sent) END,
    first_answered_at = coalesce(first_answered_at, :answered),
    first_rejected_at = coalesce(first_rejected_at, :rejected)
WHERE id = :line
"""
_STAY = """
UPDATE line SET state_before = :before, first_answered_at = coalesce(first_answered_at, :answered) WHERE id = :line
"""
_ASKED_FROM = """
SELECT state_before FROM event WHERE line = ? AND event = 'queried' AND moved = 1 ORDER BY seq DESC LIMIT 1
"""
_OVERTAKE_HOLDS = "UPDATE hold SET state = 'OVERTAKEN', ended_at = ? WHERE line = ? AND state = 'ASKED'"
_CALL_OFF_REROUTE = """
UPDATE reroute SET state = 'OFF', ended_at = ? WHERE line = ? AND state IN ('ASKED', 'PENDING', 'CONFIRMED')
"""
_END_ALLOCATION = "UPDATE allocation SET ended_at = ? WHERE line = ? AND ended_at IS NULL"
_WITHHOLD_NO_LONGER = """
UPDATE outbox SET withheld = 0 WHERE kind = 'deliver' AND withheld = 1
    AND message_id IN (SELECT message FROM allocation WHERE line = ?)
    AND NOT EXISTS (SELECT 1 FROM allocation JOIN line ON line.id = allocation.line
        WHERE allocation.message = outbox.message_id AND allocation.ended_at IS NULL AND line.state = 'ON_HOLD')
"""
"""A message is withheld for lines on hold alone, however they leave that state; looked at again it goes, is done with,
or is blocked with an alert."""

_LAST_EVENT = "SELECT max(seq) FROM event WHERE line = ?"

_ISSUES = """
SELECT prescription.issues FROM line JOIN prescription ON prescription.id = line.prescription WHERE line.id = ?
"""

_RETURNS = frozenset({LineState.QUERIED, LineState.ON_HOLD})
_ANSWERS = frozenset({Actor.PROVIDER_SYSTEM, Actor.PROVIDER_PHARMACIST})
_NO_ANSWER = frozenset({LineEvent.ARRIVED, LineEvent.NOT_STORED})
"""What the transport says is not what the provider decided."""
_WAITS_FOR_A_PERSON = frozenset({LineState.AWAITING_SCREENING, LineState.QUERIED})
"""States that stand on the list of what needs attention from their beginning, in the order of what is left."""
_ON_THE_WAY = frozenset({LineState.SENT, LineState.UNCERTAIN})
_NEVER_TAKEN = frozenset({LineEvent.NOT_STORED, LineEvent.NEVER_HAD_IT})
_ENDS_HOLDS = TERMINAL | {LineState.REJECTED, LineState.RETURNED, LineState.UNDELIVERABLE, LineState.FULFILLED}
"""States in which a hold or a release that nobody has answered means nothing any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LineNow:
    """A line as it stands inside the transaction."""

    row: int
    id: UUID
    state: LineState
    before: LineState | None
    epoch: int
    provider: str | None
    delivered: int
    total: int
    urgency: Urgency

    @property
    def supplies(self) -> deliveries.Of:
        """Whose deliveries are meant."""
        return deliveries.Of(line=self.row, id=self.id, epoch=self.epoch, total=self.total)


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """Something that happened to a line, as it was said."""

    event: LineEvent
    actor: Actor
    at: datetime
    text: str = ""
    reason_code: str = ""
    reason: str = ""
    amount: str = ""
    unit: str = ""
    callback: int | None = None
    act_by: datetime | None = None
    """Overrules the state's own limit, where the gateway itself will act again by then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """The event as kept, and what it did."""

    seq: int
    result: Moved | Ignored


def line_now(transaction: Transaction, row: int) -> LineNow:
    """Read a line by its row id."""
    found = transaction.row(_LINE, (row,))
    assert found is not None
    return line_of(found)


def line_of(found: Row) -> LineNow:
    """Give a line from its columns as read in this transaction."""
    return LineNow(
        row=found[0],
        id=UUID(bytes=found[1]),
        state=LineState(found[2]),
        before=LineState(found[3]) if found[3] else None,
        epoch=found[4],
        provider=found[5],
        delivered=found[6],
        total=found[7],
        urgency=Urgency(found[8]),
    )


def begin(transaction: Transaction, line: LineNow, *, at: datetime) -> None:
    """Append the first event of a line that was just inserted."""
    happening = _Words(event=RECEIVED, actor=Actor.GATEWAY, at=at)
    _append(transaction, line, happening, before="", after=line.state, moved=True)


def record_event(transaction: Transaction, line: LineNow, happening: Happening) -> Recorded:
    """Append an event and move the line if the lifecycle has such an arrow.

    An alert opens at once for a state in which a person must be told at once. What to do about an event that moves
    nothing is the caller's: it knows what was to be expected.
    """
    result = transition(line.state, happening.event, happening.actor, before=line.before)
    moved = isinstance(result, Moved)
    after = result.state if isinstance(result, Moved) else line.state
    words = _Words.of(happening, text=happening.text if moved else _why(happening.text, result))
    seq = _append(transaction, line, words, before=line.state, after=after, moved=moved)
    if moved:
        _move(transaction, line, happening, after)
        _accompany(transaction, line, happening, after, seq)
    return Recorded(seq=seq, result=result)


def last_event(transaction: Transaction, line: int) -> int:
    """Give the number of a line's newest event."""
    row = transaction.row(_LAST_EVENT, (line,))
    assert row is not None
    return int(row[0])


def note_event(transaction: Transaction, line: LineNow, happening: Happening) -> int:
    """Append an event that is not the line's own to decide, such as those of its cancel; give its number."""
    words = _Words.of(happening, text=happening.text)
    return _append(transaction, line, words, before=line.state, after=line.state, moved=False)


def _why(text: str, result: Moved | Ignored) -> str:
    reason = result.reason if isinstance(result, Ignored) else ""
    return "; ".join(filter(None, (text, f"nothing moved: {reason}")))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Words:
    """An event in the table's own terms."""

    event: str
    actor: Actor
    at: datetime
    text: str = ""
    reason_code: str = ""
    reason: str = ""
    amount: str = ""
    unit: str = ""
    callback: int | None = None

    @classmethod
    def of(cls, happening: Happening, *, text: str) -> "_Words":
        return cls(
            event=happening.event.value,
            actor=happening.actor,
            at=happening.at,
            text=text,
            reason_code=happening.reason_code,
            reason=happening.reason,
            amount=happening.amount,
            unit=happening.unit,
            callback=happening.callback,
        )


def _append(
    transaction: Transaction, line: LineNow, words: _Words, *, before: str, after: LineState, moved: bool
) -> int:
    seq = transaction.insert(
        _EVENT,
        {
            "line": line.row,
            "at": stored(words.at),
            "event": words.event,
            "actor": words.actor.value,
            "before": str(before),
            "after": after.value,
            "moved": moved,
            "provider": line.provider,
            "epoch": max(line.epoch, 1),
            "callback": words.callback,
            "reason_code": words.reason_code,
            "reason": words.reason,
            "amount": words.amount,
            "unit": words.unit,
            "text": words.text,
        },
    )
    append_leaf(
        transaction,
        "event",
        at=words.at,
        event=words.event,
        event_seq=seq,
        line=str(line.id),
        epoch=line.epoch,
        actor=words.actor.value,
        before=str(before),
        after=after.value,
        **({"callback": words.callback} if words.callback is not None else {}),
    )
    return seq


def _before(transaction: Transaction, line: LineNow, state: LineState) -> str | None:
    """Give the state that a line which is now queried or on hold comes back to."""
    if state not in _RETURNS:
        return None
    if line.state is LineState.ON_HOLD:
        # A question that was open when the line was put on hold is open again: it was asked somewhere.
        row = transaction.row(_ASKED_FROM, (line.row,))
        return returns_to(LineState(row[0])).value if row is not None else None
    return returns_to(line.state).value


def _stay_on_hold(transaction: Transaction, line: LineNow, happening: Happening) -> None:
    """Move the state to return to on, and nothing else: the time on hold counts from when it began."""
    under = transition(line.before, happening.event, happening.actor) if line.before is not None else None
    before = under.state if isinstance(under, Moved) else line.before
    values = {"line": line.row, "before": before.value if before is not None else None}
    answered = happening.event not in _NO_ANSWER
    transaction.run(_STAY, {**values, "answered": stored(happening.at) if answered else None})


def _move(transaction: Transaction, line: LineNow, happening: Happening, state: LineState) -> None:
    if state is LineState.ON_HOLD and line.state is LineState.ON_HOLD:
        _stay_on_hold(transaction, line, happening)
        return
    deadlines = transaction.deadlines
    act_by = deadlines.act_by(state, line.urgency, happening.at)
    at = stored(happening.at)
    transaction.run(
        _MOVE,
        {
            "line": line.row,
            "state": state.value,
            "before": _before(transaction, line, state),
            "holder": deadlines.custody[state].holder.value,
            "at": at,
            "act_by": stored(happening.act_by or act_by) if act_by is not None else None,
            "sent": at if state in _ON_THE_WAY else None,
            # proven not taken: what never arrived was not sent
            "unsent": happening.event in _NEVER_TAKEN and state is LineState.READY,
            "answered": at if happening.actor in _ANSWERS and happening.event not in _NO_ANSWER else None,
            "rejected": at if state is LineState.REJECTED else None,
        },
    )
    if line.state is LineState.ON_HOLD:
        transaction.run(_WITHHOLD_NO_LONGER, (line.row,))
    if state not in HAS_HOLDER:
        transaction.run(_END_ALLOCATION, (at, line.row))
    if state in _ENDS_HOLDS:
        transaction.run(_OVERTAKE_HOLDS, (at, line.row))
    if state in TERMINAL:
        _call_off(transaction, line, happening.at)
    if state in _WAITS_FOR_A_PERSON:
        reckoning.keep(transaction, line.row)
    if act_by == happening.at and happening.act_by is None:
        alert_state(transaction, replace(line, state=state), at=happening.at)


def _call_off(transaction: Transaction, line: LineNow, at: datetime) -> None:
    """End a re-route with its line: what is at its end is asked of nobody, and given to nobody."""
    if transaction.changed(_CALL_OFF_REROUTE, (stored(at), line.row)):
        append_leaf(transaction, "reroute", at=at, line=str(line.id), epoch=line.epoch, state="OFF")


def _accompany(transaction: Transaction, line: LineNow, happening: Happening, state: LineState, seq: int) -> None:
    """Take the deliveries along: planned once a provider has the line, withdrawn when it no longer has."""
    if state in deliveries.PLANS:
        deliveries.plan(transaction, line.supplies, at=happening.at)
    elif state not in HAS_HOLDER or happening.event is LineEvent.REVOKED_FOR_REROUTE:
        cause = deliveries.Cause(actor=happening.actor, at=happening.at, source=seq)
        if deliveries.withdraw(transaction, line.supplies, cause):
            text = "A delivery was on its way when the line ended. Whether it can be stopped is not known."
            kind, subject = "delivery-under-way", str(line.id)
            open_alert(transaction, kind=kind, subject=subject, line=line.row, at=happening.at, text=text)


def alert_state(transaction: Transaction, line: LineNow, *, at: datetime) -> None:
    """Tell a person that a line is where somebody must act at once."""
    kind = f"line-{line.state.lower().replace('_', '-')}"
    holder = transaction.deadlines.custody[line.state].holder
    text = f"The line is {line.state.lower().replace('_', ' ')}; the {holder} must act."
    row = transaction.row(_ISSUES, (line.row,)) if line.state is LineState.HELD else None
    codes = held_for(row[0]) if row else ()
    if codes:
        text += f" Why: {in_words(codes)}"
    open_alert(transaction, kind=kind, subject=str(line.id), line=line.row, at=at, text=text)
