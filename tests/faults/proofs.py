"""Every proof that `docs/reliability.md` shows: what is tried, how often in full, and which code tries it."""

import asyncio
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Final

from tests.faults import failing_disk, failpoints, mutants, power_loss, races, restoring, syscalls
from tests.faults.table import Row
from tests.faults.test_kill import killed
from tests.sim import model
from tests.sim import proof as simulator

_KILLS: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """One kind of case.

    Attributes:
        name: for the command line.
        case: for the table.
        what: what happens in a case and how it is judged, in a sentence.
        run: tries the cases of some seeds.
        per_seed: cases in a seed.
        full: cases in the full count.
        whole: whether every seed is tried at any scale.
        apart: whether each seed needs a process of its own; where it does not, one process lives many, and starts once.
    """

    name: str
    case: str
    what: str
    run: Callable[[range], Row]
    per_seed: int
    full: int
    whole: bool = False
    apart: bool = True

    def seeds(self, scale: float) -> range:
        """Give the seeds that a scale asks for."""
        count = self.full if self.whole else int(self.full * scale)
        return range(1, 1 + max(1, -(-count // self.per_seed)))


def _power_loss(seeds: range) -> Row:
    return power_loss.run(seeds, per_day=500)


def _failpoints(seeds: range) -> Row:
    return failpoints.run(seeds, per_seed=200)


def _failing_disk(seeds: range) -> Row:
    return failing_disk.run(seeds, per_seed=20)


def _kills(seeds: range) -> Row:
    begun, lost, doubled, faults = monotonic(), 0, 0, []
    for seed in seeds:
        with tempfile.TemporaryDirectory() as folder:
            result = asyncio.run(killed(Path(folder), kills=_KILLS, seed=seed))
        lost += len(result.reckoning.lost)
        doubled += len(result.reckoning.double_supplied)
        faults += [f"seed {seed}: {fault}" for fault in result.faults]
    return Row(
        case="",
        tried=_KILLS * len(seeds),
        lost=lost,
        doubled=doubled,
        seconds=monotonic() - begun,
        faults=tuple(faults),
    )


def _orders_of_events(seeds: range) -> Row:
    """Search one of the four sets of promises a provider may make, whole."""
    begun, tried, doubled, faults = monotonic(), 0, 0, []
    for seed in seeds:
        rules = model.Rules(recognises_repeats=bool(seed & 1), refuses_expired=bool(seed & 2))
        found = model.search(rules)
        tried += found.worlds
        if found.fault:
            doubled += 1
            faults.append(f"{found.fault}: {' / '.join(found.way)}")
        elif not found.whole:
            faults.append(f"seed {seed}: stopped after {found.worlds} worlds, with others still to be seen")
    return Row(case="", tried=tried, doubled=doubled, seconds=monotonic() - begun, faults=tuple(faults))


def _syscalls(seeds: range) -> Row:
    return syscalls.run(seeds, per_seed=100)


def _races(seeds: range) -> Row:
    return races.run(seeds, per_seed=220)


def _races_on_postgres(seeds: range) -> Row:
    return races.run(seeds, per_seed=220, engine="postgres")


def _restores(seeds: range) -> Row:
    return restoring.run(seeds, per_seed=20)


_WORLDS: Final = 20
_PRESCRIPTIONS: Final = 100


def _simulated(seeds: range) -> Row:
    """Live twenty worlds for each seed of ours."""
    return simulator.run(
        range((seeds.start - 1) * _WORLDS + 1, (seeds.stop - 1) * _WORLDS + 1), per_seed=_PRESCRIPTIONS
    )


PROOFS: Final = (
    Proof(
        name="simulator",
        case="Simulated, whatever a seed draws",
        what=(
            "the production store, worker, watch and pipeline on a virtual clock, with a network and a disk that fail, "
            "providers that lie, repeat, delay and fall silent, crashes, restores, clock jumps, cancels, changes and "
            "rulings on them, holds, screening, expiry, re-routes, pauses, providers removed from the configuration "
            "and a thief of one credential; judged by what trusts were answered, the packs handed over and the books"
        ),
        run=_simulated,
        per_seed=_WORLDS * _PRESCRIPTIONS,
        full=1_000_000,
        apart=False,
    ),
    Proof(
        name="power-loss",
        case="Power loss at any write",
        what=(
            "a working day is recorded write by write; an image is what the disk may hold after the power failed: "
            "unsynchronised writes kept, dropped, torn or re-ordered. Opened again, it must be exactly the state after "
            "some commit, and none older than the last that was promised."
        ),
        run=_power_loss,
        per_seed=500,
        full=100_000,
    ),
    Proof(
        name="failpoints",
        case="Killed at a chosen step",
        what=(
            "the process kills itself before or after a step of pipeline, store, worker, watch, committer or disk; "
            "what is left is opened, works on in peace and is compared with what trust and provider wrote down."
        ),
        run=_failpoints,
        per_seed=200,
        full=10_000,
    ),
    Proof(
        name="restores",
        case="A backup put back in mid-traffic",
        what=(
            "a backup is taken while work goes on, the store is lost and the backup put in its place; providers state "
            "what they hold, trusts what they were told. What came since is sent again, and nothing is supplied twice. "
            "A person who answers for a provider has asked it what it has."
        ),
        run=_restores,
        per_seed=20,
        full=500,
    ),
    Proof(
        name="kills",
        case="Killed from outside, at any moment",
        what=(
            "a gateway process with simulated trusts and providers over its real doors; judged from the parties' own "
            "journals."
        ),
        run=_kills,
        per_seed=_KILLS,
        full=1_000,
    ),
    Proof(
        name="failing-disk",
        case="The disk fails, fills or dawdles",
        what=(
            "input/output errors, a full disk or slow synchronisation at any write of a working day; nothing may be "
            "answered that was not stored."
        ),
        run=_failing_disk,
        per_seed=60,
        full=3_000,
    ),
    Proof(
        name="syscalls",
        case="One system call of the real server",
        what=(
            "`gateway serve` under strace, between a trust and a provider that keep journals: the n-th write, "
            "synchronisation, truncation, renaming or opening of a file, connection or sending fails, dawdles or is "
            "its last. It is then served again and sent it all once more; a failed synchronisation must have ended it."
        ),
        run=_syscalls,
        per_seed=100,
        full=2_000,
    ),
    Proof(
        name="orders-of-events",
        case="Every order of events of one line",
        what=(
            "breadth-first search over the product's own tables: two providers, cancel, re-route, crashes, late and "
            "repeated answers; a case is one reachable world. Four searches, one for each pair of promises a provider "
            "may make, each to its end; one that stops before it is a fault."
        ),
        run=_orders_of_events,
        per_seed=625_000,
        full=2_500_000,
    ),
    Proof(
        name="races",
        case="Two at the same moment",
        what=(
            "two workers, two operators, a double click, the same message twice, a cancel against the first byte, an "
            "answer against a cancel: at two stores over one file, in two threads or two processes; one wins, and "
            "both are answered what the tables then say"
        ),
        run=_races,
        per_seed=220,
        full=20_000,
    ),
    Proof(
        name="races-postgres",
        case="Two at the same moment, on PostgreSQL",
        what="the same on the other engine: two stores with a connection each to a real server",
        run=_races_on_postgres,
        per_seed=220,
        full=20_000,
    ),
    Proof(
        name="mutants",
        case="Planted mistakes, each noticed",
        what=(
            "twenty mistakes that such gateways are known to make are planted in the code one by one, and one of the "
            "suites must notice each within a minute; one that is not noticed is counted as silent"
        ),
        run=mutants.run,
        per_seed=1,
        full=20,
        whole=True,
    ),
)
