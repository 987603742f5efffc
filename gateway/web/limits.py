"""What the HTTP door puts a limit on: size, time, media type, and how many requests a tenant may have under way.

Source: reliability-security.md I19 and 4.4 (W03, W08, W09, W13, W19).
"""

import asyncio
import hashlib
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from starlette.datastructures import Headers

from gateway.domain.identifiers import OdsCode
from gateway.domain.issue import Issue
from gateway.domain.submission import TooLarge
from gateway.web.turned import Turned

_MEBIBYTE = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Limits of the HTTP door.

    Attributes:
        body_bytes: largest message or callback: a prescription is about 20 KB, one with a signed PDF under 3 MiB.
        drained_bytes: how much of a body that is too large is read on, so that its length and digest can be kept and
            the sender can hear why; beyond it the connection is closed.
        body_seconds: from the last header to the last byte of the body (slow-loris, W03).
        in_flight: requests one tenant may have under way at once; the commit is grouped, so a few dozen saturate it.
        retry_after_seconds: what a sender is told with 429 and 503.
        full_retry_after_seconds: the same where there is no room for new work, which takes longer to make.
    """

    body_bytes: int = 5 * _MEBIBYTE
    drained_bytes: int = 32 * _MEBIBYTE
    body_seconds: float = 30.0
    in_flight: int = 64
    retry_after_seconds: int = 2
    full_retry_after_seconds: int = 30


async def read_body(stream: AsyncIterator[bytes], limits: Limits) -> bytes | TooLarge:
    """Read a body while counting; never more than the limit is held in memory.

    Returns:
        The bytes; or length and SHA-256 of a body past the limit, read on up to `drained_bytes`.

    Raises:
        Turned: 408, the body did not arrive in time.
    """
    body = bytearray()
    try:
        async with asyncio.timeout(limits.body_seconds):
            async for chunk in stream:
                if len(body) + len(chunk) > limits.body_bytes:
                    return await _drain(stream, body, chunk, limits.drained_bytes)
                body += chunk
    except TimeoutError:
        raise Turned(
            408,
            Issue(code="TOO_SLOW", location="", text=f"The body did not arrive within {limits.body_seconds:g} s."),
            close=True,
        ) from None
    return bytes(body)


async def _drain(stream: AsyncIterator[bytes], body: bytearray, chunk: bytes, most: int) -> TooLarge:
    digest = hashlib.sha256(body)
    digest.update(chunk)
    length = len(body) + len(chunk)
    body.clear()
    async for more in stream:
        digest.update(more)
        length += len(more)
        if length > most:
            return TooLarge(length=length, digest=digest.hexdigest(), cut_off=True)
    return TooLarge(length=length, digest=digest.hexdigest())


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaRule:
    """Which media types an address takes and gives.

    Attributes:
        accepted: type/subtype, in lower case.
        charsets: what a `charset` parameter may say.
        fhir_version: what a `fhirVersion` parameter must say.
    """

    accepted: tuple[str, ...]
    charsets: frozenset[str] = frozenset({"utf-8"})
    fhir_version: str = ""


HL7V2 = MediaRule(
    accepted=("application/hl7-v2", "application/hl7-v2+er7", "x-application/hl7-v2", "x-application/hl7-v2+er7"),
    charsets=frozenset({"utf-8", "us-ascii", "iso-8859-1"}),  # what MSH-18 may say; MSH-18 decides
)
XML = MediaRule(accepted=("application/xml", "text/xml"))
FHIR = MediaRule(accepted=("application/fhir+json", "application/json"), fhir_version="4.0")
FHIR_ORDER = MediaRule(accepted=(*FHIR.accepted, "application/fhir+xml"), fhir_version="4.0")
"""What takes prescriptions also takes FHIR XML."""
FORM = MediaRule(accepted=("application/x-www-form-urlencoded",))


def media_type(headers: Headers, rule: MediaRule) -> str:
    """Check Content-Type and Content-Encoding, and give the type as sent.

    Raises:
        Turned: 415, saying what is accepted.
    """
    if any(encoding.strip().lower() != "identity" for encoding in headers.getlist("content-encoding")):
        raise _unsupported("Send the body without Content-Encoding.")
    stated = headers.getlist("content-type")
    if len(stated) != 1:
        raise _unsupported(f"State exactly one Content-Type: {' or '.join(rule.accepted)}.")
    kind, parameters = _split(stated[0])
    if kind not in rule.accepted:
        raise _unsupported(f"Send {' or '.join(rule.accepted)}.")
    if parameters.get("charset", "utf-8") not in rule.charsets:
        raise _unsupported(f"Send the character set {' or '.join(sorted(rule.charsets))}.")
    if rule.fhir_version and not parameters.get("fhirversion", rule.fhir_version).startswith(rule.fhir_version):
        raise _unsupported(f"Send FHIR version {rule.fhir_version}.")
    return stated[0]


def answer_type(headers: Headers, rule: MediaRule) -> None:
    """Check that the caller can take the answer we give.

    Raises:
        Turned: 406, when an Accept header leaves out every type of this address.
    """
    ranges = {_split(part)[0] for value in headers.getlist("accept") for part in value.split(",")}
    families = {f"{kind.partition('/')[0]}/*" for kind in rule.accepted}
    if ranges and not ranges & {"*/*", "", *rule.accepted, *families}:
        text = f"Accept {' or '.join(rule.accepted)}."
        raise Turned(406, Issue(code="ANSWER_TYPE_UNSUPPORTED", location="", text=text))


def _split(value: str) -> tuple[str, dict[str, str]]:
    kind, *rest = value.split(";")
    pairs = (part.partition("=") for part in rest)
    return kind.strip().lower(), {name.strip().lower(): text.strip().strip('"').lower() for name, _, text in pairs}


def _unsupported(text: str) -> Turned:
    return Turned(415, Issue(code="CONTENT_TYPE_UNSUPPORTED", location="", text=text))


class Slots:
    """How many requests each tenant has under way; one sender cannot starve another (I19)."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._taken: Counter[OdsCode] = Counter()

    @contextmanager
    def one(self, tenant: OdsCode) -> Iterator[None]:
        """Hold a slot of a tenant.

        Raises:
            Turned: 429, all of them are taken.
        """
        if self._taken[tenant] >= self._limits.in_flight:
            text = f"At most {self._limits.in_flight} messages of one sender are taken at once."
            raise Turned(
                429,
                Issue(code="TOO_MANY_REQUESTS", location="", text=text),
                retry_after_seconds=self._limits.retry_after_seconds,
            )
        self._taken[tenant] += 1
        try:
            yield
        finally:
            self._taken[tenant] -= 1
            if not self._taken[tenant]:
                del self._taken[tenant]
