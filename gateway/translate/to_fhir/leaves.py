"""The tree a message is written as: every leaf is a value together with where it comes from.

A resource is written as one literal of dicts and lists whose leaves are `(value, origin)`. The origin is a canonical
path (`lines[0].dosages[0].dose.value`), several of them where values were joined, or a named rule of the writer
(`rule:constant.category`). A leaf without a value, and an element left without leaves, is left out, so that optional
parts need no condition. One walk then gives the plain JSON and the account of every leaf.

Source: brief D1; mapping.md 2.2.
"""

from collections.abc import Iterable
from decimal import Decimal
from typing import TypeAlias

from gateway.wire.strict_json import JSON

Scalar: TypeAlias = str | int | bool | Decimal | None
Leaf: TypeAlias = tuple[Scalar, str | tuple[str, ...]]
Node: TypeAlias = "dict[str, Node] | list[Node] | Leaf | None"
Element: TypeAlias = dict[str, Node] | None
Account: TypeAlias = list[tuple[str, str]]

RULE = "rule:"
_BESIDE_A_CODE = frozenset({"system", "display", "register"})


def rule(value: Scalar, name: str) -> Leaf:
    """Give a leaf that a named rule of the writer explains."""
    return (value, RULE + name)


def constant(value: Scalar, name: str) -> Leaf:
    """Give a leaf that is the same in every message."""
    return (value, f"{RULE}constant.{name}")


def write_out(node: Node, path: str, account: Account) -> JSON:
    """Give the plain JSON of a node, None if nothing in it has a value.

    Args:
        node: the tree.
        path: FHIRPath of the node.
        account: gains one pair of FHIRPath and origin for every origin of every leaf written.
    """
    if isinstance(node, dict):
        return _write_object(node, path, account)
    if isinstance(node, list):
        return _write_array(node, path, account)
    return None if node is None else _write_leaf(node, path, account)


def _write_leaf(leaf: Leaf, path: str, account: Account) -> JSON:
    value, origin = leaf
    if value is None or value == "":
        return None
    if type(origin) is str:
        account.append((path, origin))
    else:
        account.extend((path, one) for one in origin)
    return value


def _write_object(node: dict[str, Node], path: str, account: Account) -> JSON:
    out: dict[str, JSON] = {}
    for key, child in node.items():
        if child is None:
            continue
        kind = type(child)
        below = f"{path}.{key}"
        if kind is tuple:
            value = _write_leaf(child, below, account)  # type: ignore[arg-type]
        elif kind is dict:
            value = _write_object(child, below, account)  # type: ignore[arg-type]
        else:
            value = _write_array(child, below, account)  # type: ignore[arg-type]
        if value is not None:
            out[key] = value
    return out or None


def _write_array(node: list[Node], path: str, account: Account) -> JSON:
    out: list[JSON] = []
    for child in node:
        value = write_out(child, f"{path}[{len(out)}]", account)
        if value is not None:
            out.append(value)
    return out or None


def unexplained(account: Account, targets: Iterable[str]) -> tuple[str, ...]:
    """Give the FHIRPaths whose origin is neither a writer's rule nor covered by a trace row.

    A row covers its target and everything below. A system, a display or a register stands or falls with the code or
    value it qualifies: nobody sends one without the other meaning something.

    Args:
        account: every leaf and its origin.
        targets: canonical paths of the trace rows.
    """
    covered = dict.fromkeys(targets, True)
    return tuple(path for path, origin in account if not origin.startswith(RULE) and not _covered(origin, covered))


def _covered(origin: str, known: dict[str, bool]) -> bool:
    answer = known.get(origin)
    if answer is None:
        above = origin[: max(origin.rfind("."), origin.rfind("["), 0)]
        answer = bool(above) and _covered(above, known)
        if not answer and origin[len(above) + 1 :] in _BESIDE_A_CODE:
            answer = known.get(f"{above}.code", False) or known.get(f"{above}.value", False)
        known[origin] = answer
    return answer
