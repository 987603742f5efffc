"""What every MedicationRequest of a prescription must say alike: numbers, type, course, author, dates, provider.

Source: eps.md 2.3 and 2.10 (identical across the lines of a prescription); reliability-security.md 4.3, J22.
"""

from collections.abc import Callable
from typing import Any, TypeVar
from uuid import UUID

from gateway.domain.identifiers import OdsCode, PrescriptionNumber, derived_id
from gateway.domain.prescription import CourseOfTherapy
from gateway.translate import lexical
from gateway.translate.from_fhir.nodes import Node
from gateway.translate.from_fhir.values import choice, day, identified
from gateway.translate.maps.rules import FHIR
from gateway.translate.record import Leaf, Record
from gateway.translate.to_fhir import systems

_TYPE_IGNORED = FHIR.named("FHIR.ignored.type")
_COURSE_IGNORED = FHIR.named("FHIR.ignored.course")
_SITE_TYPE = FHIR.named("FHIR.ignored.site-type")

T = TypeVar("T")

_COURSES = {member.value: member for member in CourseOfTherapy}
_MIXED = {CourseOfTherapy.ACUTE, CourseOfTherapy.CONTINUOUS}
_DIFFERS = "All MedicationRequests of one prescription must say the same here."


def alike(
    record: Record, nodes: tuple[Node, ...], find: Callable[[Node], Leaf | None], code: str = "VALUE_INVALID"
) -> Leaf | None:
    """Give the leaf every line has alike; the others are marked as read, and a difference is an issue."""
    leaves = [find(node) for node in nodes]
    stated = [leaf for leaf in leaves if leaf]
    record.use(*stated)
    if len({leaf.raw if leaf else None for leaf in leaves}) > 1:
        odd = next((leaf for leaf in stated if leaf.raw != stated[0].raw), stated[0])
        record.flag(code, odd.locator, _DIFFERS)
    return stated[0] if stated else None


def numbers(record: Record, nodes: tuple[Node, ...]) -> tuple[UUID | None, PrescriptionNumber | None]:
    """Read the long and the short number; the short one's check character is checked here, not by a later system."""
    first = nodes[0].one("groupIdentifier")
    if first is None:
        record.flag("FIELD_MISSING", f"{nodes[0].path}.groupIdentifier", "The prescription's number is missing.")
        return None, None
    alike(record, nodes, lambda node: _group(node).leaf("system") if _group(node) else None)  # type: ignore[union-attr]
    alike(record, nodes, lambda node: group.leaf("value") if (group := _group(node)) else None)
    alike(record, nodes, _long_leaf)
    for node in nodes:
        record.use(*(part.leaf("url") for part in _long_form(node)), *(_long_systems(node)))
    number = identified(
        record,
        first,
        systems.ORDER_NUMBER,
        "number",
        PrescriptionNumber.parse,
        "parse:short-id",
        "SHORTID_CHECK_DIGIT",
    )
    leaf = _long_leaf(nodes[0])
    if leaf is None:
        derived = derived_id("prescription", number.value) if number else None
        record.trace("id", None, "derive:short-id", str(derived))
        return derived, number
    wanted = "Send a UUID."
    return record.take(leaf, "id", lexical.identifier, "parse:uuid", wanted, "IDENTIFIER_INVALID"), number


def _group(node: Node) -> Node | None:
    return node.one("groupIdentifier")


def _long_form(node: Node) -> tuple[Node, ...]:
    group = _group(node)
    return group.extensions(systems.PRESCRIPTION_ID_EXTENSION) if group else ()


def _long_systems(node: Node) -> tuple[Leaf | None, ...]:
    values = (part.one("valueIdentifier") for part in _long_form(node))
    return tuple(value.leaf("system") for value in values if value)


def _long_leaf(node: Node) -> Leaf | None:
    parts = _long_form(node)
    value = parts[0].one("valueIdentifier") if parts else None
    return value.leaf("value") if value else None


def type_code(record: Record, nodes: tuple[Node, ...]) -> str:
    """Read the prescription type; only the homecare block 12xx belongs here (eps.md 2.9)."""
    for node in nodes:
        item = node.extension(systems.PRESCRIPTION_TYPE_EXTENSION)
        coding = item.one("valueCoding") if item else None
        record.use(item.leaf("url") if item else None, coding.leaf("system") if coding else None)
        record.ignore((coding.leaf("display") if coding else None,), _TYPE_IGNORED)
    leaf = alike(record, nodes, _type_leaf)
    if leaf is None:
        place = f"{nodes[0].path}.extension"
        record.flag("FIELD_MISSING", place, "The extension Extension-DM-PrescriptionType is missing.")
    wanted = "The prescription type is not one of homecare (12xx)."
    return record.take(leaf, "type_code", _homecare_type, "copy", wanted) or ""


def _type_leaf(node: Node) -> Leaf | None:
    item = node.extension(systems.PRESCRIPTION_TYPE_EXTENSION)
    coding = item.one("valueCoding") if item else None
    return coding.leaf("code") if coding else None


def _homecare_type(text: str) -> str | None:
    return text if text in _HOMECARE_TYPES else None


_HOMECARE_TYPES = frozenset(["1201", "1204", "1205", "1208", "1213", "1214", "1216", "1217", "1224", "1225"])


def course(record: Record, nodes: tuple[Node, ...]) -> CourseOfTherapy | None:
    """Read the course of therapy; acute and continuous together count as acute, any other mix is refused."""
    found = []
    for node in nodes:
        concept = node.one("courseOfTherapyType")
        coding = next(iter(concept.many("coding")), None) if concept else None
        record.use(coding.leaf("system") if coding else None)
        record.ignore((coding.leaf("display") if coding else None,), _COURSE_IGNORED)
        if coding is None or coding.leaf("code") is None:
            record.flag("FIELD_MISSING", f"{node.path}.courseOfTherapyType", "The course of therapy is missing.")
            continue
        found.append(choice(record, coding.leaf("code"), "course", _COURSES))
    kinds = {kind for kind in found if kind}
    if len(kinds) > 1 and kinds != _MIXED:
        record.flag("VALUE_INVALID", f"{nodes[0].path}.courseOfTherapyType", _DIFFERS)
    if None in found or not kinds:
        return None
    return CourseOfTherapy.ACUTE if len(kinds) > 1 else kinds.pop()


def provider(record: Record, nodes: tuple[Node, ...]) -> tuple[OdsCode | None, str]:
    """Read whom the lines are addressed to; lines addressed to different providers are held."""
    for node in nodes:
        performer = _performer(node)
        record.use(*(leaf for leaf in (performer.leaf("type") if performer else None,) if leaf))
        site = (request := node.one("dispenseRequest")) and request.extension(systems.SITE_TYPE_EXTENSION)
        record.ignore(site.below() if site else (), _SITE_TYPE)
    leaf = alike(record, nodes, _performer_code, "PROVIDER_UNKNOWN")
    first = _performer(nodes[0])
    named = first.one("identifier") if first else None
    if leaf is None or named is None:
        return None, ""
    for node in nodes[1:]:
        other = _performer(node)
        record.use(*(other.below() if other else ()))
    code = identified(record, named, systems.ODS, "homecare.provider", OdsCode.parse, "parse:ods", "IDENTIFIER_INVALID")
    return code, record.words(first.leaf("display") if first else None, "homecare.provider_name")


def _performer(node: Node) -> Node | None:
    request = node.one("dispenseRequest")
    return request.one("performer") if request else None


def _performer_code(node: Node) -> Leaf | None:
    performer = _performer(node)
    named = performer.one("identifier") if performer else None
    return named.leaf("value") if named else None


def validity(record: Record, nodes: tuple[Node, ...]) -> dict[str, Any]:
    """Read the validity period; its expiry said again in the repeat information must not be earlier."""
    start = alike(record, nodes, lambda node: _period(node, "start"))
    end = alike(record, nodes, lambda node: _period(node, "end"))
    return {"valid_from": day(record, start, "valid_from"), "valid_to": day(record, end, "valid_to")}


def _period(node: Node, member: str) -> Leaf | None:
    request = node.one("dispenseRequest")
    period = request.one("validityPeriod") if request else None
    return period.leaf(member) if period else None
