"""What one line's history adds to the figures of the service.

`figures_of` says it, of a whole history, and is the definition. Counting is keeping the sum of it over all lines: when
events were added to a history, what it added before is taken away and what it adds now put in its place.

An item is one line with one provider: a line that goes to another provider is counted under each, by its own clock.
The clock runs from the first byte to the provider's first word of acceptance; a transmission that was proven not to
have arrived did not begin it. Days are days in London.

Source: domain.md 2.2, K2 and its rules 3 to 5; console.md 6.6.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from itertools import groupby
from operator import attrgetter
from types import MappingProxyType
from typing import Final

from gateway.domain.books import london_day
from gateway.domain.deadline import Urgency
from gateway.domain.lifecycle import TERMINAL, Actor, LineEvent, LineState
from gateway.domain.spread import rounded_up

DEFINITION: Final = "1.0"
"""Raised when a definition below changes; figures of two versions are not compared."""
LIMITS: Final[Mapping[Urgency, timedelta]] = MappingProxyType(
    {Urgency.ROUTINE: timedelta(hours=24), Urgency.URGENT: timedelta(hours=2)}
)
"""Within which a provider is to accept an item, by its class."""
EVERYBODY: Final = ""
"""In place of a trust: the sums over all of them."""


class Measure(StrEnum):
    """What is counted. The first three by the day a line came, the others by the day an item was sent or answered."""

    TAKEN = "taken"
    """Lines that the gateway took."""
    GIVEN = "given"
    """Of them, those that were sent to a provider, ever."""
    ENDED_UNSENT = "ended-unsent"
    """Of them, those that ended without having been sent."""
    REFUSED = "refused"
    """Orders that the sender was told to change; by the day they came."""
    UNREADABLE = "unreadable"
    """Messages kept apart, in which nobody knows how many orders were; by the day they came."""
    SENT = "sent"
    ACCEPTED = "accepted"
    """By the day it was sent; with how long it took."""
    REJECTED = "rejected"
    """By the day it was sent: the provider said no before it said yes."""
    CANCELLED = "cancelled"
    REPLACED = "replaced"
    EXPIRED = "expired"
    MOVED = "moved"
    """By the day it was sent: cancelled, replaced, expired, given to another provider before it was accepted."""
    ANSWERED = "answered"
    """By the day of the provider's first decision on it, of whatever kind; with how long that took."""
    REASON = "reason"
    """By the day of a rejection: `reason:`, the event, and the provider's code for it."""
    ATTEMPT = "attempt"
    """By the day of a transmission: `attempt:` and what came of it; with the hour of the day."""
    SAID = "said"
    """By the day of a provider's message to us; with the hour of the day."""


class Outcome(StrEnum):
    """Where an item stands that is not simply accepted in time; each opens as a list."""

    TO_SEND = "to-send"
    WAITING = "waiting"
    NOT_KNOWN = "not-known"
    """Nobody knows whether it arrived."""
    LATE = "late"
    REJECTED = "rejected"
    CANCELLED = "cancelled"
    REPLACED = "replaced"
    EXPIRED = "expired"
    MOVED = "moved"


EXCLUDED: Final[Mapping[Measure, str]] = MappingProxyType(
    {
        Measure.CANCELLED: "cancelled before it was accepted",
        Measure.REPLACED: "replaced before it was accepted",
        Measure.EXPIRED: "expired before it was accepted",
        Measure.MOVED: "given to another provider before it was accepted",
    }
)
"""What is left out of the adjusted share, and why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One event of a line's history."""

    at: datetime
    event: str
    after: LineState
    moved: bool
    actor: str
    provider: str
    epoch: int
    reason_code: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """What happened to a line, oldest first."""

    tenant: str
    urgency: Urgency
    steps: Sequence[Step]


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Key:
    """What a count is of.

    Attributes:
        tenant: ODS code of the trust; `EVERYBODY` for the sum over all.
        provider: ODS code; empty where there is none yet.
        measure: one of `Measure`, with its code where it has one.
    """

    tenant: str
    day: date
    provider: str
    measure: str
    urgency: Urgency = Urgency.ROUTINE


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """A line with a provider that can be listed.

    Attributes:
        since: when it was sent; of one that is still to be sent, since when it is.
    """

    tenant: str
    provider: str
    outcome: Outcome
    since: datetime


Counts = Counter[tuple[Key, int]]
"""What is counted, and how long it took in seconds (or 0), to how often."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What one history adds.

    Attributes:
        counts: to the figures of its own trust; those of everybody are the sums of them.
        items: by epoch.
    """

    counts: Counts
    items: Mapping[int, Item]


_S, _E = LineState, LineEvent
_TAKEN_ON: Final = frozenset({_S.ACCEPTED, _S.VALIDATED, _S.IN_SUPPLY, _S.PART_SUPPLIED, _S.FULFILLED})
_SAYS_YES: Final = frozenset({_E.ACCEPTED.value, _E.VALIDATED.value})
_SAYS_NO: Final = frozenset({_S.REJECTED, _S.RETURNED})
_ENDS: Final = {
    _S.CANCELLED: Measure.CANCELLED,
    _S.SUPERSEDED: Measure.REPLACED,
    _S.EXPIRED: Measure.EXPIRED,
    _S.CLOSED: Measure.CANCELLED,
    _S.REFUSED: Measure.CANCELLED,
}
_MOVES: Final = frozenset({_E.REROUTE.value, _E.REVOKED_FOR_REROUTE.value})
_NEVER_ARRIVED: Final = frozenset({_E.NOT_STORED.value, _E.NEVER_HAD_IT.value})
_NOT_A_DECISION: Final = frozenset({_E.ARRIVED.value, _E.NOT_STORED.value})
_PROVIDER: Final = frozenset({Actor.PROVIDER_SYSTEM.value, Actor.PROVIDER_PHARMACIST.value})


@dataclass(slots=True)
class _With:
    """A line with one provider, as its steps are gone through."""

    sent: datetime | None = None
    ready: datetime | None = None
    provider: str = ""
    ended: Measure | None = None
    ended_at: datetime | None = None
    answered_at: datetime | None = None
    refusal: str = ""
    state: LineState | None = None

    def take(self, step: Step) -> None:
        """Go one step on."""
        self.provider = step.provider or self.provider
        if not step.moved:
            return
        self.state = step.after
        self.ready = step.at if step.after is _S.READY and step.event not in _MOVES else None
        if step.event == _E.ON_WIRE and self.sent is None:
            self.sent = step.at
        elif step.event in _NEVER_ARRIVED and step.after is _S.READY and self.ended is None:
            self.sent = None
        if self.sent is None:
            return
        if self.answered_at is None and step.actor in _PROVIDER and step.event not in _NOT_A_DECISION:
            self.answered_at = step.at
        if self.ended is None and (measure := _ending(step)) is not None:
            self.ended, self.ended_at = measure, step.at
            self.refusal = f"{step.event}:{step.reason_code}"


def _ending(step: Step) -> Measure | None:
    """Tell how a step ends the wait for acceptance, if it does."""
    if step.event in _SAYS_YES or step.after in _TAKEN_ON:
        return Measure.ACCEPTED
    if step.after in _SAYS_NO:
        return Measure.REJECTED
    return Measure.MOVED if step.event in _MOVES else _ENDS.get(step.after)


def figures_of(history: History) -> Figures:
    """Give what a line's history adds to the figures."""
    counts: Counts = Counter()
    items: dict[int, Item] = {}
    if not history.steps:
        return Figures(counts=counts, items=items)
    given = False
    for epoch, steps in groupby(sorted(history.steps, key=attrgetter("epoch")), key=attrgetter("epoch")):
        one = _With()
        for step in steps:
            one.take(step)
        given |= one.sent is not None
        _count(counts, history, one)
        item = _item(history, one)
        if item is not None:
            items[epoch] = item
    first, last = history.steps[0], [step for step in history.steps if step.moved][-1:]
    _add(counts, history, first.at, "", Measure.TAKEN)
    if given:
        _add(counts, history, first.at, "", Measure.GIVEN)
    elif last and last[0].after in TERMINAL:
        _add(counts, history, first.at, "", Measure.ENDED_UNSENT)
    return Figures(counts=counts, items=items)


def change(before: Figures, after: Figures) -> tuple[Counts, Mapping[int, Item | None]]:
    """Give what is to be added to the sums when a history grew, and which items changed; None for one that went."""
    counts: Counts = Counter(after.counts)
    counts.subtract(before.counts)
    changed = {
        epoch: after.items.get(epoch)
        for epoch in before.items.keys() | after.items.keys()
        if before.items.get(epoch) != after.items.get(epoch)
    }
    return Counter({key: count for key, count in counts.items() if count}), changed


def for_everybody(key: Key) -> Key:
    """Give what else a count of one trust counts towards: the same of all of them together."""
    return Key(tenant=EVERYBODY, day=key.day, provider=key.provider, measure=key.measure, urgency=key.urgency)


def _add(counts: Counts, history: History, at: datetime, provider: str, measure: str, *, took: int = 0) -> None:
    key = Key(tenant=history.tenant, day=london_day(at), provider=provider, measure=measure, urgency=history.urgency)
    counts[key, took] += 1


def _count(counts: Counts, history: History, one: _With) -> None:
    if one.sent is None:
        return
    _add(counts, history, one.sent, one.provider, Measure.SENT)
    if one.answered_at is not None:
        took = rounded_up(one.answered_at - one.sent)
        _add(counts, history, one.answered_at, one.provider, Measure.ANSWERED, took=took)
    if one.ended is not None and one.ended_at is not None:
        took = rounded_up(one.ended_at - one.sent) if one.ended is Measure.ACCEPTED else 0
        _add(counts, history, one.sent, one.provider, one.ended, took=took)
        if one.ended is Measure.REJECTED:
            _add(counts, history, one.ended_at, one.provider, f"{Measure.REASON}:{one.refusal}")


def _item(history: History, one: _With) -> Item | None:
    """Give an item as it is listed; one that was accepted in time is not."""
    since = one.sent or one.ready
    outcome = _outcome(history, one)
    if since is None or outcome is None:
        return None
    return Item(tenant=history.tenant, provider=one.provider, outcome=outcome, since=since)


def _outcome(history: History, one: _With) -> Outcome | None:
    if one.sent is None:
        return Outcome.TO_SEND
    if one.ended is None:
        return Outcome.NOT_KNOWN if one.state is _S.UNCERTAIN else Outcome.WAITING
    if one.ended is not Measure.ACCEPTED or one.ended_at is None:
        return Outcome(one.ended.value)
    late = timedelta(seconds=rounded_up(one.ended_at - one.sent)) > LIMITS[history.urgency]
    return Outcome.LATE if late else None
