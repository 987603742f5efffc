"""A trust's code map by date: an entry counts from its first to its last day, and on no other."""

from dataclasses import replace
from datetime import date

import pytest

from gateway.domain.partner import CodeEntry
from tests.hl7v2_orders import SYRINGE, TRUST

FIRST, LAST = date(2026, 3, 1), date(2026, 3, 31)


@pytest.mark.parametrize(
    ("day", "counts"),
    [
        (date(2026, 2, 28), False),
        (FIRST, True),
        (date(2026, 3, 15), True),
        (LAST, True),
        (date(2026, 4, 1), False),
    ],
)
def test_an_entry_fires_only_within_its_dates(day: date, *, counts: bool) -> None:
    entry = CodeEntry(kind="unit", code="X", target=SYRINGE, valid_from=FIRST, valid_to=LAST)
    trust = replace(TRUST, codes=(entry,)).on(day)
    assert (trust.entry("unit", "X") == entry) is counts


def test_an_entry_without_dates_always_counts() -> None:
    assert TRUST.on(date(1999, 1, 1)) is TRUST
