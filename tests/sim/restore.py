"""A backup is put in place in mid-traffic: the gateway has forgotten hours that everybody else remembers.

Nothing leaves until every provider has said what it has and every trust what it was told; trusts send again what is
missing, and providers say again what they have said since. Nobody's memory but the gateway's is touched.

Source: reliability-security.md I22, T12; mapping.md 10.2 (*provider statement by reconciliation*).
"""

from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from gateway.domain.acknowledgement import Acknowledgement
from gateway.domain.deadline import ALWAYS
from gateway.domain.errors import Unavailable
from gateway.domain.identifiers import OdsCode
from gateway.domain.lifecycle import LineState
from gateway.domain.reconciliation import StatedHolding, Statement
from gateway.store.sql import restoring
from gateway.store.sql.transaction import Transaction
from tests.sim import memory
from tests.sim.loop import Sleep
from tests.sim.oracle import Job
from tests.sim.plan import HOUR, Act
from tests.sim.trusts import TRUSTS

if TYPE_CHECKING:
    from tests.sim.providers import Party
    from tests.sim.world import World

_TOUCHED: Final = "SELECT DISTINCT line.uuid FROM line JOIN event ON event.line = line.id WHERE event.seq > ?"
_NEWEST: Final = "SELECT coalesce(max(seq), 0) FROM event"
_LEAVES: Final = "SELECT size FROM audit_head"
_GENERATION: Final = "SELECT generation FROM meta"
_ROUNDS: Final = 40
_ADA: Final = restoring.Person(name="ada", recognised=True, reason="sim")


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a trust has sent and keeps, so that it can be sent again."""

    trust: OdsCode
    name: str
    control: str
    body: bytes
    lines: tuple[UUID, ...]


@dataclass(slots=True)
class Recovery:
    """The backup of one world, and what people do once it has been put in place.

    Attributes:
        told: what each trust was told is taken, by trust and control id.
        said: what each provider has said, and when.
    """

    world: "World"
    content: bytes = b""
    made_at: float = 0.0
    told: dict[tuple[OdsCode, str], Told] = field(default_factory=dict)
    said: list[tuple[float, OdsCode, Acknowledgement]] = field(default_factory=list)

    def back_up(self) -> None:
        """Copy what is committed."""
        self.content = bytes(self.world.gateway.connection.serialize("main"))
        self.made_at = self.world.loop.now

    def restore(self, act: Act) -> None:
        """Lose the store, and put the copy in its place."""
        world, gateway = self.world, self.world.gateway
        if not self.content:
            return
        gateway.crash()
        old, new = gateway.connection, memory.connected(self.content)
        newest = new.execute(_NEWEST).get
        world.oracle.forgotten |= {UUID(bytes=uuid) for (uuid,) in old.execute(_TOUCHED, (newest,))}
        generation: int = old.execute(_GENERATION).get + 1
        parties = (frozenset(one.ods for one in world.parties), frozenset(TRUSTS))
        with new:
            restoring.mark(
                Transaction(connection=new, deadlines=ALWAYS, tells=frozenset(), generation=generation),
                self._point(new.execute(_LEAVES).get),
                restoring.Beginning(generation, _ADA, gateway.now()),
                parties,
            )
        gateway.connection = new
        world.oracle.restored(self.made_at)
        world.loop.after(act.size, lambda: None if gateway.up else gateway.open())
        world.loop.spawn(self._recover())

    def _point(self, leaves: int) -> restoring.Point:
        at = memory.moment(self.made_at)
        return restoring.Point(made_at=at.isoformat(), last_at=at, digest="0" * 64, leaves=leaves)

    async def _recover(self) -> None:
        """Every provider states what it has, every trust what it was told; then all is said again."""
        world, since = self.world, self.made_at - HOUR
        parties = sorted(world.parties, key=lambda one: world.dice.roll("states", one.ods.value))
        for party in parties:
            await Sleep(world.dice.between(60.0, HOUR, "states at", party.ods.value))
            await self._until_done(lambda party=party: self._state(party))
        for trust in TRUSTS:
            await Sleep(world.dice.between(60.0, HOUR, "compares at", trust.value))
            await self._until_done(lambda trust=trust: self._compare(trust))
        for _ in range(2):
            await Sleep(HOUR)
            for _, ods, answer in [one for one in self.said if one[0] >= since]:
                world.loop.spawn(world.callback(ods, answer))
        world.oracle.seen["reconciled"] += 1

    async def _until_done(self, act: Any) -> None:
        """Do something at the gateway, again and again until it is done: it may be down, or its disk full."""
        for _ in range(_ROUNDS):
            if self.world.gateway.up:
                answer: dict[str, bool] = {}
                self.world.gateway.spawn(_kept(act(), answer))
                await Sleep(5.0)
                if answer.get("done"):
                    return
            await Sleep(HOUR / 4)
        self.world.oracle.fault("silent: a party could not be reconciled")

    async def _state(self, party: "Party") -> bool:
        """One provider lists everything that it took on; not while something is on its way to it."""
        if any(party.flying.values()):
            return False
        holdings = tuple(StatedHolding(line_id=job.line, epoch=job.epoch, state=_state_of(job)) for job in party.jobs)
        statement = Statement(destination=party.ods, holdings=holdings, by="ada", reason="its own list")
        await self.world.gateway.store.reconcile(statement, now=self.world.gateway.now())
        self.world.gateway.wake()
        return True

    async def _compare(self, trust: OdsCode) -> bool:
        """One trust's people do again what they did here; then it lists what it was told, and sends what is missing."""
        world = self.world
        if not await world.console.redo(trust, self.made_at):
            return False
        mine = {one.control: one for (owner, _), one in self.told.items() if owner == trust}
        missing = await world.gateway.store.trust_told(
            trust, sorted(mine), by="ada", reason="its own list", now=world.gateway.now()
        )
        for control in missing or ():
            lost = mine[control]
            world.oracle.forget(trust, lost.name, lost.lines, before=self.made_at)
            del self.told[trust, lost.name]
            world.loop.spawn(world.post(trust, lost.name, lost.body, lost.lines))
        return not missing


def _state_of(job: Job) -> LineState:
    if job.given_up:
        return LineState.CANCELLED if job.cancelled or job.packs else LineState.REJECTED
    if job.packs >= job.total:
        return LineState.FULFILLED
    return LineState.ON_HOLD if job.held else LineState.ACCEPTED


async def _kept(act: Coroutine[Any, Any, bool], answer: dict[str, bool]) -> None:
    try:
        answer["done"] = await act
    except Unavailable:
        return
