"""Moving closed prescriptions from the store to an archive, so that a stop at any step leaves both or the archive.

First the archive is written, synchronised and read again, under another name; then it gets its own. Only then do the
rows leave the store, some at a time, each prescription after its rows were compared once more with what the archive
has. A run that was stopped is taken up by the next: what an archive lists and the store still has is let go, or stays
if it has changed meanwhile. A gateway may be running on the store, which is a file or a server's database.

Source: reliability-security.md I1, I6, 9; brief D12.
"""

import shutil
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import groupby, islice
from pathlib import Path
from typing import Final
from uuid import UUID

import apsw

from gateway.domain.errors import ConfigurationError, Unavailable
from gateway.domain.identifiers import OdsCode
from gateway.domain.retention import Retention
from gateway.enquiries import LegalHold
from gateway.store.sql import archives, archiving, legal_holds
from gateway.store.sql.archives import Registered
from gateway.store.sql.archiving import Candidate, LiveStore, Stays
from gateway.store.sql.instants import instant
from gateway.store.sql.leaves import append_leaf, write_leaves
from gateway.store.sql.transaction import Reader, Transaction
from gateway.store.sqlite import archive_file
from gateway.store.sqlite.archive_file import FILE, FOLDER, PARTIAL, ArchiveManifest, Chosen
from gateway.store.sqlite.backup import digest
from gateway.store.sqlite.schema import schema_in

MOST: Final = 20_000
"""Prescriptions in one archive."""
PAUSE_SECONDS: Final = 0.02
_SPAN: Final = "SELECT min(received_at), max(received_at), count(*), (SELECT count(*) FROM line) FROM prescription"
_LISTED: Final = "SELECT uuid, tenant, prescription, fingerprint FROM listed ORDER BY tenant, uuid, prescription"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a run is to do.

    Attributes:
        store: that the rows leave.
        data: the data folder, which has the archives.
        retention: how long records stay.
        now: when.
        before: only what was closed before; None as far as the terms let go.
        by: short name of the person.
        version: of this gateway.
        most: prescriptions in one archive.
    """

    store: LiveStore
    data: Path
    retention: Retention
    now: datetime
    by: str
    version: str
    before: datetime | None = None
    most: int = MOST


@dataclass(frozen=True, slots=True, kw_only=True)
class Archived:
    """What a run did, or would do.

    Attributes:
        chosen: prescriptions that may go, or went into the new archive.
        let_go: those that left the store in this run.
        changed: those that an archive lists and that stayed, for they had changed or something keeps them now.
        stays: how many stay, by the reason.
        manifest: of the new archive; None where nothing was to go.
    """

    chosen: int
    let_go: int = 0
    changed: int = 0
    stays: Counter[str] = field(default_factory=Counter)
    manifest: ArchiveManifest | None = None


def registered(store: LiveStore) -> tuple[Registered, ...]:
    """Give every archive for which rows left a store, in that order; none where there is no store.

    Raises:
        ConfigurationError: the store has another schema.
        Unavailable: the store cannot be read.
    """
    if not store.exists():
        return ()
    with store.reading() as reader:
        return archives.registered(reader)


def holds(store: LiveStore) -> tuple[LegalHold, ...]:
    """Give the legal holds in force on a store; none where there is no store.

    Raises:
        ConfigurationError: the store has another schema.
        Unavailable: the store cannot be read.
    """
    if not store.exists():
        return ()
    with store.reading() as reader:
        return legal_holds.in_force(reader)


def survey(asked: Asked) -> Archived:
    """Say what a run would move, and why the rest stays; nothing is written.

    Raises:
        Unavailable: the store cannot be read.
    """
    stays: Counter[str] = Counter()
    with asked.store.reading() as reader:
        chosen = sum(1 for _ in _choose(reader, asked, stays))
    return Archived(chosen=chosen, stays=stays)


def archive(asked: Asked) -> Archived:
    """Finish what was begun, then move what may go to a new archive.

    Raises:
        ConfigurationError: the folder holds no store, an archive that was begun is not there, or one is not whole.
        Unavailable: the archive could not be written, and nothing was deleted; or the store could not be, and each
            prescription is there or in the archive.
    """
    archive_file.clear_partial(asked.data)
    try:
        return _archive(asked)
    except apsw.Error as error:  # no room, or a gateway beside that writes for long
        raise Unavailable("the store could not be read or written; the next run goes on from there") from error


def _archive(asked: Asked) -> Archived:
    earlier = _finish_earlier(asked)
    try:
        made = _make(asked)
    except (OSError, apsw.Error) as error:
        raise Unavailable("the archive could not be written; nothing was deleted") from error
    if made.manifest is None:
        return replace(made, let_go=earlier.let_go, changed=earlier.changed)
    let_go, changed = _let_go(asked, asked.data / FOLDER / made.manifest.name, made.manifest)
    return replace(made, let_go=let_go + earlier.let_go, changed=changed + earlier.changed)


def _choose(reader: Reader, asked: Asked, stays: Counter[str]) -> Iterator[Chosen]:
    """Give what may go, the oldest first, and count why the rest stays."""
    today = asked.now.date()
    shortest = asked.retention.shortest(today)
    if shortest is None:
        raise ConfigurationError("retention.toml: no term is in force today")
    before = min(asked.now - shortest, asked.before or asked.now)
    for candidate in archiving.candidates(reader, before=before):
        why = archiving.stays(reader, candidate)
        ended = archiving.closed(reader, candidate)
        term = asked.retention.term(candidate.tenant, today)
        over = term is not None and term.leaves_after(ended.at) <= asked.now and ended.at < (asked.before or asked.now)
        if why is None and over and term is not None:
            yield Chosen(candidate=candidate, keep_until=term.keep_until(ended.at.date(), ended.birth_date))
        else:
            stays[why or Stays.TERM] += len(candidate.rows)


def _make(asked: Asked) -> Archived:
    """Write a new archive with what may go now, read it again, and give it its name."""
    name = f"{asked.now:%Y%m%dT%H%M%S%f}Z"
    folder = asked.data / FOLDER
    draft = folder / f"{name}{PARTIAL}"
    stays: Counter[str] = Counter()
    try:
        with asked.store.reading() as reader:  # one moment: what is chosen is what is copied
            chosen = list(islice(_choose(reader, asked, stays), asked.most))
            if not chosen:
                return Archived(chosen=0, stays=stays)
            _refuse_clock_gone_back(asked.data, name)
            draft.mkdir(parents=True, mode=0o700)
            generation, leaves = archives.figures(reader)
            archive_file.write(draft / FILE, reader, chosen, now=asked.now)
        described = _described(draft, name, chosen, asked)
        manifest = replace(described, generation=generation, leaves=leaves, previous=_previous(asked.data))
        archive_file.publish(draft, folder / name, manifest)
    finally:
        shutil.rmtree(draft, ignore_errors=True)  # it has its name by now, unless something failed
    archive_file.verify(folder / name)
    return Archived(chosen=len(chosen), stays=stays, manifest=manifest)


def _described(draft: Path, name: str, chosen: Sequence[Chosen], asked: Asked) -> ArchiveManifest:
    file = draft / FILE
    with archive_file.opened(file) as archive:
        faults = archive_file.faults_of(archive)
        first, last, prescriptions, lines = next(iter(archive.execute(_SPAN)))
        schema = schema_in(archive).newest
    if faults:
        raise Unavailable(f"the archive is not whole: {'; '.join(faults)}")
    return ArchiveManifest(
        name=name,
        sha256=digest(file),
        bytes=file.stat().st_size,
        made_at=asked.now.isoformat(),
        by=asked.by,
        keep_until=max(one.keep_until for one in chosen).isoformat(),
        prescriptions=prescriptions,
        lines=lines,
        first=instant(first).isoformat(),
        last=instant(last).isoformat(),
        previous="",
        generation=0,
        leaves=0,
        schema=schema,
        version=asked.version,
    )


def _refuse_clock_gone_back(data: Path, name: str) -> None:
    """Archives are in order by their names: one that bore an earlier name than the one before it would look lost."""
    known = archive_file.archives(data)
    if known and name <= known[-1].name:
        raise Unavailable(f"the clock is not after archive {known[-1].name}; nothing was deleted")


def _previous(data: Path) -> str:
    known = archive_file.archives(data)
    return archive_file.read_manifest(known[-1]).sha256 if known else ""


def _finish_earlier(asked: Asked) -> Archived:
    """Let go of what earlier archives list and the store still has: a run was stopped, or a backup was put back."""
    folders = archive_file.archives(asked.data)
    with asked.store.reading() as reader:
        known = archives.registered(reader)
    finished = {one.name for one in known if one.finished}
    lost = sorted({one.name for one in known if not one.finished} - {folder.name for folder in folders})
    if lost:
        raise ConfigurationError(*(f"archive {name} was begun and is not in {asked.data / FOLDER}" for name in lost))
    counts = [_let_go(asked, one, archive_file.verify(one)) for one in folders if one.name not in finished]
    return Archived(chosen=0, let_go=sum(one[0] for one in counts), changed=sum(one[1] for one in counts))


def _let_go(asked: Asked, folder: Path, manifest: ArchiveManifest) -> tuple[int, int]:
    """Delete from the store what an archive holds; give how many prescriptions went, and how many stayed."""
    with archive_file.opened(folder / FILE) as archive:
        listed = list(archive.execute(_LISTED))
    groups = [
        (UUID(bytes=uuid), OdsCode(tenant), {int(row[2]): bytes(row[3]) for row in rows})
        for (uuid, tenant), rows in groupby(listed, key=lambda row: (row[0], row[1]))
    ]
    went = stayed = 0
    with asked.store.writing() as transaction:
        for start in range(0, len(groups), asked.store.at_once):
            with transaction() as within:
                some = groups[start : start + asked.store.at_once]
                gone, kept = _let_some_go(within, some, asked, manifest)
            went, stayed = went + gone, stayed + kept
            time.sleep(PAUSE_SECONDS)
        with transaction() as within:
            _finish(within, asked, manifest, stayed)
    return went, stayed


def _let_some_go(
    transaction: Transaction,
    some: Sequence[tuple[UUID, OdsCode, dict[int, bytes]]],
    asked: Asked,
    manifest: ArchiveManifest,
) -> tuple[int, int]:
    """Let some prescriptions go in one transaction; all of them or, where it fails, none."""
    number, reader = _register(transaction, manifest), transaction.connection
    went = stayed = 0
    for uuid, tenant, prints in some:
        candidate = archiving.candidate_of(reader, uuid, tenant)
        if not candidate.rows:
            continue  # it went before this run was stopped
        if _is_the_same(reader, candidate, prints) and archiving.stays(reader, candidate) is None:
            archiving.let_go(transaction, candidate, number)
            went += 1
        else:
            stayed += 1
    if went:
        facts: dict[str, str | int] = {"archive": manifest.name, "digest": manifest.sha256, "by": asked.by}
        append_leaf(transaction, "archived", at=asked.now, prescriptions=went, **facts)
        write_leaves(transaction)
    return went, stayed


def _is_the_same(reader: Reader, candidate: Candidate, prints: dict[int, bytes]) -> bool:
    """Tell whether the archive holds every row of it as it is now."""
    return set(candidate.rows) == set(prints) and all(
        archiving.fingerprint(reader, row) == prints[row] for row in candidate.rows
    )


def _register(transaction: Transaction, manifest: ArchiveManifest) -> int:
    keep_until = datetime.fromisoformat(f"{manifest.keep_until}T00:00:00+00:00")
    known = Registered(name=manifest.name, sha256=manifest.sha256, keep_until=keep_until, finished=False)
    return archives.register(transaction, known, made_at=datetime.fromisoformat(manifest.made_at))


def _finish(transaction: Transaction, asked: Asked, manifest: ArchiveManifest, stayed: int) -> None:
    _register(transaction, manifest)
    archives.finish(transaction, manifest.name, stayed=stayed, by=asked.by, now=asked.now)
