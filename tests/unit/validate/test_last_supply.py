"""The last supply against the validity and the time the directions are for."""

from datetime import date
from decimal import Decimal

import pytest

from gateway.domain.prescription import Bounds, Dosage, Duration, TimeUnit, Timing
from gateway.validate.last_supply import last_supply_doubts
from tests.factories import line

FIRST = date(2026, 10, 5)
DAY, WEEK, MONTH = TimeUnit.DAY, TimeUnit.WEEK, TimeUnit.MONTH


def length(number: int, unit: TimeUnit = DAY) -> Duration:
    return Duration(value=Decimal(number), unit=unit)


def verdict(supplies: int, interval: Duration | None, last: date | None, *bounds: Bounds | None) -> str:
    dosages = tuple(
        Dosage(sequence=index, timing=Timing(bounds=bound) if bound else None) for index, bound in enumerate(bounds, 1)
    )
    value = line(dosages=dosages, total_supplies=supplies, interval=interval, days_per_supply=None)
    found = list(last_supply_doubts(value, FIRST, last))
    assert all(one.values for one in found)
    return " ".join("held" if one.escalated else "warned" for one in found)


@pytest.mark.parametrize(
    ("supplies", "interval", "last", "expected"),
    [
        (6, length(28), date(2027, 4, 5), ""),
        (6, length(4, WEEK), date(2027, 2, 22), ""),  # the very day
        (6, length(28), date(2027, 2, 12), ""),  # within a tenth
        (6, length(28), date(2027, 1, 25), "warned"),
        (6, length(28), date(2026, 10, 10), "held"),
        (6, length(28), FIRST, "held"),
        (1, length(28), FIRST, ""),
        (6, None, FIRST, ""),
        (6, length(1, MONTH), FIRST, ""),  # months have no number of days
        (6, length(28), None, ""),
        (6, length(28), date(2026, 10, 4), ""),  # a validity that ends before it begins is told elsewhere
    ],
)
def test_supplies_that_fall_due_after_the_validity_are_told(
    supplies: int, interval: Duration | None, last: date | None, expected: str
) -> None:
    assert verdict(supplies, interval, last) == expected


def test_supplies_fall_due_by_their_interval_and_not_by_how_long_one_lasts() -> None:
    value = line(dosages=(), total_supplies=6, interval=length(8, WEEK), days_per_supply=28)
    (found,) = last_supply_doubts(value, FIRST, date(2027, 4, 5))
    assert found.values[0] == "day 280"


WEEKS_24 = Bounds(start=date(2026, 10, 19), end=date(2027, 4, 5))


@pytest.mark.parametrize(
    ("supplies", "bounds", "expected"),
    [
        (6, [WEEKS_24], ""),
        (9, [WEEKS_24], "warned"),
        (14, [WEEKS_24], "held"),
        (3, [Bounds(duration=length(7)), Bounds(duration=length(49))], ""),
        (3, [Bounds(duration=length(7)), Bounds(duration=length(7))], "held"),
        (3, [Bounds(duration=length(7)), None], ""),  # the second step has no end
        (3, [Bounds(start=FIRST)], ""),
        (3, [Bounds(duration=length(7), duration_high=length(60))], ""),
    ],
)
def test_supplies_that_fall_due_after_the_directions_end_are_told(
    supplies: int, bounds: list[Bounds | None], expected: str
) -> None:
    assert verdict(supplies, length(28), None, *bounds) == expected
