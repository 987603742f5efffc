"""One system call of a real `gateway serve` fails, dawdles or is the last; what is left is served again and judged.

First a life is traced without harm, and the passings of each system call on the data folder and the network are
noted. A case is one of them: the n-th passing of one call (strace counts for each thread by itself) fails with an
error, does nothing and says so, is delayed, or kills the process, while a trust posts orders and a provider takes them.
Then the process is stopped, started again without a tracer, and sent everything once more.

A write that is cut in its midst is not made here, for strace can only answer in a call's stead: it would say that bytes
were written which were not. `tests.faults.test_full_disk` has the kernel itself cut one short.

Source: reliability-security.md T3 and 3.1 (I1, I2, I6, I12); strace(1), "Tampering".
"""

import random
import re
import shutil
import signal
import subprocess
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from threading import Lock
from time import monotonic, sleep
from typing import Final

import apsw

from gateway.wiring.build import ANCHORS, DATABASE
from tests.faults.disk import SCRATCH
from tests.faults.invariants import broken
from tests.faults.parties import Sender, Sink
from tests.faults.served import Ground, Served
from tests.faults.table import Row

ORDERS: Final = 6
_SYNCS: Final = ("fdatasync", "fsync")
_DAWDLES: Final = "delay_enter=400000"
"""Microseconds: longer than a group of writes takes, shorter than anybody's patience."""
_KILL: Final = "signal=SIGKILL"
_NOTHING: Final = "retval=0"
"""The call writes nothing, and says so without an error."""
_DISK: Final = ("error=EIO", "error=ENOSPC", "error=EINTR", _KILL)
_WAYS: Final[dict[str, tuple[str, ...]]] = {
    "pwrite64": (*_DISK, _NOTHING),
    "write": (*_DISK, _NOTHING),
    "fdatasync": ("error=EIO", "error=ENOSPC", _DAWDLES, _KILL),
    "fsync": ("error=EIO", "error=ENOSPC", _DAWDLES, _KILL),
    "ftruncate": ("error=EIO", "error=ENOSPC", _KILL),
    "fallocate": ("error=EIO", "error=ENOSPC", _KILL),
    "rename": ("error=EIO", "error=ENOSPC", _KILL),
    "openat": _DISK,
    "connect": ("error=ECONNREFUSED", "error=ETIMEDOUT", "error=EINTR", _KILL),
    "sendto": ("error=ECONNRESET", "error=EPIPE", "error=EINTR", _KILL),
}
_NETWORK: Final = ("connect", "sendto")
_PASSED: Final = re.compile(r"^(\d+) +[\d.]+ (\w+)\((.*)$", re.MULTILINE)
_HIT: Final = re.compile(r"^(\d+) +[\d.]+ (?:<\.\.\. )?(\w+)(.*)\((INJECTED|DELAYED)\)", re.MULTILINE)
_FILE: Final = re.compile(r"/data/([\w.-]+)")
_OWN: Final = "UNIX-STREAM"
"""How strace writes the socket by which the loop wakes itself, which no fault reaches in life."""
_SHOWN: Final = 5
_LANES: Final = 2
"""Cases that are tried at a time."""
_SETTLE_SECONDS: Final = 15.0
_END_SECONDS: Final = 30.0
"""On a busy machine; it is waited for only as long as it takes."""


@cache
def unable() -> str:
    """Say why system calls cannot be traced here; empty where they can."""
    if shutil.which("strace") is None:
        return "strace is not installed"
    tried = subprocess.run(
        ["strace", "-e", "inject=getpid:error=EIO", "true"],
        capture_output=True,
        check=False,
    )
    return "" if tried.returncode == 0 else "strace may not trace here"


@dataclass(frozen=True, slots=True)
class Case:
    """At the `passing`-th `call` of a thread, `way` happens; `seed` draws the rest.

    Only calls on files of the data folder are counted, or on the one named by `file`.

    Attributes:
        late: the passing comes only when the process is told to end.
    """

    call: str
    way: str
    passing: int
    seed: int
    file: str = ""
    late: bool = False

    def options(self, trace: Path, data: Path) -> list[str]:
        """Write it for strace."""
        harm = f"inject={self.call}:{self.way}:when={self.passing}"
        shown = "-yy" if self.call in _NETWORK else "-y"
        return ["-ttt", shown, "-s", "0", "-o", str(trace), "-e", f"trace={self.call}", "-e", harm, *_where(self, data)]

    def __str__(self) -> str:
        """Name it so that it can be tried again."""
        place = f" of {self.file}" if self.file else ""
        return f"{self.call}{place}, {self.way}, passing {self.passing}, seed {self.seed}"


def _where(case: Case, data: Path) -> list[str]:
    if case.file:
        return ["-P", str(data / case.file)]
    return [] if case.call in _NETWORK else _paths(data)


def _paths(data: Path) -> list[str]:
    """Give every file of the data folder, of before and to come, for strace to look at and at no other."""
    there = [data, *(one for one in data.rglob("*") if one.is_file())]
    to_come = [data / f"{DATABASE}-wal", data / f"{DATABASE}-shm", data / "reserve", data / ANCHORS.with_suffix(".new")]
    return [word for file in dict.fromkeys([*there, *to_come]) for word in ("-P", str(file))]


@dataclass(frozen=True, slots=True)
class Passed:
    """Which passings of a call one thread has in a life without harm, and how many of them before its end."""

    passings: tuple[int, ...]
    before_end: int


def passings(ground: Ground, sink: Sink, seed: int) -> dict[str, Passed]:
    """Live twice without harm, once for the disk and once for the network, and give what there is to harm.

    On the network the start's are left out, and whatever else the loop sends to wake itself.
    """
    found: dict[str, Passed] = {}
    for calls in ([call for call in _WAYS if call not in _NETWORK], _NETWORK):
        folder = ground.fresh()
        trace = folder / "trace"
        where = [] if calls is _NETWORK else _paths(folder / "data")
        options = ["-ttt", "-yy", "-s", "0", "-o", str(trace), "-e", f"trace={','.join(calls)}", *where]
        served = Served(ground.nursery, folder, options)
        begun: dict[str, list[int]] = {}
        lived: dict[str, list[int]] = {}
        if served.ready():
            begun = _of_the_busiest(trace)
            _traffic(served, Sender(ground.token, f"C{seed}"), sink)
            lived = _of_the_busiest(trace)
        served.end(signal.SIGTERM)
        for call, indices in _of_the_busiest(trace).items():
            first = max(begun.get(call, [0])) if call == "sendto" else 0
            found[call] = Passed(tuple(one for one in indices if one > first), max(lived.get(call, [0])))
        shutil.rmtree(folder)
    sink.journal.clear()
    return found


def _of_the_busiest(trace: Path) -> dict[str, list[int]]:
    """Give, for the thread that passed a call most often, which of its passings were not the loop's own."""
    by_thread: dict[tuple[str, str], list[int]] = {}
    seen: Counter[tuple[str, str]] = Counter()
    for thread, call, rest in _PASSED.findall(trace.read_text()):
        seen[call, thread] += 1
        by_thread.setdefault((call, thread), [])
        if _OWN not in rest:
            by_thread[call, thread].append(seen[call, thread])
    busiest = {call: max((one for one in seen if one[0] == call), key=lambda one: seen[one]) for call, _ in seen}
    return {call: indices for call, one in busiest.items() if (indices := by_thread[one])}


def _traffic(served: Served, sender: Sender, sink: Sink) -> None:
    """Post the orders, some twice, and give the provider a second to get them."""
    for number in range(ORDERS):
        sender.post(served.base, number)
        if number % 3 == 2:
            sender.post(served.base, number)
    deadline = monotonic() + 1
    while len(sink.journal) < len(sender.promised) and monotonic() < deadline and served.code is None:
        sleep(0.02)


class Trial:
    """One case, from the first start to the verdict."""

    def __init__(self, ground: Ground, sink: Sink, case: Case) -> None:
        self._ground = ground
        self._sink = sink
        self._case = case
        self.sender = Sender(ground.token, f"S{case.seed}P{case.passing}")
        self._folder = ground.fresh()
        self._trace = self._folder / "trace"
        self.faults: list[str] = []
        self.ends = ""
        self.harmed: list[str] = []
        sink.journal.clear()

    def run(self) -> bool:
        """Tell whether the case was reached; what is wrong is in `faults`."""
        try:
            self._harm()
            if not self._hits():
                return False
            self.harmed = [found[1] for _, rest in self._hits() if (found := _FILE.search(rest))]
            self._look()
            self._again()
            return True
        finally:
            shutil.rmtree(self._folder)

    def _hits(self) -> list[tuple[str, str]]:
        """Give the calls that were harmed; one that killed is the last that was passed."""
        text = self._trace.read_text() if self._trace.exists() else ""
        hits = [(call, rest) for _thread, call, rest, _how in _HIT.findall(text) if _OWN not in rest]
        if not hits and self._case.way == _KILL and "killed by SIGKILL" in text:
            return [(self._case.call, "")]
        return hits

    def _harm(self) -> None:
        served = Served(self._ground.nursery, self._folder, self._case.options(self._trace, self._folder / "data"))
        if served.ready():
            _traffic(served, self.sender, self._sink)
            self._after_a_failed_sync(served)
        elif served.code is None:
            self.faults.append("silent: it neither started nor ended")
        orderly = self._case.late or bool(random.Random(str(self._case)).getrandbits(1))
        if not served.end(signal.SIGTERM if orderly else signal.SIGKILL):
            self.faults.append("silent: it did not end when it was told to")
        self.ends = f"ended {served.code}: {served.printed[-600:]}"

    def _after_a_failed_sync(self, served: Served) -> None:
        """After a failed synchronisation of the store it ends or refuses; what it answers now, it may not keep."""
        failed = [rest for call, rest in self._hits() if call in _SYNCS and DATABASE in rest]
        if failed and self._case.way.startswith("error") and not served.ended_within(_END_SECONDS):
            if self.sender.post(served.base, ORDERS).positive:
                self.faults.append("lost: it went on after a failed synchronisation")
            else:
                self.faults.append("silent: it neither ended nor served after a failed synchronisation")

    def _look(self) -> None:
        """Look at what is on the disk, in a copy, before anything is served from it."""
        copy = Path(tempfile.mkdtemp(dir=SCRATCH))
        try:
            for name in (DATABASE, f"{DATABASE}-wal"):
                if (self._folder / "data" / name).exists():
                    shutil.copy(self._folder / "data" / name, copy / name)
            connection = apsw.Connection(str(copy / DATABASE))
            taken = {control for (control,) in connection.execute("SELECT control_id FROM submission")}
            self.faults += [
                f"lost: {control} was promised and is not there"
                for control in self.sender.promised
                if control not in taken
            ]
            self.faults += [f"silent: {fault}" for fault in broken(connection)]
            connection.close()
        finally:
            shutil.rmtree(copy)

    def _again(self) -> None:
        """Serve it again, send everything again, and compare with the journals."""
        served = Served(self._ground.nursery, self._folder)
        if not served.ready():
            self.faults.append(f"lost: it did not start again: {served.printed[-300:]}")
            served.end(signal.SIGKILL)
            return
        for number in range(ORDERS + 1):
            if not self.sender.post(served.base, number).positive:
                self.faults.append(f"lost: {self.sender.control(number)} was not taken when it was sent again")
        connection = apsw.Connection(str(self._folder / "data" / DATABASE), flags=apsw.SQLITE_OPEN_READONLY)
        _settle(connection)
        self.faults += [*self.sender.faults(), *self._sink.faults(), *self._unsupplied(connection)]
        self.faults += [f"silent: {fault}" for fault in broken(connection)]
        connection.close()
        served.end(signal.SIGKILL)

    def _unsupplied(self, connection: apsw.Connection) -> Iterator[str]:
        """Give every order of which nobody is told that the provider has not got it."""
        arrived = {name for one in self._sink.journal for name in one.names}
        alerted = {line for (line,) in connection.execute("SELECT line FROM alert WHERE closed_at IS NULL")}
        rows = {order: (line, state) for line, order, state in connection.execute(_LINES)}
        for order in (f"RX-{control}" for control in self.sender.promised):
            line, state = rows.get(order, (None, ""))
            if line is None:
                yield f"lost: {order} is not there"
            elif order not in arrived and state == "WITH_PROVIDER":
                yield f"lost: {order} is said to have arrived and has not"
            elif state != "WITH_PROVIDER" and line not in alerted:
                yield f"silent: {order} is {state} and nobody is told"


_LINES: Final = "SELECT id, order_number, state FROM line"
_UNSETTLED: Final = "SELECT count(*) FROM outbox WHERE kind = 'deliver' AND state NOT IN ('done', 'stuck')"


def _settle(connection: apsw.Connection) -> None:
    """Wait until everything has been sent, or is a person's to decide."""
    deadline = monotonic() + _SETTLE_SECONDS
    while connection.execute(_UNSETTLED).get and monotonic() < deadline:
        sleep(0.05)


def cases(found: Mapping[str, Passed], *, seed: int) -> Iterator[Case]:
    """Give cases that visit every call and way in turn, at passings drawn from the seed and none of them twice."""
    rng = random.Random(seed)
    left = {
        (call, way): rng.sample(found[call].passings, len(found[call].passings))
        for call in _WAYS
        if call in found
        for way in _WAYS[call]
    }
    while any(left.values()):
        for (call, way), drawn in rng.sample(sorted(left.items()), len(left)):
            if drawn:
                passing = drawn.pop()
                yield Case(call, way, passing, seed, late=passing > found[call].before_end)


class _Lane:
    """A place where one case after another is tried, beside others: most of a case is waiting."""

    def __init__(self, stack: ExitStack) -> None:
        self.sink = stack.enter_context(Sink())
        self.ground = Ground(self.sink.port)
        stack.callback(self.ground.close)

    def work(self, given: "_Given") -> None:
        """Try cases until there are enough."""
        while (case := given.next()) is not None:
            trial = Trial(self.ground, self.sink, case)
            given.done(reached=trial.run(), faults=[f"{case}: {fault}" for fault in trial.faults])


class _Given:
    """Hands the cases of a seed out to the lanes; one that was not reached is made up for by another.

    Args:
        cases: those there are.
        wanted: how many must be reached.
    """

    def __init__(self, cases: Iterator[Case], wanted: int) -> None:
        self._cases = cases
        self._lock = Lock()
        self._missing = wanted
        self._most = wanted + wanted // 4
        self.tried = 0
        self.faults: list[str] = []

    def next(self) -> Case | None:
        """Give the next case; None where there are enough, or no more."""
        with self._lock:
            if not self._missing or not self._most:
                return None
            self._missing -= 1
            self._most -= 1
            return next(self._cases, None)

    def done(self, *, reached: bool, faults: Sequence[str]) -> None:
        """Note what became of a case."""
        with self._lock:
            self.tried += reached
            self._missing += not reached
            self.faults += faults


def run(seeds: range, *, per_seed: int) -> Row:
    """Try `per_seed` cases for each seed; where none can be tried, the row says why and is not clean."""
    if reason := unable():
        return Row(case="one system call fails", tried=0, faults=(f"{reason}: nothing was tried; then run --fresh",))
    begun, tried, faults = monotonic(), 0, []
    with ExitStack() as stack, ThreadPoolExecutor(_LANES) as pool:
        lanes = [_Lane(stack) for _ in range(_LANES)]
        for seed in seeds:
            given = _Given(cases(passings(lanes[0].ground, lanes[0].sink, seed), seed=seed), per_seed)
            list(pool.map(_Lane.work, lanes, [given] * _LANES))
            tried += given.tried
            faults += given.faults
    return Row(
        case="one system call fails",
        tried=tried,
        lost=sum(": lost" in fault for fault in faults),
        doubled=sum(": doubled" in fault for fault in faults),
        silent=sum(": silent" in fault for fault in faults),
        seconds=monotonic() - begun,
        seeds=f"{seeds.start}-{seeds.stop - 1}",
        faults=tuple(faults[:_SHOWN]),
    )
