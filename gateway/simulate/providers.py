"""Simulated providers: small HTTP servers that take sealed prescriptions, each with a temper of its own.

A provider verifies every seal offline, takes a message id once however often it comes, hands each supply over once, and
writes all of it in its journal before it says so. What it says it says again until the gateway takes it. A cancel or a
hold is decided the moment it arrives.
"""

import asyncio
from collections.abc import Callable, Coroutine
from datetime import datetime, timedelta
from random import Random

import aiohttp
from aiohttp import web

from gateway.simulate.answers import (
    FHIR_TYPE,
    Message,
    Statement,
    Word,
    in_fhir,
    in_sandbox_json,
    read_message,
    refusal_in_fhir,
    refusal_in_sandbox_json,
)
from gateway.simulate.behaviours import Behaviour
from gateway.simulate.cases import Case
from gateway.simulate.journal import Arrived, Asked, GaveUp, Journal, ProviderEntry, Said, Supplied, Surprise
from gateway.simulate.troubles import COURSES, Course, Trouble, Troubles, Upset, half

_TOLD = frozenset({200, 201, 202, 204})
_MOVES_NOTHING = 422
_REFUSALS = frozenset({Word.CANCEL_TOO_LATE, Word.HOLD_REFUSED, Word.RELEASE_REFUSED, Word.CANCEL_UNKNOWN})
_OPENINGS = frozenset({Word.ACCEPTED, Word.QUERIED, Word.CANCEL_PENDING})
_PLANS_AHEAD = timedelta(days=3)
_TRY_AGAIN = frozenset({401, 429, 500, 502, 503, 504})


class Provider:
    """One provider.

    Args:
        ods: its code.
        behaviour: its temper.
        journal: where it writes.
        gateway: base URL of the gateway; `token`: its credential there.
        accepts: the credential the gateway must show; empty for none.
        verify: tells whether the octets carry a good seal addressed to this provider.
        now: the time.
        source: seeded; draws how long it waits before it says a thing again.
    """

    def __init__(
        self,
        ods: str,
        behaviour: Behaviour,
        *,
        journal: Journal[ProviderEntry],
        gateway: str,
        token: str,
        accepts: str,
        verify: Callable[[bytes], bool],
        now: Callable[[], datetime],
        source: Random,
    ) -> None:
        self.ods = ods
        self.behaviour = behaviour
        self.journal = journal
        self._callback = f"{gateway}/callbacks/{ods}"
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": self._content_type()}
        self._accepts = accepts
        self._verify = verify
        self._now = now
        self._source = source
        self._taken: set[str] = set()
        self._updates: set[str] = set()
        self._cases: dict[str, Case] = {}
        self._troubles = Troubles()
        self._met: dict[str, Trouble] = {}
        self._may_speak = asyncio.Event()
        self._may_speak.set()
        self._at_work: set[asyncio.Task[None]] = set()
        self._tries = 0
        self._waiting = 0
        self._up_at = 0.0
        self._session: aiohttp.ClientSession | None = None
        self._runner: web.AppRunner | None = None

    @property
    def busy(self) -> int:
        """How many messages it has yet to finish with; what it was asked to hold, or is in no hurry with, may wait."""
        return len(self._at_work) - self._waiting

    @property
    def silent(self) -> bool:
        """Whether it says nothing for the time being."""
        return not self._may_speak.is_set()

    def fall_silent(self) -> None:
        """Say nothing more until told to; go on taking messages and handing over."""
        self._may_speak.clear()

    def speak_up(self) -> None:
        """Say all that was not said."""
        self._may_speak.set()

    def go_down(self, seconds: float) -> None:
        """Take nothing for a while (503)."""
        self._up_at = asyncio.get_running_loop().time() + seconds

    def has(self, item: str) -> bool:
        """Tell, as a person there would on the telephone, whether an order of a line is there and not given up."""
        case = self._cases.get(item)
        return case is not None and not case.stopped

    def listed(self) -> tuple[str, ...]:
        """Give the lines it says that it got; one that is troubled forgets the last."""
        got = tuple(dict.fromkeys(item for one in self.journal.all(Arrived) for item in one.items))
        return got[:-1] if self.behaviour.troubled else got

    async def open(self, host: str, port: int) -> None:
        """Start taking messages."""
        application = web.Application(client_max_size=16 << 20)
        application.router.add_post("/messages", self._take)
        self._runner = web.AppRunner(application, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, host, port).start()
        self._up_at = asyncio.get_running_loop().time() + self.behaviour.down_for
        self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5.0), headers=self._headers)

    async def close(self) -> None:
        """Stop, whatever is under way."""
        for task in self._at_work:
            task.cancel()
        await asyncio.gather(*self._at_work, return_exceptions=True)
        if self._session is not None:
            await self._session.close()
        if self._runner is not None:
            await self._runner.cleanup()
        self.journal.close()

    def _content_type(self) -> str:
        return "application/json" if self.behaviour.own_json else FHIR_TYPE

    async def _take(self, request: web.Request) -> web.StreamResponse:
        if asyncio.get_running_loop().time() < self._up_at:
            return web.Response(status=503, headers={"Retry-After": "1"})
        if self._accepts and request.headers.get("Authorization") != f"Bearer {self._accepts}":
            return web.Response(status=401)
        octets = await request.read()
        await asyncio.sleep(self.behaviour.takes_after)
        try:
            message = read_message(octets)
        except (ValueError, KeyError, StopIteration):
            self._surprise("", "a message that is no prescription order")
            return self._refuse("This is not a prescription order.")
        if message.wanted:
            return self._take_update(message, octets)
        return self._take_order(message, octets, request)

    def _take_order(self, message: Message, octets: bytes, request: web.Request) -> web.StreamResponse:
        if message.id not in self._taken and self._drops(message) and request.transport is not None:
            request.transport.abort()
            return web.Response(status=503)
        if not self._arrive(message, octets):
            return self._refuse("The seal does not verify.")
        number = len(self._taken)
        if message.id not in self._taken:
            self._taken.add(message.id)
            self._begin(message, number)
            if _is_one_of(number, self.behaviour.cuts_in) and request.transport is not None:
                request.transport.abort()
        return web.Response(status=202)

    def _drops(self, message: Message) -> bool:
        """Tell whether the line is cut before this order is taken; the same order is cut off once only."""
        self._tries += 1
        if self.behaviour.troubled and message.id not in self._met:
            self._met[message.id] = self._troubles.meet(message.lines[0])
            return self._met[message.id] is Trouble.CUT_OFF
        return _is_one_of(self._tries, self.behaviour.drops_in)

    def _take_update(self, message: Message, octets: bytes) -> web.StreamResponse:
        """Take a cancel, a hold or a release, and decide it now."""
        line = message.lines[0]
        repeat = message.id in self._updates
        self.journal.write(
            Asked(
                provider=self.ods,
                message=message.id,
                item=line.item,
                wanted=message.wanted,
                repeat=repeat,
                at=self._now(),
            )
        )
        if not self._verify(octets):
            self._surprise(message.id, "the seal does not verify")
            return self._refuse("The seal does not verify.")
        if not repeat:
            self._updates.add(message.id)
            # a release is never ignored: the medicine would wait for ever
            ignored = message.wanted != "release" and _is_one_of(len(self._updates), self.behaviour.ignores_in)
            if not ignored:
                self._work(self._decide(message, len(self._updates)))
        return web.Response(status=202)

    def _refuse(self, reason: str) -> web.Response:
        body = refusal_in_sandbox_json(reason) if self.behaviour.own_json else refusal_in_fhir(reason)
        return web.Response(status=422, body=body, content_type=self._content_type().partition(";")[0])

    def _arrive(self, message: Message, octets: bytes) -> bool:
        sealed = self._verify(octets)
        self.journal.write(
            Arrived(
                provider=self.ods,
                message=message.id,
                items=tuple(line.item for line in message.lines),
                replaces=tuple(line.replaces for line in message.lines if line.replaces),
                names=tuple(name for line in message.lines for name in line.names),
                sealed=sealed,
                repeat=message.id in self._taken,
                behaviour=self.behaviour.name,
                at=self._now(),
            )
        )
        if not sealed:
            self._surprise(message.id, "the seal does not verify")
        return sealed

    def _begin(self, message: Message, number: int) -> None:
        for line in message.lines:
            earlier = self._cases.get(line.item)
            if earlier is not None and earlier.live:
                self._surprise(line.item, "was ordered again while the first order of it stands")
            case = self._cases[line.item] = Case(message, line)
            if message.id in self._met:
                self._work(self._go_through(case, COURSES[self._met[message.id]]))
            elif not _is_one_of(number, self.behaviour.silent_in):
                self._work(self._deal_with(case, number))

    def _work(self, deed: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(deed)
        self._at_work.add(task)
        task.add_done_callback(self._at_work.discard)

    async def _deal_with(self, case: Case, number: int) -> None:
        behaviour = self.behaviour
        late = behaviour.late_by if _is_one_of(number, behaviour.late_in) else 0.0
        await asyncio.sleep(behaviour.answers_after + late)
        if case.stopped:
            return
        if _is_one_of(number, behaviour.rejects_in):
            self._give_up(case)
            await self._say(case, Word.REJECTED, reason="We do not supply this under our contract.")
            return
        if _is_one_of(number, behaviour.queries_in):
            await self._say(case, Word.QUERIED, reason="Please confirm the first delivery date.")
            await asyncio.sleep(behaviour.answers_after + 0.5)
        crossed = _is_one_of(number, behaviour.crosses_in)
        if case.live and not crossed:
            await self._say(case, Word.ACCEPTED)
        await self._supply(case, crossed=crossed)

    async def _go_through(self, case: Case, course: Course) -> None:
        for word, reason in course.words:
            await asyncio.sleep(self.behaviour.answers_after)
            if case.stopped:
                return
            if word is Word.RETURNED:
                self._give_up(case)
            if word in {Word.DELIVERED, Word.SHORT}:
                self._hand_over(case)
            overtaken = course.contradicts and (word, reason) == course.words[-1]
            await self._say(case, word, issue=case.made, reason=reason, overtaken=overtaken)
        if course.goes_on:
            await self._supply(case, crossed=False)

    async def _supply(self, case: Case, *, crossed: bool) -> None:
        while case.live:
            in_no_hurry = int(self.behaviour.troubled)
            self._waiting += in_no_hurry
            await asyncio.sleep(self.behaviour.supplies_after)
            self._waiting += 1 - in_no_hurry
            await case.until_free()
            self._waiting -= 1
            if not case.live:
                return
            self._hand_over(case)
            await self._say(case, Word.DELIVERED, issue=case.made)
            if crossed:
                await self._say(case, Word.ACCEPTED)
                crossed = False

    def _hand_over(self, case: Case) -> None:
        """Hand over the next supply: first, and told afterwards, for a supply nobody is told of is still a supply."""
        case.made += 1
        item, of = case.line.item, case.line.supplies
        self.journal.write(Supplied(provider=self.ods, item=item, issue=case.made, of=of, at=self._now()))

    def _give_up(self, case: Case) -> None:
        case.stopped = True
        item, message = case.line.item, case.message.id
        self.journal.write(GaveUp(provider=self.ods, message=message, item=item, at=self._now()))

    async def _decide(self, update: Message, number: int) -> None:
        """Answer a cancel, a hold or a release; what is decided is decided before the first wait."""
        case = self._cases.get(update.lines[0].item)
        told = Case(update, update.lines[0])
        if case is None:
            await self._say(told, Word.CANCEL_UNKNOWN if update.wanted == "cancel" else Word.HOLD_REFUSED)
            return
        told.turn, told.settled, told.asked, case.asked = case.turn, case.stopped, True, True
        upset = self._troubles.upset(update.wanted) if self.behaviour.troubled and case.live else None
        if upset is not None:
            await self._upset(upset, case, told)
            return
        if update.wanted == "cancel":
            await self._decide_cancel(case, told, number)
            return
        word = case.hold() if update.wanted == "hold" else case.release()
        await self._say(told, word)

    async def _decide_cancel(self, case: Case, told: Case, number: int) -> None:
        if _is_one_of(number, self.behaviour.ponders_in) and case.live:
            await self._say(told, Word.CANCEL_PENDING)
            await asyncio.sleep(self.behaviour.answers_after + 1.0)
        word = case.stop()
        if word is Word.CANCELLED:
            self._give_up(case)
        await self._say(told, word)

    async def _upset(self, upset: Upset, case: Case, told: Case) -> None:
        cancel = told.message.wanted == "cancel"
        if upset is Upset.UNDECIDED:
            await self._say(told, Word.CANCEL_PENDING if cancel else Word.HOLD_REFUSED)
        if upset is Upset.SUPPLIED_BEFORE:
            left = range(case.made + 1, case.line.supplies + 1)
            for _ in left:
                self._hand_over(case)
            await self._say(told, Word.CANCEL_TOO_LATE)
            for issue in left:
                await self._say(case, Word.DELIVERED, issue=issue)
        if upset is Upset.SUPPLIED_AFTER:
            case.stop()
            self._give_up(case)
            await self._say(told, Word.CANCELLED)
            case.settled = True  # what is said after it moves nothing, and need not be said again
            self._hand_over(case)
            await self._say(case, Word.DELIVERED, issue=case.made)

    async def _say(self, case: Case, word: Word, *, issue: int = 0, reason: str = "", overtaken: bool = False) -> None:
        """Say one thing of a line, after all that is being said of it; what is overtaken need not move anything."""
        async with case.turn:
            statement = Statement(
                provider=self.ods,
                message=case.message,
                line=case.line,
                word=word,
                at=self._now(),
                issue=issue,
                reason=reason,
                amount=half(case.line) if word is Word.SHORT else None,
                day=self._now().date() + _PLANS_AHEAD if word is Word.PLANNED else None,
            )
            body = in_sandbox_json(statement) if self.behaviour.own_json else in_fhir(statement)
            for repeat in range(2 if self.behaviour.says_twice else 1):
                await self._until_heard(statement, body, overtaken=overtaken or _overtaken(case, word))
                self._note(statement, repeat=repeat > 0)

    def _note(self, statement: Statement, *, repeat: bool) -> None:
        self.journal.write(
            Said(
                provider=self.ods,
                message=statement.message.id,
                item=statement.line.item,
                word=statement.word.value,
                repeat=repeat,
                at=self._now(),
            )
        )

    async def _until_heard(self, statement: Statement, body: bytes, *, overtaken: bool) -> None:
        """Post the same bytes until the gateway takes them, or says that what was overtaken moves nothing."""
        if self._session is None:
            raise RuntimeError("not open")
        while True:
            await self._may_speak.wait()
            try:
                async with self._session.post(self._callback, data=body) as response:
                    await response.read()
                    if response.status in _TOLD or (overtaken and response.status == _MOVES_NOTHING):
                        return
                    if response.status not in _TRY_AGAIN:
                        self._surprise(statement.id, f"{statement.word} was answered {response.status}")
                        return
            except (aiohttp.ClientError, TimeoutError, OSError):
                pass  # the gateway is away; what was not heard is said again
            await asyncio.sleep(self._source.uniform(0.1, 0.4))

    def _surprise(self, key: str, what: str) -> None:
        self.journal.write(Surprise(key=key, what=f"{self.ods}: {what}", at=self._now()))


def _overtaken(case: Case, word: Word) -> bool:
    """Tell whether what was told before, or asked since, says more than this."""
    return case.settled or word in _REFUSALS or (word in _OPENINGS and (case.made > 0 or case.asked))


def _is_one_of(number: int, so_many: int) -> bool:
    return bool(so_many) and number % so_many == 0
