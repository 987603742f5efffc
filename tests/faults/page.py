"""The page `docs/reliability.md`, made from the results in `docs/reliability.json` and from nothing else.

    python -m tests.faults --scale 0.1 --record

tries, writes the results and the page. A test fails when the two differ.
"""

import json
import os
import platform
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, TypedDict

import apsw

from tests.faults.table import Row

ROOT: Final = Path(__file__).parents[2]
RESULTS: Final = ROOT / "docs" / "reliability.json"
PAGE: Final = ROOT / "docs" / "reliability.md"


class Kept(TypedDict):
    """One row as it is kept: the row, what its full count is, and the commits it was tried on."""

    row: dict[str, object]
    full: int
    commits: list[str]
    what: str


class Results(TypedDict):
    """What is kept of one or several runs."""

    date: str
    command: str
    machine: str
    kept: list[Kept]


def machine() -> str:
    """Say what it ran on."""
    return (
        f"{os.cpu_count()} cores ({_processor()}), {platform.system()} {platform.release().split('-')[0]},"
        f" Python {platform.python_version()}, SQLite {apsw.sqlite_lib_version()}"
    )


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown")


def commit() -> str:
    """Give the commit of the code that is tried, marked where the tree differs from it."""
    git = ("git", "-C", str(ROOT))
    name = subprocess.run((*git, "rev-parse", "--short", "HEAD"), capture_output=True, text=True, check=True).stdout
    changed = subprocess.run((*git, "status", "--porcelain", "gateway"), capture_output=True, text=True, check=True)
    return name.strip() + ("+" if changed.stdout else "")


def results(kept: Sequence[Kept]) -> Results:
    """Put the results of this run together with when and where."""
    command = "python -m tests.faults " + " ".join(sys.argv[1:])
    return Results(date=datetime.now(UTC).date().isoformat(), command=command, machine=machine(), kept=list(kept))


def keep(row: Row, *, full: int, commits: Sequence[str], what: str) -> Kept:
    """Put a row in the form in which it is kept."""
    return Kept(row=asdict(row), full=full, commits=list(commits), what=what)


def write(found: Results, order: Sequence[str]) -> None:
    """Keep the results, with those of proofs that were not run now, in this order of cases, and write the page."""
    names = {one["row"]["case"] for one in found["kept"]}
    earlier = read()["kept"] if RESULTS.exists() else []
    every = [*found["kept"], *(one for one in earlier if one["row"]["case"] not in names)]
    found["kept"] = sorted(every, key=lambda one: order.index(str(one["row"]["case"])))
    RESULTS.write_text(json.dumps(found, indent=1) + "\n")
    PAGE.write_text(page(found))


def read() -> Results:
    """Give the results that are kept."""
    kept: Results = json.loads(RESULTS.read_text())
    return kept


_HEAD: Final = """\
# Never lost, never twice: what was tried

This page is made from `reliability.json`. *Lost*: answered positively and gone. *Doubled*: supplied, sent or stored
twice. *Silent*: neither finished nor due nor alerted, or changed without a word. *Of*: the count of a full run.
`make faults` tries a tenth of it, and `make faults-full` goes on where the last run stopped.

| Case | Tried | Of | Lost | Doubled | Silent | Seeds | Seconds | Commit |
|---|---:|---:|---:|---:|---:|---|---:|---|
"""


def page(found: Results) -> str:
    """Write the page."""
    lines = [_line(one) for one in found["kept"]]
    notes = [f"- **{one['row']['case']}**: {one['what']}" for one in found["kept"]]
    faults = [f"- {one['row']['case']}: {fault}" for one in found["kept"] for fault in _faults(one)]
    parts = [_HEAD + "\n".join(lines), "## What each case is", "\n".join(notes)]
    if faults:
        parts += ["## Faults found", "\n".join(faults)]
    where = f"The last part was tried on {found['date']} with `{found['command']}`: {found['machine']}."
    return "\n\n".join((*parts, "## Where", where)) + "\n"


def _line(one: Kept) -> str:
    row = one["row"]
    commits = one["commits"]
    span = commits[0] if len(commits) == 1 else f"{commits[0]} to {commits[-1]} ({len(commits)})"
    return (
        f"| {row['case']} | {row['tried']:,} | {one['full']:,} | {row['lost']} | {row['doubled']} | {row['silent']} |"
        f" {row['seeds']} | {row['seconds']:,.0f} | {span} |"
    )


def _faults(one: Kept) -> list[str]:
    faults = one["row"]["faults"]
    return [str(fault) for fault in faults] if isinstance(faults, list | tuple) else []
