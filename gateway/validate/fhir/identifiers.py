"""Check digits of the identifiers in any FHIR resource: NHS number, prescription number, SNOMED CT and dm+d codes.

Structure says that an identifier is a string; only its check digit says that it was copied rightly. What has no check
digit (ODS, professional numbers) is checked for its form.

Source: eps.md 3; SNOMED CT RF2 (Verhoeff).
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from gateway.domain.coding import SNOMED
from gateway.domain.identifiers import NhsNumber, OdsCode, PrescriptionNumber, SnomedCode
from gateway.validate.fhir.finding import Finding, Path, render

_HEX = "[0-9a-fA-F]"
_UUID = re.compile(f"{_HEX}{{8}}-{_HEX}{{4}}-{_HEX}{{4}}-{_HEX}{{4}}-{_HEX}{{12}}").fullmatch
_REMEMBERED = lru_cache(maxsize=1 << 14)
"""Remembers what is no patient's: a formulary and a directory repeat themselves from message to message."""

Form = Callable[[Mapping[str, Any]], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class System:
    """A system whose codes or identifiers have a form that can be checked.

    Attributes:
        what: what it names, for the text.
        member: the element of the coding or identifier that holds it.
        parse: gives None for what has not the form.
    """

    what: str
    member: str
    parse: Callable[[str], object]


SYSTEMS: Mapping[object, System] = {
    SNOMED: System(what="SNOMED CT code", member="code", parse=_REMEMBERED(SnomedCode.parse)),
    **{
        system: System(what=what, member="value", parse=parse)
        for system, what, parse in (
            ("https://fhir.nhs.uk/Id/nhs-number", "NHS number", NhsNumber.parse),
            ("https://fhir.nhs.uk/Id/prescription-order-number", "prescription number", PrescriptionNumber.parse),
            ("https://fhir.nhs.uk/Id/ods-organization-code", "ODS code", _REMEMBERED(OdsCode.parse)),
            ("https://fhir.nhs.uk/Id/prescription", "prescription id (UUID)", _UUID),
            ("https://fhir.nhs.uk/Id/prescription-order-item-number", "item number (UUID)", _UUID),
            ("https://tools.ietf.org/html/rfc4122", "UUID", _UUID),
        )
    },
}
"""The systems whose codes or identifiers have a form, by their URL."""


def _form(member: str, parse: Callable[[str], object]) -> Form:
    def holds(value: Mapping[str, Any]) -> bool:
        text = value.get(member)
        return type(text) is not str or parse(text) is not None

    return holds


FORMS: Mapping[object, Form] = {system: _form(one.member, one.parse) for system, one in SYSTEMS.items()}
"""For each system whose codes or identifiers have a form, whether an object of that system has it."""


def check_identifiers(resource: Mapping[str, Any]) -> tuple[Finding, ...]:
    """Give a finding for every identifier or SNOMED CT code whose check digit or form is wrong."""
    return tuple(_findings(resource, (None, str(resource.get("resourceType")), None)))


def _findings(value: Any, path: Path) -> Iterator[Finding]:
    if isinstance(value, dict):
        yield from _identifier(value, path)
        for key, item in value.items():
            yield from _findings(item, (path, key, None))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _findings(item, (path[0], path[1], index))


def _identifier(value: Mapping[str, Any], path: Path) -> Iterator[Finding]:
    if isinstance(value.get("system"), str) and not well_formed(value):
        system = SYSTEMS[value["system"]]
        text = f"is not a valid {system.what}: its form or check digit is wrong"
        yield Finding(code="value", expression=render((path, system.member, None)), text=text, rule="identifier")


def well_formed(value: Mapping[str, Any]) -> bool:
    """Tell whether the code or identifier of an object with a `system` has the form and the check digit it must have.

    Raises:
        TypeError: `system` is an object or an array.
    """
    holds = FORMS.get(value.get("system"))
    return holds is None or holds(value)
