"""Moving closed prescriptions of a data folder to an archive, and looking one up there."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Final
from uuid import UUID

from gateway.config.load import load
from gateway.domain.retention import RetentionTerm
from gateway.enquiries import Found, PrescriptionView
from gateway.settings import Settings, variables
from gateway.store.sql import archiving as statements
from gateway.store.sqlite import archive_file, archiving
from gateway.store.sqlite.archive_file import FILE, FOLDER, ArchiveManifest
from gateway.store.sqlite.archiving import Archived, Asked
from gateway.wiring.build import SystemClock, claim_data_folder
from gateway.wiring.storing import live_store

ARCHIVE_LOCK: Final = "archive.lock"
"""One run at a time on a data folder: two would name the same archive as the one before them, and take each other's
drafts away. Nodes that share a database have folders of their own, and one of them alone is to archive."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundThere:
    """A prescription in an archive.

    Attributes:
        holds: numbers of the legal holds that are on it.
    """

    archive: str
    found: Found
    holds: tuple[int, ...] = ()


def asked(settings: Settings, *, by: str, before: datetime | None, most: int) -> Asked:
    """Give what a run on a data folder is to do, by the terms of its configuration.

    Raises:
        ConfigurationError: the configuration is wrong, or the store's engine is not installed.
    """
    loaded = load(settings.config, environ=variables())
    settings.refuse_unsafe(loaded.environment)
    return Asked(
        store=live_store(settings),
        data=settings.data,
        retention=loaded.retention,
        now=SystemClock().now(),
        by=by,
        version=version("homecare-gateway"),
        before=before,
        most=most,
    )


def survey(run: Asked) -> Archived:
    """Say what a run would move, and why the rest stays; nothing is written."""
    return archiving.survey(run)


def archive(run: Asked) -> Archived:
    """Finish what was begun, then move what may go. A gateway may be running on the folder, but no second run.

    Raises:
        ConfigurationError: another run is under way, or as `archiving.archive`.
    """
    lock = claim_data_folder(run.data, ARCHIVE_LOCK)
    try:
        return archiving.archive(run)
    finally:
        os.close(lock)


def terms(run: Asked) -> tuple[RetentionTerm, ...]:
    """Give the terms that are in force on the day of a run."""
    return tuple(one for one in run.retention.terms if one.since <= run.now.date())


def manifests(data: Path) -> tuple[ArchiveManifest, ...]:
    """Give what each archive of a data folder is, the oldest first; nothing is verified."""
    return tuple(archive_file.read_manifest(folder) for folder in archive_file.archives(data))


def verified(data: Path) -> Iterator[ArchiveManifest]:
    """Check each archive of a data folder from end to end, the oldest first.

    Raises:
        ConfigurationError: one is not whole, or the one before it is missing.
    """
    for folder in archive_file.archives(data):
        yield archive_file.verify(folder)


def gaps(settings: Settings, found: Sequence[ArchiveManifest]) -> tuple[str, ...]:
    """Say which archives are missing: by the store, which knows each that rows left it for, and by what each names.

    One that need not be kept any more may be gone.
    """
    known, now = archiving.registered(live_store(settings)), SystemClock().now()
    there = {one.sha256 for one in found}
    gone = [one for one in known if one.sha256 not in there and one.keep_until > now]
    missing = [f"archive {one.name} is missing: it must be kept until {one.keep_until:%Y-%m-%d}" for one in gone]
    named, previous = {one.sha256 for one in known}, ""
    for one in found:
        if one.previous != previous and one.previous not in named:
            missing.append(f"before archive {one.name} one is missing")
        previous = one.sha256
    return tuple(missing)


def held(settings: Settings, name: str) -> dict[UUID, tuple[int, ...]]:
    """Give the prescriptions of an archive that legal holds are on, each with the numbers of those."""
    found: dict[UUID, tuple[int, ...]] = {}
    in_force = archiving.holds(live_store(settings))
    if in_force:
        with archive_file.readable(settings.data / FOLDER / name / FILE, now=SystemClock().now()) as reader:
            for hold in in_force:
                for one in statements.under_hold(reader, hold):
                    found[one] = (*found.get(one, ()), hold.number)
    return found


def find(settings: Settings, *, nhs_number: str = "", number: str = "", order_number: str = "") -> Iterator[FoundThere]:
    """Look in every archive, the newest first, by the one value that is given."""
    for folder in reversed(archive_file.archives(settings.data)):
        with archive_file.readable(folder / FILE, now=SystemClock().now()) as reader:
            there = statements.sought(reader, nhs_number=nhs_number, number=number, order_number=order_number)
        holds = held(settings, folder.name) if there else {}
        for found in there:
            yield FoundThere(archive=folder.name, found=found, holds=holds.get(found.prescription_id, ()))


def view(data: Path, prescription: UUID) -> tuple[str, PrescriptionView] | None:
    """Give a prescription with everything that is known of it, and which archive has it; None where none has."""
    for folder in reversed(archive_file.archives(data)):
        with archive_file.readable(folder / FILE, now=SystemClock().now()) as reader:
            seen = statements.viewed(reader, prescription)
        if seen is not None:
            return folder.name, seen
    return None
