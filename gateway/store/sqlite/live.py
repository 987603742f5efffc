"""The store of one file as rows leave it for an archive: one moment to read, and a writer beside a gateway's own."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import apsw

from gateway.domain.deadline import ALWAYS
from gateway.domain.errors import ConfigurationError
from gateway.store.sql.transaction import Reader, Transaction
from gateway.store.sqlite.backup import DATABASE
from gateway.store.sqlite.connection import open_reader, open_writer, refuse_unfinished
from gateway.store.sqlite.schema import schema_in


@dataclass(frozen=True, slots=True)
class LiveFile:
    """See `gateway.store.sql.archiving.LiveStore`."""

    data: Path
    at_once: int = 25

    def exists(self) -> bool:
        """See `LiveStore`."""
        return (self.data / DATABASE).is_file()

    @contextmanager
    def reading(self) -> Iterator[Reader]:
        """See `LiveStore`."""
        refuse_unfinished(self.data / DATABASE)
        if not self.exists():
            raise ConfigurationError(f"data folder {self.data}: holds no store")
        with closing(open_reader(self.data / DATABASE)) as reader:
            if not schema_in(reader).fits:
                raise ConfigurationError(
                    f"data folder {self.data}: the store has another schema; start the gateway, or migrate, first"
                )
            with reader:
                yield reader

    @contextmanager
    def writing(self) -> Iterator[Callable[[], AbstractContextManager[Transaction]]]:
        """See `LiveStore`."""
        with closing(open_writer(self.data / DATABASE)) as writer:
            yield partial(_transaction, writer)


@contextmanager
def _transaction(writer: apsw.Connection) -> Iterator[Transaction]:
    writer.execute("BEGIN IMMEDIATE")
    try:
        generation: int = writer.execute("SELECT generation FROM meta").get
        yield Transaction(connection=writer, deadlines=ALWAYS, tells=frozenset(), generation=generation)
        writer.execute("COMMIT")
    finally:
        if writer.in_transaction:
            writer.execute("ROLLBACK")
