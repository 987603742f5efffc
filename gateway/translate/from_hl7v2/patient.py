"""PID: the one patient of a message.

Source: mapping.md 3.3; reliability-security.md H29, H31.
"""

import re
from datetime import date, datetime

from gateway.domain.coding import Coding
from gateway.domain.identifiers import NhsNumber
from gateway.domain.prescription import Contact, Gender, LocalId, Name, Patient
from gateway.translate.from_hl7v2.addresses import home_address
from gateway.translate.from_hl7v2.coded import coded, organisation
from gateway.translate.from_hl7v2.desk import Desk
from gateway.translate.from_hl7v2.moments import day
from gateway.translate.from_hl7v2.telecom import contact_points
from gateway.translate.maps.rules import HL7V2
from gateway.translate.maps.tables import table
from gateway.wire.er7 import Repetition, Segment

_GENDERS = {code: Gender(meaning) for code, meaning in table("gender").items()}
_VERIFICATIONS = frozenset(f"0{digit}" for digit in range(1, 9))
_NAME_TYPES = ("L", "CURRENT", "")
_NHS_DIGITS = 10
_NHS = frozenset({"NHS", "2.16.840.1.113883.2.1.4.1"})
"""Who assigns NHS numbers, by name and by the number's own OID."""

_NOT_LOCAL = HL7V2.named("HL7V2.ignored.local-id")
_OTHER_NAME = HL7V2.named("HL7V2.ignored.other-name")
_NAMED_ONLY = HL7V2.named("HL7V2.ignored.cancel")
_RELIABILITY = HL7V2.named("HL7V2.ignored.reliability")


def read_patient(desk: Desk, pid: Segment | None, pd1: Segment | None, sent: datetime | None) -> Patient | None:
    """Read the patient of a message sent then; None with every reason when something compulsory is missing or wrong."""
    if pid is None:
        desk.flag("SEGMENT_MISSING", "PID[1]", "Send the PID segment: an order must name its patient.")
        return None
    _check_alive(desk, pid)
    number = _nhs_number(desk, pid)
    name = _name(desk, pid)
    born = _birth_date(desk, pid)
    gender = _gender(desk, pid)
    address = home_address(desk, pid, sent)
    local_ids = _local_ids(desk, pid)
    contacts = _contacts(desk, pid)
    language = _language(desk, pid)
    practice = organisation(desk, desk.one(pd1, 3))
    if practice:
        desk.trace("patient.gp_practice", practice.at, "copy", practice.ods.value)
    verification = _verification(desk, pid)
    if number is None or name is None or born is None or gender is None or address is None:
        return None
    return Patient(
        nhs_number=number,
        name=name,
        birth_date=born,
        gender=gender,
        address=address,
        verification=verification,
        local_ids=local_ids,
        contacts=contacts,
        gp_practice=practice.ods if practice else None,
        language=language,
    )


def read_identity(desk: Desk, pid: Segment | None) -> NhsNumber | None:
    """Read whose an order is that the message only names: for a cancel, a hold or a request of it.

    The order's number says which is meant; the NHS number is compared with it, where it is sent. Nothing else of
    the patient may stand in the way: an address that is left out, or a death, is no reason to go on supplying.
    """
    sent = [part for part in desk.all(pid, 3) if _is_nhs(desk, part) and desk.leaf(part)]
    number = _nhs_number(desk, pid) if pid is not None and sent else None
    for leaf in pid.leaves() if pid is not None else ():
        desk.leave_out(leaf.locator, _NAMED_ONLY)
    return number


def _check_alive(desk: Desk, pid: Segment) -> None:
    """Any sign of death refuses, other than the word no."""
    for number in (29, 30):
        for repetition in desk.all(pid, number):
            leaf = desk.leaf(repetition)
            desk.mark(repetition)
            if number == 29 or (leaf and leaf.raw != "N"):  # noqa: PLR2004 - PID-29 is the date of death
                desk.flag("PATIENT_DECEASED", pid.at(number), "The message says that the patient has died.")


def _is_nhs(desk: Desk, repetition: Repetition) -> bool:
    authority = {desk.text(desk.leaf(repetition, 4, sub)) for sub in (1, 2)}
    return not authority.isdisjoint(_NHS) or desk.text(desk.leaf(repetition, 5)) == "NH"


def _nhs_number(desk: Desk, pid: Segment) -> NhsNumber | None:
    """Read PID-3's NHS number: ten digits, modulus 11, and no two that differ. An empty repetition is none."""
    numbers: dict[str, NhsNumber] = {}
    wrong = False
    for repetition in desk.all(pid, 3):
        leaf = desk.leaf(repetition)
        if not _is_nhs(desk, repetition) or leaf is None:
            continue
        number = NhsNumber.parse(leaf.raw)
        if number is None:
            wrong = True
            _misshapen(desk, leaf.locator, leaf.raw)
            desk.use(leaf)
        elif number.value in numbers:
            desk.use(leaf)
        else:
            numbers[number.value] = number
            desk.trace("patient.nhs_number", leaf, "parse:nhs-number", number.value)
    if len(numbers) > 1:
        desk.flag("NHSNO_CONFLICT", pid.at(3), "Two different NHS numbers are sent for one patient.")
        return None
    if not numbers and not wrong:
        desk.flag("NHSNO_MISSING", pid.at(3), "Send the patient's NHS number in PID-3 with assigning authority NHS.")
    return next(iter(numbers.values()), None) if not wrong else None


def _misshapen(desk: Desk, location: str, text: str) -> None:
    if len(re.sub(r"[ -]", "", text)) == _NHS_DIGITS and re.fullmatch(r"[\d -]+", text, re.ASCII):
        wanted = "The NHS number is not valid: its check digit or its spacing is wrong."
        desk.flag("NHSNO_CHECK_DIGIT", location, wanted)
    else:
        desk.flag("VALUE_INVALID", location, "An NHS number is ten digits.")


def _local_ids(desk: Desk, pid: Segment) -> tuple[LocalId, ...]:
    found: list[LocalId] = []
    for repetition in desk.all(pid, 3):
        if _is_nhs(desk, repetition):
            continue
        value, assigner = desk.leaf(repetition), desk.leaf(repetition, 4)
        if desk.text(desk.leaf(repetition, 5)) not in {"MR", "MRN"} or value is None or assigner is None:
            desk.pass_over(repetition, _NOT_LOCAL)
            continue
        at = f"patient.local_ids[{len(found)}]"
        found.append(LocalId(value=desk.words(value, f"{at}.value"), assigner=desk.words(assigner, f"{at}.assigner")))
    return tuple(found)


def _name(desk: Desk, pid: Segment) -> Name | None:
    """Read PID-5: the legal or current name, else the first; the others are left out by rule."""
    names = desk.all(pid, 5)
    types = [desk.text(desk.leaf(name, 7)) for name in names]
    chosen = next((names[types.index(kind)] for kind in _NAME_TYPES if kind in types), names[0] if names else None)
    for other in names:
        if other is not chosen:
            desk.pass_over(other, _OTHER_NAME)
    family = desk.leaf(chosen)
    if chosen is None or family is None:
        desk.flag("FIELD_MISSING", pid.at(5), "Send the patient's family name.")
        return None
    return person_name(desk, chosen, "patient.name", first=1)


def person_name(desk: Desk, repetition: Repetition, target: str, *, first: int) -> Name:
    """Read the name parts of an XPN (first component 1) or XCN (first component 2)."""
    family = desk.words(desk.leaf(repetition, first), f"{target}.family")
    if isinstance(repetition.parts.get(first), dict):  # parts of the family name: own, prefix, partner's
        desk.use(*(desk.leaf(repetition, first, sub) for sub in range(2, 6)))
    parts = [desk.leaf(repetition, first + step) for step in range(1, 5)]
    given = [leaf for leaf in parts[:2] if leaf]
    suffix, prefix = parts[2], parts[3]
    return Name(
        family=family,
        given=tuple(desk.words(leaf, f"{target}.given[{index}]") for index, leaf in enumerate(given)),
        prefix=(desk.words(prefix, f"{target}.prefix[0]"),) if prefix else (),
        suffix=(desk.words(suffix, f"{target}.suffix[0]"),) if suffix else (),
    )


def _birth_date(desk: Desk, pid: Segment) -> date | None:
    leaf = desk.leaf(desk.one(pid, 7))
    if leaf is None:
        desk.flag("FIELD_MISSING", pid.at(7), "Send the patient's date of birth.")
        return None
    return day(desk, leaf, "patient.birth_date")


def _gender(desk: Desk, pid: Segment) -> Gender | None:
    leaf = desk.leaf(desk.one(pid, 8))
    if leaf is None:
        desk.flag("FIELD_MISSING", pid.at(8), "Send the patient's gender: M, F, O or U.")
        return None
    return desk.take(leaf, "patient.gender", _GENDERS.get, "table:gender", "Send M, F, O or U, or 1, 2, 9 or 0.")


def _contacts(desk: Desk, pid: Segment) -> tuple[Contact, ...]:
    found: list[Contact] = []
    for number, otherwise in ((13, "home"), (14, "work"), (40, "")):
        for repetition in desk.all(pid, number):
            found.extend(contact_points(desk, repetition, "patient.contacts", len(found), otherwise))
    return tuple(found)


def _language(desk: Desk, pid: Segment) -> Coding | None:
    element = coded(desk, desk.one(pid, 15))
    if element is None:
        return None
    term = element.first
    desk.use(*element.leaves())
    source = term.code or term.words
    desk.trace("patient.language", source, "copy", source.raw if source else "")
    return Coding(code=term.code.raw if term.code else "", display=term.words.raw if term.words else "")


def _verification(desk: Desk, pid: Segment) -> str:
    """PID-32: the tracing status of the NHS number, 01 to 08; other reliability codes are left out by rule."""
    for repetition in desk.all(pid, 32):
        leaf = desk.leaf(repetition)
        if leaf and leaf.raw in _VERIFICATIONS:
            return desk.words(leaf, "patient.verification")
        desk.pass_over(repetition, _RELIABILITY)
    return ""
