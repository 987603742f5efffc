"""What a provider may fetch, told as short stories. Parametrised over the engines."""

from dataclasses import replace
from datetime import timedelta

from gateway.destination import InDoubt, Taken, TryLater
from gateway.domain.cancel import CancelState
from gateway.domain.identifiers import OdsCode
from gateway.domain.lifecycle import LineEvent, LineState
from gateway.domain.prescription import Prescription
from gateway.ports.acceptance import CancelRequest
from gateway.ports.work import Claim
from tests.contract.store_engines import (
    PROVIDER,
    Exchange,
    make_acceptance,
    make_order,
    make_prescription,
)

OTHER = OdsCode("VN6XW")


async def _send(
    exchange: Exchange, name: str, lines: int = 1, provider: OdsCode = PROVIDER
) -> tuple[Prescription, Claim]:
    """Accept a prescription and put it on the wire."""
    what = make_prescription(name, lines=lines)
    await exchange.store.accept(make_acceptance(name, make_order(what, provider=provider)))
    return what, await exchange.send(provider)


async def _fetched(exchange: Exchange, provider: OdsCode = PROVIDER, limit: int = 25) -> list[str]:
    found = await exchange.enquiries.on_its_way(provider=provider, limit=limit)
    assert all(one.state in {LineState.SENT, LineState.UNCERTAIN} and one.destination == provider for one in found)
    return [one.group_number for one in found]


async def test_what_is_on_the_wire_is_given_oldest_first_to_its_provider_alone(exchange: Exchange) -> None:
    for name in "BAC":
        await _send(exchange, name)
    await _send(exchange, "D", provider=OTHER)
    assert await _fetched(exchange) == ["GRPB", "GRPA", "GRPC"]
    assert await _fetched(exchange, limit=2) == ["GRPB", "GRPA"]
    assert await _fetched(exchange, OTHER) == ["GRPD"]
    assert await _fetched(exchange, OdsCode("FK994")) == []


async def test_what_waits_or_is_held_is_not_given(exchange: Exchange) -> None:
    await exchange.store.accept(make_acceptance("A"))
    await exchange.store.accept(make_acceptance("B", make_order(make_prescription("B"), state=LineState.HELD)))
    assert await _fetched(exchange) == []


async def test_what_is_in_doubt_is_given_and_what_was_taken_is_not(exchange: Exchange) -> None:
    for name, outcome in (("A", InDoubt(reason="silence")), ("B", Taken()), ("C", TryLater(reason="busy"))):
        _, claim = await _send(exchange, name)
        later = exchange.clock.now() + timedelta(days=1)
        await exchange.store.record(claim, outcome, now=exchange.clock.now(), retry_at=later)
    assert await _fetched(exchange) == ["GRPA"]


async def test_one_line_that_was_answered_keeps_the_whole_prescription_back(exchange: Exchange) -> None:
    what, claim = await _send(exchange, "A", lines=2)
    assert await _fetched(exchange) == ["GRPA"]
    await exchange.answer(claim.message_id, LineEvent.ACCEPTED, line_id=what.lines[0].id)
    assert LineState.SENT in await exchange.states(what)
    assert await _fetched(exchange) == []


async def test_a_cancel_of_one_line_keeps_the_whole_prescription_back(exchange: Exchange) -> None:
    what, _ = await _send(exchange, "A", lines=2)
    request = CancelRequest(line_id=what.lines[1].id, seen=LineState.SENT, state=CancelState.ASKED)
    await exchange.store.accept(replace(make_acceptance("X"), orders=(), cancels=(request,)))
    assert await exchange.states(what) == [LineState.SENT, LineState.SENT]
    assert await _fetched(exchange) == []


async def test_many_taken_later_do_not_hide_one_that_waits(exchange: Exchange) -> None:
    _, claim = await _send(exchange, "OLD")
    for number in range(40):
        _, taken = await _send(exchange, f"N{number}")
        await exchange.store.record(taken, Taken(), now=exchange.clock.now(), retry_at=None)
    await exchange.store.record(claim, InDoubt(reason="silence"), now=exchange.clock.now(), retry_at=None)
    assert await _fetched(exchange, limit=1) == ["GRPOLD"]
