"""Check digits of the identifiers in any FHIR resource: NHS number, prescription number, SNOMED CT and dm+d codes.

Structure says that an identifier is a string; only its check digit says that it was copied rightly. What has no check
digit (ODS, professional numbers) is checked for its form.

Source: eps.md 3; SNOMED CT RF2 (Verhoeff).
"""

import re
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import Any

from gateway.domain.coding import SNOMED
from gateway.domain.identifiers import NhsNumber, OdsCode, PrescriptionNumber, SnomedCode
from gateway.validate.fhir.finding import Finding, Path, render

_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}").fullmatch
_SYSTEMS: dict[str, tuple[str, Callable[[str], object]]] = {
    "https://fhir.nhs.uk/Id/nhs-number": ("NHS number", NhsNumber.parse),
    "https://fhir.nhs.uk/Id/prescription-order-number": ("prescription number", PrescriptionNumber.parse),
    "https://fhir.nhs.uk/Id/ods-organization-code": ("ODS code", OdsCode.parse),
    "https://fhir.nhs.uk/Id/prescription": ("prescription id (UUID)", _UUID),
    "https://fhir.nhs.uk/Id/prescription-order-item-number": ("item number (UUID)", _UUID),
    "https://tools.ietf.org/html/rfc4122": ("UUID", _UUID),
}


def check_identifiers(resource: Mapping[str, Any]) -> tuple[Finding, ...]:
    """Give a finding for every identifier or SNOMED CT code whose check digit or form is wrong."""
    return tuple(_findings(resource, (None, str(resource.get("resourceType")), None)))


def _findings(value: Any, path: Path) -> Iterator[Finding]:
    if isinstance(value, Mapping):
        yield from _identifier(value, path)
        for key, item in value.items():
            yield from _findings(item, (path, key, None))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _findings(item, (path[0], path[1], index))


def _identifier(value: Mapping[str, Any], path: Path) -> Iterator[Finding]:
    system = value.get("system")
    if system == SNOMED and isinstance(value.get("code"), str) and not _is_concept(value["code"]):
        yield _wrong((path, "code", None), "SNOMED CT code")
    known = _SYSTEMS.get(system) if isinstance(system, str) else None
    if known is not None and isinstance(value.get("value"), str) and known[1](value["value"]) is None:
        yield _wrong((path, "value", None), known[0])


@lru_cache(maxsize=1 << 14)
def _is_concept(code: str) -> bool:
    """Tell whether a code has the form of a SNOMED CT concept; remembered, for a formulary repeats itself."""
    return SnomedCode.parse(code) is not None


def well_formed(value: Mapping[str, Any]) -> bool:
    """Tell whether an object with a `system` holds no identifier or code that `check_identifiers` would report."""
    system = value.get("system")
    if system == SNOMED:
        code = value.get("code")
        return type(code) is not str or _is_concept(code)
    known = _SYSTEMS.get(system) if type(system) is str else None
    return known is None or type(value.get("value")) is not str or known[1](value["value"]) is not None


def _wrong(path: Path, what: str) -> Finding:
    text = f"is not a valid {what}: its form or check digit is wrong"
    return Finding(code="value", expression=render(path), text=text, rule="identifier")
