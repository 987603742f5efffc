"""The gateway's seal over a message, and the facts that it binds.

Source: brief D7; reliability-security.md I5.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from gateway.domain.identifiers import OdsCode
from gateway.domain.message import FhirMessage, SealedMessage


class Sealer(Protocol):
    """The gateway's seal (D7)."""

    def seal(self, message: FhirMessage, facts: "SealFacts") -> SealedMessage:
        """Put the seal on a message. Raises `Unavailable` when the key is away."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SealFacts:
    """What the manifest states beside the message's own digest (reliability-security.md 6.2)."""

    originator: OdsCode
    source_type: str
    source_digest: str
    control_id: str
    received_at: datetime
    epoch: int
    not_valid_after: datetime
    map_version: str
    reference_release: str
    rendered: bytes | None = field(default=None, repr=False)
    rendered_type: str = ""
    signature_format: str = ""
    signature_digest: str = ""
    signature_verdict: str = "none"
    """`none`, `stated by trust`, `paper follows`, `valid`, … as D8 shows it."""
