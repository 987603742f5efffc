"""What the names in a dm+d release tell: the brand of a product, and which names stand for which ingredients.

Source: NHSBSA dm+d editorial policy: an AMP's name begins with the brand, or with the generic name of its VMP.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from gateway.domain.medicine_names import leading_name, words_of
from gateway.domain.prescription import ProductLevel

_PACKS_AND_BRANDS = frozenset({ProductLevel.AMP, ProductLevel.AMPP})


@dataclass(slots=True)
class Naming:
    """Gathers names while a release is read."""

    _found: set[tuple[str, str, str]] = field(default_factory=set)

    def brand(self, level: ProductLevel, name: str, generic: str, ingredient: str) -> str:
        """Give the brand of a product and keep what its name stands for.

        Args:
            level: the product's.
            name: as dm+d writes it.
            generic: the leading name of its VMP; empty for a substance.
            ingredient: its substance, as dm+d names it; empty where it names none.

        Returns:
            The brand; empty for a substance, a VMP, and what a supplier sells under the generic name.
        """
        lead = leading_name(name.partition(" (")[0])
        ordinary = {words_of(one)[:1] for one in (generic, *ingredient.split(" + "))}
        own = words_of(lead)[:1] not in ordinary
        brand = lead if own and level in _PACKS_AND_BRANDS else ""
        if ingredient:
            self._found.add((ingredient, ingredient, "no"))
            if brand or (level is ProductLevel.VMP and words_of(lead)[:1] not in ordinary - {words_of(generic)[:1]}):
                self._found.add((lead, ingredient, "yes" if brand else "no"))
        return brand

    def rows(self) -> Iterator[dict[str, str]]:
        """Give the rows of `names.csv`, in order."""
        for name, ingredient, brand in sorted(self._found):
            yield {"name": name, "ingredient": ingredient, "brand": brand}
