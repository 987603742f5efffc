"""Keeps account of every input value while a reader works, so that none is dropped in silence.

A reader first lists every non-empty input leaf. From then on each leaf it uses is named in a trace row, each leaf it
knows and does not use is ignored by a named rule or carried as a note, and the rest become leftovers marked unknown.
Every rule is a row of `gateway.translate.maps`; a value that no row covers is unaccounted for.

Source: mapping.md 2.2; brief D1.
"""

from collections.abc import Callable, Iterable, Mapping
from itertools import filterfalse
from operator import attrgetter

from gateway.domain.trace import Disposition, Leftover, TraceRow
from gateway.translate.maps.rules import Rule, Rules, leaving_out, place_of, rule_id_of, rule_of
from gateway.wire.leaf import Leaf

_PLACE_AND_LEXEME: Callable[[Leaf], tuple[str, str]] = attrgetter("locator", "raw")


def lexemes(leaves: Iterable[Leaf]) -> dict[str, str]:
    """Give the raw lexeme of every leaf by its locator, as a tracer wants them."""
    return dict(map(_PLACE_AND_LEXEME, leaves))


class Tracer:
    """The account of one submission.

    Args:
        inputs: locator to raw lexeme, for every non-empty input leaf, in the sender's order.
        rules: of the format.
        stands_for: places of the sender's own to the places whose rules they are read by.
    """

    def __init__(self, inputs: Mapping[str, str], rules: Rules, stands_for: Mapping[str, str] | None = None) -> None:
        self._inputs = inputs
        self._rules = rules
        self._stands_for = stands_for or {}
        self._used: set[str] = set()
        self._leftovers: dict[str, Leftover] = {}
        self.use_one = self._used.add
        """Mark one leaf as read, by its locator: as `use`, in less time."""

    def row(self, target: str, source: str, transform: str, result: str) -> TraceRow:
        """Account for one value, by the row of the rules that covers it.

        Args:
            target: canonical path within the order's prescription.
            source: locator of the input leaf; empty for a default or derived value.
            transform: see `TraceRow`.
            result: the value it became, as text.

        Raises:
            KeyError: the source is not an input leaf; a reader that cites what is not there is broken.
        """
        raw = ""
        if source:
            raw = self._inputs[source]
            self._used.add(source)
        find = self._moved_rule if self._stands_for else rule_id_of
        return TraceRow(target, source, find(self._rules, target, source, transform), transform, raw, result)

    def _moved_rule(self, rules: Rules, target: str, source: str, transform: str) -> str:
        """Find the rule by the place that the sender's map says the value stands for; most stand for themselves."""
        field, dot, rest = place_of(source).partition(".")
        rule = rule_of(rules, target, f"{self._stands_for.get(field, field)}{dot}{rest}", transform)
        return rule.id if rule is not None else ""

    def use(self, *sources: str) -> None:
        """Mark leaves as read: sources of a value, or members of a value already traced."""
        self._used.update(filter(None, sources))

    def ignore(self, source: str, rule: Rule) -> None:
        """Account for a leaf that a row leaves out; what was said of it first counts."""
        if source in self._inputs and source not in self._used and source not in self._leftovers:
            self._leftovers[source] = Leftover(
                source, self._inputs[source], Disposition.IGNORED_BY_RULE, f"{rule.id}: {rule.reason}"
            )

    def ignore_by_rule(self) -> None:
        """Account for every unread leaf whose place a row leaves out."""
        for source in self.unread():
            if rule := leaving_out(self._rules, place_of(source)):
                self.ignore(source, rule)

    def unread(self) -> tuple[str, ...]:
        """Give the locators nobody has accounted for yet, in the sender's order."""
        return tuple(filterfalse(self._used.union(self._leftovers).__contains__, self._inputs))

    def finish(self) -> tuple[Leftover, ...]:
        """Give every leftover in the sender's order; what nobody accounted for is marked unknown."""
        for source in self.unread():
            self._leftovers[source] = Leftover(source, self._inputs[source], Disposition.UNKNOWN, "")
        return tuple(map(self._leftovers.__getitem__, filter(self._leftovers.__contains__, self._inputs)))

    def unaccounted(self, rows: Iterable[TraceRow]) -> tuple[str, ...]:
        """Give the inputs nobody accounted for, and the values that were read without a rule; must be empty.

        Args:
            rows: every row of the trace.
        """
        kept = tuple(rows)
        unread = self.unread()
        if unread:
            named = {row.source for row in kept}
            unread = tuple(source for source in unread if source not in named)
        return (*unread, *dict.fromkeys([row.source or row.target for row in kept if not row.rule]))
