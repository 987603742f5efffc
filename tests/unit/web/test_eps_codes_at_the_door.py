"""Each row of the dialect's table of errors: told at `$process-message` where its condition is met, or never, and why.

The gateway behind the door is whole: readers, rules, store and keys.
"""

import copy
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import aiohttp
import pytest

from adapters.fhir_push.adapter import FhirPush
from gateway.destination import Taken
from gateway.domain.acknowledgement import Acknowledgement, LineReport
from gateway.domain.errors import Unavailable
from gateway.domain.lifecycle import LineEvent
from gateway.domain.partner import Environment, SignaturePolicy
from gateway.ports.callback import Callback
from gateway.telemetry import Metrics
from gateway.translate.to_acknowledgement.eps_codes import DISPENSING, PRESCRIBING
from gateway.web.app import Identity, create_app
from gateway.web.handed_back import _answer
from tests.doors import RBA, VNE51, Enquiries, Notes, Story, bearer, directory, served
from tests.unit.pipeline.test_story import RECEIVED, World, make
from tests.unit.translate.from_fhir import orders

_FHIR = "application/fhir+json; fhirVersion=4.0"
_HISTORY = "https://fhir.nhs.uk/CodeSystem/medicationrequest-status-reason"
Message = dict[str, Any]


@dataclass
class Door:
    """A whole gateway, served."""

    address: str
    client: aiohttp.ClientSession
    world: World
    told: list[Message] = field(default_factory=list)

    async def post(self, message: Message | bytes, path: str = "/FHIR/R4/$process-message") -> tuple[int, set[str]]:
        """Post a message; give the status and every code of the answer that is the dialect's."""
        body = message if isinstance(message, bytes) else json.dumps(message).encode()
        headers = bearer("rba") | {"Content-Type": _FHIR}
        async with self.client.post(self.address + path, data=body, headers=headers) as response:
            answer = json.loads(await response.text())
        self.told.append(answer)
        return response.status, set(_codes(answer))

    async def deliver(self, event: LineEvent) -> None:
        """Send what is due, and have the provider say something of it."""
        room = {VNE51: 10}
        for claim in await self.world.store.claim(worker="w", now=RECEIVED, lease_seconds=60, room=room):
            assert await self.world.store.on_wire(claim, now=RECEIVED)
            await self.world.store.record(claim, Taken(), now=RECEIVED, retry_at=None)
            said = Acknowledgement(
                id="a1", correlation=claim.message_id, reports=(LineReport(line_id=None, event=event),)
            )
            callback = Callback(destination=VNE51, received_at=RECEIVED, content_type="", body=event.encode())
            await self.world.store.acknowledge(callback, said, ())


def _codes(answer: Any) -> list[str]:
    """Give the codes of every coding of the dialect's systems, wherever in an answer."""
    if isinstance(answer, list):
        return [code for one in answer for code in _codes(one)]
    if not isinstance(answer, dict):
        return []
    own = [answer["code"]] if "IssueCode" in str(answer.get("system")) or "Spine-" in str(answer.get("system")) else []
    return own + [code for value in answer.values() for code in _codes(value)]


@pytest.fixture
async def door(tmp_path: Path) -> AsyncIterator[Door]:
    async for one in _doors(make(tmp_path)):
        yield one


@pytest.fixture
async def signed_only(tmp_path: Path) -> AsyncIterator[Door]:
    async for one in _doors(make(tmp_path, signature_policy=SignaturePolicy.REQUIRED)):
        yield one


async def _doors(world: World) -> AsyncIterator[Door]:
    app = create_app(
        story=world.pipeline,
        enquiries=world.enquiries,
        notes=Notes(),
        directory=directory(),
        providers=frozenset({VNE51}),
        identity=Identity(organisation=RBA, environment=Environment.TEST, base_url="http://127.0.0.1", version="1"),
        jwks={"keys": []},
        metrics=Metrics(),
        now=lambda: RECEIVED,
    )
    async with served(app) as address, aiohttp.ClientSession() as client:
        yield Door(address, client, world)
    await world.store.close()
    await world.enquiries.close()


def _order() -> Message:
    return orders.unsigned()


def _line(message: Message) -> Message:
    return orders.resource(message, "MedicationRequest")


def _patient(message: Message) -> Message:
    return orders.resource(message, "Patient")


def _lines(message: Message, *items: str) -> None:
    """Put copies of the line beside it, under these item numbers."""
    for number, item in enumerate(items):
        second = copy.deepcopy(_line(message))
        second["identifier"][0]["value"] = item
        url = f"urn:uuid:{UUID(int=number + 1)}"
        message["entry"].insert(2, {"fullUrl": url, "resource": second})
        message["entry"][0]["resource"]["focus"].append({"reference": url})


def _cancel(item: str = "") -> Message:
    """Give the cancel of the order's line, or of another item."""
    message = _order()
    message["identifier"]["value"] = "4bbc97c0-f16d-4d82-85c8-c3cc62f8000c"
    message["entry"][0]["resource"]["eventCoding"]["code"] = "prescription-order-update"
    line = _line(message)
    line["status"] = "cancelled"
    line["statusReason"] = {"coding": [{"system": _HISTORY, "code": "0001"}]}
    if item:
        line["identifier"][0]["value"] = item
    return message


_ITEM = "d0c2f3a0-5d0b-4d6a-8a54-0f6f2d1b7101"
_FOUR = [f"d0c2f3a0-5d0b-4d6a-8a54-0f6f2d1b720{number}" for number in range(4)]
ONE_CHANGE: dict[str, tuple[Callable[[Message], object], int]] = {
    "0001": (lambda m: _patient(m).update(deceasedBoolean=True), 422),
    "0007": (lambda m: _line(m)["identifier"][0].update(value="not-a-uuid"), 422),
    "0008": (lambda m: _patient(m).pop("birthDate"), 422),
    "0009": (lambda m: m["entry"].append(_cancel()["entry"][0]), 422),
    "7002": (lambda m: m["entry"][0]["resource"]["eventCoding"].update(code="prescription-ordre"), 422),
    "0010": (lambda m: _lines(m, *_FOUR), 202),
    "0019": (lambda m: _line(m)["dispenseRequest"].update(numberOfRepeatsAllowed=-1), 422),
    "5008": (lambda m: _lines(m, _ITEM), 422),
    "5009": (lambda m: _line(m)["groupIdentifier"].update(value="A0548B-A99968-451486"), 422),
    "9006": (lambda m: _patient(m).update(birthDate="1979-02-30"), 422),
}

NEVER = {
    "0012": "a prescription has no state of its own here: its lines have, and 0013 is told",
    "0014": "a cancel of an item that is not known is kept for its order (0005); FHIR has no other change of one item",
    "0015": "claims are not taken: homecare is not reimbursed by prescription",
    "0018": "FHIR says the number of repeats once; the code stands beside REPEATS_CONFLICT of the other formats",
    "0099": "a resource has no version here",
    "0100": "claims are not taken",
}
ELSEWHERE = {"0002", "0003", "0005", "0013", "0021", "9999"}
"""Rows with a test of their own below: they need something before them."""

AT_RELEASE = {
    "0001": "test_what_may_not_be_given_is_not_and_the_reason_is_told",
    "0002": "test_what_may_not_be_given_is_not_and_the_reason_is_told",
    "0003": "test_what_may_not_be_given_is_not_and_the_reason_is_told",
    "0004": "PRESCRIPTION_WITH_ANOTHER_DISPENSER",
    "0005": "test_what_may_not_be_given_is_not_and_the_reason_is_told",
    "0006": "test_what_may_not_be_given_is_not_and_the_reason_is_told",
    "5000": "test_a_prescription_of_which_a_cancel_is_asked_is_not_given",
    "5888": "test_a_release_that_breaks_a_rule_is_refused_with_its_code",
}
NEVER_AT_RELEASE = {
    "0007": "the service is not switched off: an outage is 503 for every caller",
    "0099": "a resource has no version here",
    "9006": "the Parameters of a release hold no date",
}


@pytest.mark.parametrize("row", ONE_CHANGE)
async def test_a_row_is_told_in_its_condition_and_not_without_it(door: Door, row: str) -> None:
    change, status = ONE_CHANGE[row]
    message = _order()
    change(message)
    told = await door.post(message)
    assert told[0] == status, door.told
    assert PRESCRIBING[row].code in told[1], door.told
    again = _order()
    again["identifier"]["value"] = "4bbc97c0-f16d-4d82-85c8-c3cc62f8000a"
    if status == 202:
        return  # a held order has taken its numbers
    accepted, codes = await door.post(again)
    assert (accepted, codes & {error.code for error in PRESCRIBING.values()}) == (200, set()), door.told


async def test_a_prescription_number_in_use_is_a_duplicate(door: Door) -> None:
    await door.post(_order())
    message = _order()
    message["identifier"]["value"] = "4bbc97c0-f16d-4d82-85c8-c3cc62f8000b"
    status, codes = await door.post(message)
    assert (status, bool(codes & {PRESCRIBING["0002"].code, PRESCRIBING["5008"].code})) == (422, True), door.told


async def test_a_signature_that_is_required_and_missing_is_named(signed_only: Door) -> None:
    status, codes = await signed_only.post(_order())
    assert (status, PRESCRIBING["0003"].code in codes) == (422, True), signed_only.told


async def test_a_cancel_of_what_is_not_known_is_kept_and_says_so(door: Door) -> None:
    status, codes = await door.post(_cancel("d0c2f3a0-5d0b-4d6a-8a54-0f6f2d1b7999"))
    assert PRESCRIBING["0005"].code in codes, door.told
    assert status == 202


async def test_a_cancel_of_what_was_supplied_is_no_transition(door: Door) -> None:
    message = _order()
    _line(message)["dispenseRequest"].update(numberOfRepeatsAllowed=0, expectedSupplyDuration=None)
    _line(message)["dispenseRequest"].pop("expectedSupplyDuration")
    assert (await door.post(message))[0] == 200, door.told
    await door.deliver(LineEvent.DELIVERED)
    status, codes = await door.post(_cancel())
    assert (status, PRESCRIBING["0013"].code in codes) == (422, True), door.told


def _withdrawal(notification: str) -> Message:
    """Give the Task that undoes a notification."""
    return {
        "resourceType": "Task",
        "contained": [{"resourceType": "PractitionerRole", "id": "r", "practitioner": {"identifier": {"value": "1"}}}],
        "identifier": [{"value": "0d3f1c52-6a7e-4f4e-9f0b-7a1b2c3d4e5f"}],
        "status": "in-progress",
        "intent": "order",
        "code": {"coding": [{"system": "http://hl7.org/fhir/CodeSystem/task-code", "code": "abort"}]},
        "groupIdentifier": {
            "system": "https://fhir.nhs.uk/Id/prescription-order-number",
            "value": "A0548B-A99968-451485",
        },
        "focus": {"identifier": {"value": notification}},
        "requester": {"reference": "#r"},
        "statusReason": {
            "coding": [{"system": "https://fhir.nhs.uk/CodeSystem/EPS-task-dispense-withdraw-reason", "code": "DA"}]
        },
    }


@pytest.mark.parametrize(
    ("task", "row"),
    [
        (_withdrawal("0d3f1c52-6a7e-4f4e-9f0b-7a1b2c3d4e50"), "0021"),
        (_withdrawal("0d3f1c52-6a7e-4f4e-9f0b-7a1b2c3d4e50") | {"intent": "plan"}, "0009"),
    ],
)
async def test_a_task_that_moves_nothing_says_why_in_the_dialects_words(door: Door, task: Message, row: str) -> None:
    world = door.world
    received = Callback(destination=VNE51, received_at=RECEIVED, content_type=_FHIR, body=json.dumps(task).encode())
    adapter = FhirPush(world.around.routing.providers[VNE51])
    read = adapter.read_acknowledgement({}, received.body)
    answer, issues = (read, ()) if isinstance(read, Acknowledgement) else (None, read.issues)
    result = await world.store.acknowledge(received, answer, issues)
    told = json.loads(bytes(_answer(result, RECEIVED).body))
    assert _codes(told)[0] == PRESCRIBING[row].code


async def test_what_was_not_stored_is_a_failure_to_process() -> None:
    app = create_app(
        story=Story(fails=Unavailable("away")),
        enquiries=Enquiries(),
        notes=Notes(),
        directory=directory(),
        providers=frozenset(),
        identity=Identity(organisation=RBA, environment=Environment.TEST, base_url="http://127.0.0.1", version="1"),
        jwks={"keys": []},
        metrics=Metrics(),
        now=lambda: RECEIVED,
    )
    headers = bearer("rba") | {"Content-Type": _FHIR}
    async with served(app) as address, aiohttp.ClientSession() as client:
        path = f"{address}/FHIR/R4/$process-message"
        async with client.post(path, data=json.dumps(_order()).encode(), headers=headers) as response:
            answer = json.loads(await response.text())
    assert response.status == 503
    assert _codes(answer) == [PRESCRIBING["9999"].code]


def test_every_row_is_told_or_has_a_reason_why_never() -> None:
    assert {*ONE_CHANGE, *ELSEWHERE} | NEVER.keys() == PRESCRIBING.keys()
    assert not ({*ONE_CHANGE, *ELSEWHERE} & NEVER.keys())
    assert AT_RELEASE.keys() | NEVER_AT_RELEASE.keys() == DISPENSING.keys()
    text = (Path(__file__).parent / "test_release.py").read_text(encoding="utf-8")
    assert all(named in text for named in AT_RELEASE.values())
