"""Messages as they were received, sent and answered: what an engineer looks up, byte for byte.

Every message has one opaque name, made of the way it went and a number: `in-12` a trust posted, `apart-3` has no place
among the submissions, `out-77` left through the outbox, `answer-9` a provider posted.

Source: console.md 6.7; reliability-security.md I1, I8, I9, I11.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final, Protocol
from uuid import UUID

from gateway.domain.identifiers import OdsCode
from gateway.domain.issue import Issue
from gateway.domain.prescription import Prescription
from gateway.domain.submission import Answer, Envelope, Verdict
from gateway.domain.trace import Leftover, TraceRow


class Channel(StrEnum):
    """The way a message went."""

    RECEIVED = "in"
    """A trust posted it, and it was answered and kept under its control id."""
    APART = "apart"
    """Somebody posted it, and it has no place among the submissions: unreadable, or another's control id."""
    SENT = "out"
    """It leaves through the outbox: to a provider, or to a trust that is told something."""
    ANSWER = "answer"
    """A provider posted it, or said it in its response."""


_MOST_DIGITS: Final = 19
_NAME: Final = re.compile(r"(in|apart|out|answer)-([1-9][0-9]{0,17})", re.ASCII)


@dataclass(frozen=True, slots=True, order=True)
class MessageId:
    """The opaque name of one message."""

    channel: Channel
    number: int

    @classmethod
    def parse(cls, text: str) -> "MessageId | None":
        """Read a name; None for anything else."""
        found = _NAME.fullmatch(text)
        return cls(Channel(found[1]), int(found[2])) if found else None

    def __str__(self) -> str:
        """Give the name as it stands in addresses."""
        return f"{self.channel}-{self.number}"


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageRow:
    """One message in a list.

    Attributes:
        at: when it was received, or put in the outbox.
        partner: who sent it, or whom it is for.
        kind: message type as the sender named it, the event of ours, or `news`; empty where nothing is known.
        control_id: the sender's name for it, our message's id, or the answer's own id.
        outcome: what became of it (`OUTCOMES`).
        issues: codes, each once.
        warned: whether any of them, or nothing worse than them, is a warning.
        size: bytes.
        attempts: how often it was begun to be sent.
        state: of the outbox's row; empty for what was received.
        digest: SHA-256 of its bytes, in hex, where one is kept.
    """

    id: MessageId
    at: datetime
    partner: str
    kind: str
    control_id: str
    form: str
    outcome: str
    issues: tuple[str, ...] = ()
    warned: bool = False
    size: int = 0
    attempts: int = 0
    state: str = ""
    digest: str = ""


OUTCOMES: Final = (
    "translated",
    "held",
    "refused",
    "task",
    "unreadable",
    "clash",
    "not sent yet",
    "taken",
    "try_later",
    "in_doubt",
    "on_wire",
    "moved",
    "changed nothing",
    "not understood",
)
"""What a list may be narrowed to. Of what is sent, `refused` too: by whoever it was for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a list is narrowed to; an empty member narrows nothing.

    Attributes:
        partner: ODS code.
        kind: the beginning of the message type.
        since: inclusive; `until` exclusive.
        warned: only what has a warning.
    """

    channel: Channel | None = None
    partner: str = ""
    kind: str = ""
    outcome: str = ""
    issue: str = ""
    warned: bool = False
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Below:
    """Where a list goes on: of each way, only what has a lower number than this; 0 where a way is at its end."""

    numbers: Mapping[Channel, int]

    @classmethod
    def parse(cls, text: str) -> "Below | None":
        """Read one from an address; None for anything else."""
        parts = text.split(".")
        if len(parts) != len(Channel) or not all(
            part.isascii() and part.isdigit() and len(part) < _MOST_DIGITS for part in parts
        ):
            return None
        return cls(numbers=dict(zip(Channel, map(int, parts), strict=True)))

    def __str__(self) -> str:
        """Give it for an address."""
        return ".".join(str(self.numbers.get(channel, 0)) for channel in Channel)


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageList:
    """A part of a list, newest first.

    Attributes:
        further: where it goes on; None at its end.
        looked_back_to: where the search stopped before the list was full, because it had looked at enough; what is
            older was not looked at.
    """

    rows: tuple[MessageRow, ...]
    further: Below | None = None
    looked_back_to: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """One attempt to send.

    Attributes:
        began: when the first byte was about to leave; None where the attempt ended before.
        ended: None while nobody knows.
        fenced: the sender's lease had run out: kept as evidence, and it changed nothing.
        evidence: what came back, as received.
    """

    number: int
    began: datetime | None
    ended: datetime | None
    outcome: str
    fenced: bool
    reason: str
    evidence: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sealed:
    """A message of ours as it was sealed, whether or not it left.

    Attributes:
        sent: its row of the outbox; None where it never was there.
    """

    id: UUID
    event: str
    destination: str
    epoch: int
    digest: str
    key_id: str
    created_at: datetime
    body: bytes = field(repr=False)
    sent: MessageId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Traced:
    """One order of a submission: what was understood, by the trace that was stored with it, and what was sealed."""

    prescription_id: UUID
    action: str
    number: str
    nhs_number: str = field(repr=False)
    states: tuple[str, ...]
    issues: tuple[Issue, ...]
    trace: tuple[TraceRow, ...] = field(repr=False)
    document: Prescription | None = field(repr=False)
    sealed: tuple[Sealed, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Happened:
    """An event of a line that an answer brought about, or left as it was."""

    seq: int
    at: datetime
    line_id: UUID
    prescription_id: UUID
    event: str
    moved: bool
    state_before: str
    state_after: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Transmitted:
    """One row of the outbox with its attempts.

    Attributes:
        next_at: when it is tried next; None where it is not.
        possible_duplicate: an earlier attempt may have arrived.
        withheld: a line of it is on hold.
    """

    row: MessageRow
    message_id: UUID
    tried: tuple[Tried, ...]
    next_at: datetime | None = None
    possible_duplicate: bool = False
    withheld: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """A provider's answer, and what it was matched to.

    Attributes:
        answers: the message that it names, or was the response to; None where it is none of ours.
        happened: what it did to lines, or why it did nothing.
        alerts: what a person was told because of it.
    """

    row: MessageRow
    body: bytes = field(repr=False)
    content_type: str
    correlation: UUID | None
    answers: MessageId | None
    issues: tuple[Issue, ...]
    happened: tuple[Happened, ...]
    alerts: tuple[tuple[str, str], ...]
    archived: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """A trust's message with everything that came of it.

    Attributes:
        archived: its bytes were moved to an archive.
        configuration: version in force when it came; empty where none is recorded.
    """

    row: MessageRow
    body: bytes = field(repr=False)
    content_type: str
    envelope: Envelope | None
    verdict: Verdict | None
    leftovers: tuple[Leftover, ...] = field(repr=False)
    answer: Answer
    orders: tuple[Traced, ...]
    transmitted: tuple[Transmitted, ...]
    answered: tuple[Answered, ...]
    archived: bool = False
    configuration: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptApart:
    """Input with no place among the submissions; `body` is None where only its length and digest were kept."""

    row: MessageRow
    body: bytes | None = field(repr=False)
    content_type: str
    issues: tuple[Issue, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A message that leaves through the outbox.

    Attributes:
        octets: what goes on the wire; None for news that has yet to be written.
        sealed: the message of ours; None for what a trust is told.
        received: the submission that it was written for.
    """

    transmitted: Transmitted
    octets: bytes | None = field(repr=False)
    content_type: str
    sealed: Sealed | None
    prescription_id: UUID | None
    received: MessageId | None
    answered: tuple[Answered, ...]


MessageView = Received | KeptApart | Sent | Answered


class Inspection(Protocol):
    """Reads of messages. `tenant` narrows them to a trust's own: of answers, those about its lines; None sees all."""

    async def messages(
        self, *, tenant: OdsCode | None, wanted: Wanted, below: Below | None = None, limit: int = 50
    ) -> MessageList:
        """List messages, newest first, after looking at a bounded number of rows."""

    async def message(self, message_id: MessageId, *, tenant: OdsCode | None) -> MessageView | None:
        """Give one message; None for a foreign one as for one that does not exist (I9)."""

    async def messages_named(self, text: str, *, tenant: OdsCode | None) -> tuple[MessageRow, ...]:
        """Find messages by exactly one thing: control id, digest, message id, answer id, prescription id or own name.

        Newest first, at most 100.
        """

    async def configurations(self) -> tuple[tuple[str, datetime], ...]:
        """Give every version of the configuration there was, with the time from which it was in force, oldest first."""
