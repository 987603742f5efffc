"""An archive: one SQLite file with the whole schema, the rows of the prescriptions in it, and a manifest beside it.

It is written under another name, read again in full and synchronised before it gets its own; from then on it is never
changed. It is no store: a gateway does not open one. Its manifest names the digest of the archive before it, so that
none can be taken away in silence.

Source: reliability-security.md 1 (X-Road's archives), 9 (retention); house-style.md 6 (archive tables are insert-only).
"""

import json
import shutil
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict, dataclass
from datetime import date, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import apsw

from gateway.domain.errors import ConfigurationError, Unavailable
from gateway.store.sql import archiving
from gateway.store.sql.archiving import OWN, SHARED, WAITS, Candidate
from gateway.store.sql.transaction import Reader
from gateway.store.sqlite.backup import MANIFEST, digest
from gateway.store.sqlite.connection import APPLICATION_ID, open_kept
from gateway.store.sqlite.schema import migrate, schema_in
from gateway.store.sqlite.swapping import sync

ARCHIVE_ID: Final = 0x48435041  # "HCPA"
FOLDER: Final = "archive"
FILE: Final = "archive.db"
PARTIAL: Final = ".partial"
_FORMAT: Final = 1
_LISTED: Final = """
CREATE TABLE listed (
    prescription INTEGER PRIMARY KEY, uuid BLOB NOT NULL, tenant TEXT NOT NULL, keep_until TEXT NOT NULL,
    fingerprint BLOB NOT NULL) STRICT
"""
_LIST: Final = "INSERT INTO listed VALUES (?, (SELECT uuid FROM prescription WHERE id = ?1), ?, ?, ?)"
_TABLES: Final = (*OWN, *SHARED, "wait")


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveManifest:
    """What an archive is.

    Attributes:
        sha256: of its file, in lower-case hex.
        made_at: ISO 8601.
        keep_until: the first day on which none of its records need be kept any more, ISO 8601.
        first, last: when the first and the last prescription in it were received, ISO 8601.
        previous: digest of the archive before it; empty for the first.
        leaves: of the audit, when it was made.
    """

    format: int = _FORMAT
    name: str
    sha256: str
    bytes: int
    made_at: str
    by: str
    keep_until: str
    prescriptions: int
    lines: int
    first: str
    last: str
    previous: str
    generation: int
    leaves: int
    schema: int
    version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """A prescription that is to go, and until when it must be kept."""

    candidate: Candidate
    keep_until: date


def write(file: Path, reader: Reader, chosen: Sequence[Chosen], *, now: datetime) -> None:
    """Write the rows of prescriptions into a new archive file, on the disk when this returns.

    Args:
        file: new; its folder exists.
        reader: of the store, inside the transaction in which they were chosen.
        chosen: what goes.
        now: when.
    """
    file.touch(mode=0o600, exist_ok=False)
    writing = apsw.Connection(str(file))
    try:
        migrate(writing, now=now)
        with writing:
            _fill(writing, reader, chosen)
        writing.pragma("application_id", ARCHIVE_ID)
        writing.pragma("journal_mode", "delete")
    finally:
        writing.close()
    sync(file)


def _fill(writing: apsw.Connection, reader: Reader, chosen: Sequence[Chosen]) -> None:
    # The triggers say how rows come to be; these have come to be. They stand in the file again when it is full.
    triggers = list(writing.execute("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'"))
    for name, _ in triggers:
        writing.execute(f'DROP TRIGGER "{name}"')
    writing.execute(_LISTED)
    for one in chosen:
        for row in one.candidate.rows:
            _copy(writing, reader, row)
            print_ = archiving.fingerprint(reader, row)
            writing.execute(_LIST, (row, one.candidate.tenant.value, one.keep_until.isoformat(), print_))
    for _, sql in triggers:
        writing.execute(sql)


def _copy(writing: apsw.Connection, reader: Reader, row: int) -> None:
    for table, condition in (*OWN.items(), *SHARED.items(), ("wait", WAITS)):
        names = [column[1] for column in writing.execute(f"PRAGMA table_info({table})")]
        columns, marks = ", ".join(names), ", ".join("?" * len(names))
        rows = list(reader.execute(f"SELECT {columns} FROM {table} WHERE {condition}", {"id": row}))  # noqa: S608
        # What several share is there once; so is what one waited for, where both are in the file.
        writing.executemany(f"INSERT OR IGNORE INTO {table} ({columns}) VALUES ({marks})", rows)  # noqa: S608


def faults_of(archive: apsw.Connection) -> list[str]:
    """Say what is wrong with an archive's file: pages, and rows that are not what was written."""
    faults = [str(row[0]) for row in archive.execute("PRAGMA integrity_check(5)") if row[0] != "ok"]
    for row, kept in archive.execute("SELECT prescription, fingerprint FROM listed").fetchall():
        if archiving.fingerprint(archive, int(str(row))) != kept:
            faults.append(f"prescription {row} is not what was written")
    return faults


def verify(folder: Path) -> ArchiveManifest:
    """Check an archive from end to end.

    Raises:
        ConfigurationError: it is none, is not whole, or is not what its manifest says.
    """
    manifest = read_manifest(folder)
    file = folder / FILE
    if not file.is_file() or digest(file) != manifest.sha256:
        raise ConfigurationError(f"{file}: is not the file that the manifest describes")
    with opened(file) as archive:
        faults = faults_of(archive)
    if faults:
        raise ConfigurationError(*(f"{file}: {fault}" for fault in faults))
    return manifest


def read_manifest(folder: Path) -> ArchiveManifest:
    """Read an archive's manifest.

    Raises:
        ConfigurationError: there is none, or it is not one of ours.
    """
    try:
        said: dict[str, Any] = json.loads((folder / MANIFEST).read_bytes())
        manifest = ArchiveManifest(**said)
    except (OSError, ValueError, TypeError) as error:
        raise ConfigurationError(f"{folder}: holds no archive that can be read") from error
    if manifest.format != _FORMAT:
        raise ConfigurationError(f"{folder}: is an archive of another format: {manifest.format}")
    return manifest


def publish(draft: Path, target: Path, manifest: ArchiveManifest) -> None:
    """Give an archive that was written and read again its manifest and its name, on the disk when this returns."""
    (draft / MANIFEST).write_text(json.dumps(asdict(manifest), indent=1) + "\n", "utf-8")
    sync(draft / MANIFEST)
    sync(draft)
    draft.rename(target)
    sync(target.parent)


def archives(data: Path) -> list[Path]:
    """Give the folder of every archive of a data folder, the oldest first."""
    folder = data / FOLDER
    found = folder.iterdir() if folder.is_dir() else ()
    return sorted(one for one in found if (one / MANIFEST).is_file() and not one.name.endswith(PARTIAL))


def clear_partial(data: Path) -> None:
    """Take away what a run that was stopped had begun to write: nothing was deleted for it."""
    folder = data / FOLDER
    for one in list(folder.iterdir()) if folder.is_dir() else ():
        if one.name.endswith(PARTIAL):
            shutil.rmtree(one)


def opened(file: Path) -> AbstractContextManager[apsw.Connection]:
    """Open an archive's file, which nobody writes.

    Raises:
        ConfigurationError: it is no archive, or cannot be read; on entering or within.
    """
    return open_kept(file, application_ids={ARCHIVE_ID}, what="an archive of this gateway")


@contextmanager
def readable(file: Path, *, now: datetime) -> Iterator[apsw.Connection]:
    """Open an archive as this version asks its questions: one of an earlier schema is brought to ours in a copy.

    Raises:
        ConfigurationError: it is no archive, or was written by a newer version.
        Unavailable: there is no room for the copy.
    """
    with opened(file) as archive:
        if not schema_in(archive).missing:
            yield archive
            return
    with TemporaryDirectory() as folder:
        copy = Path(folder) / FILE
        try:
            shutil.copyfile(file, copy)
        except OSError as error:
            raise Unavailable("there is no room to read an archive of an earlier version") from error
        connection = apsw.Connection(str(copy))
        try:
            connection.pragma("application_id", APPLICATION_ID)
            migrate(connection, now=now)
            yield connection
        finally:
            connection.close()
