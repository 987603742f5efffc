"""What stands behind a prescription's page is the same on either engine, and nobody sees another's."""

from dataclasses import replace

from gateway.destination import Taken, TryLater
from gateway.domain.cancel import CancelState
from gateway.domain.identifiers import OdsCode, derived_id
from gateway.domain.lifecycle import LineEvent
from gateway.domain.prescription import Homecare
from gateway.domain.reroute import Reroute, Wanted
from gateway.ports.dossier import Link
from tests.contract.store_engines import (
    PROVIDER,
    TRUST,
    Exchange,
    make_acceptance,
    make_order,
    make_prescription,
    seal,
)


async def test_everything_stands_behind_it(exchange: Exchange) -> None:
    what = replace(make_prescription("A", lines=2), homecare=Homecare(purchase_order="PO-77"))
    await exchange.store.accept(make_acceptance("A", make_order(what)))
    await exchange.store.accept(make_acceptance("B"))
    claim = await exchange.send()
    at = exchange.clock.move(seconds=1)
    await exchange.store.record(claim, TryLater(reason="HTTP 503"), now=at, retry_at=at)
    exchange.clock.move(seconds=1)
    claim = next(one for one in await exchange.claim() if one.message_id == claim.message_id)
    assert await exchange.store.on_wire(claim, now=exchange.clock.now())
    await exchange.store.record(claim, Taken(evidence=b"HTTP 202"), now=exchange.clock.move(seconds=1), retry_at=None)
    await exchange.answer(claim.message_id, LineEvent.ACCEPTED, id="answer-1")
    await exchange.answer(claim.message_id, LineEvent.DELIVERED, id="answer-2", line_id=what.lines[0].id)
    found = await exchange.enquiries.dossier(what.id, tenant=TRUST)
    assert found is not None
    view, dossier = found
    assert view == await exchange.enquiries.prescription(what.id, tenant=None)
    assert dossier.document == what
    assert (dossier.submission.control_id, dossier.submission.length) == ("MSGA", len(b"MSH|A"))
    (message,) = dossier.messages
    assert (message.id, message.state) == (claim.message_id, "done")
    assert [(one.number, one.outcome) for one in message.attempts][-1] == (2, "taken")
    assert {one.outcome for one in message.attempts} == {"on_wire", "try_later", "taken"}
    assert [one.answer_id for one in dossier.answers] == ["answer-1", "answer-2"]
    assert set(dossier.events) == {event.seq for event in view.events}
    assert dossier.stated_numbers == ("PO-77",)
    handed = [step for step in dossier.steps if step.state_after == "DELIVERED"]
    assert [(step.line_id, step.issue, step.answered) for step in handed] == [(what.lines[0].id, 1, True)]
    for event in view.events:
        leaf = await exchange.enquiries.leaf_of(event.seq)
        assert leaf is not None
        (body,) = exchange.opened.rows("SELECT body FROM audit_leaf WHERE seq = ?", (leaf.number,))[0]
        assert f'"event_seq":{event.seq},'.encode() in bytes(body)
    assert await exchange.enquiries.leaf_of(10_000) is None
    assert await exchange.enquiries.leaf_of(0) is None


async def test_whoever_may_not_see_it_is_told_what_they_are_told_of_one_that_does_not_exist(exchange: Exchange) -> None:
    what = make_prescription("A")
    await exchange.store.accept(make_acceptance("A", make_order(what)))
    for tenant in (OdsCode("RZA"), OdsCode("VNCEL")):
        assert await exchange.enquiries.dossier(what.id, tenant=tenant) is None
    assert await exchange.enquiries.dossier(derived_id("nothing"), tenant=None) is None
    found = await exchange.enquiries.dossier(what.id, tenant=PROVIDER)
    assert found is not None


async def test_a_provider_is_shown_what_it_was_sent_and_nothing_of_the_trust_s_or_another_s(exchange: Exchange) -> None:
    what, next_one = make_prescription("A"), OdsCode("VNCEL")
    await exchange.store.accept(make_acceptance("A", make_order(what)))
    claim = await exchange.send()
    await exchange.store.record(claim, Taken(), now=exchange.clock.now(), retry_at=None)
    await exchange.answer(claim.message_id, LineEvent.REJECTED)
    (held,) = await exchange.enquiries.held(prescription_id=what.id)
    other = replace(seal(what, provider=next_one, epoch=2, salt="next"), body=b'{"for":"the next"}')
    wanted = Wanted(to=next_one, people=("p.one", "c.two"), reason="They are away.")
    reroute = Reroute(
        tenant=TRUST,
        seen={line.line_id: 1 for line in held.lines},
        message=other,
        wanted=wanted,
        left={line.line_id: line.holding.left for line in held.lines},
    )
    assert await exchange.store.reroute(reroute) == ()
    seen = {}
    for tenant in (TRUST, PROVIDER, next_one):
        view = await exchange.enquiries.prescription(what.id, tenant=tenant)
        assert view is not None
        seen[tenant] = (view.source, view.message)
    first = seal(what).body
    assert seen == {TRUST: (b"MSH|A", other.body), PROVIDER: (b"", first), next_one: (b"", other.body)}


async def test_links_lead_to_what_replaces_it_and_was_ordered_with_it(exchange: Exchange) -> None:
    first, second = make_prescription("A"), replace(make_prescription("B"), group_number="GRPA")
    third = replace(make_prescription("C"), replaces=first.id)
    for name, one in (("A", first), ("B", second), ("C", third)):
        await exchange.store.accept(make_acceptance(name, make_order(one)))
    found = await exchange.enquiries.dossier(third.id, tenant=TRUST)
    assert found is not None
    assert [(one.how, one.prescription_id, one.number) for one in found[1].linked] == [
        (Link.REPLACES, first.id, first.number.value)
    ]
    found = await exchange.enquiries.dossier(first.id, tenant=TRUST)
    assert found is not None
    assert [(one.how, one.prescription_id) for one in found[1].linked] == [(Link.SAME_GROUP, second.id)]
    assert found[1].cancels == {}
    assert CancelState.NONE not in found[1].cancels.values()
