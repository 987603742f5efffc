"""A disk or a queue that is full, with a real store: what is refused, and what goes on."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.config.load import load
from gateway.domain.identifiers import OdsCode
from gateway.domain.lifecycle import LineState
from gateway.enquiries import Waiting
from gateway.pipeline.admission import Admission, Floors, Full, Room
from gateway.pipeline.story import Pipeline
from gateway.store.keys import load_or_make
from tests.unit.pipeline.test_cancel import cancel
from tests.unit.pipeline.test_story import RECEIVED, S01, S10, Clock, World, make

RBA, VNE51 = OdsCode("RBA"), OdsCode("VNE51")


class Disk:
    """A disk that can be filled."""

    room = Room(bytes=1000)

    def measure(self) -> Room:
        return self.room


@pytest.fixture
async def disk() -> Disk:
    return Disk()


@pytest.fixture
async def world(tmp_path: Path, disk: Disk) -> AsyncIterator[World]:
    """A world that took one prescription while there was room."""
    made = make(tmp_path)
    made.pipeline = Pipeline(
        store=made.store,
        sealer=load_or_make(tmp_path, development=True, now=RECEIVED).seal(load(None).organisation),
        around=made.around,
        clock=Clock(),
        admission=Admission(Floors(free_bytes=100, waiting=5, waiting_of_one=2), disk.measure),
    )
    await made.post(S01)
    yield made
    await made.store.close()
    await made.enquiries.close()


async def test_on_a_full_disk_a_new_prescription_is_not_taken_and_leaves_nothing(world: World, disk: Disk) -> None:
    disk.room = Room(bytes=99)
    with pytest.raises(Full, match="disk"):
        await world.post(S10)
    assert await world.enquiries.by_control_id("S10-0001", tenant=RBA) == ()
    assert (await world.enquiries.books())["submitted"] == 1
    disk.room = Room(bytes=1000)
    await world.post(S10)
    assert await world.state("S10-0001") is LineState.HELD


async def test_on_a_full_disk_a_repeat_gets_its_answer(world: World, disk: Disk) -> None:
    first = await world.post(S01)
    disk.room = Room(bytes=99)
    assert await world.post(S01) == first


@pytest.mark.parametrize("room", [Room(bytes=99), Room(bytes=1000)])
async def test_a_cancel_is_taken_however_full_it_is(world: World, disk: Disk, room: Room) -> None:
    disk.room = room
    world.pipeline._admission.counted(Waiting(total=5, by_tenant={RBA: 5}))
    await world.post(cancel())
    assert await world.state("S01-0001") is LineState.CANCELLED


async def test_on_a_full_disk_what_cannot_be_read_is_not_kept(world: World, disk: Disk) -> None:
    disk.room = Room(bytes=99)
    with pytest.raises(Full, match="disk"):
        await world.post(b"rubbish")
    assert await world.enquiries.open_alerts(tenant=None, limit=9) == ()


async def test_a_sender_at_its_share_is_refused_and_nothing_of_it_is_stored(world: World) -> None:
    world.pipeline._admission.counted(Waiting(total=2, by_tenant={RBA: 2}))
    with pytest.raises(Full, match="share"):
        await world.post(S10)
    assert (await world.enquiries.books())["submitted"] == 1
