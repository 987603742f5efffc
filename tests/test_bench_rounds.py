"""What a round of the measurement makes of what it saw, and the little HTTP it is made with."""

import asyncio
from dataclasses import replace

import pytest

from bench.http import Client, Server
from bench.parties import Answered
from bench.rounds import Ended, figures, missing
from bench.served import Use

_BEFORE = Use(at=0.0, cpu=10.0, loop=6.0, written=1_000_000, rss=100_000_000, commits=5.0, writes=50.0)


def _ended(seconds: list[float], *, end_to_end: list[float], last: float, cpu: float, refused: int = 0) -> Ended:
    planned = {f"RX{number}": 100.0 for number in range(len(seconds))}
    return Ended(
        answered=Answered(
            planned=planned,
            seconds=seconds,
            begun=100.0,
            ended=100.0 + max(seconds),
            refused=list(planned)[:refused],
            octets=2_000 * len(seconds),
            cpu=0.1,
        ),
        end_to_end=end_to_end,
        last=last,
        before=_BEFORE,
        after=replace(_BEFORE, cpu=10.0 + cpu, loop=6.0 + cpu / 2, written=1_600_000, commits=15.0, writes=90.0),
    )


def test_a_round_is_reckoned_for_what_was_acknowledged() -> None:
    one = _ended([0.5, 1.0, 2.0, 4.0], end_to_end=[1.0, 2.0, 3.0, 5.0], last=105.0, cpu=0.02)
    found = {name: value for name, (value, _, _) in figures([one], [one]).items()}
    assert found["accepted a second"] == pytest.approx(1.0)
    assert found["acknowledged a second"] == pytest.approx(0.8)
    assert found["CPU ms a prescription"] == pytest.approx(5.0)
    assert found["prescriptions a CPU second"] == pytest.approx(200.0)
    assert found["of these in the event loop, ms"] == pytest.approx(2.5)
    assert found["answer p50 at half load, ms"] == pytest.approx(2000.0)
    assert found["answer p99 at half load, ms"] == pytest.approx(4000.0)
    assert found["end to end p99 at half load, ms"] == pytest.approx(5000.0)
    assert found["kB written a prescription"] == pytest.approx(150.0)
    assert found["units of work a commit"] == pytest.approx(4.0)
    assert found["units of work a prescription"] == pytest.approx(10.0)


def test_of_several_rounds_the_median_is_given_with_the_least_and_the_most() -> None:
    rounds = [_ended([1.0], end_to_end=[1.0], last=101.0, cpu=cpu) for cpu in (0.003, 0.001, 0.002)]
    assert figures(rounds, rounds)["CPU ms a prescription"] == (pytest.approx(2), pytest.approx(1), pytest.approx(3))


def test_what_is_missing_is_counted() -> None:
    one = _ended([1.0] * 5, end_to_end=[1.0, 1.0], last=101.0, cpu=0.01, refused=1)
    assert missing([one, one]) == {"sent": 10, "not taken": 2, "not acknowledged": 4}


async def test_the_little_http_carries_bodies_both_ways_and_can_be_shut() -> None:
    heard: list[bytes] = []

    async def answer(body: bytes) -> int:
        heard.append(body)
        return 202

    server = Server(answer)
    port = await server.open("127.0.0.1", 0)
    client = Client("127.0.0.1", port)
    for body in (b"one", b"x" * 100_000):
        assert await client.post("/", "text/plain", body, token="t") == (202, b"")
    server.close()
    await asyncio.sleep(0.05)
    with pytest.raises(ConnectionError):
        await client.post("/", "text/plain", b"two")
    assert [len(body) for body in heard] == [3, 100_000]
