"""Which engine holds the store: a file of the data folder, or the database that `GATEWAY_DATABASE_URL` names.

PostgreSQL is an extra that need not be installed, so what knows it is imported when it is asked for, and here alone.
"""

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Final

from gateway.domain.deadline import ALWAYS, Deadlines
from gateway.domain.errors import ConfigurationError
from gateway.domain.identifiers import OdsCode
from gateway.settings import Settings
from gateway.store.sql.archiving import LiveStore
from gateway.store.sql.enquiries import SqlEnquiries
from gateway.store.sql.restoring import Parties, Person, Point
from gateway.store.sql.store import SqlStore
from gateway.store.sqlite.backup import DATABASE
from gateway.store.sqlite.connection import open_writer
from gateway.store.sqlite.enquiries import SqliteEnquiries
from gateway.store.sqlite.live import LiveFile
from gateway.store.sqlite.schema import migrate
from gateway.store.sqlite.store import SqliteStore

if TYPE_CHECKING:
    from gateway.store.postgres.connection import Address

_NOT_INSTALLED: Final = "GATEWAY_DATABASE_URL: PostgreSQL needs the extra `homecare-gateway[postgres]`"


def on_server(settings: Settings) -> bool:
    """Tell whether the store is a database of a server, which other nodes may share."""
    return settings.database_url is not None


def refuse_on_server(settings: Settings, what: str) -> None:
    """Refuse what is for a store of one file.

    Raises:
        ConfigurationError: the store is a database of a server.
    """
    if on_server(settings):
        raise ConfigurationError(f"the store is in PostgreSQL: {what}. See docs/backup.md")


def has_store(settings: Settings) -> bool:
    """Tell whether there is a store to open; a server's is there, or says itself that it is not."""
    return on_server(settings) or (settings.data / DATABASE).is_file()


def refuse_without_store(settings: Settings) -> None:
    """Refuse to look where there is nothing to look at.

    Raises:
        ConfigurationError: the data folder holds no store.
    """
    if not has_store(settings):
        raise ConfigurationError(f"data folder {settings.data}: holds no store")


def open_store(
    settings: Settings,
    *,
    now: Callable[[], datetime],
    deadlines: Deadlines = ALWAYS,
    tells: frozenset[OdsCode] = frozenset(),
    failed: Callable[[], None] = lambda: None,
    grouped: Callable[[int], None] = lambda _size: None,
) -> SqlStore:
    """Open the store for writing, making or migrating it as needed; the arguments are those of the engines' `open`.

    Raises:
        ConfigurationError: it is not ours or not as it must be, or its engine is not installed.
        Unavailable: it cannot be opened or migrated.
    """
    if not on_server(settings):
        path = settings.data / DATABASE
        return SqliteStore.open(path, now=now, deadlines=deadlines, tells=tells, failed=failed, grouped=grouped)
    where = _address(settings)
    from gateway.store.postgres.store import PostgresStore  # noqa: PLC0415 - an extra

    return PostgresStore.open(where, now=now, deadlines=deadlines, tells=tells, failed=failed, grouped=grouped)


def open_enquiries(settings: Settings) -> SqlEnquiries:
    """Open the store for questions, on connections that nothing else uses.

    Raises:
        ConfigurationError: its engine is not installed.
        Unavailable: it cannot be read.
    """
    if not on_server(settings):
        return SqliteEnquiries.open(settings.data / DATABASE)
    where = _address(settings)
    from gateway.store.postgres.enquiries import PostgresEnquiries  # noqa: PLC0415 - an extra

    return PostgresEnquiries.open(where)


def live_store(settings: Settings) -> LiveStore:
    """Give the store as rows leave it for an archive.

    Raises:
        ConfigurationError: its engine is not installed.
    """
    if not on_server(settings):
        return LiveFile(settings.data)
    where = _address(settings)
    from gateway.store.postgres.live import LiveDatabase  # noqa: PLC0415 - an extra

    return LiveDatabase(where)


def migrate_in_place(settings: Settings, *, now: datetime) -> int:
    """Bring the store to the schema of this version, and give the number of its newest step.

    Raises:
        ConfigurationError: as `open_store`.
        Unavailable: the same.
    """
    if on_server(settings):
        where = _address(settings)
        from gateway.store.postgres.store import migrate_database  # noqa: PLC0415 - an extra

        return migrate_database(where, now=now)
    connection = open_writer(settings.data / DATABASE)
    try:
        return migrate(connection, now=now)
    finally:
        connection.close()


def mark_restored(
    settings: Settings, parties: Parties, *, person: Person, now: datetime, least_generation: int
) -> tuple[Point, int, tuple[OdsCode, ...], tuple[OdsCode, ...]]:
    """See `gateway.store.postgres.restoring.begin_after_restore`."""
    where = _address(settings)
    from gateway.store.postgres.restoring import begin_after_restore  # noqa: PLC0415 - an extra

    return begin_after_restore(where, parties, person=person, now=now, least_generation=least_generation)


def _address(settings: Settings) -> "Address":
    try:
        from gateway.store.postgres.connection import address  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise ConfigurationError(_NOT_INSTALLED) from error
    assert settings.database_url is not None
    return address(settings.database_url.get_secret_value())
