"""Everything that is doubtful about the directions and amounts of a line, found by the rules of their own files.

The lines of a formulary repeat themselves from patient to patient. That nothing at all is doubtful about a line is
therefore remembered, and the next that says the same need not be worked through: it takes a sixth of the check.
Only lines of short words and without notes are remembered; what is longer may speak of one patient, and is not kept in
memory. What *is* doubtful is found anew each time, for it repeats lexemes, in which equal numbers may differ.

Source: mapping.md 8.3, 8.5.
"""

from collections.abc import Callable, Hashable, Iterator
from dataclasses import fields
from datetime import date
from operator import attrgetter
from typing import Final

from gateway.domain.prescription import Line
from gateway.domain.reference import ProductRow
from gateway.validate.last_supply import last_supply_doubts
from gateway.validate.limits import limit_doubts
from gateway.validate.quantity_unit import unit_doubts
from gateway.validate.steps import step_doubts
from gateway.validate.supply import gap_doubts, supply_doubts
from gateway.validate.words.check import Doubt, doubts
from gateway.validate.words.notes import note_doubts

MOST: Final = 4096
"""How many lines are remembered."""
LONGEST: Final = 255
"""Characters of the longest directions that are remembered."""
_NAMES: Final = frozenset({"id", "order_number", "order_assigner", "provider_order_number", "prior"})
_said: Final[Callable[[Line], Hashable]] = attrgetter(
    *(one.name for one in fields(Line) if one.name not in _NAMES | {"total_supplies"})
)
"""All that a line says but how it is named, by which alone most orders of the same differ, and how often it is
supplied: of several supplies, how many they are concerns no rule here but that of the last one."""
_SEVERAL: Final = 2
_clear: Final[set[Hashable]] = set()
"""What was said by lines about which nothing is doubtful, each with what was known of its product."""


def line_doubts(line: Line, row: ProductRow | None, first: date, last: date | None) -> Iterator[Doubt]:
    """Give every doubt about a line, in the order of the rules.

    Args:
        line: as read.
        row: what is known of its product.
        first: when the prescription may first be supplied.
        last: the last day of its validity, if it is stated.
    """
    known = (_said(line), min(line.total_supplies, _SEVERAL), row) if _repeats(line) else None
    late = tuple(last_supply_doubts(line, first, last))
    if known in _clear:
        yield from late
        return
    words, unit = tuple(_of_words(line, row)), tuple(unit_doubts(line, row))
    if known is not None and not words and not unit:
        _remember(known)
    yield from (*words, *late, *unit)


def _of_words(line: Line, row: ProductRow | None) -> Iterator[Doubt]:
    yield from doubts(line, row)
    yield from note_doubts(line, row)
    yield from limit_doubts(line, row)
    yield from step_doubts(line)
    yield from supply_doubts(line, row)
    yield from gap_doubts(line)


def _repeats(line: Line) -> bool:
    """Tell whether a line may be one of a formulary, by how short it is."""
    return not line.notes and all(
        len(dosage.text) <= LONGEST and len(dosage.patient_instruction) <= LONGEST for dosage in line.dosages
    )


def _remember(known: Hashable) -> None:
    if len(_clear) >= MOST:
        _clear.clear()
    _clear.add(known)
