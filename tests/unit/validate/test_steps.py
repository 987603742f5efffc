"""Dosages that follow one another."""

from datetime import date
from decimal import Decimal

import pytest

from gateway.domain.prescription import Bounds, Dosage, Duration, TimeUnit, Timing
from gateway.validate.steps import step_doubts
from tests.factories import dosage, line

WEEKLY = Timing(frequency=1, period=Decimal(1), period_unit=TimeUnit.WEEK)
A_WEEK = Duration(value=Decimal(1), unit=TimeUnit.WEEK)


def step(number: int, start: str = "", end: str = "", text: str = "") -> Dosage:
    bounds = Bounds(start=date.fromisoformat(start) if start else None, end=date.fromisoformat(end) if end else None)
    timing = Timing(
        frequency=1, period=Decimal(1), period_unit=TimeUnit.WEEK, bounds=bounds if bounds != Bounds() else None
    )
    return dosage(sequence=number, timing=timing, text=text)


def found(*steps: Dosage) -> list[tuple[str, str]]:
    return [(doubt.at, doubt.code) for doubt in step_doubts(line(dosages=steps))]


@pytest.mark.parametrize(
    ("end", "start", "overlaps"),
    [
        ("2026-11-15", "2026-11-16", False),
        ("2026-11-15", "2026-11-15", True),
        ("2026-11-15", "2026-11-09", True),
        ("2026-11-15", "", False),
    ],
)
def test_a_step_that_begins_before_the_last_has_ended_is_held(end: str, start: str, overlaps: bool) -> None:  # noqa: FBT001 - a column
    expected = [("dosages[1].timing", "TIMING_CONFLICT")] if overlaps else []
    assert found(step(1, "2026-10-19", end), step(2, start)) == expected
    other_order = [("dosages[0].timing", "TIMING_CONFLICT")] if overlaps else []
    assert found(step(2, start), step(1, "2026-10-19", end)) == other_order


def test_steps_that_apply_together_may_overlap() -> None:
    assert found(step(1, "2026-10-19", "2026-11-15"), step(1, "2026-10-19", "2026-11-15")) == []


def test_a_step_that_nothing_ends_is_held() -> None:
    assert found(step(1), step(2)) == [("dosages[0]", "TIMING_CONFLICT")]
    assert found(step(1, "2026-10-19"), step(2, "2026-11-16")) == [("dosages[0]", "TIMING_CONFLICT")]


@pytest.mark.parametrize(
    "timing",
    [
        Timing(count=4),
        Timing(on_dates=(date(2026, 10, 19),)),
        Timing(frequency=1, period=Decimal(1), period_unit=TimeUnit.WEEK, bounds=Bounds(duration=A_WEEK)),
        Timing(frequency=1, period=Decimal(1), period_unit=TimeUnit.WEEK, bounds=Bounds(end=date(2026, 11, 1))),
    ],
)
def test_a_step_ends_by_count_by_dates_or_by_time(timing: Timing) -> None:
    assert found(dosage(sequence=1, timing=timing, text=""), step(2)) == []


@pytest.mark.parametrize(
    "text", ["Inject 10mg once a week for 4 weeks", "10mg weekly until review", "Initially 10mg weekly", "then 10mg"]
)
def test_words_may_say_when_a_step_ends(text: str) -> None:
    assert found(step(1, text=text), step(2)) == []
    assert found(step(1, text="Inject 10mg once a week"), step(2)) == [("dosages[0]", "TIMING_CONFLICT")]


def test_words_alone_are_left_to_their_reader() -> None:
    assert found(Dosage(sequence=1, text="10mg weekly"), Dosage(sequence=2, text="15mg weekly")) == []


def test_the_last_step_may_go_on() -> None:
    assert found(step(1)) == []
    assert found(step(1, end="2026-11-01"), step(2)) == []


def test_dates_are_the_time_of_a_step_that_has_no_other() -> None:
    first = dosage(sequence=1, timing=Timing(on_dates=(date(2026, 10, 19), date(2026, 11, 2))), text="")
    assert found(first, step(2, "2026-11-02")) == [("dosages[1].timing", "TIMING_CONFLICT")]
    assert found(first, step(2, "2026-11-03")) == []
