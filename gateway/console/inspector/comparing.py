"""Two messages line by line: what is only in the first, what only in the second, and what stands about it."""

import difflib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final

_ABOUT: Final = 2
MOST: Final = 800
_COMPARED: Final = 6000


@dataclass(frozen=True, slots=True, kw_only=True)
class DiffLine:
    """One line; `words` says aloud what the mark in front of it shows."""

    mark: str
    words: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Diff:
    """What differs.

    Attributes:
        removed: lines only in the first; `added` only in the second.
        more: lines that were left out for length.
        whole: whether both were compared to their end.
    """

    lines: tuple[DiffLine, ...]
    removed: int
    added: int
    more: int = 0
    whole: bool = True

    @property
    def same(self) -> bool:
        """Whether nothing differs in what was compared."""
        return not self.removed and not self.added


_WORDS: Final = {"-": "only in the first", "+": "only in the second", " ": "in both"}


def compare(first: Sequence[str], second: Sequence[str]) -> Diff:
    """Compare two lists of lines."""
    whole = len(first) <= _COMPARED and len(second) <= _COMPARED
    lines = list(_lines(first[:_COMPARED], second[:_COMPARED]))
    return Diff(
        lines=tuple(lines[:MOST]),
        removed=sum(line.mark == "-" for line in lines),
        added=sum(line.mark == "+" for line in lines),
        more=max(0, len(lines) - MOST),
        whole=whole,
    )


def without_seal(flat: Sequence[str]) -> tuple[str, ...]:
    """Leave out the seal of a message in lines `path = value`: it is its last entry, and differs each time."""
    entries = [line.partition("]")[0] for line in flat if line.startswith("Bundle.entry[")]
    last = f"{entries[-1]}]" if entries else ""
    sealed = bool(last) and any(line.startswith(f"{last}.resource.signature[") for line in flat)
    return tuple(line for line in flat if not sealed or not line.startswith(last))


def _lines(first: Sequence[str], second: Sequence[str]) -> Iterator[DiffLine]:
    told = difflib.unified_diff(list(first), list(second), lineterm="", n=_ABOUT)
    for line in islice(told, 2, None):  # the first two name the files
        if line.startswith("@@"):
            yield DiffLine(mark="…", words="further down", text="")
        else:
            yield DiffLine(mark=line[:1], words=_WORDS.get(line[:1], ""), text=line[1:])
