"""Patient, prescriber and organisations of an EPS message.

Source: eps.md 2.4 to 2.6.
"""

from typing import Any

from gateway.domain.identifiers import NhsNumber, ProfessionalId, Register
from gateway.domain.prescription import Gender, LocalId, Organisation, Patient, Professional
from gateway.translate import lexical
from gateway.translate.context import ReadingContext
from gateway.translate.from_fhir.bundle import Entries
from gateway.translate.from_fhir.current import current_address, current_name
from gateway.translate.from_fhir.nodes import Node
from gateway.translate.from_fhir.values import address, choice, contacts, day, name, ods, worded
from gateway.translate.maps.rules import FHIR
from gateway.translate.record import Record
from gateway.translate.to_fhir import systems

_VERIFICATION = FHIR.named("FHIR.ignored.verification")

_GENDERS = {member.value: member for member in Gender}
_NUMBERS = {
    "https://fhir.hl7.org.uk/Id/gmc-number": Register.GMC,
    "https://fhir.hl7.org.uk/Id/nmc-number": Register.NMC,
    "https://fhir.hl7.org.uk/Id/gphc-number": Register.GPHC,
    "https://fhir.hl7.org.uk/Id/hcpc-number": Register.HCPC,
    "https://fhir.hl7.org.uk/Id/professional-code": Register.PROFESSIONAL,
    "https://fhir.hl7.org.uk/Id/din-number": Register.DIN,
    "https://fhir.nhs.uk/Id/sds-user-id": Register.SDS_USER,
    systems.ROLE_PROFILE: Register.SDS_ROLE_PROFILE,
}


def patient(record: Record, context: ReadingContext, node: Node, on: str) -> Patient | None:
    """Read the patient; None, with issues, where a part that must be there is not.

    Args:
        record: takes the trace and the issues.
        context: has the trust's systems of hospital numbers.
        node: the Patient.
        on: the date the order was written, by which names and addresses that have ended are told.
    """
    number = _nhs_number(record, node)
    full_name = name(record, current_name(node, on), "patient.name")
    born = day(record, node.leaf("birthDate"), "patient.birth_date")
    gender = choice(record, node.leaf("gender"), "patient.gender", _GENDERS)
    where = address(record, current_address(record, node, on), "patient.address")
    _deceased(record, node)
    _superseded(record, node)
    optional = _optional(record, context, node)
    for part, element, code in (
        (full_name, "name", "FIELD_MISSING"),
        (node.leaf("birthDate"), "birthDate", "FIELD_MISSING"),
        (node.leaf("gender"), "gender", "FIELD_MISSING"),
        (where, "address", "ADDRESS_REQUIRED"),
    ):
        if part is None:
            record.flag(code, f"{node.path}.{element}", f"Patient.{element} is missing, or is no current one.")
    if not (number and full_name and born and gender and where):
        return None
    return Patient(nhs_number=number, name=full_name, birth_date=born, gender=gender, address=where, **optional)


def _optional(record: Record, context: ReadingContext, node: Node) -> dict[str, Any]:
    practice = next(iter(node.many("generalPractitioner")), None)
    tongue = next(iter(node.many("communication")), None)
    status = next(
        (found for item in node.many("identifier") if (found := item.extension(systems.VERIFICATION_EXTENSION))), None
    )
    verified = status.one("valueCodeableConcept") if status else None
    coding = next(iter(verified.many("coding")), None) if verified else None
    if status and coding:
        record.use(status.leaf("url"), coding.leaf("system"))
        record.ignore((coding.leaf("display"),), _VERIFICATION)
    return {
        "verification": record.words(coding.leaf("code") if coding else None, "patient.verification"),
        "local_ids": _local_ids(record, context, node),
        "contacts": contacts(record, node.many("telecom"), "patient.contacts"),
        "gp_practice": ods(record, practice.one("identifier") if practice else None, "patient.gp_practice"),
        "language": worded(record, tongue.one("language") if tongue else None, "patient.language"),
    }


def _nhs_number(record: Record, node: Node) -> NhsNumber | None:
    """Read the one NHS number; two different ones, a wrong check digit or none is refused."""
    items = [item for item in node.many("identifier") if item.raw("system") == systems.NHS_NUMBER]
    items = [item for item in items if item.raw("use") != "old"]
    record.use(*(leaf for item in items for leaf in (item.leaf("system"), item.leaf("value"), item.leaf("use"))))
    if not items or not items[0].leaf("value"):
        text = f"Patient.identifier with the system {systems.NHS_NUMBER} is missing."
        record.flag("NHSNO_MISSING", f"{node.path}.identifier", text)
        return None
    if len({item.raw("value") for item in items}) > 1:
        record.flag("NHSNO_CONFLICT", f"{node.path}.identifier", "Two different NHS numbers stand here.")
        return None
    return record.take(
        items[0].leaf("value"),
        "patient.nhs_number",
        NhsNumber.parse,
        "parse:nhs-number",
        "The check digit of the NHS number is wrong.",
        "NHSNO_CHECK_DIGIT",
    )


def _local_ids(record: Record, context: ReadingContext, node: Node) -> tuple[LocalId, ...]:
    """Read hospital numbers: of a system the trust has named, or with an assigner's ODS code."""
    assigners = {url: assigner for assigner, url in context.trust.local_id_systems.items()}
    found: list[LocalId] = []
    for item in node.many("identifier"):
        by = item.one("assigner")
        code = by.one("identifier") if by else None
        named = code.leaf("value") if code else None
        assigner = assigners.get(item.raw("system")) or (named.raw if named else "")
        target = f"patient.local_ids[{len(found)}]"
        if item.raw("system") == systems.NHS_NUMBER or not assigner:
            continue
        record.use(named, code.leaf("system") if code else None)
        if item.raw("system") in assigners:
            record.trace(f"{target}.assigner", item.leaf("system"), "table:local-id-systems", assigner)
        else:
            record.trace(f"{target}.assigner", named, "copy", assigner)
        wanted = "Send the number without spaces around it."
        value = record.take(item.leaf("value"), f"{target}.value", lexical.local_number, "copy", wanted)
        if value:
            found.append(LocalId(value=value, assigner=assigner))
    return tuple(found)


def _deceased(record: Record, node: Node) -> None:
    said, when = node.leaf("deceasedBoolean"), node.leaf("deceasedDateTime")
    record.use(said, when)
    leaf = when or (said if said and said.raw == "true" else None)
    if leaf:
        record.flag("PATIENT_DECEASED", leaf.locator, "The message says that the patient has died.")


def _superseded(record: Record, node: Node) -> None:
    """Hold a record that is not in use, or that another one stands for: both change what the rest of it means."""
    active = node.leaf("active")
    record.use(active)
    if active and active.raw == "false":
        record.flag("FIELD_NOT_UNDERSTOOD", active.locator, "This record of the patient is not in use.")
    for link in node.many("link"):
        if link.raw("type") in {"replaced-by", "refer"}:
            text = "Another record of the patient is named as the one to use; send that one."
            record.flag("FIELD_NOT_UNDERSTOOD", link.path, text)


def professional(record: Record, entries: Entries, role: Node | None, target: str) -> Professional | None:
    """Read a clinician from a PractitionerRole, its Practitioner and its Organization."""
    if role is None:
        return None
    if role.kind == "Practitioner":
        return _alone(record, role, target)
    person = entries.follow(record, role.one("practitioner"), "Practitioner", role)
    if role.one("practitioner") is None:
        record.flag("PRESCRIBER_REQUIRED", f"{role.path}.practitioner", "The PractitionerRole names no Practitioner.")
    employer = organisation(record, entries, role, f"{target}.organisation")
    codes = [
        code
        for system in _ROLES
        for code in role.many("code")
        if any(c.raw("system") == system for c in code.many("coding"))
    ]
    reach = contacts(record, role.many("telecom") or (person.many("telecom") if person else ()), f"{target}.contacts")
    numbers = _numbers(record, (*(person.many("identifier") if person else ()), *role.many("identifier")), target)
    names = person.many("name") if person else ()
    full_name = name(record, names[0] if names else None, f"{target}.name")
    speciality = worded(record, next(iter(role.many("specialty")), None), f"{target}.specialty")
    title = worded(record, next(iter(codes or role.many("code")), None), f"{target}.role")
    if person is None:
        return None
    if full_name is None or not numbers:
        record.flag("PRESCRIBER_REQUIRED", person.path, "The Practitioner needs a name and a professional number.")
        return None
    return Professional(
        ids=numbers, name=full_name, role=title, specialty=speciality, contacts=reach, organisation=employer
    )


def _alone(record: Record, person: Node, target: str) -> Professional | None:
    """Read a Practitioner who was sent without a role."""
    reach = contacts(record, person.many("telecom"), f"{target}.contacts")
    ids = _numbers(record, person.many("identifier"), target)
    names = person.many("name")
    full_name = name(record, names[0] if names else None, f"{target}.name")
    if full_name is None or not ids:
        record.flag("PRESCRIBER_REQUIRED", person.path, "The Practitioner needs a name and a professional number.")
        return None
    return Professional(ids=ids, name=full_name, contacts=reach)


_ROLES = (
    "https://fhir.nhs.uk/CodeSystem/NHSDigital-SDS-JobRoleCode",
    "https://fhir.hl7.org.uk/CodeSystem/UKCore-SDSJobRoleName",
)


def _numbers(record: Record, items: tuple[Node, ...], target: str) -> tuple[ProfessionalId, ...]:
    found: list[ProfessionalId] = []
    for item in items:
        register = _NUMBERS.get(item.raw("system"))
        if register is None:
            continue
        at = f"{target}.ids[{len(found)}]"
        record.trace(f"{at}.register", item.leaf("system"), "table:identifier-systems", register.value)
        number = record.take(
            item.leaf("value"),
            f"{at}.value",
            lambda text, kind=register: ProfessionalId.parse(kind, text),  # type: ignore[misc]
            "parse:professional-number",
            f"The number does not have the form of a {register} number.",
            "IDENTIFIER_INVALID",
        )
        if number:
            found.append(number)
    return tuple(found)


def organisation(record: Record, entries: Entries, role: Node, target: str) -> Organisation | None:
    """Read where a clinician works: the Organization, or in the older form its HealthcareService (eps.md 2.6)."""
    reference = role.one("organization")
    code_only = reference.one("identifier") if reference and not reference.leaf("reference") else None
    if code_only is not None and reference is not None:
        code = ods(record, code_only, f"{target}.ods")
        title = record.words(reference.leaf("display"), f"{target}.name")
        return Organisation(ods=code, name=title) if code else None
    trust = entries.follow(record, reference, "Organization", role)
    services = role.many("healthcareService")
    service = entries.follow(record, services[0], "HealthcareService", role) if services else None
    if service is not None and trust is not None:
        return _of_service(record, entries, service, trust, target)
    if trust is None:
        return None
    code = _code(record, trust, f"{target}.ods")
    if code is None:
        text = f"Send the organisation's ODS code, with the system {systems.ODS}."
        record.flag("FIELD_MISSING", f"{trust.path}.identifier", text)
    parent = trust.one("partOf")
    above = entries.find(parent, trust)
    record.use(parent.leaf("reference") if parent else None)
    stated = parent.one("identifier") if parent else None
    over = ods(record, stated, f"{target}.trust") if stated else _code(record, above, f"{target}.trust")
    over_name = (parent.leaf("display") if parent else None) or (above.leaf("name") if above else None)
    places = trust.many("address")
    found = {
        "name": record.words(trust.leaf("name"), f"{target}.name"),
        "trust_name": record.words(over_name, f"{target}.trust_name"),
    }
    where = address(record, places[0] if places else None, f"{target}.address")
    reach = contacts(record, trust.many("telecom"), f"{target}.contacts")
    return Organisation(ods=code, trust=over, address=where, contacts=reach, **found) if code else None


def _of_service(record: Record, entries: Entries, service: Node, trust: Node, target: str) -> Organisation | None:
    code = _code(record, service, f"{target}.ods")
    places = service.many("location")
    place = entries.follow(record, places[0], "Location", service) if places else None
    return (
        Organisation(
            ods=code,
            name=record.words(service.leaf("name"), f"{target}.name"),
            trust=_code(record, trust, f"{target}.trust"),
            trust_name=record.words(trust.leaf("name"), f"{target}.trust_name"),
            address=address(record, place.one("address") if place else None, f"{target}.address"),
            contacts=contacts(record, service.many("telecom"), f"{target}.contacts"),
        )
        if code
        else None
    )


def _code(record: Record, node: Node | None, target: str) -> Any:
    item = next((item for item in (node.many("identifier") if node else ()) if item.raw("system") == systems.ODS), None)
    return ods(record, item, target)
