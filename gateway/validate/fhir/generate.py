"""Writes the quick pass: one plain Python function for each shape in which objects of a row are met.

A shape is the names of an object's members, in their order. Once it is known, so are all questions of names: which
members are unknown, required or one too many of a choice, and which rules have no say. What is left are the values:

    def Period(value):
        try:
            start_ = value['start']
            end_ = value['end']
        except KeyError:
            return Period.other(value)
        if not (dateTime(start_) is None):
            return False
        if not (dateTime(end_) is None):
            return False
        return per_1(value)

Yes is True; not certain is False, or an exception of the wrong JSON type. A fault is not worded here. An object within
is asked of the function for its number of members, `Period[len(period_)](period_)`: as many members as the shape has,
and each of the shape's among them, is the shape. Where one is not among them, the row finds the function that is.

Source: brief D6; libraries.md 9 (rate).
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from gateway.validate.fhir.identifiers import SYSTEMS
from gateway.validate.fhir.invariants import ABOUT, INVARIANTS, OF_NAMES
from gateway.validate.fhir.primitives import PRIMITIVES
from gateway.validate.fhir.profile import Extensions

Json = Mapping[str, Any]
Lines = Iterator[str]
Shape = tuple[str, ...]
"""The names of an object's members, in their order."""

TESTED = frozenset({"base64Binary", "code", "id", "string", "uri", "url"})
"""Primitives of which the functions ask a test that says yes; of the others they ask what `primitives` finds wrong."""

SETTLED = frozenset({"bdl-2", "bdl-3", "bdl-4", "bdl-7", "bdl-9", "bdl-10", "bdl-11", "bdl-12"})
"""Rules that hold of every Bundle of type message that begins with its header, whose full URLs differ, and whose
entries have none of `OF_OTHER_BUNDLES`; whoever calls the function of a Bundle sees to the type, header and URLs."""
OF_OTHER_BUNDLES = frozenset({"request", "response", "search"})

INDENT = "    "
_ASKED_OF_VALUES = INVARIANTS.keys() - OF_NAMES - SETTLED
_INLINE_RULES = {"bdl-8": "'/_history/' not in fullUrl_"}
_TEXTS = frozenset({"code", "string", "uri"})
_LEFT_TO_THE_WALK = frozenset({"contained", "modifierExtension"})
_INLINE = {
    "boolean": "({0} is True or {0} is False)",
    "decimal": "(type({0}) is int or type({0}) is Decimal)",
    "integer": "(type({0}) is int and -2147483648 <= {0} <= 2147483647)",
    "code": "({0}.isalnum() or code({0}))",
    "id": "({0}.isascii() and len({0}) <= 64 and {0}.replace('-', '').isalnum() or id({0}))",
    "positiveInt": "(type({0}) is int and 1 <= {0} <= 2147483647)",
    "string": "({0} >= '!' and {0}.isprintable() and len({0}) <= 1048576 or string({0}))",
    "unsignedInt": "(type({0}) is int and 0 <= {0} <= 2147483647)",
    "uri": "({0} in uris or uri({0}))",
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
    """

    def __init__(self, table: Json, extensions: Extensions) -> None:
        self._types: Json = table["types"]
        self._bindings: Json = table["bindings"]
        self._extensions = extensions
        self.names: dict[str, object] = {}

    def write(self, row: str, shape: Shape) -> str:
        """Write the function of one shape of a row; nothing, if no object of that shape can be without fault."""
        spec = self._types[row]
        if not _may_stand(spec, shape, of=spec.get("base", row)):
            return ""
        return "\n".join(self._function(row, shape)) + "\n"

    def _function(self, name: str, shape: Shape) -> Lines:
        row = self._types[name]
        here = frozenset({*row.get("contexts", (name,)), "Element"})
        remembered = row.get("base", name) == "Coding" and all(row["elements"][one]["type"] in _TEXTS for one in shape)
        yield f"def {function_name(name)}(value{', known=set()' if remembered else ''}):"
        yield INDENT + "try:"
        yield from (INDENT * 2 + f"{member}_ = value[{member!r}]" for member in shape)
        yield INDENT + "except KeyError:"
        yield INDENT * 2 + f"return {function_name(name)}.other(value)"
        if remembered:  # drugs, units and systems repeat from message to message
            yield INDENT + f"key = {', '.join(f'{one}_' for one in shape)},"
            yield INDENT + "if key in known:"
            yield INDENT * 2 + "return True"
        for member in shape:
            if row["resource"] and member == "resourceType":
                lines = _refuse_unless([f"resourceType_ == {row.get('base', name)!r}"])
            else:
                lines = self._member(member, row["elements"][member], here)
            yield from (INDENT + line for line in lines)
        holds = list(self._holds(row, shape)) + ["remember(known, key, sum(map(len, key)))"] * remembered
        yield INDENT + "return " + (" and ".join(holds) or "True")

    def _holds(self, row: Json, shape: Shape) -> Iterator[str]:
        """Give the rules of the object as a whole that can say anything of this shape."""
        for rule in row["constraints"]:
            if rule in _ASKED_OF_VALUES and not ABOUT.get(rule, frozenset(shape)).isdisjoint(shape):
                yield _INLINE_RULES.get(rule) or f"{self._named(rule, INVARIANTS[rule])}(value)"
        if "system" in shape:
            yield from self._form(row["elements"]["system"], shape)

    def _form(self, system: Json, shape: Shape) -> Iterator[str]:
        """Give what is asked of the form of a code or identifier; of its own system, where there is but one."""
        fixed = system.get("fixed", system.get("pattern"))
        if type(fixed) is not str:
            yield "(system_ not in forms or forms[system_](value))"
        elif (known := SYSTEMS.get(fixed)) and known.member in shape:
            parse = self._named("parse_" + fixed.rpartition("/")[2], known.parse)
            yield f"{parse}({known.member}_) is not None"

    def _member(self, name: str, spec: Json, here: frozenset[str]) -> Lines:
        item = f"{name}_"
        if not spec["many"]:
            yield from self._value(spec, item)
            return
        slices = spec.get("slices", ())
        if spec["type"] == "Extension" and not slices and not self._known(spec, here):
            yield "return False"
            return
        least, most = max(spec["min"], 1), spec.get("max")
        yield f"if type({item}) is not list or not {item}" + (
            f" or not {least} <= len({item}) <= {most}:"
            if most
            else f" or len({item}) < {least}:"
            if least > 1
            else ":"
        )
        yield INDENT + "return False"
        if slices or spec["type"] == "Extension":
            yield from self._sliced(name, spec, here)
        else:
            yield f"for one in {item}:"
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
        yield f"for one in {member}_:"
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
        yield from _refuse_unless(self._conditions(spec, kind, place))

    def _conditions(self, spec: Json, kind: str, place: str) -> Iterator[str]:
        bound = [name for key in ("binding", "advised") if self._bindings.get(name := spec.get(key, ""))]
        if kind == "Reference":
            yield self._reference(spec, place)
        elif not (kind == "code" and bound) and not _says_it_all(spec):
            yield self._call(spec["type"], place)
        for name in bound:
            if spec.get("fixed", spec.get("pattern")) not in self._bindings[name]:
                yield self._of_value_set(name, kind, place)
        for key in ("fixed", "pattern"):
            if key in spec:
                yield from self._fixed(spec[key], place, whole=key == "fixed")
        for rule in spec.get("constraints", ()):
            if rule in INVARIANTS:
                yield f"{self._named(rule, INVARIANTS[rule])}({place})"

    def _reference(self, spec: Json, place: str) -> str:
        """Give the condition of a Reference: what it refers to is there, and may be referred to from here."""
        found, whole = self._target(spec, place), self._call(spec["type"], place)
        whole = f"(('reference' not in {place} or {found}) and {whole})"
        # A reference that is found has the form of the fullUrl it was found by.
        alone = f"len({place}) == 1 and 'reference' in {place} and {found}"
        return f"({alone} or {whole})" if self._asks_no_more_than_a_reference(spec["type"]) else whole

    def _target(self, spec: Json, place: str) -> str:
        targets: Sequence[str] = spec.get("targets", ())
        if not targets or "Resource" in targets:
            return f"{place}['reference'] in here"
        return f"here[{place}['reference']] in {self._named('_or_'.join(('to', *targets)), frozenset(targets))}"

    def _asks_no_more_than_a_reference(self, name: str) -> bool:
        elements, plain = self._types[name]["elements"], self._types["Reference"]["elements"]["reference"]
        return (
            INVARIANTS.keys().isdisjoint(self._types[name]["constraints"])
            and {**elements["reference"], "min": 0} == plain
            and not any(spec["min"] for element, spec in elements.items() if element != "reference")
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
        if type(value) is dict and not whole and all(type(part) is str for part in value.values()):
            yield from (f"{place}.get({name!r}) == {part!r}" for name, part in value.items())
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
        name = function_name(row)
        if row in self._types:
            return f"{name}[len({place})]({place})"
        return f"{name}({place})" + (" is None" if row in PRIMITIVES.keys() - TESTED else "")


def _says_it_all(spec: Json) -> bool:
    """Tell whether a value can have no fault of its type, because it is fixed as a text that has none."""
    fixed = spec.get("fixed", spec.get("pattern"))
    return type(fixed) is str and spec["type"] in PRIMITIVES and PRIMITIVES[spec["type"]](fixed) is None


def _may_stand(row: Json, shape: Shape, *, of: str) -> bool:
    """Tell whether an object with these members may be without fault: all are known, and none is missing."""
    elements = row["elements"]
    names = set(shape)
    known = {name for name, spec in elements.items() if not spec.get("forbidden")} - _LEFT_TO_THE_WALK
    if of == "Bundle.entry":
        known -= OF_OTHER_BUNDLES
    required = {name for name, spec in elements.items() if spec["min"]}
    if row["resource"]:
        known.add("resourceType")
        required.add("resourceType")
    if not names or not required <= names <= known:
        return False
    if of == "Extension" and len(names) != 2 + ("id" in names):  # ext-1: beside url, a value or parts
        return False
    rules = OF_NAMES.intersection(row["constraints"])
    return all(_one_of_choice(choice, names) for choice in row["choices"].values()) and all(
        INVARIANTS[rule](dict.fromkeys(names)) for rule in rules
    )


def _one_of_choice(choice: Json, names: Collection[str]) -> bool:
    least = int(choice["min"])
    return least <= sum(name in names for name in choice["names"]) <= 1


def _refuse_unless(conditions: Iterable[str]) -> Lines:
    said = list(conditions)
    if said:
        yield f"if not ({' and '.join(said)}):"
        yield INDENT + "return False"
