"""How long each page of the console takes over big books, and what a browser is sent for the first of them.

The whole application is asked, in this process, as a browser would ask it: who looks is signed in, every reading is
noted in the audit before anything is shown, and pages come compressed. What a network adds is not in the figures.
"""

import asyncio
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from math import lcm
from random import Random
from typing import Final, TypeAlias
from urllib.parse import urlencode
from uuid import UUID

from starlette.applications import Starlette
from starlette.types import Message

from bench.backlog_page import Figures
from bench.backlog_rows import CHECKED, PROVIDERS, TRUSTS, name_of, nhs_of, number_of
from gateway.access.directory import Directory
from gateway.access.posts import Identity, Post
from gateway.access.roles import Role
from gateway.config.load import load
from gateway.console.application import create_console
from gateway.console.board.provider_book import ProviderBook
from gateway.console.entering import cookies
from gateway.console.entering.sessions import Opened, Sessions
from gateway.console.site import Frame
from gateway.domain.identifiers import OdsCode
from gateway.store.sql.enquiries import SqlEnquiries
from gateway.store.sql.store import SqlStore

MOST_WHOLE: Final = 200
ASKED: Final = 60
FEWEST: Final = 9
MOST_SECONDS: Final = 30.0
"""How often each page is asked for; one that is far too slow less often, for that is known then."""
TRUST: Final = OdsCode("R050")
FIRST_OF_TRUST: Final = 200
"""One that has bulk rows with a checked prescription id, and the first of them."""
_LOADED: Final = re.compile(rb"(?:href|src)=\"(/console/static/[^\"]+)\"")
_FORM_TOKEN: Final = re.compile(rb'name="csrf" value="([^"]+)"')
_FRAME: Final = Frame(organisation="Bench", environment="test", development=True)
Question: TypeAlias = "Callable[[Random], tuple[str, dict[str, str]]]"


@dataclass(slots=True)
class Browser:
    """One person's browser on an application in this process.

    Attributes:
        application: what is asked.
        cookie: who looks.
        csrf: token of the session's forms.
        first_octet_at: when the body of the last answer began, on the clock that never goes back.
    """

    application: Starlette
    cookie: str
    csrf: str = ""
    first_octet_at: float = 0.0

    async def ask(self, path: str, fields: dict[str, str] | None = None) -> tuple[bytes, int]:
        """Load a page, or send a form and load the page it leads to.

        Returns:
            The page as it was sent, and its bytes; a page that is compressed stays so.

        Raises:
            ValueError: something else came than a page.
        """
        status, where, body = await self._exchange(path, {**fields, "csrf": self.csrf} if fields else None)
        if fields and status == 303:  # noqa: PLR2004 - see other
            status, _, body = await self._exchange(where, None)
        if status != 200:  # noqa: PLR2004
            raise ValueError(f"{path} was answered with {status}")
        return body, len(body)

    async def _exchange(self, path: str, fields: dict[str, str] | None) -> tuple[int, str, bytes]:
        said = urlencode(fields).encode() if fields else b""
        where, _, query = path.partition("?")
        headers = [(b"host", b"localhost"), (b"cookie", self.cookie.encode()), (b"origin", b"http://localhost")]
        headers += [(b"content-type", b"application/x-www-form-urlencoded"), (b"sec-fetch-site", b"same-origin")]
        headers += [] if self.csrf == "" else [(b"accept-encoding", b"gzip")]
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": "POST" if fields else "GET",
            "scheme": "http",
            "path": where,
            "raw_path": where.encode(),
            "query_string": query.encode(),
            "root_path": "",
            "headers": headers,
            "server": ("localhost", 80),
            "client": ("127.0.0.1", 9),
        }
        got = _Answer(said)
        await self.application(scope, got.receive, got.send)
        self.first_octet_at = got.first_octet_at
        return got.status, got.where, bytes(got.body)


@dataclass(slots=True)
class _Answer:
    """What an application says to one request."""

    said: bytes
    received: bool = False
    status: int = 0
    where: str = ""
    body: bytearray = field(default_factory=bytearray)
    first_octet_at: float = 0.0

    async def receive(self) -> Message:
        if self.received:
            await asyncio.Event().wait()  # nobody hangs up
        self.received = True
        return {"type": "http.request", "body": self.said, "more_body": False}

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.where = dict(message["headers"]).get(b"location", b"").decode()
        else:
            self.first_octet_at = self.first_octet_at or time.perf_counter()
            self.body += message.get("body", b"")


async def browser(
    enquiries: SqlEnquiries, store: SqlStore, now: Callable[[], datetime], tenant: OdsCode | None
) -> Browser:
    """Sign somebody in: a trust's or a provider's pharmacist, or the operator who sees all."""
    configuration = load(None)
    any_provider = next(iter(configuration.routing.providers.values()))
    known = {ods: replace(any_provider, ods=ods, name=f"Provider {ods}") for ods in PROVIDERS}
    sessions = Sessions(now, enquiries, store)
    application = Starlette(
        routes=create_console(
            enquiries=enquiries,
            notes=store,
            directory=Directory(()),
            sessions=sessions,
            frame=_FRAME,
            names={ods: one.name for ods, one in known.items()},
            now=now,
            services={ProviderBook: ProviderBook(providers=known, routes=(), promises={})},
        )
    )
    opened = await _in_post(sessions, tenant) if tenant else await sessions.enter(sessions.link().rpartition("/")[2])
    assert opened is not None
    made = Browser(application, f"{cookies.Cookie(name=cookies.SESSION, host=False).full_name}={opened.secret}")
    body, _ = await made.ask("/console/search")
    found = _FORM_TOKEN.search(body)
    assert found is not None
    made.csrf = found[1].decode()
    return made


async def _in_post(sessions: Sessions, tenant: OdsCode) -> Opened:
    role = Role.PROVIDER_PHARMACIST if tenant in PROVIDERS else Role.HOMECARE_PHARMACIST
    post = Post(role=role, tenant=tenant)
    return await sessions.sign_in(Identity(name=f"bench-{tenant}", person="Bench", posts=(post,)), post)


async def whole(enquiries: SqlEnquiries, rows: int, full_every: int) -> list[UUID]:
    """Give the ids of some prescriptions of `TRUST` that have their bodies."""
    found = []
    for row in range(full_every, rows, full_every):
        if row % TRUSTS == int(TRUST.value[1:]) and len(found) < MOST_WHOLE:
            found += [one.prescription_id for one in await enquiries.search(tenant=TRUST, order_number=f"RX{row}")]
    return found


async def measured(made: Browser, who: str, questions: dict[str, Question]) -> dict[str, Figures]:
    """Ask for each page many times: milliseconds of the median and of 95 %, and the bytes of a page as it is sent."""
    found: dict[str, Figures] = {}
    for name, question in questions.items():
        source = Random(4)  # noqa: S311 - which rows are asked for
        taken, spent, octets = [], [], 0
        until = time.perf_counter() + MOST_SECONDS
        while len(taken) < ASKED and (len(taken) < FEWEST or time.perf_counter() < until):
            path, fields = question(source)
            began, cpu = time.perf_counter(), time.process_time()
            _, sent = await made.ask(path, fields)
            taken.append((time.perf_counter() - began) * 1000)
            spent.append((time.process_time() - cpu) * 1000)
            octets = max(octets, sent)
        found[f"{name}, {who}"] = _figures(taken, spent, octets)
        print(f"{name}, {who}: {found[f'{name}, {who}']}", flush=True)
    return found


def _figures(taken: list[float], spent: list[float], octets: int) -> Figures:
    taken.sort()
    return {
        "median": taken[len(taken) // 2],
        "p95": taken[len(taken) * 95 // 100],
        "slowest": taken[-1],
        "cpu": sorted(spent)[len(spent) // 2],
        "bytes": octets,
    }


async def first_paint(made: Browser) -> int:
    """Give the bytes of the home page with everything that it loads."""
    plain = Browser(made.application, made.cookie)
    page, _ = await plain.ask("/console/")
    loaded = dict.fromkeys(_LOADED.findall(page))
    return sum([(await made.ask(path))[1] for path in ["/console/", *(one.decode() for one in loaded)]])


def of_the_list() -> dict[str, Question]:
    """Give the pages of what needs attention: as it is, filtered, and far down; and the board and figures beside it."""
    asked = {
        "the whole list": "",
        "its last page": "?page=40",
        "a common reason": "?reason=no-acceptance",
        "a rare reason": "?reason=held-source",
        "a reason of an overdue line": "?reason=question",
        "a reason, last page": "?reason=in-doubt&page=40",
        "one provider": f"?provider={PROVIDERS[5]}",
        "one provider and a reason": f"?provider={PROVIDERS[5]}&reason=rejected",
        "one provider with few days left": f"?provider={PROVIDERS[5]}&days=7",
        "few days left": "?days=3",
        "mine": "?whose=mine",
        "a silent provider's": f"?silent={PROVIDERS[1]}",
    }
    listed = {f"attention: {name}": _always(f"/console/{query}") for name, query in asked.items()}
    pages = {
        "providers": "/console/providers",
        "one provider": f"/console/providers/{PROVIDERS[5]}",
        "providers, as a file": "/console/providers.csv",
        "performance": "/console/performance",
        "performance, as a file": "/console/performance.csv",
    }
    return listed | {name: _always(path) for name, path in pages.items()}


def of_the_machine() -> dict[str, Question]:
    """Give the pages that only whoever runs the gateway may open: messages and the audit."""
    pages = {
        "messages": "/console/messages",
        "messages sent to a provider": f"/console/messages?way=sent&partner={PROVIDERS[5]}",
        "audit": "/console/audit",
        "audit of a person": "/console/audit?who=person7",
    }
    return {name: _always(path) for name, path in pages.items()}


def of_one(rows: int, ids: Sequence[UUID]) -> dict[str, Question]:
    """Give the pages of one of `TRUST`: search with its results, and a prescription with all that is behind it.

    Args:
        rows: how many prescriptions there are.
        ids: of some that have their bodies.
    """
    step = lcm(CHECKED, TRUSTS)

    def row(source: Random) -> int:
        return source.randrange(0, rows // step) * step + FIRST_OF_TRUST

    def sought(said: Callable[[int], str]) -> Question:
        return lambda source: ("/console/search", {"q": said(row(source))})

    def named(source: Random) -> tuple[str, dict[str, str]]:
        family, born = name_of(row(source) % max(rows // 10, 1))
        days = {"day": str(born.day), "month": str(born.month), "year": str(born.year)}
        return "/console/search/name", {"family": family, "given": "", "postcode": "", **days}

    return {
        "search by NHS number": sought(lambda one: nhs_of(one % max(rows // 10, 1))),
        "search by prescription id": sought(number_of),
        "search by order number": sought("RX{}".format),
        "search by PO number": sought("PO-{}".format),
        "search by name and birth date": named,
        "one prescription": lambda source: (f"/console/prescriptions/{source.choice(ids)}", {}),
    }


def _always(path: str) -> Question:
    return lambda _: (path, {})
