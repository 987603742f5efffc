"""FHIR in JSON as lines: one value a line, each with its place, so that two messages can be compared and linked."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Final

from gateway.console.inspector.hiding import Hiding, Value, member_shown, target_shown
from gateway.console.inspector.links import RULE, Links, counted
from gateway.wire.strict_json import JSON, JsonError, dumps, loads

MOST: Final = 1500
"""Lines shown of one message at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of a message.

    Attributes:
        depth: how far it is indented.
        label: member, or number of the element.
        path: FHIRPath.
        value: None where only further lines stand below it.
        origin: canonical path or writer's rule that it comes from.
        comes: how many places of the source it comes from, in words.
    """

    depth: int
    label: str
    path: str
    value: Value | None = None
    origin: str = ""
    comes: str = ""
    marked: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class TreeShown:
    """A message of FHIR; `fault` says why there are no lines."""

    lines: tuple[Line, ...] = ()
    fault: str = ""
    more: int = 0


def of_json(body: bytes, links: Links, hide: Hiding, marked: frozenset[str], *, start: int = 0) -> TreeShown:
    """Show a message, every value with where it comes from.

    Args:
        body: as sealed, or as received.
        links: of its trace; a value that no row and no rule of the writer explains is masked.
        hide: masks what must be.
        marked: FHIRPaths that are chosen.
        start: how many lines to leave out before the first.
    """
    try:
        tree = loads(body)
    except JsonError as error:
        return TreeShown(fault=error.text)
    lines: list[Line] = []
    count = 0
    for depth, label, path, leaf in walk(tree, "Bundle"):
        count += 1
        if count <= start or len(lines) >= MOST:
            continue
        lines.append(_line(depth, label, path, leaf, links, hide, marked))
    return TreeShown(lines=tuple(lines), more=max(0, count - start - MOST))


def _line(  # noqa: PLR0917 - a line as it was walked over, and what it is shown by
    depth: int, label: str, path: str, leaf: str | None, links: Links, hide: Hiding, marked: frozenset[str]
) -> Line:
    origin = links.origin(path) if leaf is not None else ""
    shown = target_shown(origin) or origin.startswith(RULE) or member_shown(path)
    return Line(
        depth=depth,
        label=label,
        path=path,
        value=hide.of(leaf, shown=shown) if leaf is not None else None,
        origin=origin,
        comes=_comes(len(links.rows_to(path))),
        marked=path in marked,
    )


def _comes(places: int) -> str:
    return f"comes from {counted(places)}" if places else "written by a rule, from no place of the source"


def walk(node: JSON, path: str, depth: int = 0, label: str = "") -> Iterator[tuple[int, str, str, str | None]]:
    """Give every line: depth, label, FHIRPath, and the value's text where it has one."""
    if isinstance(node, dict):
        if label:
            yield depth, label, path, None
        for name, below in node.items():
            yield from walk(below, f"{path}.{name}", depth + bool(label), name)
    elif isinstance(node, list):
        for number, below in enumerate(node):
            yield from walk(below, f"{path}[{number}]", depth, f"{label}[{number}]")
    else:
        text = node if isinstance(node, str) else dumps(node).decode()
        yield depth, label, path, text


def flat(body: bytes, links: Links, hide: Hiding, *, most: int = 20_000) -> tuple[str, ...]:
    """Give a message as lines `path = value`, for comparing; nothing where it cannot be read."""
    try:
        tree = loads(body)
    except JsonError:
        return ()
    leaves = ((path, leaf) for _, _, path, leaf in walk(tree, "Bundle") if leaf is not None)
    lines = (_line(0, "", path, leaf, links, hide, frozenset()) for path, leaf in islice(leaves, most))
    return tuple(f"{line.path} = {line.value.text}" for line in lines if line.value is not None)
