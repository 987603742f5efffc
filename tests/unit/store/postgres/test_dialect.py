"""A statement says the same to PostgreSQL as to SQLite: its values in order, an insert the number of its row."""

import ast
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.store.postgres.dialect import statement
from gateway.store.sql import alerts, claims, ledger
from gateway.store.sql.listing import numbers

SQL = Path(alerts.__file__).parent


@pytest.mark.parametrize(
    ("said", "text", "names"),
    [
        ("SELECT 1 WHERE a = ? AND b = ?", "SELECT 1 WHERE a = $1 AND b = $2", ()),
        ("UPDATE t SET a = :a, b = :b WHERE c = :a", "UPDATE t SET a = $1, b = $2 WHERE c = $1", ("a", "b")),
        ("SELECT '?:a', 'it''s :b?' WHERE x = :c", "SELECT '?:a', 'it''s :b?' WHERE x = $1", ("c",)),
        ("SELECT 1 -- of :a?\nWHERE x = ?", "SELECT 1 -- of :a?\nWHERE x = $1", ()),
        ("SELECT x::bigint WHERE y = :y", "SELECT x::bigint WHERE y = $1", ("y",)),
    ],
)
def test_values_are_numbered_and_literals_left_alone(said: str, text: str, names: tuple[str, ...]) -> None:
    found = statement(said)
    assert (found.text, found.names) == (text, names)


def test_a_list_of_row_numbers_is_read_before_the_rows_and_one_of_others_as_it_is_said() -> None:
    said = "id IN {one} AND id NOT IN {other} AND of IN (1, 2)"
    found = statement(said.format(one=numbers(":a"), other=numbers(":b")))
    as_array = said.replace("IN {one}", "= ANY (ARRAY{one})")
    assert found.text == as_array.format(one=numbers("$1"), other=numbers("$2"))


@pytest.mark.parametrize(
    ("said", "ends", "rows", "numbers"),
    [
        ("INSERT INTO line (uuid) VALUES (?)", "RETURNING id", False, True),
        ("INSERT INTO event (line) VALUES (?)", "RETURNING seq", False, True),
        ("INSERT INTO alert (kind) VALUES (?) ON CONFLICT DO NOTHING\n", "DO NOTHING RETURNING id", False, True),
        ("INSERT INTO wait (outbox) VALUES (?)", "(outbox) VALUES ($1)", False, False),
        ("UPDATE audit_head SET size = size + 1 RETURNING size", "RETURNING size", True, False),
        ("\nWITH a AS (SELECT 1) SELECT * FROM a", "FROM a", True, False),
        ("DELETE FROM arrow", "arrow", False, False),
    ],
)
def test_only_a_numbered_row_is_asked_for_its_number(said: str, ends: str, rows: bool, numbers: bool) -> None:  # noqa: FBT001
    found = statement(said)
    assert found.text.endswith(ends)
    assert (found.gives_rows, found.numbers) == (rows, numbers)


@given(
    st.lists(st.sampled_from(["a", "b", "c_d"]), min_size=1, max_size=8),
    st.lists(st.integers(), min_size=3, max_size=3),
)
def test_names_find_the_values_that_sqlite_finds(names: list[str], numbers: list[int]) -> None:
    values = dict(zip(("a", "b", "c_d"), (number % 1000 for number in numbers), strict=True))
    sql = f"SELECT {', '.join(f':{name}' for name in names)}"
    found = statement(sql)
    arguments = found.arguments(values)
    columns = found.text.removeprefix("SELECT ").split(", ")
    with closing(sqlite3.connect(":memory:")) as file:
        assert [arguments[int(column[1:]) - 1] for column in columns] == list(file.execute(sql, values).fetchone())


@pytest.mark.parametrize("path", sorted(SQL.glob("*.py")), ids=lambda path: path.stem)
def test_no_statement_needs_what_only_one_engine_has(path: Path) -> None:
    words = ("INSERT OR ", " GLOB ", "PRAGMA", "sqlite_", " x'", "group_concat", "randomblob", "::", "$1")
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and "SELECT" in node.value:
            assert not [word for word in words if word in node.value], node.lineno


def test_the_statements_that_are_put_together_are_translated_whole() -> None:
    assert ":" not in statement(claims.TENANTS).text
    assert "'$.orders'" in statement(ledger._TOLD).text
