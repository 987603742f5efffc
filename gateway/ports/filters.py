"""Filters of the list of messages that a person keeps under names of their own: a convenience, and no record.

Source: console.md 6.7 (saved filters).
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol

MOST: Final = 20
"""Filters of one person."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedFilter:
    """One filter.

    Attributes:
        query: of the list's address; its names and values are those of the filters alone.
    """

    name: str
    query: str


class FilterReads(Protocol):
    """Reads."""

    async def saved_filters(self, person: str) -> tuple[SavedFilter, ...]:
        """Give the filters of a person, by name."""


class FilterWrites(Protocol):
    """One transaction each."""

    async def save_filter(self, person: str, kept: SavedFilter, *, now: datetime) -> bool:
        """Keep a filter, in place of one of the same name. Tells whether there was room for it."""

    async def forget_filter(self, person: str, name: str) -> bool:
        """Forget a filter. Tells whether there was one."""
