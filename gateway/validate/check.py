"""Runs every kind of rule and returns every issue at once, located in the sender's terms."""

from datetime import datetime

from gateway.domain.issue import Effect, Issue, held
from gateway.domain.message import FhirMessage
from gateway.domain.partner import Trust
from gateway.domain.prescription import Prescription
from gateway.domain.reference import Reference
from gateway.domain.signature import PrescriberVerdict
from gateway.domain.submission import Order
from gateway.validate.clinical import Findings, check_prescription
from gateway.validate.eps import check_message
from gateway.validate.fhir.checker import FhirChecker
from gateway.validate.locate import Locator
from gateway.validate.written import check_written, read_back


def check(
    order: Order,
    prescription: Prescription | None,
    message: FhirMessage | None,
    *,
    trust: Trust,
    reference: Reference,
    now: datetime,
    fhir: FhirChecker | None = None,
    signature: PrescriberVerdict | None = None,
) -> tuple[Issue, ...]:
    """Check an order before it may be sealed.

    Args:
        order: as read; its trace says where each value stood.
        prescription: None when the reading could not be completed, whose issues then stand alone.
        message: as written; None when no destination was found.
        trust: the sender, whose signature policy applies.
        reference: the product tables in force.
        now: when the submission was received.
        fhir: the check of every message that is written; None only where there is none to give.
        signature: the verdict on the prescriber's signature, if there is one.

    Returns:
        Every issue the reader has not already told of, in the order of the rules.

    Raises:
        Nothing.
    """
    if prescription is None:
        return ()
    locate = Locator(order)
    seen = Findings(
        prescription=prescription, trust=trust, reference=reference, now=now, locate=locate, signature=signature
    )
    bundle = read_back(message) if message else None
    found = [*check_prescription(seen), *(check_message(message, locate, bundle) if message else ())]
    if message and fhir and not (held(order.issues) or any(issue.effect is not Effect.WARN for issue in found)):
        found += check_written(message, fhir, bundle)  # what is held already has its reasons, in the sender's own terms
    told = {(issue.code, issue.location) for issue in order.issues}
    return tuple(dict.fromkeys(issue for issue in found if (issue.code, issue.location) not in told))
