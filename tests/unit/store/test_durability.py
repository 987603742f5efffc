"""What was answered is there after the process is killed; what was refused for a full disk is not."""

import asyncio
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from gateway.domain.errors import Unavailable
from gateway.store.sqlite.store import SqliteStore
from tests.contract.store_engines import TRUST, Clock, make_acceptance, open_sqlite, stored_answer

ROOT = Path(__file__).parents[3]
CHILD = """
import asyncio, sys
from pathlib import Path
from tests.contract.store_engines import Clock, make_acceptance, open_sqlite

async def one(store, name):
    await store.accept(make_acceptance(name))
    sys.stdout.write(name + "\\n")
    sys.stdout.flush()

async def main():
    store = open_sqlite(Path(sys.argv[1]), Clock()).store
    for start in range(0, 100000, 8):
        await asyncio.gather(*(one(store, f"{sys.argv[2]}x{n}") for n in range(start, start + 8)))

asyncio.run(main())
"""


@pytest.mark.parametrize("run", range(3))
async def test_what_was_answered_survives_kill_9(tmp_path: Path, run: int) -> None:
    answered: list[str] = []
    chance = random.Random(run)
    for life in range(2):
        child = subprocess.Popen(  # noqa: ASYNC220 - nothing else runs here
            [sys.executable, "-c", CHILD, str(tmp_path), f"{run}-{life}"],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert child.stdout is not None
        answered.append(child.stdout.readline().strip())
        time.sleep(chance.uniform(0.0, 0.3))  # noqa: ASYNC251 - nothing else runs here
        os.kill(child.pid, signal.SIGKILL)
        answered += [text for text in child.stdout.read().split("\n")[:-1] if text]
        child.wait()
        child.stdout.close()
    opened = open_sqlite(tmp_path, Clock())
    stored = [await stored_answer(opened.store, TRUST, f"MSG{name}") for name in answered]
    assert len(answered) > 2
    assert None not in stored
    await opened.store.close()


async def test_a_full_disk_answers_not_stored_and_the_process_goes_on(tmp_path: Path) -> None:
    opened = open_sqlite(tmp_path, Clock())
    store = opened.store
    assert isinstance(store, SqliteStore)
    await store.accept(make_acceptance("A"))
    connection = store._transaction.connection
    pages = int(connection.pragma("page_count"))
    await store._run(lambda: connection.pragma("max_page_count", pages))
    body = b"x" * 100_000
    results = await asyncio.gather(
        *(store.accept(make_acceptance(f"F{number}", body=body)) for number in range(5)), return_exceptions=True
    )
    assert all(isinstance(result, Unavailable) for result in results)
    await store._run(lambda: connection.pragma("max_page_count", 1_000_000))
    for number in range(5):
        assert await stored_answer(store, TRUST, f"MSGF{number}") is None
        await store.accept(make_acceptance(f"F{number}", body=body))
    assert (await opened.enquiries.books())["accepted"] == 6
    await store.close()


async def test_a_restored_file_voids_the_leases_of_its_earlier_life(tmp_path: Path) -> None:
    clock = Clock()
    opened = open_sqlite(tmp_path, clock)
    await opened.store.accept(make_acceptance("A"))
    room = {make_acceptance("A").orders[0].destination: 1}
    (old,) = await opened.store.claim(worker="w", now=clock.now(), lease_seconds=1, room=room)  # type: ignore[arg-type]
    await opened.store.close()
    store = SqliteStore.open(tmp_path / "gateway.db", now=clock.now, restored=True)
    clock.move(seconds=2)
    await store.recover(now=clock.now(), recognises_repeats=frozenset())
    (new,) = await store.claim(worker="w", now=clock.now(), lease_seconds=1, room=room)  # type: ignore[arg-type]
    assert new.lease.split(".")[0] != old.lease.split(".")[0]
    await store.close()


def modes(folder: Path) -> list[int]:
    return [file.stat().st_mode & 0o077 for file in folder.iterdir() if file.is_file()]


async def test_the_file_and_its_log_are_closed_to_other_users_whatever_the_folder_allows(tmp_path: Path) -> None:
    os.chmod(tmp_path, 0o755)  # noqa: PTH101, S103 - an open folder is the point; nothing else runs here
    opened = open_sqlite(tmp_path, Clock())
    await opened.store.accept(make_acceptance("A"))
    found = modes(tmp_path)
    assert len(found) >= 2
    assert set(found) == {0}
    await opened.store.close()
