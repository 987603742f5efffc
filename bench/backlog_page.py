"""The pages `docs/backlog*.md`, one for each engine, made from the figures in the JSON beside them and nothing else."""

import json
from pathlib import Path
from typing import Final, NotRequired, TypeAlias, TypedDict

DOCS: Final = Path(__file__).parents[1] / "docs"
SQLITE: Final = "sqlite"
ENGINES: Final = {SQLITE: "backlog", "postgres": "backlog-postgres"}
"""The names of the pages."""
MOST_RATIO: Final = 1.3
MOST_MILLISECONDS: Final = 100
MOST_DETAIL: Final = 150
MOST_PAINT_KB: Final = 200
WANTED: Final = (1_000_000, 5_000_000)
"""Rows still to be sent, and prescriptions in the books, that are to be measured."""
_POSTGRES: Final = (
    "The rows are those of the SQLite file, copied (`bench/books_postgres.py` states the server's settings). CPU is of",
    "the gateway alone, and the server's work is in the clock, by which the target is judged here.",
)
Figures: TypeAlias = "dict[str, float]"


class Measured(TypedDict):
    """What is kept of one measurement: of `flat` microseconds and ratios, of `sought` milliseconds.

    Attributes:
        pages: of the console, in milliseconds; none where they were not measured.
        first_paint: bytes of the home page with all that it loads.
    """

    date: str
    commit: str
    command: str
    cores: int
    load: float
    rows: int
    prescriptions: int
    backlog_bytes: int
    books_bytes: int
    engine: str
    flat: dict[str, Figures]
    sought: dict[str, Figures]
    pages: NotRequired[dict[str, Figures]]
    first_paint: NotRequired[int]


def write(measured: Measured) -> None:
    """Keep the figures and write the page."""
    figures(measured["engine"]).write_text(json.dumps(measured, indent=2) + "\n")
    page_of(measured["engine"]).write_text(page(measured))


def figures(engine: str) -> Path:
    """Give where the figures of an engine are kept."""
    return DOCS / f"{ENGINES[engine]}.json"


def page_of(engine: str) -> Path:
    """Give where the page of an engine is."""
    return DOCS / f"{ENGINES[engine]}.md"


def read(engine: str) -> Measured:
    """Give the figures that are kept."""
    kept: Measured = json.loads(figures(engine).read_text())
    return kept


def page(measured: Measured) -> str:
    """Give the page."""
    return "\n".join(
        [
            f"# Backlog and big books{'' if measured['engine'] == SQLITE else ' on PostgreSQL'}",
            "",
            f"Measured on {measured['date']} at commit `{measured['commit']}` with",
            f"`{measured['command']}`:",
            f"full synchronisation, {measured['cores']} cores with a load of {measured['load']:.0f}. Other work makes",
            "times by the clock long and uneven; ratios compare neighbouring rounds.",
            *([] if measured["engine"] == SQLITE else _POSTGRES),
            f"This page is made from `docs/{ENGINES[measured['engine']]}.json`; do not edit it.",
            "",
            f"## {measured['rows']:,} rows still to be sent, beside 1,000",
            "",
            "CPU microseconds of all threads, medians of rounds in turns; ratios of it, and by the clock. The bigger",
            f"one has {_gigabytes(measured['backlog_bytes'])}. Target: at most {MOST_RATIO} times.",
            "",
            "| | with 1,000 | with all | ratio | by the clock | |",
            "|---|---:|---:|---:|---:|---|",
            *(
                f"| {name} | {one['small']:,.0f} | {one['big']:,.0f} | {one['ratio']:.2f} | {one['by the clock']:.2f} "
                f"| {'' if _met(measured, one) else 'missed'} |"
                for name, one in measured["flat"].items()
            ),
            "",
            "A search by NHS number finds ten prescriptions or more: among a thousand all of them are at hand, among a",
            "million each is on pages of its own. The same goes for the lines that a claim puts on the wire.",
            "",
            f"## Finding one of {measured['prescriptions']:,} prescriptions",
            "",
            f"Milliseconds by the clock for one question. The books have {_gigabytes(measured['books_bytes'])}.",
            f"Target: 95 % within {MOST_MILLISECONDS} ms.",
            "",
            "| | median | 95 % | slowest |",
            "|---|---:|---:|---:|",
            *(
                f"| {name} | {one['median']:.1f} | {one['p95']:.1f} | {one['slowest']:.1f} |"
                for name, one in measured["sought"].items()
            ),
            "",
            *_pages(measured),
            _verdict(measured),
            "",
            "How the rows are made, and what they lack beside those of a store that grew by itself, is said in",
            "`bench/backlog_rows.py`. A store is kept small by `gateway archive` (`docs/operating.md`).",
            "",
        ]
    )


def _pages(measured: Measured) -> list[str]:
    """Give the table of the console's pages, where they were measured."""
    if "pages" not in measured:
        return []
    return [
        "## The console over them",
        "",
        "Milliseconds of the whole application for a page, by the clock and of CPU; one line in 49 has an open alert.",
        f"Target: 95 % within {MOST_MILLISECONDS} ms, one prescription within {MOST_DETAIL} ms.",
        f"The home page with all that it loads is {measured['first_paint'] / 1000:.0f} KB, of at most {MOST_PAINT_KB}."
        if "first_paint" in measured
        else "The measurement was ended before its last pages, which are not listed.",
        "",
        "| | median | 95 % | slowest | CPU | KB |",
        "|---|---:|---:|---:|---:|---:|",
        *(
            f"| {name} | {one['median']:.0f} | {one['p95']:.0f} | {one['slowest']:.0f} | {one['cpu']:.0f} "
            f"| {one['bytes'] / 1000:.0f} |"
            for name, one in measured["pages"].items()
        ),
        "",
    ]


def _most(page: str) -> int:
    return MOST_DETAIL if page.startswith("one prescription") else MOST_MILLISECONDS


def _gigabytes(octets: int) -> str:
    return f"{octets / 1e9:.1f} GB"


def _met(measured: Measured, one: Figures) -> bool:
    """Tell whether it stays as fast; where a server does the work, its time is in the clock alone."""
    return one["ratio" if measured["engine"] == SQLITE else "by the clock"] <= MOST_RATIO


def _verdict(measured: Measured) -> str:
    missed = [name for name, one in measured["flat"].items() if not _met(measured, one)]
    missed += [name for name, one in measured["sought"].items() if one["p95"] > MOST_MILLISECONDS]
    missed += [name for name, one in measured.get("pages", {}).items() if one["p95"] > _most(name)]
    missed += ["first paint"] if measured.get("first_paint", 0) > MOST_PAINT_KB * 1000 else []
    sizes = (measured["rows"], measured["prescriptions"])
    short = " **These sizes are below those that are to be shown.**" if min(map(_share, sizes, WANTED)) < 1 else ""
    said = f"Missed: {'; '.join(missed)}." if missed else "Every target of this page is met."
    return said + short


def _share(size: int, wanted: int) -> float:
    return size / wanted
