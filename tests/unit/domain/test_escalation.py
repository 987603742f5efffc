"""Who is told next, and when: tables and properties of the ladder."""

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.alert import Soon
from gateway.domain.alert_kinds import ALERT_KINDS, about
from gateway.domain.calendar import LONDON, WorkingCalendar
from gateway.domain.escalation import (
    LADDER,
    PATIENCE,
    Circle,
    Contact,
    Digest,
    Hours,
    Patience,
    Rung,
    Told,
    Unattended,
    circle_of,
    digests_due,
    next_due,
)
from gateway.domain.identifiers import OdsCode

RBA, RZA = OdsCode("RBA"), OdsCode("RZA")
CALENDAR = WorkingCalendar(first=date(2026, 1, 1), last=date(2027, 12, 31), holidays=frozenset({date(2026, 12, 25)}))
HOURS = Hours(opens=time(8), closes=time(18), calendar=CALENDAR)
SUNDAY = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
MONDAY = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
NOW_KIND, MORNING_KIND, WEEK_KIND = "cancel-overdue", "line-rejected", "renewal-requested"
MOMENTS = st.datetimes(min_value=datetime(2026, 1, 1), max_value=datetime(2027, 6, 1)).map(  # noqa: DTZ001 - made aware
    lambda moment: moment.replace(tzinfo=UTC)
)
KINDS = st.sampled_from(sorted(ALERT_KINDS))
RUNGS = st.lists(st.sampled_from(LADDER), unique=True, min_size=1)


def circle(trust: OdsCode | None = RBA, rungs: tuple[Rung, ...] = LADDER) -> Circle:
    people = {rung: (Contact(name=f"{rung} of {trust}", mail="a@example.nhs.uk"),) for rung in rungs}
    return Circle(trust=trust, people=people, hours=HOURS)


def alert(kind: str, opened: datetime, *told: Told) -> Unattended:
    return Unattended(alert=1, kind=kind, tenant=RBA, opened_at=opened, told=told)


def climb(whose: Circle, kind: str, opened: datetime) -> list[tuple[Rung, datetime, bool]]:
    """Tell everybody at the moment they are due, and give who was told when."""
    told: list[Told] = []
    found = []
    while due := next_due(whose, alert(kind, opened, *told)):
        found.append((due.rung, due.at, due.last))
        told.append(Told(rung=due.rung, at=due.at))
    return found


@pytest.mark.parametrize(
    ("kind", "opened", "expected"),
    [
        (NOW_KIND, SUNDAY, [timedelta(minutes=15) * step for step in range(4)]),
        (MORNING_KIND, SUNDAY, [MONDAY - SUNDAY + timedelta(hours=step) for step in range(4)]),
    ],
)
def test_each_rung_is_told_when_the_one_before_has_had_its_time(
    kind: str, opened: datetime, expected: list[timedelta]
) -> None:
    found = climb(circle(), kind, opened)
    assert [rung for rung, _, _ in found] == list(LADDER)
    assert [at - opened for _, at, _ in found] == expected
    assert [last for _, _, last in found] == [False, False, False, True]


def test_what_waits_for_the_week_takes_three_days_of_work_a_rung() -> None:
    found = climb(circle(), WEEK_KIND, MONDAY)
    assert [at.astimezone(LONDON).strftime("%a %H:%M") for _, at, _ in found] == [
        "Mon 08:00",
        "Wed 18:00",
        "Mon 18:00",
        "Thu 18:00",
    ]


@given(RUNGS, KINDS, MOMENTS)
def test_everybody_named_is_told_once_in_order_and_the_ladder_ends(
    rungs: list[Rung], kind: str, opened: datetime
) -> None:
    found = climb(circle(rungs=tuple(rungs)), kind, opened)
    assert [rung for rung, _, _ in found] == sorted(rungs, key=LADDER.index)
    assert [last for _, _, last in found] == [False] * (len(rungs) - 1) + [True]
    times = [at for _, at, _ in found]
    assert times == sorted(set(times))
    assert times[0] >= opened


@given(KINDS, MOMENTS)
def test_nobody_is_told_at_night_of_what_can_wait(kind: str, opened: datetime) -> None:
    patience = PATIENCE[about(kind).soon]
    for _, at, _ in climb(circle(), kind, opened):
        local = at.astimezone(LONDON)
        at_work = CALENDAR.is_working(local.date()) and time(8) <= local.time() <= time(18)
        assert at_work or patience.always


@given(KINDS, MOMENTS, st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=30)))
def test_after_an_outage_the_owner_is_told_first_and_has_the_full_time(
    kind: str, opened: datetime, late: timedelta
) -> None:
    told_at = opened + late
    first = next_due(circle(), alert(kind, opened))
    second = next_due(circle(), alert(kind, opened, Told(rung=Rung.OWNER, at=told_at)))
    assert first is not None
    assert second is not None
    assert (first.rung, second.rung) == (Rung.OWNER, Rung.DEPUTY)
    assert second.at >= told_at + PATIENCE[about(kind).soon].wait


@given(MOMENTS, st.timedeltas(min_value=timedelta(0), max_value=timedelta(hours=60)))
def test_time_at_work_is_counted_and_no_other(moment: datetime, span: timedelta) -> None:
    begins, ends = HOURS.from_(moment), HOURS.after(moment, span)
    assert begins >= moment
    assert ends - begins >= span
    worked, day = timedelta(0), begins.astimezone(LONDON).date()
    while day <= ends.astimezone(LONDON).date():
        if CALENDAR.is_working(day):
            opens = datetime.combine(day, time(8), tzinfo=LONDON).astimezone(UTC)
            closes = datetime.combine(day, time(18), tzinfo=LONDON).astimezone(UTC)
            worked += max(timedelta(0), min(closes, ends) - max(opens, begins))
        day += timedelta(days=1)
    assert worked == span


def test_a_kind_may_have_a_patience_of_its_own() -> None:
    whose = Circle(
        trust=RBA,
        people=circle().people,
        hours=HOURS,
        by_kind={MORNING_KIND: Patience(wait=timedelta(minutes=5), always=True)},
    )
    assert [at - SUNDAY for _, at, _ in climb(whose, MORNING_KIND, SUNDAY)] == [
        timedelta(minutes=5) * step for step in range(4)
    ]


@pytest.mark.parametrize(
    ("kind", "tenant", "circles", "expected"),
    [
        (MORNING_KIND, RBA, (None, RBA, RZA), RBA),
        (MORNING_KIND, RZA, (None, RBA), None),
        (MORNING_KIND, None, (None, RBA), None),
        ("room-low", None, (None, RBA), None),
        ("line-uncertain", RBA, (None, RBA), None),
        ("line-uncertain", RBA, (RBA,), RBA),
    ],
)
def test_a_trust_s_matter_goes_to_its_people_and_the_rest_to_the_gateway_s(
    kind: str, tenant: OdsCode | None, circles: tuple[OdsCode | None, ...], expected: OdsCode | None
) -> None:
    found = circle_of([circle(trust) for trust in circles], kind=kind, tenant=tenant)
    assert found is not None
    assert found.trust == expected


def test_a_trust_s_people_are_never_told_of_another_trust_s_matter() -> None:
    for kind in ALERT_KINDS:
        found = circle_of([circle(RBA)], kind=kind, tenant=RZA)
        assert found is None


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (SUNDAY, set()),
        (MONDAY - timedelta(minutes=1), set()),
        (MONDAY, {(Digest.DAILY, "2026-11-23"), (Digest.WEEKLY, "2026-W48")}),
        (MONDAY + timedelta(hours=2), {(Digest.DAILY, "2026-11-23"), (Digest.WEEKLY, "2026-W48")}),
        (MONDAY + timedelta(hours=3), {(Digest.WEEKLY, "2026-W48")}),
        (MONDAY + timedelta(hours=10), set()),
        (datetime(2026, 12, 25, 9, 0, tzinfo=UTC), set()),
    ],
)
def test_digests_come_in_the_morning_of_a_working_day(now: datetime, expected: set[tuple[Digest, str]]) -> None:
    assert set(digests_due(HOURS, now)) == expected


def test_every_urgency_has_its_patience_and_the_urgent_ones_the_least() -> None:
    waits = [PATIENCE[soon].wait for soon in Soon]
    assert waits == sorted(waits)
    assert [soon for soon in Soon if PATIENCE[soon].always] == [Soon.NOW]


@pytest.mark.parametrize("wait", [timedelta(0), timedelta(seconds=-1)])
def test_a_ladder_that_tells_everybody_at_once_is_refused(wait: timedelta) -> None:
    with pytest.raises(ValueError, match="told later"):
        Patience(wait=wait)


def test_hours_that_never_come_are_refused() -> None:
    with pytest.raises(ValueError, match="close after"):
        Hours(opens=time(9), closes=time(9))
