"""Simulated providers: what they take, supply, give up and say, each by its nature and the seed's dice.

Physically every one of them is honest: it supplies an order that it took as new, once, unless it has given it up. What
varies is whether it recognises repeats, when it works, and how truthful, timely and orderly its answers are. Something
between may say *busy* of what it took.

Source: reliability-security.md 3.4 (actors); mapping.md 9.3, 10.3.
"""

from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from uuid import UUID

from gateway.destination import Refused, Taken, Transmission, TransmitOutcome, TryLater
from gateway.domain.acknowledgement import Acknowledgement, LineReport
from gateway.domain.identifiers import OdsCode
from gateway.domain.lifecycle import LineEvent
from tests.sim.loop import Promise, Sleep, Wait
from tests.sim.oracle import Job
from tests.sim.plan import HOUR, Nature
from tests.sim.trusts import Letter

if TYPE_CHECKING:
    from tests.sim.world import World

E = LineEvent
_LIMIT_SECONDS = 10.0


class Mailbox:
    """Where a trust is told; it always takes what it is told."""

    async def transmit(self, _transmission: Transmission) -> TransmitOutcome:
        await Sleep(0.05)
        return Taken()


@dataclass
class Party:
    """One provider.

    Attributes:
        down: how many outages its system has now; it takes nothing meanwhile.
        took: messages it has taken, for one that recognises repeats.
        flying: transmissions of each message that are on their way to it.
    """

    world: "World"
    ods: OdsCode
    nature: Nature
    down: int = 0
    took: set[UUID] = field(default_factory=set)
    jobs: list[Job] = field(default_factory=list)
    flying: dict[UUID, int] = field(default_factory=dict)
    answers: int = 0

    @property
    def recognises_repeats(self) -> bool:
        """Whether a repeated message id is taken as one."""
        return self.nature is not Nature.PLAIN

    def chance(self, what: str, *key: object) -> float:
        """Roll for this provider."""
        return self.world.dice.roll(what, self.ods.value, *key)

    async def transmit(self, transmission: Transmission) -> TransmitOutcome:
        """Carry one transmission to the provider, as far as the network lets it."""
        world, key = self.world, (transmission.message_id, transmission.attempt, self.world.gateway.life)
        if self.down:
            return TryLater(reason="connection refused")
        fate = world.fate("to provider", *key)
        if fate == "lost":
            await Sleep(_LIMIT_SECONDS)
            raise TimeoutError
        message, answer = transmission.message_id, Promise()
        self.flying[message] = self.flying.get(message, 0) + 1
        slow = 5 * _LIMIT_SECONDS if fate == "late" else self.world.dice.between(0.02, 1.0, "way", *key)
        world.loop.after(slow, lambda: self._arrive(transmission, answer, key))
        outcome: TransmitOutcome | None = await Wait(answer, _LIMIT_SECONDS)
        if outcome is None:
            raise TimeoutError
        if isinstance(outcome, Taken):  # and read: what arrived once more may find nobody waiting for its answer
            world.oracle.heard(message)
        return outcome

    def _arrive(self, transmission: Transmission, answer: Promise, key: tuple[object, ...]) -> None:
        self.flying[transmission.message_id] -= 1
        if self.down:
            return
        outcome = self.take(transmission, key)
        if self.world.dice.roll("reply lost", *key) >= self.world.rate("reply lost"):
            self.world.loop.after(0.05, lambda: answer.keep(outcome))

    def take(self, transmission: Transmission, key: tuple[object, ...]) -> TransmitOutcome:
        """Take a message, or say why not."""
        message = transmission.message_id
        letter = self.world.letters.get(message)
        if letter is None or letter.to != self.ods:
            self.world.oracle.fault(f"doubled: {self.ods} got the message {message}, which is not its own")
            return Refused(reason="not mine")
        if transmission.octets != letter.body:
            self.world.oracle.fault(f"doubled: {message} arrived in other bytes than were sealed")
        if self.recognises_repeats and message in self.took:
            return Taken()
        if self.world.dice.roll("busy", *key) < self.world.rate("busy"):
            return TryLater(reason="busy", after_seconds=30.0)
        if letter.kind == "order" and self.chance("format", message) < 0.02:
            return Refused(reason="format")
        self.took.add(message)
        if letter.kind == "order":
            return self._begin(letter, message, falsely=self._falsely_busy(key))
        self._spawn(self._asked(letter, message))
        return Taken()

    def _falsely_busy(self, key: tuple[object, ...]) -> bool:
        """Whether something between says that it was busy. Who recognises no repeats would be sent it twice."""
        return self.recognises_repeats and self.world.dice.roll("false busy", *key) < self.world.rate("false busy")

    def _begin(self, letter: Letter, message: UUID, *, falsely: bool) -> TransmitOutcome:
        jobs = [
            Job(line, self.ods, message, letter.epoch, total, unknown=falsely)
            for line, total in zip(letter.lines, letter.totals, strict=True)
        ]
        for job in jobs:
            self.jobs.append(job)
            self.world.oracle.arrived(job)
        inline = self.chance("inline", message) < self.world.rate("inline")
        for job in jobs:
            self._spawn(self._work(job, accepted=inline))
        if falsely:
            self.world.oracle.seen["busy, and taken"] += 1
            return TryLater(reason="busy", after_seconds=self.world.dice.between(30.0, 4 * HOUR, "until", message))
        if not inline:
            return Taken()
        reports = tuple(LineReport(line_id=job.line, event=E.ACCEPTED) for job in jobs)
        return Taken(
            acknowledgement=Acknowledgement(
                id=f"in-{message}-{len(self.jobs)}",
                correlation=message,
                reports=reports,
                at=self.world.gateway.now(),
                epoch=letter.epoch,
            )
        )

    def _spawn(self, coroutine: Coroutine[Any, Any, object]) -> None:
        self.world.loop.spawn(coroutine)

    async def _work(self, job: Job, *, accepted: bool) -> None:
        """Decide on an order and supply it."""
        key = (job.line, job.message, len(self.jobs))
        slow = 20.0 if self.nature is Nature.SLOW else 1.0
        await Sleep(slow * self.world.dice.between(5.0, HOUR, "decides", *key))
        fate = self.chance("fate", *key)
        if job.given_up or (self.nature is Nature.SILENT and fate > 0.5):
            return
        if not accepted and not await self._accepts(job, key, fate):
            return
        if 0.15 < fate < 0.22:
            await Sleep(self.world.dice.between(0.0, 12 * HOUR, "returns", *key))
            if not job.given_up and not job.busy:
                job.given_up = True
                await self.say(job, E.RETURNED)
            return
        if fate < 0.4:
            await self.say(job, E.VALIDATED)
        while job.packs < job.total:
            await Sleep(slow * self.world.dice.between(HOUR, 9 * HOUR, "prepares", job.packs, *key))
            if not await self._supply(job, key):
                return

    async def _accepts(self, job: Job, key: tuple[object, ...], fate: float) -> bool:
        """Accept an order, or reject it, perhaps after a question; tells whether it goes on."""
        if fate < 0.10:
            job.given_up = True
            await self.say(job, E.REJECTED)
            return False
        if fate < 0.15:
            await self.say(job, E.QUERIED)
            if not await self._answered(job, key):
                return False
        await self.say(job, E.ACCEPTED)
        return True

    async def _answered(self, job: Job, key: tuple[object, ...]) -> bool:
        """Wait for the answer to a question; tells whether the order goes on. Some decide without one."""
        fate = self.chance("question", *key)
        for _ in range(24):
            await Sleep(3 * HOUR)
            if job.given_up:
                return False
            if job.answered or fate > 0.8:
                break
        else:
            return False
        if fate < 0.3:
            job.given_up = True
            await self.say(job, E.REJECTED)
        return not job.given_up

    async def _supply(self, job: Job, key: tuple[object, ...]) -> bool:
        while job.held and not job.given_up:
            await Sleep(2 * HOUR)
        if job.given_up:
            return False
        job.busy = True
        await self.say(job, E.DISPENSED)
        await Sleep(self.world.dice.between(60.0, 4 * HOUR, "carries", job.packs, *key))
        if self.chance("fails", job.packs, *key) < 0.03:
            await self.say(job, E.DELIVERY_FAILED)
            await Sleep(HOUR)
        job.packs += 1
        self.world.oracle.handed_over(job)
        await self.say(job, E.DELIVERED)
        job.busy = False
        return True

    async def _asked(self, letter: Letter, message: UUID) -> None:
        """Answer a cancel, a hold or a release."""
        await Sleep(self.world.dice.between(1.0, 2 * HOUR, "asked", message))
        (line,) = letter.lines
        jobs = [job for job in self.jobs if job.line == line and job.message == letter.order]
        if letter.kind == "cancel":
            await self._cancel(jobs, letter, message)
        elif (
            jobs
            and self.chance("hold", message) < 0.8
            and not any(job.busy or job.given_up or job.packs >= job.total for job in jobs)
        ):
            for job in jobs:
                job.held = letter.kind == "hold"
                job.asked_to_hold = True
            await self.answer(letter, message, E.HOLD_CONFIRMED if letter.kind == "hold" else E.RELEASE_CONFIRMED)
        elif self.chance("hold", message) < 0.95:
            await self.answer(letter, message, E.HOLD_REFUSED if letter.kind == "hold" else E.RELEASE_REFUSED)

    async def _cancel(self, jobs: list[Job], letter: Letter, message: UUID) -> None:
        fate = self.chance("cancel", message)
        if not jobs:
            await self.answer(letter, message, E.CANCEL_UNKNOWN)
            return
        if fate < 0.08:
            return
        if fate < 0.18:
            await self.answer(letter, message, E.CANCEL_PENDING)
            await Sleep(3 * HOUR)
        if any(job.busy for job in jobs) or all(job.packs >= job.total for job in jobs):
            await self.answer(letter, message, E.CANCEL_TOO_LATE)
            return
        self.world.oracle.seen["cancel confirmed once more"] += any(job.cancelled for job in jobs)
        for job in jobs:
            job.given_up = job.cancelled = True
        await self.answer(letter, message, E.CANCEL_CONFIRMED)

    async def say(self, job: Job, event: LineEvent) -> None:
        """Report on a line."""
        self.answers += 1
        report = LineReport(line_id=job.line, event=event)
        answer = Acknowledgement(
            id=f"{self.ods}-{self.answers}",
            correlation=job.message,
            reports=(report,),
            at=self.world.gateway.now(),
            epoch=job.epoch,
        )
        await self._tell(answer)

    async def answer(self, letter: Letter, message: UUID, event: LineEvent) -> None:
        """Answer what was asked."""
        self.answers += 1
        report = LineReport(line_id=letter.lines[0], event=event)
        name, now = f"{self.ods}-{self.answers}", self.world.gateway.now()
        await self._tell(Acknowledgement(id=name, correlation=message, reports=(report,), at=now))

    async def _tell(self, answer: Acknowledgement) -> None:
        if self.nature is Nature.LIAR:
            await self.world.lie(self, answer)
        if self.nature is Nature.DISORDERLY:
            self._spawn(self.world.callback(self.ods, answer, wait=self.world.dice.between(0, HOUR, "late", answer.id)))
            return
        await self.world.callback(self.ods, answer)
        if self.nature is Nature.DOUBLE:
            await self.world.callback(self.ods, answer)
