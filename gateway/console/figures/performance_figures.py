"""What the figures of a period come to: what came in, what providers accepted in time, and what is not known yet.

Every share stands with what it is of. What is left out is left out by name, the share without leaving anything out
stands beside it, and an item without any decision is never counted as a success.

Source: domain.md 2.2, K2 and its rules 2 and 3; console.md 6.6.
"""

import calendar
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from gateway.domain.deadline import Urgency
from gateway.domain.identifiers import OdsCode
from gateway.domain.service_figures import EXCLUDED, LIMITS, Measure
from gateway.domain.spread import Share, Spread, together
from gateway.ports.board import Figure

RECENT: Final = "recent"
RECENT_DAYS: Final = 30
_MONTH: Final = re.compile(r"(20\d{2})-(0[1-9]|1[0-2])")
BANDS: Final = (
    (timedelta(minutes=1), "1 minute or less"),
    (timedelta(minutes=10), "10 minutes or less"),
    (timedelta(hours=1), "1 hour or less"),
    (timedelta(hours=4), "4 hours or less"),
    (timedelta(hours=24), "24 hours or less"),
)
LONGER: Final = "longer than 24 hours"


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """The days that are looked at.

    Attributes:
        key: `2026-10`, or `recent`: as it stands in the address.
        under_way: its last day is not over.
    """

    key: str
    first: date
    last: date
    under_way: bool

    @property
    def words(self) -> str:
        """Give it as `October 2026`, or `The last 30 days`."""
        return f"The last {RECENT_DAYS} days" if self.key == RECENT else f"{self.first:%B %Y}"

    @property
    def href(self) -> str:
        """Give the one address of its page."""
        return "/console/performance" + ("" if self.key == RECENT else f"/{self.key}")

    @property
    def days(self) -> list[date]:
        """Give its days up to the last."""
        return [self.first + timedelta(days=number) for number in range((self.last - self.first).days + 1)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Intake:
    """What came in, in items; of refused messages in orders."""

    taken: int
    refused: int
    unreadable: int
    given: int
    ended_unsent: int

    @property
    def submitted(self) -> int:
        """What came in and could be read."""
        return self.taken + self.refused

    @property
    def not_sent_yet(self) -> int:
        """What was taken, has not ended, and has not been sent."""
        return self.taken - self.given - self.ended_unsent


@dataclass(frozen=True, slots=True, kw_only=True)
class Acceptance:
    """What providers said of the items that were sent in a period.

    Attributes:
        took: how long acceptance took.
        in_time: of the accepted, those within their limit.
        excluded: by measure of `EXCLUDED`.
    """

    sent: int
    took: Spread
    in_time: int
    rejected: int
    excluded: dict[Measure, int]

    @property
    def left_out(self) -> int:
        """How many are left out of the adjusted share."""
        return sum(self.excluded.values())

    @property
    def late(self) -> int:
        """How many were accepted after their limit."""
        return len(self.took) - self.in_time

    @property
    def not_reported(self) -> int:
        """How many nobody has decided on."""
        return self.sent - len(self.took) - self.rejected - self.left_out

    @property
    def raw(self) -> Share:
        """In time, of all that were sent."""
        return Share(numerator=self.in_time, denominator=self.sent)

    @property
    def adjusted(self) -> Share:
        """In time, of those that are not left out."""
        return Share(numerator=self.in_time, denominator=self.sent - self.left_out)

    @property
    def completeness(self) -> Share:
        """Of all that were sent, those of which it is known what became of them."""
        return Share(numerator=self.sent - self.not_reported, denominator=self.sent)

    @property
    def bands(self) -> tuple[tuple[str, int], ...]:
        """How many took how long, each in one band."""
        before, found = 0, []
        for limit, words in BANDS:
            within = self.took.within(limit)
            found.append((words, within - before))
            before = within
        return (*found, (LONGER, len(self.took) - before))


def period_of(key: str, today: date) -> Period | None:
    """Give the period of an address; None where there is no such one, or it has not begun."""
    if key == RECENT:
        return Period(key=key, first=today - timedelta(days=RECENT_DAYS - 1), last=today, under_way=True)
    found = _MONTH.fullmatch(key)
    if found is None:
        return None
    first = date(int(found[1]), int(found[2]), 1)
    last = first.replace(day=calendar.monthrange(first.year, first.month)[1])
    return Period(key=key, first=first, last=min(last, today), under_way=last >= today) if first <= today else None


def months(since: date | None, today: date, most: int = 24) -> list[str]:
    """Give the months there are figures of, newest first."""
    first, found = today.replace(day=1), list[str]()
    while since is not None and first >= since.replace(day=1) and len(found) < most:
        found.append(f"{first:%Y-%m}")
        first = (first - timedelta(days=1)).replace(day=1)
    return found


def intake(figures: Iterable[Figure]) -> Intake:
    """Add up what came in."""
    sums: Counter[str] = Counter()
    for one in figures:
        if one.provider is None:
            sums[one.measure] += len(one.spread)
    return Intake(
        taken=sums[Measure.TAKEN],
        refused=sums[Measure.REFUSED],
        unreadable=sums[Measure.UNREADABLE],
        given=sums[Measure.GIVEN],
        ended_unsent=sums[Measure.ENDED_UNSENT],
    )


def acceptance(figures: Iterable[Figure]) -> Acceptance:
    """Add up what providers said."""
    found: dict[str, list[Figure]] = {}
    for one in figures:
        if one.provider is not None:
            found.setdefault(one.measure, []).append(one)

    def count(measure: Measure) -> int:
        return sum(len(one.spread) for one in found.get(measure, ()))

    accepted = found.get(Measure.ACCEPTED, [])
    return Acceptance(
        sent=count(Measure.SENT),
        took=together(one.spread for one in accepted),
        in_time=sum(one.spread.within(LIMITS[_class_of(one)]) for one in accepted),
        rejected=count(Measure.REJECTED),
        excluded={measure: count(measure) for measure in EXCLUDED},
    )


def by_provider(figures: Sequence[Figure]) -> Iterator[tuple[OdsCode, Acceptance]]:
    """Give the same of each provider to which anything was sent."""
    for provider in sorted({one.provider for one in figures if one.provider is not None}, key=str):
        found = acceptance(one for one in figures if one.provider == provider)
        if found.sent:
            yield provider, found


def by_day(figures: Sequence[Figure], period: Period) -> Iterator[tuple[date, Acceptance]]:
    """Give the same of each day of a period on which anything was sent, or nothing."""
    for day in period.days:
        yield day, acceptance(one for one in figures if one.day == day)


def percent(share: Share) -> str:
    """Give a share as `97.1 %`; not all is never 100, not none is never 0, and of nothing there is no share."""
    value = share.percent
    if value is None:
        return "None to count"
    if 0 < share.numerator < share.denominator:
        value = min(99.9, max(0.1, value))
    return f"{value:.1f} %"


def interval(share: Share) -> str:
    """Give where the share of many more would lie; empty of nothing."""
    found = share.interval
    return f"{found[0]:.1f} to {found[1]:.1f} %" if found is not None else ""


def _class_of(figure: Figure) -> Urgency:
    return Urgency.URGENT if figure.urgent else Urgency.ROUTINE
