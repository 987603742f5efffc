"""Putting a backup back, in a new generation, with every destination held until it is reconciled.

The file is made ready beside its place and moved into it in one step. What was there before is kept aside, never
deleted: it may hold what the backup does not.

Source: reliability-security.md I22.
"""

import json
import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

import apsw

from gateway.domain.deadline import ALWAYS
from gateway.domain.errors import Unavailable
from gateway.domain.identifiers import OdsCode
from gateway.store.sql.restoring import UNNAMED, Beginning, Parties, Person, Point, mark
from gateway.store.sql.transaction import Transaction
from gateway.store.sqlite.backup import DATABASE, KEYS, Manifest, copy_store, verify
from gateway.store.sqlite.connection import APPLICATION_ID, UNFINISHED, open_reader, open_writer
from gateway.store.sqlite.schema import migrate
from gateway.store.sqlite.swapping import swap

RESTORES: Final = "restores.jsonl"
"""Beside a backup: which generations were begun from it, so that none is begun twice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """What a restore did.

    Attributes:
        generation: the life of the database that begins.
        noted: word of it is beside the backup; otherwise the data folder alone knows.
        held: providers that have to be reconciled before anything is sent.
        trusts: whose orders wait until they have said what they were told.
        aside: where the store that was there before is kept; None where there was none.
    """

    manifest: Manifest
    generation: int
    noted: bool
    held: tuple[OdsCode, ...]
    trusts: tuple[OdsCode, ...]
    aside: Path | None


def restore(
    backup: Path,
    data: Path,
    *,
    providers: Iterable[OdsCode],
    trusts: Iterable[OdsCode],
    now: datetime,
    person: Person = UNNAMED,
    least_generation: int = 1,
) -> Restored:
    """Put a backup into a data folder on which no gateway runs; the caller holds its lock.

    Args:
        backup: as `back_up` made it.
        data: the data folder.
        providers: of the configuration, held beside all that were ever sent anything.
        trusts: of the configuration, held beside all that ever sent anything.
        now: when.
        person: who does it; the audit says so.
        least_generation: for when a later life of the store is known of that neither folder shows.

    Raises:
        ConfigurationError: the backup is not what its manifest says, or is of a newer version.
        Unavailable: it could not be written, and what was there is as it was. Where that could not be seen to, or the
            process was stopped, no store opens in the folder before a restore has succeeded.
    """
    manifest = verify(backup)
    generation = max(least_generation, 1 + max(_generations(backup, data, manifest)))
    draft, keys = data / f"{DATABASE}{UNFINISHED}", data / f"{KEYS}{UNFINISHED}"
    parties = (frozenset(providers), frozenset(trusts))
    try:
        _discard(data)
        with closing(open_reader(backup / DATABASE, of_backup=True)) as reading:
            copy_store(reading, draft, application_id=APPLICATION_ID)
        held, senders = _begin(draft, manifest, Beginning(generation, person, now), parties)
        noted = _note(backup, generation, now)
        new = [(draft, data / DATABASE)]
        if manifest.keys and not (data / KEYS).exists():
            shutil.copytree(backup / KEYS, keys)
            new.insert(0, (keys, data / KEYS))
        old = [data / f"{DATABASE}{end}" for end in ("", "-wal", "-shm")]
        aside = swap(new, old, folder=data, now=now)
    except (OSError, apsw.Error) as error:
        raise Unavailable("the backup could not be put in place; what was there is as it was") from error
    finally:
        if (data / DATABASE).exists():  # otherwise no store opens before a restore succeeds
            with suppress(OSError):
                _discard(data)
    return Restored(manifest=manifest, generation=generation, noted=noted, held=held, trusts=senders, aside=aside)


def _discard(data: Path) -> None:
    """Remove what a restore left that did not come to its end."""
    shutil.rmtree(data / f"{KEYS}{UNFINISHED}", ignore_errors=True)
    for left in data.glob(f"{DATABASE}{UNFINISHED}*"):
        left.unlink()


def _begin(
    file: Path, manifest: Manifest, beginning: Beginning, parties: Parties
) -> tuple[tuple[OdsCode, ...], tuple[OdsCode, ...]]:
    """Migrate the copy, begin its generation and hold every destination, in one transaction."""
    connection = open_writer(file)
    try:
        migrate(connection, now=beginning.now)
        with connection:
            held = mark(_transaction(connection, beginning), _point(manifest), beginning, parties)
        connection.pragma("wal_checkpoint(truncate)")
        connection.pragma("journal_mode", "delete")  # the log folded in; the next opening begins a new one
    finally:
        connection.close()
    return held


def _transaction(connection: apsw.Connection, beginning: Beginning) -> Transaction:
    return Transaction(connection=connection, deadlines=ALWAYS, tells=frozenset(), generation=beginning.generation)


def _point(manifest: Manifest) -> Point:
    last = datetime.fromisoformat(manifest.last_at)
    return Point(made_at=manifest.made_at, last_at=last, digest=manifest.sha256, leaves=manifest.leaves)


def _generations(backup: Path, data: Path, manifest: Manifest) -> Iterator[int]:
    """Give every generation that is known to have been: of the backup, of what is here, of earlier restores."""
    yield manifest.generation
    for file in (data / DATABASE, *data.glob(f"replaced-*/{DATABASE}")):
        if file.is_file():
            with suppress(Unavailable, apsw.Error):  # a damaged file is why people restore
                yield _generation_of(file)
    with suppress(OSError):
        for row in (backup / RESTORES).read_text("utf-8").splitlines():
            with suppress(ValueError, KeyError, TypeError):
                yield int(json.loads(row)["generation"])


def _generation_of(file: Path) -> int:
    connection = open_reader(file, of_backup=True)
    try:
        return int(str(connection.execute("SELECT generation FROM meta WHERE id = 1").get))
    finally:
        connection.close()


def _note(backup: Path, generation: int, now: datetime) -> bool:
    """Leave word beside the backup, and tell whether that could be; otherwise the data folder still knows."""
    try:
        with (backup / RESTORES).open("a", encoding="utf-8") as notes:
            notes.write(json.dumps({"generation": generation, "at": now.isoformat()}) + "\n")
            notes.flush()
            os.fsync(notes.fileno())
    except OSError:
        return False
    return True
