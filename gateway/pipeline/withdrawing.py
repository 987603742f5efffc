"""The gateway's own message to a holder to stop: the validity is over, or another provider is to have the line.

It is a cancel in the dialect, which has no other message that stops a supply, and is checked like every message.

Source: mapping.md 10.2; reliability-security.md I10; brief D6.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from gateway.domain.coding import Coding
from gateway.domain.message import SealedMessage
from gateway.domain.partner import Provider
from gateway.domain.reroute import WrittenOrder
from gateway.domain.submission import Change
from gateway.pipeline.sealing import seal_facts
from gateway.pipeline.surroundings import Surroundings, faults_of
from gateway.ports.sealer import Sealer
from gateway.translate.to_fhir.cancel import Cancelled, write_cancel


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdrawal:
    """What the holder of one line is to be told.

    Attributes:
        order_message: Bundle.identifier of the message the line was sent in.
        name: tells this message from any other about the line; part of its id.
        why: the reason, in words.
        reason: one of the coded reasons of EPS, where one is true.
    """

    line_id: UUID
    order_message: UUID
    epoch: int
    name: str
    why: str
    not_valid_after: datetime
    reason: Coding | None = None


def seal_withdrawal(
    withdrawal: Withdrawal, *, written: WrittenOrder, provider: Provider, around: Surroundings, sealer: Sealer
) -> SealedMessage | None:
    """Write, check and seal it.

    Returns:
        None where the order is not at hand, the provider's adapter carries no cancel, or the message fails our check.
    """
    destination = around.destinations.get(provider.ods)
    if destination is None or not destination.promises.updates or written.prescription is None:
        return None
    message = write_cancel(
        Cancelled(
            prescription=written.prescription,
            line_id=withdrawal.line_id,
            order_message=withdrawal.order_message,
            change=Change(reason=withdrawal.reason, reason_text=withdrawal.why),
        ),
        submission=written.submission,
        envelope=replace(written.envelope, control_id=withdrawal.name),
        provider=provider,
        environment=around.environment,
        organisation=around.organisation,
        reference_release=around.reference.release,
    )
    if faults_of(message, around):
        return None
    facts = replace(
        seal_facts(written.submission, written.envelope, written.prescription, around),
        epoch=withdrawal.epoch,
        not_valid_after=withdrawal.not_valid_after,
        signature_format="",
        signature_digest="",
        signature_verdict="cancel",
    )
    return sealer.seal(message, facts)
