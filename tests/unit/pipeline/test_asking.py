"""What a person asks at the console goes the way of the trust's own message, with a real store and real keys."""

import asyncio
import json
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from gateway.destination import InDoubt, Taken, TryLater
from gateway.domain.asking import Answered, AskedFor, Moved, Seen, Wish
from gateway.domain.identifiers import OdsCode
from gateway.domain.lifecycle import Actor, LineEvent, LineState
from gateway.pipeline.asking import Asking
from gateway.ports.callback import Effectiveness
from gateway.sign.verify import verify
from tests.unit.pipeline.test_cancel import Trial, cancel, trial
from tests.unit.pipeline.test_hold import hold
from tests.unit.pipeline.test_pharmacy import two_orders
from tests.unit.pipeline.test_story import S01

__all__ = ["trial"]

RBA = OdsCode("RBA")
A = Answered
S = LineState


class _Clock:
    """The trial's own time."""

    def __init__(self, trial: Trial) -> None:
        self._trial = trial

    def now(self) -> datetime:
        return self._trial.now


def console(trial: Trial) -> Asking:
    world = trial.world
    return Asking(
        store=world.store,
        enquiries=world.enquiries,
        sealer=world.keys.seal(world.around.organisation),
        around=world.around,
        clock=_Clock(trial),
    )


async def wish(trial: Trial, what: AskedFor = AskedFor.CANCEL, *, first: int | None = None) -> Wish:
    """Give what a person wants who looks at the prescription now."""
    (found,) = await trial.world.enquiries.search(tenant=RBA, order_number="RX7001")
    view = await trial.world.enquiries.prescription(found.prescription_id, tenant=RBA)
    assert view is not None
    return Wish(
        what=what,
        tenant=RBA,
        prescription_id=found.prescription_id,
        lines={line.line_id: Seen(state=line.state, epoch=line.epoch) for line in view.lines[:first]},
        by="p.pharmacist",
        actor=Actor.TRUST_PHARMACIST,
        reason="Treatment was stopped.",
        reason_code="0003" if what is AskedFor.CANCEL else "",
    )


async def ask(trial: Trial, wanted: Wish) -> list[Answered]:
    trial.now += timedelta(seconds=1)
    found = await console(trial).ask(wanted)
    assert not isinstance(found, Moved)
    return [one.what for one in found]


async def said(trial: Trial) -> list[tuple[str, str, str]]:
    view = await trial.world.enquiries.prescription((await wish(trial)).prescription_id, tenant=RBA)
    assert view is not None
    return [(event.event, event.actor, event.text) for event in view.events if "console" in event.text]


async def test_what_never_left_is_cancelled_at_once_by_the_person(trial: Trial) -> None:
    await trial.post(S01)
    assert await ask(trial, await wish(trial)) == [A.DONE]
    assert await trial.states() == [S.CANCELLED]
    assert await trial.claims() == []
    ((event, actor, text),) = await said(trial)
    assert (event, actor) == ("cancel", "TPh")
    assert text == "0003; Treatment was stopped.; asked at the console by p.pharmacist; nothing of it ever left"


async def test_what_was_held_is_cancelled_and_its_alert_is_closed_by_the_person(trial: Trial) -> None:
    await trial.post(S01.replace(b"|VNE51^Example Homecare Ltd^ODS|", b"|VZZ99^Nobody^ODS|"))
    assert "line-held" in await trial.alerts()
    assert await ask(trial, await wish(trial)) == [A.DONE]
    assert await trial.states() == [S.CANCELLED]
    assert "line-held" not in await trial.alerts()


@pytest.mark.parametrize("outcome", [Taken(), InDoubt(reason="no answer"), None])
async def test_what_may_have_left_is_asked_and_stays_as_it_is(trial: Trial, outcome: Taken | InDoubt | None) -> None:
    await trial.post(S01)
    await trial.send(outcome)
    before = await trial.states()
    assert await ask(trial, await wish(trial)) == [A.ASKED]
    assert await trial.states() == before


async def test_the_provider_is_sent_the_sealed_cancel_and_its_answer_cancels(trial: Trial) -> None:
    await trial.post(S01)
    await trial.send(Taken())
    await ask(trial, await wish(trial))
    claim = await trial.send(Taken())
    assert verify(claim.octets or b"", trial.world.keys.anchors, now=trial.now, audience="VNE51").ok
    bundle = json.loads(claim.octets or b"")
    (request,) = [one["resource"] for one in bundle["entry"] if one["resource"]["resourceType"] == "MedicationRequest"]
    assert request["status"] == "cancelled"
    assert request["statusReason"]["coding"][0]["code"] == "0003"
    assert (await trial.answer(claim, LineEvent.CANCEL_CONFIRMED)).effect is Effectiveness.APPLIED
    assert await trial.states() == [S.CANCELLED]


async def test_a_double_click_asks_once(trial: Trial) -> None:
    await trial.post(S01)
    await trial.send(Taken())
    wanted = await wish(trial)
    assert await ask(trial, wanted) == [A.ASKED]
    assert await ask(trial, wanted) == [A.BEFORE]
    await trial.send(Taken())
    assert await trial.claims() == []


async def test_two_people_at_once_ask_once(trial: Trial) -> None:
    await trial.post(S01)
    await trial.send(Taken())
    wanted = await wish(trial)
    desk = console(trial)
    found = await asyncio.gather(desk.ask(wanted), desk.ask(replace(wanted, by="q.other")))
    told = [one.what for each in found if not isinstance(each, Moved) for one in each]
    assert sorted(told) == [A.ASKED, A.BEFORE]
    assert len(await trial.claims()) == 1


async def test_a_cancel_that_crosses_the_trusts_own_is_asked_once(trial: Trial) -> None:
    await trial.post(S01)
    await trial.send(Taken())
    wanted = await wish(trial)
    await trial.post(cancel())
    assert await ask(trial, wanted) == [A.BEFORE]
    assert len(await trial.claims()) == 1


@pytest.mark.parametrize("event", [LineEvent.ACCEPTED, LineEvent.REJECTED, LineEvent.DELIVERED])
async def test_where_a_line_moved_since_it_was_seen_nothing_is_done(trial: Trial, event: LineEvent) -> None:
    await trial.post(S01)
    claim = await trial.send(Taken())
    wanted = await wish(trial)
    await trial.answer(claim, event)
    found = await console(trial).ask(wanted)
    assert isinstance(found, Moved)
    assert [one.state for one in found.lines.values()] == await trial.states()
    assert await trial.claims() == []
    assert await said(trial) == []


async def test_a_cancel_that_crosses_an_acknowledgement_in_the_commit_is_not_sent(
    trial: Trial, monkeypatch: pytest.MonkeyPatch
) -> None:
    await trial.post(S01)
    claim = await trial.send(Taken())
    wanted = await wish(trial)
    desk, store = console(trial), trial.world.store
    real = store.ask

    async def overtaken(request: object) -> None:
        await trial.answer(claim, LineEvent.ACCEPTED, "between the look and the commit")
        await real(request)  # type: ignore[arg-type]

    monkeypatch.setattr(store, "ask", overtaken)
    assert isinstance(await desk.ask(wanted), Moved)
    assert await trial.states() == [S.ACCEPTED]
    assert await trial.claims() == []


async def test_of_two_lines_one_is_cancelled_and_the_other_goes_on(trial: Trial) -> None:
    await trial.post(two_orders())
    await trial.send(Taken())
    assert await ask(trial, await wish(trial, first=1)) == [A.ASKED]
    claim = await trial.send(Taken())
    await trial.answer(claim, LineEvent.CANCEL_CONFIRMED)
    assert await trial.states() == [S.CANCELLED, S.WITH_PROVIDER]


async def test_one_of_two_lines_that_are_about_to_leave_together_is_asked_for_behind_them(trial: Trial) -> None:
    await trial.post(two_orders())
    assert await ask(trial, await wish(trial, first=1)) == [A.ASKED]
    assert await trial.states() == [S.READY, S.READY]


async def test_what_would_come_of_it_is_said_and_nothing_done(trial: Trial) -> None:
    await trial.post(S01)
    await trial.send(Taken())
    wanted = await wish(trial)
    found = await console(trial).foresee(wanted)
    assert not isinstance(found, Moved)
    assert [(one.what, one.state) for one in found] == [(A.ASKED, S.WITH_PROVIDER)]
    assert await trial.claims() == []
    assert await said(trial) == []


async def test_a_hold_and_its_release_go_to_the_provider_and_nothing_is_on_hold_before_it_says_so(
    trial: Trial,
) -> None:
    await trial.post(S01)
    await trial.send(Taken())
    assert await ask(trial, await wish(trial, AskedFor.HOLD)) == [A.ASKED]
    assert await trial.states() == [S.WITH_PROVIDER]
    claim = await trial.send(Taken())
    assert verify(claim.octets or b"", trial.world.keys.anchors, now=trial.now, audience="VNE51").ok
    await trial.answer(claim, LineEvent.HOLD_CONFIRMED, "held")
    assert await trial.states() == [S.ON_HOLD]
    assert await ask(trial, await wish(trial, AskedFor.RELEASE)) == [A.ASKED]
    await trial.answer(await trial.send(Taken()), LineEvent.RELEASE_CONFIRMED, "released")
    assert await trial.states() == [S.WITH_PROVIDER]


async def test_what_has_not_left_is_on_hold_at_once_and_released_at_once(trial: Trial) -> None:
    await trial.post(S01)
    assert await ask(trial, await wish(trial, AskedFor.HOLD)) == [A.DONE]
    assert await trial.states() == [S.ON_HOLD]
    assert await trial.claims() == []
    assert await ask(trial, await wish(trial, AskedFor.RELEASE)) == [A.DONE]
    assert await trial.states() == [S.READY]
    assert [actor for _, actor, _ in await said(trial)] == ["TPh", "TPh"]


async def test_a_hold_that_was_asked_by_the_trust_is_not_asked_again(trial: Trial) -> None:
    await trial.post(S01)
    await trial.send(Taken())
    await trial.post(hold())
    assert await ask(trial, await wish(trial, AskedFor.HOLD)) == [A.BEFORE]


async def test_a_provider_whose_system_takes_no_holds_is_to_be_rung(trial: Trial) -> None:
    world = trial.world
    provider = OdsCode("VNE51")
    real = world.around.destinations[provider]

    class Deaf:
        promises = replace(real.promises, holds=False, updates=False)

    await trial.post(S01)
    await trial.send(Taken())
    world.around = replace(world.around, destinations={**world.around.destinations, provider: Deaf()})  # type: ignore[dict-item]
    found = await console(trial).ask(await wish(trial, AskedFor.HOLD))
    assert not isinstance(found, Moved)
    assert [(one.what, "ring them" in one.why) for one in found] == [(A.NOT_POSSIBLE, True)]
    found = await console(trial).ask(await wish(trial))
    assert not isinstance(found, Moved)
    assert [one.what for one in found] == [A.RING]
    assert "cancel-not-sent" in await trial.alerts()


async def test_what_was_supplied_is_told_so_and_nothing_is_asked(trial: Trial) -> None:
    await trial.post(S01)
    claim = await trial.send(Taken())
    for supply in range(6):
        await trial.answer(claim, LineEvent.DELIVERED, f"supply {supply}")
    assert await trial.states() == [S.FULFILLED]
    found = await console(trial).ask(await wish(trial))
    assert not isinstance(found, Moved)
    assert [one.what for one in found] == [A.NOT_POSSIBLE]
    assert await trial.claims() == []


async def test_another_trusts_line_is_as_one_that_does_not_exist(trial: Trial) -> None:
    await trial.post(S01)
    foreign = replace(await wish(trial), tenant=OdsCode("RCB"))
    found = await console(trial).ask(foreign)
    assert isinstance(found, Moved)
    assert not found.lines
    assert await trial.states() == [S.READY]


async def test_an_order_that_could_not_be_sent_is_cancelled_here(trial: Trial) -> None:
    await trial.post(S01)
    (claim,) = await trial.claims()
    assert await trial.world.store.on_wire(claim, now=trial.now)
    await trial.world.store.record(claim, TryLater(reason="away"), now=trial.now, retry_at=None)
    assert await trial.states() == [S.UNDELIVERABLE]
    assert await ask(trial, await wish(trial)) == [A.DONE]
    assert await trial.states() == [S.CANCELLED]
    assert "line-undeliverable" not in await trial.alerts()
