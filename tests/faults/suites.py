"""The small suites that look for planted mistakes; each gives the first thing that it notices, or nothing."""

import asyncio
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from time import monotonic
from typing import Any, Final, cast

import pytest

from gateway.store.sqlite.store import SqliteStore
from tests.contract.store_engines import Clock, Exchange, make_acceptance, open_sqlite
from tests.faults import power_loss
from tests.faults.disk import SCRATCH
from tests.sim import proof
from tests.sim.plan import plan

_ROOT: Final = Path(__file__).parents[2]
_QUIETLY: Final = ("-x", "-q", "-p", "no:cacheprovider", "-W", "ignore::pytest.PytestAssertRewriteWarning")
"""A plugin of pytest's may be imported before it by what a mistake is planted in, which is no fault of a test."""
_LONG_SECONDS: Final = 50


def worlds(first: int = 1) -> str:
    """Live simulated worlds until one is found wanting, beginning with one that meets what the mistake needs."""
    begun, seed = monotonic(), first - 1
    while monotonic() - begun < _LONG_SECONDS:
        seed += 1
        faults = proof.live(plan(seed, 20)).faults
        if faults:
            return f"seed {seed}: {faults[0]}"
    return ""


def power() -> str:
    row = power_loss.run(range(3), per_day=60)
    return row.faults[0] if row.faults else ""


def tests(*names: str) -> Callable[[], str]:
    """Run tests of the ordinary suite, in this process and so with the mutant in it."""

    def run() -> str:
        log = os.open(os.devnull, os.O_WRONLY)
        os.dup2(log, 1)
        os.dup2(log, 2)
        os.chdir(_ROOT)
        failed = pytest.main([*_QUIETLY, *names]) == pytest.ExitCode.TESTS_FAILED
        return f"{' '.join(names)} failed" if failed else ""

    return run


def restored() -> str:
    """A worker of before a restore may touch nothing after it, though the rows it leased are leased again."""
    folder = Path(tempfile.mkdtemp(dir=SCRATCH))
    try:
        return asyncio.run(_restore(folder))
    finally:
        shutil.rmtree(folder)


async def _restore(folder: Path) -> str:
    clock = Clock()
    exchange = Exchange(open_sqlite(folder, clock), clock)
    await exchange.store.accept(make_acceptance("A"))
    await cast("Any", exchange.opened.close())
    copy = (folder / "gateway.db").read_bytes()
    before = Exchange(open_sqlite(folder, clock), clock)
    (old,) = await before.claim()
    await cast("Any", before.opened.close())
    (folder / "gateway.db").write_bytes(copy)
    store = SqliteStore.open(folder / "gateway.db", now=clock.now, restored=True)
    try:
        await store.claim(worker="w", now=clock.now(), lease_seconds=60, room={old.destination: 1})
        return "a claim of before the restore was honoured" if await store.on_wire(old, now=clock.now()) else ""
    finally:
        await store.close()
