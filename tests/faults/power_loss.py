"""The power fails at any moment of a working day, and the file that is found holds every commit that was promised.

A day is recorded on `RecordingDisk`. After each commit the writer notes a fingerprint of everything in the database.
Every image is opened as the gateway would open it, and its fingerprint must be one of those noted: no half of a
transaction (I1, I2, I5, I13), and none older than the last promise before the crash (I1).

Source: reliability-security.md I1, I5 and T1.
"""

import asyncio
import hashlib
import random
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from time import monotonic
from typing import cast

import apsw
import msgspec

from gateway.store.sqlite import connection as sqlite_connection
from gateway.store.sqlite.enquiries import SqliteEnquiries
from gateway.store.sqlite.store import SqliteStore
from tests.contract.store_engines import TRUST, Clock, Exchange, Opened, RawSqlite
from tests.faults.disk import SCRATCH, RecordingDisk, Trace
from tests.faults.flows import Day
from tests.faults.images import Image, images
from tests.faults.table import Row

FILE = "gateway.db"
ACTS = 60
IMAGES_PER_DAY = 500
_DEEP_EVERY = 20
"""One image in so many is also checked page by page."""
_SHOWN = 5
_AS_IT_IS = sqlite_connection.LONGEST_LOG_BYTES // sqlite_connection.PAGE_BYTES


def fingerprint(connection: apsw.Connection) -> str:
    """Hash every row of every table but the lifecycle's arrows, which come from the code."""
    tables = [row[0] for row in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")]
    digest = hashlib.blake2b(digest_size=16)
    for table in tables:
        if table != "arrow":
            rows = connection.execute(f'SELECT * FROM "{table}" ORDER BY 1').fetchall()  # noqa: S608
            digest.update(msgspec.msgpack.encode((table, rows)))
    return digest.hexdigest()


def record(seed: int, *, acts: int = ACTS) -> Trace:
    """Record one day. Some days fold the log back into the file every few commits, so that this is met too."""
    rng = random.Random(seed)
    folder = Path(tempfile.mkdtemp(dir=SCRATCH))
    try:
        with _folding_after(rng.choice((_AS_IT_IS, 240, 60))), RecordingDisk() as disk:
            asyncio.run(_live(disk.trace, folder, rng, acts))
            return disk.trace
    finally:
        shutil.rmtree(folder)


@contextmanager
def _folding_after(pages: int) -> Iterator[None]:
    before = sqlite_connection.LONGEST_LOG_BYTES
    sqlite_connection.LONGEST_LOG_BYTES = pages * sqlite_connection.PAGE_BYTES
    try:
        yield
    finally:
        sqlite_connection.LONGEST_LOG_BYTES = before


async def _live(trace: Trace, folder: Path, rng: random.Random, acts: int) -> None:
    clock = Clock()
    writer: list[apsw.Connection] = []

    def promise(_size: int) -> None:
        trace.promise(fingerprint(writer[0]))

    store = SqliteStore.open(folder / FILE, now=clock.now, tells=frozenset({TRUST}), grouped=promise)
    writer.append(cast("apsw.Connection", store._transaction.connection))
    trace.promise(fingerprint(writer[0]))
    enquiries = SqliteEnquiries.open(folder / FILE)
    day = Day(Exchange(Opened(store, enquiries, partial(RawSqlite, folder)), clock), rng)
    try:
        for _ in range(acts):
            await day.act()
    finally:
        await enquiries.close()
        await store.close()
    trace.promise(trace.promises[-1].fingerprint)


def judge(trace: Trace, moment: int, image: Image, folder: Path, *, deep: bool) -> str:
    """Open one image and give what is wrong with it, or nothing."""
    for name in (FILE, f"{FILE}-wal", f"{FILE}-shm"):
        (folder / name).unlink(missing_ok=True)
    for name, content in image.items():
        (folder / name).write_bytes(content)
    try:
        connection = apsw.Connection(str(folder / FILE))
        connection.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)  # the image is thrown away; folding it is waste
        try:
            found = fingerprint(connection)
            whole = not deep or connection.pragma("integrity_check") == "ok"
        finally:
            connection.close()
    except apsw.Error as error:
        return f"damaged: {type(error).__name__}"
    if not whole:
        return "damaged: integrity_check"
    promised = max(i for i, each in enumerate(trace.promises) if each.position <= moment)
    known = {each.fingerprint: i for i, each in enumerate(trace.promises)}
    if found not in known:
        return "torn: not the state after any commit"
    return "" if known[found] >= promised else "lost: a promised commit is gone"


def run(seeds: range, *, per_day: int = IMAGES_PER_DAY) -> Row:
    """Try `per_day` images of each seed's day."""
    begun, faults, tried = monotonic(), [], 0
    for seed in seeds:
        found = list(try_day(seed, per_day))
        tried += len(found)
        faults += [f"seed {seed}, image {number}: {fault}" for number, fault in enumerate(found) if fault]
    return Row(
        case="power loss",
        tried=tried,
        lost=len(faults),
        seconds=monotonic() - begun,
        seeds=f"{seeds.start}-{seeds.stop - 1}",
        faults=tuple(faults[:_SHOWN]),
    )


def try_day(seed: int, wanted: int) -> Iterator[str]:
    """Give the fault of each image of one day, or nothing."""
    trace = record(seed)
    rng = random.Random(~seed)
    folder = Path(tempfile.mkdtemp(dir=SCRATCH))
    try:
        start = trace.promises[0].position
        for number, (moment, image) in enumerate(images(trace.steps, start=start, wanted=wanted, rng=rng)):
            yield judge(trace, moment, image, folder, deep=number % _DEEP_EVERY == 0)
    finally:
        shutil.rmtree(folder)
