"""The rests of part supplies: which are owed, and what a report says of them beside the other issues of their line.

A line stays supplied in part until no issue of it owes a rest. Meanwhile its other issues go on, where a report says by
number that it speaks of one; a report without a number may be of either, and moves neither.

Source: mapping.md 10.2 (PART_SUPPLIED), 10.4; DECISIONS 0036, 0046.
"""

from dataclasses import replace
from datetime import datetime
from typing import Final

from gateway.domain.acknowledgement import LineReport
from gateway.domain.delivery import ENDED
from gateway.domain.lifecycle import Actor, LineEvent, LineState
from gateway.domain.transition import Ignored
from gateway.store.sql import deliveries
from gateway.store.sql.history import Happening, LineNow, note_event
from gateway.store.sql.instants import instant
from gateway.store.sql.supplying import deliver
from gateway.store.sql.tell import tell_news
from gateway.store.sql.transaction import Transaction

OF_ONE: Final = frozenset(
    {
        LineEvent.SUPPLY_PLANNED,
        LineEvent.POSTPONED,
        LineEvent.DISPENSING_STARTED,
        LineEvent.DISPENSED,
        LineEvent.DISPATCHED,
        LineEvent.DELIVERED,
        LineEvent.DELIVERY_FAILED,
        LineEvent.SUPPLY_SHORT,
    }
)
"""Steps of one issue, whichever that is."""

_ACT_BY = "SELECT act_by FROM line WHERE id = ?"


def owed(transaction: Transaction, line: LineNow, issue: int | None) -> bool:
    """Tell whether a rest of an issue of a line is awaited; of any of its issues where none is named."""
    owing = _owing(transaction, line)
    return issue in owing if issue is not None else bool(owing)


def several(transaction: Transaction, line: LineNow) -> bool:
    """Tell whether a line owes the rests of more than one issue."""
    return len(_owing(transaction, line)) > 1


def completes(transaction: Transaction, line: LineNow, report: LineReport, issue: int | None) -> bool:
    """Tell whether a delivery is the rest of a part supply: it says so, or numbers the issue that owes one."""
    return (
        report.event is LineEvent.DELIVERED and (issue is not None or report.in_full) and owed(transaction, line, issue)
    )


def may_be_of_either(transaction: Transaction, line: LineNow, event: LineEvent, issue: int | None) -> bool:
    """Tell whether a step without a number may be of the rest that a line owes, or as well of its next issue."""
    return event in OF_ONE and issue is None and owed(transaction, line, None)


def keep(transaction: Transaction, line: LineNow, happening: Happening) -> Ignored:
    """Keep a step of which nobody can say whether it is of a rest or of another issue; nothing moves."""
    ignored = Ignored(f"{happening.event} numbers no issue, and a rest is owed: it may be of either")
    text = "; ".join(filter(None, (f"nothing moved: {ignored.reason}", happening.text)))
    note_event(transaction, line, replace(happening, text=text))
    return ignored


def lose(transaction: Transaction, line: LineNow, happening: Happening, report: LineReport, issue: int | None) -> None:
    """Give up the rest of one issue of a line that owes another still: it stays supplied in part."""
    text = "; ".join(filter(None, ("one rest of several: the line stays", happening.text)))
    seq = note_event(transaction, line, replace(happening, text=text))
    cause = deliveries.Cause(actor=Actor.PROVIDER_SYSTEM, at=happening.at, source=seq)
    deliver(transaction, line, happening.event, report, cause, issue=issue)
    tell_news(transaction, line.row, seq, now=happening.at)


def awaited_by(transaction: Transaction, line: LineNow) -> datetime | None:
    """Give the time by which a rest is awaited, which what another issue does puts off for nobody; None for none."""
    if line.state is not LineState.PART_SUPPLIED:
        return None
    row = transaction.row(_ACT_BY, (line.row,))
    return instant(row[0]) if row is not None and row[0] is not None else None


def _owing(transaction: Transaction, line: LineNow) -> list[int]:
    if line.state is not LineState.PART_SUPPLIED:
        return []
    known = deliveries.deliveries(transaction, line.row)
    return [one.issue for one in known if one.owed and one.state not in ENDED]
