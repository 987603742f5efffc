"""The days between which a list is looked for, as an address or a form states them: whole days of London."""

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import Final

from gateway.console.words import LONDON
from gateway.domain.calendar import is_possible

FIELDS: Final = ("since", "until")


def day_faults(asked: Mapping[str, str]) -> list[tuple[str, str]]:
    """Give each field that states no day one can look from or to, with what to change."""
    return [
        (name, f"“{asked[name]}” is not a day between 1800 and 2999: write 5 October 2026 as 2026-10-05.")
        for name in FIELDS
        if asked[name] and _day(asked[name]) is None
    ]


def between(asked: Mapping[str, str]) -> tuple[datetime | None, datetime | None]:
    """Give the midnights at which the first day begins and the last one ends; None where none is asked."""
    since, until = (_day(asked[name]) for name in FIELDS)
    return (_midnight(since) if since else None, _midnight(until + timedelta(days=1)) if until else None)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), LONDON)


def _day(text: str) -> date | None:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if is_possible(day) else None
