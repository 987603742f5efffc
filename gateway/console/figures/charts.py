"""Pictures of figures, drawn here as SVG: a line over days, dots with intervals, a bar of parts.

Rules:

1. The table beside a chart is the primary form; a chart says the same. Its title states what is found, its description
   how to read it.
2. Counts begin at zero, shares lie between 0 and 100.
3. A day of which nothing is known is a gap, and no line is drawn across it.
4. What is told apart by colour is told apart by pattern and by its words too.
5. Nothing is styled in the picture itself: classes alone, for the page's own style sheet.

Source: console.md 6.6.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from markupsafe import Markup, escape

_WIDTH: Final = 640
_LEFT: Final = 52
_RIGHT: Final = 24
_TOP: Final = 16
_HEIGHT: Final = 190
_FOOT: Final = 34
_ROW: Final = 34
_NAMES: Final = 216
_BAR: Final = 40
_STEPS: Final = (1, 2, 2.5, 5, 10)
_TICKS: Final = 4
_LABELS: Final = 6
PATTERNS: Final = 6
"""So many parts are told apart; the style sheet has a fill for each."""
_HUNDRED: Final = 100.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """What a chart says of itself.

    Attributes:
        name: of its own on the page: letters, digits and hyphens.
        title: what is found.
        description: how to read it.
    """

    name: str
    title: str
    description: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One day of a line; without a value, a gap."""

    label: str
    value: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Dot:
    """One row of a dot plot, in percent; without a value, only its words."""

    label: str
    value: float | None
    low: float = 0.0
    high: float = _HUNDRED
    words: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One part of a bar."""

    label: str
    count: int


def run_chart(words: Words, points: Sequence[Point], *, percent: bool = False, middle: float | None = None) -> Markup:
    """Draw a line over days.

    Args:
        words: what it says of itself.
        points: one a day, in their order.
        middle: the median of the days, drawn across and named; None for no such line.
        percent: the values are shares; otherwise counts, or lengths of one unit.
    """
    top = _HUNDRED if percent else axis_top(max((point.value or 0.0 for point in points), default=0.0))
    step = (_WIDTH - _LEFT - _RIGHT) / max(1, len(points) - 1)

    def at(index: int, value: float) -> tuple[float, float]:
        return _LEFT + index * step, _TOP + _HEIGHT * (1 - value / top)

    drawn = [_axis(top, percent=percent)]
    if middle is not None:
        y = at(0, middle)[1]
        line = '<line class="hc-chart__middle" x1="{0}" x2="{1}" y1="{2:.1f}" y2="{2:.1f}"/>'
        drawn += [_draw(line, _LEFT, _WIDTH - _RIGHT, y), _text(_LEFT + 6, y + 16, "median of the days")]
    for stretch in _stretches(points):
        places = [at(index, value) for index, value in stretch]
        if len(places) > 1:
            path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
            drawn.append(_draw('<polyline class="hc-chart__line" points="{}"/>', path))
        drawn += [_draw('<circle class="hc-chart__dot" cx="{:.1f}" cy="{:.1f}" r="3.5"/>', *one) for one in places]
        index, value = stretch[-1]
        if index == len(points) - 1:
            x, y = at(index, value)
            label = f"{number(value)}{' %' if percent else ''}"
            drawn.append(_text(x, max(y - 8, 12), label, anchor="end", strong=True))
    every = max(1, math.ceil(len(points) / _LABELS))
    for index in range(0, len(points), every):
        drawn.append(_text(at(index, 0)[0], _TOP + _HEIGHT + 22, points[index].label, anchor="middle"))
    return _picture(words, _TOP + _HEIGHT + _FOOT, drawn)


def dot_plot(words: Words, dots: Sequence[Dot]) -> Markup:
    """Draw a share of each with its interval, on one axis from 0 to 100."""
    span = _WIDTH - _NAMES - _RIGHT

    def across(value: float) -> float:
        return _NAMES + span * value / _HUNDRED

    foot = _TOP + _ROW * len(dots)
    drawn = []
    for tick in range(0, 101, 25):
        line = '<line class="hc-chart__grid" x1="{0:.1f}" x2="{0:.1f}" y1="{1}" y2="{2}"/>'
        drawn.append(_draw(line, across(tick), _TOP, foot))
        drawn.append(_text(across(tick), foot + 20, f"{tick} %", anchor="middle" if tick < 100 else "end"))  # noqa: PLR2004
    for index, dot in enumerate(dots):
        y = _TOP + _ROW * index + _ROW / 2
        drawn.append(_text(_NAMES - 10, y + 5, _short(dot.label), anchor="end"))
        if dot.value is None:
            drawn.append(_text(_NAMES + 6, y + 5, dot.words or "nothing to show"))
            continue
        whisker = '<line class="hc-chart__interval" x1="{:.1f}" x2="{:.1f}" y1="{:.1f}" y2="{:.1f}"/>'
        drawn.append(_draw(whisker, across(dot.low), across(dot.high), y, y))
        drawn.append(_draw('<circle class="hc-chart__dot" cx="{:.1f}" cy="{:.1f}" r="5"/>', across(dot.value), y))
        right = across(dot.high) + 8 < _WIDTH - 150
        place, anchor = (across(dot.high) + 8, "start") if right else (across(dot.low) - 8, "end")
        drawn.append(_text(place, y + 5, dot.words, anchor=anchor, strong=True))
    return _picture(words, foot + 28, drawn)


def stacked_bar(words: Words, parts: Sequence[Part]) -> Markup:
    """Draw one bar of parts, each with its own pattern, its words and its count under it."""
    shown = [part for part in parts if part.count][:PATTERNS]
    total = sum(part.count for part in shown)
    drawn, x = [], 0.0
    for index, part in enumerate(shown):
        wide = _WIDTH * part.count / total
        box = '<rect class="hc-chart__part" x="{1:.1f}" y="{2}" width="{3:.1f}" height="{4}" fill="url(#{5}-{0})"/>'
        drawn.append(_draw(box, index + 1, x, _TOP, wide, _BAR, words.name))
        x += wide
    for index, part in enumerate(shown):
        y = _TOP + _BAR + 14 + 24 * index
        key = '<rect class="hc-chart__part" x="0" y="{1}" width="18" height="16" fill="url(#{2}-{0})"/>'
        drawn.append(_draw(key, index + 1, y, words.name))
        drawn.append(_text(28, y + 13, f"{part.label}: {part.count:,}"))
    height = _TOP + _BAR + 18 + 24 * len(shown)
    return _picture(words, height, [_patterns(words.name, len(shown)), *drawn])


def axis_top(most: float) -> float:
    """Give where an axis of counts ends: a round number that four steps lead to, and at least four."""
    if most <= _TICKS:
        return float(_TICKS)
    size = 10 ** math.floor(math.log10(most / _TICKS))
    step = next(one * size for one in _STEPS if one * size * _TICKS >= most)
    return float(math.ceil(step) * _TICKS)


def number(value: float) -> str:
    """Write a number with at most one decimal."""
    return f"{value:,.0f}" if value == int(value) else f"{value:,.1f}"


def _stretches(points: Sequence[Point]) -> Iterator[list[tuple[int, float]]]:
    """Give what lies between the gaps."""
    stretch: list[tuple[int, float]] = []
    for index, point in enumerate(points):
        if point.value is not None:
            stretch.append((index, point.value))
        elif stretch:
            yield stretch
            stretch = []
    if stretch:
        yield stretch


def _axis(top: float, *, percent: bool) -> Markup:
    drawn = Markup()
    for tick in range(_TICKS + 1):
        value = top * tick / _TICKS
        y = _TOP + _HEIGHT * (1 - tick / _TICKS)
        line = '<line class="hc-chart__grid" x1="{0}" x2="{1}" y1="{2:.1f}" y2="{2:.1f}"/>'
        drawn += _draw(line, _LEFT, _WIDTH - _RIGHT, y)
        drawn += _text(_LEFT - 8, y + 5, f"{number(value)}{' %' if percent else ''}", anchor="end")
    return drawn


def _patterns(name: str, count: int) -> Markup:
    """Give what parts are filled with: a ground and a mark, both by class."""
    marks = (
        "",
        '<path class="hc-chart__mark" d="M0 8 8 0"/>',
        '<circle class="hc-chart__spot" cx="4" cy="4" r="1.8"/>',
        '<path class="hc-chart__mark" d="M0 4H8"/>',
        '<path class="hc-chart__mark" d="M4 0V8"/>',
        '<path class="hc-chart__mark" d="M0 0 8 8M0 8 8 0"/>',
    )
    drawn = Markup("<defs>")
    for index in range(count):
        box = (
            '<pattern id="{0}-{1}" width="8" height="8" patternUnits="userSpaceOnUse">'
            '<rect class="hc-chart__fill--{1}" width="8" height="8"/>'
        )
        drawn += _draw(box, name, index + 1) + _draw(marks[index]) + Markup("</pattern>")
    return drawn + Markup("</defs>")


def _draw(shape: str, *values: object) -> Markup:
    """Put values into a shape; all of them are escaped."""
    return Markup(shape).format(*values)  # noqa: S704 - every shape is this file's own


def _text(x: float, y: float, words: str, *, anchor: str = "start", strong: bool = False) -> Markup:
    kind = "hc-chart__words hc-chart__words--strong" if strong else "hc-chart__words"
    return _draw('<text class="{}" x="{:.1f}" y="{:.1f}" text-anchor="{}">{}</text>', kind, x, y, anchor, words)


def _short(label: str, most: int = 26) -> str:
    """Shorten a name for a chart; the table beside it has it whole."""
    return label if len(label) <= most else f"{label[: most - 1].rstrip()}…"


def _picture(words: Words, height: float, drawn: Sequence[Markup]) -> Markup:
    head = (
        '<svg class="hc-chart" role="img" viewBox="0 0 {0} {1:.0f}" aria-labelledby="{2}-title {2}-desc">'
        '<title id="{2}-title">{3}</title><desc id="{2}-desc">{4}</desc>'
    )
    opened = _draw(head, _WIDTH, height, words.name, words.title, words.description)
    return opened + escape("").join(drawn) + Markup("</svg>")
