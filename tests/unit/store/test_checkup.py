"""What a store says of its own health: what is due and may go, and nothing that a person or another order keeps."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import apsw
import pytest

from gateway.domain.errors import Unavailable
from gateway.store.sql import checkup as checkups
from gateway.store.sql.checkup import Backlog
from gateway.store.sqlite.checkup import checkup, schema_of
from gateway.store.sqlite.store import SqliteStore
from tests.contract.store_engines import PROVIDER, TRUST, make_acceptance, make_order, make_prescription

NOW = datetime(2026, 10, 5, 9, 0, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)


@pytest.fixture
async def path(tmp_path: Path) -> Path:
    """Give a store with two orders that have been due since nine."""
    store = SqliteStore.open(tmp_path / "gateway.db", now=lambda: NOW)
    for name in ("A", "B"):
        await store.accept(make_acceptance(name, make_order(make_prescription(name))))
    await store.close()
    return tmp_path / "gateway.db"


def change(path: Path, sql: str, *values: object) -> None:
    connection = apsw.Connection(str(path))
    connection.execute(sql, values)
    connection.close()


def due(path: Path) -> Backlog:
    return checkup(path, now=LATER).due


async def test_what_is_due_is_counted_with_the_age_of_the_oldest(path: Path) -> None:
    found = checkup(path, now=LATER)
    assert found.due == Backlog(count=2, since=NOW)
    assert found.leased == Backlog(count=0, since=None)
    assert (found.journal, found.watched_at, found.pauses, found.alerts) == ("wal", None, (), ())
    assert found.last_at is not None


async def test_what_is_due_later_is_not_counted(path: Path) -> None:
    assert checkup(path, now=NOW - timedelta(seconds=1)).due.count == 0


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE outbox SET withheld = 1 WHERE id = 1",
        "UPDATE outbox SET state = 'stuck' WHERE id = 1",
        "INSERT INTO wait (outbox, earlier) VALUES (1, 2)",
    ],
)
async def test_what_something_keeps_back_is_not_counted(path: Path, sql: str) -> None:
    change(path, sql)
    assert due(path).count == 1


async def test_what_waited_for_another_is_counted_once_that_is_settled(path: Path) -> None:
    change(path, "INSERT INTO wait (outbox, earlier) VALUES (1, 2)")
    change(path, "UPDATE outbox SET state = 'done' WHERE id = 2")
    assert due(path) == Backlog(count=1, since=NOW)


@pytest.mark.parametrize(
    ("kind", "destination"),
    [("by operator", PROVIDER.value), ("after restore", "VNE99"), ("after restore, trust", TRUST.value)],
)
async def test_what_a_pause_keeps_is_not_counted(path: Path, kind: str, destination: str) -> None:
    change(
        path,
        "INSERT INTO pause (destination, kind, begun_at, begun_by, reason) VALUES (?, ?, 1, 'anna', 'x')",
        destination,
        kind,
    )
    assert due(path).count == 0


async def test_a_queue_of_any_length_costs_a_look_at_its_oldest(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkups, "MOST", 1)
    assert due(path) == Backlog(count=1, since=NOW)


async def test_the_oldest_are_found_by_the_index_of_the_queue(path: Path) -> None:
    connection = apsw.Connection(str(path))
    values: dict[str, int | str] = {"now": 1, "most": 1, "destination": "VNE51", "tenant": "RBA"}
    asked = (checkups.DESTINATIONS, checkups.TENANTS, checkups._DUE)
    plan = [row[3] for sql in asked for row in connection.execute(f"EXPLAIN QUERY PLAN {sql}", values)]
    connection.close()
    assert any("outbox_due" in step for step in plan)
    assert not [step for step in plan if step == "SCAN outbox" or "TEMP B-TREE" in step]


async def test_what_a_worker_left_is_counted_once_its_time_is_over(path: Path) -> None:
    store = SqliteStore.open(path, now=lambda: NOW)
    assert await store.claim(worker="w", now=NOW, lease_seconds=60, room={PROVIDER: 1})
    await store.close()
    assert checkup(path, now=NOW + timedelta(seconds=59)).leased.count == 0
    assert checkup(path, now=LATER).leased == Backlog(count=1, since=NOW + timedelta(seconds=60))


async def test_alerts_are_counted_by_kind_with_the_oldest_first(path: Path) -> None:
    store = SqliteStore.open(path, now=lambda: NOW)
    for kind, subject, at in (("room-low", "disk", LATER), ("books-out", "1", NOW), ("books-out", "2", LATER)):
        await store.open_alert(kind=kind, subject=subject, line_id=None, now=at, text="x")
    await store.close_alert(1, by="anna", reason="made room", now=LATER)
    await store.close()
    (found,) = checkup(path, now=LATER).alerts
    assert (found.kind, found.count, found.oldest) == ("books-out", 2, NOW)


async def test_the_schema_of_a_store_and_of_this_version_are_told(path: Path) -> None:
    found = schema_of(path)
    assert found.fits
    assert found.newest == found.known
    with pytest.raises(Unavailable):
        schema_of(path.with_name("none.db"))
