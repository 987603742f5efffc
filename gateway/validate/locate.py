"""Where a canonical value stands in the sender's own message."""

from collections.abc import Iterator
from functools import cached_property

from gateway.domain.submission import Order


class Locator:
    """Finds the sender's place for a canonical path, by the trace of the reading.

    The row for the path itself decides, else the nearest one above it, else the first one below it; a value that was
    never sent is told at the number of the order it is missing from.
    """

    def __init__(self, order: Order) -> None:
        self._order = order

    def __call__(self, path: str) -> str:
        """Give the locator, empty when the sender said nothing that leads there."""
        for candidate in (path, *_above(path)):
            if candidate in self._sources:
                return self._sources[candidate]
        below = (source for target, source in self._sources.items() if target.startswith((f"{path}.", f"{path}[")))
        return next(below, self._order.numbers[0].location if self._order.numbers else "")

    @cached_property
    def _sources(self) -> dict[str, str]:
        found: dict[str, str] = {}
        for row in self._order.trace:
            if row.source:
                found.setdefault(row.target, row.source)
        return found


def _above(path: str) -> Iterator[str]:
    while (cut := max(path.rfind("."), path.rfind("["))) > 0:
        path = path[:cut]
        yield path
