"""The fence: whether a line that one provider was given may be given to another.

At most one provider may supply a line. So a line leaves its holder only on one of three grounds, each a fact and none a
time-out: nothing of it ever reached the holder; the holder itself gave it up; or what the holder has can no longer be
supplied from, because it expired at a provider that is known to refuse what has expired. Two people must want it.

The same three grounds stand as a trigger in the database, which knows nothing of this function.

Source: reliability-security.md I10, I2; mapping.md 10.2 (the re-route rows), 10.3.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from gateway.domain.cancel import CancelState
from gateway.domain.identifiers import OdsCode
from gateway.domain.labels import LABELS
from gateway.domain.lifecycle import TERMINAL, LineEvent, LineState

SKEW: Final = timedelta(hours=1)
"""How far a provider's clock may be behind ours before a message that expired here is certain to have expired there."""


class Ground(StrEnum):
    """Why a line may leave its holder."""

    NEVER_ON_WIRE = "never_on_wire"
    """No attempt under this epoch reached the provider: none was made, or each is proven not to have been taken."""
    GIVEN_BACK = "given_back"
    """The provider rejected it, returned it or confirmed that it is revoked, and has said nothing else since."""
    EXPIRED = "expired"
    """Its message expired, and the provider, which never took the line on, is known to refuse what has expired."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One event of a line under the epoch in question, oldest first.

    Attributes:
        moved: the lifecycle followed it.
        bound: it came in an answer of the holder that was bound to this epoch (I11), or as the outcome of a
            transmission to it.
        accounted: it moved an issue of the line, whose own history says what became of it; or it said nothing new.
    """

    event: LineEvent
    moved: bool = True
    bound: bool = True
    accounted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """What is known of a line and its holder, read in one transaction.

    Attributes:
        epoch: of the present or last allocation; 0 where there never was one.
        provider: that allocation's provider.
        unproven: attempts that went on the wire under this epoch and are not proven not to have been taken.
        said: the events of this epoch.
        not_valid_after: of the message of this epoch.
        refuses_expired: the holder's system is proven to refuse what has expired.
        cancel: where the trust's own cancel of the line stands.
        revoked: a revocation for a re-route was asked of the holder, which confirmed it.
        rescued: supplies that another made in the provider's place.
        unaccounted: supplies that are ready or on their way, or of which a part was made and a rest is owed.
        uncounted: reports of a supply that no issue was counted for, while the alert about it is open.
        lost_epochs: the highest epoch that may have been used in the time that a restore lost; 0 where none was.
    """

    state: LineState
    epoch: int
    provider: OdsCode | None
    unproven: int = 0
    said: tuple[Said, ...] = field(default=())
    not_valid_after: datetime | None = None
    refuses_expired: bool = False
    cancel: CancelState = CancelState.NONE
    revoked: bool = False
    delivered: int = 0
    total: int = 1
    rescued: int = 0
    unaccounted: int = 0
    uncounted: int = 0
    lost_epochs: int = 0

    @property
    def left(self) -> int:
        """How many supplies are still to be made: neither delivered nor made by another."""
        return max(0, self.total - self.delivered - self.rescued)


@dataclass(frozen=True, slots=True, kw_only=True)
class Withheld:
    """The line stays where it is.

    Attributes:
        reason: why, in words for the person who asked.
        ask: the holder may be asked to give it up; nothing moves until it confirms.
    """

    reason: str
    ask: bool = False


S = LineState
E = LineEvent

REVOCABLE: Final = frozenset(
    {S.SENT, S.UNCERTAIN, S.WITH_PROVIDER, S.ACCEPTED, S.VALIDATED, S.QUERIED, S.IN_SUPPLY, S.PART_SUPPLIED}
)
"""States in which the provider may have the line and can be asked to give it up."""
FREE: Final = frozenset({S.READY, S.UNDELIVERABLE, S.REJECTED, S.RETURNED})
"""States in which a line may be given away without asking, if the facts bear it out."""
MOVABLE: Final = FREE | REVOCABLE
"""States in which a line may go to another provider at all; from any other, something else is to be ended first."""

TOGETHER: Final = "it is to leave in one message with another line, which must go with it"
"""Why a line that has yet to leave may not go without those beside it: what stayed behind could then not be sent."""

_GIVES_UP: Final = frozenset({E.REJECTED, E.REFUSED_FORMAT, E.RETURNED, E.NOT_SUPPLIED})
TAKES_ON: Final = frozenset(
    {
        E.ACCEPTED,
        E.VALIDATED,
        E.QUERIED,
        E.SUPPLY_PLANNED,
        E.POSTPONED,
        E.DISPENSING_STARTED,
        E.DISPENSED,
        E.DISPATCHED,
        E.DELIVERED,
        E.LAST_DELIVERED,
        E.DELIVERY_FAILED,
        E.SUPPLY_SHORT,
        E.BALANCE_SUPPLIED,
    }
)
"""What a provider says of a line it has taken on. Said after it gave the line up, it takes that back."""
_SENT_AGAIN: Final = frozenset({E.ON_WIRE, E.VERBATIM_RETRY})
_UNDER_WAY: Final[dict[LineEvent, str]] = {
    E.DISPENSED: "a supply was dispensed, and nobody has said what became of it",
    E.DISPATCHED: "a supply is on its way, and nobody has said that it arrived or failed",
    E.SUPPLY_SHORT: "a supply was short, and its balance is not settled: what is left must be prescribed anew",
    E.BALANCE_WILL_NOT_COME: "a supply was short and its balance will not come: what is left must be prescribed anew",
}
_UNACCOUNTED: Final = "a supply left or is about to, or was short, and nobody has said what became of it"
_UNCOUNTED: Final = (
    "a supply was reported and not counted: if it was made, say of which issue with rescue; then close the alert"
)
_SETTLES: Final[dict[LineEvent, frozenset[LineEvent]]] = {
    E.DELIVERED: frozenset({E.DISPENSED, E.DISPATCHED, E.SUPPLY_SHORT}),
    E.LAST_DELIVERED: frozenset({E.DISPENSED, E.DISPATCHED, E.SUPPLY_SHORT}),
    E.DELIVERY_FAILED: frozenset({E.DISPENSED, E.DISPATCHED}),
    E.RETURNED: frozenset({E.DISPENSED}),
    E.NOT_SUPPLIED: frozenset({E.DISPENSED}),
}
"""Which open matter an event settles. What is only dispensed has not left the provider, who may give it back whole."""


def decide(holding: Holding, *, to: OdsCode, now: datetime, people: Sequence[str]) -> Ground | Withheld:
    """Decide whether a line may be given to another provider.

    Args:
        holding: the line and its holder.
        to: the provider that is to have it.
        now: aware.
        people: who authorises it.

    Returns:
        The ground on which it may, or why it may not.

    Source:
        reliability-security.md I10.
    """
    if len({name.strip().casefold() for name in people if name.strip()}) < 2:  # noqa: PLR2004 - two people
        return Withheld(reason="two different people must authorise it")
    barred = _barred(holding, to)
    if barred:
        return Withheld(reason=barred)
    ground = _ground(holding, now)
    if ground is not None:
        return ground
    if holding.state in REVOCABLE:
        return Withheld(reason=f"{holding.provider} may have it and must give it up first", ask=True)
    return Withheld(reason=f"it may have reached {holding.provider}, which has not given it up: only a person can tell")


def why_not_sent_again(holding: Holding) -> str:
    """Say why a line may not be sent again to the provider it was for; empty where nothing of it ever left.

    Source:
        reliability-security.md I10, I12; console.md 6.3.
    """
    bars = (
        (
            holding.state is not S.UNDELIVERABLE,
            f"it is no line that could not be sent: {LABELS[holding.state].lower()}",
        ),
        (holding.provider is None, "it was not given to a provider yet"),
        (holding.cancel is not CancelState.NONE, "the trust asked to cancel it"),
        (bool(holding.unproven) or _said_anything(holding), f"it may have reached {holding.provider}"),
        (not holding.left, "every supply was made"),
    )
    return next((reason for applies, reason in bars if applies), "")


def next_epoch(holdings: Sequence[Holding]) -> int:
    """Give the epoch of one message for these lines: above theirs, and above all a restore may have lost (I22)."""
    return max(max(one.epoch, one.lost_epochs) for one in holdings) + 1


def unsettled(said: Sequence[Said]) -> str:
    """Say what of a supply is open under this epoch; empty where it was delivered, failed or was given back.

    A report that moved nothing settles nothing. Of several supplies at once only the deliveries tell (`unaccounted`);
    where they are all settled, what they account for is, too.
    """
    matter: LineEvent | None = None
    for one in said:
        if one.event in _UNDER_WAY:
            matter = one.event
        elif matter is not None and one.moved and matter in _SETTLES.get(one.event, ()):
            matter = None
    return _UNDER_WAY[matter] if matter is not None else ""


def _barred(holding: Holding, to: OdsCode) -> str:
    """Say what rules a re-route out whatever the ground; empty where nothing does."""
    state, words = holding.state, LABELS[holding.state].lower()
    bars = (
        (state in TERMINAL or state is S.FULFILLED, f"it is at its end: {words}"),
        (holding.provider is None or not holding.epoch, f"it was not given to a provider yet: {words}"),
        (state not in MOVABLE, f"end this first: {words}"),
        (holding.provider == to, f"{to} is the provider that has or had it"),
        (
            holding.cancel is not CancelState.NONE,
            f"the trust asked to cancel it ({holding.cancel.lower().replace('_', ' ')})",
        ),
        (not holding.left, "every supply was made"),
    )
    telling = [one for one in holding.said if holding.unaccounted or not one.accounted]
    open_matter = unsettled(telling) or (_UNACCOUNTED if holding.unaccounted else "")
    open_matter = open_matter or (_UNCOUNTED if holding.uncounted else "")
    return next((reason for applies, reason in bars if applies), open_matter)


def _ground(holding: Holding, now: datetime) -> Ground | None:
    if holding.state in FREE and not holding.unproven and not _said_anything(holding):
        return Ground.NEVER_ON_WIRE
    if _given_back(holding):
        return Ground.GIVEN_BACK
    return Ground.EXPIRED if _expired(holding, now) else None


def _said_anything(holding: Holding) -> bool:
    """Tell whether the holder ever answered for the line: then something of it was there, whatever the wire says.

    Whatever it says counts, an arrival or the withdrawal of a report nobody had; only that it stored nothing does not.
    """
    return any(one.bound and one.event is not E.NOT_STORED for one in holding.said)


def _given_back(holding: Holding) -> bool:
    """Tell whether the last thing the holder said of the line is that it gives it up."""
    up = False
    for one in holding.said:
        if one.event in TAKES_ON | _SENT_AGAIN:
            up = False
        elif one.bound and ((one.moved and one.event in _GIVES_UP) or _confirms(one, holding)):
            up = True
    return up


def _confirms(one: Said, holding: Holding) -> bool:
    return holding.revoked and one.event is E.CANCEL_CONFIRMED


def _expired(holding: Holding, now: datetime) -> bool:
    return (
        holding.state in {S.SENT, S.UNCERTAIN, S.WITH_PROVIDER}
        and holding.refuses_expired
        and holding.not_valid_after is not None
        and holding.not_valid_after + SKEW < now
        and not any(one.event in TAKES_ON for one in holding.said)
    )
