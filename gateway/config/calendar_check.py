"""Does the calendar of working days reach far enough: a deadline beyond it would come too early, and nobody would know.

Source: reliability-security.md I3; domain.md 2.1 (5).
"""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Final

from gateway.config.reference_check import Concern
from gateway.domain.deadline import Deadlines

AHEAD: Final = timedelta(days=90)
"""Time enough to enter another year, and further than any limit in working days should reach."""


def calendar_concerns(deadlines: Deadlines, today: date) -> Iterator[Concern]:
    """Tell when the calendar ends soon, or has not begun; again each week, for an alert that was closed over it."""
    last = deadlines.calendar_ends()
    first = deadlines.calendar.first
    if last is not None and not first <= today <= last - AHEAD:
        week = today.isocalendar()
        yield Concern(
            kind="calendar-ends",
            subject=f"{last}:{week.year}-{week.week}",
            text=f"The bank holidays are known from {first} to {last}. Beyond that deadlines in working days leave out "
            "weekends alone and come too early. Extend calendar.toml.",
        )
