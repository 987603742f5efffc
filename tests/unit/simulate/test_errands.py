"""What a trust does with orders it has sent, it does in turn, says in its own format, and writes down as answered."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from random import Random

import pytest

from gateway.simulate import errands as module
from gateway.simulate.errands import Errands, Wont
from gateway.simulate.follow_ups import Deed
from gateway.simulate.journal import Followed, Journal, Surprise, TrustEntry
from gateway.simulate.messages import Style
from gateway.simulate.standing import Reply, Standing
from gateway.simulate.world import NAMES, PROFILES
from gateway.simulate.written import Flaw, Written, write_prescriptions

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
AT_ONCE = Wont(waits=(0.0,))


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_HOLDS_FOR", (0.0,))


def orders(count: int, flaw: Flaw = Flaw.NONE) -> list[Written]:
    source = write_prescriptions(
        Random(1), trust="RBA", run="T", flaws=(flaw,), providers=("VNE51",), now=NOW, flawed_in=1
    )
    return [written for written, _ in zip(source, range(count), strict=False)]


async def walk(
    style: Style,
    written: list[Written],
    *,
    spare: bool = True,
    reply: Standing = Standing.ACCEPTED,
    wont: Wont = AT_ONCE,
) -> Journal[TrustEntry]:
    journal: Journal[TrustEntry] = Journal()
    one = Errands(PROFILES["RBA"], journal=journal, names=NAMES, now=lambda: NOW, source=Random(1), wont=wont)

    async def post(sent: Written, message: bytes, style: Style) -> Reply:  # noqa: ARG001 - the shape of a channel
        return Reply(standing=reply, about=str(sent.message))

    for order in written:
        one.consider(order, style, post, spare=lambda: spare)
    async with asyncio.timeout(5):
        while one.busy:  # noqa: ASYNC110 - there is no event to wait for
            await asyncio.sleep(0.01)
    await one.close()
    return journal


def deeds(journal: Journal[TrustEntry]) -> set[str]:
    return {one.deed for one in journal.all(Followed)}


async def test_a_few_orders_meet_everything_that_is_done_with_orders() -> None:
    assert deeds(await walk(Style.V2_OMP, orders(9))) == {deed.value for deed in Deed if deed is not Deed.MOVE}


async def test_only_v2_orders_are_changed_and_only_where_a_prescription_is_left_for_it() -> None:
    assert Deed.CHANGE not in deeds(await walk(Style.XML, orders(9)))
    assert Deed.CHANGE not in deeds(await walk(Style.V2_OMP, orders(9), spare=False))


async def test_a_release_follows_its_hold() -> None:
    journal = await walk(Style.V2_OMP, orders(9))
    for key in {one.key for one in journal.all(Followed) if one.deed == Deed.RELEASE}:
        done = [one.deed for one in journal.all(Followed) if one.key == key]
        assert done[:2] == [Deed.HOLD, Deed.RELEASE]


async def test_an_order_with_a_flaw_is_left_alone() -> None:
    assert not deeds(await walk(Style.V2_OMP, orders(9, Flaw.NHS_NUMBER)))


async def test_what_concerns_other_orders_leaves_an_order_alone() -> None:
    written = orders(12)
    long = [one.key for one in written if one.supplies > 1]
    assert 0 < len(long) < len(written)
    wont = Wont(plans=((Deed.CANCEL,),), waits=(0.0,), provider="VNE51", supplies=2)
    journal = await walk(Style.V2_OMP, written, wont=wont)
    assert [one.key for one in journal.all(Followed)] == long
    assert not deeds(await walk(Style.V2_OMP, written, wont=replace(wont, provider="VNCEL")))


async def test_an_answer_that_cannot_be_read_is_a_surprise() -> None:
    journal = await walk(Style.V2_OMP, orders(1), reply=Standing.UNREAD)
    assert list(journal.all(Surprise))


async def test_an_application_answer_that_comes_afterwards_is_taken() -> None:
    journal: Journal[TrustEntry] = Journal()
    one = Errands(PROFILES["RBA"], journal=journal, names=NAMES, now=lambda: NOW, source=Random(1))
    assert not one.hear(Reply(standing=Standing.ACCEPTED, about="never sent"))
