"""Measures the gateway, whole and stage by stage, beside the bare ceilings of the machine, and prints the page.

python -m bench [--data FOLDER] [--record COMMIT]
"""

import argparse
import os
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from bench import report
from bench.ceilings import ceilings
from bench.fhir import compare
from bench.neighbours import neighbours
from bench.parties import PROVIDERS, Parties
from bench.rounds import CPU, CPU_OF_LOOP, Figure, Lane, at_half, by_door, figures, missing, saturated
from bench.served import Served, on_real_disk
from bench.stages import rows
from bench.where import looked_at, spent

SECONDS = 5.0
SEED = 7
_BUILD = Path(__file__).parents[1] / "build"


class _Whole(NamedTuple):
    """What was measured of the whole gateway."""

    figures: dict[str, Figure]
    where: dict[str, float]
    doors: dict[str, float]
    missing: dict[str, int]
    neighbours: dict[str, float]


def main() -> int:
    """Measure everything; give the exit code."""
    stated = argparse.ArgumentParser(prog="python -m bench")
    stated.add_argument("--data", type=Path, default=_BUILD, help="a folder on a real disk")
    stated.add_argument("--record", metavar="COMMIT", help="write docs/performance.json and docs/performance.md")
    arguments = stated.parse_args()
    arguments.data.mkdir(parents=True, exist_ok=True)
    if not on_real_disk(arguments.data):
        print(f"{arguments.data} is not on a disk; state another folder with --data", file=sys.stderr)
        return 2
    load = report.machine()[1]
    with TemporaryDirectory(dir=arguments.data) as folder:
        whole = _served(Path(folder))
        _say("the bare ceilings")
        bare = ceilings(Path(folder))
    _say("each stage alone")
    stages, written = rows()
    measured = report.figures(
        commit=arguments.record or "not recorded",
        load=load,
        served=whole.figures,
        where=whole.where,
        doors=whole.doors,
        missing=whole.missing,
        neighbours=whole.neighbours,
        ceilings=bare,
        stages=((row.stage, row.microseconds) for row in stages),
        written=written,
        fhir=compare(SECONDS),
    )
    print(report.page(measured))
    if arguments.record:
        report.write(measured)
    return os.EX_OK


def _served(folder: Path) -> _Whole:
    served = Served(folder, PROVIDERS)
    served.start()
    try:
        with Parties(served, seed=SEED) as parties:
            lane = Lane(served, parties)
            _say("as much as it carries")
            full = saturated(lane)
            _say("half of that")
            half = at_half(lane, full)
            measured = figures(full, half)
            _say("where the time goes")
            with looked_at(served.pid, folder) as stacks:
                lane.round(full[0].acknowledged, rate=0.0)
            loop = measured[CPU_OF_LOOP][0]
            where = spent(stacks, loop=loop, others=measured[CPU][0] - loop)
            _say("each door alone")
            doors = by_door(lane)
            _say("one sick provider, and an outage of all")
            sick = neighbours(parties, rate=measured["acknowledged a second"][0] / 2)
            return _Whole(measured, where, doors, missing([*full, *half]), sick)
    finally:
        served.stop()


def _say(what: str) -> None:
    print(f"measuring: {what}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
