"""A server's database as rows leave it for an archive: one moment to read, and a writer among its nodes' own.

The connection runs a loop of its own: whoever is inside one asks from another thread.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Final

import asyncpg

from gateway.domain.deadline import ALWAYS
from gateway.domain.errors import ConfigurationError, Unavailable
from gateway.store.postgres.connection import Address, Postgres, ServerAwayError
from gateway.store.postgres.readers import QUESTION_SECONDS
from gateway.store.postgres.schema import schema_in
from gateway.store.postgres.writer import begin, limits
from gateway.store.sql.transaction import Reader, Transaction

_MOMENT_SECONDS: Final = 3600
_BETWEEN_SECONDS: Final = 300
"""One moment is looked at while a whole archive is written, on a disk that may be slow."""
_GENERATION: Final = "SELECT generation FROM meta WHERE id = 1"


@dataclass(frozen=True, slots=True)
class LiveDatabase:
    """See `gateway.store.sql.archiving.LiveStore`. Each statement is a way to the server: fewer go at once."""

    where: Address
    at_once: int = 5

    def exists(self) -> bool:
        """See `LiveStore`. A database that is not there says so itself."""
        return True

    @contextmanager
    def reading(self) -> Iterator[Reader]:
        """See `LiveStore`."""
        connection = Postgres(self.where, answer_seconds=QUESTION_SECONDS + 10)
        with _away("the database cannot be read"), closing(connection):
            connection.connect()
            within = limits(connection.settings, statement=QUESTION_SECONDS, transaction=_MOMENT_SECONDS)
            idle = f"SET LOCAL idle_in_transaction_session_timeout = '{_BETWEEN_SECONDS}s'"
            connection.script(f"BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;{within}{idle}")
            if not schema_in(connection).fits:
                raise ConfigurationError("the database has another schema; start the gateway, or migrate, first")
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Callable[[], AbstractContextManager[Transaction]]]:
        """See `LiveStore`."""
        connection = Postgres(self.where)
        with _away("the database could not be written; the next run goes on from there"), closing(connection):
            connection.connect()
            yield partial(_transaction, connection)


@contextmanager
def _transaction(connection: Postgres) -> Iterator[Transaction]:
    begin(connection)
    with ExitStack() as unless_done:
        unless_done.callback(connection.drop)  # and the server undoes it
        ((generation,),) = connection.execute(_GENERATION)
        yield Transaction(connection=connection, deadlines=ALWAYS, tells=frozenset(), generation=generation)
        connection.commit()
        unless_done.pop_all()


@contextmanager
def _away(words: str) -> Iterator[None]:
    try:
        yield
    except (ServerAwayError, asyncpg.PostgresError) as error:
        raise Unavailable(words) from error
