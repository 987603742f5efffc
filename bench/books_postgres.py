"""The same books on PostgreSQL: every row of the SQLite file copied, so that both engines are asked the same.

Tables and columns bear the same names on both, and a type of one is a type of the other. Triggers and foreign keys rest
while rows are copied, and indexes are made afterwards, as a dump is put back; then it is vacuumed and analysed, as
autovacuum would have done meanwhile.
"""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Final, TypeAlias

import apsw
import asyncpg

from bench.books import Books, Opening, now
from gateway.store.postgres.connection import address
from gateway.store.postgres.enquiries import PostgresEnquiries
from gateway.store.postgres.store import PostgresStore, migrate_database
from tests.postgres import Server, ask

SETTINGS: Final = {
    "shared_buffers": "1GB",
    "effective_cache_size": "4GB",
    "maintenance_work_mem": "1GB",
    "max_wal_size": "8GB",
    "autovacuum": "on",
}
"""What the page states beside the figures; otherwise the server is as it is installed."""
_OWN: Final = frozenset({"step", "arrow", "region_arrow", "meta"})
"""What each engine's schema writes about itself."""
_COLUMNS: Final = """
SELECT c.relname, array_agg(a.attname::text ORDER BY a.attnum) FROM pg_class c
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE c.relkind = 'r' AND c.relnamespace = current_schema()::regnamespace GROUP BY c.relname ORDER BY c.relname
"""
_INDEXES: Final = """
SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = current_schema()
AND indexname NOT IN (SELECT conname FROM pg_constraint) ORDER BY indexname
"""
_NUMBERED: Final = """
SELECT c.relname, a.attname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
WHERE a.attidentity <> '' AND c.relnamespace = current_schema()::regnamespace
"""
_COPYING_SECONDS: Final = 3600.0
Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"


@contextmanager
def on_postgres(folder: Path) -> Iterator[Opening]:
    """Give a way to open books on a server that is gone afterwards; its files lie in a folder of a real disk."""
    folder.chmod(0o711)  # a server is never root: it runs as somebody who has to pass
    server = Server(folder, **SETTINGS)
    try:

        @asynccontextmanager
        async def opened(file: Path, rows: int) -> AsyncIterator[Books]:
            url = server.url(file.parent.name)
            if not await _exists(server, file.parent.name):
                ask(server, f'CREATE DATABASE "{file.parent.name}"')
                migrate_database(address(url), now=now())
                await copy(file, url)
            store = PostgresStore.open(address(url), now=now)
            enquiries = PostgresEnquiries.open(address(url))
            try:
                yield Books(rows=rows, octets=await _octets(url), store=store, enquiries=enquiries)
            finally:
                await enquiries.close()
                await store.close()

        yield opened
    finally:
        server.remove()


async def _exists(server: Server, name: str) -> bool:
    connection = await asyncpg.connect(server.url("postgres"))
    try:
        return bool(await connection.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", name))
    finally:
        await connection.close()


async def _octets(url: str) -> int:
    connection = await asyncpg.connect(url)
    try:
        return int(await connection.fetchval("SELECT pg_database_size(current_database())"))
    finally:
        await connection.close()


async def copy(file: Path, url: str) -> None:
    """Fill a database that was migrated, and is otherwise empty, with the rows of a SQLite file."""
    source = apsw.Connection(str(file), flags=apsw.SQLITE_OPEN_READONLY)
    connection = await asyncpg.connect(url, timeout=_COPYING_SECONDS, command_timeout=_COPYING_SECONDS)
    try:
        await connection.execute("SET session_replication_role = replica")
        indexes = await connection.fetch(_INDEXES)
        for name, _ in indexes:
            await connection.execute(f'DROP INDEX "{name}"')
        for table, columns in await connection.fetch(_COLUMNS):
            if table not in _OWN:
                await _copy_table(source, connection, table, columns)
        for _, definition in indexes:
            await connection.execute(definition)
        for table, column in await connection.fetch(_NUMBERED):
            await connection.execute(
                f"SELECT setval(pg_get_serial_sequence('{table}', '{column}'), "  # noqa: S608 - names of the schema
                f"(SELECT coalesce(max({column}), 1) FROM {table}))"
            )
        await connection.execute("VACUUM (ANALYZE)")
    finally:
        await connection.close()
        source.close()


async def _copy_table(source: apsw.Connection, to: Connection, table: str, columns: list[str]) -> None:
    print(f"copying {table}", flush=True)
    await to.execute(f"DELETE FROM {table}")  # noqa: S608 - what its schema began it with
    found = source.execute(f"SELECT {', '.join(columns)} FROM {table}")  # noqa: S608
    rows = (row for row in found)  # a cursor says that it can be awaited, and this one cannot
    await to.copy_records_to_table(table, records=rows, columns=columns, timeout=_COPYING_SECONDS)
