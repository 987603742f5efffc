"""What an answer says, as a digest: by it the same answer in other bytes is known again, years later too."""

import hashlib
from typing import Final

from gateway.domain.acknowledgement import Acknowledgement, LineReport
from gateway.store.document import encode

_MEANS: Final = (
    "line_id",
    "event",
    "reason_code",
    "reason",
    "amount",
    "unit",
    "batch",
    "expiry",
    "supplied_at",
)
"""The members of a report that always made its meaning. Any other joins them only where it is said: otherwise answers
that were taken before it existed would be new ones."""


def meaning(answer: Acknowledgement | None) -> str:
    """Give a digest of what an answer says; one that could not be read says nothing."""
    said: tuple[object, ...] = ()
    if answer is not None:
        said = (answer.correlation, answer.epoch, [_as_ever(one) for one in answer.reports], answer.issues)
        said += (answer.replaces, answer.prescription_number) if answer.replaces or answer.prescription_number else ()
        numbers = [(one.issue, one.supplies_left) for one in answer.reports]
        said += (numbers,) if any(number != (None, None) for number in numbers) else ()
    return hashlib.sha256(encode(said)).hexdigest()


def _as_ever(report: LineReport) -> dict[str, object]:
    return {field: getattr(report, field) for field in _MEANS}
