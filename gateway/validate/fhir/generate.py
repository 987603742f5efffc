"""Writes the quick pass: one plain Python function for each row of the compiled table.

A function takes one parsed object and says yes (True) or not certain (False, or an exception of the wrong JSON type):

    def Period(value):
        for name, item in value.items():
            if name == 'start':
                if not dateTime(item):
                    return False
            elif name == 'end':
                if not dateTime(item):
                    return False
            ...
            else:
                return False
        return value and ('start' not in value or per_1(value))

Written out, every line has one meaning that the interpreter learns, and what is short (a fixed value, a flag, the form
of a URI) needs no call: two thirds of what closures over the same table cost. A fault is not worded here.

Source: brief D6; libraries.md 9 (rate).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from gateway.validate.fhir.invariants import ABOUT, INVARIANTS
from gateway.validate.fhir.profile import Extensions

Json = Mapping[str, Any]
Lines = Iterator[str]

INDENT = "    "
_RARE = frozenset({"extension", "implicitRules", "language", "text"})
"""Elements that every type has and few objects use; they are compared last, as is the `id` of what is no resource."""
_LEFT_TO_THE_WALK = frozenset({"contained", "modifierExtension"})
_INLINE = {
    "boolean": "({0} is True or {0} is False)",
    "decimal": "(type({0}) is int or type({0}) is Decimal)",
    "integer": "(type({0}) is int and -2147483648 <= {0} <= 2147483647)",
    "code": "({0}.isalnum() or code({0}))",
    "positiveInt": "(type({0}) is int and 1 <= {0} <= 2147483647)",
    "string": "({0}.isprintable() and {0}[0] != ' ' and len({0}) <= 1048576 or string({0}))",
    "unsignedInt": "(type({0}) is int and 0 <= {0} <= 2147483647)",
    "uri": "({0}.isprintable() and ' ' not in {0} and {0})",
}


def function_name(row: str) -> str:
    """Give the name of a row's function: `Bundle.entry@order` is `Bundle_entry__order`."""
    return row.replace("@", "__").replace(":", "__").replace(".", "_").replace("-", "_")


class Writer:
    """Writes the functions of rows.

    Args:
        table: the compiled table with the profiles laid over it.
        extensions: what is known of extensions.

    Attributes:
        names: what the functions use by name, beside each other and the primitives: value sets, rules, targets.
        wanted: rows whose functions are called by what was written.
    """

    def __init__(self, table: Json, extensions: Extensions) -> None:
        self._types: Json = table["types"]
        self._bindings: Json = table["bindings"]
        self._extensions = extensions
        self.names: dict[str, object] = {}
        self.wanted: set[str] = set()

    def write(self, row: str) -> str:
        """Write the function of one row."""
        return "\n".join(self._function(row)) + "\n"

    def _function(self, name: str) -> Lines:
        row = self._types[name]
        here = frozenset({*row.get("contexts", (name,)), "Element"})
        kind = row.get("base", name)
        members = [("resourceType", [f"if item != {kind!r}:", INDENT + "return False"])] if row["resource"] else []
        members += [(member, list(self._member(member, row["elements"][member], here))) for member in _in_order(row)]
        yield f"def {function_name(name)}(value):"
        yield INDENT + "for name, item in value.items():"
        for index, (member, lines) in enumerate(members):
            yield INDENT * 2 + f"{'elif' if index else 'if'} name == {member!r}:"
            yield from (INDENT * 3 + line for line in lines)
        yield INDENT * 2 + "else:"
        yield INDENT * 3 + "return False"
        yield INDENT + "return " + " and ".join([*_stands(row, kind), *self._holds(row)])

    def _holds(self, row: Json) -> Iterator[str]:
        """Give the rules of the object as a whole, each asked only where it can say anything."""
        for rule in row["constraints"]:
            if rule in INVARIANTS:
                call = f"{self._named(rule, INVARIANTS[rule])}(value)"
                absent = " and ".join(f"{name!r} not in value" for name in sorted(ABOUT.get(rule, ())))
                yield f"({absent} or {call})" if absent else call
        if "system" in row["elements"]:
            yield "well_formed(value)"

    def _member(self, name: str, spec: Json, here: frozenset[str]) -> Lines:
        if not spec["many"]:
            yield from self._value(spec, "item")
            return
        slices = spec.get("slices", ())
        if spec["type"] == "Extension" and not slices and not self._known(spec, here):
            yield "return False"
            return
        least, most = max(spec["min"], 1), spec.get("max")
        yield "if type(item) is not list or not item" + (
            f" or not {least} <= len(item) <= {most}:" if most else f" or len(item) < {least}:" if least > 1 else ":"
        )
        yield INDENT + "return False"
        if slices or spec["type"] == "Extension":
            yield from self._sliced(name, spec, here)
        else:
            yield "for one in item:"
            yield from (INDENT + line for line in self._value(spec, "one"))

    def _sliced(self, member: str, spec: Json, here: frozenset[str]) -> Lines:
        """Write the check of an array whose items are told apart by a text at a path."""
        slices: Sequence[Json] = spec.get("slices", ())
        paths = {tuple(one["path"]) for one in slices} or {("url",)}
        if len(paths) > 1 or not all(type(one["is"]) is str for one in slices):
            yield "return False"
            return
        *steps, last = paths.pop()
        counters = [f"{member}_{index}" for index in range(len(slices))]
        if counters:
            yield " = ".join(counters) + " = 0"
        yield "for one in item:"
        yield INDENT + "label = one" + "".join(f"[{step!r}]" for step in steps) + f".get({last!r})"
        word = "if"
        for counter, one in zip(counters, slices, strict=True):
            yield INDENT + f"{word} label == {one['is']!r}:"
            yield INDENT * 2 + f"{counter} += 1"
            yield from (INDENT * 2 + line for line in self._value(one["item"], "one"))
            word = "elif"
        yield from (INDENT + line for line in self._unsliced(spec, here, word))
        yield from _refuse_unless(
            f"{counter} == {one['min']}"
            if one["min"] == one["max"]
            else f"{one['min']} <= {counter}" + (f" <= {one['max']}" if one["max"] is not None else "")
            for counter, one in zip(counters, slices, strict=True)
            if one["min"] or one["max"] is not None
        )

    def _unsliced(self, spec: Json, here: frozenset[str], word: str) -> Lines:
        """Write the check of an item that belongs to no slice: only a known extension may stand where one may."""
        sliced = {one["is"] for one in spec.get("slices", ())}
        for url, row in self._known(spec, here).items():
            if url not in sliced:
                yield f"{word} label == {url!r}:"
                yield from (INDENT + line for line in _refuse_unless([self._call(row, "one")]))
                word = "elif"
        other = [] if spec.get("closed") or spec["type"] == "Extension" else self._value(spec, "one")
        yield "else:"
        yield from (INDENT + line for line in list(other) or ["return False"])

    def _known(self, spec: Json, here: frozenset[str]) -> Mapping[str, str]:
        """Give the extensions that may stand in an element: URL to row."""
        if spec["type"] != "Extension":
            return {}
        return {url: row for url, row in self._extensions.rows.items() if self._extensions.contexts[url] & here}

    def _value(self, spec: Json, place: str) -> Lines:
        """Write the check of one value: its type, and all that is said of the element it stands in."""
        kind = self._types.get(spec["type"], {}).get("base", spec["type"])
        if kind == "Reference":
            targets = tuple(spec.get("targets", ()))
            name = self._named("to_" + ("_or_".join(targets) or "any"), targets)
            yield f"if 'reference' in {place}:"
            yield INDENT + f"refer(({place}['reference'], {name}))"
        yield from _refuse_unless(self._conditions(spec, kind, place))

    def _conditions(self, spec: Json, kind: str, place: str) -> Iterator[str]:
        bound = [name for key in ("binding", "advised") if self._bindings.get(name := spec.get(key, ""))]
        if kind == "Reference" and self._asks_nothing(spec["type"]):
            # A reference that is found has the form of the fullUrl it was found by.
            yield f"(len({place}) == 1 and 'reference' in {place} or {self._call(spec['type'], place)})"
        elif kind != "code" or not bound:
            yield self._call(spec["type"], place)
        for name in bound:
            yield self._of_value_set(name, kind, place)
        for key in ("fixed", "pattern"):
            if key in spec:
                yield from self._fixed(spec[key], place, whole=key == "fixed")
        for rule in spec.get("constraints", ()):
            if rule in INVARIANTS:
                yield f"{self._named(rule, INVARIANTS[rule])}({place})"

    def _asks_nothing(self, name: str) -> bool:
        row = self._types[name]
        return not any(one["min"] for one in row["elements"].values()) and INVARIANTS.keys().isdisjoint(
            row["constraints"]
        )

    def _of_value_set(self, binding: str, kind: str, place: str) -> str:
        name = "of_" + binding.partition("#")[0].rpartition("/")[2].rpartition(":")[2]
        if kind == "code":
            return f"{place} in {self._named(name, frozenset(self._bindings[binding]))}"
        pairs = frozenset(tuple(code.split("|", 1)) for code in self._bindings[binding])
        codes = self._named(f"{name}_pairs", pairs)
        if kind == "CodeableConcept":
            return f"one_of({place}, {codes})"
        return f"({place}.get('system'), {place}.get('code')) in {codes}"

    def _fixed(self, value: object, place: str, *, whole: bool) -> Iterator[str]:
        if type(value) is str:
            yield f"{place} == {value!r}"
            return
        yield f"matches({place}, {value!r})"
        if whole:
            yield f"matches({value!r}, {place})"

    def _named(self, name: str, value: object) -> str:
        """Give the name under which the functions know a value."""
        name = name.replace("-", "_")
        if self.names.setdefault(name, value) != value:
            raise ValueError(f"two values have the name {name}")
        return name

    def _call(self, row: str, place: str) -> str:
        if row in _INLINE:
            return _INLINE[row].format(place)
        if row in self._types:
            self.wanted.add(row)
        return f"{function_name(row)}({place})"


def _in_order(row: Json) -> list[str]:
    """Give the elements that may stand, those first that are most often met."""
    rare = _RARE if row["resource"] else _RARE | {"id"}
    elements = {
        name: spec
        for name, spec in row["elements"].items()
        if name not in _LEFT_TO_THE_WALK and not spec.get("forbidden")
    }
    return sorted(elements, key=lambda name: (not elements[name]["min"], name in rare))


def _stands(row: Json, kind: str) -> Iterator[str]:
    """Give what the names of the members must be: those that are required, and one of each choice."""
    required = [f"{name!r} in value" for name, spec in row["elements"].items() if spec["min"]]
    yield from ["'resourceType' in value"] * row["resource"]
    yield from required
    if not required and not row["resource"]:
        yield "value"
    if kind == "Extension":  # ext-1 and the one choice: beside url and id, a value or parts
        yield "len(value) == 2 + ('id' in value)"
        return
    for choice in row["choices"].values():
        names = [name for name in choice["names"] if not row["elements"][name].get("forbidden")]
        made = " + ".join(f"({name!r} in value)" for name in names)
        if choice["min"]:
            yield f"{made or 0} == 1"
        elif len(names) > 1:
            yield f"{made} <= 1"


def _refuse_unless(conditions: Iterable[str]) -> Lines:
    said = list(conditions)
    if said:
        yield f"if not {said[0]}:" if len(said) == 1 else f"if not ({' and '.join(said)}):"
        yield INDENT + "return False"
