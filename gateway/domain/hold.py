"""The hold region of a line: where each request to put it on hold, or to release it, stands, as one table.

A hold is never confirmed because it was sent. It is *confirmed* when nothing of the line has left, or when the provider
that has it says so; until then it is *asked*, which people read as "not on hold". A release is the same the other way
round: until it is confirmed the line stays on hold. A line may be held and released any number of times, so the region
is one request after another, each of which ends once.

Source: mapping.md 4.1, 10.2 (READY: hold asked; WITH_PROVIDER to PART_SUPPLIED: hold asked and provider confirms;
ON_HOLD: release), and the shape of 10.3.
"""

from dataclasses import dataclass
from enum import StrEnum

from gateway.domain.lifecycle import Actor, LineEvent, LineState


class HoldKind(StrEnum):
    """What is asked for."""

    HOLD = "hold"
    RELEASE = "release"


class HoldState(StrEnum):
    """Where one request stands."""

    NONE = "NONE"
    ASKED = "ASKED"
    CONFIRMED = "CONFIRMED"
    REFUSED = "REFUSED"
    """The provider says that it cannot or will not."""
    OVERTAKEN = "OVERTAKEN"
    """The line came to where the request means nothing before an answer came."""


class HoldEvent(StrEnum):
    """What can happen to a request. The provider's answers keep the names of `LineEvent`."""

    ASKED_BEFORE_WIRE = "asked_before_wire"
    ASKED_ON_WIRE = "asked_on_wire"
    NEVER_LEFT = "never_left"
    """The order turned out not to have been taken, before the hold was sent."""
    HOLD_CONFIRMED = "hold_confirmed"
    HOLD_REFUSED = "hold_refused"
    RELEASE_CONFIRMED = "release_confirmed"
    RELEASE_REFUSED = "release_refused"
    HOLD_REPLY_ERROR = "hold_reply_error"
    LINE_ENDED = "line_ended"


S = HoldState
E = HoldEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldRow:
    """One arrow.

    Attributes:
        line: the event that the line's own table takes with it; None where the line does not move.
        alert: what a person is told at once; empty where no one need be.
    """

    kind: HoldKind
    state: HoldState
    event: HoldEvent
    to: HoldState
    line: LineEvent | None = None
    alert: str = ""

    @property
    def states(self) -> frozenset[HoldState]:
        """Where it starts, in the shape the rows of the other tables have."""
        return frozenset({self.state})


def _row(kind: HoldKind, event: HoldEvent, to: HoldState, line: LineEvent | None = None, alert: str = "") -> HoldRow:
    """Give an arrow; a request begins by being asked, and everything else happens to one that was."""
    state = HoldState.NONE if event in _BEGINS else HoldState.ASKED
    return HoldRow(kind=kind, state=state, event=event, to=to, line=line, alert=alert)


_BEGINS = frozenset({HoldEvent.ASKED_BEFORE_WIRE, HoldEvent.ASKED_ON_WIRE})


_HELD, _RELEASED = LineEvent.HOLD_CONFIRMED, LineEvent.RELEASE_CONFIRMED
_H, _R = HoldKind.HOLD, HoldKind.RELEASE

HOLD_TABLE: tuple[HoldRow, ...] = (
    _row(_H, E.ASKED_BEFORE_WIRE, S.CONFIRMED, _HELD),
    _row(_H, E.ASKED_ON_WIRE, S.ASKED),
    _row(_H, E.NEVER_LEFT, S.CONFIRMED, _HELD),
    _row(_H, E.HOLD_CONFIRMED, S.CONFIRMED, _HELD),
    _row(_H, E.HOLD_REFUSED, S.REFUSED, alert="The provider did not put it on hold: NOT on hold."),
    _row(_H, E.HOLD_REPLY_ERROR, S.ASKED, alert="The provider could not use the hold: NOT on hold."),
    _row(_H, E.LINE_ENDED, S.OVERTAKEN),
    _row(_R, E.ASKED_BEFORE_WIRE, S.CONFIRMED, _RELEASED),
    _row(_R, E.ASKED_ON_WIRE, S.ASKED),
    _row(_R, E.RELEASE_CONFIRMED, S.CONFIRMED, _RELEASED),
    _row(_R, E.RELEASE_REFUSED, S.REFUSED, alert="The provider did not release it: it stays on hold."),
    _row(_R, E.HOLD_REPLY_ERROR, S.ASKED, alert="The provider could not use the release: still on hold."),
    _row(_R, E.LINE_ENDED, S.OVERTAKEN),
)
"""Every arrow. What is not here changes nothing; CONFIRMED, REFUSED and OVERTAKEN absorb."""

_BY_KIND_STATE_AND_EVENT = {(row.kind, row.state, row.event): row for row in HOLD_TABLE}

ENDED = frozenset({S.CONFIRMED, S.REFUSED, S.OVERTAKEN})
"""States that absorb."""

ANSWERS = frozenset(
    {
        LineEvent.HOLD_CONFIRMED,
        LineEvent.HOLD_REFUSED,
        LineEvent.RELEASE_CONFIRMED,
        LineEvent.RELEASE_REFUSED,
        LineEvent.HOLD_REPLY_ERROR,
    }
)
"""What a provider may say to a hold or a release. It counts only where it names the message that asked."""

REFUSALS = {HoldKind.HOLD: LineEvent.HOLD_REFUSED, HoldKind.RELEASE: LineEvent.RELEASE_REFUSED}
"""What it is called that a provider will not."""

HOLDABLE = frozenset(
    {
        LineState.READY,
        LineState.SENT,
        LineState.UNCERTAIN,
        LineState.WITH_PROVIDER,
        LineState.ACCEPTED,
        LineState.VALIDATED,
        LineState.QUERIED,
        LineState.IN_SUPPLY,
        LineState.PART_SUPPLIED,
    }
)
"""States in which there is something to hold: it is about to leave, or a provider has it or may have it."""


def who_may(event: HoldEvent) -> frozenset[Actor]:
    """Give who may cause an event of a request."""
    if event in _BEGINS:
        return frozenset({Actor.PRESCRIBER, Actor.TRUST_PHARMACIST})
    ours = event in {HoldEvent.NEVER_LEFT, HoldEvent.LINE_ENDED}
    return frozenset({Actor.GATEWAY} if ours else {Actor.PROVIDER_SYSTEM})


def beneath(state: LineState, before: LineState | None) -> LineState:
    """Give the state under the hold: where a line on hold would return to; otherwise the state itself."""
    return before if state is LineState.ON_HOLD and before is not None else state


def move(kind: HoldKind, state: HoldState, event: HoldEvent) -> HoldRow | None:
    """Give the arrow that `event` follows from `state`, or None where it changes nothing."""
    return _BY_KIND_STATE_AND_EVENT.get((kind, state, event))
