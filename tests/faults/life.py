"""A whole gateway in one process, as it lives between two kills: pipeline, store, worker and watch, all production
code, with a provider that writes down what it got before it answers.

What trust and provider know is a journal of their own, one line an entry, that survives the gateway's death. After
the kill `aftermath` opens what is left, lets it work on in peace, and compares it with the journal.
"""

import asyncio
import hashlib
import json
import os
import random
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import apsw

from gateway.config.configuration import Configuration
from gateway.destination import InDoubt, Taken, Transmission, TransmitOutcome, TryLater
from gateway.domain.acknowledgement import Acknowledgement, LineReport
from gateway.domain.errors import Unavailable
from gateway.domain.identifiers import OdsCode
from gateway.domain.lifecycle import LineEvent
from gateway.domain.submission import Answer, Submission, WireFormat
from gateway.pipeline.clockwork import Clockwork
from gateway.pipeline.reroute import Rerouting
from gateway.pipeline.story import Pipeline
from gateway.pipeline.surroundings import Surroundings as Translating
from gateway.ports.callback import Callback, Effectiveness
from gateway.store.keys import KeyRing
from gateway.store.sqlite.enquiries import SqliteEnquiries
from gateway.store.sqlite.store import SqliteStore
from gateway.watch import Watch
from gateway.worker import Pace, Surroundings, Worker
from tests.faults.invariants import broken

BEGUN: Final = datetime.fromisoformat("2026-10-05T09:16:00+00:00")
TRUST: Final = OdsCode("RBA")
PROVIDER: Final = OdsCode("VNE51")
NEXT: Final = OdsCode("VNCEL")
ORDER: Final = (Path(__file__).parents[1] / "golden/hl7v2/S01.hl7").read_bytes()
CHANGE: Final = (Path(__file__).parents[1] / "golden/hl7v2/S06.hl7").read_bytes()
DATABASE: Final = "gateway.db"
_PACE: Final = Pace(poll_seconds=0.01, lease_seconds=30.0, probe_seconds=0.02)
_DUE: Final = """
SELECT count(*) FROM outbox WHERE kind = 'deliver' AND (state IN ('claimed', 'on_wire') OR (state = 'due'
    AND due_at <= ? AND NOT EXISTS (SELECT 1 FROM wait WHERE wait.outbox = outbox.id)))
"""


@dataclass(slots=True)
class Clock:
    """The gateway's clock, moved by hand."""

    moment: datetime = BEGUN

    def now(self) -> datetime:
        return self.moment


@dataclass(frozen=True, slots=True)
class Journal:
    """What the parties know, in a file that outlives the process: the kernel keeps what was written."""

    file: Path

    def note(self, what: str, **facts: Any) -> None:
        """Add one entry, whole, before anything else happens."""
        handle = os.open(self.file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        os.write(handle, json.dumps({"what": what, **facts}).encode() + b"\n")
        os.close(handle)

    def entries(self, what: str) -> list[dict[str, Any]]:
        """Give the entries of one kind, oldest first."""
        lines = self.file.read_bytes().splitlines() if self.file.exists() else []
        return [entry for line in lines if (entry := json.loads(line))["what"] == what]


@dataclass(slots=True)
class Provider:
    """Takes messages, and is honest, slow or cut off as the seed has it."""

    journal: Journal
    rng: random.Random
    calm: bool = False

    async def transmit(self, transmission: Transmission) -> TransmitOutcome:
        """Write down what came, then answer."""
        if not self.calm and self.rng.random() < 0.15:
            return TryLater(reason="busy")
        digest = hashlib.sha256(transmission.octets).hexdigest()
        self.journal.note("took", message=str(transmission.message_id), digest=digest)
        await asyncio.sleep(0)
        if not self.calm and self.rng.random() < 0.15:
            return InDoubt(reason="cut")
        return Taken()


@dataclass(slots=True)
class Life:
    """One opening of the data folder."""

    store: SqliteStore
    enquiries: SqliteEnquiries
    pipeline: Pipeline
    worker: Worker
    watch: Watch
    rerouting: Rerouting
    clockwork: Clockwork
    clock: Clock
    journal: Journal
    provider: Provider
    tasks: list["asyncio.Task[None]"] = field(default_factory=list)

    async def post(self, body: bytes) -> Answer | None:
        """Post as a trust does, and write down a positive answer."""
        submission = Submission(tenant=TRUST, format=WireFormat.HL7V2, body=body, received_at=self.clock.now())
        try:
            answer = await self.pipeline.receive(submission)
        except Unavailable:
            return None
        if answer.http_status < 300:
            self.journal.note("answered", body=body.decode(), answer=answer.body.decode())
            self.worker.wake()
        return answer

    async def tell(self, message: str, event: LineEvent) -> Effectiveness | None:
        """Answer as the provider does, and write down that it was taken."""
        name = f"{message}-{event}"
        answer = Acknowledgement(
            id=name, correlation=UUID(message), reports=(LineReport(line_id=None, event=event),), epoch=1
        )
        callback = Callback(
            destination=PROVIDER, received_at=self.clock.now(), content_type="application/json", body=name.encode()
        )
        try:
            result = await self.store.acknowledge(callback, answer, ())
        except Unavailable:
            return None
        self.journal.note("told", message=message, event=event.value, effect=result.effect.value)
        return result.effect

    async def close(self) -> None:
        """Stop in order."""
        self.worker.stop()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        await self.enquiries.close()
        await self.store.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """What is loaded once and shared by every life."""

    configuration: Configuration
    around: Translating
    keys: KeyRing


def begin(ready: Ready, folder: Path, rng: random.Random, *, clock: Clock, calm: bool = False) -> Life:
    """Open the folder and start the worker; call inside a running loop."""
    store = SqliteStore.open(folder / DATABASE, now=clock.now)
    enquiries = SqliteEnquiries.open(folder / DATABASE)
    journal = Journal(folder / "journal")
    provider = Provider(journal, rng, calm)
    sealer = ready.keys.seal(ready.configuration.organisation)
    pipeline = Pipeline(store=store, sealer=sealer, around=ready.around, clock=clock)
    rerouting = Rerouting(store=store, enquiries=enquiries, sealer=sealer, around=ready.around, clock=clock)
    clockwork = Clockwork(store=store, enquiries=enquiries, sealer=sealer, around=ready.around, clock=clock)
    outlets: Mapping[OdsCode, Provider] = dict.fromkeys((PROVIDER, NEXT), provider)
    worker = Worker(
        name="w",
        around=Surroundings(
            store=store,
            enquiries=enquiries,
            clock=clock,
            destinations=outlets,
            providers={ods: ready.around.routing.providers[ods] for ods in outlets},
            compose=pipeline.compose,
            jitter=lambda: 0.0,
        ),
        pace=_PACE,
    )
    watch = Watch(enquiries=enquiries, store=store, clock=clock)
    life = Life(store, enquiries, pipeline, worker, watch, rerouting, clockwork, clock, journal, provider)
    life.tasks.append(asyncio.create_task(worker.run()))
    return life


def order(number: int) -> bytes:
    """Give the golden order under names of its own."""
    return ORDER.replace(b"S01-0001", b"K%d-0001" % number).replace(b"7001^RBA", b"9%03d^RBA" % number)


def change(number: int) -> bytes:
    """Give the golden change of the golden order, for another one: a cancel and an order in one message."""
    return CHANGE.replace(b"S06-0001", b"X%d-0001" % number).replace(b"7001^RBA", b"9%03d^RBA" % number)


async def until(true: Callable[[], bool], *, seconds: float) -> None:
    """Wait until something is true, or the time is over."""
    for _ in range(int(seconds / 0.005)):
        if true():
            return
        await asyncio.sleep(0.005)


async def aftermath(ready: Ready, folder: Path) -> list[str]:
    """Open what a kill left, let it work on in peace, and give everything that is wrong."""
    clock = Clock(BEGUN + timedelta(minutes=10))
    life = begin(ready, folder, random.Random(0), clock=clock, calm=True)
    faults: list[str] = []
    try:
        faults += await _answers_stand(life)
        for entry in life.journal.entries("told"):
            if await life.tell(entry["message"], LineEvent(entry["event"])) is Effectiveness.APPLIED:
                faults.append(f"lost: the answer {entry['event']} was taken, and is taken anew")
        await until(lambda: not _due(folder, clock.moment), seconds=1.0)
        clock.moment += timedelta(hours=6)
        await life.watch.sweep()
    finally:
        await life.close()
    return [*faults, *_doubles(life.journal), *_tables(folder)]


async def _answers_stand(life: Life) -> list[str]:
    """Everything answered positively is there, and answers again in the same bytes."""
    faults = []
    for entry in life.journal.entries("answered"):
        answer = await life.post(entry["body"].encode())
        if answer is None or answer.body.decode() != entry["answer"]:
            faults.append("lost: a repeat got another answer than the first")
    return faults


def _doubles(journal: Journal) -> list[str]:
    """A provider that does not recognise repeats got every message once at most, and always in the same bytes."""
    got: dict[str, list[str]] = defaultdict(list)
    for entry in journal.entries("took"):
        got[entry["message"]].append(entry["digest"])
    return [f"doubled: {message} was sent {len(digests)} times" for message, digests in got.items() if len(digests) > 1]


def _due(folder: Path, now: datetime) -> bool:
    """Tell whether anything could still be sent now: due, and not waiting for an earlier row."""
    connection = apsw.Connection(str(folder / DATABASE), flags=apsw.SQLITE_OPEN_READONLY)
    try:
        return bool(connection.execute(_DUE, (int(now.timestamp() * 1_000_000),)).get)
    finally:
        connection.close()


def _tables(folder: Path) -> list[str]:
    connection = apsw.Connection(str(folder / DATABASE), flags=apsw.SQLITE_OPEN_READONLY)
    try:
        return [f"silent: {fault}" for fault in broken(connection)]
    finally:
        connection.close()
