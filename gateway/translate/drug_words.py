"""The words sent with a product's code: do they name another medicine than the code does?

Only what is known contradicts. Words without a known name say nothing, and a known name beside the product's own (a
solvent, a switch from another brand) does not contradict it, unless the two together are a product of their own.

========================================================  ==========
the words name                                            verdict
========================================================  ==========
the product's ingredients, by whatever name               agree
another brand of the same ingredients, where the code     contradict
is a brand's
the ingredients of another known product                  contradict
only ingredients that the product has not                 contradict
some of the product's several ingredients, and a sign     agree
that there are others (`and`, `+`, `/`)
anything else                                             agree
========================================================  ==========

Source: mapping.md 5; domain.md 1.4 (the mapping error that kills).
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Final

from gateway.domain.medicine_names import Ingredients, KnownName, MedicineNames, Words, ingredients_of, words_of
from gateway.domain.reference import ProductRow
from gateway.translate.remembered import LONGEST, MOST

_AND_ANOTHER: Final = re.compile(
    r"[+&]|\b(?:and|with)\b|/(?!\s*\d*(?:\.\d+)?\s*(?:ml|millilit|l\b|lit|g\b|dose|hour|hr|actuation|vial|pen|syr))",
    re.IGNORECASE,
)
"""A sign of a second ingredient; the `/` of a strength by volume, time or dose is none."""
_BEGINNING: Final = 4
"""Letters by which an ingredient is known although the rest of its name is left out or shortened."""


def names_another(names: MedicineNames, words: str, row: ProductRow) -> bool:
    """Tell whether words name another known medicine than the product of the code.

    Args:
        names: those that are known.
        words: as sent beside the code.
        row: the product of the code.

    Returns:
        False also where nothing in the words is known, or the product's ingredients are not.
    """
    judge = _remembered if len(words) <= LONGEST else _names_another
    return judge(names, words, row.ingredient, row.brand)


def _names_another(names: MedicineNames, words: str, ingredient: str, brand: str) -> bool:
    own = ingredients_of(ingredient)
    said = [_meant(options, own) for options in _found(names, words_of(words))]
    if not own or not said:
        return False
    named = frozenset[str]().union(*(one.ingredients for one in said))
    if named == own:
        return _another_brand(said, own, brand)
    if named < own and _rest_is_there(words, named, own):
        return False
    return named in names.together or not named & own


_remembered = lru_cache(maxsize=MOST)(_names_another)


def _found(names: MedicineNames, words: Words) -> Iterator[tuple[KnownName, ...]]:
    """Give what each known name in the words may mean, the longest first at each place."""
    at = 0
    while at < len(words):
        for length in range(min(names.longest, len(words) - at), 0, -1):
            options = names.meanings.get(words[at : at + length])
            if options:
                yield options
                at += length
                break
        else:
            at += 1


def _meant(options: tuple[KnownName, ...], own: Ingredients) -> KnownName:
    """Choose the meaning that fits the product where a name has several: a doubt is no contradiction."""
    whole = [one for one in options if one.ingredients == own]
    part = [one for one in options if one.ingredients < own]
    return (*whole, *part, *options)[0]


def _another_brand(said: list[KnownName], own: Ingredients, brand: str) -> bool:
    brands = {one.brand for one in said if one.brand and one.ingredients == own}
    return bool(brands and brand) and words_of(brand)[0] not in brands


def _rest_is_there(words: str, named: Ingredients, own: Ingredients) -> bool:
    """Tell whether words may mean the ingredients they do not spell out: `Tenofovir/emtric`, `Sitagliptin + metf`."""
    said = words_of(words)
    begun = all(any(word.startswith(name[:_BEGINNING]) for word in said) for name in own - named)
    return begun or len(_AND_ANOTHER.findall(words)) >= len(named)
