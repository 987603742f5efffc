"""A gateway as an operator runs it, `gateway serve` on a folder of its own, and what the system says that it used.

The configuration is the demonstration's, as `gateway demo` writes it, at real deadlines. Synchronisation is full, as
always; the data folder must be on a real disk, or the figures say nothing.
"""

import hashlib
import os
import re
import secrets
import subprocess
import sys
import time
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from bench.corpus import Door, senders
from gateway.simulate.folder import choose_addresses, write_folder
from gateway.simulate.world import OVER_MLLP

ROOT = Path(__file__).parents[1]
TRUSTS = ("RBA", "RZA", "RZB", "RZC")
_TICK = os.sysconf("SC_CLK_TCK")
_START_SECONDS, _STOP_SECONDS = 60.0, 30.0
_MEMORY_FILE_SYSTEMS = frozenset({"tmpfs", "ramfs", "overlay"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """What the gateway's processes have used since they began.

    Attributes:
        cpu: seconds of all threads of all its processes, in the system and outside it.
        loop: of these, seconds of the thread that runs the event loop.
        written: bytes given to the disk.
        rss: bytes of memory at the moment.
        commits: transactions of the store, and `writes` the units of work that shared them.
    """

    at: float
    cpu: float
    loop: float
    written: int
    rss: int
    commits: float
    writes: float


class Served:
    """One gateway under measurement.

    Args:
        folder: made; holds configuration and data.
        providers: ODS codes of those that are to be reached.
        settings: more environment variables.
    """

    def __init__(self, folder: Path, providers: tuple[str, ...], settings: dict[str, str] | None = None) -> None:
        self.addresses = choose_addresses(TRUSTS, providers)
        self.data = folder.resolve() / "data"
        self._config = folder.resolve() / "config"
        self._settings = settings or {}
        self._process: subprocess.Popen[bytes] | None = None
        write_folder(self._config, self.addresses, over_mllp=OVER_MLLP)
        _at_real_deadlines(self._config)
        self.tokens = {door: self._trusts(door) for door in Door}

    def _trusts(self, door: Door) -> dict[str, str]:
        """Write the other trusts of a door, like the first of them and told at its listener, and give their tokens."""
        first, *others = senders(door)
        folder = self._config / "trusts"
        text = (folder / f"{first.trust}.toml").read_text(encoding="utf-8")
        tokens = {first.trust: self.addresses.tokens[first.trust]}
        for one in others:
            tokens[one.trust] = secrets.token_urlsafe(32)
            digest = hashlib.sha256(tokens[one.trust].encode()).hexdigest()
            like = re.sub(r"(?m)^sites = .*$", f'sites = ["{one.site}"]', text.replace(first.trust, one.trust))
            like = re.sub(r"(?m)^token_sha256 = .*$", f'token_sha256 = "{digest}"', like)
            (folder / f"{one.trust}.toml").write_text(like, encoding="utf-8")
        return tokens

    @property
    def pid(self) -> int:
        """The process's id."""
        if self._process is None:
            raise RuntimeError("not started")
        return self._process.pid

    def start(self) -> None:
        """Start it and wait until it is ready.

        Raises:
            RuntimeError: it did not become ready.
        """
        addresses = self.addresses
        environment = {
            **os.environ,
            **addresses.variables(),
            "GATEWAY_HOST": addresses.host,
            "GATEWAY_PORT": str(addresses.http),
            "GATEWAY_MLLP_HOST": addresses.host,
            "GATEWAY_MLLP_PORT": str(addresses.mllp),
            **self._settings,
        }
        self.data.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-m", "gateway", "serve", "--data", str(self.data), "--config", str(self._config)]
        with (self.data.parent / "gateway.log").open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 - ourselves
                command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        ends = time.monotonic() + _START_SECONDS
        while time.monotonic() < ends and self._process.poll() is None:
            if self._answers("/health/ready"):
                return
            time.sleep(0.05)
        self.stop()
        raise RuntimeError("the gateway did not become ready")

    def stop(self) -> None:
        """Let it finish, and end it."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

    def use(self) -> Use:
        """Look at what it has used."""
        family = _family(self.pid)
        text = self.metrics()
        return Use(
            at=time.monotonic(),
            cpu=sum(_cpu(Path(f"/proc/{one}/stat").read_text(encoding="ascii")) for one in family),
            loop=_cpu(Path(f"/proc/{self.pid}/task/{self.pid}/stat").read_text(encoding="ascii")),
            written=sum(_figure(Path(f"/proc/{one}/io"), "write_bytes") for one in family),
            rss=sum(_figure(Path(f"/proc/{one}/status"), "VmRSS") for one in family) * 1024,
            commits=_metric(text, "gateway_commit_group_count"),
            writes=_metric(text, "gateway_commit_group_sum"),
        )

    def metrics(self) -> str:
        """Give what it publishes."""
        with urlopen(self.addresses.base + "/metrics") as response:  # noqa: S310 - our own address on loopback
            text: str = response.read().decode()
        return text

    def _answers(self, path: str) -> bool:
        try:
            with urlopen(self.addresses.base + path):  # noqa: S310 - our own address on loopback
                return True
        except (URLError, OSError):
            return False


def on_real_disk(folder: Path) -> bool:
    """Tell whether a folder is on a disk that outlives the machine's memory."""
    mounts = [line.split()[1:3] for line in Path("/proc/mounts").read_text(encoding="utf-8").splitlines()]
    path = str(folder.resolve())
    holding = max((one for one in mounts if path.startswith(one[0])), key=lambda one: len(one[0]))
    return holding[1] not in _MEMORY_FILE_SYSTEMS


def _at_real_deadlines(config: Path) -> None:
    """Undo the compressed time of the demonstration: a deadline of seconds would tell a person of every line."""
    file = config / "gateway.toml"
    file.write_text(re.sub(r"(?m)^time_scale = .*$", "time_scale = 1", file.read_text(encoding="utf-8")))
    kept = resources.files("gateway.config").joinpath("demonstration", "deadlines.toml").read_bytes()
    (config / "deadlines.toml").write_bytes(kept)


def _family(pid: int) -> list[int]:
    """Give a process and its descendants."""
    found = [pid]
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text(encoding="ascii").split():
            found += _family(int(child))
    return found


def _cpu(stat: str) -> float:
    fields = stat[stat.rindex(")") + 2 :].split()
    return (int(fields[11]) + int(fields[12])) / _TICK


def _figure(file: Path, name: str) -> int:
    lines = file.read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{name}:"))


def _metric(text: str, name: str) -> float:
    return next((float(line.split()[1]) for line in text.splitlines() if line.startswith(f"{name} ")), 0.0)
