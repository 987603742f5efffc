"""The pages of held codes over a real store: what was sent, who waits, two people, and what becomes of the orders."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest
from starlette.applications import Starlette

from gateway.access.posts import Post
from gateway.access.roles import Role
from gateway.console.application import create_console
from gateway.console.site import Frame
from gateway.console.words import HELDS
from gateway.domain.identifiers import OdsCode
from gateway.domain.labels import HELD_LABELS, Held
from gateway.domain.lifecycle import LineState
from gateway.pipeline.code_desk import CodeDesk
from tests.doors import directory, served
from tests.sessions_at_hand import SessionsAtHand
from tests.unit.console.act_desk import NAMES, Answer, Person, audited
from tests.unit.pipeline.test_rereading import LOCAL_UNIT, Office, local_drug
from tests.unit.pipeline.test_rereading import _office as office_over
from tests.unit.pipeline.test_story import RBA, S01, make

RZA = OdsCode("RZA")


@dataclass
class Counter:
    """A console over an office with unknown codes."""

    office: Office
    address: str
    sessions: SessionsAtHand
    browser: aiohttp.ClientSession
    woken: asyncio.Event

    def person(self, role: Role, name: str, tenant: OdsCode | None = RBA) -> Person:
        post = Post(role=role, tenant=tenant)
        secret = self.sessions.let_in(name, post)
        return Person(self.address, {"console_session": secret}, self.browser)

    @property
    def proposer(self) -> Person:
        return self.person(Role.HOMECARE_PHARMACIST, "p.one")

    @property
    def approver(self) -> Person:
        return self.person(Role.MAP_APPROVER, "m.two")

    async def path(self, kind: str = "unit") -> str:
        found = {held.unknown.kind.value: held for held in await self.office.codes()}
        return f"/console/held-codes/{found[kind].code_id}"


@asynccontextmanager
async def opened(folder: Path) -> AsyncIterator[Counter]:
    office = office_over(make(folder, codes=()))
    world, woken = office.world, asyncio.Event()
    sessions = SessionsAtHand(office.clock.now)
    desk = CodeDesk(
        store=world.store,
        enquiries=world.enquiries,
        around=world.around,
        book=office.book,
        clock=office.clock,
        wake=woken.set,
    )
    pages = create_console(
        enquiries=world.enquiries,
        notes=world.store,
        directory=directory(),
        sessions=sessions,
        frame=Frame(organisation="Example Gateway (X9HGW)", environment="test", development=True),
        names=NAMES,
        now=office.clock.now,
        services={CodeDesk: desk},
    )
    async with (
        served(Starlette(routes=pages)) as address,
        aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as browser,
    ):
        yield Counter(office, address, sessions, browser, woken)
    await world.store.close()
    await world.enquiries.close()


@pytest.fixture
async def counter(tmp_path: Path) -> AsyncIterator[Counter]:
    async with opened(tmp_path) as made:
        yield made


async def fill(person: Person, page: Answer, path: str, **values: str) -> Answer:
    form = [("csrf", page.hidden("csrf")[0]), ("once", page.hidden("once")[0]), *values.items()]
    return await person.send(path, form)


async def propose(
    counter: Counter, person: Person, *, kind: str = "unit", target: str = "3318611000001103", words: str = "pre-filled"
) -> Answer:
    path = await counter.path(kind)
    page = await person.read(f"{path}?words={words}")
    return await fill(person, page, f"{path}/propose", words=words, target=target, reason="The label of our formulary.")


async def approve(counter: Counter, person: Person, *, kind: str = "unit", **change: str) -> Answer:
    path = await counter.path(kind)
    page = await person.read(f"{path}/approve")
    values = {"proposal": page.hidden("proposal")[0], "looked": "yes", **change}
    return await fill(person, page, f"{path}/approve", **values)


async def test_an_empty_list_says_what_was_looked_for(counter: Counter) -> None:
    page = await counter.proposer.read("/console/held-codes")
    assert page.status == 200
    assert "No code is held" in page.words
    assert "We looked for lines that are held" in page.words


async def test_the_list_names_the_words_as_sent_and_treats_unknown_supply_as_urgent(counter: Counter) -> None:
    await counter.office.post(local_drug())
    page = await counter.proposer.read("/console/held-codes")
    assert "Methotrexate 10mg/0.2ml pre-filled syringe" in page.words
    assert "MTX10" in page.words
    assert "1 line" in page.words
    assert "treat as urgent" in page.words


async def test_two_people_map_a_code_and_the_order_goes(counter: Counter) -> None:
    await counter.office.post(LOCAL_UNIT)
    path = await counter.path()
    done = await propose(counter, counter.proposer)
    assert "a second person has to look at it" in done.words
    page = await counter.approver.read(f"{path}/approve")
    assert "The unit of an amount is not one that is safe to read (UNIT_UNMAPPED)." in page.words
    assert "Nothing holds it" in page.words
    assert "Inject 10mg ONCE a WEEK on a Monday" in page.words
    came = await approve(counter, counter.approver)
    assert "Approved as entry v1" in came.words
    assert counter.woken.is_set()
    await counter.office.rereading.work()
    assert await counter.office.states() == [LineState.READY]
    after = await counter.proposer.read(path)
    assert "Read again and let go" in after.words
    assert "Ready to send" in after.words


async def test_candidates_are_not_chosen_for_anybody(counter: Counter) -> None:
    await counter.office.post(LOCAL_UNIT)
    path = await counter.path()
    page = await counter.proposer.read(f"{path}?words=injection")
    assert 'type="radio"' in page.body
    assert " checked>" not in page.body
    answer = await fill(counter.proposer, page, f"{path}/propose", words="injection", reason="x")
    assert answer.status == 403  # another session's token
    person = counter.proposer
    page = await person.read(f"{path}?words=injection")
    answer = await fill(person, page, f"{path}/propose", words="injection", reason="The label.")
    assert answer.status == 422
    assert "Choose what the code means" in answer.words
    assert "The label." in answer.words


@pytest.mark.parametrize(
    ("sent", "words", "said"),
    [
        (b"Methotrexate 50mg/0.2ml pre-filled syringe", "methotrexate 10mg", "Strength: sent 50 mg"),
        (b"Methotrexate 10mg/0.2ml pre-filled pen", "methotrexate 10mg syringes", "Form: sent"),
        (b"Adalimumab 10mg/0.2ml pre-filled syringe", "methotrexate 10mg", "name another medicine"),
    ],
)
async def test_differences_are_in_words_and_cannot_be_chosen(
    counter: Counter, sent: bytes, words: str, said: str
) -> None:
    await counter.office.post(
        local_drug().replace(b"Methotrexate 10mg/0.2ml pre-filled syringe^99LOC", sent + b"^99LOC")
    )
    page = await counter.proposer.read(f"{await counter.path('drug')}?words={words}")
    assert said in page.words
    assert "Cannot be chosen" in page.words


async def test_what_cannot_be_chosen_cannot_be_posted_either(counter: Counter) -> None:
    await counter.office.post(local_drug().replace(b"Methotrexate 10mg/0.2ml pre", b"Methotrexate 50mg/0.2ml pre"))
    answer = await propose(counter, counter.proposer, kind="drug", target="15517911000001104", words="methotrexate")
    assert answer.status == 422
    assert "differs from the words sent" in answer.words
    assert await counter.office.world.enquiries.proposals(tenant=RBA, now=counter.office.clock.now()) == ()


async def test_the_first_person_cannot_be_the_second(counter: Counter) -> None:
    await counter.office.post(LOCAL_UNIT)
    first = counter.person(Role.MAP_APPROVER, "m.two")
    await propose(counter, first)
    page = await first.read(f"{await counter.path()}/approve")
    assert "You proposed this" in page.words
    assert "Approve this meaning" not in page.words
    same = counter.person(Role.MAP_APPROVER, "M.Two")
    page = await same.read(f"{await counter.path()}/approve")
    assert "Approve this meaning" not in page.words
    answer = await fill(same, page, f"{await counter.path()}/approve", proposal="x", looked="yes")
    assert answer.status == 409


async def test_a_pharmacist_who_is_no_approver_finds_no_such_page(counter: Counter) -> None:
    await counter.office.post(LOCAL_UNIT)
    await propose(counter, counter.proposer)
    path = await counter.path()
    other = counter.person(Role.HOMECARE_PHARMACIST, "p.other")
    refused = await other.read(f"{path}/approve")
    unknown = await other.read("/console/held-codes/00000000-0000-4000-8000-000000000000")
    assert (refused.status, unknown.status) == (404, 404)
    assert refused.words == unknown.words


async def test_another_trusts_code_looks_like_none(counter: Counter) -> None:
    await counter.office.post(LOCAL_UNIT)
    stranger = counter.person(Role.MAP_APPROVER, "m.far", RZA)
    foreign = await stranger.read(await counter.path())
    absent = await stranger.read("/console/held-codes/00000000-0000-4000-8000-000000000000")
    assert (foreign.status, absent.status) == (404, 404)
    assert foreign.words == absent.words
    assert "No code is held" in (await stranger.read("/console/held-codes")).words


async def test_a_rejection_needs_a_reason_and_keeps_the_order_held(counter: Counter) -> None:
    await counter.office.post(LOCAL_UNIT)
    await propose(counter, counter.proposer)
    path, person = await counter.path(), counter.approver
    page = await person.read(f"{path}/approve")
    assert (await fill(person, page, f"{path}/reject", reason="")).status == 422
    page = await person.read(f"{path}/approve")
    done = await fill(person, page, f"{path}/reject", reason="PFS is a pen here.")
    assert "Rejected, with your reason" in done.words
    assert "PFS is a pen here." in done.words
    assert await counter.office.states() == [LineState.HELD]


async def test_approving_what_was_rejected_meanwhile_does_nothing(counter: Counter) -> None:
    await counter.office.post(LOCAL_UNIT)
    await propose(counter, counter.proposer)
    path, one, two = await counter.path(), counter.approver, counter.person(Role.MAP_APPROVER, "m.three")
    page = await one.read(f"{path}/approve")
    other = await two.read(f"{path}/approve")
    await fill(two, other, f"{path}/reject", reason="Not the same.")
    late = await fill(one, page, f"{path}/approve", proposal=page.hidden("proposal")[0], looked="yes")
    assert late.status == 409
    assert "Nothing was approved" in late.words
    assert await counter.office.world.enquiries.approved_entries() == ()


async def test_approval_asks_whether_it_was_compared(counter: Counter) -> None:
    await counter.office.post(LOCAL_UNIT)
    await propose(counter, counter.proposer)
    answer = await approve(counter, counter.approver, looked="")
    assert answer.status == 422
    assert "Confirm that you have compared" in answer.words


async def test_an_entry_is_taken_back_with_a_reason_and_the_past_stays(counter: Counter) -> None:
    await counter.office.post(LOCAL_UNIT)
    path = await counter.path()
    await propose(counter, counter.proposer)
    await approve(counter, counter.approver)
    await counter.office.rereading.work()
    person = counter.approver
    page = await person.read(path)
    done = await fill(person, page, f"{path}/take-back", entry="1", reason="The trust changed its codes.")
    assert "Taken back" in done.words
    assert "The trust changed its codes." in done.words
    assert await counter.office.states() == [LineState.READY]


async def test_a_national_code_is_not_mapped_but_can_be_read_again(counter: Counter) -> None:
    unknown = LOCAL_UNIT.replace(b"PFS^pre-filled syringe^99LOC", b"99999999^pre-filled syringe^SCT")
    await counter.office.post(unknown)
    path, person = await counter.path(), counter.proposer
    page = await person.read(path)
    assert "Propose this meaning" not in page.words
    done = await fill(person, page, f"{path}/read-again", reason="A new release was loaded.")
    assert "1 held order is read again" in done.words
    await counter.office.rereading.work()
    assert "Read again and still held" in (await person.read(path)).words


async def test_what_no_release_has_is_told_in_the_same_words_on_every_page(counter: Counter) -> None:
    await counter.office.post(S01.replace(b"15517911000001104", b"99999911000001102"))
    path, person = await counter.path("drug"), counter.proposer
    (found,) = await counter.office.world.enquiries.search(tenant=RBA, order_number="RX7001")
    sentence, label = HELDS[Held.RELEASE].sentence, HELD_LABELS[Held.RELEASE]
    assert sentence in (await person.read(path)).words
    for page in (f"/console/prescriptions/{found.prescription_id}", "/console/"):
        shown = (await person.read(page)).words
        assert sentence in shown, page
        assert label in shown, page
        assert "approve what the code means" not in shown, page
        assert "Resolve code" not in shown, page


async def test_script_and_marks_of_order_in_the_words_sent_do_nothing(counter: Counter) -> None:
    words = "<script>alert(1)</script>\u202e10mg".encode()
    await counter.office.post(LOCAL_UNIT.replace(b"PFS^pre-filled syringe", b"PFS^" + words))
    for path in ("/console/held-codes", await counter.path()):
        page = await counter.proposer.read(path)
        assert "<script>alert" not in page.body
        assert "\u202e" not in page.body
        assert "&lt;script&gt;" in page.body


async def test_the_file_runs_nothing(counter: Counter) -> None:
    await counter.office.post(LOCAL_UNIT.replace(b"PFS^pre-filled syringe", b"PFS^=1+2"))
    page = await counter.proposer.read("/console/held-codes.csv")
    assert '"\'=1+2"' in page.body


async def test_every_view_and_act_is_audited_by_name(counter: Counter) -> None:
    await counter.office.post(LOCAL_UNIT)
    await counter.proposer.read(await counter.path())
    await propose(counter, counter.proposer)
    await approve(counter, counter.approver)
    bodies = [bytes(row[0]).decode() for row in _leaves(counter)]
    assert any('"console held code"' in body and "p.one" in body for body in bodies)
    assert any('"kind":"code-map"' in body and '"by":"m.two"' in body for body in bodies)
    assert not any("pre-filled" in body for body in bodies)


async def test_what_came_to_nothing_is_told_from_a_decision_in_the_audit(counter: Counter) -> None:
    await counter.office.post(LOCAL_UNIT)
    await propose(counter, counter.proposer, target="")
    assert await _tried(counter, "propose a meaning") == ["propose a meaning", "propose a meaning: nothing was done"]
    await propose(counter, counter.proposer)
    assert (await _tried(counter, "propose a meaning"))[2:] == ["propose a meaning"]
    await approve(counter, counter.approver, looked="")
    path, person = await counter.path(), counter.approver
    await fill(person, await person.read(f"{path}/approve"), f"{path}/reject", reason="")
    await approve(counter, counter.approver)
    person = counter.approver
    await fill(person, await person.read(path), f"{path}/take-back", entry="1", reason="")
    await fill(person, await person.read(path), f"{path}/reject", reason="It is gone.")
    assert await _tried(counter, "approve a meaning") == [
        "approve a meaning",
        "approve a meaning: nothing was done",
        "approve a meaning",
    ]
    assert await _tried(counter, "reject a meaning") == ["reject a meaning", "reject a meaning: nothing was done"] * 2
    assert await _tried(counter, "take an entry") == ["take an entry back", "take an entry back: nothing was done"]


async def test_reading_again_where_nothing_is_held_any_more_says_so_in_the_audit(counter: Counter) -> None:
    await counter.office.post(LOCAL_UNIT)
    path, person = await counter.path(), counter.proposer
    page = await person.read(f"{path}?words=pre-filled")
    await fill(person, page, f"{path}/read-again", reason="A new release was loaded.")
    assert await _tried(counter, "read again") == ["read again"]
    await propose(counter, counter.proposer)
    await approve(counter, counter.approver)
    await counter.office.rereading.work()
    person = counter.approver
    done = await fill(person, await person.read(path), f"{path}/read-again", reason="Once more.")
    assert "0 held orders are read again" in done.words
    assert (await _tried(counter, "read again"))[1:] == ["read again", "read again: nothing was done"]


async def _tried(counter: Counter, act: str) -> list[str]:
    return await audited(counter.office.world.enquiries, act)


def _leaves(counter: Counter) -> list[tuple[bytes]]:
    transaction = counter.office.world.store._transaction
    return list(transaction.connection.execute("SELECT body FROM audit_leaf"))


async def test_a_double_click_proposes_once(counter: Counter) -> None:
    await counter.office.post(LOCAL_UNIT)
    path, person = await counter.path(), counter.proposer
    page = await person.read(f"{path}?words=pre-filled")
    form = {"words": "pre-filled", "target": "3318611000001103", "reason": "The label."}
    first = await fill(person, page, f"{path}/propose", **form)
    second = await fill(person, page, f"{path}/propose", **form)
    assert (first.status, second.status) == (200, 200)
    (code,) = await counter.office.codes()
    found = await counter.office.world.enquiries.proposals_of(
        "map-entry", str(code.code_id), tenant=RBA, now=counter.office.clock.now()
    )
    assert len(found) == 1
