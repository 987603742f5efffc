"""What UK Core leaves open and EPS demands: numbers, type, course and provider, from what the order does say.

Each value here is derived from one the sender sent, by the rules the HL7 v2 reader uses, and its trace says so.

Source: mapping.md 3.4, 6.1; eps.md 2.3, 2.9, 2.10; UK Core MedicationRequest.
"""

from collections.abc import Sequence
from uuid import UUID

from gateway.domain.identifiers import OdsCode, PrescriptionNumber, derived_id
from gateway.domain.prescription import CourseOfTherapy, Line, Professional
from gateway.translate.context import ReadingContext
from gateway.translate.from_fhir.bundle import Entries
from gateway.translate.from_fhir.nodes import Node
from gateway.translate.from_fhir.shared import alike, numbers, provider
from gateway.translate.from_fhir.values import ods
from gateway.translate.maps.tables import table
from gateway.translate.record import Leaf, Record
from gateway.translate.to_fhir import systems

TYPES = table("prescription-type")
"""Prescription type by register, for those that tell the profession."""


def loose_numbers(
    record: Record, context: ReadingContext, lines: tuple[Node, ...], prescriber: Professional | None
) -> tuple[UUID | None, PrescriptionNumber | None, str]:
    """Give the long id, the short number and the trust's own group number.

    The group is `groupIdentifier`; without one, a single order's own identifier is its prescription.
    """
    group = lines[0].one("groupIdentifier")
    if group is not None and group.raw("system") == systems.ORDER_NUMBER:
        return (*numbers(record, lines), "")
    leaf = alike(record, lines, _group) if group is not None else None
    if leaf is None and len(lines) == 1:
        leaf = own_identifier(lines[0])
    if leaf is None:
        text = "Send a groupIdentifier, alike in every MedicationRequest of the prescription."
        record.flag("FIELD_MISSING", f"{lines[0].path}.groupIdentifier", text)
        return None, None, ""
    for node in lines:
        said = node.one("groupIdentifier")
        record.use(said.leaf("system") if said else None)
    record.trace("group_number", leaf, "copy", leaf.raw)
    sender = context.trust.ods
    long_number = derived_id("prescription", sender.value, leaf.raw)
    record.trace("id", None, "derive:prescription-id", str(long_number))
    site = prescriber.organisation.ods if prescriber and prescriber.organisation else sender
    number = PrescriptionNumber.derive(site, sender.value, leaf.raw)
    record.trace("number", None, "derive:prescription-number", number.value)
    return long_number, number, leaf.raw


def _group(node: Node) -> Leaf | None:
    group = node.one("groupIdentifier")
    return group.leaf("value") if group else None


def own_identifier(node: Node) -> Leaf | None:
    """Give the first identifier of an order."""
    return next((leaf for item in node.many("identifier") if (leaf := item.leaf("value"))), None)


def loose_type(
    record: Record, context: ReadingContext, lines: tuple[Node, ...], prescriber: Professional | None
) -> str | None:
    """Give the prescription type that the prescriber's register stands for, or hold."""
    for number in prescriber.ids if prescriber else ():
        entry = context.trust.entry("profession", number.register.value)
        code = entry.target.code if entry else TYPES.get(number.register)
        if code:
            record.trace("type_code", None, entry.how if entry else "table:prescription-type", code)
            return code
    if prescriber is not None:
        text = "The register does not tell the prescriber's profession; have it mapped."
        record.flag("FIELD_NOT_UNDERSTOOD", f"{lines[0].path}.requester", text)
    return None


def loose_course(record: Record, lines: Sequence[Line]) -> CourseOfTherapy:
    """One supply is acute; more are continuous."""
    several = any(line.total_supplies > 1 for line in lines)
    course = CourseOfTherapy.CONTINUOUS if several else CourseOfTherapy.ACUTE
    record.trace("course", None, "derive:total-supplies", course.value)
    return course


def loose_provider(record: Record, entries: Entries, lines: tuple[Node, ...]) -> tuple[OdsCode | None, str]:
    """Read whom the order is addressed to, by identifier or by a reference to an Organization that was sent."""
    found = [_performer(node) for node in lines]
    if not any(performer and performer.leaf("reference") for performer in found):
        return provider(record, lines)
    places = [
        entries.follow(record, performer, "Organization", node) for performer, node in zip(found, lines, strict=True)
    ]
    if len({id(place) for place in places}) > 1:
        text = "All MedicationRequests of one prescription must say the same here."
        record.flag("PROVIDER_UNKNOWN", f"{lines[0].path}.dispenseRequest.performer", text)
    place = places[0]
    if place is None:
        return None, ""
    item = next((item for item in place.many("identifier") if item.raw("system") == systems.ODS), None)
    code = ods(record, item, "homecare.provider")
    return code, record.words(place.leaf("name"), "homecare.provider_name")


def _performer(node: Node) -> Node | None:
    request = node.one("dispenseRequest")
    return request.one("performer") if request else None
