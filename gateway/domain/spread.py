"""How long things took, counted: a spread of times, and what may be said of a share of few.

Times are kept as they are shown, rounded up so that nothing looks faster than it was: whole seconds below two minutes,
whole minutes up to a day, whole hours up to thirty days, whole days beyond. A limit of whole minutes up to a day, or of
whole hours or days above, is therefore judged exactly. Spreads of several days add up, and nothing is lost by adding.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

_MINUTE: Final = 60
_HOUR: Final = 60 * _MINUTE
_DAY: Final = 24 * _HOUR
_STEPS: Final = ((2 * _MINUTE, 1), (_DAY, _MINUTE), (30 * _DAY, _HOUR))
_Z: Final = 1.959963984540054
"""Of a normal distribution, 95 % lie within so many deviations of its middle."""


def rounded_up(span: timedelta) -> int:
    """Give a length of time in seconds as a spread keeps it; what seems to end before it began takes none."""
    seconds = max(0, -(-span // timedelta(seconds=1)))
    for most, step in _STEPS:
        if seconds <= most:
            return -(-seconds // step) * step
    return -(-seconds // _DAY) * _DAY


@dataclass(frozen=True, slots=True)
class Spread:
    """How many took how long.

    Attributes:
        counts: seconds, as `rounded_up` gives them, to how many took so long.
    """

    counts: Mapping[int, int] = field(default_factory=dict)

    def __len__(self) -> int:
        """Count them."""
        return sum(self.counts.values())

    def percentile(self, percent: int) -> timedelta | None:
        """Give the shortest time within which at least so many of a hundred lay; None of none (nearest rank)."""
        wanted = math.ceil(len(self) * percent / 100)
        for seconds in sorted(self.counts):
            wanted -= self.counts[seconds]
            if wanted <= 0:
                return timedelta(seconds=seconds)
        return None

    def within(self, limit: timedelta) -> int:
        """Count those that took no longer than a limit."""
        most = limit.total_seconds()
        return sum(count for seconds, count in self.counts.items() if seconds <= most)


def together(spreads: Iterable[Spread]) -> Spread:
    """Add spreads up."""
    counts: dict[int, int] = {}
    for spread in spreads:
        for seconds, count in spread.counts.items():
            counts[seconds] = counts.get(seconds, 0) + count
    return Spread(counts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """So many of so many."""

    numerator: int
    denominator: int

    @property
    def percent(self) -> float | None:
        """Of a hundred; None of none: a share of nothing is not zero."""
        return 100 * self.numerator / self.denominator if self.denominator else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """Where the share of many more would lie, 95 times in a hundred, in percent; None of none.

        Source: Wilson, 1927: a score interval, which holds for few and for all or none of them.
        """
        if not self.denominator:
            return None
        n, p = self.denominator, self.numerator / self.denominator
        middle = p + _Z**2 / (2 * n)
        reach = _Z * math.sqrt(p * (1 - p) / n + _Z**2 / (4 * n**2))
        scale = 100 / (1 + _Z**2 / n)
        return max(0.0, (middle - reach) * scale), min(100.0, (middle + reach) * scale)
