"""Every proof of `docs/reliability.md`, from the command line.

    python -m tests.faults [--scale 0.1] [--only NAME] [--jobs 2] [--go-on] [--record]

Work is cut into pieces of one seed each; a finished piece is kept in `build/faults/`, so that a run that was stopped
goes on where it was, on the same commit, and a larger scale adds to a smaller one. What was tried on another commit, or
on code that no commit has, is tried again; `--fresh` begins anew. `--go-on` counts pieces of any commit, and with them
what `docs/reliability.json` says was tried on commits that this one stands on, so that another checkout goes on too,
and whatever other seeds are done.
"""

import argparse
import compileall
import json
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import Final

from tests.faults import page
from tests.faults.proofs import PROOFS, Proof
from tests.faults.table import Row, printed

ROOT: Final = Path(__file__).parents[2]
LEDGER: Final = ROOT / "build" / "faults"
_SHOWN: Final = 5


def main() -> int:
    """Run what is asked, print the table, and give 0 if every row is clean."""
    asked = _arguments()
    _compile()
    chosen = [proof for proof in PROOFS if not asked.only or proof.name in asked.only]
    rows: list[Row] = []
    kept: list[page.Kept] = []
    for proof in chosen:
        row, commits = _gathered(proof, asked)
        rows.append(row)
        kept.append(page.keep(row, full=proof.full, commits=commits, what=proof.what))
        if asked.record:
            page.write(page.results(kept, whole=len(kept) == len(PROOFS)), [proof.case for proof in PROOFS])
    sys.stdout.write(printed(rows) + "\n")
    for row in rows:
        sys.stdout.write("".join(f"  {fault}\n" for fault in row.faults))
    return 0 if rows and all(row.clean for row in rows) else 1


def _compile() -> None:
    """Compile the code once, whatever the environment says of bytecode: a killed gateway begins anew every time."""
    for folder in ("gateway", "adapters", "tests"):
        compileall.compile_dir(ROOT / folder, quiet=2)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.faults")
    parser.add_argument("--scale", type=float, default=0.1, help="share of the full counts")
    parser.add_argument("--only", action="append", choices=[proof.name for proof in PROOFS], help="may be repeated")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--fresh", action="store_true", help="forget what earlier runs have done")
    parser.add_argument("--go-on", action="store_true", help="count with it what docs/reliability.json has")
    parser.add_argument("--record", action="store_true", help="write docs/reliability.json and its page")
    return parser.parse_args()


def _gathered(proof: Proof, asked: argparse.Namespace) -> tuple[Row, list[str]]:
    folder = LEDGER / proof.name
    folder.mkdir(parents=True, exist_ok=True)
    earlier = page.known(proof.case) if asked.go_on and not asked.fresh else None
    known = page.seeds_of(earlier) if earlier else frozenset[int]()
    seeds = proof.seeds(asked.scale)
    commit = page.commit()
    done = finished(folder, commit, any_commit=asked.go_on) - known if not asked.fresh else set[int]()
    kept = done if asked.go_on else done.intersection(seeds)
    missing = [seed for seed in seeds if seed not in known | kept]
    with ProcessPoolExecutor(max_workers=asked.jobs, max_tasks_per_child=1 if proof.apart else None) as pool:
        found = pool.map(proof.run, [range(seed, seed + 1) for seed in missing])
        for seed, row in zip(missing, found, strict=True):
            (folder / f"{seed}.json").write_text(json.dumps({"commit": commit, "row": asdict(row)}))
            sys.stderr.write(f"{proof.name}: seed {seed} of {missing[-1]}, {row.tried} tried\n")
    pieces = list(_pieces(folder, sorted(kept.union(missing))))
    rows, commits = [row for _, row in pieces], [commit for commit, _ in pieces]
    if earlier is not None:
        rows, commits = [page.row_of(earlier), *rows], [*earlier["commits"], *commits]
    return _sum(proof, page.in_words(known.union(kept, missing)), rows), list(dict.fromkeys(commits))


def finished(folder: Path, commit: str, *, any_commit: bool) -> set[int]:
    """Give the seeds that are finished: on this commit or, where any counts, on one that others can have too."""
    tried = {int(file.stem): str(json.loads(file.read_text())["commit"]) for file in folder.iterdir()}
    return {seed for seed, on in tried.items() if not on.endswith(page.CHANGED) and (any_commit or on == commit)}


def _pieces(folder: Path, seeds: Sequence[int]) -> Iterator[tuple[str, Row]]:
    for seed in seeds:
        found = json.loads((folder / f"{seed}.json").read_text())
        yield found["commit"], Row(**{**found["row"], "faults": tuple(found["row"]["faults"])})


def _sum(proof: Proof, seeds: str, rows: Sequence[Row]) -> Row:
    return Row(
        case=proof.case,
        tried=sum(row.tried for row in rows),
        lost=sum(row.lost for row in rows),
        doubled=sum(row.doubled for row in rows),
        silent=sum(row.silent for row in rows),
        seconds=round(sum(row.seconds for row in rows), 1),
        seeds=seeds,
        faults=tuple(fault for row in rows for fault in row.faults)[:_SHOWN],
    )


if __name__ == "__main__":
    sys.exit(main())
