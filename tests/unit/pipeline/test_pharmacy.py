"""Screening and the clock through the whole pipeline, with a real store and real seals."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest

from gateway.destination import Taken
from gateway.domain.acknowledgement import Acknowledgement, LineReport
from gateway.domain.acts import Act
from gateway.domain.identifiers import OdsCode
from gateway.domain.lifecycle import LineEvent, LineState
from gateway.enquiries import WATCH
from gateway.pipeline import clockwork
from gateway.pipeline.clockwork import EXPIRED, Clockwork
from gateway.pipeline.pharmacy import Pharmacy
from gateway.ports.callback import Callback
from gateway.sign.verify import verify
from tests.unit.pipeline.test_cancel import cancel
from tests.unit.pipeline.test_story import RECEIVED, S01, World, make

PROVIDER = OdsCode("VNE51")
RBA = OdsCode("RBA")
_SYRINGE = b"15517911000001104^Methotrexate 10mg/0.2ml solution for injection pre-filled syringes"
_CHECKED = b"2099991^PHARMACIST^Perry^^^MR^^^GPhC|20261005085500+0100"


def two_orders() -> bytes:
    """S01 with a second order in the same prescription, of another device, neither of them checked."""
    lines = S01.replace(_CHECKED, b"|").rstrip(b"\r").split(b"\r")
    start = next(index for index, line in enumerate(lines) if line.startswith(b"ORC"))
    device = b"24594311000001100^Methotrexate 10mg/0.2ml solution for injection pre-filled disposable devices"
    again = [line.replace(b"RX7001", b"RX7002").replace(_SYRINGE, device) for line in lines[start:]]
    return b"\r".join([*lines, *again, b""])


@dataclass
class Ticking:
    moment: datetime = field(default=RECEIVED)

    def now(self) -> datetime:
        return self.moment


@dataclass
class Shop:
    """A world with a pharmacy and a clock in it."""

    world: World
    clock: Ticking
    pharmacy: Pharmacy
    clockwork: Clockwork

    async def act(self) -> Act:
        (found,) = await self.world.enquiries.search(tenant=RBA, order_number="RX7001")
        return Act(prescription_id=found.prescription_id, by="j.smith", reason="Checked.", now=self.clock.now())

    async def states(self) -> list[LineState]:
        view = await self.world.enquiries.prescription((await self.act()).prescription_id, tenant=RBA)
        assert view is not None
        return [line.state for line in view.lines]

    async def send(self) -> list[bytes]:
        """Send what is due, and give the bytes."""
        sent = []
        claims = await self.world.store.claim(worker="w", now=self.clock.now(), lease_seconds=60, room={PROVIDER: 100})
        for claim in claims:
            if await self.world.store.on_wire(claim, now=self.clock.now()):
                await self.world.store.record(claim, Taken(), now=self.clock.now(), retry_at=None)
                sent.append(claim.octets or b"")
        return sent

    async def answer(self, message: bytes, event: LineEvent) -> None:
        said = Acknowledgement(
            id=event.value,
            correlation=json_id(message),
            reports=(LineReport(line_id=None, event=event),),
        )
        callback = Callback(
            destination=PROVIDER, received_at=self.clock.now(), content_type="", body=event.value.encode()
        )
        await self.world.store.acknowledge(callback, said, ())


def json_id(message: bytes) -> UUID:
    return UUID(json.loads(message)["identifier"]["value"])


def orders_in(message: bytes) -> list[str]:
    """Give the order numbers that a message carries."""
    entries = [entry["resource"] for entry in json.loads(message)["entry"]]
    return [
        identifier["value"]
        for resource in entries
        if resource["resourceType"] == "MedicationRequest"
        for identifier in resource["identifier"]
        if identifier["value"].startswith("RX")
    ]


@asynccontextmanager
async def opened(folder: Path) -> AsyncIterator[Shop]:
    world, clock = make(folder, screening=True), Ticking()
    around, sealer = world.around, world.keys.seal(world.around.organisation)
    yield Shop(
        world=world,
        clock=clock,
        pharmacy=Pharmacy(store=world.store, enquiries=world.enquiries, sealer=sealer, around=around, clock=clock),
        clockwork=Clockwork(store=world.store, enquiries=world.enquiries, sealer=sealer, around=around, clock=clock),
    )
    await world.store.close()
    await world.enquiries.close()


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Shop]:
    async with opened(tmp_path) as made:
        yield made


async def test_a_screened_order_goes_as_it_was_sealed(shop: Shop) -> None:
    await shop.world.post(two_orders())
    assert await shop.states() == [LineState.AWAITING_SCREENING] * 2
    assert await shop.send() == []
    assert await shop.pharmacy.screen(await shop.act()) == ()
    (sent,) = await shop.send()
    assert orders_in(sent) == ["RX7001", "RX7002"]
    assert await shop.pharmacy.screen(await shop.act()) != ()


async def test_a_line_that_was_cancelled_before_the_screening_is_in_no_message(shop: Shop) -> None:
    await shop.world.post(two_orders())
    await shop.world.post(cancel())
    assert await shop.states() == [LineState.CANCELLED, LineState.AWAITING_SCREENING]
    assert await shop.pharmacy.screen(await shop.act()) == ()
    assert await shop.states() == [LineState.CANCELLED, LineState.READY]
    (sent,) = await shop.send()
    assert orders_in(sent) == ["RX7002"]
    assert b"RX7001" not in sent
    report = verify(sent, shop.world.keys.anchors, now=shop.clock.now(), audience="VNE51")
    assert report.ok, str(report)
    await shop.answer(sent, LineEvent.ACCEPTED)
    assert await shop.states() == [LineState.CANCELLED, LineState.ACCEPTED]


async def test_the_provider_is_told_when_the_validity_of_what_it_holds_is_over(shop: Shop) -> None:
    await shop.world.post(S01)
    (order,) = await shop.send()
    await shop.answer(order, LineEvent.ACCEPTED)
    struck = await shop.clockwork.strike()
    assert (struck.expired, struck.turned.renewals) == (0, 0)
    shop.clock.moment += timedelta(days=200)
    assert (await shop.clockwork.strike()).expired == 1
    assert await shop.states() == [LineState.EXPIRED]
    (told,) = await shop.send()
    assert EXPIRED.encode() in told
    assert b"prescription-order-update" in told
    assert verify(told, shop.world.keys.anchors, now=shop.clock.now(), audience="VNE51").ok
    await shop.answer(told, LineEvent.CANCEL_CONFIRMED)
    assert await shop.states() == [LineState.EXPIRED]
    assert (await shop.clockwork.strike()).expired == 0


async def test_nothing_ends_by_a_clock_that_has_left_the_watch_behind(shop: Shop) -> None:
    await shop.world.post(S01)
    await shop.world.store.beat(WATCH, now=shop.clock.moment)
    shop.clock.moment += timedelta(days=200)
    assert (await shop.clockwork.strike()).expired == 0
    await shop.world.store.beat(WATCH, now=shop.clock.moment - timedelta(days=1))
    assert (await shop.clockwork.strike()).expired == 1


async def test_an_end_that_a_restore_lost_is_another_message_when_it_is_told_again(tmp_path: Path) -> None:
    told = []
    for day, life in enumerate(("lost", "restored"), start=200):
        (tmp_path / life).mkdir()
        async with opened(tmp_path / life) as shop:
            await shop.world.post(S01)
            (order,) = await shop.send()
            await shop.answer(order, LineEvent.ACCEPTED)
            shop.clock.moment += timedelta(days=day)
            assert (await shop.clockwork.strike()).expired == 1
            (message,) = await shop.send()
            told.append((json_id(order), json_id(message)))
    assert told[0][0] == told[1][0], "the order keeps its name"
    assert told[0][1] != told[1][1], "a holder that knows repeats would not answer"


async def test_a_line_that_cannot_be_told_of_ends_with_an_alert_and_keeps_the_clock_from_no_other(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    await shop.world.post(S01)
    (order,) = await shop.send()
    await shop.answer(order, LineEvent.ACCEPTED)
    shop.clock.moment += timedelta(days=200)

    def broken(*_: object, **__: object) -> None:
        raise ValueError("a bug in the writer")

    monkeypatch.setattr(clockwork, "seal_withdrawal", broken)
    assert (await shop.clockwork.strike()).expired == 1
    assert await shop.states() == [LineState.EXPIRED]
    found = await shop.world.enquiries.open_alerts(tenant=None, limit=10)
    assert "cancel-not-sent" in {alert.kind for alert in found}


async def test_what_never_left_expires_without_telling_anybody_but_the_trust(shop: Shop) -> None:
    await shop.world.post(two_orders())
    shop.clock.moment += timedelta(days=200)
    assert (await shop.clockwork.strike()).expired == 2
    assert await shop.states() == [LineState.EXPIRED] * 2
    assert await shop.send() == []
    assert await shop.pharmacy.screen(await shop.act()) != ()
