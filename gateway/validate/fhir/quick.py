"""The quick pass: tells that a message is certainly clean, in a quarter of the time of the walk.

It answers one question only, and says "not certain" (False, or an exception that `QuickPass` catches) to everything it
was not made for: companions of primitives, contained resources, local references, unknown extensions, and every fault.
The walk then finds out, and alone words what is wrong. So nothing here may accept what the walk would report; a
property test holds the two together.

The functions that do it are written from the table by `generate`, a row at a time as it is first met.

Source: brief D6; libraries.md 9 (rate).
"""

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from threading import Lock
from typing import Any

from gateway.validate.fhir.generate import Writer, function_name
from gateway.validate.fhir.identifiers import well_formed
from gateway.validate.fhir.narrow import matches
from gateway.validate.fhir.primitives import PRIMITIVES, Check
from gateway.validate.fhir.profile import Profiles

Accept = Callable[[Any], object]
"""Says yes by any true value."""

_MOST_REMEMBERED = 1 << 14
_FALLBACK = (KeyError, TypeError, AttributeError, IndexError, ValueError, RecursionError)


class QuickPass:
    """The quick pass over messages whose Bundle has a profile.

    Args:
        profiles: the compiled table with the profiles laid over it.
    """

    def __init__(self, profiles: Profiles) -> None:
        self._types = profiles.table["types"]
        self._resources = frozenset(profiles.table["resources"])
        self._writer = Writer(profiles.table, profiles.extensions)
        self._made: dict[str, Accept] = {}
        self._references: list[tuple[str, tuple[str, ...]]] = []
        self._names: dict[str, Any] = {
            **{name: _from_check(check) for name, check in PRIMITIVES.items()},
            **_PRIMITIVES,
            "Decimal": Decimal,
            "Resource": self._any_resource,
            "matches": matches,
            "one_of": _one_of,
            "refer": self._references.append,
            "well_formed": well_formed,
        }
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
                return bool(self._function(row)(bundle)) and self._resolved(bundle)
            except _FALLBACK:
                return False

    def _resolved(self, bundle: Mapping[str, Any]) -> bool:
        here = {entry["fullUrl"]: entry["resource"]["resourceType"] for entry in bundle["entry"]}
        for reference, targets in self._references:
            if here[reference] not in targets and targets and "Resource" not in targets:
                return False
        return True

    def _any_resource(self, value: Any) -> object:
        kind = value["resourceType"]
        return kind in self._resources and self._function(kind)(value)

    def _function(self, row: str) -> Accept:
        """Give the function of a row, written with all that it calls when it is first asked for."""
        return self._made.get(row) or self._make(row)

    def _make(self, row: str) -> Accept:
        sources: dict[str, str] = {}
        waiting = {row}
        while waiting:
            one = waiting.pop()
            sources[one] = self._writer.write(one)
            waiting |= self._writer.wanted - self._made.keys() - sources.keys()
        self._names |= self._writer.names
        for one, source in sources.items():
            # What is run was written from tables that ship with this package; nothing of a message is in it.
            exec(compile(source, f"<{one}>", "exec"), self._names)  # noqa: S102
            name = function_name(one)
            if self._types[one].get("base", one) == "Coding":
                self._names[name] = _remembered(self._names[name])
            self._made[one] = self._names[name]
        return self._made[row]


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


def _one_of(concept: Mapping[str, Any], pairs: frozenset[tuple[str, str]]) -> bool:
    """Tell whether one of the codings of a concept is of a value set, given as pairs of system and code."""
    for coding in concept["coding"]:  # noqa: SIM110 - a generator here costs more than the look
        if (coding.get("system"), coding.get("code")) in pairs:
            return True
    return False


def _from_check(check: Check) -> Accept:
    return lambda value: check(value) is None


_BASE64 = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"


def _base64(value: str) -> bool:
    """Tell whether a text is base64 without white space: what is left of it without the alphabet is its padding."""
    left = value.encode("ascii").translate(None, _BASE64).decode()
    return left in {"", "=", "=="} and value.endswith(left) and len(value) % 4 == 0 and bool(value)


_PRIMITIVES: dict[str, Accept] = {
    "base64Binary": _base64,
    "code": re.compile(r"[^\s]+(?: [^\s]+)*").fullmatch,
    "id": re.compile(r"[A-Za-z0-9.-]{1,64}").fullmatch,
    "string": re.compile(r"[^\s\x00-\x1f][^\x00-\x08\x0b\x0c\x0e-\x1f]{0,1048575}").fullmatch,
    "uri": re.compile(r"\S+").fullmatch,
    "url": re.compile(r"\S+").fullmatch,
}
"""What the quick pass accepts of a primitive, where that is quicker to say than what `primitives` reports."""
