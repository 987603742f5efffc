"""A re-route at the console: a checklist, a proposal, another person who agrees, and the fence behind it all."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from gateway.access.roles import Role
from gateway.destination import InDoubt, Taken, TryLater
from gateway.domain.errors import Unavailable
from gateway.domain.identifiers import OdsCode
from gateway.domain.lifecycle import LineEvent, LineState
from gateway.pipeline.reroute import Rerouting
from tests.unit.console.act_desk import Answer, Desk, Person, audited, opened
from tests.unit.pipeline.test_story import S01

S = LineState
PROPOSE = {"registered": "yes", "code": "stops", "reason": "They close on Friday."}


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with opened(tmp_path) as made:
        yield made


def elsewhere(desk: Desk) -> str:
    """Another provider than the one that has it."""
    around = desk.trial.world.around
    return next(str(ods) for ods, one in around.routing.providers.items() if str(ods) != "VNE51" and one.active)


async def propose(desk: Desk, person: Person) -> Answer:
    path = await desk.page_of("reroute")
    page = await person.read(f"{path}?to={elsewhere(desk)}")
    return await person.send(path, [*await person.fill(page, path, **PROPOSE), ("to", elsewhere(desk))])


async def agree(person: Person, page: Answer) -> Answer:
    here = await person.read(page.path)
    return await person.send(f"{page.path}/agree", agreeing(here))


def agreeing(page: Answer) -> list[tuple[str, str]]:
    """The form of a page on which somebody agrees."""
    return [(name, page.hidden(name)[0]) for name in ("csrf", "once", "seen")]


async def rejected(desk: Desk) -> None:
    await desk.trial.post(S01)
    claim = await desk.trial.send(Taken())
    await desk.trial.answer(claim, LineEvent.REJECTED)


async def test_first_it_is_asked_which_provider_and_nothing_can_be_sent(desk: Desk) -> None:
    await rejected(desk)
    page = await desk.person().read(await desk.page_of("reroute"))
    assert "Which provider is to have it?" in page.words
    assert "Propose" not in page.words
    assert 'value="VNE51"' not in page.body


async def test_the_checklist_says_what_is_settled_and_what_is_asked(desk: Desk) -> None:
    await rejected(desk)
    page = await desk.person().read(f"{await desk.page_of('reroute')}?to={elsewhere(desk)}")
    assert "Example Homecare Ltd (VNE51) has given it up, or it never left They gave it back. ○ Settled" in page.words
    assert "0 of 6, 6 left" in page.words
    assert "A second person" in page.words
    assert "Propose" in page.words


async def test_what_may_be_supplied_is_asked_back_first(desk: Desk) -> None:
    await desk.trial.post(S01)
    claim = await desk.trial.send(Taken())
    await desk.trial.answer(claim, LineEvent.ACCEPTED)
    page = await desk.person().read(f"{await desk.page_of('reroute')}?to={elsewhere(desk)}")
    assert "They are asked first" in page.words


async def test_an_open_item_stops_it_even_where_the_form_is_made_up(desk: Desk) -> None:
    await desk.trial.post(S01)
    claim = await desk.trial.send(Taken())
    await desk.trial.answer(claim, LineEvent.DISPATCHED)
    person, path = desk.person(), await desk.page_of("reroute")
    page = await person.read(f"{path}?to={elsewhere(desk)}")
    assert "An item of the checklist is open." in page.words
    token = (await person.read(await desk.page_of("hold"))).hidden("csrf")[0]
    made_up = [("csrf", token), ("to", elsewhere(desk)), *PROPOSE.items()]
    made_up += [("seen", value) for value in (await person.read(await desk.page_of("hold"))).hidden("seen")]
    answer = await person.send(path, made_up)
    assert answer.status == 422
    assert await desk.trial.world.enquiries.proposals(tenant=None, now=desk.trial.now) == ()


async def test_two_people_move_it_and_one_does_not(desk: Desk) -> None:
    await rejected(desk)
    first = desk.person(name="p.one")
    proposed = await propose(desk, first)
    assert "Proposed. Nothing has moved yet: a second person must agree." in proposed.words
    assert await desk.trial.states() == [S.REJECTED]
    assert "You proposed it: somebody else must agree." in proposed.words
    form = [("csrf", proposed.hidden("csrf")[0])]
    refused = await first.send(f"{proposed.path}/agree", form)
    assert refused.status == 409
    assert "must be another than the first" in refused.words
    done = await agree(desk.person(Role.CHIEF_PHARMACIST, name="c.two"), proposed)
    assert "Agreed. Order RX7001: given to" in done.words
    assert "no answer yet" in done.words
    assert await desk.trial.states() == [S.READY]
    ((person, second),) = [
        (one.proposal.by, one.second)
        for one in await desk.trial.world.enquiries.proposals_of(
            "reroute", (await desk.page_of("x")).split("/")[3], tenant=None, now=desk.trial.now
        )
    ]
    assert (person, second) == ("p.one", "c.two")


async def test_it_is_listed_for_the_trust_and_for_nobody_else(desk: Desk) -> None:
    await rejected(desk)
    await propose(desk, desk.person())
    other = await desk.person(name="q.two").read("/console/waiting")
    assert "Re-route" in other.words
    assert "Proposed by p.one" in other.words
    assert "They close on Friday." in other.words
    stranger = await desk.person(name="s.three", tenant=OdsCode("RZA")).read("/console/waiting")
    assert "Nothing waits for a second person." in stranger.words


async def test_a_proposal_of_another_trust_is_as_one_that_does_not_exist(desk: Desk) -> None:
    await rejected(desk)
    proposed = await propose(desk, desk.person())
    stranger = desk.person(name="s.three", tenant=OdsCode("RZA"))
    there = await stranger.read(proposed.path)
    nowhere = await stranger.read("/console/waiting/00000000-0000-4000-8000-000000000000")
    assert (there.status, nowhere.status, there.words == nowhere.words) == (404, 404, True)
    technician = desk.person(Role.PHARMACY_TECHNICIAN, name="t.four")
    assert (await technician.read(proposed.path)).status == 404


async def test_what_moved_since_it_was_proposed_is_not_done_and_said(desk: Desk) -> None:
    await rejected(desk)
    proposed = await propose(desk, desk.person())
    await desk.person(name="q.two").act(
        await desk.page_of("close"), supplied="hospital", reason="Closed in the meantime."
    )
    second = desk.person(Role.CHIEF_PHARMACIST, name="c.two")
    page = await second.read(proposed.path)
    assert "An item of the checklist is open." in page.words
    answer = await second.send(f"{proposed.path}/agree", [("csrf", page.hidden("csrf")[0])])
    assert answer.status == 409
    assert await desk.trial.states() == [S.CLOSED]


async def test_nobody_agrees_to_something_else_than_they_were_shown(desk: Desk) -> None:
    await desk.trial.post(S01)
    claim = await desk.trial.send(Taken())
    proposed = await propose(desk, desk.person())
    second = desk.person(Role.CHIEF_PHARMACIST, name="c.two")
    page = await second.read(proposed.path)
    assert "They are asked first" in page.words
    await desk.trial.answer(claim, LineEvent.REJECTED)
    answer = await second.send(f"{proposed.path}/agree", agreeing(page))
    assert answer.status == 409
    assert "It has changed since you looked at it" in answer.words
    assert await desk.trial.states() == [S.REJECTED]
    assert "Agreed. Order RX7001: given to" in (await agree(second, proposed)).words


async def test_what_was_sent_again_since_it_was_proposed_is_proposed_anew(desk: Desk) -> None:
    await desk.trial.post(S01)
    await desk.trial.send(TryLater(reason="away"))
    assert await desk.trial.states() == [S.UNDELIVERABLE]
    proposed = await propose(desk, desk.person())
    await desk.person(name="q.two").act(await desk.page_of("send-again"), reason="They are back.")
    await desk.trial.send(Taken())
    second = desk.person(Role.CHIEF_PHARMACIST, name="c.two")
    page = await second.read(proposed.path)
    assert "It was sent to a provider again since." in page.words
    answer = await second.send(f"{proposed.path}/agree", [("csrf", page.hidden("csrf")[0])])
    assert "An item of the checklist is open." in answer.words
    assert await desk.trial.states() == [S.WITH_PROVIDER]


async def test_two_who_agree_at_once_move_it_once(desk: Desk) -> None:
    await rejected(desk)
    proposed = await propose(desk, desk.person())
    await agree(desk.person(name="q.two"), proposed)
    third = desk.person(Role.CHIEF_PHARMACIST, name="c.three")
    page = await third.read(proposed.path)
    assert "Agreed by a second person, and carried out" in page.words
    late = await third.send(f"{proposed.path}/agree", [("csrf", await token(third))])
    assert "q.two has agreed to it already" in late.words
    assert await desk.trial.states() == [S.READY]


async def token(person: Person) -> str:
    page = await person.read("/console/waiting")
    found = page.body.partition('name="csrf" value="')[2]
    return found.partition('"')[0]


async def test_it_lapses(desk: Desk) -> None:
    await rejected(desk)
    proposed = await propose(desk, desk.person())
    desk.trial.now += timedelta(hours=25)
    page = await desk.person(name="q.two").read(proposed.path)
    assert "Lapsed: nobody agreed in time" in page.words
    assert "Agree, and do it now" not in page.words


async def test_whoever_changes_their_mind_withdraws_it_with_a_reason(desk: Desk) -> None:
    await rejected(desk)
    person = desk.person()
    proposed = await propose(desk, person)
    form = [("csrf", proposed.hidden("csrf")[0])]
    missing = await person.send(f"{proposed.path}/withdraw", form)
    assert missing.status == 422
    assert await audited(desk.trial.world.enquiries, "withdraw") == ["withdraw: nothing was done"]
    gone = await person.send(f"{proposed.path}/withdraw", [*form, ("reason", "They stay open.")])
    assert "Withdrawn. Nothing has moved." in gone.words
    assert await desk.trial.states() == [S.REJECTED]


async def test_a_store_that_goes_away_in_between_leaves_it_said_that_nobody_knows(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    await rejected(desk)
    proposed = await propose(desk, desk.person())

    async def away(*_: object) -> None:
        raise Unavailable("away")

    monkeypatch.setattr(Rerouting, "carry_out", away)
    answer = await agree(desk.person(name="q.two"), proposed)
    assert "It is not known if it was carried out." in answer.words
    assert "not known if it was carried out" in (await desk.person(name="c.two").read("/console/waiting")).words


async def test_what_is_in_doubt_is_asked_back_and_never_sent_elsewhere_at_once(desk: Desk) -> None:
    await desk.trial.post(S01)
    await desk.trial.send(InDoubt(reason="no answer"))
    proposed = await propose(desk, desk.person())
    done = await agree(desk.person(name="q.two"), proposed)
    assert "was asked to give it up" in done.words
    assert await desk.trial.states() == [S.UNCERTAIN]
