"""Spreads of times and shares of few: exact where they are judged, honest where there is little."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.spread import Share, Spread, rounded_up, together

_SPANS = st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=400))


@pytest.mark.parametrize(
    ("span", "seconds"),
    [
        (timedelta(0), 0),
        (timedelta(seconds=-5), 0),
        (timedelta(milliseconds=1), 1),
        (timedelta(seconds=119, milliseconds=1), 120),
        (timedelta(seconds=120), 120),
        (timedelta(seconds=121), 180),
        (timedelta(hours=24), 86400),
        (timedelta(hours=24, microseconds=1), 90000),
        (timedelta(days=30), 30 * 86400),
        (timedelta(days=30, seconds=1), 31 * 86400),
    ],
)
def test_a_time_is_kept_as_it_is_shown_and_never_shorter(span: timedelta, seconds: int) -> None:
    assert rounded_up(span) == seconds


@given(_SPANS)
def test_rounding_never_flatters_and_is_done_once(span: timedelta) -> None:
    seconds = rounded_up(span)
    assert timedelta(seconds=seconds) >= span
    assert rounded_up(timedelta(seconds=seconds)) == seconds


@pytest.mark.parametrize("limit", [timedelta(hours=2), timedelta(hours=24), timedelta(minutes=20), timedelta(days=3)])
@given(span=_SPANS)
def test_rounding_does_not_move_anything_over_a_limit(limit: timedelta, span: timedelta) -> None:
    assert (timedelta(seconds=rounded_up(span)) <= limit) == (span <= limit)


@given(st.lists(st.integers(min_value=0, max_value=10**6), min_size=1), st.integers(min_value=1, max_value=100))
def test_a_percentile_is_the_nearest_rank(seconds: list[int], percent: int) -> None:
    spread = Spread({one: seconds.count(one) for one in seconds})
    ranked = sorted(seconds)
    wanted = ranked[-(-len(ranked) * percent // 100) - 1]
    assert spread.percentile(percent) == timedelta(seconds=wanted)


@given(st.lists(st.dictionaries(st.integers(min_value=0, max_value=99), st.integers(min_value=1, max_value=9))))
def test_adding_up_loses_nothing(days: list[dict[int, int]]) -> None:
    whole = together(Spread(day) for day in days)
    assert len(whole) == sum(sum(day.values()) for day in days)
    limit = timedelta(seconds=50)
    assert whole.within(limit) == sum(Spread(day).within(limit) for day in days)


def test_what_took_just_as_long_as_the_limit_is_within_it() -> None:
    spread = Spread({59: 1, 60: 2, 61: 4})
    assert spread.within(timedelta(seconds=60)) == 3
    assert len(spread) == 7


def test_of_nothing_nothing_is_said() -> None:
    assert Spread().percentile(50) is None
    assert Share(numerator=0, denominator=0).percent is None
    assert Share(numerator=0, denominator=0).interval is None


@pytest.mark.parametrize(
    ("numerator", "denominator", "low", "high"),
    [
        (0, 10, 0.0, 27.75),
        (10, 10, 72.25, 100.0),
        (5, 10, 23.66, 76.34),
        (1204, 1240, 96.01, 97.89),
        (1, 1, 20.65, 100),
    ],
)
def test_an_interval_is_wilsons(numerator: int, denominator: int, low: float, high: float) -> None:
    interval = Share(numerator=numerator, denominator=denominator).interval
    assert interval is not None
    assert interval == pytest.approx((low, high), abs=0.01)


@given(st.integers(min_value=1, max_value=10**6), st.data())
def test_a_share_lies_in_its_interval(denominator: int, data: st.DataObject) -> None:
    share = Share(numerator=data.draw(st.integers(min_value=0, max_value=denominator)), denominator=denominator)
    assert share.interval is not None
    assert share.percent is not None
    low, high = share.interval
    assert 0 <= low <= share.percent + 1e-9
    assert share.percent - 1e-9 <= high <= 100
