"""Compiles StructureDefinitions, in differential form, into rows that are laid over the compiled R4 table.

A profile adds no machinery of its own: it becomes more rows of the table `walk` already reads. The row of a profiled
type is a copy of the base row in which some elements are narrower; an element whose inside is profiled points at a
derived row (`MedicationRequest.groupIdentifier@order-medication-request`) in place of its base type.

What a differential may say here: `min`, `max`, `fixed[x]`, `pattern[x]`, required and extensible bindings, types of a
choice, target profiles, constraints that have a closure, and slices by value, by type and of extensions by profile.
Anything else is refused when the profile is loaded, so that no rule of a profile is lost in silence.

Source: FHIR R4 4.0.1, profiling.html, ElementDefinition, StructureDefinition.context.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from gateway.validate.fhir.invariants import INVARIANTS

Json = Mapping[str, Any]
Row = dict[str, Any]

_READ = frozenset(
    {"id", "path", "sliceName", "min", "max", "short", "definition", "comment", "type", "binding", "slicing"}
    | {"constraint", "mustSupport"}
)
_MANY = "*"


@dataclass(frozen=True, slots=True, kw_only=True)
class Extensions:
    """The extensions that are known, by URL.

    Attributes:
        rows: the derived row each is checked against.
        contexts: where each may stand: a type, or the path of an element.
    """

    rows: Mapping[str, str]
    contexts: Mapping[str, frozenset[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Profiles:
    """Compiled profiles.

    Attributes:
        table: the R4 table with the derived rows and value sets laid over it.
        names: profile URL to its row.
        extensions: what is known of extensions.
    """

    table: Json
    names: Mapping[str, str]
    extensions: Extensions


@dataclass(slots=True)
class _Node:
    """One element of a differential, with what is said of its inside and of its slices.

    Attributes:
        own: some extension may stand here and nowhere else of this type, so the element needs a row of its own.
    """

    element: Json = field(default_factory=dict)
    own: bool = False
    children: dict[str, "_Node"] = field(default_factory=dict)
    slices: dict[str, "_Node"] = field(default_factory=dict)


def compile_profiles(table: Json, definitions: Sequence[Json]) -> Profiles:
    """Compile profiles, extensions and value sets.

    Args:
        table: the compiled R4 table.
        definitions: StructureDefinitions of kind differential, and ValueSets whose codes are listed.

    Returns:
        The profiles, ready for `FhirChecker`.

    Raises:
        ValueError: a definition says something that cannot be checked, or names what is not there.
    """
    return _Compiler(table, definitions).compile()


class _Compiler:
    def __init__(self, table: Json, definitions: Sequence[Json]) -> None:
        self._base = table["types"]
        self._types: dict[str, Row] = {}
        self._names: dict[str, str] = {}
        self._profiles = {one["url"]: one for one in definitions if one["resourceType"] == "StructureDefinition"}
        self._value_sets = {one["url"]: one for one in definitions if one["resourceType"] == "ValueSet"}
        self._bindings: dict[str, list[str]] = {}
        self._table = table

    def compile(self) -> Profiles:
        self._lay_contexts()
        for url in self._profiles:
            self._row_of(url)
        extensions = {url: one for url, one in self._profiles.items() if one["type"] == "Extension"}
        table = {
            **self._table,
            "types": {**self._base, **self._types},
            "bindings": {**self._table["bindings"], **self._bindings},
        }
        known = Extensions(
            rows={url: self._names[url] for url in extensions},
            contexts={
                url: frozenset(context["expression"] for context in one["context"]) for url, one in extensions.items()
            },
        )
        return Profiles(table=table, names=self._names, extensions=known)

    def _row_of(self, url: str) -> str:
        """Give the row of a profile, compiled on first use; a profile may build on another of ours."""
        if url in self._names:
            return self._names[url]
        profile = self._profiles.get(url)
        if profile is None:
            raise ValueError(f"no such profile: {url}")
        base_url = profile["baseDefinition"]
        base = self._row_of(base_url) if base_url in self._profiles else str(profile["type"])
        tree = _tree(profile)
        name = f"{profile['type']}@{profile['id']}"
        self._names[url] = name
        self._derive(base, tree, profile["type"], name)
        return name

    def _lay_contexts(self) -> None:
        """Give every element where some extension may stand a row of its own, in base types too."""
        trees: dict[str, _Node] = {}
        for one in self._profiles.values():
            for context in one.get("context", ()):
                kind, *path = context["expression"].split(".")
                if path:
                    _node_at(trees.setdefault(kind, _Node()), path).own = True
        for kind, tree in trees.items():
            self._derive(kind, tree, kind, kind)

    def _derive(self, base: str, node: _Node, path: str, name: str) -> None:
        """Make the row `name` from the row `base` and what a differential says of its inside."""
        source = self._types.get(base) or self._base[base]
        kind = source.get("base", base)
        row: Row = {
            **source,
            "base": kind,
            "contexts": sorted({path, kind, *source.get("contexts", ())}),
            "elements": dict(source["elements"]),
            "choices": dict(source["choices"]),
        }
        self._types[name] = row
        for child, below in node.children.items():
            if child.endswith("[x]"):
                self._choice(row, child[:-3], below, path, name)
            elif child not in row["elements"]:
                raise ValueError(f"{name}: no element {child}")
            else:
                row["elements"][child] = self._element(row["elements"][child], below, f"{path}.{child}", name)
        row["constraints"] = [*source["constraints"], *_constraints(node.element, name)]

    def _choice(self, row: Row, stem: str, node: _Node, path: str, name: str) -> None:
        choice = row["choices"][stem]
        stated = [stem + kind["code"][0].upper() + kind["code"][1:] for kind in node.element.get("type", ())]
        allowed = () if node.element.get("max") == "0" else stated or choice["names"]
        for option in choice["names"]:
            narrowed = _Node(element={**node.element, "min": 0}, children=node.children)
            if option in allowed:
                row["elements"][option] = self._element(row["elements"][option], narrowed, f"{path}.{stem}[x]", name)
            else:
                row["elements"][option] = {**row["elements"][option], "forbidden": True}
        row["choices"][stem] = {**choice, "min": node.element.get("min", choice["min"])}

    def _element(self, spec: Row, node: _Node, path: str, owner: str) -> Row:
        """Narrow one element."""
        said, spec = node.element, dict(spec)
        if unread := [key for key in said if key not in _READ and not key.startswith(("fixed", "pattern"))]:
            raise ValueError(f"{owner}: {path} says {unread}")
        spec["min"] = max(spec["min"], said.get("min", 0))
        if said.get("max", _MANY) != _MANY:
            spec["forbidden" if said["max"] == "0" else "max"] = True if said["max"] == "0" else int(said["max"])
        for key, value in said.items():
            if key.startswith(("fixed", "pattern")):
                spec["fixed" if key.startswith("fixed") else "pattern"] = value
        if "binding" in said:
            spec |= self._binding(said["binding"], spec, path)
        targets = [
            target.rpartition("/")[2] for kind in said.get("type", ()) for target in kind.get("targetProfile", ())
        ]
        if targets:
            spec["targets"] = targets
        if rules := _constraints(said, owner):
            spec["constraints"] = [*spec.get("constraints", ()), *rules]
        return self._inside(spec, node, path, owner)

    def _inside(self, spec: Row, node: _Node, path: str, owner: str) -> Row:
        profile = _profile_named(node.element)
        if profile:
            spec["type"] = self._row_of(profile)
        elif node.children or node.own:
            name = f"{path}@{owner.rpartition('@')[2]}"
            self._derive(spec["type"], _Node(children=node.children), path, name)
            spec["type"] = name
        if node.slices:
            slicing = node.element["slicing"]
            known = {one["name"]: one for one in spec.get("slices", ())}
            for label, one in node.slices.items():
                known[label] = self._slice(label, one, known.get(label, {"item": spec}), (slicing, path, owner))
            spec["slices"] = list(known.values())
            spec["closed"] = slicing.get("rules") == "closed"
            spec["min"] = max(spec["min"], *(min(one["min"], 1) for one in known.values()))
        return spec

    def _slice(self, label: str, node: _Node, earlier: Row, where: tuple[Json, str, str]) -> Row:
        """Make one slice: how an item is known to belong to it, how many there may be, and what each must be.

        Args:
            label: the slice's name.
            node: what the differential says of it.
            earlier: the slice of that name in the profile this one builds on, or the element itself as `item`.
            where: the slicing, the path of the element, and the row it stands in.
        """
        slicing, path, owner = where
        spec = {key: value for key, value in earlier["item"].items() if key not in {"slices", "closed", "max"}}
        narrowed = self._element({**spec, "min": 0, "many": False}, node, path, f"{owner}:{label}")
        steps, value = _discriminator(node, slicing["discriminator"], spec["type"])
        most = node.element.get("max", _MANY)
        return {
            "name": label,
            "path": steps,
            "is": value,
            "min": max(earlier.get("min", 0), node.element.get("min", 0)),
            "max": earlier.get("max") if most == _MANY else int(most),
            "item": {key: value for key, value in narrowed.items() if key != "max"},
        }

    def _binding(self, binding: Json, spec: Row, path: str) -> Row:
        if binding["strength"] not in {"required", "extensible"}:
            raise ValueError(f"{path}: a binding of strength {binding['strength']} is not checked")
        url = binding["valueSet"]
        if url not in self._value_sets:
            raise ValueError(f"{path}: no value set {url}")
        form = "code" if spec["type"] == "code" else "coding"
        self._bindings[f"{url}#{form}"] = [
            concept["code"] if form == "code" else f"{include['system']}|{concept['code']}"
            for include in self._value_sets[url]["compose"]["include"]
            for concept in include["concept"]
        ]
        return {"binding" if binding["strength"] == "required" else "advised": f"{url}#{form}"}


def _tree(profile: Json) -> _Node:
    """Arrange a differential by element id: `Patient.identifier:nhs.system` lies inside a slice of an element."""
    root = _Node()
    for element in profile["differential"]["element"]:
        node = _node_at(root, element["id"].split(".")[1:])
        if node.element:
            raise ValueError(f"{profile['id']}: {element['id']} stands twice")
        node.element = element
    return root


def _node_at(root: _Node, steps: Sequence[str]) -> _Node:
    node = root
    for step in steps:
        name, _, label = step.partition(":")
        node = node.children.setdefault(name, _Node())
        if label:
            node = node.slices.setdefault(label, _Node())
    return node


def _said(node: _Node, steps: Sequence[str]) -> Json:
    """Give what a slice says of its discriminator."""
    for step in steps:
        node = node.children[step]
    return node.element


def _discriminator(node: _Node, discriminators: Sequence[Json], kind: str) -> tuple[list[str], object]:
    """Give the path that tells a slice's items from others, and the value they have there."""
    (discriminator,) = discriminators
    extension = _profile_named(node.element)
    if kind == "Extension" and extension:
        return ["url"], extension
    steps = discriminator["path"].split(".")
    said = _said(node, steps)
    if discriminator["type"] == "type":
        return [*steps, "resourceType"], said["type"][0]["code"]
    return steps, next(value for key, value in said.items() if key.startswith(("fixed", "pattern")))


def _profile_named(element: Json) -> str:
    return next((str(kind["profile"][0]) for kind in element.get("type", ()) if kind.get("profile")), "")


def _constraints(element: Json, owner: str) -> list[str]:
    keys = [rule["key"] for rule in element.get("constraint", ())]
    if missing := [key for key in keys if key not in INVARIANTS]:
        raise ValueError(f"{owner}: constraints without code: {missing}")
    return keys
