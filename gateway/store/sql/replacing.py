"""An answer that takes an earlier answer of the same provider back: a withdrawal, or an amended notification.

What the earlier answer did is read from the history, never from what the later one says of it: only a delivery that was
counted for a line, and was not withdrawn since, can be taken back, and it is the very issue which that delivery was of.
Everything else a person must decide.

Source: mapping.md 9.3 (supply_withdrawn) and 10.4; eps.md 1.7, 1.8, 6.3.
"""

from dataclasses import replace
from typing import Final
from uuid import UUID

from gateway.domain.acknowledgement import Acknowledgement, LineReport
from gateway.domain.identifiers import OdsCode
from gateway.domain.lifecycle import LineEvent
from gateway.store.sql import deliveries
from gateway.store.sql.history import line_now
from gateway.store.sql.transaction import Transaction

_EARLIER = "SELECT id, correlation FROM callback WHERE destination = ? AND answer_id IN (?, ?, ?) ORDER BY id LIMIT 1"
_DID = """
SELECT event.seq, event.line, line.uuid, event.event,
    (SELECT delivery.issue FROM delivery JOIN delivery_event ON delivery_event.delivery = delivery.id
        WHERE delivery.line = event.line AND delivery_event.source = event.seq)
FROM event JOIN line ON line.id = event.line WHERE callback = ? AND moved = 1 ORDER BY event.seq
"""
_WITHDRAWN_SINCE = "SELECT 1 FROM event WHERE line = ? AND seq > ? AND event IN ('supply_withdrawn', 'balance_withdrawn') AND moved = 1"  # noqa: E501 - one statement
_NUMBER = "SELECT prescription.number, prescription.nhs_number FROM message JOIN prescription ON prescription.id = message.prescription WHERE message.id = ?"  # noqa: E501 - one statement

_COUNTED: Final = frozenset({LineEvent.DELIVERED, LineEvent.LAST_DELIVERED, LineEvent.BALANCE_SUPPLIED})
_HARMLESS: Final = frozenset(
    {
        LineEvent.SUPPLY_PLANNED,
        LineEvent.POSTPONED,
        LineEvent.DISPENSING_STARTED,
        LineEvent.DISPENSED,
        LineEvent.DISPATCHED,
    }
)
"""Reports that moved a line forward and counted nothing: there is nothing to take back of them."""
_OF_AN_AMENDMENT: Final = LineReport(
    line_id=None, event=LineEvent.SUPPLY_WITHDRAWN, reason="Replaced by a later notification."
)


def with_withdrawals(transaction: Transaction, destination: OdsCode, answer: Acknowledgement) -> Acknowledgement | str:
    """Give the answer with one withdrawal for each delivery it takes back, before what it reports itself.

    Args:
        transaction: the one it is kept in.
        destination: the provider that answers.
        answer: one with `replaces`; its report of SUPPLY_WITHDRAWN without a line, if it has one, gives the reason.

    Returns:
        The answer, bound to the message of the earlier one; or why a person must decide.
    """
    name = answer.replaces  # a UUID, which senders write in either case
    earlier = transaction.row(_EARLIER, (destination.value, name, name.lower(), name.upper()))
    if earlier is None or earlier[1] is None:
        return "An answer takes back one that this gateway does not have."
    correlation = UUID(bytes=earlier[1])
    if answer.correlation not in {None, correlation}:
        return "An answer takes back one that was given to another message."
    lines = _deliveries(transaction, earlier[0])
    if isinstance(lines, str):
        return lines
    template, own = _parted(answer.reports)
    if not lines and not own:
        return "An answer takes back one that delivered nothing, or was taken back before."
    withdrawals = tuple(replace(template, line_id=line, issue=issue) for line, issue in lines.items())
    return replace(answer, correlation=correlation, reports=(*withdrawals, *own))


def names_another(transaction: Transaction, answer: Acknowledgement) -> bool:
    """Tell whether an answer names a prescription, or a patient, that is not the one of its message."""
    if answer.correlation is None or not (answer.prescription_number or answer.nhs_number):
        return False
    row = transaction.row(_NUMBER, (answer.correlation.bytes,))
    if row is None:
        return False
    number, patient = str(row[0]), str(row[1])
    if answer.nhs_number and patient and answer.nhs_number != patient:
        return True
    return bool(answer.prescription_number) and number.upper() != answer.prescription_number.upper()


def _deliveries(transaction: Transaction, callback: int) -> dict[UUID, int | None] | str:
    """Give the line of each delivery that an answer reported, and which of its message's supplies that was."""
    lines: dict[UUID, int | None] = {}
    for seq, line, uuid, name, issue in transaction.rows(_DID, (callback,)):
        event = LineEvent(name)
        if event in _HARMLESS or event in {LineEvent.SUPPLY_WITHDRAWN, LineEvent.BALANCE_WITHDRAWN}:
            continue
        if event not in _COUNTED:
            return f"An answer takes back a report of {event}; a person must say what was handed over."
        if transaction.row(_WITHDRAWN_SINCE, (line, seq)):
            return "An answer takes back a delivery of a line that has had one taken back since."
        lines[UUID(bytes=uuid)] = _place(transaction, line, issue)
    return lines


def _place(transaction: Transaction, line: int, issue: int | None) -> int | None:
    """Give the number by which the message that the line's holder was sent counts an issue."""
    counted = [one.issue for one in deliveries.of_holder(transaction, line_now(transaction, line).supplies)]
    return counted.index(issue) + 1 if issue in counted else None


def _parted(reports: tuple[LineReport, ...]) -> tuple[LineReport, tuple[LineReport, ...]]:
    """Part the report that says why something is taken back from those of what was done."""
    why = [report for report in reports if _takes_back(report)]
    return (why[0] if why else _OF_AN_AMENDMENT), tuple(report for report in reports if not _takes_back(report))


def _takes_back(report: LineReport) -> bool:
    return report.line_id is None and report.event is LineEvent.SUPPLY_WITHDRAWN
