"""Every interleaving of one line, two providers, a cancel, a re-route, crashes and answers that come late or again.

The gateway's moves are decided by the product's own tables: `lifecycle.transition`, `cancel.move`, `fence.decide`. What
stands around them here, which the store does in SQL, is written anew in the fewest words: an answer counts only if it
comes from the holder under the present epoch (I11), and what was put on the wire stays there until it is proven lost.

Providers are honest and no more: each supplies what it has accepted and not given up, at any moment, however late; it
may answer, not answer, or have its answers delivered late, twice and out of order.

Source: reliability-security.md I2, I7, I10, I11, I12 and T7.
"""

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import cache
from typing import Final

from gateway.domain.cancel import GIVEN_BACK, NOTHING_ON_WIRE, CancelEvent, CancelState, move
from gateway.domain.fence import Ground, Holding, Said, Withheld, decide
from gateway.domain.identifiers import OdsCode
from gateway.domain.lifecycle import TERMINAL, Actor, LineEvent, LineState
from gateway.domain.transition import Moved, transition

PROVIDERS: Final = (OdsCode("VNE51"), OdsCode("VN6XW"))
_NOW: Final = datetime(2026, 10, 5, tzinfo=UTC)
_PEOPLE: Final = ("ada", "ben")
E = LineEvent
S = LineState


class Hand(StrEnum):
    """What one provider does with the line under one epoch."""

    EMPTY = "-"
    HAS = "has"
    ACCEPTED = "accepted"
    CLEARED = "accepted, and the gateway is known to know it"
    GAVE_UP = "gave up"
    SUPPLIED = "supplied"


MAY_SUPPLY: Final = frozenset({Hand.HAS, Hand.ACCEPTED, Hand.CLEARED})
Place = tuple[int, int]
"""A provider (0 or 1) and an epoch: one message, and whatever is said of it."""


@dataclass(frozen=True, slots=True)
class World:
    """Everything that matters at one moment.

    Attributes:
        line: the gateway's state of the line.
        epoch: of the present allocation; `holder` is its provider.
        wire: orders on their way; each arrives once, at any time, or never.
        on_wire: an attempt is under way and its outcome is not recorded.
        unproven: something of this epoch was on the wire and is not proven not to have been taken.
        hands: what each provider holds, by provider and epoch.
        answers: everything providers have ever said; each may arrive at any time, any number of times.
        said: what the gateway took from this epoch's answers, as the fence sees it.
        cancel: the trust's cancel; `asks` are cancels and revocations on their way.
        revoke: a re-route waits for the holder to give the line up.
        expired: epochs whose message has expired.
        packs: medicine handed over.
    """

    line: LineState = S.READY
    epoch: int = 1
    holder: int = 0
    wire: frozenset[Place] = frozenset()
    on_wire: bool = False
    unproven: bool = False
    hands: frozenset[tuple[Place, Hand]] = frozenset()
    answers: frozenset[tuple[Place, LineEvent]] = frozenset()
    said: tuple[Said, ...] = ()
    cancel: CancelState = CancelState.NONE
    asks: frozenset[Place] = frozenset()
    revoke: bool = False
    revoked: bool = False
    expired: frozenset[int] = frozenset()
    packs: int = 0

    def hand(self, place: Place) -> Hand:
        """Give what a provider holds under an epoch."""
        return dict(self.hands).get(place, Hand.EMPTY)

    def with_hand(self, place: Place, hand: Hand) -> "World":
        """Change what a provider holds."""
        others = frozenset(one for one in self.hands if one[0] != place)
        return replace(self, hands=others | {(place, hand)})


@cache
def _decided(holding: Holding, to: OdsCode, now: datetime) -> Ground | Withheld:
    return decide(holding, to=to, now=now, people=_PEOPLE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What the two providers promise, and the decisions under test.

    Attributes:
        recognises_repeats: both take the same message once, however often it comes.
        refuses_expired: both supply nothing before the gateway has taken their acceptance, nor from a message that has
            expired.
        epochs: how often the line may be given.
        fence: decides re-routes; a test puts a broken one here.
        binds: tells whether an answer counts; a test puts a broken one here.
    """

    recognises_repeats: bool = False
    refuses_expired: bool = False
    epochs: int = 2
    fence: Callable[[Holding, OdsCode, datetime], Ground | Withheld] = _decided
    binds: Callable[[World, Place], bool] = field(default=lambda world, place: place == (world.holder, world.epoch))


Step = tuple[str, World]


def steps(world: World, rules: Rules) -> Iterator[Step]:
    """Give everything that can happen next."""
    yield from _gateway(world, rules)
    yield from _providers(world, rules)
    yield from _network(world, rules)
    yield from _trust(world)
    yield from _people(world, rules)


def _moved(world: World, event: LineEvent, actor: Actor) -> World | None:
    result = transition(world.line, event, actor)
    return replace(world, line=result.state) if isinstance(result, Moved) else None


def _said(world: World, event: LineEvent, *, moved: bool = True, bound: bool = True) -> World:
    # the fence looks at what was said last; a long tail of the same words adds nothing
    one = Said(event=event, moved=moved, bound=bound)
    return world if world.said[-1:] == (one,) else replace(world, said=(*world.said, one)[-6:])


def _gateway(world: World, rules: Rules) -> Iterator[Step]:
    place = (world.holder, world.epoch)
    if world.line is S.READY and not world.on_wire:
        sent = _moved(world, E.ON_WIRE, Actor.GATEWAY)
        if sent is not None:
            sent = replace(_said(sent, E.ON_WIRE), on_wire=True, unproven=True, wire=world.wire | {place})
            yield "put on the wire", sent
    if world.on_wire:
        hand = world.hand(place)
        if hand is Hand.EMPTY and place in world.wire:
            back = _moved(replace(world, wire=world.wire - {place}), E.NOT_STORED, Actor.PROVIDER_SYSTEM)
            if back is not None:
                yield "told that it was not taken", replace(_said(back, E.NOT_STORED), on_wire=False, unproven=False)
        if hand is not Hand.EMPTY:
            arrived = _moved(world, E.ARRIVED, Actor.PROVIDER_SYSTEM) or world
            yield "told that it arrived", replace(_said(arrived, E.ARRIVED), on_wire=False)
        lost = _moved(world, E.NOTHING_DECISIVE, Actor.GATEWAY) or world
        yield "crash or time-out", replace(lost, on_wire=False)
    if world.line is S.UNCERTAIN and rules.recognises_repeats and not world.on_wire:
        again = _moved(world, E.VERBATIM_RETRY, Actor.GATEWAY)
        if again is not None:
            yield "sent again", replace(_said(again, E.VERBATIM_RETRY), on_wire=True, wire=world.wire | {place})


def _providers(world: World, rules: Rules) -> Iterator[Step]:
    for place, hand in world.hands:
        barred = _barred(world, place, hand, rules)
        if hand is Hand.HAS:
            yield "accepts", _answered(world.with_hand(place, Hand.ACCEPTED), place, E.ACCEPTED)
        if hand is Hand.HAS:
            yield "rejects", _answered(world.with_hand(place, Hand.GAVE_UP), place, E.REJECTED)
        if hand in {Hand.ACCEPTED, Hand.CLEARED}:
            yield "returns", _answered(world.with_hand(place, Hand.GAVE_UP), place, E.RETURNED)
        if hand in MAY_SUPPLY and not barred:
            given = replace(world.with_hand(place, Hand.SUPPLIED), packs=world.packs + 1)
            yield "hands over", _answered(given, place, E.LAST_DELIVERED)


def _barred(world: World, place: Place, hand: Hand, rules: Rules) -> bool:
    """Tell whether a provider may not supply what it holds, by its promise.

    The promise has two halves. Were it only to refuse what has expired, a supply made in time, of which every report is
    still on its way, would be followed by a second one elsewhere.
    """
    return rules.refuses_expired and (place[1] in world.expired or hand is not Hand.CLEARED)


def _answered(world: World, place: Place, event: LineEvent) -> World:
    return replace(world, answers=world.answers | {(place, event)})


def _network(world: World, rules: Rules) -> Iterator[Step]:
    for place in world.wire:
        gone = replace(world, wire=world.wire - {place})
        hand = world.hand(place)
        if hand is Hand.EMPTY:
            yield "an order arrives", gone.with_hand(place, Hand.HAS)
        elif rules.recognises_repeats:
            yield "a repeat arrives", gone
    for place in world.asks:
        hand = world.hand(place)
        gone = replace(world, asks=world.asks - {place})
        if hand in MAY_SUPPLY:
            yield "gives it up", _answered(gone.with_hand(place, Hand.GAVE_UP), place, E.CANCEL_CONFIRMED)
        if hand is Hand.SUPPLIED:
            yield "says too late", _answered(gone, place, E.CANCEL_TOO_LATE)
        if hand is Hand.GAVE_UP:
            yield "has given it up before", _answered(gone, place, E.CANCEL_CONFIRMED)
        if hand is Hand.EMPTY and place not in world.wire:
            yield "does not know it", _answered(gone, place, E.CANCEL_UNKNOWN)
    for place, event in world.answers:
        yield f"{event} of {place} arrives", _taken(world, place, event, rules)


def _taken(world: World, place: Place, event: LineEvent, rules: Rules) -> World:
    """Take an answer as the store does: bound to holder and epoch or kept apart, then by the tables."""
    if not rules.binds(world, place):
        return world
    if event in {E.CANCEL_CONFIRMED, E.CANCEL_TOO_LATE, E.CANCEL_UNKNOWN}:
        return _cancel_answered(world, event)
    result = transition(world.line, event, Actor.PROVIDER_SYSTEM)
    moved = isinstance(result, Moved)
    after = replace(world, line=result.state) if isinstance(result, Moved) else world
    after = after if world.line in TERMINAL else _said(after, event, moved=moved)
    if event is E.ACCEPTED and moved and world.hand(place) is Hand.ACCEPTED:
        after = after.with_hand(place, Hand.CLEARED)
    return _cancel_moved(after, event) if moved else after


def _cancel_answered(world: World, event: LineEvent) -> World:
    if world.revoke and world.cancel is CancelState.NONE:
        return _said(replace(world, revoked=True), event, moved=False) if event is E.CANCEL_CONFIRMED else world
    return _cancel_moved(world, event)


def _cancel_moved(world: World, event: LineEvent) -> World:
    if event.value not in set(CancelEvent):
        return world
    row = move(world.cancel, CancelEvent(event.value))
    if row is None:
        return world
    after = replace(world, cancel=row.to)
    return (_moved(after, row.line, Actor.PROVIDER_SYSTEM) or after) if row.line is not None else after


def _trust(world: World) -> Iterator[Step]:
    if world.cancel is not CancelState.NONE or world.line in TERMINAL or world.line is S.FULFILLED:
        return
    here = world.line in NOTHING_ON_WIRE or world.line in GIVEN_BACK
    row = move(world.cancel, CancelEvent.ASKED_BEFORE_WIRE if here else CancelEvent.ASKED_ON_WIRE)
    if row is None:
        return
    asked = replace(world, cancel=row.to)
    if not here:
        yield "cancel asked", replace(asked, asks=world.asks | {(world.holder, world.epoch)})
        return
    event, actor = (E.CANCEL_CONFIRMED, Actor.GATEWAY) if world.line in GIVEN_BACK else (E.CANCEL, Actor.PRESCRIBER)
    ended = _moved(asked, event, actor)
    if ended is not None:
        yield "cancelled here", ended


def _people(world: World, rules: Rules) -> Iterator[Step]:
    place, other = (world.holder, world.epoch), 1 - world.holder
    if world.epoch not in world.expired:
        yield "the message expires", replace(world, expired=world.expired | {world.epoch})
    if world.line is S.UNCERTAIN and world.hand(place) is Hand.EMPTY and place not in world.wire:
        ready = _moved(world, E.NEVER_HAD_IT, Actor.OPERATOR)
        if ready is not None:
            yield "proven never to have had it", replace(_said(ready, E.NEVER_HAD_IT), unproven=False)
    if world.epoch >= rules.epochs or world.on_wire:
        return
    verdict = rules.fence(_holding(world, rules), PROVIDERS[other], _NOW)
    if isinstance(verdict, Withheld):
        if verdict.ask and not world.revoke:
            yield "asked to give it up", replace(world, revoke=True, asks=world.asks | {place})
        return
    event = E.REROUTE if world.line in {S.READY, S.UNDELIVERABLE, S.REJECTED, S.RETURNED} else E.REVOKED_FOR_REROUTE
    yield (
        f"given to the other: {verdict}",
        replace(
            _moved(world, event, Actor.TWO_PEOPLE) or replace(world, line=S.READY),
            epoch=world.epoch + 1,
            holder=other,
            unproven=False,
            said=(),
            revoke=False,
            revoked=False,
        ),
    )


def _holding(world: World, rules: Rules) -> Holding:
    late = _NOW - timedelta(days=2) if world.epoch in world.expired else _NOW + timedelta(days=180)
    return Holding(
        state=world.line,
        epoch=world.epoch,
        provider=PROVIDERS[world.holder],
        unproven=int(world.unproven),
        said=world.said,
        not_valid_after=late,
        refuses_expired=rules.refuses_expired,
        cancel=world.cancel,
        revoked=world.revoked,
        delivered=int(world.line is S.FULFILLED),
    )


def broken(world: World, rules: Rules) -> str:
    """Name the invariant that does not hold, or nothing."""
    if world.packs > 1:
        return "I2: supplied twice"
    able = [1 for place, hand in world.hands if hand in MAY_SUPPLY and not _barred(world, place, hand, rules)]
    if world.cancel is CancelState.CONFIRMED and world.line is S.CANCELLED and world.packs:
        return "I7: cancelled, confirmed, and supplied"
    if world.cancel is CancelState.CONFIRMED and world.line is S.CANCELLED and able:
        return "I7: cancelled, confirmed, and a provider may still supply it"
    return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Searched:
    """What the search found.

    Attributes:
        worlds: how many different ones were seen.
        deepest: most steps from the beginning.
        whole: every reachable world was seen.
        fault: the invariant that was broken, with the shortest way there; empty if none was.
    """

    worlds: int
    deepest: int
    whole: bool
    fault: str = ""
    way: tuple[str, ...] = ()


def search(rules: Rules, *, most: int = 2_000_000) -> Searched:
    """Look at every world that can be reached, breadth first, until one breaks an invariant."""
    begin = World()
    came: dict[World, tuple[World, str] | None] = {begin: None}
    waiting, deepest = deque([(begin, 0)]), 0
    while waiting and len(came) < most:
        world, depth = waiting.popleft()
        deepest = depth
        for name, after in steps(world, rules):
            if after in came:
                continue
            came[after] = (world, name)
            fault = broken(after, rules)
            if fault:
                return Searched(worlds=len(came), deepest=depth + 1, whole=False, fault=fault, way=_way(came, after))
            waiting.append((after, depth + 1))
    return Searched(worlds=len(came), deepest=deepest, whole=not waiting)


def _way(came: dict[World, tuple[World, str] | None], world: World) -> tuple[str, ...]:
    names: list[str] = []
    before = came[world]
    while before is not None:
        names.append(before[1])
        before = came[before[0]]
    return tuple(reversed(names))
