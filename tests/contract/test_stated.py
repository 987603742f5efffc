"""What people state about a prescription, on every engine: kept, searchable, the trust's own, and never edited."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from gateway.domain.cancel import CancelState
from gateway.domain.identifiers import OdsCode
from gateway.domain.lifecycle import LineState
from gateway.domain.prescription import Prescription
from gateway.ports.acceptance import CancelRequest
from gateway.ports.stated import FactKind, PaperAwaited, StatedFact
from gateway.watch import Watch
from tests.contract.store_engines import (
    PROVIDER,
    REFUSED,
    TRUST,
    Exchange,
    make_acceptance,
    make_order,
    make_prescription,
)

OTHER = OdsCode("RZA")


async def accepted(exchange: Exchange) -> Prescription:
    await exchange.store.accept(make_acceptance("A"))
    return make_prescription("A")


def number(exchange: Exchange, value: str = "PO-4711") -> StatedFact:
    return StatedFact(kind=FactKind.PURCHASE_ORDER, value=value, by="t.one", at=exchange.clock.now(), note="Ordered.")


def paper(exchange: Exchange) -> StatedFact:
    seen = date(2026, 10, 5)
    at = exchange.clock.now()
    return StatedFact(kind=FactKind.PAPER_ORIGINAL, value="T Technician", on=seen, by="t.one", at=at)


async def test_what_was_stated_is_given_back_oldest_first(exchange: Exchange) -> None:
    what = await accepted(exchange)
    facts = (number(exchange), paper(exchange))
    for fact in facts:
        assert await exchange.store.state_fact(what.id, fact, tenant=TRUST)
    assert await exchange.enquiries.stated_facts(what.id, tenant=TRUST) == facts


async def test_the_same_stated_again_is_kept_once_and_a_correction_beside_it(exchange: Exchange) -> None:
    what = await accepted(exchange)
    assert await exchange.store.state_fact(what.id, number(exchange), tenant=TRUST)
    assert not await exchange.store.state_fact(what.id, number(exchange), tenant=TRUST)
    assert await exchange.store.state_fact(what.id, number(exchange, "PO-4712"), tenant=TRUST)
    assert await exchange.store.state_fact(what.id, number(exchange), tenant=TRUST)
    found = await exchange.enquiries.stated_facts(what.id, tenant=TRUST)
    assert [one.value for one in found] == ["PO-4711", "PO-4712", "PO-4711"]


async def test_an_order_number_is_found_by_search(exchange: Exchange) -> None:
    what = await accepted(exchange)
    await exchange.store.state_fact(what.id, number(exchange), tenant=TRUST)
    assert exchange.opened.rows("SELECT value, kind FROM other_number WHERE value = 'PO-4711'") == [
        ("PO-4711", "purchase-order")
    ]


async def test_another_trusts_prescription_is_as_one_that_does_not_exist(exchange: Exchange) -> None:
    what = await accepted(exchange)
    assert not await exchange.store.state_fact(what.id, number(exchange), tenant=OTHER)
    await exchange.store.state_fact(what.id, number(exchange), tenant=TRUST)
    assert await exchange.enquiries.stated_facts(what.id, tenant=OTHER) == ()


async def test_it_is_audited_by_its_digest_alone(exchange: Exchange) -> None:
    what = await accepted(exchange)
    await exchange.store.state_fact(what.id, number(exchange), tenant=TRUST)
    ((body,),) = exchange.opened.rows("SELECT body FROM audit_leaf WHERE kind = 'stated'")
    assert b"t.one" in bytes(body)
    assert b"PO-4711" not in bytes(body)


# The paper original that follows

PAPER_ALERT = "paper-overdue"


async def following(exchange: Exchange, *, state: LineState = LineState.READY, name: str = "A") -> Prescription:
    """Accept one that was sealed with the words that its paper follows; what it waits for is registered in 72 hours."""
    what = make_prescription(name)
    order = replace(make_order(what, state=state), paper_follows=True)
    await exchange.store.accept(make_acceptance(name, order))
    return what


async def papers_late(exchange: Exchange) -> list[str]:
    await Watch(enquiries=exchange.enquiries, store=exchange.store, clock=exchange.clock).sweep()
    alerts = await exchange.enquiries.open_alerts(tenant=TRUST, limit=50)
    return [alert.text for alert in alerts if alert.kind == PAPER_ALERT]


async def test_a_paper_that_never_came_is_told_once_it_is_late_and_registering_it_closes_that(
    exchange: Exchange,
) -> None:
    what = await following(exchange)
    due = exchange.clock.now() + timedelta(hours=72)
    assert await exchange.enquiries.awaited_paper(what.id, tenant=TRUST) == PaperAwaited(act_by=due)
    exchange.clock.move(hours=71)
    assert await papers_late(exchange) == []
    exchange.clock.move(hours=1)
    told = (
        "The signed paper original is not registered; it should have been by 8 Oct 2026, 10:15:00."
        " Find it and register it, or ask the prescriber for another."
    )
    assert await papers_late(exchange) == [told]
    assert await papers_late(exchange) == [told]
    fact = paper(exchange)
    assert await exchange.store.state_fact(what.id, fact, tenant=TRUST)
    assert await papers_late(exchange) == []
    assert await exchange.enquiries.awaited_paper(what.id, tenant=TRUST) == PaperAwaited(act_by=due, registered=fact)
    view = await exchange.enquiries.prescription(what.id, tenant=TRUST)
    assert view is not None
    (closed,) = [one for one in view.alerts if one.kind == PAPER_ALERT]
    assert (closed.closed_by, closed.close_reason) == ("t.one", "The paper original was registered.")


async def test_closed_without_the_paper_it_comes_back(exchange: Exchange) -> None:
    await following(exchange)
    exchange.clock.move(hours=72)
    await papers_late(exchange)
    (alert,) = [a for a in await exchange.enquiries.open_alerts(tenant=TRUST, limit=9) if a.kind == PAPER_ALERT]
    await exchange.store.close_alert(alert.id, by="t.one", reason="Looked.", now=exchange.clock.now())
    (text,) = await papers_late(exchange)
    assert text.endswith("An alert of this was closed, and it is still so.")


async def test_no_paper_is_asked_for_of_what_nobody_was_or_will_be_supplied_from(exchange: Exchange) -> None:
    what = await following(exchange)
    gone = [CancelRequest(line_id=one.id, seen=LineState.READY, state=CancelState.CONFIRMED) for one in what.lines]
    await exchange.store.accept(replace(make_acceptance("C"), orders=(), cancels=tuple(gone)))
    assert set(await exchange.states(what)) == {LineState.CANCELLED}
    exchange.clock.move(days=30)
    assert await papers_late(exchange) == []


async def test_where_no_paper_follows_none_is_awaited(exchange: Exchange) -> None:
    what = await accepted(exchange)
    assert await exchange.enquiries.awaited_paper(what.id, tenant=TRUST) is None
    exchange.clock.move(days=30)
    assert await papers_late(exchange) == []


async def test_where_a_paper_stands_is_the_trusts_own_matter(exchange: Exchange) -> None:
    what = await following(exchange)
    assert await exchange.enquiries.awaited_paper(what.id, tenant=OTHER) is None
    assert await exchange.enquiries.awaited_paper(what.id, tenant=PROVIDER) is None
    assert await exchange.enquiries.awaited_paper(what.id, tenant=None) is not None


AWAITED = "UPDATE awaited_paper SET act_by = 0", "DELETE FROM awaited_paper"


@pytest.mark.parametrize("change", AWAITED)
async def test_what_is_awaited_cannot_be_put_off_or_forgotten(exchange: Exchange, change: str) -> None:
    await following(exchange)
    with pytest.raises(REFUSED):
        exchange.opened.rows(change)


@pytest.mark.parametrize("change", ["UPDATE stated_fact SET value = 'x'", "DELETE FROM stated_fact"])
async def test_nothing_that_was_stated_is_edited_or_taken_out(exchange: Exchange, change: str) -> None:
    what = await accepted(exchange)
    await exchange.store.state_fact(what.id, paper(exchange), tenant=TRUST)
    with pytest.raises(REFUSED):
        exchange.opened.rows(change)
