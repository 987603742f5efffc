"""To which lines an answer is bound, and what is said of one that is not (I11).

Bound means: the answer names a message we sent, the one who answers is that message's provider, the epoch is the line's
present one, and the lines it speaks of are the message's. An answer that is not bound moves nothing; where it is known
of which lines its sender speaks, their history shows it under the epoch and the name under which it was given.

After a restore a message may be sent a second time under the name and the epoch it had before, to a provider that has
given it up meanwhile and takes it as new. What that provider said before is not said of what it has now (I22).
"""

from dataclasses import dataclass, replace
from typing import Final
from uuid import UUID

from gateway.domain.acknowledgement import Acknowledgement, LineReport
from gateway.domain.hold import REFUSALS, HoldKind
from gateway.domain.identifiers import OdsCode
from gateway.domain.lifecycle import LineEvent
from gateway.store.sql.claims import hold_of, lines_now
from gateway.store.sql.history import LineNow
from gateway.store.sql.instants import instant
from gateway.store.sql.replacing import names_another
from gateway.store.sql.transaction import Transaction

_MESSAGE = "SELECT destination, epoch, event = 'prescription-order-update' FROM message WHERE id = ?"
_FIRST_SENT = """
SELECT min(attempt.at) FROM outbox JOIN attempt ON attempt.outbox = outbox.id AND attempt.outcome = 'on_wire'
WHERE outbox.message_id = ?
"""
_RESTORED_BEFORE = "SELECT 1 FROM restoration WHERE restored_at < ? LIMIT 1"

HANDED_OVER: Final = frozenset({LineEvent.DELIVERED, LineEvent.LAST_DELIVERED})
SUPPLY: Final = HANDED_OVER | {
    LineEvent.DISPENSING_STARTED,
    LineEvent.DISPENSED,
    LineEvent.DISPATCHED,
    LineEvent.SUPPLY_SHORT,
    LineEvent.BALANCE_SUPPLIED,
}
"""Reports by which medicine has left, or is about to."""
_REFUSES: Final = frozenset({LineEvent.REJECTED, LineEvent.REFUSED_FORMAT, LineEvent.NOT_STORED})
_TAKES: Final = frozenset({LineEvent.ARRIVED, LineEvent.ACCEPTED, LineEvent.VALIDATED})
_FREES: Final = _REFUSES | {
    LineEvent.RETURNED,
    LineEvent.NOT_SUPPLIED,
    LineEvent.CANCEL_CONFIRMED,
    LineEvent.CANCEL_UNKNOWN,
}
"""Reports after which the line may be given to another provider, or to nobody."""
_CLAIMS_THE_LINE: Final = SUPPLY | {
    LineEvent.ACCEPTED,
    LineEvent.VALIDATED,
    LineEvent.SUPPLY_PLANNED,
    LineEvent.POSTPONED,
}

Pairs = list[tuple[LineReport, LineNow]]


@dataclass(frozen=True, slots=True)
class Kept:
    """Why an answer changes nothing, and what a person is told.

    Attributes:
        about: what it reports and of which line, as that line stood when its sender held it.
        of_each_line: whether each of those lines has an alert of its own.
        line: the one that the alert is about, where it is not the first of them.
    """

    kind: str
    reason: str
    about: tuple[tuple[LineReport, LineNow], ...] = ()
    of_each_line: bool = False
    line: int | None = None

    @property
    def lines(self) -> tuple[int | None, ...]:
        """The rows of the lines that an alert is opened for; None for an alert of no line."""
        spoken_of = tuple(dict.fromkeys(line.row for _, line in self.about))
        return spoken_of if self.of_each_line else (self.line or next(iter(spoken_of), None),)


def bind(
    transaction: Transaction, destination: OdsCode, answer: Acknowledgement | None, answers: UUID | None
) -> Pairs | Kept:
    """Give each report with the line it speaks of, or why the answer as a whole changes nothing (I11).

    Args:
        transaction: the one it is kept in.
        destination: the provider that answers.
        answer: as the adapter read it; None where it could not.
        answers: the message whose response it was.
    """
    correlation = (answer.correlation or answers) if answer is not None else None
    if answer is None or correlation is None or (answers is not None and correlation != answers):
        return Kept("answer-unbound", "An answer does not name the message it was given to.")
    message = transaction.row(_MESSAGE, (correlation.bytes,))
    found = [line for line, _ in lines_now(transaction, correlation)]
    if message is None or not found:
        return Kept("answer-unbound", "An answer names a message that this gateway did not send.")
    if message[0] != destination.value:
        return Kept("answer-wrong-provider", "A provider answered a message that was sent to another one.")
    if message[2]:
        answer = _as_asked(transaction, correlation, answer)
    held = [replace(line, epoch=message[1], provider=destination.value) for line in found]
    about = tuple(_pairs(answer, held))
    wrong = _contradiction(transaction, answer, found, epoch=message[1])
    if not wrong and answers is None:
        wrong = _of_another_life(transaction, correlation, answer)
    if wrong:
        return Kept("answer-unbound", wrong, about, line=found[0].row)
    return _of_an_earlier_holder(answer, found, about, epoch=message[1]) or _pairs(answer, found)


def _contradiction(transaction: Transaction, answer: Acknowledgement, found: list[LineNow], *, epoch: int) -> str:
    """Say what an answer states that is not its message's, in words; empty where all of it is."""
    if names_another(transaction, answer):
        return "An answer names another prescription than its message."
    if answer.epoch is not None and answer.epoch != epoch:
        return "An answer states another epoch than its message."
    if any(report.line_id not in {None, *(line.id for line in found)} for report in answer.reports):
        return "An answer speaks of a line that its message does not carry."
    return ""


def _of_another_life(transaction: Transaction, message: UUID, answer: Acknowledgement) -> str:
    """Say that an answer was given before its message was sent, as far as this store knows: in what a restore lost.

    A supply is never set apart so: whenever it was made, it was made. Where an answer that frees the line does not say
    when it was given, nobody can tell of which life it is.

    Source:
        reliability-security.md I22.
    """
    if transaction.generation == 1 or any(report.event in SUPPLY for report in answer.reports):
        return ""
    first = transaction.row(_FIRST_SENT, (message.bytes,))
    sent = first[0] if first is not None else None
    if sent is None or transaction.row(_RESTORED_BEFORE, (sent,)) is None:
        return ""
    if answer.at is None:
        frees = any(report.event in _FREES for report in answer.reports)
        return "An answer to what was sent after a restore does not say when it was given." if frees else ""
    if answer.at >= instant(sent):
        return ""
    return "An answer was given before its message was sent, as it was after a restore: it is of an earlier life."


def _of_an_earlier_holder(
    answer: Acknowledgement, found: list[LineNow], about: tuple[tuple[LineReport, LineNow], ...], *, epoch: int
) -> Kept | None:
    """Say what an answer means that speaks of a line which another provider holds by now."""
    late = [(report.event, line.row) for report, line in _pairs(answer, found) if line.epoch != epoch]
    if not late:
        return None
    supplies = [event for event, _ in late if event in SUPPLY]
    claims = [event for event, _ in late if event in _CLAIMS_THE_LINE]
    if not claims:
        text = f"An earlier holder of the line reports: {late[0][0]}."
        return Kept("answer-unbound", text, about, line=late[0][1])
    said = f"a supply ({supplies[0]})" if supplies else str(claims[0])
    text = f"An earlier holder of the line reports {said}: it may be supplied twice. Ring both providers."
    return Kept("safety-incident", text, about, of_each_line=True)


def _pairs(answer: Acknowledgement, lines: list[LineNow]) -> Pairs:
    """Give each report with every line it speaks of."""
    return [(report, line) for report in answer.reports for line in lines if report.line_id in {None, line.id}]


def _as_asked(transaction: Transaction, message: UUID, answer: Acknowledgement) -> Acknowledgement:
    """Read an answer by what it answers: what is said to a cancel or a hold is not said of the order."""
    kind = hold_of(transaction, message)
    if kind is not None:
        return _of_a_hold(answer, kind)
    return _of_a_cancel(answer)


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
