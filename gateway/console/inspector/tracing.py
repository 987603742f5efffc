"""The trace as a table: from where, what stood there, by which rule, how, and to where."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from gateway.console.inspector.fields import name_of
from gateway.console.inspector.hiding import Hiding, Value, field_shown, target_shown
from gateway.console.inspector.links import Links
from gateway.domain.issue import Effect, Issue
from gateway.domain.trace import Disposition, Leftover
from gateway.translate.maps.rules import weight_of

MOST: Final = 1000


class Filter(StrEnum):
    """What of the trace is shown."""

    ALL = "all"
    CLINICAL = "clinical"
    DEFAULTS = "defaults"
    TABLES = "tables"
    UNEXPLAINED = "unexplained"
    LEFTOVERS = "leftovers"


FILTER_WORDS: Final = {
    Filter.ALL: "All",
    Filter.CLINICAL: "Clinical",
    Filter.DEFAULTS: "Defaults and derived",
    Filter.TABLES: "Table look-ups",
    Filter.UNEXPLAINED: "Unexplained",
    Filter.LEFTOVERS: "Leftovers",
}
_HOW: Final = {"copy": "Copied as it stands", "ignore": "Left out"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row.

    Attributes:
        at: locator of the source; empty where nothing in the message says it.
        name: what that place is called.
        fhir: FHIRPaths that it went to.
    """

    at: str
    name: str
    raw: Value
    rule: str
    how: str
    result: Value
    to: str
    fhir: tuple[str, ...] = ()
    clinical: bool = False
    marked: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceShown:
    """The table, and how many rows each filter has; `more` were left out for length."""

    rows: tuple[Row, ...]
    counts: dict[Filter, int]
    more: int = 0


def table(
    links: Links,
    left: Sequence[Leftover],
    hide: Hiding,
    marked: frozenset[int],
    *,
    chosen: Filter,
    at: str = "",
    issues: Sequence[Issue] = (),
    unexplained: Sequence[str] = (),
) -> TraceShown:
    """Give the rows that a filter lets through, and count those of each.

    Args:
        links: of the trace.
        left: what no value comes from.
        hide: masks what must be.
        marked: numbers of the rows that are chosen.
        chosen: the filter.
        at: the place that is chosen.
        issues: found in the message, each at its place.
        unexplained: FHIRPaths of values that nothing explains; none, or nothing is sealed.
    """
    kinds: dict[Filter, list[Row]] = {one: [] for one in Filter}
    for number, row in enumerate(links.rows):
        shown = _row(links, number, hide, marked=number in marked)
        kinds[Filter.ALL].append(shown)
        for kind in _kinds(row.transform, clinical=shown.clinical, ruled=bool(row.rule)):
            kinds[kind].append(shown)
    raws = {row.source: row.raw for row in links.rows} | {one.source: one.raw for one in left}
    for issue in issues:
        shown = _issue(issue, raws.get(issue.location, ""), hide, marked=bool(at) and within(issue.location, at))
        kinds[Filter.ALL].append(shown)
    for path in unexplained:
        kinds[Filter.UNEXPLAINED].append(_nothing_explains(path))
    for one in left:
        shown = _left(one, hide, marked=bool(at) and within(one.source, at))
        kinds[Filter.LEFTOVERS].append(shown)
        if one.disposition is Disposition.UNKNOWN:
            kinds[Filter.UNEXPLAINED].append(shown)
    rows = kinds[chosen]
    counts = {kind: len(found) for kind, found in kinds.items()}
    first = [row for row in rows if row.marked][:MOST]
    kept = rows[:MOST] if len(rows) <= MOST else first + [row for row in rows if not row.marked][: MOST - len(first)]
    return TraceShown(rows=tuple(kept), counts=counts, more=len(rows) - len(kept))


def _kinds(transform: str, *, clinical: bool, ruled: bool) -> list[Filter]:
    found = []
    if clinical:
        found.append(Filter.CLINICAL)
    if transform.startswith(("default:", "derive:")):
        found.append(Filter.DEFAULTS)
    if transform.startswith("table:"):
        found.append(Filter.TABLES)
    if not ruled:
        found.append(Filter.UNEXPLAINED)
    return found


def _row(links: Links, number: int, hide: Hiding, *, marked: bool) -> Row:
    row = links.rows[number]
    shown = target_shown(row.target)
    return Row(
        at=row.source,
        name=name_of(row.source) if row.source else "Nothing in the message",
        raw=hide.of(row.raw, shown=shown),
        rule=row.rule or "No rule",
        how=how(row.transform),
        result=hide.of(row.result, shown=shown),
        to=row.target,
        fhir=links.fhir(number),
        clinical=weight_of(row.target) == "high",
        marked=marked,
    )


def within(place: str, chosen: str) -> bool:
    """Tell whether a place is the chosen one, lies in it, or has it in it: an issue may name a whole field."""
    marks = (".", "[", "/", "-")
    below = any(place.startswith(f"{chosen}{mark}") for mark in marks)
    return bool(place) and (place == chosen or below or any(chosen.startswith(f"{place}{mark}") for mark in marks))


def _issue(issue: Issue, raw: str, hide: Hiding, *, marked: bool) -> Row:
    return Row(
        at=issue.location,
        name=name_of(issue.location),
        raw=hide.of(raw, shown=field_shown(issue.location)),
        rule="",
        how=f"Issue: {hide.through(issue.text)}",
        result=Value(text=""),
        to=f"issue {issue.code}",
        clinical=issue.effect in {Effect.HOLD_SOURCE, Effect.HOLD_MAP},
        marked=marked,
    )


def _left(one: Leftover, hide: Hiding, *, marked: bool) -> Row:
    return Row(
        at=one.source,
        name=name_of(one.source),
        raw=hide.of(one.raw, shown=field_shown(one.source)),
        rule=one.rule.partition(": ")[0] or "No rule",
        how=f"Leftover, {one.disposition.value}" + (f": {one.rule.partition(': ')[2]}" if ": " in one.rule else ""),
        result=Value(text=""),
        to="",
        marked=marked,
    )


def _nothing_explains(path: str) -> Row:
    nothing = Value(text="")
    return Row(at="", name="Nothing explains it", raw=nothing, rule="No rule", how="", result=nothing, to=path)


def how(transform: str) -> str:
    """Say in words what was done: `table:units@2026-11` is looked up in table units, version 2026-11."""
    kind, _, name = transform.partition(":")
    table_name, _, version = name.partition("@")
    match kind:
        case "table":
            return f"Looked up in table {table_name}" + (f", version {version}" if version else "")
        case "parse":
            return f"Read as {name}"
        case "derive":
            return f"Worked out ({name})"
        case "default":
            return f"Taken by default ({name})"
    return _HOW.get(transform, transform)
