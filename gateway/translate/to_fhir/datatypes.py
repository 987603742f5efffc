"""FHIR R4 datatypes from canonical values. Each function takes the value and its canonical path."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from uuid import UUID

from gateway.domain.coding import SNOMED, UCUM, Coding, dmd_unit
from gateway.domain.identifiers import OdsCode
from gateway.domain.prescription import Address, Contact, Duration, Name, Range, TimeUnit
from gateway.domain.quantity import Quantity
from gateway.translate.to_fhir import systems
from gateway.translate.to_fhir.leaves import Element, Fixed, Leaf, Node, constant, rule

TIME_WORDS: dict[TimeUnit, str] = {
    TimeUnit.SECOND: "second",
    TimeUnit.MINUTE: "minute",
    TimeUnit.HOUR: "hour",
    TimeUnit.DAY: "day",
    TimeUnit.WEEK: "week",
    TimeUnit.MONTH: "month",
    TimeUnit.YEAR: "year",
}
_UCUM = constant(UCUM, "ucum")
_ODS = constant(systems.ODS, "ods-system")


def day(value: date | None, at: str) -> Leaf:
    """Write a FHIR date."""
    return (value.isoformat() if value else None, at)


def instant(value: datetime) -> str:
    """Write an aware time as a FHIR instant, in its own offset, to the second unless it says more."""
    return value.isoformat()


def urn(identifier: UUID | str) -> str:
    """Write a UUID as the `fullUrl` and reference form."""
    return f"urn:uuid:{identifier}"


def reference(target: UUID | str) -> Element:
    """Refer to another entry of the Bundle."""
    return {"reference": rule(urn(target), "reference")}


def coding(value: Coding, at: str) -> Element:
    """Write a Coding as it was sent."""
    return {
        "system": (value.system if value.code else "", f"{at}.system"),
        "code": (value.code, f"{at}.code"),
        "display": (value.display, f"{at}.display"),
    }


def concept(value: Coding | None, at: str) -> Element:
    """Write a CodeableConcept: a coding, or words alone where no code was sent."""
    if value is None:
        return None
    if value.code:
        return {"coding": [coding(value, at)]}
    return {"text": (value.display, f"{at}.display")}


def concepts(values: Sequence[Coding], at: str) -> list[Node]:
    """Write one CodeableConcept for each coding."""
    return [concept(value, f"{at}[{index}]") for index, value in enumerate(values)]


@cache
def fixed(system: str, code: str, display: str, name: str) -> Fixed:
    """Write a CodeableConcept that is the same in every message; without a display, if there is none."""
    of: Element = {"system": constant(system, name), "code": constant(code, name), "display": constant(display, name)}
    return Fixed({"coding": [of]})


def quantity(value: Quantity | None, at: str) -> Element:
    """Write a Quantity: the number as its lexeme, the unit with its code where it has one."""
    if value is None:
        return None
    unit = value.unit
    return {
        "value": (value.value, f"{at}.value"),
        "unit": (unit.display or unit.code, f"{at}.unit.display" if unit.display else f"{at}.unit.code"),
        "system": (unit.system if unit.code else "", f"{at}.unit.system"),
        "code": (unit.code, f"{at}.unit.code"),
    }


def supplied(value: Quantity, at: str) -> Element:
    """Write an amount to supply: EPS counts in dm+d's units alone, millilitres too (eps.md 2.7)."""
    return quantity(replace(value, unit=replace(value.unit, system=SNOMED, code=dmd_unit(value.unit.code))), at)


def amount_range(value: Range, at: str) -> Element:
    """Write a Range; either end may be open."""
    return {"low": quantity(value.low, f"{at}.low"), "high": quantity(value.high, f"{at}.high")}


def duration(value: Duration | None, at: str) -> Element:
    """Write a Duration in the unit it was said in; units of time are never converted."""
    return None if value is None else time_quantity(value.value, value.unit, f"{at}.value", f"{at}.unit")


def time_quantity(value: Decimal | int, unit: TimeUnit, value_at: str, unit_at: str) -> Element:
    """Write an amount of time with its UCUM code."""
    return {
        "value": (value, value_at),
        "unit": (TIME_WORDS[unit], unit_at),
        "system": _UCUM,
        "code": (unit.value, unit_at),
    }


def ods(code: OdsCode | None, at: str) -> Element:
    """Write an organisation's identifier."""
    return None if code is None else {"system": _ODS, "value": (code.value, at)}


def assigner(code: str, at: str) -> Element:
    """Write who gave an identifier: by ODS code where it is one, else by the words sent."""
    if OdsCode.parse(code):
        return {"identifier": {"system": _ODS, "value": (code, at)}}
    return {"display": (code, at)}


def local_identifier(type_code: str, value: Leaf, given_by: Node) -> Element:
    """Write an identifier without a published system: its kind (HL7 table 0203) and who gave it name it."""
    if not value[0]:
        return None
    kind = fixed(systems.IDENTIFIER_TYPE, type_code, "", "identifier-type")
    return {"type": kind, "value": value, "assigner": given_by}


def name(value: Name, at: str) -> Element:
    """Write a HumanName."""
    return {
        "use": (value.use, f"{at}.use"),
        "family": (value.family, f"{at}.family"),
        "given": words(value.given, f"{at}.given"),
        "prefix": words(value.prefix, f"{at}.prefix"),
        "suffix": words(value.suffix, f"{at}.suffix"),
    }


def words(values: Sequence[str], at: str) -> list[Node]:
    """Write strings, each from its own place."""
    return [(value, f"{at}[{index}]") for index, value in enumerate(values)]


def contacts(values: Sequence[Contact], at: str, *, work: bool = False) -> list[Node]:
    """Write ContactPoints.

    Args:
        values: in the order sent.
        at: their canonical path.
        work: whether they belong to a role or an organisation, where one without a stated use is a work contact;
            EPS refuses such a contact without a use (eps.md 5.2).
    """
    unsaid = rule("work", "default.work-contact") if work else None
    return [
        {
            "system": (value.system, f"{at}[{index}].system"),
            "value": (value.value, f"{at}[{index}].value"),
            "use": (value.use, f"{at}[{index}].use") if value.use else unsaid,
        }
        for index, value in enumerate(values)
    ]


def address(value: Address | None, at: str) -> Element:
    """Write an Address, with what helps to find it."""
    if value is None:
        return None
    return {
        "extension": [
            _property_number(value.uprn, f"{at}.uprn"),
            _instructions(value.instructions, f"{at}.instructions"),
        ],
        "use": (value.use, f"{at}.use"),
        "line": words(value.lines, f"{at}.lines"),
        "city": (value.city, f"{at}.city"),
        "district": (value.district, f"{at}.district"),
        "postalCode": (value.postcode, f"{at}.postcode"),
        "country": (value.country, f"{at}.country"),
    }


def _instructions(text: str, at: str) -> Element:
    """Write how to deliver to an address; FHIR has no element of its own for it."""
    if not text:
        return None
    return {"url": constant(systems.INSTRUCTIONS_EXTENSION, "delivery-instructions"), "valueString": (text, at)}


def _property_number(uprn: str, at: str) -> Element:
    """Write the UPRN as UK Core's AddressKey."""
    if not uprn:
        return None
    kind: Element = {"system": constant(systems.ADDRESS_KEY, "uprn"), "code": constant("UPRN", "uprn")}
    return {
        "extension": [
            {"url": constant("type", "uprn"), "valueCodeableConcept": {"coding": [kind]}},
            {"url": constant("value", "uprn"), "valueString": (uprn, at)},
        ],
        "url": constant(systems.ADDRESS_KEY_EXTENSION, "uprn"),
    }
