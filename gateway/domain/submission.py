"""What a trust posted, before we believe it; what we made of it; and what we answered."""

import hashlib
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from http import HTTPStatus
from uuid import UUID

from gateway.domain.cancel import CancelState
from gateway.domain.code_map import UnknownCode
from gateway.domain.coding import Coding
from gateway.domain.hold import HoldState
from gateway.domain.identifiers import OdsCode, derived_id
from gateway.domain.issue import Issue
from gateway.domain.lifecycle import LineState
from gateway.domain.partner import Environment
from gateway.domain.prescription import Prescription, Professional
from gateway.domain.trace import Leftover, TraceRow


class WireFormat(StrEnum):
    """The formats a trust may speak."""

    HL7V2 = "hl7v2"
    XML = "xml"
    FHIR = "fhir"


@dataclass(frozen=True, slots=True, kw_only=True)
class TooLarge:
    """What was seen of a body that passed the size limit.

    Attributes:
        length: bytes read before the door gave up; the whole body unless `cut_off`.
        digest: SHA-256 of those bytes, in hex.
        cut_off: the sender had more to send.
    """

    length: int
    digest: str
    cut_off: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """The bytes a trust posted.

    Attributes:
        tenant: the trust, from the credential; never from the message.
        received_at: aware; the only clock that reading the message may see.
        idempotency_key: the request's Idempotency-Key; it names a submission that has no name of its own.
        detached_signature: the prescriber's signature over these bytes, where it came beside them (X-JWS-Signature).
        too_large: what is known of bytes that passed the size limit and were not held in memory; `body` is then empty.
    """

    tenant: OdsCode
    format: WireFormat
    body: bytes = field(repr=False)
    content_type: str = ""
    received_at: datetime
    idempotency_key: str = ""
    detached_signature: bytes = field(repr=False, default=b"")
    too_large: TooLarge | None = None
    _digests: list[str] = field(init=False, repr=False, compare=False, default_factory=list)
    """The digest, once somebody has asked for it."""

    @property
    def digest(self) -> str:
        """SHA-256 of the bytes, in hex."""
        if not self._digests:
            self._digests.append(self.too_large.digest if self.too_large else hashlib.sha256(self.body).hexdigest())
        return self._digests[0]

    @property
    def length(self) -> int:
        """How many bytes were sent."""
        return self.too_large.length if self.too_large else len(self.body)

    @property
    def id(self) -> UUID:
        """An id that depends on the sender and the bytes alone."""
        return derived_id("submission", self.tenant.value, self.digest)


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """What a message says of itself: enough to answer it and to recognise it again.

    Attributes:
        control_id: MSH-10, `@messageId` or `Bundle.identifier`: the sender's name for this submission.
        message_type: `RDE^O11^RDE_O11`, `new`, `prescription-order`.
        accept_ack: MSH-15; empty in original mode.
        application_ack: MSH-16; empty in original mode.
    """

    format: WireFormat
    control_id: str
    sender: OdsCode | None = None
    system: str = ""
    sent_at: datetime | None = None
    environment: Environment | None = None
    message_type: str = ""
    version: str = ""
    accept_ack: str = ""
    application_ack: str = ""

    @property
    def enhanced(self) -> bool:
        """Whether the sender asked for HL7 enhanced acknowledgement mode."""
        return bool(self.accept_ack or self.application_ack)


class Action(StrEnum):
    """What the sender wants done with one prescription."""

    NEW = "new"
    CANCEL = "cancel"
    REPLACE = "replace"
    HOLD = "hold"
    RELEASE = "release"
    RENEWAL_REQUEST = "renewal-request"
    STATUS_QUERY = "status-query"
    NUMBER_REQUEST = "number-request"
    PATIENT_UPDATE = "patient-update"


class Outcome(StrEnum):
    """The five outcomes; there is no sixth (mapping.md 2.3)."""

    TRANSLATED = "translated"
    HELD = "held"
    REFUSED = "refused"
    DUPLICATE = "duplicate"
    TASK = "task"


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderNumber:
    """The numbers one order is known by: what the answer to the sender must repeat (ORC-2, ORC-3, ORC-4)."""

    trust_number: str
    assigner: str = ""
    location: str = ""
    order_control: str = ""
    """ORC-1 as sent, where there is one."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Change:
    """What a cancel, a change, a hold or a release refers to, and why.

    Attributes:
        orders: the trust's order numbers of the lines meant; for a change, in the order of the new lines.
        items: their prescription-order-item-numbers, where the sender gave those.
        prescription_id: the whole prescription is meant where no item is named.
        reason: one of the codes 0001 to 0009 (eps.md 6.6); None where none was sent or it is not mapped.
        reason_text: the sender's words.
        product_code: the product the sender believes the order to be for; checked where it is said.
        by: who asks, where it is not the prescriber of the order.
    """

    orders: tuple[OrderNumber, ...] = ()
    items: tuple[UUID, ...] = ()
    prescription_id: UUID | None = None
    location: str = ""
    reason: Coding | None = None
    reason_text: str = ""
    product_code: str = ""
    by: Professional | None = None


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Notice:
    """Something a person is to look at: a task, never a prescription, and it edits nothing that was signed.

    Attributes:
        kind: `renewal-requested`, `patient-died`, `patient-merged`, `patient-updated`.
        text: words for people; never patient data.
        nhs_numbers: the patients whose open lines it concerns.
        orders: of the trust's own numbers; for a renewal, the orders that it is asked of.
        always: told even where no open line is concerned.
    """

    kind: str
    text: str
    nhs_numbers: tuple[str, ...] = ()
    orders: tuple[str, ...] = ()
    always: bool = False


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Order:
    """One prescription's worth of a submission, as read.

    Attributes:
        prescription: None when an issue kept it from being completed. A held order may have none: nothing that is
            half understood is passed on.
        provider_location: where the sender named the provider, or would have.
        trace: one row for every value of the prescription.
        searchable: what a person may look a held order up by, where it could be read.
        change: what an order that is not new refers to.
    """

    action: Action
    numbers: tuple[OrderNumber, ...]
    prescription: Prescription | None
    issues: tuple[Issue, ...] = ()
    trace: tuple[TraceRow, ...] = ()
    provider_location: str = ""
    nhs_number: str = ""
    group_number: str = ""
    change: Change | None = None
    notice: Notice | None = None
    needs_review: bool = False
    """The sender asks that a person look at it before it goes (RXE-20), whatever checks it carries."""
    unknown: tuple[UnknownCode, ...] = ()
    """Codes in it that no table and no entry reads."""
    standing: bool = False
    """Its shape says how the order stands and not that it is new: a FHIR resource that is no message."""

    def with_issues(self, further: tuple[Issue, ...]) -> "Order":
        """Give the order with further issues, after its own; the order itself where there are none."""
        return replace(self, issues=(*self.issues, *further)) if further else self


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Reading:
    """A whole submission as read.

    Attributes:
        issues: those that concern the message as a whole; one that refuses, refuses every order.
        leftovers: every input value that no output value comes from.
        unaccounted: locators of input values in no trace row and no leftover. Always empty, or nothing is sealed.
    """

    envelope: Envelope
    orders: tuple[Order, ...] = ()
    issues: tuple[Issue, ...] = ()
    leftovers: tuple[Leftover, ...] = ()
    unaccounted: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where an order stands that was asked about.

    Attributes:
        state: of its line; None where no order is known under the number.
        prescription_number: what the prescription is known by at the provider; empty where there is none.
    """

    number: OrderNumber
    state: LineState | None
    prescription_number: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderVerdict:
    """What became of one order: told to the sender, line by line.

    Attributes:
        cancel: where the cancel stands that the order asked for, the least certain of its lines; NONE where it asked
            for none.
        hold: the same of the hold or the release it asked for.
        standings: the answer to a question, one for each number that was asked about.
    """

    outcome: Outcome
    action: Action
    numbers: tuple[OrderNumber, ...]
    issues: tuple[Issue, ...] = ()
    prescription_id: UUID | None = None
    prescription_number: str = ""
    cancel: CancelState = CancelState.NONE
    hold: HoldState = HoldState.NONE
    standings: tuple[Standing, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What became of a submission.

    Attributes:
        outcome: refused if every order was; else held if any is held; else translated.
        issues: message-level issues, then each order's, in order.
        stored: whether the submission was kept under its control id (HL7 commit CA); False for the unreadable (CR).
    """

    outcome: Outcome
    issues: tuple[Issue, ...] = ()
    orders: tuple[OrderVerdict, ...] = ()
    stored: bool = True

    @property
    def commit(self) -> str:
        """HL7 table 0008, enhanced mode, accept level: CA or CR."""
        return "CA" if self.stored else "CR"

    @property
    def application(self) -> str:
        """HL7 table 0008, application level: AA, AE or AR (D10)."""
        if self.outcome is not Outcome.REFUSED:
            return "AA"
        return "AR" if not self.stored or any(issue.row.retryable for issue in self.issues) else "AE"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What goes back to the sender on the same connection.

    Attributes:
        later: an application answer to send as initiator, in HL7 enhanced mode; None otherwise.
    """

    body: bytes = field(repr=False)
    content_type: str
    http_status: int
    later: bytes | None = field(default=None, repr=False)

    @property
    def taken(self) -> bool:
        """Whether it tells the sender that the gateway holds the message."""
        return self.http_status < HTTPStatus.MULTIPLE_CHOICES
