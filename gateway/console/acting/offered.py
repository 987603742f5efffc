"""Which act a page offers for a line, to whom, and in words why not: one table, asked by every page with a button.

It decides what is shown, never what is done: the store looks at the line again in the transaction of the act.

Source: console.md 3, 4 and 6.3; mapping.md 10.2 and 10.3.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Final, TypeVar
from uuid import UUID

from gateway.access.policy import Action
from gateway.console.prescription.signature import signature_words
from gateway.console.site import Looker
from gateway.domain.cancel import CancelState
from gateway.domain.fence import MOVABLE
from gateway.domain.hold import HOLDABLE, HoldKind
from gateway.domain.labels import LABELS
from gateway.domain.lifecycle import TERMINAL, LineEvent, LineState
from gateway.domain.renewal import RENEWAL_ENDED, RenewalState
from gateway.enquiries import EventView, LineView, PrescriptionView

S = LineState
E = LineEvent
Value = TypeVar("Value")


class ActName(StrEnum):
    """Every act on a prescription, as its address names it."""

    CANCEL = "cancel"
    HOLD = "hold"
    RELEASE = "release"
    REROUTE = "reroute"
    SEND_AGAIN = "send-again"
    RESOLVE = "resolve"
    ANSWER = "answer"
    CLOSE = "close"
    RULE = "rule"
    RENEWAL = "renewal"
    RESCUE = "rescue"
    ORDER_NUMBER = "order-number"
    PAPER = "paper-original"
    NEWS = "send-news"
    CORRECT = "correct"


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What decides which acts a line has.

    Attributes:
        cancel: where a cancel of it stands.
        asked: a hold or a release that its provider has not answered.
        renewal: the latest renewal of it; None where none was ever asked for.
        supplies_open: some supply of it is neither made nor ended.
        alerts: kinds of the open alerts about it.
        paper: it went with the words "paper follows".
    """

    state: LineState
    cancel: CancelState = CancelState.NONE
    asked: HoldKind | None = None
    renewal: RenewalState | None = None
    supplies_open: bool = False
    alerts: frozenset[str] = frozenset()
    paper: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ActRow:
    """One act.

    Attributes:
        words: on its button and as the heading of its page.
        action: what a person must be allowed.
        states: in which the line may be for it, if nothing else is in the way.
        why: why not, in a state that is not among them; `other` for the rest, with the label as `{label}`.
    """

    act: ActName
    words: str
    action: Action
    states: frozenset[LineState]
    other: str
    why: Mapping[LineState, str] = field(default_factory=dict)


_ALL: Final = frozenset(LineState)
_OPEN: Final = _ALL - TERMINAL - {S.RECEIVED}
_CHECKING: Final = "We are still checking it. Look again in a minute."
_NOT_LEFT: Final = "Nothing of it has left the gateway. Correct it or cancel it."
_DOUBT: Final = (
    "It is not known if it arrived. Sent again, the patient could be supplied twice. Ask the provider, and log what "
    "they say."
)

ROWS: Final[tuple[ActRow, ...]] = (
    ActRow(
        act=ActName.CANCEL,
        words="Cancel",
        action=Action.CANCEL,
        states=_OPEN - {S.FULFILLED},
        other="It has ended: {label}.",
        why=MappingProxyType(
            {
                S.FULFILLED: "Every supply was made: nothing is left to cancel. Ring the provider and the patient.",
                S.CANCELLED: "It is cancelled, and that is confirmed.",
            }
        ),
    ),
    ActRow(
        act=ActName.HOLD,
        words="Hold",
        action=Action.HOLD,
        states=HOLDABLE,
        other="There is nothing to hold: {label}.",
        why=MappingProxyType(
            {S.ON_HOLD: "It is on hold already."}
            | dict.fromkeys((S.HELD, S.AWAITING_SCREENING), "It waits here already: nothing has gone to the provider.")
        ),
    ),
    ActRow(
        act=ActName.RELEASE,
        words="Release",
        action=Action.HOLD,
        states=frozenset({S.ON_HOLD}),
        other="It is not on hold: {label}.",
    ),
    ActRow(
        act=ActName.REROUTE,
        words="Re-route",
        action=Action.REROUTE,
        states=MOVABLE,
        other="It has ended: {label}.",
        why=MappingProxyType(
            {
                S.FULFILLED: "Every supply was made: there is nothing to give to another provider.",
                S.ON_HOLD: "It is on hold. Release it first.",
            }
            | dict.fromkeys((S.HELD, S.AWAITING_SCREENING), _NOT_LEFT)
        ),
    ),
    ActRow(
        act=ActName.SEND_AGAIN,
        words="Send again",
        action=Action.RESEND,
        states=frozenset({S.READY, S.UNDELIVERABLE}),
        other="It has ended: {label}.",
        why=MappingProxyType(
            {
                S.UNCERTAIN: _DOUBT,
                S.SENT: "It was sent, and the provider has not answered. Sent again, it could be supplied twice.",
                S.HELD: _NOT_LEFT,
                S.AWAITING_SCREENING: "A pharmacist of the trust must check it first.",
                S.ON_HOLD: "It is on hold. Release it first.",
                S.REJECTED: "The provider refused it as it stands. Correct it, or give it to another provider.",
                S.RETURNED: "The provider gave it back as it stands. Correct it, or give it to another provider.",
            }
            | dict.fromkeys(
                (S.WITH_PROVIDER, S.ACCEPTED, S.VALIDATED, S.QUERIED, S.IN_SUPPLY, S.PART_SUPPLIED, S.FULFILLED),
                "The provider has it. Sent again, it could be supplied twice.",
            )
        ),
    ),
    ActRow(
        act=ActName.RESOLVE,
        words="Say what the provider stated",
        action=Action.RESOLVE,
        states=frozenset({S.UNCERTAIN}),
        other="It is known where it is: {label}.",
    ),
    ActRow(
        act=ActName.ANSWER,
        words="Answer the provider's question",
        action=Action.PHARMACY,
        states=frozenset({S.QUERIED}),
        other="No question of the provider is open: {label}.",
    ),
    ActRow(
        act=ActName.CLOSE,
        words="Close",
        action=Action.PHARMACY,
        states=frozenset({S.REJECTED, S.RETURNED, S.UNDELIVERABLE}),
        other="It cannot be closed while somebody may supply it: {label}. Cancel it, or give it to another provider.",
        why=MappingProxyType(
            dict.fromkeys(TERMINAL, "It has ended already.")
            | {S.FULFILLED: "Every supply was made. It closes by itself when the time for corrections is over."}
        ),
    ),
    ActRow(
        act=ActName.RULE,
        words="Decide the late change",
        action=Action.PHARMACY,
        states=frozenset({S.READY}),
        other="No change waits for a decision: {label}.",
    ),
    ActRow(
        act=ActName.RENEWAL,
        words="Decide the renewal",
        action=Action.RENEW,
        states=_ALL - {S.RECEIVED, S.REFUSED, S.HELD},
        other="No renewal was asked for: {label}.",
    ),
    ActRow(
        act=ActName.RESCUE,
        words="Log a rescue supply",
        action=Action.PHARMACY,
        states=_OPEN - {S.HELD, S.AWAITING_SCREENING, S.READY},
        other="No supply of it is awaited: {label}.",
        why=MappingProxyType(
            dict.fromkeys(
                (S.HELD, S.AWAITING_SCREENING, S.READY),
                "It has not left, and would ask for every supply. Cancel it, and prescribe what is left.",
            )
        ),
    ),
    ActRow(
        act=ActName.ORDER_NUMBER,
        words="Add an order number",
        action=Action.ENVELOPE,
        states=_ALL - {S.RECEIVED, S.REFUSED},
        other="We did not take this prescription: {label}.",
    ),
    ActRow(
        act=ActName.PAPER,
        words="Register the paper original",
        action=Action.ENVELOPE,
        states=_ALL - {S.RECEIVED, S.REFUSED, S.HELD},
        other="Nothing of it was sealed that a paper original would follow: {label}.",
    ),
    ActRow(
        act=ActName.NEWS,
        words="Send the stopped messages again",
        action=Action.RESEND,
        states=_ALL - {S.RECEIVED},
        other=_CHECKING,
    ),
    ActRow(
        act=ActName.CORRECT,
        words="Correct",
        action=Action.READ_CONSOLE,
        states=frozenset({S.HELD, S.REJECTED, S.RETURNED, S.REFUSED}),
        other="Nothing asks for a correction: {label}. A change of the prescription is sent from your own system.",
    ),
)
"""Every act, in the order in which a page offers them."""

BY_NAME: Final[Mapping[ActName, ActRow]] = MappingProxyType({row.act: row for row in ROWS})

_CANCELLING: Final = frozenset({CancelState.ASKED, CancelState.PENDING})
_RULED: Final = frozenset({"cancel-too-late", "cancel-last-delivered", "change-awaits-ruling"})
_STUCK: Final = frozenset({"tell-stuck", "transmission-stuck", "cancel-not-sent"})
_IN_THE_WAY: Final[Mapping[ActName, str]] = MappingProxyType(
    {
        ActName.CANCEL: "A cancel was asked and is not confirmed: not cancelled. Ring the provider.",
        ActName.HOLD: "A cancel was asked and is not confirmed. Ring the provider.",
        ActName.RELEASE: "A cancel was asked and is not confirmed. Ring the provider.",
        ActName.REROUTE: "A cancel was asked: it can go to no other provider.",
        ActName.SEND_AGAIN: "A cancel was asked: the order is not sent again.",
    }
)


def why_not(act: ActName, line: Standing) -> str:
    """Say why an act is not offered for a line, in words; empty where it is.

    Args:
        act: which.
        line: how it stands.
    """
    row = BY_NAME[act]
    label = LABELS[line.state].lower()
    if act is ActName.RELEASE and line.asked is HoldKind.HOLD:
        return ""  # asked, and not on hold yet: it may be taken back
    if line.state is S.RECEIVED:
        return _CHECKING
    if line.state not in row.states:
        return row.why.get(line.state, row.other).format(label=label)
    if act in _IN_THE_WAY and (line.cancel in _CANCELLING or line.cancel is CancelState.TOO_LATE):
        late = "The provider says that it was too late: already supplied. Contact the patient."
        return late if line.cancel is CancelState.TOO_LATE else _IN_THE_WAY[act]
    return _beside(act, line)


def _beside(act: ActName, line: Standing) -> str:
    """Say what else than the state is in the way."""
    no_renewal = line.renewal is None or line.renewal in RENEWAL_ENDED
    bars: Mapping[ActName, tuple[bool, str]] = {
        ActName.HOLD: (line.asked is HoldKind.HOLD, "A hold was asked and is not confirmed: not on hold."),
        ActName.RELEASE: (line.asked is HoldKind.RELEASE, "A release was asked and is not confirmed: still on hold."),
        ActName.RULE: (not line.alerts & _RULED, "No change waits for a decision."),
        ActName.RENEWAL: (no_renewal, "No renewal is asked for."),
        ActName.RESCUE: (not line.supplies_open, "No supply of it is awaited."),
        ActName.PAPER: (not line.paper, "No paper original follows this prescription."),
        ActName.NEWS: (not line.alerts & _STUCK, "No message about it was given up."),
    }
    barred, words = bars.get(act, (False, ""))
    return words if barred else ""


_OF_THE_TRUST: Final = (
    "It is the trust's prescription: only the trust's own people do this. What you have to say of it, answer in your"
    " own system, or tell them."
)


def not_theirs(view: PrescriptionView, looker: Looker) -> str:
    """Say why nobody of this organisation does anything to a prescription that it may read; empty where they may."""
    return "" if looker.tenant in {None, view.found.tenant} else _OF_THE_TRUST


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """One act on a page.

    Attributes:
        href: of the page that says what will happen.
        why_not: in words; empty where the act is offered.
    """

    act: ActName
    words: str
    href: str
    why_not: str = ""


def offers(view: PrescriptionView, looker: Looker) -> tuple[Offer, ...]:
    """Give every act that somebody in this role has, each offered or with the reason why not.

    An act is offered where it fits any line. What the role never has is left out.
    """
    lines, barred = standings(view), not_theirs(view, looker)
    found = []
    for row in ROWS:
        if not looker.may(row.action):
            continue
        reasons = [barred or why_not(row.act, line) for line in lines.values()] or ["Nothing of it could be read."]
        why = "" if "" in reasons else reasons[0]
        found.append(
            Offer(act=row.act, words=row.words, href=address(view.found.prescription_id, row.act), why_not=why)
        )
    return tuple(found)


def address(prescription: UUID, act: ActName) -> str:
    """Give the address of an act's page."""
    return f"/console/prescriptions/{prescription}/{act}"


def standings(view: PrescriptionView) -> dict[UUID, Standing]:
    """Give how each line of a prescription stands, by its id, from what a page has of it anyway."""
    paper = signature_words(view.message) == "paper follows"
    return {line.line_id: _standing(line, view, paper=paper) for line in view.lines}


_CANCELS: Final[Mapping[str, CancelState]] = MappingProxyType(
    {
        E.CANCEL_ASKED: CancelState.ASKED,
        E.CANCEL_PENDING: CancelState.PENDING,
        E.CANCEL_BY_OTHER: CancelState.PENDING,
        E.CANCEL_TOO_LATE: CancelState.TOO_LATE,
        E.CANCEL_CONFIRMED: CancelState.CONFIRMED,
        E.CANCEL: CancelState.CONFIRMED,
    }
)
_HOLDS: Final[Mapping[str, HoldKind | None]] = MappingProxyType(
    {
        E.HOLD_ASKED: HoldKind.HOLD,
        E.RELEASE_ASKED: HoldKind.RELEASE,
        E.HOLD_CONFIRMED: None,
        E.HOLD_REFUSED: None,
        E.RELEASE_CONFIRMED: None,
        E.RELEASE_REFUSED: None,
    }
)


def _standing(line: LineView, view: PrescriptionView, *, paper: bool) -> Standing:
    history = [event for event in view.events if event.line_id == line.line_id]
    alerts = {alert.kind for alert in view.alerts if alert.closed_at is None and alert.line_id in {None, line.line_id}}
    made = {one.issue for one in line.deliveries if one.state.value in _MADE}
    return Standing(
        state=line.state,
        cancel=_last(history, _CANCELS, CancelState.NONE),
        asked=_last(history, _HOLDS, None),
        renewal=line.renewal.state if line.renewal else None,
        supplies_open=len(made) < max(line.total_supplies, 1),
        alerts=frozenset(alerts),
        paper=paper,
    )


_MADE: Final = frozenset({"DELIVERED", "NOT_SUPPLIED", "WITHDRAWN", "RESCUED"})


def _last(history: Iterable[EventView], meanings: Mapping[str, Value], otherwise: Value) -> Value:
    """Give what the last event says that says anything of it."""
    said = [meanings[event.event] for event in history if event.event in meanings]
    return said[-1] if said else otherwise
