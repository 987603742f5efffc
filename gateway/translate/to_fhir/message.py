"""Prescription and destination to the EPS homecare `prescription-order` message: bytes M of brief D7.

The same prescription, submission and map version give the same bytes: ids are derived, the only time that is not the
sender's is the stored receipt, and numbers keep their lexeme. Every leaf is accounted for (`leaves`). Left to the code
they qualify, and written nowhere of their own: `product.level`, which is a property of the dm+d code.

Source: mapping.md 0.9, 3.6; eps.md 2.2; brief D2, D7, D17.
"""

from collections.abc import Iterator, Sequence
from uuid import UUID

from gateway.domain.identifiers import OdsCode, derived_id, derived_text
from gateway.domain.message import FhirMessage, MessageEvent
from gateway.domain.partner import Environment, Provider
from gateway.domain.prescription import Prescription
from gateway.domain.submission import Envelope, Submission
from gateway.domain.trace import TraceRow
from gateway.translate.to_fhir import systems
from gateway.translate.to_fhir.attached import allergies, communication, observations
from gateway.translate.to_fhir.datatypes import instant, urn
from gateway.translate.to_fhir.envelope import task
from gateway.translate.to_fhir.evidence import clinical_check, prescriber_signature, source, targets
from gateway.translate.to_fhir.leaves import Account, Element, Leaf, Node, constant, plain, rule, uncovered
from gateway.translate.to_fhir.order import medication_requests
from gateway.translate.to_fhir.people import Resource, patient, professional, role_id
from gateway.wire.strict_json import dumps

_DIRECTORY = "https://directory.spineservices.nhs.uk/STU3/Organization/"
"""The address EPS gives an organisation as an endpoint; it names it and is never dereferenced."""


def write(
    prescription: Prescription,
    *,
    submission: Submission,
    envelope: Envelope,
    trace: Sequence[TraceRow],
    provider: Provider,
    environment: Environment,
    organisation: OdsCode,
    reference_release: str,
    epoch: int = 1,
) -> FhirMessage:
    """Write a new order.

    Args:
        prescription: what to write.
        submission: the bytes it came in; its receipt is the message's timestamp.
        envelope: what the submission said of itself.
        trace: the reading's rows; a value that none of them covers makes the message unexplained.
        provider: the chosen destination, which is inside the sealed bytes.
        environment: ours; a test message is marked.
        organisation: the gateway's own ODS code, to which answers go.
        reference_release: the reference data in force.
        epoch: above 1 when it is written again for another provider, which makes it another message.

    Returns:
        The message; its body ends in `]}` with the entries as the last member.

    Raises:
        Nothing.
    """
    writer = Writer(
        prescription,
        submission=submission,
        envelope=envelope,
        provider=provider,
        organisation=organisation,
        epoch=epoch,
    )
    return writer.message(trace, environment, reference_release)


class Writer:
    """One message being written: what its parts share."""

    event = MessageEvent.ORDER
    title = "Prescription Order"

    def __init__(
        self,
        prescription: Prescription,
        *,
        submission: Submission,
        envelope: Envelope,
        provider: Provider,
        organisation: OdsCode,
        epoch: int = 1,
    ) -> None:
        self._prescription = prescription
        self._submission = submission
        self._envelope = envelope
        self._provider = provider
        self._organisation = organisation
        self._epoch = epoch
        self._ids: dict[str, str] = {}
        self._sender = rule(submission.tenant.value, "sender")
        self.id = self._identity()
        self._name = str(self.id)

    def message(self, trace: Sequence[TraceRow], environment: Environment, reference_release: str) -> FhirMessage:
        """Write the bytes, and account for every leaf of them."""
        tree = self.bundle(environment, reference_release)
        origins: set[str | tuple[str, ...]] = set()
        body = dumps(plain(tree, origins))
        account = Account(tree, "Bundle")
        missing = uncovered(origins, [row.target for row in trace])
        return FhirMessage(
            id=self.id,
            event=self.event,
            destination=self._provider.ods,
            line_ids=tuple(line.id for line in self._prescription.lines),
            body=body,
            explained=account,
            unexplained=tuple(path for path, origin in account if origin in missing) if missing else (),
        )

    def _identity(self) -> UUID:
        sender, control_id = self._submission.tenant.value, self._envelope.control_id
        again = () if self._epoch == 1 else (f"epoch {self._epoch}",)
        return derived_id("message", sender, control_id, str(self._prescription.id), self._provider.ods.value, *again)

    def bundle(self, environment: Environment, reference_release: str) -> dict[str, Node]:
        """Build the Bundle, `entry` last."""
        received = rule(instant(self._submission.received_at), "receipt")
        return {
            "resourceType": constant("Bundle", "resource-type"),
            "id": rule(self._name, "id"),
            "meta": _marked(environment),
            "identifier": {"system": constant(systems.UUID_SYSTEM, "uuid-system"), "value": rule(self._name, "id")},
            "type": constant("message", "bundle-type"),
            "timestamp": received,
            "entry": [_entry(*resource) for resource in self._resources(rule(reference_release, "reference-release"))],
        }

    def _resources(self, release: Leaf) -> Iterator[Resource]:
        value, id_of = self._prescription, self._id_of
        lines = targets(value)
        performer = self._performer()
        yield self._header(lines)
        yield from medication_requests(value, performer, self._provider.ods, id_of)
        yield patient(value.patient, id_of)
        yield from professional(value.prescriber, "prescriber", id_of)
        if value.responsible_consultant:
            yield from professional(value.responsible_consultant, "responsible_consultant", id_of)
        yield from allergies(value, id_of)
        yield from observations(value, id_of)
        yield from communication(value, self._sender, id_of)
        yield from prescriber_signature(value, lines, id_of)
        yield from clinical_check(value.clinical_check, lines, id_of)
        yield task(
            value,
            provider=self._provider.ods,
            owner=performer,
            sender=self._sender,
            received=rule(instant(self._submission.received_at), "receipt"),
            release=release,
            id_of=id_of,
        )
        yield source(self._submission, id_of)

    def _id_of(self, name: str) -> str:
        known = self._ids.get(name)
        if known is None:
            known = self._ids[name] = derived_text("entry", self._name, name)
        return known

    def _performer(self) -> Element:
        """Refer to the chosen provider: in the sender's words where the sender named it, else in ours."""
        named, chosen = self._prescription.homecare, self._provider
        said = named.provider == chosen.ods
        code = (chosen.ods.value, "homecare.provider") if said else rule(chosen.ods.value, "destination")
        display = (named.provider_name, "homecare.provider_name") if said and named.provider_name else None
        return {
            "identifier": {"system": constant(systems.ODS, "ods-system"), "value": code},
            "display": display or rule(chosen.name, "destination"),
        }

    def _header(self, lines: list[Node]) -> Resource:
        event: Element = {
            "system": constant(systems.MESSAGE_EVENT, "event"),
            "code": constant(self.event.value, "event"),
            "display": constant(self.title, "event"),
        }
        receiver: Element = {
            "system": constant(systems.ODS, "ods-system"),
            "value": rule(self._provider.ods.value, "destination"),
        }
        destination: Element = {
            "name": rule(self._provider.name, "destination"),
            "endpoint": rule(_DIRECTORY + self._provider.ods.value, "destination"),
            "receiver": {"identifier": receiver},
        }
        return self._id_of("header"), {
            "resourceType": constant("MessageHeader", "resource-type"),
            "eventCoding": event,
            "destination": [destination],
            "sender": {
                "reference": rule(urn(role_id(self._id_of, "prescriber")), "reference"),
                "identifier": {"system": constant(systems.ODS, "ods-system"), "value": self._sender},
            },
            "source": {
                "name": rule(self._envelope.system, "sender.system"),
                "endpoint": rule(_DIRECTORY + self._organisation.value, "gateway"),
            },
            "focus": lines,
        }


def _marked(environment: Environment) -> Element:
    """Mark a test message (D17)."""
    if environment is Environment.LIVE:
        return None
    return {
        "tag": [
            {
                "system": constant(systems.ACT_REASON, "test"),
                "code": constant("HTEST", "test"),
                "display": constant("test health data", "test"),
            }
        ]
    }


def _entry(identifier: str, resource: dict[str, Node]) -> dict[str, Node]:
    """Wrap a resource; its id follows its type and equals its `fullUrl`."""
    kind = resource["resourceType"]
    return {
        "fullUrl": rule(f"urn:uuid:{identifier}", "id"),
        "resource": {"resourceType": kind, "id": rule(identifier, "id"), **resource},
    }
