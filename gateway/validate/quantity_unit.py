"""The unit of a quantity against the product's own: syringes are counted in syringes, never supplied by the milligram.

A quantity in the product's unit of presentation passes, and so does one in millilitres where dm+d measures the product
in them. Anything else cannot be supplied without a sum that is nobody's here to make, and is held.

Source: mapping.md 3.4 (RXE-10/11): "unit must be dm+d unit or UoM of the product".
"""

import re
from collections.abc import Iterator

from gateway.domain.prescription import Line
from gateway.domain.quantity import Quantity
from gateway.domain.reference import ProductRow
from gateway.validate.words.check import Doubt

_MILLILITRE = "mL"
_LIQUID = re.compile(r"/\s*[\d.]*\s*ml\b", re.IGNORECASE)


def unit_doubts(line: Line, row: ProductRow | None) -> Iterator[Doubt]:
    """Compare the unit of each quantity with the product's.

    Args:
        line: as read.
        row: what is known of its product; where its unit is not known, nothing is said.
    """
    if row is None or row.unit is None:
        return
    quantities = [("quantity.unit", line.quantity)]
    if line.first_supply is not None:
        quantities.append(("first_supply.quantity.unit", line.first_supply.quantity))
    for at, quantity in quantities:
        if not _supplied_in(quantity, row):
            yield Doubt(
                code="QUANTITY_UNIT_MISMATCH",
                at=at,
                text="The quantity is not in the unit in which this product is supplied.",
                values=(quantity.unit.display or quantity.unit.code, row.unit.display or row.unit.code),
            )


def _supplied_in(quantity: Quantity, row: ProductRow) -> bool:
    code = quantity.unit.code
    return row.unit is None or code == row.unit.code or (code == _MILLILITRE and bool(_LIQUID.search(row.strength)))
