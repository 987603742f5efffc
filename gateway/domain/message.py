"""The message that leaves: exact bytes, their seal, and what they are about."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from gateway.domain.identifiers import OdsCode


class MessageEvent(StrEnum):
    """`https://fhir.nhs.uk/CodeSystem/message-event`."""

    ORDER = "prescription-order"
    UPDATE = "prescription-order-update"
    RESPONSE = "prescription-order-response"
    DISPENSE = "dispense-notification"


@dataclass(frozen=True, slots=True, kw_only=True)
class FhirMessage:
    """A message as written, before its seal: bytes M of D7, ending in `]}`.

    Attributes:
        explained: every leaf's FHIRPath and the canonical path or writer's rule it comes from.
        unexplained: FHIRPaths of leaves with neither. Always empty, or nothing is sealed.
    """

    id: UUID
    event: MessageEvent
    destination: OdsCode
    line_ids: tuple[UUID, ...]
    body: bytes = field(repr=False)
    explained: Sequence[tuple[str, str]] = field(default=(), repr=False, compare=False)
    unexplained: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedMessage:
    """The exact bytes that are sent, resent and proved. Never serialised again.

    Attributes:
        id: Bundle.identifier; the correlation id every acknowledgement must name (I11).
        epoch: fencing number of the allocation; raised by each re-route (I10).
        not_valid_after: a provider must refuse it later than this.
        body: the FHIR message with its seal as the last entry.
        rendered: for a destination that takes another format, the bytes that are sent instead.
    """

    id: UUID
    event: MessageEvent
    destination: OdsCode
    line_ids: tuple[UUID, ...]
    epoch: int
    not_valid_after: datetime
    body: bytes = field(repr=False)
    key_id: str = ""
    rendered: bytes | None = field(default=None, repr=False)
    rendered_type: str = ""

    @property
    def digest(self) -> str:
        """SHA-256 of the sealed bytes, in hex."""
        return hashlib.sha256(self.body).hexdigest()

    @property
    def octets(self) -> bytes:
        """What goes on the wire."""
        return self.body if self.rendered is None else self.rendered

    @property
    def content_type(self) -> str:
        """Media type of `octets`."""
        return self.rendered_type or "application/fhir+json; fhirVersion=4.0"
