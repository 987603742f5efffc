"""A database that was put back is begun anew only where no node runs on it."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import SecretStr

from gateway.domain.errors import ConfigurationError
from gateway.domain.node import Node
from gateway.settings import Settings
from gateway.store.postgres.store import PostgresStore
from gateway.store.sql.restoring import Person
from gateway.wiring.restoring import begin_after_restore
from tests.postgres import database

NODE = Node(name="door-1", version="1.0", parts="http", configuration="c", reference="r", key_id="k")
SOMEBODY = Person(name="j.smith", recognised=True, reason="Put back to 09:00.")


def now() -> datetime:
    return datetime.now(UTC)


async def change(settings: Settings, *, runs: bool) -> None:
    store = PostgresStore.open(database(settings.data), now=now)
    if runs:
        assert await store.enter(NODE, now=now()) == ()
    else:
        await store.leave(NODE.name)
    await store.close()


def test_a_database_is_not_begun_anew_beneath_a_node_that_runs(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path, database_url=SecretStr(database(tmp_path).url))
    asyncio.run(change(settings, runs=True))
    with pytest.raises(ConfigurationError, match="door-1 runs on the database: stop every node first"):
        begin_after_restore(settings, SOMEBODY)
    asyncio.run(change(settings, runs=False))
    _, generation, providers, _ = begin_after_restore(settings, SOMEBODY)
    assert generation == 2
    assert providers
