"""What a provider reports, and what came of it.

Source: mapping.md 9.3; reliability-security.md I11, I13.
"""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from gateway.domain.identifiers import OdsCode


@dataclass(frozen=True, slots=True, kw_only=True)
class Callback:
    """What a provider posted, as received."""

    destination: OdsCode
    received_at: datetime
    content_type: str
    body: bytes = field(repr=False)


class Effectiveness(StrEnum):
    """What a callback did."""

    APPLIED = "applied"
    REPEAT = "repeat"
    """The same answer id with the same bytes: nothing new."""
    KEPT = "kept"
    """Stored and alerted; nothing moved (I11, I13)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallbackResult:
    """What became of a callback.

    Attributes:
        kind: of the alert that was opened for the whole answer; empty where it was followed, or a line did not move.
    """

    effect: Effectiveness
    reasons: tuple[str, ...] = ()
    kind: str = ""
