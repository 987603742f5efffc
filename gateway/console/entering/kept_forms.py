"""What people typed at the moment their session ended, for themselves alone, in memory and for a while.

Source: console.md 7 (signed out: form content kept for the same person).
"""

from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Final

from gateway.console.entering.session import Typed

_MOST_OF_ONE: Final = 4
_MOST_PEOPLE: Final = 256
_MOST_CHARACTERS: Final = 32_000
"""Of one form; more than any page of ours takes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kept:
    at: datetime
    typed: Typed = field(repr=False)


class KeptForms:
    """Forms that were not sent, by person and page.

    Args:
        now: the clock.
        lasts: how long one is kept.
    """

    def __init__(self, now: Callable[[], datetime], *, lasts: timedelta) -> None:
        self._now = now
        self._lasts = lasts
        self._people: OrderedDict[str, OrderedDict[str, _Kept]] = OrderedDict()

    def keep(self, name: str, path: str, typed: Mapping[str, tuple[str, ...]]) -> bool:
        """Keep what a person typed on a page, in place of what was kept of that page before. Tells whether it was."""
        if sum(len(field) + sum(map(len, values)) for field, values in typed.items()) > _MOST_CHARACTERS:
            return False
        pages = self._people.setdefault(name, OrderedDict())
        self._people.move_to_end(name)
        pages.pop(path, None)
        pages[path] = _Kept(at=self._now(), typed=MappingProxyType(dict(typed)))
        while len(pages) > _MOST_OF_ONE:
            pages.popitem(last=False)
        while len(self._people) > _MOST_PEOPLE:
            self._people.popitem(last=False)
        return True

    def take(self, name: str) -> dict[str, Typed]:
        """Give what is kept of a person by page, the newest last, and keep it no longer."""
        pages = self._people.pop(name, OrderedDict())
        return {path: kept.typed for path, kept in pages.items() if self._now() - kept.at < self._lasts}
