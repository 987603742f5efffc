"""The pages of the pharmacist's check over a real store: what is laid before the person, passing and returning."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import aiohttp
import pytest
from starlette.applications import Starlette

from gateway.access.posts import Post
from gateway.access.roles import Role
from gateway.console.application import create_console
from gateway.console.site import Frame
from gateway.domain.identifiers import OdsCode
from gateway.domain.lifecycle import LineState
from gateway.pipeline.screening import ScreeningDesk
from tests.doors import directory, served
from tests.sessions_at_hand import SessionsAtHand
from tests.unit.console.act_desk import NAMES, Answer, Person, audited
from tests.unit.pipeline.test_cancel import cancel
from tests.unit.pipeline.test_pharmacy import Ticking, two_orders
from tests.unit.pipeline.test_story import RBA, RECEIVED, S01, World, make

RZA = OdsCode("RZA")
_CHECKED = b"2099991^PHARMACIST^Perry^^^MR^^^GPhC|20261005085500+0100"
UNCHECKED = S01.replace(_CHECKED, b"|")


@dataclass
class Counter:
    """A console over a trust that has its checks done here."""

    world: World
    clock: Ticking
    address: str
    sessions: SessionsAtHand
    browser: aiohttp.ClientSession

    def person(
        self, name: str = "p.one", role: Role = Role.HOMECARE_PHARMACIST, tenant: OdsCode | None = RBA
    ) -> Person:
        post = Post(role=role, tenant=tenant)
        secret = self.sessions.let_in(name, post)
        return Person(self.address, {"console_session": secret}, self.browser)

    async def path(self, number: str = "RX7001") -> str:
        (found,) = await self.world.enquiries.search(tenant=RBA, order_number=number)
        return f"/console/screening/{found.prescription_id}"

    async def states(self, number: str = "RX7001") -> list[LineState]:
        (found,) = await self.world.enquiries.search(tenant=RBA, order_number=number)
        view = await self.world.enquiries.prescription(found.prescription_id, tenant=RBA)
        assert view is not None
        return [line.state for line in view.lines]


@asynccontextmanager
async def opened(folder: Path) -> AsyncIterator[Counter]:
    world, clock = make(folder, screening=True), Ticking()
    clock.moment = RECEIVED + timedelta(minutes=5)
    sealer = world.keys.seal(world.around.organisation)
    desk = ScreeningDesk(store=world.store, enquiries=world.enquiries, sealer=sealer, around=world.around, clock=clock)
    sessions = SessionsAtHand(clock.now)
    pages = create_console(
        enquiries=world.enquiries,
        notes=world.store,
        directory=directory(),
        sessions=sessions,
        frame=Frame(organisation="Example Gateway (X9HGW)", environment="test", development=True),
        names=NAMES,
        now=clock.now,
        services={ScreeningDesk: desk},
    )
    async with (
        served(Starlette(routes=pages)) as address,
        aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as browser,
    ):
        yield Counter(world, clock, address, sessions, browser)
    await world.store.close()
    await world.enquiries.close()


@pytest.fixture
async def counter(tmp_path: Path) -> AsyncIterator[Counter]:
    async with opened(tmp_path) as made:
        yield made


async def decide(person: Person, page: Answer, path: str, **values: str) -> Answer:
    form = [("seen", value) for value in page.hidden("seen")]
    form += [("csrf", page.hidden("csrf")[0]), ("once", page.hidden("once")[0]), *values.items()]
    return await person.send(path, form)


async def test_an_empty_list_says_what_was_looked_for(counter: Counter) -> None:
    page = await counter.person().read("/console/screening")
    assert "Nothing waits for a check" in page.words


async def test_the_list_says_who_waits_and_by_when_to_act(counter: Counter) -> None:
    await counter.world.post(UNCHECKED)
    page = await counter.person().read("/console/screening")
    assert "TESTPATIENT" in page.words
    assert "Methotrexate 10mg/0.2ml" in page.words
    assert "left)" in page.words


async def test_everything_that_was_sent_is_laid_before_the_person(counter: Counter) -> None:
    await counter.world.post(UNCHECKED)
    page = await counter.person().read(await counter.path())
    for words in (
        "Inject 10mg ONCE a WEEK on a Monday",
        "Allergy to penicillin; reaction: Rash; low risk",
        "72.5 kilograms, measured 1 Oct 2026 (4 days ago)",
        "no contradiction was found",
        "Needed for one supply 4 pre-filled disposable injections",
        "The quantity fits the directions",
        "None is known here for this patient",
        "GMC 9999991",
    ):
        assert words in page.words


async def test_what_was_not_sent_is_said_to_be_not_stated(counter: Counter) -> None:
    lines = [line for line in UNCHECKED.split(b"\r") if not line.startswith((b"OBX", b"AL1"))]
    await counter.world.post(b"\r".join(lines))
    page = await counter.person().read(await counter.path())
    assert "Weight Not stated" in page.words
    assert "Not stated. This is not the same as none known" in page.words


async def test_passing_needs_a_decision_and_words_and_sends_nothing_twice(counter: Counter) -> None:
    await counter.world.post(UNCHECKED)
    path, person = await counter.path(), counter.person()
    page = await person.read(path)
    assert " checked>" not in page.body
    missing = await decide(person, page, path, reason="")
    assert missing.status == 422
    assert "Choose whether it passes" in missing.words
    tried = "screening decision: nothing was done"
    assert await audited(counter.world.enquiries, "decision") == [tried]
    page = await person.read(path)
    done = await decide(person, page, path, decision="pass", reason="Dose and weight checked.")
    assert "passed the check" in done.words
    assert "has not been sent or accepted yet" in done.words
    assert await audited(counter.world.enquiries, "decision") == [tried, "screening decision"]
    again = await decide(person, page, path, decision="pass", reason="Dose and weight checked.")
    assert again.status in {200, 409}
    assert await counter.states() == [LineState.READY]
    now = counter.clock.now()
    due = await counter.world.store.claim(worker="w", now=now, lease_seconds=60, room={OdsCode("VNE51"): 9})
    assert len(due) == 1


async def test_a_returned_order_is_held_with_the_reason_on_its_timeline(counter: Counter) -> None:
    await counter.world.post(UNCHECKED)
    path, person = await counter.path(), counter.person()
    done = await decide(person, await person.read(path), path, decision="return", reason="Weight is missing.")
    assert "was returned" in done.words
    assert await counter.states() == [LineState.HELD]
    (found,) = await counter.world.enquiries.search(tenant=RBA, order_number="RX7001")
    view = await counter.world.enquiries.prescription(found.prescription_id, tenant=RBA)
    assert view is not None
    assert any("p.one" in event.text for event in view.events)


async def test_an_order_that_moved_meanwhile_is_not_passed_and_nothing_typed_is_lost(counter: Counter) -> None:
    await counter.world.post(UNCHECKED)
    path, person = await counter.path(), counter.person()
    page = await person.read(path)
    await counter.world.post(cancel())
    late = await decide(person, page, path, decision="pass", reason="All was checked.")
    assert late.status == 409
    assert "Your decision was not carried out" in late.words
    assert "All was checked." in late.words
    assert await counter.states() == [LineState.CANCELLED]


async def test_earlier_prescriptions_are_compared(counter: Counter) -> None:
    await counter.world.post(UNCHECKED)
    second = UNCHECKED.replace(b"S01-0001", b"S01-0002").replace(b"RX7001", b"RX7009").replace(b"GRP7001", b"GRP7009")
    second = second.replace(b"N|4|3318611000001103", b"N|5|3318611000001103")
    await counter.world.post(second)
    page = await counter.person().read(await counter.path("RX7009"))
    assert "What differs" in page.words
    assert "Quantity each supply 4 pre-filled disposable injections 5 pre-filled disposable injections" in page.words


async def test_another_trusts_order_looks_like_none(counter: Counter) -> None:
    await counter.world.post(UNCHECKED)
    stranger = counter.person("p.far", tenant=RZA)
    foreign = await stranger.read(await counter.path())
    absent = await stranger.read("/console/screening/00000000-0000-4000-8000-000000000000")
    assert (foreign.status, absent.status) == (404, 404)
    assert foreign.words == absent.words


@pytest.mark.parametrize("role", [Role.PHARMACY_TECHNICIAN, Role.PRESCRIBER, Role.MAP_APPROVER])
async def test_only_a_pharmacist_screens(counter: Counter, role: Role) -> None:
    await counter.world.post(UNCHECKED)
    other = counter.person("x.one", role)
    assert (await other.read("/console/screening")).status == 404
    assert (await other.read(await counter.path())).status == 404


async def test_two_lines_are_shown_and_pass_together_as_one_message(counter: Counter) -> None:
    await counter.world.post(two_orders())
    path, person = await counter.path(), counter.person()
    page = await person.read(path)
    assert page.body.count("The prescriber&#39;s words") + page.body.count("The prescriber's words") == 2
    await decide(person, page, path, decision="pass", reason="Both checked.")
    assert await counter.states() == [LineState.READY] * 2


async def test_script_in_a_name_does_nothing(counter: Counter) -> None:
    await counter.world.post(UNCHECKED.replace(b"TESTPATIENT^Aoife", b"<script>alert(1)</script>^Aoife"))
    for path in ("/console/screening", await counter.path()):
        page = await counter.person().read(path)
        assert "<script>alert" not in page.body


async def test_no_title_names_a_patient(counter: Counter) -> None:
    await counter.world.post(UNCHECKED)
    page = await counter.person().read(await counter.path())
    title = page.body.partition("<title>")[2].partition("</title>")[0]
    assert "TESTPATIENT" not in title
    assert "Pharmacist&#39;s check" in title or "Pharmacist's check" in title


async def test_the_file_has_a_row_for_each_order(counter: Counter) -> None:
    await counter.world.post(UNCHECKED)
    page = await counter.person().read("/console/screening.csv")
    assert page.body.count("\r\n") == 2
