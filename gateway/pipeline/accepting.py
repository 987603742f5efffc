"""From what was understood of an order to what may be stored: its state, its sealed message, its cancels and holds.

The same for an order that has just come, and for one that was held and is read again.

Source: brief D2, D7; mapping.md 10.2, 10.3.
"""

from dataclasses import replace
from typing import Final
from uuid import UUID

from gateway.domain.cancel import CancelState
from gateway.domain.code_map import entries_in
from gateway.domain.hold import HoldKind, beneath
from gateway.domain.lifecycle import LineState
from gateway.domain.message import SealedMessage
from gateway.domain.submission import Action, Envelope, Submission
from gateway.domain.validity import not_valid_after
from gateway.pipeline.changes import LineCancel, unreachable
from gateway.pipeline.holding import LineHold
from gateway.pipeline.sealing import CANCEL_LASTS, FIRST_EPOCH, follows_paper, seal_facts
from gateway.pipeline.surroundings import Surroundings
from gateway.pipeline.translation import TranslatedOrder
from gateway.ports.acceptance import AcceptedOrder, CancelRequest, HoldRequest
from gateway.ports.sealer import Sealer

MAKES_LINES: Final = frozenset({Action.NEW, Action.REPLACE})
_UNSETTLED: Final = frozenset({CancelState.ASKED, CancelState.PENDING})


class Accepting:
    """Seals what may go, and says what is to be stored of it.

    Args:
        sealer: the gateway's seal.
        around: configuration, tables and adapters.
    """

    def __init__(self, sealer: Sealer, around: Surroundings) -> None:
        self._sealer = sealer
        self._around = around

    def accepted(self, submission: Submission, envelope: Envelope, order: TranslatedOrder) -> AcceptedOrder:
        """Give an order as it is to be stored: sealed where it may go, held otherwise.

        Raises:
            Unavailable: the key is away.
        """
        trust = self._around.trusts[submission.tenant]
        prescription = order.prescription
        state = LineState.HELD
        sealed: SealedMessage | None = None
        if order.message is not None and prescription is not None:
            screened = not trust.screening or prescription.clinical_check is not None
            waits = order.order.needs_review or not screened
            state = LineState.AWAITING_SCREENING if waits else LineState.READY
            sealed = self._seal(submission, envelope, order)
        return AcceptedOrder(
            verdict=order.verdict,
            prescription=prescription,
            message=sealed,
            destination=order.provider.ods if order.provider else None,
            state=state,
            trace=order.trace,
            supersedes=tuple(line.line_id for line in order.supersedes),
            waits_for=tuple(one.line.line_id for one in order.cancels if one.state in _UNSETTLED),
            nhs_number=order.order.nhs_number,
            group_number=order.order.group_number,
            unknown=order.order.unknown,
            entries=entries_in(order.trace) if any(row.version for row in trust.codes) else (),
            paper_follows=sealed is not None and follows_paper(prescription, trust),
        )

    def cancel(
        self, submission: Submission, envelope: Envelope, order: TranslatedOrder, one: LineCancel
    ) -> CancelRequest:
        """Seal the cancel of one line, where something of it may have left; otherwise there is nothing to send.

        Raises:
            Unavailable: the key is away.
        """
        change = order.order.change
        sealed: SealedMessage | None = None
        # Whoever stated after a restore that it has the line was not sent it from here: a person must ring.
        provider = None if unreachable(one.line) else one.provider
        carried = provider is not None and self._around.destinations[provider.ods].promises.updates
        if one.state in _UNSETTLED and one.message is not None and one.line.prescription is not None and carried:
            latest = max(not_valid_after(one.line.prescription), submission.received_at + CANCEL_LASTS)
            facts = replace(
                seal_facts(submission, envelope, one.line.prescription, self._around),
                epoch=max(one.line.epoch, FIRST_EPOCH),
                not_valid_after=latest,
                signature_format="",
                signature_digest="",
                signature_verdict="cancel",
            )
            sealed = self._sealer.seal(one.message, facts)
        return CancelRequest(
            line_id=one.line.line_id,
            seen=beneath(one.line.state, one.line.before),
            state=one.state,
            reason_code=change.reason.code if change and change.reason else "",
            reason=change.reason_text if change else "",
            message=sealed,
            replaced_by=_successor(order, one),
            elsewhere=unreachable(one.line),
        )

    def held(self, submission: Submission, envelope: Envelope, order: TranslatedOrder, one: LineHold) -> HoldRequest:
        """Seal the hold or release of one line, where its provider must be asked.

        Raises:
            Unavailable: the key is away.
        """
        change, prescription = order.order.change, one.line.prescription
        sealed: SealedMessage | None = None
        if one.message is not None and prescription is not None:
            latest = not_valid_after(prescription)
            if one.kind is HoldKind.HOLD:
                # Like a cancel, it matters most where the order is running out; a release never outlives its order.
                latest = max(latest, submission.received_at + CANCEL_LASTS)
            facts = replace(
                seal_facts(submission, envelope, prescription, self._around),
                epoch=max(one.line.epoch, FIRST_EPOCH),
                not_valid_after=latest,
                signature_format="",
                signature_digest="",
                signature_verdict=one.kind.value,
            )
            sealed = self._sealer.seal(one.message, facts)
        return HoldRequest(
            line_id=one.line.line_id,
            kind=one.kind,
            seen=one.line.state,
            beneath=one.beneath,
            open_request=one.line.hold,
            state=one.state,
            reason_code=change.reason.code if change and change.reason else "",
            reason=change.reason_text if change else "",
            message=sealed,
        )

    def _seal(self, submission: Submission, envelope: Envelope, order: TranslatedOrder) -> SealedMessage:
        if order.message is None or order.prescription is None:
            raise ValueError("only a written message can be sealed")
        facts = seal_facts(submission, envelope, order.prescription, self._around)
        if order.signature:
            facts = replace(facts, signature_verdict=order.signature.words)
        if order.rendered:
            facts = replace(facts, rendered=order.rendered.body, rendered_type=order.rendered.content_type)
        return self._sealer.seal(order.message, facts)


def _successor(order: TranslatedOrder, one: LineCancel) -> UUID | None:
    """Give the line that takes the order number of a replaced one over."""
    lines = order.prescription.lines if order.prescription else ()
    return next((line.id for line in lines if line.prior == one.line.line_id), lines[0].id if lines else None)
