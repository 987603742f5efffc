"""FHIR data types that several resources share: codings, quantities, durations, names, addresses, identifiers."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import TypeVar
from zoneinfo import ZoneInfo

from gateway.domain.code_map import MapKind, UnknownCode
from gateway.domain.coding import SNOMED, UCUM, Coding
from gateway.domain.identifiers import OdsCode
from gateway.domain.prescription import Address, Contact, Duration, Name, Range, TimeUnit
from gateway.domain.quantity import Quantity
from gateway.translate import lexical
from gateway.translate.context import ReadingContext
from gateway.translate.from_fhir.nodes import Node
from gateway.translate.maps.rules import FHIR
from gateway.translate.record import Leaf, Record
from gateway.translate.terms import concept, unit
from gateway.translate.timing_words import UNIT_WORDS
from gateway.translate.to_fhir import systems

_CODING = FHIR.named("FHIR.ignored.coding")
_DURATION = FHIR.named("FHIR.ignored.duration")
_NAME_IGNORED = FHIR.named("FHIR.ignored.name")

T = TypeVar("T")

_DECIMAL = "Send a plain decimal above nought, of at most 18 digits."
_TIME_UNITS = {member.value: member for member in TimeUnit}
_UNIT_BY_WORD = {word + plural: unit.value for unit, word in UNIT_WORDS.items() for plural in ("", "s")}
_LONDON = ZoneInfo("Europe/London")


def amount(record: Record, leaf: Leaf | None, target: str) -> Decimal | None:
    """Read a decimal above nought; its lexeme is kept."""
    return record.take(leaf, target, lexical.positive, "parse:decimal", _DECIMAL)


def count(record: Record, leaf: Leaf | None, target: str) -> int | None:
    """Read a whole number above nought."""
    return record.take(leaf, target, lexical.counted, "parse:integer", "Send a whole number above nought.")


def day(record: Record, leaf: Leaf | None, target: str) -> date | None:
    """Read the London date of a date or dateTime; a year or a month alone is not enough."""
    return record.take(leaf, target, _london_day, "parse:london-date", "Send a whole date.")


def _london_day(text: str) -> date | None:
    if "T" not in text:
        return lexical.day(text)
    at = lexical.instant(text)
    return at.astimezone(_LONDON).date() if at else None


def choice(record: Record, leaf: Leaf | None, target: str, table: dict[str, T]) -> T | None:
    """Read a code of a closed list."""
    wanted = f"Send one of: {', '.join(table)}."
    return record.take(leaf, target, table.get, "copy", wanted)


def quantity(record: Record, context: ReadingContext | None, node: Node | None, target: str) -> Quantity | None:
    """Read an amount with its unit; a comparator (`<`, `>=`) is held, for it is no amount."""
    if node is None:
        return None
    value = amount(record, node.leaf("value"), f"{target}.value")
    if node.leaf("value") is None:
        record.flag("FIELD_MISSING", f"{node.path}.value", "State the amount.")
    if comparator := node.leaf("comparator"):
        record.use(comparator)
        record.flag("FIELD_NOT_UNDERSTOOD", comparator.locator, "A bound is not an amount.")
    of = _unit(record, context, node, f"{target}.unit")
    return Quantity(value=value, unit=of) if value is not None and of else None


def _unit(record: Record, context: ReadingContext | None, node: Node, target: str) -> Coding | None:
    if context is None:
        return _as_sent(record, node, target)
    system, code, words = node.leaf("system"), node.leaf("code"), node.leaf("unit")
    record.use(system)
    if code is None:
        return unit(record, context, words, (), target, node.path)
    entry = context.trust.entry("unit", code.raw, words.raw if words else "", system.raw if system else "")
    if entry is not None:
        record.trace(target, code, entry.how, entry.target.code)
        record.use(words)
        record.flag("UNIT_LOCAL_MAPPED", code.locator, "The unit was mapped by this trust's table.")
        return entry.target
    if system is None or system.raw not in {UCUM, SNOMED}:
        record.use(code, words)
        record.unmapped(
            UnknownCode(
                kind=MapKind.UNIT,
                code=code.raw,
                text=words.raw if words else "",
                system=system.raw if system else "",
                location=node.path,
                issue="UNIT_UNMAPPED",
            ),
            "The unit's system is neither UCUM nor SNOMED CT.",
        )
        return None
    if code.raw.isdigit() is not (system.raw == SNOMED):
        record.use(code, words)
        record.flag("UNIT_UNMAPPED", code.locator, "The unit's code is not of the system that is named.")
        return None
    return unit(record, context, words, (code,), target, node.path)


def _as_sent(record: Record, node: Node, target: str) -> Coding:
    return Coding(
        system=record.words(node.leaf("system"), f"{target}.system"),
        code=record.words(node.leaf("code"), f"{target}.code"),
        display=record.words(node.leaf("unit"), f"{target}.display"),
    )


def spread(record: Record, context: ReadingContext | None, node: Node | None, target: str) -> Range | None:
    """Read a range; ends that cross or differ in unit are held."""
    if node is None:
        return None
    low = quantity(record, context, node.one("low"), f"{target}.low")
    high = quantity(record, context, node.one("high"), f"{target}.high")
    if low and high and (low.unit.system, low.unit.code) != (high.unit.system, high.unit.code):
        record.flag("DOSE_CONFLICT", node.path, "The two ends of the range have different units.")
    elif low and high and low.value > high.value:
        record.flag("VALUE_INVALID", node.path, "The low end of the range is above its high end.")
    return Range(low=low, high=high) if low or high else None


def duration(record: Record, node: Node | None, target: str) -> Duration | None:
    """Read a length of time: UCUM s, min, h, d, wk, mo or a."""
    if node is None:
        return None
    value = amount(record, node.leaf("value"), f"{target}.value")
    code = node.leaf("code")
    record.use(node.leaf("system"))
    if node.raw("system") not in {UCUM, ""} or code is None:
        record.use(node.leaf("unit"), code)
        record.flag("VALUE_INVALID", node.path, "Send a duration with a UCUM code of time.")
        return None
    if _UNIT_BY_WORD.get(node.raw("unit").lower(), code.raw) != code.raw:
        record.use(node.leaf("unit"))
        record.flag("TIMING_CONFLICT", f"{node.path}.unit", "The unit and its code are different lengths of time.")
    record.ignore((node.leaf("unit"),), _DURATION)
    in_units = choice(record, code, f"{target}.unit", _TIME_UNITS)
    if comparator := node.leaf("comparator"):
        record.use(comparator)
        record.flag("FIELD_NOT_UNDERSTOOD", comparator.locator, "A bound is not a length of time.")
    return Duration(value=value, unit=in_units) if value is not None and in_units else None


def codings(node: Node | None, *wanted: str) -> tuple[Node, ...]:
    """Give the codings of a CodeableConcept in one of the systems, first system first."""
    found = node.many("coding") if node else ()
    return tuple(coding for system in wanted for coding in found if coding.raw("system") == system)


def snomed(record: Record, node: Node | None, target: str) -> Coding | None:
    """Read a CodeableConcept that bears on what the patient takes: SNOMED CT wanted, its own words kept.

    Two different SNOMED CT codes, or none beside other content, are held: one of them would have to be chosen.
    """
    if node is None:
        return None
    found = codings(node, SNOMED)
    if len({coding.raw("code") for coding in found}) > 1:
        record.use(*node.below())
        record.flag("FIELD_NOT_UNDERSTOOD", node.path, "Two different SNOMED CT codes stand here.")
        return None
    if not found:
        return None
    coding = found[0]
    record.use(coding.leaf("system"))
    record.ignore((coding.leaf("version"), coding.leaf("userSelected")), _CODING)
    return concept(record, coding.leaf("code"), coding.leaf("display") or node.leaf("text"), target)


def worded(record: Record, node: Node | None, target: str) -> Coding | None:
    """Read a CodeableConcept whose words may stand alone."""
    if node is None:
        return None
    coding = next(iter((*codings(node, SNOMED), *node.many("coding"))), None)
    if coding is None:
        words = record.words(node.leaf("text"), f"{target}.display")
        return Coding(display=words) if words else None
    return coded(record, coding, node.leaf("text"), target)


def coded(record: Record, coding: Node, text: Leaf | None, target: str) -> Coding:
    """Read one coding of a CodeableConcept; where it has no words, those of the concept."""
    return Coding(
        system=record.words(coding.leaf("system"), f"{target}.system"),
        code=record.words(coding.leaf("code"), f"{target}.code"),
        display=record.words(coding.leaf("display") or text, f"{target}.display"),
    )


def ods(record: Record, node: Node | None, target: str) -> OdsCode | None:
    """Read an Identifier that must be an ODS code."""
    return identified(record, node, systems.ODS, target, OdsCode.parse, "parse:ods", "IDENTIFIER_INVALID")


def identified(  # noqa: PLR0917 - one identifier, one system, one way to read it
    record: Record,
    node: Node | None,
    system: str,
    target: str,
    parse: Callable[[str], T | None],
    transform: str,
    code: str,
) -> T | None:
    """Read an Identifier of one system; another system is an issue."""
    if node is None:
        return None
    record.use(node.leaf("system"))
    if node.raw("system") != system:
        record.use(node.leaf("value"))
        record.flag("IDENTIFIER_INVALID", f"{node.path}.system", f"The identifier must be of the system {system}.")
        return None
    wanted = "The identifier's form or check digit is wrong."
    return record.take(node.leaf("value"), target, parse, transform, wanted, code)


def name(record: Record, node: Node | None, target: str) -> Name | None:
    """Read a HumanName; one in words alone becomes the family name."""
    if node is None:
        return None
    family = node.leaf("family")
    read = family or node.leaf("text")
    if family is not None:
        record.ignore((node.leaf("text"),), _NAME_IGNORED)
    return Name(
        family=record.words(read, f"{target}.family"),
        given=_all(record, node, "given", target),
        prefix=_all(record, node, "prefix", target),
        suffix=_all(record, node, "suffix", target),
        use=record.words(node.leaf("use"), f"{target}.use"),
    )


def _all(record: Record, node: Node, member: str, target: str) -> tuple[str, ...]:
    leaves = node.repeated(member)
    return tuple(record.words(leaf, f"{target}.{member}[{index}]") for index, leaf in enumerate(leaves))


def address(record: Record, node: Node | None, target: str) -> Address | None:
    """Read an Address."""
    if node is None:
        return None
    lines = node.repeated("line")
    words = tuple(record.words(leaf, f"{target}.lines[{index}]") for index, leaf in enumerate(lines))
    if not lines and node.leaf("text"):
        words = (record.words(node.leaf("text"), f"{target}.lines[0]"),)
    return Address(
        lines=words,
        city=record.words(node.leaf("city"), f"{target}.city"),
        district=record.words(node.leaf("district") or node.leaf("state"), f"{target}.district"),
        postcode=record.words(node.leaf("postalCode"), f"{target}.postcode"),
        country=record.words(node.leaf("country"), f"{target}.country"),
        use=record.words(node.leaf("use"), f"{target}.use"),
    )


def contacts(record: Record, nodes: tuple[Node, ...], target: str) -> tuple[Contact, ...]:
    """Read phone numbers and e-mail addresses; other systems stay leftovers."""
    kept = [node for node in nodes if node.raw("system") in {"phone", "email", ""} and node.leaf("value")]
    return tuple(
        Contact(
            system=record.words(node.leaf("system"), f"{target}[{index}].system") or "phone",
            value=record.words(node.leaf("value"), f"{target}[{index}].value"),
            use=record.words(node.leaf("use"), f"{target}[{index}].use"),
        )
        for index, node in enumerate(kept)
    )
