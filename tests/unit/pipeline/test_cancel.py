"""Cancels and changes, with a real store and real keys: what is cancelled, what is only asked, what never leaves."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from adapters.fhir_push.outcomes import cancel_verdict
from gateway.destination import InDoubt, Refused, Taken, TryLater
from gateway.domain.acknowledgement import Acknowledgement, LineReport
from gateway.domain.identifiers import OdsCode
from gateway.domain.lifecycle import LineEvent, LineState
from gateway.ports.callback import Callback, CallbackResult, Effectiveness
from gateway.ports.work import Claim
from gateway.sign.verify import verify
from tests.unit.pipeline.test_story import GOLDEN, RECEIVED, S01, World, make

PROVIDER = OdsCode("VNE51")
S06 = (GOLDEN / "hl7v2/S06.hl7").read_bytes()
PID = S01.split(b"\r")[1]


def cancel(control_id: str = "C1", *, control: str = "CA", number: str = "RX7001", reason: str = "0001") -> bytes:
    msh = S01.split(b"\r")[0].replace(b"S01-0001", control_id.encode())
    orc = f"ORC|{control}|{number}^RBA||GRP7001^RBA|||||20261005091400+0100|||||||{reason}^Prescribing Error^NHSCANCEL"
    return b"\r".join([msh, PID, orc.encode(), b""])


@dataclass
class Told:
    """An application answer, taken apart."""

    msa: str
    order: str
    status: str
    issues: list[str]
    words: str = ""


class Trial:
    """A world, and one order in it."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.now = RECEIVED

    async def post(self, body: bytes) -> Told:
        answer = await self.world.post(body)
        lines = [line.split("|") for line in (answer.later or answer.body).decode().split("\r")]
        orc = [*next((line for line in lines if line[0] == "ORC"), []), "", "", "", "", "", ""]
        issues = [line[5].split("^")[0] for line in lines if line[0] == "ERR"]
        words = (answer.later or answer.body).decode()
        return Told(next(line[1] for line in lines if line[0] == "MSA"), orc[1], orc[5], issues, words)

    async def claims(self) -> list[Claim]:
        self.now += timedelta(seconds=1)
        room = {PROVIDER: 100}
        return await self.world.store.claim(worker="w", now=self.now, lease_seconds=60, room=room)

    async def send(self, outcome: Taken | Refused | TryLater | InDoubt | None = None) -> Claim:
        (claim,) = await self.claims()
        assert await self.world.store.on_wire(claim, now=self.now)
        if outcome is not None:
            await self.world.store.record(claim, outcome, now=self.now, retry_at=None)
        return claim

    async def answer(
        self, claim: Claim, event: LineEvent, name: str = "a1", *, issue: int | None = None
    ) -> CallbackResult:
        body = json.dumps([name, event]).encode()
        callback = Callback(destination=PROVIDER, received_at=self.now, content_type="application/json", body=body)
        report = LineReport(line_id=None, event=event, issue=issue)
        said = Acknowledgement(id=name, correlation=claim.message_id, reports=(report,))
        return await self.world.store.acknowledge(callback, said, ())

    async def states(self) -> list[LineState]:
        found = await self.world.enquiries.search(tenant=OdsCode("RBA"), order_number="RX7001")
        views = [await self.world.enquiries.prescription(one.prescription_id, tenant=None) for one in found]
        return [line.state for view in views if view for line in view.lines]

    async def alerts(self) -> set[str]:
        return {alert.kind for alert in await self.world.enquiries.open_alerts(tenant=None, limit=100)}


@pytest.fixture
async def trial(tmp_path: Path) -> AsyncIterator[Trial]:
    world = make(tmp_path)
    yield Trial(world)
    await world.store.close()
    await world.enquiries.close()


async def test_an_order_that_has_not_left_is_cancelled_and_never_leaves(trial: Trial) -> None:
    await trial.post(S01)
    told = await trial.post(cancel())
    assert (told.msa, told.order, told.status, told.issues) == ("AA", "CR", "CA", [])
    assert await trial.states() == [LineState.CANCELLED]
    assert await trial.claims() == []


async def test_a_claimed_order_that_is_cancelled_may_not_go_on_the_wire(trial: Trial) -> None:
    await trial.post(S01)
    (claim,) = await trial.claims()
    assert (await trial.post(cancel())).order == "CR"
    assert not await trial.world.store.on_wire(claim, now=trial.now)


async def test_a_held_order_is_cancelled(trial: Trial) -> None:
    await trial.post(S01.replace(b"|VNE51^Example Homecare Ltd^ODS|", b"|VZZ99^Nobody^ODS|"))
    assert await trial.states() == [LineState.HELD]
    assert (await trial.post(cancel())).order == "CR"
    assert await trial.states() == [LineState.CANCELLED]


@pytest.mark.parametrize("outcome", [Taken(), InDoubt(reason="no answer"), None])
async def test_an_order_that_may_have_left_is_only_asked_for(trial: Trial, outcome: Taken | InDoubt | None) -> None:
    await trial.post(S01)
    await trial.send(outcome)
    before = await trial.states()
    told = await trial.post(cancel(control="DC"))
    assert (told.msa, told.order, told.status, told.issues) == ("AA", "UD", "IP", ["CANCEL_PENDING"])
    assert await trial.states() == before


async def test_the_cancel_follows_its_order_to_the_same_provider_sealed(trial: Trial) -> None:
    await trial.post(S01)
    order = await trial.send()
    await trial.post(cancel())
    assert await trial.claims() == []
    await trial.world.store.record(order, Taken(), now=trial.now, retry_at=None)
    sent = await trial.send(Taken())
    assert sent.octets is not None
    bundle = json.loads(sent.octets)
    header, line = bundle["entry"][0]["resource"], bundle["entry"][1]["resource"]
    assert header["extension"][0]["valueIdentifier"]["value"] == str(order.message_id)
    assert (line["status"], line["statusReason"]["coding"][0]["code"]) == ("cancelled", "0001")
    assert verify(sent.octets, trial.world.keys.anchors, now=trial.now, audience="VNE51").ok
    assert await trial.states() == [LineState.WITH_PROVIDER]


async def test_a_cancel_that_a_restore_lost_is_another_message_when_it_is_asked_again(tmp_path: Path) -> None:
    """To the same message again a provider that recognises repeats would say nothing, and nothing confirm it."""
    orders, cancels = set(), set()
    for life in ("lost", "restored"):
        (tmp_path / life).mkdir()
        trial = Trial(make(tmp_path / life))
        await trial.post(S01)
        orders.add((await trial.send(Taken())).message_id)
        await trial.world.post(cancel(), at=RECEIVED + timedelta(hours=len(cancels)))
        cancels.add((await trial.send(Taken())).message_id)
        await trial.world.store.close()
        await trial.world.enquiries.close()
    assert (len(orders), len(cancels)) == (1, 2)


@pytest.mark.parametrize(
    ("event", "state", "alert"),
    [
        (LineEvent.CANCEL_CONFIRMED, LineState.CANCELLED, None),
        (LineEvent.CANCEL_PENDING, LineState.WITH_PROVIDER, "cancel-pending"),
        (LineEvent.CANCEL_TOO_LATE, LineState.WITH_PROVIDER, "cancel-too-late"),
        (LineEvent.CANCEL_UNKNOWN, LineState.WITH_PROVIDER, "cancel-unknown"),
        (LineEvent.CANCEL_BY_OTHER, LineState.WITH_PROVIDER, "cancel-by-other"),
        (LineEvent.CANCEL_REPLY_ERROR, LineState.WITH_PROVIDER, "cancel-reply-error"),
        (LineEvent.ACCEPTED, LineState.WITH_PROVIDER, None),
        (LineEvent.REJECTED, LineState.WITH_PROVIDER, "cancel-reply-error"),
        (LineEvent.REFUSED_FORMAT, LineState.WITH_PROVIDER, "cancel-reply-error"),
    ],
)
async def test_only_the_providers_confirmation_cancels(
    trial: Trial, event: LineEvent, state: LineState, alert: str | None
) -> None:
    await trial.post(S01)
    await trial.send(Taken())
    await trial.post(cancel())
    await trial.answer(await trial.send(Taken()), event)
    assert await trial.states() == [state]
    assert await trial.alerts() == ({alert} if alert else set())


async def test_a_verdict_in_the_response_itself_is_followed(trial: Trial) -> None:
    await trial.post(S01)
    await trial.send(Taken())
    await trial.post(cancel())
    (claim,) = await trial.claims()
    assert claim.octets is not None
    assert await trial.world.store.on_wire(claim, now=trial.now)
    coding = {"system": "https://fhir.nhs.uk/CodeSystem/medicationrequest-status-history", "code": "R-0008"}
    issue = {"severity": "error", "code": "not-found", "details": {"coding": [coding]}}
    body = json.dumps({"resourceType": "OperationOutcome", "issue": [issue]}).encode()
    verdict = cancel_verdict(body, claim.octets, claim.message_id)
    taken = Taken(evidence=body, acknowledgement=verdict)
    await trial.world.store.record(claim, taken, now=trial.now, retry_at=None)
    assert await trial.states() == [LineState.WITH_PROVIDER]
    assert await trial.alerts() == {"cancel-unknown"}


async def test_a_pending_cancel_is_confirmed_later(trial: Trial) -> None:
    await trial.post(S01)
    await trial.send(Taken())
    await trial.post(cancel())
    sent = await trial.send(Taken())
    await trial.answer(sent, LineEvent.CANCEL_PENDING, "a1")
    result = await trial.answer(sent, LineEvent.CANCEL_CONFIRMED, "a2")
    assert result.effect is Effectiveness.APPLIED
    assert await trial.states() == [LineState.CANCELLED]


async def test_a_confirmation_of_a_cancel_nobody_asked_for_moves_nothing(trial: Trial) -> None:
    await trial.post(S01)
    result = await trial.answer(await trial.send(Taken()), LineEvent.CANCEL_CONFIRMED)
    assert result.effect is Effectiveness.KEPT
    assert await trial.states() == [LineState.WITH_PROVIDER]
    assert await trial.alerts() == {"answer-unexpected"}


async def test_a_supply_after_a_confirmed_cancel_is_an_incident(trial: Trial) -> None:
    await trial.post(S01)
    order = await trial.send(Taken())
    await trial.post(cancel())
    await trial.answer(await trial.send(Taken()), LineEvent.CANCEL_CONFIRMED)
    await trial.answer(order, LineEvent.DISPENSED, "a2")
    assert await trial.states() == [LineState.CANCELLED]
    assert "safety-incident" in await trial.alerts()


async def test_an_order_that_turns_out_not_taken_is_cancelled_here(trial: Trial) -> None:
    await trial.post(S01)
    claim = await trial.send()
    await trial.post(cancel())
    await trial.world.store.record(claim, TryLater(reason="503"), now=trial.now, retry_at=trial.now)
    assert await trial.states() == [LineState.CANCELLED]
    assert await trial.claims() == []


async def test_an_order_the_provider_rejects_meanwhile_is_cancelled(trial: Trial) -> None:
    await trial.post(S01)
    order = await trial.send(Taken())
    await trial.post(cancel())
    await trial.answer(order, LineEvent.REJECTED)
    assert await trial.states() == [LineState.CANCELLED]


async def test_an_order_of_which_the_provider_will_supply_nothing_more_is_cancelled_and_one_issue_does_not_do(
    trial: Trial,
) -> None:
    await trial.post(S01)
    order = await trial.send(Taken())
    await trial.answer(order, LineEvent.ACCEPTED)
    await trial.post(cancel())
    await trial.send(Taken())
    await trial.answer(order, LineEvent.NOT_SUPPLIED, "a2", issue=1)
    assert await trial.states() == [LineState.ACCEPTED]
    await trial.answer(order, LineEvent.NOT_SUPPLIED, "a3")
    assert await trial.states() == [LineState.CANCELLED]
    assert (await trial.post(cancel("C2"))).order == "CR"


@pytest.mark.parametrize("outcome", [Refused(reason="400"), TryLater(reason="503"), InDoubt(reason="cut")])
async def test_a_cancel_that_does_not_arrive_is_told_to_a_person(
    trial: Trial, outcome: Refused | TryLater | InDoubt
) -> None:
    await trial.post(S01)
    await trial.send(Taken())
    await trial.post(cancel())
    await trial.send(outcome)
    assert await trial.states() == [LineState.WITH_PROVIDER]
    assert "cancel-not-sent" in await trial.alerts()
    (found,) = await trial.world.enquiries.by_control_id("S01-0001", tenant=OdsCode("RBA"))
    again = trial.world.store.resend(found.prescription_id, by="anna", reason="They are back.", now=trial.now)
    assert await again == 1
    assert "cancel-not-sent" not in await trial.alerts()
    sent = await trial.send(Taken())
    assert sent.attempt == 2
    assert await trial.states() == [LineState.WITH_PROVIDER]


async def test_a_second_cancel_is_answered_again_and_sent_once(trial: Trial) -> None:
    await trial.post(S01)
    await trial.send(Taken())
    assert (await trial.post(cancel("C1"))).order == "UC"
    assert (await trial.post(cancel("C2"))).order == "UC"
    assert len(await trial.claims()) == 1


async def test_a_cancel_that_was_too_late_does_not_say_that_what_is_left_was_supplied(trial: Trial) -> None:
    await trial.post(S01)
    order = await trial.send(Taken())
    await trial.post(cancel("C1"))
    await trial.answer(await trial.send(Taken()), LineEvent.CANCEL_TOO_LATE)
    goes_on = "It was too late to cancel, and the order goes on (arrived, not accepted). Ring the provider: it can"
    assert goes_on in (await trial.post(cancel("C2"))).words
    for supply in range(6):
        await trial.answer(order, LineEvent.DELIVERED, f"d{supply}")
    assert await trial.states() == [LineState.FULFILLED]
    assert "The order is supplied (all supplies made); it can no longer" in (await trial.post(cancel("C3"))).words


async def test_after_a_cancel_that_was_too_late_what_is_given_back_is_no_longer_said_to_go_on(trial: Trial) -> None:
    await trial.post(S01)
    order = await trial.send(Taken())
    await trial.answer(order, LineEvent.ACCEPTED)
    await trial.post(cancel("C1"))
    await trial.answer(await trial.send(Taken()), LineEvent.CANCEL_TOO_LATE, "a2")
    await trial.answer(order, LineEvent.RETURNED, "a3")
    words = (await trial.post(cancel("C2"))).words
    assert "what was left is given back (returned by provider): nobody will supply it" in words
    assert "goes on" not in words


async def test_a_cancel_that_comes_first_is_kept_and_meets_its_order(trial: Trial) -> None:
    told = await trial.post(cancel())
    assert (told.msa, told.order, told.status, told.issues) == ("AA", "UC", "ER", ["CANCEL_ORDER_UNKNOWN"])
    await trial.post(S01)
    assert await trial.states() == [LineState.CANCELLED]
    assert await trial.claims() == []
    assert await trial.alerts() == {"cancel-order-unknown", "cancelled-on-arrival"}


async def test_another_patients_order_is_not_cancelled(trial: Trial) -> None:
    await trial.post(S01)
    told = await trial.post(cancel().replace(b"9990000077", b"9990000212"))
    assert (told.msa, told.order, told.issues) == ("AE", "UC", ["GROUP_PATIENT_MISMATCH"])
    assert await trial.states() == [LineState.READY]


async def test_another_medicine_than_the_cancel_names_is_not_cancelled(trial: Trial) -> None:
    await trial.post(S01)
    told = await trial.post(cancel() + b"RXO|317972000^Furosemide 40mg tablets^SCT\r")
    assert (told.msa, told.issues) == ("AE", ["ORDER_UNKNOWN"])
    assert await trial.states() == [LineState.READY]


async def test_a_reason_without_a_code_does_not_stop_the_cancel(trial: Trial) -> None:
    await trial.post(S01)
    told = await trial.post(cancel(reason="WRONG"))
    assert (told.order, told.issues) == ("CR", ["CANCEL_REASON_UNMAPPED"])


async def test_a_reason_in_words_alone_reaches_the_provider(trial: Trial) -> None:
    await trial.post(S01)
    await trial.send(Taken())
    told = await trial.post(cancel(reason="^Moved to intravenous treatment"))
    assert (told.order, sorted(told.issues)) == ("UC", ["CANCEL_PENDING", "CANCEL_REASON_UNMAPPED"])
    (claim,) = await trial.claims()
    assert claim.octets is not None
    assert b'"statusReason":{"text":"Moved to intravenous treatment"}' in claim.octets


async def test_a_change_of_what_has_not_left_sends_the_new_order_only(trial: Trial) -> None:
    await trial.post(S01)
    told = await trial.post(S06)
    assert (told.msa, told.order, told.issues) == ("AA", "XR", [])
    assert sorted(await trial.states()) == [LineState.READY, LineState.SUPERSEDED]
    (claim,) = await trial.claims()
    assert claim.octets is not None
    assert b'"priorPrescription"' in claim.octets


async def test_a_change_waits_until_the_old_order_is_confirmed_cancelled(trial: Trial) -> None:
    await trial.post(S01)
    await trial.send(Taken())
    told = await trial.post(S06)
    assert (told.msa, told.order, told.status, told.issues) == ("AA", "UX", "IP", ["CANCEL_PENDING"])
    sent = await trial.send(Taken())
    assert await trial.claims() == []
    await trial.answer(sent, LineEvent.CANCEL_CONFIRMED)
    assert sorted(await trial.states()) == [LineState.READY, LineState.SUPERSEDED]
    assert (await trial.send()).octets is not None


async def test_a_change_that_comes_too_late_is_not_sent(trial: Trial) -> None:
    await trial.post(S01)
    await trial.send(Taken())
    await trial.post(S06)
    await trial.answer(await trial.send(Taken()), LineEvent.CANCEL_TOO_LATE)
    assert await trial.claims() == []


async def test_a_change_that_is_held_leaves_the_old_order_in_force(trial: Trial) -> None:
    await trial.post(S01)
    await trial.post(S06.replace(b"|VNE51^Example Homecare Ltd^ODS|", b"|VZZ99^Nobody^ODS|"))
    assert sorted(await trial.states()) == [LineState.HELD, LineState.READY]
    told = await trial.post(S06.replace(b"S06-0001", b"S06-0002"))
    assert told.order == "XR"
    assert sorted(await trial.states()) == [LineState.READY, LineState.SUPERSEDED, LineState.SUPERSEDED]


async def test_a_change_of_an_order_that_is_not_known_is_refused(trial: Trial) -> None:
    told = await trial.post(S06)
    assert (told.msa, told.order, told.issues) == ("AE", "UX", ["ORDER_UNKNOWN"])
    assert await trial.states() == []


async def test_rp_and_ro_name_the_old_order_and_the_new(trial: Trial) -> None:
    await trial.post(S01)
    orc = next(line for line in S06.split(b"\r") if line.startswith(b"ORC"))
    old, new = orc.replace(b"|XO|", b"|RP|"), orc.replace(b"|XO|RX7001", b"|RO|RX7001B")
    told = await trial.post(S06.replace(orc, old + b"\r" + new))
    assert (told.msa, told.order, told.issues) == ("AA", "RQ", [])
    assert await trial.states() == [LineState.SUPERSEDED]
