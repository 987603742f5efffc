"""A disk that remembers: every write, truncation and synchronisation that SQLite asks of it, in order.

From that record `tests.faults.images` builds what could have been on the platter had the power failed at any moment.
The files themselves are the machine's own, so what is recorded is exactly what the production code does.

Source: reliability-security.md finding 1 and T1.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import apsw

SCRATCH = Path("/dev/shm") if Path("/dev/shm").is_dir() else Path("/tmp")  # noqa: S108 - a test's own folder goes below
"""Where images are laid out: memory, where there is any."""


@dataclass(frozen=True, slots=True)
class Wrote:
    """Bytes at an offset; on the platter only after the next `Synced` of the file."""

    file: str
    offset: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Truncated:
    """The file is `size` bytes long; on the platter like a write."""

    file: str
    size: int


@dataclass(frozen=True, slots=True)
class Synced:
    """Everything of the file before this is on the platter."""

    file: str


@dataclass(frozen=True, slots=True)
class Deleted:
    """The file is gone. SQLite synchronises the folder with it."""

    file: str


Step = Wrote | Truncated | Synced | Deleted


@dataclass(frozen=True, slots=True)
class Promise:
    """The commit returned here: from this step on its callers may have been told, and must never be contradicted."""

    position: int
    fingerprint: str


@dataclass(slots=True)
class Trace:
    """What was asked of the disk and what was promised to callers, in one order.

    Attributes:
        steps: since the recording began.
        promises: one for each commit; the first is the state at the beginning.
    """

    steps: list[Step] = field(default_factory=list)
    promises: list[Promise] = field(default_factory=list)

    def promise(self, fingerprint: str) -> None:
        """Note that a commit has returned."""
        self.promises.append(Promise(len(self.steps), fingerprint))


class _File(apsw.VFSFile):
    def __init__(self, trace: Trace, path: str, name: Any, flags: list[int]) -> None:
        super().__init__("unix", name, flags)
        self._trace = trace
        self._name = Path(path).name

    def xWrite(self, data: Any, offset: int) -> None:  # noqa: N802 - SQLite's own name
        super().xWrite(data, offset)
        self._trace.steps.append(Wrote(self._name, offset, bytes(data)))

    def xTruncate(self, newsize: int) -> None:  # noqa: N802
        super().xTruncate(newsize)
        self._trace.steps.append(Truncated(self._name, newsize))

    def xSync(self, flags: int) -> None:  # noqa: N802
        super().xSync(flags)
        self._trace.steps.append(Synced(self._name))


class RecordingDisk(apsw.VFS):
    """Every connection that is opened while this lives, and names no other, is recorded in `trace`.

    Use as a context manager; there is one at a time in a process.
    """

    def __init__(self) -> None:
        self.trace = Trace()
        super().__init__("recording", "unix", makedefault=True)

    def xOpen(self, name: Any, flags: list[int]) -> Any:  # noqa: N802
        """Open a file and record what is done to it."""
        path = name.filename() if isinstance(name, apsw.URIFilename) else name
        return super().xOpen(name, flags) if path is None else _File(self.trace, path, name, flags)

    def xDelete(self, filename: str, syncdir: bool) -> None:  # noqa: FBT001, N802
        """Delete a file and record it."""
        super().xDelete(filename, syncdir)
        self.trace.steps.append(Deleted(Path(filename).name))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.unregister()
