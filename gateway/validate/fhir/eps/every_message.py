"""Rules of every message that carries lines: eps.md 5.2, and those of 5.7 that hold for every professional."""

from collections.abc import Iterator, Sequence
from typing import Any

from gateway.validate.fhir.eps.message import NHS, SPINE_CODES, Json, Message, at, extension, listed, wrong

PROFESSIONAL_CODES = frozenset(
    f"https://fhir.hl7.org.uk/Id/{name}"
    for name in ("gmc-number", "nmc-number", "gphc-number", "hcpc-number", "professional-code")
)
_INTENTS = ("plan", "reflex-order")
_STAFF = ("Organization", "Practitioner", "PractitionerRole")
_ROLE_PROFILE = "https://fhir.nhs.uk/Id/sds-role-profile-id"
RESPONSIBLE = NHS + "Extension-DM-ResponsiblePractitioner"


def intents(message: Message) -> None:
    """Refuse an intent that is no order."""
    for index, line in message.of["MedicationRequest"]:
        if line.get("intent") in _INTENTS:
            text = "intent must be order, original-order or instance-order"
            message.tell(wrong("5.2 intent", "value", at(index, "intent"), text))


def medicines(message: Message) -> None:
    """Refuse a line that names its product in both ways."""
    for kind in ("MedicationRequest", "MedicationDispense"):
        for index, line in message.of[kind]:
            if "medicationReference" in line and "medicationCodeableConcept" in line:
                text = f"cannot contain both forms of medication ({SPINE_CODES} CONFLICTING_VALUES)"
                message.tell(wrong("5.2 medication", "structure", at(index), text))


def telecoms(message: Message) -> None:
    """Want a value and a use in every telecom of an organisation or professional."""
    for kind in _STAFF:
        for index, resource in message.of[kind]:
            if type(telecoms := resource.get("telecom")) is list:
                _complete(index, telecoms, message)


def _complete(index: int, telecoms: Sequence[Any], message: Message) -> None:
    for number, telecom in enumerate(telecoms):
        for name in ("value", "use"):
            if type(telecom) is dict and name not in telecom:
                where, text = at(index, f"telecom[{number}]"), f"required field {name} is missing"
                message.tell(wrong("5.2 telecom", "invalid", where, text))


def roles(message: Message) -> None:
    """Want references in a role, and its role profile id where it has any id.

    The responsible practitioner alone may be named by an identifier.
    """
    for index, role in message.of["PractitionerRole"]:
        _practitioner(index, role, message)
        for name in ("organization", "healthcareService"):
            if name in role:
                _references(index, role, name, message)
        if role.get("identifier") and not _has_system(role, _ROLE_PROFILE):
            message.tell(
                wrong("5.2 role profile", "invalid", at(index, "identifier"), "the sds-role-profile-id is missing")
            )


def _practitioner(index: int, role: Json, message: Message) -> None:
    named = role.get("practitioner")
    forms = [name for name in ("reference", "identifier") if name in named] if type(named) is dict else []
    if forms == ["reference"]:
        return
    where = at(index, "practitioner")
    if _responsible_only(role, message):
        if len(forms) != 1:
            message.tell(wrong("5.2 practitioner", "invalid", where, "must be a reference or an identifier"))
    elif "reference" not in forms:
        message.tell(wrong("5.2 practitioner", "invalid", where, "must be a reference within the Bundle"))


def _responsible_only(role: Json, message: Message) -> bool:
    """Tell whether a role is that of a responsible practitioner and of no requester."""
    lines = [line for _, line in message.of["MedicationRequest"]]
    if any(message.target(line.get("requester")) is role for line in lines):
        return False
    return any(message.target((extension(line, RESPONSIBLE) or {}).get("valueReference")) is role for line in lines)


def _references(index: int, role: Json, name: str, message: Message) -> None:
    value = role[name]
    for number, one in enumerate(value if type(value) is list else (value,) if value else ()):
        if type(one) is not dict or "reference" not in one:
            where = at(index, f"{name}[{number}]" if type(value) is list else name)
            message.tell(wrong(f"5.2 {name}", "invalid", where, "must be a reference within the Bundle"))


def _has_system(resource: Json, system: str) -> bool:
    identifiers = resource.get("identifier")
    return type(identifiers) is list and any(type(one) is dict and one.get("system") == system for one in identifiers)


def professional_codes(message: Message) -> None:
    """Want exactly one professional code of whoever prescribes or is responsible (5.7)."""
    for index, person in message.of["Practitioner"]:
        found = sum(
            type(one) is dict and str(one.get("system")) in PROFESSIONAL_CODES for one in listed(person, "identifier")
        )
        if found != 1 and any(one is person for one in _prescribers(message)):
            text = f"expected exactly one professional code, found {found}"
            message.tell(wrong("5.7 professional code", "invalid", at(index, "identifier"), text))


def _prescribers(message: Message) -> Iterator[Json | None]:
    for _, line in message.of["MedicationRequest"]:
        for named in (line.get("requester"), (extension(line, RESPONSIBLE) or {}).get("valueReference")):
            if (role := message.target(named)) is not None:
                yield message.target(role.get("practitioner"))
