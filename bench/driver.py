"""Load at one door, from a process of its own: messages leave at planned moments, whether or not the gateway keeps up.

    python -m bench.driver '{"door": "mllp", "count": 1000, "rate": 100, …}'

Arrivals are a Poisson stream. Each message waits for a free line like those of a trust's interface engine, and its time
is counted from the planned moment, so that waiting is counted too. Everything is written before the start, which comes
as a line on standard input: the monotonic time to begin at, which all processes of a machine share. The result is one
JSON object on standard output.
"""

import asyncio
import json
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from itertools import islice
from random import Random

import uvloop

from bench.corpus import Door, Message, messages
from bench.http import Client
from gateway.simulate.mllp_line import Line

_POSITIVE = (b"MSA|AA|", b"MSA|CA|")
_TAKEN = frozenset({200, 201, 202})
_AGAIN = frozenset({429, 503})
_AGAIN_SECONDS = 0.05
_PATIENCE_SECONDS = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What one driver is to do.

    Attributes:
        count: how many messages.
        rate: messages a second, on the average; nought for all at once.
        lines: connections, each with one message under way.
        tokens: ODS code of each trust to its credential; MLLP shows none.
        providers: those that are named, in turns.
    """

    door: str
    count: int
    rate: float
    lines: int
    host: str
    port: int
    tokens: dict[str, str]
    seed: int
    tag: str
    providers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Sent:
    """One message: its key, when it was to leave, when its answer came (monotonic seconds), and what that was."""

    key: str
    planned: float
    answered: float
    taken: bool


Send = Callable[[Message], Awaitable[bool]]


def main(stated: str) -> None:
    """Carry out one plan."""
    plan = Plan(**{**json.loads(stated), "providers": tuple(json.loads(stated)["providers"])})
    made = messages(Door(plan.door), seed=plan.seed, tag=plan.tag, providers=plan.providers, now=datetime.now(UTC))
    ready = list(islice(made, plan.count))
    print("ready", flush=True)
    begin = float(sys.stdin.readline())
    moments = _moments(plan, begin)
    started = time.process_time()
    rows = uvloop.run(_drive(plan, ready, moments))
    spent = time.process_time() - started
    octets = sum(len(one.octets) for one in ready)
    print(json.dumps({"cpu": spent, "octets": octets, "rows": [tuple(asdict(row).values()) for row in rows]}))


def _moments(plan: Plan, begin: float) -> list[float]:
    source, moments, at = Random(plan.seed), [], begin  # noqa: S311 - a measurement; repeatable on purpose
    for _ in range(plan.count):
        moments.append(at)
        at += source.expovariate(plan.rate) if plan.rate else 0.0
    return moments


async def _drive(plan: Plan, ready: list[Message], moments: list[float]) -> list[Sent]:
    waiting: asyncio.Queue[tuple[Message, float] | None] = asyncio.Queue()
    rows: list[Sent] = []
    lines = [asyncio.create_task(_line(_sender(plan), waiting, rows)) for _ in range(plan.lines)]
    for message, moment in zip(ready, moments, strict=True):
        if (wait := moment - time.monotonic()) > 0:
            await asyncio.sleep(wait)
        waiting.put_nowait((message, moment))
    for _ in lines:
        waiting.put_nowait(None)
    await asyncio.gather(*lines)
    return rows


async def _line(send: Send, waiting: "asyncio.Queue[tuple[Message, float] | None]", rows: list[Sent]) -> None:
    while (due := await waiting.get()) is not None:
        message, planned = due
        taken = await send(message)
        rows.append(Sent(message.key, planned, time.monotonic(), taken))


def _sender(plan: Plan) -> Send:
    if plan.door == Door.MLLP:
        line = Line(plan.host, plan.port, patience_seconds=_PATIENCE_SECONDS)

        async def over_mllp(message: Message) -> bool:
            answer = await line.exchange(message.octets)
            return any(one in answer for one in _POSITIVE)

        return over_mllp
    client = Client(plan.host, plan.port)

    async def over_http(message: Message) -> bool:
        token = plan.tokens[message.trust]
        until = time.monotonic() + _PATIENCE_SECONDS  # a gateway that is gone is not asked for ever
        while time.monotonic() < until:
            try:
                status, _ = await client.post(message.path, message.media_type, message.octets, token=token)
            except ConnectionError:
                status = min(_AGAIN)  # not answered: the same bytes again, which are known again
            if status not in _AGAIN:
                return status in _TAKEN
            await asyncio.sleep(_AGAIN_SECONDS)
        return False

    return over_http


if __name__ == "__main__":
    main(sys.argv[1])
