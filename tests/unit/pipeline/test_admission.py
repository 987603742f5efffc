"""New work is refused before room for finishing the old is gone, and no sender fills the queue alone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.identifiers import OdsCode
from gateway.enquiries import Waiting
from gateway.pipeline.admission import Admission, Floors, Full, Room

RBA, RZA = OdsCode("RBA"), OdsCode("RZA")
FLOORS = Floors(free_bytes=1000, free_files=10, waiting=10, waiting_of_one=6)


def admission(room: Room = Room(bytes=1000, files=10), floors: Floors = FLOORS) -> Admission:  # noqa: B008 - frozen
    return Admission(floors, lambda: room)


def let_in(doors: Admission, tenant: OdsCode) -> str:
    """Try to let one in, and say what was lacking."""
    try:
        doors.let_in(tenant)
    except Full as full:
        return full.what
    return ""


@pytest.mark.parametrize(
    ("room", "lacking"),
    [
        (Room(bytes=1000, files=10), ""),
        (Room(bytes=999, files=10), "disk"),
        (Room(bytes=1000, files=9), "files"),
        (Room(bytes=1000, files=None), ""),
        (Room(bytes=0, files=0), "disk"),
    ],
)
def test_below_the_floor_of_the_disk_nothing_new_is_let_in_or_kept(room: Room, lacking: str) -> None:
    doors = admission(room)
    assert let_in(doors, RBA) == lacking
    if lacking:
        with pytest.raises(Full, match=lacking):
            doors.keep()
    else:
        doors.keep()


def test_without_floors_everything_is_let_in() -> None:
    doors = admission(Room(bytes=0, files=0), Floors())
    doors.counted(Waiting(total=10**9, by_tenant={RBA: 10**9}))
    assert let_in(doors, RBA) == ""


def test_a_full_queue_is_full_for_all_and_a_full_share_for_one() -> None:
    doors = admission()
    doors.counted(Waiting(total=6, by_tenant={RBA: 6}))
    assert (let_in(doors, RBA), let_in(doors, RZA)) == ("share", "")
    doors.counted(Waiting(total=10, by_tenant={RBA: 5, RZA: 5}))
    assert (let_in(doors, RBA), let_in(doors, RZA)) == ("queue", "queue")
    doors.keep()
    doors.counted(Waiting(total=0, by_tenant={}))
    assert let_in(doors, RBA) == ""


@given(st.lists(st.sampled_from([RBA, RZA]), max_size=40))
def test_a_burst_between_two_countings_fills_neither_queue_nor_share_beyond_its_limit(tenants: list[OdsCode]) -> None:
    doors = admission()
    doors.counted(Waiting(total=2, by_tenant={RBA: 2}))
    let = [tenant for tenant in tenants if not let_in(doors, tenant)]
    assert let.count(RBA) <= 4
    assert let.count(RZA) <= 6
    assert len(let) <= 8
    assert len(let) >= min(len(tenants), 4)


def test_a_reserve_is_not_taken_where_it_would_lead_below_the_floor() -> None:
    doors = admission(Room(bytes=1500))
    assert doors.disk(ahead_bytes=500) == ""
    assert doors.disk(ahead_bytes=501) == "disk"
