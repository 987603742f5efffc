"""The gateway as a child process: started as an operator starts it, stopped, or killed without warning."""

import asyncio
import os
import re
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

import aiohttp

from gateway.simulate.folder import Addresses

_START_SECONDS = 60.0
_STOP_SECONDS = 20.0
_LOOK_SECONDS = 0.2
_LINK = re.compile(rb"https?://\S+/console/enter/\S+")
_QUICK = {"GATEWAY_WATCH_SECONDS": "0.5", "GATEWAY_POLL_SECONDS": "0.2"}
"""Deadlines of seconds want to be looked at more often than deadlines of hours."""


class Process(Protocol):
    """A process that was begun, as `asyncio` knows it."""

    @property
    def returncode(self) -> int | None:
        """How it ended, or None while it runs."""

    async def wait(self) -> int:
        """Wait for its end."""

    def send_signal(self, signal: signal.Signals, /) -> None:
        """Send it a signal."""


class GatewayDiedError(Exception):
    """The gateway ended by itself, or never became ready."""


class Child:
    """One gateway, which may be started again on the same data.

    Args:
        data: its data folder.
        config: its configuration folder.
        addresses: where it is to listen.
    """

    def __init__(self, *, data: Path, config: Path, addresses: Addresses) -> None:
        self._data = data
        self._config = config
        self._addresses = addresses
        self._process: Process | None = None
        self._ending = False
        self._read_to = 0
        self._link = ""
        self.log = data / "gateway.log"

    def console_link(self) -> str:
        """Give the newest one-time link to the console that the gateway has printed; empty if it printed none."""
        if self.log.exists():
            with self.log.open("rb") as log:
                log.seek(self._read_to)
                text = log.read()
            whole_lines = text.rfind(b"\n") + 1
            self._read_to += whole_lines
            links = _LINK.findall(text[:whole_lines])
            self._link = links[-1].decode() if links else self._link
        return self._link

    async def died(self) -> None:
        """Return when the process has ended without having been told to."""
        while True:
            process = self._process
            if process is not None:
                await process.wait()
                if not self._ending:
                    return
            await asyncio.sleep(_LOOK_SECONDS)

    async def start(self) -> None:
        """Start it and wait until it is ready.

        Raises:
            GatewayDiedError: it did not become ready.
        """
        command = (sys.executable, "-m", "gateway", "serve", "--data", str(self._data), "--config", str(self._config))
        environment = {
            **os.environ,
            **_QUICK,
            **self._addresses.variables(),
            "GATEWAY_HOST": self._addresses.host,
            "GATEWAY_PORT": str(self._addresses.http),
            "GATEWAY_MLLP_HOST": self._addresses.host,
            "GATEWAY_MLLP_PORT": str(self._addresses.mllp),
        }
        self._data.mkdir(parents=True, exist_ok=True)
        self._process = await self._begin(command, environment)
        self._ending = False
        await self._until_ready(self._process)

    async def _begin(self, command: Sequence[str], environment: Mapping[str, str]) -> Process:
        """Begin the process itself."""
        with self.log.open("ab") as log:
            # a session of its own: Ctrl-C reaches this process only, which then stops the gateway in its turn
            return await asyncio.create_subprocess_exec(
                *command,
                env=environment,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    async def _until_ready(self, process: Process) -> None:
        try:
            async with asyncio.timeout(_START_SECONDS), aiohttp.ClientSession() as session:
                while process.returncode is None:
                    if await _ready(session, f"{self._addresses.base}/health/ready"):
                        return
                    await asyncio.sleep(0.05)
        except TimeoutError:
            await self.kill()
        raise GatewayDiedError(f"the gateway did not become ready; its log is {self.log}")

    async def kill(self) -> None:
        """End it at once, as a power cut does."""
        await self._end(signal.SIGKILL)

    async def stop(self) -> None:
        """Ask it to finish what is under way and end; kill it if it does not."""
        try:
            async with asyncio.timeout(_STOP_SECONDS):
                await self._end(signal.SIGTERM)
        except TimeoutError:
            await self.kill()

    async def _end(self, how: signal.Signals) -> None:
        self._ending = True
        process = self._process
        if process is not None and process.returncode is None:
            process.send_signal(how)
            await process.wait()


async def _ready(session: aiohttp.ClientSession, url: str) -> bool:
    try:
        async with session.get(url) as response:
            return response.status == 200  # noqa: PLR2004 - HTTP OK
    except (aiohttp.ClientError, OSError):
        return False
