"""The quick pass: tells that a message is certainly clean, in a quarter of the time of the walk.

It answers one question only, and says "not certain" (False, or an exception that `QuickPass` catches) to everything it
was not made for: companions of primitives, contained resources, local references, unknown extensions, and every fault.
The walk then finds out, and alone words what is wrong. So nothing here may accept what the walk would report; a
property test holds the two together.

The functions that do it are written from the table by `generate`, one for each shape of an object as it is first met.
How many are written for one message, and how many are kept, is bounded: ever new shapes are left to the walk.

Source: brief D6; libraries.md 9 (rate).
"""

import re
from collections.abc import Callable, Hashable, Mapping
from decimal import Decimal
from threading import Lock
from typing import Any

from gateway.validate.fhir.generate import TESTED, Shape, Writer, function_name
from gateway.validate.fhir.identifiers import FORMS
from gateway.validate.fhir.narrow import matches
from gateway.validate.fhir.primitives import PRIMITIVES
from gateway.validate.fhir.profile import Profiles

Accept = Callable[[Any], object]
"""Says yes by any true value."""

_MOST_NEW = 200
"""Shapes of one message for which functions are written, about a millisecond each; a full order has some eighty."""
_MOST_KEPT = 4096
_MOST_REMEMBERED = 4096
_LONGEST_REMEMBERED = 512
_FALLBACK = (KeyError, TypeError, AttributeError, IndexError, ValueError, RecursionError)


class QuickPass:
    """The quick pass over messages whose Bundle has a profile.

    Args:
        profiles: the compiled table with the profiles laid over it.
    """

    def __init__(self, profiles: Profiles) -> None:
        self._resources = frozenset(profiles.table["resources"]) - {"Bundle"}
        self._writer = Writer(profiles.table, profiles.extensions)
        self._rows = {row: _Functions(row, self._learn) for row in profiles.table["types"]}
        self._here: dict[str, str] = {}
        self._uris: set[str] = set()
        self._names: dict[str, Any] = {
            **{name: PRIMITIVES[name] for name in PRIMITIVES.keys() - TESTED},
            **{name: _TESTS[name] for name in TESTED - {"uri"}},
            **{function_name(row): functions for row, functions in self._rows.items()},
            "Decimal": Decimal,
            "Resource": self._any_resource,
            "forms": FORMS,
            "here": self._here,
            "matches": matches,
            "one_of": _one_of,
            "remember": _remember,
            "uri": self._uri,
            "uris": self._uris,
        }
        self._new = self._kept = 0
        self._one_at_a_time = Lock()

    def certain(self, bundle: Mapping[str, Any], row: str) -> bool:
        """Tell whether a message certainly has no fault of structure, reference or identifier.

        Args:
            bundle: parsed JSON.
            row: the row of its profile.
        """
        with self._one_at_a_time:
            self._new = 0
            try:
                return self._is_message(bundle) and bool(self._rows[row][len(bundle)](bundle))
            except _FALLBACK:
                return False

    def _is_message(self, bundle: Mapping[str, Any]) -> bool:
        """Tell whether a Bundle is a message, and learn what its references may refer to.

        That is: its type says so, its first entry holds the header, and no two entries have the same full URL. These
        are the rules of a Bundle that are `SETTLED` for the functions.
        """
        entries, here = bundle["entry"], self._here
        here.clear()
        for entry in entries:
            here[entry["fullUrl"]] = entry["resource"]["resourceType"]
        header = entries[0]["resource"]["resourceType"] == "MessageHeader"
        return header and bundle["type"] == "message" and len(here) == len(entries)

    def _any_resource(self, value: Any) -> object:
        kind = value["resourceType"]
        return kind in self._resources and self._rows[kind][len(value)](value)

    def _uri(self, value: str) -> bool:
        return value.isprintable() and _URI(value) is not None and _remember(self._uris, value, len(value))

    def _learn(self, row: str, shape: Shape) -> Accept:
        """Write the function of a shape.

        Raises:
            KeyError: no object of the shape is certainly clean, or the message has too many new ones.
        """
        source = self._writer.write(row, shape) if self._new < _MOST_NEW else ""
        if not source:
            raise KeyError(row)
        self._new += 1
        self._names |= self._writer.names
        made: dict[str, Accept] = {}
        # What is run was written from tables that ship with this package; of a message there are only names in it that
        # the tables know.
        exec(compile(source, f"<{row}>", "exec"), self._names, made)  # noqa: S102
        self._keep_few()
        return made[function_name(row)]

    def _keep_few(self) -> None:
        self._kept += 1
        if self._kept > _MOST_KEPT:
            self._kept = 1
            for functions in self._rows.values():
                functions.forget()


class _Functions(dict[int, Accept]):
    """The functions of one row, by the number of members they are for; one that is missing is written.

    Where shapes of as many members have been met, the number leads to `other`, which asks for the shape itself.
    """

    __slots__ = ("_learn", "_row", "shapes")

    def __init__(self, row: str, learn: Callable[[str, Shape], Accept]) -> None:
        super().__init__()
        self._row = row
        self._learn = learn
        self.shapes: dict[Shape, Accept] = {}

    def __missing__(self, number: int) -> Accept:
        return self.other

    def other(self, value: Any) -> object:
        """Ask the function of an object's own shape."""
        shape = tuple(value)
        accept = self.shapes.get(shape)
        if accept is None:
            accept = self.shapes[shape] = self._learn(self._row, shape)
            self[len(shape)] = self.other if len(shape) in self else accept
        return accept(value)

    def forget(self) -> None:
        """Forget every function."""
        self.shapes.clear()
        self.clear()


def _remember(known: set[Any], accepted: Hashable, length: int) -> bool:
    """Remember a text or a few, if they are short, and say yes."""
    if length <= _LONGEST_REMEMBERED:
        if len(known) >= _MOST_REMEMBERED:
            known.clear()
        known.add(accepted)
    return True


def _one_of(concept: Mapping[str, Any], pairs: frozenset[tuple[str, str]]) -> bool:
    """Tell whether one of the codings of a concept is of a value set, given as pairs of system and code."""
    for coding in concept["coding"]:  # noqa: SIM110 - a generator here costs more than the look
        if (coding.get("system"), coding.get("code")) in pairs:
            return True
    return False


_BASE64 = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"


def _base64(value: str) -> bool:
    """Tell whether a text is base64 without white space: what is left of it without the alphabet is its padding."""
    left = value.encode("ascii").translate(None, _BASE64).decode()
    return left in {"", "=", "=="} and value.endswith(left) and len(value) % 4 == 0 and bool(value)


_URI = re.compile(r"\S+").fullmatch
_TESTS: dict[str, Accept] = {
    "base64Binary": _base64,
    "code": re.compile(r"[^\s]+(?: [^\s]+)*").fullmatch,
    "id": re.compile(r"[A-Za-z0-9.-]{1,64}").fullmatch,
    "string": re.compile(r"[^\s\x00-\x1f][^\x00-\x08\x0b\x0c\x0e-\x1f]{0,1048575}").fullmatch,
    "url": _URI,
}
"""What the quick pass accepts of a primitive, where that is quicker to say than what `primitives` reports."""
