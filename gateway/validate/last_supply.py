"""The last of N supplies against the validity of the prescription and the time the directions are for.

N supplies, one every interval: the last falls due N - 1 intervals after the first. Where that is after the end by more
than a tenth, both are told; where it is beyond twice the time, the line is held. That supplies end *before* the time is
over says nothing: a prescription may be for part of a treatment.

Source: mapping.md 8.5; reliability-security.md 4.3, J20.
"""

from collections.abc import Iterator
from datetime import date
from fractions import Fraction

from gateway.domain.prescription import Bounds, Line
from gateway.validate.supply import days_between
from gateway.validate.words.check import Doubt
from gateway.validate.words.said import DAY
from gateway.validate.words.structure import length_of

_TOLERANCE = Fraction(11, 10)
_GRAVE = 2


def last_supply_doubts(line: Line, first: date, last: date | None) -> Iterator[Doubt]:
    """Compare the day of the last supply with the end of the validity and of the directions.

    Args:
        line: as read.
        first: when the prescription may first be supplied.
        last: the last day of its validity, if it is stated.
    """
    if line.total_supplies <= 1:
        return
    ends = [
        (length, of)
        for length, of in ((_validity(first, last), "the validity"), (_treatment(line), "the time of the directions"))
        if length is not None
    ]
    days = days_between(line) if ends else None
    if days is None:
        return
    due = days * (line.total_supplies - 1)
    for length, of in ends:
        if due <= length * _TOLERANCE:
            continue
        yield Doubt(
            code="SUPPLY_SUM_MISMATCH",
            at="total_supplies",
            text=f"The last supply falls due after {of} ends.",
            values=(f"day {_said(due)}", f"{of}: {_said(length)} days"),
            escalated=due > length * _GRAVE,
        )


def _validity(first: date, last: date | None) -> Fraction | None:
    return Fraction((last - first).days) if last and last >= first else None


def _treatment(line: Line) -> Fraction | None:
    """Give how long the directions are for, where each step says; steps follow one another."""
    lengths: dict[int, Fraction] = {}
    for dosage in line.dosages:
        length = _length(dosage.timing.bounds if dosage.timing else None)
        if length is None:
            return None
        lengths[dosage.sequence] = max(length, lengths.get(dosage.sequence, length))
    return sum(lengths.values(), Fraction(0)) if lengths else None


def _length(bounds: Bounds | None) -> Fraction | None:
    if bounds is None:
        return None
    if bounds.start and bounds.end:
        return Fraction(max((bounds.end - bounds.start).days, 0))
    length = length_of(bounds.duration_high or bounds.duration)
    return length.value if length and length.of == DAY else None


def _said(number: Fraction) -> str:
    return str(round(number))
