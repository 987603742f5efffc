"""A step of PostgreSQL's schema may take longer than a statement: it visits every line of big books."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from gateway.store.postgres import schema
from gateway.store.postgres.connection import Postgres
from gateway.store.postgres.store import elsewhere
from gateway.store.sql.schema import Step
from tests.postgres import database

LONG = Step(number=9_999, kind="pre", sql="SELECT pg_sleep(1.5)")


def test_a_step_that_takes_longer_than_a_statement_may_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    where, steps = database(tmp_path), {**schema.steps(), LONG.number: LONG}
    monkeypatch.setattr(schema, "steps", lambda: steps)
    connection = Postgres(where, answer_seconds=1.0)

    def run() -> int:
        connection.connect()
        try:
            return schema.migrate(connection, now=datetime.now(UTC))
        finally:
            connection.close()

    assert elsewhere(run) == LONG.number
