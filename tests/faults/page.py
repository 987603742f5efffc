"""The page `docs/reliability.md`, made from the results in `docs/reliability.json` and from nothing else.

    python -m tests.faults --scale 0.1 --record

tries, writes the results and the page. A test fails when the two differ.
"""

import json
import os
import platform
import subprocess
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, NotRequired, TypedDict, cast

import apsw

from tests.faults.table import Row

ROOT: Final = Path(__file__).parents[2]
RESULTS: Final = ROOT / "docs" / "reliability.json"
PAGE: Final = ROOT / "docs" / "reliability.md"
CHANGED: Final = "+"
"""Ends the name of a commit from which the tree differs: nobody else can have that code."""


class Kept(TypedDict):
    """One row as it is kept: the row, what its full count is, and the commits it was tried on."""

    row: dict[str, object]
    full: int
    commits: list[str]
    what: str


class Whole(TypedDict):
    """The last run of every proof in one go."""

    date: str
    command: str
    commits: list[str]
    rows: list[dict[str, object]]


class Results(TypedDict):
    """What is kept of one or several runs.

    Attributes:
        kept: of each case what was tried most, on commits of this history.
        whole: none before every proof was run in one go.
    """

    date: str
    command: str
    machine: str
    kept: list[Kept]
    whole: NotRequired[Whole]


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
    changed = subprocess.run(
        (*git, "status", "--porcelain", "gateway", "adapters", "tests"), capture_output=True, text=True, check=True
    )
    return name.strip() + (CHANGED if changed.stdout else "")


def results(kept: Sequence[Kept], *, whole: bool) -> Results:
    """Put the results of this run together with when and where.

    Args:
        kept: a row for each proof.
        whole: every proof was run.
    """
    command, date = "python -m tests.faults " + " ".join(sys.argv[1:]), datetime.now(UTC).date().isoformat()
    found = Results(date=date, command=command, machine=machine(), kept=list(kept))
    if whole:
        commits = list(dict.fromkeys(commit for one in kept for commit in one["commits"]))
        found["whole"] = Whole(date=date, command=command, commits=commits, rows=[one["row"] for one in kept])
    return found


def keep(row: Row, *, full: int, commits: Sequence[str], what: str) -> Kept:
    """Put a row in the form in which it is kept."""
    return Kept(row=asdict(row), full=full, commits=list(commits), what=what)


def write(found: Results, order: Sequence[str]) -> None:
    """Keep the results in this order of cases, beside those of earlier runs, and write the page.

    Of a case that was tried more often before, the earlier row stays, if nothing was found now.
    """
    earlier = read() if RESULTS.exists() else None
    best = {one["row"]["case"]: one for one in found["kept"]}
    for one in earlier["kept"] if earlier else ():
        now = best.get(one["row"]["case"])
        if _is_known(one) and (now is None or (row_of(now).clean and row_of(now).tried < row_of(one).tried)):
            best[one["row"]["case"]] = one
    found["kept"] = sorted(best.values(), key=lambda one: order.index(str(one["row"]["case"])))
    if earlier and "whole" in earlier:
        found.setdefault("whole", earlier["whole"])
    RESULTS.write_text(json.dumps(found, indent=1) + "\n")
    PAGE.write_text(page(found))


def read() -> Results:
    """Give the results that are kept."""
    kept: Results = json.loads(RESULTS.read_text())
    return kept


def known(case: str) -> Kept | None:
    """Give what is kept of a case, if every commit it was tried on is in this history and nothing was found."""
    found = next((one for one in read()["kept"] if one["row"]["case"] == case), None) if RESULTS.exists() else None
    return found if found is not None and _is_known(found) and row_of(found).clean else None


def row_of(one: Kept) -> Row:
    """Give the row that is kept."""
    row = cast("dict[str, Any]", one["row"])
    return Row(**{**row, "faults": tuple(row["faults"])})


def seeds_of(one: Kept) -> frozenset[int]:
    """Give the seeds of what is kept, which `in_words` has written."""
    parts = [part.partition("-") for part in row_of(one).seeds.split(", ")]
    return frozenset(seed for first, _, last in parts for seed in range(int(first), int(last) + 1))


def in_words(seeds: Iterable[int]) -> str:
    """Write seeds as the ranges they fill, for example `1-270, 440-500`."""
    runs: list[list[int]] = []
    for seed in sorted(seeds):
        if runs and seed == runs[-1][1] + 1:
            runs[-1][1] = seed
        else:
            runs.append([seed, seed])
    return ", ".join(f"{first}-{last}" for first, last in runs)


def _is_known(one: Kept) -> bool:
    """Tell whether this commit stands on all those that a row was tried on: others nobody can look up."""
    return all(not commit.endswith(CHANGED) and _stands_on(commit) for commit in one["commits"])


def _stands_on(commit: str) -> bool:
    git = ("git", "-C", str(ROOT), "merge-base", "--is-ancestor", commit, "HEAD")
    return subprocess.run(git, capture_output=True, check=False).returncode == 0


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
    if "whole" in found:
        parts += ["## Every case in one go", _whole(found["whole"])]
    where = f"The last part was tried on {found['date']} with `{found['command']}`: {found['machine']}."
    return "\n\n".join((*parts, "## Where", where)) + "\n"


def _whole(one: Whole) -> str:
    return "\n".join(
        [
            f"On {one['date']}, at {', '.join(one['commits'])}, with `{one['command']}`.",
            "",
            "| Case | Tried | Lost | Doubled | Silent |",
            "|---|---:|---:|---:|---:|",
            *(
                f"| {row['case']} | {row['tried']:,} | {row['lost']} | {row['doubled']} | {row['silent']} |"
                for row in one["rows"]
            ),
        ]
    )


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
