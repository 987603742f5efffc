"""Does the calendar of working days reach far enough: a deadline beyond it would come too early, and nobody would know.

Source: reliability-security.md I3; domain.md 2.1 (5).
"""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Final

from gateway.config.reference_check import Concern
from gateway.domain.deadline import Deadlines

AHEAD: Final = timedelta(days=90)
"""Time enough to enter another year."""


def calendar_concerns(deadlines: Deadlines, today: date) -> Iterator[Concern]:
    """Tell when the calendar ends soon, or has not begun; again each week, for an alert that was closed over it.

    Soon is before the end of the longest limit that counts working days, were it to begin today, and at least `AHEAD`.
    A gateway that runs is told so and goes on, and so does one that starts: the passing of time closes no door.
    """
    calendar, most = deadlines.calendar, deadlines.most_working_days()
    needed = max(today + AHEAD, calendar.day_after(today, most))
    if most and not (calendar.first <= today and needed <= calendar.last):
        week = today.isocalendar()
        yield Concern(
            kind="calendar-ends",
            subject=f"{calendar.last}:{week.year}-{week.week}",
            text=f"The bank holidays are known from {calendar.first} to {calendar.last}, and the longest limit in "
            f"working days, {most}, needs them to {needed}. Beyond the last day deadlines leave out weekends alone and "
            "come too early. Extend calendar.toml.",
        )
