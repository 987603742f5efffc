"""What a cancel or a change does to lines that are already held: found, judged, and written. Pure.

Nothing is confirmed here that may have left: for such a line a cancel is only asked (I7). The store looks again at
every line in its own transaction, and sends the sender's answer back to be written anew where one has moved.

Source: mapping.md 10.3 and 4.1; reliability-security.md I7, I16.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from gateway.domain.cancel import ENDED, GIVEN_BACK, NOTHING_ON_WIRE, OURS_TO_CONFIRM, SUPPLIED, CancelState
from gateway.domain.hold import beneath
from gateway.domain.issue import Issue
from gateway.domain.labels import LABELS
from gateway.domain.lifecycle import TERMINAL, LineState
from gateway.domain.message import FhirMessage
from gateway.domain.partner import Provider
from gateway.domain.prescription import Prescription
from gateway.domain.submission import Action, Change, Order, OrderNumber
from gateway.domain.trace import TraceRow
from gateway.ports.acceptance import KnownLine, Tombstone
from gateway.translate.maps.rules import GATEWAY, Rule

_REPLACES, _PRIOR = GATEWAY.named("CHANGE.replaces"), GATEWAY.named("CHANGE.prior")

_LEAST_CERTAIN = (
    CancelState.TOMBSTONE,
    CancelState.PENDING,
    CancelState.ASKED,
    CancelState.TOO_LATE,
    CancelState.CONFIRMED,
    CancelState.NONE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class LineCancel:
    """The cancel of one known line.

    Attributes:
        state: where it stands once it is stored.
        message: what the provider would be told; written in any case, sent only where something may have left.
        repeated: it was asked before, or is done: nothing is stored or sent again.
        faults: why the message that was written may not be sealed; it is ours to mend, and a person is told.
    """

    line: KnownLine
    state: CancelState
    message: FhirMessage | None = None
    provider: Provider | None = None
    repeated: bool = False
    faults: tuple[Issue, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The lines a change refers to, with what is wrong with it.

    Attributes:
        absent: order numbers that are not known.
        proposed: changes of these lines that are held.
    """

    lines: tuple[KnownLine, ...] = ()
    absent: tuple[OrderNumber, ...] = ()
    proposed: tuple[KnownLine, ...] = ()
    issues: tuple[Issue, ...] = ()


def find(order: Order, known: Sequence[KnownLine]) -> Found:
    """Find the lines a cancel or a change speaks of: by item, by order number, or the whole prescription."""
    change = order.change or Change()
    current = [line for line in known if not line.replaced]
    proposed = [line for line in current if line.proposed and line.state not in TERMINAL]
    current = [line for line in current if not line.proposed]
    lines: list[KnownLine] = []
    absent: list[OrderNumber] = []
    for number in change.orders:
        same = [line for line in current if is_under(line, number)]
        lines += _newest(same)
        absent += [] if same else [number]
    lines += [line for item in change.items for line in _newest([one for one in current if one.line_id == item])]
    if change.prescription_id is not None and not change.items and not change.orders:
        lines += [line for line in current if line.prescription_id == change.prescription_id]
    meant = {line.order_number for line in lines}
    lines = _once(lines)
    superseded = tuple(line for line in proposed if line.order_number in meant)
    issues = _mismatches(order, change, lines)
    return Found(lines=tuple(lines), absent=tuple(absent), proposed=superseded, issues=issues)


def is_under(line: KnownLine, number: OrderNumber) -> bool:
    """Tell whether a line has this number: two systems of a trust may give one number to two orders (ORC-2.2)."""
    alike = not line.order_assigner or not number.assigner or line.order_assigner == number.assigner
    return line.order_number == number.trust_number and alike


def is_over(line: KnownLine) -> bool:
    """Tell whether the line was an order and is over. Of a held one that was corrected, its successor tells."""
    if line.state is LineState.SUPERSEDED:
        return line.replaced
    return line.state in TERMINAL and line.state is not LineState.REFUSED


def _once(lines: Sequence[KnownLine]) -> list[KnownLine]:
    return list({line.line_id: line for line in lines}.values())


def _newest(same: Sequence[KnownLine]) -> list[KnownLine]:
    """Give the open line under a number, else the last that was: a number is open once."""
    still = [line for line in same if line.state not in TERMINAL]
    return [*still, *same[-1:]][:1] if still or same else []


def _mismatches(order: Order, change: Change, lines: Sequence[KnownLine]) -> tuple[Issue, ...]:
    """Refuse what would cancel another patient's order, or another medicine than the sender means."""
    issues = []
    location = change.orders[0].location if change.orders else change.location
    if any(order.nhs_number and line.nhs_number and order.nhs_number != line.nhs_number for line in lines):
        text = "The order under this number is for another patient."
        issues.append(Issue(code="GROUP_PATIENT_MISMATCH", location=location, text=text))
    products = {line.product_code for line in lines if line.product_code}
    if change.product_code and products and change.product_code not in products:
        text = "The order under this number is for another product than the message names."
        issues.append(Issue(code="ORDER_UNKNOWN", location=location, text=text))
    return tuple(issues)


def stands(line: KnownLine, selected: Sequence[KnownLine]) -> CancelState:
    """Say where a cancel of the line stands once it is asked; a hold changes nothing of that."""
    if line.state in SUPPLIED or line.cancel is CancelState.TOO_LATE:
        return CancelState.TOO_LATE
    if line.state in TERMINAL or (line.state in GIVEN_BACK and not line.elsewhere):
        return CancelState.CONFIRMED
    if line.cancel is CancelState.PENDING:
        return CancelState.PENDING
    alone = not shares_its_message(line, selected) and not line.elsewhere
    if beneath(line.state, line.before) in NOTHING_ON_WIRE and alone:
        return CancelState.CONFIRMED
    return CancelState.ASKED


def unreachable(line: KnownLine) -> bool:
    """Tell whether a provider has the line that was not sent it from here: nobody but a person can ask it."""
    return line.elsewhere and beneath(line.state, line.before) in OURS_TO_CONFIRM


def shares_its_message(line: KnownLine, selected: Sequence[KnownLine]) -> bool:
    """Tell whether the line is about to leave in one message with lines that are to stay.

    The message is sealed, and perhaps signed, as a whole: it goes, and the cancel of the one line follows it.
    """
    if beneath(line.state, line.before) is not LineState.READY or line.prescription is None:
        return False
    chosen = {one.line_id for one in selected}
    return any(one.id not in chosen for one in line.prescription.lines)


def repeated(line: KnownLine) -> bool:
    """Tell whether there is nothing left to store: the cancel was asked before, or the line is at its end."""
    return line.state in TERMINAL or line.cancel in {CancelState.ASKED, CancelState.PENDING, *ENDED}


def told(cancels: Sequence[LineCancel], location: str, *, replacing: bool) -> tuple[Issue, ...]:
    """Give what the sender must know of cancels that are not simply done."""
    issues = []
    late = [one for one in cancels if _too_late(one, replacing=replacing)]
    if replacing and any(one.repeated and one.line.state not in TERMINAL for one in cancels):
        text = "A cancel of this order is under way. Send what is to follow as a new order with a number of its own."
        issues.append(Issue(code="CANCEL_TOO_LATE", location=location, text=text))
    if late and (replacing or len(late) == len(cancels)):
        text = why_late(late[0].line)
        issues.append(Issue(code="CANCEL_TOO_LATE", location=location, text=text))
    elif late:
        whys = dict.fromkeys(why_late(one.line) for one in late)
        text = f"{len(late)} of {len(cancels)} lines can no longer be cancelled. {' '.join(whys)}"
        issues.append(Issue(code="CANCEL_PENDING", location=location, text=text))
    if any(one.state in {CancelState.ASKED, CancelState.PENDING} for one in cancels):
        text = "The order may be with the provider, which was asked to cancel it. It is not cancelled yet."
        if replacing:
            text += " The new order waits until it is."
        issues.append(Issue(code="CANCEL_PENDING", location=location, text=text))
    return tuple(issues)


def why_late(line: KnownLine) -> str:
    """Say why a line can no longer be cancelled: it has ended, or it was too late, and where what is left stands."""
    stands = LABELS[line.state].lower()
    if line.state in SUPPLIED | TERMINAL:
        over = "supplied" if line.state in SUPPLIED else "already closed"
        return f"The order is {over} ({stands}); it can no longer be cancelled."
    late = "It was too late to cancel, and"
    if line.state in GIVEN_BACK:
        return f"{late} what was left is given back ({stands}): nobody will supply it. Close it."
    return f"{late} the order goes on ({stands}). Ring the provider: it can give back what is left."


def _too_late(one: LineCancel, *, replacing: bool) -> bool:
    ended = one.line.state in TERMINAL and (replacing or one.line.state is not LineState.CANCELLED)
    return ended or one.state is CancelState.TOO_LATE


def least_certain(states: Sequence[CancelState]) -> CancelState:
    """Give what an answer about several lines must say: the least certain of them."""
    return min(states, key=_LEAST_CERTAIN.index, default=CancelState.NONE)


def tombstones(order: Order, found: Found) -> tuple[Tombstone, ...]:
    """Give what is kept of a cancel that came before its order (I16)."""
    change = order.change or Change()
    if order.action is not Action.CANCEL:
        return ()
    stones = [Tombstone(order_number=number.trust_number, order_assigner=number.assigner) for number in found.absent]
    if not found.lines and change.items:
        stones += [Tombstone(item=item) for item in change.items]
    elif not found.lines and change.prescription_id is not None and not change.orders:
        stones.append(Tombstone(prescription_id=change.prescription_id))
    code = change.reason.code if change.reason else ""
    return tuple(replace(stone, reason_code=code, reason=change.reason_text) for stone in stones)


def linked(prescription: Prescription, lines: Sequence[KnownLine]) -> tuple[Prescription, tuple[TraceRow, ...]]:
    """Link the new lines of a change to those they replace, in the order in which the sender named them."""
    priors = [lines[min(index, len(lines) - 1)].line_id for index in range(len(prescription.lines))]
    new = tuple(replace(line, prior=prior) for line, prior in zip(prescription.lines, priors, strict=True))
    rows = [
        _derived(_REPLACES, "replaces", str(lines[0].prescription_id)),
        *(_derived(_PRIOR, f"lines[{index}].prior", str(prior)) for index, prior in enumerate(priors)),
    ]
    return replace(prescription, lines=new, replaces=lines[0].prescription_id), tuple(rows)


def _derived(rule: Rule, target: str, result: str) -> TraceRow:
    return TraceRow(target=target, source="", rule=rule.id, transform="derive:known-order", raw="", result=result)
