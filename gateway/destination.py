"""The contract every destination keeps: what an adapter promises. Read this file to write one.

An adapter is a class, found by the entry-point group `gateway.adapters`. It is given a provider's settings, and it has
five members. It may import this module, `gateway.domain` and `gateway.wire`, and nothing else of the gateway.

Rules, and why:

1. What the provider's format cannot express is said by `cannot_carry`, before anything is sealed, so that the trust
   learns it at once. An adapter never drops a field in silence (D13).
2. `render` is pure and runs before the commit; its digest is sealed. `transmit` sends `transmission.octets` and
   nothing else: bytes are signed, not objects (D7).
3. `transmit` answers with one of four outcomes. When the request may have arrived and no decisive answer came, the
   answer is `InDoubt`, never a guess. Any exception is treated as `InDoubt` (I12).
4. `read_acknowledgement` knows the provider's words. A word it does not know becomes an issue, never a success.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Protocol
from uuid import UUID

from gateway.domain.acknowledgement import Acknowledgement
from gateway.domain.issue import Issue
from gateway.domain.partner import Provider
from gateway.domain.prescription import Prescription

CONTRACT_VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Promises:
    """What this adapter and its provider's system are known to do; each is tested by the contract suite.

    Attributes:
        contract: version of this contract the adapter was written for.
        formats: media types it sends.
        answers_inline: whether the response to `transmit` may carry the application answer.
        updates: whether it can carry a cancel.
        refuses_expired: whether it is proven to supply nothing before the gateway has taken its acceptance (answered
            2xx to it), and nothing from a message later than its seal's not-valid-after. Only then may what expired
            there, and was never taken on, be given to another provider (I10).
        holds: whether it can carry a hold and a release, and its provider's system answers them.
    """

    contract: int = CONTRACT_VERSION
    formats: tuple[str, ...] = ("application/fhir+json",)
    answers_inline: bool = False
    updates: bool = True
    refuses_expired: bool = False
    holds: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """The bytes of a format that is not FHIR, made before sealing."""

    body: bytes = field(repr=False)
    content_type: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Transmission:
    """One sealed message on its way to one destination.

    Attributes:
        message_id: Bundle.identifier; the provider must name it in its answer.
        octets: exactly what to send.
        attempt: from 1; a later attempt of the same message carries the same octets.
        possible_duplicate: an earlier attempt may have arrived.
    """

    message_id: UUID
    octets: bytes = field(repr=False)
    content_type: str
    attempt: int
    possible_duplicate: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """The provider's system has it. `acknowledgement` if the response said more than that.

    Attributes:
        evidence: the response body, kept as proof of delivery.
    """

    evidence: bytes = field(default=b"", repr=False)
    acknowledgement: Acknowledgement | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """The provider's system refuses the message itself; sending it again would not help."""

    reason: str
    evidence: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class TryLater:
    """Proven not taken: the connection was refused, or the provider said so (429, 503, AR, CE)."""

    reason: str
    after_seconds: float | None = None
    failure: str = ""
    """Name of the error behind it, for the log alone; people read `reason`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InDoubt:
    """It may have arrived. Nobody knows; only the provider can tell."""

    reason: str
    evidence: bytes = field(default=b"", repr=False)
    failure: str = ""
    """As of `TryLater`."""


TransmitOutcome = Taken | Refused | TryLater | InDoubt


@dataclass(frozen=True, slots=True, kw_only=True)
class Unrecognised:
    """A callback that is not an answer this adapter knows. Stored, shown, alerted; changes nothing."""

    issues: tuple[Issue, ...]


class Destination(Protocol):
    """What an adapter implements. One instance serves one provider for the life of the process."""

    name: ClassVar[str]
    promises: ClassVar[Promises]

    def __init__(self, provider: Provider) -> None:
        """Take the provider's settings. No I/O here."""

    def cannot_carry(self, prescription: Prescription) -> tuple[Issue, ...]:
        """Give the issues (PROVIDER_CANNOT_CARRY) for what this provider's format cannot express. Pure."""

    def render(self, prescription: Prescription, message: bytes) -> Rendered | None:
        """Give the bytes to send in a format that is not FHIR; None to send the sealed FHIR message itself. Pure."""

    async def transmit(self, transmission: Transmission) -> TransmitOutcome:
        """Send the octets once and say what is known of the result."""

    def read_acknowledgement(self, headers: Mapping[str, str], body: bytes) -> Acknowledgement | Unrecognised:
        """Read a callback. Header names are lower-case. Pure; the sender has already been authenticated."""

    async def close(self) -> None:
        """Let go of connections."""
