"""Every alert that the code can open is a row of the one registry, and every row is opened somewhere.

The code is walked: each call that opens an alert, each value that carries a kind to one, each expression that builds a
kind from parts. What the walk cannot read is a failure, so that a new way of naming a kind cannot slip past.
"""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from gateway.domain.alert import RUNBOOKS, Acts, Soon
from gateway.domain.alert_kinds import ALERT_KINDS, about
from gateway.domain.cancel import CANCEL_TABLE
from gateway.domain.custody import CUSTODY, Holder
from gateway.domain.deadline import Request
from gateway.domain.hold import HOLD_TABLE, HoldKind
from gateway.domain.lifecycle import LineState
from gateway.domain.reconciliation import DifferenceKind
from gateway.ports.acceptance import Refused
from gateway.watch import PAPER, UNFINISHED, UNTIMED

ROOT = Path(__file__).parents[1] / "gateway"

_STATES = {f"line-{state.lower().replace('_', '-')}" for state in LineState if CUSTODY[state].holder != Holder.NOBODY}
_CANCELS = {f"cancel-{row.event.removeprefix('cancel_').replace('_', '-')}" for row in CANCEL_TABLE if row.alert}
_HOLDS = {row.event.replace("_", "-") for row in HOLD_TABLE if row.alert}
_UNSENT = {f"{kind}-not-sent" for kind in HoldKind}
_CARRIED: set[str] = set()
"""The kind travels in a value; what puts it there is found where the value is made."""

BUILT = {
    "f\"line-{line.state.lower().replace('_', '-')}\"": _STATES,
    "f\"cancel-{event.value.removeprefix('cancel_').replace('_', '-')}\"": _CANCELS,
    "happening.event.value.replace('_', '-')": _HOLDS,
    "f'{request.kind}-not-sent'": _UNSENT,
    "f'{kind}-not-sent'": _UNSENT,
    "f'{line.asked}-{ALERT_KIND}'": {f"{request}-overdue" for request in (*Request, PAPER)},
    "line.asked": {UNFINISHED, UNTIMED},  # watch.Watch: no kind is made of these two, they are one
    "f'submission-{why.value}'": {f"submission-{why}" for why in Refused},
    "one.kind.value": {kind.value for kind in DifferenceKind},
    "DifferenceKind.ELSEWHERE.value": {DifferenceKind.ELSEWHERE.value},
    "kept.kind": _CARRIED,  # binding.Kept
    "notice.kind": _CARRIED,  # domain.submission.Notice
    "concern.kind": _CARRIED,  # config.reference_check.Concern
}
"""Kinds that are built from a table, enumerated from that table."""

_OPENERS = {"open_alert": None, "_alert": None, "Kept": 0, "Notice": None, "Concern": None}
"""What takes a kind, and at which place when it is not named; of a module's own `_alert` its definition says where."""


@dataclass(frozen=True, slots=True)
class Place:
    """One expression that names a kind."""

    where: str
    expression: ast.expr
    scopes: tuple[ast.AST, ...]


def _named(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def _own_alert(module: ast.Module) -> int | None:
    """Give the place of `kind` among what the module's own `_alert` takes; None where it takes none."""
    own = (node for node in ast.walk(module) if isinstance(node, ast.FunctionDef) and node.name == "_alert")
    names = [one.arg for function in own for one in function.args.args if one.arg != "self"]
    return names.index("kind") if "kind" in names else None


def _places(file: Path) -> Iterator[Place]:
    module = ast.parse(file.read_text(encoding="utf-8"))
    openers = {**_OPENERS, "_alert": _own_alert(module)}

    def walk(node: ast.AST, scopes: tuple[ast.AST, ...]) -> Iterator[Place]:
        inner = (*scopes, node) if isinstance(node, ast.Module | ast.FunctionDef | ast.AsyncFunctionDef) else scopes
        if isinstance(node, ast.Call) and _named(node) in openers:
            stated = next((word.value for word in node.keywords if word.arg == "kind"), None)
            at = openers[_named(node)]
            if stated is None and at is not None and len(node.args) > at:
                stated = node.args[at]
            if stated is not None:
                yield Place(f"{file.relative_to(ROOT)}:{node.lineno}", stated, inner)
        for child in ast.iter_child_nodes(node):
            yield from walk(child, inner)

    return walk(module, ())


def _kinds(place: Place, expression: ast.expr) -> set[str]:
    """Give every kind that an expression may be; fails where it cannot be told."""
    written = ast.unparse(expression)
    if written in BUILT:
        return BUILT[written]
    match expression:
        case ast.Constant(value=str(kind)):
            return {kind}
        case ast.IfExp(body=body, orelse=other):
            return _kinds(place, body) | _kinds(place, other)
        case ast.Name(id=name):
            return _of_name(place, name)
    pytest.fail(f"{place.where}: what kind of alert is {written}? Say so in BUILT, or name it")


def _of_name(place: Place, name: str) -> set[str]:
    """Follow a name to what it was given, in the function, then in the module; a parameter is its callers' matter."""
    for scope in reversed(place.scopes):
        if isinstance(scope, ast.FunctionDef | ast.AsyncFunctionDef):
            parameters = (*scope.args.args, *scope.args.kwonlyargs)
            if name in {one.arg for one in parameters}:
                return set()
        given = [one for one in _assigned(scope, name) if one is not None]
        if given:
            return set().union(*(_kinds(place, one) for one in given))
    pytest.fail(f"{place.where}: {name} is not assigned here")


def _assigned(scope: ast.AST, name: str) -> Iterator[ast.expr | None]:
    for node in ast.walk(scope):
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.target.id == name:
            yield node.value
        if isinstance(node, ast.Assign):
            for target in node.targets:
                yield from _paired(target, node.value, name)


def _paired(target: ast.expr, value: ast.expr, name: str) -> Iterator[ast.expr]:
    if isinstance(target, ast.Name) and target.id == name:
        yield value
    if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
        for one, its in zip(target.elts, value.elts, strict=True):
            yield from _paired(one, its, name)


PLACES = tuple(place for file in sorted(ROOT.rglob("*.py")) for place in _places(file))


@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.where)
def test_every_alert_that_is_opened_is_of_a_known_kind(place: Place) -> None:
    unknown = _kinds(place, place.expression) - ALERT_KINDS.keys()
    assert not unknown, f"{place.where}: give {sorted(unknown)} a row in alert_kinds.py and a page in {RUNBOOKS}"


def test_every_kind_is_opened_somewhere() -> None:
    opened = set().union(*(_kinds(place, place.expression) for place in PLACES))
    assert sorted(ALERT_KINDS.keys() - opened) == []


def test_every_way_of_building_a_kind_is_still_in_use() -> None:
    used = {ast.unparse(one) for place in PLACES for one in _reached(place, place.expression)}
    assert sorted(BUILT.keys() - used) == []


def _reached(place: Place, expression: ast.expr) -> Iterator[ast.expr]:
    yield expression
    if isinstance(expression, ast.IfExp):
        yield from _reached(place, expression.body)
        yield from _reached(place, expression.orelse)
    if isinstance(expression, ast.Name):
        for scope in place.scopes:
            for given in _assigned(scope, expression.id):
                if given is not None:
                    yield from _reached(place, given)


@pytest.mark.parametrize("kind", ALERT_KINDS.values(), ids=ALERT_KINDS.keys())
def test_a_row_is_short_enough_to_be_read_at_night(kind: object) -> None:
    row = about(getattr(kind, "kind", ""))
    assert row is kind
    assert len(row.means) <= 130
    assert len(row.do) <= 130
    assert row.means.endswith(".")
    assert row.do.endswith(".")
    assert row.acts in Acts
    assert row.soon in Soon
    assert all(command.startswith("gateway ") for command in row.commands)


def test_a_kind_of_another_version_gets_the_general_page() -> None:
    row = about("of-tomorrow")
    assert row.kind == "of-tomorrow"
    assert row.runbook == f"{RUNBOOKS}/other.md"
