"""Looking a prescription up by whatever a person has of it, and seeing in the list whom and what was found.

`tenant` limits every question as it does in every other question (I9).

Source: console.md 6.2.
"""

from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Final, Protocol

from gateway.domain.cancel import CancelState
from gateway.domain.identifiers import OdsCode
from gateway.domain.issue import Issue
from gateway.domain.labels import Held
from gateway.domain.prescription import Patient
from gateway.domain.submission import Action, Outcome
from gateway.ports.found import Found

MOST_LISTED: Final = 100
"""Prescriptions of one answer; how many there are is counted beyond that."""
MOST_COUNTED: Final = 10_000
"""As far as is counted: more are said to be more."""
MOST_OWN: Final = 20
"""Messages of one control id that are told."""
MOST_PEOPLE: Final = 10
"""People of one name and birth date that are listed; where there are more, none is (console.md 6.2)."""


class Key(StrEnum):
    """What a value that is sought may be."""

    NHS_NUMBER = "NHS number"
    NUMBER = "prescription ID"
    ORDER_NUMBER = "order number"
    """The trust's own for a line, or for the whole prescription."""
    OTHER_NUMBER = "purchase order or provider's number"
    CONTROL_ID = "message control ID"
    ID = "id"
    """Of a prescription, a line or a message, as a UUID."""
    DIGEST = "digest"
    """SHA-256 of the bytes of a message that came in or went out, in hex."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """One prescription that was found.

    Attributes:
        patient: None where the order could not be read, or no patient could be.
        restricted: the sender asked for more care than every record gets: no address is shown (console.md 6.2).
        since: when its lines last came into the state they are in.
        cancels: where the cancels of its lines stand, those alone that are not answered with a yes.
        held: what it is held for, where it is and that is known.
        holder: who must act next, `gateway.domain.custody.Holder`.
        next_delivery: the day of the next one, agreed or due.
        valid_from: the first day of the prescription, where the prescriber stated one.
    """

    found: Found
    nhs_number: str = field(repr=False)
    patient: Patient | None = None
    restricted: bool = False
    since: datetime
    cancels: tuple[CancelState, ...] = ()
    held: Held | None = None
    holder: str = ""
    act_by: datetime | None = None
    next_delivery: date | None = None
    valid_from: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Hits:
    """What was found.

    Attributes:
        hits: newest first, at most `MOST_LISTED`.
        total: how many there are, counted up to `MOST_COUNTED`.
        archived: lines that were found in the register of what is archived, and are not listed.
    """

    hits: tuple[Hit, ...] = ()
    total: int = 0
    archived: int = 0


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class NameSought:
    """Whom to look for. Last name and birth date are required; what else is stated must agree."""

    family: str
    born: date
    given: str = ""
    postcode: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedHits:
    """What was found by name and birth date.

    Attributes:
        hits: newest first; empty where there are too many.
        people: how many different NHS numbers, counted up to one more than `MOST_PEOPLE`.
        total: how many prescriptions.
        unread_from: from when on prescriptions are not indexed by name yet, and were not looked through; None where
            all are.
    """

    hits: tuple[Hit, ...] = ()
    people: int = 0
    total: int = 0
    unread_from: datetime | None = None

    @property
    def too_many(self) -> bool:
        """Whether more must be stated before anybody is shown."""
        return self.people > MOST_PEOPLE or self.total > MOST_LISTED


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedMessage:
    """A message that was refused, by its control id or by an order number in it.

    Attributes:
        reference: of its row, for the page of messages.
        orders: the trust's order numbers in it.
    """

    reference: int
    tenant: OdsCode
    control_id: str
    received_at: datetime
    orders: tuple[str, ...] = ()
    issues: tuple[Issue, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnOrder:
    """What became of one order of a message when it came.

    Attributes:
        numbers: the trust's order numbers in it; none once the message is in an archive.
    """

    action: Action
    outcome: Outcome
    numbers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnMessage:
    """A trust's own message, as it was taken or refused: it came, whatever became of it.

    Attributes:
        orders: as they were judged when it came; what their lines are now is asked of the lines.
        issues: of the message and of every order, each once; none once it is in an archive.
        archived: all but its key and the answer to it is in an archive.
    """

    control_id: str
    received_at: datetime
    outcome: Outcome
    orders: tuple[OwnOrder, ...] = ()
    issues: tuple[Issue, ...] = ()
    archived: bool = False


class LookingUp(Protocol):
    """Reads of the search box."""

    async def look_up(self, key: Key, value: str, *, tenant: OdsCode | None) -> Hits:
        """Find prescriptions by one value, newest first.

        Raises:
            Unavailable: the store cannot be read.
        """

    async def by_name(self, sought: NameSought, *, tenant: OdsCode | None) -> NamedHits:
        """Find prescriptions by their patient's name and birth date.

        Raises:
            Unavailable: the store cannot be read.
        """

    async def refused(self, value: str, *, tenant: OdsCode | None) -> tuple[RefusedMessage, ...]:
        """Find refused messages by control id or by an order number in them, newest first, at most `MOST_LISTED`.

        Raises:
            Unavailable: the store cannot be read.
        """

    async def own_messages(self, control_id: str, *, tenant: OdsCode) -> tuple[OwnMessage, ...]:
        """Give a trust's own messages by their control id, newest first, at most `MOST_OWN`; none of anybody else's.

        At most one was taken; the others were refused as a whole, for other bytes under a used id or by their envelope.

        Raises:
            Unavailable: the store cannot be read.

        Source:
            reliability-security.md I9, I20.
        """

    async def ever_had(self, provider: OdsCode) -> bool:
        """Tell whether a provider was ever given a line, archived ones too, whatever the configuration knows.

        Raises:
            Unavailable: the store cannot be read.
        """
