"""Until when a prescription may be supplied from: the end of a London day, whatever clock signed it."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.calendar import LONDON
from gateway.domain.validity import not_valid_after
from tests.factories import MOMENT, prescription

SIGNED = prescription()
SIGNINGS = st.integers(0, 20 * 365 * 24 * 60).map(lambda minutes: MOMENT + timedelta(minutes=minutes))
OFFSETS = st.integers(-12 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))


@pytest.mark.parametrize(
    ("signed", "valid_to", "ends"),
    [
        pytest.param("2026-10-05T09:10:00+01:00", None, "2027-04-05T22:59:59+00:00", id="summer to summer"),
        pytest.param("2026-07-10T09:10:00+01:00", None, "2027-01-10T23:59:59+00:00", id="summer to winter"),
        pytest.param("2027-01-10T09:10:00+00:00", None, "2027-07-10T22:59:59+00:00", id="winter to summer"),
        pytest.param("2026-10-05T08:10:00+00:00", None, "2027-04-05T22:59:59+00:00", id="a clock at UTC in summer"),
        pytest.param(
            "2026-10-05T23:30:00+00:00", None, "2027-04-06T22:59:59+00:00", id="signed after London's midnight"
        ),
        pytest.param("2026-10-05T08:10:00+00:00", "2026-10-20", "2026-10-20T22:59:59+00:00", id="a stated end"),
        pytest.param(
            "2026-10-05T08:10:00+00:00", "2027-10-20", "2027-04-05T22:59:59+00:00", id="a stated end too late"
        ),
        pytest.param("2026-08-31T09:10:00+01:00", None, "2027-02-28T23:59:59+00:00", id="a day the month has not"),
    ],
)
def test_it_ends_with_its_last_day_in_london(signed: str, valid_to: str | None, ends: str) -> None:
    until = date.fromisoformat(valid_to) if valid_to else None
    what = replace(SIGNED, authored=datetime.fromisoformat(signed), valid_to=until)
    assert not_valid_after(what) == datetime.fromisoformat(ends)


@given(signed=SIGNINGS, offset=OFFSETS)
def test_the_offset_of_the_clock_that_signed_it_changes_nothing(signed: datetime, offset: timezone) -> None:
    there, here = (replace(SIGNED, authored=signed.astimezone(zone), valid_to=None) for zone in (offset, UTC))
    assert not_valid_after(there) == not_valid_after(here)
    assert f"{not_valid_after(there).astimezone(LONDON):%H:%M:%S}" == "23:59:59"
