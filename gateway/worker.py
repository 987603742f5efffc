"""The loop that sends: claim what is due, commit that it is on the wire, send it, record what is known.

1. `on_wire` commits before the first byte leaves (I12); where it says no, nothing is sent.
2. Whatever goes wrong after that is `InDoubt`, never a guess. It is sent again only as the same bytes, and only to a
   destination proven to recognise repeats; a trust that is told the same thing twice is not harmed.
3. Every destination has its own room and its own rest, and every transmission its own task and time limit, so that
   one that is slow or dead delays nobody else.
4. A destination that fails several times running is probed by one message at a time, every few seconds, until it
   answers; its other rows stay due meanwhile, its attempts end no message, and all go at once when it is back.
5. What is due is looked for when there may be something: when the pipeline says so, when a destination that was
   full has room again, when another node hints at it, and at every poll.
6. Where several nodes send, a destination's limit and its rest are those of all together, as far as they can be
   asked; where not, each goes by what it saw itself. Neither decides what is sent: the store does.

Source: brief 2, D3; reliability-security.md I1, I10 to I12, I17.
"""

import asyncio
import random
import time
from collections import Counter, deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta

import structlog

from gateway.destination import InDoubt, Refused, Taken, Transmission, TransmitOutcome, TryLater
from gateway.domain.errors import Unavailable
from gateway.domain.identifiers import OdsCode
from gateway.domain.partner import Provider
from gateway.domain.retry import next_delay_seconds
from gateway.enquiries import Enquiries
from gateway.joining.together import Together
from gateway.lane import Lane, Outlet
from gateway.ports.clock import Clock
from gateway.ports.joining import Changed, Hint, Joining, Share
from gateway.ports.store import Store
from gateway.ports.work import Claim, News, WorkKind

_log = structlog.get_logger(__name__)

_MOST_HINTS = 1000
"""While the store is away; the oldest are forgotten, and nothing with them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How the worker goes about it. Every limit says its unit.

    Attributes:
        poll_seconds: how long to wait when nothing woke it: retries fall due unannounced.
        gather_seconds: least time between two looks, so that under load one look finds the work of many wakings.
        lease_seconds: least time a claim is ours; longer where a destination may take longer to answer.
        attempts: of one row, where its destination answers others; then it is not tried again and a person is told.
        age_seconds: of a message since its first attempt, after which it is not tried again either. While its
            destination was paused, or a line of it on hold, it did not age.
        tell_age_seconds: the same for telling a trust, whose listener may be off for a weekend.
        failures_before_rest: running failures after which a destination is only probed.
        probe_seconds: longest time between two probes, and longest wait of a row of a resting destination; with the
            poll it stays below the five seconds in which delivery begins again after an outage.
        tell_seconds: time limit for telling a trust.
        tell_in_flight: how many tellings of one trust may be under way: one, so that news keeps its order.
    """

    poll_seconds: float = 1.0
    gather_seconds: float = 0.01
    lease_seconds: float = 60.0
    attempts: int = 500
    age_seconds: float = 24 * 3600.0
    tell_age_seconds: float = 96 * 3600.0
    failures_before_rest: int = 3
    probe_seconds: float = 3.0
    tell_seconds: float = 10.0
    tell_in_flight: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """What an observer is told of each attempt: names and numbers, no content."""

    kind: WorkKind
    destination: OdsCode
    attempt: int
    outcome: str
    seconds: float


def _unobserved(_: Attempt) -> None:
    """Watch nothing."""


def _alone() -> Joining:
    """Join nobody."""
    return Together().node("alone")


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What the worker needs from outside.

    Attributes:
        destinations: the adapter for each provider.
        providers: their settings; one that is not active is sent nothing.
        mailboxes: how each trust is told; a trust without one is not told.
        compose: writes news in the trust's own format: bytes and media type.
        jitter: a number from 0 to 1 for each delay.
        monotonic: seconds that never go back; only differences count.
        observe: told of every attempt, for the metrics.
        joining: the other nodes; alone if not given.
    """

    store: Store
    enquiries: Enquiries
    clock: Clock
    destinations: Mapping[OdsCode, Outlet]
    providers: Mapping[OdsCode, Provider]
    mailboxes: Mapping[OdsCode, Outlet] = field(default_factory=dict)
    compose: Callable[[News], tuple[bytes, str]]
    jitter: Callable[[], float] = random.random
    monotonic: Callable[[], float] = time.monotonic
    observe: Callable[[Attempt], None] = _unobserved
    joining: Joining = field(default_factory=_alone)


class Worker:
    """Sends what is due until it is stopped.

    Args:
        name: tells this worker's leases from another's.
        around: store, destinations and the rest.
        pace: limits.
    """

    def __init__(self, *, name: str, around: Surroundings, pace: Pace | None = None) -> None:
        self._name = name
        self._around = around
        self._pace = pace or Pace()
        self._lanes = _lanes(around, self._pace)
        longest = max((lane.limit_seconds for lane in self._lanes.values()), default=0.0)
        # On_wire and record happen within the lease as well, so it outlasts the slowest answer.
        self.lease_seconds = max(self._pace.lease_seconds, 2 * longest)
        self._woken = asyncio.Event()
        self._stopping = False
        self._tasks: set[asyncio.Task[None]] = set()
        self._next_recovery = 0.0
        self._hinted: deque[Hint] = deque(maxlen=_MOST_HINTS)

    def wake(self) -> None:
        """Look for work now: something was accepted."""
        self._woken.set()

    def stop(self) -> None:
        """Claim nothing more; `run` returns when what is in flight has been recorded."""
        self._stopping = True
        self._woken.set()

    async def run(self) -> None:
        """Send until stopped, then finish what is in flight."""
        hearing = asyncio.create_task(self._hear())
        while not self._stopping:
            self._woken.clear()
            looked = self._around.monotonic()
            await self._round()
            await self._rest()
            await self._gather(looked)
        hearing.cancel()
        await asyncio.wait({hearing, *self._tasks})

    async def _hear(self) -> None:
        """Look for work whenever another node hints at some."""
        while not self._stopping:
            self._hinted.extend(await self._around.joining.hints())
            self.wake()

    async def _round(self) -> bool:
        """Claim and start once. Tells whether there was anything."""
        hinted = tuple(self._hinted)
        try:
            await self._recover()
            asked = self._around.monotonic()
            claims = await self._claim()
        except Unavailable:
            _log.warning("worker_store_away", worker=self._name)
            return False
        except Exception:  # noqa: BLE001 - the loop outlives a bug; leases run out and nothing is lost
            _log.exception("worker_round_failed", worker=self._name)
            return False
        for claim in claims:
            self._start(claim, until=asked + self.lease_seconds)
        if hinted:
            self._around.joining.looked(hinted)
            for _ in hinted:
                self._hinted.popleft()
        return bool(claims)

    async def _rest(self) -> None:
        moment = self._around.monotonic()
        openings = (lane.closed_until - moment for lane in self._lanes.values() if lane.closed_until > moment)
        with suppress(TimeoutError):
            async with asyncio.timeout(min(self._pace.poll_seconds, *openings, 3600.0)):
                await self._woken.wait()

    async def _gather(self, looked: float) -> None:
        """Let wakings gather: a look costs about as much for one message as for many."""
        wait = looked + self._pace.gather_seconds - self._around.monotonic()
        if wait > 0 and not self._stopping:
            await asyncio.sleep(wait)

    async def _recover(self) -> None:
        moment = self._around.monotonic()
        if moment < self._next_recovery:
            return
        recognising = frozenset(ods for ods, lane in self._lanes.items() if lane.recognises_repeats)
        found = await self._around.store.recover(now=self._around.clock.now(), recognises_repeats=recognising)
        self._next_recovery = moment + self.lease_seconds / 4
        if found:
            _log.warning("worker_recovered", worker=self._name, rows=found)

    async def _claim(self) -> list[Claim]:
        rooms = await self._rooms()
        open_rooms = {ods: room for ods, room in rooms.items() if room}
        claims: list[Claim] = []
        if open_rooms:
            claims = await self._around.store.claim(
                worker=self._name,
                now=self._around.clock.now(),
                lease_seconds=self.lease_seconds,
                room=open_rooms,
            )
        taken = Counter(claim.destination for claim in claims)
        for ods, lane in self._lanes.items():
            lane.full = taken[ods] >= rooms[ods]
        self._settle(rooms, taken)
        return claims

    async def _rooms(self) -> dict[OdsCode, int]:
        """Give how many more may be begun for each destination: by what this node knows, and what others leave it."""
        probes_from = self._pace.failures_before_rest
        shares: Mapping[OdsCode, Share] = {}
        if not self._around.joining.alone:
            wishes = {ods: lane.wish(probes_from) for ods, lane in self._lanes.items()}
            shares = await self._around.joining.share(wishes)
        moment = self._around.monotonic()
        rooms = {}
        for ods, lane in self._lanes.items():
            share = shares.get(ods)
            if share is not None and share.health is not None:
                lane.learn(share.health, moment, failures_before_rest=probes_from)
            room = lane.room(moment, failures_before_rest=probes_from)
            rooms[ods] = room if share is None else min(room, share.granted)
        return rooms

    def _settle(self, rooms: Mapping[OdsCode, int], taken: Mapping[OdsCode, int]) -> None:
        """Give back what was granted and not used; look again soon for a share that was used up and is not all."""
        if self._around.joining.alone:
            return
        lanes = self._lanes
        unused = {ods: lanes[ods].in_flight + taken[ods] for ods, room in rooms.items() if taken[ods] < room}
        self._around.joining.hold(unused)
        if any(count == rooms[ods] < lanes[ods].most - lanes[ods].in_flight for ods, count in taken.items()):
            self._woken.set()

    def _start(self, claim: Claim, *, until: float) -> None:
        self._lanes[claim.destination].in_flight += 1
        task = asyncio.create_task(self._carry(claim, until=until))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _carry(self, claim: Claim, *, until: float) -> None:
        """Take one claim from lease to record; the lease ends at a moment of our own clock that never goes back."""
        lane = self._lanes[claim.destination]
        more = True
        try:
            more = await self._send(claim, lane, until=until)
        except Unavailable:
            # Not on the wire, or not recorded: the lease runs out and `recover` tells which.
            _log.warning("worker_store_away", worker=self._name, row=claim.id)
        except Exception:  # noqa: BLE001 - a task has no caller; its lease runs out and `recover` finds it
            _log.exception("worker_claim_failed", worker=self._name, row=claim.id)
        finally:
            lane.in_flight -= 1
            self._around.joining.hold({claim.destination: lane.in_flight})
            if more or lane.full:
                self._woken.set()

    async def _send(self, claim: Claim, lane: Lane, *, until: float) -> bool:
        """Send one claim. Tells whether what became of it may have made something else due."""
        try:
            octets, content_type = await self._octets(claim)
        except Unavailable:
            raise
        except Exception:  # noqa: BLE001 - a bug in a writer may not block the queue
            _log.exception("worker_compose_failed", worker=self._name, row=claim.id)
            await self._record(claim, TryLater(reason="the news could not be written"), lane)
            return True
        fixed = octets if claim.octets is None else None
        if not await self._around.store.on_wire(claim, now=self._around.clock.now(), octets=fixed):
            _log.info("worker_not_sent", worker=self._name, row=claim.id)
            return True
        begun = self._around.monotonic()
        if begun + lane.limit_seconds > until:
            # We were frozen, or the store was slow: another node may soon take it, or has done so.
            await self._record(claim, TryLater(reason="the lease left no time for an answer"), lane)
            return True
        outcome = await self._transmit(claim, lane, octets, content_type)
        self._note(claim.destination, lane, outcome)
        await self._record(claim, outcome, lane)
        self._around.joining.publish(_changed(claim))
        self._observe(claim, outcome, self._around.monotonic() - begun)
        return not isinstance(outcome, Taken) or outcome.acknowledgement is not None

    async def _octets(self, claim: Claim) -> tuple[bytes, str]:
        """Give what to send. News is written once; later attempts send the octets that `on_wire` fixed."""
        if claim.news is None or (claim.octets is not None and claim.content_type):
            if claim.octets is None:
                raise ValueError("a row with neither octets nor news")
            return claim.octets, claim.content_type
        composed, content_type = self._around.compose(await self._around.enquiries.news(claim.news))
        return (composed if claim.octets is None else claim.octets), content_type

    async def _transmit(self, claim: Claim, lane: Lane, octets: bytes, content_type: str) -> TransmitOutcome:
        transmission = Transmission(
            message_id=claim.message_id,
            octets=octets,
            content_type=content_type,
            attempt=claim.attempt,
            possible_duplicate=claim.possible_duplicate,
        )
        try:
            async with asyncio.timeout(lane.limit_seconds):
                outcome: object = await lane.outlet.transmit(transmission)
        except TimeoutError:
            return InDoubt(reason="no answer in time")
        except Exception as error:  # noqa: BLE001 - plug-in code; whatever it raises, the message may have arrived
            _log.exception("worker_outlet_failed", worker=self._name, row=claim.id)
            return InDoubt(reason="the adapter failed: a fault on our side", failure=type(error).__name__)
        if not isinstance(outcome, Taken | Refused | TryLater | InDoubt):
            return InDoubt(reason="the adapter gave no outcome")
        return outcome

    def _note(self, destination: OdsCode, lane: Lane, outcome: TransmitOutcome) -> None:
        """Keep account of the destination's health: an answer of either kind ends its rest."""
        if isinstance(outcome, Taken | Refused):
            if lane.failures:
                self._around.joining.answered(destination)
            lane.failures, lane.closed_until, lane.answering = 0, 0.0, True
            return
        lane.failures += 1
        asked = outcome.after_seconds if isinstance(outcome, TryLater) else None
        resting = lane.failures >= self._pace.failures_before_rest
        lane.answering = lane.answering and not resting
        wait = self._probe_wait(lane.failures) if resting else 0.0
        rest = max(wait, asked or 0.0)
        lane.closed_until = self._around.monotonic() + rest
        self._around.joining.failed(destination, failures=lane.failures, rest_seconds=rest)

    def _probe_wait(self, failures: int) -> float:
        running = failures - self._pace.failures_before_rest + 1
        return min(self._pace.probe_seconds, next_delay_seconds(running, jitter=self._around.jitter()))

    async def _record(self, claim: Claim, outcome: TransmitOutcome, lane: Lane) -> None:
        wait = self._wait(claim, outcome, lane)
        for pause in (0.1, 0.5, 2.0, None):
            now = self._around.clock.now()
            retry_at = None if wait is None else now + timedelta(seconds=wait)
            try:
                await self._around.store.record(claim, outcome, now=now, retry_at=retry_at)
            except Unavailable:
                # An answer that is not recorded leaves the line in doubt, so the store is asked again first.
                if pause is None:
                    raise
                await asyncio.sleep(pause)
            else:
                return

    def _wait(self, claim: Claim, outcome: TransmitOutcome, lane: Lane) -> float | None:
        """Give the seconds until the next attempt; None when there is none."""
        since = self._around.clock.now() - claim.accepted_at - claim.idle
        age = since.total_seconds() if claim.attempt > 1 else 0.0
        longest = self._pace.age_seconds if claim.kind is WorkKind.DELIVER else self._pace.tell_age_seconds
        # Where nobody answers, the destination is what fails: its probes must not use up the message.
        spent = (claim.attempt >= self._pace.attempts and lane.answering) or age > longest
        if isinstance(outcome, Taken | Refused) or spent:
            return None
        if isinstance(outcome, InDoubt) and not lane.recognises_repeats:
            return None
        asked = outcome.after_seconds if isinstance(outcome, TryLater) else None
        wait = next_delay_seconds(claim.attempt, jitter=self._around.jitter())
        if lane.failures >= self._pace.failures_before_rest:
            # The whole destination is away: it is probed often, so its rows need not wait long for it.
            wait = min(wait, self._pace.probe_seconds)
        return max(wait, asked or 0.0)

    def _observe(self, claim: Claim, outcome: TransmitOutcome, seconds: float) -> None:
        name = type(outcome).__name__
        # The reason stays in the store: a refusal's is in the provider's own words, which may hold anything.
        _log.info(
            "attempt",
            worker=self._name,
            row=claim.id,
            message=str(claim.message_id),
            destination=str(claim.destination),
            attempt=claim.attempt,
            outcome=name,
            error=outcome.failure if isinstance(outcome, TryLater | InDoubt) else "",
        )
        self._around.observe(
            Attempt(
                kind=claim.kind,
                destination=claim.destination,
                attempt=claim.attempt,
                outcome=name,
                seconds=seconds,
            )
        )


def _changed(claim: Claim) -> Changed:
    return Changed(subject=claim.message_id, tenant=claim.destination if claim.kind is WorkKind.TELL else None)


def _lanes(around: Surroundings, pace: Pace) -> dict[OdsCode, Lane]:
    to_providers = {
        ods: Lane(
            outlet=around.destinations[ods],
            most=provider.max_in_flight,
            limit_seconds=provider.answers_within_seconds,
            recognises_repeats=provider.recognises_repeats,
        )
        for ods, provider in around.providers.items()
        if provider.active and ods in around.destinations
    }
    to_trusts = {
        ods: Lane(
            outlet=mailbox,
            most=pace.tell_in_flight,
            limit_seconds=pace.tell_seconds,
            recognises_repeats=True,
        )
        for ods, mailbox in around.mailboxes.items()
    }
    return to_trusts | to_providers
