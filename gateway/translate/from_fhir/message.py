"""A FHIR submission, in any of its shapes, to a reading: envelope, one order, every issue found.

Source: mapping.md 6; eps.md 2. The octets received are the legal object; nothing here is written back.
"""

from collections.abc import Iterator
from typing import Any

from gateway.domain.issue import Issue, of_the_envelope
from gateway.domain.prescription import CourseOfTherapy, Homecare, Line, Prescription
from gateway.domain.submission import Action, Order, OrderNumber, Reading, Submission
from gateway.translate import lexical
from gateway.translate.context import ReadingContext
from gateway.translate.from_fhir.attached import allergies, observations, signature, words
from gateway.translate.from_fhir.bundle import Entries
from gateway.translate.from_fhir.change import STANDINGS, read_standing, read_update
from gateway.translate.from_fhir.envelope import ORDER, UPDATE, check, envelope, header_of
from gateway.translate.from_fhir.leavings import REPEAT_INFORMATION, account, forbidden
from gateway.translate.from_fhir.nodes import Node
from gateway.translate.from_fhir.order import line
from gateway.translate.from_fhir.people import patient, professional
from gateway.translate.from_fhir.shapes import Shape, arrive, check_container, container_envelope
from gateway.translate.from_fhir.shared import alike, course, numbers, provider, type_code, validity
from gateway.translate.from_fhir.subjects import is_of
from gateway.translate.from_fhir.uk_core import loose_course, loose_numbers, loose_provider, loose_type
from gateway.translate.maps.rules import FHIR
from gateway.translate.record import Leaf, Record
from gateway.translate.to_fhir import systems
from gateway.translate.tracer import Tracer, lexemes

_REPEATS_ALLOWED = {"numberOfRepeatsAllowed", "numberOfRepeatPrescriptionsAllowed"}


def read(submission: Submission, context: ReadingContext) -> Reading:
    """Read a message.

    Args:
        submission: the bytes and their sender.
        context: the trust, the tables and who we are.

    Returns:
        The reading, with every issue found; one order, or none where the event is not served.

    Raises:
        Refusal: the bytes are no R4 Bundle that can be read in one way, or it has no identifier to answer to.
    """
    arrival = arrive(submission, context)
    bundle, entries = arrival.bundle, Entries(arrival.bundle)
    record = Record(Tracer(lexemes(bundle.below()), FHIR))
    if arrival.shape is Shape.MESSAGE:
        record.issues.extend(arrival.issues)
        found = envelope(record, bundle, entries)
        record.issues.clear()
        said = tuple(check(context, bundle, entries, found))
        served = found.message_type in {ORDER, UPDATE} and header_of(entries) is not None
    else:
        found = container_envelope(record, submission, context, arrival)
        said, served = tuple(check_container(bundle, entries)), True
    issues = (*said, *arrival.issues, *entries.faults(), *forbidden(bundle, entries, arrival.names))
    loose = arrival.shape is not Shape.MESSAGE
    order = None
    if served and not of_the_envelope(issues):
        if not loose and found.message_type == UPDATE:
            order = read_update(record, entries)
        elif loose and any(node.raw("status") in STANDINGS for node in entries.of("MedicationRequest")):
            order = read_standing(record, entries)
        else:
            order = _order(record, context, entries, issues, loose=loose)
    leftovers, unaccounted = record.close()
    return Reading(
        envelope=found,
        orders=(order,) if order else (),
        issues=issues,
        leftovers=leftovers,
        unaccounted=unaccounted,
    )


def _order(
    record: Record, context: ReadingContext, entries: Entries, issues: tuple[Issue, ...], *, loose: bool
) -> Order:
    lines = entries.of("MedicationRequest")
    people = entries.of("Patient")
    if not lines:
        record.flag("FIELD_MISSING", "Bundle.entry", "The message holds no MedicationRequest.")
    if len(people) != 1:
        code = "GROUP_PATIENT_MISMATCH" if people else "FIELD_MISSING"
        record.flag(code, "Bundle.entry", "Exactly one Patient is wanted.")
    prescription = _prescription(record, context, entries, lines, people[0], loose=loose) if lines and people else None
    account(record, entries)
    if prescription is None and not record.issues and not issues:
        record.flag("STRUCTURE_INVALID", "Bundle", "The prescription is not complete.")
    group = lines[0].one("groupIdentifier") if lines else None
    items = people[0].many("identifier") if people else ()
    return Order(
        action=Action.NEW,
        numbers=_numbers(lines, prescription),
        prescription=prescription if len(people) == 1 else None,
        issues=tuple(record.issues),
        trace=tuple(record.rows),
        unknown=tuple(record.unknown),
        provider_location=f"{lines[0].path}.dispenseRequest.performer.identifier.value" if lines else "",
        nhs_number=next((item.raw("value") for item in items if item.raw("system") == systems.NHS_NUMBER), ""),
        group_number=group.raw("value") if group else "",
        standing=loose,
    )


def _numbers(lines: tuple[Node, ...], prescription: Prescription | None) -> tuple[OrderNumber, ...]:
    """Give the numbers the answer repeats; of an order that could not be completed, the item numbers as sent."""
    if prescription is not None:
        return tuple(
            OrderNumber(
                trust_number=part.order_number, assigner=part.order_assigner, location=f"{node.path}.identifier"
            )
            for part, node in zip(prescription.lines, lines, strict=True)
        )
    items = [item for node in lines for item in node.many("identifier") if item.raw("system") == systems.ITEM_NUMBER]
    values = (item.leaf("value") for item in items)
    return tuple(OrderNumber(trust_number=leaf.raw, location=leaf.locator) for leaf in values if leaf)


def _prescription(
    record: Record, context: ReadingContext, entries: Entries, lines: tuple[Node, ...], person: Node, *, loose: bool
) -> Prescription | None:
    _subjects(record, entries, lines, person)
    _focus(record, entries, lines)
    role = _requester(record, entries, lines, loose=loose)
    signed = signature(record, entries, lines, role)
    prescriber = professional(record, entries, role, "prescriber")
    eps = not loose or lines[0].extension(systems.PRESCRIPTION_TYPE_EXTENSION) is not None
    long_number, number, group = (
        loose_numbers(record, context, lines, prescriber) if loose else (*numbers(record, lines), "")
    )
    status, listed = allergies(record, entries, person)
    whom = patient(record, context, person, lines[0].raw("authoredOn")[:10])
    said, medicines = words(record, entries, person, whom.nhs_number.value if whom else "")
    code, title = loose_provider(record, entries, lines) if loose else provider(record, lines)
    read_lines = _lines(record, context, entries, lines, loose=loose)
    needed: dict[str, Any] = {
        "id": long_number,
        "number": number,
        "patient": whom,
        "prescriber": prescriber,
        "authored": _authored(record, lines, entries, signed),
        "type_code": type_code(record, lines) if eps else loose_type(record, context, lines, prescriber),
        "course": (
            loose_course(record, read_lines)
            if loose and not any(node.one("courseOfTherapyType") for node in lines)
            else course(record, lines)
        ),
        "lines": read_lines,
    }
    optional: dict[str, Any] = {
        "group_number": group,
        "responsible_consultant": _responsible(record, entries, lines),
        "homecare": Homecare(provider=code, provider_name=title),
        "allergies": listed,
        "allergy_status": status,
        "observations": observations(record, context, entries, person),
        "patient_information": said,
        "medication_list": medicines,
        "signature": signed,
        **validity(record, lines),
    }
    _repeats(record, lines, needed["course"], needed["lines"])
    if any(not part for part in needed.values()):
        return None
    return Prescription(**needed, **optional)


def _subjects(record: Record, entries: Entries, lines: tuple[Node, ...], person: Node) -> None:
    for node in lines:
        reference = node.one("subject")
        record.use(reference.leaf("reference") if reference else None)
        if not is_of(entries, node, "subject", person):
            text = "The subject does not lead to the one Patient of this message."
            record.flag("GROUP_PATIENT_MISMATCH", f"{node.path}.subject", text)


def _focus(record: Record, entries: Entries, lines: tuple[Node, ...]) -> None:
    header = header_of(entries)
    if header is None:
        return
    found = [entries.find(reference, header) for reference in header.many("focus")]
    record.use(*(reference.leaf("reference") for reference in header.many("focus")))
    for reference, node in zip(header.many("focus"), found, strict=True):
        if node is None:
            record.flag("REF_UNRESOLVED", f"{reference.path}.reference", "The reference leads nowhere in this Bundle.")
    if any(not any(line_node is node for node in found) for line_node in lines):
        text = "MessageHeader.focus does not name every MedicationRequest; all of them were read."
        record.flag("REFERENCE_INCOMPLETE", f"{header.path}.focus", text)


def _requester(record: Record, entries: Entries, lines: tuple[Node, ...], *, loose: bool) -> Node | None:
    alike(record, lines, lambda node: _reference(node.one("requester")), "PRESCRIBER_AMBIGUOUS")
    requester = lines[0].one("requester")
    if requester is None:
        record.flag("PRESCRIBER_REQUIRED", f"{lines[0].path}.requester", "The prescriber is missing.")
    found = entries.find(requester, lines[0])
    if loose and found is not None and found.kind == "Practitioner":
        return entries.follow(record, requester, "Practitioner", lines[0])
    return entries.follow(record, requester, "PractitionerRole", lines[0])


def _reference(node: Node | None) -> Leaf | None:
    return node.leaf("reference") if node else None


def _responsible(record: Record, entries: Entries, lines: tuple[Node, ...]) -> Any:
    parts = [part for node in lines if (part := node.extension(systems.RESPONSIBLE_EXTENSION))]
    record.use(*(part.leaf("url") for part in parts))
    values = [value for part in parts if (value := part.one("valueReference"))]
    record.use(*(value.leaf("reference") for value in values))
    if len({value.raw("reference") for value in values}) > 1:
        record.flag("PRESCRIBER_AMBIGUOUS", values[0].path, "The lines name different responsible practitioners.")
    role = entries.follow(record, values[0], "PractitionerRole", lines[0]) if values else None
    return professional(record, entries, role, "responsible_consultant")


def _authored(record: Record, lines: tuple[Node, ...], entries: Entries, signed: Any) -> Any:
    """Read when it was written: authoredOn, else the time the prescriber signed, which EPS takes (eps.md 4.1)."""
    leaf = alike(record, lines, lambda node: node.leaf("authoredOn"))
    wanted = "Send a date, or a date and time with its zone."
    if leaf is not None:
        return record.take(leaf, "authored", lexical.moment, "parse:instant", wanted)
    if signed is None or signed.when is None:
        record.flag("AUTHORED_MISSING", f"{lines[0].path}.authoredOn", "State when the prescription was written.")
        return None
    parts = [part for item in entries.of("Provenance") for part in item.many("signature")]
    source = next(part.leaf("when") for part in parts if lexical.instant(part.raw("when")) == signed.when)
    record.trace("authored", source, "derive:signature-time", signed.when.isoformat())
    return signed.when


def _lines(
    record: Record, context: ReadingContext, entries: Entries, nodes: tuple[Node, ...], *, loose: bool
) -> tuple[Line, ...]:
    """Read the lines; none of them if one could not be completed, for a prescription is never half passed on."""
    lines = [line(record, context, entries, node, index, loose=loose) for index, node in enumerate(nodes)]
    seen = set()
    for part, node in zip(lines, nodes, strict=True):
        if part and part.id in seen:
            record.flag("IDENTIFIER_INVALID", f"{node.path}.identifier", "Two lines have the same item number.")
        seen.add(part.id if part else None)
    return tuple(part for part in lines if part) if all(lines) else ()


def _repeats(record: Record, nodes: tuple[Node, ...], kind: CourseOfTherapy | None, lines: tuple[Line, ...]) -> None:
    """Hold a course and a number of repeats that contradict each other (eps.md 2.7 and 2.10)."""
    for node, part in zip(nodes, lines, strict=False):
        place = f"{node.path}.dispenseRequest.numberOfRepeatsAllowed"
        if kind is CourseOfTherapy.REPEAT_DISPENSING and part.total_supplies == 1:
            record.flag("REPEATS_CONFLICT", place, "Repeat dispensing needs at least one repeat.")
        if any(count not in {part.total_supplies, part.total_supplies - 1} for count in _repeats_elsewhere(node)):
            text = "The repeat information and numberOfRepeatsAllowed state different numbers."
            record.flag("REPEATS_CONFLICT", place, text)
        if kind is CourseOfTherapy.ACUTE and part.total_supplies > 1:
            record.flag("REPEATS_CONFLICT", place, "An acute course has no repeats.")


def _repeats_elsewhere(node: Node) -> Iterator[int]:
    """Give the number of repeats that EPS and UK Core extensions say again; some senders count the first supply."""
    for part in node.many("extension"):
        for inner in part.many("extension") if part.raw("url").endswith(REPEAT_INFORMATION) else ():
            if inner.raw("url") in _REPEATS_ALLOWED:
                values = (inner.leaf("valueUnsignedInt"), inner.leaf("valuePositiveInt"), inner.leaf("valueInteger"))
                yield from (count for leaf in values if leaf and (count := lexical.whole(leaf.raw)) is not None)
