"""Holds and releases, with a real store and real keys: what is on hold at once, what is asked, what never leaves."""

import json
from datetime import timedelta

import pytest

from gateway.destination import InDoubt, Refused, Taken, TryLater
from gateway.domain.identifiers import OdsCode
from gateway.domain.lifecycle import LineEvent, LineState
from gateway.domain.submission import Submission, WireFormat
from gateway.ports.callback import Effectiveness
from gateway.sign.verify import verify
from tests.unit.pipeline.test_cancel import Told, Trial, cancel, trial
from tests.unit.pipeline.test_story import RECEIVED, S01

__all__ = ["trial"]


def hold(control_id: str = "H1", *, number: str = "RX7001", words: str = "blood test awaited") -> bytes:
    body = cancel(control_id, control="HD", number=number)
    return body.replace(b"0001^Prescribing Error^NHSCANCEL", f"^{words}".encode())


def release(control_id: str = "L1", *, number: str = "RX7001") -> bytes:
    return hold(control_id, number=number, words="test is normal").replace(b"ORC|HD|", b"ORC|RL|")


def said(told: Told) -> tuple[str, str, str, list[str]]:
    return (told.msa, told.order, told.status, told.issues)


async def asked(trial: Trial) -> None:
    """Carry an order to its provider, and ask for a hold."""
    await trial.post(S01)
    await trial.send(Taken())
    await trial.post(hold())
    assert await trial.states() == [LineState.WITH_PROVIDER]


async def on_hold(trial: Trial) -> None:
    await asked(trial)
    await trial.answer(await trial.send(Taken()), LineEvent.HOLD_CONFIRMED, "held")
    assert await trial.states() == [LineState.ON_HOLD]


async def test_an_order_that_has_not_left_is_on_hold_at_once_and_leaves_when_it_is_released(trial: Trial) -> None:
    await trial.post(S01)
    assert said(await trial.post(hold())) == ("AA", "HR", "HD", [])
    assert await trial.states() == [LineState.ON_HOLD]
    assert await trial.claims() == []
    assert said(await trial.post(release())) == ("AA", "OR", "SC", [])
    assert await trial.states() == [LineState.READY]
    await trial.send(Taken())
    assert await trial.states() == [LineState.WITH_PROVIDER]


async def test_a_claimed_order_that_is_put_on_hold_may_not_go_on_the_wire_and_is_not_lost(trial: Trial) -> None:
    await trial.post(S01)
    (claim,) = await trial.claims()
    assert (await trial.post(hold())).order == "HR"
    assert not await trial.world.store.on_wire(claim, now=trial.now)
    assert await trial.claims() == []
    await trial.post(release())
    await trial.send(Taken())
    assert await trial.states() == [LineState.WITH_PROVIDER]


@pytest.mark.parametrize("outcome", [Taken(), InDoubt(reason="no answer"), None])
async def test_an_order_that_may_have_left_is_only_asked_for(trial: Trial, outcome: Taken | InDoubt | None) -> None:
    await trial.post(S01)
    await trial.send(outcome)
    before = await trial.states()
    assert said(await trial.post(hold())) == ("AA", "UH", "IP", ["HOLD_PENDING"])
    assert await trial.states() == before


async def test_the_hold_follows_its_order_to_the_same_provider_sealed(trial: Trial) -> None:
    await trial.post(S01)
    order = await trial.send()
    await trial.post(hold())
    assert await trial.claims() == []
    await trial.world.store.record(order, Taken(), now=trial.now, retry_at=None)
    sent = await trial.send(Taken())
    assert sent.octets is not None
    bundle = json.loads(sent.octets)
    header, line = bundle["entry"][0]["resource"], bundle["entry"][1]["resource"]
    assert header["extension"][0]["valueIdentifier"]["value"] == str(order.message_id)
    assert header["reason"]["coding"][0]["code"] == "hold"
    assert (line["status"], line["statusReason"]["text"]) == ("on-hold", "blood test awaited")
    seal = verify(sent.octets, trial.world.keys.anchors, now=trial.now, audience="VNE51")
    assert seal.ok
    assert await trial.states() == [LineState.WITH_PROVIDER]


@pytest.mark.parametrize(
    ("event", "state", "alert"),
    [
        (LineEvent.HOLD_CONFIRMED, LineState.ON_HOLD, None),
        (LineEvent.HOLD_REFUSED, LineState.WITH_PROVIDER, "hold-refused"),
        (LineEvent.REJECTED, LineState.WITH_PROVIDER, "hold-refused"),
        (LineEvent.REFUSED_FORMAT, LineState.WITH_PROVIDER, "hold-refused"),
        (LineEvent.NOT_STORED, LineState.WITH_PROVIDER, "hold-reply-error"),
        (LineEvent.ACCEPTED, LineState.WITH_PROVIDER, None),
        (LineEvent.RELEASE_CONFIRMED, LineState.WITH_PROVIDER, "answer-unexpected"),
        (LineEvent.CANCEL_CONFIRMED, LineState.WITH_PROVIDER, "answer-unexpected"),
    ],
)
async def test_only_the_providers_confirmation_puts_on_hold(
    trial: Trial, event: LineEvent, state: LineState, alert: str | None
) -> None:
    await asked(trial)
    await trial.answer(await trial.send(Taken()), event)
    assert await trial.states() == [state]
    assert await trial.alerts() == ({alert} if alert else set())


async def test_a_hold_nobody_asked_for_moves_nothing(trial: Trial) -> None:
    await trial.post(S01)
    result = await trial.answer(await trial.send(Taken()), LineEvent.HOLD_CONFIRMED)
    assert result.effect is Effectiveness.KEPT
    assert await trial.states() == [LineState.WITH_PROVIDER]
    assert await trial.alerts() == {"answer-unexpected"}


async def test_an_answer_to_the_order_does_not_answer_the_hold(trial: Trial) -> None:
    await trial.post(S01)
    order = await trial.send(Taken())
    await trial.post(hold())
    await trial.send(Taken())
    result = await trial.answer(order, LineEvent.HOLD_CONFIRMED)
    assert result.effect is Effectiveness.KEPT
    assert await trial.states() == [LineState.WITH_PROVIDER]


async def test_a_release_is_only_asked_and_the_line_goes_back_to_where_it_was(trial: Trial) -> None:
    await on_hold(trial)
    assert said(await trial.post(release())) == ("AA", "UR", "HD", ["RELEASE_PENDING"])
    assert await trial.states() == [LineState.ON_HOLD]
    sent = await trial.send(Taken())
    assert sent.octets is not None
    bundle = json.loads(sent.octets)
    assert bundle["entry"][0]["resource"]["reason"]["coding"][0]["code"] == "release"
    assert bundle["entry"][1]["resource"]["status"] == "active"
    assert await trial.states() == [LineState.ON_HOLD]
    await trial.answer(sent, LineEvent.RELEASE_CONFIRMED, "released")
    assert await trial.states() == [LineState.WITH_PROVIDER]


async def test_a_release_the_provider_refuses_leaves_the_line_on_hold(trial: Trial) -> None:
    await on_hold(trial)
    await trial.post(release())
    await trial.answer(await trial.send(Taken()), LineEvent.RELEASE_REFUSED)
    assert await trial.states() == [LineState.ON_HOLD]
    assert await trial.alerts() == {"release-refused"}


async def test_an_acceptance_of_a_line_on_hold_is_what_it_comes_back_to(trial: Trial) -> None:
    await trial.post(S01)
    order = await trial.send(Taken())
    await trial.post(hold())
    await trial.answer(await trial.send(Taken()), LineEvent.HOLD_CONFIRMED, "held")
    await trial.answer(order, LineEvent.ACCEPTED, "accepted")
    assert await trial.states() == [LineState.ON_HOLD]
    await trial.post(release())
    await trial.answer(await trial.send(Taken()), LineEvent.RELEASE_CONFIRMED, "released")
    assert await trial.states() == [LineState.ACCEPTED]


async def test_a_question_that_was_open_is_open_again_after_the_release(trial: Trial) -> None:
    await trial.post(S01)
    order = await trial.send(Taken())
    await trial.answer(order, LineEvent.QUERIED, "question")
    await trial.post(hold())
    await trial.answer(await trial.send(Taken()), LineEvent.HOLD_CONFIRMED, "held")
    await trial.post(release())
    await trial.answer(await trial.send(Taken()), LineEvent.RELEASE_CONFIRMED, "released")
    assert await trial.states() == [LineState.QUERIED]


async def test_a_hold_before_the_provider_confirmed_the_last_one_is_not_sent_again(trial: Trial) -> None:
    await asked(trial)
    assert said(await trial.post(hold("H2"))) == ("AA", "UH", "IP", ["HOLD_PENDING"])
    assert len(await trial.claims()) == 1


async def test_a_second_hold_of_what_is_on_hold_says_so(trial: Trial) -> None:
    await on_hold(trial)
    assert said(await trial.post(hold("H2"))) == ("AA", "HR", "HD", [])
    assert await trial.claims() == []


async def test_a_line_is_held_released_and_held_again(trial: Trial) -> None:
    await on_hold(trial)
    await trial.post(release())
    await trial.answer(await trial.send(Taken()), LineEvent.RELEASE_CONFIRMED, "released")
    await trial.post(hold("H2"))
    await trial.answer(await trial.send(Taken()), LineEvent.HOLD_CONFIRMED, "held again")
    assert await trial.states() == [LineState.ON_HOLD]


async def test_an_answer_to_an_earlier_hold_does_not_pass_for_one_to_the_later(trial: Trial) -> None:
    await asked(trial)
    first = await trial.send(Taken())
    await trial.answer(first, LineEvent.HOLD_REFUSED, "refused")
    await trial.post(hold("H2"))
    await trial.send(Taken())
    await trial.answer(first, LineEvent.HOLD_CONFIRMED, "late")
    assert await trial.states() == [LineState.WITH_PROVIDER]


async def test_a_release_before_the_hold_is_confirmed_is_asked_behind_it(trial: Trial) -> None:
    await asked(trial)
    assert said(await trial.post(release())) == ("AA", "UR", "HD", ["RELEASE_PENDING"])
    held = await trial.send(Taken())
    released = await trial.send(Taken())
    await trial.answer(released, LineEvent.RELEASE_CONFIRMED, "released")
    late = await trial.answer(held, LineEvent.HOLD_CONFIRMED, "late")
    assert late.effect is Effectiveness.KEPT
    assert await trial.states() == [LineState.WITH_PROVIDER]


@pytest.mark.parametrize("outcome", [Refused(reason="400"), TryLater(reason="503"), InDoubt(reason="cut")])
async def test_a_hold_that_does_not_arrive_is_told_to_a_person(
    trial: Trial, outcome: Refused | TryLater | InDoubt
) -> None:
    await asked(trial)
    await trial.send(outcome)
    assert await trial.states() == [LineState.WITH_PROVIDER]
    assert "hold-not-sent" in await trial.alerts()
    assert (await trial.post(hold("H2"))).order == "UH"
    # one that may have arrived is not asked for twice
    assert len(await trial.claims()) == (0 if isinstance(outcome, InDoubt) else 1)


async def test_an_order_that_turns_out_not_taken_is_put_on_hold_here(trial: Trial) -> None:
    await trial.post(S01)
    claim = await trial.send()
    await trial.post(hold())
    await trial.world.store.record(claim, TryLater(reason="503"), now=trial.now, retry_at=None)
    assert await trial.states() == [LineState.ON_HOLD]
    assert await trial.claims() == []
    assert said(await trial.post(release())) == ("AA", "OR", "SC", [])
    await trial.send(Taken())
    assert await trial.states() == [LineState.WITH_PROVIDER]
    assert await trial.claims() == []


async def test_an_order_on_hold_that_has_not_left_is_cancelled_at_once(trial: Trial) -> None:
    await trial.post(S01)
    await trial.post(hold())
    assert said(await trial.post(cancel())) == ("AA", "CR", "CA", [])
    assert await trial.states() == [LineState.CANCELLED]
    assert await trial.claims() == []


async def test_an_order_on_hold_at_its_provider_is_cancelled_by_the_provider_alone(trial: Trial) -> None:
    await on_hold(trial)
    assert (await trial.post(cancel())).order == "UC"
    assert await trial.states() == [LineState.ON_HOLD]
    await trial.answer(await trial.send(Taken()), LineEvent.CANCEL_CONFIRMED, "cancelled")
    assert await trial.states() == [LineState.CANCELLED]


async def test_a_hold_that_was_asked_means_nothing_once_the_order_is_cancelled(trial: Trial) -> None:
    await trial.post(S01)
    await trial.send(Taken())
    await trial.post(hold())
    await trial.post(cancel())
    claims = {claim.id: claim for claim in await trial.claims()}
    hold_claim, cancel_claim = (claims[key] for key in sorted(claims))
    assert await trial.world.store.on_wire(cancel_claim, now=trial.now)
    await trial.answer(cancel_claim, LineEvent.CANCEL_CONFIRMED, "cancelled")
    assert await trial.states() == [LineState.CANCELLED]
    assert not await trial.world.store.on_wire(hold_claim, now=trial.now)


async def test_a_hold_while_a_cancel_is_under_way_is_refused(trial: Trial) -> None:
    await trial.post(S01)
    await trial.send(Taken())
    await trial.post(cancel())
    assert said(await trial.post(hold())) == ("AE", "UH", "", ["HOLD_NOT_POSSIBLE"])


async def test_a_supply_of_a_line_on_hold_is_an_incident_and_moves_nothing(trial: Trial) -> None:
    await trial.post(S01)
    order = await trial.send(Taken())
    await trial.post(hold())
    await trial.answer(await trial.send(Taken()), LineEvent.HOLD_CONFIRMED, "held")
    await trial.answer(order, LineEvent.DISPENSED, "dispensed")
    assert await trial.states() == [LineState.ON_HOLD]
    assert await trial.alerts() == {"safety-incident"}


async def test_a_line_on_hold_that_its_provider_rejects_is_given_back(trial: Trial) -> None:
    await trial.post(S01)
    order = await trial.send(Taken())
    await trial.post(hold())
    await trial.answer(await trial.send(Taken()), LineEvent.HOLD_CONFIRMED, "held")
    await trial.answer(order, LineEvent.REJECTED, "rejected")
    assert await trial.states() == [LineState.RETURNED]


@pytest.mark.parametrize("control", [hold, release])
async def test_an_order_that_is_not_known_is_neither_held_nor_released(trial: Trial, control: object) -> None:
    assert callable(control)
    told = await trial.post(control())
    assert (told.msa, told.order, told.issues) == ("AE", "UH" if control is hold else "UR", ["ORDER_UNKNOWN"])


async def test_an_order_that_is_not_on_hold_is_not_released(trial: Trial) -> None:
    await trial.post(S01)
    assert said(await trial.post(release())) == ("AE", "UR", "", ["RELEASE_NOT_POSSIBLE"])
    assert await trial.states() == [LineState.READY]


async def test_an_order_that_is_held_for_correction_is_not_put_on_hold(trial: Trial) -> None:
    await trial.post(S01.replace(b"|VNE51^Example Homecare Ltd^ODS|", b"|VZZ99^Nobody^ODS|"))
    assert said(await trial.post(hold())) == ("AE", "UH", "", ["HOLD_NOT_POSSIBLE"])


async def test_an_order_whose_time_is_over_is_not_released(trial: Trial) -> None:
    await trial.post(S01)
    await trial.post(hold())
    late = Submission(
        tenant=OdsCode("RBA"),
        format=WireFormat.HL7V2,
        body=release(),
        received_at=RECEIVED + timedelta(days=400),
    )
    answer = await trial.world.pipeline.receive(late)
    assert b"\rORC|UR|" in (answer.later or answer.body)
    assert b"^EXPIRED" in (answer.later or answer.body) or b"|EXPIRED" in (answer.later or answer.body)
    assert await trial.states() == [LineState.ON_HOLD]


async def test_another_patients_order_is_not_put_on_hold(trial: Trial) -> None:
    await trial.post(S01)
    told = await trial.post(hold().replace(b"9990000077", b"9990000212"))
    assert (told.msa, told.order, told.issues) == ("AE", "UH", ["GROUP_PATIENT_MISMATCH"])
    assert await trial.states() == [LineState.READY]


async def test_a_request_without_an_answer_is_overdue_whatever_else_the_provider_says(trial: Trial) -> None:
    await trial.post(S01)
    order = await trial.send(Taken())
    await trial.post(hold())
    await trial.send(Taken())
    await trial.answer(order, LineEvent.ACCEPTED, "accepted")
    soon = await trial.world.enquiries.overdue(now=RECEIVED + timedelta(hours=1))
    assert [one.asked for one in soon] == []
    late = await trial.world.enquiries.overdue(now=RECEIVED + timedelta(hours=2, minutes=1))
    assert [(one.asked, one.holder, one.state) for one in late] == [("hold", "provider", LineState.ACCEPTED)]
    (one,) = late
    kind, at = f"{one.asked}-overdue", RECEIVED + timedelta(hours=3)
    subject = str(one.line_id)
    await trial.world.store.open_alert(kind=kind, subject=subject, line_id=one.line_id, now=at, text="NOT on hold")
    assert [one.asked for one in await trial.world.enquiries.overdue(now=at)] == []


async def test_a_cancel_without_an_answer_is_overdue_whatever_else_the_provider_says(trial: Trial) -> None:
    await trial.post(S01)
    order = await trial.send(Taken())
    await trial.post(cancel())
    await trial.send(Taken())
    await trial.answer(order, LineEvent.ACCEPTED, "accepted")
    late = await trial.world.enquiries.overdue(now=RECEIVED + timedelta(hours=2, minutes=1))
    assert [(one.asked, one.state) for one in late] == [("cancel", LineState.ACCEPTED)]
