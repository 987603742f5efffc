"""The simulator as one row of the proofs' table, and one seed as a failure that can be run again.

Source: reliability-security.md T6, 3.4.
"""

import gc
from collections import Counter
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from time import monotonic
from typing import Final

from tests.faults.table import Row
from tests.sim.plan import Plan, plan
from tests.sim.shrink import smallest
from tests.sim.world import World

_SHOWN: Final = 5


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one seed's life came to.

    Attributes:
        faults: each once, in the order in which they were found.
        seen: how often what is worth meeting was met.
    """

    faults: tuple[str, ...]
    seen: Counter[str]


def live(what: Plan, only: Collection[int] | None = None) -> Outcome:
    """Live one plan, or some acts of it. A crash of the gateway's own code is a fault like any other."""
    world = World(what)
    try:
        with _no_sweeping():
            world.live(only)
    except Exception as error:  # noqa: BLE001 - whatever the code under test raises is what is looked for
        place = error.__traceback__
        while place is not None and place.tb_next is not None:
            place = place.tb_next
        where = f"{place.tb_frame.f_code.co_filename}:{place.tb_lineno}" if place is not None else ""
        world.oracle.fault(f"silent: {type(error).__name__} in {where.rpartition('/')[2]}: {error}")
    return Outcome(tuple(dict.fromkeys(world.oracle.faults)), world.oracle.seen)


@contextmanager
def _no_sweeping() -> Iterator[None]:
    """Look for garbage after a world and not in it: nearly all that it makes it keeps to its end."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def counter_example(what: Plan, fault: str, *, tries: int = 300) -> list[str]:
    """Give the fewest acts that still end in a fault of the same kind, in words."""
    kind = kind_of(fault)
    numbers = smallest(
        [act.number for act in what.acts],
        lambda only: any(kind_of(found) == kind for found in live(what, frozenset(only)).faults),
        tries=tries,
    )
    chosen = [act for act in what.acts if act.number in set(numbers)]
    return [f"{act.at:>10.1f} s  {act.kind.value} {act.subject}" for act in chosen]


def kind_of(fault: str) -> str:
    """Give what a fault says without the ids that it names."""
    words = (word for word in fault.split() if not any(sign.isdigit() for sign in word))
    return " ".join(words)[:60]


def run(seeds: range, *, per_seed: int, seen: Counter[str] | None = None) -> Row:
    """Live every seed, with so many prescriptions each; to `seen` is added what they met."""
    begun, faults, count = monotonic(), [], Counter[str]()
    for seed in seeds:
        outcome = live(plan(seed, per_seed))
        if seen is not None:
            seen.update(outcome.seen)
        for fault in outcome.faults:
            count[fault.partition(":")[0]] += 1
            faults.append(f"{fault} (python -m tests.sim --seed {seed} --prescriptions {per_seed})")
    return Row(
        case="simulated, whatever a seed draws",
        tried=len(seeds) * per_seed,
        lost=count["lost"],
        doubled=count["doubled"],
        silent=count["silent"],
        seconds=monotonic() - begun,
        seeds=f"{seeds.start}-{seeds.stop - 1}",
        faults=tuple(faults[:_SHOWN]),
    )
