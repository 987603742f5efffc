"""Runs every kind of rule and returns every issue at once, located in the sender's terms."""

from datetime import datetime

from gateway.domain.issue import Issue
from gateway.domain.message import FhirMessage
from gateway.domain.partner import Trust
from gateway.domain.prescription import Prescription
from gateway.domain.reference import Reference
from gateway.domain.submission import Order
from gateway.validate.clinical import Findings, check_prescription
from gateway.validate.eps import check_message
from gateway.validate.locate import Locator


def check(
    order: Order,
    prescription: Prescription | None,
    message: FhirMessage | None,
    *,
    trust: Trust,
    reference: Reference,
    now: datetime,
) -> tuple[Issue, ...]:
    """Check an order before it may be sealed.

    Args:
        order: as read; its trace says where each value stood.
        prescription: None when the reading could not be completed, whose issues then stand alone.
        message: as written; None when no destination was found.
        trust: the sender, whose signature policy applies.
        reference: the product tables in force.
        now: when the submission was received.

    Returns:
        Every issue the reader has not already told of, in the order of the rules.

    Raises:
        Nothing.
    """
    if prescription is None:
        return ()
    locate = Locator(order)
    seen = Findings(prescription=prescription, trust=trust, reference=reference, now=now, locate=locate)
    found = [*check_prescription(seen), *(check_message(message, locate) if message else ())]
    told = {(issue.code, issue.location) for issue in order.issues}
    return tuple(dict.fromkeys(issue for issue in found if (issue.code, issue.location) not in told))
