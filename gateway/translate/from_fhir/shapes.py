"""Three shapes, one reader: the message, the container (collection or transaction), and the single order.

A container is no message: its `request` verbs are not executed, its resources are read where they stand. A container
and a single order name no sender and no event; the sender is the trust whose credential was used, and the submission's
name is `Bundle.identifier` or the Idempotency-Key of the request.

Source: mapping.md 6.1 and 6.2; FHIR R4 bundle.html.
"""

import re
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from enum import StrEnum

from gateway.domain.errors import Refusal
from gateway.domain.issue import Issue
from gateway.domain.submission import Envelope, Submission, WireFormat
from gateway.translate import lexical
from gateway.translate.context import ReadingContext
from gateway.translate.from_fhir.bundle import Entries
from gateway.translate.from_fhir.envelope import parse
from gateway.translate.from_fhir.nodes import Builder, Node
from gateway.translate.record import Record

_CONTAINERS = {"collection", "transaction"}
_VERBS = {"POST", "PUT"}
_KEY = re.compile(r"[A-Za-z0-9\-.]{1,64}", re.ASCII)


class Shape(StrEnum):
    """What kind of FHIR a submission is."""

    MESSAGE = "message"
    CONTAINER = "container"
    SINGLE = "single"


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """A submission as nodes.

    Attributes:
        bundle: the Bundle; of a single order, one made around it and what it contains.
        issues: what is wrong with the structure.
        names: of every member of every object.
    """

    shape: Shape
    bundle: Node
    issues: tuple[Issue, ...]
    names: AbstractSet[str]


def arrive(submission: Submission, context: ReadingContext) -> Arrival:
    """Build the nodes of a submission and recognise its shape.

    Raises:
        Refusal: the bytes are no FHIR R4 that can be read in one way, or a resource that is not served.
    """
    document = parse(submission, context)
    builder = Builder()
    if document["resourceType"] == "MedicationRequest":
        node = builder.build(document, "MedicationRequest", "MedicationRequest")
        return Arrival(shape=Shape.SINGLE, bundle=_around(node), issues=tuple(builder.issues), names=builder.names)
    bundle = builder.build(document, "Bundle", "Bundle")
    shape = Shape.CONTAINER if bundle.raw("type") in _CONTAINERS else Shape.MESSAGE
    return Arrival(shape=shape, bundle=bundle, issues=tuple(builder.issues), names=builder.names)


def _around(order: Node) -> Node:
    """Make a Bundle of one order and the resources it contains; every path stays the sender's own."""
    entries = [
        Node(kind="Bundle.entry", path=node.path, children={"resource": [node]})
        for node in (order, *order.many("contained"))
    ]
    return Node(kind="Bundle", path=order.path, children={"entry": entries})


def container_envelope(record: Record, submission: Submission, context: ReadingContext, arrival: Arrival) -> Envelope:
    """Give the envelope of a container or a single order.

    Raises:
        Refusal: neither Bundle.identifier nor Idempotency-Key names the submission.
    """
    bundle = arrival.bundle
    identifier = bundle.one("identifier") if arrival.shape is Shape.CONTAINER else None
    named = identifier.leaf("value") if identifier else None
    record.use(
        bundle.leaf("type"), bundle.leaf("resourceType"), identifier.leaf("system") if identifier else None, named
    )
    control_id = named.raw if named else submission.idempotency_key
    if not _KEY.fullmatch(control_id):
        place = "Bundle.identifier.value" if named else "Idempotency-Key"
        wanted = "Name the submission by at most 64 letters, digits, hyphens and points"
        where = "as Bundle.identifier or Idempotency-Key" if arrival.shape is Shape.CONTAINER else "as Idempotency-Key"
        raise Refusal(Issue(code="CONTROL_ID_MISSING", location=place, text=f"{wanted}, {where}."), *arrival.issues)
    return Envelope(
        format=WireFormat.FHIR,
        control_id=control_id,
        sender=context.trust.ods,
        sent_at=lexical.instant(bundle.raw("timestamp")),
        message_type="MedicationRequest" if arrival.shape is Shape.SINGLE else bundle.raw("type"),
        version="4.0.1",
    )


def check_container(bundle: Node, entries: Entries) -> Iterator[Issue]:
    """Give what a container may not hold."""
    if entries.of("MessageHeader"):
        text = "A Bundle with a MessageHeader has the type message."
        yield Issue(code="MESSAGE_TYPE_UNSUPPORTED", location="Bundle.type", text=text)
    if not entries.of("MedicationRequest"):
        text = "No MedicationRequest stands here."
        yield Issue(code="MESSAGE_TYPE_UNSUPPORTED", location=f"{bundle.path}.entry", text=text)
    for entry in entries.entries:
        yield from _verb(entry)
    yield from _conditional(bundle)


def _verb(entry: Node) -> Iterator[Issue]:
    request = entry.one("request")
    if request is None:
        return
    if request.raw("method") not in _VERBS:
        text = "Only POST and PUT are read; nothing is fetched, changed or deleted here."
        yield Issue(code="ACTION_UNSUPPORTED", location=f"{request.path}.method", text=text)
    if "?" in request.raw("url"):
        text = "A conditional change cannot be carried; send the resource as it is to be read."
        yield Issue(code="ACTION_UNSUPPORTED", location=f"{request.path}.url", text=text)


def _conditional(node: Node) -> Iterator[Issue]:
    """Refuse references that are searches: which resource they mean, only the sender's server knows."""
    reference = node.leaf("reference") if node.kind == "Reference" else None
    if reference and "?" in reference.raw:
        text = "A conditional reference cannot be followed; send the resource and refer to it."
        yield Issue(code="VALUE_INVALID", location=reference.locator, text=text)
    for below in node.children.values():
        for child in below:
            yield from _conditional(child)
