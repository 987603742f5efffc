"""The charts beside the figures of the service; each says in its title what is found."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from gateway.console.figures.charts import Dot, Part, Point, Words, dot_plot, run_chart, stacked_bar
from gateway.console.figures.performance_figures import Period, acceptance, by_day, by_provider, percent
from gateway.console.figures.performance_shown import became_of
from gateway.console.site import Names
from gateway.ports.board import Figure

_FEWEST_DAYS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """One chart; `title` is what it finds."""

    title: str
    svg: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Pictures:
    """The charts of a page; None where there is nothing to draw."""

    days: Picture | None
    providers: Picture | None
    became: Picture | None


def pictures(figures: Sequence[Figure], period: Period, names: Names) -> Pictures:
    """Draw the charts of a period."""
    return Pictures(days=_days(figures, period), providers=_providers(figures, names), became=_became(figures, period))


def _days(figures: Sequence[Figure], period: Period) -> Picture | None:
    """Draw the raw share day by day; a day on which nothing was sent is a gap."""
    days = [(day, found.raw.percent) for day, found in by_day(figures, period)]
    known = [value for _, value in days if value is not None]
    if len(known) < _FEWEST_DAYS:
        return None
    title = f"Accepted in time, day by day: between {min(known):.0f} % and {max(known):.0f} % on {len(known)} days"
    words = Words(
        name="by-day",
        title=title,
        description="One point for each day on which items were sent; a day without any is a gap. The broken line is"
        " the median of the days. The last days may still rise: decisions are still to come.",
    )
    points = [Point(label=f"{day.day} {day:%b}", value=value) for day, value in days]
    return Picture(title=title, svg=run_chart(words, points, percent=True, middle=statistics.median(known)))


def _providers(figures: Sequence[Figure], names: Names) -> Picture | None:
    found = sorted(by_provider(figures), key=lambda one: one[1].raw.percent or 0.0, reverse=True)
    if not found:
        return None
    dots = []
    for ods, one in found:
        low, high = one.raw.interval or (0.0, 100.0)
        label = names.get(ods, str(ods))
        text = f"{percent(one.raw)} of {one.sent:,}"
        dots.append(Dot(label=label, value=one.raw.percent, low=low, high=high, words=text))
    title = f"Accepted in time by provider: {dots[0].label} {dots[0].words}"
    if len(dots) > 1:
        title += f"; the lowest, {dots[-1].label}, {dots[-1].words}"
    words = Words(
        name="by-provider",
        title=title,
        description="A dot for the share of each provider, and a line where it would lie 95 times of 100 if there were"
        " many more items. Where lines overlap, the difference may be chance.",
    )
    return Picture(title=title, svg=dot_plot(words, dots))


def _became(figures: Sequence[Figure], period: Period) -> Picture | None:
    whole = acceptance(figures)
    if not whole.sent:
        return None
    (in_time, _, accepted), *others = became_of(whole)
    left_out = sum(count for _, place, count in others if place in {"cancelled", "replaced", "expired", "moved"})
    parts = [
        Part(label=in_time, count=accepted),
        *(
            Part(label=words, count=count)
            for words, place, count in others
            if place in {"late", "rejected", "undecided"}
        ),
        Part(label="Left out: cancelled, replaced, expired or given to another provider", count=left_out),
    ]
    title = f"{percent(whole.raw)} of {whole.sent:,} items sent were accepted in time ({_within(period.words)})"
    words = Words(name="became", title=title, description="One bar of all that was sent, in parts; each item once.")
    return Picture(title=title, svg=stacked_bar(words, parts))


def _within(words: str) -> str:
    """Give the words of a period inside a sentence: a month keeps its capital."""
    return f"the{words.removeprefix('The')}" if words.startswith("The ") else words
