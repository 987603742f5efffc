"""The console on a real socket."""

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import aiohttp
import pytest
from starlette.applications import Starlette

from gateway.console.application import create_console
from gateway.console.site import Frame
from gateway.domain.identifiers import derived_id
from gateway.domain.labels import LABELS
from gateway.domain.lifecycle import LineState
from gateway.enquiries import PauseView
from tests.doors import (
    NAMES,
    NHS_NUMBER,
    NOW,
    NUMBER,
    PRESCRIPTION,
    VNE51,
    Enquiries,
    Notes,
    bearer,
    directory,
    line_view,
    served,
    view,
)
from tests.sessions_at_hand import SessionsAtHand


@dataclass
class Console:
    """A console being served, and a browser that is signed in."""

    address: str
    browser: aiohttp.ClientSession
    sessions: SessionsAtHand
    enquiries: Enquiries
    notes: Notes
    announced: list[str]
    clock: list[datetime]

    async def read(self, path: str, *, status: int = 200) -> str:
        async with self.browser.get(self.address + path) as response:
            assert response.status == status, await response.text()
            return await response.text()

    async def token(self) -> str:
        found = re.search(r'name="csrf" value="([^"]+)"', await self.read("/console"))
        assert found
        return found[1]

    async def seek(self, text: str) -> str:
        form = {"q": text, "csrf": await self.token()}
        async with self.browser.post(f"{self.address}/console/search", data=form) as response:
            assert NHS_NUMBER not in str(response.url)
            assert "q=" not in str(response.url)
            return await response.text()


@pytest.fixture
async def console() -> AsyncIterator[Console]:
    enquiries, notes, announced, clock = Enquiries(), Notes(), list[str](), [NOW]
    sessions = SessionsAtHand(lambda: clock[0], announce=announced.append)
    pages = create_console(
        enquiries=enquiries,
        notes=notes,
        directory=directory(),
        sessions=sessions,
        frame=Frame(organisation="Example Gateway (X9HGW)", environment="test", development=True),
        names=NAMES,
        now=lambda: clock[0],
    )
    jar = aiohttp.CookieJar(unsafe=True)  # loopback addresses have no domain
    async with (
        served(Starlette(routes=pages)) as address,
        aiohttp.ClientSession(cookie_jar=jar) as browser,
    ):
        async with browser.get(address + sessions.link()) as response:
            assert response.status == 200
        yield Console(address, browser, sessions, enquiries, notes, announced, clock)


async def test_a_link_lets_one_browser_in_once_and_announces_the_next(console: Console) -> None:
    link = console.sessions.link()
    async with aiohttp.ClientSession() as other:
        async with other.get(console.address + link, allow_redirects=False) as response:
            assert response.status == 303
            cookie = response.headers["Set-Cookie"]
        async with other.get(console.address + link, allow_redirects=False) as response:
            assert response.status == 403
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert console.announced[-1].startswith("/console/enter/")


@pytest.mark.parametrize("path", ["", "/", "/books.json", f"/prescriptions/{PRESCRIPTION}", "/results/x"])
async def test_nothing_is_shown_to_a_browser_that_was_not_let_in(console: Console, path: str) -> None:
    async with aiohttp.ClientSession() as other, other.get(f"{console.address}/console{path}") as response:
        body = await response.text()
        assert response.status == 401
    assert "TESTPATIENT" not in body
    assert NUMBER not in body


@pytest.mark.parametrize("token", ["rba", "vne51", "wrong"])
async def test_a_partner_s_token_does_not_open_the_console(console: Console, token: str) -> None:
    async with (
        aiohttp.ClientSession(headers=bearer(token)) as other,
        other.get(f"{console.address}/console") as page,
        other.post(f"{console.address}/console/links") as link,
    ):
        assert (page.status, link.status) == (401, 401)


async def test_an_operator_s_tool_gets_the_books_and_a_link(console: Console) -> None:
    async with aiohttp.ClientSession(headers=bearer("operator")) as tool:
        async with tool.get(f"{console.address}/console/books.json") as response:
            assert (await response.json())["submitted"] == 1
        async with tool.post(f"{console.address}/console/links") as response:
            path = (await response.json())["path"]
    async with aiohttp.ClientSession() as other, other.get(console.address + path, allow_redirects=False) as entered:
        assert entered.status == 303


async def test_a_session_ends_after_an_hour_of_rest(console: Console) -> None:
    console.clock[0] += timedelta(minutes=61)
    await console.read("/console", status=401)


async def test_a_session_ends_when_its_owner_signs_out(console: Console) -> None:
    form = {"csrf": await console.token()}
    async with console.browser.post(f"{console.address}/console/leave", data=form):
        await console.read("/console", status=401)


async def test_every_page_forbids_inline_scripts_and_framing_and_says_that_it_is_development(console: Console) -> None:
    for path in ("/console", f"/console/prescriptions/{PRESCRIPTION}", "/console/nowhere"):
        async with console.browser.get(console.address + path) as response:
            policy = response.headers["Content-Security-Policy"]
            body = await response.text()
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert "Development" in body
        assert "script-src 'self'" in policy
        assert re.findall(r"<script(?![^>]* src=)", body) == []
        assert "style=" not in body
        assert re.findall(r'(?:src|href)="https?:', body) == []


async def test_the_first_page_shows_the_newest_prescriptions_without_their_patients(console: Console) -> None:
    body = await console.read("/console")
    assert "Methotrexate" in body
    assert LABELS[LineState.WITH_PROVIDER] in body
    assert f"/console/prescriptions/{PRESCRIPTION}" in body
    assert "TESTPATIENT" not in body


@pytest.mark.parametrize(
    "text",
    [NHS_NUMBER, "999 000 0077", " 999-000-0077 ", NUMBER, NUMBER.lower(), NUMBER.replace("-", ""), "PO-1", "G1"],
)
async def test_a_prescription_is_found_in_two_interactions(console: Console, text: str) -> None:
    found = await console.seek(text)
    assert "1 prescription" in found
    assert LABELS[LineState.WITH_PROVIDER] in found


async def test_a_wrong_check_digit_is_said_to_be_one(console: Console) -> None:
    assert "This NHS number is not valid" in await console.seek("9990000078")


async def test_a_ten_digit_order_number_is_found_whatever_its_check_digit(console: Console) -> None:
    console.enquiries.views = [view(lines=(line_view(order_number="1234567890"),))]
    assert "1 prescription" in await console.seek("1234567890")


async def test_a_search_without_its_token_is_refused(console: Console) -> None:
    for form in ({"q": "PO-1"}, {"q": "PO-1", "csrf": "guess"}):
        async with console.browser.post(f"{console.address}/console/search", data=form) as response:
            assert response.status == 403


async def test_a_search_belongs_to_its_session(console: Console) -> None:
    form = {"q": NHS_NUMBER, "csrf": await console.token()}
    async with console.browser.post(f"{console.address}/console/search", data=form) as response:
        results = str(response.url)
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as other:
        async with other.get(console.address + console.sessions.link()):
            pass
        async with other.get(results) as response:
            assert response.status == 404


async def test_every_view_leaves_an_audit_leaf_without_patient_data(console: Console) -> None:
    console.notes.leaves.clear()
    await console.read("/console")
    await console.seek(NHS_NUMBER)
    await console.read(f"/console/prescriptions/{PRESCRIPTION}")
    actions = [action for _, action, _ in console.notes.leaves]
    assert actions[0] == "console view"
    assert ("operator", "console search by NHS number", str(PRESCRIPTION)) in console.notes.leaves
    assert console.notes.leaves[-1] == ("operator", "console view", str(PRESCRIPTION))
    assert NHS_NUMBER not in repr(console.notes.leaves)


async def test_what_cannot_be_audited_is_not_shown(console: Console) -> None:
    console.notes.away = True
    body = await console.read(f"/console/prescriptions/{PRESCRIPTION}", status=503)
    assert "TESTPATIENT" not in body


async def test_a_prescription_s_page_tells_where_it_is_who_holds_it_and_how_we_know(console: Console) -> None:
    body = await console.read(f"/console/prescriptions/{PRESCRIPTION}")
    for words in (
        "Ms Aoife Mary TESTPATIENT",
        "999 000 0077",
        "Arrived, not accepted",
        "no check there has accepted it",
        "response of the provider&#39;s system, unsigned",
        "Example Homecare Ltd (VNE51)",
        "23 Nov 2026, 09:41, in 23 h",
        "No answer for 2 h 58 min",
        "Inject 10mg ONCE a WEEK on a Monday",
        "Only the trust can say which is right",
    ):
        assert words in body, words


async def test_what_came_from_outside_is_shown_inert(console: Console) -> None:
    hostile = "<script>alert(1)</script>"
    line = line_view(product=hostile, directions=hostile, order_number=hostile, quantity=hostile)
    shown = view(lines=(line,), patient_name=hostile, prescriber=hostile, source=hostile.encode())
    console.enquiries.views = [shown]
    for path in ("/console", f"/console/prescriptions/{PRESCRIPTION}"):
        body = await console.read(path)
        assert "&lt;script&gt;" in body
        assert "<script>" not in body
    assert "<script>" not in await console.seek(hostile)


async def test_a_held_order_that_could_not_be_read_has_a_page(console: Console) -> None:
    held = line_view(
        product="", directions="", quantity="", state=LineState.HELD, holder="trust", act_by=NOW, total_supplies=0
    )
    found = replace(view().found, number="", medicines=(), destination=None, state=LineState.HELD)
    console.enquiries.views = [
        view(found=found, lines=(held,), message=None, patient_name="", birth_date="", prescriber="", events=())
    ]
    body = await console.read(f"/console/prescriptions/{PRESCRIPTION}")
    assert "The medicine could not be read" in body
    assert "Overdue" in body
    assert "No message was written for a provider" in body


@pytest.mark.parametrize("key", [str(derived_id("nothing")), "9990000077", "..%2f..%2fetc", "%00"])
async def test_what_does_not_exist_has_one_page(console: Console, key: str) -> None:
    body = await console.read(f"/console/prescriptions/{key}", status=404)
    assert "There is nothing at this address" in body
    assert key not in body


async def test_the_store_being_away_says_nothing_of_any_prescription(console: Console) -> None:
    console.enquiries.away = True
    assert "This says nothing about any prescription" in await console.read("/console", status=503)


async def test_the_style_sheet_is_local_and_cached(console: Console) -> None:
    async with console.browser.get(f"{console.address}/console/static/console.css") as response:
        assert response.content_type == "text/css"
        css = await response.text()
        tag = response.headers["ETag"]
    assert "http" not in css
    assert "@import" not in css
    async with console.browser.get(
        f"{console.address}/console/static/console.css", headers={"If-None-Match": tag}
    ) as response:
        assert response.status == 304


async def test_home_says_when_the_watch_has_stopped_and_what_is_paused(console: Console) -> None:
    assert "The watch has stopped" not in await console.read("/console/")
    console.enquiries.swept_at = NOW - timedelta(minutes=5)
    console.enquiries.paused = (
        PauseView(destination=VNE51, kind="by operator", begun_at=NOW, begun_by="anna", reason="They <move>."),
    )
    body = await console.read("/console/")
    assert "The watch has stopped. Deadlines were last looked at: 22 Nov 2026, 10:36:20" in body
    assert "Nothing is sent to Example Homecare Ltd (VNE51) since 22 Nov 2026, 10:41:20" in body
    assert "(anna): They &lt;move&gt;." in body
    console.enquiries.swept_at = None
    assert "last looked at: never" in await console.read("/console/")


async def test_while_nobody_can_say_who_asks_the_console_says_that_and_where_to_ring(console: Console) -> None:
    console.sessions.kept.away = console.enquiries.away = True
    for path, status in (("", 503), (f"prescriptions/{PRESCRIPTION}", 503), ("help", 200), ("accessibility", 200)):
        async with console.browser.get(f"{console.address}/console/{path}") as response:
            page = await response.text()
        assert response.status == status, path
        assert ("cannot read its records now" in page) is (status == 503)
        assert "You are signed out" not in page
        assert 'aria-label="Main"' not in page
    async with console.browser.post(f"{console.address}/console/search", data={"q": NHS_NUMBER}) as response:
        assert response.status == 503
        assert NHS_NUMBER not in await response.text()
    console.sessions.kept.away = console.enquiries.away = False
    async with console.browser.get(f"{console.address}/console/help") as response:
        assert response.status == 200
