"""Every proof of `docs/reliability.md`, from the command line.

    python -m tests.faults [--scale 0.1] [--only NAME] [--jobs 2] [--record FILE]

Work is cut into pieces of one seed each; a finished piece is kept in `build/faults/`, so that a run that was stopped
goes on where it was, and a larger scale adds to a smaller one. `--fresh` begins anew.
"""

import argparse
import json
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Final

from tests.faults import failing_disk, failpoints, power_loss
from tests.faults.table import Row, printed

LEDGER: Final = Path(__file__).parents[2] / "build" / "faults"


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """One kind of case.

    Attributes:
        run: tries the cases of some seeds.
        per_seed: cases in a seed.
        full: cases in the full count.
    """

    name: str
    run: Callable[[range], Row]
    per_seed: int
    full: int

    def seeds(self, scale: float) -> range:
        """Give the seeds that a scale asks for."""
        return range(1, 1 + max(1, -(-int(self.full * scale) // self.per_seed)))


def _power_loss(seeds: range) -> Row:
    return power_loss.run(seeds, per_day=500)


def _failpoints(seeds: range) -> Row:
    return failpoints.run(seeds, per_seed=200)


def _failing_disk(seeds: range) -> Row:
    return failing_disk.run(seeds, per_seed=20)


PROOFS: Final = (
    Proof(name="power-loss", run=_power_loss, per_seed=500, full=100_000),
    Proof(name="failpoints", run=_failpoints, per_seed=200, full=10_000),
    Proof(name="failing-disk", run=_failing_disk, per_seed=60, full=3_000),
)


def main() -> int:
    """Run what is asked, print the table, and give 0 if every row is clean."""
    asked = _arguments()
    chosen = [proof for proof in PROOFS if asked.only in {"", proof.name}]
    rows = [_gathered(proof, asked.scale, jobs=asked.jobs, fresh=asked.fresh) for proof in chosen]
    sys.stdout.write(printed(rows) + "\n")
    for row in rows:
        sys.stdout.write("".join(f"  {fault}\n" for fault in row.faults))
    if asked.json:
        asked.json.write_text(json.dumps([asdict(row) for row in rows], indent=1) + "\n")
    return 0 if rows and all(row.clean for row in rows) else 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.faults")
    parser.add_argument("--scale", type=float, default=0.1, help="share of the full counts")
    parser.add_argument("--only", default="", choices=["", *(proof.name for proof in PROOFS)])
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--fresh", action="store_true", help="forget what earlier runs have done")
    parser.add_argument("--json", type=Path, help="write the rows to this file too")
    return parser.parse_args()


def _gathered(proof: Proof, scale: float, *, jobs: int, fresh: bool) -> Row:
    folder = LEDGER / proof.name
    folder.mkdir(parents=True, exist_ok=True)
    wanted = proof.seeds(scale)
    missing = [seed for seed in wanted if fresh or not (folder / f"{seed}.json").exists()]
    with ProcessPoolExecutor(max_workers=jobs, max_tasks_per_child=1) as pool:
        for seed, row in zip(missing, pool.map(proof.run, [range(s, s + 1) for s in missing]), strict=True):
            (folder / f"{seed}.json").write_text(json.dumps(asdict(row)))
            sys.stderr.write(f"{proof.name}: seed {seed} of {wanted.stop - 1}, {row.tried} tried\n")
    return _sum(proof, wanted, list(_kept(folder, wanted)))


def _kept(folder: Path, seeds: range) -> Iterator[Row]:
    for seed in seeds:
        found = json.loads((folder / f"{seed}.json").read_text())
        yield Row(**{**found, "faults": tuple(found["faults"])})


def _sum(proof: Proof, seeds: range, rows: list[Row]) -> Row:
    return replace(
        rows[0],
        case=max((row.case for row in rows), key=len) if rows else proof.name,
        tried=sum(row.tried for row in rows),
        lost=sum(row.lost for row in rows),
        doubled=sum(row.doubled for row in rows),
        silent=sum(row.silent for row in rows),
        seconds=round(sum(row.seconds for row in rows), 1),
        seeds=f"{seeds.start}-{seeds.stop - 1}",
        faults=tuple(fault for row in rows for fault in row.faults)[:5],
    )


if __name__ == "__main__":
    sys.exit(main())
