"""What an event does to a line: the only way a line's state changes.

Source: mapping.md 10.2.
"""

from dataclasses import dataclass

from gateway.domain.lifecycle import LINE_TABLE, TERMINAL, Actor, LineEvent, LineState, Row

S = LineState
E = LineEvent

_BY_STATE_AND_EVENT: dict[tuple[LineState, LineEvent], Row] = {
    (state, row.event): row for row in LINE_TABLE for state in row.states
}


@dataclass(frozen=True, slots=True)
class Moved:
    """The event is allowed; the line is now in `state`. `implied` marks evidence that skipped a step."""

    state: LineState
    row: Row


@dataclass(frozen=True, slots=True)
class Ignored:
    """Nothing moves; the event is stored and shown. `alert` says whether a person is told."""

    reason: str
    alert: bool = True


def transition(state: LineState, event: LineEvent, actor: Actor, *, before: LineState | None = None) -> Moved | Ignored:
    """Give the state after `event`, or why nothing moves.

    Args:
        state: where the line stands.
        event: what happened.
        actor: who says so.
        before: the state before QUERIED or ON_HOLD, for the rows that return to it.

    Returns:
        `Moved`, or `Ignored` with a reason. Never raises: what the world reports is not a bug.

    Source:
        mapping.md 10.2; I13.
    """
    row = _BY_STATE_AND_EVENT.get((state, event))
    if row is None:
        if state in TERMINAL:
            return Ignored(f"{state} is final; {event} is kept as an annotation")
        if (state, event) in _REPEATS:
            return Ignored(f"{event} says nothing new in {state}", alert=False)
        return Ignored(f"{event} is not expected in {state}")
    if actor not in row.actors:
        return Ignored(f"{event} may not come from {actor.name}")
    if isinstance(row.to, LineState):
        return Moved(row.to, row)
    return Moved(before, row) if before is not None else Ignored(f"{event} needs the state before {state}")


def returns_to(state: LineState) -> LineState:
    """Give the state that a line comes back to after a question or a hold.

    An answer that came before the transport's own proves the arrival: the line does not go back to *sent*.
    """
    return LineState.WITH_PROVIDER if state in {LineState.SENT, LineState.UNCERTAIN} else state


_REPEATS: frozenset[tuple[LineState, LineEvent]] = frozenset(
    {
        (S.WITH_PROVIDER, E.ARRIVED),
        (S.ACCEPTED, E.ARRIVED),
        (S.ACCEPTED, E.ACCEPTED),
        (S.VALIDATED, E.ARRIVED),
        (S.VALIDATED, E.ACCEPTED),
        (S.VALIDATED, E.VALIDATED),
        (S.IN_SUPPLY, E.ARRIVED),
        (S.IN_SUPPLY, E.ACCEPTED),
        (S.IN_SUPPLY, E.VALIDATED),
        (S.FULFILLED, E.ARRIVED),
        (S.FULFILLED, E.ACCEPTED),
        (S.FULFILLED, E.VALIDATED),
        (S.REJECTED, E.ARRIVED),
        (S.REJECTED, E.REJECTED),
        (S.QUERIED, E.QUERIED),
        (S.QUERIED, E.ARRIVED),
    }
)
"""Provider answers that repeat or trail what is known: kept, but no one is woken for them."""


def resolve_supply(event: LineEvent, *, delivered: int, total: int) -> LineEvent:
    """Tell the last delivery from the others.

    Args:
        event: as the provider reported it.
        delivered: supplies of this line delivered before this report.
        total: supplies ordered, counting the first.

    Returns:
        LAST_DELIVERED for the delivery, or the balance, that completes the line, otherwise `event`.
    """
    completes = event in {LineEvent.DELIVERED, LineEvent.BALANCE_SUPPLIED} and delivered + 1 == total
    return LineEvent.LAST_DELIVERED if completes else event


_NOT_YET_TAKEN = frozenset({S.SENT, S.UNCERTAIN, S.WITH_PROVIDER})


def resolve_return(event: LineEvent, state: LineState) -> LineEvent:
    """Tell a line that is given back after it was accepted from one that never was, which is a rejection.

    A line on hold is returned, whichever of the two words its provider uses.

    Args:
        event: as the provider reported it.
        state: where the line stands.
    """
    if event is LineEvent.REJECTED and state is LineState.ON_HOLD:
        return LineEvent.RETURNED
    return LineEvent.REJECTED if event is LineEvent.RETURNED and state in _NOT_YET_TAKEN else event
