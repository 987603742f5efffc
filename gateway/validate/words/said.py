"""What the grammar found in directions, and the same things as a structured dosage states them."""

from dataclasses import dataclass, replace
from fractions import Fraction

from gateway.validate.amounts import Amount
from gateway.validate.words.moments import Moment

DAY, MONTH = "day", "month"
DAYS_A_WEEK = 7
NO_UNIT = ""
"""Kind of an amount whose unit is not said: "take 2 at night"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """A dose: from `low` to `high`, equal for a single amount; an open end is None.

    Attributes:
        each: what one of them holds, where the words say so: "two 500mg tablets".
        words: as written, for people.
    """

    low: Fraction | None
    high: Fraction | None
    kind: str
    each: Amount | None = None
    words: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Often:
    """How often: times in one day or one month, which are never converted into each other.

    Attributes:
        low: None where only the most is said.
        high: None where only the least is said.
        words: as written, for people.
    """

    low: Fraction | None
    high: Fraction | None
    of: str
    words: str = ""


def on_days(often: Often, days: int) -> Often:
    """Narrow a frequency of once a day or more to some days of the week: once a day on Mondays is once a week."""
    most = often.high if often.high is not None else often.low
    if not days or often.of != DAY or most is None or most < 1:
        return often
    share = Fraction(days, DAYS_A_WEEK)
    return replace(
        often,
        low=often.low * share if often.low is not None else None,
        high=often.high * share if often.high is not None else None,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Lasting:
    """For how long, in days or months."""

    value: Fraction
    of: str
    words: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timed:
    """A dose and the moment of the day it is for.

    Attributes:
        doses: one amount, said in one unit or in several: "20 mg (4 tablets)".
    """

    doses: tuple[Spread, ...]
    moment: Moment


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """Everything found in one set of directions.

    Attributes:
        doses: amounts given at a time.
        often: frequencies, in the order written.
        days: weekdays, mon to sun.
        routes: names of routes.
        lasting: for how long.
        injected: the words say that it is injected.
        timed: which dose is for which time of day; empty where the words do not tell without doubt.
        moments: how many times of day are named.
        one_moment: how often is not said; at most one time of day and one weekday are, from which it was counted.
        once_only: a single administration, or a number of them without a period.
        unread: words that no pattern took.
        unsure: something was found that the grammar cannot read, though it bears on the dose.
    """

    doses: tuple[Spread, ...] = ()
    often: tuple[Often, ...] = ()
    days: frozenset[str] = frozenset()
    routes: frozenset[str] = frozenset()
    lasting: tuple[Lasting, ...] = ()
    timed: tuple[Timed, ...] = ()
    moments: int = 0
    one_moment: bool = False
    injected: bool = False
    once_only: bool = False
    unread: frozenset[str] = frozenset()
    unsure: bool = False
