"""Which dose is for which time of day: "20 mg in the morning and 40 mg at night" against the same two, exchanged.

A part of the day has no sharp ends, so each is a span of hours, and two spans that overlap may mean the same: an
evening and a night, a dinner and a lunch. Doses are matched in the order of the day, and only where both sides state
just as many; whatever cannot be put in order, or is said in any other way, is not compared.

Source: mapping.md 0.4, 8.3; FHIR R4 value set event-timing.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import time
from fractions import Fraction
from itertools import groupby, pairwise

_HOUR, _NOON, _DAWN = Fraction(1), 12, 4
"""Hours before 4 o'clock belong to the night before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """A time of day, or a part of it.

    Attributes:
        first: hours since midnight at which it may begin.
        last: hours at which it may end; equal to `first` for a time on the clock.
        words: as written, for people.
    """

    first: Fraction
    last: Fraction
    words: str = ""

    def may_be(self, other: "Moment") -> bool:
        """Tell whether both may mean the same time."""
        return self.first <= other.last and other.first <= self.last

    def within(self, other: "Moment") -> "Moment":
        """Give the time that both mean."""
        words = f"{self.words} {other.words}"
        return Moment(first=max(self.first, other.first), last=min(self.last, other.last), words=words)


def _span(first: int, last: int) -> tuple[Fraction, Fraction]:
    return Fraction(first), Fraction(last)


_MORNING, _EVENING, _NIGHT, _LUNCH = _span(4, 12), _span(16, 24), _span(18, 28), _span(11, 15)
PARTS = {
    "waking": _span(3, 12),
    "morning": _MORNING,
    "mane": _MORNING,
    "om": _MORNING,
    "breakfast": _MORNING,
    "am": _span(3, 12),
    "noon": _span(11, 14),
    "midday": _span(11, 14),
    "12:00pm": _span(11, 14),
    "lunchtime": _LUNCH,
    "lunch": _LUNCH,
    "afternoon": _span(12, 18),
    "pm": _span(12, 28),
    "teatime": _span(15, 20),
    "dinner": _span(11, 24),
    "evening": _EVENING,
    "night": _NIGHT,
    "nightly": _NIGHT,
    "nocte": _NIGHT,
    "bedtime": _NIGHT,
    "bed": _NIGHT,
    "sleep": _NIGHT,
}
"""Words for the parts of a day. Dinner is at noon to one reader and in the evening to another."""
_CODES = {
    "WAKE": _span(3, 12),
    "MORN": _MORNING,
    "MORN.early": _span(4, 9),
    "MORN.late": _span(8, 12),
    "CM": _MORNING,
    "ACM": _MORNING,
    "PCM": _MORNING,
    "NOON": _span(11, 14),
    "CD": _LUNCH,
    "ACD": _LUNCH,
    "PCD": _LUNCH,
    "AFT": _span(12, 18),
    "AFT.early": _span(12, 16),
    "AFT.late": _span(14, 18),
    "CV": _EVENING,
    "ACV": _EVENING,
    "PCV": _EVENING,
    "EVE": _EVENING,
    "EVE.early": _span(16, 21),
    "EVE.late": _span(18, 24),
    "NIGHT": _NIGHT,
    "HS": _NIGHT,
    "PHS": _NIGHT,
}
_ON_CLOCK = re.compile(r"(\d\d?)(?::(\d\d))?(?::\d\d)?(?: ?([ap])m)?")
_PART = re.compile(rf"\b(?:{'|'.join(sorted(map(re.escape, PARTS), key=len, reverse=True))})\b")


def clock_moments(text: str) -> Iterator[Moment]:
    """Give the times on the clock that words name: "8am and 20:00"."""
    for found in _ON_CLOCK.finditer(text):
        hour, minute = int(found[1]), int(found[2] or 0)
        if found[3]:
            hour = hour % _NOON + (_NOON if found[3] == "p" else 0)
        yield _at(hour, minute, found[0])


def part_moments(text: str) -> Iterator[Moment]:
    """Give the parts of the day that words name: "in the morning and at night"."""
    for found in _PART.finditer(text):
        first, last = PARTS[found[0]]
        yield Moment(first=first, last=last, words=found[0])


def _at(hour: int, minute: int, words: str) -> Moment:
    hours = hour + Fraction(minute, 60) + (24 * _HOUR if hour < _DAWN else 0)
    return Moment(first=hours, last=hours, words=words)


def stated_moments(times: Sequence[time], events: Sequence[str]) -> tuple[Moment, ...] | None:
    """Give the moments of a structured timing; None where one of them is no part of the day: "after a meal"."""
    if not all(event in _CODES for event in events):
        return None
    on_clock = [_at(one.hour, one.minute, one.strftime("%H:%M")) for one in times]
    parts = [Moment(first=_CODES[event][0], last=_CODES[event][1], words=event) for event in events]
    return (*on_clock, *parts)


def in_order(moments: Sequence[Moment]) -> list[int] | None:
    """Give the order of moments in the day; None where two of them might be either way round."""
    order = sorted(range(len(moments)), key=lambda index: (moments[index].first, moments[index].last))
    for one, two in pairwise(moments[index] for index in order):
        if two.last < one.last or (one.first, one.last) == (two.first, two.last):
            return None
    return order


def clauses(marks: Sequence[str]) -> list[tuple[range, range]] | None:
    """Tell which doses belong to which moments, from the order they are written in.

    Args:
        marks: `d` for each dose and `m` for each moment, as written.

    Returns:
        Positions of the doses and of their moments, clause by clause: "20 mg in the morning, 40 mg at night" or "in
        the morning 20 mg, at night 40 mg". None where the words run in any other way.
    """
    runs: list[range] = []
    at = 0
    for _, run in groupby(marks):
        length = len(list(run))
        runs.append(range(at, at + length))
        at += length
    if not runs or len(runs) % 2:
        return None
    firsts, seconds = runs[::2], runs[1::2]
    doses, moments = (firsts, seconds) if marks[0] == "d" else (seconds, firsts)
    return list(zip(doses, moments, strict=True))
