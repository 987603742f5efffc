"""A console over a real store, and a browser that is signed in to it."""

import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
from starlette.applications import Starlette

from gateway.access.principal import Kind, Principal
from gateway.access.roles import Role
from gateway.console.application import create_console
from gateway.console.entering.sessions import Sessions
from gateway.console.site import Frame
from gateway.domain.custody import CUSTODY
from gateway.domain.identifiers import OdsCode
from tests.contract.store_engines import Clock, Exchange, Opened, open_sqlite
from tests.doors import NAMES, directory, served
from tests.sessions_at_hand import become


@dataclass
class Looking:
    """One browser, and the store behind what it sees."""

    address: str
    browser: aiohttp.ClientSession
    exchange: Exchange
    sessions: Sessions
    opened: Opened
    at: str = ""
    """The address that the last page was found under."""

    @property
    def clock(self) -> Clock:
        return self.exchange.clock

    async def get(self, path: str, *, status: int = 200) -> str:
        async with self.browser.get(self.address + path) as response:
            text = await response.text()
            assert response.status == status, text[:2000]
            self.at = response.url.path
            return text

    async def post(self, path: str, *, status: int = 200, **fields: str) -> str:
        found = re.search(r'name="csrf" value="([^"]+)"', await self.get("/console/help"))
        assert found
        async with self.browser.post(self.address + path, data={"csrf": found[1], **fields}) as response:
            text = await response.text()
            assert response.status == status, text[:2000]
            self.at = response.url.path
            assert not response.url.query_string
            return text

    async def seek(self, text: str, *, status: int = 200) -> str:
        return await self.post("/console/search", status=status, q=text)

    async def enter(self) -> None:
        """Come in by a new link: a session ends while a test's clock is moved on."""
        self.opened.raw.execute("DELETE FROM console_session")
        await self.get(self.sessions.link())

    def be(self, role: Role, tenant: OdsCode | None) -> None:
        """Make the browser another person's."""
        self.be_somebody(Principal(kind=Kind.PERSON, tenant=tenant, name=f"{role}.person", role=role))

    def be_somebody(self, principal: Principal) -> None:
        """Make the browser a certain person's."""
        become(self.opened.raw.execute, principal)

    def leaves(self) -> list[str]:
        """Give the bodies of the leaves of what was read."""
        return [bytes(row[0]).decode() for row in self.opened.rows("SELECT body FROM audit_leaf WHERE kind = 'access'")]


@asynccontextmanager
async def looking(folder: Path, services: Mapping[type, object] | None = None) -> AsyncIterator[Looking]:
    """Open a store and a console over it, and let one browser in."""
    clock = Clock()
    opened = open_sqlite(folder, clock, frozenset(), CUSTODY)
    sessions = Sessions(clock.now, opened.enquiries, opened.store, announce=lambda _: None)
    routes = create_console(
        enquiries=opened.enquiries,
        notes=opened.store,
        directory=directory(),
        sessions=sessions,
        frame=Frame(organisation="Example Gateway (X9HGW)", environment="test", development=True),
        names=NAMES,
        now=clock.now,
        services=services,
    )
    jar = aiohttp.CookieJar(unsafe=True)  # loopback addresses have no domain
    async with served(Starlette(routes=routes)) as address, aiohttp.ClientSession(cookie_jar=jar) as browser:
        async with browser.get(address + sessions.link()) as entered:
            assert entered.status == 200, await entered.text()
        yield Looking(address, browser, Exchange(opened, clock), sessions, opened)
    await opened.close()
