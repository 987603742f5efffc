"""The quick pass: tells that a message is certainly clean, in a tenth of the time of the walk.

It answers one question only, and says "not certain" (False, or an exception that `QuickPass` catches) to everything it
was not made for: companions of primitives, contained resources, local references, unknown extensions, and every fault.
The walk then finds out, and alone words what is wrong. So nothing here may accept what the walk would report; a
property test holds the two together.

It is made of the same table: for each row a dictionary from member name to a callable that says yes or no, most of
them methods written in C (a set's `__contains__`, a pattern's `fullmatch`). A member that is not in the dictionary
raises KeyError, a value of the wrong JSON type TypeError or AttributeError: no branch is spent on them.

Source: brief D6; libraries.md 9 (rate).
"""

import re
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from threading import Lock
from typing import Any

from gateway.validate.fhir.identifiers import well_formed
from gateway.validate.fhir.invariants import INVARIANTS
from gateway.validate.fhir.narrow import matches
from gateway.validate.fhir.primitives import PRIMITIVES, Check
from gateway.validate.fhir.profile import Profiles

Accept = Callable[[Any], object]
"""Says yes by any true value."""

_MOST_REMEMBERED = 1 << 14
_LEFT_TO_THE_WALK = frozenset({"contained", "modifierExtension"})
_FALLBACK = (KeyError, TypeError, AttributeError, IndexError, ValueError, RecursionError)


class QuickPass:
    """The quick pass over messages whose Bundle has a profile.

    Args:
        profiles: the compiled table with the profiles laid over it.
    """

    def __init__(self, profiles: Profiles) -> None:
        self._profiles = profiles
        self._types = profiles.table["types"]
        self._bindings = {name: frozenset(codes) for name, codes in profiles.table["bindings"].items()}
        self._resources = frozenset(profiles.table["resources"])
        self._made: dict[str, Accept] = {}
        self._references: list[tuple[str, tuple[str, ...]]] = []
        self._one_at_a_time = Lock()

    def certain(self, bundle: Mapping[str, Any], row: str) -> bool:
        """Tell whether a message certainly has no fault of structure, reference or identifier.

        Args:
            bundle: parsed JSON.
            row: the row of its profile.
        """
        with self._one_at_a_time:
            self._references.clear()
            try:
                return bool(self._row(row)(bundle)) and self._resolved(bundle)
            except _FALLBACK:
                return False

    def _resolved(self, bundle: Mapping[str, Any]) -> bool:
        here = {entry["fullUrl"]: entry["resource"]["resourceType"] for entry in bundle["entry"]}
        return all(
            (found := here[reference]) in targets or "Resource" in targets or (not targets and found)
            for reference, targets in self._references
        )

    def _row(self, name: str) -> Accept:
        """Give the callable of a type. It is known before its members are made, so that a type may contain itself."""
        if name in PRIMITIVES:
            return _PRIMITIVES.get(name) or _from_check(PRIMITIVES[name])
        if name == "Resource":
            return self._any_resource
        made = self._made.get(name)
        return made if made is not None else self._make(name)

    def _any_resource(self, value: Any) -> object:
        kind = value["resourceType"]
        return kind in self._resources and self._row(kind)(value)

    def _make(self, name: str) -> Accept:
        row = self._types[name]
        kind = row.get("base", name)
        here = frozenset({*row.get("contexts", (name,)), "Element"})
        members: dict[str, Accept] = {"resourceType": frozenset({kind}).__contains__} if row["resource"] else {}
        required = {member for member, spec in row["elements"].items() if spec["min"]}
        needed = frozenset(required | set(members))
        accept = _object(members, needed, _choices(row, kind), self._rules(row, kind))
        self._made[name] = accept = _remembered(accept) if kind == "Coding" else accept
        for member, spec in row["elements"].items():
            if member not in _LEFT_TO_THE_WALK and not spec.get("forbidden"):
                members[member] = self._element(spec, here)
        return accept

    @staticmethod
    def _rules(row: Mapping[str, Any], kind: str) -> tuple[Accept, ...]:
        rules: list[Accept] = [INVARIANTS[rule] for rule in row["constraints"] if rule in INVARIANTS]
        if kind == "Extension":
            rules.append(_value_or_parts)
        if "system" in row["elements"]:
            rules.append(well_formed)
        return tuple(rules)

    def _element(self, spec: Mapping[str, Any], here: frozenset[str]) -> Accept:
        accept = self._value(spec)
        if not spec["many"]:
            return accept
        if spec["type"] == "Extension":
            return self._extensions(spec, here)
        if spec.get("slices"):
            return self._sliced(spec, accept)
        return _many(accept, spec["min"], spec.get("max"))

    def _value(self, spec: Mapping[str, Any]) -> Accept:
        """Give the callable of one value: its type, and all that is said of the element it stands in."""
        kind = self._types.get(spec["type"], {}).get("base", spec["type"])
        accept = self._row(spec["type"])
        for key in ("binding", "advised"):
            if codes := self._bindings.get(spec.get(key, "")):
                accept = codes.__contains__ if kind == "code" else _coded(accept, codes, kind)
        for key in ("fixed", "pattern"):
            if key in spec:
                accept = _fixed(accept, spec[key], whole=key == "fixed")
        if kind == "Reference":
            accept = self._referring(accept, tuple(spec.get("targets", ())))
        rules = tuple(INVARIANTS[rule] for rule in spec.get("constraints", ()) if rule in INVARIANTS)
        return _all_of(accept, rules) if rules else accept

    def _referring(self, inner: Accept, targets: tuple[str, ...]) -> Accept:
        add = self._references.append

        def accept(value: Any) -> object:
            if "reference" in value:
                add((value["reference"], targets))
            return inner(value)

        return accept

    def _extensions(self, spec: Mapping[str, Any], here: frozenset[str]) -> Accept:
        """Accept only extensions that are known and may stand here."""
        known = self._profiles.extensions
        allowed = {url: self._row(row) for url, row in known.rows.items() if known.contexts[url] & here}
        return self._sliced({**spec, "closed": True}, None, allowed)

    def _sliced(
        self, spec: Mapping[str, Any], other: Accept | None, free: Mapping[str, Accept] | None = None
    ) -> Accept:
        slices = spec.get("slices", ())
        paths = {tuple(one["path"]) for one in slices} or {("url",)}
        values = [one["is"] for one in slices]
        if len(paths) > 1 or not all(type(value) is str for value in values):
            return _never
        by: dict[str, tuple[int, Accept]] = {url: (-1, accept) for url, accept in (free or {}).items()}
        by |= {one["is"]: (index, self._value(one["item"])) for index, one in enumerate(slices)}
        limits = [(one["min"], one["max"]) for one in slices]
        return _dispatched(paths.pop(), by, None if spec.get("closed") else other, limits, spec.get("max"))


def _object(
    members: Mapping[str, Accept],
    required: frozenset[str],
    choices: tuple[tuple[frozenset[str], int], ...],
    rules: tuple[Accept, ...],
) -> Accept:
    """Make the callable of an object; what a type does not have costs it nothing."""
    if not choices and not rules:
        return _plain(members, required)
    if not choices:
        return _ruled(members, required, rules)
    ruled = _ruled(members, required, rules)

    def chosen(value: Any) -> object:
        for names, least in choices:
            if not least <= len(value.keys() & names) <= 1:
                return False
        return ruled(value)

    return chosen


def _plain(members: Mapping[str, Accept], required: frozenset[str]) -> Accept:
    def accept(value: Any) -> object:
        for name, item in value.items():
            if not members[name](item):
                return False
        return value and value.keys() >= required

    return accept


def _ruled(members: Mapping[str, Accept], required: frozenset[str], rules: tuple[Accept, ...]) -> Accept:
    def accept(value: Any) -> object:
        for name, item in value.items():
            if not members[name](item):
                return False
        for holds in rules:
            if not holds(value):
                return False
        return value and value.keys() >= required

    return accept


def _remembered(accept: Accept) -> Accept:
    """Remember which codings were accepted: drugs, units and systems repeat from message to message.

    Only codings made of text alone are remembered, because 1 and true would be the same key; and at most
    `_MOST_REMEMBERED` of them.
    """
    known: set[tuple[tuple[str, str], ...]] = set()

    def coding(value: Any) -> object:
        key = tuple(value.items())
        if key in known:
            return True
        accepted = accept(value)
        if accepted and all(type(part) is str for part in value.values()):
            if len(known) >= _MOST_REMEMBERED:
                known.clear()
            known.add(key)
        return accepted

    return coding


class _Texts(dict[str, bool]):
    """Texts of one pattern that were seen, so that a system's URL is matched once and looked up thereafter."""

    def __init__(self, pattern: str) -> None:
        super().__init__()
        self._match = re.compile(pattern).fullmatch

    def __missing__(self, text: str) -> bool:
        """Match a text that is new."""
        held = self._match(text) is not None
        if len(self) >= _MOST_REMEMBERED:
            self.clear()
        self[text] = held
        return held


def _choices(row: Mapping[str, Any], kind: str) -> tuple[tuple[frozenset[str], int], ...]:
    """Give the names of each choice, with 1 where one must stand; `_value_or_parts` does so for extensions."""
    if kind == "Extension":
        return ()
    return tuple((frozenset(choice["names"]), min(choice["min"], 1)) for choice in row["choices"].values())


def _value_or_parts(value: Mapping[str, Any]) -> bool:
    """Hold ext-1 and the one choice of an extension: beside url and id it has one member, its value or its parts."""
    return "url" in value and len(value) == 2 + ("id" in value)


def _many(accept: Accept, least: int, most: int | None) -> Accept:
    def every(items: Any) -> object:
        return type(items) is list and items and all(map(accept, items))

    if least <= 1 and most is None:
        return every
    return lambda items: every(items) and least <= len(items) <= (most or len(items))


def _dispatched(
    path: Sequence[str],
    by: Mapping[str, tuple[int, Accept]],
    other: Accept | None,
    limits: Sequence[tuple[int, int | None]],
    most: int | None,
) -> Accept:
    """Make the callable of an array whose items are told apart by a text at a path."""
    slots = range(len(limits))

    def accept(items: Any) -> object:
        counts = [0 for _ in slots]
        for item in items:
            label = item
            for step in path:
                label = label.get(step)
            slot, check = by.get(label, (-1, other))
            if check is None or not check(item):
                return False
            if slot >= 0:
                counts[slot] += 1
        for slot, (least, greatest) in enumerate(limits):
            if counts[slot] < least or (greatest is not None and counts[slot] > greatest):
                return False
        return type(items) is list and items and (most is None or len(items) <= most)

    return accept


def _coded(inner: Accept, codes: frozenset[str], kind: str) -> Accept:
    def coding(value: Any) -> object:
        return inner(value) and f"{value['system']}|{value['code']}" in codes

    def concept(value: Any) -> object:
        return inner(value) and any(f"{one.get('system')}|{one.get('code')}" in codes for one in value["coding"])

    return concept if kind == "CodeableConcept" else coding


def _fixed(inner: Accept, fixed: Any, *, whole: bool) -> Accept:
    if type(fixed) is str:
        return frozenset({fixed}).__contains__
    return lambda value: inner(value) and matches(value, fixed) and (not whole or matches(fixed, value))


def _all_of(inner: Accept, rules: tuple[Accept, ...]) -> Accept:
    return lambda value: inner(value) and all(holds(value) for holds in rules)


def _never(_value: Any) -> object:
    return False


def _from_check(check: Check) -> Accept:
    return lambda value: check(value) is None


def _between(low: int) -> Accept:
    return lambda value: type(value) is int and low <= value < 1 << 31


_PRIMITIVES: dict[str, Accept] = {
    "boolean": lambda value: value is True or value is False,
    "code": _Texts(r"[^\s]+(?: [^\s]+)*").__getitem__,
    "decimal": lambda value: type(value) is int or type(value) is Decimal,
    "id": re.compile(r"[A-Za-z0-9.-]{1,64}").fullmatch,
    "integer": _between(-(1 << 31)),
    "positiveInt": _between(1),
    "string": re.compile(r"[^\s\x00-\x1f][^\x00-\x08\x0b\x0c\x0e-\x1f]{0,1048575}").fullmatch,
    "unsignedInt": _between(0),
    "uri": _Texts(r"\S+").__getitem__,
    "url": _Texts(r"\S+").__getitem__,
}
"""What the quick pass accepts of a primitive, where that is quicker to say than what `primitives` reports."""
