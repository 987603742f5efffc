"""The id of a prescription belongs to one trust: whoever acts by it can mean no other's (I9), on every engine."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from gateway.domain.custody import CUSTODY
from gateway.domain.errors import Refusal
from gateway.domain.identifiers import OdsCode
from gateway.domain.lifecycle import LineState
from tests.contract.store_engines import (
    ENGINES,
    TRUST,
    Clock,
    Exchange,
    make_acceptance,
    make_order,
    make_prescription,
)

OTHER = OdsCode("RZA")


@pytest.fixture(params=sorted(ENGINES))
async def exchange(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Exchange]:
    clock = Clock()
    opened = ENGINES[request.param](tmp_path, clock, frozenset({TRUST}), CUSTODY)
    yield Exchange(opened, clock)
    closing = opened.close()
    assert asyncio.iscoroutine(closing)
    await closing


@pytest.mark.parametrize("state", [LineState.READY, LineState.HELD, LineState.AWAITING_SCREENING])
async def test_the_id_of_another_trusts_prescription_is_refused(exchange: Exchange, state: LineState) -> None:
    own = make_prescription("A")
    await exchange.store.accept(make_acceptance("A", make_order(own, state=LineState.AWAITING_SCREENING)))
    like_it = replace(make_prescription("B"), id=own.id)
    with pytest.raises(Refusal) as refused:
        await exchange.store.accept(make_acceptance("B", make_order(like_it, state=state), tenant=OTHER))
    assert [issue.code for issue in refused.value.issues] == ["ORDER_REUSED"]
    assert await exchange.enquiries.prescription(own.id, tenant=OTHER) is None
    assert exchange.opened.rows("SELECT DISTINCT tenant FROM prescription") == [(TRUST.value,)]


async def test_a_trust_may_correct_its_own_under_the_same_id(exchange: Exchange) -> None:
    held = make_prescription("A")
    await exchange.store.accept(make_acceptance("A", make_order(held, state=LineState.HELD)))
    corrected = replace(make_order(held, salt="corrected"), supersedes=tuple(line.id for line in held.lines))
    await exchange.store.accept(make_acceptance("B", corrected))
    assert await exchange.states(held) == [LineState.SUPERSEDED, LineState.READY]
