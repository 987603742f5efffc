"""The reserve is held while there is room, given up when there is not, and a person is told once."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import cast

import pytest

from gateway.domain.errors import Unavailable
from gateway.domain.identifiers import OdsCode
from gateway.enquiries import Enquiries, Waiting
from gateway.pipeline.admission import Admission, Floors, Full, Room
from gateway.ports.store import Store
from gateway.store.reserve import Reserve
from gateway.wiring.room import RoomKeeper, room_on

SIZE, FLOOR = 1000, 5000
RBA = OdsCode("RBA")


class Disk:
    """A disk on which the reserve takes room, a queue, and the alerts that were opened."""

    def __init__(self, folder: Path) -> None:
        self.reserve = Reserve(folder, SIZE)
        self.others = 0
        self.total = 20_000
        self.alerts: list[str] = []
        self.away = False
        self.moment = datetime(2026, 11, 22, tzinfo=UTC)
        self.admission = Admission(Floors(free_bytes=FLOOR, waiting=3), self.room)
        self.keeper = RoomKeeper(
            admission=self.admission,
            reserve=self.reserve,
            enquiries=cast("Enquiries", self),
            store=cast("Store", self),
            clock=self,
        )

    def room(self) -> Room:
        return Room(bytes=self.total - self.others - SIZE * self.reserve.held)

    def now(self) -> datetime:
        return self.moment

    async def waiting(self) -> Waiting:
        if self.away:
            raise Unavailable("away")
        return Waiting(total=3, by_tenant={RBA: 3})

    async def open_alert(self, *, kind: str, subject: str, text: str, **_: object) -> bool:
        if self.away:
            raise Unavailable("away")
        assert text
        self.alerts.append(f"{kind} {subject}")
        return True

    async def look(self, others: int) -> tuple[bool, int]:
        self.others = others
        await self.keeper.look()
        return self.reserve.held, len(self.alerts)


@pytest.fixture
def disk(tmp_path: Path) -> Disk:
    return Disk(tmp_path)


async def test_the_reserve_is_given_up_below_the_floor_and_taken_back_without_flapping(disk: Disk) -> None:
    assert await disk.look(0) == (True, 0)
    assert await disk.look(14_000) == (True, 0)  # 5000 free beside the reserve: at the floor
    assert await disk.look(14_001) == (False, 1)  # below it; 5999 are free now
    assert await disk.look(14_001) == (False, 1)  # above the floor, but not with the reserve
    assert await disk.look(15_500) == (False, 1)  # below again: told already
    assert await disk.look(14_000) == (True, 1)
    assert await disk.look(15_500) == (False, 2)
    assert disk.alerts == ["room-low disk"] * 2


async def test_while_it_is_still_full_a_person_is_told_again(disk: Disk) -> None:
    assert await disk.look(16_000) == (False, 1)
    disk.moment += timedelta(seconds=59)
    assert await disk.look(16_000) == (False, 1)
    disk.moment += timedelta(seconds=1)
    assert await disk.look(16_000) == (False, 2)  # of which the store opens one only if none is open


async def test_below_the_floor_nothing_new_comes_in_until_there_is_room(disk: Disk) -> None:
    disk.others = 16_000
    with pytest.raises(Full, match="disk"):
        disk.admission.let_in(RBA)
    disk.others = 0
    disk.admission.let_in(RBA)


async def test_the_queue_is_counted_at_every_look(disk: Disk) -> None:
    disk.admission.let_in(RBA)
    await disk.look(0)
    with pytest.raises(Full, match="queue"):
        disk.admission.let_in(RBA)


async def test_a_store_that_is_away_is_told_at_the_next_look(disk: Disk) -> None:
    disk.away = True
    assert await disk.look(16_000) == (False, 0)
    disk.away = False
    assert await disk.look(16_000) == (False, 1)


def test_the_file_system_is_measured(tmp_path: Path) -> None:
    room = room_on(tmp_path)()
    assert room.bytes > 0
    assert room.files is None or room.files > 0
