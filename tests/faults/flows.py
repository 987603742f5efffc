"""A working day at the store, drawn from a seed: every kind of write the gateway makes, by the production code alone.

Trusts post, repeat, cancel; a worker claims, sends and records; providers answer in any order; the watch raises alerts.
Used wherever a fault is to meet real work: power loss, failing disks, kills.
"""

import asyncio
import random
from dataclasses import dataclass, field, replace
from datetime import datetime

from gateway.destination import InDoubt, Refused, Taken, TransmitOutcome, TryLater
from gateway.domain.cancel import GIVEN_BACK, NOTHING_ON_WIRE, CancelState
from gateway.domain.lifecycle import TERMINAL, LineEvent, LineState
from gateway.domain.message import MessageEvent
from gateway.domain.prescription import Prescription
from gateway.ports.acceptance import Acceptance, CancelRequest, OvertakenError
from gateway.ports.work import Claim
from tests.contract.store_engines import (
    PROVIDER,
    TRUST,
    Exchange,
    make_acceptance,
    make_order,
    make_prescription,
    make_refusal,
    seal,
)

_OUTCOMES: tuple[TransmitOutcome, ...] = (
    Taken(),
    Taken(),
    Refused(reason="no"),
    TryLater(reason="busy"),
    InDoubt(reason="cut"),
)
_ANSWERS = (
    LineEvent.ARRIVED,
    LineEvent.ACCEPTED,
    LineEvent.VALIDATED,
    LineEvent.DISPENSED,
    LineEvent.DELIVERED,
    LineEvent.REJECTED,
    LineEvent.QUERIED,
    LineEvent.RETURNED,
    LineEvent.CANCEL_CONFIRMED,
)


@dataclass(slots=True)
class Day:
    """One seeded day. `done` is called after every act that returned, with nothing in between.

    Attributes:
        exchange: the store under test.
        rng: decides everything.
        name: keeps the ids of two days apart.
    """

    exchange: Exchange
    rng: random.Random
    name: str = "D"
    posted: list[Acceptance] = field(default_factory=list)
    prescribed: list[Prescription] = field(default_factory=list)
    sent: list[Claim] = field(default_factory=list)
    answers: int = 0

    @property
    def now(self) -> datetime:
        """The store's own time."""
        return self.exchange.clock.now()

    async def act(self) -> None:
        """Do one thing, whatever the day brings."""
        acts = (self.post, self.post, self.post, self._send, self._send, self._answer, self._answer, self._answer)
        rarer = (self._repeat, self._cancel, self._cancel, self._refuse, self._recover, self._alert, self._look)
        await self.rng.choice((*acts, *rarer))()
        self.exchange.clock.move(seconds=self.rng.choice((1, 1, 5, 90)))

    async def post(self) -> None:
        """Post one to four prescriptions at once."""
        group = [self._new() for _ in range(self.rng.randint(1, 4))]
        await asyncio.gather(*(self.exchange.store.accept(each) for each in group))
        self.posted += group

    def _new(self) -> Acceptance:
        name = f"{self.name}{len(self.prescribed)}"
        what = make_prescription(name, lines=self.rng.randint(1, 2), total=self.rng.choice((1, 2, 6)))
        self.prescribed.append(what)
        held = self.rng.random() < 0.15
        state = LineState.HELD if held else LineState.READY
        # a realistic size now and then, so that one commit spans many pages of the log
        body = f"MSH|{name}".encode() * self.rng.choice((1, 1, 400))
        return make_acceptance(name, make_order(what, state=state), body=body)

    async def _repeat(self) -> None:
        if self.posted:
            await self.exchange.store.accept(self.rng.choice(self.posted))

    async def _refuse(self) -> None:
        await self.exchange.store.accept(make_refusal(f"{self.name}R{len(self.prescribed)}-{self.answers}"))
        self.answers += 1

    async def _send(self) -> None:
        for claim in await self.exchange.claim(room=self.rng.randint(1, 3)):
            if not await self.exchange.store.on_wire(claim, now=self.now):
                continue
            self.sent.append(claim)
            if self.rng.random() < 0.85:
                await self.exchange.store.record(
                    claim, self.rng.choice(_OUTCOMES), now=self.now, retry_at=self.rng.choice((None, self.now))
                )

    async def _answer(self) -> None:
        if self.sent:
            self.answers += 1
            claim = self.rng.choice(self.sent)
            await self.exchange.answer(claim.message_id, self.rng.choice(_ANSWERS), id=f"a{self.answers}")

    async def _cancel(self) -> None:
        if not self.prescribed:
            return
        what = self.rng.choice(self.prescribed)
        view = await self.exchange.enquiries.prescription(what.id, tenant=None)
        open_lines = [line for line in view.lines if line.state not in TERMINAL] if view is not None else []
        if not open_lines:
            return
        self.answers += 1
        here = all(line.state in NOTHING_ON_WIRE | GIVEN_BACK for line in open_lines)
        update = replace(seal(what, salt=f"cancel{self.answers}"), event=MessageEvent.UPDATE)
        requests = tuple(
            CancelRequest(
                line_id=line.line_id,
                seen=line.state,
                state=CancelState.CONFIRMED if here else CancelState.ASKED,
                reason_code="0001",
                message=None if here or number else update,
            )
            for number, line in enumerate(open_lines)
        )
        acceptance = replace(make_acceptance(f"{self.name}C{self.answers}"), orders=(), cancels=requests)
        try:
            await self.exchange.store.accept(acceptance)
        except OvertakenError:
            return  # asked before: the pipeline would read the line again

    async def _recover(self) -> None:
        self.exchange.clock.move(minutes=2)
        await self.exchange.store.recover(now=self.now, recognises_repeats=frozenset({PROVIDER}))

    async def _alert(self) -> None:
        for line in await self.exchange.enquiries.overdue(now=self.now):
            await self.exchange.store.open_alert(
                kind="overdue", subject=str(line.line_id), line_id=line.line_id, now=self.now, text="late"
            )

    async def _look(self) -> None:
        await self.exchange.store.note_access(principal="p", action="read", subject=TRUST.value, now=self.now)
