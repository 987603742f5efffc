"""Filters that people keep: see `gateway.ports.filters`."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Final, TypeVar

from gateway.ports.filters import MOST, SavedFilter
from gateway.store.sql.instants import stored
from gateway.store.sql.transaction import Reader, Transaction

T = TypeVar("T")

_OF: Final = "SELECT name, query FROM saved_filter WHERE person = ? ORDER BY name LIMIT 100"
_OTHERS: Final = "SELECT count(*) FROM saved_filter WHERE person = :person AND name <> :name"
_SAVE: Final = """
INSERT INTO saved_filter (person, name, query, saved_at) VALUES (:person, :name, :query, :at)
ON CONFLICT (person, name) DO UPDATE SET query = :query, saved_at = :at
"""
_FORGET: Final = "DELETE FROM saved_filter WHERE person = :person AND name = :name"


def save_filter(transaction: Transaction, person: str, kept: SavedFilter, *, now: datetime) -> bool:
    """Keep a filter, in place of one of the same name. Tells whether there was room for it."""
    named = {"person": person, "name": kept.name}
    others = transaction.row(_OTHERS, named)
    if others is not None and others[0] >= MOST:
        return False
    transaction.run(_SAVE, {**named, "query": kept.query, "at": stored(now)})
    return True


def forget_filter(transaction: Transaction, person: str, name: str) -> bool:
    """Forget a filter. Tells whether there was one."""
    return transaction.changed(_FORGET, {"person": person, "name": name})


def saved_filters(reader: Reader, person: str) -> tuple[SavedFilter, ...]:
    """Give the filters of a person, by name."""
    return tuple(SavedFilter(name=name, query=query) for name, query in reader.execute(_OF, (person,)))


class FilterAnswers(ABC):
    """The question."""

    @abstractmethod
    async def _ask(self, question: Callable[[Reader], T]) -> T:
        """Run a question."""

    async def saved_filters(self, person: str) -> tuple[SavedFilter, ...]:
        """See `gateway.ports.filters.FilterReads`."""
        return await self._ask(lambda reader: saved_filters(reader, person))


class FilterActs(ABC):
    """The writes."""

    _transaction: Transaction

    @abstractmethod
    async def _run(self, write: Callable[[], T]) -> T:
        """Run a write."""

    async def save_filter(self, person: str, kept: SavedFilter, *, now: datetime) -> bool:
        """See `gateway.ports.filters.FilterWrites`."""
        return await self._run(partial(save_filter, self._transaction, person, kept, now=now))

    async def forget_filter(self, person: str, name: str) -> bool:
        """See `gateway.ports.filters.FilterWrites`."""
        return await self._run(partial(forget_filter, self._transaction, person, name))
