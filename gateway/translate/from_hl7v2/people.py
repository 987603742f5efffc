"""XCN: the prescriber, the responsible consultant and the pharmacist who checked.

A number means something only with the register that gave it. "NHS Consultant Number" is a consultant code and never a
GMC number.

Source: mapping.md 3.3; eps.md 2.5, 2.9 and 3.3.
"""

from collections.abc import Sequence

from gateway.domain.identifiers import LICENSED, ProfessionalId, Register
from gateway.domain.prescription import Professional
from gateway.translate.from_hl7v2.desk import Desk
from gateway.translate.from_hl7v2.patient import person_name
from gateway.translate.maps.tables import table
from gateway.wire.er7 import Repetition

_REGISTERS = {
    "GMC": Register.GMC,
    "NMC": Register.NMC,
    "GPHC": Register.GPHC,
    "HCPC": Register.HCPC,
    "GDC": Register.GDC,
    "DIN": Register.DIN,
    "CONSULTANT": Register.CONSULTANT,
    "NHS CONSULTANT NUMBER": Register.CONSULTANT,
    "SDS-USER": Register.SDS_USER,
    "SDS-ROLE-PROFILE": Register.SDS_ROLE_PROFILE,
}
_AUTHORITY = (9, 13, 8, 22)
"""Components of an XCN where the register may stand, in the order they are asked."""

_TYPES = table("prescription-type")
"""Prescription type by register. HCPC, GDC and DIN do not tell the profession, so a trust's entry must."""


def read_person(desk: Desk, repetitions: Sequence[Repetition], target: str, location: str) -> Professional | None:
    """Read one person from one or several repetitions that name the same one.

    Returns:
        None where nobody is named, or where the repetitions name different people (PRESCRIBER_AMBIGUOUS).
    """
    named = [repetition for repetition in repetitions if desk.leaf(repetition, 2)]
    if not named:
        return None
    if len({_name_key(desk, repetition) for repetition in named}) > 1:
        desk.mark(*repetitions)
        desk.flag("PRESCRIBER_AMBIGUOUS", location, "The repetitions name different people.")
        return None
    ids = _numbers(desk, repetitions, target, location)
    name = person_name(desk, named[0], f"{target}.name", first=2)
    desk.mark(*named[1:])
    return Professional(ids=ids, name=name)


def _name_key(desk: Desk, repetition: Repetition) -> tuple[str, str]:
    family, given = desk.leaf(repetition, 2), desk.leaf(repetition, 3)
    return (family.raw.casefold() if family else "", given.raw.casefold() if given else "")


def _numbers(desk: Desk, repetitions: Sequence[Repetition], target: str, location: str) -> tuple[ProfessionalId, ...]:
    found: dict[Register, ProfessionalId] = {}
    for repetition in repetitions:
        register = _register(desk, repetition)
        leaf = desk.leaf(repetition)
        if register is None or leaf is None:
            desk.use(leaf)
            continue
        number = ProfessionalId.parse(register, leaf.raw)
        if number is None:
            desk.use(leaf)
            desk.flag("IDENTIFIER_INVALID", leaf.locator, f"The number has not the form of a {register} number.")
        elif register in found and found[register] != number:
            desk.use(leaf)
            desk.flag("PRESCRIBER_AMBIGUOUS", location, f"Two {register} numbers are sent for one person.")
        else:
            desk.trace(f"{target}.ids[{len(found)}]", leaf, "parse:professional-id", number.value)
            found[register] = number
    return tuple(found.values())


def _register(desk: Desk, repetition: Repetition) -> Register | None:
    for component in _AUTHORITY:
        for leaf in list(repetition.leaves(component)):
            value = desk.value(leaf)
            if value and (register := _REGISTERS.get(value.raw.upper())):
                desk.use(value)
                return register
    return None


def read_prescriber(desk: Desk, repetitions: Sequence[Repetition], location: str) -> Professional | None:
    """Read ORC-12; a prescriber without a number of a known register is refused."""
    before = len(desk.issues)
    person = read_person(desk, repetitions, "prescriber", location)
    if len(desk.issues) > before:
        return person if person and person.ids else None
    if person is None or not any(number.register in {*LICENSED, *_TYPES} for number in person.ids):
        wanted = "Send the prescriber's name and registration number, with its register (GMC, NMC, GPhC) in XCN-9."
        desk.flag("PRESCRIBER_REQUIRED", location, wanted)
        return None
    return person


def prescription_type(desk: Desk, prescriber: Professional | None, location: str) -> str | None:
    """Give the prescription type (12xx) that the prescriber's register stands for, or hold."""
    if prescriber is None:
        return None
    for number in prescriber.ids:
        entry = desk.context.trust.entry("profession", number.register.value)
        code = entry.target.code if entry else _TYPES.get(number.register)
        if code:
            how = entry.how if entry else "table:prescription-type"
            desk.trace("type_code", None, how, code)
            return code
    desk.not_understood(location, "The register does not tell the prescriber's profession; have it mapped.")
    return None
