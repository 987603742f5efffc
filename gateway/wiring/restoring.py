"""Backing up the store of a data folder, and putting a backup back where no gateway runs."""

import asyncio
import os
from importlib.metadata import version
from pathlib import Path

from gateway.config.load import load
from gateway.domain.errors import ConfigurationError, Unavailable
from gateway.domain.identifiers import OdsCode
from gateway.settings import Settings, variables
from gateway.store.sql.restoring import Person, Point
from gateway.store.sqlite.backup import Manifest, back_up
from gateway.store.sqlite.restoring import Restored, restore
from gateway.wiring.archiving import ARCHIVE_LOCK
from gateway.wiring.build import SystemClock, claim_data_folder
from gateway.wiring.storing import mark_restored, on_server, open_enquiries, refuse_on_server
from gateway.wiring.watching import WATCH_LOCK


def back_up_store(settings: Settings, target: Path, *, with_keys: bool) -> Manifest:
    """Back up the store of a data folder into a new folder; a gateway may be running on it.

    Raises:
        ConfigurationError: the target exists, or the folder holds no store.
        Unavailable: the copy cannot be made, or is not whole.
    """
    refuse_on_server(settings, "make backups with your server's own means")
    return back_up(
        settings.data, target, now=SystemClock().now(), version=version("homecare-gateway"), with_keys=with_keys
    )


def restore_store(settings: Settings, backup: Path, person: Person, *, least_generation: int = 1) -> Restored:
    """Put a backup into a data folder, with every provider held that the configuration or the backup names.

    Raises:
        ConfigurationError: a gateway, a watch or an archiving runs on the folder, the configuration is wrong, or the
            backup is not what its manifest says.
        Unavailable: it could not be written.
    """
    refuse_on_server(settings, "restore it with your server's own means, then `gateway restore` without a folder")
    loaded = load(settings.config, environ=variables())
    locks = [claim_data_folder(settings.data)]
    try:
        locks.append(claim_data_folder(settings.data, WATCH_LOCK))
        locks.append(claim_data_folder(settings.data, ARCHIVE_LOCK))
        return restore(
            backup,
            settings.data,
            providers=loaded.routing.providers,
            trusts=loaded.trusts,
            now=SystemClock().now(),
            person=person,
            least_generation=least_generation,
        )
    finally:
        for lock in locks:
            os.close(lock)


def begin_after_restore(
    settings: Settings, person: Person, *, least_generation: int = 1
) -> tuple[Point, int, tuple[OdsCode, ...], tuple[OdsCode, ...]]:
    """Begin a new generation in a database that its server has put back, and hold everybody (I22).

    Raises:
        ConfigurationError: the store is a file, a node runs on the database or said so a minute ago, or the
            configuration is wrong.
        Unavailable: the database is away; all of it was done or nothing, and it may be done once more.
    """
    if not on_server(settings):
        raise ConfigurationError("name the backup's folder: without one, the store is a database of a server")
    loaded = load(settings.config, environ=variables())
    lock = claim_data_folder(settings.data)
    try:
        if living := asyncio.run(_living(settings)):
            raise ConfigurationError(*(f"{name} runs on the database: stop every node first" for name in living))
        parties = (frozenset(loaded.routing.providers), frozenset(loaded.trusts))
        return mark_restored(
            settings, parties, person=person, now=SystemClock().now(), least_generation=least_generation
        )
    finally:
        os.close(lock)


async def _living(settings: Settings) -> list[str]:
    """Give the nodes that run on a database; none where it was put back from before it knew any."""
    enquiries = open_enquiries(settings)
    try:
        now = SystemClock().now()
        return [one.node.name for one in await enquiries.nodes() if one.lives(now)]
    except Unavailable:
        return []  # what else is wrong is found when it is written to
    finally:
        await enquiries.close()
