"""How long records stay: the term in force today counts, a trust's own before the general one."""

from datetime import UTC, date, datetime, timedelta

import pytest

from gateway.domain.identifiers import OdsCode
from gateway.domain.retention import Retention, RetentionTerm

RBA, RZA = OdsCode("RBA"), OdsCode("RZA")


def term(since: date, *, days: int = 400, years: int = 8, trust: OdsCode | None = None) -> RetentionTerm:
    return RetentionTerm(
        since=since, trust=trust, archive_after_days=days, keep_years=years, keep_until_age=25, decided_by="a test"
    )


OLD, NEW, OWN = term(date(2020, 1, 1)), term(date(2026, 6, 1), days=500), term(date(2021, 1, 1), days=90, trust=RBA)
TERMS = Retention(terms=(NEW, OLD, OWN))


@pytest.mark.parametrize(
    ("trust", "today", "expected"),
    [
        (RZA, date(2019, 12, 31), None),
        (RZA, date(2020, 1, 1), OLD),
        (RZA, date(2026, 6, 1), NEW),
        (RBA, date(2020, 5, 1), OLD),
        (RBA, date(2026, 6, 1), OWN),
    ],
)
def test_the_latest_term_in_force_counts(trust: OdsCode, today: date, expected: RetentionTerm | None) -> None:
    assert TERMS.term(trust, today) == expected


def test_the_shortest_term_in_force_bounds_what_is_looked_at() -> None:
    assert TERMS.shortest(date(2026, 7, 1)) == timedelta(days=90)
    assert TERMS.shortest(date(2020, 7, 1)) == timedelta(days=400)
    assert TERMS.shortest(date(2019, 7, 1)) is None


def test_a_record_leaves_when_its_days_are_over() -> None:
    ended = datetime(2026, 1, 1, 12, tzinfo=UTC)
    assert OLD.leaves_after(ended) == ended + timedelta(days=400)


@pytest.mark.parametrize(
    ("ended", "born", "until"),
    [
        (date(2026, 3, 1), date(1980, 1, 1), date(2034, 3, 1)),
        (date(2026, 3, 1), date(2008, 3, 1), date(2034, 3, 1)),  # eighteen on the day
        (date(2026, 3, 1), date(2008, 3, 2), date(2034, 3, 1)),  # a child, and twenty-five sooner than eight years on
        (date(2026, 3, 1), date(2020, 6, 1), date(2045, 6, 1)),
        (date(2024, 2, 29), date(2020, 2, 29), date(2045, 3, 1)),
        (date(2026, 3, 1), None, date(2051, 3, 1)),
    ],
)
def test_a_childs_record_is_kept_until_an_age_and_an_unknown_one_as_long(
    ended: date, born: date | None, until: date
) -> None:
    assert OLD.keep_until(ended, born) == until
