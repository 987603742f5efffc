"""A dispense notification where EPS has it sent: `$process-message`, by a provider, in the words of the dialect."""

import json

import pytest
from yarl import URL

from gateway.ports.callback import CallbackResult, Effectiveness
from tests.doors import NOW, VNE51, bearer
from tests.unit.web import test_app
from tests.unit.web.test_app import Door

ADDRESS = "/FHIR/R4/$process-message"


def message(event: str = "dispense-notification", **entry: object) -> bytes:
    header = {"resourceType": "MessageHeader", "eventCoding": {"code": event}}
    return json.dumps({"resourceType": "Bundle", "type": "message", "entry": [{"resource": header}, entry]}).encode()


door = test_app.door


async def posted(
    door: Door,
    body: bytes,
    token: str = "vne51",  # noqa: S107 - invented
    kind: str = "application/fhir+json",
) -> tuple[int, str]:
    headers = {**bearer(token), "Content-Type": kind}
    url = URL(door.address + ADDRESS, encoded=True)
    async with door.client.post(url, data=body, headers=headers) as answer:
        return answer.status, await answer.text()


async def test_a_notification_takes_the_way_of_a_callback(door: Door) -> None:
    status, text = await posted(door, message())
    (issue,) = json.loads(text)["issue"]
    assert (status, issue["severity"], issue["code"]) == (200, "information", "informational")
    ((callback, headers),) = door.story.callbacks
    assert (callback.destination, callback.body, callback.received_at) == (VNE51, message(), NOW)
    assert "authorization" not in headers
    assert door.story.submissions == []


@pytest.mark.parametrize("effect", list(Effectiveness))
async def test_its_statuses_are_those_of_the_callback(door: Door, effect: Effectiveness) -> None:
    door.story.result = CallbackResult(effect=effect, reasons=("why",), kind="answer-unbound")
    headers = {**bearer("vne51"), "Content-Type": "application/fhir+json"}
    async with door.client.post(f"{door.address}/callbacks/VNE51", data=message(), headers=headers) as callback:
        wanted = callback.status
    status, text = await posted(door, message())
    assert status == wanted
    codes = [issue["details"]["coding"][0]["code"] for issue in json.loads(text)["issue"] if "details" in issue]
    assert codes[:1] == (["PRESCRIPTION_NOT_FOUND"] if effect is Effectiveness.KEPT else [])


@pytest.mark.parametrize(
    "body",
    [
        message("prescription-order"),
        message("prescription-order-update"),
        message("prescription-order-response"),
        b"x",
        b"[]",
        b"{}",
        b'{"entry":{}}',
        b'{"entry":[1,{"resource":[]}]}',
        b'{"entry":[{"resource":{"resourceType":"MessageHeader","eventCoding":[]}}]}',
        message().replace(b"{}]", b'{"resource":{"resourceType":"MessageHeader"}}]'),
    ],
)
async def test_a_provider_sends_nothing_else_there(door: Door, body: bytes) -> None:
    status, _ = await posted(door, body)
    assert status == 403
    assert (door.story.callbacks, door.story.submissions) == ([], [])


async def test_a_trust_reports_no_supplies_there(door: Door) -> None:
    await posted(door, message(), token="rba")
    assert door.story.callbacks == []


async def test_without_a_credential_nobody_is_asked_what_it_is(door: Door) -> None:
    status, _ = await posted(door, message(), token="nobody")
    assert status == 401


async def test_a_notification_is_sent_in_json(door: Door) -> None:
    status, _ = await posted(door, message(), kind="text/plain")
    assert status == 415
