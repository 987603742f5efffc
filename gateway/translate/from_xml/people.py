"""Patient, professionals and organisations of a trust XML message."""

from datetime import date

from gateway.domain.coding import Coding
from gateway.domain.identifiers import NhsNumber, OdsCode, ProfessionalId, Register
from gateway.domain.prescription import (
    Address,
    Allergy,
    AllergyStatus,
    ClinicalCheck,
    Contact,
    Gender,
    LocalId,
    Name,
    Observation,
    Organisation,
    Patient,
    Professional,
)
from gateway.translate import lexical
from gateway.translate.context import ReadingContext
from gateway.translate.from_xml.document import Node
from gateway.translate.from_xml.dosage import quantity
from gateway.translate.record import Leaf, Record
from gateway.translate.terms import concept

_CONTACTS = {"Phone": ("phone", ""), "Mobile": ("phone", "mobile"), "Email": ("email", "")}
_GENDERS = {member.value: member for member in Gender}
_REGISTERS = {member.value: member for member in Register}
_STATUSES = {member.value: member for member in AllergyStatus if member is not AllergyStatus.NOT_STATED}
_ODS = "Send an ODS code: 3 to 12 upper-case letters and digits."


def nhs_number(record: Record, node: Node | None) -> NhsNumber | None:
    """Read the NHS number; a wrong check digit is refused."""
    leaf = node.words("NhsNumber") if node else None
    wanted = "The check digit of the NHS number is wrong."
    return record.take(leaf, "patient.nhs_number", NhsNumber.parse, "parse:nhs-number", wanted, "NHSNO_CHECK_DIGIT")


def patient(record: Record, node: Node) -> Patient | None:
    """Read the patient; None, with issues, where a part that must be there is not."""
    number = nhs_number(record, node)
    status = node.one("NhsNumber")
    verification = record.words(status.attribute("status") if status else None, "patient.verification")
    if number and not verification:
        record.trace("patient.verification", None, "default:schema", "01")
    full_name = name(record, node.one("Name"), "patient.name")
    born = record.take(
        node.words("DateOfBirth"), "patient.birth_date", lexical.day, "parse:date", "Send a real date of birth."
    )
    gender = record.take(node.words("Gender"), "patient.gender", _GENDERS.get, "copy", "Send a gender of the list.")
    home = address(record, node.one("Address"), "patient.address")
    deceased = node.words("Deceased")
    if deceased:
        record.use(deceased)
        record.flag("PATIENT_DECEASED", deceased.locator, "The message says that the patient has died.")
    practice = node.one("GpPractice")
    gp_practice = ods(record, practice.attribute("ods") if practice else None, "patient.gp_practice")
    if not (number and full_name and born and gender and home):
        return None
    return Patient(
        nhs_number=number,
        verification=verification or "01",
        local_ids=tuple(_local_ids(record, node)),
        name=full_name,
        birth_date=born,
        gender=gender,
        address=home,
        contacts=contacts(record, node.one("Contact"), "patient.contacts"),
        gp_practice=gp_practice,
    )


def _local_ids(record: Record, node: Node) -> list[LocalId]:
    found = []
    for index, item in enumerate(node.many("LocalId")):
        target = f"patient.local_ids[{index}]"
        value = record.take(
            item.text, f"{target}.value", lexical.local_number, "copy", "Send the number without spaces around it."
        )
        assigner = record.words(item.attribute("assigner"), f"{target}.assigner")
        if value:
            found.append(LocalId(value=value, assigner=assigner))
    return found


def name(record: Record, node: Node | None, target: str) -> Name | None:
    """Read a person's name."""
    if node is None:
        return None
    prefix = record.words(node.words("Prefix"), f"{target}.prefix[0]")
    given = [record.words(part.text, f"{target}.given[{index}]") for index, part in enumerate(node.many("Given"))]
    family = record.words(node.words("Family"), f"{target}.family")
    if not family:
        return None
    return Name(family=family, given=tuple(filter(None, given)), prefix=(prefix,) if prefix else ())


def address(record: Record, node: Node | None, target: str) -> Address | None:
    """Read a postal address."""
    if node is None:
        return None
    lines = [record.words(line.text, f"{target}.lines[{index}]") for index, line in enumerate(node.many("Line"))]
    return Address(
        lines=tuple(filter(None, lines)),
        postcode=record.words(node.words("Postcode"), f"{target}.postcode"),
        uprn=record.words(node.words("Uprn"), f"{target}.uprn"),
        instructions=record.words(node.words("Instructions"), f"{target}.instructions"),
    )


def contacts(record: Record, node: Node | None, target: str) -> tuple[Contact, ...]:
    """Read phone numbers and e-mail addresses."""
    found = []
    for index, item in enumerate(node.children if node else ()):
        system, use = _CONTACTS.get(item.name, ("", ""))
        value = record.words(item.text, f"{target}[{index}].value")
        if system and value:
            record.trace(f"{target}[{index}].system", None, "table:contact-element", system)
            record.trace(f"{target}[{index}].use", None, "table:contact-element", use)
            found.append(Contact(system=system, value=value, use=use))
    return tuple(found)


def ods(record: Record, leaf: Leaf | None, target: str) -> OdsCode | None:
    """Read an ODS code."""
    return record.take(leaf, target, OdsCode.parse, "parse:ods", _ODS, "IDENTIFIER_INVALID")


def organisation(record: Record, node: Node | None, target: str) -> Organisation | None:
    """Read an organisation."""
    if node is None:
        return None
    code = ods(record, node.attribute("ods"), f"{target}.ods")
    trust = ods(record, node.attribute("trustOds"), f"{target}.trust")
    title = record.words(node.words("Name"), f"{target}.name")
    where = address(record, node.one("Address"), f"{target}.address")
    reach = contacts(record, node.one("Contact"), f"{target}.contacts")
    return Organisation(ods=code, name=title, trust=trust, address=where, contacts=reach) if code else None


def professional(record: Record, node: Node | None, target: str) -> Professional | None:
    """Read a clinician; a number that does not have its register's form is refused."""
    if node is None:
        return None
    numbers = [_number(record, item, f"{target}.ids[{index}]") for index, item in enumerate(node.many("Id"))]
    full_name = name(record, node.one("Name"), f"{target}.name")
    role = coded(record, node.one("Role"), f"{target}.role")
    reach = contacts(record, node.one("Contact"), f"{target}.contacts")
    employer = organisation(record, node.one("Organisation"), f"{target}.organisation")
    if full_name is None or not numbers or None in numbers:
        return None
    return Professional(
        ids=tuple(number for number in numbers if number),
        name=full_name,
        role=role,
        contacts=reach,
        organisation=employer,
    )


def _number(record: Record, node: Node, target: str) -> ProfessionalId | None:
    kind = record.words(node.attribute("type"), f"{target}.register")
    register = _REGISTERS.get(kind)
    if register is None or node.text is None:
        record.use(node.text)
        return None
    return record.take(
        node.text,
        f"{target}.value",
        lambda text: ProfessionalId.parse(register, text),
        "parse:professional-number",
        f"The number does not have the form of a {kind} number.",
        "IDENTIFIER_INVALID",
    )


def coded(record: Record, node: Node | None, target: str) -> Coding | None:
    """Read words with a code and its system, where they are given."""
    if node is None or node.text is None:
        return None
    return Coding(
        system=record.words(node.attribute("system"), f"{target}.system"),
        code=record.words(node.attribute("code"), f"{target}.code"),
        display=record.words(node.text, f"{target}.display"),
    )


def clinical_check(record: Record, node: Node | None) -> ClinicalCheck | None:
    """Read the pharmacist's clinical check."""
    if node is None:
        return None
    by = professional(record, node.one("By"), "clinical_check.by")
    wanted = "Send a date and time with its zone."
    at = record.take(node.attribute("at"), "clinical_check.at", lexical.instant, "parse:instant", wanted)
    return ClinicalCheck(by=by, at=at) if by and at else None


def allergies(record: Record, node: Node) -> tuple[AllergyStatus, tuple[Allergy, ...]]:
    """Read the allergies and what is said of them as a whole; a status that its list contradicts is held."""
    block = node.one("Allergies")
    if block is None:
        return AllergyStatus.NOT_STATED, ()
    status = record.take(
        block.attribute("status"), "allergy_status", _STATUSES.get, "copy", "Send recorded, none-known or not-recorded."
    )
    listed = []
    for index, item in enumerate(block.many("Allergy")):
        target = f"allergies[{index}]"
        substance = coded(record, item.one("Substance"), f"{target}.substance")
        reaction = coded(record, item.one("Reaction"), f"{target}.reaction")
        criticality = record.words(item.attribute("criticality"), f"{target}.criticality")
        if substance:
            listed.append(Allergy(substance=substance, reaction=reaction, criticality=criticality))
    if status and bool(listed) != (status is AllergyStatus.RECORDED):
        record.flag("FIELD_NOT_UNDERSTOOD", block.path, "The status of the allergies and their list disagree.")
    return status or AllergyStatus.NOT_STATED, tuple(listed)


def observations(record: Record, context: ReadingContext, node: Node) -> tuple[Observation, ...]:
    """Read the measurements."""
    found = []
    for index, item in enumerate(node.many("Measurement")):
        target = f"observations[{index}]"
        of = item.one("Of")
        code = concept(record, of.attribute("code") if of else None, of.text if of else None, f"{target}.code")
        value = quantity(record, context, item.one("Value"), f"{target}.value")
        on: date | None = record.take(item.attribute("at"), f"{target}.on", lexical.day, "parse:date", "Send a date.")
        if code and value:
            found.append(Observation(code=code, value=value, on=on))
    return tuple(found)
