"""One submission with everything that is committed with its answer.

Source: brief D3; mapping.md 7 to 9.
"""

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from gateway.domain.cancel import CancelState
from gateway.domain.code_map import UnknownCode
from gateway.domain.hold import HoldKind, HoldState
from gateway.domain.identifiers import OdsCode
from gateway.domain.lifecycle import LineState
from gateway.domain.message import SealedMessage
from gateway.domain.prescription import Prescription
from gateway.domain.submission import Answer, Envelope, Notice, OrderVerdict, Submission, Verdict
from gateway.domain.trace import Leftover, TraceRow


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredAnswer:
    """The first answer to a control id, for repeats (I6)."""

    digest: str
    """SHA-256 of the bytes that were answered."""
    answer: Answer


class OvertakenError(Exception):
    """A line has moved since it was looked at; nothing was stored. Look again: the answer would not be true."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownLine:
    """A line already held under an order number or item id.

    Attributes:
        prescription: as it was accepted; None where it could not be completed.
        message_id: Bundle.identifier of the order message written for it, whether or not it left.
        destination: the provider that message is for.
        cancel: where a cancel of it stands.
        replaced: a change has taken its order number over.
        proposed: it is a change that is held; the order it would replace is still in force.
        before: the state a line that is queried or on hold comes back to.
        hold: what was last asked of its provider, a hold or a release, and is not answered yet.
        elsewhere: after a restore a provider stated that it has the line, which is not the one it is for here; or the
            one that it was for says that it has it, and it is nobody's here.
        order_assigner: whose order number it is, as it was sent; empty if not said.
    """

    line_id: UUID
    prescription_id: UUID
    order_number: str
    product_code: str
    state: LineState
    nhs_number: str
    group_number: str
    prescription: Prescription | None = None
    message_id: UUID | None = None
    destination: OdsCode | None = None
    epoch: int = 0
    cancel: CancelState = CancelState.NONE
    replaced: bool = False
    proposed: bool = False
    before: LineState | None = None
    hold: HoldKind | None = None
    elsewhere: bool = False
    order_assigner: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelRequest:
    """The cancel of one line, as it is to be stored.

    Attributes:
        seen: the line's state when the answer was written, under a hold if there is one; another kind of state by then
            is `OvertakenError`.
        state: CONFIRMED where nothing is on the wire or the provider has given it back, ASKED otherwise.
        message: the sealed `prescription-order-update`; None where there is nothing to send.
        replaced_by: the line that takes its order number over, for a change.
        elsewhere: a provider that cannot be asked from here stated that it has the line (see `KnownLine`).
    """

    line_id: UUID
    seen: LineState
    state: CancelState
    reason_code: str = ""
    reason: str = ""
    message: SealedMessage | None = None
    replaced_by: UUID | None = None
    elsewhere: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldRequest:
    """A hold or a release of one line, as it is to be stored.

    Attributes:
        seen: the line's state when the answer was written, `beneath` the state under a hold, and `open_request` what
            waited for an answer then; where one of them is another by now it is `OvertakenError`.
        state: CONFIRMED where nothing is on the wire, ASKED otherwise.
        message: the sealed `prescription-order-update`; None where there is nothing to send.
    """

    line_id: UUID
    kind: HoldKind
    seen: LineState
    beneath: LineState
    open_request: HoldKind | None
    state: HoldState
    reason_code: str = ""
    reason: str = ""
    message: SealedMessage | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tombstone:
    """A cancel that came before its order. Either the order's number or its item id names it."""

    order_number: str = ""
    order_assigner: str = ""
    item: UUID | None = None
    prescription_id: UUID | None = None
    reason_code: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AcceptedOrder:
    """One order as it is to be stored.

    Attributes:
        prescription: None for a held order that could not be completed, which is stored with its issues alone.
        message: None when held.
        destination: the provider's ODS code; None when held before one was chosen.
        state: HELD, AWAITING_SCREENING or READY: what its lines become, by the lifecycle table.
        supersedes: lines (HELD, never sent) that this corrected order replaces.
        waits_for: lines whose cancel must be confirmed before the message may leave (a change).
        nhs_number: and `group_number`: to find a held order by.
        unknown: codes in it that nothing here reads.
        entries: versions of approved entries that it was read by; nothing is sealed by one that was taken back.
        paper_follows: it was sealed with the words that a signed paper original follows (D8).
    """

    verdict: OrderVerdict
    prescription: Prescription | None
    message: SealedMessage | None = None
    destination: OdsCode | None = None
    state: LineState
    trace: tuple[TraceRow, ...] = ()
    supersedes: tuple[UUID, ...] = ()
    waits_for: tuple[UUID, ...] = ()
    nhs_number: str = ""
    group_number: str = ""
    unknown: tuple[UnknownCode, ...] = ()
    entries: tuple[str, ...] = ()
    paper_follows: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Acceptance:
    """Everything that commits together when a submission is answered (D3).

    Attributes:
        orders: those not refused. A refused submission has none, and is stored with its answer all the same.
        cancels: applied before the orders, so that a change may take a number over.
        holds: holds and releases, applied after the cancels.
        later: whether `answer.later` is to be sent through the outbox.
    """

    submission: Submission
    envelope: Envelope
    verdict: Verdict
    answer: Answer
    orders: tuple[AcceptedOrder, ...] = ()
    cancels: tuple[CancelRequest, ...] = ()
    holds: tuple[HoldRequest, ...] = ()
    tombstones: tuple[Tombstone, ...] = ()
    notices: tuple[Notice, ...] = ()
    leftovers: tuple[Leftover, ...] = ()


class Refused(StrEnum):
    """Why input was kept apart, outside the table of submissions."""

    UNREADABLE = "unreadable"
    CLASH = "clash"
