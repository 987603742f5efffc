"""Whose they are is said also of the deliveries that were planned before it was written down."""

from gateway.domain.lifecycle import LineEvent
from gateway.store.postgres import schema as postgres
from gateway.store.sqlite import schema as sqlite
from tests.contract.store_engines import (
    PROVIDER,
    TRUST,
    Exchange,
    RawPostgres,
    make_acceptance,
    make_order,
    make_prescription,
)

_WHOSE = "SELECT DISTINCT tenant, provider FROM delivery"
_AS_BEFORE = "UPDATE delivery SET tenant = NULL, provider = NULL"


async def test_a_step_says_whose_they_are(exchange: Exchange) -> None:
    await exchange.store.accept(make_acceptance("A", make_order(make_prescription("A", total=3))))
    await exchange.answer(await exchange.deliver(), LineEvent.ACCEPTED)
    raw = exchange.opened.raw
    raw.execute(_AS_BEFORE)
    assert raw.execute(_WHOSE) == [(None, None)]
    every = postgres.steps() if isinstance(raw, RawPostgres) else sqlite.steps()
    sql = next(step.sql for step in every.values() if "delivery_says_whose" in step.sql)
    begin = sql.index("UPDATE delivery SET")
    raw.execute(sql[begin : sql.index(";", begin)])
    assert raw.execute(_WHOSE) == [(TRUST.value, PROVIDER.value)]
