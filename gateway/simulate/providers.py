"""Simulated providers: small HTTP servers that take sealed prescriptions, each with a temper of its own.

A provider verifies every seal offline, takes a message id once however often it comes, hands each supply over once, and
writes all of it in its journal before it says so. What it says it says again until the gateway takes it.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
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
    read_order,
    refusal_in_fhir,
    refusal_in_sandbox_json,
)
from gateway.simulate.journal import Arrived, Journal, ProviderEntry, Said, Supplied, Surprise

_TOLD = frozenset({200, 201, 202, 204})
_TRY_AGAIN = frozenset({401, 429, 500, 502, 503, 504})


@dataclass(frozen=True, slots=True, kw_only=True)
class Behaviour:
    """A provider's temper. Every `…_in` is *one message in so many*, beginning with the first; nought is never.

    Attributes:
        name: for people.
        answers_after: seconds from arrival to the first answer.
        takes_after: seconds its system needs to take a message at all.
        supplies_after: seconds between one supply and the next.
        silent_in: messages taken and never spoken of again.
        rejects_in: messages rejected.
        queries_in: messages queried first and accepted later.
        says_twice: whether every answer is sent twice.
        cuts_in: messages taken, after which the connection is cut before the response (the sender is in doubt).
        down_for: seconds from the start in which it takes nothing (503).
        own_json: whether it answers in the sandbox's JSON in place of FHIR.
    """

    name: str
    answers_after: float = 0.05
    takes_after: float = 0.0
    supplies_after: float = 0.1
    silent_in: int = 0
    rejects_in: int = 0
    queries_in: int = 0
    says_twice: bool = False
    cuts_in: int = 0
    down_for: float = 0.0
    own_json: bool = False


BEHAVIOURS: dict[str, Behaviour] = {
    "VNE51": Behaviour(name="prompt"),
    "VNCEL": Behaviour(name="slow", takes_after=0.4, answers_after=1.5, supplies_after=0.5),
    "VNFKT": Behaviour(name="rejecting", rejects_in=3, cuts_in=8),
    "VN6XW": Behaviour(name="silent", silent_in=1),
    # its answers come after the gateway has had time to send again what was cut off
    "VDEM1": Behaviour(name="duplicate-acknowledging", answers_after=2.5, says_twice=True, cuts_in=4),
    "VDEM2": Behaviour(name="querying", queries_in=2, own_json=True),
    "VDEM3": Behaviour(name="down for a while", down_for=5.0, own_json=True),
}
"""The demonstration's providers. VDEM1 recognises repeats, so what it cut off is sent to it again; VNFKT does not."""


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
        self._at_work: set[asyncio.Task[None]] = set()
        self._up_at = 0.0
        self._session: aiohttp.ClientSession | None = None
        self._runner: web.AppRunner | None = None

    @property
    def busy(self) -> int:
        """How many messages it has yet to finish with."""
        return len(self._at_work)

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
            message = read_order(octets)
        except (ValueError, KeyError, StopIteration):
            self._surprise("", "a message that is no prescription order")
            return self._refuse("This is not a prescription order.")
        if not self._arrive(message, octets):
            return self._refuse("The seal does not verify.")
        number = len(self._taken)
        if message.id not in self._taken:
            self._taken.add(message.id)
            self._begin(message, number)
            if _is_one_of(number, self.behaviour.cuts_in) and request.transport is not None:
                request.transport.abort()
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
        if _is_one_of(number, self.behaviour.silent_in):
            return
        task = asyncio.get_running_loop().create_task(self._deal_with(message, number))
        self._at_work.add(task)
        task.add_done_callback(self._at_work.discard)

    async def _deal_with(self, message: Message, number: int) -> None:
        behaviour = self.behaviour
        await asyncio.sleep(behaviour.answers_after)
        if _is_one_of(number, behaviour.rejects_in):
            await self._say_of_all(message, Word.REJECTED, reason="We do not supply this under our contract.")
            return
        if _is_one_of(number, behaviour.queries_in):
            await self._say_of_all(message, Word.QUERIED, reason="Please confirm the first delivery date.")
            await asyncio.sleep(behaviour.answers_after + 0.5)
        await self._say_of_all(message, Word.ACCEPTED)
        for line in message.lines:
            for issue in range(1, line.supplies + 1):
                await asyncio.sleep(behaviour.supplies_after)
                # handed over first and told afterwards: a supply nobody is told of is still a supply
                self.journal.write(Supplied(provider=self.ods, item=line.item, issue=issue, at=self._now()))
                await self._say(self._statement(message, line.item, Word.DELIVERED, issue=issue))

    async def _say_of_all(self, message: Message, word: Word, *, reason: str = "") -> None:
        for line in message.lines:
            await self._say(self._statement(message, line.item, word, reason=reason))

    def _statement(self, message: Message, item: str, word: Word, *, issue: int = 0, reason: str = "") -> Statement:
        line = next(line for line in message.lines if line.item == item)
        return Statement(
            provider=self.ods, message=message, line=line, word=word, at=self._now(), issue=issue, reason=reason
        )

    async def _say(self, statement: Statement) -> None:
        body = in_sandbox_json(statement) if self.behaviour.own_json else in_fhir(statement)
        for repeat in range(2 if self.behaviour.says_twice else 1):
            await self._until_heard(statement, body)
            self.journal.write(
                Said(
                    provider=self.ods,
                    message=statement.message.id,
                    word=statement.word.value,
                    repeat=repeat > 0,
                    at=self._now(),
                )
            )

    async def _until_heard(self, statement: Statement, body: bytes) -> None:
        """Post the same bytes until the gateway takes them."""
        if self._session is None:
            raise RuntimeError("not open")
        while True:
            try:
                async with self._session.post(self._callback, data=body) as response:
                    await response.read()
                    if response.status in _TOLD:
                        return
                    if response.status not in _TRY_AGAIN:
                        self._surprise(statement.id, f"{statement.word} was answered {response.status}")
                        return
            except (aiohttp.ClientError, TimeoutError, OSError):
                pass  # the gateway is away; what was not heard is said again
            await asyncio.sleep(self._source.uniform(0.1, 0.4))

    def _surprise(self, key: str, what: str) -> None:
        self.journal.write(Surprise(key=key, what=f"{self.ods}: {what}", at=self._now()))


def _is_one_of(number: int, so_many: int) -> bool:
    return bool(so_many) and number % so_many == 0
