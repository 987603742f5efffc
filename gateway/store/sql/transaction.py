"""One transaction's view of the writing connection, and a reader's; neither names the engine beneath."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from gateway.domain.deadline import Deadlines
from gateway.domain.identifiers import OdsCode

Row = tuple[Any, ...]
Values = Mapping[str, Any] | Sequence[Any]


class Reader(Protocol):
    """What a question needs of an engine: a connection inside one transaction, so that the parts of an answer agree.

    Values are written `?` or `:name` in a statement, whatever the engine calls them.
    """

    def execute(self, sql: str, values: Values = ..., /) -> Iterable[Row]:
        """Run a statement and give its rows."""


class Connection(Reader, Protocol):
    """What a write needs of an engine."""

    def executemany(self, sql: str, values: Sequence[Values], /) -> object:
        """Run a statement once for each set of values."""

    def changes(self) -> int:
        """Count the rows that the last statement wrote."""

    def last_insert_rowid(self) -> int:
        """Give the number that the last row inserted was given."""


@dataclass(frozen=True, slots=True)
class Leaf:
    """One thing that happened, as the audit will have it: opaque ids, codes and digests; never patient data."""

    kind: str
    at: datetime
    facts: Mapping[str, str | int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Transaction:
    """What the steps of one write share. Used on the writer's thread only.

    Attributes:
        connection: inside a transaction that the committer began.
        deadlines: who holds a line in each state, and by when somebody must act.
        tells: trusts that want to be told of their provider's decisions.
        generation: which life of the database this is; part of every lease.
        served: for each destination the trust whose turn was last; forgotten with the process, which harms nothing.
        leaves: what happened in the write under way and is not yet in the audit; written at its end, all at once.
    """

    connection: Connection = field(repr=False)
    deadlines: Deadlines
    tells: frozenset[OdsCode]
    generation: int
    served: dict[OdsCode, str] = field(default_factory=dict)
    leaves: list[Leaf] = field(default_factory=list)

    def run(self, sql: str, values: Values = ()) -> None:
        """Run a statement that gives no rows."""
        self.connection.execute(sql, values)

    def run_each(self, sql: str, values: Sequence[Values]) -> None:
        """Run a statement that gives no rows once for each set of values."""
        self.connection.executemany(sql, values)

    def insert(self, sql: str, values: Values) -> int:
        """Insert one row and give its id."""
        self.connection.execute(sql, values)
        return self.connection.last_insert_rowid()

    def row(self, sql: str, values: Values = ()) -> Row | None:
        """Give the first row, or None."""
        return next(iter(self.connection.execute(sql, values)), None)

    def rows(self, sql: str, values: Values = ()) -> list[Row]:
        """Give every row."""
        return list(self.connection.execute(sql, values))

    def changed(self, sql: str, values: Values) -> bool:
        """Run a statement that gives no rows, and tell whether it changed one."""
        self.connection.execute(sql, values)
        return self.connection.changes() > 0
