"""The cancel region of a line: where a cancel stands, beside the line's own state, as one table.

A cancel is never confirmed because it was sent (I7). It is *confirmed* when nothing of the line was ever on the wire,
or when the provider that holds it says so; *too late* when the provider says that it was supplied; and *asked* or
*pending* until then, which people read as "not cancelled".

Source: mapping.md 10.3; reliability-security.md I7 and I16.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from gateway.domain.lifecycle import Actor, LineEvent, LineState


class CancelState(StrEnum):
    """Where the cancel of one line stands."""

    NONE = "NONE"
    TOMBSTONE = "TOMBSTONE"
    """For an order that is not known: when it comes, it is cancelled and nothing is sent."""
    ASKED = "ASKED"
    PENDING = "PENDING"
    TOO_LATE = "TOO_LATE"
    CONFIRMED = "CONFIRMED"


class CancelEvent(StrEnum):
    """What can happen to a cancel. The provider's answers keep the names of `LineEvent`."""

    ASKED_BEFORE_WIRE = "asked_before_wire"
    ASKED_ON_WIRE = "asked_on_wire"
    ASKED_UNKNOWN = "asked_unknown"
    ORDER_CAME = "order_came"
    NEVER_LEFT = "never_left"
    """The order turned out not to have been taken, before the cancel was sent."""
    CANCEL_CONFIRMED = "cancel_confirmed"
    CANCEL_TOO_LATE = "cancel_too_late"
    CANCEL_PENDING = "cancel_pending"
    CANCEL_UNKNOWN = "cancel_unknown"
    CANCEL_BY_OTHER = "cancel_by_other"
    CANCEL_REPLY_ERROR = "cancel_reply_error"
    LAST_DELIVERED = "last_delivered"
    RETURNED = "returned"
    NOT_SUPPLIED = "not_supplied"
    """Of the line as a whole; one issue of several that is not supplied gives nothing up."""
    REJECTED = "rejected"
    REFUSED_FORMAT = "refused_format"


S = CancelState
E = CancelEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelRow:
    """One arrow.

    Attributes:
        line: the event that the line's own table takes with it; None where the line does not move.
        alert: what a person is told at once; empty where no one need be.
    """

    states: frozenset[CancelState]
    event: CancelEvent
    to: CancelState
    line: LineEvent | None = None
    alert: str = ""


def _row(
    states: tuple[CancelState, ...],
    event: CancelEvent,
    to: CancelState,
    line: LineEvent | None = None,
    alert: str = "",
) -> CancelRow:
    return CancelRow(states=frozenset(states), event=event, to=to, line=line, alert=alert)


_OPEN = (S.ASKED, S.PENDING)

CANCEL_TABLE: tuple[CancelRow, ...] = (
    _row((S.NONE,), E.ASKED_BEFORE_WIRE, S.CONFIRMED, LineEvent.CANCEL),
    _row((S.NONE,), E.ASKED_ON_WIRE, S.ASKED),
    _row((S.NONE,), E.ASKED_UNKNOWN, S.TOMBSTONE),
    _row((S.TOMBSTONE,), E.ORDER_CAME, S.CONFIRMED, LineEvent.TOMBSTONE_CANCEL),
    _row((S.ASKED,), E.NEVER_LEFT, S.CONFIRMED, LineEvent.CANCEL),
    _row(_OPEN, E.CANCEL_CONFIRMED, S.CONFIRMED, LineEvent.CANCEL_CONFIRMED),
    _row(_OPEN, E.CANCEL_PENDING, S.PENDING, alert="The cancel is pending at the provider: not cancelled."),
    _row(_OPEN, E.CANCEL_TOO_LATE, S.TOO_LATE, alert="Too late to cancel: the provider says that it was supplied."),
    _row(_OPEN, E.LAST_DELIVERED, S.TOO_LATE, alert="Too late to cancel: the last supply was delivered."),
    _row(_OPEN, E.RETURNED, S.CONFIRMED, LineEvent.CANCEL_CONFIRMED),
    _row(_OPEN, E.NOT_SUPPLIED, S.CONFIRMED, LineEvent.CANCEL_CONFIRMED),
    _row(_OPEN, E.REJECTED, S.CONFIRMED, LineEvent.CANCEL_CONFIRMED),
    _row(_OPEN, E.REFUSED_FORMAT, S.CONFIRMED, LineEvent.CANCEL_CONFIRMED),
    _row((S.ASKED,), E.CANCEL_UNKNOWN, S.ASKED, alert="The provider does not know the order that it was sent."),
    _row((S.PENDING,), E.CANCEL_UNKNOWN, S.PENDING, alert="The provider does not know the order that it was sent."),
    _row((S.ASKED,), E.CANCEL_BY_OTHER, S.PENDING, alert="The provider has another's cancel of this line: ask which."),
    _row((S.PENDING,), E.CANCEL_BY_OTHER, S.PENDING),
    _row((S.ASKED,), E.CANCEL_REPLY_ERROR, S.ASKED, alert="The provider could not use the cancel: not cancelled."),
    _row((S.PENDING,), E.CANCEL_REPLY_ERROR, S.PENDING, alert="The provider could not use the cancel: not cancelled."),
)
"""Every arrow. What is not here changes nothing; CONFIRMED and TOO_LATE absorb, so that a supply after a confirmed
cancel stays what it is: an incident of the line."""

_BY_STATE_AND_EVENT = {(state, row.event): row for row in CANCEL_TABLE for state in row.states}

_ASKING = frozenset({E.ASKED_BEFORE_WIRE, E.ASKED_ON_WIRE, E.ASKED_UNKNOWN})
_OURS = frozenset({E.ORDER_CAME, E.NEVER_LEFT})


def who_may(event: CancelEvent) -> frozenset[Actor]:
    """Give who may cause an event of a cancel (mapping.md 10.3)."""
    if event in _ASKING:
        return frozenset({Actor.PRESCRIBER, Actor.TRUST_PHARMACIST})
    return frozenset({Actor.GATEWAY} if event in _OURS else {Actor.PROVIDER_SYSTEM, Actor.PROVIDER_PHARMACIST})


ENDED = frozenset({S.CONFIRMED, S.TOO_LATE})
"""States that absorb."""

NOTHING_ON_WIRE = frozenset({LineState.HELD, LineState.AWAITING_SCREENING, LineState.READY, LineState.UNDELIVERABLE})
"""States of a line in which no byte of it has left; a cancel is then ours to confirm (I7)."""

GIVEN_BACK = frozenset({LineState.REJECTED, LineState.RETURNED})
"""States in which the provider itself has said that it will not supply."""

OURS_TO_CONFIRM = NOTHING_ON_WIRE | GIVEN_BACK
"""States in which nobody has the line, as far as is known here: a cancel of it is confirmed without asking anybody."""

SUPPLIED = frozenset({LineState.FULFILLED})
"""States in which nothing is left to cancel."""


def move(state: CancelState, event: CancelEvent) -> CancelRow | None:
    """Give the arrow that `event` follows from `state`, or None where it changes nothing.

    Source:
        mapping.md 10.3.
    """
    return _BY_STATE_AND_EVENT.get((state, event))


_SAID: Final = {event.value: event for event in CancelEvent}


def provider_event(event: LineEvent) -> CancelEvent | None:
    """Give what a provider's report of a line means for its cancel, if anything."""
    return _SAID.get(event.value)
