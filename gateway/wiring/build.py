"""From settings to a gateway that is ready to run. The only module that names the concrete classes.

Nothing listens and nothing is sent before `Application.serve`; everything that can be wrong is found here first.
"""

import asyncio
import fcntl
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from importlib.metadata import version
from pathlib import Path
from typing import Final

from gateway.access.directory import Directory
from gateway.config.configuration import Configuration
from gateway.config.development import equip
from gateway.config.load import load
from gateway.destination import Destination
from gateway.domain.errors import ConfigurationError
from gateway.domain.identifiers import OdsCode
from gateway.mailbox import Mailbox, mailboxes
from gateway.pipeline.admission import Admission
from gateway.pipeline.clockwork import Clockwork
from gateway.pipeline.code_book import CodeBook
from gateway.pipeline.counting import Counting
from gateway.pipeline.rereading import Rereading
from gateway.pipeline.reroute import Rerouting
from gateway.pipeline.story import Pipeline
from gateway.pipeline.surroundings import Surroundings
from gateway.ports.joining import Joining
from gateway.settings import Settings, variables
from gateway.store.keys import KeyRing, load_or_make
from gateway.store.sql.enquiries import SqlEnquiries
from gateway.store.sql.store import SqlStore
from gateway.telemetry import Metrics
from gateway.wiring.around import surroundings
from gateway.wiring.joining import Teller, join
from gateway.wiring.nodes import node_name
from gateway.wiring.room import floors_of, room_on
from gateway.wiring.storing import migrate_in_place, on_server, open_enquiries, open_store

DATABASE: Final = "gateway.db"
LOCK: Final = "gateway.lock"
ANCHORS: Final = Path("anchors") / "gateway.pem"


_CLAIMS: Final = range(3)
_LOOK_SECONDS: Final = 0.05
"""Longer than anybody takes who only looks whether the folder is in use, as `gateway doctor` does."""


class Part(StrEnum):
    """What a node may run: `gateway serve --only http,worker`."""

    HTTP = "http"
    MLLP = "mllp"
    WORKER = "worker"
    WATCH = "watch"
    CONSOLE = "console"


class SystemClock:
    """The machine's time."""

    def now(self) -> datetime:
        """Give the present moment in UTC."""
        return datetime.now(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Gateway:
    """Everything a running gateway consists of, joined and idle.

    Attributes:
        name: of this process, unlike any other's.
        rereads: set when held orders are to be read again at once.
        fresh: development tokens made just now, to be shown once.
        lock: the open file whose lock keeps a second gateway off this data folder.
    """

    name: str
    settings: Settings
    configuration: Configuration
    directory: Directory
    metrics: Metrics
    clock: SystemClock
    keys: KeyRing
    store: SqlStore
    enquiries: SqlEnquiries
    destinations: Mapping[OdsCode, Destination]
    mailboxes: Mapping[OdsCode, Mailbox]
    pipeline: Pipeline
    admission: Admission
    rerouting: Rerouting
    book: CodeBook
    rereads: asyncio.Event
    rereading: Rereading
    clockwork: Clockwork
    counting: Counting
    joining: Joining
    around: Surroundings
    fresh: Mapping[str, str]
    version: str
    lock: int


def build(settings: Settings, *, broken: Callable[[], None]) -> Gateway:
    """Join everything.

    Args:
        settings: as read.
        broken: called from another thread when the disk can no longer be trusted; the process must then stop.

    Raises:
        ConfigurationError: settings, configuration, keys, adapters or data folder are wrong; every fault of a kind.
        Unavailable: the store cannot be opened.
    """
    loaded = load(settings.config, environ=variables())
    settings.refuse_unsafe(loaded.environment)
    lock = claim_data_folder(settings.data, shared=on_server(settings))
    equipped = equip(loaded, settings.data, development=settings.in_development)
    configuration = equipped.configuration
    clock, metrics = SystemClock(), Metrics()
    joining = join(settings, configuration, tell=Teller(metrics))
    keys = load_or_make(settings.data, development=settings.in_development)
    publish_anchors(keys, settings.data)
    book = CodeBook(configuration.trusts)
    around = replace(surroundings(configuration, settings.reference_folder), trusts=book)
    told = mailboxes(configuration.trusts.values())
    store = open_store(
        settings,
        now=clock.now,
        deadlines=configuration.deadlines,
        tells=frozenset(told),
        failed=broken,
        grouped=metrics.commit_group.observe,
    )
    enquiries = open_enquiries(settings)
    sealer = keys.seal(configuration.organisation)
    admission = Admission(floors_of(settings), room_on(settings.data))
    return Gateway(
        name=node_name(),
        settings=settings,
        configuration=configuration,
        directory=Directory(configuration.credentials),
        metrics=metrics,
        clock=clock,
        keys=keys,
        store=store,
        enquiries=enquiries,
        destinations=around.destinations,
        mailboxes=told,
        pipeline=Pipeline(store=store, sealer=sealer, around=around, clock=clock, admission=admission, joining=joining),
        admission=admission,
        rerouting=Rerouting(store=store, enquiries=enquiries, sealer=sealer, around=around, clock=clock),
        book=book,
        rereads=asyncio.Event(),
        rereading=Rereading(book=book, store=store, enquiries=enquiries, sealer=sealer, around=around, clock=clock),
        clockwork=Clockwork(store=store, enquiries=enquiries, sealer=sealer, around=around, clock=clock),
        counting=Counting(enquiries, store, clock),
        joining=joining,
        around=around,
        fresh=equipped.fresh,
        version=version("homecare-gateway"),
        lock=lock,
    )


def claim_data_folder(data: Path, name: str = LOCK, *, shared: bool = False) -> int:
    """Make the data folder if need be, for this user alone, and keep any second gateway (or other holder) off it.

    The lock is the system's: it ends with the process, however that ends. Nodes whose store is elsewhere share it, and
    keep off only who needs the folder alone.

    Raises:
        ConfigurationError: it cannot be made or used, or another gateway is using it.
    """
    try:
        data.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = os.open(data / name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise ConfigurationError(f"data folder {data}: {error.strerror}") from error
    for attempt in _CLAIMS:
        try:
            fcntl.flock(lock, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        except OSError as error:
            if attempt == _CLAIMS[-1]:
                os.close(lock)
                raise ConfigurationError(f"data folder {data}: another {Path(name).stem} is using it") from error
            time.sleep(_LOOK_SECONDS)
        else:
            break
    return lock


def read_keys(settings: Settings) -> KeyRing:
    """Give the seal key of a data folder without running a gateway on it.

    Raises:
        ConfigurationError: as `load_or_make`; or the configuration is live, and this is development mode.
    """
    settings.refuse_unsafe(load(settings.config, environ=variables()).environment)
    settings.data.mkdir(parents=True, exist_ok=True, mode=0o700)
    return load_or_make(settings.data, development=settings.in_development)


def migrate_store(settings: Settings) -> int:
    """Bring the store of a data folder to the schema of this version.

    Returns:
        The version of the schema.

    Raises:
        ConfigurationError: a gateway is running on it.
        Unavailable: it cannot be opened or migrated.
    """
    lock = claim_data_folder(settings.data, shared=on_server(settings))
    try:
        return migrate_in_place(settings, now=SystemClock().now())
    finally:
        os.close(lock)


def publish_anchors(keys: KeyRing, data: Path) -> None:
    """Write what a provider needs to verify our seals offline: public certificates, nothing secret."""
    file = data / ANCHORS
    file.parent.mkdir(exist_ok=True)
    draft = file.with_suffix(".new")
    draft.write_bytes(keys.anchors_pem())
    draft.replace(file)
