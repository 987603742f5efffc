"""What a hold or a release does to lines that are already held: judged, and told. Pure.

A line of which nothing has left is put on hold here, at once. For any other the provider is asked, and nothing has
changed until it says so (mapping.md 10.2). A release looks at the validity again: what is out of date stays there.
The store looks again at every line in its own transaction.

Source: mapping.md 4.1, 9.1, 10.2.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from gateway.domain.cancel import CancelState
from gateway.domain.hold import HOLDABLE, HoldKind, HoldState, beneath
from gateway.domain.issue import Issue
from gateway.domain.labels import LABELS
from gateway.domain.lifecycle import TERMINAL, LineState
from gateway.domain.message import FhirMessage
from gateway.domain.partner import Provider
from gateway.domain.prescription import Line
from gateway.domain.submission import Action, Order
from gateway.pipeline.changes import Found, shares_its_message
from gateway.ports.acceptance import KnownLine

KINDS = {Action.HOLD: HoldKind.HOLD, Action.RELEASE: HoldKind.RELEASE}

_OVER = TERMINAL | {LineState.FULFILLED}
_PENDING = {HoldKind.HOLD: "HOLD_PENDING", HoldKind.RELEASE: "RELEASE_PENDING"}
_IMPOSSIBLE = {HoldKind.HOLD: "HOLD_NOT_POSSIBLE", HoldKind.RELEASE: "RELEASE_NOT_POSSIBLE"}
_ASKED = {
    HoldKind.HOLD: "The order may be with the provider, which was asked to put it on hold. It is not on hold yet.",
    HoldKind.RELEASE: "The provider was asked to release the order. It stays on hold until the provider confirms it.",
}
_LEAST_CERTAIN = (HoldState.REFUSED, HoldState.ASKED, HoldState.CONFIRMED, HoldState.NONE)


@dataclass(frozen=True, slots=True, kw_only=True)
class LineHold:
    """The hold or release of one known line.

    Attributes:
        state: where it stands once it is stored; REFUSED where it cannot be.
        why: why it cannot be, in words; `expired` where the validity is over.
        message: what the provider would be told, where it must be asked.
        repeated: it was asked before, or is so already: nothing is stored or sent again.
        faults: why what was written was not good enough to be sealed.
    """

    line: KnownLine
    kind: HoldKind
    state: HoldState
    why: str = ""
    expired: bool = False
    message: FhirMessage | None = None
    provider: Provider | None = None
    repeated: bool = False
    faults: tuple[Issue, ...] = ()

    @property
    def beneath(self) -> LineState:
        """The state under the hold, where there is one."""
        return beneath(self.line.state, self.line.before)


def stands(
    kind: HoldKind, line: KnownLine, selected: Sequence[KnownLine], known: Sequence[KnownLine], *, expired: bool
) -> LineHold:
    """Say where a hold or a release of the line stands once it is asked.

    Args:
        kind: which of the two.
        line: as it is known.
        selected: the lines that the sender names together.
        known: every line that is known of what the message names.
        expired: whether the validity of the line's prescription is over.
    """
    if kind is HoldKind.HOLD:
        return _hold(line, selected)
    return _release(line, selected, known, expired=expired)


def _hold(line: KnownLine, selected: Sequence[KnownLine]) -> LineHold:
    kind = HoldKind.HOLD
    on_hold = line.state is LineState.ON_HOLD
    if line.hold is kind or (on_hold and line.hold is None):
        state = HoldState.CONFIRMED if on_hold and line.hold is None else HoldState.ASKED
        return LineHold(line=line, kind=kind, state=state, repeated=True)
    if not on_hold and (why := _why_not_held(line)):
        return LineHold(line=line, kind=kind, state=HoldState.REFUSED, why=why)
    here = line.state is LineState.READY and not shares_its_message(line, selected)
    return LineHold(line=line, kind=kind, state=HoldState.CONFIRMED if here else HoldState.ASKED)


def _why_not_held(line: KnownLine) -> str:
    if line.state not in HOLDABLE:
        return f"There is nothing to put on hold ({LABELS[line.state].lower()})."
    if line.cancel in {CancelState.ASKED, CancelState.PENDING}:
        return "A cancel of the order is under way."
    return ""


def _release(line: KnownLine, selected: Sequence[KnownLine], known: Sequence[KnownLine], *, expired: bool) -> LineHold:
    kind = HoldKind.RELEASE
    on_hold, unsent = line.state is LineState.ON_HOLD, beneath(line.state, line.before) is LineState.READY
    why = ""
    if not on_hold and line.hold is None:
        why = f"The order is not on hold ({LABELS[line.state].lower()})."
    elif expired:
        why = "The validity of the order is over. Send a new prescription."
    elif not unsent and line.cancel in {CancelState.ASKED, CancelState.PENDING}:
        why = "A cancel of the order is under way."
    elif on_hold and unsent and _leaves_others(line, selected, known):
        why = "It leaves in one message with others that are on hold: release them together."
    if why:
        return LineHold(line=line, kind=kind, state=HoldState.REFUSED, why=why, expired=expired and on_hold)
    if line.hold is kind:
        return LineHold(line=line, kind=kind, state=HoldState.ASKED, repeated=True)
    return LineHold(line=line, kind=kind, state=HoldState.CONFIRMED if on_hold and unsent else HoldState.ASKED)


def _leaves_others(line: KnownLine, selected: Sequence[KnownLine], known: Sequence[KnownLine]) -> bool:
    """Tell whether lines of the same message stay on hold when this one is released."""
    chosen = {one.line_id for one in selected}
    same = [one for one in known if one.message_id == line.message_id and one.state is LineState.ON_HOLD]
    return any(one.line_id not in chosen for one in same)


def told(holds: Sequence[LineHold], found: Found, kind: HoldKind, location: str) -> tuple[Issue, ...]:
    """Give what the sender must know of holds or releases that are not simply done."""
    absent = [number.location for number in found.absent] or ([] if found.lines else [location])
    text = "No order is known here under this number."
    issues = [Issue(code="ORDER_UNKNOWN", location=place, text=text) for place in absent]
    impossible = [one for one in holds if one.state is HoldState.REFUSED]
    if impossible and len(impossible) == len(holds):
        first = impossible[0]
        code = "EXPIRED" if first.expired else _IMPOSSIBLE[kind]
        issues.append(Issue(code=code, location=location, text=first.why))
    elif impossible:
        words = " ".join(dict.fromkeys(one.why for one in impossible))
        text = f"{len(impossible)} of {len(holds)} lines are left as they are. {words}"
        issues.append(Issue(code=_PENDING[kind], location=location, text=text))
    if any(one.state is HoldState.ASKED for one in holds):
        issues.append(Issue(code=_PENDING[kind], location=location, text=_ASKED[kind]))
    return tuple(issues)


def least_certain(holds: Sequence[LineHold]) -> HoldState:
    """Give what an answer about several lines must say: the least certain, leaving out lines that are over."""
    states = [one.state for one in holds if one.state is not HoldState.REFUSED or one.line.state not in _OVER]
    return min(states, key=_LEAST_CERTAIN.index, default=HoldState.NONE)


def resumed(order: Order, known: Sequence[KnownLine]) -> bool | None:
    """Tell whether an order that says only how it stands releases what is on hold under its own numbers.

    Returns:
        True where it is the very order that is on hold; False where it differs from it; None where nothing under its
        numbers is on hold.
    """
    numbers = {number.trust_number for number in order.numbers}
    held = [line for line in known if line.order_number in numbers and _is_held(line)]
    if not held or order.prescription is None:
        return None
    stored = {line.order_number: _line_of(line) for line in held}
    return all(stored.get(line.order_number) == line for line in order.prescription.lines)


def _is_held(line: KnownLine) -> bool:
    return line.state is LineState.ON_HOLD or line.hold is not None


def _line_of(known: KnownLine) -> Line | None:
    lines = known.prescription.lines if known.prescription else ()
    return next((line for line in lines if line.id == known.line_id), None)
