"""What a reader writes down while it reads: the values it took with their trace, and everything that is wrong.

The XML and FHIR readers share it. A *leaf* is one input value with its locator; `take` turns it into a value and its
trace row in one act, so that no value can be read without its origin.
"""

from collections.abc import Callable, Iterable
from typing import TypeVar

from gateway.domain.code_map import UnknownCode
from gateway.domain.issue import Issue
from gateway.domain.trace import Leftover, TraceRow
from gateway.translate.maps.rules import Rule
from gateway.translate.tracer import Tracer
from gateway.wire.leaf import Leaf as Leaf  # noqa: PLC0414 - the readers know it from here

T = TypeVar("T")


class Record:
    """The account of one order: rows, issues and the tracer of the whole submission.

    Args:
        tracer: knows every input leaf, and the rules.
    """

    def __init__(self, tracer: Tracer) -> None:
        self._tracer = tracer
        self._row = tracer.row
        self._use = tracer.use_one
        self._ignore = tracer.ignore
        self.rows: list[TraceRow] = []
        self.issues: list[Issue] = []
        self.unknown: list[UnknownCode] = []

    def flag(self, code: str, location: str, text: str, values: tuple[str, ...] = ()) -> None:
        """Write down one issue; the same one only once."""
        issue = Issue(code=code, location=location, text=text, values=values)
        if issue not in self.issues:
            self.issues.append(issue)

    def unmapped(self, unknown: UnknownCode, text: str) -> None:
        """Write down a code that nothing here reads, and the issue that it gives rise to."""
        self.flag(unknown.issue, unknown.location, text)
        if unknown not in self.unknown:
            self.unknown.append(unknown)

    def take(  # noqa: PLR0917 - one leaf, one target, one way to read it
        self,
        leaf: Leaf | None,
        target: str,
        parse: Callable[[str], T | None],
        transform: str,
        wanted: str,
        code: str = "VALUE_INVALID",
    ) -> T | None:
        """Turn a leaf into a value with its trace row, or an issue.

        Args:
            leaf: None gives None.
            target: canonical path.
            parse: gives None for a lexeme that is no such value.
            transform: as `TraceRow.transform`.
            wanted: what the sender should write; the issue's text.
            code: the issue's code.
        """
        if leaf is None:
            return None
        value = parse(leaf.raw)
        if value is None:
            self._use(leaf.locator, None)
            self.flag(code, leaf.locator, wanted)
            return None
        self.rows.append(self._row(target, leaf.locator, transform, str(value)))
        return value

    def words(self, leaf: Leaf | None, target: str) -> str:
        """Copy a leaf as it stands; empty if there is none."""
        if leaf is None:
            return ""
        self.rows.append(self._row(target, leaf.locator, "copy", leaf.raw))
        return leaf.raw

    def trace(self, target: str, leaf: Leaf | None, transform: str, result: str) -> None:
        """Write a trace row; without a leaf the value is a default or derived."""
        self.rows.append(self._row(target, leaf.locator if leaf is not None else "", transform, result))

    def use(self, *leaves: Leaf | None) -> None:
        """Mark leaves as read: members of a value already traced, or read and refused."""
        for leaf in leaves:
            if leaf is not None:
                self._use(leaf.locator, None)

    def ignore(self, leaves: Iterable[Leaf | None], rule: Rule) -> None:
        """Leave leaves out by a row of the rules."""
        for leaf in leaves:
            if leaf is not None:
                self._ignore(leaf.locator, rule)

    def leave(self, leaf: Leaf, rule: Rule) -> None:
        """Leave one leaf out by a row of the rules."""
        self._ignore(leaf.locator, rule)

    def unread(self) -> tuple[str, ...]:
        """Give the locators that no rule has read so far."""
        return self._tracer.unread()

    def close(self) -> tuple[tuple[Leftover, ...], tuple[str, ...]]:
        """Give the leftovers and the inputs nobody accounted for (none, or the reader is broken)."""
        leftovers = self._tracer.finish()
        return leftovers, self._tracer.unaccounted(self.rows)
