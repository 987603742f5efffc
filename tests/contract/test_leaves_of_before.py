"""The audit's leaves that were written before there was an index of them are found by it all the same."""

from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import apsw
import pytest

from gateway.store.postgres import schema as postgres
from gateway.store.sql.instants import stored
from gateway.store.sql.leaves import abouts, leaf_body, leaf_hash
from gateway.store.sqlite import schema as sqlite
from gateway.store.sqlite.schema import migrate as migrate_file
from tests.contract.store_engines import RawPostgres
from tests.factories import MOMENT
from tests.postgres import database

ID = "7c03db84-0da6-5b3b-9fd5-fcc61679c372"
OTHER = "d234b371-54c9-556e-830d-68ce5b8e4afa"
FACTS: list[tuple[str, dict[str, str | int]]] = [
    ("access", {"principal": "p.harmacist", "action": "console view", "subject": ID}),
    ("access", {"principal": "e.ngineer", "action": ID, "subject": f"{ID} {OTHER} {ID}"}),
    ("access", {"principal": 'o"dd\\', "action": "view", "subject": 'a"b\\ \n [x] é \u202e'}),
    ("access", {"principal": "line", "action": "view", "subject": f"{ID}\n{OTHER}"}),
    ("act", {"by": "p.harmacist", "line": OTHER, "act": "close", "reason_digest": "0" * 64}),
    ("resent", {"by": "", "message": ID}),
    ("event", {"event": "accepted", "line": ID, "actor": "gateway"}),
    ("node", {"number": 7}),
]
_INSERT = "INSERT INTO audit_leaf (seq, at, kind, body, leaf_hash) VALUES (?, ?, ?, ?, ?)"
_FOUND = "SELECT about, leaf FROM audit_about"


def wanted() -> set[tuple[str, int]]:
    found = {(about, seq) for seq, (_, facts) in enumerate(FACTS, start=1) for about in abouts(facts)}
    return {(about, seq) for about, seq in found if seq != 4 or about not in {ID, OTHER}}


def write(execute: Callable[..., object]) -> None:
    for seq, (kind, facts) in enumerate(FACTS, start=1):
        body = leaf_body(kind, seq=seq, at=MOMENT, facts=facts)
        execute(_INSERT, (seq, stored(MOMENT), kind, body, leaf_hash(body)))


def of(names: dict[int, object]) -> int:
    return next(number for number, step in names.items() if "audit_about" in getattr(step, "sql", ""))


def test_a_file(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ids that a line break parts are not looked for in what is old: the gateway never wrote such a one."""
    every = sqlite.steps()
    before = {number: step for number, step in every.items() if number < of(dict(every))}
    with closing(apsw.Connection(":memory:")) as connection:
        monkeypatch.setattr(sqlite, "steps", lambda: before)
        migrate_file(connection, now=MOMENT)
        write(connection.execute)
        monkeypatch.setattr(sqlite, "steps", lambda: every)
        migrate_file(connection, now=MOMENT)
        assert set(connection.execute(_FOUND)) == wanted()


def test_a_server(tmp_path: Path) -> None:
    every = postgres.steps()
    step = every[of(dict(every))].sql
    begin = step.index("INSERT INTO audit_about")
    with closing(RawPostgres(database(tmp_path))) as connection:
        write(connection.execute)
        assert connection.execute(_FOUND) == []
        connection.execute(step[begin : step.index(";", begin)])
        assert set(connection.execute(_FOUND)) == wanted()
