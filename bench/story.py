"""What the parts that keep something cost: the seal, the store, and the whole of `receive`, 64 at once.

CPU microseconds of all threads for one prescription, best of several rounds, on a real file with full
synchronisation. Waiting for the disk is not CPU; many writes share one commit, as they do under load.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import UUID

from gateway.destination import Taken
from gateway.domain.acknowledgement import Acknowledgement, LineReport
from gateway.domain.identifiers import OdsCode
from gateway.domain.lifecycle import LineEvent
from gateway.domain.submission import Submission, WireFormat
from gateway.pipeline.story import Pipeline
from gateway.pipeline.surroundings import Surroundings
from gateway.pipeline.translate import read, translate
from gateway.pipeline.translation import Translation
from gateway.ports.callback import Callback
from gateway.ports.work import Claim
from gateway.store.keys import load_or_make
from gateway.store.sqlite.store import SqliteStore

BUILD = Path(__file__).parents[1] / "build"
"""On the disk the project is on; where temporary files go may be memory."""
CONCURRENT = 64
EACH_ROUND = 128
ROUNDS = 12
MOMENT = datetime(2026, 10, 5, 9, 16, tzinfo=UTC)


class _Clock:
    def now(self) -> datetime:
        return MOMENT


def story_rows(example: bytes, around: Surroundings) -> tuple[list[tuple[str, float]], dict[str, float]]:
    """Measure with copies of an HL7 v2 message, each with numbers of its own.

    Returns:
        CPU microseconds by stage; and bytes given to the disk for one prescription, by stage of the store.

    Raises:
        ValueError: the example is not sealed, and the figures would be of something else.
    """
    BUILD.mkdir(exist_ok=True)
    with TemporaryDirectory(dir=BUILD) as folder:
        return asyncio.run(_measure(example, around, Path(folder)))


async def _measure(
    example: bytes, around: Surroundings, folder: Path
) -> tuple[list[tuple[str, float]], dict[str, float]]:
    store = SqliteStore.open(folder / "gateway.db", now=_Clock().now)
    sealer = load_or_make(folder, development=True).seal(around.organisation)
    pipeline = Pipeline(store=store, sealer=sealer, around=around, clock=_Clock())
    count = ROUNDS * EACH_ROUND
    try:
        judged = [_judged(_submission(example, number), around) for number in range(count)]
        seal = _best([partial(pipeline._acceptance, *one) for one in judged[:EACH_ROUND]])  # noqa: SLF001 - the step between two stages
        accepted = [pipeline._acceptance(*one) for one in judged]  # noqa: SLF001
        destination = accepted[0].orders[0].destination
        if destination is None or accepted[0].orders[0].message is None:
            raise ValueError("the example is not sealed")
        empty = _written()
        accept = await _each([partial(store.accept, one) for one in accepted])
        taken = _written()
        del judged, accepted
        send, acknowledge = await answered(store, destination)
        ended = _written()
    finally:
        await store.close()  # which folds what is in the log
    folded = _written()
    store = SqliteStore.open(folder / "gateway.db", now=_Clock().now)
    pipeline = Pipeline(store=store, sealer=sealer, around=around, clock=_Clock())
    try:
        more = [_submission(example, number) for number in range(count, 2 * count)]
        receive = await _each([partial(pipeline.receive, one) for one in more])
    finally:
        await store.close()
    stages = [
        ("seal and answer", seal),
        ("store: accept", accept),
        ("store: claim, put on wire, record", send),
        ("store: acknowledge", acknowledge),
        (f"hl7v2: receive, {CONCURRENT} at once", receive),
    ]
    written = {
        f"accept, {CONCURRENT} at once": (taken - empty) / count,
        f"send and acknowledge, {CONCURRENT} at once": (ended - taken) / count,
        "folding what then was left of the log": (folded - ended) / count,
    }
    return stages, written


def _written() -> int:
    """Give the bytes that this process has given to the disk so far."""
    lines = Path("/proc/self/io").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("write_bytes:"))


def _submission(example: bytes, number: int) -> Submission:
    body = example.replace(b"S01-0001", b"BENCH-%d" % number).replace(b"7001^RBA", b"B%d^RBA" % number)
    return Submission(tenant=OdsCode("RBA"), format=WireFormat.HL7V2, body=body, received_at=MOMENT)


def _judged(submission: Submission, around: Surroundings) -> tuple[Submission, Translation]:
    return submission, translate(submission, read(submission, around), (), around)


async def answered(store: SqliteStore, destination: OdsCode) -> tuple[float, float]:
    """Send everything that is due, then answer it as its provider would."""
    started = time.process_time()
    claims: list[Claim] = []
    while batch := await store.claim(worker="w", now=MOMENT, lease_seconds=60, room={destination: CONCURRENT}):
        await asyncio.gather(*(_sent(store, claim) for claim in batch))
        claims += batch
    send = (time.process_time() - started) / len(claims)
    answers = [partial(_answer, store, destination, claim.message_id) for claim in claims]
    return send * 1e6, await _each(answers)


async def _sent(store: SqliteStore, claim: Claim) -> None:
    await store.on_wire(claim, now=MOMENT)
    await store.record(claim, Taken(evidence=b"202"), now=MOMENT, retry_at=None)


async def _answer(store: SqliteStore, destination: OdsCode, message: UUID) -> None:
    answer = Acknowledgement(
        id=f"answer-{message}", correlation=message, reports=(LineReport(line_id=None, event=LineEvent.ACCEPTED),)
    )
    callback = Callback(
        destination=destination, received_at=MOMENT, content_type="application/json", body=str(message).encode()
    )
    await store.acknowledge(callback, answer, ())


async def _each(works: Sequence[Callable[[], Awaitable[object]]]) -> float:
    """Give the CPU microseconds of one, in the best round, with `CONCURRENT` of them under way."""
    best = float("inf")
    for start in range(0, len(works), EACH_ROUND):
        round_ = iter(works[start : start + EACH_ROUND])
        began = time.process_time()
        await asyncio.gather(*(_drain(round_) for _ in range(CONCURRENT)))
        best = min(best, (time.process_time() - began) / min(EACH_ROUND, len(works) - start))
    return best * 1e6


async def _drain(works: Iterator[Callable[[], Awaitable[object]]]) -> None:
    for work in works:
        await work()


def _best(works: Sequence[Callable[[], object]]) -> float:
    best = float("inf")
    for _ in range(ROUNDS):
        began = time.process_time()
        for work in works:
            work()
        best = min(best, (time.process_time() - began) / len(works))
    return best * 1e6
