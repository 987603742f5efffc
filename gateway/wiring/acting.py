"""Opening a data folder for one act of a person, beside a gateway that may be running on it.

The lock of the data folder keeps a second gateway away, not a second writer: every write is one transaction that looks
at the tables anew, and leases are fenced by their token. A running worker finds what an act made due at its next look.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from gateway.config.configuration import Configuration
from gateway.config.load import load
from gateway.domain.errors import ConfigurationError
from gateway.mailbox import mailboxes
from gateway.settings import Settings, variables
from gateway.store.sql.enquiries import SqlEnquiries
from gateway.store.sql.store import SqlStore
from gateway.wiring.build import SystemClock
from gateway.wiring.storing import open_enquiries, open_store, refuse_without_store


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """What a person's act works with."""

    settings: Settings
    configuration: Configuration
    clock: SystemClock
    store: SqlStore
    enquiries: SqlEnquiries


@asynccontextmanager
async def desk(
    settings: Settings, *, make: bool = False, broken: Callable[[], None] = lambda: None
) -> AsyncIterator[Desk]:
    """Open the store of a data folder, and let it go afterwards.

    Args:
        settings: as read.
        make: make folder and store where there are none; the folder above is there.
        broken: called from another thread when the disk can no longer be trusted.

    Raises:
        ConfigurationError: the configuration is wrong, or the folder holds no store.
        Unavailable: the store cannot be opened.
    """
    loaded = load(settings.config, environ=variables())
    settings.refuse_unsafe(loaded.environment)
    if make:
        _make_folder(settings.data)
    else:
        refuse_without_store(settings)
    clock = SystemClock()
    store = open_store(
        settings,
        now=clock.now,
        deadlines=loaded.deadlines,
        tells=frozenset(mailboxes(loaded.trusts.values())),
        failed=broken,
    )
    enquiries = open_enquiries(settings)
    try:
        yield Desk(settings=settings, configuration=loaded, clock=clock, store=store, enquiries=enquiries)
    finally:
        await enquiries.close()
        await store.close()


def _make_folder(data: Path) -> None:
    """Make the data folder, and none above it: a mistyped path is no place for a store."""
    try:
        data.mkdir(exist_ok=True, mode=0o700)
    except OSError as error:
        raise ConfigurationError(f"data folder {data}: {error.strerror}") from error
