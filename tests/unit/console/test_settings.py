"""Settings as they are in force, on a real store and the demonstration's configuration."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from html import unescape
from pathlib import Path

import pytest

from gateway.access.principal import Kind, Principal
from gateway.access.roles import Role
from gateway.access.signing_in import IssuerSettings, SigningIn
from gateway.config.load import load
from gateway.console.in_force.settings_book import Dated, SettingsBook
from gateway.console.in_force.what_if import Change, what_if
from gateway.domain.identifiers import OdsCode
from gateway.domain.lifecycle import LineState
from gateway.domain.orphans import Reach, Standing
from gateway.wiring.standing import reach
from tests.contract.store_engines import Clock
from tests.doors import NAMES
from tests.unit.console.looking import Looking, looking

RBA, RZA, VNE51, VNCEL = OdsCode("RBA"), OdsCode("RZA"), OdsCode("VNE51"), OdsCode("VNCEL")
SECRET = "never shown"


def book() -> SettingsBook:
    clock, loaded = Clock(), load(None)
    issuer = IssuerSettings(url="https://id.example", client_id="x", secret=SECRET, back="https://gateway.example")
    providers = {
        ods: replace(one, token=SECRET, endpoint=f"https://{SECRET}") for ods, one in loaded.routing.providers.items()
    }
    configuration = replace(
        loaded, signing_in=SigningIn(issuer=issuer), routing=replace(loaded.routing, providers=providers)
    )
    now = clock.now()
    return SettingsBook(
        configuration=configuration,
        reach=lambda one: reach(one, clock),
        certificates=lambda: (
            Dated(what="Our seal", whose="CN=seal", ends_at=now + timedelta(days=400)),
            Dated(what="MLLP", whose="CN=mllp", ends_at=now + timedelta(days=10)),
            Dated(what="Old", whose="CN=old", ends_at=now - timedelta(days=1)),
            Dated(what="Gone", whose="x.pem cannot be read", ends_at=None),
        ),
        reference="simulation",
        version="0.2",
    )


@asynccontextmanager
async def console(folder: Path) -> AsyncIterator[Looking]:
    async with looking(folder, {SettingsBook: book()}) as desk:
        yield desk


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Looking]:
    async with console(tmp_path) as desk:
        yield desk


def be(desk: Looking, role: Role, tenant: OdsCode | None) -> None:
    desk.be_somebody(Principal(kind=Kind.PERSON, tenant=tenant, name="x@id", role=role))


def words(page: str) -> str:
    main = page.partition("<main")[2].partition("</main>")[0]
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", f"<{main}")).split())


async def test_the_settings_in_force_are_said_in_words_and_no_secret_is(desk: Looking) -> None:
    be(desk, Role.OPERATOR, None)
    page = await desk.get("/console/settings")
    said = words(page)
    for stated in (
        "Nothing is changed on this page",
        load(None).version,
        "Nobody is told outside this page",
        "Nothing is paused",
        "Example Trust (RBA)",
        "10 days left",
        "ENDED",
        "x.pem cannot be read Not known",
        "https://id.example",
        "1 working day",
        "Decided by",
    ):
        assert stated in said
    assert SECRET not in page


async def test_a_trust_s_person_sees_its_own_and_what_holds_for_everybody(desk: Looking) -> None:
    be(desk, Role.CHIEF_PHARMACIST, RBA)
    said = words(await desk.get("/console/settings"))
    assert "(RBA)" in said
    for other in ("RZA", "RZB", "RZC"):
        assert other not in said


async def test_what_a_change_would_do_is_asked_and_nothing_is_changed(desk: Looking) -> None:
    be(desk, Role.OPERATOR, None)
    page = words(await desk.get("/console/settings?provider=VNE51&change=gone"))
    assert "No open line would be left without a way on" in page
    assert "New prescriptions of Example Trust (RBA) that name no provider would be held" in page
    for question in ("provider=VNE51&change=other", "provider=RXX&change=gone", "provider=%00&change=gone"):
        assert "would be left" not in words(await desk.get(f"/console/settings?{question}"))


def standing(lines: int, **change: object) -> Standing:
    stated: dict[str, object] = {"tenant": RBA, "provider": VNE51, "state": LineState.WITH_PROVIDER}
    return Standing(lines=lines, **(stated | change))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("change", "lines"), [(Change.GONE, 14 + 3), (Change.INACTIVE, 3)], ids=["taken out", "not active"]
)
def test_lines_without_a_way_on_are_counted(change: Change, lines: int) -> None:
    groups = (standing(14), standing(3, state=LineState.READY, waits=True), standing(5, provider=VNCEL))
    found = what_if(book(), VNE51, change, groups, NAMES)
    assert found.lines == lines
    assert found.looked == 22
    assert "Example Homecare Ltd (VNE51)" in found.question


def test_a_question_changes_no_configuration() -> None:
    kept = book()
    before = dict(kept.configuration.routing.providers)
    what_if(kept, VNE51, Change.GONE, (standing(1),), NAMES)
    assert dict(kept.configuration.routing.providers) == before
    assert isinstance(kept.reach(kept.configuration), Reach)


@pytest.mark.parametrize(("role", "tenant"), [(Role.HOMECARE_PHARMACIST, RBA), (Role.AUDITOR, None)])
async def test_who_may_not_see_settings_sees_what_does_not_exist(
    desk: Looking, role: Role, tenant: OdsCode | None
) -> None:
    be(desk, role, tenant)
    assert words(await desk.get("/console/settings", status=404)) == words(
        await desk.get("/console/nowhere", status=404)
    )


async def test_a_view_leaves_an_audit_leaf(desk: Looking) -> None:
    be(desk, Role.OPERATOR, None)
    await desk.get("/console/settings")
    assert any('"subject":"settings"' in leaf for leaf in desk.leaves())
