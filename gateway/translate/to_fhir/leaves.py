"""The tree a message is written as: every leaf is a value together with where it comes from.

A resource is written as one literal of dicts and lists whose leaves are `(value, origin)`. The origin is a canonical
path (`lines[0].dosages[0].dose.value`), several of them where values were joined, or a named rule of the writer
(`rule:constant.category`). A leaf without a value, and an element left without leaves, is left out, so that optional
parts need no condition. `plain` then gives the JSON, and `Account` where every leaf of it comes from.

Source: brief D1; mapping.md 2.2.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from decimal import Decimal
from functools import cache, cached_property, lru_cache
from typing import TypeAlias, overload

from gateway.wire.strict_json import JSON

Scalar: TypeAlias = str | int | bool | Decimal | None
Leaf: TypeAlias = tuple[Scalar, str | tuple[str, ...]]
Node: TypeAlias = "dict[str, Node] | list[Node] | Leaf | Fixed | None"
Element: TypeAlias = dict[str, Node] | None

RULE = "rule:"
_Add: TypeAlias = Callable[[str | tuple[str, ...]], None]
_BESIDE_A_CODE = frozenset({"system", "display", "register"})


def rule(value: Scalar, name: str) -> Leaf:
    """Give a leaf that a named rule of the writer explains."""
    return (value, RULE + name)


@cache
def constant(value: str, name: str) -> Leaf:
    """Give a leaf that is the same in every message, and therefore made once."""
    return (value, f"{RULE}constant.{name}")


class Fixed:
    """An element that is the same in every message: made plain once, and explained by rules alone.

    Args:
        tree: every leaf of it is a rule's.

    Raises:
        ValueError: one is not.
    """

    __slots__ = ("tree", "value")

    def __init__(self, tree: Node) -> None:
        origins: set[str | tuple[str, ...]] = set()
        self.tree = tree
        self.value = plain(tree, origins)
        if uncovered(origins, ()):
            raise ValueError("what is the same in every message comes from a rule")


def plain(node: Node, origins: set[str | tuple[str, ...]]) -> JSON:
    """Give the plain JSON of a node, None if nothing in it has a value.

    This is the hot path: it gathers where values come from, but not where they go, which `Account` tells when asked.

    Args:
        node: the tree.
        origins: gains the origin of every leaf written, save those of `Fixed` elements, which are rules.
    """
    if type(node) is dict:
        return _object(node, origins.add)
    if type(node) is list:
        return _array(node, origins.add)
    if type(node) is tuple and node[0] is not None and node[0] != "":
        origins.add(node[1])
        return node[0]
    return node.value if type(node) is Fixed else None


def _object(node: dict[str, Node], add: _Add) -> JSON:
    out: dict[str, JSON] = {}
    for key, child in node.items():
        if type(child) is tuple:
            value, origin = child
            if value or value == 0:  # nought and false are values; None and no text are not
                out[key] = value
                add(origin)
        elif type(child) is dict:
            if below := _object(child, add):
                out[key] = below
        elif type(child) is list:
            if listed := _array(child, add):
                out[key] = listed
        elif type(child) is Fixed:
            out[key] = child.value
    return out or None


def _array(node: list[Node], add: _Add) -> JSON:
    out: list[JSON] = []
    for child in node:
        if type(child) is dict:
            if below := _object(child, add):
                out.append(below)
        elif type(child) is tuple:
            value, origin = child
            if value or value == 0:  # nought and false are values; None and no text are not
                out.append(value)
                add(origin)
        elif type(child) is list:
            if listed := _array(child, add):
                out.append(listed)
        elif type(child) is Fixed:
            out.append(child.value)
    return out or None


def explain(node: Node, path: str) -> Iterator[tuple[str, str]]:
    """Give FHIRPath and origin of every leaf that `plain` writes; a joined leaf once for each of its origins.

    Args:
        node: the tree.
        path: FHIRPath of the node.
    """
    if isinstance(node, dict):
        for key, child in node.items():
            yield from explain(child, f"{path}.{key}")
    elif isinstance(node, list):
        index = 0
        for child in node:
            below = list(explain(child, f"{path}[{index}]"))
            index += bool(below)
            yield from below
    elif isinstance(node, Fixed):
        yield from explain(node.tree, path)
    elif node is not None and node[0] is not None and node[0] != "":
        origins = (node[1],) if isinstance(node[1], str) else node[1]
        yield from ((path, origin) for origin in origins)


class Account(Sequence[tuple[str, str]]):
    """Every leaf's FHIRPath and origin; made when it is first looked at, which the way of a message never does."""

    def __init__(self, tree: Node, path: str) -> None:
        self._tree = tree
        self._path = path

    @cached_property
    def _rows(self) -> tuple[tuple[str, str], ...]:
        return tuple(explain(self._tree, self._path))

    @overload
    def __getitem__(self, index: int) -> tuple[str, str]: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[tuple[str, str], ...]: ...
    def __getitem__(self, index: int | slice) -> tuple[str, str] | tuple[tuple[str, str], ...]:
        return self._rows[index]

    def __len__(self) -> int:
        return len(self._rows)


def uncovered(origins: Iterable[str | tuple[str, ...]], targets: Iterable[str]) -> frozenset[str]:
    """Give the origins that are neither a writer's rule nor covered by a trace row.

    A row covers its target and everything below. A system, a display or a register stands or falls with the code or
    value it qualifies: nobody sends one without the other meaning something.

    Args:
        origins: as `plain` gathers them.
        targets: canonical paths of the trace rows.
    """
    known = frozenset(targets)
    missing: set[str] = set()
    for origin in set(origins) - known:
        if isinstance(origin, tuple):
            missing.update(one for one in origin if _covering(one).isdisjoint(known))
        elif not origin.startswith(RULE) and _covering(origin).isdisjoint(known):
            missing.add(origin)
    return frozenset(missing)


@lru_cache(maxsize=8192)
def _covering(origin: str) -> frozenset[str]:
    """Give the targets any one of which covers an origin: itself, what is above it, and the code it stands beside."""
    above = origin[: max(origin.rfind("."), origin.rfind("["), 0)]
    beside = (f"{above}.code", f"{above}.value") if origin[len(above) + 1 :] in _BESIDE_A_CODE else ()
    return frozenset({origin, *beside}) | (_covering(above) if above else frozenset())
