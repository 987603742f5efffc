"""People: who was let in, and roles that are given until a date, on a real store."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from html import unescape
from pathlib import Path

import pytest

from gateway.access.principal import Kind, Principal
from gateway.access.roles import Role
from gateway.access.signing_in import SigningIn
from gateway.config.load import load
from gateway.console.entering.entrance import Entrance, entrance_of
from gateway.domain.identifiers import OdsCode
from tests.contract.store_engines import Clock
from tests.unit.console.act_desk import audited
from tests.unit.console.looking import Looking, looking

RBA, RZA = OdsCode("RBA"), OdsCode("RZA")
CHIEF = "charlie@id"


@asynccontextmanager
async def console(folder: Path) -> AsyncIterator[Looking]:
    entrance = entrance_of(SigningIn(), load(None).organisations, Clock().now, development=True)
    async with looking(folder, {Entrance: entrance}) as desk:
        yield desk


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Looking]:
    async with console(tmp_path) as desk:
        yield desk


def be(desk: Looking, role: Role, tenant: OdsCode | None, name: str) -> None:
    desk.be_somebody(Principal(kind=Kind.PERSON, tenant=tenant, name=name, role=role))


def last_day(desk: Looking, days: int) -> str:
    return (desk.clock.now() + timedelta(days=days)).date().isoformat()


def form(desk: Looking, **change: str) -> dict[str, str]:
    stated = {
        "name": "1234@id",
        "person": "Perry Pharmacist",
        "post": "map-approver.RBA",
        "until": last_day(desk, 14),
        "reason": "Covers for leave.",
    }
    return stated | change


def words(page: str) -> str:
    main = page.partition("<main")[2].partition("</main>")[0]
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", f"<{main}")).split())


async def waiting(desk: Looking) -> str:
    (view,) = await desk.opened.enquiries.proposals(tenant=None, now=desk.clock.now())
    return str(view.proposal.id)


async def agree(desk: Looking, proposal: str) -> None:
    page = await desk.get(f"/console/waiting/{proposal}")
    await desk.post(
        f"/console/waiting/{proposal}/agree", seen=page.partition('name="seen" value="')[2].partition('"')[0]
    )


async def test_an_empty_list_says_that_it_was_looked_at(desk: Looking) -> None:
    page = words(await desk.get("/console/people"))
    assert "Nobody has signed in yet. Looked at" in page
    assert "No role was given here in the last 90 days" in page


async def test_two_people_give_a_third_a_role_until_a_date(desk: Looking) -> None:
    be(desk, Role.CHIEF_PHARMACIST, RBA, CHIEF)
    page = await desk.post("/console/people/give", **form(desk))
    assert "Nobody has the role until a second person has agreed." in page
    assert "Waiting for a second person" in page
    proposal = await waiting(desk)
    assert await desk.opened.enquiries.granted_to("1234@id", now=desk.clock.now()) == ()
    own = await desk.post(f"/console/waiting/{proposal}/agree", status=409)
    assert "another than the first" in own
    be(desk, Role.CHIEF_PHARMACIST, RBA, "other.chief@id")
    look = words(await desk.get(f"/console/waiting/{proposal}"))
    assert "Perry Pharmacist (1234@id) can be Map approver, Example Trust (RBA)" in look
    await agree(desk, proposal)
    (grant,) = await desk.opened.enquiries.granted_to("1234@id", now=desk.clock.now())
    assert (grant.role, grant.tenant, grant.by, grant.second_by) == ("map-approver", RBA, CHIEF, "other.chief@id")
    page = words(await desk.get("/console/people"))
    assert "In force." in page
    assert "Covers for leave." in page


async def test_who_is_to_have_the_role_cannot_agree_to_it(desk: Looking) -> None:
    be(desk, Role.CHIEF_PHARMACIST, RBA, CHIEF)
    await desk.post("/console/people/give", **form(desk, name="other.chief@id"))
    proposal = await waiting(desk)
    be(desk, Role.CHIEF_PHARMACIST, RBA, "Other.Chief@id")
    assert "Nobody can give a role to themselves" in await desk.post(f"/console/waiting/{proposal}/agree", status=409)
    assert await desk.opened.enquiries.granted_to("other.chief@id", now=desk.clock.now()) == ()


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"name": ""}, "Enter the person's reference"),
        ({"name": "two words"}, "Enter the person's reference"),
        ({"name": "x" * 300}, "Enter the person's reference"),
        ({"name": CHIEF.upper()}, "Nobody can give a role to themselves"),
        ({"person": "\u202e"}, "Enter what people call them"),
        ({"post": ""}, "Choose a role"),
        ({"post": "map-approver.RZA"}, "Choose a role"),
        ({"post": "operator."}, "Choose a role"),
        ({"post": "provider-operator.VNE51"}, "Choose a role"),
        ({"until": ""}, "Enter the last day"),
        ({"until": "tomorrow"}, "Enter the last day"),
        ({"until": "9999-12-31"}, "Enter the last day"),
        ({"until": "2020-01-01"}, "The last day lies in the past"),
        ({"reason": ""}, "Give a reason"),
        ({"reason": "x" * 501}, "Give a reason"),
    ],
)
async def test_what_is_wrong_is_said_and_nothing_that_was_typed_is_lost(
    desk: Looking, change: dict[str, str], fault: str
) -> None:
    be(desk, Role.CHIEF_PHARMACIST, RBA, CHIEF)
    stated = form(desk, **change)
    page = unescape(await desk.post("/console/people/give", status=422, **stated))
    assert fault in page
    assert "Error: Give a role" in page
    for name in ("reason", "until"):
        assert stated[name] in page
    assert await desk.opened.enquiries.proposals(tenant=None, now=desk.clock.now()) == ()


async def test_a_role_for_longer_than_a_year_is_refused(desk: Looking) -> None:
    be(desk, Role.CHIEF_PHARMACIST, RBA, CHIEF)
    page = await desk.post("/console/people/give", status=422, **form(desk, until=last_day(desk, 500)))
    assert "a year at most" in page


async def test_the_same_role_is_proposed_once(desk: Looking) -> None:
    be(desk, Role.CHIEF_PHARMACIST, RBA, CHIEF)
    await desk.post("/console/people/give", **form(desk))
    page = await desk.post("/console/people/give", status=422, **form(desk))
    assert "has proposed this already" in page


async def test_an_operator_gives_the_roles_of_providers_and_of_the_whole_but_not_of_a_trust(desk: Looking) -> None:
    be(desk, Role.OPERATOR, None, "olu@id")
    page = await desk.get("/console/people/give")
    assert 'value="auditor."' in page
    assert 'value="provider-pharmacist.VNE51"' in page
    assert 'value="homecare-pharmacist.RBA"' not in page
    await desk.post("/console/people/give", status=422, **form(desk))
    await desk.post("/console/people/give", **form(desk, post="auditor."))


async def test_one_person_ends_a_role_and_whoever_has_it_is_signed_out(desk: Looking) -> None:
    be(desk, Role.CHIEF_PHARMACIST, RBA, CHIEF)
    await desk.post("/console/people/give", **form(desk))
    proposal = await waiting(desk)
    be(desk, Role.CHIEF_PHARMACIST, RBA, "other.chief@id")
    await agree(desk, proposal)
    page = await desk.get(f"/console/people/{proposal}/end")
    assert "The person is signed out at once, wherever they are signed in" in page
    assert "Give a reason" in await desk.post(f"/console/people/{proposal}/end", status=422)
    page = await desk.post(f"/console/people/{proposal}/end", reason="Back from leave.")
    assert "no longer has the role" in page
    assert await desk.opened.enquiries.granted_to("1234@id", now=desk.clock.now()) == ()
    assert "has ended it already" in await desk.post(f"/console/people/{proposal}/end", reason="Again.")
    assert "There is nothing to do" in await desk.get(f"/console/people/{proposal}/end")


async def test_another_trust_sees_neither_people_nor_roles(desk: Looking) -> None:
    now = desk.clock.now()
    await desk.opened.store.let_in("1234@id", person="Perry", role="prescriber", tenant=RBA, now=now)
    be(desk, Role.CHIEF_PHARMACIST, RBA, CHIEF)
    await desk.post("/console/people/give", **form(desk))
    proposal = await waiting(desk)
    be(desk, Role.CHIEF_PHARMACIST, RBA, "other.chief@id")
    await agree(desk, proposal)
    be(desk, Role.CHIEF_PHARMACIST, RZA, "far@id")
    for path in ("/console/people", "/console/people.csv"):
        page = await desk.get(path)
        assert "1234@id" not in page
    foreign = await desk.get(f"/console/people/{proposal}/end", status=404)
    unknown = await desk.get("/console/people/00000000-0000-0000-0000-000000000000/end", status=404)
    assert words(foreign) == words(unknown)
    assert words(await desk.get(f"/console/waiting/{proposal}", status=404)) == words(foreign)


@pytest.mark.parametrize(
    ("role", "tenant"), [(Role.HOMECARE_PHARMACIST, RBA), (Role.PRESCRIBER, RBA), (Role.AUDITOR, None)]
)
async def test_who_may_not_see_people_sees_what_does_not_exist(
    desk: Looking, role: Role, tenant: OdsCode | None
) -> None:
    be(desk, role, tenant, "x@id")
    foreign = words(await desk.get("/console/people", status=404))
    assert foreign == words(await desk.get("/console/nowhere", status=404))
    await desk.get("/console/people/give", status=404)


async def test_an_engineer_sees_people_and_changes_nothing(desk: Looking) -> None:
    be(desk, Role.INTEGRATION_ENGINEER, RBA, "indira@id")
    assert "Give a role until a date" not in await desk.get("/console/people")
    await desk.get("/console/people/give", status=404)


async def test_hostile_names_are_words_and_no_formula(desk: Looking) -> None:
    now = desk.clock.now()
    name = "=HYPERLINK(1)<script>alert(1)</script>\u202etxt"
    await desk.opened.store.let_in("9@id", person=name, role="prescriber", tenant=RBA, now=now)
    page = await desk.get("/console/people")
    assert "<script>alert" not in page
    assert "<bdi>=HYPERLINK" in page
    csv = await desk.get("/console/people.csv")
    assert "\n=HYPERLINK" not in csv
    assert "\r\n=HYPERLINK" not in csv


async def test_a_long_list_says_that_it_is_not_whole(desk: Looking) -> None:
    now = desk.clock.now()
    for number in range(501):
        await desk.opened.store.let_in(f"{number}@id", person="P" * 80, role="prescriber", tenant=RBA, now=now)
    page = await desk.get("/console/people")
    assert "There are more than are shown" in page
    assert page.count("@id</span>") == 500
    assert (await desk.get("/console/people.csv")).count("@id") == 501


async def test_every_view_and_act_leaves_an_audit_leaf(desk: Looking) -> None:
    be(desk, Role.CHIEF_PHARMACIST, RBA, CHIEF)
    await desk.get("/console/people")
    await desk.get("/console/people.csv")
    await desk.post("/console/people/give", **form(desk))
    leaves = " ".join(desk.leaves())
    for action in ("console view", "console download", "console propose a role"):
        assert action in leaves
    assert "Perry" not in leaves


async def test_the_audit_tells_a_role_that_came_to_nothing_from_one_that_was_proposed_or_ended(desk: Looking) -> None:
    be(desk, Role.CHIEF_PHARMACIST, RBA, CHIEF)
    propose, end, enquiries = "propose a role", "end a role", desk.opened.enquiries
    await desk.post("/console/people/give", status=422, **form(desk, until=last_day(desk, 500)))
    assert await audited(enquiries, propose) == [f"{propose}: nothing was done"]
    await desk.post("/console/people/give", **form(desk))
    await desk.post("/console/people/give", status=422, **form(desk))
    assert (await audited(enquiries, propose))[1:] == [propose, propose, f"{propose}: nothing was done"]
    proposal = await waiting(desk)
    be(desk, Role.CHIEF_PHARMACIST, RBA, "other.chief@id")
    await agree(desk, proposal)
    for reason, status in (("", 422), ("Back from leave.", 200), ("Again.", 200)):
        await desk.post(f"/console/people/{proposal}/end", status=status, reason=reason)
    nothing = f"{end}: nothing was done"
    assert await audited(enquiries, end) == [nothing, end, end, nothing]


async def test_what_is_sent_after_the_session_was_over_is_kept_for_the_same_person(desk: Looking) -> None:
    link = desk.sessions.link()
    page = await desk.get("/console/people/give")
    found = re.search(r'name="csrf" value="([^"]+)"', page)
    assert found
    desk.clock.move(minutes=61)
    late = {"csrf": found[1], **form(desk)}
    async with desk.browser.post(
        f"{desk.address}/console/people/give", data=late, headers={"Referer": f"{desk.address}/console/people/give"}
    ) as response:
        assert response.status == 401
        page = await response.text()
    assert "What you typed is kept for you" in page
    assert "Nothing was done here for a while" in page
    assert await desk.opened.enquiries.proposals(tenant=None, now=desk.clock.now()) == ()
    again = await desk.get(link)
    assert desk.at == "/console/people/give"
    assert "What you typed is still here" in again
    assert "Covers for leave." in again


async def test_a_forged_form_after_the_session_was_over_is_not_kept(desk: Looking) -> None:
    link = desk.sessions.link()
    desk.clock.move(minutes=61)
    async with desk.browser.post(f"{desk.address}/console/people/give", data={"csrf": "x", **form(desk)}) as response:
        assert response.status == 401
        assert "is kept for you" not in await response.text()
    assert "Covers for leave." not in await desk.get(link)


async def test_a_double_click_proposes_once_and_leads_to_the_same_place(desk: Looking) -> None:
    be(desk, Role.CHIEF_PHARMACIST, RBA, CHIEF)
    page = await desk.get("/console/people/give")
    hidden = {name: re.findall(rf'name="{name}" value="([^"]+)"', page)[-1] for name in ("csrf", "once")}

    async def click() -> tuple[int, str, str]:
        async with desk.browser.post(f"{desk.address}/console/people/give", data={**hidden, **form(desk)}) as response:
            return response.status, response.url.path, await response.text()

    first, second = await asyncio.gather(click(), click())
    assert (first[:2], second[:2]) == ((200, "/console/people"), (200, "/console/people"))
    assert await desk.opened.enquiries.proposals(tenant=None, now=desk.clock.now())
    assert len(desk.opened.rows("SELECT id FROM proposal")) == 1
    assert "Nobody has the role until a second person has agreed." in first[2] + second[2]
    third = await click()
    assert "was done once" in third[2]
    assert len(desk.opened.rows("SELECT id FROM proposal")) == 1


async def test_a_double_click_on_what_is_wrong_loses_nothing_that_was_typed(desk: Looking) -> None:
    be(desk, Role.CHIEF_PHARMACIST, RBA, CHIEF)
    page = await desk.get("/console/people/give")
    hidden = {name: re.findall(rf'name="{name}" value="([^"]+)"', page)[-1] for name in ("csrf", "once")}
    address = f"{desk.address}/console/people/give"
    for status in (422, 200):
        async with desk.browser.post(
            address, data={**hidden, **form(desk, post="")}, headers={"Referer": address}
        ) as response:
            assert response.status == status
            assert "Covers for leave." in await response.text()
