"""Sending again what never left: sealed anew for the same provider, and refused in words where it cannot be."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from gateway.destination import InDoubt, Taken, TryLater
from gateway.domain.identifiers import OdsCode
from gateway.domain.lifecycle import LineState
from gateway.domain.partner import Provider
from gateway.pipeline.again import SendingAgain, SentAgain
from gateway.sign.verify import verify
from tests.unit.pipeline.test_cancel import Trial, cancel, trial
from tests.unit.pipeline.test_pharmacy import orders_in, two_orders
from tests.unit.pipeline.test_story import S01

__all__ = ["trial"]

RBA, VNE51 = OdsCode("RBA"), OdsCode("VNE51")
S = LineState
NOTHING = ("nothing of it waits to be sent: look again",)


class _Clock:
    def __init__(self, trial: Trial) -> None:
        self._trial = trial

    def now(self) -> datetime:
        return self._trial.now


async def again(trial: Trial, providers: Mapping[OdsCode, Provider] | None = None) -> SentAgain:
    world = trial.world
    around = world.around
    if providers is not None:
        around = replace(around, routing=replace(around.routing, providers=providers))
    (found,) = await world.enquiries.search(tenant=RBA, order_number="RX7001")
    sealer = world.keys.seal(around.organisation)
    sending = SendingAgain(
        store=world.store, enquiries=world.enquiries, sealer=sealer, around=around, clock=_Clock(trial)
    )
    return await sending.send(found.prescription_id, tenant=RBA, by="p.one", reason="They are back.")


async def test_it_is_sealed_anew_for_the_same_provider_and_verifies(trial: Trial) -> None:
    await trial.post(S01)
    before = await trial.send(TryLater(reason="away"))
    assert await again(trial) == SentAgain(anew=1)
    claim = await trial.send(Taken())
    assert claim.destination == before.destination == VNE51
    assert verify(claim.octets or b"", trial.world.keys.anchors, now=trial.now, audience="VNE51").ok
    assert await trial.states() == [S.WITH_PROVIDER]
    assert await trial.claims() == []


async def test_what_waits_for_its_next_attempt_goes_now_as_it_was_sealed(trial: Trial) -> None:
    await trial.post(S01)
    (claim,) = await trial.claims()
    assert await trial.world.store.on_wire(claim, now=trial.now)
    later = trial.now + timedelta(hours=1)
    await trial.world.store.record(claim, TryLater(reason="away"), now=trial.now, retry_at=later)
    assert await trial.claims() == []
    assert await again(trial) == SentAgain(at_once=1)
    (once_more,) = await trial.claims()
    assert once_more.octets == claim.octets


async def test_a_line_that_was_cancelled_meanwhile_stays_behind(trial: Trial) -> None:
    await trial.post(two_orders())
    await trial.send(TryLater(reason="away"))
    await trial.post(cancel())
    assert await again(trial) == SentAgain(anew=1)
    claim = await trial.send(Taken())
    assert orders_in(claim.octets or b"") == ["RX7002"]


@pytest.mark.parametrize("outcome", [Taken(), InDoubt(reason="no answer")])
async def test_what_may_have_arrived_is_never_sent_again(trial: Trial, outcome: Taken | InDoubt) -> None:
    await trial.post(S01)
    await trial.send(outcome)
    assert await again(trial) == SentAgain(reasons=NOTHING)
    assert await trial.claims() == []


async def test_a_provider_that_is_no_longer_known_is_sent_nothing(trial: Trial) -> None:
    await trial.post(S01)
    await trial.send(TryLater(reason="away"))
    found = await again(trial, {})
    assert found.reasons == ("its provider is not known and active here: give it to another",)
    assert await trial.states() == [S.UNDELIVERABLE]


async def test_what_has_run_out_is_not_sent_again(trial: Trial) -> None:
    await trial.post(S01)
    await trial.send(TryLater(reason="away"))
    trial.now += timedelta(days=400)
    found = await again(trial)
    assert any("older than 6 months" in one and one.endswith("A new one is needed.") for one in found.reasons)
    assert await trial.states() == [S.UNDELIVERABLE]
