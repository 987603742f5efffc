"""Several nodes on one database: one is killed, one frozen, Valkey emptied and PostgreSQL crashed, all under load."""

import asyncio
import json
import shutil
import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from datetime import UTC, datetime
from pathlib import Path
from time import sleep
from urllib.request import urlopen

import pytest

from gateway.domain.books import Ledger
from gateway.store.postgres.connection import Postgres, ServerAwayError, address
from gateway.store.postgres.store import elsewhere
from tests.faults.nodes import PATIENCE_SECONDS, Load, Nodes, freeze, judge, thaw
from tests.faults.parties import Sender
from tests.faults.served import Served, until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

LEASE_SECONDS = 2.0
"""Of the configuration that `Ground` writes."""
FROZEN_SECONDS = 4 * LEASE_SECONDS
"""Also longer than the server lets a transaction idle."""
IN_DOUBT = frozenset({"line-uncertain"})
"""What a node that ended with a message on the wire leaves to a person."""
WRONG_CONFIGURATION = 2
"""Exit code."""


@pytest.fixture(scope="module")
def made() -> Iterator[Nodes]:
    with Nodes() as nodes:
        yield nodes


@pytest.fixture
def nodes(made: Nodes) -> Nodes:
    made.afresh()
    return made


async def books(nodes: Nodes) -> Ledger:
    enquiries = nodes.enquiries()
    try:
        return await enquiries.ledger(day=None, now=datetime.now(UTC))
    finally:
        await enquiries.close()


def watch_of(node: Served) -> str:
    with urlopen(f"{node.base}/health/ready", timeout=20) as response:  # noqa: S310 - loopback
        found: str = json.load(response)["watch"]["status"]
    return found


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
    load.wait_for(140)
    nodes.valkey.freeze()
    load.wait_for(170)
    nodes.valkey.thaw()
    nodes.valkey.kill()
    load.wait_for(200)
    nodes.valkey.start()
    load.finish()
    assert nodes.settle()
    assert judge(nodes, load, explained=IN_DOUBT) == []
    assert asyncio.run(books(nodes)).balances


def test_doors_worker_and_watch_run_on_nodes_of_their_own(nodes: Nodes) -> None:
    doors = [nodes.start(parts="http,mllp") for _ in range(2)]
    load = Load(nodes, trusts=2, orders=8, pause_seconds=0.0)
    load.finish()
    assert nodes.sink.journal == []
    assert {watch_of(door) for door in doors} == {"stopped"}
    worker, watch, second = (nodes.start(parts=part) for part in ("worker", "watch", "watch"))
    assert until(lambda: {watch_of(door) for door in doors} == {"running"}, PATIENCE_SECONDS)
    assert nodes.settle()
    assert judge(nodes, load, explained=frozenset()) == []
    watch.end(signal.SIGKILL)
    assert {watch_of(door) for door in doors} == {"running"}
    assert [second.end(signal.SIGTERM, 60.0), second.code] == [True, 0]
    assert [worker.end(signal.SIGTERM, 60.0), worker.code] == [True, 0]


def with_other_keys(folder: Path) -> None:
    shutil.rmtree(folder / "data" / "keys")


def with_another_configuration(folder: Path) -> None:
    file = folder / "config" / "gateway.toml"
    file.write_text(file.read_text() + "# changed\n")


@pytest.mark.parametrize(
    ("change", "what"),
    [(with_other_keys, "seal key"), (with_another_configuration, "configuration")],
    ids=["keys", "configuration"],
)
def test_a_node_that_is_not_like_the_others_begins_only_when_they_have_ended(
    nodes: Nodes, change: Callable[[Path], None], what: str
) -> None:
    one = nodes.start(parts="http")
    folder = nodes.folder()
    change(folder)
    other = nodes.begin(folder, parts="http")
    assert other.ended_within(PATIENCE_SECONDS)
    assert other.code == WRONG_CONFIGURATION
    assert f"runs with another {what}" in other.printed
    assert Sender(nodes.ground.token, "A").post(one.base, 0).positive
    assert one.end(signal.SIGTERM, 60.0)
    assert Sender(nodes.ground.token, "B").post(nodes.start(folder, parts="http").base, 0).positive


def test_a_database_without_room_for_one_more_connection_costs_no_order(nodes: Nodes) -> None:
    node = nodes.start()
    sender = Sender(nodes.ground.token, "P")
    assert sender.post(node.base, 0).positive
    freeze(node)
    nodes.server.stop("fast")
    nodes.server.start()
    with ExitStack() as taken:
        take_every_connection(nodes, taken)
        thaw(node)
        answers = [sender.post(node.base, 1), sender.post(node.base, 0)]
        sender.say(node.mllp, 2)
        answers += sender.heard[sender.control(2)]
        assert all(answer.come_again for answer in answers), answers
        late = nodes.begin(parts="http")
        assert late.ended_within(PATIENCE_SECONDS)
        assert late.code not in {0, None}
    for number in range(3):
        assert until(lambda number=number: sender.post(node.base, number).positive, PATIENCE_SECONDS)  # type: ignore[misc]
    assert nodes.settle()
    assert [*sender.faults(), *nodes.sink.faults()] == []
    assert len(nodes.sink.journal) == 3


def take_every_connection(nodes: Nodes, taken: ExitStack) -> None:
    """Connect until the server lets nobody in."""
    with suppress(ServerAwayError):
        while True:
            connection = Postgres(address(nodes.url))
            taken.callback(elsewhere, connection.close)
            elsewhere(connection.connect)
