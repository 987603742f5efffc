"""A console over a real store: real messages through the real pipeline, and a browser that is signed in."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path

import aiohttp
from starlette.applications import Starlette

from gateway.config.configuration import Configuration
from gateway.config.load import load
from gateway.config.reference import load_reference
from gateway.console.application import create_console
from gateway.console.site import Frame
from gateway.domain.identifiers import OdsCode
from gateway.domain.reference import Reference
from gateway.domain.submission import Answer, Submission, WireFormat
from gateway.pipeline.reading_again import ReadAgain
from gateway.pipeline.story import Pipeline
from gateway.pipeline.surroundings import Surroundings
from gateway.plugins import connect
from gateway.store.keys import load_or_make
from gateway.store.sqlite.enquiries import SqliteEnquiries
from gateway.store.sqlite.store import SqliteStore
from tests.doors import NAMES, directory, served
from tests.sessions_at_hand import SessionsAtHand

RECEIVED = datetime.fromisoformat("2026-10-05T08:15:00+00:00")
SAMPLES = Path(__file__).parent / "golden/hl7v2"
RBA = OdsCode("RBA")


@dataclass
class Clock:
    """A clock that stands still until it is moved."""

    moment: datetime = RECEIVED

    def now(self) -> datetime:
        return self.moment

    def move(self, **by: float) -> datetime:
        self.moment += timedelta(**by)
        return self.moment


@dataclass
class Console:
    """A console, what stands behind it, and a browser."""

    address: str
    browser: aiohttp.ClientSession
    store: SqliteStore
    enquiries: SqliteEnquiries
    pipeline: Pipeline
    sessions: SessionsAtHand
    clock: Clock
    file: Path
    csrf: str = ""
    looks: list[str] = field(default_factory=list)

    async def post(self, body: bytes, form: WireFormat = WireFormat.HL7V2, tenant: OdsCode = RBA) -> Answer:
        """Send a message as a trust would."""
        return await self.pipeline.receive(
            Submission(
                tenant=tenant,
                format=form,
                body=body,
                content_type="application/hl7-v2",
                received_at=self.clock.now(),
            )
        )

    async def sample(self, name: str) -> Answer:
        """Send one of the golden messages."""
        return await self.post(sample(name))

    async def read(self, path: str, status: int = 200) -> str:
        """Load a page."""
        async with self.browser.get(self.address + path) as response:
            assert response.status == status, await response.text()
            return await response.text()

    async def send(self, path: str, status: int = 200, **form: str) -> bytes:
        """Send a form of the session, and give the page it leads to."""
        if not self.csrf:
            found = re.search(r'name="csrf" value="([^"]+)"', await self.read("/console/messages"))
            assert found
            self.csrf = found[1]
        async with self.browser.post(self.address + path, data={"csrf": self.csrf, **form}) as response:
            assert response.status == status, await response.text()
            return await response.read()


def sample(name: str) -> bytes:
    """Give one of the golden messages."""
    return (SAMPLES / f"{name}.hl7").read_bytes()


@cache
def _configured() -> tuple[Configuration, Reference]:
    return load(None), load_reference()


@asynccontextmanager
async def console_over(folder: Path) -> AsyncIterator[Console]:
    """Open a store in a folder, with a console over it."""
    clock = Clock()
    configuration, reference = _configured()
    around = Surroundings(
        organisation=configuration.organisation,
        environment=configuration.environment,
        trusts=configuration.trusts,
        routing=configuration.routing,
        reference=reference,
        destinations=connect(configuration.routing.providers),
        receiver_names=configuration.receiver_names,
    )
    file = folder / "gateway.sqlite"
    store = SqliteStore.open(file, now=clock.now)
    enquiries = SqliteEnquiries.open(file)
    keys = load_or_make(folder, development=True)
    pipeline = Pipeline(store=store, sealer=keys.seal(configuration.organisation), around=around, clock=clock)
    sessions = SessionsAtHand(clock.now)
    pages = create_console(
        enquiries=enquiries,
        notes=store,
        directory=directory(),
        sessions=sessions,
        frame=Frame(organisation="Example Gateway (X9HGW)", environment="test", development=True),
        names=NAMES,
        now=clock.now,
        services={ReadAgain: ReadAgain(store, around)},
    )
    jar = aiohttp.CookieJar(unsafe=True)  # loopback addresses have no domain
    async with served(Starlette(routes=pages)) as address, aiohttp.ClientSession(cookie_jar=jar) as browser:
        async with browser.get(address + sessions.link()) as response:
            assert response.status == 200, await response.text()
        yield Console(address, browser, store, enquiries, pipeline, sessions, clock, file)
    await enquiries.close()
    await store.close()
    for destination in around.destinations.values():
        await destination.close()
