"""The page `docs/performance.md`, made from the figures in `docs/performance.json` and from nothing else.

    python -m bench --record COMMIT

measures, writes the figures and the page. A test fails when the two differ.
"""

import json
import os
import platform
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeAlias, TypedDict

from bench.rounds import Figure

DOCS = Path(__file__).parents[1] / "docs"
FIGURES = DOCS / "performance.json"
PAGE = DOCS / "performance.md"
COMMAND = "make bench"
Stages: TypeAlias = "dict[str, float]"


class Figures(TypedDict):
    """What is kept of one measurement. Of several rounds: median, least and most.

    `stages` are CPU microseconds; `where` CPU milliseconds of a prescription by what they are spent on, and empty where
    nobody was let look; `doors` those of a prescription through one door; the others say their unit in their names.
    `load` is the machine's load average before the measurement began.
    """

    date: str
    commit: str
    command: str
    cores: int
    load: float
    python: str
    served: dict[str, Figure]
    where: dict[str, float]
    doors: dict[str, float]
    missing: dict[str, int]
    neighbours: dict[str, float]
    ceilings: dict[str, float]
    stages: Stages
    written: dict[str, float]
    fhir: dict[str, float]


@dataclass(frozen=True, slots=True)
class Target:
    """What one figure of the served gateway is to be: at most so much, or at least."""

    figure: str
    bound: float
    least: bool = False

    def met(self, value: float) -> bool:
        """Tell whether a value is good enough."""
        return value >= self.bound if self.least else value <= self.bound


@dataclass(frozen=True, slots=True)
class Allowance:
    """What stages may cost together, in CPU microseconds."""

    name: str
    stages: tuple[str, ...]
    microseconds: int


MOST_WRITTEN = 80_000
"""Bytes a prescription."""
SERVED = (
    Target("accepted a second", 1000, least=True),
    Target("acknowledged a second", 500, least=True),
    Target("prescriptions a CPU second", 500, least=True),
    Target("CPU ms a prescription", 2),
    Target("answer p99 at half load, ms", 50),
    Target("RSS, MB", 300),
    Target("kB written a prescription", 80),
)
NEIGHBOURS = (
    Target("ratio", 1.5),
    Target("last provider's first delivery after recovery, s", 5),
)
ALLOWED = (
    Allowance("HL7 v2 read", ("hl7v2: read",), 500),
    Allowance("Trust XML read", ("xml: read",), 500),
    Allowance("FHIR read", ("fhir: read",), 600),
    Allowance("choose, write, check", ("hl7v2: choose, write, check",), 900),
    Allowance("store: accept", ("store: accept",), 400),
    Allowance("store: send and acknowledge", ("store: claim, put on wire, record", "store: acknowledge"), 500),
)


def machine() -> tuple[int, float]:
    """Give the number of cores, and how busy they are before anything is measured."""
    return os.cpu_count() or 1, os.getloadavg()[0]


def figures(
    *,
    commit: str,
    load: float,
    served: dict[str, Figure],
    where: dict[str, float],
    doors: dict[str, float],
    missing: dict[str, int],
    neighbours: dict[str, float],
    ceilings: dict[str, float],
    stages: Iterable[tuple[str, float]],
    written: dict[str, float],
    fhir: dict[str, float],
) -> Figures:
    """Put a measurement together with where and when it was made."""
    return Figures(
        date=datetime.now(UTC).date().isoformat(),
        commit=commit,
        command=COMMAND,
        cores=machine()[0],
        load=round(load, 1),
        python=platform.python_version(),
        served={name: (_kept(value), _kept(least), _kept(most)) for name, (value, least, most) in served.items()},
        where={name: round(value, 2) for name, value in where.items()},
        doors={name: _kept(value) for name, value in doors.items()},
        missing=missing,
        neighbours={name: _kept(value) for name, value in neighbours.items()},
        ceilings={name: _kept(value) for name, value in ceilings.items()},
        stages={name: round(microseconds) for name, microseconds in stages},
        written={name: round(octets) for name, octets in written.items()},
        fhir=fhir,
    )


def write(measured: Figures) -> None:
    """Keep the figures and write the page."""
    FIGURES.write_text(json.dumps(measured, indent=2) + "\n")
    PAGE.write_text(page(measured))


def read() -> Figures:
    """Give the figures that are kept."""
    kept: Figures = json.loads(FIGURES.read_text())
    return kept


def page(measured: Figures) -> str:
    """Give the page."""
    parts = (
        _head(measured),
        _served(measured),
        _where(measured["where"]),
        _doors(measured),
        _neighbours(measured),
        _ceilings(measured),
        _stages(measured["stages"]),
        _written(measured["written"]),
        _fhir(measured["fhir"]),
    )
    return "\n".join(line for part in parts for line in (*part, ""))


def _head(measured: Figures) -> list[str]:
    cores, load = measured["cores"], measured["load"]
    return [
        "# Performance",
        "",
        f"Measured on {measured['date']} at commit `{measured['commit']}` with `{measured['command']}`: Python",
        f"{measured['python']}, {cores} cores, load average {load} before the measurement began"
        + (" (other work had a share of the cores)." if load > cores / 2 else "."),
        "This page is made from `docs/performance.json`; do not edit it. Of several rounds it gives the median, and in",
        "brackets the least and the most.",
        "",
        "Senders, providers, listeners and the gateway share the machine, each in processes of its own. So what a",
        "second of the clock carries says as much of the machine and of what else it did as of the gateway; **CPU of",
        "the gateway's processes for one prescription** is the measure, and a core's worth of it is the rate to",
        "compare.",
    ]


def _served(measured: Figures) -> list[str]:
    known = {target.figure: target for target in SERVED}
    figures_ = measured["served"]
    missed = [target.figure for target in SERVED if not target.met(figures_[target.figure][0])]
    gone = measured["missing"]
    return [
        "## The gateway under load",
        "",
        "`gateway serve` on a real disk with full synchronisation. 60 % RDE over MLLP, 20 % trust XML, 20 % FHIR, from",
        "36 trusts for 7 providers; no two messages say the same. A provider takes the message, then accepts it by",
        "callback; each trust is told at its listener. The time of an answer is counted from the moment at which its",
        "message was to leave (a Poisson stream), so that waiting counts. *Acknowledged* means that the provider's",
        "acceptance is committed.",
        "",
        "| | measured | target |",
        "|---|---:|---:|",
        *(f"| {name} | {_spread(figure)} | {_bound(known.get(name))} |" for name, figure in figures_.items()),
        "",
        f"Of {gone['sent']:,} messages {gone['not taken']:,} were not taken, and {gone['not acknowledged']:,} were not",
        "acknowledged in time.",
        "",
        f"**Missed: {'; '.join(_by_how_much(known[name], figures_[name][0]) for name in missed)}.**"
        if missed
        else "Every target of this table is met.",
    ]


def _where(where: dict[str, float]) -> list[str]:
    heading = ["## Where the time goes", ""]
    if not where:
        return [*heading, "Not known: nobody looked at the gateway's threads, or was let look (`bench/where.py`)."]
    whole = sum(where.values())
    return [
        *heading,
        "The CPU of a prescription under load, by what it is spent on. In a round of its own, which counts for no",
        "other figure, py-spy looked two hundred times a second at the stacks of the threads that ran or were about",
        "to. How much the event loop used, and how much the other threads, is the system's own count; how that is",
        "shared out is an estimate.",
        "",
        "| | CPU ms | share |",
        "|---|---:|---:|",
        *(f"| {name} | {value:.2f} | {value / whole:.0%} |" for name, value in where.items()),
        f"| together | {whole:.2f} | |",
    ]


def _doors(measured: Figures) -> list[str]:
    return [
        "## By door",
        "",
        "CPU of the gateway for one prescription, from the door to its acknowledgement, one door at a time.",
        "",
        "| Door | CPU ms |",
        "|---|---:|",
        *(f"| {name} | {_number(value)} |" for name, value in measured["doors"].items()),
    ]


def _neighbours(measured: Figures) -> list[str]:
    known = {target.figure: target for target in NEIGHBOURS}
    rows = measured["neighbours"].items()
    return [
        "## One sick provider, and an outage of all",
        "",
        "| | measured | target |",
        "|---|---:|---:|",
        *(f"| {name} | {_number(value)} | {_bound(known.get(name))} |" for name, value in rows),
        "",
        "That nobody else waits, and that nobody waits out a back-off, is shown without a clock in",
        "`tests/contract/test_neighbours.py`.",
    ]


def _ceilings(measured: Figures) -> list[str]:
    return [
        "## The bare ceilings",
        "",
        "What the same machine gave, in the same run, to a program that does nothing else.",
        "",
        "| | |",
        "|---|---:|",
        *(f"| {name} | {value:,.0f} |" for name, value in measured["ceilings"].items()),
    ]


def _stages(stages: Stages) -> list[str]:
    unit = next(iter(stages.values()))
    return [
        "## Each stage alone",
        "",
        "CPU microseconds of all threads for one prescription, best of several rounds; beside each, the ratio to one",
        "bare ES256 signature of the same run, because machines differ. The store is on a real file, with full",
        "synchronisation.",
        "",
        "| Stage | CPU µs | in signatures |",
        "|---|---:|---:|",
        *(f"| {name} | {cost:,.0f} | {cost / unit:.1f} |" for name, cost in stages.items()),
        "",
        "| Stage | CPU µs | target | times the target |",
        "|---|---:|---:|---:|",
        *(_beside(allowance, stages) for allowance in ALLOWED),
    ]


def _written(written: dict[str, float]) -> list[str]:
    whole = sum(written.values())
    return [
        "## What the store writes",
        "",
        "A commit writes every page it touched to the log, and folding the log writes each of its pages once more, to",
        "the file. The more units of work share a commit, the fewer pages that is for each. So the figure under load,",
        "above, depends on how many did; this is what remains where the groups are full, every fold counted. A longer",
        "log folds more commits at once; `python -m bench.folding` counts what that saves, and",
        "DECISIONS 0080 says what else was tried.",
        "",
        "| | kB a prescription | target |",
        "|---|---:|---:|",
        *(f"| {name} | {octets / 1e3:.1f} | |" for name, octets in written.items()),
        f"| together | {whole / 1e3:.1f} | ≤ {MOST_WRITTEN / 1e3:g} |",
    ]


def _fhir(fhir: dict[str, float]) -> list[str]:
    return [
        "## The FHIR check beside `fhir.resources`",
        "",
        "| | |",
        "|---|---:|",
        *(f"| {name} | {value:,} |" for name, value in fhir.items()),
    ]


def _beside(allowance: Allowance, stages: Stages) -> str:
    cost = sum(stages[name] for name in allowance.stages)
    times = cost / allowance.microseconds
    return f"| {allowance.name} | {cost:,.0f} | {allowance.microseconds:,} | {times:.1f} |"


def _bound(target: Target | None) -> str:
    if target is None:
        return ""
    return f"{'≥' if target.least else '≤'} {target.bound:,g}"


def _by_how_much(target: Target, value: float) -> str:
    times = target.bound / value if target.least else value / target.bound
    return f"{target.figure}, by a factor of {times:.1f}"


def _spread(figure: Figure) -> str:
    value, least, most = figure
    return _number(value) if least == most else f"{_number(value)} ({_number(least)} to {_number(most)})"


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"  # noqa: PLR2004 - three figures are enough


def _kept(value: float) -> float:
    return float(f"{value:.4g}")
