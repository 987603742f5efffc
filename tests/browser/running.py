"""Gateways as processes of their own, for a real browser to look at."""

import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

START_SECONDS: Final = 300.0
_LINK: Final = re.compile(r"https?://\S+/console/enter/\S+")


@dataclass(frozen=True, slots=True)
class Running:
    """One gateway that runs.

    Attributes:
        log: what it prints, the newest one-time link of the console at its end.
        data: its data folder.
    """

    log: Path
    data: Path

    def link(self) -> str:
        """Give the newest link that lets one browser in once."""
        return _LINK.findall(self.log.read_text())[-1]

    @property
    def address(self) -> str:
        return self.link().partition("/console/")[0]

    def links(self) -> int:
        """Count the links announced: one more when one was used."""
        return len(_LINK.findall(self.log.read_text()))


@contextmanager
def demonstration(data: Path, *, prescriptions: int = 20, seed: int = 7) -> Iterator[Running]:
    """Run `gateway demo` as a person does, its parties going on until the end."""
    command = ("demo", "--prescriptions", str(prescriptions), "--seed", str(seed), "--data", str(data))
    with _process(command, data / "printed.log", data) as process:
        running = Running(data / "gateway.log", data)
        _until(lambda: running.log.exists() and _LINK.search(running.log.read_text()), process)
        yield running


@contextmanager
def serving(data: Path, *options: str, **variables: str) -> Iterator[Running]:
    """Run `gateway serve` alone, with the packaged configuration and nobody to talk to."""
    with _process(("serve", "--data", str(data), *options), data / "gateway.log", data, variables) as process:
        running = Running(data / "gateway.log", data)
        _until(lambda: _LINK.search(running.log.read_text()), process)
        _until(lambda: _answers(f"{running.address}/console/static/console.css"), process)
        yield running


@contextmanager
def _process(
    command: tuple[str, ...], log: Path, data: Path, variables: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    data.mkdir(parents=True, exist_ok=True)
    environment = {**os.environ, "GATEWAY_PORT": "0", "GATEWAY_MLLP_PORT": "0", "GATEWAY_WATCH_SECONDS": "1"}
    environment |= variables or {}
    with log.open("ab") as out:
        process = subprocess.Popen(
            (sys.executable, "-m", "gateway", *command),
            stdout=out,
            stderr=out,
            stdin=subprocess.DEVNULL,
            env=environment,
        )
    try:
        yield process
    finally:
        process.send_signal(signal.SIGINT)
        time.sleep(0.2)
        process.send_signal(signal.SIGINT)  # twice: do not wait until everything is settled
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=2) as response:  # noqa: S310 - our own address
            return bool(response.status == 200)
    except OSError:
        return False


def _until(true: Callable[[], object], process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + START_SECONDS
    while not true():
        if process.poll() is not None or time.monotonic() > end:
            raise AssertionError(f"the gateway did not start: {process.args}")
        time.sleep(0.1)
