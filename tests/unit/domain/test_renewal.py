"""A renewal is a task beside the line: asked for in time, ended once."""

from datetime import date, timedelta

import pytest

from gateway.domain.lifecycle import Actor
from gateway.domain.renewal import (
    LEAD_TIME,
    RENEWAL_ENDED,
    RENEWAL_LABELS,
    RENEWAL_TABLE,
    RenewalEvent,
    RenewalState,
    cover_ends,
    renewed,
    wanted,
)

S = RenewalState
E = RenewalEvent
A = Actor


def test_every_state_is_reached_has_words_and_an_end_absorbs() -> None:
    assert {S.REQUESTED} | {row.to for row in RENEWAL_TABLE} == set(S) == set(RENEWAL_LABELS)
    assert not any(row.states & RENEWAL_ENDED for row in RENEWAL_TABLE)


def test_only_the_trust_decides_a_renewal() -> None:
    assert renewed(S.WITH_PRESCRIBER, E.APPROVED, A.PRESCRIBER) is S.APPROVED
    assert renewed(S.WITH_PRESCRIBER, E.APPROVED, A.PROVIDER_SYSTEM) is None
    assert renewed(S.APPROVED, E.DECLINED, A.PRESCRIBER) is None


def test_the_cover_ends_with_the_last_day_of_the_last_supply() -> None:
    start = date(2026, 1, 1)
    assert cover_ends(start, days_per_supply=28, total_supplies=1) == date(2026, 1, 28)
    assert cover_ends(start, days_per_supply=28, total_supplies=6, stock_days=7) == start + timedelta(days=174)


@pytest.mark.parametrize(("days", "expected"), [(57, False), (56, True), (0, True), (-3, True)])
def test_a_renewal_is_wanted_once_the_cover_ends_within_the_lead_time(days: int, *, expected: bool) -> None:
    today = date(2026, 1, 1)
    assert wanted(today + timedelta(days=days), today, LEAD_TIME) is expected
