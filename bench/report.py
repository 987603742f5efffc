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

DOCS = Path(__file__).parents[1] / "docs"
FIGURES = DOCS / "performance.json"
PAGE = DOCS / "performance.md"
COMMAND = "make bench"
WHOLE = ("hl7v2: receive, 64 at once", "store: claim, put on wire, record", "store: acknowledge")
"""Stages that one prescription goes through once, beside the doors and the sending itself."""
ALLOWED = 2000
"""CPU microseconds a prescription: 2 CPU-seconds for 1,000, doors and sending included."""
Stages: TypeAlias = "dict[str, float]"


class Figures(TypedDict):
    """What is kept of one measurement; times are CPU microseconds."""

    date: str
    commit: str
    command: str
    cores: int
    python: str
    stages: Stages
    fhir: dict[str, float]


@dataclass(frozen=True, slots=True)
class Target:
    """What stages may cost together."""

    name: str
    stages: tuple[str, ...]
    microseconds: int


TARGETS = (
    Target("HL7 v2 read", ("hl7v2: read",), 500),
    Target("Trust XML read", ("xml: read",), 500),
    Target("FHIR read", ("fhir: read",), 600),
    Target("choose, write, check", ("hl7v2: choose, write, check",), 900),
    Target("store: accept", ("store: accept",), 400),
    Target("store: send and acknowledge", WHOLE[1:], 500),
)


def figures(stages: Iterable[tuple[str, float]], fhir: dict[str, float], *, commit: str) -> Figures:
    """Put a measurement together with where and when it was made."""
    return Figures(
        date=datetime.now(UTC).date().isoformat(),
        commit=commit,
        command=COMMAND,
        cores=os.cpu_count() or 1,
        python=platform.python_version(),
        stages={name: round(microseconds) for name, microseconds in stages},
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
    stages = measured["stages"]
    unit = next(iter(stages.values()))
    rows = [f"| {name} | {cost:,.0f} | {cost / unit:.1f} |" for name, cost in stages.items()]
    whole = sum(stages[name] for name in WHOLE)
    return "\n".join(
        [
            "# Performance",
            "",
            f"Measured on {measured['date']} at commit `{measured['commit']}` with `{measured['command']}`:",
            f"Python {measured['python']}, {measured['cores']} cores that other work shared. This page is made from",
            "`docs/performance.json`; do not edit it.",
            "",
            "## What one prescription costs, stage by stage",
            "",
            "CPU microseconds of all threads, best of several rounds; beside each, the ratio to one bare ES256",
            "signature of the same run, because machines differ. The store is on a real file, with full",
            "synchronisation.",
            "",
            "| Stage | CPU µs | in signatures |",
            "|---|---:|---:|",
            *rows,
            "",
            "## Beside the targets",
            "",
            "| Stage | CPU µs | target | times the target |",
            "|---|---:|---:|---:|",
            *(_beside(target, stages) for target in TARGETS),
            f"| one prescription, doors and sending left out | {whole:,.0f} | {ALLOWED:,} | {whole / ALLOWED:.1f} |",
            "",
            _verdict(stages, whole),
            "",
            "Where the time goes: reading and writing are spread thin over some ten thousand calls of small Python",
            "functions, with no single place that dominates; the store's is mostly SQLite itself, compression of the",
            "trace and encoding of the documents.",
            "",
            "Not measured here yet: the doors (HTTP, MLLP), sending over a socket, answer times at half load, memory",
            "of the whole process, bytes written, and how the books behave with a million rows.",
            "",
            "## The FHIR check beside `fhir.resources`",
            "",
            "| | |",
            "|---|---:|",
            *(f"| {name} | {value:,} |" for name, value in measured["fhir"].items()),
            "",
        ]
    )


def _beside(target: Target, stages: Stages) -> str:
    cost = sum(stages[name] for name in target.stages)
    return f"| {target.name} | {cost:,.0f} | {target.microseconds:,} | {cost / target.microseconds:.1f} |"


def _verdict(stages: Stages, whole: float) -> str:
    missed = [t.name for t in TARGETS if sum(stages[name] for name in t.stages) > t.microseconds]
    if not missed and whole <= ALLOWED:
        return "Every target of this table is met."
    return (
        f"**{len(missed)} of {len(TARGETS)} stage targets are missed.** At these figures one core carries "
        f"{1e6 / whole:,.0f} prescriptions a second through reading, checking, sealing and keeping; 500 a second on "
        f"one core's worth of CPU needs {ALLOWED:,} µs or less for everything."
    )
