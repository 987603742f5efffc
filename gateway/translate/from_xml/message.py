"""A trust XML 1.0 message to a reading: envelope, one order, every issue found.

Source: mapping.md 7.2; trust-xml/homecare-prescription-1.0.xsd.
"""

from typing import Any

from gateway.domain.errors import Refusal
from gateway.domain.identifiers import OdsCode, PrescriptionNumber, parse_uuid
from gateway.domain.issue import Issue
from gateway.domain.partner import Environment
from gateway.domain.prescription import CourseOfTherapy, Line, PrescriberSignature, Prescription
from gateway.domain.submission import Action, Change, Envelope, Order, OrderNumber, Reading, Submission, WireFormat
from gateway.translate import lexical
from gateway.translate.cancel_reasons import CHANGED, reason_of
from gateway.translate.context import ReadingContext
from gateway.translate.from_xml import schema
from gateway.translate.from_xml.change import read_change
from gateway.translate.from_xml.document import ROOT, Document, Node, parse
from gateway.translate.from_xml.homecare import homecare
from gateway.translate.from_xml.item import item
from gateway.translate.from_xml.people import (
    allergies,
    clinical_check,
    nhs_number,
    observations,
    patient,
    professional,
)
from gateway.translate.maps.rules import XML
from gateway.translate.record import Record
from gateway.translate.tracer import Tracer, lexemes

_HEADER = f"/{ROOT}/Header"
_UNUSED, _HINT = XML.named("XML.ignored.header"), XML.named("XML.ignored.xsi")
_REPEATED = XML.named("XML.ignored.change")
_CHANGES = {Action.CANCEL, Action.HOLD, Action.RELEASE}
_ENVIRONMENTS = {member.value: member for member in Environment}
_ACTIONS = frozenset(Action)
_COURSES = {member.value: member for member in CourseOfTherapy}


def read(submission: Submission, context: ReadingContext) -> Reading:
    """Read a message.

    Args:
        submission: the bytes and their sender.
        context: the trust, the tables and who we are.

    Returns:
        The reading, with every issue found; one order, or none where the action is not served.

    Raises:
        Refusal: the bytes are not such a message, or it has no message id to answer to.
    """
    document = parse(submission.body, submission.content_type)
    record = Record(Tracer(lexemes(document.leaves), XML))
    found = (*document.faults, *schema.faults(document))
    envelope = _envelope(record, document.root, found)
    order = _order(record, context, document, envelope)
    return _reading(record, context, envelope, found, order)


def _envelope(record: Record, root: Node, found: tuple[Issue, ...]) -> Envelope:
    message_id = root.attribute("messageId")
    if message_id is None or parse_uuid(message_id.raw) is None:
        missing = Issue(code="CONTROL_ID_MISSING", location=f"/{ROOT}/@messageId", text="Send a UUID as messageId.")
        raise Refusal(missing, *found)
    header = root.one("Header")
    sender = header.one("Sender") if header else None
    system = header.one("System") if header else None
    action, ods = header.words("Action") if header else None, sender.attribute("ods") if sender else None
    environment = header.words("Environment") if header else None
    name = system.attribute("name") if system else None
    sent, version = root.attribute("sentAt"), root.attribute("schemaVersion")
    record.use(message_id, action, ods, environment, name, sent, version)
    record.ignore(header.leaves() if header else (), _UNUSED)
    record.ignore((leaf for key, leaf in root.attributes.items() if key.startswith("xsi:")), _HINT)
    return Envelope(
        format=WireFormat.XML,
        control_id=message_id.raw,
        sender=OdsCode.parse(ods.raw) if ods else None,
        system=name.raw if name else "",
        sent_at=lexical.instant(sent.raw) if sent else None,
        environment=_ENVIRONMENTS.get(environment.raw) if environment else None,
        message_type=action.raw if action and action.raw in _ACTIONS else "",
        version=version.raw if version else "",
    )


def _envelope_issues(context: ReadingContext, envelope: Envelope) -> tuple[Issue, ...]:
    issues = []
    allowed = {context.trust.ods, *context.trust.sites}
    if envelope.sender is not None and envelope.sender not in allowed:
        text = "The sender named is not the trust whose credential was used."
        issues.append(Issue(code="SENDER_MISMATCH", location=f"{_HEADER}/Sender/@ods", text=text))
    if envelope.environment is not None and envelope.environment is not context.environment:
        text = f"This gateway is {context.environment}; the message is {envelope.environment}."
        issues.append(Issue(code="ENVIRONMENT_WRONG", location=f"{_HEADER}/Environment", text=text))
    return tuple(issues)


def _reading(
    record: Record, context: ReadingContext, envelope: Envelope, found: tuple[Issue, ...], order: Order | None
) -> Reading:
    issues = [*_envelope_issues(context, envelope), *found]
    if order is None:
        text = (
            f"The action {envelope.message_type or 'sent'} is not served; send new, replace, cancel, hold or release."
        )
        issues.append(Issue(code="ACTION_UNSUPPORTED", location=f"{_HEADER}/Action", text=text))
    leftovers, unaccounted = record.close()
    return Reading(
        envelope=envelope,
        orders=(order,) if order else (),
        issues=tuple(issues),
        leftovers=leftovers,
        unaccounted=unaccounted,
    )


def _order(record: Record, context: ReadingContext, document: Document, envelope: Envelope) -> Order | None:
    root = document.root
    node = root.one("Prescription")
    if envelope.message_type in _CHANGES:
        return _change(record, document, Action(envelope.message_type))
    if envelope.message_type not in {Action.NEW, Action.REPLACE}:
        return None
    if node is None:
        record.flag("STRUCTURE_INVALID", f"/{ROOT}", "A prescription needs the element Prescription.")
    prescription = _prescription(record, context, document, node, envelope) if node else None
    _not_understood(record)
    group = node.words("TrustGroupNumber") if node else None
    number = root.one("Patient")
    given = number.words("NhsNumber") if number else None
    if prescription is None and not record.issues:
        record.flag("STRUCTURE_INVALID", f"/{ROOT}", "The prescription is not complete.")
    change = None
    if envelope.message_type == Action.REPLACE:
        change = _replaced(record, node, prescription)
    return Order(
        action=Action(envelope.message_type),
        numbers=_numbers(node, str(envelope.sender or context.trust.ods)),
        prescription=prescription,
        issues=tuple(record.issues),
        trace=tuple(record.rows),
        unknown=tuple(record.unknown),
        provider_location=f"/{ROOT}/Prescription/Homecare/Provider/@ods",
        nhs_number=given.raw if given else "",
        group_number=group.raw if group else "",
        change=change,
    )


def _change(record: Record, document: Document, action: Action) -> Order:
    change = read_change(record, document.root)
    patient_node = document.root.one("Patient")
    given = nhs_number(record, patient_node)
    if document.signature_leaf:
        record.ignore((document.signature_leaf,), _REPEATED)
    if change is None and not record.issues:
        record.flag("STRUCTURE_INVALID", f"/{ROOT}/Change", f"The {action} names no prescription.")
    return Order(
        action=action,
        numbers=(),
        prescription=None,
        issues=tuple(record.issues),
        trace=tuple(record.rows),
        nhs_number=given.value if given else "",
        change=change,
    )


def _replaced(record: Record, node: Node | None, prescription: Prescription | None) -> Change | None:
    """Give the prescription that a replacement names; one that names none is refused."""
    place = f"{node.path}/Replaces" if node else f"/{ROOT}"
    if prescription is None or prescription.replaces is None:
        record.flag("FIELD_MISSING", place, "Name the prescription that this one replaces, in Replaces.")
        return None
    return Change(prescription_id=prescription.replaces, location=place, reason=reason_of(CHANGED))


def _numbers(node: Node | None, assigner: str) -> tuple[OrderNumber, ...]:
    leaves = [part.words("TrustOrderNumber") for part in (node.many("Item") if node else ())]
    return tuple(
        OrderNumber(trust_number=leaf.raw, assigner=assigner, location=leaf.locator) for leaf in leaves if leaf
    )


def _not_understood(record: Record) -> None:
    """Hold what no rule reads inside the prescription; elsewhere it stays a leftover."""
    for locator in record.unread():
        if locator.startswith(f"/{ROOT}/Prescription/"):
            record.flag("FIELD_NOT_UNDERSTOOD", locator, "No rule reads this value.")


def _prescription(
    record: Record, context: ReadingContext, document: Document, node: Node, envelope: Envelope
) -> Prescription | None:
    root = document.root
    sender = envelope.sender or context.trust.ods
    block = root.one("Patient")
    status, listed = allergies(record, block) if block else (None, ())
    needed: dict[str, Any] = {
        "id": record.take(
            node.attribute("id"), "id", lexical.identifier, "parse:uuid", "Send a UUID.", "IDENTIFIER_INVALID"
        ),
        "patient": patient(record, block) if block else None,
        "prescriber": professional(record, root.one("Prescriber"), "prescriber"),
        "allergy_status": status,
        "lines": _lines(record, context, node, str(sender)),
        **_authorship(record, node),
    }
    optional: dict[str, Any] = {
        "responsible_consultant": professional(record, root.one("ResponsibleConsultant"), "responsible_consultant"),
        "clinical_check": clinical_check(record, root.one("ClinicalCheck")),
        "allergies": listed,
        "observations": observations(record, context, block) if block else (),
        "homecare": homecare(record, node.one("Homecare")),
        "notes": tuple(record.words(said.text, f"notes[{n}]") for n, said in enumerate(node.many("Note"))),
        "signature": _signature(record, document),
        **_dates(record, node),
    }
    if any(not part for part in needed.values()):
        return None
    employer = needed["prescriber"].organisation
    number = _number(record, node, employer.ods if employer else sender, sender)
    return Prescription(number=number, **needed, **optional) if number else None


def _lines(record: Record, context: ReadingContext, node: Node, assigner: str) -> tuple[Line, ...]:
    """Read the items; none of them if one could not be completed, for a prescription is never half passed on."""
    parts = node.many("Item")
    lines = [item(record, context, part, index, assigner) for index, part in enumerate(parts)]
    for name, code in (("id", "VALUE_INVALID"), ("order_number", "ORDER_REUSED")):
        seen: set[object] = set()
        for line, part in zip(lines, parts, strict=True):
            value = getattr(line, name) if line else None
            if value in seen:
                record.flag(code, part.path, "Two items of the message have the same id or order number.")
            seen.update({value} - {None})
    return tuple(line for line in lines if line) if all(lines) else ()


def _authorship(record: Record, node: Node) -> dict[str, Any]:
    return {
        "authored": record.take(
            node.words("AuthoredAt"),
            "authored",
            lexical.instant,
            "parse:instant",
            "Send a date and time with its zone.",
        ),
        "type_code": record.words(node.words("TypeCode"), "type_code"),
        "course": record.take(node.words("CourseOfTherapy"), "course", _COURSES.get, "copy", "Send a listed course."),
    }


def _dates(record: Record, node: Node) -> dict[str, Any]:
    validity = node.one("Validity")
    date_wanted = "Send a real date."
    return {
        "group_number": record.take(
            node.words("TrustGroupNumber"),
            "group_number",
            lexical.local_number,
            "copy",
            "Send the number without spaces around it or control characters in it.",
        )
        or "",
        "valid_from": record.take(
            validity.attribute("from") if validity else None, "valid_from", lexical.day, "parse:date", date_wanted
        ),
        "valid_to": record.take(
            validity.attribute("to") if validity else None, "valid_to", lexical.day, "parse:date", date_wanted
        ),
        "replaces": record.take(
            node.words("Replaces"), "replaces", lexical.identifier, "parse:uuid", "Send a UUID.", "IDENTIFIER_INVALID"
        ),
    }


def _number(record: Record, node: Node, site: OdsCode, sender: OdsCode) -> PrescriptionNumber | None:
    leaf = node.words("ShortId")
    if leaf is not None:
        wanted = "The check character of the prescription number is wrong."
        return record.take(leaf, "number", PrescriptionNumber.parse, "parse:short-id", wanted, "SHORTID_CHECK_DIGIT")
    group = node.words("TrustGroupNumber")
    number = PrescriptionNumber.derive(site, sender.value, group.raw if group else "")
    record.trace("number", None, "derive:prescription-number", number.value)
    return number


def _signature(record: Record, document: Document) -> PrescriberSignature | None:
    if not document.signature:
        return None
    record.trace(
        "signature", document.signature_leaf, "copy", document.signature_leaf.raw if document.signature_leaf else ""
    )
    return PrescriberSignature(format="xmldsig", data=document.signature)
