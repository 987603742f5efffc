"""Acts that need two people: proposed by one, agreed to by another, once, in time, and never by the same person."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from gateway.domain.identifiers import OdsCode, derived_id
from gateway.domain.proposal import Proposal, ProposalState
from tests.contract.store_engines import REFUSED, TRUST, Exchange

S = ProposalState
OTHER = OdsCode("RCB")


def wanted(exchange: Exchange, name: str = "a", *, subject: str = "s1", tenant: OdsCode | None = TRUST) -> Proposal:
    return Proposal(
        id=derived_id("proposal", name),
        kind="reroute",
        subject=subject,
        payload=b'{"to":"VN6XW"}',
        tenant=tenant,
        by="p.first",
        reason="The provider stops.",
        at=exchange.clock.now(),
        expires_at=exchange.clock.now() + timedelta(hours=4),
    )


async def second(exchange: Exchange, proposal: UUID, by: str = "q.second") -> tuple[str, ...]:
    return await exchange.store.second(proposal, by=by, tenant=TRUST, now=exchange.clock.now())


async def state(exchange: Exchange, proposal: UUID) -> ProposalState:
    found = await exchange.enquiries.proposal(proposal, tenant=TRUST, now=exchange.clock.now())
    assert found is not None
    return found.state


async def test_what_one_proposes_another_agrees_to_and_what_came_of_it_is_kept(exchange: Exchange) -> None:
    one = wanted(exchange)
    assert await exchange.store.propose(one) == ()
    (waiting,) = await exchange.enquiries.proposals(tenant=TRUST, now=exchange.clock.now())
    assert (waiting.proposal, waiting.state) == (one, S.OPEN)
    exchange.clock.move(minutes=5)
    assert await second(exchange, one.id) == ()
    assert await state(exchange, one.id) is S.SECONDED
    assert await exchange.store.settle(one.id, done=True, outcome="given to VN6XW", now=exchange.clock.now())
    found = await exchange.enquiries.proposal(one.id, tenant=TRUST, now=exchange.clock.now())
    assert found is not None
    assert (found.state, found.second, found.outcome) == (S.DONE, "q.second", "given to VN6XW")
    assert await exchange.enquiries.proposals(tenant=TRUST, now=exchange.clock.now()) == ()


@pytest.mark.parametrize("by", ["p.first", "P.First", " p.first "])
async def test_the_second_person_is_never_the_first(exchange: Exchange, by: str) -> None:
    one = wanted(exchange)
    await exchange.store.propose(one)
    (reason,) = await second(exchange, one.id, by)
    assert "another than the first" in reason
    assert await state(exchange, one.id) is S.OPEN


async def test_the_database_itself_refuses_one_person_twice(exchange: Exchange) -> None:
    one = wanted(exchange)
    await exchange.store.propose(one)
    with pytest.raises(REFUSED):
        exchange.opened.rows("UPDATE proposal SET state = 'seconded', second_by = 'P.FIRST', seconded_at = 1")


async def test_two_who_agree_at_once_are_told_apart(exchange: Exchange) -> None:
    one = wanted(exchange)
    await exchange.store.propose(one)
    first, late = await asyncio.gather(second(exchange, one.id, "q.second"), second(exchange, one.id, "r.third"))
    assert sorted((len(first), len(late))) == [0, 1]
    assert "has agreed to it already" in (first or late)[0]
    assert await exchange.store.settle(one.id, done=False, outcome="it had moved", now=exchange.clock.now())
    assert not await exchange.store.settle(one.id, done=True, outcome="again", now=exchange.clock.now())
    assert await state(exchange, one.id) is S.NOT_DONE


async def test_a_form_that_is_sent_twice_proposes_once(exchange: Exchange) -> None:
    one = wanted(exchange)
    assert await exchange.store.propose(one) == ()
    assert await exchange.store.propose(one) == ()
    assert exchange.opened.rows("SELECT count(*) FROM proposal") == [(1,)]
    (reason,) = await exchange.store.propose(wanted(exchange, "b"))
    assert reason.startswith("p.first has proposed this already")


async def test_a_proposal_lapses_and_makes_room_for_another(exchange: Exchange) -> None:
    one = wanted(exchange)
    await exchange.store.propose(one)
    exchange.clock.move(hours=4)
    assert await state(exchange, one.id) is S.EXPIRED
    assert await exchange.enquiries.proposals(tenant=TRUST, now=exchange.clock.now()) == ()
    assert await second(exchange, one.id) == ("Its time is over: it has to be proposed again.",)
    assert await exchange.store.propose(wanted(exchange, "b")) == ()
    assert exchange.opened.rows("SELECT state FROM proposal ORDER BY proposed_at") == [("expired",), ("open",)]


async def test_what_is_withdrawn_cannot_be_agreed_to(exchange: Exchange) -> None:
    one, now = wanted(exchange), exchange.clock.now()
    await exchange.store.propose(one)
    assert await exchange.store.withdraw(one.id, by="p.first", reason="A mistake.", tenant=TRUST, now=now) == ()
    assert await second(exchange, one.id) == ("p.first has withdrawn it.",)
    (reason,) = await exchange.store.withdraw(one.id, by="p.first", reason="Again.", tenant=TRUST, now=now)
    assert reason == "p.first has withdrawn it."
    assert await state(exchange, one.id) is S.WITHDRAWN


async def test_what_was_agreed_to_is_not_withdrawn(exchange: Exchange) -> None:
    one, now = wanted(exchange), exchange.clock.now()
    await exchange.store.propose(one)
    await second(exchange, one.id)
    (reason,) = await exchange.store.withdraw(one.id, by="p.first", reason="Late.", tenant=TRUST, now=now)
    assert "not known if it was carried out" in reason


async def test_another_trusts_proposal_is_as_one_that_does_not_exist(exchange: Exchange) -> None:
    one, gateways, now = wanted(exchange), wanted(exchange, "g", subject="s2", tenant=None), exchange.clock.now()
    for each in (one, gateways):
        assert await exchange.store.propose(each) == ()
    nothing = await exchange.store.second(UUID(int=1), by="q.second", tenant=OTHER, now=now)
    assert await exchange.store.second(one.id, by="q.second", tenant=OTHER, now=now) == nothing
    assert await exchange.store.second(gateways.id, by="q.second", tenant=OTHER, now=now) == nothing
    assert await exchange.store.withdraw(one.id, by="x", reason="x", tenant=OTHER, now=now) == nothing
    assert await exchange.enquiries.proposal(one.id, tenant=OTHER, now=now) is None
    assert await exchange.enquiries.proposals(tenant=OTHER, now=now) == ()
    assert await exchange.enquiries.proposals_of("reroute", "s1", tenant=OTHER, now=now) == ()
    assert {each.proposal.id for each in await exchange.enquiries.proposals(tenant=None, now=now)} == {
        one.id,
        gateways.id,
    }


async def test_the_proposals_of_one_thing_are_told_newest_first(exchange: Exchange) -> None:
    one = wanted(exchange)
    await exchange.store.propose(one)
    await exchange.store.withdraw(one.id, by="p.first", reason="Wrong.", tenant=None, now=exchange.clock.now())
    exchange.clock.move(minutes=1)
    await exchange.store.propose(wanted(exchange, "b"))
    found = await exchange.enquiries.proposals_of("reroute", "s1", tenant=TRUST, now=exchange.clock.now())
    assert [each.state for each in found] == [S.OPEN, S.WITHDRAWN]


async def test_everybody_and_everything_is_in_the_audit_and_no_words_are(exchange: Exchange) -> None:
    one = wanted(exchange)
    await exchange.store.propose(one)
    await second(exchange, one.id)
    await exchange.store.settle(one.id, done=True, outcome="given", now=exchange.clock.now())
    bodies = [bytes(body) for (body,) in exchange.opened.rows("SELECT body FROM audit_leaf WHERE kind = 'proposal'")]
    assert [(b"p.first" in body, b"q.second" in body) for body in bodies] == [
        (True, False),
        (False, True),
        (False, True),
    ]
    assert not any(b"stops" in body or b"VN6XW" in body for body in bodies)


async def test_what_is_proposed_cannot_be_changed_by_hand(exchange: Exchange) -> None:
    one = replace(wanted(exchange), payload=b"{}")
    await exchange.store.propose(one)
    for change in ("payload = 'x'", "proposed_by = 'z'", "tenant = NULL", "state = 'done'", "reason = 'other'"):
        with pytest.raises((*REFUSED, Exception), match=r"proposal|once|type"):
            exchange.opened.rows(f"UPDATE proposal SET {change}")  # noqa: S608 - the test's own words
    with pytest.raises(REFUSED):
        exchange.opened.rows("DELETE FROM proposal")
