"""A console over a real store with real seals, and people of every role who act in it."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from html import unescape
from pathlib import Path

import aiohttp
from starlette.applications import Starlette

from gateway.access.posts import Post
from gateway.access.roles import Role
from gateway.console.application import create_console
from gateway.console.site import Frame
from gateway.domain.identifiers import OdsCode
from gateway.enquiries import Enquiries
from gateway.pipeline.again import SendingAgain
from gateway.pipeline.asking import Asking
from gateway.pipeline.reroute import Rerouting
from gateway.ports.audit_trail import AuditWanted
from tests.doors import directory, served
from tests.sessions_at_hand import SessionsAtHand
from tests.unit.pipeline.test_cancel import Trial
from tests.unit.pipeline.test_story import make

RBA, VNE51, VDEM1 = OdsCode("RBA"), OdsCode("VNE51"), OdsCode("VDEM1")
NAMES = {RBA: "Example Trust", OdsCode("RZA"): "Example North", VNE51: "Example Homecare Ltd"}


@dataclass
class Answer:
    """What a browser was given."""

    status: int
    body: str
    path: str

    @property
    def words(self) -> str:
        """The words of the page, without its marks."""
        main = self.body.partition("<main")[2].partition("</main>")[0]
        return " ".join(unescape(re.sub(r"<[^>]+>", " ", f"<{main}")).split())

    def form(self) -> list[tuple[str, str]]:
        """Every hidden field of the page's own form, as a browser would send it."""
        main = self.body.partition("<main")[2]
        found = re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)"', main)
        return [(name, unescape(value)) for name, value in found]

    def hidden(self, name: str) -> list[str]:
        """The values of the hidden fields of the page's own form."""
        main = self.body.partition("<main")[2]
        return re.findall(rf'<input type="hidden" name="{name}" value="([^"]*)"', main)


@dataclass
class Person:
    """Somebody at a browser."""

    address: str
    cookie: dict[str, str]
    browser: aiohttp.ClientSession

    async def read(self, path: str) -> Answer:
        async with self.browser.get(self.address + path, cookies=self.cookie) as response:
            return Answer(response.status, await response.text(), response.url.path)

    async def send(self, path: str, form: list[tuple[str, str]], *, follow: bool = True) -> Answer:
        async with self.browser.post(
            self.address + path,
            data=form,
            cookies=self.cookie,
            headers={"Referer": self.address + path},
            allow_redirects=follow,
        ) as response:
            return Answer(response.status, await response.text(), response.url.path)

    async def fill(self, page: Answer, path: str, **values: str) -> list[tuple[str, str]]:
        """Give the form of a page, filled in."""
        form = [("seen", value) for value in page.hidden("seen")]
        form += [(name, page.hidden(name)[0]) for name in ("csrf", "once")]
        form += [(name, value) for name, value in values.items() if name not in {"csrf", "once"}]
        assert path
        return form

    async def act(self, path: str, **values: str) -> Answer:
        """Open the page of an act, fill it in, and send it."""
        return await self.send(path, await self.fill(await self.read(path), path, **values))


@dataclass
class Desk:
    """A console with a world behind it."""

    trial: Trial
    address: str
    sessions: SessionsAtHand
    browser: aiohttp.ClientSession

    def person(
        self, role: Role = Role.HOMECARE_PHARMACIST, name: str = "p.one", tenant: OdsCode | None = RBA
    ) -> Person:
        """Let somebody sign in."""
        post = Post(role=role, tenant=tenant)
        secret = self.sessions.let_in(name, post)
        return Person(self.address, {"console_session": secret}, self.browser)

    async def page_of(self, act: str, number: str = "RX7001") -> str:
        found = await self.trial.world.enquiries.search(tenant=RBA, order_number=number)
        return f"/console/prescriptions/{found[0].prescription_id}/{act}"


class _Time:
    def __init__(self, trial: Trial) -> None:
        self._trial = trial

    def now(self) -> datetime:
        return self._trial.now


async def audited(enquiries: Enquiries, word: str) -> list[str]:
    """Give what the audit says was done on the console whose name holds a word, oldest first."""
    found = await enquiries.trail(tenant=None, wanted=AuditWanted(action=word))
    return [leaf.action.removeprefix("console ") for leaf in reversed(found.leaves) if leaf.kind == "access"]


@asynccontextmanager
async def opened(folder: Path, **change: object) -> AsyncIterator[Desk]:
    """Open a console over a new store."""
    world = make(folder, **change)
    trial = Trial(world)
    time = _Time(trial)
    sealer = world.keys.seal(world.around.organisation)
    at = {"store": world.store, "enquiries": world.enquiries, "sealer": sealer, "around": world.around, "clock": time}
    sessions = SessionsAtHand(time.now)
    pages = create_console(
        enquiries=world.enquiries,
        notes=world.store,
        directory=directory(),
        sessions=sessions,
        frame=Frame(organisation="Example Gateway (X9HGW)", environment="test", development=True),
        names=NAMES,
        now=time.now,
        services={each: each(**at) for each in (Asking, Rerouting, SendingAgain)},  # type: ignore[arg-type]
    )
    trial.now += timedelta(seconds=1)
    async with (
        served(Starlette(routes=pages)) as address,
        aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as browser,
    ):
        yield Desk(trial, address, sessions, browser)
    await world.store.close()
    await world.enquiries.close()
