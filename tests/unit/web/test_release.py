"""What a provider may fetch and hand back, on a real socket."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from uuid import UUID

import aiohttp
import pytest
from fhir.resources.R4B.capabilitystatement import CapabilityStatement

from gateway.domain.identifiers import derived_id
from gateway.domain.lifecycle import LineState
from gateway.domain.partner import Environment
from gateway.ports.callback import CallbackResult, Effectiveness
from gateway.telemetry import Metrics
from gateway.web.app import Identity, create_app
from gateway.web.release import Passed, parameters
from gateway.web.release_request import ReleaseRequest, read_release
from tests.doors import (
    NOW,
    NUMBER,
    RBA,
    VDEM1,
    VNE51,
    Enquiries,
    Notes,
    Story,
    bearer,
    directory,
    event_view,
    line_view,
    served,
    view,
)

_FHIR = "application/fhir+json; fhirVersion=4.0"
_RELEASE, _TASK = "/FHIR/R4/Task/$release", "/FHIR/R4/Task"
_MESSAGE = str(derived_id("message", "one"))
_SEALED = b'{"resourceType":"Bundle","identifier":{"value":"%s"},"entry":[{"a":5.00}, {}]}' % _MESSAGE.encode()
_EXAMPLES = Path(__file__).parents[3] / "../shared/eps-examples"


@dataclass
class Door:
    """A gateway being served."""

    address: str
    client: aiohttp.ClientSession
    story: Story
    enquiries: Enquiries
    notes: Notes

    async def post(self, path: str, body: object, token: str = "vne51") -> tuple[int, str]:  # noqa: S107 - invented
        headers = bearer(token) | {"Content-Type": _FHIR}
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        async with self.client.post(self.address + path, data=data, headers=headers) as response:
            return response.status, await response.text()


@pytest.fixture
async def door() -> AsyncIterator[Door]:
    story, enquiries, notes = Story(), Enquiries(views=[_sent()]), Notes()
    app = create_app(
        story=story,
        enquiries=enquiries,
        notes=notes,
        directory=directory(),
        providers=frozenset({VNE51, VDEM1}),
        identity=Identity(
            organisation=RBA, environment=Environment.TEST, base_url="http://127.0.0.1:8080", version="0.1.0"
        ),
        jwks={"keys": []},
        metrics=Metrics(),
        now=lambda: NOW,
    )
    async with served(app) as address, aiohttp.ClientSession() as client:
        yield Door(address, client, story, enquiries, notes)


def _sent(state: LineState = LineState.SENT, **change: Any) -> Any:
    return view(**({"lines": (line_view(state=state),), "message": _SEALED} | change))


def _asked(number: str = "", owner: str = "VNE51") -> dict[str, Any]:
    ods = "https://fhir.nhs.uk/Id/ods-organization-code"
    parts: list[dict[str, Any]] = [
        {"name": "owner", "resource": {"identifier": [{"system": ods, "value": owner}]}},
        {"name": "status", "valueCode": "accepted"},
        {
            "name": "agent",
            "resource": {"practitioner": {"identifier": {"value": "1"}}, "telecom": [{"value": "02380798431"}]},
        },
    ]
    if number:
        system = "https://fhir.nhs.uk/Id/prescription-order-number"
        parts.append({"name": "group-identifier", "valueIdentifier": {"system": system, "value": number}})
    return {"resourceType": "Parameters", "parameter": parts}


@pytest.mark.parametrize("number", ["", NUMBER])
@pytest.mark.parametrize("state", [LineState.SENT, LineState.UNCERTAIN])
async def test_what_is_on_its_way_is_given_byte_for_byte(door: Door, number: str, state: LineState) -> None:
    door.enquiries.views = [_sent(state)]
    status, text = await door.post(_RELEASE, _asked(number))
    assert status == 200
    assert _SEALED.decode() in text
    answer = json.loads(text)
    assert answer["id"] == _MESSAGE
    passed, failed = answer["parameter"]
    assert (passed["name"], passed["resource"]["total"], failed["resource"]["total"]) == ("passedPrescriptions", 1, 0)
    assert passed["resource"]["entry"][0]["resource"]["identifier"]["value"] == _MESSAGE
    assert door.notes.leaves == [("VNE51", "release", _MESSAGE)]


async def test_a_release_without_a_number_asks_for_the_oldest_twenty_five(door: Door) -> None:
    await door.post(_RELEASE, _asked())
    assert door.enquiries.asked == [{"provider": VNE51, "limit": 25}]


_NOT_GIVEN = {
    LineState.READY: (200, "NO_MORE_PRESCRIPTIONS"),
    LineState.WITH_PROVIDER: (200, "NO_MORE_PRESCRIPTIONS"),
    LineState.ACCEPTED: (200, "NO_MORE_PRESCRIPTIONS"),
    LineState.CANCELLED: (400, "PRESCRIPTION_CANCELLED"),
    LineState.EXPIRED: (400, "PRESCRIPTION_EXPIRED"),
    LineState.FULFILLED: (400, "PRESCRIPTION_DISPENSED"),
    LineState.RETURNED: (400, "RESOURCE_NOT_FOUND"),
}


@pytest.mark.parametrize(("state", "told"), _NOT_GIVEN.items())
async def test_what_may_not_be_given_is_not_and_the_reason_is_told(
    door: Door, state: LineState, told: tuple[int, str]
) -> None:
    door.enquiries.views = [_sent(state)]
    status, text = await door.post(_RELEASE, _asked(NUMBER))
    assert (status, _codes(text)) == (told[0], [told[1]])
    assert (await door.post(_RELEASE, _asked()))[0] == 200
    assert _MESSAGE not in text


async def test_a_prescription_of_which_a_cancel_is_asked_is_not_given(door: Door) -> None:
    asked = event_view(4, 1, "cancel_asked", ("SENT", "SENT"), "TP")
    door.enquiries.views = [_sent(events=(asked,))]
    assert await door.post(_RELEASE, _asked()) == await door.post(_RELEASE, _asked())
    status, text = await door.post(_RELEASE, _asked(NUMBER))
    assert (status, _codes(text)) == (400, ["FAILURE_TO_PROCESS_MESSAGE"])


async def test_a_message_is_not_given_when_one_of_its_lines_was_taken(door: Door) -> None:
    lines = (line_view(state=LineState.SENT), line_view(state=LineState.ACCEPTED))
    door.enquiries.views = [_sent(lines=lines)]
    assert _codes((await door.post(_RELEASE, _asked()))[1]) == ["NO_MORE_PRESCRIPTIONS"]


async def test_a_foreign_prescription_looks_like_none_and_one_that_moved_on_is_with_another(door: Door) -> None:
    foreign = await door.post(_RELEASE, _asked(NUMBER, "VDEM1"), token="vdem1")
    door.enquiries.views = []
    none = await door.post(_RELEASE, _asked(NUMBER, "VDEM1"), token="vdem1")
    assert foreign == none
    assert _codes(none[1]) == ["RESOURCE_NOT_FOUND"]
    moved = _sent()
    moved = replace(moved, found=replace(moved.found, destination=VDEM1, tenant=VNE51))  # seen by both
    door.enquiries.views = [moved]
    assert _codes((await door.post(_RELEASE, _asked(NUMBER)))[1]) == ["PRESCRIPTION_WITH_ANOTHER_DISPENSER"]


async def test_a_provider_asks_for_itself_alone(door: Door) -> None:
    status, text = await door.post(_RELEASE, _asked(owner="VDEM1"))
    assert (status, _codes(text)) == (403, ["ACCESS_DENIED"])
    for path in (_RELEASE, _TASK):
        for token, refused in (("rba", 403), ("operator", 403), ("wrong", 401)):
            assert (await door.post(path, _asked(), token=token))[0] == refused
    assert not door.notes.leaves
    assert not door.story.callbacks


async def test_a_release_that_cannot_be_audited_gives_nothing(door: Door) -> None:
    door.notes.away = True
    status, text = await door.post(_RELEASE, _asked())
    assert status == 503
    assert _MESSAGE not in text


def _without(name: str) -> dict[str, Any]:
    body = _asked(NUMBER)
    body["parameter"] = [part for part in body["parameter"] if part["name"] != name]
    return body


def _with(**change: Any) -> dict[str, Any]:
    body = _asked(NUMBER)
    body["parameter"][2]["resource"] |= change
    return body


_FAULTS: dict[str, tuple[object, str]] = {
    "no JSON": (b"{", "INVALID_MESSAGE"),
    "another resource": ({"resourceType": "Task"}, "INVALID_MESSAGE"),
    "no owner": (_without("owner"), "TOO_FEW_VALUES_SUBMITTED"),
    "no status": (_without("status"), "TOO_FEW_VALUES_SUBMITTED"),
    "no agent": (_without("agent"), "TOO_FEW_VALUES_SUBMITTED"),
    "an owner without a code": (_asked(owner=""), "INVALID_VALUE"),
    "a check character": (_asked("A0548B-A99968-451486"), "INVALID_CHECK_DIGIT"),
    "an agent elsewhere": (_with(practitioner={"reference": "Practitioner/1"}), "INVALID_VALUE"),
    "no telecom": (_with(telecom=[]), "INVALID_VALUE"),
    "twice": ({**_asked(), "parameter": [*_asked()["parameter"], _asked()["parameter"][1]]}, "TOO_MANY_VALUES"),
    "unknown": ({**_asked(), "parameter": [*_asked()["parameter"], {"name": "x"}]}, "INVALID_VALUE"),
    "another status": (
        {**_asked(), "parameter": [*_without("status")["parameter"], {"name": "status", "valueCode": "draft"}]},
        "INVALID_VALUE",
    ),
}


@pytest.mark.parametrize("fault", _FAULTS.values(), ids=_FAULTS)
async def test_a_release_that_breaks_a_rule_is_refused_with_its_code(door: Door, fault: tuple[object, str]) -> None:
    body, code = fault
    status, text = await door.post(_RELEASE, body)
    assert status == 400
    assert [told.startswith(code) for told in _codes(text)] == [True]


@pytest.mark.parametrize(
    ("name", "number"),
    [
        ("homecare/clinical-practitioner/1-Task-Request-Release-200_OK.json", "A0548B-A99968-451485"),
        ("homecare/clinical-practitioner/5-Task-Request-Release-200_OK.json", "5EA56C-Z6EA5E-710A1O"),
        ("spec/dispense/Nominated-Pharmacy-Request-Release-200_OK.json", None),
        ("spec/dispense/Patient-Request-Release-200_OK.json", "A0548B-A99968-451485"),
    ],
)
def test_the_published_releases_are_read(name: str, number: str | None) -> None:
    path = _EXAMPLES / name
    if not path.is_file():
        pytest.skip("the published EPS examples are not beside this tree")
    assert read_release(path.read_bytes()) == ReleaseRequest(owner=VNE51, number=number)


@pytest.mark.parametrize(
    ("effect", "status", "severity"),
    [
        (Effectiveness.APPLIED, 200, "information"),
        (Effectiveness.REPEAT, 200, "information"),
        (Effectiveness.KEPT, 400, "error"),
    ],
)
async def test_a_task_takes_the_way_of_every_answer(
    door: Door, effect: Effectiveness, status: int, severity: str
) -> None:
    door.story.result = CallbackResult(effect=effect, reasons=("It names no message of ours.",) * (status == 400))
    answered, text = await door.post(_TASK, b'{"resourceType":"Task"}')
    assert answered == status
    assert {issue["severity"] for issue in json.loads(text)["issue"]} == {severity}
    assert ("It names no message of ours." in text) == (status == 400)
    ((callback, headers),) = door.story.callbacks
    assert (callback.destination, callback.body, callback.received_at) == (VNE51, b'{"resourceType":"Task"}', NOW)
    assert "authorization" not in headers


async def test_the_capability_statement_names_what_is_served(door: Door) -> None:
    async with door.client.get(f"{door.address}/FHIR/R4/metadata") as response:
        statement = await response.json(content_type=None)
    assert CapabilityStatement.model_validate(statement)
    (rest,) = statement["rest"]
    (task,) = rest["resource"]
    assert {one["code"] for one in task["interaction"]} == {"search-type", "create"}
    assert [one["name"] for one in task["operation"]] == ["release"]
    async with door.client.get(f"{door.address}/openapi.json") as response:
        paths = await response.json()
    served_operations = {path.partition("$")[2] for path in paths["paths"] if path.startswith("/FHIR/R4/$")}
    assert {one["name"] for one in rest["operation"]} == served_operations


def test_several_messages_have_an_answer_id_of_their_own_and_keep_their_bytes() -> None:
    other = derived_id("message", "two")
    passed = [Passed(id=UUID(_MESSAGE), body=_SEALED), Passed(id=other, body=b'{"b":1.50}')]
    written = parameters(passed)
    answer = json.loads(written)
    assert answer["id"] not in {_MESSAGE, str(other)}
    assert answer["parameter"][0]["resource"]["total"] == 2
    assert _SEALED in written
    assert b'{"b":1.50}' in written
    assert written == parameters(passed)


def _codes(text: str) -> list[str]:
    return [issue["details"]["coding"][0]["code"] for issue in json.loads(text)["issue"]]
