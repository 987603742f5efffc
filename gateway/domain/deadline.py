"""By when somebody must act on a line: one pure function of its state, its urgency and when it came there.

The limits are versioned data (D12): each holds from a day on, for urgent or for routine lines, in hours of real time or
in working days. What no limit states has the limit of the lifecycle table. Deadlines end in alerts and in nothing else:
no line moves because a clock says so (I17).

Source: reliability-security.md 2.1 and I3; mapping.md 10.5; domain.md 2.1.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Final

from gateway.domain.calendar import LONDON, WEEKDAYS, WorkingCalendar
from gateway.domain.custody import CUSTODY, Custody
from gateway.domain.lifecycle import LineState

LONGEST_SECONDS: Final = 366 * 86_400
"""No limit is longer: no prescription is valid for more than twelve months (mapping.md 8.5), and whoever is told of a
silence after that is told of nothing that could still be supplied (I3)."""
LONGEST_WORKING_DAYS: Final = 260
"""The same in working days: 52 weeks of five."""


class Urgency(StrEnum):
    """The class of a line, by which it has its deadlines."""

    ROUTINE = "routine"
    URGENT = "urgent"


def urgency(priority: str) -> Urgency:
    """Give the class of a line's priority: whatever is not routine and not left out is urgent.

    Args:
        priority: FHIR `request-priority`; empty if not said.
    """
    return Urgency.ROUTINE if priority in {"", "routine"} else Urgency.URGENT


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """How long a state may last: seconds of real time, or working days; neither means at once.

    Whatever limit there is can be reckoned with: its end lies within the years that `is_possible` knows, or next to
    them. So no order is refused because nobody could say by when somebody must act on it.
    """

    seconds: int = 0
    working_days: int = 0

    def __post_init__(self) -> None:
        """Refuse a limit that says two things, or none that can be kept."""
        if self.seconds < 0 or self.working_days < 0 or (self.seconds and self.working_days):
            raise ValueError("a limit is either seconds or working days")
        if self.seconds > LONGEST_SECONDS or self.working_days > LONGEST_WORKING_DAYS:
            raise ValueError(f"a limit is at most {LONGEST_SECONDS} seconds or {LONGEST_WORKING_DAYS} working days")

    @property
    def at_once(self) -> bool:
        """Whether a person is told when the state is entered."""
        return not self.seconds and not self.working_days

    def __str__(self) -> str:
        """Give it in words."""
        if self.working_days:
            return f"{self.working_days} working day{'s' * (self.working_days > 1)}"
        return f"{self.seconds} s" if self.seconds else "at once"


class Request(StrEnum):
    """What a provider is asked of a line that it has, each of which waits for an answer of its own."""

    CANCEL = "cancel"
    HOLD = "hold"
    RELEASE = "release"
    REROUTE = "reroute"
    """To give the line up for a re-route."""


ANSWERS: Final[Mapping[Request, Limit]] = dict.fromkeys(Request, Limit(seconds=2 * 3600))
"""How long a provider has to answer, where the configuration does not say (console.md, "Cancel not confirmed")."""


PAPER: Final = Limit(seconds=72 * 3600)
"""How long a paper original may take to be registered, where the configuration does not say: as long as the law gives a
prescriber whose patient was supplied before the prescription came (SI 2012/1916, reg. 224)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """The limits of one class from one day on.

    Attributes:
        since: London day on which they come into force.
    """

    since: date
    urgency: Urgency
    limits: Mapping[LineState, Limit]
    paper: Limit | None = None
    """For the paper original to be registered; None where the term does not say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deadlines:
    """Every limit there is, and the calendar by which working days are counted.

    Attributes:
        custody: holder of each state, and its limit where no term states one; None for states without a deadline.
        terms: in any order; of those in force, the latest that names a state counts.
    """

    custody: Mapping[LineState, Custody] = field(default_factory=lambda: CUSTODY)
    terms: tuple[Term, ...] = ()
    calendar: WorkingCalendar = WEEKDAYS
    answers: Mapping[Request, Limit] = field(default_factory=lambda: ANSWERS)
    """How long a provider has to answer what it is asked."""
    paper: Limit = PAPER
    """How long a paper original may take to be registered, where no term states it."""

    def __post_init__(self) -> None:
        """Refuse a limit of a state's own that is none: it would be found out by the first line that comes there."""
        for row in self.custody.values():
            Limit(seconds=row.limit_seconds or 0)

    def limit(self, state: LineState, urgent: Urgency, entered_at: datetime) -> Limit | None:
        """Give the limit of a state for a line that enters it now; None where there is no deadline.

        What is not stated for urgent lines is as for routine ones.
        """
        seconds = self.custody[state].limit_seconds
        if seconds is None:
            return None
        return self._stated(lambda term: term.limits.get(state), urgent, entered_at) or Limit(seconds=seconds)

    def act_by(self, state: LineState, urgent: Urgency, entered_at: datetime) -> datetime | None:
        """Give the moment by which somebody must have acted.

        Args:
            state: the state that was entered.
            urgent: the line's class.
            entered_at: when; aware.

        Returns:
            Aware, in UTC; None for a state without a deadline.
        """
        limit = self.limit(state, urgent, entered_at)
        return None if limit is None else self._after(entered_at, limit)

    def answer_by(self, request: Request, asked_at: datetime) -> datetime:
        """Give the moment by which a provider must have answered what it is asked; aware, in UTC."""
        return self._after(asked_at, self.answers[request])

    def paper_by(self, urgent: Urgency, sealed_at: datetime) -> datetime:
        """Give the moment by which the paper original of a prescription must be registered; aware, in UTC.

        Source:
            brief D8 ("a paper original is registered and reconciled").
        """
        return self._after(sealed_at, self._stated(lambda term: term.paper, urgent, sealed_at) or self.paper)

    def _stated(self, says: Callable[[Term], Limit | None], urgent: Urgency, at: datetime) -> Limit | None:
        """Give what the latest term in force says for a class, else what one says for routine lines."""
        if not self.terms:
            return None  # which day it is in London is asked at each move of a line, and is what this costs
        day = at.astimezone(LONDON).date()
        for kind in dict.fromkeys((urgent, Urgency.ROUTINE)):
            terms = [term for term in self.terms if term.urgency is kind and term.since <= day]
            found = [(term.since, limit) for term in terms if (limit := says(term)) is not None]
            if found:
                return max(found, key=lambda pair: pair[0])[1]
        return None

    def _after(self, moment: datetime, limit: Limit) -> datetime:
        if limit.working_days:
            return self.calendar.after(moment, limit.working_days)
        return moment.astimezone(UTC) + timedelta(seconds=limit.seconds)

    def most_working_days(self) -> int:
        """Give the longest limit that counts working days, in force or not; nought where none does."""
        papers = (self.paper, *(term.paper for term in self.terms if term.paper is not None))
        limits = (limit for term in self.terms for limit in term.limits.values())
        stated = (*self.answers.values(), *papers, *limits)
        return max((limit.working_days for limit in stated), default=0)


ALWAYS: Final = Deadlines()
"""The limits of the lifecycle table, for every line, from the beginning."""
