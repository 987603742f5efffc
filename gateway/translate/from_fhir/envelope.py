"""What a message Bundle says of itself: its version, its header, its sender, its environment.

Source: eps.md 2.2; mapping.md 6.1 and 6.2; reliability-security.md 4.3, J09, J10.
"""

from collections.abc import Iterator

from gateway.domain.errors import Refusal
from gateway.domain.identifiers import OdsCode, parse_uuid
from gateway.domain.issue import Issue
from gateway.domain.partner import Environment
from gateway.domain.submission import Envelope, Submission, WireFormat
from gateway.translate import lexical
from gateway.translate.context import ReadingContext
from gateway.translate.from_fhir.bundle import Entries
from gateway.translate.from_fhir.nodes import Node
from gateway.translate.record import Record
from gateway.translate.to_fhir import systems
from gateway.wire.fhir_xml import FhirXmlError
from gateway.wire.many import MOST_VALUES, holds_too_many
from gateway.wire.strict_json import JSON, JsonError, loads

ORDER = "prescription-order"
UPDATE = "prescription-order-update"
_SERVED = {"Bundle", "MedicationRequest"}
_TEST_TAGS = {"HTEST"}


def parse(submission: Submission, context: ReadingContext) -> dict[str, JSON]:
    """Parse the body, JSON or XML, to a Bundle or a single MedicationRequest.

    Raises:
        Refusal: it is no JSON that can be read in one way, neither of these resources, or of another FHIR version.
    """
    in_xml = _is_xml(submission.content_type)
    if holds_too_many(submission.body, xml=in_xml):
        text = f"The message holds more than {MOST_VALUES} values."
        raise Refusal(Issue(code="TOO_LARGE", location="", text=text))
    document = _xml(submission, context) if in_xml else _json(submission)
    if not isinstance(document, dict) or str(document.get("resourceType")) not in _SERVED:
        text = "The body must be a FHIR R4 Bundle, or one MedicationRequest with what it contains."
        raise Refusal(Issue(code="MESSAGE_TYPE_UNSUPPORTED", location="Bundle", text=text))
    found = tuple(_other_versions(document, submission.content_type))
    if found:
        raise Refusal(*found)
    return document


def _json(submission: Submission) -> JSON:
    try:
        return loads(submission.body)
    except JsonError as error:
        raise Refusal(Issue(code=error.code, location=error.location, text=error.text)) from None


def _is_xml(content_type: str) -> bool:
    return content_type.partition(";")[0].strip().lower() == "application/fhir+xml"


def _xml(submission: Submission, context: ReadingContext) -> JSON:
    """Turn FHIR XML into its JSON form, from which everything is read; the bytes received stay the legal object."""
    if context.fhir_xml is None:
        text = "FHIR XML is not served here; send FHIR JSON."
        raise Refusal(Issue(code="MESSAGE_TYPE_UNSUPPORTED", location="Content-Type", text=text))
    try:
        document: JSON = context.fhir_xml.to_json(submission.body)
    except FhirXmlError as error:
        text = f"The XML is not FHIR R4: {error.text.removesuffix('.')}."
        raise Refusal(Issue(code=error.code, location=error.location, text=text)) from None
    return document


def _other_versions(document: dict[str, JSON], content_type: str) -> Iterator[Issue]:
    """Find the marks of STU3 and R5; read as R4, such a message would lose its product or its author."""
    declared = content_type.replace(" ", "").lower().partition("fhirversion=")[2].partition(";")[0].strip('"')
    if declared and not declared.startswith("4.0"):
        text = "The media type declares another FHIR version; send FHIR R4 (fhirVersion=4.0)."
        yield Issue(code="VERSION_UNSUPPORTED", location="Content-Type", text=text)
    if document.get("resourceType") == "MedicationRequest":
        yield from _marks(document, "MedicationRequest")
    entries = document.get("entry")
    for index, entry in enumerate(entries if isinstance(entries, list) else []):
        resource = entry.get("resource") if isinstance(entry, dict) else None
        if isinstance(resource, dict):
            yield from _marks(resource, f"Bundle.entry[{index}].resource")


def _marks(resource: dict[str, JSON], path: str) -> Iterator[Issue]:
    kind, requester = resource.get("resourceType"), resource.get("requester")
    marks = {
        "medication": ("R5", kind == "MedicationRequest" and "medication" in resource),
        "event": ("STU3", kind == "MessageHeader" and "event" in resource),
        "requester.agent": (
            "STU3",
            kind == "MedicationRequest" and isinstance(requester, dict) and "agent" in requester,
        ),
    }
    for member, (version, found) in marks.items():
        if found:
            text = f"This is the shape of FHIR {version}; send FHIR R4 (4.0.1)."
            yield Issue(code="VERSION_UNSUPPORTED", location=f"{path}.{member}", text=text)


def envelope(record: Record, bundle: Node, entries: Entries) -> Envelope:
    """Read the envelope.

    Raises:
        Refusal: the Bundle has no identifier to answer to.
    """
    identifier = bundle.one("identifier")
    control_id = identifier.leaf("value") if identifier else None
    if identifier is None or control_id is None or parse_uuid(control_id.raw) is None:
        text = "Send a UUID as Bundle.identifier.value."
        raise Refusal(Issue(code="CONTROL_ID_MISSING", location="Bundle.identifier.value", text=text), *record.issues)
    header = header_of(entries)
    event = header.one("eventCoding") if header else None
    sender = header.one("sender") if header else None
    named = sender.one("identifier") if sender else None
    source = header.one("source") if header else None
    test = any(tag.raw("code") in _TEST_TAGS for tag in _tags(bundle, header))
    record.use(control_id, identifier.leaf("system"), bundle.leaf("type"), bundle.leaf("resourceType"))
    for part in (event, named):
        record.use(*(part.below() if part else ()))
    return Envelope(
        format=WireFormat.FHIR,
        control_id=control_id.raw,
        sender=OdsCode.parse(named.raw("value")) if named and named.raw("system") == systems.ODS else None,
        system=(source.raw("name") or source.raw("endpoint")) if source else "",
        sent_at=lexical.instant(bundle.raw("timestamp")),
        environment=Environment.TEST if test else None,
        message_type=event.raw("code") if event else "",
        version="4.0.1",
    )


def header_of(entries: Entries) -> Node | None:
    """Give the MessageHeader if it stands first."""
    first = entries.resources[0] if entries.resources else None
    return first if first and first.raw("resourceType") == "MessageHeader" else None


def _tags(bundle: Node, header: Node | None) -> Iterator[Node]:
    for node in (bundle, header):
        meta = node.one("meta") if node else None
        yield from meta.many("tag") if meta else ()


def check(context: ReadingContext, bundle: Node, entries: Entries, found: Envelope) -> Iterator[Issue]:
    """Give what is wrong with the envelope."""
    header = header_of(entries)
    if bundle.raw("type") != "message":
        text = "Only a Bundle of type message, collection or transaction is served."
        yield Issue(code="MESSAGE_TYPE_UNSUPPORTED", location="Bundle.type", text=text)
    if header is None or len(entries.of("MessageHeader")) != 1:
        text = "The first entry, and no other, must be the MessageHeader."
        yield Issue(code="STRUCTURE_INVALID", location="Bundle.entry[0].resource", text=text)
        return
    yield from _event(header, found)
    place = f"{header.path}.sender.identifier"
    if found.sender is None:
        text = f"Name the sending organisation by an identifier of the system {systems.ODS}."
        yield Issue(code="FIELD_MISSING", location=place, text=text)
    elif found.sender not in {context.trust.ods, *context.trust.sites}:
        text = "The sender named is not the trust whose credential was used."
        yield Issue(code="SENDER_MISMATCH", location=f"{place}.value", text=text)
    if found.environment is not None and found.environment is not context.environment:
        text = f"This gateway is {context.environment}; the message is tagged {found.environment}."
        yield Issue(code="ENVIRONMENT_WRONG", location="Bundle.meta.tag", text=text)


def _event(header: Node, found: Envelope) -> Iterator[Issue]:
    event = header.one("eventCoding")
    place = f"{header.path}.eventCoding"
    if event is None or event.raw("system") != systems.MESSAGE_EVENT:
        text = f"Name the event by eventCoding of the system {systems.MESSAGE_EVENT}."
        yield Issue(code="MESSAGE_TYPE_UNSUPPORTED", location=place, text=text)
    elif found.message_type not in {ORDER, UPDATE}:
        text = f"The events served are {ORDER} and {UPDATE}."
        yield Issue(code="MESSAGE_TYPE_UNSUPPORTED", location=f"{place}.code", text=text)
