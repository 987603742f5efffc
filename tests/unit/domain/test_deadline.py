"""Working days in London, and by when somebody must act."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.calendar import LONDON, WEEKDAYS, WorkingCalendar
from gateway.domain.custody import CUSTODY
from gateway.domain.deadline import (
    ALWAYS,
    LONGEST_SECONDS,
    LONGEST_WORKING_DAYS,
    Deadlines,
    Limit,
    Request,
    Term,
    Urgency,
    urgency,
)
from gateway.domain.lifecycle import LineState

CALENDAR = WorkingCalendar(
    first=date(2026, 1, 1),
    last=date(2026, 12, 31),
    holidays=frozenset({date(2026, 12, 25), date(2026, 12, 28)}),
)
MOMENTS = st.datetimes(min_value=datetime(2026, 1, 1), max_value=datetime(2026, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001 - hypothesis adds the zone
OPEN = [state for state, row in CUSTODY.items() if row.limit_seconds is not None]


def london(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=LONDON)


@pytest.mark.parametrize(
    ("entered", "days", "due"),
    [
        ("2026-11-19T15:00", 1, "2026-11-20T15:00"),
        ("2026-11-20T15:00", 1, "2026-11-23T15:00"),
        ("2026-11-20T15:00", 5, "2026-11-27T15:00"),
        ("2026-11-21T09:00", 1, "2026-11-24T00:00"),  # a Saturday: all of Monday is theirs
        ("2026-11-22T23:59", 1, "2026-11-24T00:00"),
        ("2026-12-24T10:00", 1, "2026-12-29T10:00"),  # Christmas Day, weekend, substitute for Boxing Day
        ("2026-12-25T10:00", 1, "2026-12-30T00:00"),
        ("2026-03-27T15:00", 1, "2026-03-30T15:00"),  # the clocks go forward between: 71 hours
        ("2026-10-23T15:00", 1, "2026-10-26T15:00"),  # and back: 73 hours
    ],
)
def test_working_days_end_at_the_same_time_by_the_london_clock(entered: str, days: int, due: str) -> None:
    assert CALENDAR.after(london(entered), days) == london(due)


def test_a_working_day_over_a_change_of_clocks_is_not_24_hours() -> None:
    friday = london("2026-03-27T15:00")
    assert CALENDAR.after(friday, 1) - friday.astimezone(UTC) == timedelta(hours=71)


@given(MOMENTS, st.integers(1, 30))
def test_exactly_so_many_working_days_lie_between(moment: datetime, days: int) -> None:
    due = CALENDAR.after(moment, days).astimezone(LONDON)
    entered = moment.astimezone(LONDON)
    between = [entered.date() + timedelta(days=n) for n in range(1, (due.date() - entered.date()).days + 1)]
    worked = sum(CALENDAR.is_working(day) for day in between)
    assert worked == days + (not CALENDAR.is_working(entered.date()))
    assert CALENDAR.is_working(due.date())


@given(MOMENTS, st.timedeltas(timedelta(0), timedelta(days=40)), st.integers(0, 10))
def test_what_comes_later_is_never_due_earlier(moment: datetime, later: timedelta, days: int) -> None:
    assert CALENDAR.after(moment, days) <= CALENDAR.after(moment + later, days)


@given(MOMENTS, st.integers(1, 20))
def test_beyond_the_calendar_a_deadline_only_comes_too_early(moment: datetime, days: int) -> None:
    assert WEEKDAYS.after(moment, days) <= CALENDAR.after(moment, days)
    assert not WEEKDAYS.covers(moment.date())


def test_a_night_that_is_shown_twice_gives_one_time() -> None:
    twice = datetime(2026, 10, 25, 1, 30, tzinfo=UTC).astimezone(LONDON)  # fold 1, and a Sunday
    assert CALENDAR.after(twice, 1) == london("2026-10-27T00:00")


@pytest.mark.parametrize(
    ("priority", "expected"),
    [("", Urgency.ROUTINE), ("routine", Urgency.ROUTINE), ("urgent", Urgency.URGENT), ("asap", Urgency.URGENT)],
)
def test_whatever_is_not_routine_is_urgent(priority: str, expected: Urgency) -> None:
    assert urgency(priority) is expected


WITH = LineState.WITH_PROVIDER
DEADLINES = Deadlines(
    terms=(
        Term(since=date(2026, 6, 1), urgency=Urgency.ROUTINE, limits={WITH: Limit(working_days=1)}),
        Term(since=date(2026, 1, 1), urgency=Urgency.ROUTINE, limits={WITH: Limit(working_days=2)}),
        Term(since=date(2026, 6, 1), urgency=Urgency.URGENT, limits={LineState.SENT: Limit(seconds=900)}),
    ),
    calendar=CALENDAR,
)


@pytest.mark.parametrize(
    ("state", "urgent", "entered", "limit"),
    [
        (WITH, Urgency.ROUTINE, "2025-12-31T23:59", "86400 s"),
        (WITH, Urgency.ROUTINE, "2026-01-01T00:00", "2 working days"),
        (WITH, Urgency.ROUTINE, "2026-05-31T23:59", "2 working days"),
        (WITH, Urgency.ROUTINE, "2026-06-01T00:00", "1 working day"),  # 23:00 of the day before by UTC
        (WITH, Urgency.URGENT, "2026-06-01T00:00", "1 working day"),
        (LineState.SENT, Urgency.URGENT, "2026-06-01T00:00", "900 s"),
        (LineState.SENT, Urgency.ROUTINE, "2026-06-01T00:00", "14400 s"),
        (LineState.HELD, Urgency.URGENT, "2026-06-01T00:00", "at once"),
        (LineState.CLOSED, Urgency.URGENT, "2026-06-01T00:00", "None"),
    ],
)
def test_the_latest_limit_in_force_counts_and_routine_stands_in(
    state: LineState, urgent: Urgency, entered: str, limit: str
) -> None:
    assert str(DEADLINES.limit(state, urgent, london(entered))) == limit


@given(st.sampled_from(OPEN), st.sampled_from(Urgency), MOMENTS)
def test_every_state_that_somebody_holds_has_a_time_that_is_not_past(
    state: LineState, urgent: Urgency, moment: datetime
) -> None:
    for deadlines in (ALWAYS, DEADLINES):
        due = deadlines.act_by(state, urgent, moment)
        limit = deadlines.limit(state, urgent, moment)
        assert due is not None
        assert limit is not None
        assert due == moment if limit.at_once else due > moment


def test_hours_are_real_hours_through_a_change_of_clocks() -> None:
    entered = london("2026-03-28T23:30")
    assert ALWAYS.act_by(LineState.SENT, Urgency.ROUTINE, entered) == entered.astimezone(UTC) + timedelta(hours=4)


PAPERS = Deadlines(
    terms=(
        Term(since=date(2026, 6, 1), urgency=Urgency.ROUTINE, limits={}, paper=Limit(working_days=3)),
        Term(since=date(2026, 7, 1), urgency=Urgency.URGENT, limits={}, paper=Limit(seconds=3600)),
    ),
    calendar=CALENDAR,
)


@pytest.mark.parametrize(
    ("urgent", "sealed", "due"),
    [
        (Urgency.ROUTINE, "2026-05-29T12:00", "2026-06-01T12:00"),  # 72 hours: nothing is stated yet
        (Urgency.ROUTINE, "2026-06-05T12:00", "2026-06-10T12:00"),  # three working days after a Friday
        (Urgency.URGENT, "2026-06-05T12:00", "2026-06-10T12:00"),
        (Urgency.URGENT, "2026-07-01T12:00", "2026-07-01T13:00"),
    ],
)
def test_a_paper_original_has_a_term_of_its_own(urgent: Urgency, sealed: str, due: str) -> None:
    assert PAPERS.paper_by(urgent, london(sealed)) == london(due)
    assert PAPERS.most_working_days() == 3


def test_a_limit_says_one_thing() -> None:
    for wrong in ({"seconds": 1, "working_days": 1}, {"seconds": -1}, {"working_days": -1}):
        with pytest.raises(ValueError, match="either seconds or working days"):
            Limit(**wrong)


LIMITS = st.builds(Limit, seconds=st.integers(0, LONGEST_SECONDS)) | st.builds(
    Limit, working_days=st.integers(0, LONGEST_WORKING_DAYS)
)
POSSIBLE = st.datetimes(min_value=datetime(1800, 1, 1), max_value=datetime(2999, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001 - hypothesis adds the zone


@given(LIMITS, POSSIBLE)
def test_of_whatever_limit_there_is_the_end_can_be_told(limit: Limit, moment: datetime) -> None:
    terms = (Term(since=date(1800, 1, 1), urgency=Urgency.ROUTINE, limits=dict.fromkeys(OPEN, limit), paper=limit),)
    deadlines = Deadlines(terms=terms, calendar=CALENDAR, answers=dict.fromkeys(Request, limit))
    due = {deadlines.act_by(state, kind, moment) for state in OPEN for kind in Urgency}
    due |= {deadlines.answer_by(request, moment) for request in Request}
    (only,) = due | {deadlines.paper_by(Urgency.URGENT, moment)}
    assert only is not None
    assert moment <= only <= moment + timedelta(days=400)


@pytest.mark.parametrize(("key", "most"), [("seconds", LONGEST_SECONDS), ("working_days", LONGEST_WORKING_DAYS)])
def test_there_is_no_limit_whose_end_could_not_be_told(key: str, most: int) -> None:
    assert Limit(**{key: most})
    with pytest.raises(ValueError, match=f"at most {LONGEST_SECONDS} seconds or {LONGEST_WORKING_DAYS} working days"):
        Limit(**{key: most + 1})


@pytest.mark.parametrize("seconds", [-1, LONGEST_SECONDS + 1, 90_000_000_000_000])
def test_a_state_has_no_limit_of_its_own_whose_end_could_not_be_told(seconds: int) -> None:
    row = replace(CUSTODY[LineState.READY], limit_seconds=seconds)
    with pytest.raises(ValueError, match="limit"):
        Deadlines(custody={**CUSTODY, LineState.READY: row})


def test_the_calendar_matters_only_where_working_days_are_counted() -> None:
    assert DEADLINES.most_working_days() == 2
    assert replace(DEADLINES, terms=DEADLINES.terms[2:]).most_working_days() == 0
