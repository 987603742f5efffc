"""Reads: a few connections on their own threads, each question in one read-only transaction that sees one moment.

A tenant's question is asked as the role `gateway_tenant`, to which the database shows that tenant's rows and no others,
whatever the statement says: the second lock of I9. The gateway's own questions are asked as itself, and see everything.
"""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

import asyncpg

from gateway.domain.errors import ConfigurationError, Unavailable
from gateway.domain.identifiers import OdsCode
from gateway.store.postgres.connection import Address, Postgres, ServerAwayError
from gateway.store.postgres.schema import TENANT_ROLE, schema_in
from gateway.store.postgres.writer import limits
from gateway.store.sql.instants import instant
from gateway.store.sql.transaction import Reader

T = TypeVar("T")
READERS: Final = 3
QUESTION_SECONDS: Final = 300
"""The books of millions are counted in it; whoever reads stops no writer."""
_LEAVES = "SELECT size FROM audit_head WHERE id = 1"
_GENERATION = "SELECT generation FROM meta WHERE id = 1"
_CLOCK = "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint"


class PostgresReaders:
    """The reading connections of one node."""

    def __init__(self, where: Address) -> None:
        self._where = where
        self._own = threading.local()
        self._opened: list[Postgres] = []
        self._pool = ThreadPoolExecutor(max_workers=READERS, thread_name_prefix="reader")

    async def ask(self, question: Callable[[Reader], T], tenant: OdsCode | None = None) -> T:
        """See `gateway.store.sql.enquiries.Readers`."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, self._answer, question, tenant)

    async def ready(self) -> dict[str, str]:
        """See `gateway.store.sql.enquiries.Readers`."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, self._ready)

    async def close(self) -> None:
        """See `gateway.store.sql.enquiries.Readers`."""
        await asyncio.to_thread(self._pool.shutdown)
        for connection in self._opened:
            await asyncio.to_thread(connection.close)

    def _answer(self, question: Callable[[Reader], T], tenant: OdsCode | None) -> T:
        try:
            connection = self._begun(tenant)
            try:
                answer = question(connection)
            finally:
                if connection.connected:
                    connection.script("ROLLBACK")  # nothing was written; what the transaction set is gone with it
        except (ServerAwayError, ConfigurationError) as error:
            raise Unavailable("the database cannot be read") from error
        except asyncpg.PostgresError as error:
            raise Unavailable("the database refused a question") from error
        return answer

    def _begun(self, tenant: OdsCode | None) -> Postgres:
        """Give this thread's connection inside a transaction; one that was lost while nobody used it is made anew."""
        connection = self._connection()
        if connection.connected:
            try:
                self._begin(connection, tenant)
            except ServerAwayError:
                connection.drop()
            else:
                return connection
        connection.connect()
        self._begin(connection, tenant)
        return connection

    @staticmethod
    def _begin(connection: Postgres, tenant: OdsCode | None) -> None:
        whose = f"SET LOCAL ROLE {TENANT_ROLE};SET LOCAL app.tenant = '{_quoted(tenant)}';" if tenant else ""
        begun = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;"
        within = limits(connection.settings, statement=QUESTION_SECONDS, transaction=QUESTION_SECONDS)
        connection.script(begun + within + whose)

    def _connection(self) -> Postgres:
        connection: Postgres | None = getattr(self._own, "connection", None)
        if connection is None:
            connection = Postgres(self._where, answer_seconds=QUESTION_SECONDS + 10)
            self._own.connection = connection
            self._opened.append(connection)
        return connection

    def _ready(self) -> dict[str, str]:
        found = self._answer(_facts, None)
        return {**self._connection().settings, **found}


def _quoted(tenant: OdsCode) -> str:
    return tenant.value.replace("'", "''")


def _facts(reader: Reader) -> dict[str, str]:
    if not schema_in(reader).fits:
        raise Unavailable("the database has the schema of another version")
    ((leaves,),), ((generation,),) = reader.execute(_LEAVES), reader.execute(_GENERATION)
    ((clock,),) = reader.execute(_CLOCK)
    return {"generation": str(generation), "leaves": str(leaves), "clock": instant(clock).isoformat()}
