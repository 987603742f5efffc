"""The disk fails, is full, or takes its time, at any write or synchronisation of a working day.

A write that could not be made durable is answered `Unavailable`, never as done. An input or output error ends the
writer (after a failed synchronisation only the disk knows the truth); a full disk ends nothing, and the next write
that finds room goes on. What is reopened holds every commit that was promised, and passes every invariant.

Source: reliability-security.md I1, I19, T3 and T5.
"""

import asyncio
import random
import shutil
import tempfile
import time
from contextlib import suppress
from enum import StrEnum
from functools import partial
from pathlib import Path
from time import monotonic
from typing import Any, Final, cast

import apsw

from gateway.domain.errors import Unavailable
from gateway.store.sqlite.enquiries import SqliteEnquiries
from gateway.store.sqlite.store import SqliteStore
from tests.contract.store_engines import TRUST, Clock, Exchange, Opened, RawSqlite
from tests.faults.disk import SCRATCH
from tests.faults.flows import Day
from tests.faults.invariants import broken
from tests.faults.power_loss import FILE
from tests.faults.table import Row

ACTS: Final = 25
_SHOWN: Final = 5


class Fault(StrEnum):
    """How the disk misbehaves."""

    IO_ERROR = "input/output error"
    FULL = "disk full"
    SLOW = "slow synchronisation"


_RAISED: Final[dict[Fault, Exception]] = {
    Fault.IO_ERROR: apsw.IOError("injected"),
    Fault.FULL: apsw.FullError("injected"),
}


class FailingDisk(apsw.VFS):
    """The machine's own disk, failing at one write or synchronisation and for `lasting` more."""

    def __init__(self, fault: Fault, *, at: int, lasting: int = 0) -> None:
        self.calls = 0
        self.fault = fault
        self._from, self._upto = at, at + lasting
        super().__init__("failing", "unix", makedefault=True)

    def met(self) -> bool:
        """Count a call, and tell whether the fault has its turn."""
        self.calls += 1
        return self._from <= self.calls <= self._upto

    def xOpen(self, name: Any, flags: list[int]) -> Any:  # noqa: N802 - SQLite's own name
        """Open a file that shares this disk's fate."""
        return _File(self, name, flags)


class _File(apsw.VFSFile):
    def __init__(self, disk: FailingDisk, name: Any, flags: list[int]) -> None:
        super().__init__("unix", name, flags)
        self._disk = disk

    def xWrite(self, data: Any, offset: int) -> None:  # noqa: N802
        if self._disk.met() and self._disk.fault is not Fault.SLOW:
            raise _RAISED[self._disk.fault]
        super().xWrite(data, offset)

    def xSync(self, flags: int) -> None:  # noqa: N802
        met = self._disk.met()
        if met and self._disk.fault is Fault.SLOW:
            time.sleep(0.02)
        elif met:
            raise _RAISED[self._disk.fault]
        super().xSync(flags)


def try_day(fault: Fault, seed: int) -> list[str]:
    """Live one day with one fault somewhere in it, and give everything that is wrong."""
    rng = random.Random(seed)
    folder = Path(tempfile.mkdtemp(dir=SCRATCH))
    try:
        asyncio.run(_open(folder))
        disk = FailingDisk(fault, at=rng.randint(1, 400), lasting=rng.choice((0, 0, 3, 40)))
        try:
            faults, promised = asyncio.run(_live(folder, rng, disk))
        finally:
            disk.unregister()
        return [*faults, *_judge(folder, promised)]
    finally:
        shutil.rmtree(folder)


async def _open(folder: Path) -> None:
    await SqliteStore.open(folder / FILE, now=Clock().now).close()


async def _live(folder: Path, rng: random.Random, disk: FailingDisk) -> tuple[list[str], int]:
    clock, faults, promised, ended = Clock(), [], [0], []
    writer: list[apsw.Connection] = []

    def promise(_size: int) -> None:
        promised[0] = writer[0].execute("SELECT size FROM audit_head").get

    try:
        store = SqliteStore.open(
            folder / FILE,
            now=clock.now,
            tells=frozenset({TRUST}),
            grouped=promise,
            failed=lambda: ended.append(True),
        )
    except Unavailable:
        return [], 0
    writer.append(cast("apsw.Connection", store._transaction.connection))
    enquiries = SqliteEnquiries.open(folder / FILE)
    day = Day(Exchange(Opened(store, enquiries, partial(RawSqlite, folder)), clock), rng)
    for _ in range(ACTS):
        if ended:
            break
        with suppress(Unavailable):
            await day.act()
    if ended and await _takes_more(day):
        faults.append("lost: the store took a submission after the disk had failed")
    if ended and disk.fault is not Fault.IO_ERROR:
        faults.append(f"silent: {disk.fault} ended the writer")
    await enquiries.close()
    await store.close()
    return faults, promised[0]


async def _takes_more(day: Day) -> bool:
    try:
        await day.post()
    except Unavailable:
        return False
    return True


def _judge(folder: Path, promised: int) -> list[str]:
    connection = apsw.Connection(str(folder / FILE))
    try:
        found: int = connection.execute("SELECT size FROM audit_head").get
        faults = [f"silent: {fault}" for fault in broken(connection)]
        if found < promised:
            faults.append(f"lost: {promised - found} promised leaves are gone")
        if connection.pragma("integrity_check") != "ok":
            faults.append("lost: the file is damaged")
        return faults
    finally:
        connection.close()


def run(seeds: range, *, per_seed: int) -> Row:
    """Live `per_seed` days of each kind of fault for each seed."""
    begun, tried, faults = monotonic(), 0, []
    for seed in seeds:
        for fault in Fault:
            for number in range(per_seed):
                tried += 1
                day = seed * 10_000 + number
                faults += [f"{fault}, day {day}: {found}" for found in try_day(fault, day)]
    return Row(
        case="the disk fails, is full, or is slow",
        tried=tried,
        lost=sum(": lost" in fault for fault in faults),
        silent=sum(": silent" in fault for fault in faults),
        seconds=monotonic() - begun,
        seeds=f"{seeds.start}-{seeds.stop - 1}",
        faults=tuple(faults[:_SHOWN]),
    )
