"""The process is killed at every step of its own code, and what it leaves is opened, worked on and judged.

The points are found, not written into the product: before and after every function of the store's writing modules,
every step of the pipeline, the worker, the watch and the committer, and every write and synchronisation of the disk.
Each case is a fork: the child lives until its point and kills itself there; a second child judges.

Source: reliability-security.md T2 (I1, I2, I6, I12; restarting needs no person).
"""

import asyncio
import functools
import gc
import importlib
import inspect
import os
import pkgutil
import random
import shutil
import signal
import sys
import tempfile
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, MutableMapping
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from types import ModuleType
from typing import Any, Final

import apsw
import structlog

from gateway.config.load import load
from gateway.pipeline.clockwork import Clockwork
from gateway.pipeline.reroute import Rerouting
from gateway.pipeline.story import Pipeline
from gateway.store import sql
from gateway.store.committer import Committer
from gateway.store.keys import load_or_make
from gateway.store.sqlite.store import SqliteStore
from gateway.store.sqlite.writer import SqliteWriter
from gateway.watch import Watch
from gateway.wiring.around import surroundings
from gateway.worker import Worker
from tests.faults.disk import SCRATCH
from tests.faults.life import BEGUN, DATABASE, Clock, Provider, Ready, aftermath
from tests.faults.stories import live
from tests.faults.table import Row

_NOT_STEPS: Final = frozenset({"instants", "transaction"})
"""Modules of the statements that only convert a value or carry a statement out."""

_LIVING: Final = (Pipeline, Rerouting, Clockwork, Worker, Watch, Committer, SqliteWriter, Provider)
_SHOWN: Final = 5
_PATIENCE_SECONDS: Final = 30


class Points:
    """Counts the moments at which the process could die, and lets it die at one of them."""

    def __init__(self) -> None:
        self.seen: Counter[str] = Counter()
        self._at: tuple[str, int] | None = None

    def arm(self, name: str, hit: int) -> None:
        """Die at the `hit`-th time that `name` is passed."""
        self._at = (name, hit)

    def passed(self, name: str) -> None:
        """Note that a point was passed; does not return where it is the armed one."""
        self.seen[name] += 1
        if self._at == (name, self.seen[name]):
            os.kill(os.getpid(), signal.SIGKILL)


POINTS: Final = Points()


def _around(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    if inspect.iscoroutinefunction(function):

        @functools.wraps(function)
        async def later(*args: Any, **kwargs: Any) -> Any:
            POINTS.passed(f"{name}: before")
            result = await function(*args, **kwargs)
            POINTS.passed(f"{name}: after")
            return result

        return later

    @functools.wraps(function)
    def now(*args: Any, **kwargs: Any) -> Any:
        POINTS.passed(f"{name}: before")
        result = function(*args, **kwargs)
        POINTS.passed(f"{name}: after")
        return result

    return now


def plant() -> None:
    """Put a point before and after every step. In a process of its own only: it is never taken back."""
    for short in _writing():
        module = importlib.import_module(f"{sql.__name__}.{short}")
        for name, function in inspect.getmembers(module, inspect.isfunction):
            if function.__module__ == module.__name__ and not inspect.isgeneratorfunction(function):
                _everywhere(function, _around(f"{short}.{name}", function))
    for kind in _LIVING:
        for name, function in list(vars(kind).items()):
            if inspect.isfunction(function) and name != "__init__":
                setattr(kind, name, _around(f"{kind.__name__}.{name}", function))


def _writing() -> list[str]:
    """Give every module of the statements by its short name."""
    return sorted({found.name for found in pkgutil.iter_modules(sql.__path__)} - _NOT_STEPS)


def _everywhere(function: Callable[..., Any], wrapped: Callable[..., Any]) -> None:
    for module in list(sys.modules.values()):
        if isinstance(module, ModuleType) and module.__name__.startswith("gateway."):
            for name, value in list(vars(module).items()):
                if value is function:
                    setattr(module, name, wrapped)


class _Disk(apsw.VFS):
    """The machine's own disk, with a point before and after everything that changes it."""

    def __init__(self) -> None:
        super().__init__("deadly", "unix", makedefault=True)

    def xOpen(self, name: Any, flags: list[int]) -> Any:  # noqa: N802 - SQLite's own name
        """Open a file whose writes are points."""
        return _File("unix", name, flags)


class _File(apsw.VFSFile):
    def xWrite(self, data: Any, offset: int) -> None:  # noqa: N802
        POINTS.passed("disk write: before")
        super().xWrite(data, offset)
        POINTS.passed("disk write: after")

    def xSync(self, flags: int) -> None:  # noqa: N802
        POINTS.passed("disk sync: before")
        super().xSync(flags)
        POINTS.passed("disk sync: after")


@dataclass(frozen=True, slots=True)
class Case:
    """Die at the `hit`-th passing of `point`, in the life of `seed`."""

    point: str
    hit: int
    seed: int


class Ground:
    """Everything that is loaded once, and the folder a life begins with."""

    def __init__(self) -> None:
        plant()
        self.disk = _Disk()
        configuration = load(None)
        self.folder = Path(tempfile.mkdtemp(dir=SCRATCH))
        keys = load_or_make(self.folder, development=True, now=BEGUN)
        self.ready = Ready(configuration=configuration, around=surroundings(configuration), keys=keys)
        _forked(lambda: asyncio.run(self._make()))
        gc.collect()
        gc.freeze()  # so that a child's collector does not copy every page it looks at

    async def _make(self) -> None:
        await SqliteStore.open(self.folder / DATABASE, now=Clock().now).close()

    def copy(self) -> Path:
        """Give a fresh data folder."""
        folder = Path(tempfile.mkdtemp(dir=SCRATCH))
        shutil.copy(self.folder / DATABASE, folder / DATABASE)
        return folder

    def passings(self, seed: int) -> dict[str, int]:
        """Live once without dying, and count how often each point is passed."""
        folder = self.copy()
        told = folder / "points"

        def count() -> None:
            POINTS.seen.clear()
            asyncio.run(live(self.ready, folder, seed))
            told.write_text("\n".join(f"{hits} {name}" for name, hits in POINTS.seen.items()))

        _forked(count)
        lines = told.read_text().splitlines()
        shutil.rmtree(folder)
        return {name: int(hits) for hits, name in (line.split(" ", 1) for line in lines)}

    def kill(self, case: Case) -> tuple[bool, list[str]]:
        """Tell whether the case was reached, and what is wrong after it."""
        folder = self.copy()
        told = folder / "faults"

        def die() -> None:
            POINTS.seen.clear()
            POINTS.arm(case.point, case.hit)
            asyncio.run(live(self.ready, folder, case.seed))

        def look() -> None:
            self.disk.unregister()
            told.write_text("\n".join(asyncio.run(aftermath(self.ready, folder))))

        try:
            if _forked(die) != -signal.SIGKILL:
                return False, []
            ended = _forked(look)
            return True, told.read_text().splitlines() if ended == 0 else [f"lost: it did not start again ({ended})"]
        finally:
            shutil.rmtree(folder)

    def close(self) -> None:
        """Take the folder away."""
        shutil.rmtree(self.folder)


def _unlogged(_logger: object, _method: str, event: MutableMapping[str, Any]) -> Any:
    """Write no log; but a bug that a loop outlived is not to pass unseen."""
    if event.get("exc_info"):
        traceback.print_exc()
        os._exit(70)
    raise structlog.DropEvent


def _forked(act: Callable[[], object]) -> int:
    """Run an act in a child that shares everything loaded so far; gives its exit code, or minus the signal."""
    child = os.fork()
    if child == 0:
        signal.alarm(_PATIENCE_SECONDS)
        structlog.configure(processors=[_unlogged])
        code = 1
        try:
            act()
            code = 0
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def cases(passings: dict[str, int], *, wanted: int, seed: int) -> Iterator[Case]:
    """Give cases that visit the points as evenly as may be, in an order and at passings drawn from the seed."""
    rng = random.Random(seed)
    points = sorted(passings)
    rng.shuffle(points)
    for number in range(wanted):
        point = points[number % len(points)]
        yield Case(point, rng.randint(1, passings[point]), seed)


def run(seeds: range, *, per_seed: int) -> Row:
    """Kill `per_seed` times in the life of each seed. In a process of its own: see `plant`."""
    begun, tried, faults = monotonic(), 0, []
    ground = Ground()
    points: set[str] = set()
    try:
        for seed in seeds:
            passings = ground.passings(seed)
            points.update(passings)
            for case in cases(passings, wanted=per_seed, seed=seed):
                reached, found = ground.kill(case)
                tried += reached
                faults += [f"{case.point}, passing {case.hit}, seed {case.seed}: {fault}" for fault in found]
    finally:
        ground.close()
    return Row(
        case=f"killed at one of {len(points)} points",
        tried=tried,
        lost=sum(": lost" in fault for fault in faults),
        doubled=sum(": doubled" in fault for fault in faults),
        silent=sum(": silent" in fault for fault in faults),
        seconds=monotonic() - begun,
        seeds=f"{seeds.start}-{seeds.stop - 1}",
        faults=tuple(faults[:_SHOWN]),
    )
