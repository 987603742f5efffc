"""Several nodes on one database: one is killed, one frozen, Valkey emptied and PostgreSQL crashed, all under load."""

import asyncio
import signal
from collections.abc import Iterator
from datetime import UTC, datetime
from time import sleep

import pytest

from gateway.domain.books import Ledger
from tests.faults.nodes import Load, Nodes, freeze, judge, thaw

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

LEASE_SECONDS = 2.0
"""Of the configuration that `Ground` writes."""
FROZEN_SECONDS = 4 * LEASE_SECONDS
"""Also longer than the server lets a transaction idle."""
IN_DOUBT = frozenset({"line-uncertain"})
"""What a node that ended with a message on the wire leaves to a person."""


@pytest.fixture
def nodes() -> Iterator[Nodes]:
    with Nodes() as made:
        yield made


async def books(nodes: Nodes) -> Ledger:
    enquiries = nodes.enquiries()
    try:
        return await enquiries.ledger(day=None, now=datetime.now(UTC))
    finally:
        await enquiries.close()


def test_three_nodes_lose_nothing_and_supply_nothing_twice_whatever_befalls_them(nodes: Nodes) -> None:
    first, second = nodes.folder(), nodes.folder()
    killed, frozen, _ = nodes.start(first), nodes.start(second), nodes.start()
    load = Load(nodes)
    load.wait_for(30)
    killed.end(signal.SIGKILL)
    nodes.valkey.empty()
    load.wait_for(60)
    freeze(frozen)
    sleep(FROZEN_SECONDS)
    thaw(frozen)
    load.wait_for(100)
    nodes.restart_database()
    nodes.start(first)
    nodes.valkey.empty()
    load.wait_for(160)
    nodes.valkey.kill()
    load.wait_for(200)
    nodes.valkey.start()
    load.finish()
    assert nodes.settle()
    assert judge(nodes, load, explained=IN_DOUBT) == []
    assert asyncio.run(books(nodes)).balances
