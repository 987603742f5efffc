"""HL7 v2 over MLLP: the listener.

One connection carries any number of messages, one at a time: each is answered before the next is looked at, so answers
keep the order of the questions, and a sender that does not read its answers is not read from.

======================================  ===================================================================
what comes                              what happens
======================================  ===================================================================
a framed message                        the pipeline's answer, framed
the same, and nothing could be stored   AR 207: send the same bytes again
the same, from nobody we know           AR; its length and digest in a security event
a breach of the framing                 AR if a message had begun, then closed; security event
a block cut short, or never ended       the same; never taken for a message
a message past the limit                AR if its MSH was seen, then closed; security event
silence                                 closed after `idle_seconds`
======================================  ===================================================================

What arrived of a message that is refused for its framing is kept apart, where its sender is known.

Source: HL7 MLLP release 2; mapping.md 9.1; reliability-security.md 4.1 (H01 to H07) and 8.
"""

import asyncio
import hashlib
import re
import ssl
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

import structlog

from gateway.domain.errors import Unavailable
from gateway.domain.identifiers import OdsCode
from gateway.domain.issue import Issue
from gateway.domain.submission import Answer, Submission, TooLarge, WireFormat
from gateway.telemetry import Metrics
from gateway.translate.formats import FORMATS
from gateway.wire.mllp import FrameDecoder, FrameViolation, frame

CONTENT_TYPE: Final = "application/hl7-v2+er7"
_CHUNK: Final = 1 << 16
_MSH: Final = re.compile(rb"MSH(?P<field>[^\r\n])(?P<fields>(?P<component>[^\r\n])[^\r\n]{0,1000})")
_LINGER_SECONDS: Final = 1.0
"""How long a refused sender is read on, unheeded: closing over unread bytes loses the answer that went before."""
_UNENDED: Final = "The block did not end: 1C 0D is missing."
_FACILITY: Final = 2
"""Place of MSH-4 behind the first separator, which is MSH-1 itself: MSH-2 is 0."""

_log = structlog.get_logger("mllp")


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """The other end of a connection.

    Attributes:
        host: its address.
        certificate: its client certificate in DER, verified by the handshake; None without TLS.
    """

    host: str
    certificate: bytes | None = field(default=None, repr=False)


TenantOf = Callable[[Peer, bytes], OdsCode | None]
"""Who speaks: from the peer, and in development from the message. None: nobody we know. Never raises."""


def by_certificate(tenants: Mapping[str, OdsCode]) -> TenantOf:
    """Let the client certificate decide.

    Args:
        tenants: SHA-256 of each certificate in DER, in lower-case hex, to the trust that owns it. A trust may have two
            during a change of certificates.
    """

    def tenant_of(peer: Peer, _: bytes) -> OdsCode | None:
        return tenants.get(hashlib.sha256(peer.certificate).hexdigest()) if peer.certificate else None

    return tenant_of


def by_sending_facility(tenants: Mapping[str, OdsCode]) -> TenantOf:
    """Take the message at its word: MSH-4 decides. For development on loopback only (D15).

    Args:
        tenants: ODS code of each trust and of each of its sites, to the trust.
    """

    def tenant_of(peer: Peer, message: bytes) -> OdsCode | None:
        return None if peer.certificate else tenants.get(_sending_facility(message))

    return tenant_of


def _sending_facility(message: bytes) -> str:
    """MSH-4.1 of a message whose MSH has not been read yet; empty if there is none."""
    header = _MSH.match(message)
    if header is None:
        return ""
    fields = header["fields"].split(header["field"])
    facility = fields[_FACILITY] if len(fields) > _FACILITY else b""
    return facility.split(header["component"])[0].decode("ascii", "ignore").strip()


class MllpListener:
    """Takes HL7 v2 messages over MLLP.

    Args:
        receive: the pipeline; raises `Unavailable` when nothing was stored.
        refuse: keeps apart, and answers, what was refused for its framing; None keeps nothing.
        tenant_of: who speaks.
        now: the time of receipt.
        limit: the longest message, in bytes; a prescription has about three thousand.
        idle_seconds: how long a connection may say nothing, and how long it may leave an answer unread.
        most_connections: connections at once; one more is closed as it opens.
        most_of_one: the same for one client certificate, so that no sender takes them all (I19).
        tls: requires a client certificate; None for plain text, on loopback only.
        metrics: where answers are counted.
    """

    def __init__(
        self,
        receive: Callable[[Submission], Awaitable[Answer]],
        *,
        refuse: Callable[[Submission, Issue], Awaitable[Answer]] | None = None,
        tenant_of: TenantOf,
        now: Callable[[], datetime],
        limit: int = 1 << 20,
        idle_seconds: float = 300.0,
        most_connections: int = 256,
        most_of_one: int = 256,
        tls: ssl.SSLContext | None = None,
        metrics: Metrics,
    ) -> None:
        if tls is not None and tls.verify_mode is not ssl.CERT_REQUIRED:
            raise ValueError("the TLS context must require a client certificate")
        self._receive = receive
        self._refuse = refuse
        self._tenant_of = tenant_of
        self._now = now
        self._limit = limit
        self._idle_seconds = idle_seconds
        self._most_connections = most_connections
        self._most_of_one = most_of_one
        self._tls = tls
        self._metrics = metrics
        self._server: asyncio.Server | None = None
        self._closing = False
        self._connections: dict[asyncio.Task[None], _Connection] = {}

    async def start(self, host: str, port: int) -> int:
        """Listen.

        Args:
            host: an address of this machine.
            port: 0 for any that is free.

        Returns:
            The port.

        Raises:
            OSError: the address is taken or not ours.
        """
        self._server = await asyncio.start_server(self._connected, host, port, limit=_CHUNK, ssl=self._tls)
        chosen: int = self._server.sockets[0].getsockname()[1]
        _log.info("listening", host=host, port=chosen, tls=self._tls is not None)
        return chosen

    async def close(self, *, drain_seconds: float = 10.0) -> None:
        """Take no more connections or messages, finish the answers begun, and let go.

        Args:
            drain_seconds: how long to wait for answers under way; what is cut off was not answered and is sent again.
        """
        self._closing = True
        if self._server is not None:
            self._server.close()
        for connection in self._connections.values():
            connection.stop()
        if self._connections:
            _, late = await asyncio.wait(self._connections, timeout=drain_seconds)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = _Connection(peer=_peer(writer), reader=reader, writer=writer)
        task = asyncio.current_task()
        if self._closing:  # accepted just before the stop, begun just after it
            writer.transport.abort()
            return
        if task is None or self._is_full_for(connection.peer):
            _security(connection.peer, "too_many_connections")
            writer.transport.abort()
            return
        self._connections[task] = connection
        try:
            await self._converse(connection)
        except OSError:
            _log.info("connection_lost", peer=connection.peer.host)
        finally:
            del self._connections[task]
            writer.close()
            with suppress(OSError, TimeoutError):
                async with asyncio.timeout(1):
                    await writer.wait_closed()

    def _is_full_for(self, peer: Peer) -> bool:
        own = sum(one.peer.certificate == peer.certificate for one in self._connections.values())
        if peer.certificate is not None and own >= self._most_of_one:
            return True
        return len(self._connections) >= self._most_connections

    async def _converse(self, connection: "_Connection") -> None:
        """Read, answer, read, until the peer goes, breaks the framing, falls silent, or we stop."""
        decoder = FrameDecoder(self._limit)
        try:
            while not connection.stopping and (octets := await self._read(connection)):
                for message in decoder.feed(octets):
                    await self._reply(connection, await self._answer(connection.peer, message))
                decoder.feed(b"")  # a breach behind the last whole message is told now, not with the next bytes
        except FrameViolation as breach:
            await self._breached(connection, breach)
        except TimeoutError:
            _security(connection.peer, "silent", pending=decoder.pending)
            await self._cut_short(connection, decoder.begun)
        else:
            if decoder.pending:
                _security(connection.peer, "truncated")
            await self._cut_short(connection, decoder.begun)

    async def _read(self, connection: "_Connection") -> bytes:
        connection.waiting = True
        try:
            async with asyncio.timeout(self._idle_seconds):
                return await connection.reader.read(_CHUNK)
        finally:
            connection.waiting = False

    async def _reply(self, connection: "_Connection", octets: bytes) -> None:
        if not octets:  # MSH-15 asked for no answer: silence, not an empty block
            return
        connection.writer.write(frame(octets))
        async with asyncio.timeout(self._idle_seconds):
            await connection.writer.drain()

    async def _answer(self, peer: Peer, message: bytes) -> bytes:
        received_at = self._now()
        started = time.perf_counter()
        tenant = self._tenant_of(peer, message)
        if tenant is None:
            _security(peer, "unknown_sender", bytes=len(message), digest=hashlib.sha256(message).hexdigest())
            return _negative(message, "SENDER_MISMATCH", "MSH[1]-4", "The sending facility is not known here.").body
        submission = Submission(
            tenant=tenant,
            format=WireFormat.HL7V2,
            body=message,
            content_type=CONTENT_TYPE,
            received_at=received_at,
        )
        answer = await self._take(submission)
        self._metrics.answered("mllp", answer.http_status, time.perf_counter() - started)
        self._metrics.submitted(tenant.value, WireFormat.HL7V2.value, "taken" if answer.taken else "refused")
        return answer.body

    async def _take(self, submission: Submission) -> Answer:
        try:
            return await self._receive(submission)
        except Unavailable:
            _log.warning("not_stored", tenant=submission.tenant.value)
            return _negative(submission.body, "NOT_STORED", "", "Nothing was stored. Send the same bytes again.")
        except Exception as error:  # noqa: BLE001 - the last resort: whatever it is, its text may hold patient data
            _log.error("fault", tenant=submission.tenant.value, error=type(error).__name__)
            return _negative(submission.body, "GATEWAY_FAULT", "", "The gateway failed. Send the same bytes again.")

    async def _cut_short(self, connection: "_Connection", begun: bytes) -> None:
        if begun and not connection.stopping:
            await self._breached(connection, FrameViolation("FRAME_INVALID", _UNENDED, begun))

    async def _breached(self, connection: "_Connection", breach: FrameViolation) -> None:
        """Refuse what the framing makes uncertain: keep what arrived apart, and say why if a message had begun."""
        head = breach.head
        _security(connection.peer, breach.code, bytes=len(head), digest=hashlib.sha256(head).hexdigest())
        whole = breach.code == "FRAME_INVALID"
        if not head or not (whole or head.startswith(b"MSH")):
            return
        issue = Issue(code=breach.code, location="", text=breach.text)
        await self._keep(connection.peer, head, issue, whole=whole)
        await self._reply(connection, FORMATS[WireFormat.HL7V2].unreadable(head, (issue,)).body)
        await _linger(connection)

    async def _keep(self, peer: Peer, head: bytes, issue: Issue, *, whole: bool) -> None:
        tenant = self._tenant_of(peer, head)
        if tenant is None or self._refuse is None:
            return
        seen = TooLarge(length=len(head), digest=hashlib.sha256(head).hexdigest(), cut_off=True)
        refused = Submission(
            tenant=tenant,
            format=WireFormat.HL7V2,
            body=head if whole else b"",
            content_type=CONTENT_TYPE,
            received_at=self._now(),
            too_large=None if whole else seen,
        )
        try:
            await self._refuse(refused, issue)
        except Unavailable:
            _log.warning("not_stored", tenant=tenant.value)
        self._metrics.submitted(tenant.value, WireFormat.HL7V2.value, "refused")


@dataclass(slots=True, kw_only=True)
class _Connection:
    """One connection under way."""

    peer: Peer
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    waiting: bool = False
    stopping: bool = False

    def stop(self) -> None:
        """End after the answer under way, or at once while nothing has been asked."""
        self.stopping = True
        if self.waiting:
            self.writer.close()


async def _linger(connection: "_Connection") -> None:
    """Read on for a moment, so that the answer arrives before the connection is closed over unread bytes."""
    if connection.writer.can_write_eof():
        connection.writer.write_eof()
    with suppress(TimeoutError):
        async with asyncio.timeout(_LINGER_SECONDS):
            while not connection.stopping and await connection.reader.read(_CHUNK):
                pass


def _peer(writer: asyncio.StreamWriter) -> Peer:
    name = writer.get_extra_info("peername")
    tls = writer.get_extra_info("ssl_object")
    return Peer(host=str(name[0]) if name else "", certificate=tls.getpeercert(binary_form=True) if tls else None)


def _negative(message: bytes, code: str, location: str, text: str) -> Answer:
    """AR, naming the message as far as its MSH is legible."""
    return FORMATS[WireFormat.HL7V2].unreadable(message, (Issue(code=code, location=location, text=text),))


def _security(peer: Peer, what: str, **facts: object) -> None:
    """Log what a person who watches the perimeter wants to know; sizes and digests, never content."""
    _log.warning("security", what=what, peer=peer.host, **facts)
