"""The end of the calendar is told in time."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from gateway.config.calendar_check import AHEAD, calendar_concerns
from gateway.config.load import load
from gateway.domain.deadline import ALWAYS, LONGEST_WORKING_DAYS, Limit, Request

DEADLINES = load(None).deadlines
LAST = DEADLINES.calendar.last


@pytest.mark.parametrize(
    ("today", "told"),
    [
        (date(2026, 11, 22), False),
        (LAST - AHEAD, False),
        (LAST - AHEAD + timedelta(days=1), True),
        (LAST + timedelta(days=400), True),
        (DEADLINES.calendar.first - timedelta(days=1), True),
    ],
)
def test_a_person_is_told_well_before_the_calendar_ends(today: date, *, told: bool) -> None:
    assert [concern.kind for concern in calendar_concerns(DEADLINES, today)] == ["calendar-ends"] * told


@pytest.mark.parametrize(
    ("today", "told"), [(date(2027, 12, 19), False), (date(2027, 12, 20), True), (date(2030, 2, 1), True)]
)
def test_a_person_is_told_while_the_longest_limit_runs_beyond_the_calendar(today: date, *, told: bool) -> None:
    longest = Limit(working_days=LONGEST_WORKING_DAYS)
    calendar = replace(DEADLINES.calendar, last=date(2028, 12, 31))
    deadlines = replace(DEADLINES, calendar=calendar, answers={**DEADLINES.answers, Request.HOLD: longest})
    found = list(calendar_concerns(deadlines, today))
    assert bool(found) is told
    assert not any(one.grave for one in found)
    assert all("the longest limit in working days, 260, needs them to " in one.text for one in found)


def test_it_is_told_again_the_next_week() -> None:
    subjects = {
        concern.subject for n in range(14) for concern in calendar_concerns(DEADLINES, LAST + timedelta(days=n))
    }
    assert len(subjects) == 3


def test_without_working_days_no_calendar_is_needed() -> None:
    assert list(calendar_concerns(ALWAYS, LAST)) == []
