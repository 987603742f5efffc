"""Amounts that can be compared: exact, in one unit for each kind; and what one unit of a product holds.

A milligram is never compared with a tablet unless the product's strength says, exactly, what one holds. What cannot
be converted without a guess gives None. Conversion serves the checks only; nothing converted is ever sent.

Source: mapping.md 5 (magnitude), 8.3 and 8.5.
"""

import re
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache

from gateway.domain.quantity import Quantity
from gateway.domain.reference import ProductRow

MASS, VOLUME, ACTIVITY = "microgram", "microlitre", "unit"
_MEASURED = frozenset({MASS, VOLUME, ACTIVITY})
_MEASURES: dict[str, tuple[str, Fraction]] = {
    "ng": (MASS, Fraction(1, 1000)),
    "ug": (MASS, Fraction(1)),
    "mg": (MASS, Fraction(1000)),
    "g": (MASS, Fraction(1_000_000)),
    "kg": (MASS, Fraction(1_000_000_000)),
    "uL": (VOLUME, Fraction(1)),
    "mL": (VOLUME, Fraction(1000)),
    "ml": (VOLUME, Fraction(1000)),
    "L": (VOLUME, Fraction(1_000_000)),
    "l": (VOLUME, Fraction(1_000_000)),
    "258773002": (VOLUME, Fraction(1000)),
    "[iU]": (ACTIVITY, Fraction(1)),
    "258666001": (ACTIVITY, Fraction(1)),
    "408165007": (ACTIVITY, Fraction(1_000_000)),
}
"""UCUM and SNOMED CT codes of what can be measured, in their kind's own unit."""
INJECTION = "injection"
_PRESENTED = {
    "428673006": "tablet",
    "732936001": "tablet",
    "428641000": "capsule",
    "3318611000001103": INJECTION,
    "3092611000001103": INJECTION,
    "733020007": INJECTION,
    "3318711000001107": INJECTION,
    "415818006": "vial",
    "413516001": "ampoule",
    "732988008": "cartridge",
    "419702001": "patch",
    "733013000": "sachet",
    "3317411000001100": "dose",
    "3319711000001103": "dose",
    "733015007": "spoonful",
    "732981002": "puff",
    "10692211000001108": "application",
    "10693611000001100": "drop",
    "[drp]": "drop",
    "3318011000001105": "nebule",
    "430293001": "suppository",
    "733007009": "pessary",
    "429587008": "lozenge",
    "428672001": "bag",
}
"""Codes of units of presentation; those that mean the same thing share a name."""
_STRENGTH_UNITS = {
    "mg": "mg",
    "milligram": "mg",
    "milligrams": "mg",
    "microgram": "ug",
    "micrograms": "ug",
    "nanograms": "ng",
    "g": "g",
    "gram": "g",
    "grams": "g",
    "ml": "mL",
    "microlitres": "uL",
    "unit": "[iU]",
    "units": "[iU]",
    "million units": "408165007",
    "million unit": "408165007",
}
_STRENGTH = re.compile(
    r"(?P<of>[\d.,]+)\s*(?P<unit>[a-z ]+?)(?:\s*/\s*(?P<per>[\d.]*)\s*(?P<per_unit>[a-z]+))?", re.IGNORECASE
)
_VOLUME_IN_NAME = re.compile(r"(?<![\d./])(\d+(?:\.\d+)?)\s*ml\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Amount:
    """An exact amount.

    Attributes:
        value: in the unit of its kind.
        kind: `microgram`, `microlitre`, `unit`, or the name of a unit of presentation such as `tablet`.
    """

    value: Fraction
    kind: str

    @property
    def counted(self) -> bool:
        """Whether it counts things that are handed over one by one."""
        return is_counted(self.kind)


def is_counted(kind: str) -> bool:
    """Tell whether things of a kind are handed over one by one."""
    return kind not in _MEASURED


def measured(value: Fraction, code: str) -> Amount | None:
    """Give an amount from a number and the UCUM or SNOMED CT code of its unit; None for other units."""
    if code in _MEASURES:
        kind, factor = _MEASURES[code]
        return Amount(value=value * factor, kind=kind)
    return Amount(value=value, kind=_PRESENTED[code]) if code in _PRESENTED else None


def of_quantity(quantity: Quantity | None) -> Amount | None:
    """Give the amount of a quantity; None where its unit is not one that can be compared."""
    return _of(quantity.value, quantity.unit.code) if quantity else None


@lru_cache(maxsize=4096)
def _of(value: Decimal, code: str) -> Amount | None:
    return measured(Fraction(value), code)


@dataclass(frozen=True, slots=True, kw_only=True)
class Strength:
    """What a product holds.

    Attributes:
        of: the active substance, as mass or activity.
        per: the volume that holds it; None for a solid.
        unit: the unit of presentation that holds exactly this; empty where that is not certain.
    """

    of: Amount
    per: Amount | None = None
    unit: str = ""

    def convert(self, amount: Amount, kind: str) -> Amount | None:
        """Give the same amount in another kind; None where the strength does not say."""
        if amount.kind == kind:
            return amount
        parts = {part.kind: part.value for part in (self.of, self.per) if part}
        if self.unit:
            parts[self.unit] = Fraction(1)
        if amount.kind not in parts or kind not in parts or not parts[amount.kind]:
            return None
        return Amount(value=amount.value * parts[kind] / parts[amount.kind], kind=kind)


NO_STRENGTH = Strength(of=Amount(value=Fraction(0), kind=""))
"""Converts nothing."""


@lru_cache(maxsize=4096)
def strength_of(row: ProductRow | None) -> Strength:
    """Read a product's strength, `10mg/0.2ml`; what is not one substance in one unit converts nothing."""
    found = _STRENGTH.fullmatch(row.strength.strip()) if row else None
    if row is None or found is None:
        return NO_STRENGTH
    of = _read(found["of"].replace(",", ""), found["unit"])
    if of is None or of.kind == VOLUME:
        return NO_STRENGTH
    unit = (measured(Fraction(1), row.unit.code) if row.unit else None) or Amount(value=Fraction(1), kind="")
    if found["per_unit"] is None:
        return Strength(of=of, unit=unit.kind if unit.counted else "")
    if found["per_unit"].lower() == "dose":
        return Strength(of=of, unit="dose")
    per = _read(found["per"] or "1", found["per_unit"])
    if per is None or per.kind != VOLUME:
        return NO_STRENGTH
    whole = bool(found["per"]) and unit.counted and unit.kind != "spoonful" and not _other_volume(row.display, per)
    return Strength(of=of, per=per, unit=unit.kind if whole else "")


def _read(number: str, unit: str) -> Amount | None:
    code = _STRENGTH_UNITS.get(unit.strip().lower())
    if code is None or not re.fullmatch(r"\d+(\.\d+)?", number):
        return None
    return measured(Fraction(Decimal(number)), code)


def _other_volume(name: str, per: Amount) -> bool:
    """Tell whether the name also says how much one container holds: then a container is not one strength."""
    return any(Fraction(text) * 1000 != per.value for text in _VOLUME_IN_NAME.findall(name))
