"""Products, units and coded words against the reference tables: known, mapped by the trust, or held. Never guessed.

Source: mapping.md 5; reference-data traps 2, 6, 7 and 8.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Final

from gateway.domain.code_map import MapKind, UnknownCode
from gateway.domain.coding import SNOMED, Coding
from gateway.domain.identifiers import SnomedCode
from gateway.domain.prescription import Product, ProductLevel
from gateway.domain.reference import ProductRow
from gateway.translate.context import ReadingContext
from gateway.translate.contradictions import (
    ROUTE_CONTRADICTION,
    UNIT_CONTRADICTION,
    route_contradicts,
    unit_contradicts,
)
from gateway.translate.drug_words import names_another
from gateway.translate.form_words import names_another_form
from gateway.translate.record import Leaf, Record
from gateway.translate.remembered import remembered

_AMOUNT = re.compile(
    r"(\d+(?:[.,]\d+)*)\s*(milligrams?|mg|micrograms?|mcg|nanograms?|grams?|g|millilitres?|ml|million units|units?|%)"
    r"(?![a-z])",
    re.IGNORECASE,
)
_SAME_UNIT = {"milligram": "mg", "gram": "g", "millilitre": "ml", "mcg": "microgram"}
LONGEST_NAME: Final = 1000
"""Characters. A product's name in dm+d has at most 255; what is longer is not compared word by word."""
_SHOWN: Final = 100
_PACK_OF = {ProductLevel.VMP, ProductLevel.VMPP}


def product(  # noqa: PLR0917 - the words and the leaves of one product
    record: Record, context: ReadingContext, code: Leaf, display: Leaf | None, target: str, level: Leaf | None = None
) -> Product | None:
    """Read a dm+d code with the words sent beside it.

    Args:
        record: takes the trace and the issues.
        context: has the reference tables.
        code: the code's leaf.
        display: the words' leaf, if any.
        target: canonical path of the product.
        level: the level the sender states, if the format has one.

    Returns:
        The product as sent: the code is kept even where dm+d has since replaced it. None if it is not known.
    """
    parsed = record.take(
        code,
        f"{target}.code",
        SnomedCode.parse,
        "parse:sctid",
        "Send a SNOMED CT concept identifier with a right check digit.",
        "IDENTIFIER_INVALID",
    )
    stated = record.words(level, f"{target}.level")
    if parsed is None:
        record.use(display)
        return None
    row = context.reference.products.get(parsed.value)
    if row is None:
        record.use(display)
        unknown = UnknownCode(
            kind=MapKind.DRUG,
            code=parsed.value,
            text=display.raw if display else "",
            system=SNOMED,
            location=code.locator,
            issue="DRUG_UNKNOWN",
        )
        record.unmapped(unknown, f"dm+d code {parsed.value} is not in release {context.reference.release}.")
        return None
    return _known(record, context, row, parsed, code, display, level, stated, target)


def _known(  # noqa: PLR0917 - see `product`
    record: Record,
    context: ReadingContext,
    row: ProductRow,
    code: SnomedCode,
    at: Leaf,
    display: Leaf | None,
    level: Leaf | None,
    stated: str,
    target: str,
) -> Product:
    if row.level is ProductLevel.VTM:
        record.flag("VTM_NEEDS_PRODUCT", at.locator, "The code names a substance (VTM), not a product.")
    if stated and stated != row.level and level is not None:
        text = f"The level stated is {stated}; the code is a {row.level}."
        record.flag("PRODUCT_LEVEL_MISMATCH", level.locator, text, (stated, row.level.value))
    if not stated:
        record.trace(f"{target}.level", None, "table:products", row.level.value)
    if row.replaced_by:
        text = f"dm+d now gives this product the code {row.replaced_by}; it goes as it was sent."
        record.flag("DRUG_CODE_REPLACED", at.locator, text)
    if row.biologic and row.level in _PACK_OF:
        record.flag("BRAND_REQUIRED", at.locator, f"The code is a {row.level} of a biologic; send the brand's code.")
    words = record.words(display, f"{target}.display")
    if not words:
        record.trace(f"{target}.display", None, "table:products", row.display)
    elif display is not None:
        _compare(record, context, row, words, display)
    return Product(code=code, display=words or row.display, level=row.level)


def _compare(record: Record, context: ReadingContext, row: ProductRow, words: str, at: Leaf) -> None:
    """Hold words that name another medicine or strength than the code; warn where they are merely not the current."""
    if too_long_to_compare(record, at):
        return
    if names_another(context.reference.names, words, row):
        text = "The product's words and its code name different medicines."
        record.flag("DRUG_TEXT_MISMATCH", at.locator, text, (words, row.display))
    elif not same_strength(words, row.display):
        text = "The product's words and its code differ in strength."
        record.flag("STRENGTH_TEXT_MISMATCH", at.locator, text, (words, row.display))
    elif names_another_form(words, row.display):
        text = "The product's words and its code name different forms."
        record.flag("DRUG_TEXT_MISMATCH", at.locator, text, (words, row.display))
    elif _folded(words) != _folded(row.display):
        record.flag("DISPLAY_STALE", at.locator, "The words are not the name that dm+d gives this code now.")


def other_words(record: Record, context: ReadingContext, product: Product, said: Iterable[Leaf | None]) -> None:
    """Compare what else is said of a product, beside the words that are carried: it must not name another."""
    row = context.reference.products.get(product.code.value)
    for leaf in said:
        if row is None or leaf is None or leaf.raw == product.display or too_long_to_compare(record, leaf):
            continue
        if names_another(context.reference.names, leaf.raw, row):
            text = "Other words sent for the product name another medicine than its code."
            record.flag("DRUG_TEXT_MISMATCH", leaf.locator, text, (leaf.raw, row.display))
        elif not same_strength(leaf.raw, row.display):
            text = "Other words sent for the product and its code differ in strength."
            record.flag("STRENGTH_TEXT_MISMATCH", leaf.locator, text, (leaf.raw, row.display))
        elif names_another_form(leaf.raw, row.display):
            text = "Other words sent for the product name another form than its code."
            record.flag("DRUG_TEXT_MISMATCH", leaf.locator, text, (leaf.raw, row.display))


def too_long_to_compare(record: Record, at: Leaf) -> bool:
    """Hold words that are longer than what any product is called: nobody could say that they agree with the code."""
    if len(at.raw) <= LONGEST_NAME:
        return False
    text = f"The product's words are {len(at.raw)} characters long: too long to be compared with its code."
    record.flag("DRUG_TEXT_MISMATCH", at.locator, text, (f"{at.raw[:_SHOWN]} …",))
    return True


@remembered
def same_strength(words: str, display: str) -> bool:
    """Tell whether every strength that words name stands in the product's name; where either names none, it does."""
    said, known = set(_amounts(words)), set(_amounts(display))
    return not said or not known or said <= known


def strengths_in(words: str) -> tuple[str, ...]:
    """Give the strengths that words name, as they are compared: `10 mg`, `0.2 ml`."""
    return tuple(dict.fromkeys(f"{figure} {unit}" for figure, unit in _amounts(words)))


def _folded(words: str) -> str:
    return " ".join(words.split()).casefold()


def _amounts(words: str) -> Iterator[tuple[str, str]]:
    for number, unit in _AMOUNT.findall(words):
        name = unit.lower().removesuffix("s") if unit.lower() != "million units" else "million unit"
        figure = number.replace(",", "")
        yield (figure.rstrip("0").rstrip(".") if "." in figure else figure), _SAME_UNIT.get(name, name)


def unit(  # noqa: PLR0917 - the words and the codes of one unit
    record: Record, context: ReadingContext, words: Leaf | None, codes: tuple[Leaf, ...], target: str, location: str
) -> Coding | None:
    """Read a unit from its codes, or where there is none from its words.

    Args:
        record: takes the trace and the issues.
        context: has the tables of units and the trust's own entries.
        words: `milligram`, as sent; kept as the unit's display.
        codes: UCUM or SNOMED CT codes; all must name one unit.
        target: canonical path of the unit.
        location: of the quantity, for issues that concern it as a whole.

    Returns:
        The unit as we write it (UCUM where UCUM has it), or None with an issue.
    """
    found = [context.reference.units.get(code.raw) for code in codes]
    for code, known in zip(codes, found, strict=True):
        if known is None:
            record.use(code, words)
            record.flag("UNIT_UNMAPPED", code.locator, f"{code.raw} is not the code of a unit that is known here.")
    if any(known is None for known in found):
        return None
    distinct = {(known.system, known.code): known for known in found if known}
    if len(distinct) > 1:
        record.use(words, *codes)
        record.flag("DOSE_CONFLICT", location, "The codes of the unit name different units.")
        return None
    if not distinct:
        return _unit_of_words(record, context, words, target, location)
    coding = next(iter(distinct.values()))
    for code in codes:
        record.trace(target, code, f"table:units@{context.reference.release}", coding.code)
    return _agreeing(record, context, words, coding, target, location)


def _agreeing(  # noqa: PLR0917 - see `unit`
    record: Record, context: ReadingContext, words: Leaf | None, coding: Coding, target: str, location: str
) -> Coding | None:
    if words is None:
        return coding
    if unit_contradicts(context.reference, words.raw, coding):
        record.use(words)
        record.flag("DOSE_CONFLICT", location, UNIT_CONTRADICTION, (words.raw, coding.display))
        return None
    record.words(words, f"{target}.display")
    return Coding(system=coding.system, code=coding.code, display=words.raw)


def _unit_of_words(
    record: Record, context: ReadingContext, words: Leaf | None, target: str, location: str
) -> Coding | None:
    if words is None:
        record.flag("UNIT_UNMAPPED", location, "The amount has no unit.")
        return None
    entry = context.trust.entry("unit", words.raw, words.raw)
    if entry is not None:
        record.trace(target, words, entry.how, entry.target.code)
        record.flag("UNIT_LOCAL_MAPPED", words.locator, "The unit was mapped by this trust's table.")
        return entry.target
    known = context.reference.unit_words.get(words.raw)
    if known is None:
        record.use(words)
        unknown = UnknownCode(
            kind=MapKind.UNIT, code=words.raw, text=words.raw, location=words.locator, issue="UNIT_UNMAPPED"
        )
        record.unmapped(unknown, "The unit is in words only, and they are not safe to read.")
        return None
    record.trace(target, words, f"table:unit-words@{context.reference.release}", known.code)
    return known


def concept(record: Record, code: Leaf | None, display: Leaf | None, target: str) -> Coding | None:
    """Read a SNOMED CT code with its words, as sent; an identifier with a wrong check digit is refused."""
    parsed = record.take(
        code,
        f"{target}.code",
        SnomedCode.parse,
        "parse:sctid",
        "Send a SNOMED CT concept identifier with a right check digit.",
        "IDENTIFIER_INVALID",
    )
    words = record.words(display, f"{target}.display")
    return Coding(system=SNOMED, code=parsed.value, display=words) if parsed else None


def route(record: Record, context: ReadingContext, coding: Coding | None, location: str) -> Coding | None:
    """Check a route against the table; one that is not in it is held."""
    if coding is None:
        return None
    if coding.code not in context.reference.routes:
        record.flag("ROUTE_UNMAPPED", location, f"SNOMED CT code {coding.code} is not a route that is known here.")
        return None
    if route_contradicts(context.reference, coding):
        record.flag("ROUTE_AMBIGUOUS", location, ROUTE_CONTRADICTION, (coding.display, coding.code))
        return None
    return coding
