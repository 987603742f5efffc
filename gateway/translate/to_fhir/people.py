"""Patient, professionals and their organisations, in UK Core shapes.

Source: eps.md 2.4 to 2.6 (form A: the organisation, part of its trust), 3.3; mapping.md 3.3.
"""

from collections.abc import Callable

from gateway.domain.identifiers import ProfessionalId, Register
from gateway.domain.prescription import LocalId, Organisation, Patient, Professional
from gateway.translate.to_fhir import systems
from gateway.translate.to_fhir.datatypes import (
    address,
    assigner,
    concept,
    contacts,
    day,
    local_identifier,
    name,
    ods,
    reference,
)
from gateway.translate.to_fhir.leaves import Element, Node, constant

IdOf = Callable[[str], str]
"""Gives the id of an entry, a UUID as text, from its name."""
Resource = tuple[str, dict[str, Node]]


def patient(value: Patient, id_of: IdOf) -> Resource:
    """Write the Patient."""
    at = "patient"
    return id_of("patient"), {
        "resourceType": constant("Patient", "resource-type"),
        "identifier": [
            _nhs_number(value),
            *(_local(one, f"{at}.local_ids[{i}]") for i, one in enumerate(value.local_ids)),
        ],
        "name": [name(value.name, f"{at}.name")],
        "telecom": contacts(value.contacts, f"{at}.contacts"),
        "gender": (value.gender.value, f"{at}.gender"),
        "birthDate": day(value.birth_date, f"{at}.birth_date"),
        "address": [address(value.address, f"{at}.address")],
        "communication": [{"language": concept(value.language, f"{at}.language")}],
        "generalPractitioner": [{"identifier": ods(value.gp_practice, f"{at}.gp_practice")}],
    }


def _nhs_number(value: Patient) -> Element:
    return {
        "extension": [_verification(value.verification, "patient.verification")],
        "system": constant(systems.NHS_NUMBER, "nhs-number-system"),
        "value": (value.nhs_number.value, "patient.nhs_number"),
    }


def _verification(status: str, at: str) -> Element:
    if not status:
        return None
    coded: Element = {
        "system": constant(systems.VERIFICATION, "verification-system"),
        "code": (status, at),
        "display": (systems.VERIFICATION_DISPLAY.get(status), at),
    }
    return {
        "url": constant(systems.VERIFICATION_EXTENSION, "verification-system"),
        "valueCodeableConcept": {"coding": [coded]},
    }


def _local(value: LocalId, at: str) -> Element:
    return local_identifier("MR", (value.value, f"{at}.value"), assigner(value.assigner, f"{at}.assigner"))


def role_id(id_of: IdOf, at: str) -> str:
    """Give the id of the PractitionerRole written for the professional at a canonical path."""
    return id_of(f"{at}.role")


def professional(value: Professional, at: str, id_of: IdOf) -> list[Resource]:
    """Write one professional: the role, the person, and the organisation where one was named.

    Args:
        value: the clinician.
        at: canonical path, which also names the entries.
        id_of: gives an entry's id from its name.
    """
    person, place = id_of(f"{at}.person"), id_of(f"{at}.organisation")
    profile = value.number(Register.SDS_ROLE_PROFILE)
    role: dict[str, Node] = {
        "resourceType": constant("PractitionerRole", "resource-type"),
        "identifier": [_number(profile, systems.ROLE_PROFILE, value, at) if profile else None],
        "practitioner": reference(person),
        "organization": reference(place) if value.organisation else None,
        "code": [concept(value.role, f"{at}.role")],
        "specialty": [concept(value.specialty, f"{at}.specialty")],
        "telecom": contacts(value.contacts, f"{at}.contacts", work=True),
    }
    written: list[Resource] = [(role_id(id_of, at), role), (person, _person(value, at))]
    if value.organisation:
        written.append((place, _organisation(value.organisation, f"{at}.organisation")))
    return written


def professional_code(value: Professional) -> ProfessionalId | None:
    """Choose the one professional code that EPS wants: the licence, else the number that stands for it."""
    return next((number for register in systems.PROFESSIONAL_CODE if (number := value.number(register))), None)


def _person(value: Professional, at: str) -> dict[str, Node]:
    chosen = professional_code(value)
    of_the_role = value.number(Register.SDS_ROLE_PROFILE)
    others = [number for number in value.ids if number is not chosen and number is not of_the_role]
    return {
        "resourceType": constant("Practitioner", "resource-type"),
        "identifier": [
            _number(chosen, systems.PROFESSIONAL_CODE[chosen.register], value, at) if chosen else None,
            *(_further_number(number, value, at) for number in others),
        ],
        "name": [name(value.name, f"{at}.name")],
    }


def _further_number(number: ProfessionalId, owner: Professional, at: str) -> Element:
    """Write a number beside the professional code; one without a system of EPS is named by its register's words."""
    system = systems.OTHER_CODE.get(number.register)
    if system:
        return _number(number, system, owner, at)
    where = f"{at}.ids[{owner.ids.index(number)}]"
    return {"type": {"text": (number.register.value, f"{where}.register")}, "value": (number.value, f"{where}.value")}


def _number(number: ProfessionalId, system: str, owner: Professional, at: str) -> Element:
    where = f"{at}.ids[{owner.ids.index(number)}]"
    return {"system": (system, f"{where}.register"), "value": (number.value, f"{where}.value")}


def _organisation(value: Organisation, at: str) -> dict[str, Node]:
    return {
        "resourceType": constant("Organization", "resource-type"),
        "identifier": [ods(value.ods, f"{at}.ods")],
        "name": (value.name, f"{at}.name"),
        "telecom": contacts(value.contacts, f"{at}.contacts", work=True),
        "address": [address(value.address, f"{at}.address")],
        "partOf": {
            "identifier": ods(value.trust, f"{at}.trust"),
            "display": (value.trust_name, f"{at}.trust_name"),
        },
    }
