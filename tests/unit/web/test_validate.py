"""`POST /FHIR/R4/$validate`: the check as an answer."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from gateway.config.fhir_xml import fhir_xml
from gateway.domain.partner import Environment
from gateway.telemetry import Metrics
from gateway.web.app import Identity, create_app
from gateway.web.limits import Limits
from tests.doors import NOW, RBA, VNE51, Enquiries, Notes, Story, bearer, directory, served

GOLDEN = Path(__file__).parents[2] / "golden" / "to_fhir" / "order.json"
PATH = "/FHIR/R4/$validate"


@pytest.fixture
async def address() -> AsyncIterator[str]:
    app = create_app(
        story=Story(),
        enquiries=Enquiries(),
        notes=Notes(),
        directory=directory(),
        providers=frozenset({VNE51}),
        identity=Identity(organisation=RBA, environment=Environment.TEST, base_url="http://127.0.0.1", version="1"),
        jwks={"keys": []},
        metrics=Metrics(),
        now=lambda: NOW,
        limits=Limits(body_bytes=100_000),
        hosts=frozenset({"127.0.0.1"}),
    )
    async with served(app) as where:
        yield where


async def post(address: str, body: bytes, token: str = "rba", kind: str = "application/fhir+json") -> tuple[int, Any]:  # noqa: S107 - invented
    headers = bearer(token) | {"Content-Type": kind}
    async with (
        aiohttp.ClientSession() as client,
        client.post(address + PATH, data=body, headers=headers) as response,
    ):
        return response.status, json.loads(await response.text())


@pytest.mark.parametrize("token", ["rba", "vne51", "operator"])
async def test_anyone_who_is_known_may_ask_and_a_good_message_has_no_error(address: str, token: str) -> None:
    status, outcome = await post(address, GOLDEN.read_bytes(), token)
    assert status == 200
    assert outcome["resourceType"] == "OperationOutcome"
    assert {issue["severity"] for issue in outcome["issue"]} <= {"warning", "information"}


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b'{"resourceType": "Patient", "gender": "F"}', "Patient.gender"),
        (b'{"resourceType": "Patient", "gender": "male", "gender": "female"}', "DUPLICATE_KEY"),
        (b'{"resourceType": "Basic"}', "not-supported"),
        (b"{", "UNREADABLE"),
        (b"[]", "must be one resource"),
        (
            (
                b'{"resourceType": "Parameters", "parameter": '
                b'[{"name": "resource", "resource": {"resourceType": "Patient", "gender": "F"}}]}'
            ),
            "Patient.gender",
        ),
    ],
)
async def test_a_fault_is_in_the_outcome_and_the_operation_succeeds(address: str, body: bytes, said: str) -> None:
    status, outcome = await post(address, body)
    assert status == 200
    assert said in json.dumps(outcome)
    assert "error" in {issue["severity"] for issue in outcome["issue"]}


XML = "application/fhir+xml"
JSON = "application/fhir+json"


@pytest.mark.parametrize(
    ("body", "place"),
    [
        (b'<Patient xmlns="http://hl7.org/fhir"><gender value="F"/></Patient>', "Patient.gender"),
        (
            (
                b'<Parameters xmlns="http://hl7.org/fhir"><parameter><name value="resource"/><resource><Patient>'
                b'<gender value="F"/></Patient></resource></parameter></Parameters>'
            ),
            "Patient.gender",
        ),
        (
            (
                b'<Bundle xmlns="http://hl7.org/fhir"><type value="collection"/><entry/><entry><resource><Patient>'
                b'<name/><name><given value="A"/><nick value="B"/></name></Patient></resource></entry></Bundle>'
            ),
            "Bundle.entry[1].resource.name[1].nick",
        ),
    ],
)
async def test_a_fault_in_xml_is_told_in_xml_by_the_same_fhirpath(address: str, body: bytes, place: str) -> None:
    kind, text = await asked(address, body, XML)
    assert kind == f"{XML}; fhirVersion=4.0"
    told: Any = fhir_xml().to_json(text)
    assert [place] in [issue.get("expression") for issue in told["issue"] if issue["severity"] == "error"]


@pytest.mark.parametrize(
    ("posted", "accept", "answered"),
    [
        (XML, None, XML),
        (JSON, None, JSON),
        (XML, "*/*", XML),
        (JSON, "*/*", JSON),
        (JSON, XML, XML),
        (XML, JSON, JSON),
        (XML, "application/json", JSON),
        (JSON, f"{XML};q=0.9, {JSON};q=0.8", XML),
        (XML, f"{XML};q=0.1, */*;q=0.8", JSON),
        (JSON, f"{JSON}, {XML}", JSON),
        (XML, f"{JSON}, {XML}", XML),
        (JSON, f"application/*;q=0.5, {XML}", XML),
        (JSON, f"{XML};q=high, {JSON};q=0.5", XML),
    ],
)
async def test_the_answer_is_in_the_form_that_is_asked_for_or_else_was_posted(
    address: str, posted: str, accept: str | None, answered: str
) -> None:
    body = b'<Patient xmlns="http://hl7.org/fhir"/>' if posted == XML else b'{"resourceType":"Patient"}'
    kind, text = await asked(address, body, posted, accept)
    assert kind.partition(";")[0] == answered
    assert text.lstrip()[:1] == (b"<" if answered == XML else b"{")


async def asked(address: str, body: bytes, kind: str, accept: str | None = None) -> tuple[str, bytes]:
    headers = bearer("rba") | {"Content-Type": kind} | ({"Accept": accept} if accept else {})
    async with (
        aiohttp.ClientSession() as client,
        client.post(address + PATH, data=body, headers=headers) as response,
    ):
        assert response.status == 200
        return response.headers["Content-Type"], await response.read()


@pytest.mark.parametrize(
    ("token", "kind", "body", "status"),
    [
        ("", "application/fhir+json", b"{}", 401),
        ("rba", "text/plain", b"{}", 415),
        ("rba", "application/fhir+json", b" " * 100_001, 413),
    ],
)
async def test_what_is_not_taken_is_turned_at_the_door(
    address: str, token: str, kind: str, body: bytes, status: int
) -> None:
    answered, outcome = await post(address, body, token, kind)
    assert (answered, outcome["resourceType"]) == (status, "OperationOutcome")
