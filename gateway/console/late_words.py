"""Why a line has not left, or which stage of its supply is late, in words: what is known, and no more.

Source: console.md 2 (rules 1, 2), 4 (READY: the next attempt), 6.1.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from gateway.console.words import clock_time, day, inert, short_time, when
from gateway.domain.delivery import DeliveryState
from gateway.ports.late import Awaits, Stage, Unsent

D = DeliveryState

_STANDS: Final[Mapping[str, str]] = {
    "stuck": "It is not tried again by itself: a person must act.",
    "done": "It is not tried again by itself: a person must act.",
    "claimed": "It is being sent now.",
    "on_wire": "It is being sent now.",
}
_AWAITS: Final[Mapping[Awaits, str]] = {
    Awaits.RULING: "It waits for a person: the order that it replaces could not be cancelled in time. Nothing of it"
    " leaves until it is decided, under Decide the late change on its page, whether it is sent as well.",
    Awaits.CANCEL: "It waits for the order that it replaces: nothing of it leaves until the cancel of that one is"
    " confirmed.",
}
NOT_QUEUED: Final = "Nothing of it is queued to be sent: a person must look why."


def unsent_words(unsent: Unsent | None, now: datetime) -> str:
    """Say why a line has not left, and when it is tried next.

    Args:
        unsent: what the tables say; None where nothing of it is queued.
        now: the clock.
    """
    if unsent is None:
        return NOT_QUEUED
    return " ".join(part for part in (_tried(unsent, now), _why(unsent, now)) if part)


def _tried(unsent: Unsent, now: datetime) -> str:
    if unsent.tried_at is None:
        return "" if unsent.attempts else "No attempt was made yet."
    times = "once" if unsent.attempts == 1 else f"{unsent.attempts} times"
    said = inert(unsent.said).rstrip(". ")
    return f"Tried {times}, last {when(unsent.tried_at, now)}{f': {said}' if said else ''}."


def _why(unsent: Unsent, now: datetime) -> str:
    if unsent.awaits is not None:
        return _AWAITS[unsent.awaits]
    if unsent.paused_at is not None:
        since = f"{clock_time(unsent.paused_at)}, {when(unsent.paused_at, now)}"
        return f"Nothing is sent to this provider since {since}: {inert(unsent.paused_for).rstrip('. ')}."
    if unsent.state in _STANDS:
        return _STANDS[unsent.state]
    if unsent.withheld:
        return "It is held back: a line of the same message is on hold."
    if unsent.due_at > now:
        return f"Next attempt at {short_time(unsent.due_at)}, {when(unsent.due_at, now)}."
    return (
        f"It has been due since {short_time(unsent.due_at)}, {when(unsent.due_at, now)}, and was not taken up: it waits"
        " its turn, or for an order before it, or no part of the gateway that sends is running."
    )


_STAGES: Final[Mapping[DeliveryState, str]] = {
    D.PLANNED: "No delivery of supply {issue} is known to be booked{day}.",
    D.RELEASED: "Supply {issue} is due, and no delivery of it is known to be booked{day}.",
    D.BOOKED: "The delivery of supply {issue} is booked{day}, and we know of nothing after that.",
    D.PREPARING: "Supply {issue} is being made up since {since}, and is not known to be ready{day}.",
    D.READY_TO_GO: "Supply {issue} is made up since {since}, and is not known to have left{day}.",
    D.DISPATCHED: "Supply {issue} left on {since}, and is not known to have arrived{day}.",
    D.FAILED: "The delivery of supply {issue} failed on {since}, and no new day is known.",
}
_DAYS: Final[Mapping[DeliveryState, str]] = {D.BOOKED: " for {day}"}


def stage_words(stage: Stage | None) -> str:
    """Say which stage of the supply is the last that is known.

    Args:
        stage: the first supply that is still to be made; None where there is none, or where none is planned.
    """
    if stage is None:
        return "We know of no supply that is still to be made, and the line has not ended."
    given = _DAYS.get(stage.state, "; it was planned for {day}").format(day=day(stage.day)) if stage.day else ""
    return _STAGES[stage.state].format(issue=stage.issue, since=short_time(stage.since), day=given)
