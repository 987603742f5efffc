"""Two who do the same thing, or what excludes it, at the same moment: one wins, and both are told the truth.

The two stand at two stores over one place: threads of one process, as a gateway and its worker do, and two processes,
as a gateway and a person's command do. What each was answered is judged against the other and against the tables.

Source: reliability-security.md T4 (I2, I6, I7, I10, I11).
"""

import asyncio
import multiprocessing
import random
import shutil
import tempfile
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from multiprocessing.connection import Connection
from pathlib import Path
from time import monotonic
from typing import Any, Final, cast

import apsw

from gateway.destination import Taken
from gateway.domain.acknowledgement import Acknowledgement, LineReport
from gateway.domain.cancel import CancelState
from gateway.domain.custody import CUSTODY
from gateway.domain.errors import Refusal
from gateway.domain.identifiers import OdsCode
from gateway.domain.lifecycle import LineEvent, LineState
from gateway.domain.message import MessageEvent
from gateway.domain.prescription import Prescription
from gateway.domain.reroute import Reroute, Wanted
from gateway.ports.acceptance import CancelRequest, OvertakenError
from gateway.ports.callback import Callback, Effectiveness
from gateway.ports.store import Store
from gateway.ports.work import Claim
from gateway.store.postgres.connection import Postgres
from tests.contract.store_engines import (
    ENGINES,
    PROVIDER,
    TRUST,
    Clock,
    Exchange,
    make_acceptance,
    make_order,
    make_prescription,
    seal,
)
from tests.faults.disk import SCRATCH
from tests.faults.invariants import broken
from tests.faults.table import Row
from tests.postgres import database, raw

_SHOWN: Final = 5
_OTHERS: Final = (OdsCode("VNCEL"), OdsCode("VN6XW"))
_WAIT_SECONDS: Final = 60

Said = Any
"""What a call answered: its value, or the name of what it raised."""


@dataclass(frozen=True, slots=True)
class Move:
    """A call of the store, as it can be told to another process."""

    method: str
    given: tuple[Any, ...] = ()
    named: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Race:
    """Two moves at once, and what their answers and the tables must be.

    Attributes:
        judge: given both answers and a question to the tables, says what is wrong, or nothing.
    """

    name: str
    moves: tuple[Move, Move]
    judge: Callable[[Sequence[Said], "Ask"], str]


Ask = Callable[..., list[tuple[Any, ...]]]
Prepare = Callable[[Exchange, str], Awaitable[Race]]


async def _sent(exchange: Exchange, name: str, *, wire: bool = True, total: int = 6) -> tuple[Prescription, Claim]:
    """Accept an order, claim it, and put it on the wire and let it be taken if asked."""
    what = make_prescription(name, total=total)
    await exchange.store.accept(make_acceptance(name, make_order(what)))
    (claim,) = [one for one in await exchange.claim(PROVIDER, room=100) if one.message_id == seal(what).id]
    if wire:
        assert await exchange.store.on_wire(claim, now=exchange.clock.now())
        await exchange.store.record(claim, Taken(), now=exchange.clock.now(), retry_at=None)
    return what, claim


def _answer(what: Prescription, name: str, event: LineEvent) -> Move:
    message = seal(what).id
    answer = Acknowledgement(id=name, correlation=message, reports=(LineReport(line_id=None, event=event),))
    callback = Callback(destination=PROVIDER, received_at=Clock().now(), content_type="", body=name.encode())
    return Move("acknowledge", (callback, answer, ()))


def _cancel(what: Prescription, name: str, *, seen: LineState, state: CancelState) -> Move:
    update = replace(seal(what, salt=f"cancel{name}"), event=MessageEvent.UPDATE)
    asks = state is CancelState.ASKED
    requests = tuple(
        CancelRequest(line_id=one.id, seen=seen, state=state, reason_code="0001", message=update if asks else None)
        for one in what.lines
    )
    return Move("accept", (replace(make_acceptance(f"C{name}"), orders=(), cancels=requests),))


def _lines(what: Prescription, ask: Ask) -> list[str]:
    return [state for one in what.lines for (state,) in ask("SELECT state FROM line WHERE uuid = ?", one.id.bytes)]


async def _two_workers(exchange: Exchange, name: str) -> Race:
    await exchange.store.accept(make_acceptance(name))
    now, room = exchange.clock.now(), {PROVIDER: 10}
    moves = tuple(
        Move("claim", (), {"worker": worker, "now": now, "lease_seconds": 60.0, "room": room}) for worker in "ab"
    )

    def judge(said: Sequence[Said], _ask: Ask) -> str:
        rows = [claim.id for claims in said for claim in claims]
        return "" if len(rows) == len(set(rows)) else f"doubled: rows {rows} were leased to two workers"

    return Race("two workers", (moves[0], moves[1]), judge)


async def _one_claim_twice(exchange: Exchange, name: str) -> Race:
    _, claim = await _sent(exchange, name, wire=False)
    move = Move("on_wire", (claim,), {"now": exchange.clock.now()})

    def judge(said: Sequence[Said], _ask: Ask) -> str:
        return "" if sorted(said) == [False, True] else f"doubled: one claim went on the wire {said}"

    return Race("one claim twice", (move, move), judge)


async def _same_bytes(_exchange: Exchange, name: str) -> Race:
    acceptance = make_acceptance(name)
    move = Move("accept", (acceptance,))

    def judge(said: Sequence[Said], ask: Ask) -> str:
        stored = ask("SELECT count(*) FROM submission WHERE control_id = ?", f"MSG{name}")
        return "" if said[0] == said[1] and stored == [(1,)] else f"doubled: {said} with {stored} stored"

    return Race("same id, same bytes", (move, move), judge)


async def _other_bytes(_exchange: Exchange, name: str) -> Race:
    both = [make_acceptance(f"{name}{side}", control_id=f"MSG{name}", body=f"{name}{side}".encode()) for side in "ab"]

    def judge(said: Sequence[Said], ask: Ask) -> str:
        stored = ask("SELECT digest FROM submission WHERE control_id = ?", f"MSG{name}")
        orders = ask("SELECT count(*) FROM line WHERE order_number IN (?, ?)", f"RX{name}a0", f"RX{name}b0")
        same = said[0] == said[1] and stored == [(said[0].digest,)]
        return "" if same and orders == [(1,)] else f"doubled: {said}, {stored} stored, {orders} orders"

    return Race("same id, other bytes", (Move("accept", (both[0],)), Move("accept", (both[1],))), judge)


async def _two_channels(_exchange: Exchange, name: str) -> Race:
    what = make_prescription(name)
    both = [make_acceptance(f"{name}{side}", make_order(what)) for side in "ab"]

    def judge(said: Sequence[Said], ask: Ask) -> str:
        refused = [one for one in said if one == "Refusal"]
        lines = ask("SELECT count(*) FROM line WHERE order_number = ?", f"RX{name}0")
        return "" if len(refused) == 1 and lines == [(1,)] else f"doubled: {said}, {lines} lines"

    return Race("one order, two channels", (Move("accept", (both[0],)), Move("accept", (both[1],))), judge)


async def _cancel_and_wire(exchange: Exchange, name: str) -> Race:
    what, claim = await _sent(exchange, name, wire=False)
    cancel = _cancel(what, name, seen=LineState.READY, state=CancelState.CONFIRMED)

    def judge(said: Sequence[Said], ask: Ask) -> str:
        states = _lines(what, ask)
        left, cancelled = said[0] is True, said[1] != "OvertakenError"
        right = states == (["SENT"] if left else ["CANCELLED"])
        return "" if left is not cancelled and right else f"doubled: {said} leaves {states}"

    return Race(
        "a cancel and the first byte", (Move("on_wire", (claim,), {"now": exchange.clock.now()}), cancel), judge
    )


async def _cancel_and_refusal(exchange: Exchange, name: str) -> Race:
    what, _ = await _sent(exchange, name)
    cancel = _cancel(what, name, seen=LineState.WITH_PROVIDER, state=CancelState.ASKED)

    def judge(said: Sequence[Said], ask: Ask) -> str:
        states = _lines(what, ask)
        right = ["REJECTED"] if said[1] == "OvertakenError" else ["CANCELLED"]
        return "" if states == right else f"silent: {said} leaves {states}"

    return Race("a cancel and a refusal", (_answer(what, f"{name}r", LineEvent.REJECTED), cancel), judge)


async def _cancel_and_supply(exchange: Exchange, name: str) -> Race:
    """A confirmed cancel and the last delivery cross: one of them is the end, and a person knows."""
    what, _ = await _sent(exchange, name, total=1)
    cancel = _cancel(what, name, seen=LineState.WITH_PROVIDER, state=CancelState.ASKED)
    await exchange.store.accept(cancel.given[0])
    message = cancel.given[0].cancels[0].message.id
    answer = Acknowledgement(
        id=f"{name}c", correlation=message, reports=(LineReport(line_id=None, event=LineEvent.CANCEL_CONFIRMED),)
    )
    callback = Callback(destination=PROVIDER, received_at=Clock().now(), content_type="", body=name.encode())

    def judge(_said: Sequence[Said], ask: Ask) -> str:
        states = _lines(what, ask)
        alerts = ask(
            "SELECT count(*) FROM alert JOIN line ON line.id = alert.line WHERE line.uuid = ? AND closed_at IS NULL",
            what.lines[0].id.bytes,
        )
        told = alerts[0][0] > 0
        return "" if told and states in (["CANCELLED"], ["FULFILLED"]) else f"silent: {states}, {alerts} alerts"

    confirm = Move("acknowledge", (callback, answer, ()))
    return Race("a confirmed cancel and a supply", (confirm, _answer(what, f"{name}d", LineEvent.DELIVERED)), judge)


async def _two_operators(exchange: Exchange, name: str) -> Race:
    what, _ = await _sent(exchange, name)
    await exchange.answer(seal(what).id, LineEvent.REJECTED, id=f"{name}n")
    moves = tuple(
        Move(
            "reroute",
            (
                Reroute(
                    tenant=TRUST,
                    seen={what.lines[0].id: 1},
                    message=seal(what, provider=to, epoch=2, salt=to.value),
                    wanted=Wanted(to=to, people=("ada", "ben"), reason="r"),
                ),
            ),
        )
        for to in _OTHERS
    )

    def judge(said: Sequence[Said], ask: Ask) -> str:
        held = ask(
            "SELECT count(*) FROM allocation JOIN line ON line.id = allocation.line"
            " WHERE line.uuid = ? AND ended_at IS NULL",
            what.lines[0].id.bytes,
        )
        return "" if sum(one == () for one in said) == 1 and held == [(1,)] else f"doubled: {said}, {held} holders"

    return Race("two operators", (moves[0], moves[1]), judge)


async def _same_answer(exchange: Exchange, name: str) -> Race:
    what, _ = await _sent(exchange, name)
    move = _answer(what, f"{name}a", LineEvent.ACCEPTED)

    def judge(said: Sequence[Said], _ask: Ask) -> str:
        effects = sorted(one.effect for one in said)
        return "" if effects == [Effectiveness.APPLIED, Effectiveness.REPEAT] else f"doubled: {effects}"

    return Race("one answer twice", (move, move), judge)


async def _double_click(exchange: Exchange, name: str) -> Race:
    now = exchange.clock.now()
    move = Move("pause", (OdsCode(f"VN{name[-3:]}"),), {"by": "ada", "reason": "r", "now": now})

    def judge(said: Sequence[Said], _ask: Ask) -> str:
        return "" if sorted(said) == [False, True] else f"doubled: both were told {said}"

    return Race("a double click", (move, move), judge)


KINDS: Final[tuple[Prepare, ...]] = (
    _two_workers,
    _one_claim_twice,
    _same_bytes,
    _other_bytes,
    _two_channels,
    _cancel_and_wire,
    _cancel_and_refusal,
    _cancel_and_supply,
    _two_operators,
    _same_answer,
    _double_click,
)


async def _make(store: Store, move: Move) -> Said:
    try:
        return await getattr(store, move.method)(*move.given, **move.named)
    except (OvertakenError, Refusal, apsw.Error) as error:
        return type(error).__name__


async def _at_once(engine: str, folder: Path, races: Sequence[Race]) -> list[list[Said]]:
    """Run every race at two stores of this process."""
    opened = [ENGINES[engine](folder, Clock(), frozenset(), CUSTODY) for _ in range(2)]
    try:
        return [
            list(await asyncio.gather(*(_make(one.store, move) for one, move in zip(opened, race.moves, strict=True))))
            for race in races
        ]
    finally:
        for one in opened:
            await cast("Awaitable[None]", one.close())


def _threads(engine: str, folder: Path, races: Sequence[Race]) -> list[list[Said]]:
    return asyncio.run(_at_once(engine, folder, races))


async def _side(engine: str, folder: Path, moves: Sequence[Move], other: Connection) -> list[Said]:
    """Make one side's moves, each when the other side is ready too."""
    opened = ENGINES[engine](folder, Clock(), frozenset(), CUSTODY)
    said = []
    try:
        for move in moves:
            other.send(None)
            if not other.poll(_WAIT_SECONDS):
                raise TimeoutError
            other.recv()
            said.append(await _make(opened.store, move))
    finally:
        await cast("Awaitable[None]", opened.close())
    return said


def _child(engine: str, folder: Path, moves: Sequence[Move], other: Connection) -> None:
    other.send(asyncio.run(_side(engine, folder, moves, other)))


def _processes(engine: str, folder: Path, races: Sequence[Race]) -> list[list[Said]]:
    """Run every race at two stores of two processes."""
    context = multiprocessing.get_context("fork")
    here, there = context.Pipe()
    child = context.Process(target=_child, args=(engine, folder, [race.moves[1] for race in races], there))
    child.start()
    mine = asyncio.run(_side(engine, folder, [race.moves[0] for race in races], here))
    theirs = here.recv()
    child.join()
    return [list(pair) for pair in zip(mine, theirs, strict=True)]


async def _prepare(engine: str, folder: Path, kinds: Sequence[Prepare], seed: int) -> list[Race]:
    clock = Clock()
    exchange = Exchange(ENGINES[engine](folder, clock, frozenset(), CUSTODY), clock)
    try:
        return [await kind(exchange, f"S{seed}N{number:03d}") for number, kind in enumerate(kinds)]
    finally:
        await cast("Awaitable[None]", exchange.opened.close())


def try_seed(seed: int, wanted: int, *, engine: str = "sqlite") -> Iterator[str]:
    """Give what is wrong with each race of a seed, or nothing."""
    rng = random.Random(seed)
    kinds = [KINDS[number % len(KINDS)] for number in range(wanted)]
    folder = Path(tempfile.mkdtemp(dir=SCRATCH))
    try:
        # what the racing workers are to claim must not be claimed while the others are prepared
        kinds.sort(key=lambda kind: kind is _two_workers)
        races = asyncio.run(_prepare(engine, folder, kinds, seed))
        rng.shuffle(races)
        run_them = _threads if seed % 2 else _processes
        yield from _judged(races, run_them(engine, folder, races), _tables(engine, folder))
    finally:
        shutil.rmtree(folder)


def _tables(engine: str, folder: Path) -> apsw.Connection | Postgres:
    """Connect to the tables past the store."""
    return raw(database(folder)) if engine == "postgres" else apsw.Connection(str(folder / "gateway.db"))


def _judged(
    races: Sequence[Race], said: Sequence[Sequence[Said]], connection: apsw.Connection | Postgres
) -> Iterator[str]:
    try:

        def ask(sql: str, *values: Any) -> list[tuple[Any, ...]]:
            return list(connection.execute(sql, values))

        for race, answers in zip(races, said, strict=True):
            fault = race.judge(answers, ask)
            yield f"{fault} ({race.name})" if fault else ""
        for fault in broken(connection):
            yield f"silent: {fault}"
    finally:
        connection.close()


def run(seeds: range, *, per_seed: int, engine: str = "sqlite") -> Row:
    """Run `per_seed` races of each seed."""
    begun, tried, faults = monotonic(), 0, []
    for seed in seeds:
        for fault in try_seed(seed, per_seed, engine=engine):
            tried += 1
            faults += [f"seed {seed}: {fault}"] if fault else []
    return Row(
        case="two at the same moment",
        tried=tried,
        lost=sum(": lost" in fault for fault in faults),
        doubled=sum(": doubled" in fault for fault in faults),
        silent=sum(": silent" in fault for fault in faults),
        seconds=monotonic() - begun,
        seeds=f"{seeds.start}-{seeds.stop - 1}",
        faults=tuple(faults[:_SHOWN]),
    )
