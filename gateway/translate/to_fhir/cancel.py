"""The cancel of one line to the EPS `prescription-order-update` message.

It is written from the prescription as it was accepted, never from what the cancel repeats of it: the provider must find
the very line it was sent. One message for each line, for EPS allows one MedicationRequest.

Source: eps.md 1.5, 5.4, 6.6; mapping.md 4.1, 4.3; reliability-security.md I7, I22.
"""

from dataclasses import dataclass
from uuid import UUID

from gateway.domain.coding import Coding
from gateway.domain.identifiers import OdsCode, derived_id
from gateway.domain.message import FhirMessage
from gateway.domain.partner import Environment, Provider
from gateway.domain.prescription import Prescription
from gateway.domain.submission import Change, Envelope, Submission
from gateway.translate.maps.rules import GATEWAY
from gateway.translate.to_fhir import systems
from gateway.translate.to_fhir.update import UpdateWriter, asked_by, stored_order

_STORED_ORDER = GATEWAY.named("CANCEL.stored-order")


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


class _CancelWriter(UpdateWriter):
    """A cancel being written, named by when it was asked as well.

    Asked again after a restore that lost it, it is another message, to which a holder that recognises repeats answers
    anew; only such an answer confirms it (I7). Said twice, a cancel says what it said once.
    """

    def _identity(self) -> UUID:
        asked, line = self._submission.received_at.isoformat(), str(self._prescription.lines[0].id)
        return derived_id(self._word, self._submission.tenant.value, self._envelope.control_id, line, asked)


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
        prescription,
        submission=submission,
        envelope=envelope,
        provider=provider,
        organisation=organisation,
        order_message=cancelled.order_message,
        word="cancel",
        status="cancelled",
        reason=(systems.MESSAGE_REASON, "Cancellation"),
    )
    return writer.message(stored_order(cancelled.order_message, _STORED_ORDER.id), environment, reference_release)


def _as_cancelled(cancelled: Cancelled) -> Prescription:
    """Give the prescription with the one line, and the reason."""
    change = cancelled.change
    reason = change.reason or Coding(code="", display=change.reason_text or "No coded reason was given")
    return asked_by(cancelled.prescription, cancelled.line_id, change, reason)
