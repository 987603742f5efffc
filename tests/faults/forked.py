"""The demonstration's gateway, forked where all is imported: of a start only the seconds of importing are saved."""

import asyncio
import os
import signal
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from gateway.simulate.child import Child, Process
from gateway.simulate.folder import Addresses
from tests.faults.served import Nursery

_PYTHON_AND_MODULE = 3
"""What stands before the arguments in the command that starts a gateway."""


class Forked:
    """One process that a nursery forked. See `gateway.simulate.child.Process`."""

    def __init__(self, nursery: Nursery, number: int) -> None:
        self._nursery, self._number = nursery, number
        self._alive = os.pidfd_open(number)
        self._ended = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._alive, self._end)
        self.returncode: int | None = None

    def _end(self) -> None:
        self._loop.remove_reader(self._alive)
        os.close(self._alive)
        self.returncode = self._nursery.ask("ended", process=self._number)
        self._ended.set()

    async def wait(self) -> int:
        """Wait for its end."""
        await self._ended.wait()
        assert self.returncode is not None
        return self.returncode

    def send_signal(self, how: signal.Signals, /) -> None:
        """Send it a signal."""
        os.kill(self._number, how)


class ForkedChild(Child):
    """A gateway that is begun by forking."""

    def __init__(self, nursery: Nursery, *, data: Path, config: Path, addresses: Addresses) -> None:
        super().__init__(data=data, config=config, addresses=addresses)
        self._nursery = nursery

    async def _begin(self, command: Sequence[str], environment: Mapping[str, str]) -> Process:
        arguments, asked = list(command[_PYTHON_AND_MODULE:]), {"log": str(self.log), "environment": dict(environment)}
        number: Any = self._nursery.ask("begin", arguments=arguments, **asked)
        forked = Forked(self._nursery, number)
        self._nursery.ask("go", process=number)
        return forked
