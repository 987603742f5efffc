"""The committer's way to the database: one writer at a time among all nodes, and none that can stop the others.

Every group takes one advisory lock at the start of its transaction, as SQLite's one writer does. Each statement sees
what the holder before has committed (READ COMMITTED), so that the rules of every write hold on all nodes together just
as they do on one. What of the lock is slow, group commit shares.

A holder that freezes or vanishes is cut off by the server: it may not idle inside a transaction, nor be in one for
ever; who waits for the lock waits longer than that. When it wakes, its transaction is gone, and nothing of it was
stored.

Where the connection is lost the group fails and the next one connects again; while that fails, it is not tried for
each write, but after a pause that grows. A commit whose answer is lost leaves unknown what was stored: nobody is told
yes, and who sends the same again finds the stored answer if there is one.

Source: reliability-security.md I1, I2; DECISIONS 0052.
"""

from time import monotonic
from typing import Final

from gateway.domain.errors import ConfigurationError
from gateway.store.postgres.connection import Postgres, ServerAwayError

WRITERS_LOCK: Final = 0x48435047  # "HCPG"
IDLE_SECONDS: Final = 5
LOCK_SECONDS: Final = 15
STATEMENT_SECONDS: Final = 30
TRANSACTION_SECONDS: Final = 120
_SINCE_17: Final = 170_000
_FIRST_PAUSE: Final = 0.1
_LONGEST_PAUSE: Final = 5.0


def limits(settings: dict[str, str], *, statement: int, transaction: int) -> str:
    """Give the limits of one transaction, in seconds: set in it, so that they hold behind a pooler too."""
    limits = {
        "idle_in_transaction_session_timeout": IDLE_SECONDS,
        "lock_timeout": LOCK_SECONDS,
        "statement_timeout": statement,
    }
    if int(settings["server_version"]) >= _SINCE_17:
        limits["transaction_timeout"] = transaction
    return "".join(f"SET LOCAL {name} = '{seconds}s';" for name, seconds in limits.items())


def begin(connection: Postgres) -> None:
    """Begin a transaction that no other writer's can overlap, and that is durable when its commit returns."""
    within = limits(connection.settings, statement=STATEMENT_SECONDS, transaction=TRANSACTION_SECONDS)
    connection.script(
        f"BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE;{within}"
        f"SET LOCAL synchronous_commit = '{connection.settings['synchronous_commit']}';"
        f"SELECT pg_advisory_xact_lock({WRITERS_LOCK});"
    )


class PostgresWriter:
    """The writing connection as `gateway.store.committer` uses it."""

    def __init__(self, connection: Postgres) -> None:
        self._connection = connection
        self.lost: tuple[type[BaseException], ...] = (ServerAwayError,)
        self._marked = False
        self._pause = 0.0
        self._not_before = 0.0

    def begin(self) -> None:
        """See `gateway.store.committer.Writer`."""
        self._marked = False
        if self._connection.connected:
            try:
                begin(self._connection)
            except ServerAwayError:
                if self._connection.connected:
                    raise  # a limit, not the connection
            else:
                return
        self._connect()
        begin(self._connection)

    def commit(self) -> None:
        """See `gateway.store.committer.Writer`."""
        self._connection.commit()

    def mark(self) -> None:
        """See `gateway.store.committer.Writer`. Lets go of the savepoint before it in the same message."""
        self._connection.script("RELEASE one;SAVEPOINT one" if self._marked else "SAVEPOINT one")
        self._marked = True

    def undo(self) -> bool:
        """See `gateway.store.committer.Writer`."""
        self._connection.script("ROLLBACK TO one")
        return True

    def keep(self) -> None:
        """See `gateway.store.committer.Writer`. The next mark lets go of it, or the commit."""

    def give_up(self, error: BaseException) -> bool:
        """See `gateway.store.committer.Writer`. The writer of a server that comes back goes on."""
        del error
        self._connection.drop()
        return True

    def rest(self) -> bool:
        """See `gateway.store.committer.Writer`."""
        return True

    def close(self) -> None:
        """See `gateway.store.committer.Writer`."""
        self._connection.close()

    def _connect(self) -> None:
        if monotonic() < self._not_before:
            raise ServerAwayError("the database was away a moment ago")
        try:
            self._connection.connect()
        except (ServerAwayError, ConfigurationError) as error:
            self._pause = min(_LONGEST_PAUSE, max(_FIRST_PAUSE, self._pause * 2))
            self._not_before = monotonic() + self._pause
            raise ServerAwayError("the database is away, or not as it must be") from error
        self._pause = 0.0
