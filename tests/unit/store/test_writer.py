"""What the writing connection keeps in memory while a group of writes runs."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import apsw
import pytest

from gateway.store.committer import LARGEST_GROUP
from gateway.store.sqlite.connection import open_writer
from gateway.store.sqlite.writer import CACHE_KIB, SqliteWriter

OF_ONE = 40_000
"""Bytes of pages that one submission touches."""


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[apsw.Connection]:
    with closing(open_writer(tmp_path / "gateway.db")) as opened:
        yield opened


def test_the_largest_group_goes_to_the_log_at_its_end_alone(connection: apsw.Connection) -> None:
    connection.execute("CREATE TABLE body (id INTEGER PRIMARY KEY, octets BLOB)")
    writer = SqliteWriter(connection)
    writer.begin()
    for _ in range(LARGEST_GROUP):
        writer.mark()
        connection.execute("INSERT INTO body (octets) VALUES (zeroblob(?))", (OF_ONE,))
        writer.keep()
    assert connection.status(apsw.SQLITE_DBSTATUS_CACHE_SPILL)[0] == 0
    writer.commit()
    assert connection.execute("SELECT count(*) FROM body").get == LARGEST_GROUP
    assert LARGEST_GROUP * OF_ONE < CACHE_KIB * 1024 / 2


def test_nothing_that_a_write_needs_meanwhile_goes_to_a_file(connection: apsw.Connection) -> None:
    SqliteWriter(connection)
    assert connection.pragma("temp_store") == 2
