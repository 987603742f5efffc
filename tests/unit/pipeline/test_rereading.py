"""Held orders read again, with a real store and real seals: let go once, or held for what is wrong now."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from gateway.domain.code_map import ApprovedEntry, RereadState, entries_in
from gateway.domain.coding import SNOMED, Coding
from gateway.domain.errors import Unavailable
from gateway.domain.identifiers import OdsCode
from gateway.domain.lifecycle import LineState
from gateway.domain.proposal import Proposal
from gateway.pipeline.code_book import CodeBook
from gateway.pipeline.rereading import Rereading
from gateway.pipeline.story import Pipeline
from gateway.ports.code_maps import Approval, HeldCode
from gateway.sign.verify import verify
from tests.unit.pipeline.test_cancel import cancel
from tests.unit.pipeline.test_story import RBA, RECEIVED, S01, World, make

SYRINGE = Coding(system=SNOMED, code="3318611000001103", display="pre-filled disposable injection")
_DRUG = b"15517911000001104^Methotrexate 10mg/0.2ml solution for injection pre-filled syringes^SCT"
_UNIT = b"3318611000001103^pre-filled disposable injection^SCT"
LOCAL_UNIT = S01.replace(_UNIT, b"PFS^pre-filled syringe^99LOC")
_LOCAL = b"MTX10^Methotrexate 10mg/0.2ml pre-filled syringe^99LOC"
PRODUCT = Coding(
    system=SNOMED,
    code="15517911000001104",
    display="Methotrexate 10mg/0.2ml solution for injection pre-filled syringes",
)


@dataclass
class Ticking:
    moment: datetime = field(default=RECEIVED)

    def now(self) -> datetime:
        return self.moment


@dataclass
class Office:
    """A world whose trust has codes that nobody has mapped, and the people who map them."""

    world: World
    book: CodeBook
    rereading: Rereading
    clock: Ticking

    async def post(self, body: bytes) -> None:
        await self.world.post(body)

    async def codes(self) -> tuple[HeldCode, ...]:
        return await self.world.enquiries.held_codes(tenant=RBA)

    async def propose(self, held: HeldCode, by: str = "a.one") -> UUID:
        id_, now = uuid4(), self.clock.now()
        proposal = Proposal(
            id=id_,
            kind="map-entry",
            subject=str(held.code_id),
            payload=b"{}",
            tenant=held.trust,
            by=by,
            reason="The label of our formulary.",
            at=now,
            expires_at=now + timedelta(days=7),
        )
        assert await self.world.store.propose(proposal) == ()
        return id_

    async def approve(self, held: HeldCode, target: Coding, by: str = "b.two") -> ApprovedEntry | tuple[str, ...]:
        id_ = await self.propose(held)
        return await self.world.store.approve_entry(
            Approval(proposal=id_, trust=held.trust, unknown=held.unknown, target=target, by=by, now=self.clock.now())
        )

    async def states(self) -> list[LineState]:
        (found,) = await self.world.enquiries.search(tenant=RBA, order_number="RX7001")
        view = await self.world.enquiries.prescription(found.prescription_id, tenant=RBA)
        assert view is not None
        return [line.state for line in view.lines]


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    made = make(tmp_path, codes=())
    made_office = _office(made)
    yield made_office
    await made.store.close()
    await made.enquiries.close()


def _office(made: World) -> Office:
    book, clock = CodeBook(made.around.trusts), Ticking()
    around = replace(made.around, trusts=book)
    sealer = made.keys.seal(around.organisation)
    made.around = around
    made.pipeline = Pipeline(store=made.store, sealer=sealer, around=around, clock=clock)
    rereading = Rereading(
        book=book, store=made.store, enquiries=made.enquiries, sealer=sealer, around=around, clock=clock
    )
    return Office(made, book, rereading, clock)


def local_drug(body: bytes = LOCAL_UNIT) -> bytes:
    assert _DRUG in body
    return body.replace(_DRUG, _LOCAL)


async def test_an_approved_entry_lets_the_held_order_go_under_its_old_name(office: Office) -> None:
    await office.post(local_drug())
    codes = {held.unknown.kind.value: held for held in await office.codes()}
    assert set(codes) == {"drug", "unit"}
    (before,) = await office.world.enquiries.search(tenant=RBA, order_number="RX7001")
    for kind, target in (("drug", PRODUCT), ("unit", SYRINGE)):
        entry = await office.approve(codes[kind], target)
        assert isinstance(entry, ApprovedEntry)
    await office.rereading.work()
    assert await office.states() == [LineState.READY]
    (after,) = await office.world.enquiries.search(tenant=RBA, order_number="RX7001")
    assert after.prescription_id == before.prescription_id
    (octets,) = await office.world.due()
    assert octets is not None
    assert verify(octets, office.world.keys.anchors, now=RECEIVED, audience="VNE51").ok
    assert await office.codes() == ()
    assert await office.world.enquiries.rereads_waiting(limit=9) == ()
    assert "line-held" not in [one.kind for one in await office.world.enquiries.open_alerts(tenant=None, limit=9)]


async def test_one_entry_of_two_leaves_it_held_for_the_other(office: Office) -> None:
    await office.post(local_drug())
    codes = {held.unknown.kind.value: held for held in await office.codes()}
    await office.approve(codes["drug"], PRODUCT)
    await office.rereading.work()
    assert await office.states() == [LineState.HELD]
    assert [held.unknown.kind.value for held in await office.codes()] == ["unit"]
    (view,) = await office.world.enquiries.rereads_of(codes["drug"].code_id, tenant=RBA)
    assert (view.state, view.outcome) == (RereadState.STILL_HELD, "UNIT_UNMAPPED")
    assert await office.world.due() == []


async def test_the_trace_and_the_seal_name_the_entry(office: Office) -> None:
    await office.post(LOCAL_UNIT)
    (held,) = await office.codes()
    entry = await office.approve(held, SYRINGE)
    assert isinstance(entry, ApprovedEntry)
    await office.rereading.work()
    (key,) = (await office.world.enquiries.touched(held.code_id, tenant=RBA, since=RECEIVED, limit=9)).keys
    written = await office.world.enquiries.written(key)
    assert entries_in(written.trace) == (f"v{entry.number}",)
    (octets,) = await office.world.due()
    assert octets is not None
    manifest = verify(octets, office.world.keys.anchors, now=RECEIVED, audience="VNE51").manifest
    assert manifest is not None
    assert "+" in str(manifest["map"])


async def test_what_comes_later_is_read_by_it_and_what_came_before_keeps_its_reading(office: Office) -> None:
    await office.post(LOCAL_UNIT)
    (held,) = await office.codes()
    entry = await office.approve(held, SYRINGE)
    assert isinstance(entry, ApprovedEntry)
    await office.rereading.work()
    second = LOCAL_UNIT.replace(b"S01-0001", b"S01-0002").replace(b"RX7001", b"RX7009").replace(b"A0548B", b"B0548B")
    await office.post(_another_group(second))
    assert await office.world.state("S01-0002") is LineState.READY
    assert (
        await office.world.store.withdraw_entry(entry.number, by="c.three", reason="Wrong.", tenant=RBA, now=RECEIVED)
        == ()
    )
    assert await office.states() == [LineState.READY]


def _another_group(body: bytes) -> bytes:
    return body.replace(b"GRP7001", b"GRP7009")


async def test_what_was_read_by_an_entry_that_was_taken_back_is_not_sealed(office: Office) -> None:
    await office.post(LOCAL_UNIT)
    (held,) = await office.codes()
    entry = await office.approve(held, SYRINGE)
    assert isinstance(entry, ApprovedEntry)
    assert (
        await office.world.store.withdraw_entry(entry.number, by="c.three", reason="Wrong.", tenant=RBA, now=RECEIVED)
        == ()
    )
    await office.rereading.work()
    assert await office.states() == [LineState.HELD]
    assert await office.world.due() == []
    (again,) = await office.codes()
    assert again.waiting == 1


async def test_a_task_is_done_once_however_often_it_is_begun(office: Office) -> None:
    await office.post(LOCAL_UNIT)
    (held,) = await office.codes()
    await office.approve(held, SYRINGE)
    (task,) = await office.world.enquiries.rereads_waiting(limit=9)
    assert await office.rereading.run(task) is RereadState.RELEASED
    assert await office.rereading.run(task) is RereadState.RELEASED
    assert len(await office.world.due()) == 1


async def test_an_order_that_was_cancelled_meanwhile_is_left_alone(office: Office) -> None:
    await office.post(LOCAL_UNIT)
    (held,) = await office.codes()
    await office.approve(held, SYRINGE)
    await office.post(cancel())
    await office.rereading.work()
    assert await office.states() == [LineState.CANCELLED]
    (view,) = await office.world.enquiries.rereads_of(held.code_id, tenant=RBA)
    assert view.state is RereadState.OVERTAKEN
    assert await office.world.due() == []


async def test_a_trust_that_checks_here_has_it_wait_for_its_pharmacist(tmp_path: Path) -> None:
    office = _office(make(tmp_path, codes=(), screening=True))
    checked = b"2099991^PHARMACIST^Perry^^^MR^^^GPhC|20261005085500+0100"
    await office.post(LOCAL_UNIT.replace(checked, b"|"))
    (held,) = await office.codes()
    await office.approve(held, SYRINGE)
    await office.rereading.work()
    assert await office.states() == [LineState.AWAITING_SCREENING]
    await office.world.store.close()
    await office.world.enquiries.close()


async def test_nothing_is_released_after_its_prescription_ran_out(office: Office) -> None:
    await office.post(LOCAL_UNIT)
    (held,) = await office.codes()
    await office.approve(held, SYRINGE)
    office.clock.moment = RECEIVED + timedelta(days=400)
    await office.rereading.work()
    assert await office.states() == [LineState.HELD]
    assert await office.world.due() == []


async def test_an_entry_of_another_trust_changes_nothing(office: Office) -> None:
    await office.post(LOCAL_UNIT)
    (held,) = await office.codes()
    await office.approve(replace(held, trust=OdsCode("RZA")), SYRINGE)
    assert await office.rereading.work() == 0
    assert await office.states() == [LineState.HELD]


async def test_the_second_person_is_another(office: Office) -> None:
    await office.post(LOCAL_UNIT)
    (held,) = await office.codes()
    refused = await office.approve(held, SYRINGE, by="A.One")
    assert isinstance(refused, tuple)
    assert "another" in refused[0]
    assert await office.world.enquiries.approved_entries() == ()


async def test_an_order_held_by_a_node_that_had_not_heard_is_read_again(office: Office) -> None:
    await office.post(LOCAL_UNIT)
    (held,) = await office.codes()
    await office.approve(held, SYRINGE)
    second = LOCAL_UNIT.replace(b"S01-0001", b"S01-0002").replace(b"RX7001", b"RX7009")
    await office.post(_another_group(second))  # this node's book was not looked at yet
    assert await office.world.state("S01-0002") is LineState.HELD
    await office.rereading.work()
    assert await office.world.state("S01-0002") is LineState.READY


async def test_a_new_message_is_not_sealed_by_an_entry_that_another_node_took_back(office: Office) -> None:
    await office.post(LOCAL_UNIT)
    (held,) = await office.codes()
    entry = await office.approve(held, SYRINGE)
    assert isinstance(entry, ApprovedEntry)
    await office.rereading.work()
    await office.world.store.withdraw_entry(entry.number, by="c.three", reason="Wrong.", tenant=RBA, now=RECEIVED)
    second = LOCAL_UNIT.replace(b"S01-0001", b"S01-0002").replace(b"RX7001", b"RX7009")
    with pytest.raises(Unavailable):
        await office.post(_another_group(second))  # this node's book still has it
    await office.book.look(office.world.enquiries)
    await office.post(_another_group(second))
    assert await office.world.state("S01-0002") is LineState.HELD
