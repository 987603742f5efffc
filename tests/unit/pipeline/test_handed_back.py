"""From release to return and withdrawal, in the EPS dialect, with a real store and real keys."""

from typing import Any

import pytest

from adapters.fhir_push import statuses
from gateway.destination import Taken
from gateway.domain.identifiers import OdsCode
from gateway.domain.lifecycle import LineEvent, LineState
from gateway.enquiries import PrescriptionView
from gateway.ports.callback import Callback, CallbackResult, Effectiveness
from gateway.web.release import passed_of
from gateway.wire.strict_json import dumps
from tests.unit.pipeline.test_cancel import PROVIDER, Trial, cancel, trial
from tests.unit.pipeline.test_story import RECEIVED, S01

__all__ = ["trial"]

_FHIR = "application/fhir+json"


async def _view(trial: Trial) -> PrescriptionView:
    (found,) = await trial.world.enquiries.search(tenant=PROVIDER, order_number="RX7001")
    view = await trial.world.enquiries.prescription(found.prescription_id, tenant=PROVIDER)
    assert view is not None
    return view


async def _post(trial: Trial, body: dict[str, Any]) -> CallbackResult:
    callback = Callback(destination=PROVIDER, received_at=RECEIVED, content_type=_FHIR, body=dumps(body))
    return await trial.world.pipeline.acknowledge(callback, {})


def _task(number: str, focus: str, *, withdraws: bool = False) -> dict[str, Any]:
    system, code = (statuses.WITHDRAW_REASON, "DA") if withdraws else (statuses.RETURN_REASON, "0002")
    abort = {"code": {"coding": [{"system": statuses.TASK_CODE, "code": "abort"}]}} if withdraws else {}
    return {
        "resourceType": "Task",
        "contained": [{"resourceType": "PractitionerRole", "id": "requester"}],
        "identifier": [{"value": f"task-{focus}"}],
        "status": "in-progress" if withdraws else "rejected",
        "intent": "order",
        "statusReason": {"coding": [{"system": system, "code": code}]},
        "groupIdentifier": {"system": statuses.ORDER_NUMBER, "value": number},
        "focus": {"identifier": {"value": focus}},
        "requester": {"reference": "#requester"},
    } | abort


def _notification(message: str, item: str, name: str, amends: str = "") -> dict[str, Any]:
    replaced = {"url": next(iter(statuses.REPLACEMENT_URLS)), "valueIdentifier": {"value": amends}}
    header = {
        "resourceType": "MessageHeader",
        "eventCoding": {"code": "dispense-notification"},
        "response": {"identifier": message, "code": "ok"},
        "extension": [replaced] if amends else [],
    }
    dispense = {
        "resourceType": "MedicationDispense",
        "status": "unknown",
        "authorizingPrescription": [{"identifier": {"system": statuses.ITEM_NUMBER, "value": item}}],
        "type": {"coding": [{"system": statuses.DISPENSE_TYPE, "code": "0001"}]},
        "quantity": {"value": 4, "unit": "device"},
        "whenHandedOver": "2026-10-06T09:00:00Z",
    }
    return {
        "resourceType": "Bundle",
        "type": "message",
        "identifier": {"value": name},
        "entry": [{"resource": header}, {"resource": dispense}],
    }


async def test_a_release_gives_the_sealed_message_from_the_first_byte_until_it_is_taken(trial: Trial) -> None:
    await trial.post(S01)
    assert passed_of(await _view(trial), PROVIDER) is None  # nothing has left: its cancel is ours to confirm
    claim = await trial.send()
    passed = passed_of(await _view(trial), PROVIDER)
    assert passed is not None
    assert (passed.id, passed.body) == (claim.message_id, claim.octets)
    assert passed_of(await _view(trial), OdsCode("VDEM1")) is None
    await trial.answer(claim, LineEvent.ACCEPTED)
    assert passed_of(await _view(trial), PROVIDER) is None


async def test_an_order_whose_cancel_is_asked_is_not_released(trial: Trial) -> None:
    await trial.post(S01)
    await trial.send()
    await trial.post(cancel())
    assert passed_of(await _view(trial), PROVIDER) is None


@pytest.mark.parametrize(
    ("first", "state"), [(LineEvent.ARRIVED, LineState.REJECTED), (LineEvent.ACCEPTED, LineState.RETURNED)]
)
async def test_a_return_gives_the_line_back_to_the_trust(trial: Trial, first: LineEvent, state: LineState) -> None:
    await trial.post(S01)
    claim = await trial.send(Taken())
    await trial.answer(claim, first)
    number = (await _view(trial)).found.number
    wrong = await _post(trial, _task("A0548B-A99968-451485", str(claim.message_id)))
    assert wrong.effect is Effectiveness.KEPT
    body = _task(number, str(claim.message_id)) | {"identifier": [{"value": "another"}]}
    assert (await _post(trial, body)).effect is Effectiveness.APPLIED
    assert (await _post(trial, body)).effect is Effectiveness.REPEAT
    assert await trial.states() == [state]


async def test_a_notification_that_is_amended_and_withdrawn_counts_as_what_is_left(trial: Trial) -> None:
    await trial.post(S01)
    claim = await trial.send(Taken())
    view = await _view(trial)
    message, item = str(claim.message_id), str(view.lines[0].line_id)
    one, two = "50101420-789b-4a3d-a4fb-4d3d0af76a64", "08a95f44-5869-4dbb-93ec-22d12ece1748"
    counts = []
    for body in (
        _notification(message, item, one),
        _notification(message, item, two, amends=one),
        _task(view.found.number, two.upper(), withdraws=True),
    ):
        assert (await _post(trial, body)).effect is Effectiveness.APPLIED
        counts.append((await _view(trial)).lines[0].delivered)
    assert counts == [1, 1, 0]
    late = await _post(trial, _task(view.found.number, one, withdraws=True))
    assert late.effect is Effectiveness.KEPT
    assert (await _view(trial)).lines[0].delivered == 0
