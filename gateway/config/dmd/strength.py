"""Writes the strength of a product as its name does, from dm+d's ingredient strengths.

dm+d states an injection of 40mg in 0.8ml as 50mg in 1ml. Senders, names and people say 40mg/0.8ml. The name's words
are used where they are exactly the ingredient strength; otherwise the strength of one unit dose; otherwise dm+d's own
numbers. The numbers always are dm+d's: a name that disagrees is not used.

Source: NHSBSA dm+d data model, virtual product ingredient; mapping.md 5 (strength cross-check).
"""

import re
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

_FACTORS: dict[str, tuple[str, Fraction]] = {
    "nanogram": ("gram", Fraction(1, 1_000_000_000)),
    "microgram": ("gram", Fraction(1, 1_000_000)),
    "mg": ("gram", Fraction(1, 1000)),
    "g": ("gram", Fraction(1)),
    "gram": ("gram", Fraction(1)),
    "kg": ("gram", Fraction(1000)),
    "microlitre": ("litre", Fraction(1, 1_000_000)),
    "ml": ("litre", Fraction(1, 1000)),
    "litre": ("litre", Fraction(1)),
    "unit": ("unit", Fraction(1)),
    "million unit": ("unit", Fraction(1_000_000)),
    "mega u": ("unit", Fraction(1_000_000)),
    "dose": ("dose", Fraction(1)),
    "hour": ("hour", Fraction(1)),
}
_NAMED = re.compile(
    r"(?<![\d.,/])(\d[\d,]*(?:\.\d+)?)\s?(nanogram|microgram|mg|g|million unit|unit)s?"
    r"(?:/(\d+(?:\.\d+)?)?\s?(ml|litre|g|dose|hour)s?)?(?![\w/])",
    re.IGNORECASE,
)
_SHORT = {"gram": "g", "mega u": "million units"}

Measure = tuple[Decimal, str]
"""A number and its unit in dm+d's words."""


@dataclass(frozen=True, slots=True)
class Ingredient:
    """The strength of one substance in a product: so much, in so much of the product."""

    of: Measure
    per: Measure | None


def strength(ingredients: tuple[Ingredient, ...], name: str, unit_dose: Measure | None) -> str:
    """Write a strength, `40mg/0.8ml`.

    Args:
        ingredients: in dm+d's order.
        name: of the product.
        unit_dose: how much of the product one unit dose is (UDFS).

    Returns:
        The words; several substances are joined by ` + `; empty where there is none.
    """
    if len(ingredients) == 1:
        stated = _ratio(ingredients[0])
        for found in _NAMED.finditer(name):
            if stated is not None and _ratio(_named(found)) == stated:
                return found[0]
    return " + ".join(_words(_of_unit_dose(ingredient, unit_dose)) for ingredient in ingredients)


def _named(found: re.Match[str]) -> Ingredient:
    of = (Decimal(found[1].replace(",", "")), found[2].lower())
    return Ingredient(of, (Decimal(found[3] or 1), found[4].lower()) if found[4] else None)


def _ratio(ingredient: Ingredient) -> tuple[Fraction, str, str] | None:
    """Give the strength as one exact number with its two dimensions; None in units that cannot be compared."""
    of = _FACTORS.get(ingredient.of[1])
    if of is None:
        return None
    value = Fraction(ingredient.of[0]) * of[1]
    if ingredient.per is None:
        return value, of[0], ""
    per = _FACTORS.get(ingredient.per[1])
    if per is None or not ingredient.per[0]:
        return None
    return value / (Fraction(ingredient.per[0]) * per[1]), of[0], per[0]


def _of_unit_dose(ingredient: Ingredient, unit_dose: Measure | None) -> Ingredient:
    per = ingredient.per
    if per is None or unit_dose is None or per[1] != unit_dose[1] or not per[0]:
        return ingredient
    exact = Fraction(ingredient.of[0]) * Fraction(unit_dose[0]) / Fraction(per[0])
    value = Decimal(exact.numerator) / Decimal(exact.denominator)
    return Ingredient((value, ingredient.of[1]), unit_dose) if Fraction(value) == exact else ingredient


def _words(ingredient: Ingredient) -> str:
    parts = (ingredient.of, ingredient.per) if ingredient.per else (ingredient.of,)
    return "/".join(f"{_plain(value)}{_SHORT.get(unit, unit)}" for value, unit in parts)


def _plain(value: Decimal) -> str:
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text
