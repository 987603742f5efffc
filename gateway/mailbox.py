"""How a trust is told things after its first answer: over MLLP to its listener, or by HTTP POST.

A trust's mailbox keeps the rules of a destination (rules 2 and 3 of `gateway.destination`), so telling goes through the
same outbox, the same retry and the same history. Being told the same thing twice, under the same control id, harms
nobody; so doubt is answered by saying it again.

=====================================  ====================================================================
what the trust answers                 what that means
=====================================  ====================================================================
MSA-1 AA or CA, naming our message     told
MSA-1 AR or CE, naming our message     not now: say it again later
MSA-1 AE or CR, naming our message     it will not have it: give up, and a person is told
HTTP 200, 201, 202 or 204              told; where the body is HL7, its MSA-1 decides
HTTP 400, 410, 413, 415 or 422         it will not have it
HTTP 401, 403, 404, 408, 429 or 5xx    not now
anything else                          in doubt: say it again
=====================================  ====================================================================

Source: mapping.md 9.1; reliability-security.md I11, A07 to A10.
"""

import asyncio
from collections.abc import Iterable, Mapping
from contextlib import suppress
from http import HTTPStatus
from typing import Final, Protocol

import aiohttp

from gateway.destination import InDoubt, Refused, Taken, Transmission, TransmitOutcome, TryLater
from gateway.domain.broken import in_words
from gateway.domain.errors import ConfigurationError
from gateway.domain.identifiers import OdsCode
from gateway.domain.partner import ReplyChannel, Trust
from gateway.wire import er7
from gateway.wire.mllp import FrameDecoder, FrameViolation, frame

MOST_OCTETS: Final = 1 << 16
"""Longest acknowledgement that is read."""
CONNECT_SECONDS: Final = 5.0
ANSWER_SECONDS: Final = 8.0
_CHUNK: Final = 1 << 14
_HL7_TYPES: Final = frozenset({"application/hl7-v2", "application/hl7-v2+er7", "x-application/hl7-v2+er7"})
_TOLD: Final = frozenset({HTTPStatus.OK, HTTPStatus.CREATED, HTTPStatus.ACCEPTED, HTTPStatus.NO_CONTENT})
_WILL_NOT: Final = frozenset(
    {
        HTTPStatus.BAD_REQUEST,
        HTTPStatus.GONE,
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        HTTPStatus.UNPROCESSABLE_ENTITY,
    }
)
_NOT_NOW: Final = frozenset(
    {
        HTTPStatus.UNAUTHORIZED,
        HTTPStatus.FORBIDDEN,
        HTTPStatus.NOT_FOUND,
        HTTPStatus.REQUEST_TIMEOUT,
        HTTPStatus.TOO_MANY_REQUESTS,
    }
)
_SERVER_ERROR: Final = 500


class Mailbox(Protocol):
    """A trust as something to send to."""

    async def transmit(self, transmission: Transmission) -> TransmitOutcome:
        """Tell the trust once and say what is known of the result."""

    async def close(self) -> None:
        """Let go of connections."""


def mailboxes(trusts: Iterable[Trust]) -> Mapping[OdsCode, Mailbox]:
    """Make the mailbox of every trust that wants to be told.

    Raises:
        ConfigurationError: a channel of a kind that does not exist.
    """
    return {trust.ods: _mailbox(trust.ods, trust.tells) for trust in trusts if trust.tells is not None}


def _mailbox(ods: OdsCode, channel: ReplyChannel) -> Mailbox:
    if channel.kind == "mllp" and channel.host and channel.port:
        return MllpMailbox(channel.host, channel.port)
    if channel.kind == "http" and channel.url:
        return HttpMailbox(channel.url, channel.token)
    raise ConfigurationError(f"trust {ods}: tells needs kind mllp with host and port, or kind http with url")


class MllpMailbox:
    """A trust's HL7 v2 listener. One connection, one message under way on it; closed whenever an answer is missed.

    Args:
        host: and `port`: where the trust listens.
        answer_seconds: time for one acknowledgement.
    """

    def __init__(self, host: str, port: int, *, answer_seconds: float = ANSWER_SECONDS) -> None:
        self._host = host
        self._port = port
        self._answer_seconds = answer_seconds
        self._turn = asyncio.Lock()
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def transmit(self, transmission: Transmission) -> TransmitOutcome:
        """Send one framed message and read its acknowledgement."""
        async with self._turn:
            try:
                reader, writer = await self._connection()
            except (OSError, TimeoutError) as error:
                return TryLater(reason=f"no connection: {in_words(error)}", failure=type(error).__name__)
            kept = False
            try:
                outcome = await self._exchange(reader, writer, transmission.octets)
                kept = not isinstance(outcome, InDoubt)
            finally:
                # An acknowledgement that comes late would answer the next message (A07), even after a cancellation.
                if not kept:
                    self._drop()
            return outcome

    async def close(self) -> None:
        """Let go of the connection."""
        self._drop()

    async def _connection(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._streams is not None and not self._streams[0].at_eof() and not self._streams[1].is_closing():
            return self._streams
        self._drop()
        async with asyncio.timeout(CONNECT_SECONDS):
            self._streams = await asyncio.open_connection(self._host, self._port)
        return self._streams

    async def _exchange(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, octets: bytes
    ) -> TransmitOutcome:
        try:
            async with asyncio.timeout(self._answer_seconds):
                writer.write(frame(octets))
                await writer.drain()
                return by_acknowledgement(await _one_message(reader), octets)
        except TimeoutError:
            return InDoubt(reason="no acknowledgement in time")
        except FrameViolation as breach:
            return InDoubt(reason=f"the acknowledgement is not framed: {breach.code}")
        except (OSError, EOFError) as error:
            return InDoubt(reason=f"no acknowledgement: {in_words(error)}", failure=type(error).__name__)

    def _drop(self) -> None:
        if self._streams is not None:
            with suppress(OSError, RuntimeError):
                self._streams[1].close()
        self._streams = None


async def _one_message(reader: asyncio.StreamReader) -> bytes:
    decoder = FrameDecoder(MOST_OCTETS)
    while True:
        octets = await reader.read(_CHUNK)
        if not octets:
            raise EOFError
        if messages := decoder.feed(octets):
            if len(messages) > 1 or decoder.pending:
                raise FrameViolation("FRAME_INVALID", "More than one answer came to one message.")
            return messages[0]


def by_acknowledgement(body: bytes, sent: bytes) -> TransmitOutcome:
    """Read an HL7 acknowledgement of a message of ours.

    Args:
        body: what came back.
        sent: what was sent, for its MSH-10.

    Returns:
        In doubt unless MSA-2 names our message and MSA-1 is one of the six codes exactly (A08).

    Source:
        HL7 table 0008; mapping.md 9.1.
    """
    try:
        segments = er7.parse(body).named("MSA")
    except er7.Er7Error as error:
        return InDoubt(reason=f"the acknowledgement cannot be read: {error.code}", evidence=body)
    code, about = (segments[0].leaf(1), segments[0].leaf(2)) if len(segments) == 1 else (None, None)
    if code is None or about is None or about.text != _control_id(sent):
        return InDoubt(reason="the acknowledgement names another message, or none", evidence=body)
    match code.text:
        case "AA" | "CA":
            return Taken(evidence=body)
        case "AR" | "CE":
            return TryLater(reason=f"the trust answered {code.text}")
        case "AE" | "CR":
            return Refused(reason=f"the trust answered {code.text}", evidence=body)
        case _:
            return InDoubt(reason="the acknowledgement code is not one of HL7 table 0008", evidence=body)


def _control_id(message: bytes) -> str | None:
    """MSH-10 of a message of ours; the rest of it is not gone through again."""
    try:
        leaf = er7.parse(message.partition(b"\r")[0]).header.leaf(10)
    except er7.Er7Error:
        return None
    return leaf.text if leaf else None


class HttpMailbox:
    """A trust's HTTP address for news.

    Args:
        url: where it is posted; redirects are not followed.
        token: the credential we show; empty for none.
        answer_seconds: time for the whole exchange.
    """

    def __init__(self, url: str, token: str = "", *, answer_seconds: float = ANSWER_SECONDS) -> None:
        self._url = url
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._answer_seconds = answer_seconds
        self._session: aiohttp.ClientSession | None = None

    async def transmit(self, transmission: Transmission) -> TransmitOutcome:
        """POST the news once."""
        headers = {"Content-Type": transmission.content_type, "X-Message-Id": str(transmission.message_id)}
        try:
            async with self._open().post(
                self._url, data=transmission.octets, headers=headers, allow_redirects=False
            ) as response:
                body = await _limited(response)
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, aiohttp.InvalidURL) as error:
            return TryLater(reason=f"no connection: {in_words(error)}", failure=type(error).__name__)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            return InDoubt(reason=f"no answer: {in_words(error)}", failure=type(error).__name__)
        if body is None:
            return InDoubt(reason=f"HTTP {response.status} with more than {MOST_OCTETS} bytes")
        return _by_status(response.status, response.content_type.lower(), body, transmission.octets)

    async def close(self) -> None:
        """Let go of connections."""
        if self._session is not None:
            await self._session.close()

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None or self._session.closed:
            self._session = aiohttp.ClientSession(
                timeout=aiohttp.ClientTimeout(total=self._answer_seconds, sock_connect=CONNECT_SECONDS),
                headers={**self._headers, "Accept-Encoding": "identity"},
                auto_decompress=False,
                cookie_jar=aiohttp.DummyCookieJar(),
            )
        return self._session


async def _limited(response: aiohttp.ClientResponse) -> bytes | None:
    """Read the body; None where it is longer than `MOST_OCTETS`."""
    body = await response.content.read(MOST_OCTETS + 1)
    while len(body) <= MOST_OCTETS and (more := await response.content.read(MOST_OCTETS + 1 - len(body))):
        body += more
    return None if len(body) > MOST_OCTETS else body


def _by_status(status: int, media_type: str, body: bytes, sent: bytes) -> TransmitOutcome:
    if status in _TOLD and media_type == "text/html" and body:
        return InDoubt(reason=f"HTTP {status} with a page, not an answer", evidence=body)
    if status in _TOLD:
        return by_acknowledgement(body, sent) if body and media_type in _HL7_TYPES else Taken(evidence=body)
    if status in _WILL_NOT:
        return Refused(reason=f"the trust answered HTTP {status}", evidence=body)
    if status in _NOT_NOW or status >= _SERVER_ERROR:
        return TryLater(reason=f"the trust answered HTTP {status}")
    return InDoubt(reason=f"the trust answered HTTP {status}", evidence=body)
