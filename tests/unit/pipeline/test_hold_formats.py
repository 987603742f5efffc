"""Holds and releases in FHIR and XML, from the sender's bytes to the provider's confirmation and back."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from gateway.destination import Taken
from gateway.domain.identifiers import OdsCode
from gateway.domain.lifecycle import LineEvent, LineState
from gateway.domain.submission import Answer, Submission, WireFormat
from gateway.ports.work import Claim
from gateway.translate.to_acknowledgement import xml
from gateway.wire.strict_json import dumps
from tests.unit.pipeline.test_cancel import Trial
from tests.unit.pipeline.test_story import RECEIVED, World, make
from tests.unit.translate.from_fhir import orders, uk_core_orders

RBA = OdsCode("RBA")
ROOT = Path(__file__).parents[2]
NEW_XML = (ROOT / "golden/xml/example-new.xml").read_text("utf-8")
CANCEL_XML = (ROOT / "golden/xml/example-cancel.xml").read_text("utf-8")
RECEIPT = etree.XMLSchema(etree.parse(str(Path(xml.__file__).with_name("trust-receipt-1.0.xsd"))))


@dataclass
class Exchange:
    """A trust that speaks FHIR or XML, and whoever holds what it orders."""

    world: World

    async def post(self, body: bytes, form: WireFormat = WireFormat.FHIR, *, key: str = "") -> Answer:
        submission = Submission(
            tenant=RBA,
            format=form,
            body=body,
            content_type="application/fhir+json" if form is WireFormat.FHIR else "application/xml",
            received_at=RECEIVED,
            idempotency_key=key,
        )
        return await self.world.pipeline.receive(submission)

    async def send(self) -> Claim:
        now = RECEIVED + timedelta(seconds=1)
        room = dict.fromkeys(self.world.around.routing.providers, 10)
        (claim,) = await self.world.store.claim(worker="w", now=now, lease_seconds=60, room=room)
        assert await self.world.store.on_wire(claim, now=now)
        await self.world.store.record(claim, Taken(), now=now, retry_at=None)
        return claim

    async def answer(self, claim: Claim, event: LineEvent) -> None:
        trial = Trial(self.world)
        trial.now = RECEIVED + timedelta(seconds=2)
        await trial.answer(claim, event, f"{event}-{claim.id}")

    async def states(self) -> list[LineState]:
        found = await self.world.enquiries.latest(tenant=RBA, limit=10)
        views = [await self.world.enquiries.prescription(one.prescription_id, tenant=RBA) for one in found]
        return [line.state for view in views if view for line in view.lines]


@pytest.fixture
async def exchange(tmp_path: Path) -> AsyncIterator[Exchange]:
    world = make(tmp_path)
    yield Exchange(world)
    await world.store.close()
    await world.enquiries.close()


def named(bundle: dict[str, Any], number: int) -> dict[str, Any]:
    """Give a Bundle another identifier."""
    bundle["identifier"] = {
        "system": "https://tools.ietf.org/html/rfc4122",
        "value": f"5b3c4f9e-6a0c-4a3f-8a54-5f6f2d1b7{number:03d}",
    }
    return bundle


def order(number: int) -> dict[str, Any]:
    """Give an order without the placeholder signature."""
    message = named(orders.message(), number)
    message["entry"] = [entry for entry in message["entry"] if entry["resource"]["resourceType"] != "Provenance"]
    return message


def update(status: str, number: int, *, reason: dict[str, Any] | None = None) -> bytes:
    message = order(number)
    message["entry"][0]["resource"]["eventCoding"]["code"] = "prescription-order-update"
    line = orders.resource(message, "MedicationRequest")
    line["status"] = status
    if reason:
        line["statusReason"] = reason
    return dumps(message)


def standing(status: str, number: int, kind: str = "collection") -> bytes:
    bundle = named(uk_core_orders.collection(kind), number)
    orders.resource(bundle, "MedicationRequest")["status"] = status
    return dumps(bundle)


def words(answer: Answer) -> str:
    return " ".join(
        issue.get("diagnostics", "")
        for entry in json.loads(answer.body)["entry"]
        for issue in entry["resource"].get("issue", [])
    )


async def test_an_update_that_is_on_hold_holds_and_one_that_is_active_releases(exchange: Exchange) -> None:
    await exchange.post(dumps(order(1)))
    held = await exchange.post(update("on-hold", 2, reason={"text": "blood test awaited"}))
    assert (held.http_status, await exchange.states()) == (200, [LineState.ON_HOLD])
    assert "On hold." in words(held)
    released = await exchange.post(update("active", 3))
    assert (released.http_status, await exchange.states()) == (200, [LineState.READY])
    assert "Released." in words(released)


async def test_what_a_provider_has_is_only_asked_for_and_the_answer_says_so(exchange: Exchange) -> None:
    await exchange.post(dumps(order(1)))
    await exchange.send()
    held = await exchange.post(update("on-hold", 2))
    assert held.http_status == 200
    assert "It is not on hold until the provider confirms it." in words(held)
    assert "On hold." not in words(held)
    assert await exchange.states() == [LineState.WITH_PROVIDER]
    await exchange.answer(await exchange.send(), LineEvent.HOLD_CONFIRMED)
    assert await exchange.states() == [LineState.ON_HOLD]
    released = await exchange.post(update("active", 3))
    assert "It stays on hold until the provider confirms it." in words(released)
    assert await exchange.states() == [LineState.ON_HOLD]
    await exchange.answer(await exchange.send(), LineEvent.RELEASE_CONFIRMED)
    assert await exchange.states() == [LineState.WITH_PROVIDER]


@pytest.mark.parametrize("kind", ["collection", "transaction"])
async def test_a_uk_core_order_follows_its_status_on_hold_active_again_and_cancelled(
    exchange: Exchange, kind: str
) -> None:
    await exchange.post(standing("active", 1, kind))
    assert (await exchange.post(standing("on-hold", 2, kind))).http_status == 200
    assert await exchange.states() == [LineState.ON_HOLD]
    assert (await exchange.post(standing("active", 3, kind))).http_status == 200
    assert await exchange.states() == [LineState.READY]
    again = await exchange.post(standing("active", 4, kind))
    assert again.http_status == 422
    assert b"ORDER_REUSED" in again.body
    assert (await exchange.post(standing("cancelled", 5, kind))).http_status == 200
    assert await exchange.states() == [LineState.CANCELLED]


async def test_a_single_order_follows_its_status(exchange: Exchange) -> None:
    single = uk_core_orders.single()
    await exchange.post(dumps(single), key="K1")
    for key, status, state in (("K2", "on-hold", LineState.ON_HOLD), ("K3", "active", LineState.READY)):
        answer = await exchange.post(dumps(single | {"status": status}), key=key)
        assert answer.http_status == 200, answer.body
        assert await exchange.states() == [state]
    await exchange.post(dumps(single | {"status": "stopped"}), key="K4")
    assert await exchange.states() == [LineState.CANCELLED]


async def test_an_order_on_hold_is_not_released_by_another_dose(exchange: Exchange) -> None:
    await exchange.post(standing("active", 1))
    await exchange.post(standing("on-hold", 2))
    changed = named(uk_core_orders.collection(), 3)
    orders.resource(changed, "MedicationRequest")["dispenseRequest"]["numberOfRepeatsAllowed"] = 11
    answer = await exchange.post(dumps(changed))
    assert answer.http_status == 422
    assert b"ORDER_REUSED" in answer.body
    assert await exchange.states() == [LineState.ON_HOLD]


async def test_orders_and_changes_are_not_mixed_in_a_container(exchange: Exchange) -> None:
    await exchange.post(standing("active", 1))
    bundle = named(uk_core_orders.collection(), 2)
    second = json.loads(json.dumps(bundle["entry"][0]))
    second["fullUrl"] = "urn:uuid:5b3c4f9e-6a0c-4a3f-8a54-5f6f2d1b7999"
    second["resource"]["status"] = "on-hold"
    bundle["entry"].append(second)
    answer = await exchange.post(dumps(bundle))
    assert answer.http_status == 422
    assert await exchange.states() == [LineState.READY]


def change(action: str, number: int) -> bytes:
    """Give a trust XML change of the order of the example."""
    prescription = etree.fromstring(NEW_XML.encode()).find(".//{*}Prescription")
    assert prescription is not None
    text = CANCEL_XML.replace("<Action>cancel<", f"<Action>{action}<")
    text = text.replace("7d0a5c1e-0a52-4b54-9a3f-1f4f6f8a1002", f"7d0a5c1e-0a52-4b54-9a3f-1f4f6f8a2{number:03d}")
    tree = etree.fromstring(text.encode())
    for name in ("PrescriptionId", "ItemId"):
        for node in tree.iterfind(f".//{{*}}{name}"):
            if name == "PrescriptionId":
                node.text = prescription.get("id")
            else:
                parent = node.getparent()
                assert parent is not None
                parent.remove(node)
    return etree.tostring(tree)


def receipt(answer: Answer) -> etree._Element:
    tree = etree.fromstring(answer.body)
    RECEIPT.assertValid(tree)
    (prescription,) = tree.iterfind(".//{*}Prescription")
    return prescription


async def test_trust_xml_holds_and_releases_with_a_receipt_that_claims_no_more(exchange: Exchange) -> None:
    await exchange.post(NEW_XML.encode(), WireFormat.XML)
    assert set(await exchange.states()) == {LineState.READY}
    held = receipt(await exchange.post(change("hold", 1), WireFormat.XML))
    assert (held.get("action"), held.get("hold")) == ("hold", "confirmed")
    assert set(await exchange.states()) == {LineState.ON_HOLD}
    released = receipt(await exchange.post(change("release", 2), WireFormat.XML))
    assert (released.get("action"), released.get("hold")) == ("release", "confirmed")
    assert set(await exchange.states()) == {LineState.READY}
    claim = await exchange.send()
    asked = receipt(await exchange.post(change("hold", 3), WireFormat.XML))
    assert (asked.get("action"), asked.get("hold")) == ("hold", "asked")
    assert set(await exchange.states()) == {LineState.WITH_PROVIDER}
    assert claim.possible_duplicate is False
