"""The hold or release of one line to a `prescription-order-update` message: the line on hold, or active again.

EPS has neither; the status of the line is FHIR's own word, and the reason of the message says which is asked.

Source: mapping.md 4.1; eps.md 1.5; FHIR R4 medicationrequest-status.
"""

from dataclasses import dataclass
from uuid import UUID

from gateway.domain.coding import Coding
from gateway.domain.hold import HoldKind
from gateway.domain.identifiers import OdsCode
from gateway.domain.message import FhirMessage
from gateway.domain.partner import Environment, Provider
from gateway.domain.prescription import Prescription
from gateway.domain.submission import Change, Envelope, Submission
from gateway.translate.maps.rules import GATEWAY
from gateway.translate.to_fhir import systems
from gateway.translate.to_fhir.update import UpdateWriter, asked_by, stored_order

_STORED_ORDER = GATEWAY.named("HOLD.stored-order")
_STATUS = {HoldKind.HOLD: "on-hold", HoldKind.RELEASE: "active"}
_TITLES = {HoldKind.HOLD: "Put on hold", HoldKind.RELEASE: "Release from hold"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """The line to be held or released, as it was accepted.

    Attributes:
        order_message: Bundle.identifier of the message it was sent in.
        change: the reason, and who asks.
    """

    prescription: Prescription
    line_id: UUID
    order_message: UUID
    change: Change
    kind: HoldKind


def write_hold(
    held: Held,
    *,
    submission: Submission,
    envelope: Envelope,
    provider: Provider,
    environment: Environment,
    organisation: OdsCode,
    reference_release: str,
) -> FhirMessage:
    """Write the hold or release of one line.

    Args:
        held: the line, its prescription, what is asked and why.
        submission: the bytes that asked for it.
        envelope: what they said of themselves.
        provider: the holder of the line.
        environment: ours; a test message is marked.
        organisation: the gateway's own ODS code.
        reference_release: the reference data in force.

    Raises:
        StopIteration: the prescription has no such line; the caller's mistake.
    """
    writer = UpdateWriter(
        _one_line(held),
        submission=submission,
        envelope=envelope,
        provider=provider,
        organisation=organisation,
        order_message=held.order_message,
        word=held.kind.value,
        status=_STATUS[held.kind],
        reason=(systems.HOLD_REASON, _TITLES[held.kind]),
    )
    return writer.message(stored_order(held.order_message, _STORED_ORDER.id), environment, reference_release)


def _one_line(held: Held) -> Prescription:
    """Give the prescription with the one line, and the sender's reason where one was given."""
    words = held.change.reason_text
    reason = held.change.reason or (Coding(code="", display=words) if words else None)
    return asked_by(held.prescription, held.line_id, held.change, reason)
