"""Dosages that follow one another: each must say when it ends, and the next must not begin before.

Words that were written for the line may say it instead of the structure; what they say is compared elsewhere.

Source: FHIR R4 dosage.html, sequence; mapping.md 3.4 (TQ1-12) and 8.1.
"""

import re
from collections.abc import Iterator, Sequence
from datetime import date
from itertools import pairwise

from gateway.domain.prescription import Dosage, Line
from gateway.validate.words.check import Doubt
from gateway.validate.words.structure import is_structured

_SAYS_WHEN = re.compile(
    r"\b(for|until|till|then|after|first|initial(ly)?|loading|start(ing)?|from|day \d|week \d|weeks \d|month \d)\b",
    re.IGNORECASE,
)


def step_doubts(line: Line) -> Iterator[Doubt]:
    """Give the steps of a line that overlap the next, or that nothing says the end of."""
    numbers = sorted({dosage.sequence for dosage in line.dosages})
    steps = [[each for each in enumerate(line.dosages) if each[1].sequence == number] for number in numbers]
    for step, following in pairwise(steps):
        yield from _overlap(step, following)
        yield from _endless(line, step)


def _overlap(step: Sequence[tuple[int, Dosage]], following: Sequence[tuple[int, Dosage]]) -> Iterator[Doubt]:
    ends = [end for _, dosage in step if (end := _end(dosage))]
    begins = [(index, start) for index, dosage in following if (start := _start(dosage))]
    for index, start in begins:
        if ends and start <= max(ends):
            yield Doubt(
                code="TIMING_CONFLICT",
                at=f"dosages[{index}].timing",
                text="This dosage follows another, and begins before that one has ended.",
                values=(max(ends).isoformat(), start.isoformat()),
            )


def _endless(line: Line, step: Sequence[tuple[int, Dosage]]) -> Iterator[Doubt]:
    told = _SAYS_WHEN.search(line.dosages[0].text) is not None
    for index, dosage in step:
        if is_structured(dosage) and not told and not _ends(dosage) and not _SAYS_WHEN.search(dosage.text):
            yield Doubt(
                code="TIMING_CONFLICT",
                at=f"dosages[{index}]",
                text="Another dosage follows this one, and nothing says when this one ends.",
            )


def _ends(dosage: Dosage) -> bool:
    timing = dosage.timing
    if timing is None:
        return False
    bounds = timing.bounds
    return bool(
        timing.count
        or timing.count_max
        or timing.on_dates
        or (bounds and (bounds.end or bounds.duration or bounds.duration_high))
    )


def _end(dosage: Dosage) -> date | None:
    timing = dosage.timing
    if timing is None:
        return None
    return timing.bounds.end if timing.bounds else max(timing.on_dates, default=None)


def _start(dosage: Dosage) -> date | None:
    timing = dosage.timing
    if timing is None:
        return None
    return timing.bounds.start if timing.bounds else min(timing.on_dates, default=None)
