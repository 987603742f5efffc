"""What people state about a prescription, on every engine: kept, searchable, the trust's own, and never edited."""

import asyncio
from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path

import pytest

from gateway.domain.custody import CUSTODY
from gateway.domain.identifiers import OdsCode
from gateway.domain.prescription import Prescription
from gateway.ports.stated import FactKind, StatedFact
from tests.contract.store_engines import ENGINES, REFUSED, TRUST, Clock, Exchange, make_acceptance, make_prescription

OTHER = OdsCode("RZA")


@pytest.fixture(params=sorted(ENGINES))
async def exchange(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Exchange]:
    clock = Clock()
    opened = ENGINES[request.param](tmp_path, clock, frozenset({TRUST}), CUSTODY)
    yield Exchange(opened, clock)
    closing = opened.close()
    assert asyncio.iscoroutine(closing)
    await closing


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


@pytest.mark.parametrize("change", ["UPDATE stated_fact SET value = 'x'", "DELETE FROM stated_fact"])
async def test_nothing_that_was_stated_is_edited_or_taken_out(exchange: Exchange, change: str) -> None:
    what = await accepted(exchange)
    await exchange.store.state_fact(what.id, paper(exchange), tenant=TRUST)
    with pytest.raises(REFUSED):
        exchange.opened.rows(change)
