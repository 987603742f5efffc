"""A provider in trouble: who is affected, and re-routes proposed for many, each of which waits for a second person."""

import csv
import re
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from gateway.access.roles import Role
from gateway.console.board import trouble
from gateway.destination import Taken
from gateway.domain.identifiers import OdsCode
from gateway.domain.lifecycle import LineEvent, LineState
from gateway.ports.attention import Whose
from tests.doors import bearer
from tests.unit.console.act_desk import NAMES, Answer, Desk, Person, audited, opened
from tests.unit.pipeline.test_hold import hold
from tests.unit.pipeline.test_story import S01

PATH = trouble.place(OdsCode("VNE51"))
FILLED = {"to": "VNCEL", "registered": "yes", "code": "stops", "reason": "They close on Friday."}


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with opened(tmp_path) as made:
        yield made


def another(number: bytes) -> bytes:
    """Give the sample under numbers of its own."""
    return S01.replace(b"S01-0001", b"S-" + number).replace(b"RX7001", number).replace(b"GRP7001", b"G-" + number)


async def two(desk: Desk) -> None:
    """Have one that was refused by its provider, and one that its provider has accepted."""
    await desk.trial.post(S01)
    await desk.trial.answer(await desk.trial.send(Taken()), LineEvent.REJECTED)
    await desk.trial.post(another(b"RX7002"))
    await desk.trial.answer(await desk.trial.send(Taken()), LineEvent.ACCEPTED, "a2")


async def propose(person: Person, page: Answer, *chosen: str) -> Answer:
    form = [(name, page.hidden(name)[0]) for name in ("csrf", "once")]
    return await person.send(PATH, [*form, *FILLED.items(), *(("prescription", one) for one in chosen)])


def prescriptions(page: Answer) -> list[str]:
    return [part.partition('"')[0] for part in page.body.split('name="prescription" type="checkbox" value="')[1:]]


async def test_everything_that_it_has_is_listed_and_can_be_taken_away(desk: Desk) -> None:
    await two(desk)
    person = desk.person(Role.CHIEF_PHARMACIST)
    page = await person.read(PATH)
    assert "2 prescriptions, the shortest supply first." in page.words
    assert "RX7001" in page.words
    assert "RX7002" in page.words
    assert re.search(r"Medicine at home: \d+ days?, none from |Not known: treat as urgent", page.words)
    file = await person.read(f"{PATH}.csv")
    assert file.body.count("RX700") == 2
    assert page.words.count("TESTPATIENT") == 2
    assert "NHS number 999 000 0077" in page.words
    assert "Methotrexate" in page.words
    assert file.body.count("TESTPATIENT") == 2
    assert file.body.count("Methotrexate") == 2


async def test_whoever_runs_the_gateway_is_told_of_no_patient_and_no_medicine(desk: Desk) -> None:
    await two(desk)
    for path in (PATH, f"{PATH}.csv"):
        async with desk.browser.get(desk.address + path, headers=bearer("operator")) as response:
            said = await response.text()
        assert response.status == 200
        assert said.count("RX7001") == said.count("RX7002") > 0
        for secret in ("TESTPATIENT", "9990000077", "999 000 0077", "Methotrexate"):
            assert secret not in said


async def test_where_the_name_cannot_be_read_what_is_known_of_the_patient_is_still_shown(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    await two(desk)
    enquiries = desk.trial.world.enquiries
    read = enquiries.whose

    async def nameless(keys: Sequence[int], *, tenant: OdsCode | None) -> dict[int, Whose]:
        return {key: replace(one, patient_name="") for key, one in (await read(keys, tenant=tenant)).items()}

    monkeypatch.setattr(enquiries, "whose", nameless)
    person = desk.person(Role.CHIEF_PHARMACIST)
    page = await person.read(PATH)
    assert page.words.count("The patient's name could not be read , NHS number 999 000 0077 . Methotrexate") == 2
    assert (await person.read(f"{PATH}.csv")).body.count('be read","999 000 0077"') == 2


async def test_more_than_one_page_is_said_and_not_read(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    await two(desk)
    monkeypatch.setattr(trouble, "MOST", 1)
    page = await desk.person(Role.CHIEF_PHARMACIST).read(PATH)
    assert "More than 1 prescriptions" in page.words
    assert "Only the 1 oldest are shown" in page.words
    assert len(prescriptions(page)) == 1


async def test_what_may_not_be_proposed_takes_no_place_on_the_page_and_the_file_has_it_too(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    await desk.trial.post(another(b"RX7003"))
    await desk.trial.post(hold("H2", number="RX7003"))
    await two(desk)
    await desk.trial.post(another(b"RX7004"))
    monkeypatch.setattr(trouble, "MOST", 2)
    monkeypatch.setattr(trouble, "_PART", 1)
    person = desk.person(Role.CHIEF_PHARMACIST)
    page = await person.read(PATH)
    assert "More than 2 prescriptions" in page.words
    assert "The file has all." in page.words
    rows = list(csv.DictReader((await person.read(f"{PATH}.csv")).body.lstrip("\ufeff").splitlines()))
    assert {row["orders"]: row["may be proposed"] for row in rows} == {
        "RX7001": "yes",
        "RX7002": "yes",
        "RX7003": "no",
        "RX7004": "yes",
    }
    assert all("TESTPATIENT" in row["patient"] for row in rows)
    monkeypatch.setattr(trouble, "MOST", 3)
    assert (await person.read(PATH)).words.count("Medicine at home:") == 3


async def test_a_provider_that_left_the_configuration_is_shown_to_those_who_have_something_with_it(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    await two(desk)
    pharmacist, stranger = desk.person(), desk.person(name="s.three", tenant=OdsCode("RZA"))
    monkeypatch.delitem(NAMES, OdsCode("VNE51"))  # type: ignore[arg-type]
    page = await pharmacist.read(PATH)
    assert page.words.count("TESTPATIENT") == 2
    assert "VNE51 in trouble: who is affected" in page.words
    assert (await pharmacist.read(f"{PATH}.csv")).status == 200
    assert (await stranger.read(PATH)).status == 404


async def test_for_each_one_proposal_is_made_and_nothing_moves(desk: Desk) -> None:
    await two(desk)
    person = desk.person(Role.CHIEF_PHARMACIST)
    page = await person.read(PATH)
    done = await propose(person, page, *prescriptions(page))
    assert "2 of 2 re-routes are proposed. Nothing has moved yet" in done.words
    assert len(await desk.trial.world.enquiries.proposals(tenant=OdsCode("RBA"), now=desk.trial.now)) == 2
    assert await desk.trial.states() == [LineState.REJECTED]
    again = await person.read(PATH)
    assert again.words.count("A re-route of it waits for a second person.") == 2


async def test_where_none_could_be_proposed_the_audit_does_not_read_as_if_some_were(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuses(*_: object) -> tuple[str, ...]:
        return ("It has moved on.",)

    await two(desk)
    person = desk.person(Role.CHIEF_PHARMACIST)
    page = await person.read(PATH)
    monkeypatch.setattr(desk.trial.world.store, "propose", refuses)
    done = await propose(person, page, *prescriptions(page))
    assert "0 of 2 re-routes are proposed." in done.words
    found = await audited(desk.trial.world.enquiries, "propose re-routes")
    assert found == ["propose re-routes", "propose re-routes: nothing was done"]


async def test_what_is_missing_is_asked_for_and_nothing_is_lost(desk: Desk) -> None:
    await two(desk)
    person = desk.person()
    page = await person.read(PATH)
    form = [(name, page.hidden(name)[0]) for name in ("csrf", "once")]
    wrong = await person.send(PATH, [*form, ("reason", "They close."), ("prescription", prescriptions(page)[0])])
    assert wrong.status == 422
    assert "Choose which provider is to have them" in wrong.words
    assert "They close." in wrong.body
    assert " checked" in wrong.body


async def test_another_trust_sees_none_of_it_and_a_technician_no_page(desk: Desk) -> None:
    await two(desk)
    stranger = await desk.person(name="s.three", tenant=OdsCode("RZA")).read(PATH)
    assert "Nothing that could go to another provider is with Example Homecare Ltd (VNE51)" in stranger.words
    assert (await desk.person(Role.PHARMACY_TECHNICIAN, name="t.four").read(PATH)).status == 404
    assert (await desk.person(name="q.two").read("/console/providers/NOBODY/trouble")).status == 404
