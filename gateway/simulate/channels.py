"""How a trust reaches the gateway: MLLP, or one of the three HTTP doors. Each gives the answer and how it reads."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import aiohttp

from gateway.simulate.messages import MEDIA_TYPES, Style
from gateway.simulate.mllp_line import Line
from gateway.simulate.signing import HEADER
from gateway.simulate.standing import Reply, Standing, read_fhir, read_v2, read_xml

_NOT_TAKEN = frozenset({429, 500, 502, 503, 504})
PATHS: dict[Style, str] = {
    Style.V2_ENHANCED: "/hl7v2",
    Style.V2_ORIGINAL: "/hl7v2",
    Style.V2_OMP: "/hl7v2",
    Style.XML: "/xml",
    Style.FHIR: "/FHIR/R4/$process-message",
}


class NotAnsweredError(Exception):
    """No answer came; the message may or may not have been taken, so the same bytes must be sent again."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The bytes of an answer and what they say."""

    body: bytes
    reply: Reply


class Channel(Protocol):
    """A way to send one message at a time."""

    async def send(self, message: bytes, style: Style) -> Answer:
        """Send a message and wait for its answer. Raises `NotAnsweredError`."""

    async def close(self) -> None:
        """Let go."""


class MllpChannel:
    """HL7 v2 over MLLP."""

    def __init__(self, host: str, port: int, *, patience_seconds: float) -> None:
        self._line = Line(host, port, patience_seconds=patience_seconds)

    async def send(self, message: bytes, style: Style) -> Answer:  # noqa: ARG002 - one format only
        """Send over the line."""
        try:
            body = await self._line.exchange(message)
        except ConnectionError as error:
            raise NotAnsweredError(str(error)) from error
        return Answer(body, read_v2(body))

    async def close(self) -> None:
        """Hang up."""
        self._line.hang_up()


class HttpChannel:
    """POST with a bearer token.

    Args:
        base: the gateway's HTTP address; `token`: the trust's credential there.
        patience_seconds: how long an answer may take.
        sign: how its prescribers sign a message; None where they do not.
    """

    def __init__(
        self, base: str, token: str, *, patience_seconds: float, sign: Callable[[bytes], str] | None = None
    ) -> None:
        self._base = base
        self._headers = {"Authorization": f"Bearer {token}"}
        self._sign = sign
        self._timeout = aiohttp.ClientTimeout(total=patience_seconds)
        self._session: aiohttp.ClientSession | None = None

    async def send(self, message: bytes, style: Style) -> Answer:
        """POST to the door of the style's format."""
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=self._timeout, headers=self._headers)
        headers = {"Content-Type": MEDIA_TYPES[style]} | ({HEADER: self._sign(message)} if self._sign else {})
        try:
            async with self._session.post(self._base + PATHS[style], data=message, headers=headers) as response:
                body, status = await response.read(), response.status
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise NotAnsweredError(type(error).__name__) from error
        return Answer(body, _read(body, status, style))

    async def close(self) -> None:
        """Close the session."""
        if self._session is not None:
            await self._session.close()


def _read(body: bytes, status: int, style: Style) -> Reply:
    if status in _NOT_TAKEN:
        return Reply(standing=Standing.AGAIN)
    if style is Style.XML:
        return read_xml(body)
    if style is Style.FHIR:
        return read_fhir(body, status)
    return read_v2(body)
