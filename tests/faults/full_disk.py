"""The disk of a real `gateway serve` is filled in mid-traffic: a file system of a few megabytes, to the last byte.

Source: reliability-security.md T5 (I1, I19).
"""

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Final

import apsw

from gateway.store.reserve import FILE as RESERVE
from gateway.wiring.build import DATABASE
from tests.faults.disk import SCRATCH
from tests.faults.invariants import broken
from tests.faults.parties import Sender, Sink
from tests.faults.served import Ground, Served, until

SIZE: Final = 24 << 20
_UNSENT: Final = "SELECT count(*) FROM outbox WHERE kind = 'deliver' AND state NOT IN ('done', 'stuck')"
_CHUNK: Final = 4096


@cache
def unable() -> str:
    """Say why no small file system can be had here; empty where one can."""
    try:
        with volume():
            return ""
    except (OSError, subprocess.CalledProcessError):
        return "no file system may be mounted"


@contextmanager
def volume() -> Iterator[Path]:
    """Give an empty file system of `SIZE` bytes."""
    folder = Path(tempfile.mkdtemp(dir=SCRATCH))
    try:
        mount = ["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", str(folder)]
        subprocess.run(mount, check=True, capture_output=True)
        try:
            yield folder
        finally:
            subprocess.run(["umount", "--lazy", str(folder)], check=True)
    finally:
        folder.rmdir()


def fill(disk: Path, *, but: int = 0) -> Path:
    """Fill a disk, but for so many bytes; what fills it is the file to take away again."""
    filler = disk / "filler"
    with filler.open("ab", buffering=0) as file:
        try:
            while _free(disk) - but >= _CHUNK:
                file.write(bytes(_CHUNK))
        except OSError:  # not even so much
            return filler
    return filler


def _free(disk: Path) -> int:
    found = os.statvfs(disk)
    return found.f_bavail * found.f_frsize


class Filled:
    """A gateway on a disk of its own, with two parties.

    Args:
        ground: what it begins with; its log is short.
        sink: the provider.
        disk: an empty file system for its data.
        variables: its settings.
    """

    def __init__(self, ground: Ground, sink: Sink, disk: Path, **variables: str) -> None:
        sink.journal.clear()
        self.disk = disk
        self.sink = sink
        self.sender = Sender(ground.token, "F")
        self._folder = ground.fresh(disk)
        self.served = Served(ground.nursery, self._folder, parts="http,mllp,worker,watch", **variables)
        assert self.served.ready(), self.served.printed
        self._reader = apsw.Connection(str(disk / DATABASE), flags=apsw.SQLITE_OPEN_READONLY)

    def post(self, *numbers: int) -> list[int]:
        """Post orders, and give how each was answered."""
        return [self.sender.post(self.served.base, number).status for number in numbers]

    def taken_within(self, number: int, seconds: float) -> bool:
        """Post an order until it is taken."""
        return until(lambda: self.sender.post(self.served.base, number).positive, seconds)

    def sent_within(self, seconds: float) -> bool:
        """Wait until nothing waits to be sent."""
        return until(lambda: self._reader.execute(_UNSENT).get == 0, seconds)

    def reserve_held(self) -> bool:
        """Tell whether the reserve is there."""
        return (self.disk / RESERVE).exists()

    def faults(self) -> list[str]:
        """Give everything that is wrong by the journals and the tables."""
        arrived = {name for one in self.sink.journal for name in one.names}
        unsent = [control for control in self.sender.promised if f"RX-{control}" not in arrived]
        return [
            *(f"lost: {control} was promised and did not arrive" for control in unsent),
            *self.sender.faults(),
            *self.sink.faults(),
            *broken(self._reader),
        ]

    def close(self) -> int | None:
        """Stop it, and give how it ended."""
        self._reader.close()
        self.served.end(signal.SIGTERM)
        shutil.rmtree(self._folder)
        return self.served.code
