"""What the gateway itself asks a holder to stop passes the whole check, or does not leave."""

from dataclasses import replace
from pathlib import Path
from uuid import UUID

import pytest

from gateway.config.profiles import fhir_checker
from gateway.domain.identifiers import OdsCode
from gateway.domain.reroute import WrittenOrder
from gateway.pipeline import surroundings
from gateway.pipeline.withdrawing import Withdrawal, seal_withdrawal
from gateway.sign.verify import verify
from tests.unit.pipeline.test_story import RECEIVED, S01, World, make

PROVIDER = OdsCode("VNE51")
SENT_IN = UUID("00000000-0000-4000-8000-000000000001")


@pytest.fixture
async def world(tmp_path: Path) -> World:
    made = make(tmp_path)
    made.around = replace(made.around, fhir=fhir_checker())
    await made.post(S01)
    return made


async def _told(world: World) -> bytes | None:
    (held,) = await world.enquiries.held(provider=PROVIDER)
    written: WrittenOrder = await world.enquiries.written(held.key)
    assert written.prescription is not None
    withdrawal = Withdrawal(
        line_id=written.prescription.lines[0].id,
        order_message=SENT_IN,
        epoch=1,
        name="validity over 1",
        why="The prescription is no longer valid",
        not_valid_after=RECEIVED.replace(year=2027),
    )
    sealed = seal_withdrawal(
        withdrawal,
        written=written,
        provider=world.around.routing.providers[PROVIDER],
        around=world.around,
        sealer=world.keys.seal(world.around.organisation),
    )
    return sealed.body if sealed else None


async def test_it_passes_our_own_check_and_verifies_offline(world: World) -> None:
    body = await _told(world)
    assert body is not None
    assert verify(body, world.keys.anchors, now=RECEIVED, audience=PROVIDER.value).ok


async def test_one_that_fails_our_check_by_fhir_is_not_sealed(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(surroundings, "check_written", lambda _written, _checker, _bundle: ("a fault",))
    assert await _told(world) is None
