"""A backup is taken while work goes on, the store is lost and put back, and the providers kept what they had.

    run(range(1, 3), per_seed=20)

A schedule is drawn from its seed: orders, sendings, answers, re-routes and cancels before the backup, after it, between
restore and reconciliation, and after that. The parties keep journals of their own; only those, and the invariants of
the tables, judge. A provider here is the worst kind that is honest: it supplies for whatever message it takes on,
recognises no repeat, and remembers everything.

Source: reliability-security.md T12, I22, I2, I7.
"""

import asyncio
import shutil
import tempfile
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random
from time import monotonic
from typing import Final
from uuid import UUID

import apsw

from gateway.destination import InDoubt, Taken, TransmitOutcome, TryLater
from gateway.domain.books import Fault, Listed, Side, compare, london_day
from gateway.domain.cancel import CancelState
from gateway.domain.errors import Unavailable
from gateway.domain.fence import next_epoch
from gateway.domain.identifiers import OdsCode
from gateway.domain.lifecycle import LineEvent, LineState
from gateway.domain.message import MessageEvent
from gateway.domain.prescription import Prescription
from gateway.domain.reconciliation import StatedHolding, Statement
from gateway.domain.reroute import Reroute, Wanted
from gateway.domain.submission import Verdict
from gateway.ports.acceptance import Acceptance, CancelRequest, KnownLine, OvertakenError
from gateway.ports.work import Claim, Whereabouts
from gateway.store.sqlite.backup import back_up
from gateway.store.sqlite.restoring import restore
from tests.contract.store_engines import (
    PROVIDER,
    TRUST,
    Clock,
    Exchange,
    make_acceptance,
    make_order,
    make_prescription,
    open_sqlite,
    seal,
)
from tests.faults.invariants import broken
from tests.faults.table import Row

PROVIDERS: Final = (PROVIDER, OdsCode("VN6XW"))
_PEOPLE: Final = ("ada", "ben")
_GIVES_UP: Final = 0.25
_SHOWN: Final = 5
_MAY_BE_ASKED: Final = frozenset({LineState.SENT, LineState.UNCERTAIN, LineState.WITH_PROVIDER, LineState.ACCEPTED})


@dataclass
class Party:
    """A provider's own memory: what it took on or turned down, by line and epoch, and how often it supplied."""

    ods: OdsCode
    held: dict[tuple[UUID, int], LineState] = field(default_factory=dict)
    messages: dict[tuple[UUID, int], UUID] = field(default_factory=dict)
    cancelled: set[UUID] = field(default_factory=set)
    """Lines whose cancel came before any order: it turns such an order down."""

    def statement(self) -> Statement:
        """List everything it holds or held."""
        rows = tuple(
            StatedHolding(line_id=line, epoch=epoch, state=state) for (line, epoch), state in self.held.items()
        )
        return Statement(destination=self.ods, holdings=rows, by="ada", reason="its own list")


@dataclass
class Schedule:
    """One schedule, from an empty store to the reckoning."""

    folder: Path
    dice: Random
    clock: Clock = field(default_factory=Clock)
    written: dict[str, tuple[Prescription, Acceptance]] = field(default_factory=dict)
    told: set[str] = field(default_factory=set)
    cancelled: dict[str, UUID] = field(default_factory=dict)
    """Lines that the trust was told are cancelled, by the control id of its message."""
    packs: dict[UUID, int] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    backed_up: set[str] = field(default_factory=set)
    restored: bool = False

    def __post_init__(self) -> None:
        self.parties = {ods: Party(ods) for ods in PROVIDERS}
        self.data, self.backup = self.folder / "data", self.folder / "backup"
        self.data.mkdir()
        self._open()

    def _open(self) -> None:
        self.exchange = Exchange(open_sqlite(self.data, self.clock, frozenset()), self.clock)
        self.store = self.exchange.store

    async def _close(self) -> None:
        closing = self.exchange.opened.close()
        assert asyncio.iscoroutine(closing)
        await closing

    async def live(self) -> None:
        """Go through the schedule."""
        await self._work(self.dice.randint(0, 12))
        made = asyncio.create_task(asyncio.to_thread(self._back_up))
        self.backed_up = set(self.told)
        await self._work(self.dice.randint(0, 3))
        await made
        await self._work(self.dice.randint(1, 15))
        await self._close()
        restore(
            self.backup,
            self.data,
            providers=PROVIDERS,
            trusts=(TRUST,),
            now=self.clock.move(minutes=self.dice.randint(1, 90)),
        )
        self._open()
        self.restored = True
        await self._the_gap_is_named()
        order = self.dice.sample(PROVIDERS, k=len(PROVIDERS))
        for ods in order:
            await self._work(self.dice.randint(0, 5))
            await self._reconcile(self.parties[ods])
        await self._work(self.dice.randint(0, 5))
        await self._compared()
        await self._work(self.dice.randint(0, 8))
        await self._calm()
        await self._close()

    def _back_up(self) -> None:
        back_up(self.data, self.backup, now=self.clock.now(), version="1")

    async def _work(self, steps: int) -> None:
        for _ in range(steps):
            self.clock.move(seconds=self.dice.randint(1, 300))
            step = self.dice.choices(
                (self._order, self._again, self._send, self._answer, self._reroute, self._cancel),
                weights=(4, 2, 6, 4, 2, 2),
            )[0]
            await step()

    async def _order(self) -> None:
        name = f"N{len(self.written)}"
        what = make_prescription(name, total=1)
        acceptance = make_acceptance(name, make_order(what, provider=self.dice.choice(PROVIDERS)))
        self.written[name] = (what, acceptance)
        await self._post(name)

    async def _again(self) -> None:
        """A trust repeats a message that it has sent before, whatever became of it."""
        if self.written:
            await self._post(self.dice.choice(sorted(self.written)))

    async def _post(self, name: str) -> None:
        await self.store.accept(self.written[name][1])
        self.told.add(name)

    async def _send(self) -> None:
        room = dict.fromkeys(PROVIDERS, 2)
        for claim in await self.store.claim(worker="w", now=self.clock.now(), lease_seconds=60, room=room):
            if await self.store.on_wire(claim, now=self.clock.now()):
                await self.store.record(claim, await self._carried(claim), now=self.clock.now(), retry_at=None)

    async def _carried(self, claim: Claim) -> TransmitOutcome:
        """Carry one message: taken, or not, or nobody knows whether; then it may have arrived all the same."""
        fate = self.dice.random()
        if fate < 0.1:
            return TryLater(reason="busy")
        if fate < 0.9 or self.dice.random() < 0.5:
            self._takes(self.parties[claim.destination], claim.message_id)
        return Taken() if fate < 0.9 else InDoubt(reason="cut off")

    def _takes(self, party: Party, message: UUID) -> None:
        connection = apsw.Connection(str(self.data / "gateway.db"), flags=apsw.SQLITE_OPEN_READONLY)
        rows = connection.execute(
            "SELECT line.uuid, allocation.epoch FROM allocation JOIN line ON line.id = allocation.line"
            " WHERE message = ?",
            (message.bytes,),
        )
        asked = list(
            connection.execute(
                "SELECT line.uuid FROM cancel JOIN line ON line.id = cancel.line WHERE cancel.message = ?",
                (message.bytes,),
            )
        )
        party.cancelled |= {UUID(bytes=bytes(row[0])) for row in asked}  # type: ignore[arg-type]
        found = [(UUID(bytes=bytes(uuid)), int(epoch)) for uuid, epoch in rows]  # type: ignore[arg-type]
        connection.close()
        for line, epoch in found:
            rejects = line in party.cancelled or self.dice.random() < _GIVES_UP
            self.held_by(party, line, epoch, LineState.REJECTED if rejects else LineState.ACCEPTED, message)
            if not rejects:
                self.packs[line] = self.packs.get(line, 0) + 1

    def held_by(self, party: Party, line: UUID, epoch: int, state: LineState, message: UUID) -> None:
        """Note what a provider has decided."""
        party.held[line, epoch] = state
        party.messages[line, epoch] = message

    async def _answer(self) -> None:
        party = self.parties[self.dice.choice(PROVIDERS)]
        if party.held:
            await self._answers(party, self.dice.choice(sorted(party.held, key=str)))

    async def _answers(self, party: Party, key: tuple[UUID, int]) -> None:
        event = LineEvent.REJECTED if party.held[key] is LineState.REJECTED else LineEvent.ACCEPTED
        await self.exchange.answer(party.messages[key], event, id=f"{key}", provider=party.ods, epoch=key[1])

    async def _reroute(self) -> None:
        """Two people give a line that its provider turned down to the other, as far as the fence allows."""
        what = self._any()
        for held in await self.exchange.enquiries.held(prescription_id=what.id) if what else ():
            for line in held.lines:
                to = next(ods for ods in PROVIDERS if ods != line.holding.provider)
                message = seal(what, provider=to, epoch=next_epoch([line.holding]))
                wanted = Wanted(to=to, people=_PEOPLE, reason="test")
                await self.store.reroute(
                    Reroute(tenant=TRUST, seen={line.line_id: line.holding.epoch}, message=message, wanted=wanted)
                )

    async def _cancel(self) -> None:
        """The trust cancels an order that has not left, as the pipeline writes it; it believes only what is stored."""
        what = self._any()
        known = await self.store.known_lines(TRUST, [], items=[each.id for each in what.lines]) if what else ()
        for line in known:
            if line.state is LineState.READY and line.cancel is CancelState.NONE:
                await self._cancels(f"C{self.clock.now().isoformat()}", line.line_id)

    async def _cancels(self, control: str, line: UUID) -> None:
        asked = CancelRequest(line_id=line, seen=LineState.READY, state=CancelState.CONFIRMED)
        bare = make_acceptance(control)
        verdict = Verdict(outcome=bare.verdict.outcome)
        try:
            await self.store.accept(replace(bare, orders=(), cancels=(asked,), verdict=verdict))
        except (Unavailable, OvertakenError):
            return
        self.cancelled[control] = line

    async def _cancels_again(self, control: str) -> None:
        """Send a lost cancel again; where the line may have left meanwhile, its provider is asked."""
        line = self.cancelled[control]
        (known,) = await self.store.known_lines(TRUST, [], items=[line]) or (None,)
        bare = make_acceptance(control)
        asked: tuple[CancelRequest, ...] = ()
        if known is not None and known.state is LineState.READY and known.cancel is CancelState.NONE:
            await self._cancels(control, line)
            return
        if known is not None and known.state in _MAY_BE_ASKED and known.cancel is CancelState.NONE:
            asked = (self._asking(known, control),)
            del self.cancelled[control]  # the trust is told now that it is only asked
        await self.store.accept(replace(bare, orders=(), cancels=asked, verdict=Verdict(outcome=bare.verdict.outcome)))

    def _asking(self, known: KnownLine, control: str) -> CancelRequest:
        what = next(what for what, _ in self.written.values() if what.id == known.prescription_id)
        assert known.destination is not None
        sealed = seal(what, provider=known.destination, epoch=known.epoch, salt=control)
        message = replace(sealed, event=MessageEvent.UPDATE, line_ids=(known.line_id,))
        return CancelRequest(line_id=known.line_id, seen=known.state, state=CancelState.ASKED, message=message)

    async def _compared(self) -> None:
        """The trust says what it was told, and sends again what is lost, until nothing is."""
        controls = {self.written[name][1].envelope.control_id: name for name in self.told}
        cancels = {f"MSG{control}": control for control in self.cancelled}
        for _ in range(3):
            names = sorted(controls) + sorted(cancels)
            missing = await self.store.trust_told(TRUST, names, by="ada", reason="its list", now=self.clock.now())
            for name in missing or ():
                await self._work(self.dice.randint(0, 1))
                if name in controls:
                    await self._post(controls[name])
            for name in missing or ():
                if name in cancels and cancels[name] in self.cancelled:
                    await self._cancels_again(cancels[name])
            if not missing:
                return
        self.faults.append("the trust could not be reconciled")

    def _any(self) -> Prescription | None:
        return self.written[self.dice.choice(sorted(self.written))][0] if self.written else None

    async def _reconcile(self, party: Party) -> None:
        """Take its list, or let a person answer for it and find out about each doubtful line by ringing.

        Who answers for a provider has asked it what it has of ours. If that is anything we do not know it has, the
        person has its list in hand: nobody but the provider knows of a re-route to it that a restore has lost.
        """
        now = self.clock.now()
        if self.dice.random() < 0.8 or await self._has_more(party):
            done = await self.store.reconcile(party.statement(), now=now)
            if done is None:
                self.faults.append(f"{party.ods} was not held")
        elif await self.store.answer_for(party.ods, by="ada", reason="rung", now=now) is None:
            self.faults.append(f"{party.ods} was not held")

    async def _has_more(self, party: Party) -> bool:
        """Tell whether it holds what the restored store does not know it has."""
        for line, epoch in party.held:
            what = next(what for what, _ in self.written.values() if line in {each.id for each in what.lines})
            ours = [one for held in await self.exchange.enquiries.held(prescription_id=what.id) for one in held.lines]
            known = {(one.line_id, one.holding.epoch) for one in ours if one.holding.provider == party.ods}
            if (line, epoch) not in known:
                return True
        return False

    async def _the_gap_is_named(self) -> None:
        """Compare the trust's own list with the store's: what is missing is exactly what came after the backup."""
        names = [self.written[name][1].envelope.control_id for name in sorted(self.told)]
        enquiries = self.exchange.enquiries
        ours = await enquiries.listed(TRUST, side=Side.TRUST, day=london_day(self.clock.now()))
        known = await enquiries.listed_as(TRUST, side=Side.TRUST, names=names)
        found = compare(ours, [Listed(id=name) for name in names], known)
        missing = {one.id for one in found if one.fault is Fault.MISSING_HERE}
        before = {self.written[name][1].envelope.control_id for name in self.backed_up}
        self.faults += [f"lost, though older than the backup: {name}" for name in sorted(missing & before)]

    async def _calm(self) -> None:
        """Let everybody do what is left to do, until nothing moves."""
        for name in sorted(self.told):
            await self._post(name)
        for _ in range(6):
            self.clock.move(minutes=10)
            await self.store.recover(now=self.clock.now(), recognises_repeats=frozenset())
            await self._send()
            for party in self.parties.values():
                for key in list(party.held):
                    await self._answers(party, key)
            for what, _ in self.written.values():
                await self._resolve(what)

    async def _resolve(self, what: Prescription) -> None:
        """A person rings the provider about a line in doubt."""
        for held in await self.exchange.enquiries.held(prescription_id=what.id):
            for line in held.lines:
                if line.holding.state is LineState.UNCERTAIN and line.holding.provider is not None:
                    has = (line.line_id, line.holding.epoch) in self.parties[line.holding.provider].held
                    found = Whereabouts.WITH_PROVIDER if has else Whereabouts.NEVER_ARRIVED
                    await self.store.resolve_doubt(
                        what.id, found=found, evidence="rung", by="ada", now=self.clock.now()
                    )

    def reckon(self) -> Row:
        """Compare what the parties know with what the store says."""
        connection = apsw.Connection(str(self.data / "gateway.db"), flags=apsw.SQLITE_OPEN_READONLY)
        kept = {str(row[0]) for row in connection.execute("SELECT control_id FROM submission")}
        broke = broken(connection)
        connection.close()
        lost = [name for name in self.told if self.written[name][1].envelope.control_id not in kept]
        twice = [line for line, count in self.packs.items() if count > 1]
        twice += [line for line in self.cancelled.values() if self.packs.get(line)]
        silent = [fault for fault in broke if fault.startswith("I3")]
        faults = [*self.faults, *broke, *(f"lost {one}" for one in lost), *(f"doubled {one}" for one in twice)]
        return Row(case="", tried=1, lost=len(lost), doubled=len(twice), silent=len(silent), faults=tuple(faults))


async def lived(seed: int) -> Row:
    """Live one schedule and judge it."""
    folder = Path(tempfile.mkdtemp())
    try:
        schedule = Schedule(folder, Random(seed))
        await schedule.live()
        row = schedule.reckon()
        return replace(row, faults=tuple(f"seed {seed}: {fault}" for fault in row.faults))
    finally:
        shutil.rmtree(folder)


def run(seeds: range, *, per_seed: int) -> Row:
    """Live `per_seed` schedules for each seed."""
    begun = monotonic()
    numbers = range((seeds.start - 1) * per_seed + 1, (seeds.stop - 1) * per_seed + 1)
    rows = [asyncio.run(lived(number)) for number in numbers]
    return Row(
        case="",
        tried=len(rows),
        lost=sum(row.lost for row in rows),
        doubled=sum(row.doubled for row in rows),
        silent=sum(row.silent for row in rows),
        seconds=monotonic() - begun,
        faults=tuple(fault for row in rows for fault in row.faults)[:_SHOWN],
    )
