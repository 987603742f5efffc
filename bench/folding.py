"""What a longer log saves and costs: the same prescriptions go their way with each bound, and bytes are counted.

python -m bench.folding [--count 2000] [--at-once 8]

Counted are bytes given to the disk, in the log and in folding it into the file; the fold at the close is counted with
them. Times stand beside them for what they are worth on a machine that does other things. Accepting
and sending take turns, and no server stands before the store; under load the shares are other.
"""

import argparse
import asyncio
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final
from unittest.mock import patch

from bench.story import EACH_ROUND, MOMENT, answered
from gateway.config.load import load
from gateway.domain.identifiers import OdsCode
from gateway.domain.submission import Submission, WireFormat
from gateway.pipeline.story import Pipeline
from gateway.pipeline.translate import read, translate
from gateway.store.keys import load_or_make
from gateway.store.sqlite import connection
from gateway.store.sqlite.store import SqliteStore
from gateway.store.sqlite.writer import SqliteWriter
from gateway.wiring.around import surroundings

ROOT: Final = Path(__file__).parents[1]
EXAMPLE: Final = ROOT / "tests/golden/hl7v2/S01.hl7"
BOUNDS_MIB: Final = (16, 32, 64, 128)
_MIB: Final = 1024 * 1024


@dataclass(slots=True)
class Folds:
    """Bytes that folding wrote, and the seconds that each fold took."""

    octets: int = 0
    seconds: list[float] = field(default_factory=list)


class _Clock:
    def now(self) -> datetime:
        return MOMENT


def main() -> int:
    """Print one line for each bound."""
    stated = argparse.ArgumentParser(prog="python -m bench.folding")
    stated.add_argument("--data", type=Path, default=ROOT / "build", help="a folder on a real disk")
    stated.add_argument("--count", type=int, default=2000, help="prescriptions")
    stated.add_argument("--at-once", type=int, default=8, help="senders: so many share a commit at most")
    asked = stated.parse_args()
    asked.data.mkdir(parents=True, exist_ok=True)
    print("| log, MiB | log, kB | folds, kB | together, kB | folds | longest, ms | all, ms |")
    print("|---:|---:|---:|---:|---:|---:|---:|")
    for bound in BOUNDS_MIB:
        with TemporaryDirectory(dir=asked.data) as folder, patch.object(connection, "LONGEST_LOG_BYTES", bound * _MIB):
            begun = written("self")
            folds = asyncio.run(_carried(Path(folder), asked.count, asked.at_once))
            whole = (written("self") - begun) / asked.count / 1e3
        each = folds.octets / asked.count / 1e3
        under_way = [second * 1e3 for second in folds.seconds[:-1]]
        print(
            f"| {bound} | {whole - each:.1f} | {each:.1f} | {whole:.1f} "
            f"| {len(under_way)} | {max(under_way, default=0.0):.0f} | {sum(under_way):.0f} |",
            flush=True,
        )
    return 0


def written(whose: str) -> int:
    """Give the bytes that a process or thread has given to the disk so far."""
    lines = Path(f"/proc/{whose}/io").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("write_bytes:"))


@contextmanager
def _counted() -> Iterator[Folds]:
    """Count what the writer's thread writes where it folds: at rest, and when it closes."""
    folds = Folds()
    rest, close = SqliteWriter.rest, SqliteWriter.close

    def resting(writer: SqliteWriter) -> bool:
        with _counting(folds):
            return rest(writer)

    def closing(writer: SqliteWriter) -> None:
        with _counting(folds):
            close(writer)

    with patch.object(SqliteWriter, "rest", resting), patch.object(SqliteWriter, "close", closing):
        yield folds


@contextmanager
def _counting(folds: Folds) -> Iterator[None]:
    before, began = written("thread-self"), time.monotonic()
    yield
    if octets := written("thread-self") - before:
        folds.octets += octets
        folds.seconds.append(time.monotonic() - began)


async def _carried(folder: Path, count: int, at_once: int) -> Folds:
    """Accept, send and answer so many copies of an HL7 v2 message, each with numbers of its own."""
    around = surroundings(load(None))
    with _counted() as folds:
        store = SqliteStore.open(folder / "gateway.db", now=_Clock().now)
        sealer = load_or_make(folder, development=True).seal(around.organisation)
        pipeline = Pipeline(store=store, sealer=sealer, around=around, clock=_Clock())
        example = EXAMPLE.read_bytes()
        first = _submission(example, count)
        provider = translate(first, read(first, around), (), around).orders[0].provider
        if provider is None:
            raise ValueError("the example is for nobody")
        for begun in range(0, count, EACH_ROUND):
            messages = (_submission(example, begun + number) for number in range(min(EACH_ROUND, count - begun)))
            await asyncio.gather(*(_send(pipeline, messages) for _ in range(at_once)))
            await answered(store, provider.ods)
        await store.close()
    return folds


async def _send(pipeline: Pipeline, messages: Iterator[Submission]) -> None:
    for message in messages:
        await pipeline.receive(message)


def _submission(example: bytes, number: int) -> Submission:
    body = example.replace(b"S01-0001", b"BENCH-%d" % number).replace(b"7001^RBA", b"B%d^RBA" % number)
    return Submission(tenant=OdsCode("RBA"), format=WireFormat.HL7V2, body=body, received_at=MOMENT)


if __name__ == "__main__":
    sys.exit(main())
