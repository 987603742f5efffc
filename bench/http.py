"""Just enough HTTP/1.1 for both ends of a measurement, so that they cost little beside what is measured.

Bodies have a Content-Length, connections are kept; nothing else is understood, because nothing else is sent.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable
from typing import Final

_END: Final = b"\r\n\r\n"
_LENGTH: Final = re.compile(rb"\r\ncontent-length:[ ]*(\d+)", re.IGNORECASE)
_CLOSES: Final = re.compile(rb"\r\nconnection:[ ]*close", re.IGNORECASE)
_LIMIT: Final = 1 << 20


class Client:
    """One kept connection.

    Args:
        host: and `port`: of the server.
    """

    def __init__(self, host: str, port: int) -> None:
        self._host = host
        self._port = port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def post(self, path: str, media_type: str, body: bytes, *, token: str = "") -> tuple[int, bytes]:
        """Post a body with a bearer credential, and give status and body of the answer.

        Raises:
            ConnectionError: the connection broke.
        """
        if self._streams is not None and self._streams[0].at_eof():
            self.hang_up()  # the server had waited long enough
        if self._streams is None:
            self._streams = await asyncio.open_connection(self._host, self._port, limit=_LIMIT)
        reader, writer = self._streams
        head = (
            f"POST {path} HTTP/1.1\r\nHost: {self._host}:{self._port}\r\nAuthorization: Bearer {token}\r\n"
            f"Content-Type: {media_type}\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        try:
            writer.write(head.encode() + body)
            answered, octets = await _read(reader)
        except (OSError, asyncio.IncompleteReadError) as error:
            self.hang_up()
            raise ConnectionError(type(error).__name__) from error
        if _CLOSES.search(answered):
            self.hang_up()
        return int(answered.split(b" ", 2)[1]), octets

    def hang_up(self) -> None:
        """Drop the connection."""
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None


class Server:
    """A server that can be shut in the face of its callers.

    Args:
        answer: gives the status for a posted body.
    """

    def __init__(self, answer: Callable[[bytes], Awaitable[int]]) -> None:
        self._answer = answer
        self._writers: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None

    async def open(self, host: str, port: int) -> int:
        """Listen, unless it does, and give the port."""
        if self._server is None:
            self._server = await asyncio.start_server(self._converse, host, port, limit=_LIMIT, backlog=1024)
        chosen: int = self._server.sockets[0].getsockname()[1]
        return chosen

    def close(self) -> None:
        """Refuse connections, and drop those there are."""
        if self._server is not None:
            self._server.close()
            self._server = None
        for writer in self._writers:
            writer.close()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            while True:
                head, body = await _read(reader)
                status = await self._answer(body)
                writer.write(b"HTTP/1.1 %d \r\nContent-Length: 0\r\n\r\n" % status)
                if _CLOSES.search(head):
                    break
        except (OSError, asyncio.IncompleteReadError):
            pass  # the other side hung up, as it may
        finally:
            self._writers.discard(writer)
            writer.close()


async def _read(reader: asyncio.StreamReader) -> tuple[bytes, bytes]:
    head = await reader.readuntil(_END)
    length = _LENGTH.search(head)
    return head, await reader.readexactly(int(length[1])) if length else b""
