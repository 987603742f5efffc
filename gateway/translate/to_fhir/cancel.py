"""The cancel of one line to the EPS `prescription-order-update` message.

It is written from the prescription as it was accepted, never from what the cancel repeats of it: the provider must find
the very line it was sent. One message for each line, for EPS allows one MedicationRequest.

Source: eps.md 1.5, 5.4, 6.6; mapping.md 4.1, 4.3.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from uuid import UUID

from gateway.domain.coding import Coding
from gateway.domain.identifiers import OdsCode, derived_id
from gateway.domain.message import FhirMessage, MessageEvent
from gateway.domain.partner import Environment, Provider
from gateway.domain.prescription import Line, Prescription
from gateway.domain.submission import Change, Envelope, Submission
from gateway.domain.trace import TraceRow
from gateway.translate.maps.rules import GATEWAY
from gateway.translate.to_fhir import systems
from gateway.translate.to_fhir.evidence import source, targets
from gateway.translate.to_fhir.leaves import Element, Leaf, constant, rule
from gateway.translate.to_fhir.message import Writer
from gateway.translate.to_fhir.order import medication_requests
from gateway.translate.to_fhir.people import Resource, patient, professional

_STORED_ORDER = GATEWAY.named("CANCEL.stored-order")
_STORED = (
    "id",
    "number",
    "group_number",
    "patient",
    "prescriber",
    "responsible_consultant",
    "authored",
    "type_code",
    "course",
    "valid_from",
    "valid_to",
    "homecare",
    "lines[0]",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancelled:
    """The line to be cancelled, as it was accepted.

    Attributes:
        order_message: Bundle.identifier of the message it was sent in.
        change: the reason, and who asks.
    """

    prescription: Prescription
    line_id: UUID
    order_message: UUID
    change: Change


def write_cancel(
    cancelled: Cancelled,
    *,
    submission: Submission,
    envelope: Envelope,
    provider: Provider,
    environment: Environment,
    organisation: OdsCode,
    reference_release: str,
) -> FhirMessage:
    """Write the cancel of one line.

    Args:
        cancelled: the line, its prescription and why.
        submission: the bytes that asked for it.
        envelope: what they said of themselves.
        provider: the holder of the line.
        environment: ours; a test message is marked.
        organisation: the gateway's own ODS code.
        reference_release: the reference data in force.

    Raises:
        StopIteration: the prescription has no such line; the caller's mistake.
    """
    prescription = _as_cancelled(cancelled)
    writer = _CancelWriter(
        prescription, submission=submission, envelope=envelope, provider=provider, organisation=organisation
    )
    writer.order_message = cancelled.order_message
    return writer.message(_trace(cancelled), environment, reference_release)


def _as_cancelled(cancelled: Cancelled) -> Prescription:
    """Give the prescription with the one line; whoever cancels stands as requester (eps.md 1.5)."""
    original, change = cancelled.prescription, cancelled.change
    line = next(line for line in original.lines if line.id == cancelled.line_id)
    prescriber, responsible = original.prescriber, original.responsible_consultant
    if change.by is not None and change.by.ids and change.by.ids != prescriber.ids:
        prescriber, responsible = replace(change.by, organisation=original.prescriber.organisation), prescriber
    return replace(
        original, prescriber=prescriber, responsible_consultant=responsible, lines=(_with_reason(line, change),)
    )


def _with_reason(line: Line, change: Change) -> Line:
    reason = change.reason or Coding(code="", display=change.reason_text or "No coded reason was given")
    return replace(line, status_reason=reason)


def _trace(cancelled: Cancelled) -> list[TraceRow]:
    """Say that the values are the accepted order's: its own trace is kept with it."""
    return [
        TraceRow(
            target=target,
            source="",
            rule=_STORED_ORDER.id,
            transform="derive:stored-order",
            raw="",
            result=str(cancelled.order_message),
        )
        for target in _STORED
    ]


class _CancelWriter(Writer):
    event = MessageEvent.UPDATE
    title = "Prescription Order Update"
    order_message: UUID

    def _identity(self) -> UUID:
        line = str(self._prescription.lines[0].id)
        return derived_id("cancel", self._submission.tenant.value, self._envelope.control_id, line)

    def _resources(self, release: Leaf) -> Iterator[Resource]:  # noqa: ARG002 - a cancel has no envelope Task to state it
        value, id_of = self._prescription, self._id_of
        identifier, header = self._header(targets(value))
        kind, *rest = header.items()
        yield identifier, dict([kind, ("extension", [_replaces(self.order_message)]), *rest, ("reason", _cancel())])
        yield from medication_requests(value, self._performer(), self._provider.ods, id_of)
        yield patient(value.patient, id_of)
        yield from professional(value.prescriber, "prescriber", id_of)
        if value.responsible_consultant:
            yield from professional(value.responsible_consultant, "responsible_consultant", id_of)
        yield source(self._submission, id_of)


def _replaces(order_message: UUID) -> Element:
    identifier: Element = {
        "system": constant(systems.UUID_SYSTEM, "uuid-system"),
        "value": rule(str(order_message), "order-message"),
    }
    return {"url": constant(systems.REPLACEMENT_EXTENSION, "replacement-of"), "valueIdentifier": identifier}


def _cancel() -> Element:
    coded: Element = {
        "system": constant(systems.MESSAGE_REASON, "message-reason"),
        "code": constant("cancel", "message-reason"),
        "display": constant("Cancellation", "message-reason"),
    }
    return {"coding": [coded]}
