"""The names that medicines go by: which words name which ingredients, and which of them are a brand's.

Words are compared as people write them, without case, punctuation or the gap between a number and its unit.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

Words = tuple[str, ...]
Ingredients = frozenset[str]
_WORD = re.compile(r"[^\W\d_]+|\d+")


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownName:
    """What one name means.

    Attributes:
        ingredients: every ingredient it stands for.
        brand: the brand's own first word; empty for the name of an ingredient.
    """

    ingredients: Ingredients
    brand: str = ""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MedicineNames:
    """The names that are known; large, made once, and told from others by being another, so as to be a key.

    Attributes:
        meanings: what each name may mean; a brand may have been put on several medicines.
        together: the ingredients of each known product, so that two names beside each other are known as one product.
        longest: words of the longest name.
    """

    meanings: Mapping[Words, tuple[KnownName, ...]] = field(default_factory=lambda: MappingProxyType({}))
    together: frozenset[Ingredients] = frozenset()
    longest: int = 0


def words_of(text: str) -> Words:
    """Give the words of a name as they are compared: letters and figures apart, without case.

    >>> words_of("HUMIRA40mg/0.4ml Pen")
    ('humira', '40', 'mg', '0', '4', 'ml', 'pen')
    """
    return tuple(_WORD.findall(text.casefold()))


def leading_name(display: str) -> str:
    """Give what stands before the first figure of an official name: the ingredient, or the brand.

    >>> leading_name("Certolizumab pegol 200mg/1ml solution for injection pre-filled syringes")
    'Certolizumab pegol'
    """
    return re.split(r"\s(?=\d)", display, maxsplit=1)[0].strip()


def ingredients_of(names: str) -> Ingredients:
    """Give the ingredients of a substance as dm+d names it, `Emtricitabine + Tenofovir disoproxil`."""
    return frozenset(" ".join(words_of(name)) for name in names.split(" + ") if words_of(name))
