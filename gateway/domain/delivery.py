"""The lifecycle of one delivery: one issue of one line, from planned to handed over, as one table.

A line says who holds it and what is awaited; its deliveries say what became of each of its N supplies. They move by
the provider's reports and the clock, beside the line and in the same transaction. Where a report skips steps (who says
only *delivered* never said *dispatched*), the skipped steps are implied.

Source: mapping.md 10.4, and 10.2 for part supply; reliability-security.md I2, I13.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from gateway.domain.lifecycle import BEFORE, Actor, LineEvent


class DeliveryState(StrEnum):
    """Where one issue of a line stands."""

    PLANNED = "PLANNED"
    RELEASED = "RELEASED"
    """Its time has come: the provider may agree a slot with the patient."""
    BOOKED = "BOOKED"
    PREPARING = "PREPARING"
    """Being made up; after a part supply, the remainder is."""
    READY_TO_GO = "READY_TO_GO"
    DISPATCHED = "DISPATCHED"
    DELIVERED = "DELIVERED"
    FAILED = "FAILED"
    NOT_SUPPLIED = "NOT_SUPPLIED"
    WITHDRAWN = "WITHDRAWN"
    RESCUED = "RESCUED"
    """The trust or a backup supplied it instead."""


class DeliveryEvent(StrEnum):
    """What can happen to a delivery. The provider's reports keep the names of `LineEvent`."""

    DUE = "due"
    SUPPLY_PLANNED = "supply_planned"
    POSTPONED = "postponed"
    DISPENSING_STARTED = "dispensing_started"
    DISPENSED = "dispensed"
    DISPATCHED = "dispatched"
    DELIVERED = "delivered"
    FAILED = "failed"
    SUPPLY_SHORT = "supply_short"
    BALANCE_SUPPLIED = "balance_supplied"
    BALANCE_WILL_NOT_COME = "balance_will_not_come"
    NOT_SUPPLIED = "not_supplied"
    SUPPLY_WITHDRAWN = "supply_withdrawn"
    BALANCE_WITHDRAWN = "balance_withdrawn"
    LINE_ENDED = "line_ended"
    """The line was cancelled, given back, replaced, re-routed or is no longer valid: what has not left will not."""
    RESCUED = "rescued"


S = DeliveryState
E = DeliveryEvent
A = Actor

ENDED: Final = frozenset({S.NOT_SUPPLIED, S.WITHDRAWN, S.RESCUED})
"""States that no report and no clock moves. DELIVERED joins them when its line is closed, after the correction window.

What was not supplied or was withdrawn may still be supplied by another, and only a person says so.
"""

FINAL: Final = frozenset({S.RESCUED})
"""States that no arrow leaves."""

IN_FLIGHT: Final = frozenset({S.PREPARING, S.READY_TO_GO, S.DISPATCHED})
"""Medicine is being made up or is on its way: the clock ends nothing that is here (mapping.md 10.2)."""

STEPS: Final[dict[str, LineEvent]] = {
    event.value: event
    for event in (
        LineEvent.SUPPLY_PLANNED,
        LineEvent.POSTPONED,
        LineEvent.DISPENSING_STARTED,
        LineEvent.DISPENSED,
        LineEvent.DISPATCHED,
        LineEvent.DELIVERED,
        LineEvent.DELIVERY_FAILED,
        LineEvent.BALANCE_SUPPLIED,
        LineEvent.BALANCE_WILL_NOT_COME,
    )
}
"""What a provider says of a delivery in our own code system, whatever the format: neither EPS nor HL7 has all of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryRow:
    """One arrow: in any of `states`, `event` by any of `actors` leads to `to`, or to the state before.

    Attributes:
        owed: what the arrow does to the mark that a rest is owed; None leaves it.
        note: the condition, in words.
    """

    states: frozenset[DeliveryState]
    event: DeliveryEvent
    to: DeliveryState | str
    actors: frozenset[Actor]
    owed: bool | None = None
    note: str = ""


def _row(
    states: tuple[DeliveryState, ...],
    event: DeliveryEvent,
    to: DeliveryState | str,
    actors: tuple[Actor, ...] = (A.PROVIDER_SYSTEM,),
    note: str = "",
    *,
    owed: bool | None = None,
) -> DeliveryRow:
    return DeliveryRow(states=frozenset(states), event=event, to=to, actors=frozenset(actors), owed=owed, note=note)


_NOT_BEGUN = (S.PLANNED, S.RELEASED, S.BOOKED)
_NOT_LEFT = (*_NOT_BEGUN, S.PREPARING, S.READY_TO_GO)
_PROVIDER = (A.PROVIDER_SYSTEM, A.PROVIDER_PHARMACIST)
_IMPLIED = "what it skips is implied"

DELIVERY_TABLE: tuple[DeliveryRow, ...] = (
    _row((S.PLANNED,), E.DUE, S.RELEASED, (A.CLOCK, A.GATEWAY), "due date reached, line not on hold, still valid"),
    _row((*_NOT_BEGUN, S.FAILED), E.SUPPLY_PLANNED, S.BOOKED, note="slot agreed; the first agreed date is kept"),
    _row(
        (*_NOT_LEFT, S.FAILED), E.POSTPONED, S.BOOKED, note="the patient asked for a later date; the first date is kept"
    ),
    _row((*_NOT_BEGUN, S.FAILED), E.DISPENSING_STARTED, S.PREPARING),
    _row((*_NOT_BEGUN, S.PREPARING, S.FAILED), E.DISPENSED, S.READY_TO_GO, note=_IMPLIED),
    _row((*_NOT_LEFT, S.FAILED), E.DISPATCHED, S.DISPATCHED, note=_IMPLIED),
    _row((*_NOT_LEFT, S.FAILED, S.DISPATCHED), E.DELIVERED, S.DELIVERED, owed=False, note=_IMPLIED),
    _row((*_NOT_LEFT, S.DISPATCHED), E.FAILED, S.FAILED, note="with the cause the provider gives"),
    _row(
        (*_NOT_LEFT, S.FAILED, S.DISPATCHED),
        E.SUPPLY_SHORT,
        S.PREPARING,
        owed=True,
        note="a part was supplied; the remainder is owed",
    ),
    _row((*_NOT_LEFT, S.FAILED, S.DISPATCHED), E.BALANCE_SUPPLIED, S.DELIVERED, owed=False),
    _row((*_NOT_LEFT, S.FAILED), E.BALANCE_WILL_NOT_COME, S.NOT_SUPPLIED, note="alert to the trust"),
    _row((*_NOT_LEFT, S.FAILED), E.NOT_SUPPLIED, S.NOT_SUPPLIED, _PROVIDER),
    _row(
        (*_NOT_LEFT, S.FAILED),
        E.LINE_ENDED,
        S.WITHDRAWN,
        tuple(A),
        "cancelled, given back, replaced, re-routed or no longer valid",
    ),
    _row((S.DELIVERED,), E.SUPPLY_WITHDRAWN, BEFORE, note="the report is taken back within the correction window"),
    _row((S.DELIVERED,), E.BALANCE_WITHDRAWN, BEFORE, owed=True, note="the balance is taken back and owed again"),
    _row(
        (*_NOT_LEFT, S.DISPATCHED, S.FAILED, S.NOT_SUPPLIED, S.WITHDRAWN),
        E.RESCUED,
        S.RESCUED,
        (A.TRUST_PHARMACIST,),
        "linked to what replaced it; a next provider is not asked for it",
    ),
)
"""Every arrow. What is not here cannot happen."""

_BY_STATE_AND_EVENT = {(state, row.event): row for row in DELIVERY_TABLE for state in row.states}

LABELS: Final[dict[DeliveryState, str]] = {
    S.PLANNED: "Planned",
    S.RELEASED: "May be booked",
    S.BOOKED: "Booked with the patient",
    S.PREPARING: "Being prepared",
    S.READY_TO_GO: "Ready to go",
    S.DISPATCHED: "On its way",
    S.DELIVERED: "Delivered",
    S.FAILED: "Delivery failed",
    S.NOT_SUPPLIED: "Not supplied",
    S.WITHDRAWN: "Withdrawn",
    S.RESCUED: "Supplied by another",
}

_NEAREST_THE_DOOR: Final = (
    S.DISPATCHED,
    S.READY_TO_GO,
    S.PREPARING,
    S.FAILED,
    S.BOOKED,
    S.RELEASED,
    S.PLANNED,
    S.DELIVERED,
)
_TAKES_BACK: Final = frozenset({E.SUPPLY_WITHDRAWN, E.BALANCE_WITHDRAWN})
_BALANCE: Final = frozenset({E.BALANCE_SUPPLIED, E.BALANCE_WILL_NOT_COME})


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One issue as it stands.

    Attributes:
        issue: its number, from 1.
        owed: a part was supplied and the rest is awaited.
    """

    issue: int
    state: DeliveryState
    owed: bool = False
    before: DeliveryState | None = None


def move(delivery: Delivery, event: DeliveryEvent, actor: Actor) -> DeliveryState | None:
    """Give the state after `event`, or None where nothing moves.

    Source:
        mapping.md 10.4.
    """
    row = _BY_STATE_AND_EVENT.get((delivery.state, event))
    if row is None or actor not in row.actors:
        return None
    return row.to if isinstance(row.to, DeliveryState) else delivery.before


def owed_after(delivery: Delivery, event: DeliveryEvent) -> bool:
    """Tell whether a rest is owed after an event that moves the delivery."""
    row = _BY_STATE_AND_EVENT[delivery.state, event]
    return delivery.owed if row.owed is None else row.owed


_SAID: Final = {event.value: event for event in DeliveryEvent}


def reported(event: LineEvent) -> DeliveryEvent | None:
    """Give what a provider's report of a line means for one of its deliveries, if anything."""
    said = LineEvent.DELIVERED if event is LineEvent.LAST_DELIVERED else event
    return _SAID.get(said.value)


def may_be_of(delivery: Delivery, event: DeliveryEvent, actor: Actor) -> bool:
    """Tell whether a report can speak of a delivery: it moves it, and only what owes a rest can have one."""
    return move(delivery, event, actor) is not None and (delivery.owed or event not in _BALANCE)


def spoken_of(deliveries: Sequence[Delivery], event: DeliveryEvent, actor: Actor) -> Delivery | None:
    """Choose the issue that a report means which does not number it.

    A balance is of the issue that owes one. Otherwise it is the issue nearest the door among those the event may move,
    the lowest number first; what is taken back is the latest that was delivered.

    Returns:
        The delivery; None where the event fits none of them.
    """
    fitting = [one for one in deliveries if may_be_of(one, event, actor)]
    if event in _TAKES_BACK:
        return max(fitting, key=lambda one: one.issue, default=None)
    return min(fitting, key=lambda one: (_NEAREST_THE_DOOR.index(one.state), one.issue), default=None)


def in_flight(deliveries: Sequence[Delivery]) -> bool:
    """Tell whether medicine of any issue is being made up or is on its way."""
    return any(one.state in IN_FLIGHT for one in deliveries)
