"""Rules of every message that carries lines: eps.md 5.2, and those of 5.7 that hold for every professional."""

from collections.abc import Iterator

from gateway.validate.fhir.eps.message import NHS, SPINE_CODES, Json, Message, extension, listed, without, wrong
from gateway.validate.fhir.finding import Finding

PROFESSIONAL_CODES = frozenset(
    f"https://fhir.hl7.org.uk/Id/{name}"
    for name in ("gmc-number", "nmc-number", "gphc-number", "hcpc-number", "professional-code")
)
_INTENTS = ("plan", "reflex-order")
_STAFF = ("Organization", "Practitioner", "PractitionerRole")
_ROLE_PROFILE = "https://fhir.nhs.uk/Id/sds-role-profile-id"
RESPONSIBLE = NHS + "Extension-DM-ResponsiblePractitioner"


def intents(message: Message) -> Iterator[Finding]:
    """Refuse an intent that is no order."""
    for place, line in message.of("MedicationRequest"):
        if line.get("intent") in _INTENTS:
            text = "intent must be order, original-order or instance-order"
            yield wrong("5.2 intent", "value", f"{place}.intent", text)


def medicines(message: Message) -> Iterator[Finding]:
    """Refuse a line that names its product in both ways."""
    for place, line in message.of("MedicationRequest", "MedicationDispense"):
        if "medicationCodeableConcept" in line and "medicationReference" in line:
            text = f"cannot contain both forms of medication ({SPINE_CODES} CONFLICTING_VALUES)"
            yield wrong("5.2 medication", "structure", place, text)


def telecoms(message: Message) -> Iterator[Finding]:
    """Want a value and a use in every telecom of an organisation or professional."""
    for place, index, element in without(message, _STAFF, ("value", "use")):
        yield wrong("5.2 telecom", "invalid", f"{place}.telecom[{index}]", f"required field {element} is missing")


def roles(message: Message) -> Iterator[Finding]:
    """Want references in a role, and its role profile id where it has any id.

    The responsible practitioner alone may be named by an identifier.
    """
    for place, role in message.of("PractitionerRole"):
        yield from _practitioner(place, role, message)
        for name in ("organization", "healthcareService"):
            yield from _references(place, role, name)
        if role.get("identifier") and not _has_system(role, _ROLE_PROFILE):
            yield wrong("5.2 role profile", "invalid", f"{place}.identifier", "the sds-role-profile-id is missing")


def _practitioner(place: str, role: Json, message: Message) -> Iterator[Finding]:
    named = role.get("practitioner")
    forms = [name for name in ("reference", "identifier") if isinstance(named, dict) and name in named]
    if forms == ["reference"]:
        return
    if _responsible_only(role, message):
        if len(forms) != 1:
            yield wrong("5.2 practitioner", "invalid", f"{place}.practitioner", "must be a reference or an identifier")
    elif "reference" not in forms:
        yield wrong("5.2 practitioner", "invalid", f"{place}.practitioner", "must be a reference within the Bundle")


def _responsible_only(role: Json, message: Message) -> bool:
    """Tell whether a role is that of a responsible practitioner and of no requester."""
    lines = [line for _, line in message.of("MedicationRequest")]
    if any(message.target(line.get("requester")) is role for line in lines):
        return False
    return any(message.target((extension(line, RESPONSIBLE) or {}).get("valueReference")) is role for line in lines)


def _references(place: str, role: Json, name: str) -> Iterator[Finding]:
    value = role.get(name)
    for index, one in enumerate(value if isinstance(value, list) else [value] if value else ()):
        if not isinstance(one, dict) or "reference" not in one:
            where = f"{place}.{name}[{index}]" if isinstance(value, list) else f"{place}.{name}"
            yield wrong(f"5.2 {name}", "invalid", where, "must be a reference within the Bundle")


def _has_system(resource: Json, system: str) -> bool:
    identifiers = resource.get("identifier")
    return isinstance(identifiers, list) and any(
        isinstance(one, dict) and one.get("system") == system for one in identifiers
    )


def professional_codes(message: Message) -> Iterator[Finding]:
    """Want exactly one professional code of whoever prescribes or is responsible (5.7)."""
    for place, person in message.of("Practitioner"):
        found = [
            one
            for one in listed(person, "identifier")
            if isinstance(one, dict) and str(one.get("system")) in PROFESSIONAL_CODES
        ]
        if len(found) != 1 and any(one is person for one in _prescribers(message)):
            text = f"expected exactly one professional code, found {len(found)}"
            yield wrong("5.7 professional code", "invalid", f"{place}.identifier", text)


def _prescribers(message: Message) -> Iterator[Json | None]:
    for _, line in message.of("MedicationRequest"):
        for named in (line.get("requester"), (extension(line, RESPONSIBLE) or {}).get("valueReference")):
            if (role := message.target(named)) is not None:
                yield message.target(role.get("practitioner"))
