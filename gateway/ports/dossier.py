"""What stands behind a prescription's page: each message, transmission, answer and delivery, and its proof.

It adds to what `gateway.enquiries.PrescriptionView` says; both are read in one transaction, so that they agree.

Source: console.md 6.3; reliability-security.md 7.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from uuid import UUID

from gateway.domain.cancel import CancelState
from gateway.domain.identifiers import OdsCode
from gateway.domain.prescription import Prescription
from gateway.ports.late import Unsent


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmissionFacts:
    """The trust's message that the order came in.

    Attributes:
        row: its number, for the page of messages.
        digest: SHA-256 of its bytes, in hex.
        length: of its bytes; nothing where they are in an archive.
        system: what the sender calls its own system, if it says so.
    """

    row: int
    control_id: str
    format: str
    content_type: str
    received_at: datetime
    digest: str
    length: int
    system: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptFacts:
    """One step of one transmission.

    Attributes:
        outcome: `on_wire`, `taken`, `refused`, `try_later` or `in_doubt`.
        evidence: what the transport gave as proof, as received.
    """

    number: int
    at: datetime
    outcome: str
    reason: str
    evidence: bytes = field(repr=False, default=b"")


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageFacts:
    """One message that was written and sealed.

    Attributes:
        queued: number of its row in the queue, for the page of messages; None where none was ever queued.
        event: its kind, `gateway.domain.message.MessageEvent`.
        digest: SHA-256 of the sealed bytes, in hex.
        state: of its transmission; empty where none was ever queued.
        next_at: when it is tried next; None where it is not.
    """

    id: UUID
    event: str
    destination: OdsCode
    epoch: int
    digest: str
    key_id: str
    made_at: datetime
    not_valid_after: datetime
    length: int
    queued: int | None = None
    state: str = ""
    next_at: datetime | None = None
    attempts: tuple[AttemptFacts, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerFacts:
    """One answer of a provider, as it was kept.

    Attributes:
        row: its number, for the page of messages.
        answer_id: the provider's own name for it.
        correlation: the message it says it answers.
    """

    row: int
    destination: OdsCode
    received_at: datetime
    digest: str
    length: int
    answer_id: str = ""
    correlation: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EventFacts:
    """What an event of the history rests on.

    Attributes:
        answer: row of the provider's answer that said so.
        provider: whom it was about.
        text: in our words, without what the provider said.
    """

    answer: int | None
    provider: OdsCode | None
    epoch: int | None
    moved: bool
    reason_code: str = ""
    reason: str = ""
    amount: str = ""
    unit: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryStep:
    """One event of one delivery.

    Attributes:
        source: number of the line's event that it came with.
        text: of that event, where there is one: the batch, when it was supplied.
        answered: the step rests on a provider's own answer.
    """

    line_id: UUID
    issue: int
    at: datetime
    event: str
    state_after: str
    source: int | None = None
    text: str = ""
    amount: str = ""
    unit: str = ""
    answered: bool = False


class Link(StrEnum):
    """How another prescription is linked to this one."""

    REPLACES = "Replaces"
    REPLACED_BY = "Replaced by"
    RENEWED_BY = "Renewed by"
    SAME_GROUP = "Ordered together with"


@dataclass(frozen=True, slots=True, kw_only=True)
class Linked:
    """Another prescription, linked to this one; `number` is empty where it is not held here."""

    how: Link
    prescription_id: UUID
    number: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dossier:
    """All of it.

    Attributes:
        document: as read; None where the order could not be completed.
        events: what each event of the history rests on, by its number.
        cancels: where the cancel of each line stands, where one was asked.
        facts: values that were traced to their place in the source.
        unsent: of each line that is ready and has not left, where its sending stands; None where nothing is queued. A
            provider is told nothing of it.
        stated_numbers: purchase order numbers kept for it, of the message or stated by a person since.
    """

    document: Prescription | None = field(repr=False)
    submission: SubmissionFacts
    messages: tuple[MessageFacts, ...] = ()
    answers: tuple[AnswerFacts, ...] = ()
    events: Mapping[int, EventFacts] = field(default_factory=lambda: MappingProxyType({}))
    steps: tuple[DeliveryStep, ...] = ()
    cancels: Mapping[UUID, CancelState] = field(default_factory=lambda: MappingProxyType({}))
    linked: tuple[Linked, ...] = ()
    facts: int = 0
    unsent: Mapping[UUID, Unsent | None] = field(default_factory=lambda: MappingProxyType({}))
    stated_numbers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LeafFacts:
    """The leaf of the audit that was written with an event.

    Attributes:
        hash: RFC 9162 leaf hash, in hex.
        of: leaves there are by now.
    """

    number: int
    at: datetime
    hash: str
    of: int
