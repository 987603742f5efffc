"""Walks a parsed resource along the compiled tables and reports every fault with its FHIRPath.

One closure is made for each type when the tables are loaded; a place is a linked tuple that is turned into text only
when something is found there. That makes a message of a few hundred elements cost well under a millisecond.

What is checked here: types, formats, cardinality, unknown elements, choice types, required bindings, invariants and
modifier extensions. References and contained resources are checked in `references`, from what the walk collects.

Source: FHIR R4 4.0.1; brief D6.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gateway.validate.fhir import narrow
from gateway.validate.fhir.finding import Level, Path
from gateway.validate.fhir.invariants import INVARIANTS, Rule
from gateway.validate.fhir.narrow import Slice, Visit, Walked
from gateway.validate.fhir.primitives import PRIMITIVES, Check
from gateway.validate.fhir.profile import Extensions

Table = Mapping[str, Any]


class Walker:
    """The compiled check of every type in the table.

    Args:
        table: as made by `compile.compile_table`, perhaps with profiles laid over it.
        modifiers: URLs of modifier extensions that are understood; none, unless a profile names them.
        extensions: what is known of extensions; None where any may stand, which is base R4.
    """

    def __init__(
        self, table: Table, modifiers: frozenset[str] = frozenset(), extensions: Extensions | None = None
    ) -> None:
        self._table = table
        self._bindings = {name: frozenset(codes) for name, codes in table["bindings"].items()}
        self._resources = frozenset(table["resources"])
        self._modifiers = modifiers
        self._visits: dict[str, Visit] = {}
        self._extensions = extensions
        if extensions:
            rows = {url: self._lazy(row) for url, row in extensions.rows.items()}
            self._extension_rows = {**rows, "": self._lazy("Extension")}

    @property
    def resources(self) -> frozenset[str]:
        """Names of the resource types that can be checked."""
        return self._resources

    def walk(self, resource: Mapping[str, Any], row: str = "") -> Walked:
        """Check one resource, whatever its type; against the row of a profile, if one is named."""
        walked = Walked()
        place: Path = (None, str(resource.get("resourceType")), None)
        (self._visit(row) if row else self._resource)(resource, place, walked)
        return walked

    def _visit(self, type_name: str) -> Visit:
        """Give the closure of a type; made at first use, so that recursive types work."""
        visit = self._visits.get(type_name)
        if visit is None:
            if type_name in {"Resource", "DomainResource"}:
                visit = self._resource
            elif type_name in PRIMITIVES:
                visit = _primitive(PRIMITIVES[type_name])
            else:
                visit = self._object(type_name)
                row = self._table["types"][type_name]
                if row["resource"] and row.get("base", type_name) != type_name:
                    visit = self._profiled(visit, row["base"])
            self._visits[type_name] = visit
        return visit

    @staticmethod
    def _profiled(inner: Visit, kind: str) -> Visit:
        def visit(value: Any, path: Path, walked: Walked) -> None:
            if type(value) is not dict or value.get("resourceType") != kind:
                walked.report(path, "structure", "profile", f"must be a {kind}")
                return
            walked.resources.append((path, value))
            inner(value, path, walked)

        return visit

    def _resource(self, value: Any, path: Path, walked: Walked) -> None:
        if type(value) is not dict:
            walked.report(path, "structure", "type", "must be a resource")
            return
        name = value.get("resourceType")
        if type(name) is not str or name not in self._resources:
            text = "resourceType is missing" if name is None else "the resource is of a type that is not checked here"
            walked.report(path, "not-supported", "resourceType", text)
            return
        walked.resources.append((path, value))
        self._visit(name)(value, path, walked)

    def _object(self, type_name: str) -> Visit:
        row = self._table["types"][type_name]
        kind = _Kind(
            name=row.get("base", type_name),
            required={name: _wanted(spec) for name, spec in row["elements"].items() if spec["min"]},
            stems={name: stem for stem, choice in row["choices"].items() for name in choice["names"]},
            needed=tuple(stem for stem, choice in row["choices"].items() if choice["min"]),
            rules=tuple((name, INVARIANTS[name]) for name in row["constraints"] if name in INVARIANTS),
            resource=row["resource"],
            elements={
                name: _Element(primitive=spec["type"] in PRIMITIVES, many=spec["many"])
                for name, spec in row["elements"].items()
            },
        )
        visits: dict[str, tuple[bool, Visit, str | None]] = {}
        # Known before its elements are made, so that a type may contain itself.
        self._visits[type_name] = visit = self._closure(kind, visits)
        here = frozenset({*row.get("contexts", (type_name,)), "Element"})
        for name, spec in row["elements"].items():
            many, check = self._element(spec, here, type_name)
            visits[name] = (many, check, kind.stems.get(name))
        return visit

    def _element(self, spec: Mapping[str, Any], here: frozenset[str], owner: str) -> tuple[bool, Visit]:
        """Give the check of an element, and whether it is to be called for each item of an array."""
        check = self._element_visit(spec)
        if spec.get("forbidden"):
            return False, narrow.forbidden
        if spec["type"] == "Extension" and self._extensions:
            check = narrow.extension(self._extension_rows, self._extensions.contexts, here)
        elif not (spec.get("slices") or spec.get("max") or spec["min"] > 1):
            return spec["many"], check
        slices = [
            Slice(
                name=one["name"],
                path=tuple(one["path"]),
                value=one["is"],
                least=one["min"],
                most=one["max"],
                visit=self._element_visit(one["item"]),
            )
            for one in spec.get("slices", ())
        ]
        limits = {"closed": spec.get("closed", False), "least": spec["min"], "most": spec.get("max")}
        return (
            (False, narrow.array(check, slices, name=owner.rpartition("@")[2], **limits))
            if spec["many"]
            else (False, check)
        )

    def _element_visit(self, spec: Mapping[str, Any]) -> Visit:
        kind = self._fhir_type(spec["type"])
        visit = self._lazy(spec["type"])
        if codes := self._bindings.get(spec.get("binding", "")):
            visit = _bound_code(codes) if kind == "code" else narrow.bound(visit, codes, kind)
        if codes := self._bindings.get(spec.get("advised", "")):
            visit = narrow.bound(visit, codes, kind, Level.WARNING)
        for key in ("fixed", "pattern"):
            if key in spec:
                visit = narrow.fixed(visit, spec[key], whole=key == "fixed")
        if kind == "Reference":
            visit = _reference(visit, tuple(spec.get("targets", ())))
        if rules := [name for name in spec.get("constraints", ()) if name in INVARIANTS]:
            visit = _constrained(visit, rules)
        return visit

    def _fhir_type(self, name: str) -> str:
        """Give the FHIR type of a row: a derived row names the one it narrows."""
        return str(self._table["types"].get(name, {}).get("base", name))

    def _lazy(self, kind: str) -> Visit:
        if kind in PRIMITIVES:
            return self._visit(kind)
        visits = self._visits

        def later(value: Any, path: Path, walked: Walked) -> None:
            (visits.get(kind) or self._visit(kind))(value, path, walked)

        return visits.get(kind, later)

    def _closure(  # noqa: C901 - one pass over the members, without calls, is what makes it fast
        self, kind: "_Kind", visits: Mapping[str, tuple[bool, Visit, str | None]]
    ) -> Visit:
        """Make the check of one type: its elements in one pass, then what concerns the object as a whole."""
        get, required, rules = visits.get, kind.required, kind.rules
        whole = bool(kind.needed) or kind.name == "Extension"

        def visit(value: Any, path: Path, walked: Walked) -> None:  # noqa: C901 - as above
            if type(value) is not dict or not value:
                walked.report(path, "structure", "ele-1", "must be an object that is not empty")
                return
            chosen: list[str] | None = None
            for key, item in value.items():
                found = get(key)
                if found is None:
                    self._other(kind, value, key, path, walked)
                    continue
                many, check, stem = found
                if stem is not None:
                    chosen = _choose(chosen, stem, path, walked)
                if many:
                    _each(check, value, key, path, walked)
                else:
                    check(item, (path, key, None), walked)
            for name, wanted in required.items():
                if name not in value and "_" + name not in value:
                    walked.report((path, name, None), "required", "cardinality", f"is required{wanted}")
            if rules:
                _hold(rules, value, path, walked)
            if "modifierExtension" in value:
                _refuse_unknown_modifiers(value["modifierExtension"], self._modifiers, path, walked)
            if whole:
                _check_choices(kind, value, chosen or (), path, walked)

        return visit

    def _other(self, kind: "_Kind", value: Mapping[str, Any], key: str, path: Path, walked: Walked) -> None:
        """Check a member that is no element: `resourceType`, or `_name`, which extends a primitive; else unknown."""
        if kind.resource and key == "resourceType":
            return
        element = kind.elements.get(key[1:]) if key[:1] == "_" else None
        place = (path, key, None)
        if element is None or not element.primitive:
            walked.report(place, "structure", "unknown-element", "is not an element of this type")
            return
        item = value[key]
        if not element.many:
            self._visit("Element")(item, place, walked)
            return
        if type(item) is not list or (key[1:] in value and len(item) != len(value[key[1:]] or ())):
            walked.report(place, "structure", "cardinality", "must match the array it belongs to")
            return
        for index, part in enumerate(item):
            if part is not None:
                self._visit("Element")(part, (path, key, index), walked)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Element:
    primitive: bool
    many: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kind:
    """One type's row, arranged for the walk.

    Attributes:
        required: elements that must stand, each with the slices it must hold, in words.
        stems: the choice an element belongs to.
    """

    name: str
    required: Mapping[str, str]
    stems: Mapping[str, str]
    needed: tuple[str, ...]
    rules: tuple[tuple[str, Callable[[Any], bool]], ...]
    resource: bool
    elements: Mapping[str, _Element]


def _wanted(spec: Mapping[str, Any]) -> str:
    names = [one["name"] for one in spec.get("slices", ()) if one["min"]]
    return f", with {' and '.join(names)}" if names else ""


def _each(check: Visit, value: Mapping[str, Any], key: str, path: Path, walked: Walked) -> None:
    """Check every item of an array; null stands only where the companion array has something to say."""
    items = value[key]
    if type(items) is not list or not items:
        walked.report((path, key, None), "structure", "cardinality", "must be an array that is not empty")
        return
    for index, item in enumerate(items):
        if item is None and _companion_at(value.get("_" + key), index):
            continue
        check(item, (path, key, index), walked)


def _choose(chosen: list[str] | None, stem: str, path: Path, walked: Walked) -> list[str]:
    if chosen is None:
        return [stem]
    if stem in chosen:
        walked.report(path, "structure", "choice", f"{stem}[x] may have one type only")
    chosen.append(stem)
    return chosen


def _check_choices(kind: _Kind, value: Mapping[str, Any], chosen: Sequence[str], path: Path, walked: Walked) -> None:
    for stem in kind.needed:
        extended = any("_" + name in value for name, of in kind.stems.items() if of == stem)
        if stem not in chosen and not extended:
            walked.report((path, stem, None), "required", "cardinality", "is required")
    if kind.name == "Extension" and ("extension" in value) == ("value" in chosen):
        walked.report(path, "invariant", "ext-1", "must have either a value or extensions")


def _companion_at(companions: Any, index: int) -> bool:
    return type(companions) is list and index < len(companions) and isinstance(companions[index], dict)


def _primitive(check: Check) -> Visit:
    def visit(value: Any, path: Path, walked: Walked) -> None:
        fault = check(value)
        if fault is not None:
            walked.report(path, "value", "format", fault)

    return visit


def _bound_code(codes: frozenset[str]) -> Visit:
    def visit(value: Any, path: Path, walked: Walked) -> None:
        if type(value) is not str or value not in codes:
            walked.report(path, "code-invalid", "binding", "is not a code of the required value set")

    return visit


def _reference(inner: Visit, targets: tuple[str, ...]) -> Visit:
    def visit(value: Any, path: Path, walked: Walked) -> None:
        inner(value, path, walked)
        if type(value) is dict and type(value.get("reference")) is str:
            walked.references.append((path, value["reference"], targets))

    return visit


def _hold(rules: Sequence[tuple[str, Rule]], value: Mapping[str, Any], path: Path, walked: Walked) -> None:
    for name, holds in rules:
        try:
            held = holds(value)
        except (TypeError, AttributeError, ValueError):
            held = True  # a rule says nothing of what has not its form, and that fault is told by itself
        if not held:
            walked.report(path, "invariant", name, f"breaks rule {name}")


def _constrained(inner: Visit, rules: list[str]) -> Visit:
    coded = tuple((name, INVARIANTS[name]) for name in rules)

    def visit(value: Any, path: Path, walked: Walked) -> None:
        inner(value, path, walked)
        if type(value) is dict:
            _hold(coded, value, path, walked)

    return visit


def _refuse_unknown_modifiers(extensions: Any, known: frozenset[str], path: Path, walked: Walked) -> None:
    for index, extension in enumerate(extensions if isinstance(extensions, list) else ()):
        if not isinstance(extension, dict) or extension.get("url") not in known:
            walked.report(
                (path, "modifierExtension", index),
                "extension",
                "modifierExtension",
                "changes the meaning, and is not known",
            )
