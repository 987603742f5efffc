"""A dose against the limits that are written beside it: one that exceeds its own maximum contradicts itself.

Compared only where both can be brought to one unit; a rate or a dose per kilogram is not.

Source: mapping.md 0.4 (said twice and differently is a hold); FHIR R4 dosage.html, maxDosePerPeriod and its siblings.
"""

from collections.abc import Iterator

from gateway.domain.prescription import Dosage, Line, Range
from gateway.domain.quantity import Quantity
from gateway.domain.reference import ProductRow
from gateway.validate.amounts import Strength, of_quantity, strength_of
from gateway.validate.words.check import Doubt


def limit_doubts(line: Line, row: ProductRow | None) -> Iterator[Doubt]:
    """Give each dose of a line that is above a maximum stated for it.

    Args:
        line: as read.
        row: what is known of its product; its strength lets milligrams be compared with tablets.
    """
    strength = strength_of(row)
    for index, dosage in enumerate(line.dosages):
        dose = _most(dosage)
        for at, most in _limits(dosage):
            if dose is not None and _exceeds(dose, most, strength):
                yield Doubt(
                    code="DOSE_CONFLICT",
                    at=f"dosages[{index}].{at}",
                    text="One dose is more than the maximum that is stated beside it.",
                    values=(str(dose), str(most)),
                )


def _most(dosage: Dosage) -> Quantity | None:
    return dosage.dose.high or dosage.dose.low if isinstance(dosage.dose, Range) else dosage.dose


def _limits(dosage: Dosage) -> Iterator[tuple[str, Quantity]]:
    if dosage.max_per_period:
        yield "max_per_period.amount", dosage.max_per_period.amount
    if dosage.max_per_administration:
        yield "max_per_administration", dosage.max_per_administration
    if dosage.max_per_lifetime:
        yield "max_per_lifetime", dosage.max_per_lifetime


def _exceeds(dose: Quantity, most: Quantity, strength: Strength) -> bool:
    given, limit = of_quantity(dose), of_quantity(most)
    if given is None or limit is None:
        return False
    same = strength.convert(given, limit.kind)
    return same is not None and same.value > limit.value > 0
