"""The seal of every message names the release of the reference data in force; the order itself says it too."""

import base64
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gateway.destination import Taken
from gateway.domain.identifiers import OdsCode
from gateway.pipeline.story import Pipeline
from tests.unit.pipeline.test_cancel import cancel
from tests.unit.pipeline.test_story import RECEIVED, S01, Clock, make

RELEASE = "dmd-2026-11-16"


def _facts(message: Any, name: str) -> list[str]:
    """Give what the envelope Task says under a name."""
    tasks = [entry["resource"] for entry in message["entry"] if entry["resource"]["resourceType"] == "Task"]
    inputs = [one for task in tasks for one in task["input"]]
    return [one["valueString"] for one in inputs if one["type"]["coding"][0]["code"] == name]


def _sealed_release(message: Any) -> str:
    """Give the release that the manifest under the seal names."""
    seal = message["entry"][-1]["resource"]["signature"][0]["data"]
    payload = base64.b64decode(seal).split(b".")[1]
    manifest = json.loads(base64.urlsafe_b64decode(payload + b"=" * (-len(payload) % 4)))
    return str(manifest["map"]["ref"])


@pytest.mark.parametrize("kind", ["order", "cancel"])
async def test_every_message_names_the_release_under_its_seal(tmp_path: Path, kind: str) -> None:
    world = make(tmp_path)
    around = replace(world.around, reference=replace(world.around.reference, release=RELEASE))
    sealer = world.keys.seal(around.organisation)
    world.pipeline = Pipeline(store=world.store, sealer=sealer, around=around, clock=Clock())
    room = {OdsCode("VNE51"): 10}
    await world.post(S01)
    (claim,) = await world.store.claim(worker="w", now=RECEIVED, lease_seconds=60, room=room)
    if kind == "cancel":
        assert await world.store.on_wire(claim, now=RECEIVED)
        await world.store.record(claim, Taken(), now=RECEIVED, retry_at=None)
        await world.post(cancel())
        (claim,) = await world.store.claim(worker="w", now=RECEIVED, lease_seconds=60, room=room)
    assert claim.octets is not None
    message = json.loads(claim.octets)
    # A cancel has no envelope: it repeats the order as it was accepted, and its seal alone names the release in force.
    assert _facts(message, "reference-release") == [RELEASE] * (kind == "order")
    assert _sealed_release(message) == RELEASE
    await world.store.close()
    await world.enquiries.close()
