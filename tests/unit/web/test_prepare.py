"""`POST /FHIR/R4/$prepare`: what a prescriber signs, for an order in any format."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from gateway.config.load import load
from gateway.domain.partner import Environment
from gateway.pipeline.prepare import prepare_submission
from gateway.telemetry import Metrics
from gateway.web.app import Identity, create_app
from gateway.web.limits import Limits
from gateway.wiring.around import surroundings
from tests.doors import NOW, RBA, VNE51, Enquiries, Notes, Story, bearer, directory, served

S01 = (Path(__file__).parents[2] / "golden/hl7v2/S01.hl7").read_bytes()
AROUND = surroundings(load(None))


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
        prepare=lambda submission, when: prepare_submission(submission, AROUND, when),
    )
    async with served(app) as where:
        yield where


async def post(address: str, body: bytes, token: str = "rba", kind: str = "application/hl7-v2") -> tuple[int, Any]:  # noqa: S107 - invented
    headers = bearer(token) | {"Content-Type": kind}
    async with (
        aiohttp.ClientSession() as client,
        client.post(f"{address}/FHIR/R4/$prepare", data=body, headers=headers) as response,
    ):
        return response.status, json.loads(await response.text())


async def test_an_order_gives_its_digest_at_this_second(address: str) -> None:
    status, answer = await post(address, S01)
    assert (status, answer["resourceType"]) == (200, "Parameters")
    values = {one["name"]: one["valueString"] for one in answer["parameter"]}
    assert values["timestamp"] == NOW.isoformat(timespec="seconds")
    assert values["algorithm"] == "RS256"


@pytest.mark.parametrize(
    ("body", "kind", "said"),
    [
        (S01.replace(b"9990000077", b"9990000078"), "application/hl7-v2", "_DIGIT"),
        (b"<a/>", "application/xml", "MESSAGE_TYPE_UNSUPPORTED"),
        (b'{"resourceType": "Bundle", "type": "message"}', "application/fhir+json", "FIELD_MISSING"),
        (b"{", "application/fhir+json", "UNREADABLE"),
        (b" " * 100_001, "application/fhir+json", "TOO_LARGE"),
        (b"x", "text/plain", "CONTENT_TYPE_UNSUPPORTED"),
    ],
)
async def test_what_cannot_be_signed_is_answered_with_the_reason(
    address: str, body: bytes, kind: str, said: str
) -> None:
    status, answer = await post(address, body, kind=kind)
    assert 400 <= status < 500
    assert said in json.dumps(answer)


@pytest.mark.parametrize(("token", "status"), [("vne51", 403), ("operator", 403), ("nobody", 401)])
async def test_only_trusts_may_ask(address: str, token: str, status: int) -> None:
    assert (await post(address, S01, token))[0] == status
