"""The committer's way to the file: what fails a group, what ends the writer, and when the log is folded.

A full disk or a locked file fails the group, nothing of it is stored, and the next group tries again. An input or
output error ends the writer for good: after a failed synchronisation the only truth is on the disk, so the process
must stop and start from it (reliability-security.md I1). The same goes for folding the log into the file, which SQLite
would do by itself inside a commit, and say nothing where it fails; so it is done here, after the answers.
"""

from contextlib import suppress

import apsw

_FATAL = (apsw.IOError, apsw.CorruptError, apsw.NotADBError)
_PASSING = (apsw.FullError, apsw.BusyError, apsw.LockedError, apsw.ReadOnlyError, apsw.CantOpenError, apsw.NoMemError)

_IN_MEMORY = 2
"""What a statement needs while it runs. Each condition `IN (…)` of an index or a check is such a table, eight of them
whenever a line moves; one that may go to a file is made with room for twenty pages, which may cost more than the move.
"""
CACHE_KIB = 16 * 1024
"""A group of writes has room here whole; else its pages go to the log before its end, and once more when it touches
them again."""


class SqliteWriter:
    """The writing connection as `gateway.store.committer` uses it."""

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection
        self.lost: tuple[type[BaseException], ...] = (*_PASSING, *_FATAL)
        self._log_pages = 0
        self._longest_log: int = connection.pragma("wal_autocheckpoint")
        connection.pragma("temp_store", _IN_MEMORY)
        connection.pragma("cache_size", -CACHE_KIB)
        connection.set_wal_hook(self._note_log)  # in place of SQLite's own, which folds and tells nobody how it went

    def begin(self) -> None:
        """See `gateway.store.committer.Writer`."""
        self._connection.execute("BEGIN IMMEDIATE")

    def commit(self) -> None:
        """See `gateway.store.committer.Writer`."""
        self._connection.execute("COMMIT")

    def mark(self) -> None:
        """See `gateway.store.committer.Writer`."""
        self._connection.execute("SAVEPOINT one")

    def undo(self) -> bool:
        """See `gateway.store.committer.Writer`."""
        if not self._connection.in_transaction:
            return False
        self._connection.execute("ROLLBACK TO one")
        return True

    def keep(self) -> None:
        """See `gateway.store.committer.Writer`."""
        self._connection.execute("RELEASE one")

    def give_up(self, error: BaseException) -> bool:
        """See `gateway.store.committer.Writer`."""
        try:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
        except apsw.Error:
            return False
        return not isinstance(error, _FATAL)

    def rest(self) -> bool:
        """Fold a long log into the file. What was answered is durable in the log, however this goes."""
        if self._log_pages < self._longest_log:
            return True
        try:
            self._connection.wal_checkpoint()
        except _PASSING:
            return True  # the log is whole, and the next group tries again
        except apsw.Error:
            return False
        return True

    def close(self) -> None:
        """See `gateway.store.committer.Writer`."""
        with suppress(apsw.Error):  # a log that cannot be folded into the file now is read at the next opening
            self._connection.close()

    def _note_log(self, _connection: apsw.Connection, _name: str, pages: int) -> int:
        self._log_pages = pages
        return apsw.SQLITE_OK
