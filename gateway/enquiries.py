"""Looking things up: what a person or a partner may see of a prescription, and what the watch must find.

`Enquiries` reads and never writes. Every implementation passes the same contract suite as `gateway.ports.store.Store`.

Source: brief D4; reliability-security.md I3, I9.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Final, Protocol
from uuid import UUID

from gateway.domain.acts import Expiring, Screened
from gateway.domain.books import DayList, Ledger, Listed, Side
from gateway.domain.delivery import DeliveryState
from gateway.domain.identifiers import OdsCode
from gateway.domain.issue import Issue
from gateway.domain.lifecycle import LineState
from gateway.domain.orphans import Standing
from gateway.domain.renewal import RenewalState
from gateway.domain.reroute import HeldPrescription, WrittenOrder
from gateway.ports.attention import AttentionReads
from gateway.ports.audit_trail import AuditTrail
from gateway.ports.board import BoardReads
from gateway.ports.changes import Changes
from gateway.ports.code_maps import CodeMapReads
from gateway.ports.dossier import Dossier, LeafFacts
from gateway.ports.filters import FilterReads
from gateway.ports.found import Found as Found  # noqa: PLC0414 - every list is made of these
from gateway.ports.inspection import Inspection
from gateway.ports.looking_up import LookingUp
from gateway.ports.notices import NoticeReads
from gateway.ports.outages import OutageReads
from gateway.ports.people import PeopleReads
from gateway.ports.proposals import ProposalReads
from gateway.ports.screening import ScreeningReads
from gateway.ports.sessions import SessionReads
from gateway.ports.stated import StatedReads
from gateway.ports.work import News


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryView:
    """One delivery of a line, under its latest holder.

    Attributes:
        issue: which of the line's supplies, from 1.
        owed: a part was supplied and the rest is awaited.
        agreed_first: the first day agreed with the patient, which later agreements do not change.
    """

    issue: int
    state: DeliveryState
    owed: bool = False
    due_on: date | None = None
    agreed_first: date | None = None
    agreed_for: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RenewalView:
    """The latest renewal of a line; `prescription_id` is the new one, once it is named."""

    state: RenewalState
    since: datetime
    prescription_id: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LineView:
    """One line, as a person or a partner may see it."""

    line_id: UUID
    order_number: str
    product: str
    product_code: str
    directions: str
    quantity: str
    state: LineState
    holder: str
    act_by: datetime | None
    epoch: int
    delivered: int
    total_supplies: int
    deliveries: tuple[DeliveryView, ...] = ()
    renewal: RenewalView | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EventView:
    """One event of the history, oldest first."""

    seq: int
    at: datetime
    line_id: UUID | None
    event: str
    state_before: str
    state_after: str
    actor: str
    text: str
    """What was said, how we know it, or why nothing moved."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertView:
    """One alert."""

    id: int
    kind: str
    subject: str
    line_id: UUID | None
    opened_at: datetime
    closed_at: datetime | None
    text: str
    prescription_id: UUID | None = None
    """The prescription of `line_id`, where there is one: what a person opens."""
    medicine: str = ""
    number: str = ""
    """The prescription's number, to tell two of the same medicine apart."""
    closed_by: str = ""
    close_reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PrescriptionView:
    """One prescription with everything that is known of it."""

    found: Found
    control_id: str
    format: str
    patient_name: str
    nhs_number: str
    birth_date: str
    prescriber: str
    lines: tuple[LineView, ...]
    events: tuple[EventView, ...]
    alerts: tuple[AlertView, ...]
    issues: tuple[Issue, ...]
    source: bytes = field(repr=False)
    message: bytes | None = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Overdue:
    """A line past its deadline, or one that must be told at once.

    Attributes:
        issues: codes for which a held line is held.
        closed_before: an alert of the same kind was closed since the line came into its state.
        asked: what its provider was asked and has not answered in time (`cancel`, `hold`, `release` or `reroute`), or
            `reroute-unfinished` where it has, and nobody has the line; `books-out` where the line has no deadline, as
            none should be; empty where the line itself is overdue.
        row: number of the line's row, by which the next page is found.
    """

    line_id: UUID
    state: LineState
    holder: str
    act_by: datetime
    issues: tuple[str, ...] = ()
    closed_before: bool = False
    asked: str = ""
    row: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class PauseView:
    """A destination to which nothing is sent.

    Attributes:
        kind: `by operator`, or the act that must end it.
        begun_by: short name of the person, or of the part of the gateway.
    """

    destination: OdsCode
    kind: str
    begun_at: datetime
    begun_by: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LegalHold:
    """Records that stay whatever their age: of a patient, or of one prescription.

    Attributes:
        nhs_number: the patient's; empty where the hold is of a prescription.
        placed_by: short name of the person.
    """

    number: int
    nhs_number: str = field(repr=False)
    prescription_id: UUID | None
    placed_at: datetime
    placed_by: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """What waits to be sent.

    Attributes:
        total: rows of the outbox that are not finished.
        by_tenant: the same for each trust that has any.
    """

    total: int
    by_tenant: Mapping[OdsCode, int]


MOST_OVERDUE: Final = 500
"""Overdue lines in one answer."""
WATCH: Final = "watch"
"""Name of the watch's heartbeat."""


_SKEW: Final = timedelta(minutes=5)
"""How far clocks may differ (reliability-security.md I17)."""
_DOWN: Final = timedelta(days=1)
"""A gateway that was down for longer has somebody beside it who knows the time."""


def has_stopped(last: datetime | None, *, now: datetime, allowed_seconds: float) -> bool:
    """Tell whether a heartbeat has stopped: it is absent, too old, or lies in a future that the clock has left."""
    return last is None or abs((now - last).total_seconds()) > allowed_seconds


def has_jumped(last: datetime | None, *, now: datetime) -> bool:
    """Tell whether the clock is where it cannot have come to since the watch's last sweep.

    Behind it by more than clocks may differ, or ahead by more than a day.
    """
    return last is not None and not -_SKEW <= now - last <= _DOWN


class Enquiries(
    AttentionReads,
    AuditTrail,
    Changes,
    CodeMapReads,
    Inspection,
    LookingUp,
    NoticeReads,
    FilterReads,
    OutageReads,
    PeopleReads,
    ProposalReads,
    ScreeningReads,
    SessionReads,
    BoardReads,
    StatedReads,
    Protocol,
):
    """Reads. `tenant` limits them: a trust sees its own, a provider its lines (`gateway.domain.sight`), None all.

    A foreign id and one that does not exist give the same answer (I9).
    """

    async def search(
        self, *, tenant: OdsCode | None, nhs_number: str = "", number: str = "", order_number: str = ""
    ) -> tuple[Found, ...]:
        """Find prescriptions by exactly one of NHS number, prescription number, order or group number.

        Newest first, at most 100.
        """

    async def latest(self, *, tenant: OdsCode | None, limit: int) -> tuple[Found, ...]:
        """Give the most recent prescriptions, newest first."""

    async def on_its_way(self, *, provider: OdsCode, limit: int) -> tuple[Found, ...]:
        """Give the prescriptions that a provider may fetch, oldest first.

        Every line that counts is on the wire to it (SENT or UNCERTAIN), and of none a cancel is asked.

        Source: eps.md 1.6; reliability-security.md I7.
        """

    async def prescription(self, prescription_id: UUID, *, tenant: OdsCode | None) -> PrescriptionView | None:
        """Give one prescription with its timeline."""

    async def dossier(
        self, prescription_id: UUID, *, tenant: OdsCode | None
    ) -> tuple[PrescriptionView, Dossier] | None:
        """Give one prescription with its timeline and with all that stands behind it, read in one transaction."""

    async def answer_octets(self, row: int) -> bytes | None:
        """Give a provider's answer as it was received, by its number in a dossier that the asker was given."""

    async def leaf_of(self, event: int) -> LeafFacts | None:
        """Give the leaf of the audit that was written with an event of a history, by the event's number."""

    async def by_control_id(self, control_id: str, *, tenant: OdsCode) -> tuple[Found, ...]:
        """Give what became of a trust's own message."""

    async def news(self, seq: int) -> News:
        """Give what a trust is to be told."""

    async def overdue(
        self, *, now: datetime, after: Overdue | None = None, limit: int = MOST_OVERDUE
    ) -> tuple[Overdue, ...]:
        """Find lines past their act-by time, from the base tables alone, that no open alert of their state names.

        A page at a time, from the first or after the last of the page before; all of them were given once one is empty.
        """

    async def last_beat(self, name: str) -> datetime | None:
        """Tell when a part last said that it had done its work; None if it never did."""

    async def pauses(self) -> tuple[PauseView, ...]:
        """Give the destinations to which nothing is sent, oldest pause first."""

    async def legal_holds(self) -> tuple[LegalHold, ...]:
        """Give the legal holds in force, oldest first."""

    async def waiting(self) -> Waiting:
        """Count what waits to be sent."""

    async def held(
        self,
        *,
        prescription_id: UUID | None = None,
        provider: OdsCode | None = None,
        tenant: OdsCode | None = None,
        movable: bool = False,
        most: int = ...,
    ) -> tuple[HeldPrescription, ...]:
        """Give what is open under a prescription's id, or of a provider: who holds each line, and what was said of it.

        Oldest first. With a provider, only the lines that are or were last its own, of one trust or of all, and at most
        so many prescriptions; if wished, only those with a line that may go to another (`fence.MOVABLE`).

        Raises:
            ValueError: not exactly one of the two is given.
        """

    async def revoked(self) -> tuple[HeldPrescription, ...]:
        """Give every prescription with a line that its holder gave up for a re-route, and nobody has yet."""

    async def screened(self, prescription_id: UUID, *, tenant: OdsCode | None = None) -> Screened | None:
        """Give what waits for screening under a prescription's id, of one trust or of any; None where nothing does."""

    async def expiring(self, *, now: datetime) -> tuple[Expiring, ...]:
        """Give open lines whose validity is over, oldest first, unless a person was told or a cancel is under way."""

    async def standing(self) -> tuple[Standing, ...]:
        """Give every open line, in groups that stand alike, for the check of a configuration."""

    async def configuration_in_force(self) -> tuple[str, str, datetime] | None:
        """Give the digest and the version of the configuration the store runs under, and since when."""

    async def written(self, key: int) -> WrittenOrder:
        """Give what the message of a held prescription is written from; `KeyError` if there is no such one."""

    async def open_alerts(self, *, tenant: OdsCode | None, limit: int) -> tuple[AlertView, ...]:
        """Give open alerts: safety incidents first, and otherwise the oldest first."""

    async def books(self) -> dict[str, int]:
        """Count distinct prescriptions by what became of them.

        Keys: submitted, accepted, refused, held, sent, acknowledged, rejected, delivered, closed, open, alerted.

        `submitted = accepted + refused`, `accepted = delivered + closed + open`; `alerted` counts open ones with an
        open alert (brief 5).
        """

    async def ledger(self, *, day: date | None, now: datetime) -> Ledger:
        """Give the books of every party and day, or of one day, and everything that does not balance (I20)."""

    async def listed(self, party: OdsCode, *, side: Side, day: date) -> DayList:
        """Give what went between the gateway and one party on a day in London, for the party to compare."""

    async def listed_as(self, party: OdsCode, *, side: Side, names: Sequence[str]) -> Mapping[tuple[str, int], Listed]:
        """Give what there is of one party under these names, of whatever day, by name and epoch."""

    async def ready(self) -> dict[str, str]:
        """Tell the state of the store's own settings, for the readiness check; raises `Unavailable`."""
