"""What every way of joining nodes promises, in the memory of one process and on a real server."""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, aclosing
from pathlib import Path
from uuid import UUID

import pytest

from gateway.domain.identifiers import OdsCode
from gateway.joining.together import Together
from gateway.ports.joining import Changed, Hint, Joining, Share, Wish
from tests.joined import Valkey, joined, valkey

ONE, TWO = OdsCode("VNE51"), OdsCode("VNCEL")
TRUST = OdsCode("RBA")
SOON = 10.0
"""Seconds for what happens at once, on a machine that is busy."""

Join = Callable[[str], Awaitable[Joining]]


@pytest.fixture(scope="module")
def server() -> Iterator[Valkey]:
    with valkey() as running:
        yield running


@pytest.fixture(params=["in memory", "on a server"])
async def join(request: pytest.FixtureRequest) -> AsyncIterator[Join]:
    """Give what joins one more node; what a node holds counts for one second."""
    async with AsyncExitStack() as stack:
        together = Together(share_seconds=1.0)

        async def in_memory(name: str) -> Joining:
            node = together.node(name)
            await node.start()
            return node

        async def on_server(name: str) -> Joining:
            server: Valkey = request.getfixturevalue("server")
            one = joined(server.url, name, gateway=request.node.name, share_seconds=1.0)
            return await stack.enter_async_context(one)

        yield in_memory if request.param == "in memory" else on_server


def wish(*, wanted: int = 8, held: int = 0, most: int = 8) -> Wish:
    return Wish(most=most, probes_from=3, held=held, wanted=wanted)


async def ask(node: Joining, destination: OdsCode = ONE, **of: int) -> Share:
    return (await node.share({destination: wish(**of)}))[destination]


async def settled(node: Joining) -> None:
    """Wait until what a node said is known to all: what it asks is asked after what it said."""
    await node.share({TRUST: wish(wanted=0)})


async def a_hint(node: Joining) -> Hint:
    """Give the next hint that is one."""
    async with asyncio.timeout(SOON):
        while True:
            if found := await node.hints():
                return found[0]


async def test_a_hint_wakes_a_node_that_waits(join: Join) -> None:
    one, two = await join("one"), await join("two")
    waiting = asyncio.create_task(a_hint(two))
    await asyncio.sleep(0.1)
    one.announce(Hint(destination=ONE, messages=(UUID(int=7),)))
    hint = await waiting
    assert (hint.destination, hint.messages) == (ONE, (UUID(int=7),))


async def test_a_hint_wakes_one_node_and_no_more(join: Join) -> None:
    one, two, three = await join("one"), await join("two"), await join("three")
    waiting = [asyncio.create_task(a_hint(node)) for node in (two, three)]
    await asyncio.sleep(0.2)
    one.announce(Hint(destination=ONE, messages=(UUID(int=7),)))
    done, left = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED, timeout=SOON)
    _, left = await asyncio.wait(left, timeout=0.3)
    assert (len(done), len(left)) == (1, 1)
    for task in left:
        task.cancel()


async def test_a_hint_may_name_nobody(join: Join) -> None:
    one, two = await join("one"), await join("two")
    one.announce(Hint(destination=None))
    assert (await a_hint(two)).destination is None


async def test_hints_wait_for_a_node_that_is_busy(join: Join) -> None:
    one, two = await join("one"), await join("two")
    one.announce(Hint(destination=ONE))
    one.announce(Hint(destination=TWO))
    await settled(one)
    seen: set[OdsCode | None] = set()
    async with asyncio.timeout(SOON):
        while len(seen) < 2:
            found = await two.hints()
            seen |= {hint.destination for hint in found}
            two.looked(found)
    assert seen == {ONE, TWO}


async def test_a_limit_holds_over_all_nodes_together(join: Join) -> None:
    nodes = [await join(name) for name in ("one", "two", "three")]
    held = [0, 0, 0]
    for _ in range(8):
        for place, node in enumerate(nodes):
            held[place] += (await ask(node, held=held[place], most=5)).granted
            assert sum(held) <= 5
    assert sum(held) == 5


async def test_no_node_takes_all_at_once_where_others_live(join: Join) -> None:
    one, two = await join("one"), await join("two")
    await settled(one)
    await settled(two)
    assert (await ask(one)).granted == 4
    assert (await ask(two)).granted == 2


async def test_what_a_node_gives_back_is_free_at_once(join: Join) -> None:
    one, two = await join("one"), await join("two")
    await settled(two)
    assert (await ask(one, most=1)).granted == 1
    assert (await ask(two, most=1)).granted == 0
    one.hold({ONE: 0})
    await settled(one)
    assert (await ask(two, most=1)).granted == 1


async def test_what_a_node_that_ended_had_is_free_after_a_while(join: Join) -> None:
    one, two = await join("one"), await join("two")
    assert (await ask(one, most=1)).granted == 1
    assert (await ask(two, most=1)).granted == 0
    await asyncio.sleep(1.2)
    assert (await ask(two, most=1)).granted == 1


async def test_one_destination_takes_no_room_of_another(join: Join) -> None:
    one, two = await join("one"), await join("two")
    assert (await ask(one, most=1)).granted == 1
    assert (await ask(two, TWO, most=1)).granted == 1


async def test_of_a_destination_that_nobody_spoke_of_nothing_is_known(join: Join) -> None:
    one, _ = await join("one"), await join("two")
    assert (await ask(one)).health is None


async def test_failures_of_all_nodes_count_together(join: Join) -> None:
    one, two = await join("one"), await join("two")
    one.failed(ONE, failures=1, rest_seconds=0.0)
    await settled(one)
    two.failed(ONE, failures=1, rest_seconds=0.0)
    await settled(two)
    health = (await ask(one)).health
    assert health is not None
    assert health.failures == 2


async def test_a_node_that_knows_of_more_failures_is_believed(join: Join) -> None:
    one, two = await join("one"), await join("two")
    one.failed(ONE, failures=7, rest_seconds=0.0)
    await settled(one)
    health = (await ask(two)).health
    assert health is not None
    assert health.failures == 7


async def test_what_rests_for_one_rests_for_all(join: Join) -> None:
    one, two = await join("one"), await join("two")
    one.failed(ONE, failures=3, rest_seconds=30.0)
    await settled(one)
    share = await ask(two)
    assert share.granted == 0
    assert share.health is not None
    assert 0 < share.health.rest_seconds <= 30.0


async def test_nobody_rests_for_ever_at_anothers_word(join: Join) -> None:
    one, two = await join("one"), await join("two")
    one.failed(ONE, failures=3, rest_seconds=1e7)
    await settled(one)
    health = (await ask(two)).health
    assert health is not None
    assert health.rest_seconds <= 900.0


async def test_after_its_rest_a_destination_is_probed_by_one(join: Join) -> None:
    one, two = await join("one"), await join("two")
    one.failed(ONE, failures=3, rest_seconds=0.2)
    await settled(one)
    await settled(two)
    await asyncio.sleep(0.3)
    assert [(await ask(node)).granted for node in (two, one)] == [1, 0]


async def test_recovery_seen_by_one_opens_it_for_all(join: Join) -> None:
    one, two = await join("one"), await join("two")
    one.failed(ONE, failures=9, rest_seconds=600.0)
    await settled(one)
    two.answered(ONE)
    await settled(two)
    share = await ask(one)
    assert share.granted > 1
    assert share.health is not None
    assert (share.health.failures, share.health.rest_seconds) == (0, 0.0)


async def test_who_listens_is_first_told_that_anything_may_have_moved(join: Join) -> None:
    one, two = await join("one"), await join("two")
    async with asyncio.timeout(SOON), aclosing(two.listen()) as listening:
        assert await anext(listening) == Changed(subject=None)
        one.publish(Changed(subject=UUID(int=3), tenant=TRUST), Changed(subject=UUID(int=4)))
        assert await anext(listening) == Changed(subject=UUID(int=3), tenant=TRUST)
        assert await anext(listening) == Changed(subject=UUID(int=4))


async def test_every_node_that_listens_hears_of_a_change(join: Join) -> None:
    one, two = await join("one"), await join("two")
    async with asyncio.timeout(SOON), aclosing(one.listen()) as here, aclosing(two.listen()) as there:
        for listening in (here, there):
            await anext(listening)
        one.publish(Changed(subject=UUID(int=3)))
        assert [await anext(listening) for listening in (here, there)] == [Changed(subject=UUID(int=3))] * 2


async def test_a_user_who_may_do_what_the_page_names_is_enough(server: Valkey) -> None:
    page = (Path(__file__).parents[2] / "docs" / "operating.md").read_text(encoding="utf-8")
    named = re.search(r"commands `([A-Z\s]+)`", page)
    assert named
    allowed = [f"+{command.lower()}" for command in named[1].split()]
    server.run("ACL", "SETUSER", "node", "on", ">word", "~homecare:*", "&homecare:*", *allowed, "+client|setinfo")
    url = server.url.replace("unix://", "unix://node:word@")
    async with joined(url, "one", gateway="acl") as one, joined(url, "two", gateway="acl") as two:
        async with asyncio.timeout(SOON), aclosing(two.listen()) as listening:
            await anext(listening)
            one.publish(Changed(subject=UUID(int=3)))
            assert (await anext(listening)).subject == UUID(int=3)
        one.announce(Hint(destination=ONE))
        hint = await a_hint(two)
        two.looked((hint,))
        one.failed(ONE, failures=1, rest_seconds=5.0)
        one.hold({ONE: 1})
        await settled(one)
        one.answered(ONE)
        await settled(one)
        assert (await ask(two)).granted > 0
        assert (one.trouble, two.trouble) == ("", "")


async def test_a_server_that_holds_nonsense_grants_something_or_counts_as_away(server: Valkey) -> None:
    lane = "homecare:{nonsense}:lane:VNE51"
    for field, value in (("node x", "many"), ("node y", "9 99999999999999"), ("closed", "99999999999999")):
        server.run("HSET", lane, field, value)
    async with joined(server.url, "one", gateway="nonsense") as one:
        assert (await ask(one)).granted == 8
        server.run("HSET", lane, "failures", "some")
        assert await one.share({ONE: wish()}) == {}
        assert (one.alone, one.trouble) == (True, "ResponseError")


def pending(server: Valkey, key: str) -> int:
    """Count the hints that were taken and not confirmed."""
    return int(server.run("EVAL", "return redis.call('XPENDING', KEYS[1], 'nodes')[1]", "1", key))


def names(server: Valkey, key: str) -> list[str]:
    """Give the nodes of the group."""
    script = """
    local names = {}
    for place, node in ipairs(redis.call('XINFO', 'CONSUMERS', KEYS[1], 'nodes')) do names[place] = node[2] end
    return names
    """
    return list(server.run("EVAL", script, "1", key))


async def test_hints_that_nobody_confirmed_and_nodes_that_are_gone_are_dropped(
    server: Valkey, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = "homecare:{tidy}:due"
    async with joined(server.url, "one", gateway="tidy") as one:
        one.announce(Hint(destination=ONE))
        await settled(one)
        await a_hint(one)
        assert pending(server, key) == 1
        monkeypatch.setattr("gateway.joining.stream._TIDY_SECONDS", 0.0)
        monkeypatch.setattr("gateway.joining.stream._GONE_MS", -1)
        async with joined(server.url, "two", gateway="tidy") as two:
            two.announce(Hint(destination=TWO))
            await settled(two)
            assert (await a_hint(two)).destination == TWO
            assert names(server, key) == ["two"]
            assert pending(server, key) == 1


async def test_the_stream_does_not_grow_without_end(server: Valkey) -> None:
    async with joined(server.url, "one", gateway="long") as one:
        for _ in range(3000):
            one.announce(Hint(destination=ONE))
        await settled(one)
        assert server.run("XLEN", "homecare:{long}:due") < 1500
