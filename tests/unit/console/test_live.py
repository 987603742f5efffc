"""The stream of an open page, on a real server over a real store."""

import asyncio
import json
import re
import time
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from starlette.applications import Starlette

from gateway.access.principal import Kind, Principal
from gateway.access.roles import Role
from gateway.console.application import create_console
from gateway.console.living import live
from gateway.console.living.feed import Feed
from gateway.console.site import Frame
from gateway.domain.identifiers import OdsCode, derived_id
from gateway.domain.proposal import Proposal
from gateway.enquiries import WATCH
from gateway.joining.together import Node, Together
from gateway.ports.joining import Changed
from tests.contract.store_engines import PROVIDER, TRUST, Clock, Exchange, make_acceptance, open_sqlite
from tests.doors import NAMES, directory, served
from tests.sessions_at_hand import SessionsAtHand

FOREIGN = OdsCode("RZA")


@dataclass(frozen=True)
class Heard:
    """One event of a stream."""

    name: str
    id: str
    data: dict[str, Any]


@dataclass
class Stream:
    """An open stream; its comments are passed over."""

    response: aiohttp.ClientResponse
    comments: list[str] = field(default_factory=list)

    async def next(self, *names: str, within: float = 60.0) -> Heard:
        """Give the next event, of these names if any are given."""
        async with asyncio.timeout(within):
            while True:
                heard = await self._one()
                if not names or heard.name in names:
                    return heard

    async def ends(self, within: float = 60.0) -> bool:
        async with asyncio.timeout(within):
            while not self.response.content.at_eof():
                await self.response.content.readany()
        return True

    async def _one(self) -> Heard:
        fields: dict[str, str] = {}
        while True:
            line = (await self.response.content.readline()).decode()
            if not line:
                raise EOFError
            if line.strip():
                name, _, value = line.strip().partition(": ")
                fields[name] = value
            elif "data" in fields:
                return Heard(fields.get("event", ""), fields.get("id", ""), json.loads(fields["data"]))
            else:
                fields = {}


@dataclass
class Open:
    """A console over a real store, with what keeps it told."""

    address: str
    sessions: SessionsAtHand
    exchange: Exchange
    feed: Feed
    node: Node
    stack: AsyncExitStack

    async def browser(self, principal: Principal | None = None) -> aiohttp.ClientSession:
        """Give a browser that is signed in, as an operator or as somebody else."""
        jar = aiohttp.CookieJar(unsafe=True)
        browser = await self.stack.enter_async_context(aiohttp.ClientSession(cookie_jar=jar))
        async with browser.get(self.address + self.sessions.link()) as response:
            assert response.status == 200
        if principal is not None:
            self.sessions.become(principal, digest=self.sessions.newest().digest)
        return browser

    async def listen(self, browser: aiohttp.ClientSession, *, since: str = "", last: str = "") -> Stream:
        headers = {"Last-Event-ID": last} if last else {}
        where = f"{self.address}/console/events" + (f"?since={since}" if since else "")
        response = await self.stack.enter_async_context(browser.get(where, headers=headers))
        assert response.status == 200, await response.text()
        assert response.content_type == "text/event-stream"
        return Stream(response)


def person(role: Role, tenant: OdsCode | None) -> Principal:
    return Principal(kind=Kind.PERSON, tenant=tenant, name=f"{role}-{tenant}", role=role)


@asynccontextmanager
async def opened(folder: Path, clock: Clock, *, poll_seconds: float = 0.05) -> AsyncIterator[Open]:
    store = open_sqlite(folder, clock)
    together = Together()
    node = together.node("one")
    feed = Feed(
        enquiries=store.enquiries,
        listen=node.listen,
        now=clock.now,
        watch_seconds=60.0,
        poll_seconds=poll_seconds,
    )
    sessions = SessionsAtHand(clock.now)
    pages = create_console(
        enquiries=store.enquiries,
        notes=store.store,
        directory=directory(),
        sessions=sessions,
        frame=Frame(organisation="Example Gateway (X9HGW)", environment="test", development=True),
        names=NAMES,
        now=clock.now,
        services={Feed: feed},
    )
    await store.store.beat(WATCH, now=clock.now())
    running = asyncio.create_task(feed.run())
    try:
        async with served(Starlette(routes=pages)) as address, AsyncExitStack() as stack:
            yield Open(address, sessions, Exchange(store, clock), feed, node, stack)
            feed.stop()
    finally:
        feed.stop()
        await running
        await store.close()


@pytest.fixture
async def at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Open]:
    monkeypatch.setattr(live, "_GAP_SECONDS", 0.0)
    async with opened(tmp_path, Clock()) as found:
        yield found


async def order(at: Open, name: str = "A") -> str:
    """Take a prescription in, and give its opaque id."""
    acceptance = make_acceptance(name)
    await at.exchange.store.accept(acceptance)
    prescription = acceptance.orders[0].prescription
    assert prescription is not None
    return str(prescription.id)


async def test_a_page_is_told_what_moved_by_opaque_id_number_and_kind_alone(at: Open) -> None:
    stream = await at.listen(await at.browser())
    await stream.next("beat")
    prescription = await order(at)
    heard = await stream.next("moved")
    assert heard.data == {"id": prescription, "version": int(heard.id), "kind": "event"}


async def test_the_page_says_live_only_after_a_beat_and_no_beat_comes_while_the_watch_sleeps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "BEAT_SECONDS", 0.05)
    monkeypatch.setattr(live, "_LOOK_SECONDS", 0.05)
    clock = Clock()
    async with opened(tmp_path, clock) as at:
        stream = await at.listen(await at.browser())
        heard = await stream.next("beat")
        assert re.fullmatch(r"\d\d:\d\d:\d\d", heard.data["at"])
        clock.move(minutes=2)
        at.feed._beaten = float("-inf")
        await asyncio.sleep(0.3)
        await at.feed.look()
        names = {(await stream.next()).name for _ in range(8)}
        while "beat" in names:
            names = {(await stream.next()).name for _ in range(8)}
        assert names == {"session"}


async def test_what_was_missed_is_told_after_a_cut(at: Open) -> None:
    browser = await at.browser()
    stream = await at.listen(browser)
    first = await order(at, "A")
    heard = await stream.next("moved")
    stream.response.close()
    second = await order(at, "B")
    again = await at.listen(browser, last=heard.id)
    seen = {(await again.next("moved", "reset")).data.get("id")}
    assert second in seen
    assert first not in seen


async def test_a_page_is_told_what_moved_between_its_reading_and_its_listening(at: Open) -> None:
    browser = await at.browser()
    await at.feed.look()  # before the first look a page is told to read itself anew
    async with browser.get(f"{at.address}/console/") as response:
        found = re.search(r'data-events="/console/events\?since=(\d+)"', await response.text())
    assert found
    prescription = await order(at)
    stream = await at.listen(browser, since=found[1])
    while (heard := await stream.next("moved", "reset", within=60)).data.get("id") != prescription:
        assert heard.name == "moved"


@pytest.mark.parametrize("last", ["999999999", "99999999999999999999999", "x", "-1"])
async def test_a_number_that_is_not_known_is_answered_with_a_full_reading(at: Open, last: str) -> None:
    stream = await at.listen(await at.browser(), last=last)
    assert (await stream.next("reset", "moved")).name == "reset"


async def test_a_gap_that_is_too_old_is_answered_with_a_full_reading(at: Open) -> None:
    for name in "ABC":
        await order(at, name)
    await at.feed.look()
    browser, forgotten = await at.browser(), at.feed.position
    at.feed._from = forgotten
    stream = await at.listen(browser, last=str(forgotten - 1))
    assert (await stream.next("reset", "moved")).name == "reset"


async def test_what_is_another_s_is_never_told(at: Open) -> None:
    streams = {
        ods: await at.listen(await at.browser(person(role, ods)))
        for ods, role in (
            (TRUST, Role.HOMECARE_PHARMACIST),
            (FOREIGN, Role.HOMECARE_PHARMACIST),
            (PROVIDER, Role.PROVIDER_PHARMACIST),
        )
    }
    for stream in streams.values():
        await stream.next("beat")
    prescription = await order(at)
    await at.exchange.store.open_alert(
        kind="partner-closed", subject="RZA", line_id=None, now=at.exchange.clock.now(), text="It closes."
    )
    for ods in (TRUST, PROVIDER):
        assert (await streams[ods].next("moved")).data["id"] == prescription
    with pytest.raises(TimeoutError):
        await streams[FOREIGN].next("moved", within=1.5)


async def test_who_may_see_no_patients_is_told_of_none(at: Open) -> None:
    stream = await at.listen(await at.browser(person(Role.INTEGRATION_ENGINEER, TRUST)))
    stranger = await at.listen(await at.browser(person(Role.INTEGRATION_ENGINEER, FOREIGN)))
    for one in (stream, stranger):
        await one.next("beat")
    await order(at)
    heard = await stream.next("moved")
    assert heard.data == {"id": "", "version": int(heard.id), "kind": "event"}
    with pytest.raises(TimeoutError):
        await stranger.next("moved", within=1.5)


async def test_who_waits_for_a_second_person_is_told_to_the_same_organisation(at: Open) -> None:
    streams = {
        ods: await at.listen(await at.browser(person(Role.HOMECARE_PHARMACIST, ods))) for ods in (TRUST, FOREIGN)
    }
    for stream in streams.values():
        await stream.next("beat")
    now = at.exchange.clock.now()
    proposal = Proposal(
        id=derived_id("proposal", "a"),
        kind="code-map",
        subject=str(derived_id("code", "a")),
        payload=b"{}",
        tenant=TRUST,
        by="p.one",
        reason="It is a syringe.",
        at=now,
        expires_at=now + timedelta(days=1),
    )
    assert await at.exchange.store.propose(proposal) == ()
    heard = await streams[TRUST].next("moved")
    assert (heard.data["id"], heard.data["kind"]) == ("", "proposal")
    with pytest.raises(TimeoutError):
        await streams[FOREIGN].next("moved", within=1.5)


async def test_a_page_that_stays_open_is_one_view_and_no_header_hides_it(at: Open) -> None:
    browser = await at.browser()
    views = "SELECT body FROM audit_leaf WHERE kind = 'access'"

    async def looks(path: str, **headers: str) -> int:
        async with browser.get(at.address + path, headers=headers) as response:
            assert response.status == 200
        return sum(b'"console view"' in bytes(body) for (body,) in at.exchange.opened.rows(views))

    by_itself = {"X-Live": "1"}
    assert [await looks("/console/", **by_itself) for _ in range(3)] == [2, 2, 2]  # coming in was one
    assert [await looks("/console/") for _ in range(2)] == [3, 4]
    assert [await looks("/console/", **by_itself) for _ in range(2)] == [4, 4]
    assert [await looks("/console/messages", **by_itself) for _ in range(2)] == [5, 5]


async def test_nobody_listens_without_a_session(at: Open) -> None:
    for headers in ({}, {"Authorization": "Bearer operator"}, {"Cookie": "console_session=invented"}):
        async with (
            aiohttp.ClientSession() as other,
            other.get(f"{at.address}/console/events", headers=headers) as response,
        ):
            assert response.status == 401


async def test_a_stream_ends_with_its_session_and_says_so(at: Open) -> None:
    browser = await at.browser()
    stream = await at.listen(browser)
    await stream.next("session")
    at.exchange.clock.move(minutes=61)
    assert (await stream.next("ended")).data == {}
    assert await stream.ends()


async def test_listening_does_not_make_a_session_last(at: Open) -> None:
    browser = await at.browser()
    before = at.sessions.newest().seen_at
    at.exchange.clock.move(minutes=5)
    stream = await at.listen(browser)
    heard = await stream.next("session")
    assert at.sessions.newest().seen_at == before
    assert heard.data["left"] <= timedelta(minutes=55).total_seconds()
    async with browser.get(f"{at.address}/console/", headers={"X-Live": "1"}) as response:
        assert response.status == 200
    assert at.sessions.newest().seen_at == before
    async with browser.get(f"{at.address}/console/", headers={"X-Live": "1"}) as response:
        found = re.search(r'name="csrf" value="([^"]+)"', await response.text())
    assert found
    async with browser.post(f"{at.address}/console/stay", data={"csrf": found[1]}) as response:
        assert response.status == 204
    assert at.sessions.newest().seen_at == at.exchange.clock.now()


async def test_a_stream_ends_when_its_owner_takes_another_role(at: Open) -> None:
    stream = await at.listen(await at.browser(person(Role.HOMECARE_PHARMACIST, TRUST)))
    await stream.next("session")
    at.sessions.become(person(Role.AUDITOR, None))
    assert (await stream.next("ended")).data == {}


async def test_one_session_has_four_streams_and_no_more(at: Open) -> None:
    browser = await at.browser()
    streams = [await at.listen(browser) for _ in range(4)]
    async with browser.get(f"{at.address}/console/events") as response:
        assert response.status == 503
    streams[0].response.close()
    for _ in range(50):
        await asyncio.sleep(0.1)
        async with browser.get(f"{at.address}/console/events") as response:
            if response.status == 200:
                return
    pytest.fail("a place that was given back was not given again")


async def test_a_server_that_stops_is_not_held_up_by_streams(at: Open) -> None:
    stream = await at.listen(await at.browser())
    await stream.next("session")
    at.feed.stop()
    assert await stream.ends()


async def test_word_from_another_node_is_told_before_the_next_look(tmp_path: Path) -> None:
    async with opened(tmp_path, Clock(), poll_seconds=3600) as at:
        stream = await at.listen(await at.browser())
        await stream.next("beat")
        prescription = await order(at)
        at.node.publish(Changed(subject=None))
        assert (await stream.next("moved", within=60)).data["id"] == prescription


async def test_of_much_word_in_quick_succession_one_look_finds_it_all(tmp_path: Path) -> None:
    clock, together = Clock(), Together()
    node = together.node("one")
    store = open_sqlite(tmp_path, clock)
    feed = Feed(enquiries=store.enquiries, listen=node.listen, now=clock.now, watch_seconds=60, poll_seconds=60)
    looks, look = 0, feed.look

    async def counted() -> None:
        nonlocal looks
        looks += 1
        await look()

    feed.look = counted  # type: ignore[method-assign]
    running = asyncio.create_task(feed.run())
    begun = time.monotonic()
    for number in range(200):
        node.publish(Changed(subject=derived_id(f"{number}")))
        await asyncio.sleep(0.005)
    await store.store.accept(make_acceptance())
    node.publish(Changed(subject=None))
    async with asyncio.timeout(60):
        while not feed.position:
            await feed.wait(0, seconds=1)
    assert looks <= (time.monotonic() - begun) / 0.2 + 2
    feed.stop()
    await running
    await store.close()


async def test_while_the_store_is_away_nothing_is_said_to_be_live_and_nothing_is_lost(
    at: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    from gateway.domain.errors import Unavailable  # noqa: PLC0415 - of this test alone

    stream = await at.listen(await at.browser())
    await stream.next("beat")
    real = at.exchange.enquiries.changes

    async def away(**_: int) -> None:
        raise Unavailable("away")

    monkeypatch.setattr(at.exchange.enquiries, "changes", away)
    for _ in range(40):
        await asyncio.sleep(0.05)
        if not at.feed.fresh:
            break
    assert not at.feed.fresh
    prescription = await order(at)
    monkeypatch.setattr(at.exchange.enquiries, "changes", real)
    assert (await stream.next("moved")).data["id"] == prescription


async def test_word_that_fails_leaves_the_looking(tmp_path: Path) -> None:
    clock = Clock()
    store = open_sqlite(tmp_path, clock)

    async def broken() -> AsyncGenerator[Changed, None]:
        raise RuntimeError("the other nodes are away")
        yield Changed(subject=None)

    feed = Feed(enquiries=store.enquiries, listen=broken, now=clock.now, watch_seconds=60, poll_seconds=0.01)
    running = asyncio.create_task(feed.run())
    await store.store.accept(make_acceptance())
    for _ in range(100):
        await asyncio.sleep(0.02)
        if feed.position:
            break
    assert feed.position
    feed.stop()
    await running
    await store.close()


async def test_a_browser_that_stops_reading_is_let_go_and_its_place_given_back(
    at: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "_SEND_SECONDS", 0.3)
    monkeypatch.setattr(live, "_MOST_OF_ONE", 1)
    monkeypatch.setattr(live, "_data", lambda _: json.dumps({"id": "x" * 2_000_000}))
    browser = await at.browser()
    cookie = "; ".join(f"{one.key}={one.value}" for one in browser.cookie_jar)
    host, _, port = at.address.removeprefix("http://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port), limit=1024)
    writer.write(f"GET /console/events HTTP/1.1\r\nHost: {host}:{port}\r\nCookie: {cookie}\r\n\r\n".encode())
    assert b"200" in await reader.readline()  # and then nothing more is read
    for name in "ABCDEFGHIJ":
        await order(at, name)
        await asyncio.sleep(0.05)
    for _ in range(200):
        await asyncio.sleep(0.1)
        async with browser.get(f"{at.address}/console/events") as response:
            if response.status == 200:
                break
    else:
        pytest.fail("the place of a browser that does not read was not given back")
    writer.transport.abort()


async def test_the_first_thing_that_ever_happens_is_told(tmp_path: Path) -> None:
    clock = Clock()
    store = open_sqlite(tmp_path, clock)
    feed = Feed(enquiries=store.enquiries, listen=Together().node("one").listen, now=clock.now, watch_seconds=60)
    await feed.look()
    assert feed.position == 0
    await store.store.accept(make_acceptance())
    await feed.look()
    changes = feed.after(0)
    assert changes is not None
    assert {change.kind for change in changes} == {"event"}
    await store.close()
