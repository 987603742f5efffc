"""What a provider's report does to the supplies of its line: the issue it means moves, and what was handed over counts.

The line itself has moved already, or the report's number fits no issue and nothing moves at all.
"""

from dataclasses import replace
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from gateway.domain.acknowledgement import LineReport
from gateway.domain.lifecycle import LineEvent
from gateway.domain.transition import Ignored
from gateway.store.sql import deliveries
from gateway.store.sql.alerts import open_alert
from gateway.store.sql.binding import HANDED_OVER, SUPPLY
from gateway.store.sql.history import Happening, LineNow, note_event
from gateway.store.sql.numbering import Misnumbered
from gateway.store.sql.reckoning import renew
from gateway.store.sql.transaction import Transaction

COUNTS: Final = HANDED_OVER | {LineEvent.BALANCE_SUPPLIED}
"""Reports that complete one supply of the line."""
PLANS: Final = frozenset({LineEvent.SUPPLY_PLANNED, LineEvent.POSTPONED})
"""Reports of a day that was agreed with the patient."""

_COUNT = """
UPDATE line SET delivered = CASE WHEN delivered + :by < 0 THEN 0
    WHEN delivered + :by > total_supplies THEN total_supplies ELSE delivered + :by END
WHERE id = :line
"""
_UNCOUNTS: Final = frozenset({LineEvent.SUPPLY_WITHDRAWN, LineEvent.BALANCE_WITHDRAWN})
_LONDON: Final = ZoneInfo("Europe/London")


def _count(transaction: Transaction, line: LineNow, event: LineEvent) -> None:
    """Count one supply more, or one less, where the report says so."""
    by = 1 if event in COUNTS else -1 if event in _UNCOUNTS else 0
    if by:
        transaction.run(_COUNT, {"by": by, "line": line.row})


def deliver(
    transaction: Transaction,
    line: LineNow,
    event: LineEvent,
    report: LineReport,
    cause: deliveries.Cause,
    *,
    issue: int | None,
) -> None:
    """Move the issue that a report means, and count it; a rest that will not come is the trust's to know at once.

    What no issue can be meant by is not counted: another made it, or none is left.

    Args:
        transaction: the report's own.
        line: as it stood before the report.
        event: what is said of the issue.
        report: as the adapter read it.
        cause: who says so and when, in which event of the line.
        issue: the one that the report names; None where it names none.
    """
    slot = report.supplied_at.astimezone(_LONDON).date() if report.supplied_at else None
    words = "asked for by the patient" if event is LineEvent.POSTPONED else ""
    cause = replace(cause, agreed=slot if event in PLANS else None, text=words)
    found = deliveries.follow(transaction, line.supplies, event, cause, issue=issue)
    if found:
        _count(transaction, line, event)
        if event in COUNTS | _UNCOUNTS:
            renew(transaction, line.row)
    elif event in COUNTS:
        _tell_of_uncounted(transaction, line, at=cause.at)
    if event is LineEvent.BALANCE_WILL_NOT_COME:
        text = "The rest of a part supply will not come. The patient may be without medicine."
        _alert(transaction, line, "balance-will-not-come", text, at=cause.at, subject=f"{line.id} {cause.source}")


def lose_one(transaction: Transaction, line: LineNow, issue: int, happening: Happening) -> None:
    """End one issue that will not be supplied; the line stays with its provider, who has others of it to supply."""
    text = "; ".join(filter(None, (f"issue {issue} alone: the line stays", happening.text)))
    seq = note_event(transaction, line, replace(happening, text=text))
    cause = deliveries.Cause(actor=happening.actor, at=happening.at, source=seq)
    deliveries.follow(transaction, line.supplies, happening.event, cause, issue=issue)
    words = (
        f"Issue {issue} will not be supplied; the others stay with the provider. The patient may be without medicine."
    )
    _alert(transaction, line, "issue-not-supplied", words, at=happening.at, subject=f"{line.id} {issue}")


def set_aside(transaction: Transaction, line: LineNow, number: Misnumbered, happening: Happening) -> Ignored:
    """Keep a report whose number fits no issue it can mean; the line does not move by it either."""
    text = "; ".join(filter(None, (f"nothing moved: {number.ignored.reason}", happening.text)))
    note_event(transaction, line, replace(happening, text=text))
    if number.twice and happening.event in SUPPLY:
        _tell_of_twice(transaction, line, at=happening.at)
    elif number.ignored.alert:
        words = f"An answer does not fit: {number.ignored.reason}."
        _alert(transaction, line, "answer-unexpected", words, at=happening.at)
    return number.ignored


def _tell_of_uncounted(transaction: Transaction, line: LineNow, *, at: datetime) -> None:
    if deliveries.rescued(transaction, line.row):
        _tell_of_twice(transaction, line, at=at)
    else:
        text = "A supply was reported, and none of this line is awaited: it was not counted."
        _alert(transaction, line, "answer-unexpected", text, at=at)


def _tell_of_twice(transaction: Transaction, line: LineNow, *, at: datetime) -> None:
    text = "A supply was reported that another made already: the patient may have it twice."
    _alert(transaction, line, "safety-incident", text, at=at)


def _alert(transaction: Transaction, line: LineNow, kind: str, text: str, *, at: datetime, subject: str = "") -> None:
    open_alert(transaction, kind=kind, subject=subject or str(line.id), line=line.row, at=at, text=text)
