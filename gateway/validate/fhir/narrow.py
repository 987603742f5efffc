"""What a profile adds to the walk: fixed and pattern values, value sets, slices, and extensions by context.

Source: FHIR R4 4.0.1, profiling.html (slicing, extensions), ElementDefinition.fixed[x] and .pattern[x].
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from gateway.validate.fhir.finding import Finding, Level, Path, render


@dataclass(slots=True)
class Walked:
    """What one walk found.

    Attributes:
        references: (place, reference, allowed target types).
        resources: (place, resource) for every resource met, outermost first.
    """

    findings: list[Finding] = field(default_factory=list)
    references: list[tuple[Path, str, tuple[str, ...]]] = field(default_factory=list)
    resources: list[tuple[Path | None, Mapping[str, Any]]] = field(default_factory=list)

    def report(self, path: Path | None, code: str, rule: str, text: str, level: Level = Level.ERROR) -> None:
        """Add a finding."""
        expression = render(path)
        self.findings.append(Finding(code=code, expression=expression, rule=rule, text=text, level=level))


Visit = Callable[[Any, Path, Walked], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    """One slice of an array.

    Attributes:
        path: the element of an item that tells whether it belongs here, and `value`, what it must then hold.
        most: how many items may belong; None for any number.
    """

    name: str
    path: tuple[str, ...]
    value: Any
    least: int
    most: int | None
    visit: Visit


def matches(value: Any, pattern: Any) -> bool:
    """Tell whether a value holds at least what a pattern holds."""
    if isinstance(pattern, dict):
        return isinstance(value, dict) and all(
            key in value and matches(value[key], part) for key, part in pattern.items()
        )
    if isinstance(pattern, list):
        return isinstance(value, list) and all(any(matches(item, part) for item in value) for part in pattern)
    return type(value) is type(pattern) and bool(value == pattern)


def found_at(value: Any, path: Sequence[str]) -> list[Any]:
    """Give every value at a path below a value; arrays on the way are entered."""
    for taken, step in enumerate(path):
        if type(value) is list:
            return [found for one in value for found in found_at(one, path[taken:])]
        if type(value) is not dict or step not in value:
            return []
        value = value[step]
    return value if type(value) is list else [value]


def belongs(item: Any, one: Slice) -> bool:
    """Tell whether an item of an array belongs to a slice."""
    return any(matches(value, one.value) for value in found_at(item, one.path))


def array(each: Visit, slices: Sequence[Slice], *, closed: bool, least: int, most: int | None, name: str) -> Visit:
    """Make the check of a whole array that a profile limits or slices.

    Args:
        each: the check of an item that belongs to no slice.
        slices: in the order they are tried.
        closed: an item of no slice is an error.
        least: fewest items.
        most: most items, None for any number.
        name: the profile's, for the text.
    """

    def visit(items: Any, place: Path, walked: Walked) -> None:
        if type(items) is not list or not items:
            walked.report(place, "structure", "cardinality", "must be an array that is not empty")
            return
        counts = dict.fromkeys((one.name for one in slices), 0)
        for index, item in enumerate(items):
            where = (place[0], place[1], index)
            chosen = next((one for one in slices if belongs(item, one)), None)
            if chosen is None and closed:
                walked.report(where, "structure", "slicing", f"is none of those that {name} allows here")
            (chosen.visit if chosen else each)(item, where, walked)
            if chosen:
                counts[chosen.name] += 1
        for what, number, fewest, greatest in (
            ("items", len(items), least, most),
            *((one.name, counts[one.name], one.least, one.most) for one in slices),
        ):
            rule = "cardinality" if what == "items" else "slicing"
            if number < fewest:
                walked.report(place, "required", rule, f"needs at least {fewest} of {what}, and has {number}")
            if greatest is not None and number > greatest:
                walked.report(place, "structure", rule, f"may have {greatest} of {what}, and has {number}")

    return visit


def extension(rows: Mapping[str, Visit], contexts: Mapping[str, frozenset[str]], here: frozenset[str]) -> Visit:
    """Make the check of an extension that no slice names.

    Args:
        rows: the check of each known extension, by URL.
        contexts: where each may stand.
        here: names of this place.
    """

    def visit(item: Any, place: Path, walked: Walked) -> None:
        url = item.get("url") if isinstance(item, dict) else None
        known = rows.get(url) if isinstance(url, str) and url else None
        if known is None:
            rows[""](item, place, walked)
            walked.report(place, "extension", "extension", "is not an extension that is known here", Level.WARNING)
            return
        known(item, place, walked)
        if not contexts[str(url)] & here:
            walked.report(place, "extension", "extension", "is an extension that may not stand here")

    return visit


def forbidden(_value: Any, place: Path, walked: Walked) -> None:
    """Report an element that a profile leaves out."""
    walked.report(place, "structure", "profile", "is not allowed by the profile")


def fixed(inner: Visit, value: Any, *, whole: bool) -> Visit:
    """Make the check of an element whose value is fixed (`whole`), or must hold at least a pattern."""

    def visit(item: Any, place: Path, walked: Walked) -> None:
        inner(item, place, walked)
        if not (matches(item, value) and (not whole or matches(value, item))):
            walked.report(place, "value", "fixed" if whole else "pattern", "is not the value the profile fixes")

    return visit


def bound(inner: Visit, codes: frozenset[str], kind: str, level: Level = Level.ERROR) -> Visit:
    """Make the check of an element whose code, or one of whose codings, must be of a value set."""
    text = "is not of the value set" if level is Level.ERROR else "is not of the value set that is advised"

    def visit(value: Any, path: Path, walked: Walked) -> None:
        inner(value, path, walked)
        if kind == "code":
            held = type(value) is str and value in codes
        elif type(value) is dict:
            held = any(
                isinstance(one, dict) and f"{one.get('system')}|{one.get('code')}" in codes
                for one in (found_at(value, ("coding",)) if kind == "CodeableConcept" else [value])
            )
        else:
            return
        if not held:
            walked.report(path, "code-invalid", "binding", text, level)

    return visit
