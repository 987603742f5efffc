"""What a seal says of the end of its order: the day after which no supply may begin, by what dm+d knows of the drug."""

import base64
import json
from dataclasses import replace
from pathlib import Path

import pytest

from gateway.domain.identifiers import OdsCode
from gateway.domain.prescription import ControlledSchedule
from gateway.pipeline.story import Pipeline
from tests.unit.pipeline.test_story import RECEIVED, S01, Clock, make


@pytest.mark.parametrize(
    ("schedule", "end"),
    [(None, "2027-04-05T22:59:59Z"), (ControlledSchedule.CD4, "2026-11-02T23:59:59Z")],
    ids=["six months", "28 days of a schedule 4 drug"],
)
async def test_the_seal_ends_the_order_where_the_door_does(
    tmp_path: Path, schedule: ControlledSchedule | None, end: str
) -> None:
    world = make(tmp_path)
    reference = world.around.reference
    products = {code: replace(row, schedule=schedule) for code, row in reference.products.items()}
    around = replace(world.around, reference=replace(reference, products=products))
    sealer = world.keys.seal(around.organisation)
    world.pipeline = Pipeline(store=world.store, sealer=sealer, around=around, clock=Clock())
    await world.post(S01)
    (claim,) = await world.store.claim(worker="w", now=RECEIVED, lease_seconds=60, room={OdsCode("VNE51"): 10})
    assert claim.octets is not None
    seal = json.loads(claim.octets)["entry"][-1]["resource"]["signature"][0]["data"]
    payload = base64.b64decode(seal).split(b".")[1]
    assert json.loads(base64.urlsafe_b64decode(payload + b"=" * (-len(payload) % 4)))["nva"] == end
    await world.store.close()
    await world.enquiries.close()
