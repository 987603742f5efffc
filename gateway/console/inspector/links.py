"""What goes where: which places of the source a canonical value comes from, and to which places of FHIR it goes.

The first half is the trace that was stored with the order. The second is made again by writing the message anew, for
what is stored are its bytes; the page says how those two messages differ, if they do.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from gateway.domain.trace import TraceRow

RULE: Final = "rule:"


@dataclass(frozen=True, slots=True)
class Links:
    """The links of one message.

    Attributes:
        rows: of the trace.
        explained: FHIRPath and canonical path, or rule of the writer, of every value of the message that was written.
    """

    rows: tuple[TraceRow, ...]
    explained: tuple[tuple[str, str], ...] = ()
    _by_source: dict[str, list[int]] = field(default_factory=dict, repr=False)
    _fhir_of: dict[int, tuple[str, ...]] = field(default_factory=dict, repr=False)
    _rows_of: dict[str, tuple[int, ...]] = field(default_factory=dict, repr=False)
    _origin_of: dict[str, str] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, rows: Sequence[TraceRow], explained: Iterable[tuple[str, str]] = ()) -> "Links":
        """Join a trace with where its values went."""
        links = cls(tuple(rows), tuple(explained))
        by_target: dict[str, list[int]] = defaultdict(list)
        for number, row in enumerate(links.rows):
            by_target[row.target].append(number)
            if row.source:
                links._by_source.setdefault(row.source, []).append(number)
        fhir: dict[int, list[str]] = defaultdict(list)
        rows_of: dict[str, list[int]] = defaultdict(list)
        for path, origin in links.explained:
            links._origin_of.setdefault(path, origin)
            for number in _covering(origin, by_target):
                fhir[number].append(path)
                rows_of[path].append(number)
        links._fhir_of.update({number: tuple(dict.fromkeys(paths)) for number, paths in fhir.items()})
        links._rows_of.update({path: tuple(numbers) for path, numbers in rows_of.items()})
        return links

    def rows_at(self, locator: str) -> tuple[int, ...]:
        """Give the rows that come from a place of the source, or from a place within it."""
        found = [
            number
            for source, numbers in self._by_source.items()
            if source == locator or source.startswith((f"{locator}.", f"{locator}[", f"{locator}/", f"{locator}-"))
            for number in numbers
        ]
        return tuple(sorted(found))

    def rows_to(self, path: str) -> tuple[int, ...]:
        """Give the rows whose values stand at a place of FHIR."""
        return self._rows_of.get(path, ())

    def places(self, source: str) -> int:
        """Count the places that a value of the source goes to: of FHIR where it got there, else canonical ones."""
        numbers = self._by_source.get(source, ())
        fhir = {path for number in numbers for path in self._fhir_of.get(number, ())}
        return len(fhir) or len(numbers)

    def fhir(self, number: int) -> tuple[str, ...]:
        """Give the places of FHIR that a row's value went to."""
        return self._fhir_of.get(number, ())

    def origin(self, path: str) -> str:
        """Say where a value of FHIR comes from: a canonical path, or a rule of the writer; empty if nothing does."""
        return self._origin_of.get(path, "")


def counted(places: int) -> str:
    """Give a number of places in words."""
    return "1 place" if places == 1 else f"{places} places"


def _covering(origin: str, by_target: dict[str, list[int]]) -> Iterable[int]:
    """Give the rows nearest above a canonical path, or of the code that it stands beside."""
    if origin.startswith(RULE):
        return ()
    path = origin
    while path:
        if path in by_target:
            return by_target[path]
        above = path[: max(path.rfind("."), path.rfind("["), 0)]
        beside = next(
            (by_target[f"{above}.{name}"] for name in ("code", "value") if f"{above}.{name}" in by_target), None
        )
        if beside is not None and path == origin:
            return beside
        path = above
    return ()
