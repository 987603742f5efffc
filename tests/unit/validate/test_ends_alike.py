"""The door and the seal give an order the same time: what the one takes, the other lets leave, at every moment.

Each date of five years is tried, with each rule that ends a prescription; the seal's end is what a provider is told.
"""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Final

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gateway.domain.calendar import LONDON
from gateway.domain.prescription import ControlledSchedule, Prescription, ProductLevel
from gateway.domain.reference import ProductRow, Reference
from gateway.domain.submission import Action, Order, OrderNumber
from gateway.domain.validity import not_begun_after, not_valid_after
from gateway.validate.check import check
from tests.factories import line, prescription, trust

CODE: Final = "15517911000001104"
ORDINARY = ProductRow(code=CODE, level=ProductLevel.VMP, display="Methotrexate 10mg/0.2ml")
SCHEDULE_4 = replace(ORDINARY, schedule=ControlledSchedule.CD4)
SCHEDULE_5 = replace(ORDINARY, schedule=ControlledSchedule.CD5)
FIRST: Final = date(2024, 1, 1)
DAYS: Final = [FIRST + timedelta(days=number) for number in range(5 * 366)]
TICK: Final = timedelta(microseconds=1)
NUMBERS: Final = (OrderNumber(trust_number="RX7001", location="ORC[1]-2.1"),)

Kind = tuple[str, ProductRow, ControlledSchedule | None, int | None]
KINDS: Final[list[Kind]] = [
    ("six months", ORDINARY, None, None),
    ("six months of a schedule 5 drug", SCHEDULE_5, None, None),
    ("28 days, as dm+d has it", SCHEDULE_4, None, None),
    ("28 days, as stated", ORDINARY, ControlledSchedule.CD4, None),
    ("28 days, by both", SCHEDULE_4, ControlledSchedule.CD4, None),
    ("a stated end before", ORDINARY, None, 60),
    ("a stated end about six months on", ORDINARY, None, 182),
    ("a stated end after", ORDINARY, None, 300),
    ("a stated end after 28 days", SCHEDULE_4, None, 60),
]


def of_kind(kind: Kind, authored: datetime) -> tuple[Prescription, Reference]:
    _, row, stated, days = kind
    until = authored.astimezone(LONDON).date() + timedelta(days=days) if days is not None else None
    value = prescription(authored=authored, valid_to=until, lines=(line(schedule=stated),))
    return value, Reference(release="simulation", products={CODE: row})


def is_late_at_the_door(value: Prescription, reference: Reference, now: datetime) -> bool:
    order = Order(action=Action.NEW, numbers=NUMBERS, prescription=value)
    return "EXPIRED" in {one.code for one in check(order, value, None, trust=trust(), reference=reference, now=now)}


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind[0])
def test_no_day_of_five_years_ends_at_the_door_and_at_the_seal_at_two_moments(kind: Kind) -> None:
    for day in DAYS:
        value, reference = of_kind(kind, datetime(day.year, day.month, day.day, 12, tzinfo=UTC))
        last = not_begun_after(value, reference.products)
        assert not is_late_at_the_door(value, reference, last), day
        assert is_late_at_the_door(value, reference, last + TICK), day


@given(
    kind=st.sampled_from(KINDS),
    signed=st.integers(0, 5 * 366 * 24 * 60).map(lambda minutes: timedelta(minutes=minutes)),
    offset=st.integers(-12 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes))),
    later=st.timedeltas(timedelta(), timedelta(days=370)),
)
@example(kind=KINDS[0], signed=date(2026, 9, 30) - FIRST, offset=UTC, later=timedelta(days=180))
def test_whenever_it_comes_door_and_seal_agree(
    kind: Kind, signed: timedelta, offset: timezone, later: timedelta
) -> None:
    begun = datetime(FIRST.year, FIRST.month, FIRST.day, tzinfo=UTC)
    value, reference = of_kind(kind, (begun + signed).astimezone(offset))
    now = value.authored + later
    assert is_late_at_the_door(value, reference, now) is (not_begun_after(value, reference.products) < now)


@pytest.mark.parametrize(
    ("signed", "last"),
    [
        ("2026-09-28", "2027-03-28"),
        ("2026-09-29", "2027-03-28"),
        ("2026-09-30", "2027-03-28"),
        ("2026-08-31", "2027-02-28"),
        ("2026-10-31", "2027-04-28"),
    ],
)
def test_six_months_end_on_the_28th_at_the_latest(signed: str, last: str) -> None:
    value, reference = of_kind(KINDS[0], datetime.fromisoformat(f"{signed}T12:00:00+00:00"))
    end = date.fromisoformat(last)
    noon = datetime(end.year, end.month, end.day, 11, tzinfo=UTC)
    assert not is_late_at_the_door(value, reference, noon)
    assert is_late_at_the_door(value, reference, noon + timedelta(days=1))


def test_a_schedule_4_drug_is_begun_within_28_days_and_goes_on_for_six_months() -> None:
    value, reference = of_kind(KINDS[2], datetime(2026, 10, 5, 12, tzinfo=UTC))
    assert not_begun_after(value, reference.products) == datetime(2026, 11, 2, 23, 59, 59, tzinfo=UTC)
    assert not_valid_after(value).date() == date(2027, 4, 5)


def test_one_schedule_4_line_ends_the_message_of_all_its_lines() -> None:
    value, reference = of_kind(KINDS[0], datetime(2026, 10, 5, 12, tzinfo=UTC))
    both = replace(value, lines=(line(), line("RX7002", schedule=ControlledSchedule.CD4)))
    assert not_begun_after(both, reference.products).date() == date(2026, 11, 2)
