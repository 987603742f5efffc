"""After a restore: a cancel or a hold that rests on nothing having left is not available, at any door, until it is."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from gateway.domain.errors import Unavailable
from gateway.domain.lifecycle import LineState
from gateway.domain.partner import Environment
from gateway.domain.reconciliation import AFTER_RESTORE
from gateway.domain.submission import WireFormat
from gateway.mllp import MllpListener, by_sending_facility
from gateway.telemetry import Metrics
from gateway.web.app import Identity, create_app
from gateway.web.limits import Limits
from gateway.wire.strict_json import dumps
from tests.doors import RBA, Notes, bearer, directory, served
from tests.unit.pipeline.test_cancel import PROVIDER, cancel
from tests.unit.pipeline.test_hold import hold
from tests.unit.pipeline.test_hold_formats import NEW_XML, Exchange, change, order, update
from tests.unit.pipeline.test_story import RECEIVED, S01, World, make
from tests.unit.test_mllp import exchange as over_mllp

ORDERS = {
    WireFormat.HL7V2: S01,
    WireFormat.FHIR: dumps(order(1)),
    WireFormat.XML: NEW_XML.encode(),
}
REASON = {
    "coding": [
        {
            "system": "https://fhir.nhs.uk/CodeSystem/medicationrequest-status-reason",
            "code": "0001",
            "display": "Prescribing Error",
        }
    ]
}
CHANGES = {
    "cancel": {
        WireFormat.HL7V2: cancel(),
        WireFormat.FHIR: update("cancelled", 2, reason=REASON),
        WireFormat.XML: change("cancel", 1),
    },
    "hold": {
        WireFormat.HL7V2: hold(),
        WireFormat.FHIR: update("on-hold", 2),
        WireFormat.XML: change("hold", 1),
    },
}
DOORS = {
    WireFormat.HL7V2: ("/hl7v2", "application/hl7-v2"),
    WireFormat.FHIR: ("/FHIR/R4/$process-message", "application/fhir+json"),
    WireFormat.XML: ("/xml", "application/xml"),
}
DONE = {"cancel": LineState.CANCELLED, "hold": LineState.ON_HOLD}
CASES = [(what, form) for what in CHANGES for form in DOORS]


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    world = make(tmp_path)
    yield world
    await world.store.close()
    await world.enquiries.close()


async def restored(world: World, form: WireFormat) -> None:
    """Take an order, and hold its provider as a restore does."""
    await Exchange(world).post(ORDERS[form], form)
    await world.store.pause(PROVIDER, by="gateway", reason="restored", now=RECEIVED, kind=AFTER_RESTORE)


async def reconciled(world: World) -> None:
    await world.store.resume(PROVIDER, by="a.person", reason="their list", now=RECEIVED, kind=AFTER_RESTORE)


async def submissions(world: World) -> int:
    return (await world.enquiries.books())["submitted"]


@asynccontextmanager
async def http(world: World) -> AsyncIterator[str]:
    app = create_app(
        story=world.pipeline,
        enquiries=world.enquiries,
        notes=Notes(),
        directory=directory(),
        providers=frozenset(),
        identity=Identity(organisation=RBA, environment=Environment.TEST, base_url="http://127.0.0.1", version="1"),
        jwks={"keys": []},
        metrics=Metrics(),
        now=lambda: RECEIVED,
        limits=Limits(),
        hosts=frozenset({"127.0.0.1"}),
    )
    async with served(app) as address:
        yield address


@pytest.mark.parametrize(("what", "form"), CASES)
async def test_it_is_not_available_over_http_and_the_same_bytes_succeed_afterwards(
    world: World, what: str, form: WireFormat
) -> None:
    await restored(world, form)
    path, kind = DOORS[form]
    headers = {**bearer("rba"), "Content-Type": kind}
    async with http(world) as address, aiohttp.ClientSession() as client:

        async def post() -> tuple[int, str | None]:
            async with client.post(address + path, data=CHANGES[what][form], headers=headers) as response:
                return response.status, response.headers.get("Retry-After")

        status, retry_after = await post()
        assert (status, bool(retry_after)) == (503, True)
        assert set(await Exchange(world).states()) == {LineState.READY}
        await reconciled(world)
        assert (await post())[0] == 200
    assert set(await Exchange(world).states()) == {DONE[what]}


@pytest.mark.parametrize("what", CHANGES)
async def test_it_is_not_available_over_mllp(world: World, what: str) -> None:
    await restored(world, WireFormat.HL7V2)
    listener = MllpListener(
        world.pipeline.receive, tenant_of=by_sending_facility({"RBA": RBA}), now=lambda: RECEIVED, metrics=Metrics()
    )
    port = await listener.start("127.0.0.1", 0)
    try:
        told = await over_mllp(port, b"\x0b" + CHANGES[what][WireFormat.HL7V2] + b"\x1c\r")
    finally:
        await listener.close(drain_seconds=1)
    assert b"MSA|CE|" in told or b"MSA|AR|" in told
    assert set(await Exchange(world).states()) == {LineState.READY}


@pytest.mark.parametrize(("what", "form"), CASES)
async def test_nothing_of_it_is_stored(world: World, what: str, form: WireFormat) -> None:
    await restored(world, form)
    before = await submissions(world)
    with pytest.raises(Unavailable):
        await Exchange(world).post(CHANGES[what][form], form)
    assert await submissions(world) == before
