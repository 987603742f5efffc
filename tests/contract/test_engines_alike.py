"""The two engines have the same tables, columns, indexes and rules, and refuse in the same words.

A step that one of them has gone and the other has not is found here.
"""

import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import apsw
import pytest

from gateway.domain.lifecycle import TERMINAL
from gateway.store.sqlite.schema import migrate
from tests.contract.store_engines import RawPostgres
from tests.factories import MOMENT
from tests.postgres import database

OF_ONE_ALONE = {"message.rowid"}
"""What one engine numbers by itself, and the other must be told to."""
SECOND_LOCK = re.compile(r"_not_emptied$")
"""A file cannot be emptied but row by row; a table of a server can."""


@pytest.fixture(scope="module")
def file() -> Iterator[apsw.Connection]:
    with closing(apsw.Connection(":memory:")) as connection:
        migrate(connection, now=MOMENT)
        yield connection


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RawPostgres]:
    with closing(RawPostgres(database(Path(tmp_path_factory.mktemp("alike"))))) as connection:
        yield connection


def test_they_have_the_same_columns(file: apsw.Connection, server: RawPostgres) -> None:
    names = [name for (name,) in file.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
    columns = {
        (f"{table}.{name}", kind.replace("INTEGER", "bigint").replace("TEXT", "text").replace("BLOB", "bytea"))
        for table in names
        for _, name, kind, *_ in file.execute(f"PRAGMA table_info({table})")
        if not str(table).startswith("sqlite_")
    }
    found = {
        (f"{table}.{name}", kind)
        for table, name, kind in server.execute(
            """SELECT table_name, column_name, data_type FROM information_schema.columns
               JOIN information_schema.tables USING (table_schema, table_name)
               WHERE table_schema = 'public' AND table_type = 'BASE TABLE'"""
        )
    }
    assert {one for one in found if one[0] not in OF_ONE_ALONE} == columns


def test_they_have_the_same_indexes(file: apsw.Connection, server: RawPostgres) -> None:
    wanted = {name for (name,) in file.execute("SELECT name FROM sqlite_schema WHERE type = 'index' AND sql <> ''")}
    found = {name for (name,) in server.execute("SELECT indexname FROM pg_indexes WHERE schemaname = 'public'")}
    assert wanted <= found
    assert {name for name in found - wanted if not re.search(r"_(pkey|key)$", name)} == set()


def test_they_have_the_same_rules_in_the_same_words(file: apsw.Connection, server: RawPostgres) -> None:
    wanted = {
        (name, table, said[1].replace("''", "'"))
        for name, table, sql in file.execute("SELECT name, tbl_name, sql FROM sqlite_schema WHERE type = 'trigger'")
        if (said := re.search(r"raise\(ABORT, '((?:[^']|'')*)'\)", str(sql)))
    }
    keeps = {
        (name, table)
        for name, table, sql in file.execute("SELECT name, tbl_name, sql FROM sqlite_schema WHERE type = 'trigger'")
        if "raise(" not in str(sql)
    }
    rows = server.execute(
        """SELECT trigger.tgname, class.relname, pg_get_triggerdef(trigger.oid), function.prosrc
           FROM pg_trigger AS trigger JOIN pg_class AS class ON class.oid = trigger.tgrelid
           JOIN pg_proc AS function ON function.oid = trigger.tgfoid WHERE NOT trigger.tgisinternal"""
    )
    found = set()
    for name, table, definition, source in rows:
        said = re.search(r"never\('((?:[^']|'')*)'\)", definition) or re.search(r"EXCEPTION '((?:[^']|'')*)'", source)
        assert said is not None or (name, table) in keeps, name
        if said is not None:
            found.add((name, table, said[1].replace("''", "'")))
    assert {one for one in found if not SECOND_LOCK.search(one[0])} == wanted
    emptied = {table for name, table, _ in found if SECOND_LOCK.search(name)}
    assert emptied == {table for name, table, _ in wanted if name.endswith(("_kept", "_stays"))}


def test_both_say_that_a_line_has_ended_in_the_states_that_absorb(file: apsw.Connection, server: RawPostgres) -> None:
    ((written,),) = file.execute("SELECT sql FROM sqlite_schema WHERE name = 'line_ends'")
    ((source,),) = server.execute("SELECT prosrc FROM pg_proc WHERE proname = 'line_ends'")
    ended = {state.value for state in TERMINAL}
    assert set(re.findall(r"WHEN '(\w+)' THEN 1", str(written))) == ended
    assert set(re.findall(r"'(\w+)'", str(source))) == ended


@pytest.mark.parametrize("table", ["event", "audit_leaf", "submission", "line"])
def test_a_table_of_history_cannot_be_emptied(server: RawPostgres, table: str) -> None:
    with pytest.raises(Exception, match=r"insert only|lines are kept|violates foreign key|cannot truncate"):
        server.execute(f"TRUNCATE {table}")
    with pytest.raises(Exception, match=r"insert only|lines are kept"):
        server.execute(f"TRUNCATE {table} CASCADE")
