"""Builds the table of medicine names from the rows of the reference data."""

from collections.abc import Iterable
from types import MappingProxyType
from typing import Final

from gateway.domain.medicine_names import Ingredients, KnownName, MedicineNames, Words, ingredients_of, words_of

NAME_COLUMNS: Final = ("name", "ingredient", "brand")
_SHORTEST_FAMILY: Final = 4
"""Letters of a brand's first word before it alone names the brand."""

_Meanings = dict[Words, set[KnownName]]


def medicine_names(rows: Iterable[dict[str, str]]) -> MedicineNames:
    """Build the table.

    Args:
        rows: `name`, the `ingredient` it stands for in dm+d's words, and whether it is a `brand` (`yes`).
    """
    meanings: _Meanings = {}
    families: _Meanings = {}
    together: set[Ingredients] = set()
    for row in rows:
        ingredients, words = ingredients_of(row["ingredient"]), words_of(row["name"])
        if not ingredients or not words:
            continue
        together.add(ingredients)
        for ingredient in ingredients:
            _add(meanings, tuple(ingredient.split()), KnownName(ingredients=frozenset({ingredient})))
        brand = words[0] if row["brand"] == "yes" else ""
        _add(meanings, words, KnownName(ingredients=ingredients, brand=brand))
        if brand and len(brand) >= _SHORTEST_FAMILY:
            _add(families, words[:1], KnownName(ingredients=ingredients, brand=brand))
    _add_families(meanings, families)
    return MedicineNames(
        meanings=MappingProxyType({words: _sorted(known) for words, known in meanings.items()}),
        together=frozenset(together),
        longest=max(map(len, meanings), default=0),
    )


def _add_families(meanings: _Meanings, families: _Meanings) -> None:
    """Let a brand's first word name it (`NovoRapid` of `NovoRapid FlexPen`), where it is one medicine's and no other's.

    The first word of an ingredient says too little: `mycophenolate` is two medicines that must not be exchanged.
    """
    first_of_ingredients = {words[0] for words, known in meanings.items() if any(not one.brand for one in known)}
    for words, known in families.items():
        if words[0] not in first_of_ingredients and len({one.ingredients for one in known}) == 1:
            meanings.setdefault(words, set()).update(known)


def _add(meanings: _Meanings, words: Words, known: KnownName) -> None:
    meanings.setdefault(words, set()).add(known)


def _sorted(known: Iterable[KnownName]) -> tuple[KnownName, ...]:
    return tuple(sorted(known, key=lambda one: (one.brand, sorted(one.ingredients))))
