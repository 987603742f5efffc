"""A backup is put in place in mid-traffic: the gateway has forgotten hours that everybody else remembers.

Nothing leaves until every provider has said what it has and every trust what it was told; trusts send again what is
missing, and providers say again what they have said since. Nobody's memory but the gateway's is touched.

Source: reliability-security.md I22, T12; mapping.md 10.2 (*provider statement by reconciliation*).
"""

from collections.abc import Coroutine
from dataclasses import dataclass, field
from hashlib import sha256
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
from tests.sim.trusts import TRUSTS, renamed

if TYPE_CHECKING:
    from tests.sim.providers import Party
    from tests.sim.world import World

_TOUCHED: Final = "SELECT DISTINCT line.uuid FROM line JOIN event ON event.line = line.id WHERE event.seq > ?"
_NEWEST: Final = "SELECT coalesce(max(seq), 0) FROM event"
_LEAVES: Final = "SELECT size FROM audit_head"
_BYTES: Final = "SELECT body FROM submission WHERE tenant = ? AND control_id = ?"
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
        told: what each trust was told is taken, by trust and bytes.
        lost: what each trust has found to be lost.
        said: what each provider has said, and when.
    """

    world: "World"
    content: bytes = b""
    made_at: float = 0.0
    told: dict[tuple[OdsCode, bytes], Told] = field(default_factory=dict)
    lost: dict[OdsCode, list[Told]] = field(default_factory=dict)
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
            await self._until_nothing_is_lost(trust)
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

    async def _until_nothing_is_lost(self, trust: OdsCode) -> None:
        """One trust compares, sends again what is lost, waits until that is answered, and compares once more."""
        while True:
            await self._until_done(lambda: self._compare(trust))
            lost = self.lost.pop(trust, [])
            if not lost:
                return
            tasks = [self.world.loop.spawn(self._again(one)) for one in lost]
            while any(task.alive for task in tasks):
                await Sleep(HOUR / 4)

    async def _compare(self, trust: OdsCode) -> bool:
        """Its people do again what they did here, and it lists what it was told; tells whether both could be done.

        Where they do not find what they did something to, it is lost, or on its way: only when it is here again, and
        that is done, is the list compared, for it lets the orders go.
        """
        world = self.world
        mine = [one for (owner, _), one in self.told.items() if owner == trust]
        absent = await world.console.redo(trust, self.made_at)
        if absent is None or any(world.posting[line] for line in absent):
            return False
        self.lost[trust] = [one for one in mine if absent.intersection(one.lines)]
        if self.lost[trust]:
            return True
        digests: dict[str, list[str]] = {}
        for one in mine:
            digests.setdefault(one.control, []).append(sha256(one.body).hexdigest())
        missing = await world.gateway.store.trust_told(
            trust, sorted(digests), digests=digests, by="ada", reason="its own list", now=world.gateway.now()
        )
        self.lost[trust] = [one for one in mine if one.control in (missing or ()) and not self._is_here(one)]
        return True

    def _is_here(self, one: Told) -> bool:
        return self._bears(one.trust, one.control) == one.body

    def _bears(self, trust: OdsCode, control: str) -> bytes | None:
        """Give the bytes that bear a control id here, as a trust looks them up."""
        row = self.world.gateway.connection.execute(_BYTES, (trust.value, control)).fetchone()
        return None if row is None else bytes(row[0])

    async def _again(self, lost: Told) -> None:
        """Send a lost message until it is answered: under a new control id where its own is another's now."""
        world, body, name, here = self.world, lost.body, lost.name, self._bears(lost.trust, lost.control)
        if here == body:  # it came of itself meanwhile
            return
        world.oracle.forget(lost.trust, name, body, lost.lines, before=self.made_at)
        if here is not None:
            world.oracle.seen["sent again under a new id"] += 1
            name, body = f"{name}Z", body + b"Z"
            world.gateway.parcels[body] = renamed(world.gateway.parcels[lost.body], name)
        while await world.post(lost.trust, name, body, lost.lines) is None:
            await Sleep(HOUR / 4)
        if body != lost.body or self._bears(lost.trust, lost.control) is None:  # it was sent anew, or is refused now
            del self.told[lost.trust, lost.body]


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
