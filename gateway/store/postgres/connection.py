"""One connection to a server, used by code that waits: each statement is run to its end on a loop of its own.

The statements of a write are plain synchronous code on the committer's thread. So this connection has an event loop
that nobody else runs, and no statement hops between threads.

What durability rests on is read back from the server on every new connection, and refused if it is not so:
`synchronous_commit` is `on` or `remote_apply` (a commit that returns is on disk here, and on a synchronous standby
where there is one; `remote_write`, `local` and `off` promise less), `fsync` and `full_page_writes` are on. The first of
them is also set for each transaction, because behind a pooler the next one may run on another of its connections. A
server that only follows another counts as away: what it shows may be old, and nothing is decided on it.

Source: reliability-security.md I1; libraries.md 5.
"""

import asyncio
import os
import socket
from collections.abc import Coroutine, Iterable, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from typing import Any, Final, TypeVar
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import asyncpg
import uvloop

from gateway.domain.errors import ConfigurationError
from gateway.domain.host import is_loopback
from gateway.store.postgres.dialect import statement
from gateway.store.sql.transaction import Row, Values

T = TypeVar("T")

OLDEST_SERVER: Final = 15
DURABLE: Final = frozenset({"on", "remote_apply"})
CONNECT_SECONDS: Final = 5.0
ANSWER_SECONDS: Final = 40.0
"""After which a server that says nothing is given up: longer than a statement may take by the limits of `writer`."""
STATEMENTS: Final = 400
"""Prepared statements kept for each connection: all there are."""
_KEEP_ALIVE: Final = {"TCP_KEEPIDLE": 10, "TCP_KEEPINTVL": 5, "TCP_KEEPCNT": 3, "TCP_USER_TIMEOUT": 25_000}
"""Seconds, seconds, probes and milliseconds: a machine that is gone is found out within half a minute."""
_CACHE: Final = "statement_cache_size"
_OVER_TLS: Final = frozenset({"require", "verify-ca", "verify-full"})
"""The others go on without it where the server, or who stands between, says that it has none."""
_SETTINGS: Final = """
SELECT current_setting('server_version_num')::bigint, current_setting('server_encoding'),
    current_setting('synchronous_commit'), current_setting('fsync'), current_setting('full_page_writes'),
    current_setting('log_error_verbosity'), pg_is_in_recovery()
"""
_AWAY: Final = (
    asyncpg.PostgresConnectionError,
    asyncpg.FatalPostgresError,
    asyncpg.InvalidTransactionStateError,
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
    asyncpg.TransactionRollbackError,
    asyncpg.InsufficientResourcesError,
    asyncpg.LockNotAvailableError,
    asyncpg.OperatorInterventionError,
    asyncpg.PostgresSystemError,
    asyncpg.InvalidCachedStatementError,
    asyncpg.InternalClientError,
    asyncpg.InterfaceError,
    OSError,
    TimeoutError,
)


class ServerAwayError(Exception):
    """The server, the way to it or its limits ended what was under way; it is no fault of the statement."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where a database is, and how it is reached.

    Attributes:
        url: with user and perhaps password; never shown.
        prepared: how many statements are kept prepared: none behind a pooler that parts transactions of one connection.
    """

    url: str
    prepared: int = STATEMENTS

    def __repr__(self) -> str:
        return "Address(…)"


def address(url: str) -> Address:
    """Read a database's URL; `statement_cache_size=0` in it says that there is a pooler in transaction mode.

    Raises:
        ConfigurationError: it is no URL of a PostgreSQL database, or goes over a network without TLS.
    """
    try:
        parts = urlsplit(url)
        options = dict(parse_qsl(parts.query, strict_parsing=bool(parts.query)))
        prepared = int(options.pop(_CACHE, STATEMENTS))
    except ValueError as error:
        raise ConfigurationError("the database's URL cannot be read") from error
    if parts.scheme not in {"postgresql", "postgres"} or not parts.path.strip("/"):
        raise ConfigurationError("the database's URL is postgresql://user@host/database")
    hosts = options.get("host", parts.netloc.rpartition("@")[2]).split(",")
    if options.get("sslmode") not in _OVER_TLS and not all(_is_here(host) for host in hosts):
        raise ConfigurationError("the database's URL: another machine is reached over TLS alone (sslmode=verify-full)")
    return Address(url=urlunsplit(parts._replace(query=urlencode(options))), prepared=prepared)


def _is_here(host: str) -> bool:
    """Tell whether a host of a URL, perhaps with its port, is this machine, or a folder with a socket."""
    name = host[1:].partition("]")[0] if host.startswith("[") else host.partition(":")[0]
    return not name or name.startswith("/") or is_loopback(name)


class Postgres:
    """A connection that is made when it is first used, and made anew after it was lost.

    Args:
        where: the database.
        answer_seconds: after which a server that says nothing is given up.
    """

    def __init__(self, where: Address, *, answer_seconds: float = ANSWER_SECONDS) -> None:
        self._where = where
        self._answer_seconds = answer_seconds
        self._loop: asyncio.AbstractEventLoop = uvloop.new_event_loop()  # a third less for each statement
        self._inner: Any = None
        self._changes = 0
        self._last = 0
        self.settings: dict[str, str] = {}

    @property
    def connected(self) -> bool:
        """Whether there is a connection, as far as is known."""
        return self._inner is not None and not self._inner.is_closed()

    def connect(self) -> None:
        """Connect, unless that is done, and read back what durability rests on.

        Raises:
            ConfigurationError: the server is too old, or a setting is not what it must be.
            ServerAwayError: it cannot be reached, or does not let us in.
        """
        if self.connected:
            return
        self._inner = None
        inner = self._run(
            asyncpg.connect(
                self._where.url,
                timeout=CONNECT_SECONDS,
                command_timeout=self._answer_seconds,
                statement_cache_size=self._where.prepared,
                max_cached_statement_lifetime=0,
            )
        )
        _keep_alive(inner)
        self._inner = inner
        with ExitStack() as unless_fit:
            unless_fit.callback(self.drop)
            self._read_back()
            unless_fit.pop_all()

    def script(self, sql: str, *, seconds: float | None = None) -> None:
        """Run statements without values, in one message to the server.

        Args:
            sql: one or several.
            seconds: after which a server that says nothing is given up; as for every statement, if it is not stated.

        Raises:
            ServerAwayError: as for every method that runs one.
        """
        self._run(self._connection().execute(sql, timeout=seconds or self._answer_seconds))

    def execute(self, sql: str, values: Values = (), /) -> Iterable[Row]:
        """See `gateway.store.sql.transaction.Reader`."""
        found = statement(sql)
        arguments = found.arguments(values)
        if not (found.gives_rows or found.numbers):
            status: str = self._run(self._connection().execute(found.text, *arguments))
            self._changes = int(last) if (last := status.rpartition(" ")[2]).isdigit() else 0
            return ()
        rows = self._run(self._connection().fetch(found.text, *arguments))
        self._changes = len(rows)
        if found.numbers:
            self._last = rows[-1][0] if rows else self._last
            return ()
        return [tuple(row) for row in rows]

    def executemany(self, sql: str, values: Sequence[Values], /) -> None:
        """See `gateway.store.sql.transaction.Connection`."""
        found = statement(sql)
        if values:
            self._run(self._connection().executemany(found.text, [found.arguments(one) for one in values]))

    def changes(self) -> int:
        """See `gateway.store.sql.transaction.Connection`."""
        return self._changes

    def last_insert_rowid(self) -> int:
        """See `gateway.store.sql.transaction.Connection`."""
        return self._last

    def drop(self) -> None:
        """Let go of the connection at once; the server rolls back what was under way when it notices."""
        inner, self._inner = self._inner, None
        if inner is not None and not inner.is_closed():
            with suppress(*_AWAY):
                inner.terminate()
            with suppress(*_AWAY):
                self._loop.run_until_complete(asyncio.sleep(0))

    def close(self) -> None:
        """Let go of the connection in peace, and of the loop for good."""
        inner, self._inner = self._inner, None
        if inner is not None and not inner.is_closed():
            with suppress(*_AWAY):
                self._loop.run_until_complete(inner.close(timeout=CONNECT_SECONDS))
        self._loop.close()

    def look(self, sql: str) -> list[Row]:
        """Ask one question in a transaction of its own: a pooler would part its preparation from its asking.

        Raises:
            ServerAwayError: as for every method that runs one.
        """
        self.script("BEGIN READ ONLY")
        rows = list(self.execute(sql))
        self.script("ROLLBACK")
        return rows

    def commit(self) -> None:
        """Commit what was begun, and return only where the server says that it is committed.

        A server that waits for its standby is not asked to stop waiting: it would call the commit done that the
        standby does not have, and who asks again would be answered from it.

        Raises:
            ServerAwayError: it is not known whether it was committed, or there was nothing that could be.
        """
        inner = self._connection()
        if not inner.is_in_transaction():
            raise ServerAwayError("the transaction is gone")
        if self._run(_status(inner, "COMMIT", seconds=self._answer_seconds)) != "COMMIT":
            raise ServerAwayError("the transaction had failed, and was rolled back")

    def _read_back(self) -> None:
        ((version, encoding, commit, fsync, pages, verbosity, follows),) = self.look(_SETTINGS)
        if follows:
            raise ServerAwayError("this server follows another, and cannot be written to")
        self.settings = {
            "server_version": str(version),
            "server_encoding": encoding,
            "synchronous_commit": commit,
            "fsync": fsync,
            "full_page_writes": pages,
            "log_error_verbosity": verbosity,
        }
        if faults := _faults(self.settings):
            raise ConfigurationError(*faults)

    def _connection(self) -> Any:
        if not self.connected:
            raise ServerAwayError("the connection to the database is lost")
        return self._inner

    def _run(self, doing: Coroutine[Any, Any, T]) -> T:
        try:
            return self._loop.run_until_complete(doing)
        except asyncpg.DataError:
            raise  # a value that no column of this type can hold: the statement's own fault
        except _AWAY as error:
            raise ServerAwayError(_kind(error)) from error


async def _status(inner: Any, sql: str, *, seconds: float) -> str:
    """Run a statement and give what the server says it did; where it says nothing in time, leave it to its work.

    The library's own time limit would send the server word to cancel, so it is one that is never reached.
    """
    running = asyncio.ensure_future(inner.execute(sql, timeout=2 * seconds))
    done, _ = await asyncio.wait({running}, timeout=seconds)
    if not done:
        inner.terminate()
        with suppress(*_AWAY):
            await running
        raise TimeoutError
    status: str = await running
    return status


def _keep_alive(inner: Any) -> None:
    """Let the system find out that the other machine is gone, when it went without a word."""
    carrier = inner._transport.get_extra_info("socket")  # noqa: SLF001 - the library gives no other way to the socket
    if carrier is None or carrier.family == socket.AF_UNIX:
        return
    with socket.socket(fileno=os.dup(carrier.fileno())) as same:
        same.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for name, value in _KEEP_ALIVE.items():
            if hasattr(socket, name):
                same.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)


def _kind(error: BaseException) -> str:
    """Say what was wrong in words that carry no value of any statement."""
    return f"the database is away ({type(error).__name__})"


def _faults(settings: dict[str, str]) -> list[str]:
    faults = []
    if int(settings["server_version"]) // 10_000 < OLDEST_SERVER:
        faults.append(f"PostgreSQL {OLDEST_SERVER} or later is needed, and this is {settings['server_version']}")
    if settings["server_encoding"] != "UTF8":
        faults.append(f"the database's encoding is {settings['server_encoding']}, not UTF8")
    if settings["synchronous_commit"] not in DURABLE:
        faults.append(f"synchronous_commit is {settings['synchronous_commit']}, not on or remote_apply")
    faults += [
        f"{name} is {settings[name]}, not on" for name in ("fsync", "full_page_writes") if settings[name] != "on"
    ]
    return faults
