"""An order is put on hold and released through the real doors; its provider says each time that it is so."""

import json
from datetime import timedelta
from typing import Any

from gateway.destination import Taken
from gateway.domain.identifiers import OdsCode
from gateway.ports.work import Claim
from tests.acceptance.doors.test_first_prescription import RECEIVED, Gateway, gateway, pytestmark, sample
from tests.doors import bearer

__all__ = ["gateway", "pytestmark"]

PROVIDER = OdsCode("VNE51")
ITEM = "https://fhir.nhs.uk/Id/prescription-order-item-number"


async def send(gateway: Gateway) -> Claim:
    """Do as the worker does, for the one message that is due."""
    now = RECEIVED + timedelta(seconds=1)
    (claim,) = await gateway.store.claim(worker="w", now=now, lease_seconds=60, room={PROVIDER: 10})
    assert await gateway.store.on_wire(claim, now=now)
    await gateway.store.record(claim, Taken(), now=now, retry_at=None)
    return claim


async def say(gateway: Gateway, claim: Claim, word: str) -> None:
    """Answer a message as the provider does, in FHIR, at the provider's own door."""
    assert claim.octets is not None
    sent = json.loads(claim.octets)["entry"][1]["resource"]
    item = next(one for one in sent["identifier"] if one.get("system") == ITEM)
    history = {"system": "urn:x-homecare-gateway:CodeSystem:line-event", "code": word}
    line = {
        "resourceType": "MedicationRequest",
        "extension": [
            {
                "url": "https://fhir.nhs.uk/StructureDefinition/Extension-DM-PrescriptionStatusHistory",
                "extension": [{"url": "status", "valueCoding": history}],
            }
        ],
        "identifier": [item],
        "status": sent["status"],
    }
    header = {
        "resourceType": "MessageHeader",
        "eventCoding": {
            "system": "https://fhir.nhs.uk/CodeSystem/message-event",
            "code": "prescription-order-response",
        },
        "response": {"identifier": str(claim.message_id), "code": "ok"},
    }
    bundle = {
        "resourceType": "Bundle",
        "identifier": {"system": "https://tools.ietf.org/html/rfc4122", "value": f"{word}-1"},
        "type": "message",
        "entry": [{"resource": header}, {"resource": line}],
    }
    headers = bearer("vne51") | {"Content-Type": "application/fhir+json"}
    url = f"{gateway.address}/callbacks/{PROVIDER}"
    async with gateway.client.post(url, data=json.dumps(bundle), headers=headers) as response:
        assert response.status == 200, await response.text()


async def ask(gateway: Gateway, control: str, name: str) -> tuple[str, str, str]:
    """Post an order control of the trust, and give what it is told: MSA-1, ORC-1, ORC-5."""
    lines = sample("S01").decode().split("\r")
    msh = lines[0].replace("|||AL|AL|", "|||||").replace("S01-0001", name)
    if control == "NW":
        body = "\r".join([msh, *lines[1:]])
    else:
        orc = f"ORC|{control}|RX7001^RBA||GRP7001^RBA|||||20261005091400+0100|||||||^blood test awaited"
        body = "\r".join([msh, lines[1], orc, ""])
    status, answer = await gateway.post(body.encode())
    assert status == 200, answer
    fields = {line[:3]: [*line.split("|"), "", "", "", "", ""] for line in answer.decode().split("\r")}
    return fields["MSA"][1], fields["ORC"][1], fields["ORC"][5]


async def state(gateway: Gateway) -> str:
    """Ask the gateway where the order stands, as the trust may."""
    url = f"{gateway.address}/FHIR/R4/Task"
    async with gateway.client.get(url, params={"identifier": "RX7001"}, headers=bearer("rba")) as response:
        found: dict[str, Any] = await response.json(content_type=None)
    task = found["entry"][0]["resource"]
    return f"{task['businessStatus']['coding'][0]['code']} {task['status']}"


async def test_an_order_is_held_and_released_by_the_word_of_its_provider_alone(gateway: Gateway) -> None:
    assert await ask(gateway, "NW", "WALK-1") == ("AA", "OK", "SC")
    await send(gateway)
    assert await ask(gateway, "HD", "WALK-2") == ("AA", "UH", "IP")
    asked = await send(gateway)
    assert await state(gateway) == "WITH_PROVIDER received"
    await say(gateway, asked, "hold_confirmed")
    assert await state(gateway) == "ON_HOLD on-hold"
    assert await ask(gateway, "HD", "WALK-3") == ("AA", "HR", "HD")
    assert await ask(gateway, "RL", "WALK-4") == ("AA", "UR", "HD")
    released = await send(gateway)
    assert await state(gateway) == "ON_HOLD on-hold"
    await say(gateway, released, "release_confirmed")
    assert await state(gateway) == "WITH_PROVIDER received"
