"""What people did in the time that a restore lost: named by what others remember, and done again before it matters."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from gateway.domain.asking import AskedFor
from gateway.domain.cancel import CancelState
from gateway.domain.custody import CUSTODY
from gateway.domain.hold import HoldKind, HoldState
from gateway.domain.identifiers import OdsCode
from gateway.domain.lifecycle import LineEvent, LineState
from gateway.domain.prescription import Prescription
from gateway.domain.reconciliation import AFTER_RESTORE, DifferenceKind, StatedHolding, Statement
from gateway.pipeline.holding import stands
from gateway.ports.acceptance import CancelRequest, HoldRequest
from gateway.ports.asking import PersonsRequest
from gateway.store.postgres.restoring import begin_after_restore
from gateway.store.sql.restoring import Person
from tests.contract.store_engines import (
    PROVIDER,
    TRUST,
    Clock,
    Exchange,
    make_acceptance,
    make_change,
    make_hold,
    make_order,
    make_prescription,
    open_postgres,
)
from tests.contract.test_asking import wish
from tests.contract.test_restoring import Disaster
from tests.postgres import database

S = LineState
Restore = Callable[[], Awaitable[Exchange]]


class Place:
    """A store that is put back to where it stands, whatever was done since; and its parties."""

    def __init__(self, exchange: Exchange, restore: Restore) -> None:
        self.exchange = exchange
        self._restore = restore

    async def accept(self, name: str = "A") -> Prescription:
        what = make_prescription(name)
        await self.exchange.store.accept(make_acceptance(name, make_order(what)))
        return what

    async def restore(self) -> None:
        self.exchange = await self._restore()

    async def state(self, *holdings: StatedHolding) -> list[tuple[DifferenceKind, LineState | None]]:
        """Have every provider state what it has: nothing, but for one."""
        differences = []
        waiting = [one.destination for one in await self.exchange.enquiries.pauses() if one.kind == AFTER_RESTORE]
        for destination in waiting:
            said = holdings if destination == PROVIDER else ()
            statement = Statement(destination=destination, holdings=said, by="j.smith", reason="Their list.")
            done = await self.exchange.store.reconcile(statement, now=self.exchange.clock.now())
            assert done is not None
            differences += [(one.kind, one.stated) for one in done.differences]
        return differences

    async def told(self, lines: Mapping[str, LineState], *names: str) -> tuple[str, ...] | None:
        now = self.exchange.clock.now()
        return await self.exchange.store.trust_told(
            TRUST, names or ["MSGA"], told=lines, by="j.smith", reason="Their log.", now=now
        )

    async def do(self, what: Prescription, state: LineState) -> None:
        """Have a person do at once what can be done at once, for nothing of it has left."""
        (line,) = what.lines
        if state is S.CANCELLED:
            wanted = wish(what, S.READY)
            cancel = CancelRequest(
                line_id=line.id, seen=S.READY, state=CancelState.CONFIRMED, reason_code="0003", reason=wanted.reason
            )
            request = PersonsRequest(wish=wanted, cancels=(cancel,), now=self.exchange.clock.now())
        else:
            wanted = wish(what, S.READY, AskedFor.HOLD)
            hold = HoldRequest(
                line_id=line.id,
                kind=HoldKind.HOLD,
                seen=S.READY,
                beneath=S.READY,
                open_request=None,
                state=HoldState.CONFIRMED,
                reason=wanted.reason,
            )
            request = PersonsRequest(wish=wanted, holds=(hold,), now=self.exchange.clock.now())
        await self.exchange.store.ask(request)

    async def texts(self, kind: str) -> list[str]:
        alerts = await self.exchange.enquiries.open_alerts(tenant=TRUST, limit=100)
        return [one.text for one in alerts if one.kind == kind]


def file_of(folder: Path) -> tuple[Exchange, Restore]:
    disaster = Disaster(folder)

    async def restore() -> Exchange:
        disaster.back_up()
        await disaster.restore()
        return disaster.exchange

    return disaster.exchange, restore


def database_of(folder: Path) -> tuple[Exchange, Restore]:
    clock = Clock()
    exchange = Exchange(open_postgres(folder, clock, frozenset({TRUST}), CUSTODY), clock)

    async def restore() -> Exchange:
        await exchange.opened.close()
        parties = (frozenset({PROVIDER, OdsCode("VN6XW")}), frozenset({TRUST}))
        person = Person(name="j.smith", recognised=True, reason="The disk failed.")
        begin_after_restore(database(folder), parties, person=person, now=clock.move(hours=1))
        return Exchange(open_postgres(folder, clock, frozenset({TRUST}), CUSTODY), clock)

    return exchange, restore


@pytest.fixture(params=[database_of, file_of], ids=["postgres", "sqlite"])
async def place(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Place]:
    made = Place(*request.param(tmp_path))
    yield made
    closing = made.exchange.opened.close()
    assert asyncio.iscoroutine(closing)
    await closing


@pytest.mark.parametrize("state", [S.CANCELLED, S.ON_HOLD])
@pytest.mark.parametrize("by_number", [True, False], ids=["by number", "by item id"])
async def test_what_a_trust_was_told_is_stopped_is_stopped_again_before_its_orders_leave(
    place: Place,
    state: LineState,
    by_number: bool,  # noqa: FBT001 - a case
) -> None:
    what = await place.accept()
    (line,) = what.lines
    told = {line.order_number if by_number else str(line.id): state}
    await place.restore()
    await place.state()
    assert await place.told(told) == tuple(told)
    (text,) = await place.texts("act-lost")
    assert {S.CANCELLED: "is cancelled", S.ON_HOLD: "is on hold"}[state] in text
    assert await place.exchange.states(what) == [S.READY], "a list alone ends no patient's supply"
    assert await place.exchange.claim() == []
    await place.do(what, state)
    assert await place.told(told) == ()
    assert await place.exchange.states(what) == [state]
    assert await place.exchange.claim() == []


async def test_a_line_of_which_its_trust_states_nothing_goes_and_one_that_is_not_known_is_named(place: Place) -> None:
    await place.accept()
    await place.restore()
    await place.state()
    assert await place.told({"RXNOWHERE": S.CANCELLED}) == ("RXNOWHERE",)
    assert await place.texts("act-lost") != []
    assert await place.exchange.claim() == []
    assert await place.told({}) == ()
    assert len(await place.exchange.claim()) == 1


@pytest.mark.parametrize(
    ("stated", "words"), [(S.CANCELLED, "asked to cancel"), (S.ON_HOLD, "asked to hold"), (S.ACCEPTED, "")]
)
@pytest.mark.parametrize("answered", [True, False], ids=["accepted here", "on its way here"])
async def test_what_only_the_provider_remembers_of_a_cancel_or_hold_is_named_with_its_line(
    place: Place,
    stated: LineState,
    words: str,
    answered: bool,  # noqa: FBT001 - a case
) -> None:
    what = await place.accept()
    message = await place.exchange.deliver() if answered else (await place.exchange.send()).message_id
    if answered:
        await place.exchange.answer(message, LineEvent.ACCEPTED)
    await place.restore()
    holding = StatedHolding(line_id=what.lines[0].id, epoch=1, state=stated)
    wanted = [(DifferenceKind.DIFFERENT, stated)] if words else []
    assert await place.state(holding) == wanted
    texts = await place.texts("holding-differs")
    assert [words in text for text in texts] == [True] * len(wanted)
    assert await place.exchange.states(what) != [S.CANCELLED]


async def test_a_hold_that_its_provider_no_longer_states_is_named(place: Place) -> None:
    what = await place.accept()
    await place.exchange.answer(await place.exchange.deliver(), LineEvent.ACCEPTED)
    (line,) = await place.exchange.store.known_lines(TRUST, [], prescriptions=[what.id])
    one = stands(HoldKind.HOLD, line, (line,), (line,), expired=False)
    await place.exchange.store.accept(replace(make_change("H"), holds=(make_hold(one, what, "hold"),)))
    await place.exchange.answer(await place.exchange.deliver(), LineEvent.HOLD_CONFIRMED)
    assert await place.exchange.states(what) == [S.ON_HOLD]
    await place.restore()
    holding = StatedHolding(line_id=what.lines[0].id, epoch=1, state=S.ACCEPTED)
    assert await place.state(holding) == [(DifferenceKind.DIFFERENT, S.ACCEPTED)]
