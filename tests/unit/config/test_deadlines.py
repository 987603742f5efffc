"""deadlines.toml and calendar.toml, and the bank holidays that ship with the gateway."""

import re
import shutil
from datetime import UTC, date, datetime, timedelta
from importlib.resources import files
from pathlib import Path

import pytest

from gateway.config.load import load
from gateway.domain.deadline import Deadlines, Limit, Request, Urgency
from gateway.domain.errors import ConfigurationError
from gateway.domain.lifecycle import LineState

NOW = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)  # a Friday


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    with_files = files("gateway.config") / "demonstration"
    return Path(shutil.copytree(str(with_files), tmp_path / "config"))


def deadlines_of(folder: Path, text: str) -> Deadlines:
    (folder / "deadlines.toml").write_text(text, "utf-8")
    return load(folder).deadlines


def test_an_urgent_line_is_due_within_hours_and_a_routine_one_the_next_working_day() -> None:
    deadlines = load(None).deadlines
    due = {kind: deadlines.act_by(LineState.WITH_PROVIDER, kind, NOW) for kind in Urgency}
    assert due == {Urgency.URGENT: NOW + timedelta(hours=2), Urgency.ROUTINE: NOW + timedelta(days=3)}


def test_how_long_a_provider_has_to_answer_is_stated_scaled_and_has_a_default(folder: Path) -> None:
    deadlines = deadlines_of(folder, '[answers]\ncancel = "30 minutes"\nhold = "1 working day"\n')
    assert deadlines.answer_by(Request.CANCEL, NOW) == NOW + timedelta(minutes=30)
    assert deadlines.answer_by(Request.HOLD, NOW) == NOW + timedelta(days=3)
    assert deadlines.answer_by(Request.REROUTE, NOW) == NOW + timedelta(hours=2)
    with pytest.raises(ConfigurationError, match="fax"):
        deadlines_of(folder, '[answers]\nfax = "2 hours"\n')


def test_how_long_a_paper_original_may_take_is_stated_by_day_and_class(folder: Path) -> None:
    term = '[[limits]]\nclass = "routine"\nfrom = 2026-01-01\nPAPER_ORIGINAL = "2 working days"\n'
    assert deadlines_of(folder, term).paper_by(Urgency.URGENT, NOW) == NOW + timedelta(days=4)
    assert deadlines_of(folder, "").paper_by(Urgency.ROUTINE, NOW) == NOW + timedelta(hours=72)
    with pytest.raises(ConfigurationError, match="PAPER_ORIGINAL is stated twice"):
        deadlines_of(folder, term + term)


def easter(year: int) -> date:
    """Give Easter Sunday (Meeus, Jones and Butcher)."""
    a, b, c = year % 19, year // 100, year % 100
    d, e = divmod(b, 4)
    g = (8 * b + 13) // 25
    h = (19 * a + b - d - g + 15) % 30
    i, k = divmod(c, 4)
    m = (32 + 2 * e + 2 * i - h - k) % 7
    n = (a + 11 * h + 22 * m) // 451
    month, day = divmod(h + m - 7 * n + 114, 31)
    return date(year, month, day + 1)


def by_the_act(year: int) -> set[date]:
    """Give the bank holidays of a year by rule, each moved off the weekend."""
    monday = [date(year, 5, 1) + timedelta(days=n) for n in range(31)]
    mays = [day for day in monday if day.weekday() == 0]
    august = [day for n in range(31) if (day := date(year, 8, 1) + timedelta(days=n)).weekday() == 0]
    found = {easter(year) - timedelta(days=2), easter(year) + timedelta(days=1), mays[0], mays[-1], august[-1]}
    for day in (date(year, 1, 1), date(year, 12, 25), date(year, 12, 26)):
        while day.weekday() > 4 or day in found:
            day += timedelta(days=1)  # noqa: PLW2901 - moved to the next day that is free
        found.add(day)
    return found


def test_the_bank_holidays_are_those_of_the_act() -> None:
    calendar = load(None).deadlines.calendar
    years = range(calendar.first.year, calendar.last.year + 1)
    assert calendar.holidays == {day for year in years for day in by_the_act(year)}
    assert calendar.source


def test_a_folder_may_have_a_calendar_of_its_own(folder: Path) -> None:
    (folder / "calendar.toml").write_text(
        'source = "ours"\nfirst = 2026-01-01\nlast = 2026-12-31\nholidays = [2026-11-23]\n', "utf-8"
    )
    deadlines = load(folder).deadlines
    assert deadlines.act_by(LineState.WITH_PROVIDER, Urgency.ROUTINE, NOW) == NOW + timedelta(days=4)
    assert load(folder).digest != load(None).digest


def test_working_days_become_hours_where_time_is_compressed(folder: Path) -> None:
    toml = folder / "gateway.toml"
    toml.write_text(toml.read_text("utf-8").replace("time_scale = 1", "time_scale = 3600"), "utf-8")
    limit = load(folder).deadlines.limit(LineState.ACCEPTED, Urgency.ROUTINE, NOW)
    assert limit == Limit(seconds=48)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ('[[limits]]\nfrom = 2026-01-01\nSENT = "1 hour"', "class: is missing"),
        ('[[limits]]\nclass = "urgent"\nSENT = "1 hour"', "from: is missing"),
        ('[[limits]]\nclass = "slow"\nfrom = 2026-01-01', "class: is not one of routine, urgent"),
        ('[[limits]]\nclass = "urgent"\nfrom = 2026-01-01T00:00:00\nSENT = "1 hour"', "leave the time out"),
        ('[[limits]]\nclass = "urgent"\nfrom = 2026-01-01\nSEND = "1 hour"', "SEND: is not a state with a deadline"),
        ('[[limits]]\nclass = "urgent"\nfrom = 2026-01-01\nSENT = "an hour"', "SENT: is not 'at once'"),
        ('[[limits]]\nclass = "urgent"\nfrom = 2026-01-01\nSENT = "0 hours"', "SENT: is not 'at once'"),
        ('[[limits]]\nclass = "urgent"\nfrom = 2026-01-01\nSENT = 900', "SENT: is not a text"),
        (
            '[[limits]]\nclass = "urgent"\nfrom = 2026-01-01\nSENT = "1 hour"\n' * 2,
            "limits[1]: SENT is stated twice for urgent from 2026-01-01",
        ),
        ("[limit]\nSENT = 1", "limit: is not a setting"),
    ],
)
def test_a_fault_is_named(folder: Path, text: str, fault: str) -> None:
    with pytest.raises(ConfigurationError, match=re.escape(fault)):
        deadlines_of(folder, text)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "first: is missing"),
        ('source = "s"\nfirst = 2026-01-01\nlast = 2025-01-01\nholidays = []', "last: is before first"),
        ('source = "s"\nfirst = 2026-01-01\nlast = 2026-12-31\nholidays = [2027-01-01]', "outside the days covered"),
        ('source = "s"\nfirst = 2026-01-01\nlast = 2027-12-31\nholidays = [2026-12-25]', "none is stated for 2027"),
        ('source = "s"\nfirst = 2026-01-01\nlast = 2026-12-31\nholidays = ["x"]', "is not a list of dates"),
    ],
)
def test_a_calendar_with_holes_is_a_fault(folder: Path, text: str, fault: str) -> None:
    (folder / "calendar.toml").write_text(text, "utf-8")
    with pytest.raises(ConfigurationError, match=re.escape(fault)):
        load(folder)
