"""The gateway on virtual time: the production store, worker, watch and pipeline, over one database in memory.

Only four things are replaced: the committer's thread (its group commit is the production code), the readers' threads,
`asyncio` inside the worker, and the reading and translating of bytes (what is posted is translated beforehand).

Source: reliability-security.md 3.4.
"""

import asyncio
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Final, cast

import apsw
import structlog

from gateway import worker as worker_module
from gateway.destination import Unrecognised
from gateway.domain.acknowledgement import Acknowledgement
from gateway.domain.acts import Expiring
from gateway.domain.deadline import ALWAYS
from gateway.domain.errors import Refusal
from gateway.domain.identifiers import OdsCode
from gateway.domain.issue import Issue
from gateway.domain.message import SealedMessage
from gateway.domain.partner import Environment, Provider
from gateway.domain.submission import Envelope, Outcome, Reading, Submission, Verdict, WireFormat
from gateway.lane import Outlet
from gateway.pipeline import own_faults, story
from gateway.pipeline.clockwork import Clockwork
from gateway.pipeline.story import Pipeline
from gateway.pipeline.translate import read, translate
from gateway.pipeline.translation import Translation
from gateway.ports.acceptance import Acceptance, KnownLine, StoredAnswer
from gateway.store.committer import LARGEST_GROUP, _Failed
from gateway.store.sql.transaction import Transaction
from gateway.store.sqlite import store as store_module
from gateway.store.sqlite.store import SqliteStore
from gateway.watch import Watch
from gateway.worker import Pace, Surroundings, Worker
from tests.sim import memory
from tests.sim.loop import LATE, Loop, Sleep, Task
from tests.sim.memory import BEGUN, Disk, InlineCommitter, InlineEnquiries

if TYPE_CHECKING:
    from tests.sim.translated import Whole

_PACE: Final = Pace(lease_seconds=60.0, attempts=8, age_seconds=8 * 3600.0, probe_seconds=300.0)
_NEVER: Final = float("inf")
_SHORTEST_IDLE: Final = 15.0
_LONGEST_IDLE: Final = 4 * 3600.0
_COMMIT_SECONDS: Final = 0.002
_NEXT_DUE: Final = "SELECT min(due_at) FROM outbox WHERE state = 'due' AND withheld = 0 AND due_at > ?"
_DUE: Final = """
SELECT destination, count(*), max(id) FROM outbox WHERE state = 'due' AND withheld = 0 AND due_at <= ?
GROUP BY destination
"""
_NEXT_LAPSE: Final = "SELECT min(lease_until) FROM outbox WHERE state IN ('claimed', 'on_wire')"


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared(Translation):
    """A translation made beforehand, with what was known of the lines it names."""

    known: tuple[KnownLine, ...] = ()
    taken: bool = False


@dataclass(frozen=True, slots=True)
class Parcel:
    """What a trust posts, translated beforehand.

    Attributes:
        control_id: the trust's name for the message.
        asks: order numbers that are looked up first.
        accept: makes what is to be stored, once that is known; the last is whether a number in it was found taken.
    """

    control_id: str
    asks: tuple[str, ...]
    accept: Callable[[Submission, tuple[KnownLine, ...], bool], Acceptance]


class SimPipeline(Pipeline):
    """The production pipeline; parcels stand for what would be read and translated."""

    parcels: dict[bytes, Parcel]

    async def _look_up(self, submission: Submission, reading: Reading) -> StoredAnswer | tuple[KnownLine, ...]:
        if submission.body not in self.parcels:
            return await super()._look_up(submission, reading)
        asks = self.parcels[submission.body].asks
        return await self._store.look_up(submission.tenant, reading.envelope.control_id, asks)

    def _acceptance(self, submission: Submission, translation: Translation) -> Acceptance:
        if not isinstance(translation, Prepared):
            return super()._acceptance(submission, translation)
        return self.parcels[submission.body].accept(submission, translation.known, translation.taken)


class SimClockwork(Clockwork):
    """The production clockwork; what was prescribed beforehand is told in a message made beforehand."""

    told_to_stop: Callable[[Expiring], SealedMessage | None]

    async def _telling(self, one: Expiring, now: datetime) -> SealedMessage | None:
        return self.told_to_stop(one) or await super()._telling(one, now)


class _Asyncio(SimpleNamespace):
    """The little of asyncio that the worker uses, on virtual time."""


@dataclass
class _NoLimit:
    """The time limit of a transmission: the network itself gives up in time."""

    seconds: float

    async def __aenter__(self) -> None:
        return

    async def __aexit__(self, *_: object) -> None:
        return


class Party(SimpleNamespace):
    """A provider's adapter as the pipeline sees it: reads what the simulated provider said."""

    said: dict[bytes, Acknowledgement]

    def read_acknowledgement(self, _headers: Mapping[str, str], body: bytes) -> Acknowledgement | Unrecognised:
        """Give what was said in these bytes; corrupted bytes say nothing."""
        return self.said.get(body) or Unrecognised(issues=(Issue(code="UNREADABLE", location="", text="?"),))


@dataclass
class Gateway:
    """One process at a time over one database that outlives it.

    Attributes:
        trouble: what the disk does at the next commit.
        whole: for what is posted as bytes and goes the whole way; None where nothing is.
        skew: how wrong the gateway's own clock is.
        removed: providers that the configuration in force does not have.
        told_to_stop: seals what tells a provider that a prescription's validity is over.
    """

    outlets: Mapping[OdsCode, Outlet]
    repeats: frozenset[OdsCode]
    tells: frozenset[OdsCode]
    mailboxes: Mapping[OdsCode, Outlet]
    trouble: Callable[[], apsw.Error | None]
    whole: "Whole | None" = None
    parcels: dict[bytes, Parcel] = field(default_factory=dict)
    said: dict[bytes, Acknowledgement] = field(default_factory=dict)
    skew: timedelta = timedelta(0)
    removed: set[OdsCode] = field(default_factory=set)
    told_to_stop: Callable[[Expiring], SealedMessage | None] = lambda _: None
    up: bool = False
    life: int = 0
    tasks: list[Task] = field(default_factory=list)
    bugs: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.loop = Loop(self._write)
        self.connection = memory.connected(memory.template())
        self._waiting: list[tuple[Task, Callable[[], Any]]] = []
        self._ticks = [_NEVER, _NEVER]
        self._turn = 0
        self._idle = _SHORTEST_IDLE
        self._due: list[tuple[str, int, int]] = []
        self._starved = False
        self._fruitless: Any = None
        self._next_round = 0.0
        self._moved, self._known = True, (0.0, 0.0)
        self._next_due: int | None = None
        self._lapse: int | None = None
        self.open()

    def now(self) -> datetime:
        """The gateway's own time."""
        return BEGUN + timedelta(seconds=self.loop.now) + self.skew

    def open(self, *, restored: bool = False) -> None:
        """Start a process on what the database holds."""
        self.life += 1
        self.up = True
        if restored:
            self.connection.execute(store_module._RAISE_GENERATION)
        self.connection.set_update_hook(self._note_change)
        self._moved = True
        generation: int = self.connection.execute(store_module._GENERATION).get
        transaction = Transaction(connection=self.connection, deadlines=ALWAYS, tells=self.tells, generation=generation)
        self.committer = InlineCommitter(Disk(self.connection, self.trouble), failed=self._disk_died)
        self.store = SqliteStore(transaction, self.committer, self.now)
        self.enquiries = InlineEnquiries(self.connection)
        sealer, around = self.whole.sealer if self.whole else cast("Any", None), self._around()
        self.pipeline = SimPipeline(
            store=self.store,
            sealer=sealer,
            around=around,
            clock=cast("Any", self),
        )
        self.pipeline.parcels = self.parcels
        self.workers = [self._worker(f"w{self.life}.{number}") for number in range(2)]
        self.clockwork = SimClockwork(
            store=self.store,
            enquiries=self.enquiries,
            sealer=sealer,
            around=around,
            clock=cast("Any", self),
        )
        self.clockwork.told_to_stop = self.told_to_stop
        self.watch = Watch(enquiries=self.enquiries, store=self.store, clock=cast("Any", self))
        self.loop.after(0.01, self.wake)

    def _around(self) -> Any:
        """Give the pipeline its surroundings: the production's, where something goes the whole way, less the wires."""
        if self.whole is None:
            destinations = {ods: Party(said=self.said) for ods in self.outlets if ods not in self.removed}
            return SimpleNamespace(routing=SimpleNamespace(providers={}), destinations=destinations, trusts={})
        real = self.whole.around
        parties = {
            ods: Party(said=self.said, promises=one.promises, cannot_carry=one.cannot_carry, render=one.render)
            for ods, one in real.destinations.items()
        }
        others = {ods: Party(said=self.said) for ods in self.outlets if ods not in parties}
        return replace(real, destinations=cast("Any", parties | others))

    def _worker(self, name: str) -> Worker:
        providers = {
            ods: Provider(
                ods=ods,
                name=ods.value,
                environment=Environment.TEST,
                adapter="sim",
                endpoint="",
                recognises_repeats=ods in self.repeats,
            )
            for ods in self.outlets
            if ods not in self.removed
        }
        around = Surroundings(
            store=self.store,
            enquiries=self.enquiries,
            clock=cast("Any", self),
            destinations=self.outlets,
            providers=providers,
            mailboxes=self.mailboxes,
            compose=self.pipeline.compose,
            jitter=lambda: 0.5,
            monotonic=lambda: self.loop.now,
        )
        return Worker(name=name, around=around, pace=_PACE)

    def crash(self) -> None:
        """Stop at once: what is not committed is gone, what is on its way stays on its way."""
        if not self.up:
            return
        self.up = False
        for task in self.tasks:
            task.kill()
        self.tasks.clear()
        self._waiting.clear()
        self._ticks = [_NEVER, _NEVER]
        if self.connection.in_transaction:
            self.connection.execute("ROLLBACK")

    def _disk_died(self) -> None:
        """An input or output error: the process stops itself, and its supervisor starts it again."""
        self.loop.after(0.0, self.crash)
        self.loop.after(5.0, lambda: None if self.up else self.open())

    def spawn(self, coroutine: Any) -> Task:
        """Begin something in the gateway's process; it dies with the process."""
        if len(self.tasks) > 200:
            self.tasks = [task for task in self.tasks if task.alive]
        task = Task(coroutine)
        self.tasks.append(task)
        self.loop.step(task)
        return task

    def _write(self, task: Task, closure: Callable[[], Any]) -> None:
        if not self._waiting:
            self.loop.after(_COMMIT_SECONDS, self._flush)
        self._waiting.append((task, closure))

    def _flush(self) -> None:
        group, self._waiting = self._waiting[:LARGEST_GROUP], self._waiting[LARGEST_GROUP:]
        if not group:
            return
        if self._waiting:
            self.loop.after(0.0, self._flush)
        results = self.committer.commit(group)
        for (task, _), result in zip(group, results, strict=True):
            if isinstance(result, _Failed):
                self.loop.step(task, error=result.error)
            else:
                self.loop.step(task, result)

    def wake(self, seconds: float = 0.05) -> None:
        """Let a worker look for work soon: something may be due."""
        self._look(seconds)

    def _look(self, seconds: float) -> None:
        number = self._turn = 1 - self._turn
        when = self.loop.now + seconds
        if self._ticks[number] <= when:
            return
        self._ticks[number] = when
        life = self.life
        self.loop.after(seconds, lambda: self._tick(number, when, life))

    def _tick(self, number: int, when: float, life: int) -> None:
        if life != self.life or not self.up or self._ticks[number] != when:
            return
        self._ticks[number] = _NEVER
        now = self._look_at_queue()
        due, lapse = self._due, self._lapse
        lapsed = lapse is not None and lapse <= now
        if not lapsed and not self._has_room(number):
            self._rest()
        elif lapsed or due != self._fruitless or self.loop.now >= self._next_round:
            # it looks for leases that are over only where there are some: it would find none
            self.workers[number]._next_recovery = 0.0 if lapsed else _NEVER
            self.spawn(self.workers[number]._round()).add_done_callback(self._after_round)

    def _look_at_queue(self) -> int:
        """Ask the queue what is due and when something will be, if it has moved since or its time has come."""
        now = int(self.now().timestamp() * 1_000_000)
        begins, ends = self._known
        if self._moved or not begins <= now < ends:
            self._moved = False
            self._due = list(self.connection.execute(_DUE, (now,)))
            self._lapse = self.connection.execute(_NEXT_LAPSE).get
            self._next_due = self.connection.execute(_NEXT_DUE, (now,)).get
            self._known = now, LATE if self._next_due is None else self._next_due
        return now

    def _note_change(self, _operation: int, _database: str, table: str, _row: int) -> None:
        if table == "outbox":
            self._moved = True

    def _has_room(self, number: int) -> bool:
        """Tell whether something is due that this worker would send now."""
        worker = self.workers[number]
        found = (worker._lanes.get(OdsCode(destination)) for destination, *_ in self._due)
        lanes = [lane for lane in found if lane is not None]
        limit = worker._pace.failures_before_rest
        self._starved = bool(lanes) and not any(lane.room(self.loop.now, failures_before_rest=limit) for lane in lanes)
        return bool(lanes) and not self._starved

    def _carry(self, coroutine: Any) -> Task:
        """Begin a transmission; its end makes room for another."""
        task = self.spawn(coroutine)
        task.add_done_callback(lambda _: self.wake() if self._starved else None)
        return task

    def _after_round(self, found: Any) -> None:
        """Look again at once after finding something, else when something is due or a lease is over."""
        if found is True:
            self._fruitless, self._idle = None, _SHORTEST_IDLE
            self._look(0.05)
            return
        self._fruitless = self._due
        self._next_round = self.loop.now + self._idle
        self._rest()

    def _rest(self) -> None:
        """Look again when something falls due, or a lease is over; and now and then while something may not go."""
        self._idle = min(2 * self._idle, _LONGEST_IDLE)
        now = self._look_at_queue()
        moments = (self._next_due, self._lapse)
        waits = [max(0.001, (moment - now) / 1_000_000 + 0.001) for moment in moments if moment is not None]
        if self._due:  # something may not go
            waits.append(self._idle)
        if self._starved:
            lanes = [lane for worker in self.workers for lane in worker._lanes.values()]
            waits += [lane.closed_until - self.loop.now for lane in lanes if lane.closed_until > self.loop.now]
        if waits:
            self._look(min(waits))

    @contextmanager
    def running(self) -> Iterator[None]:
        """Put the seams in place: the worker's asyncio, the pipeline's reading, and logs that are only bugs."""
        shim = _Asyncio(
            timeout=_NoLimit,
            sleep=Sleep,
            create_task=self._carry,
            Event=asyncio.Event,
            Task=Task,
        )
        seams: tuple[tuple[Any, str, Any], ...] = (
            (worker_module, "asyncio", shim),
            (story, "read", self._read),
            (story, "translate", self._translate),
            (own_faults, "log", lambda *_: None),
        )
        before = [(place, name, getattr(place, name)) for place, name, _ in seams]
        config = structlog.get_config()
        structlog.configure(
            processors=[self._bug],
            wrapper_class=structlog.make_filtering_bound_logger(40),
            cache_logger_on_first_use=False,
        )
        for place, name, value in seams:
            setattr(place, name, value)
        try:
            yield
        finally:
            for place, name, value in before:
                setattr(place, name, value)
            structlog.configure(**config)

    def _bug(self, _logger: object, _method: str, event: Any) -> Any:
        if event.get("exc_info"):
            self.bugs.append(traceback.format_exc())
        raise structlog.DropEvent

    def _read(self, submission: Submission, _around: object) -> Reading:
        if submission.body not in self.parcels:
            if self.whole is not None and submission.body.startswith(b"MSH"):
                return read(submission, self.whole.around)
            raise Refusal(Issue(code="UNREADABLE", location="", text="It cannot be read."))
        control = self.parcels[submission.body].control_id
        return Reading(envelope=Envelope(format=WireFormat.HL7V2, control_id=control))

    def _translate(
        self,
        submission: Submission,
        reading: Reading,
        known: tuple[KnownLine, ...],
        around: Any,
        taken: tuple[Issue, ...],
    ) -> Translation:
        if submission.body not in self.parcels:
            return translate(submission, reading, known, around, taken)
        return Prepared(
            envelope=reading.envelope, verdict=Verdict(outcome=Outcome.TRANSLATED), known=known, taken=bool(taken)
        )
