"""Check digits of the identifiers in any FHIR resource: NHS number, prescription number, SNOMED CT and dm+d codes.

Structure says that an identifier is a string; only its check digit says that it was copied rightly. What has no check
digit (ODS, professional numbers) is checked for its form.

Source: eps.md 3; SNOMED CT RF2 (Verhoeff).
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from gateway.domain.coding import SNOMED
from gateway.domain.identifiers import NhsNumber, OdsCode, PrescriptionNumber, SnomedCode, parse_uuid
from gateway.validate.fhir.finding import Finding, Path, render

_SYSTEMS: dict[str, tuple[str, Callable[[str], object]]] = {
    "https://fhir.nhs.uk/Id/nhs-number": ("NHS number", NhsNumber.parse),
    "https://fhir.nhs.uk/Id/prescription-order-number": ("prescription number", PrescriptionNumber.parse),
    "https://fhir.nhs.uk/Id/ods-organization-code": ("ODS code", OdsCode.parse),
    "https://fhir.nhs.uk/Id/prescription": ("prescription id (UUID)", parse_uuid),
    "https://fhir.nhs.uk/Id/prescription-order-item-number": ("item number (UUID)", parse_uuid),
    "https://tools.ietf.org/html/rfc4122": ("UUID", parse_uuid),
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
    if system == SNOMED and isinstance(value.get("code"), str) and SnomedCode.parse(value["code"]) is None:
        yield _wrong((path, "code", None), "SNOMED CT code")
    known = _SYSTEMS.get(system) if isinstance(system, str) else None
    if known is not None and isinstance(value.get("value"), str) and known[1](value["value"]) is None:
        yield _wrong((path, "value", None), known[0])


def _wrong(path: Path, what: str) -> Finding:
    text = f"is not a valid {what}: its form or check digit is wrong"
    return Finding(code="value", expression=render(path), text=text, rule="identifier")
