"""The two ends of an MLLP line as a trust's interface engine has them: one to send on, one to be told on.

Source: HL7 v2 transport, minimal lower layer protocol: 0B, message, 1C 0D.
"""

import asyncio
from collections.abc import Callable

from gateway.simulate.er7 import END, START

_LIMIT = 1 << 20


class Line:
    """A line to the gateway: one message, then its answer, then the next.

    Args:
        host: and `port`: of the gateway's listener.
        patience_seconds: how long an answer may take.
    """

    def __init__(self, host: str, port: int, *, patience_seconds: float) -> None:
        self._host = host
        self._port = port
        self._patience = patience_seconds
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def exchange(self, message: bytes) -> bytes:
        """Send a message and give its answer, connecting first where needed.

        Raises:
            ConnectionError: the line broke, or was never there; nobody knows whether the message was taken.
        """
        return await self.exchange_raw(START + message + END)

    async def exchange_raw(self, octets: bytes) -> bytes:
        """Send octets as they are, framed or not. Raises as `exchange`."""
        try:
            async with asyncio.timeout(self._patience):
                if self._streams is None:
                    self._streams = await asyncio.open_connection(self._host, self._port, limit=_LIMIT)
                reader, writer = self._streams
                writer.write(octets)
                await writer.drain()
                block = await reader.readuntil(END)
        except (OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError) as error:
            # an answer that comes after we stopped waiting must not be taken for the next message's answer
            self.hang_up()
            raise ConnectionError(type(error).__name__) from error
        return block.removeprefix(START).removesuffix(END)

    def hang_up(self) -> None:
        """Drop the connection."""
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None


async def listen(host: str, port: int, answer: Callable[[bytes], bytes]) -> asyncio.Server:
    """Open a trust's listener: every message gets what `answer` says.

    Args:
        host: to listen on.
        port: to listen on; 0 for any.
        answer: called with the bytes of one message; gives those of its acknowledgement.
    """

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                block = await reader.readuntil(END)
                writer.write(START + answer(block.removeprefix(START).removesuffix(END)) + END)
                await writer.drain()
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass  # the gateway hung up, as it may
        finally:
            writer.close()

    return await asyncio.start_server(serve, host, port, limit=_LIMIT)
