"""What the seal of a message states beside its digest, taken from the submission the message was written from.

Source: reliability-security.md 6.2.
"""

from datetime import timedelta
from typing import Final

from gateway.domain.code_map import maps_version
from gateway.domain.partner import SignaturePolicy, Trust
from gateway.domain.prescription import Prescription
from gateway.domain.submission import Envelope, Submission
from gateway.domain.validity import not_begun_after
from gateway.pipeline.surroundings import Surroundings
from gateway.ports.sealer import SealFacts
from gateway.translate.context import MAP_VERSION
from gateway.translate.formats import FORMATS

FIRST_EPOCH: Final = 1
CANCEL_LASTS: Final = timedelta(days=90)
"""A cancel stays valid at least this long: it matters most where the order itself is running out."""

_SIGNATURE_WORDS: dict[SignaturePolicy, str] = {
    SignaturePolicy.REQUIRED: "required",
    SignaturePolicy.TRUST_ATTESTED: "stated by trust",
    SignaturePolicy.PAPER_FOLLOWS: "paper follows",
}


def _maps(trust: Trust) -> str:
    """Name the rules a message was read by, and the entries that were approved for its trust at the console."""
    approved = maps_version(trust)
    return f"{MAP_VERSION}+{approved}" if approved else MAP_VERSION


def follows_paper(prescription: Prescription | None, trust: Trust) -> bool:
    """Tell whether a prescription goes with the words that its signed paper original follows (D8)."""
    unsigned = prescription is not None and prescription.signature is None
    return unsigned and trust.signature_policy is SignaturePolicy.PAPER_FOLLOWS


def seal_facts(
    submission: Submission, envelope: Envelope, prescription: Prescription, around: Surroundings
) -> SealFacts:
    """Give the facts of a first order message; what differs for another is replaced by who writes it."""
    signature = prescription.signature
    return SealFacts(
        originator=submission.tenant,
        source_type=submission.content_type or FORMATS[submission.format].status_type,
        source_digest=submission.digest,
        control_id=envelope.control_id,
        received_at=submission.received_at,
        epoch=FIRST_EPOCH,
        not_valid_after=not_begun_after(prescription, around.reference.products),
        map_version=_maps(around.trusts[submission.tenant]),
        reference_release=around.reference.release,
        signature_format=signature.format if signature else "",
        signature_digest=signature.digest if signature else "",
        signature_verdict="carried, not verified"
        if signature
        else _SIGNATURE_WORDS[around.trusts[submission.tenant].signature_policy],
    )
