"""What trusts post: orders, changes, cancels, holds, each made as the production pipeline makes them of what is known.

Source: mapping.md 4.1, 9.1; reliability-security.md I6, I7, I16.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cache
from typing import Final
from uuid import UUID

from gateway.domain.cancel import CancelState
from gateway.domain.hold import HoldKind, HoldState, beneath
from gateway.domain.identifiers import OdsCode, PrescriptionNumber, derived_id
from gateway.domain.issue import Issue
from gateway.domain.lifecycle import LineState
from gateway.domain.message import MessageEvent, SealedMessage
from gateway.domain.prescription import Line, Prescription
from gateway.domain.submission import (
    Action,
    Answer,
    Envelope,
    OrderNumber,
    OrderVerdict,
    Outcome,
    Submission,
    Verdict,
    WireFormat,
)
from gateway.domain.validity import not_valid_after
from gateway.pipeline import changes, holding
from gateway.ports.acceptance import Acceptance, AcceptedOrder, CancelRequest, HoldRequest, KnownLine, Tombstone
from tests.factories import line, prescription
from tests.sim.gateway import Parcel
from tests.sim.memory import BEGUN

TRUSTS: Final = (OdsCode("RBA"), OdsCode("RXH"))
VALID: Final = timedelta(days=180)
_UNSETTLED: Final = frozenset({CancelState.ASKED, CancelState.PENDING})


@dataclass(frozen=True, slots=True)
class Letter:
    """What a provider can read in a sealed message.

    Attributes:
        kind: `order`, `cancel`, or a hold's kind.
        order: the order message that a cancel or a hold speaks of.
        totals: supplies ordered of each line.
    """

    kind: str
    to: OdsCode
    epoch: int
    lines: tuple[UUID, ...]
    totals: tuple[int, ...]
    body: bytes
    order: UUID | None = None


@dataclass(frozen=True, slots=True)
class Desk:
    """Seals messages and remembers what is in them."""

    letters: dict[UUID, Letter]

    def seal(
        self,
        what: tuple[Line, ...],
        to: OdsCode,
        *,
        epoch: int,
        salt: str,
        kind: str = "order",
        order: UUID | None = None,
        until: datetime = BEGUN + VALID,
    ) -> SealedMessage:
        """Give a sealed message of the smallest size."""
        name = derived_id("sim", salt, kind)
        letter = Letter(
            kind,
            to,
            epoch,
            tuple(one.id for one in what),
            tuple(one.total_supplies for one in what),
            b'{"id":"%s"}' % name.hex.encode(),
            order,
        )
        self.letters[name] = letter
        return SealedMessage(
            id=name,
            event=MessageEvent.ORDER if kind == "order" else MessageEvent.UPDATE,
            destination=to,
            line_ids=letter.lines,
            epoch=epoch,
            not_valid_after=until,
            body=letter.body,
        )


@cache
def _patterns() -> tuple[Prescription, Line]:
    return prescription(), line()


@dataclass(frozen=True, slots=True)
class Scribe:
    """Writes what one seed's trusts post."""

    desk: Desk
    seed: int
    removed: Collection[OdsCode]
    """Providers that the configuration in force does not have."""
    lines: dict[UUID, Line] = field(default_factory=dict)
    """Everything that was ever prescribed."""

    def prescribe(
        self, name: str, trust: OdsCode, *, lines: int, total: int, provider: OdsCode, days: int | None = None
    ) -> Prescription:
        """Give a prescription with ids of its own; with `days`, valid for only so many."""
        whole, one = _patterns()
        wanted = tuple(
            replace(
                one, id=derived_id("l", trust.value, name, str(n)), order_number=f"{name}-{n}", total_supplies=total
            )
            for n in range(lines)
        )
        self.lines.update((one.id, one) for one in wanted)
        return replace(
            whole,
            id=derived_id("p", trust.value, name),
            authored=BEGUN,
            valid_to=None if days is None else (BEGUN + timedelta(days=days)).date(),
            number=PrescriptionNumber.derive(OdsCode("RBA11"), trust.value, name),
            group_number=f"G{name}",
            lines=wanted,
            homecare=replace(whole.homecare, provider=provider),
        )

    def order(self, what: Prescription, to: OdsCode, control: str, *, state: LineState = LineState.READY) -> Parcel:
        """Order something new, which is then held, waits for screening, or may go."""

        def accept(submission: Submission, _known: tuple[KnownLine, ...], taken: bool) -> Acceptance:  # noqa: FBT001
            if taken or to in self.removed:
                return _refused(submission, control, "ORDER_REUSED" if taken else "PROVIDER_UNKNOWN")
            salt, until = f"{control}{what.id}", not_valid_after(what)
            held = state is LineState.HELD
            sealed = None if held else self.desk.seal(what.lines, to, epoch=1, salt=salt, until=until)
            order = _accepted(what, Action.NEW, sealed, to, state)
            return _acceptance(submission, control, orders=(order,))

        return Parcel(control, (), accept)

    def cancel(self, what: Prescription, control: str, changed: Prescription | None = None) -> Parcel:
        """Cancel what is known under the order's numbers; with `changed`, put that in its place."""
        numbers = tuple(one.order_number for one in what.lines)

        def accept(submission: Submission, known: tuple[KnownLine, ...], taken: bool) -> Acceptance:  # noqa: FBT001
            stands = [(one, changes.stands(one, known)) for one in known]
            if changed is not None and (taken or not _replaceable(stands)):
                return _refused(submission, control, "CANCEL_TOO_LATE")
            follower = changed.lines[0].id if changed else None
            name = f"{control} {submission.received_at.isoformat()}"  # asked again after a restore, it is another
            cancels = tuple(
                self._cancel(what, one, state, name, follower) for one, state in stands if not changes.repeated(one)
            )
            stones = [] if known else [Tombstone(order_number=number, order_assigner="RBA") for number in numbers]
            return _acceptance(
                submission,
                control,
                orders=self._follower(changed, known, stands, control),
                cancels=cancels,
                tombstones=() if changed else tuple(stones),
            )

        return Parcel(control, numbers, accept)

    def _follower(
        self,
        changed: Prescription | None,
        known: tuple[KnownLine, ...],
        stands: Iterable[tuple[KnownLine, CancelState]],
        control: str,
    ) -> tuple[AcceptedOrder, ...]:
        if changed is None or not known:
            return ()
        to = next((one.destination for one in known if one.destination), None)
        if to is None:
            return ()
        sealed = self.desk.seal(changed.lines, to, epoch=1, salt=f"{control}{changed.id}")
        order = _accepted(changed, Action.REPLACE, sealed, to, LineState.READY)
        return (replace(order, waits_for=tuple(one.line_id for one, state in stands if state in _UNSETTLED)),)

    def _cancel(
        self, what: Prescription, one: KnownLine, state: CancelState, name: str, follower: UUID | None
    ) -> CancelRequest:
        message = None
        meant = tuple(each for each in what.lines if each.id == one.line_id)
        if state in _UNSETTLED and one.destination is not None and one.message_id is not None:
            salt = f"{name}{one.line_id}{one.epoch}"
            message = self.desk.seal(
                meant, one.destination, epoch=max(one.epoch, 1), salt=salt, kind="cancel", order=one.message_id
            )
        return CancelRequest(
            line_id=one.line_id,
            seen=beneath(one.state, one.before),
            state=state,
            reason_code="0001",
            message=message,
            replaced_by=follower,
        )

    def hold(self, what: Prescription, control: str, kind: HoldKind) -> Parcel:
        """Put what is known on hold, or release it."""
        numbers = tuple(one.order_number for one in what.lines)

        def accept(submission: Submission, known: tuple[KnownLine, ...], _taken: bool) -> Acceptance:  # noqa: FBT001
            stands = [holding.stands(kind, one, known, known, expired=False) for one in known]
            wanted = [one for one in stands if one.state is not HoldState.REFUSED and not one.repeated]
            return _acceptance(submission, control, holds=tuple(self._hold(what, one, control) for one in wanted))

        return Parcel(control, numbers, accept)

    def _hold(self, what: Prescription, one: holding.LineHold, control: str) -> HoldRequest:
        message = None
        known = one.line
        if one.state is HoldState.ASKED and known.destination is not None:
            meant = tuple(each for each in what.lines if each.id == known.line_id)
            salt = f"{control}{known.line_id}"
            message = self.desk.seal(
                meant,
                known.destination,
                epoch=max(known.epoch, 1),
                salt=salt,
                kind=one.kind.value,
                order=known.message_id,
            )
        return HoldRequest(
            line_id=known.line_id,
            kind=one.kind,
            seen=known.state,
            beneath=one.beneath,
            open_request=known.hold,
            state=one.state,
            reason="sim",
            message=message,
        )


def renamed(parcel: Parcel, control: str) -> Parcel:
    """Give the same message under another control id."""

    def accept(submission: Submission, known: tuple[KnownLine, ...], taken: bool) -> Acceptance:  # noqa: FBT001
        made = parcel.accept(submission, known, taken)
        body = made.answer.body.replace(parcel.control_id.encode(), control.encode())
        return replace(
            made, envelope=replace(made.envelope, control_id=control), answer=replace(made.answer, body=body)
        )

    return Parcel(control, parcel.asks, accept)


def _replaceable(stands: Iterable[tuple[KnownLine, CancelState]]) -> bool:
    """Tell whether a change may take the place of lines: none is over, or being cancelled already."""
    found = list(stands)
    return bool(found) and not any(
        changes.repeated(one) or state is CancelState.TOO_LATE or one.proposed or one.replaced for one, state in found
    )


def _accepted(
    what: Prescription, action: Action, sealed: SealedMessage | None, to: OdsCode, state: LineState
) -> AcceptedOrder:
    return AcceptedOrder(
        verdict=OrderVerdict(
            outcome=Outcome.HELD if sealed is None else Outcome.TRANSLATED,
            action=action,
            numbers=tuple(OrderNumber(trust_number=one.order_number) for one in what.lines),
            prescription_id=what.id,
            prescription_number=str(what.number),
        ),
        prescription=what,
        message=sealed,
        destination=to,
        state=state,
    )


def _acceptance(
    submission: Submission,
    control: str,
    *,
    orders: tuple[AcceptedOrder, ...] = (),
    cancels: tuple[CancelRequest, ...] = (),
    holds: tuple[HoldRequest, ...] = (),
    tombstones: tuple[Tombstone, ...] = (),
) -> Acceptance:
    return Acceptance(
        submission=submission,
        envelope=Envelope(format=WireFormat.HL7V2, control_id=control),
        verdict=Verdict(outcome=Outcome.TRANSLATED, orders=tuple(order.verdict for order in orders)),
        answer=Answer(body=f"MSA|AA|{control}".encode(), content_type="application/hl7-v2", http_status=200),
        orders=orders,
        cancels=cancels,
        holds=holds,
        tombstones=tombstones,
    )


def _refused(submission: Submission, control: str, code: str) -> Acceptance:
    issue = Issue(code=code, location="", text="Refused.")
    return Acceptance(
        submission=submission,
        envelope=Envelope(format=WireFormat.HL7V2, control_id=control),
        verdict=Verdict(outcome=Outcome.REFUSED, issues=(issue,)),
        answer=refusal(control),
    )


def refusal(control: str) -> Answer:
    """Give the answer to what is refused for good."""
    return Answer(body=f"MSA|AE|{control}".encode(), content_type="application/hl7-v2", http_status=200)
