"""Keeps account of every input value while a reader works, so that none is dropped in silence.

A reader first lists every non-empty input leaf. From then on each leaf it uses is named in a trace row, each leaf it
knows and does not use is ignored by a named rule or carried as a note, and the rest become leftovers marked unknown.

Source: mapping.md 2.2; brief D1.
"""

from collections.abc import Iterable, Mapping

from gateway.domain.trace import Disposition, Leftover, TraceRow


class Tracer:
    """The account of one submission.

    Args:
        inputs: locator to raw lexeme, for every non-empty input leaf, in the sender's order.
    """

    def __init__(self, inputs: Mapping[str, str]) -> None:
        self._inputs = inputs
        self._used: set[str] = set()
        self._leftovers: dict[str, Leftover] = {}

    def row(self, target: str, source: str, *, rule: str, transform: str, result: str) -> TraceRow:
        """Account for one value.

        Args:
            target: canonical path within the order's prescription.
            source: locator of the input leaf; empty for a default or derived value.
            rule: stable id of the rule.
            transform: see `TraceRow`.
            result: the value it became, as text.

        Raises:
            KeyError: the source is not an input leaf; a reader that cites what is not there is broken.
        """
        raw = ""
        if source:
            raw = self._inputs[source]
            self._used.add(source)
        return TraceRow(target=target, source=source, rule=rule, transform=transform, raw=raw, result=result)

    def use(self, *sources: str) -> None:
        """Mark leaves as read: sources of a value, or members of a value already traced."""
        for source in sources:
            if source:
                self._used.add(source)

    def ignore(self, source: str, rule: str) -> None:
        """Account for a leaf that a named rule leaves out."""
        self._leave(source, Disposition.IGNORED_BY_RULE, rule)

    def note(self, source: str, rule: str) -> None:
        """Account for a leaf that travels as a note."""
        self._leave(source, Disposition.CARRIED_AS_NOTE, rule)

    def _leave(self, source: str, disposition: Disposition, rule: str) -> None:
        if source in self._inputs and source not in self._used:
            self._leftovers[source] = Leftover(
                source=source, raw=self._inputs[source], disposition=disposition, rule=rule
            )

    def unread(self) -> tuple[str, ...]:
        """Give the locators nobody has accounted for yet, in the sender's order."""
        return tuple(source for source in self._inputs if source not in self._used and source not in self._leftovers)

    def finish(self) -> tuple[Leftover, ...]:
        """Give every leftover in the sender's order; what nobody accounted for is marked unknown."""
        for source in self.unread():
            self._leave(source, Disposition.UNKNOWN, "")
        return tuple(self._leftovers[source] for source in self._inputs if source in self._leftovers)

    def unaccounted(self, sources: Iterable[str]) -> tuple[str, ...]:
        """Give the inputs neither in `sources` (of trace rows), nor marked used, nor left over; must be empty."""
        named = {*sources, *self._used, *self._leftovers}
        return tuple(source for source in self._inputs if source not in named)
