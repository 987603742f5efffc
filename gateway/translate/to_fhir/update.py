"""The EPS `prescription-order-update` message: what a cancel, a hold and a release of one line have in common.

It is written from the prescription as it was accepted, never from what the sender repeats of it: the provider must find
the very line it was sent. One message for each line, for EPS allows one MedicationRequest. What is asked is the line's
status, and the reason of the message: EPS knows only `cancel`; `hold` and `release` are ours.

Source: eps.md 1.5, 5.4; mapping.md 4.1.
"""

from collections.abc import Iterator
from dataclasses import replace
from uuid import UUID

from gateway.domain.coding import Coding
from gateway.domain.identifiers import OdsCode, derived_id
from gateway.domain.message import MessageEvent
from gateway.domain.partner import Provider
from gateway.domain.prescription import Prescription
from gateway.domain.submission import Change, Envelope, Submission
from gateway.domain.trace import TraceRow
from gateway.translate.to_fhir import systems
from gateway.translate.to_fhir.evidence import source, targets
from gateway.translate.to_fhir.leaves import Element, Leaf, Node, constant, rule
from gateway.translate.to_fhir.message import Writer
from gateway.translate.to_fhir.order import medication_requests
from gateway.translate.to_fhir.people import Resource, patient, professional

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


def stored_order(order_message: UUID, rule_id: str) -> list[TraceRow]:
    """Say that the values are the accepted order's: its own trace is kept with it."""
    return [
        TraceRow(
            target=target,
            source="",
            rule=rule_id,
            transform="derive:stored-order",
            raw="",
            result=str(order_message),
        )
        for target in _STORED
    ]


def asked_by(original: Prescription, line_id: UUID, change: Change, reason: Coding | None) -> Prescription:
    """Give the prescription with the one line that is meant; whoever asks stands as requester (eps.md 1.5).

    Raises:
        StopIteration: the prescription has no such line; the caller's mistake.
    """
    line = next(line for line in original.lines if line.id == line_id)
    prescriber, responsible = original.prescriber, original.responsible_consultant
    if change.by is not None and change.by.ids and change.by.ids != prescriber.ids:
        prescriber, responsible = replace(change.by, organisation=original.prescriber.organisation), prescriber
    return replace(
        original,
        prescriber=prescriber,
        responsible_consultant=responsible,
        lines=(replace(line, status_reason=reason),),
    )


class UpdateWriter(Writer):
    """One update being written.

    Attributes:
        order_message: Bundle.identifier of the message the line was sent in.
        word: what is asked; the code of the message's reason, and part of its id.
        status: what the line is to be; FHIR R4 medicationrequest-status.
        reason: system and display of that code.
    """

    event = MessageEvent.UPDATE
    title = "Prescription Order Update"

    def __init__(
        self,
        prescription: Prescription,
        *,
        submission: Submission,
        envelope: Envelope,
        provider: Provider,
        organisation: OdsCode,
        order_message: UUID,
        word: str,
        status: str,
        reason: tuple[str, str],
    ) -> None:
        self._word, self._status, self._reason = word, status, reason
        self._order_message = order_message
        super().__init__(
            prescription, submission=submission, envelope=envelope, provider=provider, organisation=organisation
        )

    def _identity(self) -> UUID:
        line = str(self._prescription.lines[0].id)
        return derived_id(self._word, self._submission.tenant.value, self._envelope.control_id, line)

    def _resources(self, release: Leaf) -> Iterator[Resource]:  # noqa: ARG002 - no envelope Task states it here
        value, id_of = self._prescription, self._id_of
        identifier, header = self._header(targets(value))
        kind, *rest = header.items()
        replaced: list[Node] = [_replaces(self._order_message)]
        yield identifier, dict([kind, ("extension", replaced), *rest, ("reason", self._why())])
        yield from medication_requests(value, self._performer(), self._provider.ods, id_of, status=self._status)
        yield patient(value.patient, id_of)
        yield from professional(value.prescriber, "prescriber", id_of)
        if value.responsible_consultant:
            yield from professional(value.responsible_consultant, "responsible_consultant", id_of)
        yield source(self._submission, id_of)

    def _why(self) -> Element:
        system, display = self._reason
        coded: Element = {
            "system": constant(system, "message-reason"),
            "code": constant(self._word, "message-reason"),
            "display": constant(display, "message-reason"),
        }
        return {"coding": [coded]}


def _replaces(order_message: UUID) -> Element:
    identifier: Element = {
        "system": constant(systems.UUID_SYSTEM, "uuid-system"),
        "value": rule(str(order_message), "order-message"),
    }
    return {"url": constant(systems.REPLACEMENT_EXTENSION, "replacement-of"), "valueIdentifier": identifier}
