"""One line of anybody's log, followed along the tables: what its next entry may not say, given those before it.

The line, its cancel, a revocation for a re-route, its holds, deliveries and renewal each move by their own table; here
stands what ties them together. Nothing is cancelled, replaced or given to another provider but by the word of whoever
has it, and nothing is supplied of a line that nobody has or that has ended.

Source: mapping.md 10; reliability-security.md I2, I7, I10, I13, I16.
"""

from dataclasses import dataclass, field
from typing import Final

from gateway.domain.cancel import CANCEL_TABLE, OURS_TO_CONFIRM, CancelEvent, CancelState, provider_event, who_may
from gateway.domain.cancel import move as move_cancel
from gateway.domain.delivery import Delivery, DeliveryEvent, DeliveryState
from gateway.domain.delivery import move as move_delivery
from gateway.domain.fence import REVOCABLE, TAKES_ON
from gateway.domain.hold import ENDED as HOLD_ENDED
from gateway.domain.hold import REFUSALS, HoldEvent, HoldKind, HoldState, beneath
from gateway.domain.hold import move as move_hold
from gateway.domain.hold import who_may as who_may_hold
from gateway.domain.lifecycle import LIVE, TERMINAL, Actor, LineEvent, LineState
from gateway.domain.renewal import RenewalEvent, RenewalState, renewed
from gateway.domain.transition import Ignored, returns_to, transition

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
_ASKED: Final = frozenset({CancelState.ASKED, CancelState.PENDING})
_OF_NO_SUPPLY: Final = frozenset(
    {
        DeliveryEvent.FAILED,
        DeliveryEvent.BALANCE_WILL_NOT_COME,
        DeliveryEvent.NOT_SUPPLIED,
        DeliveryEvent.SUPPLY_WITHDRAWN,
        DeliveryEvent.BALANCE_WITHDRAWN,
        DeliveryEvent.LINE_ENDED,
        DeliveryEvent.RESCUED,
    }
)
"""What may be said of a delivery whatever became of its line: that it was not made, or that another made it."""
_LAST: Final = frozenset({DeliveryEvent.DELIVERED, DeliveryEvent.BALANCE_SUPPLIED})
"""What completes a line, and stands after the entry that says that it is complete."""
_NOT_MADE: Final = frozenset({DeliveryState.WITHDRAWN, DeliveryState.NOT_SUPPLIED})
_SUPPLIES: Final = LIVE - {LineState.READY, LineState.ON_HOLD}
"""States in which a provider has the line, or may have it, and may supply."""


@dataclass(slots=True)
class LoggedLine:
    """Where one line of a log stands, and everything beside it.

    Attributes:
        before: the state that a question or a hold returns to.
        asked_in: the state that the last question returns to.
        revocation: where a re-route's request to give the line up stands; the line goes on where it is meanwhile.
        taken_on: its present holder said that it will supply.
    """

    state: LineState
    before: LineState | None = None
    asked_in: LineState | None = None
    cancel: CancelState = CancelState.NONE
    revocation: CancelState = CancelState.NONE
    taken_on: bool = False
    holds: dict[HoldKind, HoldState] = field(default_factory=dict)
    deliveries: dict[int, Delivery] = field(default_factory=dict)
    renewal: RenewalState | None = None

    @property
    def beneath(self) -> LineState:
        """Where it stands under a hold."""
        return beneath(self.state, self.before)

    def happen(self, event: str, actor: Actor) -> str:
        """Let an event of the line, of its cancel or of a hold happen; say why it may not, where it may not."""
        if event in _HOLDS:
            return self._hold(event, actor)
        if event.startswith(_CANCEL):
            return self._cancel(event, actor)
        if event not in set(LineEvent):
            return f"{event!r} is no event of a line"
        said = LineEvent(event)
        fault = self._barred(said)
        if fault or (said is LineEvent.REPLACED and self.state is LineState.CANCELLED):
            return fault
        stood = self.beneath
        fault = self._step(said, actor)
        if not fault:
            self._follow(said, stood)
        return fault

    def waits_for_proof(self, event: str) -> bool:
        """Tell whether a change took the place of a line whose cancel was asked: the provider's word stands after it.

        Our own log says first that the line is replaced, and then, as the newest of its history, why it may be.
        """
        return event == LineEvent.REPLACED and self.cancel in _ASKED

    def proves(self, event: str, actor: str) -> bool:
        """Tell whether an entry is the provider's word that a cancel stands."""
        said = CancelEvent(event) if event in set(CancelEvent) else None
        arrow = move_cancel(self.cancel, said) if said is not None else None
        return arrow is not None and arrow.to is CancelState.CONFIRMED and actor in set(who_may(arrow.event))

    def _barred(self, event: LineEvent) -> str:
        """Say what rules an event out that the table of the line has, by what was said before it."""
        if self.beneath not in REVOCABLE | {LineState.ON_HOLD}:  # whose it is under a hold the log may not say
            return ""  # no provider has it, or it has ended: the table says all
        if event is LineEvent.REVOKED_FOR_REROUTE and self.revocation is not CancelState.CONFIRMED:
            return f"{event} of a line that its provider has not given up"
        if event is LineEvent.REROUTE and self.taken_on:
            return f"{event} of a line that its provider took on and has not given up"
        if event is LineEvent.REPLACED and self.cancel not in _ASKED:
            return f"{event} of a line that is {self.beneath} waits for its cancel"
        return ""

    def _step(self, event: LineEvent, actor: Actor) -> str:
        result = transition(self.state, event, actor, before=self.before)
        if isinstance(result, Ignored):
            return result.reason if result.alert else ""
        if result.state is not self.state:
            self._come_to(result.state)
        elif self.state is LineState.ON_HOLD and self.before is not None:
            under = transition(self.before, event, actor)  # what the provider goes on to say moves the state beneath
            self.before = self.before if isinstance(under, Ignored) else under.state
        return ""

    def _come_to(self, state: LineState) -> None:
        """Stand somewhere else, and know where a question or a hold comes back to; a question outlasts a hold."""
        if state is LineState.QUERIED and self.state is LineState.ON_HOLD:
            self.before = self.asked_in
        elif state in _PAUSES:
            self.before = returns_to(self.state)
        if state is LineState.QUERIED and self.state is not LineState.ON_HOLD:
            self.asked_in = self.before
        self.state = state

    def _plan_anew(self) -> None:
        """Forget the supplies that an earlier holder did not make: the next one may make them."""
        for issue in [number for number, one in self.deliveries.items() if one.state in _NOT_MADE]:
            del self.deliveries[issue]

    def _follow(self, event: LineEvent, stood: LineState) -> None:
        """Let a report of the line settle what was asked of it, as a line that is handed back does."""
        if event in _REROUTED:
            # the next holder was asked nothing yet
            self.cancel = self.revocation = CancelState.NONE
            self.taken_on = False
            self.holds.clear()
        if event is LineEvent.VALIDITY_OVER and stood in REVOCABLE and self.cancel is CancelState.NONE:
            self.cancel = CancelState.ASKED  # the provider is told, and answers as it would to a cancel
        if event in TAKES_ON:
            if not self.taken_on:
                self._plan_anew()
            self.taken_on = True
            if self.revocation is CancelState.CONFIRMED:
                self.revocation = CancelState.NONE  # said after it gave the line up, it takes that back
        said = provider_event(event)
        if said is not None:
            self._asked(said)

    def _asked(self, event: CancelEvent, moves: LineEvent | None = None, actor: Actor = Actor.GATEWAY) -> str | None:
        """Move the cancel, or where the trust asked for none the revocation; None where no arrow leads from there."""
        if self.cancel is CancelState.NONE and self.revocation is not CancelState.NONE:
            arrow = move_cancel(self.revocation, event)
            self.revocation = arrow.to if arrow is not None else self.revocation
            return "" if arrow is not None else None
        arrow = move_cancel(self.cancel, event)
        if arrow is None:
            return None
        self.cancel = arrow.to
        # A line that ended otherwise meanwhile stays as it ended.
        if arrow.line is None or self.state in TERMINAL:
            return ""
        return self._step(moves or arrow.line, actor)

    def _cancel(self, name: str, actor: Actor) -> str:
        event = CancelEvent.ASKED_ON_WIRE if name == LineEvent.CANCEL_ASKED else _cancel_event(name)
        if event is None:
            return f"{name!r} is no event of a cancel"
        fault = self._may(event, actor)
        if fault:
            return fault
        if event is CancelEvent.ASKED_ON_WIRE and actor is Actor.TWO_PEOPLE:
            self.revocation = CancelState.ASKED
            return ""
        ours = event is CancelEvent.CANCEL_CONFIRMED and actor is Actor.GATEWAY
        if ours and self.cancel is CancelState.NONE:
            event = CancelEvent.ASKED_BEFORE_WIRE  # ours to confirm: it was given back, or nothing of it had left
        if event in {CancelEvent.ASKED_ON_WIRE, CancelEvent.ASKED_BEFORE_WIRE}:
            self.revocation = CancelState.NONE  # the trust's own cancel comes before it
        moved = self._asked(event, LineEvent.CANCEL_CONFIRMED if ours else None, actor)
        if moved is not None:
            return moved
        stands = self.revocation if self.cancel is CancelState.NONE else self.cancel
        known = any(row.event is event and row.to is stands for row in CANCEL_TABLE)
        return "" if known else f"{name} is not expected of a cancel that is {stands}"

    def _may(self, event: CancelEvent, actor: Actor) -> str:
        """Say why this is not theirs to say; a cancel is confirmed by who has the line, and never because it was sent.

        Where nobody has it, or it has ended, that is the gateway's to say.
        """
        if event is CancelEvent.CANCEL_CONFIRMED and actor is Actor.GATEWAY:
            ours = self.beneath in OURS_TO_CONFIRM or self.state in TERMINAL
            return "" if ours else f"cancel_confirmed of a line that is {self.beneath} is its provider's to say"
        revokes = event is CancelEvent.ASKED_ON_WIRE and actor is Actor.TWO_PEOPLE
        name = LineEvent.CANCEL_ASKED if event is CancelEvent.ASKED_ON_WIRE else event
        return "" if revokes or actor in who_may(event) else f"{name} may not come from {actor.name}"

    def _hold(self, name: str, actor: Actor) -> str:
        kind, event = _HOLDS[name]
        asked = [one for one, state in self.holds.items() if state is HoldState.ASKED]
        kind = kind or next(iter(asked), HoldKind.HOLD)
        fault = self._may_hold(LineEvent(name), event, actor)
        if fault:
            return fault
        state = self.holds.get(kind, HoldState.NONE)
        trust = actor in _OF_THE_TRUST
        if event is HoldEvent.ASKED_ON_WIRE or (trust and state is not HoldState.ASKED):
            event = event if event is HoldEvent.ASKED_ON_WIRE else HoldEvent.ASKED_BEFORE_WIRE
            state = HoldState.NONE  # one request after another, each of which ends once
        elif trust and kind is HoldKind.HOLD:
            event = HoldEvent.NEVER_LEFT
        arrow = move_hold(kind, state, event)
        if arrow is None:
            repeats = state in HOLD_ENDED and not asked
            return "" if repeats else f"{name} answers no {kind} that was asked"
        self.holds[kind] = arrow.to
        there = (kind is HoldKind.HOLD) == (self.state is LineState.ON_HOLD)
        return self._step(arrow.line, actor) if arrow.line is not None and not there else ""

    def _may_hold(self, name: LineEvent, event: HoldEvent, actor: Actor) -> str:
        """Say why this is not theirs to say: a provider answers; where nothing of the line has left, its trust decides.

        That a request could not be handed to the provider at all is the gateway's to say.
        """
        if name in REFUSALS.values() and actor is Actor.GATEWAY:
            return ""
        if actor in _OF_THE_TRUST and event in {HoldEvent.HOLD_CONFIRMED, HoldEvent.RELEASE_CONFIRMED}:
            has_it = self.beneath in REVOCABLE
            return f"{name} of a line that is {self.beneath} is its provider's to say" if has_it else ""
        return "" if actor in who_may_hold(event) else f"{name} may not come from {actor.name}"

    def supply(self, name: str, actor: Actor, issue: int, stood: str) -> str:
        """Let an event of one delivery happen; say why it may not, where it may not.

        Args:
            name: of the event.
            actor: who caused it.
            issue: which delivery of the line, from 1.
            stood: where it stood before, if this is the first that is known of it and the log says so.
        """
        if name not in set(DeliveryEvent):
            return f"{name!r} is no event of a delivery"
        event = DeliveryEvent(name)
        may = _SUPPLIES | ({LineState.FULFILLED} if event in _LAST else set())
        if event not in _OF_NO_SUPPLY and self.state not in may:
            return f"{event} of a line that is {self.state}: nothing may be supplied of it"
        start = DeliveryState(stood) if stood in set(DeliveryState) else DeliveryState.PLANNED
        known = self.deliveries.get(issue, Delivery(issue=issue, state=start))
        state = move_delivery(known, event, actor)
        if state is None:
            return f"{name} by {actor.name} is not expected of a delivery that is {known.state}"
        self.deliveries[issue] = Delivery(issue=issue, state=state, before=known.state)
        return ""

    def renew(self, name: str, actor: Actor) -> str:
        """Let an event of the line's renewal happen; say why it may not, where it may not."""
        if name == "requested":
            self.renewal = RenewalState.REQUESTED
            return ""
        known = self.renewal or RenewalState.REQUESTED
        state = renewed(known, RenewalEvent(name), actor) if name in set(RenewalEvent) else None
        if state is None:
            return f"{name} by {actor.name} is not expected of a renewal that is {known}"
        self.renewal = state
        return ""


def _cancel_event(name: str) -> CancelEvent | None:
    return CancelEvent(name) if name in set(CancelEvent) else None
