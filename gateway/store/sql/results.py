"""What became of a transmission: the line moves by the lifecycle, the row is done, due again, or stuck for a person.

In doubt stays in doubt. Once an attempt of a message may have arrived, a later attempt that was surely not taken says
nothing about the first, so the lines return to uncertain and never to ready (I12).
"""

from dataclasses import dataclass, replace
from datetime import datetime

from gateway.destination import InDoubt, Refused, Taken, TransmitOutcome, TryLater
from gateway.domain.identifiers import OdsCode
from gateway.domain.lifecycle import Actor, LineEvent, LineState
from gateway.domain.transition import Ignored, Moved
from gateway.ports.callback import Callback
from gateway.ports.work import Claim, WorkKind
from gateway.store.sql import holds
from gateway.store.sql.acknowledge import acknowledge
from gateway.store.sql.alerts import open_alert
from gateway.store.sql.cancels import heard, never_left, tell_undelivered
from gateway.store.sql.claims import (
    Entry,
    claim_of,
    entry,
    finish,
    hold_of,
    is_cancel,
    lines_now,
    lines_of,
    note_attempt,
)
from gateway.store.sql.history import Happening, LineNow, record_event
from gateway.store.sql.idling import held_since
from gateway.store.sql.instants import instant, stored
from gateway.store.sql.tell import tell_news
from gateway.store.sql.transaction import Transaction

_NAMES: dict[type, str] = {Taken: "taken", Refused: "refused", TryLater: "try_later", InDoubt: "in_doubt"}
_AGAIN = """
UPDATE outbox SET state = 'due', due_at = :due_at, lease = NULL, lease_until = NULL, attempts = :attempts,
    possible_duplicate = :duplicate
WHERE id = :id
"""
_LAPSED = "SELECT id FROM outbox WHERE state IN ('claimed', 'on_wire') AND lease_until <= ? ORDER BY id"
_FIRST_DOUBT = "SELECT min(at) FROM attempt WHERE outbox = ? AND outcome = 'in_doubt'"

_NOTHING_ON_WIRE = frozenset({LineState.READY, LineState.HELD, LineState.AWAITING_SCREENING, LineState.UNDELIVERABLE})


def record(
    transaction: Transaction, claim: Claim, outcome: TransmitOutcome, *, now: datetime, retry_at: datetime | None
) -> None:
    """Record an outcome. With an old lease it is kept as evidence and changes nothing."""
    found = entry(transaction, claim.id)
    if found is None:
        return
    ours = found.held_by(claim)
    note_attempt(
        transaction,
        claim,
        _NAMES[type(outcome)],
        now=now,
        reason="" if isinstance(outcome, Taken) else outcome.reason,
        evidence=b"" if isinstance(outcome, TryLater) else outcome.evidence,
        fenced=not ours,
    )
    if ours:
        _Result(transaction, claim, found, now, retry_at).take(outcome)


def recover(transaction: Transaction, *, now: datetime, recognises_repeats: frozenset[OdsCode]) -> int:
    """Take back rows whose lease ran out: those never on the wire are due, the others in doubt."""
    rows = transaction.rows(_LAPSED, (stored(now),))
    for (row,) in rows:
        claim = claim_of(transaction, row)
        found = entry(transaction, row)
        assert found is not None
        if found.state == "claimed":
            _again(transaction, claim, found, due_at=now, attempts=found.attempts)
            continue
        claim = replace(claim, attempt=found.attempts)
        repeatable = found.kind is WorkKind.TELL or claim.destination in recognises_repeats
        record(
            transaction,
            claim,
            InDoubt(reason="the sending process stopped before the result was known"),
            now=now,
            retry_at=now if repeatable else None,
        )
    return len(rows)


def _again(
    transaction: Transaction, claim: Claim, found: Entry, *, due_at: datetime, attempts: int, doubt: bool = False
) -> None:
    values = {"id": claim.id, "due_at": stored(due_at), "attempts": attempts}
    transaction.run(_AGAIN, {**values, "duplicate": doubt or found.possible_duplicate})


@dataclass(frozen=True, slots=True)
class _Result:
    """One outcome under a lease that holds."""

    transaction: Transaction
    claim: Claim
    entry: Entry
    now: datetime
    retry_at: datetime | None

    def take(self, outcome: TransmitOutcome) -> None:
        """Move the lines and settle the row."""
        if self.entry.state == "claimed":
            self._reschedule(outcome, told=True)
        elif self.entry.kind is WorkKind.TELL:
            self._told(outcome)
        elif not is_cancel(self.transaction, self.claim.message_id):
            self._delivered(outcome)
        elif hold_of(self.transaction, self.claim.message_id):
            self._hold_delivered(outcome)
        else:
            self._cancel_delivered(outcome)

    def _delivered(self, outcome: TransmitOutcome) -> None:
        match outcome:
            case Taken():
                self._taken(outcome)
            case Refused():
                self._refused(outcome)
            case TryLater() if not self.entry.possible_duplicate:
                self._not_taken(outcome)
            case TryLater() | InDoubt():
                self._in_doubt(outcome)

    def _cancel_delivered(self, outcome: TransmitOutcome) -> None:
        """A cancel that was taken is asked, no more; one that was not, a person must ask for."""
        if self._asked(outcome):
            return
        words = {Refused: "The provider's system refused the cancel.", TryLater: "The cancel was never taken."}
        text = words.get(type(outcome), "The cancel may not have arrived.")
        tell_undelivered(self.transaction, self.claim.message_id, text, now=self.now)

    def _hold_delivered(self, outcome: TransmitOutcome) -> None:
        """A hold or release that was taken is asked, no more; one that was not, a person must ask for."""
        if self._asked(outcome):
            return
        maybe = isinstance(outcome, InDoubt) or self.entry.possible_duplicate
        holds.undelivered(self.transaction, self.claim.message_id, surely_not=not maybe, now=self.now)

    def _asked(self, outcome: TransmitOutcome) -> bool:
        """Settle a message that asks for a change: tell whether it is asked, or will be again; else it is stuck."""
        if isinstance(outcome, Taken):
            finish(self.transaction, self.claim.id, "done")
            self._acknowledged(outcome)
            return True
        if self.retry_at is not None and not isinstance(outcome, Refused):
            self._reschedule(outcome, doubt=isinstance(outcome, InDoubt))
            return True
        finish(self.transaction, self.claim.id, "stuck")
        return False

    def _lines(self) -> list[LineNow]:
        return [line for line, current in lines_now(self.transaction, self.claim.message_id) if current]

    def _taken(self, outcome: Taken) -> None:
        stray = False
        for line in self._lines():
            stray |= line.state in _NOTHING_ON_WIRE
            self._record(line, LineEvent.ARRIVED, Actor.PROVIDER_SYSTEM, "the provider's system took it")
        finish(self.transaction, self.claim.id, "stuck" if stray else "done")
        self._acknowledged(outcome)

    def _acknowledged(self, outcome: Taken) -> None:
        if outcome.acknowledgement is not None:
            callback = Callback(
                destination=self.claim.destination, received_at=self.now, content_type="", body=outcome.evidence
            )
            answer = outcome.acknowledgement
            acknowledge(self.transaction, callback, answer, answer.issues, answers=self.claim.message_id)

    def _refused(self, outcome: Refused) -> None:
        for line in self._lines():
            happening = Happening(
                event=LineEvent.REFUSED_FORMAT, actor=Actor.PROVIDER_SYSTEM, at=self.now, reason=outcome.reason
            )
            kept = record_event(self.transaction, line, happening)
            if isinstance(kept.result, Moved):
                tell_news(self.transaction, line.row, kept.seq, now=self.now)
                heard(self.transaction, line.row, LineEvent.REFUSED_FORMAT, now=self.now)
            else:
                self._alert(line, kept.result)
        finish(self.transaction, self.claim.id, "done")

    def _not_taken(self, outcome: TryLater) -> None:
        """Proven not taken: ready again, by the deadline the line had when it was first ready and not on hold."""
        taken = self.entry.accepted_at
        since = taken + held_since(self.transaction, self.claim.message_id, taken)
        for line in self._lines():
            act_by = self._sent_by(line, since)
            self._record(line, LineEvent.NOT_STORED, Actor.GATEWAY, outcome.reason, act_by=act_by)
        never_left(self.transaction, self._lines(), goes=self.retry_at is not None, now=self.now)
        if not self._lines():
            # The cancel of every line was waiting; nothing is left to send.
            finish(self.transaction, self.claim.id, "done")
            return
        if holds.never_left(self.transaction, self._lines(), now=self.now):
            # Withheld: due, at once, when the lines are released.
            _again(self.transaction, self.claim, self.entry, due_at=self.now, attempts=self.claim.attempt)
            return
        if self.retry_at is None:
            for line in self._lines():
                self._record(line, LineEvent.RETRIES_SPENT, Actor.GATEWAY, "every attempt was refused")
        self._reschedule(outcome)

    def _in_doubt(self, outcome: TryLater | InDoubt) -> None:
        """It may have arrived. A person is told at once, unless the same bytes may safely be sent again."""
        row = self.transaction.row(_FIRST_DOUBT, (self.claim.id,))
        since = instant(row[0]) if row and row[0] is not None else self.now
        for line in self._lines():
            act_by = self._sent_by(line, since) if self.retry_at is not None else None
            if line.state is LineState.SENT:
                self._record(line, LineEvent.NOTHING_DECISIVE, Actor.GATEWAY, outcome.reason, act_by=act_by)
        if any(line.state is LineState.UNCERTAIN for line in self._lines()):
            self._reschedule(outcome, doubt=True)
        else:
            finish(self.transaction, self.claim.id, "done")

    def _told(self, outcome: TransmitOutcome) -> None:
        if isinstance(outcome, Taken):
            finish(self.transaction, self.claim.id, "done")
        elif isinstance(outcome, Refused):
            self._stuck("The trust's system refused what it was told.")
        else:
            self._reschedule(outcome, told=True, doubt=isinstance(outcome, InDoubt))

    def _reschedule(self, outcome: TransmitOutcome, *, told: bool = False, doubt: bool = False) -> None:
        """Make the row due again, or leave it for a person; `told` where no line's own alert would tell one."""
        if self.retry_at is not None and not isinstance(outcome, Taken | Refused):
            attempts = self.claim.attempt
            _again(self.transaction, self.claim, self.entry, due_at=self.retry_at, attempts=attempts, doubt=doubt)
        elif told:
            self._stuck("It will not be sent again without a person.")
        else:
            finish(self.transaction, self.claim.id, "stuck")

    def _stuck(self, text: str) -> None:
        """Leave the row for a person: one alert of the message, or one for each line that it speaks of."""
        finish(self.transaction, self.claim.id, "stuck")
        kind = "tell-stuck" if self.entry.kind is WorkKind.TELL else "transmission-stuck"
        rows: list[int | None] = [row for row, _ in lines_of(self.transaction, self.claim.message_id)]
        for number, row in enumerate(rows or [None]):
            open_alert(
                self.transaction,
                kind=kind,
                subject=f"{self.claim.message_id}{f' {number + 1}' if number else ''}",
                line=row,
                at=self.now,
                text=text,
                tenant=self.entry.tenant,
            )

    def _sent_by(self, line: LineNow, since: datetime) -> datetime | None:
        """Give the time by which the gateway itself should have sent it."""
        return self.transaction.deadlines.act_by(LineState.READY, line.urgency, since)

    def _record(
        self, line: LineNow, event: LineEvent, actor: Actor, text: str, *, act_by: datetime | None = None
    ) -> None:
        happening = Happening(event=event, actor=actor, at=self.now, text=text, act_by=act_by)
        kept = record_event(self.transaction, line, happening)
        if isinstance(kept.result, Ignored) and line.state in _NOTHING_ON_WIRE:
            self._alert(line, kept.result)

    def _alert(self, line: LineNow, ignored: Ignored) -> None:
        if ignored.alert:
            subject = str(line.id)
            text = f"A transmission's outcome does not fit: {ignored.reason}."
            open_alert(
                self.transaction, kind="answer-unexpected", subject=subject, line=line.row, at=self.now, text=text
            )
