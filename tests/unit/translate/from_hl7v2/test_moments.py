"""Dates and times of HL7 v2: real ones only, and London where no zone is said."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.translate.from_hl7v2.moments import LONDON, parse


@given(st.dates(min_value=date(1900, 1, 1), max_value=date(2099, 12, 31)))
def test_a_date_alone_is_its_midnight_in_london_and_that_exists(day: date) -> None:
    found = parse(f"{day:%Y%m%d}")
    assert found == datetime(day.year, day.month, day.day, tzinfo=LONDON)
    assert found == parse(f"{day:%Y%m%d}0000")
    assert found.astimezone(UTC).astimezone(LONDON).replace(fold=0) == found


@pytest.mark.parametrize(
    "text", ["20260230", "20261301", "20260100", "19000229", "1998", "199812", "٢٠٢٦٠١٠١", "2026010١"]
)
def test_what_is_no_whole_real_date_is_nothing(text: str) -> None:
    assert parse(text) is None


def test_the_hour_that_spring_skips_does_not_exist() -> None:
    assert parse("202603290130") is None
    assert parse("202603290130+0000") is not None


def test_a_stated_zone_counts_for_its_own_time() -> None:
    found = parse("20261005091500+0130")
    assert found is not None
    assert found.utcoffset() == timedelta(hours=1, minutes=30)
