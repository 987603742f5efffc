"""A real `gateway serve` on a data folder of its own, that may be traced, and the folder it begins with."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from select import select
from time import monotonic, sleep
from typing import Any, Final

import apsw

from gateway.simulate.folder import Addresses, write_folder
from gateway.store.sqlite.connection import LONGEST_LOG_BYTES, PAGE_BYTES
from gateway.wiring.build import DATABASE
from tests.faults.disk import SCRATCH

ROOT: Final = Path(__file__).parents[2]
PROVIDERS: Final = ("VDEM1", "VDEM2", "VDEM3", "VN6XW", "VNCEL", "VNE51", "VNFKT")
_STARTED: Final = re.compile(r'"event": ?"started"')
"""As this version writes its log, and as those before it did."""
_START_SECONDS: Final = 60.0
_TRACER_SECONDS: Final = 20.0
_QUICK: Final = {
    "GATEWAY_WATCH_SECONDS": "0.5",
    "GATEWAY_POLL_SECONDS": "0.2",
    "GATEWAY_DRAIN_SECONDS": "2",
    "GATEWAY_RESERVE_BYTES": str(1 << 20),
    "GATEWAY_DISK_FLOOR_BYTES": str(1 << 20),
}
_NEARLY_DUE_PAGES: Final = LONGEST_LOG_BYTES // PAGE_BYTES - 60
"""So long is the log that a start finds: the traffic of a case then has a checkpoint in its midst."""


class Nursery:
    """Where gateways are forked from; see `tests.faults.nursery`.

    Args:
        root: the checkout whose gateway it is.
    """

    def __init__(self, root: Path = ROOT) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.nursery"],
            cwd=root,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._answer()

    def ask(self, do: str, **order: object) -> Any:
        """Give an order and wait for its answer."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"do": do, **order}) + "\n")
        self._process.stdin.flush()
        return self._answer()

    def _answer(self) -> Any:
        assert self._process.stdout is not None
        return json.loads(self._process.stdout.readline())

    def close(self) -> None:
        """Let it end."""
        self._process.communicate()


class Served:
    """One gateway process.

    Args:
        nursery: where it is forked.
        folder: of the case: `data` and `config` are in it.
        options: of strace; empty for a gateway that is not traced.
        parts: of the gateway that run.
        variables: settings beside those of every case.
    """

    def __init__(
        self,
        nursery: Nursery,
        folder: Path,
        options: Sequence[str] = (),
        *,
        parts: str = "http,worker,watch",
        **variables: str,
    ) -> None:
        self._nursery = nursery
        self.log = folder / f"log-{monotonic()}"
        self._code: int | None = None
        secrets = {f"GATEWAY_SECRET_{ods}": "shown" for ods in PROVIDERS}
        arguments = ["serve", "--data", f"{folder / 'data'}", "--config", f"{folder / 'config'}", "--only", parts]
        self.process: int = nursery.ask(
            "begin",
            arguments=[*arguments, "--port", "0", "--mllp-port", "0"],
            environment={**_QUICK, **secrets, **variables},
            log=str(self.log),
        )
        self._alive = os.pidfd_open(self.process)
        self._tracer = self._trace(options) if options else None
        nursery.ask("go", process=self.process)

    def _trace(self, options: Sequence[str]) -> "subprocess.Popen[bytes]":
        tracer = subprocess.Popen(
            ["strace", "-f", "-p", str(self.process), *options],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        status = Path(f"/proc/{self.process}/status")
        until(lambda: "TracerPid:\t0\n" not in status.read_text() or tracer.poll() is not None, _TRACER_SECONDS)
        return tracer

    @property
    def code(self) -> int | None:
        """How it ended, or None while it runs."""
        if self._code is None and select([self._alive], [], [], 0)[0]:
            self._code = self._nursery.ask("ended", process=self.process)  # None until its tracer has let go of it
            if self._code is not None:
                os.close(self._alive)
        return self._code

    @property
    def printed(self) -> str:
        """Everything it has said."""
        return self.log.read_text() if self.log.exists() else ""

    def ready(self) -> bool:
        """Wait until it stands ready; False where it ended instead."""
        until(lambda: self.code is not None or _STARTED.search(self.printed) is not None, _START_SECONDS)
        return self.code is None and bool(self.base)

    @property
    def base(self) -> str:
        """Its HTTP address."""
        found = re.search(r"^HTTP (\S+)$", self.printed, re.MULTILINE)
        return found[1] if found else ""

    @property
    def mllp(self) -> str:
        """Its MLLP address."""
        found = re.search(r"^MLLP (\S+)$", self.printed, re.MULTILINE)
        return found[1] if found else ""

    def end(self, how: signal.Signals, seconds: float = 15.0) -> bool:
        """Tell it to end, and wait; False where it would not by itself."""
        if self.code is None:
            os.kill(self.process, how)  # it is not reaped before `code` is asked, so the number is still its own
        willing = until(lambda: self.code is not None, seconds)
        if not willing:
            os.kill(self.process, signal.SIGKILL)
            until(lambda: self.code is not None, seconds)
        if self._tracer is not None:
            self._tracer.wait(_TRACER_SECONDS)
        return willing

    def ended_within(self, seconds: float) -> bool:
        """Wait a while for it to end by itself."""
        return until(lambda: self.code is not None, seconds)


def until(met: Callable[[], bool], seconds: float) -> bool:
    """Wait for something, and tell whether it came."""
    deadline = monotonic() + seconds
    while not (found := met()) and monotonic() < deadline:
        sleep(0.01)
    return found


class Ground:
    """What every case begins with: a nursery, a configuration, and a data folder that has been served once.

    Args:
        sink: port of the provider that every message goes to.
        long_log: whether a case finds a log that is nearly due to be folded into the file.
        root: the checkout whose gateway serves it first.
    """

    def __init__(self, sink: int, *, long_log: bool = True, root: Path = ROOT) -> None:
        self.nursery = Nursery(root)
        self.folder = Path(tempfile.mkdtemp(dir=SCRATCH))
        _configure(self.folder / "config", sink)
        if root != ROOT:
            _without_new_settings(self.folder / "config")
        first = Served(self.nursery, self.folder)
        if not first.ready():
            raise RuntimeError(f"the gateway does not start: {first.printed}")
        found = re.search(r"^  trust RBA +(\S+)$", first.printed, re.MULTILINE)
        assert found
        self.token = found[1]
        first.end(signal.SIGTERM)
        if long_log:
            self._lengthen(self.folder / "data" / DATABASE)

    @staticmethod
    def _lengthen(database: Path) -> None:
        """Leave a log that is nearly due to be folded into the file."""
        connection = apsw.Connection(str(database))
        connection.pragma("wal_autocheckpoint", 0)
        connection.pragma("synchronous", 0)
        version = connection.pragma("user_version")
        for _ in range(_NEARLY_DUE_PAGES):
            connection.pragma("user_version", version)
        log = database.with_name(f"{database.name}-wal")
        kept = log.with_name("kept")
        shutil.copy(log, kept)
        file = shutil.copy(database, database.with_name("file"))
        connection.close()
        Path(file).replace(database)
        kept.replace(log)

    def fresh(self, where: Path | None = None) -> Path:
        """Give a folder for one case.

        Args:
            where: an empty folder to put the data in; below a new one of memory if None.
        """
        folder = Path(tempfile.mkdtemp(dir=SCRATCH))
        shutil.copytree(self.folder / "config", folder / "config")
        if where is None:
            shutil.copytree(self.folder / "data", folder / "data")
        else:
            shutil.copytree(self.folder / "data", where, dirs_exist_ok=True)
            (folder / "data").symlink_to(where)
        return folder

    def close(self) -> None:
        """Take everything away."""
        self.nursery.close()
        shutil.rmtree(self.folder)


def _without_new_settings(folder: Path) -> None:
    """Take out what the release before does not know, as whoever goes back to it must (docs/operating.md)."""
    for file in (folder / "providers").glob("*.toml"):
        file.write_text(re.sub(r"(?m)^(phone|out_of_hours) = .*\n", "", file.read_text()))
    deadlines = folder / "deadlines.toml"
    deadlines.write_text(re.sub(r"(?m)^PAPER_ORIGINAL = .*\n", "", deadlines.read_text()))


def _configure(folder: Path, sink: int) -> None:
    """Write the demonstration's configuration with one address for every provider, real time and short leases."""
    addresses = Addresses(
        http=0,
        mllp=0,
        listeners={},
        providers=dict.fromkeys(PROVIDERS, sink),
        tokens={name: f"token of {name}" for name in (*PROVIDERS, "operator")},
        shown={},
    )
    write_folder(folder, addresses, over_mllp=())
    for file, pattern, said in (
        (folder / "gateway.toml", r"(?m)^time_scale = .*$", "time_scale = 1"),
        (folder / "gateway.toml", r"(?m)^lease_seconds = .*$", "lease_seconds = 2.0"),
        *(
            (folder / "providers" / f"{ods}.toml", r"(?m)^answers_within.*$", "answers_within_seconds = 1.0")
            for ods in PROVIDERS
        ),
    ):
        text, found = re.subn(pattern, said, file.read_text())
        assert found == 1
        file.write_text(text)
