"""Two consoles over one store, as two nodes behind a balancer that sends each request to either."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import aiohttp
import pytest
from starlette.applications import Starlette

from gateway.access.posts import Identity, Post, RoleRule
from gateway.access.roles import Role
from gateway.access.signing_in import IssuerSettings, SigningIn
from gateway.config.load import load
from gateway.console.application import create_console
from gateway.console.entering.entrance import Entrance, entrance_of, short_name
from gateway.console.entering.sessions import Opened as Let
from gateway.console.entering.sessions import Sessions
from gateway.console.site import Frame
from gateway.domain.custody import CUSTODY
from gateway.domain.identifiers import OdsCode, derived_id
from gateway.domain.person import Grant
from gateway.domain.session import Why
from tests.contract.store_engines import ENGINES, Clock, Opened, make_acceptance, make_order, make_prescription
from tests.doors import NAMES, directory, served
from tests.issuer import CLIENT, SECRET, LocalIssuer, issuing

RBA = OdsCode("RBA")
CHIEF = Post(role=Role.CHIEF_PHARMACIST, tenant=RBA)
APPROVER = Post(role=Role.MAP_APPROVER, tenant=RBA)
PERRY = Identity(name="perry@id", person="Perry", posts=(CHIEF, APPROVER))


@dataclass
class Node:
    """One of the two."""

    address: str
    sessions: Sessions


@dataclass
class Both:
    """Two nodes, and one browser, whose cookies go to both."""

    one: Node
    other: Node
    browser: aiohttp.ClientSession
    opened: Opened
    clock: Clock
    issuer: LocalIssuer

    async def sign_in(self, identity: Identity = PERRY, post: Post = CHIEF) -> None:
        """Let the browser in at the first node."""
        secret = (await self.one.sessions.sign_in(identity, post)).secret
        self.browser.cookie_jar.update_cookies({"console_session": secret})

    async def get(self, node: Node, path: str) -> tuple[int, str]:
        async with self.browser.get(node.address + path) as response:
            return response.status, await response.text()

    async def post(self, node: Node, path: str, **form: str) -> tuple[int, str, str]:
        async with self.browser.post(node.address + path, data=form) as response:
            return response.status, await response.text(), response.url.path


@asynccontextmanager
async def node(opened: Opened, clock: Clock, issuer: LocalIssuer, back: str) -> AsyncIterator[Node]:
    sessions = Sessions(clock.now, opened.enquiries, opened.store, idle=timedelta(minutes=15))
    starlette = Starlette()
    async with served(starlette) as address:
        settings: dict[str, Any] = {"url": issuer.address, "client_id": CLIENT, "secret": SECRET}
        rules = (
            RoleRule(value="hp", role=Role.HOMECARE_PHARMACIST, organisation=RBA),
            RoleRule(value="chief", role=Role.CHIEF_PHARMACIST, organisation=RBA),
        )
        signing_in = SigningIn(issuer=IssuerSettings(**settings, back=back or address), rules=rules)
        entrance = entrance_of(signing_in, load(None).organisations, clock.now, development=False)
        starlette.router.routes.extend(
            create_console(
                enquiries=opened.enquiries,
                notes=opened.store,
                directory=directory(),
                sessions=sessions,
                frame=Frame(organisation="Example Gateway", environment="test", development=True),
                names=NAMES,
                now=clock.now,
                services={Entrance: entrance},
            )
        )
        yield Node(address, sessions)


@pytest.fixture(params=sorted(ENGINES))
async def both(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Both]:
    clock = Clock()
    opened = ENGINES[request.param](tmp_path, clock, frozenset(), CUSTODY)
    jar = aiohttp.CookieJar(unsafe=True)  # by host: the two nodes differ in their port alone
    async with (
        issuing(clock.now) as issuer,
        node(opened, clock, issuer, "") as one,
        node(opened, clock, issuer, one.address) as other,
        aiohttp.ClientSession(cookie_jar=jar) as browser,
    ):
        yield Both(one, other, browser, opened, clock, issuer)
    closing = opened.close()
    assert asyncio.iscoroutine(closing)
    await closing


def hidden(page: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]+)"', page)
    assert found, name
    return found[1]


async def test_who_is_let_in_at_one_node_is_known_at_the_other_and_leaves_both(both: Both) -> None:
    assert (await both.get(both.other, "/console/messages"))[0] == 401
    await both.sign_in()
    for at in (both.one, both.other):
        status, page = await both.get(at, "/console/help")
        assert status == 200
        assert "Perry, Chief pharmacist" in page
    await both.post(both.other, "/console/leave", csrf=hidden(page, "csrf"))
    status, page = await both.get(both.one, "/console/people")
    assert status == 401
    assert "You signed out" in page


async def test_what_was_searched_for_at_one_node_is_found_at_the_other(both: Both) -> None:
    await both.sign_in(Identity(name="p@id", person="", posts=()), Post(role=Role.HOMECARE_PHARMACIST, tenant=RBA))
    _, page = await both.get(both.one, "/console/search")
    status, page, path = await both.post(both.one, "/console/search", q="999 000 0077", csrf=hidden(page, "csrf"))
    assert status == 200
    assert path.startswith("/console/results/")
    status, page = await both.get(both.other, path)
    assert status == 200
    assert "999 000 0077" in page


async def test_what_is_unmasked_at_one_node_is_unmasked_at_the_other_and_masked_again_at_both(both: Both) -> None:
    await both.opened.store.accept(make_acceptance("A", make_order(make_prescription("A"))))
    engineer = Post(role=Role.INTEGRATION_ENGINEER, tenant=RBA)
    await both.sign_in(Identity(name="e@id", person="", posts=()), engineer)
    path = "/console/messages/in-1"
    _, page = await both.get(both.one, path)
    assert "Patient data is masked" in page
    form = {"csrf": hidden(page, "csrf"), "reason": "incident", "words": "call 4711"}
    status, page, _ = await both.post(both.one, f"{path}/unmask", **form)
    assert status == 200
    _, page = await both.get(both.other, path)
    assert "Patient data is shown</strong> to you until" in page
    await both.post(both.other, f"{path}/mask", csrf=hidden(page, "csrf"))
    for at in (both.one, both.other):
        assert "Patient data is masked" in (await both.get(at, path))[1]


async def test_a_form_that_comes_to_both_nodes_at_once_is_done_once_and_both_lead_to_it(both: Both) -> None:
    await both.sign_in()
    _, page = await both.get(both.one, "/console/people/give")
    form = {
        "csrf": hidden(page, "csrf"),
        "once": hidden(page, "once"),
        "name": "1234@id",
        "person": "Robin Approver",
        "post": APPROVER.key,
        "until": (both.clock.now() + timedelta(days=14)).date().isoformat(),
        "reason": "Covers for leave.",
    }
    answers = await asyncio.gather(*(both.post(at, "/console/people/give", **form) for at in (both.one, both.other)))
    assert [(status, path) for status, _, path in answers] == [(200, "/console/people")] * 2
    assert sum("Proposed. Nobody has the role until" in page for _, page, _ in answers) >= 1
    assert len(await both.opened.enquiries.proposals(tenant=None, now=both.clock.now())) == 1


async def test_a_form_that_is_still_coming_when_its_session_ends_does_nothing_and_is_kept(both: Both) -> None:
    await both.sign_in()
    _, page = await both.get(both.one, "/console/people/give")
    until = (both.clock.now() + timedelta(days=14)).date().isoformat()
    form = {"name": "1234@id", "person": "Robin Approver", "post": APPROVER.key, "until": until}
    whole = urlencode({**form, "reason": "Covers for leave.", "csrf": hidden(page, "csrf")}).encode()

    async def slowly() -> AsyncIterator[bytes]:
        yield whole[:20]
        await asyncio.sleep(0.2)  # the request is under way at the node
        await both.other.sessions.end_all(PERRY.name, Why.POST)
        yield whole[20:]

    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    async with both.browser.post(f"{both.one.address}/console/people/give", data=slowly(), headers=headers) as response:
        assert response.status == 401
        assert "What you typed is kept" in await response.text()
    assert await both.opened.enquiries.proposals(tenant=None, now=both.clock.now()) == ()


async def test_what_was_typed_when_the_session_ended_is_there_at_the_other_node(both: Both) -> None:
    await both.sign_in()
    _, page = await both.get(both.one, "/console/people/give")
    both.clock.move(minutes=16)
    form = {"csrf": hidden(page, "csrf"), "name": "1234@id", "reason": "Covers for leave."}
    status, page, _ = await both.post(both.other, "/console/people/give", **form)
    assert status == 401
    assert "What you typed is kept" in page
    await both.sign_in(Identity(name="robin@id", person="Robin", posts=(CHIEF,)))
    _, page = await both.get(both.one, "/console/people/give")
    assert "Covers for leave." not in page
    await both.sign_in()
    _, page = await both.get(both.one, "/console/people/give")
    assert "Covers for leave." in page


async def given(both: Both, name: str = PERRY.name) -> Grant:
    """Let two people give somebody the role of a map approver."""
    now = both.clock.now()
    grant = Grant(
        id=derived_id("grant", "a"),
        name=name,
        person="Perry",
        role=APPROVER.role,
        tenant=RBA,
        reason="Covers for leave.",
        by="charlie@id",
        second_by="olu@id",
        at=now,
        until=now + timedelta(days=14),
    )
    assert await both.opened.store.grant(grant) == ()
    return grant


async def end(both: Both, grant: Grant) -> None:
    now = both.clock.now()
    assert await both.opened.store.end_grant(grant.id, by="c@id", reason="Back.", tenant=RBA, now=now) == ()


async def test_the_end_of_a_role_ends_the_session_at_every_node_at_once(both: Both) -> None:
    grant = await given(both)
    await both.sign_in(post=APPROVER)
    assert (await both.get(both.other, "/console/help"))[0] == 200
    await end(both, grant)
    for at in (both.one, both.other):
        status, page = await both.get(at, "/console/waiting")
        assert status == 401
        assert "The role you had taken has ended" in page


async def test_a_role_that_ends_while_its_owner_signs_in_lets_nobody_in(
    both: Both, monkeypatch: pytest.MonkeyPatch
) -> None:
    grant = await given(both, short_name("1234", both.issuer.address))
    both.issuer.person["roles"] = []
    opens = both.one.sessions.sign_in

    async def too_late(identity: Identity, post: Post) -> Let:
        await end(both, grant)
        return await opens(identity, post)

    monkeypatch.setattr(both.one.sessions, "sign_in", too_late)
    assert (await both.get(both.one, "/console/sign-in/begin?to=/console/waiting"))[0] == 401
    assert (await both.get(both.other, "/console/waiting"))[0] == 401


async def test_a_role_that_ended_while_its_owner_was_in_another_is_not_taken(
    both: Both, monkeypatch: pytest.MonkeyPatch
) -> None:
    grant = await given(both)
    until = replace(APPROVER, until=grant.until)
    await both.sign_in(replace(PERRY, posts=(CHIEF, until)))
    _, page = await both.get(both.one, "/console/role")
    changes = both.one.sessions.change

    async def too_late(*what: Any, **how: Any) -> Let:
        await end(both, grant)
        return await changes(*what, **how)

    monkeypatch.setattr(both.one.sessions, "change", too_late)
    assert (await both.post(both.one, "/console/role", csrf=hidden(page, "csrf"), post=APPROVER.key))[0] == 401
    assert (await both.get(both.other, "/console/help"))[0] == 401


async def test_whoever_is_sent_to_sign_in_by_one_node_comes_back_to_the_other(both: Both) -> None:
    both.issuer.person["roles"] = ["hp", "chief"]
    async with both.browser.get(
        f"{both.one.address}/console/sign-in/begin?to=/console/search", allow_redirects=False
    ) as response:
        asked = response.headers["Location"]
    async with both.browser.get(asked, allow_redirects=False) as response:
        back = urlsplit(response.headers["Location"])
    status, page = await both.get(both.other, f"{back.path}?{back.query}")
    assert status == 200
    assert "Homecare pharmacist" in page
    form = {"state": hidden(page, "state"), "post": "homecare-pharmacist.RBA"}
    status, page, path = await both.post(both.one, "/console/sign-in/role", **form)
    assert (status, path) == (200, "/console/search")
    assert (await both.get(both.other, "/console/search"))[0] == 200
