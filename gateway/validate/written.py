"""The FHIR check of what we wrote ourselves, before it may be sealed.

A fault here is the gateway's own, whatever the sender did: the order is held and the operator is told. Nothing that
fails the check leaves (brief D6).
"""

from collections.abc import Iterator
from typing import Final

from gateway.domain.issue import Issue
from gateway.domain.message import FhirMessage
from gateway.validate.fhir.checker import FhirChecker, check_body
from gateway.validate.fhir.finding import Level
from gateway.wire.strict_json import JSON, JsonError, reread

OF_EPS_ALONE: Final = frozenset(
    {
        "eps-5.3 expectedSupplyDuration",
        "eps-5.3 numberOfRepeatsAllowed",
    }
)
"""Rules that do not bind a homecare message: EPS issues a prescription as a whole, whereas each homecare line may be
supplied for its own length of time, and as often as it says."""


def check_written(message: FhirMessage, checker: FhirChecker, bundle: JSON = None) -> Iterator[Issue]:
    """Give an issue for each error in a message of ours, by rule and FHIRPath, never by value.

    Args:
        message: as written.
        checker: what it is checked against.
        bundle: the message as read back from its bytes, where the caller has done so.
    """
    for finding in checker.check(bundle) if isinstance(bundle, dict) else check_body(checker, message.body):
        if finding.level is Level.ERROR and finding.rule not in OF_EPS_ALONE:
            text = f"The message written from this order fails its check: {finding.text} ({finding.rule})."
            yield Issue(code="MESSAGE_INVALID", location=finding.expression, text=text)


def read_back(message: FhirMessage) -> JSON:
    """Read a message from its bytes, once for every rule; None where that fails, which the rules then say."""
    try:
        return reread(message.body)
    except JsonError:
        return None
