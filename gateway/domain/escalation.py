"""Who is to be told of an open alert next, and when: a ladder of named people that only a person stops.

The owner is told first; while nobody takes the item, the deputy, the person on call and the chief pharmacist follow,
each once. How long each is given depends on how soon the alert must be acted on: at once and at night, or in the hours
that are worked. The ladder counts from when somebody was told, not from when it should have been: after an outage the
owner still comes first. What stays open is told again by the daily digest, and by nothing else, so that the number of
notices is bounded.

Source: console.md 6.11; issue 6, build 4.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Final

from gateway.domain.alert import Acts, Soon
from gateway.domain.alert_kinds import about
from gateway.domain.calendar import LONDON, WEEKDAYS, WorkingCalendar
from gateway.domain.identifiers import OdsCode

_DAY: Final = timedelta(days=1)


class Rung(StrEnum):
    """The steps of the ladder, from the first to the last."""

    OWNER = "owner"
    DEPUTY = "deputy"
    ON_CALL = "on call"
    CHIEF = "chief pharmacist"


LADDER: Final = tuple(Rung)


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """One named person who is told, and how.

    Attributes:
        name: as colleagues know them; stands in the record of who was told.
        mail: address; empty for none.
        webhook: where a message for them is posted; empty for none.
    """

    name: str
    mail: str = field(default="", repr=False)
    webhook: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hours:
    """When people are at work, by the London clock.

    Attributes:
        opens: from when on a working day.
        closes: until when; later than `opens`.
        calendar: which days are worked.
    """

    opens: time = time(8)
    closes: time = time(18)
    calendar: WorkingCalendar = WEEKDAYS

    def __post_init__(self) -> None:
        """Refuse hours that never come."""
        if self.opens >= self.closes:
            raise ValueError("hours close after they open")

    def from_(self, moment: datetime) -> datetime:
        """Give the moment itself if people are at work, else when they next are; aware, in UTC."""
        day = moment.astimezone(LONDON).date()
        while True:
            if self.calendar.is_working(day):
                opens, closes = self._at(day, self.opens), self._at(day, self.closes)
                if moment < closes:
                    return max(moment.astimezone(UTC), opens)
            day += _DAY

    def after(self, moment: datetime, span: timedelta) -> datetime:
        """Give the moment at which so much time at work has passed; aware, in UTC."""
        at, left = self.from_(moment), span
        while True:
            closes = self._at(at.astimezone(LONDON).date(), self.closes)
            if at + left <= closes:
                return at + left
            left -= closes - at
            at = self.from_(closes)

    @staticmethod
    def _at(day: date, clock: time) -> datetime:
        return datetime.combine(day, clock, tzinfo=LONDON).astimezone(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long one person is given before the next is told.

    Attributes:
        wait: so long; above nought.
        always: counted by night and at weekends too; else in the hours that are worked, and told in these.
    """

    wait: timedelta
    always: bool = False

    def __post_init__(self) -> None:
        """Refuse a wait that tells everybody at once."""
        if self.wait <= timedelta(0):
            raise ValueError("the next person is told later than the one before")


PATIENCE: Final[Mapping[Soon, Patience]] = {
    Soon.NOW: Patience(wait=timedelta(minutes=15), always=True),
    Soon.MORNING: Patience(wait=timedelta(hours=1)),
    Soon.DAY: Patience(wait=timedelta(hours=4)),
    Soon.WEEK: Patience(wait=timedelta(hours=30)),
}
"""Where the configuration says nothing else. Thirty hours are three days of work."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Circle:
    """The people of one trust, or of the gateway itself, who are told.

    Attributes:
        trust: whose; None for the gateway's own.
        people: who stands on each rung; a rung may be empty, the ladder may not.
        hours: when they are at work.
        patience: how long each is given, by how soon an alert must be acted on.
        by_kind: the same for single kinds of alert, before what holds for all.
    """

    trust: OdsCode | None
    people: Mapping[Rung, tuple[Contact, ...]]
    hours: Hours = field(default_factory=Hours)
    patience: Mapping[Soon, Patience] = field(default_factory=lambda: PATIENCE)
    by_kind: Mapping[str, Patience] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """What it is called in the record: the trust's code, or `gateway`."""
        return self.trust.value if self.trust else "gateway"

    @property
    def rungs(self) -> tuple[Rung, ...]:
        """The rungs on which somebody stands, in order."""
        return tuple(rung for rung in LADDER if self.people.get(rung))

    def patience_with(self, kind: str) -> Patience:
        """Give how long each person is given for an alert of a kind."""
        stated = self.by_kind.get(kind)
        return stated if stated is not None else self.patience[about(kind).soon]


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """That the people of one rung were told of an alert."""

    rung: Rung
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Unattended:
    """An open alert that nobody has taken.

    Attributes:
        alert: its number.
        tenant: the trust that sees it; None for the gateway alone.
        opened_at: when it opened, or came back after somebody had put it off.
        told: who was told so far.
        prescription: whether it is about a prescription.
    """

    alert: int
    kind: str
    tenant: OdsCode | None
    opened_at: datetime
    prescription: bool = True
    told: tuple[Told, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """That the people of one rung are to be told.

    Attributes:
        at: not before; aware, in UTC.
        last: nobody comes after them.
    """

    rung: Rung
    at: datetime
    last: bool


def next_due(circle: Circle, alert: Unattended) -> Due | None:
    """Give who is to be told of an alert next; None when everybody was.

    Args:
        circle: whose alert it is.
        alert: with everything that was told so far, in any order.
    """
    rungs = circle.rungs
    reached = max((LADDER.index(told.rung) for told in alert.told), default=-1)
    above = [rung for rung in rungs if LADDER.index(rung) > reached]
    if not above:
        return None
    patience = circle.patience_with(alert.kind)
    return Due(rung=above[0], at=_when(circle.hours, patience, alert), last=len(above) == 1)


def _when(hours: Hours, patience: Patience, alert: Unattended) -> datetime:
    last = max((told.at for told in alert.told), default=None)
    if last is None:
        return alert.opened_at.astimezone(UTC) if patience.always else hours.from_(alert.opened_at)
    return last.astimezone(UTC) + patience.wait if patience.always else hours.after(last, patience.wait)


def circle_of(circles: Sequence[Circle], *, kind: str, tenant: OdsCode | None) -> Circle | None:
    """Give whose people are told of an alert.

    A trust's pharmacist's matter goes to the trust's own people; what the gateway's people must act on, and what is of
    a trust that named nobody, to the gateway's. What nobody of the gateway is named for goes to the trust's, for
    somebody must know; None only where nobody at all is named.
    """
    own = next((circle for circle in circles if circle.trust is not None and circle.trust == tenant), None)
    gateway = next((circle for circle in circles if circle.trust is None), None)
    return (own or gateway) if about(kind).acts is Acts.PHARMACIST else (gateway or own)


class Digest(StrEnum):
    """What is told again while it stays open."""

    DAILY = "daily"
    """To those who work on it, on a working day, if anything is open."""
    WEEKLY = "weekly"
    """To the owner and the chief pharmacist, on the first working day of a week, also if nothing is."""


READERS: Final[Mapping[Digest, frozenset[Rung]]] = {
    Digest.DAILY: frozenset({Rung.OWNER, Rung.DEPUTY}),
    Digest.WEEKLY: frozenset({Rung.OWNER, Rung.CHIEF}),
}


MORNING: Final = timedelta(hours=2)
"""How long after the hours begin the daily digest may still be written: later the ladder has told of what is new."""


def digests_due(hours: Hours, now: datetime) -> tuple[tuple[Digest, str], ...]:
    """Give the digests that are due now, each with the name of its day or week.

    The daily one in the first hours of a working day, the weekly one in any of a week. The same name comes again until
    then: whoever writes them writes each name once.
    """
    if hours.from_(now) != now.astimezone(UTC):
        return ()
    local = now.astimezone(LONDON)
    year, week, _ = local.isocalendar()
    weekly = (Digest.WEEKLY, f"{year}-W{week:02}")
    opened = datetime.combine(local.date(), hours.opens, tzinfo=LONDON).astimezone(UTC)
    if now - opened > MORNING:
        return (weekly,)
    return ((Digest.DAILY, local.date().isoformat()), weekly)
