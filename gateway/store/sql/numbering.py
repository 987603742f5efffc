"""Which issue of a line a report means that numbers it.

A provider counts the supplies of the message it was sent. Of a line that changed hands that is what the earlier holder
left over, so that its first may be our third. A number that no supply of the message has, or whose issue cannot be what
the report says, moves nothing: another issue must not pass for it.

Source: mapping.md 10.1 (one delivery an issue), 10.4; DECISIONS 0036.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from gateway.domain.acknowledgement import LineReport
from gateway.domain.delivery import ENDED, Delivery, DeliveryEvent, DeliveryState, may_be_of, reported
from gateway.domain.lifecycle import Actor, LineEvent
from gateway.domain.transition import Ignored
from gateway.store.sql import deliveries
from gateway.store.sql.history import LineNow
from gateway.store.sql.transaction import Transaction

_STEPS: Final = (
    DeliveryState.PLANNED,
    DeliveryState.RELEASED,
    DeliveryState.BOOKED,
    DeliveryState.PREPARING,
    DeliveryState.READY_TO_GO,
    DeliveryState.DISPATCHED,
    DeliveryState.DELIVERED,
)
_REACHES: Final = {
    LineEvent.SUPPLY_PLANNED: DeliveryState.BOOKED,
    LineEvent.POSTPONED: DeliveryState.BOOKED,
    LineEvent.DISPENSING_STARTED: DeliveryState.PREPARING,
    LineEvent.DISPENSED: DeliveryState.READY_TO_GO,
    LineEvent.DISPATCHED: DeliveryState.DISPATCHED,
}
"""Steps on the way, and how far each gets; said of an issue that is further already, they say nothing new."""


@dataclass(frozen=True, slots=True)
class Misnumbered:
    """A report's number fits no issue that it can mean.

    Attributes:
        ignored: why nothing moves, and whether a person is told.
        twice: another made this supply already.
    """

    ignored: Ignored
    twice: bool = False


def named_issue(transaction: Transaction, line: LineNow, report: LineReport) -> int | Misnumbered | None:
    """Give the issue that a report names, as the line's deliveries count them.

    Returns:
        None where it names none, or speaks of no supply.
    """
    said = reported(report.event)
    if said is None or (report.issue is None and report.supplies_left is None):
        return None
    counted = deliveries.of_holder(transaction, line.supplies)
    place = _place(report, len(counted))
    if place is None:
        text = f"{report.event} numbers a supply that its message does not have: it has {len(counted)}"
        return Misnumbered(Ignored(text))
    found = counted[place]
    if found.state is DeliveryState.WITHDRAWN:
        return found.issue  # its line ended, which says by itself what the report means
    return found.issue if may_be_of(found, said, Actor.PROVIDER_SYSTEM) else _stands(found, report.event)


def spares_others(transaction: Transaction, line: LineNow, report: LineReport, issue: int | None) -> bool:
    """Tell whether a word that one issue will not be supplied leaves others of the line with its provider."""
    if report.event is not LineEvent.NOT_SUPPLIED or issue is None:
        return False
    known = deliveries.deliveries(transaction, line.row)
    ends = any(
        one.issue == issue and may_be_of(one, DeliveryEvent.NOT_SUPPLIED, Actor.PROVIDER_SYSTEM) for one in known
    )
    return ends and any(one.issue != issue and one.state not in ENDED | {DeliveryState.DELIVERED} for one in known)


def _place(report: LineReport, count: int) -> int | None:
    """Give the place among the message's supplies, from nought; None where the number, or either of two, is wrong."""
    places: Sequence[int] = [
        *([report.issue - 1] if report.issue is not None else []),
        *([count - 1 - report.supplies_left] if report.supplies_left is not None else []),
    ]
    return places[0] if len(set(places)) == 1 and 0 <= places[0] < count else None


def _stands(found: Delivery, event: LineEvent) -> Misnumbered:
    words = f"issue {found.issue} is {found.state.lower().replace('_', ' ')}{' and owes a rest' if found.owed else ''}"
    reaches = _REACHES.get(event)
    old = reaches is not None and found.state in _STEPS and _STEPS.index(found.state) >= _STEPS.index(reaches)
    old = old or (event is LineEvent.NOT_SUPPLIED and found.state is DeliveryState.NOT_SUPPLIED)
    text = f"{event} says nothing new: {words}" if old else f"{event} is not expected: {words}"
    return Misnumbered(Ignored(text, alert=not old), twice=found.state is DeliveryState.RESCUED)
