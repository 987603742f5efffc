"""One seed's world: trusts, a gateway, providers, people, an attacker and a network, on one virtual clock.

    outcome = live(plan(seed, 100))

Source: reliability-security.md 3.4.
"""

from collections import Counter
from collections.abc import Callable, Collection, Coroutine
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from typing import Any, Final, TypeVar
from uuid import UUID

import apsw

from gateway.domain.acknowledgement import Acknowledgement, LineReport
from gateway.domain.acts import Expiring
from gateway.domain.asking import AskedFor
from gateway.domain.errors import Unavailable
from gateway.domain.hold import HoldKind
from gateway.domain.identifiers import OdsCode
from gateway.domain.lifecycle import LineEvent, LineState
from gateway.domain.message import SealedMessage
from gateway.domain.orphans import Reach, orphans
from gateway.domain.partner import Environment, Provider, SignaturePolicy, Trust
from gateway.domain.prescription import Prescription
from gateway.domain.submission import Answer, Submission, WireFormat
from gateway.ports.callback import Callback, CallbackResult, Effectiveness
from gateway.store.sql.standing import standing
from tests.sim import met, translated
from tests.sim.console import Console
from tests.sim.gateway import Gateway, Parcel
from tests.sim.loop import Promise, Sleep, Wait
from tests.sim.oracle import Oracle
from tests.sim.people import Operators
from tests.sim.plan import DAY, HORIZON, HOUR, Act, Dice, Kind, Plan
from tests.sim.providers import Mailbox, Party
from tests.sim.restore import Recovery, Told
from tests.sim.trusts import TRUSTS, Desk, Letter, Scribe, refusal

T = TypeVar("T")
PROVIDERS: Final = tuple(OdsCode(code) for code in ("VNE51", "VNCEL", "VN6XW", "VNH01", "VNH02"))
_PATIENCE_SECONDS: Final = 30.0
_SWEEP: Final = 4 * HOUR
_SETTLES: Final = 3 * DAY
_TRUSTS: Final = 0.02
"""How often somebody calls a clock right that may be wrong."""
_PAST_EVERY_DEADLINE: Final = timedelta(days=60)
_SENT: Final = "SELECT id, destination FROM message ORDER BY rowid"


@dataclass(slots=True)
class _Posted:
    what: Prescription
    trust: OdsCode
    to: OdsCode
    control: str
    body: bytes
    number: int


@dataclass
class World:
    """Everything there is in one run."""

    plan: Plan
    calm: bool = False
    cut: float = 0.0
    sick: float = 0.0
    letters: dict[UUID, Letter] = field(default_factory=dict)
    posted: dict[int, _Posted] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    lies: int = 0
    posting: Counter[UUID] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.dice = Dice(self.plan.seed)
        self.parties = [Party(self, ods, nature) for ods, nature in zip(PROVIDERS, self.plan.natures, strict=False)]
        self.bodies = translated.bodies(
            {act.subject: self._whole(act.subject) for act in self.plan.acts if act.kind is Kind.POST}
        )
        tells = frozenset(TRUSTS) if self.plan.tells else frozenset[OdsCode]()
        self.gateway = Gateway(
            outlets={party.ods: party for party in self.parties},
            repeats=frozenset(party.ods for party in self.parties if party.recognises_repeats),
            tells=tells,
            mailboxes={trust: Mailbox() for trust in tells},
            trouble=self._trouble,
            whole=translated.whole(self.letters) if self.bodies else None,
        )
        self.loop = self.gateway.loop
        self.oracle = Oracle(lambda: self.gateway.connection)
        self.operators = Operators(self)
        self.console = Console(self)
        self.recovery = Recovery(self)
        self.scribe = Scribe(Desk(self.letters), self.plan.seed, self.gateway.removed)
        self.gateway.told_to_stop = self.gateway.clockwork.told_to_stop = self._told_to_stop

    # The network and the disk

    @property
    def trusts(self) -> tuple[OdsCode, ...]:
        """Every trust that the gateway knows."""
        return (*TRUSTS, translated.TRUST)

    def rate(self, name: str) -> float:
        """Give how often a fault is met now."""
        return 0.0 if self.calm else max(self.plan.rates[name], self.cut if "lost" in name else 0.0)

    def fate(self, *key: object) -> str:
        """Say what becomes of one message on the network."""
        roll = self.dice.roll("fate", *key)
        for name in ("lost", "late", "twice", "damaged"):
            roll -= self.rate(name)
            if roll < 0:
                return name
        return ""

    def _trouble(self) -> apsw.Error | None:
        if self.sick and self.dice.roll("disk", self.loop.now) < self.sick:
            self.oracle.seen["disk failed"] += 1
            return apsw.IOError("injected") if self.dice.roll("io", self.loop.now) < 0.1 else apsw.FullError("injected")
        return None

    async def ask(self, serve: Callable[[], Any], *key: object) -> Any:
        """Ask the gateway once over the network; gives None where no answer came."""
        answer = Promise()
        fate = self.fate(*key)
        copies = {"lost": 0, "twice": 2}.get(fate, 1)
        way = 2 * _PATIENCE_SECONDS if fate == "late" else self.dice.between(0.02, 2.0, "way", *key)
        apart = self.dice.between(0.0, 2.0, "apart", *key) if self.dice.roll("together", *key) < 0.5 else 0.0
        for copy in range(copies):
            self.loop.after(way + copy * apart, lambda: self._serve(serve, answer, key))
        return await Wait(answer, _PATIENCE_SECONDS)

    def _serve(self, serve: Callable[[], Any], answer: Promise, key: tuple[object, ...]) -> None:
        if not self.gateway.up:
            return

        def reply(value: Any) -> None:
            self.gateway.wake()
            if value is not None and self.dice.roll("reply", *key) >= self.rate("reply lost"):
                self.loop.after(0.05, lambda: answer.keep(value))

        self.gateway.spawn(_or_nothing(serve())).add_done_callback(reply)

    # What trusts do

    def _whole(self, number: int) -> bool:
        return self.dice.roll("whole", number) < translated.SHARE

    def _offer(self, trust: OdsCode, parcel: Parcel, body: bytes, lines: tuple[UUID, ...] = ()) -> None:
        """Post what was translated beforehand."""
        self.gateway.parcels[body] = parcel
        self.loop.spawn(self.post(trust, parcel.control_id, body, lines))

    async def post(self, trust: OdsCode, control: str, body: bytes, lines: tuple[UUID, ...] = ()) -> bool | None:
        """Post until it is answered; tells whether it was answered positively, None where it was given up."""
        self.posting.update(lines)
        try:
            return await self._post(trust, control, body, lines)
        finally:
            self.posting.subtract(lines)

    async def _post(self, trust: OdsCode, control: str, body: bytes, lines: tuple[UUID, ...]) -> bool | None:
        for attempt in range(7):
            submission = Submission(
                tenant=trust,
                format=WireFormat.HL7V2,
                body=body,
                content_type="application/hl7-v2",
                received_at=self.gateway.now(),
            )
            answer: Answer | None = await self.ask(partial(self._receive, submission), "post", body, attempt)
            if answer is not None:
                if b"MSA|AA" in answer.body or b"MSA|CA" in answer.body:
                    self.oracle.was_answered(trust, control, body, answer.body, lines, at=self.loop.now)
                    name = body.split(b"|")[9].decode() if body.startswith(b"MSH") else control
                    told = Told(trust=trust, name=control, control=name, body=body, lines=lines)
                    self.recovery.told[trust, body] = told
                    return True
                if answer.body == refusal(control).body:
                    self.oracle.was_refused(trust, control, body)
                return False
            await Sleep(20.0 * 3**attempt)
        return None

    def _receive(self, submission: Submission) -> Coroutine[Any, Any, Answer]:
        return self.gateway.pipeline.receive(submission)

    def _order(self, number: int) -> None:
        seed, dice = self.plan.seed, self.dice
        name = f"S{seed}N{number}"
        trust = TRUSTS[dice.whole(len(TRUSTS), "trust", number)]
        to = self.parties[dice.whole(len(self.parties), "to", number)].ods
        lines = 2 if dice.roll("lines", number) < 0.15 else 1
        total = 1 + dice.whole(2, "total", number)
        short = dice.roll("short", number) < self.plan.rates["short"]
        days = (0, 1, 2, 3, 10)[dice.whole(5, "days", number)] if short else None
        what = self.scribe.prescribe(name, trust, lines=lines, total=total, provider=to, days=days)
        posted = _Posted(what, trust, to, f"M{name}", name.encode(), number)
        self.posted[number] = posted
        self._send(posted, posted.body)

    def _send(self, posted: _Posted, body: bytes) -> None:
        state = LineState.READY
        if self.dice.roll("screened", posted.number) < self.plan.rates["screened"]:
            state = LineState.AWAITING_SCREENING
        elif self.dice.roll("held", posted.control) < self.plan.rates["held"]:
            state = LineState.HELD
        parcel = self.scribe.order(posted.what, posted.to, posted.control, state=state)
        lines = tuple(one.id for one in posted.what.lines)
        self._offer(posted.trust, parcel, body, lines)

    def _act(self, act: Act) -> None:
        """Set one act going."""
        self.counts[act.kind] = self.counts.get(act.kind, 0) + 1
        if act.subject in self.bodies and act.kind in {Kind.POST, Kind.AGAIN}:
            body = self.bodies[act.subject]
            self.oracle.seen["whole way"] += act.kind is Kind.POST
            self.loop.spawn(self.post(translated.TRUST, f"whole {act.subject}", body))
        elif act.kind is Kind.POST:
            self._order(act.subject)
        elif act.kind in _ABOUT_MACHINES:
            _ABOUT_MACHINES[act.kind](self, act)
        elif act.subject in self.posted:
            _ABOUT_ORDERS[act.kind](self, act, self.posted[act.subject])

    def _again(self, _act: Act, posted: _Posted) -> None:
        self._send(posted, posted.body)

    def _other_bytes(self, act: Act, posted: _Posted) -> None:
        """The trust's counter was set back: another order under a control id that was used."""
        name = f"{posted.body.decode()}X{act.number}"
        what = self.scribe.prescribe(name, posted.trust, lines=1, total=1, provider=posted.to)
        parcel = self.scribe.order(what, posted.to, posted.control)
        lines = tuple(one.id for one in what.lines)
        self._offer(posted.trust, parcel, name.encode(), lines)

    def _other_channel(self, act: Act, posted: _Posted) -> None:
        """The same order by another door, under another control id."""
        control = f"{posted.control}C{act.number}"
        parcel = self.scribe.order(posted.what, posted.to, control)
        self._offer(posted.trust, parcel, control.encode())

    def _cancel(self, act: Act, posted: _Posted) -> None:
        control = f"{posted.control}K{act.number}"
        parcel = self.scribe.cancel(posted.what, control)
        self._offer(posted.trust, parcel, control.encode())

    def _change(self, act: Act, posted: _Posted) -> None:
        control = f"{posted.control}R{act.number}"
        changed = self.scribe.prescribe(control, posted.trust, lines=1, total=1, provider=posted.to)
        parcel = self.scribe.cancel(posted.what, control, changed)
        self._offer(posted.trust, parcel, control.encode(), tuple(one.id for one in changed.lines))

    def _hold(self, act: Act, posted: _Posted) -> None:
        kind = HoldKind.HOLD if act.kind is Kind.HOLD else HoldKind.RELEASE
        control = f"{posted.control}H{act.number}"
        self._offer(posted.trust, self.scribe.hold(posted.what, control, kind), control.encode())

    # What providers say

    async def callback(self, ods: OdsCode, answer: Acknowledgement, *, wait: float = 0.0) -> CallbackResult | None:
        """Say something to the gateway until it has taken it."""
        if wait:
            await Sleep(wait)
        body = f"{ods}:{answer.id}".encode()
        self.gateway.said[body] = answer
        if not answer.id.startswith("forged-"):
            self.recovery.said.append((self.loop.now, ods, answer))
        for attempt in range(7):
            if self.fate("damaged?", body, attempt) == "damaged":
                await self.ask(lambda: self._acknowledge(ods, body + b"?"), "damaged", body, attempt)
            result: CallbackResult | None = await self.ask(
                lambda: self._acknowledge(ods, body), "callback", body, attempt
            )
            if result is not None:
                if answer.correlation is not None and not answer.id.startswith("forged-"):
                    self.oracle.heard(answer.correlation, {report.line_id for report in answer.reports})
                return result
            await Sleep(60.0 * 3**attempt)
        return None

    async def _acknowledge(self, ods: OdsCode, body: bytes) -> CallbackResult | None:
        if ods in self.gateway.removed:
            return None  # its credential went with it
        callback = Callback(destination=ods, received_at=self.gateway.now(), content_type="application/json", body=body)
        return await self.gateway.pipeline.acknowledge(callback, {})

    async def lie(self, party: Party, answer: Acknowledgement) -> None:
        """Say the same with something in it that is not so: it must change nothing."""
        others = [job for other in self.parties if other is not party for job in other.jobs]
        roll = self.dice.roll("lie", answer.id)
        false = replace(answer, epoch=(answer.epoch or 1) + 7)
        if roll < 0.5 and others:
            false = replace(answer, correlation=others[int(roll * 2 * len(others))].message, epoch=None)
        elif roll < 0.7:
            false = replace(answer, correlation=UUID(int=int(roll * (1 << 60))))
        await self._forge(party.ods, false)

    async def _forge(self, ods: OdsCode, answer: Acknowledgement) -> None:
        self.lies += 1
        self.oracle.seen["lie told"] += 1
        result = await self.callback(ods, replace(answer, id=f"forged-{self.lies}"))
        if result is not None and result.effect is Effectiveness.APPLIED:
            self.oracle.fault(f"doubled: a forged answer of {ods} was followed")

    def _attack(self, act: Act, posted: _Posted) -> None:
        """One provider's credential, and every message id there is: it may speak for its own messages alone."""
        mine = self.parties[self.dice.whole(len(self.parties), "attacker")].ods
        theirs = [UUID(bytes=id_) for id_, to in self.gateway.connection.execute(_SENT) if to != mine.value]
        if not theirs:
            return
        target = theirs[self.dice.whole(len(theirs), "target", act.number)]
        events = ("accepted", "rejected", "delivered", "cancel_confirmed", "returned", "hold_confirmed")
        event = events[self.dice.whole(len(events), "says", act.number)]
        report = LineReport(line_id=None, event=LineEvent(event))
        del posted
        self.loop.spawn(self._forge(mine, Acknowledgement(id="", correlation=target, reports=(report,))))

    def _reroute(self, act: Act, posted: _Posted) -> None:
        to = self.parties[self.dice.whole(len(self.parties), "next", act.number)].ods
        if self.gateway.up:
            self.gateway.spawn(_or_nothing(self.operators.move(posted.what.id, to)))

    def _person_asks(self, act: Act, posted: _Posted) -> None:
        what = _ASKS[act.kind]
        self.loop.spawn(self.console.ask(what, posted.what.id, posted.trust, f"P{act.number}"))

    def _send_again(self, act: Act, posted: _Posted) -> None:
        self.loop.spawn(self.console.send_again(posted.what.id, posted.trust, f"G{act.number}"))

    def _propose(self, act: Act, posted: _Posted) -> None:
        to = self.parties[self.dice.whole(len(self.parties), "proposed", act.number)].ods
        self.loop.spawn(self.console.propose(posted.what.id, posted.trust, to, f"T{act.number}"))

    def _screen(self, act: Act, posted: _Posted) -> None:
        if self.gateway.up:
            self.gateway.spawn(_or_nothing(self.operators.screen(posted.what, f"S{act.number}")))

    def _told_to_stop(self, one: Expiring) -> SealedMessage | None:
        """Write what tells a holder that a prescription is no longer valid."""
        if one.holder is None or one.message_id is None or one.line_id not in self.scribe.lines:
            return None
        epoch, salt = max(one.epoch, 1), f"V{one.line_id}{one.epoch}"
        what = (self.scribe.lines[one.line_id],)
        return self.scribe.desk.seal(what, one.holder, epoch=epoch, salt=salt, kind="cancel", order=one.message_id)

    # Machines

    def _remove(self, act: Act) -> None:
        """Start again without a provider, or with it again; with open lines that it has, that is refused."""
        ods = self.parties[act.subject % len(self.parties)].ods
        gone = act.kind is Kind.REMOVE
        if not self.gateway.up or gone == (ods in self.gateway.removed):
            return
        self.gateway.crash()
        if gone and self._orphaned(ods):
            self.oracle.seen["removal refused"] += 1
        elif gone:
            self.gateway.removed.add(ods)
            self.oracle.seen["provider removed"] += 1
        else:
            self.gateway.removed.discard(ods)
        self.loop.after(act.size, lambda: None if self.gateway.up else self.gateway.open())

    def _orphaned(self, ods: OdsCode) -> bool:
        """Ask what the start would ask: what would lose its way if this provider were not there."""
        left = {one.ods for one in self.parties} - self.gateway.removed - {ods}
        reach = Reach(
            environment=Environment.TEST,
            trusts={
                trust: Trust(
                    ods=trust, name="", environment=Environment.TEST, signature_policy=SignaturePolicy.PAPER_FOLLOWS
                )
                for trust in self.trusts
            },
            providers={
                one: Provider(ods=one, name="", environment=Environment.TEST, adapter="sim", endpoint="")
                for one in left
            },
        )
        found = orphans(standing(self.gateway.connection), reach)
        self.oracle.may_go(ods, refused=bool(found))
        return bool(found)

    def _crash(self, act: Act) -> None:
        self.oracle.seen["process killed"] += self.gateway.up
        self.gateway.crash()
        self.loop.after(act.size, lambda: None if self.gateway.up else self.gateway.open())

    def _jump(self, act: Act) -> None:
        self._turn(timedelta(seconds=act.size))
        if act.kind is Kind.JUMP and act.size:
            self.oracle.seen["clock jumped forward" if act.size > 0 else "clock jumped back"] += 1
        if self.gateway.up:  # as they do every minute, where here it is every few hours
            self.gateway.spawn(_or_nothing(self._look_at_the_clock()))
        self.gateway.wake()

    async def _look_at_the_clock(self) -> None:
        """The clockwork and the watch, in either order."""
        first = self.dice.roll("watches", self.loop.now) < 0.5
        if first:
            await self.gateway.watch.sweep()
        await self.gateway.clockwork.strike()
        if not first:
            await self.gateway.watch.sweep()

    def _turn(self, skew: timedelta) -> None:
        """Make the clock wrong by so much. Where it goes back, the watch may have looked while it was ahead, or not."""
        back = skew < self.gateway.skew
        self.gateway.skew = skew
        if back:
            self.oracle.went_back(self.gateway.now())

    def _disk(self, act: Act) -> None:
        self.sick = act.size if act.kind is Kind.DISK else 0.0

    def _cut(self, act: Act) -> None:
        self.cut = act.size if act.kind is Kind.CUT else 0.0
        self.oracle.seen["network cut"] += act.kind is Kind.CUT

    def _outage(self, act: Act) -> None:
        party = self.parties[act.subject % len(self.parties)]
        party.down = max(0, party.down + (1 if act.kind is Kind.OUTAGE else -1))
        self.oracle.seen["provider away"] += act.kind is Kind.OUTAGE

    def _pause(self, act: Act) -> None:
        ods = self.parties[act.subject % len(self.parties)].ods
        if not self.gateway.up:
            return
        do = self.gateway.store.pause if act.kind is Kind.PAUSE else self.gateway.store.resume
        self.gateway.spawn(_or_nothing(do(ods, by="ada", reason="sim", now=self.gateway.now())))

    def _damage(self, act: Act) -> None:
        """Bytes that nobody can read."""
        body = f"DAMAGED{self.plan.seed}.{act.number}".encode()
        submission = Submission(
            tenant=TRUSTS[0],
            format=WireFormat.HL7V2,
            body=body,
            content_type="application/hl7-v2",
            received_at=self.gateway.now(),
        )
        if self.gateway.up:
            self.gateway.spawn(_or_nothing(self.gateway.pipeline.receive(submission)))

    # Time

    async def _sweep(self) -> None:
        """The watch, the clockwork and the re-routes that can be finished."""
        await self.gateway.watch.sweep()
        if self.calm or self.dice.roll("trusts", self.loop.now) < _TRUSTS:
            await self.operators.trust_clock()
        await self.gateway.clockwork.strike()
        await self.operators.finish()
        await self.operators.settle_doubts()
        await self.operators.rule()
        await self.console.work_off()

    def _sweeping(self) -> None:
        if self.gateway.up:
            self.gateway.spawn(_or_nothing(self._sweep()))
        self.loop.after(_SWEEP, self._sweeping)

    def live(self, only: Collection[int] | None = None) -> None:
        """Let everything happen, then calm, then every deadline pass."""
        with self.gateway.running():
            for act in self.plan.acts:
                if only is None or act.number in only:
                    self.loop.after(max(0.0, act.at), partial(self._act, act))
            self.loop.after(0.0, self._sweeping)
            for moment in (HOUR, 8 * HOUR, 2 * DAY):
                self.loop.after(moment, self.oracle.look)
            self.loop.run(HORIZON)
            self._calm()
            self.loop.run(HORIZON + _SETTLES)
            self.oracle.on_time(self.gateway.now())
            self.gateway.skew = _PAST_EVERY_DEADLINE
            self.gateway.spawn(self.gateway.watch.sweep())
            self.loop.run(HORIZON + _SETTLES + 10.0)
            self.oracle.end(self.gateway.now())
            self.oracle.seen += met.count(self.gateway.connection)
            for bug in self.gateway.bugs:
                self.oracle.fault(f"silent: a bug was met: {bug}")
            for task in self.gateway.tasks:
                task.kill()

    def _calm(self) -> None:
        self.calm, self.cut, self.sick = True, 0.0, 0.0
        self._turn(timedelta(0))
        self.gateway.removed.clear()
        self.gateway.crash()
        self.gateway.open()
        for party in self.parties:
            party.down = 0
            self._pause(Act(-1, 0.0, Kind.RESUME, self.parties.index(party)))


async def _or_nothing(work: Any) -> Any:
    """Give None where the store was away: nothing was stored, and whoever asked will ask again."""
    try:
        return await work
    except Unavailable:
        return None


_ASKS: Final = {
    Kind.PERSON_CANCEL: AskedFor.CANCEL,
    Kind.PERSON_HOLD: AskedFor.HOLD,
    Kind.PERSON_RELEASE: AskedFor.RELEASE,
}
_ABOUT_ORDERS: Final[dict[Kind, Callable[[World, Act, _Posted], None]]] = {
    Kind.AGAIN: World._again,
    Kind.OTHER_BYTES: World._other_bytes,
    Kind.OTHER_CHANNEL: World._other_channel,
    Kind.CANCEL: World._cancel,
    Kind.CHANGE: World._change,
    Kind.HOLD: World._hold,
    Kind.RELEASE: World._hold,
    Kind.REROUTE: World._reroute,
    Kind.PERSON_CANCEL: World._person_asks,
    Kind.PERSON_HOLD: World._person_asks,
    Kind.PERSON_RELEASE: World._person_asks,
    Kind.SEND_AGAIN: World._send_again,
    Kind.PROPOSE: World._propose,
    Kind.FORGE: World._attack,
    Kind.SCREEN: World._screen,
}
_ABOUT_MACHINES: Final[dict[Kind, Callable[[World, Act], None]]] = {
    Kind.DAMAGE: World._damage,
    Kind.BACK_UP: lambda world, _act: world.recovery.back_up(),
    Kind.RESTORE: lambda world, act: world.recovery.restore(act),
    Kind.REMOVE: World._remove,
    Kind.PUT_BACK: World._remove,
    Kind.PAUSE: World._pause,
    Kind.RESUME: World._pause,
    Kind.CRASH: World._crash,
    Kind.JUMP: World._jump,
    Kind.JUMP_BACK: lambda world, _act: world._jump(Act(-1, 0.0, Kind.JUMP)),
    Kind.DISK: World._disk,
    Kind.DISK_WELL: World._disk,
    Kind.CUT: World._cut,
    Kind.CUT_OVER: World._cut,
    Kind.OUTAGE: World._outage,
    Kind.OUTAGE_OVER: World._outage,
}
