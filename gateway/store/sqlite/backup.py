"""A copy of the store while it runs, and the proof that the copy is whole.

SQLite's online backup copies one committed state into a new file, whatever is written meanwhile. The copy is then read
again: its own check of every page and reference, and every leaf of the audit by its hash and without a gap. A manifest
beside it says what it is, and is written last.

Source: issue "never lost, never twice", build 7; reliability-security.md I5, I22.
"""

import hashlib
import json
import shutil
from contextlib import AbstractContextManager, closing
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import apsw

from gateway.domain.errors import ConfigurationError, Unavailable
from gateway.store.sql.instants import instant
from gateway.store.sql.leaves import leaf_hash
from gateway.store.sqlite.connection import APPLICATION_ID, BACKUP_ID, open_kept, open_reader
from gateway.store.sqlite.schema import schema_in
from gateway.store.sqlite.swapping import sync

DATABASE: Final = "gateway.db"
MANIFEST: Final = "manifest.json"
KEYS: Final = "keys"
_FORMAT: Final = 1
_CHUNK: Final = 1 << 20
_FIGURES: Final = """
SELECT (SELECT generation FROM meta), (SELECT size FROM audit_head),
    (SELECT count(*) FROM audit_leaf), (SELECT coalesce(max(seq), 0) FROM event),
    (SELECT coalesce(max(at), 0) FROM audit_leaf), (SELECT count(*) FROM submission)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What a backup is.

    Attributes:
        sha256: of the database file, in lower-case hex.
        generation: which life of the database it is from.
        schema: number of the newest migration in it.
        newest_event: sequence number of the last event in it.
        leaves: of the audit.
        last_at: when the last leaf in it was written, ISO 8601: what came later is not in it.
        made_at: when the copy was begun, ISO 8601.
        version: of the gateway that made it.
        keys: whether the folder of the seal's keys is in it.
    """

    format: int = _FORMAT
    sha256: str
    bytes: int
    generation: int
    schema: int
    submissions: int
    newest_event: int
    leaves: int
    last_at: str
    made_at: str
    version: str
    sqlite: str
    keys: bool


def back_up(data: Path, target: Path, *, now: datetime, version: str, with_keys: bool = False) -> Manifest:
    """Copy the store of a data folder into a new folder, while a gateway may be writing to it.

    Args:
        data: the data folder.
        target: the new folder; its parent exists.
        now: when.
        version: of this gateway.
        with_keys: copy the seal's keys too; otherwise they are kept elsewhere by whoever keeps them.

    Raises:
        ConfigurationError: the target exists, or the folder holds no store.
        Unavailable: the copy cannot be made, or is not whole; nothing is left of it.
    """
    if target.exists():
        raise ConfigurationError(f"{target}: exists already; a backup is never overwritten")
    if not (data / DATABASE).is_file():
        raise ConfigurationError(f"data folder {data}: holds no store")
    draft = target.with_name(f"{target.name}.partial")
    try:
        draft.mkdir(mode=0o700)
    except OSError as error:
        raise ConfigurationError(f"{target}: cannot be made in {target.parent}: {error.strerror}") from error
    try:
        manifest = _fill(data, draft, now=now, version=version, with_keys=with_keys)
        draft.rename(target)
        sync(target.parent)
    except (OSError, apsw.Error) as error:
        raise Unavailable("the backup could not be written") from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)  # it is the target by now, unless something failed
    return manifest


def verify(folder: Path) -> Manifest:
    """Check a backup from end to end.

    Raises:
        ConfigurationError: it is no backup, is not whole, or is not what its manifest says; each fault by name.
    """
    manifest = read_manifest(folder)
    file = folder / DATABASE
    if not file.is_file() or digest(file) != manifest.sha256:
        raise ConfigurationError(f"{file}: is not the file that the manifest describes")
    with _opened(file) as connection:
        faults = faults_of(connection)
        found = _figures(connection)
    said = {name: getattr(manifest, name) for name in found}
    faults += [
        f"{name} is {found[name]}, and the manifest says {said[name]}" for name in said if said[name] != found[name]
    ]
    if faults:
        raise ConfigurationError(*(f"{file}: {fault}" for fault in faults))
    return manifest


def read_manifest(folder: Path) -> Manifest:
    """Read a backup's manifest.

    Raises:
        ConfigurationError: there is none, or it is not one of ours.
    """
    try:
        said: dict[str, Any] = json.loads((folder / MANIFEST).read_bytes())
        manifest = Manifest(**said)
    except (OSError, ValueError, TypeError) as error:
        raise ConfigurationError(f"{folder}: holds no backup that can be read") from error
    if manifest.format != _FORMAT:
        raise ConfigurationError(f"{folder}: is a backup of another format: {manifest.format}")
    return manifest


def faults_of(connection: apsw.Connection) -> list[str]:
    """Say what is wrong with a store's file: pages, references, and the chain of audit leaves."""
    faults = [str(row[0]) for row in connection.execute("PRAGMA integrity_check(5)") if row[0] != "ok"]
    faults += [f"a row of {row[0]} refers to nothing" for row in connection.execute("PRAGMA foreign_key_check")][:5]
    expected = 0
    for seq, body, kept in connection.execute("SELECT seq, body, leaf_hash FROM audit_leaf ORDER BY seq"):
        expected += 1
        if seq != expected:
            faults.append(f"audit leaf {expected} is missing")
            break
        if leaf_hash(body) != kept:
            faults.append(f"audit leaf {seq} does not hash to what it says")
            break
    size = connection.execute("SELECT size FROM audit_head WHERE id = 1").get
    if not faults and size != expected:
        faults.append(f"the audit has {expected} leaves and says {size}")
    return faults


def digest(file: Path) -> str:
    """Give the SHA-256 of a file in lower-case hex."""
    found = hashlib.sha256()
    with file.open("rb") as reading:
        while chunk := reading.read(_CHUNK):
            found.update(chunk)
    return found.hexdigest()


def copy_store(reading: apsw.Connection, target: Path, *, application_id: int) -> None:
    """Copy one committed state of a store into a new file of its own, on the disk when this returns.

    Args:
        reading: the store, or a backup of one.
        target: the new file.
        application_id: what the copy is: `BACKUP_ID`, or `APPLICATION_ID` of a store that is served.
    """
    target.touch(mode=0o600, exist_ok=False)
    writing = apsw.Connection(str(target))
    try:
        with writing.backup("main", reading, "main") as copying:
            copying.step(-1)  # under one read transaction: writers go on, and what they write is not in it
        writing.pragma("journal_mode", "delete")  # one file, without a log beside it
        writing.pragma("application_id", application_id)
    finally:
        writing.close()
    sync(target)


def _fill(data: Path, draft: Path, *, now: datetime, version: str, with_keys: bool) -> Manifest:
    file = draft / DATABASE
    with closing(open_reader(data / DATABASE)) as reading:
        copy_store(reading, file, application_id=BACKUP_ID)
    with _opened(file) as connection:
        faults = faults_of(connection)
        figures = _figures(connection)
    if faults:
        raise Unavailable(f"the copy is not whole: {'; '.join(faults)}")
    if with_keys and (data / KEYS).is_dir():
        shutil.copytree(data / KEYS, draft / KEYS)
        for each in (draft / KEYS).iterdir():
            sync(each)
    manifest = Manifest(
        sha256=digest(file),
        bytes=file.stat().st_size,
        made_at=now.isoformat(),
        version=version,
        sqlite=apsw.sqlite_lib_version(),
        keys=(draft / KEYS).is_dir(),
        **figures,
    )
    (draft / MANIFEST).write_text(json.dumps(asdict(manifest), indent=1) + "\n", "utf-8")
    sync(draft / MANIFEST)
    sync(draft)
    return manifest


def _figures(connection: apsw.Connection) -> dict[str, Any]:
    generation, _, leaves, newest, last, submissions = next(iter(connection.execute(_FIGURES)))
    return {
        "generation": generation,
        "schema": schema_in(connection).newest,
        "submissions": submissions,
        "newest_event": newest,
        "leaves": leaves,
        "last_at": instant(int(str(last))).isoformat(),
    }


def _opened(file: Path) -> AbstractContextManager[apsw.Connection]:
    return open_kept(file, application_ids={BACKUP_ID, APPLICATION_ID}, what="a gateway database")
