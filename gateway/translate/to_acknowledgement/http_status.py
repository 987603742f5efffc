"""The HTTP status that goes with an answer in FHIR or XML.

Source: mapping.md 9.2.
"""

from collections.abc import Sequence

from gateway.domain.issue import Issue
from gateway.domain.submission import Outcome, Verdict

OK = 200
ACCEPTED = 202
BAD_REQUEST = 400
FORBIDDEN = 403
CONFLICT = 409
CONTENT_TOO_LARGE = 413
UNSUPPORTED = 415
UNPROCESSABLE = 422
UNAVAILABLE = 503

_UNREAD = {"TOO_LARGE": CONTENT_TOO_LARGE, "CONTENT_TYPE_UNSUPPORTED": UNSUPPORTED, "NOT_STORED": UNAVAILABLE}
_REFUSED = {"CONTROL_ID_REUSED": CONFLICT, "SENDER_MISMATCH": FORBIDDEN, "NOT_STORED": UNAVAILABLE}


def of_verdict(verdict: Verdict) -> int:
    """Give the status for a message that could be read."""
    if verdict.outcome is Outcome.REFUSED:
        return next((_REFUSED[issue.code] for issue in verdict.issues if issue.code in _REFUSED), UNPROCESSABLE)
    return ACCEPTED if verdict.outcome is Outcome.HELD else OK


def of_unread(issues: Sequence[Issue]) -> int:
    """Give the status for a body that could not be read."""
    return next((_UNREAD[issue.code] for issue in issues if issue.code in _UNREAD), BAD_REQUEST)
