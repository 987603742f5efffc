"""A prescription comes in by each door, with everything real behind it but the worker."""

import asyncio
import hashlib
import io
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import aiohttp
import hl7
import pytest

from gateway.config.configuration import Configuration
from gateway.config.load import load
from gateway.config.reference import load_reference
from gateway.console.application import create_console
from gateway.console.site import Frame
from gateway.mllp import MllpListener, by_sending_facility
from gateway.pipeline.story import Pipeline
from gateway.pipeline.surroundings import Surroundings
from gateway.plugins import connect
from gateway.store.keys import load_or_make
from gateway.store.sqlite.enquiries import SqliteEnquiries
from gateway.store.sqlite.store import SqliteStore
from gateway.telemetry import Metrics
from gateway.web.app import Identity, create_app
from gateway.web.limits import Limits
from tests.doors import NAMES, bearer, directory, served
from tests.sessions_at_hand import SessionsAtHand

SAMPLES = Path(__file__).parents[4] / "shared" / "hl7v2-samples" / "authored-uk"
pytestmark = pytest.mark.skipif(not SAMPLES.is_dir(), reason="the shared samples are not beside this repository")
RECEIVED = datetime(2026, 10, 5, 9, 16, tzinfo=UTC)


class Clock:
    def now(self) -> datetime:
        return RECEIVED


@dataclass
class Gateway:
    """A gateway without a worker."""

    address: str
    mllp_port: int
    client: aiohttp.ClientSession
    sessions: SessionsAtHand
    store: SqliteStore

    async def post(self, body: bytes) -> tuple[int, bytes]:
        headers = bearer("rba") | {"Content-Type": "application/hl7-v2"}
        async with self.client.post(f"{self.address}/hl7v2", data=body, headers=headers) as response:
            return response.status, await response.read()


def _surroundings(configuration: Configuration) -> Surroundings:
    return Surroundings(
        organisation=configuration.organisation,
        environment=configuration.environment,
        trusts=configuration.trusts,
        routing=configuration.routing,
        reference=load_reference(),
        destinations=connect(configuration.routing.providers),
        receiver_names=configuration.receiver_names,
    )


@pytest.fixture
async def gateway(tmp_path: Path) -> AsyncIterator[Gateway]:
    configuration = load(None)
    around = _surroundings(configuration)
    store = SqliteStore.open(tmp_path / "gateway.sqlite", now=Clock().now)
    enquiries = SqliteEnquiries.open(tmp_path / "gateway.sqlite")
    keys = load_or_make(tmp_path, development=True)
    pipeline = Pipeline(store=store, sealer=keys.seal(configuration.organisation), around=around, clock=Clock())
    sessions, metrics = SessionsAtHand(Clock().now), Metrics()
    frame = Frame(organisation=str(configuration.organisation), environment="test", development=True)
    app = create_app(
        story=pipeline,
        enquiries=enquiries,
        notes=store,
        directory=directory(),
        providers=frozenset(around.destinations),
        identity=Identity(
            organisation=configuration.organisation,
            environment=configuration.environment,
            base_url="http://127.0.0.1",
            version="0",
        ),
        jwks={"keys": []},
        metrics=metrics,
        now=Clock().now,
        limits=Limits(body_bytes=5 << 20),
        routes=create_console(
            enquiries=enquiries,
            notes=store,
            directory=directory(),
            sessions=sessions,
            frame=frame,
            names=NAMES,
            now=Clock().now,
        ),
    )
    facilities = {ods.value: ods for ods in configuration.trusts}
    facilities |= {site.value: trust.ods for trust in configuration.trusts.values() for site in trust.sites}
    listener = MllpListener(
        pipeline.receive, tenant_of=by_sending_facility(facilities), now=Clock().now, metrics=metrics
    )
    port = await listener.start("127.0.0.1", 0)
    jar = aiohttp.CookieJar(unsafe=True)
    async with served(app) as address, aiohttp.ClientSession(cookie_jar=jar) as client:
        yield Gateway(address, port, client, sessions, store)
    await listener.close()
    await enquiries.close()
    await store.close()
    for destination in around.destinations.values():
        await destination.close()


def sample(name: str) -> bytes:
    return (SAMPLES / f"{name}.hl7").read_bytes()


async def test_a_prescription_by_http_is_answered_repeated_found_and_shown(gateway: Gateway) -> None:
    status, answer = await gateway.post(sample("S01"))
    assert status == 200, answer
    assert await gateway.post(sample("S01")) == (200, answer)
    parsed = hl7.parse(answer.decode())
    assert str(parsed.segment("MSA")[1]) in {"AA", "CA"}
    order = re.search(rb"ORC\|NW\|([^|^]+)", sample("S01"))
    assert order
    params = {"identifier": order[1].decode()}
    async with gateway.client.get(f"{gateway.address}/FHIR/R4/Task", params=params, headers=bearer("rba")) as response:
        bundle = await response.json(content_type=None)
    assert bundle["total"] == 1
    assert bundle["entry"][0]["resource"]["businessStatus"]["coding"][0]["code"] == "READY"
    async with gateway.client.get(f"{gateway.address}/FHIR/R4/Task", params=params, headers=bearer("rza")) as response:
        assert (await response.json(content_type=None))["total"] == 0


async def test_the_same_prescription_by_mllp_gets_the_same_answer(gateway: Gateway) -> None:
    _, answer = await gateway.post(sample("S01"))
    reader, writer = await asyncio.open_connection("127.0.0.1", gateway.mllp_port)
    writer.write(b"\x0b" + sample("S01") + b"\x1c\r")
    async with asyncio.timeout(5):
        assert await reader.readuntil(b"\x1c\r") == b"\x0b" + answer + b"\x1c\r"
    writer.close()
    await writer.wait_closed()


async def test_the_console_shows_what_was_taken(gateway: Gateway) -> None:
    await gateway.post(sample("S01"))
    async with gateway.client.get(gateway.address + gateway.sessions.link()) as response:
        home = await response.text()
    assert response.status == 200
    path = re.search(r"/console/prescriptions/[0-9a-f-]{36}", home)
    assert path
    async with gateway.client.get(gateway.address + path[0]) as response:
        page = await response.text()
    assert response.status == 200
    assert "Ready to send" in page
    assert "Inject 10mg ONCE a WEEK" in page
    message = re.search(r"/console/messages/in-[0-9]+", page)
    assert message
    async with gateway.client.get(gateway.address + message[0]) as response:
        page = await response.text()
    assert response.status == 200
    assert "S01-0001" in page
    assert "MedicationRequest" in page


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/hl7v2", "application/hl7-v2"),
        ("/xml", "application/xml"),
        ("/FHIR/R4/$process-message", "application/fhir+json"),
    ],
)
@pytest.mark.parametrize("size", [0, 10, 6 << 20], ids=["nothing", "ten bytes", "six mebibytes"])
async def test_what_is_no_message_gets_a_negative_answer_in_its_own_format(
    gateway: Gateway, path: str, kind: str, size: int
) -> None:
    headers = bearer("rba") | {"Content-Type": kind}
    async with gateway.client.post(gateway.address + path, data=io.BytesIO(b"a" * size), headers=headers) as response:
        body = await response.read()
        assert response.status == (413 if size > 5 << 20 else 400)
    mark = {"/hl7v2": b"MSA|AR", "/xml": b"<", "/FHIR/R4/$process-message": b"OperationOutcome"}[path]
    assert mark in body
    assert b"aaaa" not in body
    assert hashlib.sha256(b"a" * size).hexdigest().encode() not in body


@pytest.mark.parametrize(
    ("path", "kind", "mark"),
    [
        ("/hl7v2", "application/hl7-v2", b"MSA|AR"),
        ("/xml", "application/xml", b"urn:x-homecare-gateway"),
        ("/FHIR/R4/$process-message", "application/fhir+json", b"OperationOutcome"),
    ],
)
async def test_a_caller_turned_away_hears_it_in_its_own_format(
    gateway: Gateway, path: str, kind: str, mark: bytes
) -> None:
    for headers, status in (
        ({"Content-Type": kind}, 401),
        # a provider may post HL7 v2, its supply reports; there it hears what is wrong with them
        (bearer("vne51") | {"Content-Type": kind}, 400 if path == "/hl7v2" else 403),
        (bearer("rba") | {"Content-Type": "text/plain"}, 415),
    ):
        async with gateway.client.post(gateway.address + path, data=b"x", headers=headers) as response:
            assert response.status == status
            assert mark in await response.read()
