"""The pages of acts, over a real store: what they say first, what they do, and what they say of it afterwards."""

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from gateway.access.roles import Role
from gateway.console.acting.acts import ACTS
from gateway.console.acting.offered import ActName
from gateway.console.entering.session import Visit
from gateway.destination import InDoubt, Taken, TryLater
from gateway.domain.acts import Act
from gateway.domain.errors import Unavailable
from gateway.domain.identifiers import OdsCode
from gateway.domain.lifecycle import LineEvent, LineState
from gateway.domain.partner import SignaturePolicy
from gateway.enquiries import WATCH
from gateway.pipeline.asking import Asking
from gateway.watch import Watch
from tests.unit.console.act_desk import Desk, audited, opened
from tests.unit.pipeline.test_cancel import S06
from tests.unit.pipeline.test_pharmacy import two_orders
from tests.unit.pipeline.test_story import S01

S = LineState
NASTY = '<script>alert("x")</script>\u202egnp.exe'


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with opened(tmp_path) as made:
        yield made


async def sent(desk: Desk, outcome: Taken | InDoubt | None = None) -> None:
    await desk.trial.post(S01)
    await desk.trial.send(outcome or Taken())


CANCEL = {"code": "0003", "reason": "Treatment was stopped."}


async def test_a_cancel_says_first_that_nothing_is_cancelled_until_the_provider_confirms(desk: Desk) -> None:
    await sent(desk)
    page = await desk.person().read(await desk.page_of("cancel"))
    assert page.status == 200
    assert "Nothing is cancelled until Example Homecare Ltd (VNE51) confirms." in page.words
    assert "also ring Example Homecare Ltd (VNE51) and quote RX7001" in page.words
    assert "Ask to cancel the prescription" in page.words
    assert await desk.trial.claims() == []


async def test_a_cancel_is_asked_and_the_next_page_says_not_cancelled_yet(desk: Desk) -> None:
    await sent(desk)
    path = await desk.page_of("cancel")
    page = await desk.person().act(path, **CANCEL)
    assert (page.status, page.path) == (200, f"{path}/result")
    assert "Asked. Not cancelled yet" in page.words
    assert "Cancel asked, not cancelled" in page.words
    assert "Treat it as still active" in page.words
    assert len(await desk.trial.claims()) == 1


async def test_how_many_supplies_were_made_is_said(desk: Desk) -> None:
    await desk.trial.post(S01)
    claim = await desk.trial.send(Taken())
    await desk.trial.answer(claim, LineEvent.DELIVERED)
    page = await desk.person().read(await desk.page_of("cancel"))
    assert "1 of 6 supplies has been made; this asks Example Homecare Ltd (VNE51) to stop the other 5." in page.words


async def test_what_never_left_is_cancelled_and_said_to_be(desk: Desk) -> None:
    await desk.trial.post(S01)
    asked = await desk.person().read(await desk.page_of("cancel"))
    assert ", with Example" not in asked.words
    assert "Provider: " in asked.words
    page = await desk.person().act(await desk.page_of("cancel"), **CANCEL)
    assert "Cancelled, and confirmed" in page.words
    assert await desk.trial.states() == [S.CANCELLED]


async def test_a_double_click_asks_once_and_leads_to_the_same_page(desk: Desk) -> None:
    await sent(desk)
    person, path = desk.person(), await desk.page_of("cancel")
    form = await person.fill(await person.read(path), path, **CANCEL)
    first = await person.send(path, form)
    second = await person.send(path, form)
    assert (first.path, second.path) == (f"{path}/result",) * 2
    assert len(await desk.trial.claims()) == 1


async def test_what_changed_meanwhile_is_shown_in_both_versions_and_nothing_typed_is_lost(desk: Desk) -> None:
    await desk.trial.post(S01)
    claim = await desk.trial.send(Taken())
    person, path = desk.person(), await desk.page_of("cancel")
    form = await person.fill(await person.read(path), path, **CANCEL)
    await desk.trial.answer(claim, LineEvent.REJECTED)
    page = await person.send(path, form)
    assert page.status == 409
    assert "This changed at" in page.words
    assert "Arrived, not accepted" in page.words
    assert "Rejected by provider" in page.words
    assert "Treatment was stopped." in page.body
    assert await desk.trial.states() == [S.REJECTED]
    again = await person.send(path, await person.fill(page, path, **CANCEL))
    assert "Cancelled, and confirmed" in again.words


async def test_the_audit_tells_what_was_tried_and_came_to_nothing_from_what_was_done(desk: Desk) -> None:
    await sent(desk)
    person, path = desk.person(), await desk.page_of("cancel")
    assert (await person.act(path, code="0003", reason="")).status == 422
    page = ["cancel page", "cancel: nothing was done"]
    assert await audited(desk.trial.world.enquiries, "cancel") == page
    await person.act(path, **CANCEL)
    assert await audited(desk.trial.world.enquiries, "cancel") == [*page, "cancel page", "cancel", "cancel result"]


async def test_what_changed_meanwhile_leaves_no_leaf_of_an_act_that_was_done(desk: Desk) -> None:
    await desk.trial.post(S01)
    claim = await desk.trial.send(Taken())
    person, path = desk.person(), await desk.page_of("cancel")
    form = await person.fill(await person.read(path), path, **CANCEL)
    await desk.trial.answer(claim, LineEvent.REJECTED)
    await person.send(path, form)
    assert await audited(desk.trial.world.enquiries, "cancel") == ["cancel page", "cancel: nothing was done"]


async def test_where_it_can_no_longer_be_done_what_was_typed_is_still_shown(desk: Desk) -> None:
    await desk.trial.post(S01)
    person, path = desk.person(), await desk.page_of("cancel")
    form = await person.fill(await person.read(path), path, **CANCEL)
    await desk.person(name="q.two").act(path, **CANCEL)
    page = await person.send(path, form)
    assert page.status == 409
    assert "This cannot be done now. It is cancelled, and that is confirmed." in page.words
    assert "Treatment was stopped." in page.words


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"reason": "x"}, "Choose why it is cancelled"),
        ({"code": "0003"}, "Give a reason"),
        ({"code": "9999", "reason": "x"}, "Choose why it is cancelled"),
        ({"code": "0003", "reason": "y" * 501}, "Use at most 500 characters: these are 501"),
    ],
)
async def test_what_is_not_answered_is_asked_again_with_a_link(desk: Desk, values: dict[str, str], told: str) -> None:
    await sent(desk)
    page = await desk.person().act(await desk.page_of("cancel"), **values)
    assert page.status == 422
    assert "There is a problem" in page.words
    assert page.words.count(told) == 2
    assert "<title>Error: Cancel" in page.body
    assert await desk.trial.claims() == []


async def test_scripts_and_turned_words_stay_words(desk: Desk) -> None:
    await sent(desk)
    page = await desk.person().act(await desk.page_of("cancel"), reason=NASTY)
    assert page.status == 422
    assert NASTY not in page.body
    assert "&lt;script&gt;" in page.body


async def test_of_several_medicines_those_are_meant_that_are_chosen(desk: Desk) -> None:
    await desk.trial.post(two_orders())
    await desk.trial.send(Taken())
    person, path = desk.person(), await desk.page_of("cancel")
    page = await person.read(path)
    assert "Which medicines?" in page.words
    form = await person.fill(page, path, **CANCEL)
    missing = await person.send(path, form)
    assert missing.status == 422
    assert "Choose at least one medicine" in missing.words
    line = page.hidden("seen")[1].split()[0]
    form = [*await person.fill(missing, path, **CANCEL), ("line", line)]
    asked = await person.send(path, form)
    assert asked.words.count("Cancel asked, not cancelled") == 1


async def test_a_store_that_is_away_is_not_taken_for_an_answer(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    await sent(desk)
    person, path = desk.person(), await desk.page_of("cancel")
    form = await person.fill(await person.read(path), path, **CANCEL)

    async def away(_: object) -> None:
        raise Unavailable("away")

    monkeypatch.setattr(desk.trial.world.store, "ask", away)
    page = await person.send(path, form)
    assert page.status == 503
    assert "It is not known if this was done" in page.words
    assert "Check before trying again" in page.words
    assert "quote reference" in page.words
    assert "Treatment was stopped." in page.body
    monkeypatch.undo()
    assert "Asked. Not cancelled yet" in (await person.send(path, await person.fill(page, path, **CANCEL))).words


async def test_what_is_sent_while_the_records_are_away_is_given_back_to_its_own_browser_alone(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    await sent(desk)
    person, path = desk.person(), await desk.page_of("cancel")
    form = await person.fill(await person.read(path), path, **CANCEL)

    async def away(*_: object, **__: object) -> Visit:
        return Visit(away=True)

    monkeypatch.setattr(desk.sessions, "visit", away)
    back = await person.send(path, form)
    assert back.status == 503
    assert "Nothing was done with what you just sent." in back.words
    assert "What you typed Treatment was stopped." in back.words
    assert sorted(form) == sorted(back.form())
    forged = [(name, "forged" if name == "csrf" else value) for name, value in form]
    stranger = await person.send(path, forged)
    assert stranger.status == 503
    assert "just sent" not in stranger.words
    assert "Treatment was stopped." not in stranger.body
    monkeypatch.undo()
    assert "Asked. Not cancelled yet" in (await person.send(path, back.form())).words


@pytest.mark.parametrize("act", [each.name for each in ACTS])
async def test_every_act_has_a_page_that_says_why_or_why_not(desk: Desk, act: ActName) -> None:
    await sent(desk, InDoubt(reason="no answer"))
    page = await desk.person().read(await desk.page_of(act))
    assert page.status == 200
    assert "What will happen" in page.words or "This cannot be done now." in page.words
    assert "None" not in page.words


@pytest.mark.parametrize("act", [each.name for each in ACTS])
async def test_another_trusts_prescription_is_as_one_that_does_not_exist(desk: Desk, act: ActName) -> None:
    await sent(desk)
    stranger = desk.person(tenant=OdsCode("RZA"))
    there = await stranger.read(await desk.page_of(act))
    nowhere = await stranger.read(f"/console/prescriptions/00000000-0000-4000-8000-000000000000/{act}")
    assert (there.status, nowhere.status) == (404, 404)
    assert there.words == nowhere.words


@pytest.mark.parametrize(
    ("role", "act", "status"),
    [
        (Role.PHARMACY_TECHNICIAN, "cancel", 404),
        (Role.PHARMACY_TECHNICIAN, "close", 404),
        (Role.PRESCRIBER, "cancel", 200),
        (Role.PRESCRIBER, "hold", 404),
        (Role.CHIEF_PHARMACIST, "cancel", 404),
    ],
)
async def test_who_may_not_do_it_sees_no_page(desk: Desk, role: Role, act: str, status: int) -> None:
    await sent(desk)
    person = desk.person(role)
    assert (await person.read(await desk.page_of(act))).status == status


async def test_a_prescribers_cancel_is_the_prescribers(desk: Desk) -> None:
    await desk.trial.post(S01)
    await desk.person(Role.PRESCRIBER, name="dr.one").act(await desk.page_of("cancel"), **CANCEL)
    found = await desk.trial.world.enquiries.search(tenant=OdsCode("RBA"), order_number="RX7001")
    view = await desk.trial.world.enquiries.prescription(found[0].prescription_id, tenant=None)
    assert view is not None
    assert [event.actor for event in view.events if event.event == "cancel"] == ["TP"]


async def test_a_hold_and_a_release_are_asked_and_said_to_be(desk: Desk) -> None:
    await sent(desk)
    person = desk.person()
    held = await person.act(await desk.page_of("hold"), code="blood-test", reason="Due Friday.")
    assert "Asked. Not on hold yet" in held.words
    await desk.trial.answer(await desk.trial.send(Taken()), LineEvent.HOLD_CONFIRMED, "held")
    released = await person.act(await desk.page_of("release"), code="blood-test", reason="Normal.")
    assert "Asked. Still on hold" in released.words


async def test_a_provider_that_takes_no_such_message_is_to_be_rung_and_that_is_said_first(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    await sent(desk)
    real = desk.trial.world.around.destinations[OdsCode("VNE51")]
    monkeypatch.setattr(type(real), "promises", replace(real.promises, holds=False, updates=False))
    page = await desk.person().read(await desk.page_of("cancel"))
    assert "No supply has been reported. No message can carry this to Example Homecare Ltd (VNE51)" in page.words
    assert "Not Example Homecare Ltd (VNE51): no message can carry it. You tell them, by telephone." in page.words
    assert "they do not learn of it otherwise" in page.words
    held = await desk.person().read(await desk.page_of("hold"))
    assert "Nothing can be asked from here." in held.words
    assert "takes no holds and releases from here: ring them" in held.words
    assert "<textarea" not in held.body
    assert await desk.trial.claims() == []


async def test_where_nobody_can_say_what_would_come_of_it_the_page_says_what_holds_in_general(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: object) -> None:
        raise Unavailable("the key is away")

    await sent(desk)
    monkeypatch.setattr(Asking, "foresee", away)
    page = await desk.person().read(await desk.page_of("cancel"))
    assert "This asks Example Homecare Ltd (VNE51) to stop all 6." in page.words
    assert "is asked to hold it" in (await desk.person().read(await desk.page_of("hold"))).words


async def test_what_is_in_doubt_is_resolved_by_what_the_provider_stated(desk: Desk) -> None:
    await sent(desk, InDoubt(reason="no answer"))
    page = await desk.person().act(
        await desk.page_of("resolve"), found="with-provider", reason="Ms Example, 10:40, by telephone"
    )
    assert "Logged: Example Homecare Ltd (VNE51) has it." in page.words
    assert await desk.trial.states() == [S.WITH_PROVIDER]


async def test_what_never_arrived_is_sent_again_the_same_bytes(desk: Desk) -> None:
    await desk.trial.post(S01)
    before = await desk.trial.send(InDoubt(reason="no answer"))
    await desk.person().act(await desk.page_of("resolve"), found="never-arrived", reason="Ms Example, 10:40")
    (again,) = await desk.trial.claims()
    assert again.octets == before.octets


async def test_a_question_is_answered_and_the_provider_is_said_not_to_know(desk: Desk) -> None:
    await desk.trial.post(S01)
    claim = await desk.trial.send(Taken())
    await desk.trial.answer(claim, LineEvent.QUERIED)
    person = desk.person()
    page = await person.act(await desk.page_of("answer"), reason="Yes, 10 mg.", told="no")
    assert "does not know it yet: ring them" in page.words
    assert await desk.trial.states() == [S.WITH_PROVIDER]
    assert "answer-not-told" in await desk.trial.alerts()


async def test_tries_that_stored_nothing_do_not_keep_a_person_from_cancelling(desk: Desk) -> None:
    await desk.trial.post(S01)
    person, path = desk.person(), await desk.page_of("cancel")
    form = await person.fill(await person.read(path), path, **CANCEL)
    (claim,) = await desk.trial.claims()
    store, now = desk.trial.world.store, desk.trial.now
    assert await store.on_wire(claim, now=now)
    await store.record(claim, TryLater(reason="away"), now=now, retry_at=now + timedelta(minutes=1))
    assert await desk.trial.states() == [S.READY]
    assert "Cancelled, and confirmed" in (await person.send(path, form)).words


async def test_what_was_stated_of_an_earlier_attempt_is_not_taken_for_a_later_one(desk: Desk) -> None:
    await sent(desk, InDoubt(reason="no answer"))
    slow, quick, path = desk.person(), desk.person(name="q.two"), await desk.page_of("resolve")
    form = await slow.fill(await slow.read(path), path, found="never-arrived", reason="They looked at 10:00.")
    await quick.act(path, found="never-arrived", reason="They looked at 10:01.")
    await desk.trial.send(InDoubt(reason="no answer"))
    assert await desk.trial.states() == [S.UNCERTAIN]
    late = await slow.send(path, form)
    assert late.status == 409
    assert "Not known if it arrived, once more" in late.words
    assert await desk.trial.states() == [S.UNCERTAIN]


async def test_what_was_done_for_some_alone_says_so(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    await desk.trial.post(two_orders())
    await desk.trial.answer(await desk.trial.send(Taken()), LineEvent.REJECTED)
    store, lines = desk.trial.world.store, iter((True, False))
    really = store.close_lines

    async def moved_meanwhile(act: Act) -> tuple[str, ...]:
        return await really(act) if next(lines) else ("it has moved",)

    monkeypatch.setattr(store, "close_lines", moved_meanwhile)
    person, path = desk.person(), await desk.page_of("close")
    page = await person.read(path)
    both = [("line", value.split()[0]) for value in page.hidden("seen")]
    done = await person.send(path, [*await person.fill(page, path, supplied="hospital", reason="They rang."), *both])
    assert "For 1 of 2 alone: Closed." in done.words
    assert sorted(await desk.trial.states()) == [S.CLOSED, S.REJECTED]


async def test_to_close_says_how_the_patient_is_supplied(desk: Desk) -> None:
    await desk.trial.post(S01)
    claim = await desk.trial.send(Taken())
    await desk.trial.answer(claim, LineEvent.REJECTED)
    person = desk.person()
    missing = await person.act(await desk.page_of("close"), reason="Seen in clinic")
    assert "Say how the patient is supplied" in missing.words
    page = await person.act(await desk.page_of("close"), supplied="hospital", reason="Seen in clinic")
    assert "Closed. By the hospital pharmacy." in page.words
    assert await desk.trial.states() == [S.CLOSED]


async def test_what_waits_for_its_providers_word_on_a_cancel_is_not_closed_and_says_why(desk: Desk) -> None:
    await desk.trial.post(S01)
    claim = await desk.trial.send(Taken())
    for said in (LineEvent.REJECTED, LineEvent.ACCEPTED):
        await desk.trial.answer(claim, said)
    person = desk.person()
    asked = await person.act(await desk.page_of("cancel"), **CANCEL)
    assert "not cancelled" in asked.words
    page = await person.act(await desk.page_of("close"), supplied="hospital", reason="Seen in clinic")
    assert "Its cancel waits for the provider's word, which alone can end it." in page.words
    assert await desk.trial.states() == [S.REJECTED]


async def test_what_was_in_doubt_before_it_was_refused_leaves_the_list_when_it_is_closed(desk: Desk) -> None:
    await desk.trial.post(S01)
    claim = await desk.trial.send(InDoubt(reason="no answer"))
    await desk.trial.answer(claim, LineEvent.REJECTED)
    await desk.trial.world.store.beat(WATCH, now=desk.trial.now)
    person = desk.person()
    assert "Needs attention 1" in (await person.read("/console/")).words
    await person.act(await desk.page_of("close"), supplied="hospital", reason="Seen in clinic")
    assert "Needs attention 0" in (await person.read("/console/")).words


async def test_a_supply_made_by_another_is_logged_once(desk: Desk) -> None:
    await desk.trial.post(S01)
    claim = await desk.trial.send(Taken())
    await desk.trial.answer(claim, LineEvent.ACCEPTED)
    person, path = desk.person(), await desk.page_of("rescue")
    page = await person.read(path)
    line = page.hidden("seen")[0].split()[0]
    values = {"issue": f"{line} 2", "link": "dispensary 4711", "told": "no", "reason": "Ran out."}
    made = await person.send(path, await person.fill(page, path, **values))
    assert "Logged: supply 2 was made by another. Example Homecare Ltd (VNE51) does not know it yet" in made.words
    assert f'value="{line} 2"' not in (await person.read(path)).body


async def test_there_is_no_editor_and_the_field_is_named(desk: Desk) -> None:
    await desk.trial.post(S01.replace(b"|VNE51^Example Homecare Ltd^ODS|", b"|VZZ99^Nobody^ODS|"))
    page = await desk.person().read(await desk.page_of("correct"))
    assert "Send a corrected prescription from your system, under the same order number RX7001." in page.words
    assert "Provider: not chosen yet." in page.words
    assert "<textarea" not in page.body.partition("<main")[2]


async def test_a_form_of_an_ended_session_comes_back_to_the_same_person(desk: Desk) -> None:
    await sent(desk)
    person, path = desk.person(), await desk.page_of("cancel")
    form = await person.fill(await person.read(path), path, **CANCEL)
    desk.trial.now += timedelta(hours=2)
    gone = await person.send(path, form)
    assert gone.status == 401
    assert await desk.trial.claims() == []
    back = await desk.person().read(path)
    assert "Treatment was stopped." in back.body
    assert 'value="0003" checked' in back.body
    assert "Treatment was stopped." not in (await desk.person(name="q.two").read(path)).body


async def test_a_change_that_waits_says_for_what_and_who_decides(desk: Desk) -> None:
    await desk.trial.post(S01)
    order = await desk.trial.send(Taken())
    await desk.trial.answer(order, LineEvent.ACCEPTED)
    await desk.trial.post(S06)
    person, path = desk.person(), (await desk.page_of("rule")).removesuffix("/rule")
    page = await person.read(path)
    assert "Next The cancel of the order that it replaces to be confirmed. Then we send it to" in page.words
    assert "nothing of it leaves until the cancel of that one is confirmed. Owner: Whoever has the order" in page.words
    cancel = await desk.trial.send(Taken())
    await desk.trial.answer(cancel, LineEvent.CANCEL_TOO_LATE, "a2")
    page = await person.read(path)
    assert "Next Example Trust (RBA) to decide whether it is sent as well." in page.words
    assert "under Decide the late change on its page, whether it is sent as well. Owner: Example Trust" in page.words
    assert re.search(r"do not ring them\. Quote \S+ to Example Trust \(RBA\)\.", page.words)
    assert f'href="{path}/rule"' in page.body
    row = (await person.read("/console/?reason=ruling")).words
    assert "Changed order waits for a decision." in row
    assert "Decide" in row
    assert "no part of the gateway" not in row + page.words


async def test_what_is_in_doubt_has_no_button_to_send_it_again(desk: Desk) -> None:
    await sent(desk, InDoubt(reason="no answer"))
    page = await desk.person().read(await desk.page_of("resolve"))
    assert "Sent again by mistake, the patient could be supplied twice" in page.words


async def test_an_order_number_is_kept_and_said_not_to_travel(desk: Desk) -> None:
    await sent(desk)
    person = desk.person(Role.PHARMACY_TECHNICIAN, name="t.one")
    path = await desk.page_of("order-number")
    assert "is not sent it: a prescription cannot change once it is sealed." in (await person.read(path)).words
    missing = await person.act(path)
    assert "Give the purchase order number" in missing.words
    page = await person.act(path, number="PO-4711", reason="")
    assert "The order number PO-4711 is kept." in page.words
    assert "PO-4711 was stated by t.one" in (await person.read(path)).words
    assert await desk.trial.claims() == []


async def test_a_paper_original_is_registered_with_its_day_and_who_saw_it(tmp_path: Path) -> None:
    async with opened(tmp_path, signature_policy=SignaturePolicy.PAPER_FOLLOWS) as desk:
        await sent(desk)
        person = desk.person(Role.PHARMACY_TECHNICIAN, name="t.one")
        path = await desk.page_of("paper-original")
        values = {"seen_by": "T Technician, dispensary", "reason": ""}
        for bad, told in (("5 October", "2026-10-05"), ("2999-01-01", "still to come")):
            page = await person.act(path, seen_on=bad, **values)
            assert page.status == 422
            assert told in page.words
            assert "T Technician, dispensary" in page.body
        page = await person.act(path, seen_on="2026-10-05", **values)
        assert "Registered: the paper original was seen on 5 Oct 2026 by T Technician, dispensary." in page.words


async def test_a_paper_that_never_came_is_on_the_list_until_it_is_registered(tmp_path: Path) -> None:
    async with opened(tmp_path, signature_policy=SignaturePolicy.PAPER_FOLLOWS) as desk:
        await sent(desk)
        path = await desk.page_of("paper-original")
        prescription = path.rpartition("/")[0]
        assert "Paper original: Not registered yet. It is to be by " in (await desk.person().read(prescription)).words
        desk.trial.now += timedelta(days=20)
        world = desk.trial.world
        await Watch(enquiries=world.enquiries, store=world.store, clock=_Clock(desk)).sweep()
        person = desk.person(Role.PHARMACY_TECHNICIAN, name="t.one")
        assert "Not registered: overdue" in (await person.read(prescription)).words
        home = await person.read("/console/?reason=paper")
        assert "Paper original not registered" in home.words
        assert f'href="{path}"' in home.body
        await person.act(path, seen_by="T Technician", seen_on="2026-10-05", reason="")
        assert f'href="{path}"' not in (await person.read("/console/?reason=paper")).body
        registered = "Paper original: Registered: seen on 5 Oct 2026 by T Technician. Stated by t.one"
        assert registered in (await person.read(prescription)).words


@dataclass(frozen=True)
class _Clock:
    desk: Desk

    def now(self) -> datetime:
        return self.desk.trial.now


async def test_no_paper_original_is_registered_where_none_follows(desk: Desk) -> None:
    await sent(desk)
    page = await desk.person().read(await desk.page_of("paper-original"))
    assert "No paper original follows this prescription." in page.words


async def test_what_could_not_be_sent_is_sealed_anew_and_sent_again(desk: Desk) -> None:
    await desk.trial.post(S01)
    before = await desk.trial.send(TryLater(reason="away"))
    assert await desk.trial.states() == [S.UNDELIVERABLE]
    person, path = desk.person(), await desk.page_of("send-again")
    assert "Nothing of it ever left. It is sealed anew" in (await person.read(path)).words
    page = await person.act(path, reason="Their system is back.")
    assert "Sending to Example Homecare Ltd (VNE51) begins again. It has not arrived yet." in page.words
    assert await desk.trial.states() == [S.READY]
    claim = await desk.trial.send(Taken())
    assert claim.message_id != before.message_id
    await desk.trial.answer(claim, LineEvent.ACCEPTED)
    assert await desk.trial.states() == [S.ACCEPTED]


async def test_from_doubt_there_is_no_sending_again_and_the_sentence_says_why(desk: Desk) -> None:
    await sent(desk, InDoubt(reason="no answer"))
    person, path = desk.person(), await desk.page_of("send-again")
    page = await person.read(path)
    assert "It is not known if it arrived. Sent again, the patient could be supplied twice." in page.words
    assert "<button" not in page.body.partition("<main")[2].partition("</main>")[0]
    made_up = [("csrf", (await person.read(await desk.page_of("resolve"))).hidden("csrf")[0]), ("reason", "x")]
    made_up += [("seen", value) for value in (await person.read(await desk.page_of("resolve"))).hidden("seen")]
    assert (await person.send(path, made_up)).status == 422
    assert await desk.trial.claims() == []
