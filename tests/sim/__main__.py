"""The simulator from the command line.

    python -m tests.sim --seeds 1-50 --prescriptions 100 --jobs 2 [--json FILE]
    python -m tests.sim --seed 17 --prescriptions 100          one seed: its faults, each made as small as may be

Beside the result stands how often each thing was met, and in how many of the seeds. Finished seeds are kept in
`build/sim/`, so that a run that was stopped goes on where it was; `--fresh` begins anew.
"""

import argparse
import json
import sys
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Final

from tests.faults.table import Row, printed
from tests.sim import proof
from tests.sim.met import FROM_ACTORS, FROM_TABLES
from tests.sim.plan import plan

LEDGER: Final = Path(__file__).parents[2] / "build" / "sim"


def main() -> int:
    """Run what is asked and print the table; gives 0 if it is clean."""
    asked = _arguments()
    return _one(asked.seed, asked.prescriptions) if asked.seed is not None else _many(asked)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.sim")
    parser.add_argument("--seed", type=int, help="one seed, with the smallest counter-example of each fault")
    parser.add_argument("--seeds", default="1-10", help="first and last, as 1-10")
    parser.add_argument("--prescriptions", type=int, default=100, help="in each seed")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--fresh", action="store_true", help="forget what earlier runs have done")
    parser.add_argument("--json", type=Path, help="write the row to this file too")
    return parser.parse_args()


def _one(seed: int, prescriptions: int) -> int:
    what = plan(seed, prescriptions)
    outcome = proof.live(what)
    seen = ", ".join(f"{count} {name}" for name, count in outcome.seen.items())
    sys.stdout.write(f"seed {seed}, {prescriptions} prescriptions, {len(what.acts)} acts: {seen}\n")
    kinds: dict[str, str] = {}
    for fault in outcome.faults:
        kinds.setdefault(proof.kind_of(fault), fault)
    for fault in kinds.values():
        sys.stdout.write(f"\n{fault}\n")
        sys.stdout.write("".join(f"  {line}\n" for line in proof.counter_example(what, fault)))
    sys.stdout.write(f"\npython -m tests.sim --seed {seed} --prescriptions {prescriptions}\n" if kinds else "")
    return 1 if kinds else 0


def _many(asked: argparse.Namespace) -> int:
    first, _, last = asked.seeds.partition("-")
    wanted = range(int(first), int(last or first) + 1)
    folder = LEDGER / f"{asked.prescriptions}-each"
    folder.mkdir(parents=True, exist_ok=True)
    missing = [seed for seed in wanted if asked.fresh or not (folder / f"{seed}.json").exists()]
    with ProcessPoolExecutor(max_workers=asked.jobs) as pool:
        work = partial(_seed, prescriptions=asked.prescriptions)
        for seed, (row, seen) in zip(missing, pool.map(work, missing, chunksize=4), strict=True):
            (folder / f"{seed}.json").write_text(json.dumps({"row": asdict(row), "met": seen}))
    kept = [json.loads((folder / f"{seed}.json").read_text()) for seed in wanted]
    whole = _sum([Row(**one["row"]) for one in kept], f"{wanted.start}-{wanted.stop - 1}")
    met = {name: [one["met"].get(name, 0) for one in kept] for name in sorted(FROM_TABLES | FROM_ACTORS)}
    counts = {name: {"times": sum(times), "seeds": sum(map(bool, times))} for name, times in met.items()}
    sys.stdout.write(printed([whole]) + "\n" + "".join(f"  {fault}\n" for fault in whole.faults))
    sys.stdout.write(_counted(counts))
    if asked.json:
        asked.json.write_text(json.dumps({"row": asdict(whole), "met": counts}, indent=1) + "\n")
    return 0 if whole.clean else 1


def _counted(counts: dict[str, dict[str, int]]) -> str:
    """Give the table of what was met, rarest first."""
    rows = sorted(counts.items(), key=lambda one: (one[1]["seeds"], one[0]))
    lines = [f"{name:<44} {one['times']:>9} {one['seeds']:>6}\n" for name, one in rows]
    return f"\n{'met':<44} {'times':>9} {'seeds':>6}\n" + "".join(lines)


def _seed(seed: int, *, prescriptions: int) -> tuple[Row, dict[str, int]]:
    seen: Counter[str] = Counter()
    row = proof.run(range(seed, seed + 1), per_seed=prescriptions, seen=seen)
    return row, dict(seen)


def _sum(rows: list[Row], seeds: str) -> Row:
    return Row(
        case=rows[0].case,
        tried=sum(row.tried for row in rows),
        lost=sum(row.lost for row in rows),
        doubled=sum(row.doubled for row in rows),
        silent=sum(row.silent for row in rows),
        seconds=sum(row.seconds for row in rows),
        seeds=seeds,
        faults=tuple(fault for row in rows for fault in row.faults),
    )


if __name__ == "__main__":
    sys.exit(main())
