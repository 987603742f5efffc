"""Two trusts may use one prescription id: an act of one trust's person is never done to the other's."""

from dataclasses import replace

from gateway.destination import InDoubt, Taken
from gateway.domain.acts import Act, Rescue, Ruling
from gateway.domain.identifiers import OdsCode
from gateway.domain.lifecycle import LineEvent, LineState
from gateway.domain.prescription import Prescription
from gateway.domain.renewal import RenewalEvent
from gateway.ports.work import Whereabouts
from tests.contract.store_engines import (
    PROVIDER,
    TRUST,
    Exchange,
    make_acceptance,
    make_order,
    make_prescription,
)

OTHER = OdsCode("RZA")
S = LineState


def act(exchange: Exchange, what: Prescription, tenant: OdsCode) -> Act:
    return Act(prescription_id=what.id, by="b.two", reason="Rang the ward.", now=exchange.clock.now(), tenant=tenant)


async def both(exchange: Exchange, state: LineState = S.READY) -> Prescription:
    """Accept the first trust's order in a state, and another trust's of the same id that waits for nothing."""
    theirs = make_prescription("A")
    await exchange.store.accept(make_acceptance("A", make_order(theirs, state=state)))
    mine = replace(make_prescription("B"), id=theirs.id)
    held = make_order(mine, state=S.HELD, salt="b")
    await exchange.store.accept(make_acceptance("B", held, tenant=OTHER))
    return theirs


async def test_screening_passes_and_fails_the_own_order_alone(exchange: Exchange) -> None:
    what = await both(exchange, S.AWAITING_SCREENING)
    assert await exchange.enquiries.screened(what.id, tenant=OTHER) is None
    assert await exchange.store.pass_screening(act(exchange, what, OTHER)) != ()
    assert await exchange.store.fail_screening(act(exchange, what, OTHER)) == 0
    assert await exchange.enquiries.screened(what.id, tenant=TRUST) is not None
    assert await exchange.store.pass_screening(act(exchange, what, TRUST)) == ()


async def test_closing_and_answering_reach_the_own_lines_alone(exchange: Exchange) -> None:
    what = await both(exchange)
    claim = await exchange.send()
    await exchange.store.record(claim, Taken(), now=exchange.clock.now(), retry_at=None)
    await exchange.answer(claim.message_id, LineEvent.QUERIED)
    assert await exchange.store.answer_query(act(exchange, what, OTHER), told=True) == 0
    await exchange.answer(claim.message_id, LineEvent.REJECTED)
    assert await exchange.store.close_lines(act(exchange, what, OTHER)) != ()
    assert await exchange.store.close_lines(act(exchange, what, TRUST)) == ()


async def test_a_doubt_is_resolved_by_its_own_trust_alone(exchange: Exchange) -> None:
    what = await both(exchange)
    doubt = InDoubt(reason="no answer")
    await exchange.store.record(await exchange.send(), doubt, now=exchange.clock.now(), retry_at=None)
    said = {"found": Whereabouts.NEVER_ARRIVED, "evidence": "Rang.", "by": "b.two", "now": exchange.clock.now()}
    assert await exchange.store.resolve_doubt(what.id, tenant=OTHER, **said) == 0  # type: ignore[arg-type]
    assert await exchange.store.resolve_doubt(what.id, tenant=TRUST, **said) == 1  # type: ignore[arg-type]


async def test_supplies_renewals_rulings_and_news_are_the_own_alone(exchange: Exchange) -> None:
    what = await both(exchange)
    claim = await exchange.send()
    await exchange.store.record(claim, Taken(), now=exchange.clock.now(), retry_at=None)
    await exchange.answer(claim.message_id, LineEvent.ACCEPTED)
    foreign = act(exchange, what, OTHER)
    await exchange.store.rescue(foreign, Rescue(issue=1, link="H1", told=True))
    await exchange.store.renew(foreign, RenewalEvent.DECLINED)
    await exchange.store.rule(foreign, Ruling.DROP)
    await exchange.store.resend(what.id, by="b.two", reason="Again.", now=exchange.clock.now(), tenant=OTHER)
    view = await exchange.enquiries.prescription(what.id, tenant=TRUST)
    assert view is not None
    assert not [event for event in view.events if "b.two" in event.text]
    assert [one for line in view.lines for one in line.deliveries if one.state.value == "RESCUED"] == []


async def test_what_a_provider_has_is_read_a_page_at_a_time_and_of_one_trust(exchange: Exchange) -> None:
    for name, tenant in (("A", TRUST), ("B", OTHER), ("C", TRUST), ("D", TRUST)):
        await exchange.store.accept(make_acceptance(name, tenant=tenant))
    asked = exchange.enquiries.held
    assert len(await asked(provider=PROVIDER)) == 4
    assert [one.tenant for one in await asked(provider=PROVIDER, tenant=OTHER)] == [OTHER]
    oldest = await asked(provider=PROVIDER, tenant=TRUST, most=2)
    assert [one.prescription_id for one in oldest] == [make_prescription(name).id for name in ("A", "C")]
