"""Every statement there is can be prepared by either engine, whether another test comes by it or not."""

import importlib
import pkgutil
import re
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path

import apsw
import pytest

from gateway.store import sql
from gateway.store.postgres.dialect import statement
from gateway.store.sqlite.schema import migrate
from tests.contract.store_engines import RawPostgres
from tests.factories import MOMENT
from tests.postgres import database

_BEGINS = re.compile(r"\s*(SELECT|INSERT|UPDATE|DELETE|WITH)\b")
_TEMPLATE = re.compile(r"\{\w*\}")


def said(value: object) -> Iterator[str]:
    if isinstance(value, str) and _BEGINS.match(value) and not _TEMPLATE.search(value):
        yield value
    elif isinstance(value, Mapping):
        for one in value.values():
            yield from said(one)


def statements() -> dict[str, str]:
    found = {}
    for module in pkgutil.iter_modules(sql.__path__):
        for name, value in vars(importlib.import_module(f"{sql.__name__}.{module.name}")).items():
            for number, one in enumerate(said(value)):
                found[f"{module.name}.{name}.{number}"] = one
    return found


ALL = statements()


@pytest.fixture(scope="module")
def file() -> Iterator[apsw.Connection]:
    with closing(apsw.Connection(":memory:")) as connection:
        migrate(connection, now=MOMENT)
        yield connection


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RawPostgres]:
    with closing(RawPostgres(database(Path(tmp_path_factory.mktemp("every"))))) as connection:
        yield connection


def test_there_are_as_many_as_there_should_be() -> None:
    assert len(ALL) > 250


@pytest.mark.parametrize("name", sorted(ALL))
def test_a_file_understands_it(file: apsw.Connection, name: str) -> None:
    count = len(set(re.findall(r":[a-z_]+", ALL[name]))) or ALL[name].count("?")
    file.execute(f"EXPLAIN {ALL[name]}", (None,) * count)


@pytest.mark.parametrize("name", sorted(ALL))
def test_a_server_understands_it(server: RawPostgres, name: str) -> None:
    server.prepare(statement(ALL[name]).text)
