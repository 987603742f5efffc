"""The FHIR check as one call: a parsed resource in, every finding out.

Three layers, each on its own: structure by R4 and by the profile of the message; the rules of the dialect across
resources; check digits of identifiers. Unlike the national service, which hides the rules behind the first fault of
structure (eps.md 10, trap 9), every layer always runs.

Source: brief D6; FHIR R4 4.0.1; eps.md 5.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from gateway.validate.fhir.eps.rules import HOLD, check_rules, event_of
from gateway.validate.fhir.finding import Finding, Level
from gateway.validate.fhir.identifiers import check_identifiers
from gateway.validate.fhir.profile import Profiles
from gateway.validate.fhir.quick import QuickPass
from gateway.validate.fhir.references import check_references
from gateway.validate.fhir.walk import Table, Walker
from gateway.wire.fhir_xml import FhirXml, FhirXmlError
from gateway.wire.many import MOST_VALUES, holds_too_many
from gateway.wire.strict_json import JsonError, loads

CANONICAL = "urn:x-homecare-gateway:StructureDefinition:"
BY_EVENT: Mapping[str, str] = {
    "prescription-order": CANONICAL + "order",
    "prescription-order-update": CANONICAL + "update",
    HOLD: CANONICAL + "hold",
    "prescription-order-response": CANONICAL + "response",
    "dispense-notification": CANONICAL + "notification",
}
"""The Bundle profile of each message."""
BY_TYPE: Mapping[str, str] = {
    "MedicationRequest": CANONICAL + "medication-request",
    "MedicationDispense": CANONICAL + "notification-medication-dispense",
    "Organization": CANONICAL + "organization",
    "Patient": CANONICAL + "patient",
    "Practitioner": CANONICAL + "practitioner",
    "PractitionerRole": CANONICAL + "practitioner-role",
    "Provenance": CANONICAL + "provenance",
}
"""The profile of a resource that stands alone. Outside a message nothing says that it is meant for one, so what only
the profile wants is a warning there, unless `meta.profile` names the profile."""


class FhirChecker:
    """Checks resources against the compiled R4 4.0.1 table and, where they are given, our profiles and the dialect.

    Args:
        table: as made by `compile.compile_table`, read from `fhir_profiles` by whoever wires this up.
        profiles: as made by `profile.compile_profiles`; without them, base R4 only.
    """

    def __init__(self, table: Table, profiles: Profiles | None = None) -> None:
        self._base = Walker(table)
        self._profiles = profiles
        self._quick = QuickPass(profiles) if profiles else None
        self._profiled = Walker(profiles.table, extensions=profiles.extensions) if profiles else self._base

    def check(self, resource: Mapping[str, Any]) -> tuple[Finding, ...]:
        """Give every finding: structure in document order, then references, rules and identifiers.

        Args:
            resource: parsed JSON with decimals as `Decimal` (`gateway.wire.strict_json.loads`).

        Returns:
            Nothing for a clean resource. A type that is not compiled gives `not-supported`, never success.
        """
        if self._profiles is None:
            return self._walk(self._base, resource)
        event = event_of(resource) if resource.get("resourceType") == "Bundle" else ""
        url = BY_EVENT.get(event, "")
        if url and self._quick and self._quick.certain(resource, self._profiles.names[url]):
            return tuple(check_rules(resource, event))
        return (*self._structure(resource, url), *check_rules(resource, event), *check_identifiers(resource))

    def _structure(self, resource: Mapping[str, Any], url: str) -> tuple[Finding, ...]:
        if resource.get("resourceType") == "Bundle":
            return self._walk(self._profiled if url else self._base, resource, url)
        claimed, url = self._claimed(resource), BY_TYPE.get(str(resource.get("resourceType")), "")
        plain = self._walk(self._base, resource)
        if claimed or not url:
            return self._walk(self._profiled, resource, claimed) if claimed else plain
        known = set(plain)
        narrower = (one for one in self._walk(self._profiled, resource, url) if one not in known)
        return (*plain, *(replace(one, level=Level.WARNING) for one in narrower))

    def _claimed(self, resource: Mapping[str, Any]) -> str:
        """Give the profile of ours that a resource names as its own."""
        meta = resource.get("meta")
        named = meta.get("profile") if isinstance(meta, dict) else None
        names = self._profiles.names if self._profiles else {}
        return next((url for url in (named if isinstance(named, list) else ()) if url in names), "")

    def _walk(self, walker: Walker, resource: Mapping[str, Any], url: str = "") -> tuple[Finding, ...]:
        row = self._profiles.names[url] if self._profiles and url else ""
        walked = walker.walk(resource, row)
        check_references(walked)
        return tuple(walked.findings)


def check_body(
    checker: FhirChecker,
    body: bytes,
    *,
    within: Callable[[Mapping[str, Any]], Any] = lambda resource: resource,
    xml: FhirXml | None = None,
) -> tuple[Finding, ...]:
    """Read and check a body; what keeps it from being read is a finding too.

    Args:
        checker: what it is checked against.
        body: one resource, JSON or, where `xml` is given, XML.
        within: gives the resource to check from the one that was read.
        xml: turns FHIR XML into JSON, whose FHIRPaths are those of the XML.
    """
    if holds_too_many(body, xml=xml is not None):
        return (Finding(code="too-long", expression="", text=f"more than {MOST_VALUES} values", rule="TOO_LARGE"),)
    try:
        resource = xml.to_json(body) if xml else loads(body)
    except (JsonError, FhirXmlError) as error:
        return (Finding(code="structure", expression=error.location, text=error.text, rule=error.code),)
    subject = within(resource) if isinstance(resource, dict) else None
    if not isinstance(subject, dict):
        return (Finding(code="structure", expression="", text="must be one resource", rule="type"),)
    return checker.check(subject)
