"""Keeps account of every input value while a reader works, so that none is dropped in silence.

A reader first lists every non-empty input leaf. From then on each leaf it uses is named in a trace row, each leaf it
knows and does not use is ignored by a named rule or carried as a note, and the rest become leftovers marked unknown.
Every rule is a row of `gateway.translate.maps`; a value that no row covers is unaccounted for.

Source: mapping.md 2.2; brief D1.
"""

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from operator import attrgetter

from gateway.domain.trace import Disposition, Leftover, TraceRow
from gateway.translate.maps.rules import Rule, Rules, left_out_by, place_of, rule_id_of, rule_of
from gateway.wire.leaf import Leaf

_BY_RULE, _UNKNOWN = Disposition.IGNORED_BY_RULE, Disposition.UNKNOWN
_RULE = attrgetter("rule")
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
        self._unread = dict(inputs)
        self._rules = rules
        self._stands_for = stands_for or {}
        self._rule_id = self._moved_rule if stands_for else partial(rule_id_of, rules)
        self._leftovers: dict[str, Leftover] = {}
        self.use_one: Callable[[str, None], object] = self._unread.pop
        """Mark one leaf as read, by its locator and None: as `use`, in less time."""

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
        rule = self._rule_id(target, source, transform)
        if not source:
            return TraceRow(target, "", rule, transform, "", result)
        self.use_one(source, None)
        return TraceRow(target, source, rule, transform, self._inputs[source], result)

    def _moved_rule(self, target: str, source: str, transform: str) -> str:
        """Find the rule by the place that the sender's map says the value stands for; most stand for themselves."""
        field, dot, rest = place_of(source).partition(".")
        rule = rule_of(self._rules, target, f"{self._stands_for.get(field, field)}{dot}{rest}", transform)
        return rule.id if rule is not None else ""

    def use(self, *sources: str) -> None:
        """Mark leaves as read: sources of a value, or members of a value already traced."""
        for source in sources:
            self._unread.pop(source, None)

    def ignore(self, source: str, rule: Rule) -> None:
        """Account for a leaf that a row leaves out; what was said of it first counts."""
        if source in self._unread:
            self._leave(source, rule.shown)

    def ignore_by_rule(self) -> None:
        """Account for every unread leaf whose place a row leaves out."""
        for source in self.unread():
            if shown := left_out_by(self._rules, source):
                self._leave(source, shown)

    def _leave(self, source: str, shown: str) -> None:
        self._leftovers[source] = Leftover(source, self._unread.pop(source), _BY_RULE, shown)

    def unread(self) -> tuple[str, ...]:
        """Give the locators nobody has accounted for yet, in the sender's order."""
        return tuple(self._unread)

    def finish(self) -> tuple[Leftover, ...]:
        """Give every leftover in the sender's order; what nobody accounted for is marked unknown."""
        left = self._leftovers
        for source, raw in self._unread.items():
            left[source] = Leftover(source, raw, _UNKNOWN, "")
        self._unread.clear()
        return tuple(map(left.__getitem__, filter(left.__contains__, self._inputs)))

    def unaccounted(self, rows: Iterable[TraceRow]) -> tuple[str, ...]:
        """Give the inputs nobody accounted for, and the values that were read without a rule; must be empty.

        Args:
            rows: every row of the trace.
        """
        kept = tuple(rows)
        named = {row.source for row in kept} if self._unread else ()
        unread = [source for source in self._unread if source not in named]
        if all(map(_RULE, kept)):
            return tuple(unread)
        return (*unread, *dict.fromkeys([row.source or row.target for row in kept if not row.rule]))
