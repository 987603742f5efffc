"""Working days in London: Monday to Friday, without the bank holidays of England and Wales.

A calendar says which days it knows. Beyond them only weekends are left out, so that a deadline comes too early and
never too late; that the calendar runs out is told to a person before it does.

Source: domain.md 2.1 (5); Banking and Financial Dealings Act 1971 s.1 and Sch.1.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

LONDON: Final = ZoneInfo("Europe/London")
_DAY: Final = timedelta(days=1)
_YEARS: Final = range(1800, 3000)
_SATURDAY: Final = 5


def is_possible(day: date) -> bool:
    """Tell whether a date, or the date of a time, is one that a patient or a prescription may have.

    The calendar also has days of the years 1 and 9999, which stand for one that is not known, or for never. They are
    not taken at their word: another zone, or six months more, would lead out of the calendar.
    """
    return day.year in _YEARS


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkingCalendar:
    """Which days are worked.

    Attributes:
        first: first day whose holidays are known.
        last: last day whose holidays are known.
        holidays: days from Monday to Friday that are not worked.
        source: where they were taken from.
    """

    first: date
    last: date
    holidays: frozenset[date] = frozenset()
    source: str = ""

    def covers(self, day: date) -> bool:
        """Tell whether the holidays of this day's time are known."""
        return self.first <= day <= self.last

    def is_working(self, day: date) -> bool:
        """Tell whether a day is worked."""
        return day.weekday() < _SATURDAY and day not in self.holidays

    def after(self, moment: datetime, working_days: int) -> datetime:
        """Give the moment that lies a number of working days on.

        The same time by the London clock, so many working days later. What comes on a day that is not worked counts
        from the beginning of the next one that is: one working day from a Saturday ends with the Monday.

        Args:
            moment: aware.
            working_days: at least nought; nought is `moment` itself.

        Returns:
            Aware, in UTC. A time that the clocks left out or showed twice is read as the earlier offset says
            (PEP 495, fold 0); they change on Sundays, which are no working days.
        """
        if not working_days:
            return moment.astimezone(UTC)
        local = moment.astimezone(LONDON)
        day, clock = local.date(), local.time().replace(fold=0)
        if not self.is_working(day):
            day, clock = self._next(day), time()
        return datetime.combine(self.day_after(day, working_days), clock, tzinfo=LONDON).astimezone(UTC)

    def day_after(self, day: date, working_days: int) -> date:
        """Give the day that lies a number of working days after another."""
        for _ in range(working_days):
            day = self._next(day)
        return day

    def _next(self, day: date) -> date:
        day += _DAY
        while not self.is_working(day):
            day += _DAY
        return day


WEEKDAYS: Final = WorkingCalendar(first=date.max, last=date.min, source="weekends alone")
"""Knows no holiday, and covers no day."""
