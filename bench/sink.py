"""The providers and the trusts' listeners of a measurement, in one process of their own.

    python -m bench.sink '{"gateway": "http://…", "providers": {…}, "listeners": {…}, …}'

A provider takes a message (202), and a moment later says by callback that it accepts it, as the simulated providers
do and with their words. When the gateway has taken that answer, the prescription is acknowledged. A trust's listener
acknowledges what it is told. Commands come as lines on standard input, each answered with one line of JSON:

    dead ODS       refuse connections from now on (`*` for all)
    slow ODS       take five seconds over each message
    well ODS       as at first
    count          how many prescriptions were acknowledged so far
    report         give every row
    end            stop
"""

import asyncio
import json
import random
import sys
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import urlsplit

import uvloop

from bench.corpus import ORDER_NUMBER
from bench.http import Client, Server
from gateway.simulate import er7
from gateway.simulate.answers import FHIR_TYPE, Line, Statement, Word, in_fhir, in_sandbox_json, read_message
from gateway.simulate.mllp_line import listen

_SLOW_SECONDS = 3.0
_CALLERS = 8
_TAKEN = frozenset({200, 202})
_KEPT_IN = 200
"""One message in so many is kept, to verify its seal afterwards."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """Who listens where.

    Attributes:
        gateway: its base URL.
        providers: ODS code to port and credential at the gateway.
        own_json: providers that speak the sandbox's JSON.
        listeners: ODS code to port and whether it speaks MLLP.
        thinks: seconds between taking a message and accepting it, on the average.
    """

    host: str
    gateway: str
    providers: dict[str, tuple[int, str]] = field(repr=False)
    own_json: tuple[str, ...]
    listeners: dict[str, tuple[int, bool]]
    thinks: float = 0.05


@dataclass(slots=True)
class Row:
    """One prescription at a provider: the trust's order number, when it came, and when its answer was taken."""

    key: str
    provider: str
    arrived: float
    acknowledged: float = 0.0


class _Provider:
    """One provider."""

    def __init__(self, ods: str, room: Room, rows: list[Row], kept: list[tuple[str, str]]) -> None:
        self._ods = ods
        self._room = room
        self._rows = rows
        self._kept = kept
        self._number = 0
        self._slow = False
        self._server = Server(self._take)
        self._said: asyncio.Queue[tuple[Row, bytes]] = asyncio.Queue()
        self._at_work: set[asyncio.Task[None]] = set()
        self.refused = 0

    async def open(self) -> None:
        """Begin to listen, and to answer."""
        await self.be_well()
        for _ in range(_CALLERS):
            self._keep(asyncio.create_task(self._call()))

    async def be_dead(self) -> None:
        """Refuse connections, and drop those there are."""
        self._server.close()

    async def be_slow(self) -> None:
        """Take long over each message."""
        self._slow = True

    async def be_well(self) -> None:
        """Listen and answer at once."""
        self._slow = False
        await self._server.open(self._room.host, self._room.providers[self._ods][0])

    async def _take(self, octets: bytes) -> int:
        if self._slow:
            await asyncio.sleep(_SLOW_SECONDS)
        message = read_message(octets)
        line = message.lines[0]
        row = Row(_key(line), self._ods, time.monotonic())
        self._rows.append(row)
        self._number += 1
        if self._number % _KEPT_IN == 0:
            self._kept.append((self._ods, octets.decode()))
        said = Statement(provider=self._ods, message=message, line=line, word=Word.ACCEPTED, at=datetime.now(UTC))
        body = in_sandbox_json(said) if self._ods in self._room.own_json else in_fhir(said)
        self._keep(asyncio.create_task(self._think(row, body)))
        return 202

    async def _think(self, row: Row, body: bytes) -> None:
        await asyncio.sleep(random.expovariate(1 / self._room.thinks))
        self._said.put_nowait((row, body))

    def _keep(self, task: "asyncio.Task[None]") -> None:
        self._at_work.add(task)
        task.add_done_callback(self._at_work.discard)

    async def _call(self) -> None:
        where = urlsplit(self._room.gateway)
        client, (_, token) = Client(where.hostname or "", where.port or 0), self._room.providers[self._ods]
        kind = "application/json" if self._ods in self._room.own_json else FHIR_TYPE
        while True:
            row, body = await self._said.get()
            try:
                status, _ = await client.post(f"/callbacks/{self._ods}", kind, body, token=token)
            except ConnectionError:
                status = 503
            if status in _TAKEN:
                row.acknowledged = time.monotonic()
            elif status in {429, 503}:
                await asyncio.sleep(0.05)
                self._said.put_nowait((row, body))
            else:
                self.refused += 1


def _key(line: Line) -> str:
    """Give the trust's order number; a FHIR order has none beside the id of the line."""
    return next((name for name in line.names if name.startswith(ORDER_NUMBER)), line.item)


class _Everybody:
    """All of them."""

    def __init__(self, room: Room) -> None:
        self._room = room
        self._rows: list[Row] = []
        self._kept: list[tuple[str, str]] = []
        self._told = 0
        self._providers = {ods: _Provider(ods, room, self._rows, self._kept) for ods in room.providers}
        self._listeners: list[asyncio.Server | Server] = []

    async def run(self) -> None:
        for provider in self._providers.values():
            await provider.open()
        for port, over_mllp in self._room.listeners.values():
            await self._listen(port, over_mllp=over_mllp)
        print(json.dumps("ready"), flush=True)
        loop = asyncio.get_running_loop()
        while (line := await loop.run_in_executor(None, sys.stdin.readline)) and line != "end\n":
            print(json.dumps(await self._obey(line.split())), flush=True)

    async def _listen(self, port: int, *, over_mllp: bool) -> None:
        if over_mllp:
            self._listeners.append(await listen(self._room.host, port, self._hear))
            return
        server = Server(self._news)
        await server.open(self._room.host, port)
        self._listeners.append(server)

    async def _obey(self, words: list[str]) -> object:
        if words == ["report"]:
            return self._report()
        if words == ["count"]:
            return sum(row.acknowledged > 0 for row in self._rows)
        health, who = words
        for ods, provider in self._providers.items():
            if who in {ods, "*"}:
                await {"dead": provider.be_dead, "slow": provider.be_slow, "well": provider.be_well}[health]()
        return "done"

    def _report(self) -> dict[str, object]:
        rows = [(row.key, row.provider, row.arrived, row.acknowledged) for row in self._rows]
        refused = sum(provider.refused for provider in self._providers.values())
        return {"rows": rows, "kept": self._kept, "told": self._told, "refused": refused, "cpu": time.process_time()}

    def _hear(self, message: bytes) -> bytes:
        self._told += 1
        header = er7.first(er7.split(message), "MSH")
        enhanced = header is not None and header.get(15) not in {"", "NE"}
        return er7.acknowledge(message, code="CA" if enhanced else "AA", at=datetime.now(UTC).strftime("%Y%m%d%H%M%S"))

    async def _news(self, _: bytes) -> int:
        self._told += 1
        return 202


if __name__ == "__main__":
    uvloop.run(_Everybody(Room(**json.loads(sys.argv[1]))).run())
