"""The disk of a real `gateway serve` is filled in mid-traffic, to the last byte or the last file, or turns read-only.

A file system of a few megabytes in memory is filled; one on a file, which turns read-only at an error, is told that
there was one.

Source: reliability-security.md T5 (I1, I19); ext4(5), `errors=remount-ro`.
"""

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache, cached_property
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
def volume(*, files: int = 0) -> Iterator[Path]:
    """Give an empty file system of `SIZE` bytes, for so many files; for any number if 0."""
    options = f"size={SIZE},nr_inodes={files}" if files else f"size={SIZE}"
    with _mounted(["-t", "tmpfs", "-o", options, "tmpfs"]) as folder:
        yield folder


@contextmanager
def _mounted(what: list[str]) -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(dir=SCRATCH))
    try:
        subprocess.run(["mount", *what, str(folder)], check=True, capture_output=True)
        try:
            yield folder
        finally:
            subprocess.run(["umount", "--lazy", str(folder)], check=True)
    finally:
        folder.rmdir()


class Fragile:
    """A file system that turns read-only under whoever uses it, and can be had again as it was left.

    Args:
        image: the file it is on.
    """

    def __init__(self, image: Path) -> None:
        self._image = image
        with image.open("wb") as file:
            file.truncate(4 * SIZE)
        subprocess.run(["mkfs.ext4", "-q", "-F", str(image)], check=True, capture_output=True)

    @contextmanager
    def mounted(self) -> Iterator[Path]:
        """Give it, writable."""
        with _mounted(["-o", "loop,errors=remount-ro", str(self._image)]) as folder:
            yield folder

    @staticmethod
    def fail(folder: Path) -> None:
        """Have it find an error, and turn read-only."""
        number = folder.stat().st_dev
        name = Path(f"/sys/dev/block/{os.major(number)}:{os.minor(number)}").resolve().name
        Path(f"/sys/fs/ext4/{name}/trigger_fs_error").write_text("1")


@cache
def unbreakable() -> str:
    """Say why no file system can be turned read-only here; empty where one can."""
    try:
        with tempfile.TemporaryDirectory() as folder:
            fragile = Fragile(Path(folder) / "image")
            with fragile.mounted() as disk:
                fragile.fail(disk)
                try:
                    (disk / "file").touch()
                except OSError:
                    return ""
    except (OSError, subprocess.CalledProcessError):
        return "no file system on a file may be mounted, or none that can be told to fail"
    return "a file system that was told to fail goes on"


def use_up(disk: Path, *, but: int = 0) -> Path:
    """Make files until no more can be made, but for so many; the folder of them is what to take away again."""
    folder = disk / "files"
    folder.mkdir(exist_ok=True)
    number = len(list(folder.iterdir()))
    while os.statvfs(disk).f_favail > but:
        (folder / str(number)).touch()
        number += 1
    return folder


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


def _make_durable(folder: Path) -> None:
    """Have the disk hold what a gateway would find there that was served before: only its own writes are at stake."""
    for one in (folder, *folder.rglob("*")):
        handle = os.open(one, os.O_RDONLY)
        os.fsync(handle)
        os.close(handle)


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
        self._ground = ground
        self._folder = ground.fresh(disk)
        _make_durable(disk)
        self.served = self.again(**variables)
        assert self.served.ready(), self.served.printed

    def move(self, disk: Path) -> None:
        """Note that its data are at another place now."""
        self.disk = disk
        (self._folder / "data").unlink()
        (self._folder / "data").symlink_to(disk)

    def again(self, **variables: str) -> Served:
        """Serve the same data, once more; it is not waited for."""
        self.served = Served(self._ground.nursery, self._folder, parts="http,mllp,worker,watch", **variables)
        return self.served

    @cached_property
    def _reader(self) -> apsw.Connection:
        return apsw.Connection(str(self.disk / DATABASE), flags=apsw.SQLITE_OPEN_READONLY)

    def let_go(self) -> None:
        """Have no file of the disk open any more."""
        if "_reader" in self.__dict__:
            self._reader.close()
            del self.__dict__["_reader"]

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
        self.let_go()
        self.served.end(signal.SIGTERM)
        shutil.rmtree(self._folder)
        return self.served.code
