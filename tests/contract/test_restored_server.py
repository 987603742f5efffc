"""After a server was put back by its own means nobody is sent anything before all is reconciled (I22)."""

from pathlib import Path

import pytest

from gateway.domain.custody import CUSTODY
from gateway.domain.errors import Unavailable
from gateway.domain.identifiers import OdsCode
from gateway.domain.lifecycle import LineEvent, LineState
from gateway.domain.reconciliation import AFTER_RESTORE, TRUST_AFTER_RESTORE, StatedHolding, Statement
from gateway.store.postgres.connection import address
from gateway.store.postgres.restoring import begin_after_restore
from gateway.store.sql.restoring import Person
from tests.contract.store_engines import (
    PROVIDER,
    TRUST,
    Clock,
    Exchange,
    ask_to_cancel,
    make_acceptance,
    make_order,
    make_prescription,
    open_postgres,
)
from tests.postgres import database

NEXT = OdsCode("VNCEL")
SOMEBODY = Person(name="j.smith", recognised=True, reason="The server's disk failed.")


async def test_a_restored_server_begins_a_generation_and_holds_everybody(tmp_path: Path) -> None:
    clock = Clock()
    before = Exchange(open_postgres(tmp_path, clock, frozenset({TRUST}), CUSTODY), clock)
    await before.store.accept(make_acceptance("A"))
    (stale,) = await before.claim()
    await before.opened.close()
    parties = (frozenset({NEXT}), frozenset({TRUST}))
    point, generation, held, trusts = begin_after_restore(database(tmp_path), parties, person=SOMEBODY, now=clock.now())
    assert (generation, held, trusts) == (2, (NEXT, PROVIDER), (TRUST,))
    assert point.leaves > 0
    assert len(point.digest) == 64
    after = Exchange(open_postgres(tmp_path, clock, frozenset({TRUST}), CUSTODY), clock)
    pauses = await after.enquiries.pauses()
    assert {(one.destination, one.kind) for one in pauses} == {
        (NEXT, AFTER_RESTORE),
        (PROVIDER, AFTER_RESTORE),
        (TRUST, TRUST_AFTER_RESTORE),
    }
    assert not await after.store.on_wire(stale, now=clock.now())
    clock.move(seconds=61)
    await after.store.recover(now=clock.now(), recognises_repeats=frozenset())
    assert await after.claim() == []
    assert "restored" in await after.alert_kinds()
    for destination in (NEXT, PROVIDER):
        statement = Statement(destination=destination, holdings=(), by="j.smith", reason="Their list.")
        assert await after.store.reconcile(statement, now=clock.now()) is not None
    assert await after.claim() == [], "its trust has not said what it was told"
    told = after.store.trust_told(TRUST, ["MSGA"], by="j.smith", reason="Their log.", now=clock.now())
    assert await told == ()
    assert len(await after.claim()) == 1
    await after.opened.close()


@pytest.mark.parametrize("stated", [True, False], ids=["it states the line", "it cannot say"])
async def test_what_may_have_left_in_the_lost_time_is_not_sent_again(tmp_path: Path, stated: bool) -> None:  # noqa: FBT001
    clock = Clock()
    what = make_prescription("A")
    before = Exchange(open_postgres(tmp_path, clock, frozenset({TRUST}), CUSTODY), clock)
    await before.store.accept(make_acceptance("A", make_order(what)))
    await before.opened.close()
    begin_after_restore(
        database(tmp_path), (frozenset({PROVIDER}), frozenset({TRUST})), person=SOMEBODY, now=clock.now()
    )
    after = Exchange(open_postgres(tmp_path, clock, frozenset({TRUST}), CUSTODY), clock)
    if stated:
        held = StatedHolding(line_id=what.lines[0].id, epoch=1, state=LineState.ACCEPTED)
        statement = Statement(destination=PROVIDER, holdings=(held,), by="j.smith", reason="Their list.")
        done = await after.store.reconcile(statement, now=clock.now())
        assert done is not None
        assert done.found_there == (what.lines[0].id,)
    else:
        doubted = await after.store.answer_for(PROVIDER, by="j.smith", reason="They keep no list.", now=clock.now())
        assert doubted == (what.lines[0].id,)
    assert await after.states(what) == [LineState.WITH_PROVIDER if stated else LineState.UNCERTAIN]
    assert await after.store.trust_told(TRUST, ["MSGA"], by="j.smith", reason="Log.", now=clock.now()) == ()
    assert await after.claim() == []
    await after.opened.close()


async def test_a_cancel_that_was_confirmed_in_the_lost_time_is_asked_and_answered_anew(tmp_path: Path) -> None:
    clock = Clock()
    what = make_prescription("A")
    before = Exchange(open_postgres(tmp_path, clock, frozenset({TRUST}), CUSTODY), clock)
    await before.store.accept(make_acceptance("A", make_order(what)))
    await before.answer(await before.deliver(), LineEvent.ACCEPTED)
    await before.opened.close()
    parties = (frozenset({PROVIDER}), frozenset({TRUST}))
    begin_after_restore(database(tmp_path), parties, person=SOMEBODY, now=clock.move(hours=1))
    after = Exchange(open_postgres(tmp_path, clock, frozenset({TRUST}), CUSTODY), clock)
    held = StatedHolding(line_id=what.lines[0].id, epoch=1, state=LineState.CANCELLED)
    statement = Statement(destination=PROVIDER, holdings=(held,), by="j.smith", reason="Their list.")
    assert await after.store.reconcile(statement, now=clock.now()) is not None
    again = await ask_to_cancel(after, what, "K")
    names = ["MSGA", "MSGK"]
    assert await after.store.trust_told(TRUST, names, by="j.smith", reason="Log.", now=clock.now()) == ()
    assert await after.deliver() == again
    assert await after.states(what) == [LineState.ACCEPTED], "no answer means not cancelled"
    await after.answer(again, LineEvent.CANCEL_CONFIRMED)
    assert await after.states(what) == [LineState.CANCELLED]
    await after.opened.close()


@pytest.mark.parametrize("least", [1, 9])
async def test_a_generation_that_is_known_of_is_not_begun_again(tmp_path: Path, least: int) -> None:
    opened = open_postgres(tmp_path, Clock(), frozenset(), CUSTODY)
    await opened.close()
    nobody = (frozenset[OdsCode](), frozenset[OdsCode]())
    where, now = database(tmp_path), Clock().now()
    found = begin_after_restore(where, nobody, person=SOMEBODY, now=now, least_generation=least)
    assert found[1] == max(2, least)
    assert begin_after_restore(where, nobody, person=SOMEBODY, now=now)[1] == found[1] + 1


async def test_a_server_that_is_away_begins_nothing(tmp_path: Path) -> None:
    nobody = (frozenset[OdsCode](), frozenset[OdsCode]())
    with pytest.raises(Unavailable):
        begin_after_restore(address(f"postgresql://u@/d?host={tmp_path}"), nobody, person=SOMEBODY, now=Clock().now())
