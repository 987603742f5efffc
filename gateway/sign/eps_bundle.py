"""A prescription-order Bundle as the signature sees it: which resource is the prescriber, the patient, the site.

Source: eps.md 2.4 to 2.7 and 4.1.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Json = Mapping[str, Any]

_PROFESSIONAL = tuple(
    f"https://fhir.hl7.org.uk/Id/{name}"
    for name in ("gmc-number", "nmc-number", "gphc-number", "hcpc-number", "professional-code")
)
_UNKNOWN_PRACTICE = "V81999"
_ODS = "https://fhir.nhs.uk/Id/ods-organization-code"


class Unsignable(ValueError):
    """A part of the order that the prescriber signs is missing or stands twice.

    Attributes:
        location: FHIRPath of the part.
    """

    def __init__(self, location: str, text: str) -> None:
        super().__init__(f"{location}: {text}")
        self.location = location
        self.text = text


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """Where the prescriber works: the organisation that is signed, and the one whose licence it is."""

    ods: str
    name: str
    telecom: Json
    address: Json
    licence_ods: str
    licence_name: str


def identifier_of(resource: Json, system: str) -> str | None:
    """Give the resource's identifier of a system, if it has one."""
    for identifier in _many(resource.get("identifier")):
        if identifier.get("system") == system:
            return str(identifier.get("value"))
    return None


def coding_of(concepts: object, system: str) -> str | None:
    """Give the first code of a system in a list of CodeableConcepts, or in one."""
    for concept in _many(concepts):
        for coding in concept.get("coding", ()):
            if coding.get("system") == system:
                return str(coding.get("code"))
    return None


def _many(value: object) -> Sequence[Json]:
    if isinstance(value, Mapping):
        return [value]
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []


class EpsOrder:
    """A prescription-order Bundle.

    Args:
        bundle: parsed JSON with number lexemes kept (`gateway.wire.strict_json.loads`).
        sparse: leave out the site's address and telephone where the order has none, as every other part that is
            absent. An order a trust writes in FHIR must have them; HL7 v2 and trust XML need not.

    Raises:
        Unsignable: it has no order, no patient or no requester.
    """

    def __init__(self, bundle: Json, *, sparse: bool = False) -> None:
        self._sparse = sparse
        self._by_url: dict[str, Json] = {}
        self._resources: list[Json] = []
        for entry in _many(bundle.get("entry")):
            resource = entry.get("resource")
            if isinstance(resource, Mapping):
                self._resources.append(resource)
                self._by_url[str(entry.get("fullUrl")).lower()] = resource
        self.requests = [r for r in self._resources if r.get("resourceType") == "MedicationRequest"]
        if not self.requests:
            raise Unsignable("Bundle.entry", "there is no MedicationRequest")
        self.patient = self._referred(self.requests[0], "subject")
        self.role = self._referred(self.requests[0], "requester")
        self.practitioner = self._referred(self.role, "practitioner")

    def _referred(self, resource: Json, name: str) -> Json:
        found = self._resolve(resource.get(name))
        if found is None:
            raise Unsignable(f"{resource.get('resourceType')}.{name}", "must refer to a resource of the Bundle")
        return found

    def _resolve(self, reference: object) -> Json | None:
        if isinstance(reference, list):
            reference = reference[0] if reference else None
        url = reference.get("reference") if isinstance(reference, Mapping) else None
        return self._by_url.get(str(url).lower()) if url else None

    @property
    def prescription_id(self) -> str:
        """The long-form prescription id."""
        for extension in self.requests[0].get("groupIdentifier", {}).get("extension", ()):
            if str(extension.get("url", "")).endswith("/Extension-DM-PrescriptionId"):
                return str(extension.get("valueIdentifier", {}).get("value"))
        raise Unsignable("MedicationRequest.groupIdentifier.extension", "the prescription id is missing")

    @property
    def professional_code(self) -> str:
        """The prescriber's one professional code; a GMC number loses its leading C."""
        codes = [
            (system, code) for system in _PROFESSIONAL if (code := identifier_of(self.practitioner, system)) is not None
        ]
        if len(codes) != 1:
            raise Unsignable("Practitioner.identifier", "there must be exactly one professional code")
        system, code = codes[0]
        return code.removeprefix("C") if system.endswith("gmc-number") else code

    @property
    def nhs_number(self) -> str:
        """The patient's NHS number."""
        number = identifier_of(self.patient, "https://fhir.nhs.uk/Id/nhs-number")
        if number is None:
            raise Unsignable("Patient.identifier", "the NHS number is missing")
        return number

    @property
    def gp_practice(self) -> str:
        """ODS code of the patient's GP practice, or the code for unknown."""
        for practice in _many(self.patient.get("generalPractitioner")):
            if found := identifier_of(practice, _ODS):
                return found
        return _UNKNOWN_PRACTICE

    @property
    def repeat_number(self) -> str | None:
        """How many issues are signed: none for acute, 1 for continuous, repeats + 1 for repeat dispensing."""
        courses = {
            str(coding.get("code"))
            for request in self.requests
            for coding in request.get("courseOfTherapyType", {}).get("coding", ())
        }
        if "acute" in courses:
            return None
        if "continuous-repeat-dispensing" in courses:
            repeats = self.requests[0].get("dispenseRequest", {}).get("numberOfRepeatsAllowed", 0)
            return str(int(repeats) + 1)
        return "1" if courses else None

    @property
    def site(self) -> Site:
        """The organisation that is signed (eps.md 2.6: form A without, form B with a HealthcareService)."""
        organisation = self._referred(self.role, "organization")
        service = self._resolve(self.role.get("healthcareService"))
        signed = service or organisation
        address = self._one_address(service) if service else self._one(organisation, "address")
        parent = organisation.get("partOf")
        parent_resource = self._resolve(parent)
        licence = parent_resource or (parent if isinstance(parent, Mapping) else None) or organisation
        name = str(licence.get("name") or licence.get("display") or "")
        return Site(
            ods=identifier_of(signed, _ODS) or "",
            name=str(signed.get("name", "")),
            telecom=self._one(signed, "telecom"),
            address=address,
            licence_ods=identifier_of(licence, _ODS) or "",
            licence_name=name,
        )

    def _one_address(self, service: Json) -> Json:
        location = self._resolve(service.get("location"))
        if location is None:
            raise Unsignable("HealthcareService.location", "must refer to a Location of the Bundle")
        return self._one(location, "address")

    def _one(self, resource: Json, name: str) -> Json:
        values = _many(resource.get(name))
        if not values and self._sparse:
            return {}
        if len(values) != 1:
            raise Unsignable(f"{resource.get('resourceType')}.{name}", "there must be exactly one")
        return values[0]

    def role_telecom(self) -> Sequence[Json]:
        """The contact points that are signed: the role's own, or else the person's or the organisation's."""
        for resource in (self.role, self.practitioner, self._resolve(self.role.get("organization")) or {}):
            if "telecom" in resource:
                return _many(resource["telecom"])
        return []

    def medication(self, request: Json) -> Json:
        """The SNOMED coding of a line's medicine."""
        concept = request.get("medicationCodeableConcept")
        if concept is None:
            concept = self._referred(request, "medicationReference").get("code", {})
        for coding in concept.get("coding", ()):
            if coding.get("system") == "http://snomed.info/sct":
                return coding  # type: ignore[no-any-return]
        raise Unsignable("MedicationRequest.medication", "there is no SNOMED CT coding")

    def item_id(self, request: Json) -> str:
        """The line's item number."""
        found = identifier_of(request, "https://fhir.nhs.uk/Id/prescription-order-item-number")
        if found is None:
            raise Unsignable("MedicationRequest.identifier", "the item number is missing")
        return found

    def medication_list(self) -> Iterator[str]:
        """Names on the patient's list of medicines, where a CommunicationRequest refers to one."""
        for payload in self._payloads():
            listed = self._resolve(payload.get("contentReference"))
            for entry in _many(listed.get("entry")) if listed else ():
                yield str(entry.get("item", {}).get("display", ""))

    def patient_information(self) -> Iterator[str]:
        """Words for the patient."""
        for payload in self._payloads():
            if "contentString" in payload:
                yield str(payload["contentString"])

    def _payloads(self) -> Iterator[Json]:
        for resource in self._resources:
            if resource.get("resourceType") == "CommunicationRequest":
                yield from _many(resource.get("payload"))
