"""What needs attention, and who works on it: what the store promises of the list and of the acts on its rows.

Source: console.md 6.1; reliability-security.md I3 (nothing is lost in silence), I9.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Protocol
from uuid import UUID

from gateway.domain.alert import Soon
from gateway.domain.alert_kinds import about
from gateway.domain.cancel import CancelState
from gateway.domain.cover import Cover
from gateway.domain.deadline import Urgency
from gateway.domain.identifiers import OdsCode
from gateway.domain.lifecycle import LineState
from gateway.domain.work_item import Reason, ReasonRow, Standing
from gateway.ports.late import Stage, Unsent

NO_SUCH_ITEM: Final = "there is no such item"
"""Why nothing was done with an item that is another's, or nobody's (I9)."""
PAGE: Final = 25
"""Rows of one page."""
DEEPEST: Final = 1_000
"""Rows that can be paged through; beyond them the list must be narrowed."""
MOST_COUNTED: Final = 100
"""Where the counts of the navigation and of the providers' board stop."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AttentionQuery:
    """Which rows are wanted.

    Attributes:
        taken_by: only what this person has taken; empty for all.
        provider: only what is about this provider's lines.
        reason: only rows that are here for this reason; the reasons of held lines count as one.
        days_under: only rows with fewer days of medicine left, or with a number that is not known.
        silent_of: only what the silence of this provider explains: the rows of a group.
        first: how many rows to leave out.
        grouped: lines that one provider's silence explains are one row.
    """

    taken_by: str = ""
    provider: OdsCode | None = None
    reason: Reason | None = None
    days_under: int | None = None
    silent_of: OdsCode | None = None
    first: int = 0
    size: int = PAGE
    grouped: bool = True

    @property
    def alerts_only(self) -> bool:
        """Whether no line without an alert can be meant: nobody can have taken it, and silence is an alert's cause."""
        return bool(self.taken_by or self.silent_of)

    @property
    def narrows(self) -> bool:
        """Whether anything is left out; then nothing is grouped either."""
        return bool(self.taken_by or self.provider or self.reason or self.silent_of) or self.days_under is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class LineOnList:
    """What a row says of the line it is about; a person's data, never logged.

    Attributes:
        needs: what that provider has stated that a supply takes; None where nothing is.
        first_sent_at: when the provider that has it was first sent it; None where it never left.
        unsent: where its sending stands, of a line that is ready and has not left; None where nothing is queued.
        stage: of a line that is being supplied, the first supply that is not made.
    """

    line_id: UUID
    prescription_id: UUID
    number: str
    order_number: str
    tenant: OdsCode
    provider: OdsCode | None
    state: LineState
    urgency: Urgency
    cancel: CancelState
    patient_name: str = field(repr=False)
    nhs_number: str = field(repr=False)
    birth_date: str = field(repr=False)
    medicine: str
    directions: str
    quantity: str
    risk_class: str
    cover: Cover
    entered_at: datetime
    needs: timedelta | None = None
    first_sent_at: datetime | None = None
    unsent: Unsent | None = None
    stage: Stage | None = None
    said: str | None = field(default=None, repr=False)
    """The provider's own words for where it stands; empty where it gave none, None where it said nothing to it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpaqueLine:
    """What whoever runs the gateway is told of the line that an alert is about: where it is, and nothing of a patient.

    Attributes:
        prescription_id: opaque; what a command line asks for.
        unsent: as of `LineOnList`, without what a provider's system said.
    """

    prescription_id: UUID
    tenant: OdsCode
    provider: OdsCode | None
    state: LineState
    urgency: Urgency
    entered_at: datetime
    unsent: Unsent | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Also:
    """Another alert of the same line."""

    alert: int
    kind: str
    reason: Reason
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkItem:
    """One row: an open alert with everything else that is open for its line, or a line that waits without one.

    Attributes:
        alert: number of the alert; None where a line waits without one, and only its next step can be taken.
        kind: of the alert; empty without one.
        standing: what its place in the order comes from.
        taken_by: short name of who has taken it, or was handed it; empty for nobody.
        taken_at: when; None where nobody has taken it yet, whoever was handed it.
        opaque: its line, for whoever runs the gateway; then `line` is None.
        tenant: the trust that sees it too; None where none does, or that was not asked.
        settled: its line has left the state that it is about, and nothing but its closing is left.
        held_for: codes of the issues for which the line is held.
        held_words: what they say.
    """

    alert: int | None
    kind: str
    reason: Reason
    text: str
    standing: Standing
    taken_by: str = ""
    taken_at: datetime | None = None
    snoozed_until: datetime | None = None
    closed_at: datetime | None = None
    line: LineOnList | None = None
    opaque: OpaqueLine | None = None
    tenant: OdsCode | None = None
    settled: bool = False
    held_for: tuple[str, ...] = ()
    held_words: tuple[str, ...] = ()
    also: tuple[Also, ...] = ()

    @property
    def subject(self) -> str:
        """Opaque name of what it is about."""
        return str(self.alert if self.alert is not None else self.line and self.line.line_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class SilentProvider:
    """Many rows with one cause: nothing has come from a provider's system since before they were late.

    Attributes:
        lines: how many.
        since: when the first of them became late.
        heard_at: when anything last came from the provider; None if nothing ever did.
    """

    provider: OdsCode
    lines: int
    since: datetime
    heard_at: datetime | None
    standing: Standing


@dataclass(frozen=True, slots=True, kw_only=True)
class Attention:
    """One page of the list.

    Attributes:
        rows: in order, most dangerous first.
        total: how many rows there are, those of a group as one; not more than `DEEPEST`.
        more: there are more than can be paged through.

    """

    rows: tuple[WorkItem | SilentProvider, ...]
    total: int
    more: bool = False


@dataclass(frozen=True, slots=True)
class Place:
    """One row of the list before it is read: of an alert, or of a line that waits without one.

    Attributes:
        number: of the alert, or of the line.
        reason: why the line waits; None of an alert.
        due_by: of a line that waits for a booking: until when its next supply must be due; None of any other.
    """

    number: int
    reason: Reason | None = None
    due_by: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Which rows a part of the list has, in its order, at one moment.

    Attributes:
        more: the list is longer than `DEEPEST` rows.
        speaks_at: the clock, where each is read as the alert that speaks for its line, and not as the one named.
    """

    rows: tuple[Place, ...]
    more: bool
    speaks_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Whose:
    """Whose a prescription is, and what it is for; a person's data, never logged.

    Attributes:
        patient_name: empty where it could not be read.
    """

    patient_name: str = field(repr=False)
    nhs_number: str = field(repr=False)
    medicines: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Aliveness:
    """What proves that an empty list is one.

    Attributes:
        open: prescriptions that are open, up to ten thousand.
        oldest_unanswered: when the oldest message was sent that nobody has answered.
    """

    open: int
    oldest_unanswered: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A call to somebody, as whoever made it wrote it down: stated evidence.

    Attributes:
        person: who spoke, and for whom, in words.
        spoken_at: when.
        words: what they said.
        days_at_home: days of medicine the patient has, if that was said.
    """

    person: str
    spoken_at: datetime
    words: str = field(repr=False)
    days_at_home: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkNote:
    """One thing a person did about a row, or was told.

    Attributes:
        kind: `taken`, `handed over`, `put off`, `call` or `reminded`.
        person: to whom, or who spoke.
    """

    number: int
    at: datetime
    by: str
    kind: str
    person: str
    words: str = field(repr=False)
    line_id: UUID | None = None
    spoken_at: datetime | None = None
    until: datetime | None = None
    days_at_home: int | None = None


class AttentionReads(Protocol):
    """Questions; `tenant` narrows them as everywhere: None sees all."""

    async def tended(self, *, taken_by: str, first: int, size: int, now: datetime) -> Attention:
        """Give a page of what waits for whoever runs the gateway, of any trust, without anything of a patient.

        Incidents come first, then what must be acted on soonest, then what is oldest; what was put off is not on it
        until its time.

        Args:
            taken_by: only what this person has taken; empty for all.
            first: how many rows to leave out.
            size: how many to give.
            now: the clock.
        """

    async def tended_item(self, alert: int) -> WorkItem | None:
        """Give one alert as such a row, closed or not; None also where it is of a kind that is not theirs."""

    async def needs_attention(self, *, tenant: OdsCode | None, query: AttentionQuery, now: datetime) -> Attention:
        """Give a page of what needs a person, most dangerous first; what was put off is not on it until its time."""

    async def attention_places(self, *, tenant: OdsCode | None, query: AttentionQuery, now: datetime) -> Places:
        """Give which rows that page has, ungrouped, for whoever reads them in parts (`attention_rows`)."""

    async def attention_rows(
        self, places: Sequence[Place], *, tenant: OdsCode | None, speaks_at: datetime | None
    ) -> tuple[WorkItem, ...]:
        """Read rows of the list as they stand now, in this order.

        One that is gone is left out, and one that is the tenant's no more (I9); what was closed since says so. A line
        that waited and does so no longer is left out; one for which an alert was opened since is given as that alert,
        unless rows of one reason were asked for and that is another (`Places.speaks_at` is None).
        """

    async def attention_count(self, *, tenant: OdsCode | None, now: datetime) -> int:
        """Count what needs a person, for every page; it stops counting at `MOST_COUNTED`."""

    async def running_out(
        self, providers: Collection[OdsCode], *, tenant: OdsCode | None, days: int, now: datetime
    ) -> Mapping[OdsCode, int]:
        """Count, for each of these providers, the rows that the list gives under so many days of medicine left.

        Rows whose days are not known count with them; it stops counting at `MOST_COUNTED`.
        """

    async def work_item(self, alert: int, *, tenant: OdsCode | None) -> WorkItem | None:
        """Give one alert as a row, closed or not; None also where it is not the tenant's (I9)."""

    async def work_notes(self, alert: int, *, tenant: OdsCode | None) -> tuple[WorkNote, ...]:
        """Give what was done about an alert and its line, newest first."""

    async def stated(self, prescription_id: UUID, *, tenant: OdsCode | None) -> tuple[WorkNote, ...]:
        """Give the calls about a prescription, oldest first, for its timeline."""

    async def covers(self, prescription_id: UUID, *, tenant: OdsCode | None) -> Mapping[UUID, Cover]:
        """Give how long the medicine of each line of a prescription lasts; none where it is not the tenant's."""

    async def covers_held(self, keys: Sequence[int], *, tenant: OdsCode | None) -> Mapping[int, Mapping[UUID, Cover]]:
        """Give the same for some prescriptions that are held (`HeldPrescription.key`), of one trust or of all."""

    async def whose(self, keys: Sequence[int], *, tenant: OdsCode | None) -> Mapping[int, Whose]:
        """Give whose each of them is; one that is not the tenant's is not there."""

    async def colleagues(self, *, tenant: OdsCode | None) -> tuple[str, ...]:
        """Give the short names of those who have worked on items before, at most 50."""

    async def aliveness(self, *, tenant: OdsCode | None) -> Aliveness:
        """Give what proves that an empty list is one."""


class WorkWrites(Protocol):
    """Acts on rows, each by a named person and audited. Each gives why it was not done, in words; empty when it was.

    An act means every alert that is open for the line of the one named. `seen` is who had it on the page.
    """

    async def take(
        self, alerts: Sequence[int], *, by: str, seen: Mapping[int, str], tenant: OdsCode | None, now: datetime
    ) -> Mapping[int, str]:
        """Take items: from nobody, or from whom the page said."""

    async def hand_over(
        self, alerts: Sequence[int], *, to: str, by: str, seen: Mapping[int, str], tenant: OdsCode | None, now: datetime
    ) -> Mapping[int, str]:
        """Hand items to a named person, who has them from when they take them: until then the ladder goes on."""

    async def put_off(
        self,
        alert: int,
        *,
        until: datetime,
        latest: datetime,
        reason: str,
        by: str,
        tenant: OdsCode | None,
        now: datetime,
    ) -> str:
        """Put an item off until a moment, not after `latest`; it comes back by itself."""

    async def log_call(self, alert: int, call: Call, *, by: str, tenant: OdsCode | None, now: datetime) -> str:
        """Write down what somebody said on the telephone."""

    async def reminded(
        self, alerts: Sequence[int], *, person: str, words: str, by: str, tenant: OdsCode | None, now: datetime
    ) -> Mapping[int, str]:
        """Write down that a provider was reminded of items."""


def limit_of(item: WorkItem, row: ReasonRow) -> datetime:
    """Give the moment by which a row's usual limit ends; at once where a kind of the gateway's own says so."""
    line = item.line or item.opaque
    if line is None and item.kind and about(item.kind).soon is Soon.NOW:
        return item.standing.since
    urgency = line.urgency if line is not None else Urgency.ROUTINE
    return item.standing.since + row.limit_of(urgency)
