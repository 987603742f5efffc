"""Everybody around the gateway in a measurement, each in a process of its own: senders, providers, listeners."""

import json
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from bench.corpus import Door
from bench.driver import Plan
from bench.served import Served
from bench.sink import Room
from gateway.simulate.behaviours import BEHAVIOURS
from gateway.simulate.world import OVER_MLLP

ROOT = Path(__file__).parents[1]
SHARES = {Door.MLLP: 0.6, Door.XML: 0.2, Door.FHIR: 0.2}
"""60 % RDE over MLLP, 20 % XML, 20 % FHIR."""
PROVIDERS = tuple(BEHAVIOURS)
_LINES = {Door.MLLP: 48, Door.HL7V2: 32, Door.XML: 24, Door.FHIR: 24}
"""Connections at once: below what the doors allow one sender (64)."""
_BEGIN_SECONDS = 0.3
_LOOK_SECONDS = 0.1
_PATIENCE_SECONDS = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """What the senders of one round saw.

    Attributes:
        planned: order number to the monotonic time at which its message was to leave.
        seconds: of each answer, from that moment.
        begun: the moment the round began; `ended` that of the last answer.
        refused: order numbers of messages that were not taken.
        octets: of all messages.
        cpu: seconds the senders used.
    """

    planned: dict[str, float]
    seconds: list[float]
    begun: float
    ended: float
    refused: list[str]
    octets: int
    cpu: float


class Parties:
    """The providers and listeners of one gateway, and senders when they are wanted."""

    def __init__(self, served: Served, *, seed: int) -> None:
        self._served = served
        self._seed = seed
        self._rounds = 0
        self._sink = _begin("bench.sink", asdict(self._room()))
        self._ask(None)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._sink.terminate()
        self._sink.wait()

    def send(self, count: int, *, rate: float, shares: dict[Door, float], providers: tuple[str, ...]) -> Answered:
        """Send so many messages and wait for the answers.

        Args:
            count: in all.
            rate: messages a second, on the average; nought for as fast as the lines allow.
            shares: of each door, together one.
            providers: those that are named, in turns.
        """
        return self.begin(count, rate=rate, shares=shares, providers=providers).finish()

    def begin(self, count: int, *, rate: float, shares: dict[Door, float], providers: tuple[str, ...]) -> "Round":
        """Start to send, and go on without waiting."""
        self._rounds += 1
        plans = self.plans(count, rate=rate, shares=shares, providers=providers)
        return Round([_begin("bench.driver", asdict(plan)) for plan in plans])

    def plans(self, count: int, *, rate: float, shares: dict[Door, float], providers: tuple[str, ...]) -> list[Plan]:
        """Give what each sender of the present round is to do; the arguments are those of `send`."""
        addresses = self._served.addresses
        return [
            Plan(
                door=door,
                count=round(count * share),
                rate=rate * share,
                lines=_LINES[door],
                host=addresses.host,
                port=addresses.mllp if door is Door.MLLP else addresses.http,
                tokens=self._served.tokens[door],
                seed=self._seed,
                tag=f"{self._rounds:02d}",
                providers=providers,
            )
            for door, share in shares.items()
        ]

    def until_acknowledged(self, count: int, *, patience: float = _PATIENCE_SECONDS) -> int:
        """Wait until so many prescriptions are acknowledged in all, or nothing moves any more; give the count."""
        found, moved = self.acknowledged(), time.monotonic()
        while found < count and time.monotonic() - moved < patience:
            time.sleep(_LOOK_SECONDS)
            if (now := self.acknowledged()) != found:
                found, moved = now, time.monotonic()
        return found

    def acknowledged(self) -> int:
        """Give how many prescriptions are acknowledged so far."""
        return int(self._ask("count"))

    def be(self, health: str, provider: str) -> None:
        """Make a provider `dead`, `slow` or `well`; `*` for all."""
        self._ask(f"{health} {provider}")

    def report(self) -> dict[str, Any]:
        """Give everything the providers wrote down."""
        found: dict[str, Any] = self._ask("report")
        return found

    def _ask(self, words: str | None) -> Any:
        if words is not None:
            _written(self._sink).write(words + "\n")
            _written(self._sink).flush()
        return json.loads(_read(self._sink).readline())

    def _room(self) -> Room:
        addresses = self._served.addresses
        return Room(
            host=addresses.host,
            gateway=addresses.base,
            providers={ods: (port, addresses.tokens[ods]) for ods, port in addresses.providers.items()},
            own_json=tuple(ods for ods, behaviour in BEHAVIOURS.items() if behaviour.own_json),
            listeners={ods: (port, ods in OVER_MLLP) for ods, port in addresses.listeners.items()},
        )


class Round:
    """Senders at work."""

    def __init__(self, drivers: "list[subprocess.Popen[str]]") -> None:
        self._drivers = drivers
        for driver in drivers:
            if _read(driver).readline() != "ready\n":
                raise RuntimeError("a driver did not become ready")
        self.begun = time.monotonic() + _BEGIN_SECONDS
        for driver in drivers:
            _written(driver).write(f"{self.begun}\n")
            _written(driver).flush()

    def finish(self) -> Answered:
        """Wait for the last answer."""
        told = [json.loads(_read(driver).readline()) for driver in self._drivers]
        for driver in self._drivers:
            driver.wait()
        rows = [row for one in told for row in one["rows"]]
        return Answered(
            planned={key: planned for key, planned, _, _ in rows},
            seconds=[answered - planned for _, planned, answered, _ in rows],
            begun=self.begun,
            ended=max(answered for _, _, answered, _ in rows),
            refused=[key for key, _, _, taken in rows if not taken],
            octets=sum(one["octets"] for one in told),
            cpu=sum(one["cpu"] for one in told),
        )


def _begin(module: str, stated: dict[str, Any]) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", module, json.dumps(stated)]
    return subprocess.Popen(  # noqa: S603 - ourselves
        command, cwd=ROOT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )


def _written(process: "subprocess.Popen[str]") -> IO[str]:
    if process.stdin is None:
        raise RuntimeError("no pipe")
    return process.stdin


def _read(process: "subprocess.Popen[str]") -> IO[str]:
    if process.stdout is None:
        raise RuntimeError("no pipe")
    return process.stdout
