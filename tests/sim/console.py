"""What people do at the console: cancel, hold, release, send again, agree in twos, and work off what waits for them.

They look, think, and act on what they saw; their browsers lose, repeat and delay what they send, like any network.
What they were told is done they do again after a restore that lost it, before their trust's orders may leave.

Source: console.md 2 (rules 8 and 9), 3, 6.3; reliability-security.md I7, I10, I12, I22.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Final, cast
from uuid import UUID

from gateway.console.acting.reroute import SecondReroute, proposed
from gateway.domain.acts import Act
from gateway.domain.asking import Answered, AskedFor, LineAnswer, Seen, Wish
from gateway.domain.identifiers import OdsCode
from gateway.domain.lifecycle import Actor, LineState
from tests.sim.loop import Sleep
from tests.sim.plan import HOUR
from tests.sim.services import SimAsking, SimRerouting, SimSendingAgain, service

if TYPE_CHECKING:
    from tests.sim.world import World

_SEEN: Final = """
SELECT line.uuid, line.state, line.epoch FROM line JOIN prescription ON prescription.id = line.prescription
WHERE prescription.uuid = ? AND prescription.tenant = ? AND line.action IN ('new', 'replace')
"""
_WAITS: Final = """
SELECT line.uuid, line.state, prescription.uuid, prescription.tenant FROM line
JOIN prescription ON prescription.id = line.prescription
WHERE line.state IN ('UNDELIVERABLE', 'REJECTED', 'RETURNED', 'QUERIED') ORDER BY line.id
"""
_STUCK: Final = "SELECT DISTINCT message_id FROM outbox WHERE state = 'stuck' ORDER BY message_id"
_BY: Final = "eve"
_TRIES: Final = 4


@dataclass(frozen=True, slots=True)
class Done:
    """What a person was told is done, at once: to be done again if it is forgotten."""

    at: float
    what: AskedFor
    prescription: UUID
    tenant: OdsCode
    lines: frozenset[UUID]


@dataclass(slots=True)
class Console:
    """The people of all trusts, and what they remember."""

    world: "World"
    done: list[Done] = field(default_factory=list)

    # Asking

    async def ask(self, what: AskedFor, prescription: UUID, tenant: OdsCode, key: str) -> None:
        """Ask something of a prescription, of all its lines or of one, until there is an answer."""
        one = self.world.dice.roll("one line", key) < 0.3
        for attempt in range(_TRIES):
            seen = self._seen(prescription, tenant)
            lines = dict(list(seen.items())[:1]) if one else seen
            if not lines:
                return
            await Sleep(self.world.dice.between(0.0, 600.0, "thinks", key, attempt))
            wish = self._wish(what, prescription, tenant, lines)
            answer = await self._browse(lambda wish=wish: service(self.world, SimAsking).ask(wish), key, attempt)
            if isinstance(answer, tuple):
                self._told(what, prescription, tenant, answer)
                return

    def _wish(self, what: AskedFor, prescription: UUID, tenant: OdsCode, lines: dict[UUID, Seen]) -> Wish:
        return Wish(
            what=what,
            tenant=tenant,
            prescription_id=prescription,
            lines=lines,
            by=_BY,
            actor=Actor.TRUST_PHARMACIST,
            reason="sim",
            reason_code="0001" if what is AskedFor.CANCEL else "",
        )

    def _told(self, what: AskedFor, prescription: UUID, tenant: OdsCode, answers: tuple[LineAnswer, ...]) -> None:
        lines = frozenset(one.line_id for one in answers if one.what is Answered.DONE)
        if not lines:
            return
        self.done.append(Done(self.world.loop.now, what, prescription, tenant, lines))
        if what is AskedFor.CANCEL:
            self.world.oracle.stopped |= lines

    async def redo(self, tenant: OdsCode, since: float) -> frozenset[UUID] | None:
        """Do again what a restore lost, as far as its orders are known here again.

        Returns:
            The lines that are not found, and to which it is to be done yet; None where the gateway did not take it.
        """
        absent = set[UUID]()
        for one in [done for done in self.done if done.tenant == tenant and done.at >= since]:
            seen = self._seen(one.prescription, tenant)
            absent |= one.lines - seen.keys()
            lines = {line: seen[line] for line in one.lines if line in seen}
            if not lines:
                continue
            found = await service(self.world, SimAsking).ask(self._wish(one.what, one.prescription, tenant, lines))
            if not isinstance(found, tuple):
                return None
        return frozenset(absent)

    def _seen(self, prescription: UUID, tenant: OdsCode) -> dict[UUID, Seen]:
        rows = self.world.gateway.connection.execute(_SEEN, (prescription.bytes, tenant.value))
        return {UUID(bytes=line): Seen(state=LineState(state), epoch=epoch) for line, state, epoch in rows}

    async def _browse(self, act: Callable[[], Any], *key: object) -> Any:
        """Send a form once, over a network that may lose or repeat it; None where nobody knows what came of it."""
        return await self.world.ask(act, "console", *key)

    async def send_again(self, prescription: UUID, tenant: OdsCode, key: str) -> None:
        """Send again what could not be sent, and at once what waits for its next attempt."""
        await self._browse(
            lambda: service(self.world, SimSendingAgain).send(prescription, tenant=tenant, by=_BY, reason="sim"), key
        )
        self.world.gateway.wake()

    # Two people

    async def propose(self, prescription: UUID, tenant: OdsCode, to: OdsCode, key: str) -> None:
        """One person proposes a re-route; others agree, or withdraw it, or let it lapse."""
        seen = self._seen(prescription, tenant)
        if not seen:
            return
        now, by = self.world.gateway.now(), "ada"
        what = proposed(prescription, tenant=tenant, to=to, seen=seen, by=by, reason="sim", token=key, now=now)
        if await self._browse(lambda: self.world.gateway.store.propose(what), "propose", key) != ():
            return
        dice = self.world.dice
        fate, wait = dice.roll("second", key), dice.between(60.0, 26 * HOUR, "agrees", key)
        others = (by, "ben") if fate < 0.2 else ("ben", "cyd") if fate < 0.5 else ("ben",)
        if fate > 0.8:
            await Sleep(wait)
            await self._browse(lambda: self._withdraw(what.id), "withdraw", key)
            return
        for who in others:
            apart = dice.between(0.0, 2.0, "apart", who, key)
            self.world.loop.spawn(self._second(what.id, who, wait + apart, key))

    async def _withdraw(self, proposal: UUID) -> tuple[str, ...]:
        now = self.world.gateway.now()
        return await self.world.gateway.store.withdraw(proposal, by="ben", reason="sim", tenant=None, now=now)

    async def _second(self, proposal: UUID, who: str, wait: float, key: str) -> None:
        await Sleep(wait)
        await self._browse(lambda: self._agree(proposal, who), "agree", who, key)

    async def _agree(self, proposal: UUID, who: str) -> bool:
        """Agree, and carry it out: as the page does."""
        world, gateway = self.world, self.world.gateway
        view = await gateway.enquiries.proposal(proposal, tenant=None, now=gateway.now())
        if view is None or await gateway.store.second(proposal, by=who, tenant=None, now=gateway.now()):
            return False
        world.oracle.agreed(proposal, view.proposal.by, who)
        site: Any = SimpleNamespace(
            service=lambda _: service(world, SimRerouting), enquiries=gateway.enquiries, names={}
        )
        done, words = await SecondReroute().carry_out(site, view, who)
        await gateway.store.settle(proposal, done=done, outcome=words, now=gateway.now())
        gateway.wake()
        return True

    # What waits for a person

    async def work_off(self) -> None:
        """Look through what waits for a person, and do something about some of it."""
        world, gateway = self.world, self.world.gateway
        rate = world.plan.rates["desk"]
        for line, state, prescription, tenant in list(gateway.connection.execute(_WAITS)):
            roll = world.dice.roll("desk", line.hex(), gateway.loop.now)
            if roll < rate:
                act = Act(
                    prescription_id=UUID(bytes=prescription),
                    line_id=UUID(bytes=line),
                    tenant=OdsCode(tenant),
                    by=_BY,
                    reason="sim",
                    now=gateway.now(),
                )
                await self._work(LineState(state), act, roll / rate)
        for (message,) in list(gateway.connection.execute(_STUCK)) if rate else ():
            if world.dice.roll("resends", message.hex(), gateway.loop.now) < rate:
                await gateway.store.resend(UUID(bytes=message), by=_BY, reason="sim", now=gateway.now())

    async def _work(self, state: LineState, act: Act, roll: float) -> None:
        """Answer a question; send again or close what could not be sent; close some of what came back."""
        store = self.world.gateway.store
        line = cast("UUID", act.line_id)
        if state is LineState.QUERIED:
            told = roll < 0.5
            if await store.answer_query(act, told=told):
                self.world.oracle.answered_query(line, told=told)
        elif state is LineState.UNDELIVERABLE and roll < 0.7:
            again = service(self.world, SimSendingAgain)
            await again.send(act.prescription_id, tenant=cast("OdsCode", act.tenant), by=_BY, reason="sim")
        elif state is LineState.UNDELIVERABLE or roll < 0.3:
            await store.close_lines(act)
