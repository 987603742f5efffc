"""The committer: groups, savepoints, and what it does when the disk fails."""

import asyncio
import itertools
import threading
from pathlib import Path

import apsw
import pytest

from gateway.domain.errors import Unavailable
from gateway.store.committer import LARGEST_GROUP, Committer
from gateway.store.sqlite.writer import SqliteWriter

_names = (f"failing{number}" for number in itertools.count())


class _Disk:
    """A disk whose synchronisation can be made to fail."""

    def __init__(self) -> None:
        self.broken = False
        self.broken_file = ""
        self.name = next(_names)
        disk = self

        class File(apsw.VFSFile):
            def __init__(self, name: str | apsw.URIFilename | None, flags: list[int]) -> None:
                super().__init__("", name, flags)
                self._path = name.filename() if isinstance(name, apsw.URIFilename) else str(name)

            def xSync(self, flags: int) -> None:  # noqa: N802 - SQLite's name
                if disk.broken or (disk.broken_file and self._path.endswith(disk.broken_file)):
                    raise apsw.IOError
                super().xSync(flags)

        class Disk(apsw.VFS):
            def xOpen(self, name: str | apsw.URIFilename | None, flags: list[int]) -> File:  # noqa: N802 - SQLite's name
                return File(name, flags)

        self._vfs = Disk(self.name, "")


class _Bench:
    """A committer over a table of numbers."""

    def __init__(self, connection: apsw.Connection) -> None:
        self.connection = connection
        connection.execute("CREATE TABLE number (value INTEGER NOT NULL)")
        self.failures = 0
        self.groups: list[int] = []
        self.committer = Committer(SqliteWriter(connection), failed=self._failed, grouped=self.groups.append)

    def _failed(self) -> None:
        self.failures += 1

    def insert(self, value: int) -> int:
        self.connection.execute("INSERT INTO number VALUES (?)", (value,))
        return value

    def count(self) -> int:
        found = self.connection.execute("SELECT count(*) FROM number").get
        assert isinstance(found, int)
        return found


async def test_a_failing_write_is_rolled_back_alone(tmp_path: Path) -> None:
    bench = _Bench(apsw.Connection(str(tmp_path / "a.db")))

    def fail() -> None:
        bench.insert(99)
        raise ValueError("mine alone")

    writes = [bench.committer.submit(lambda value=value: bench.insert(value)) for value in range(3)]  # type: ignore[misc]
    results = await asyncio.gather(*writes, bench.committer.submit(fail), return_exceptions=True)
    assert results[:3] == [0, 1, 2]
    assert isinstance(results[3], ValueError)
    assert await bench.committer.submit(bench.count) == 3
    await bench.committer.close()


async def test_writes_that_wait_share_one_commit_up_to_a_limit(tmp_path: Path) -> None:
    bench = _Bench(apsw.Connection(str(tmp_path / "a.db")))
    gate = threading.Event()
    first = asyncio.ensure_future(bench.committer.submit(gate.wait))
    await asyncio.sleep(0.05)
    writes = [asyncio.ensure_future(bench.committer.submit(lambda: bench.insert(1))) for _ in range(LARGEST_GROUP + 5)]
    await asyncio.sleep(0)
    gate.set()
    await asyncio.gather(first, *writes)
    assert bench.groups == [1, LARGEST_GROUP, 5]
    await bench.committer.close()


async def test_a_failed_synchronisation_ends_the_writer(tmp_path: Path) -> None:
    disk = _Disk()
    bench = _Bench(apsw.Connection(str(tmp_path / "a.db"), vfs=disk.name))
    await bench.committer.submit(lambda: bench.insert(1))
    disk.broken = True
    with pytest.raises(Unavailable):
        await bench.committer.submit(lambda: bench.insert(2))
    disk.broken = False
    assert bench.failures == 1
    with pytest.raises(Unavailable):
        await bench.committer.submit(lambda: bench.insert(3))
    await bench.committer.close()
    reopened = apsw.Connection(str(tmp_path / "a.db"))
    assert reopened.execute("SELECT value FROM number").fetchall() == [(1,)]


def _with_a_log_of_four_pages(path: Path, disk: _Disk) -> apsw.Connection:
    connection = apsw.Connection(str(path), vfs=disk.name)
    connection.pragma("journal_mode", "wal")
    connection.pragma("synchronous", 2)
    connection.pragma("wal_autocheckpoint", 4)
    return connection


async def test_a_long_log_is_folded_into_the_file(tmp_path: Path) -> None:
    bench = _Bench(_with_a_log_of_four_pages(tmp_path / "a.db", _Disk()))
    for value in range(20):
        await bench.committer.submit(lambda value=value: bench.insert(value))  # type: ignore[misc]
    await bench.committer.submit(bench.count)  # when it is answered, the folding of before is over
    assert (tmp_path / "a.db").stat().st_size > 0
    assert (tmp_path / "a.db-wal").stat().st_size < 10 * 4096
    assert bench.failures == 0
    await bench.committer.close()


async def test_a_failed_folding_of_the_log_ends_the_writer_and_keeps_what_was_answered(tmp_path: Path) -> None:
    disk = _Disk()
    bench = _Bench(_with_a_log_of_four_pages(tmp_path / "a.db", disk))
    disk.broken_file = "a.db"
    answered: list[int] = []

    async def go_on() -> None:
        while len(answered) < 100:
            answered.append(await bench.committer.submit(lambda: bench.insert(len(answered))))

    with pytest.raises(Unavailable):
        await go_on()
    assert answered
    assert bench.failures == 1
    await bench.committer.close()
    disk.broken_file = ""
    reopened = apsw.Connection(str(tmp_path / "a.db"))
    assert reopened.execute("SELECT value FROM number").fetchall() == [(value,) for value in answered]


async def test_a_full_disk_stores_nothing_of_the_group_and_passes(tmp_path: Path) -> None:
    bench = _Bench(apsw.Connection(str(tmp_path / "a.db")))
    bench.connection.pragma("max_page_count", 3)

    def large() -> None:
        bench.connection.execute(
            "WITH RECURSIVE n(value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM n WHERE value < 5000) "
            "INSERT INTO number SELECT value FROM n"
        )

    for _ in range(2):
        results = await asyncio.gather(
            bench.committer.submit(lambda: bench.insert(1)), bench.committer.submit(large), return_exceptions=True
        )
        assert isinstance(results[1], Unavailable)
    bench.connection.pragma("max_page_count", 1000)
    before = await bench.committer.submit(bench.count)
    await bench.committer.submit(large)
    assert await bench.committer.submit(bench.count) == before + 5000
    assert bench.failures == 0
    await bench.committer.close()


@pytest.mark.parametrize("step", ["begin", "mark", "undo", "keep", "commit"])
async def test_whatever_an_engine_says_the_thread_answers_and_goes_on(tmp_path: Path, step: str) -> None:
    connection = apsw.Connection(str(tmp_path / "a.db"))
    bench = _Bench(connection)
    writer = bench.committer._writer
    real = getattr(writer, step)

    def fail() -> None:
        setattr(writer, step, real)
        raise LookupError("what no engine was known to say")

    def write() -> None:
        bench.insert(1)
        if step == "undo":
            raise ValueError

    setattr(writer, step, fail)
    async with asyncio.timeout(10):
        with pytest.raises(Unavailable, match="not known" if step == "commit" else "nothing"):
            await bench.committer.submit(write)
        await bench.committer.submit(lambda: bench.insert(2))
    assert connection.execute("SELECT value FROM number").fetchall() == [(2,)]
    await bench.committer.close()


async def test_a_closed_committer_takes_nothing_and_loses_nothing(tmp_path: Path) -> None:
    bench = _Bench(apsw.Connection(str(tmp_path / "a.db")))
    writes = [asyncio.ensure_future(bench.committer.submit(lambda: bench.insert(1))) for _ in range(10)]
    await asyncio.sleep(0)
    await bench.committer.close()
    assert await asyncio.gather(*writes) == [1] * 10
    with pytest.raises(Unavailable):
        await bench.committer.submit(bench.count)


async def test_a_caller_that_left_does_not_stop_the_others(tmp_path: Path) -> None:
    bench = _Bench(apsw.Connection(str(tmp_path / "a.db")))
    gate = threading.Event()
    blocked = asyncio.ensure_future(bench.committer.submit(gate.wait))
    gone = asyncio.ensure_future(bench.committer.submit(lambda: bench.insert(1)))
    stays = asyncio.ensure_future(bench.committer.submit(lambda: bench.insert(2)))
    await asyncio.sleep(0.01)
    gone.cancel()
    gate.set()
    await blocked
    assert await stays == 2
    assert await bench.committer.submit(bench.count) == 2
    await bench.committer.close()
