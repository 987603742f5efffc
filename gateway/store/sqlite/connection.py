"""Opening the file: the settings that durability rests on, each read back and refused if it did not take.

Source: reliability-security.md I1; libraries.md 5 (the WAL-reset fault in SQLite before 3.51.3).
"""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import apsw

from gateway.domain.errors import ConfigurationError, Unavailable

APPLICATION_ID = 0x48435047  # "HCPG"
BACKUP_ID = 0x48435042  # "HCPB"
"""Of a backup's copy. Served as it is, it would send again what left since it was made: a restore alone begins it."""
OLDEST_SQLITE = (3, 51, 3)
UNFINISHED = ".restoring"
"""Ends the name of a store that is being put back; while it is there, the store before it must not be opened."""
BUSY_MILLISECONDS = 5_000
PAGE_BYTES = 1024
"""Of a file that is made now. A commit writes every page that it touched whole, and most are touched for one short row
of an index with no order; so small pages are a third of the bytes where few prescriptions share a commit."""
LONGEST_LOG_BYTES = 64 * 1024 * 1024
"""Of pages in the log; then it is folded into the file. The longer it is, the more of the commits that touched a page
are written to the file at once, and the longer the writer is away for it (DECISIONS 0080). In bytes, so that a file of
larger pages takes no more of what the disk's floor keeps free."""

_SETTINGS: dict[str, str | int] = {
    "journal_mode": "wal",
    "synchronous": 2,  # FULL: the log is on disk before COMMIT returns
    "foreign_keys": 1,
    "recursive_triggers": 1,  # REPLACE may not slip past the triggers that forbid deleting
    "trusted_schema": 0,
}


def open_writer(path: Path) -> apsw.Connection:
    """Open the one writing connection, making the file if there is none.

    Raises:
        ConfigurationError: the library is too old, a setting did not take, or the file is not ours.
        Unavailable: the file cannot be opened.
    """
    _refuse_old_library()
    _close_to_others(path)
    connection = _open(path, apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_CREATE)
    try:
        refuse_foreign(connection)
        connection.pragma("page_size", PAGE_BYTES)  # a file that is there already keeps its own
        settings = _SETTINGS | {"wal_autocheckpoint": LONGEST_LOG_BYTES // connection.pragma("page_size")}
        for name, value in settings.items():
            connection.pragma(name, value)
        _read_back(connection, settings)
    except apsw.Error as error:
        connection.close()
        raise Unavailable("the database cannot be opened for writing") from error
    except ConfigurationError:
        connection.close()
        raise
    return connection


def _close_to_others(path: Path) -> None:
    """Make the file readable by its owner alone; its log and index take their permissions from it."""
    try:
        path.touch(mode=0o600)
        path.chmod(0o600)
    except OSError as error:
        raise Unavailable(f"the database file cannot be made or written to: {error.strerror}") from error


def open_reader(path: Path, *, of_backup: bool = False) -> apsw.Connection:
    """Open a connection that can only read.

    Args:
        path: of the file.
        of_backup: a backup's is what is wanted; those of releases before bear no mark of their own.

    Raises:
        ConfigurationError: it is a backup's, and was not to be.
        Unavailable: the file cannot be opened, or is no gateway database.
    """
    connection = _open(path, apsw.SQLITE_OPEN_READONLY)
    try:
        connection.pragma("query_only", 1)
        connection.pragma("trusted_schema", 0)
        _refuse_others(connection, of_backup=of_backup)
    except apsw.Error as error:
        connection.close()
        raise Unavailable("the database cannot be read") from error
    except (ConfigurationError, Unavailable):
        connection.close()
        raise
    return connection


@contextmanager
def open_kept(file: Path, *, application_ids: Collection[int], what: str) -> Iterator[apsw.Connection]:
    """Open a file that nobody writes any more, without leaving anything beside it.

    Args:
        file: a backup's or an archive's.
        application_ids: of which it must bear one.
        what: it should be, for the words of a refusal.

    Raises:
        ConfigurationError: it is something else, or cannot be read.
    """
    try:
        address = f"file:{quote(str(file))}?immutable=1"  # of a folder there may be any character in its name
        connection = apsw.Connection(address, flags=apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_URI)
        if connection.pragma("application_id") not in application_ids:
            connection.close()
            raise ConfigurationError(f"{file}: is not {what}")
    except apsw.Error as error:
        raise ConfigurationError(f"{file}: is not {what}") from error
    try:
        yield connection
    except apsw.Error as error:
        raise ConfigurationError(f"{file}: cannot be read to its end") from error
    finally:
        connection.close()


def settings_of(connection: apsw.Connection) -> dict[str, str]:
    """Give the settings in force, as text."""
    names = ("journal_mode", "synchronous", "foreign_keys", "application_id", "user_version")
    return {name: str(connection.pragma(name)) for name in names}


def refuse_unfinished(path: Path) -> None:
    """Refuse a store on which a restore was begun and not finished: what is there is not what it should be.

    Raises:
        ConfigurationError: there is one.
    """
    if path.with_name(f"{path.name}{UNFINISHED}").exists():
        raise ConfigurationError(f"{path}: a restore was begun and not finished; run it again")


def refuse_foreign(connection: apsw.Connection) -> None:
    """Refuse a file that holds another program's tables, or is a backup's.

    Raises:
        ConfigurationError: it is one of them.
    """
    _refuse_backup(connection)
    empty = connection.execute("SELECT count(*) = 0 FROM sqlite_schema").get
    if not empty and connection.pragma("application_id") != APPLICATION_ID:
        raise ConfigurationError("the database file belongs to another program")


def _refuse_others(connection: apsw.Connection, *, of_backup: bool) -> None:
    if not of_backup:
        _refuse_backup(connection)
    if connection.pragma("application_id") not in {APPLICATION_ID, BACKUP_ID}:
        raise Unavailable("the file is not a gateway database")


def _refuse_backup(connection: apsw.Connection) -> None:
    if connection.pragma("application_id") == BACKUP_ID:
        raise ConfigurationError(
            "the database file is a backup's, copied here: what was sent since it was made would be sent again. Take it"
            " away, and put the backup back with `gateway restore`"
        )


def _open(path: Path, flags: int) -> apsw.Connection:
    try:
        connection = apsw.Connection(str(path), flags=flags, statementcachesize=200)
        connection.set_busy_timeout(BUSY_MILLISECONDS)
        # Without it, a value bound where an index might have been partial has its statement planned anew each time.
        connection.config(apsw.SQLITE_DBCONFIG_ENABLE_QPSG, 1)
    except apsw.Error as error:
        raise Unavailable("the database file cannot be opened") from error
    return connection


def _read_back(connection: apsw.Connection, wanted: dict[str, str | int]) -> None:
    found: dict[str, Any] = {name: connection.pragma(name) for name in wanted}
    faults = [f"PRAGMA {name} is {found[name]}, not {value}" for name, value in wanted.items() if found[name] != value]
    if faults:
        raise ConfigurationError(*faults)


def _refuse_old_library() -> None:
    version = tuple(int(part) for part in apsw.sqlite_lib_version().split("."))
    if version < OLDEST_SQLITE:
        raise ConfigurationError(
            f"SQLite {apsw.sqlite_lib_version()} can corrupt a WAL file; 3.51.3 or later is needed"
        )
