"""A server that follows another decides nothing, and one that waits for its follower promises nothing."""

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest

from gateway.domain.errors import Unavailable
from gateway.store.postgres.connection import Address, address
from gateway.store.postgres.enquiries import PostgresEnquiries
from gateway.store.postgres.store import PostgresStore
from tests.contract.store_engines import TRUST, Clock, Exchange, Opened, RawPostgres, make_acceptance, stored_answer
from tests.factories import MOMENT
from tests.postgres import Server, ask

PATIENCE_SECONDS = 30.0


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server(wal_level="replica", max_wal_senders="4")
    yield server
    server.remove()


@pytest.fixture
def where(server: Server) -> Address:
    ask(server, "CREATE DATABASE one")
    return address(server.url("one"))


@pytest.fixture
async def exchange(where: Address) -> AsyncIterator[Exchange]:
    clock = Clock()
    store = PostgresStore.open(where, now=clock.now)
    opened = Opened(store, PostgresEnquiries.open(where), lambda: RawPostgres(where))
    yield Exchange(opened, clock)
    await opened.close()


@pytest.mark.timeout(120)
async def test_a_server_that_follows_another_is_away_until_it_leads(
    exchange: Exchange, server: Server, where: Address
) -> None:
    """As after a failover, while the name still leads to the wrong one of two."""
    await exchange.store.accept(make_acceptance("A"))
    await asyncio.to_thread(server.follow, other=True)
    async with asyncio.timeout(PATIENCE_SECONDS):
        for _ in range(3):
            with pytest.raises(Unavailable, match="nothing was stored"):
                await exchange.store.accept(make_acceptance("B"))
    with pytest.raises(Unavailable):
        await exchange.enquiries.books()
    with pytest.raises(Unavailable):
        PostgresStore.open(where, now=lambda: MOMENT)
    await asyncio.to_thread(server.follow, other=False)
    await _accept_in_time(exchange)
    assert (await exchange.enquiries.books())["accepted"] == 2


@pytest.mark.timeout(120)
async def test_what_the_standby_does_not_have_is_no_yes_for_a_repeat_either(exchange: Exchange, server: Server) -> None:
    """Were the waiting commit cancelled, the server would show it as done, and answer a repeat from it."""
    exchange.store._transaction.connection._answer_seconds = 2.0  # type: ignore[attr-defined]
    await exchange.store.accept(make_acceptance("A"))
    ask(server, "ALTER SYSTEM SET synchronous_standby_names = 'gone'", "SELECT pg_reload_conf()")
    await asyncio.sleep(1)
    with pytest.raises(Unavailable, match="not known"):
        await exchange.store.accept(make_acceptance("B"))
    with pytest.raises(Unavailable):
        await stored_answer(exchange.store, TRUST, "MSGB")
    ask(server, "ALTER SYSTEM RESET synchronous_standby_names", "SELECT pg_reload_conf()")
    await _accept_in_time(exchange)
    assert exchange.opened.rows("SELECT count(*) FROM submission") == [(2,)]


async def _accept_in_time(exchange: Exchange) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            try:
                await exchange.store.accept(make_acceptance("B"))
            except Unavailable:
                await asyncio.sleep(0.1)
            else:
                return
