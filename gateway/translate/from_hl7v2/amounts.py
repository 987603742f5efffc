"""Amounts: exact decimals, units that mean one thing, and lengths of time.

`mg` without a system is safe to read; `U`, `mcg`, `ml` and `EA` are not, and are read only by a trust's own entry.
`EA` alone has a meaning in HL7, *each*: the unit in which dm+d counts the product, where the product is known.

Source: mapping.md 5; reliability-security.md H25 to H27.
"""

from decimal import Decimal

from gateway.domain.code_map import MapKind
from gateway.domain.coding import SNOMED, UCUM, Coding
from gateway.domain.partner import TRUST_CODES
from gateway.domain.prescription import Duration, TimeUnit
from gateway.domain.quantity import Quantity, lexeme, parse_decimal
from gateway.domain.reference import ProductRow
from gateway.translate.contradictions import UNIT_CONTRADICTION, unit_contradicts
from gateway.translate.from_hl7v2.coded import Coded, Term, coded_within, unknown
from gateway.translate.from_hl7v2.desk import Desk
from gateway.translate.maps.tables import table
from gateway.translate.record import Leaf
from gateway.wire.er7 import Repetition

_TIME_UNITS = {code: TimeUnit(unit) for code, unit in table("time-units").items()}
"""UCUM codes and whole words. Single capitals are absent: HL7's own M is minutes and its L months."""


def amount(desk: Desk, leaf: Leaf | None, target: str) -> Decimal | None:
    """Read a number above nought, exactly as written; a unit where a number belongs is held."""
    if leaf is None:
        return None
    value = parse_decimal(leaf.raw)
    if value:
        desk.trace(target, leaf, "copy", lexeme(value))
        return value
    desk.use(leaf)
    if leaf.raw[:1].isalpha():
        desk.flag("FIELD_SHIFTED", leaf.locator, "Words stand where a number belongs; the fields may have shifted.")
    else:
        desk.flag("VALUE_INVALID", leaf.locator, "Send a plain decimal above nought, such as 0.5.")
    return None


def whole(desk: Desk, leaf: Leaf | None, target: str, *, least: int = 0) -> int | None:
    """Read a whole number of at most four digits; empty target writes no trace row."""
    if leaf is None:
        return None
    value = parse_decimal(leaf.raw)
    if value is None or value != int(value) or "." in leaf.raw or not least <= value < 10_000:  # noqa: PLR2004
        desk.use(leaf)
        desk.flag("VALUE_INVALID", leaf.locator, f"Send a whole number from {least} to 9999.")
        return None
    if target:
        desk.trace(target, leaf, "parse:whole", str(int(value)))
    else:
        desk.use(leaf)
    return int(value)


def unit(desk: Desk, element: Coded | None, target: str, product: ProductRow | None = None) -> Coding | None:
    """Read a unit: UCUM or SNOMED CT by the tables, a safe word, or the trust's own entry.

    Args:
        desk: takes the trace and the issues.
        element: None gives None.
        target: canonical path of the unit.
        product: what the unit counts, where that is known.

    Returns:
        The unit as we write it, or None with an issue.
    """
    if element is None:
        return None
    desk.use(*element.leaves())
    readings = [(term, reading) for term in element.terms if (reading := _reading(desk, term, product))]
    coded_terms = [term for term in element.terms if term.code]
    units = {reading[0].code for _, reading in readings}
    if len(units) > 1:
        desk.flag("DOSE_CONFLICT", element.location, "The unit and its alternate differ.", tuple(sorted(units)))
        return None
    if not readings or (coded_terms and readings[0][0] is not coded_terms[0] and not coded_terms[0].known_system):
        text = "The unit is not UCUM, SNOMED CT or a word that is safe to read."
        desk.unmapped(unknown(element, MapKind.UNIT, "UNIT_UNMAPPED"), text)
        return None
    if beside := next((term.words for term, (found, _) in readings if _said_otherwise(desk, term, found)), None):
        desk.flag("DOSE_CONFLICT", element.location, UNIT_CONTRADICTION, (beside.raw, readings[0][1][0].display))
        return None
    term, (coding, how) = readings[0]
    desk.trace(target, term.code or term.words, how, coding.code)
    if how.startswith(TRUST_CODES):
        desk.flag("UNIT_LOCAL_MAPPED", term.at, "The unit was mapped by this trust's table.")
    return coding


def _reading(desk: Desk, term: Term, product: ProductRow | None) -> tuple[Coding, str] | None:
    reference = desk.context.reference
    code, words = (leaf.raw if leaf else "" for leaf in (term.code, term.words))
    if term.known_system in {UCUM, SNOMED} and code:
        known = reference.units.get(code)
        return (known, f"table:units@{reference.release}") if known and _same(term, known) else None
    entry = desk.context.trust.entry("unit", code, words, term.system)
    if entry is not None:
        return entry.target, entry.how
    if term.system:
        return None
    if code == "EA" and product is not None and product.unit is not None:
        return product.unit, "derive:each"
    safe = reference.unit_words.get(code or words)
    return (safe, f"table:unit-words@{reference.release}") if safe else None


def _said_otherwise(desk: Desk, term: Term, coding: Coding) -> bool:
    coded = term.known_system in {UCUM, SNOMED} and term.code is not None and term.words is not None
    return coded and term.words is not None and unit_contradicts(desk.context.reference, term.words.raw, coding)


def _same(term: Term, known: Coding) -> bool:
    """A SNOMED CT label on a UCUM code, or the reverse, is not a code of that system."""
    code = term.code.raw if term.code else ""
    return code.isdigit() if term.known_system == SNOMED else known.system == UCUM and not code.isdigit()


def quantity(number: Decimal | None, unit_: Coding | None) -> Quantity | None:
    """Join a number and its unit; None if either is missing."""
    return Quantity(value=number, unit=unit_) if number is not None and unit_ is not None else None


def duration(desk: Desk, repetition: Repetition | None, target: str) -> Duration | None:
    """Read a CQ that is a length of time."""
    if repetition is None:
        return None
    number, element = desk.leaf(repetition), coded_within(desk, repetition, 2)
    desk.use(*(element.leaves() if element else ()))
    word = (element.first.code or element.first.words) if element else None
    unit_ = _TIME_UNITS.get(word.raw) if word else None
    if unit_ is None:
        desk.use(number)
        desk.flag(
            "TIMING_UNMAPPED", repetition.locator, "Send a length of time with its unit: s, min, h, d, wk, mo, a."
        )
        return None
    value = amount(desk, number, f"{target}.value")
    desk.trace(f"{target}.unit", word, "table:time-units", unit_.value)
    return Duration(value=value, unit=unit_) if value is not None else None
