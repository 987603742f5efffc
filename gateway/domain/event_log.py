"""Tests anybody's history of lines against the lifecycle tables: what each entry may not have done, and why.

A log is a sequence of entries in the order in which they happened. A line begins with `received`, or with an entry that
says in which state the line stood before it, for a party that joins later: a provider first sees a line that was sent.
A cancel, a revocation for a re-route and a hold are followed beside their line, and a delivery or a renewal that an
entry names beside them.

Source: mapping.md 10; reliability-security.md I13.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from gateway.domain.cancel import CANCEL_TABLE, OURS_TO_CONFIRM, CancelEvent, CancelState, provider_event, who_may
from gateway.domain.cancel import move as move_cancel
from gateway.domain.delivery import Delivery, DeliveryEvent, DeliveryState
from gateway.domain.delivery import move as move_delivery
from gateway.domain.hold import ENDED as HOLD_ENDED
from gateway.domain.hold import HoldEvent, HoldKind, HoldState
from gateway.domain.hold import move as move_hold
from gateway.domain.lifecycle import TERMINAL, Actor, LineEvent, LineState
from gateway.domain.renewal import RenewalEvent, RenewalState, renewed
from gateway.domain.transition import Ignored, returns_to, transition

RECEIVED: Final = "received"
"""The entry that begins a line: its bytes are stored."""
_CANCEL: Final = "cancel_"
_HOLDS: Final[dict[str, tuple[HoldKind | None, HoldEvent]]] = {
    LineEvent.HOLD_ASKED: (HoldKind.HOLD, HoldEvent.ASKED_ON_WIRE),
    LineEvent.HOLD_CONFIRMED: (HoldKind.HOLD, HoldEvent.HOLD_CONFIRMED),
    LineEvent.HOLD_REFUSED: (HoldKind.HOLD, HoldEvent.HOLD_REFUSED),
    LineEvent.RELEASE_ASKED: (HoldKind.RELEASE, HoldEvent.ASKED_ON_WIRE),
    LineEvent.RELEASE_CONFIRMED: (HoldKind.RELEASE, HoldEvent.RELEASE_CONFIRMED),
    LineEvent.RELEASE_REFUSED: (HoldKind.RELEASE, HoldEvent.RELEASE_REFUSED),
    LineEvent.HOLD_REPLY_ERROR: (None, HoldEvent.HOLD_REPLY_ERROR),
}
"""What each entry says of which request; the last of whichever is under way."""
_OF_THE_TRUST: Final = frozenset({Actor.PRESCRIBER, Actor.TRUST_PHARMACIST})
_PAUSES: Final = frozenset({LineState.QUERIED, LineState.ON_HOLD})
_REROUTED: Final = frozenset({LineEvent.REROUTE, LineEvent.REVOKED_FOR_REROUTE})


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One entry of a log.

    Attributes:
        number: its place in the log, from 1; what a violation is reported under.
        line: whatever name the party gives the line.
        event: of the machine meant: a name of mapping.md 10.
        actor: who caused it, by the letters of mapping.md 10.1.
        at: when; entries of one line do not go back in time.
        state: where the line (or delivery, or renewal) stood before, where this is the first that is known of it.
        delivery: the issue it speaks of, from 1; None for an event of the line.
        renewal: whether it is an event of the line's renewal.
    """

    number: int
    line: str
    event: str
    actor: str
    at: datetime
    state: str = ""
    delivery: int | None = None
    renewal: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """One entry that the tables do not allow."""

    number: int
    line: str
    text: str


@dataclass(slots=True)
class _Line:
    state: LineState
    before: LineState | None = None
    cancel: CancelState = CancelState.NONE
    revocation: bool = False
    """The cancel under way was asked by the gateway's own people, for a re-route: the line goes on where it is."""
    holds: dict[HoldKind, HoldState] = field(default_factory=dict)
    at: datetime | None = None
    deliveries: dict[int, Delivery] = field(default_factory=dict)
    renewal: RenewalState | None = None


def violations(entries: Iterable[Entry]) -> Iterator[Violation]:
    """Give every entry that the tables do not allow, in order; an entry that is not allowed moves nothing.

    A repeat that says nothing new is allowed: partners send them.
    """
    lines: dict[str, _Line] = {}
    for entry in entries:
        for text in _check(entry, lines):
            yield Violation(number=entry.number, line=entry.line, text=text)


def _check(entry: Entry, lines: dict[str, _Line]) -> Iterator[str]:
    if entry.actor not in set(Actor):
        yield f"{entry.actor!r} is no actor of mapping.md 10.1"
        return
    line = lines.get(entry.line)
    if line is None:
        begun = _begin(entry)
        if isinstance(begun, str):
            yield begun
            return
        line = lines[entry.line] = begun
        if entry.event == RECEIVED:
            line.at = entry.at
            return
    elif entry.event == RECEIVED and entry.delivery is None:
        yield "the line was received before"
        return
    if line.at is not None and entry.at < line.at:
        yield "it is earlier than the entry before it"
    line.at = max(entry.at, line.at or entry.at)
    fault = _machine(entry)(entry, line)
    if fault:
        yield fault


def _begin(entry: Entry) -> _Line | str:
    if entry.event == RECEIVED:
        return _Line(state=LineState.RECEIVED)
    if entry.state not in set(LineState):
        if entry.delivery is not None or entry.renewal:
            return "the line itself is not known yet"
        return "a line begins with 'received', or with the state it stood in"
    return _Line(state=LineState(entry.state))


def _machine(entry: Entry) -> Callable[[Entry, _Line], str]:
    if entry.delivery is not None:
        return _delivery
    if entry.renewal:
        return _renewal
    if entry.event in _HOLDS:
        return _hold
    return _cancel if entry.event.startswith(_CANCEL) else _line


def _line(entry: Entry, line: _Line) -> str:
    if entry.event not in set(LineEvent):
        return f"{entry.event!r} is no event of a line"
    event = LineEvent(entry.event)
    fault = _step(line, event, Actor(entry.actor))
    if not fault:
        _follow(line, event)
    return fault


def _step(line: _Line, event: LineEvent, actor: Actor) -> str:
    result = transition(line.state, event, actor, before=line.before)
    if isinstance(result, Ignored):
        return result.reason if result.alert else ""
    if result.state is not line.state:
        line.before = returns_to(line.state) if result.state in _PAUSES else line.state
        line.state = result.state
    elif line.state is LineState.ON_HOLD and line.before is not None:
        under = transition(line.before, event, actor)  # what the provider goes on to say moves the state beneath
        line.before = line.before if isinstance(under, Ignored) else under.state
    return ""


def _follow(line: _Line, event: LineEvent) -> None:
    """Let a report of the line settle its cancel, as a line that is handed back does."""
    if event in _REROUTED:
        line.cancel, line.revocation = CancelState.NONE, False  # the next holder was asked nothing yet
        line.holds.clear()
    said = provider_event(event)
    arrow = move_cancel(line.cancel, said) if said is not None else None
    if arrow is not None:
        line.cancel = arrow.to
        if arrow.line is not None and line.state not in TERMINAL and not line.revocation:
            _step(line, arrow.line, Actor.GATEWAY)


def _cancel(entry: Entry, line: _Line) -> str:
    event = CancelEvent.ASKED_ON_WIRE if entry.event == LineEvent.CANCEL_ASKED else _cancel_event(entry.event)
    if event is None:
        return f"{entry.event!r} is no event of a cancel"
    stands = line.before if line.state is LineState.ON_HOLD and line.before is not None else line.state
    fault = _may(event, Actor(entry.actor), stands)
    if fault:
        return fault
    if event is CancelEvent.CANCEL_CONFIRMED and entry.actor == Actor.GATEWAY and line.cancel is CancelState.NONE:
        event = CancelEvent.ASKED_BEFORE_WIRE  # ours to confirm: it was given back, or nothing of it had left
    arrow = move_cancel(line.cancel, event)
    if arrow is None:
        known = any(row.event is event and row.to is line.cancel for row in CANCEL_TABLE)
        return "" if known else f"{entry.event} is not expected of a cancel that is {line.cancel}"
    line.cancel = arrow.to
    if event is CancelEvent.ASKED_ON_WIRE:
        line.revocation = entry.actor == Actor.TWO_PEOPLE
    # A line that ended otherwise meanwhile stays as it ended; one that is revoked stays until it is given away.
    if arrow.line is None or line.state in TERMINAL or line.revocation:
        return ""
    moves = LineEvent.CANCEL_CONFIRMED if entry.actor == Actor.GATEWAY else arrow.line
    return _step(line, moves, Actor(entry.actor))


def _may(event: CancelEvent, actor: Actor, state: LineState) -> str:
    """Say why this is not theirs to say; a cancel is confirmed by who has the line, and never because it was sent."""
    if event is CancelEvent.CANCEL_CONFIRMED and actor is Actor.GATEWAY:
        ours = state in OURS_TO_CONFIRM or state in TERMINAL
        return "" if ours else f"cancel_confirmed of a line that is {state} is its provider's to say"
    revokes = event is CancelEvent.ASKED_ON_WIRE and actor is Actor.TWO_PEOPLE
    name = LineEvent.CANCEL_ASKED if event is CancelEvent.ASKED_ON_WIRE else event
    return "" if revokes or actor in who_may(event) else f"{name} may not come from {actor.name}"


def _cancel_event(name: str) -> CancelEvent | None:
    return CancelEvent(name) if name in set(CancelEvent) else None


def _hold(entry: Entry, line: _Line) -> str:
    kind, event = _HOLDS[entry.event]
    asked = [one for one, state in line.holds.items() if state is HoldState.ASKED]
    kind = kind or next(iter(asked), HoldKind.HOLD)
    state = line.holds.get(kind, HoldState.NONE)
    trust = entry.actor in _OF_THE_TRUST
    if event is HoldEvent.ASKED_ON_WIRE or (trust and state is not HoldState.ASKED):
        event = event if event is HoldEvent.ASKED_ON_WIRE else HoldEvent.ASKED_BEFORE_WIRE
        state = HoldState.NONE  # one request after another, each of which ends once
    elif trust and kind is HoldKind.HOLD:
        event = HoldEvent.NEVER_LEFT
    arrow = move_hold(kind, state, event)
    if arrow is None:
        repeats = state in HOLD_ENDED and not asked
        return "" if repeats else f"{entry.event} answers no {kind} that was asked"
    line.holds[kind] = arrow.to
    return _step(line, arrow.line, Actor(entry.actor)) if arrow.line is not None else ""


def _delivery(entry: Entry, line: _Line) -> str:
    if entry.event not in set(DeliveryEvent):
        return f"{entry.event!r} is no event of a delivery"
    issue = entry.delivery or 0
    start = DeliveryState(entry.state) if entry.state in set(DeliveryState) else DeliveryState.PLANNED
    known = line.deliveries.get(issue, Delivery(issue=issue, state=start))
    state = move_delivery(known, DeliveryEvent(entry.event), Actor(entry.actor))
    if state is None:
        return f"{entry.event} by {Actor(entry.actor).name} is not expected of a delivery that is {known.state}"
    line.deliveries[issue] = Delivery(issue=issue, state=state, before=known.state)
    return ""


def _renewal(entry: Entry, line: _Line) -> str:
    if entry.event == "requested":
        line.renewal = RenewalState.REQUESTED
        return ""
    known = line.renewal or RenewalState.REQUESTED
    state = renewed(known, RenewalEvent(entry.event), Actor(entry.actor)) if entry.event in set(RenewalEvent) else None
    if state is None:
        return f"{entry.event} by {Actor(entry.actor).name} is not expected of a renewal that is {known}"
    line.renewal = state
    return ""
