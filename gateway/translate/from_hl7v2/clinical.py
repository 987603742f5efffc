"""What travels beside the order: allergies, observations, reasons and notes.

None sent is *not stated*, never *none known*.

Source: mapping.md 3.4 (AL1, IAM, OBX, DG1, NTE).
"""

from collections.abc import Iterable
from datetime import tzinfo

from gateway.domain.coding import UCUM, Coding
from gateway.domain.prescription import Allergy, AllergyStatus, Observation
from gateway.domain.quantity import Quantity
from gateway.translate.from_hl7v2.amounts import amount, unit
from gateway.translate.from_hl7v2.coded import Coded, coded, concept
from gateway.translate.from_hl7v2.desk import Desk
from gateway.translate.from_hl7v2.groups import Group
from gateway.translate.from_hl7v2.moments import day
from gateway.translate.from_hl7v2.patterns import folded
from gateway.translate.from_hl7v2.signature import holds_signature
from gateway.translate.maps.rules import HL7V2
from gateway.translate.maps.tables import table
from gateway.translate.record import Leaf
from gateway.wire.er7 import Segment

_SEVERITIES = table("HL70128")
_NO_ALLERGY = "716186003"
_NONE_KNOWN = frozenset(
    {"nka", "nkda", "no known allergy", "no known allergies", "no known drug allergy", "no known drug allergies"}
)
_STATUSES = table("HL70085")
_NOT_FINAL = HL7V2.named("HL7V2.ignored.observation")


def read_allergies(desk: Desk, segments: Iterable[Segment]) -> tuple[tuple[Allergy, ...], AllergyStatus]:
    """Read AL1 and IAM; *none known* beside an allergy is held."""
    found: list[Allergy] = []
    none_known: Leaf | None = None
    for segment in segments:
        element = coded(desk, desk.one(segment, 3))
        _check_action(desk, segment)
        if element is None:
            if segment.repetitions(3):
                desk.not_understood(segment.at(3), "The allergy cannot be read.")
            continue
        if _is_none(element):
            desk.use(*element.leaves())
            none_known = element.first.code or element.words
            continue
        at = f"allergies[{len(found)}]"
        substance = concept(desk, element, f"{at}.substance")
        if substance is None:
            desk.not_understood(element.location, "The allergy has neither a SNOMED CT code nor words.")
            continue
        found.append(
            Allergy(
                substance=substance, reaction=_reaction(desk, segment, at), criticality=_severity(desk, segment, at)
            )
        )
    if found and none_known:
        desk.not_understood(none_known.locator, "An allergy and 'no known allergy' are both sent.")
    status = AllergyStatus.RECORDED if found else AllergyStatus.NONE_KNOWN if none_known else AllergyStatus.NOT_STATED
    how = "derive:allergies" if found else "table:none-known" if none_known else "default:not-stated"
    desk.trace("allergy_status", none_known if not found else None, how, status.value)
    return tuple(found), status


def _is_none(element: Coded) -> bool:
    leaves = [leaf.raw for leaf in element.leaves()]
    return _NO_ALLERGY in leaves or any(folded(text) in _NONE_KNOWN for text in leaves)


def _check_action(desk: Desk, segment: Segment) -> None:
    """IAM-6 says what to do with the entry; only adding it is a statement about now."""
    if segment.name == "IAM":
        action = desk.leaf(desk.one(segment, 6))
        desk.use(action)
        if action and action.raw not in {"A", "X"}:
            desk.not_understood(action.locator, "Only allergies that are added or unchanged are read.")


def _severity(desk: Desk, segment: Segment, at: str) -> str:
    element = coded(desk, desk.one(segment, 4))
    if element is None:
        return ""
    desk.use(*element.leaves())
    leaf = element.first.code or element.words
    value = _SEVERITIES.get(leaf.raw, "") if leaf else ""
    if value:
        desk.trace(f"{at}.criticality", leaf, "table:HL70128", value)
    return value


def _reaction(desk: Desk, segment: Segment, at: str) -> Coding | None:
    """Read the reactions: words, joined where there are several."""
    leaves = [leaf for part in desk.all(segment, 5) if (leaf := desk.leaf(part))]
    for leaf in leaves:
        desk.trace(f"{at}.reaction.display", leaf, "copy", leaf.raw)
    return Coding(display="; ".join(leaf.raw for leaf in leaves)) if leaves else None


def read_observations(desk: Desk, segments: Iterable[Segment], zone: tzinfo) -> tuple[Observation, ...]:
    """Read OBX: final or corrected values with their code; others are left out by rule."""
    found: list[Observation] = []
    for segment in segments:
        if holds_signature(segment):
            continue
        status = desk.leaf(desk.one(segment, 11))
        code = concept_of(desk, segment, 3, at := f"observations[{len(found)}]")
        if desk.text(desk.leaf(desk.one(segment, 2))) == "ED":
            desk.not_understood(segment.at(5), "Enclosed data that is not a signature is not read here.")
            continue
        if status is None or status.raw not in _STATUSES or code is None:
            for number in segment.fields:
                for part in segment.repetitions(number):
                    desk.pass_over(part, _NOT_FINAL)
            continue
        value = _value(desk, segment, at)
        if value is None:
            continue
        desk.trace(f"{at}.status", status, "table:HL70085", _STATUSES[status.raw])
        on = day(desk, desk.leaf(desk.one(segment, 14)), f"{at}.on", zone)
        found.append(Observation(code=code, value=value, on=on, status=_STATUSES[status.raw]))
    return tuple(found)


_AGE = frozenset({"30525-0", "397669002", "424144002"})
"""Age, in LOINC and SNOMED CT."""


def read_stated_age(desk: Desk, segments: Iterable[Segment]) -> str:
    """Read the age as the prescriber wrote it, which the law wants under 12 (HMR 2012 reg 217): an OBX coded as age."""
    for segment in segments:
        code, value = desk.leaf(desk.one(segment, 3)), desk.leaf(desk.one(segment, 5))
        if code is None or code.raw not in _AGE or value is None:
            continue
        unit_ = coded(desk, desk.one(segment, 6))
        desk.use(*(unit_.leaves() if unit_ else ()))
        words = (unit_.words or unit_.first.code) if unit_ else None
        age = f"{value.raw} {words.raw if words else ''}".strip()
        desk.trace("patient.stated_age", value, "copy", age)
        return age
    return ""


def concept_of(desk: Desk, segment: Segment, number: int, at: str) -> Coding | None:
    """Read the code of an observation; LOINC is kept as LOINC."""
    element = coded(desk, desk.one(segment, number))
    if element is None:
        return None
    loinc = next((term for term in element.terms if term.code and term.system in {"LN", "LOINC"}), None)
    if loinc and loinc.code:
        desk.use(*element.leaves())
        desk.trace(f"{at}.code", loinc.code, "copy", loinc.code.raw)
        return Coding(system="http://loinc.org", code=loinc.code.raw, display=loinc.words.raw if loinc.words else "")
    return concept(desk, element, f"{at}.code")


def _value(desk: Desk, segment: Segment, at: str) -> Quantity | Coding | None:
    kind = desk.text(desk.leaf(desk.one(segment, 2)))
    repetition = desk.one(segment, 5)
    if repetition is None:
        return None
    if kind == "NM":
        number = amount(desk, desk.leaf(repetition), f"{at}.value.value")
        unit_ = _unit(desk, coded(desk, desk.one(segment, 6)), f"{at}.value.unit", segment.at(6))
        return Quantity(value=number, unit=unit_) if number is not None and unit_ else None
    if kind in {"CE", "CWE", "CNE"}:
        return concept(desk, coded(desk, repetition), f"{at}.value")
    if kind in {"ST", "TX", "FT"}:
        return Coding(display=desk.words(desk.leaf(repetition), f"{at}.value.display"))
    desk.mark(repetition)
    desk.not_understood(segment.at(2), "Only NM, CWE and text observations are read.")
    return None


def _unit(desk: Desk, element: Coded | None, target: str, location: str) -> Coding | None:
    """Read a measurement's unit; any UCUM code will do, for nothing is dispensed by it."""
    if element is None:
        desk.flag("UNIT_UNMAPPED", location, "The measurement has no unit.")
        return None
    term = next(iter(element.of(UCUM)), None)
    if term and term.code and term.code.raw not in desk.context.reference.units:
        desk.use(*element.leaves())
        desk.trace(target, term.code, "copy", term.code.raw)
        return Coding(system=UCUM, code=term.code.raw, display=term.words.raw if term.words else term.code.raw)
    return unit(desk, element, target)


def read_reasons(desk: Desk, group: Group, shared: Iterable[Segment], target: str) -> tuple[Coding, ...]:
    """Read the indications: RXE-27, RXO-20, DG1-3 and ORC-16. A diagnosis in an order is its reason."""
    places = [(group.rxe, 27), (group.rxo, 20)]
    control = desk.text(desk.leaf(desk.one(group.orc, 1)))
    if control in {"NW", "PA"}:  # of a change, ORC-16 says why the old order is cancelled
        places.append((group.orc, 16))
    places += [(segment, 3) for segment in (*shared, *group.named("DG1"))]
    found: list[Coding] = []
    for segment, number in places:
        for part in desk.all(segment, number):
            reason = concept(desk, coded(desk, part), f"{target}.reasons[{len(found)}]")
            if reason is not None:
                found.append(reason)
    return tuple(found)


def read_notes(desk: Desk, segments: Iterable[Segment], target: str, extra: Iterable[Leaf] = ()) -> tuple[str, ...]:
    """Read comments, each its own note; dosing comment types of the trust are read as directions elsewhere."""
    found: list[str] = []
    for words in extra:
        found.append(desk.words(words, f"{target}[{len(found)}]"))
    for segment in segments:
        if desk.text(desk.leaf(desk.one(segment, 4))) in {*desk.context.trust.dosing_comment_types} - {""}:
            continue
        for part in desk.all(segment, 3):
            if (leaf := desk.leaf(part)) and leaf.raw.strip():
                found.append(desk.words(leaf, f"{target}[{len(found)}]"))
    return tuple(found)
