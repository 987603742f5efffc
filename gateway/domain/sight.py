"""What a provider may see of one line: what it saw and did while it had the line, and nothing of anybody else's time.

A line is a provider's from when it is given to it, under an epoch, until what ends that: its own answer, a cancel, the
trust's revocation. Of what happened to the line it sees that span, the end included; of other times its own answers
alone, without where the line stood then, for that is another's. Of what ended before anything may have reached it, it
sees nothing. Time is the order of the history, never a clock (I17).

Source: console.md 3 ("lines allocated to that provider only"); reliability-security.md I9 and 8 ("currently or formerly
allocated, minimum fields after re-route").
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from gateway.domain.lifecycle import HAS_HOLDER, Actor, LineEvent, LineState

NOT_YET_GIVEN: Final = frozenset(
    {"", LineState.RECEIVED.value, LineState.HELD.value, LineState.AWAITING_SCREENING.value}
)
"""Where a line stands before anybody has it; it never comes back there."""
MOVES_ON: Final = {
    LineEvent.REROUTE.value: LineState.EXPIRED,
    LineEvent.REVOKED_FOR_REROUTE.value: LineState.RETURNED,
}
"""What makes a line ready for the next provider, and what that is to the earlier one: it gave the line up, or its order
ran out there."""
_KEPT_FROM_IT: Final = frozenset(
    {Actor.TRUST_PHARMACIST.value, Actor.MAP_APPROVERS.value, Actor.OPERATOR.value, Actor.TWO_PEOPLE.value}
)
"""Whose words about a line its provider is not shown: what people wrote down here may name others."""
_OF_A_REPORT: Final = ("stated at ", "supplied at ", "batch ", "expires ")


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """One time in which the provider had the line; `ended_at` is None while it has it."""

    epoch: int
    made_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One event of the line's history, as far as it decides who may see it.

    Attributes:
        said_by: whose answer it is; empty where it is none.
    """

    seq: int
    at: datetime
    epoch: int
    event: str
    before: str
    after: str
    moved: bool
    said_by: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How the line's time with the provider ended."""

    state: LineState
    at: datetime
    seq: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """What a provider may see of a line.

    Attributes:
        within: numbers of the events of its own time.
        beyond: of its own answers at other times, shown without where the line stood.
        epochs: under which it had the line, as far as it may know.
        span: the time in which it has the line, or the last in which it had it.
        ended: None while it has the line.
    """

    within: frozenset[int]
    beyond: frozenset[int]
    epochs: frozenset[int]
    span: Span
    ended: Ended | None

    def shows(self, seq: int) -> bool:
        """Tell whether an event may be seen at all."""
        return seq in self.within or seq in self.beyond

    def after(self, seq: int, after: str) -> str:
        """Give where an event of its own time led, in the provider's terms."""
        return self.ended.state.value if self.ended is not None and self.ended.seq == seq else after


def sight(provider: str, spans: Sequence[Span], history: Sequence[Step]) -> Sight | None:
    """Say what a provider may see of a line that is or was given to it; None where that is nothing.

    Args:
        provider: its ODS code.
        spans: when it had the line.
        history: every event of the line, in order; others than it may see change nothing.
    """
    within: set[int] = set()
    seen: dict[Span, Ended | None] = {}
    for span in sorted(spans, key=lambda one: one.epoch):
        steps = [one for one in history if one.epoch == span.epoch and one.before not in NOT_YET_GIVEN]
        if span.ended_at is None:
            seen[span] = None
        else:
            steps = _until_end(steps)
            if not _may_have_reached(steps):
                continue
            seen[span] = _ended(steps[-1])
        within |= {one.seq for one in steps if one.said_by in {"", provider}}
    if not seen:
        return None
    span, ended = next(reversed(seen.items()))
    beyond = {one.seq for one in history if one.said_by == provider} - within
    epochs = frozenset(one.epoch for one in seen)
    return Sight(within=frozenset(within), beyond=frozenset(beyond), epochs=epochs, span=span, ended=ended)


def words_for(actor: str, words: str, *, said: bool) -> str:
    """Give as much of what stands with an event of its own time as a provider is shown.

    Args:
        actor: who caused the event.
        words: what is kept with it.
        said: it is the provider's own answer.
    """
    return "" if actor in _KEPT_FROM_IT and not said else words


def words_beyond(text: str) -> str:
    """Give what a provider itself said in an answer at another time, without what we said of it."""
    return "; ".join(part for part in text.split("; ") if part.startswith(_OF_A_REPORT))


def _until_end(steps: Sequence[Step]) -> list[Step]:
    """Give a span up to its end, that included; nothing where the history knows of none."""
    end = next((number for number, one in enumerate(steps, start=1) if _ends(one)), 0)
    return list(steps[:end])


def _ends(one: Step) -> bool:
    return one.moved and (one.event in MOVES_ON or LineState(one.after) not in HAS_HOLDER)


def _may_have_reached(steps: Sequence[Step]) -> bool:
    """Tell whether anything may have reached the provider: it left, and was not proven to have got nowhere."""
    left = any(one.moved and one.event == LineEvent.ON_WIRE.value for one in steps)
    return left and steps[-1].before != LineState.READY.value


def _ended(last: Step) -> Ended:
    return Ended(state=MOVES_ON.get(last.event, LineState(last.after)), at=last.at, seq=last.seq)
