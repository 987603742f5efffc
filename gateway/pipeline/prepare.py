"""What a prescriber is asked to sign: the EPS digest of an order in any format. Nothing is stored.

An EPS message is digested as it is; anything else is translated, and the digest is of the FHIR message that would be
sent. What would not be sent is not prepared, with the same reasons.

Source: brief D8; eps.md 4.1 to 4.3.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from gateway.domain.errors import Refusal
from gateway.domain.issue import Issue
from gateway.domain.partner import SignaturePolicy
from gateway.domain.submission import Outcome, Submission
from gateway.pipeline.signature import own_bundle, written_bundle
from gateway.pipeline.surroundings import Surroundings
from gateway.pipeline.translate import read, translate
from gateway.sign.eps_bundle import EpsOrder, Unsignable
from gateway.sign.eps_digest import Algorithm, Prepared, prepare


def prepare_submission(
    submission: Submission, around: Surroundings, when: datetime, algorithm: Algorithm = Algorithm.RS256
) -> Prepared:
    """Prepare the order of a submission for signing.

    Args:
        submission: in any format; its tenant is the sender.
        around: configuration and tables.
        when: the signing time, aware; it must come back with the signature.
        algorithm: RS1 only reproduces old answers.

    Raises:
        Refusal: it cannot be read, would not be sent, holds several prescriptions, or lacks a part that is signed.
    """
    own = own_bundle(submission, around.fhir_xml)
    bundle = own or _written(submission, around)
    try:
        return prepare(EpsOrder(bundle, sparse=own is None), when, algorithm)
    except Unsignable as error:
        text = f"A part that the prescriber signs cannot be found: {error.text}."
        raise Refusal(Issue(code="FIELD_MISSING", location=error.location, text=text)) from None
    except (ValueError, TypeError, AttributeError):
        text = "A part that the prescriber signs has another shape than FHIR gives it."
        raise Refusal(Issue(code="STRUCTURE_INVALID", location="Bundle", text=text)) from None


def _written(submission: Submission, around: Surroundings) -> Mapping[str, Any]:
    """Translate, with the signature that is still to be made left out of the rules."""
    trust = replace(around.trusts[submission.tenant], signature_policy=SignaturePolicy.TRUST_ATTESTED)
    around = replace(around, trusts={**around.trusts, submission.tenant: trust})
    translation = translate(submission, read(submission, around), (), around)
    written = [order.message for order in translation.orders if order.message is not None]
    if translation.verdict.outcome is not Outcome.TRANSLATED or not written:
        raise Refusal(*translation.verdict.issues)
    if len(written) > 1:
        text = "There are several prescriptions here; each is signed by itself. Send one."
        raise Refusal(Issue(code="TOO_MANY_ITEMS", location="", text=text))
    return written_bundle(written[0]) or {}
