"""Compiles the official FHIR R4 4.0.1 definitions to the small table that `walk` reads. Build time only.

Every constraint of severity error on the compiled types must have a closure in `invariants` or a reason in
`invariants.NOT_CODED`; otherwise compiling fails, so that no rule is lost in silence.

Source: FHIR R4 4.0.1 `profiles-types.json`, `profiles-resources.json`, `valuesets.json`, `v3-codesystems.json`.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from gateway.validate.fhir.invariants import INVARIANTS, NOT_CODED

Json = Mapping[str, Any]

RESOURCES = (
    "AllergyIntolerance",
    "AuditEvent",
    "Binary",
    "Bundle",
    "Claim",
    "CommunicationRequest",
    "Coverage",
    "Endpoint",
    "HealthcareService",
    "List",
    "Location",
    "Medication",
    "MedicationDispense",
    "MedicationRequest",
    "MessageHeader",
    "Observation",
    "OperationOutcome",
    "Organization",
    "Parameters",
    "Patient",
    "Practitioner",
    "PractitionerRole",
    "Provenance",
    "Task",
)
"""The resources that are checked. Any other type answers not-supported, never success."""

_SYSTEM_PREFIX = "http://hl7.org/fhirpath/System."
_EVERYWHERE = frozenset({"ele-1", "ext-1"})  # built into the walk


def compile_table(types: Json, resources: Json, code_sets: Sequence[Json]) -> dict[str, Any]:
    """Compile the table.

    Args:
        types: `profiles-types.json`.
        resources: `profiles-resources.json`.
        code_sets: Bundles of ValueSets and CodeSystems.

    Returns:
        `types`: name to its elements, choices and constraints; `primitives`; `resources`; `bindings`: value set to
        its codes, `code` for elements of type code and `system|code` for the rest.

    Raises:
        ValueError: a constraint of severity error is neither coded nor excused.
    """
    definitions = {
        entry["resource"]["name"]: entry["resource"]
        for bundle in (types, resources)
        for entry in bundle["entry"]
        if entry["resource"]["resourceType"] == "StructureDefinition"
    }
    compiled: dict[str, Any] = {}
    primitives: set[str] = set()
    waiting = [*RESOURCES, "Element"]
    while waiting:
        name = waiting.pop()
        definition = definitions[name]
        if definition["kind"] == "primitive-type":
            primitives.add(name)
            continue
        if name in compiled or name == "Resource":
            continue
        for type_name, row in _compile_definition(definition):
            compiled[type_name] = row
            waiting += [
                used
                for element in row["elements"].values()
                if "." not in (used := element["type"]) and used not in compiled and used not in primitives
            ]
    _refuse_uncoded(compiled)
    bindings = _bindings(compiled, code_sets)
    return {
        "types": dict(sorted(compiled.items())),
        "primitives": sorted(primitives),
        "resources": list(RESOURCES),
        "bindings": dict(sorted(bindings.items())),
    }


def _compile_definition(definition: Json) -> Iterator[tuple[str, dict[str, Any]]]:
    """Give one row for the type itself and one for each backbone element within it."""
    rows: dict[str, dict[str, Any]] = {}
    for element in definition["snapshot"]["element"]:
        path = element["path"]
        parent, _, name = path.rpartition(".")
        if not parent:
            rows[path] = _new_row(definition["kind"] == "resource", element)
            continue
        if _is_backbone(element):
            rows[path] = _new_row(False, element)  # noqa: FBT003
        _add_element(rows[parent], name, element)
    yield from rows.items()


def _is_backbone(element: Json) -> bool:
    return any(kind["code"] in {"BackboneElement", "Element"} for kind in element.get("type", ())) and (
        element["path"].count(".") >= 1
    )


def _new_row(resource: bool, element: Json) -> dict[str, Any]:  # noqa: FBT001
    return {"resource": resource, "elements": {}, "choices": {}, "constraints": _constraints(element)}


def _constraints(element: Json) -> list[str]:
    return [
        rule["key"]
        for rule in element.get("constraint", ())
        if rule["severity"] == "error" and rule["key"] not in _EVERYWHERE
    ]


def _add_element(row: dict[str, Any], name: str, element: Json) -> None:
    many = element["max"] != "1"
    if element["max"] == "0":
        return
    kinds = list(_kinds(element))
    minimum = element["min"]
    if name.endswith("[x]"):
        stem = name[:-3]
        row["choices"][stem] = {"min": minimum, "names": [stem + kind[0].upper() + kind[1:] for kind, _ in kinds]}
        minimum = 0
        named = [(stem + kind[0].upper() + kind[1:], kind, targets) for kind, targets in kinds]
    else:
        named = [(name, kind, targets) for kind, targets in kinds]
    for key, kind, targets in named:
        row["elements"][key] = {
            "type": kind,
            "min": minimum,
            "many": many,
            **({"binding": binding} if (binding := _binding(element, kind)) else {}),
            **({"targets": targets} if targets else {}),
            **({"modifier": True} if element.get("isModifier") else {}),
            **({"constraints": rules} if (rules := _element_constraints(element, kind)) else {}),
        }


def _element_constraints(element: Json, kind: str) -> list[str]:
    """Constraints stated on the element, unless they belong to its own backbone type."""
    return [] if kind == element["path"] else _constraints(element)


def _kinds(element: Json) -> Iterator[tuple[str, list[str]]]:
    if "contentReference" in element:
        yield element["contentReference"].lstrip("#"), []
        return
    for kind in element["type"]:
        code = kind["code"]
        if code.startswith(_SYSTEM_PREFIX):
            code = code.removeprefix(_SYSTEM_PREFIX).lower()
            code = _system_type(element["path"], code)
        if code in {"BackboneElement", "Element"} and element["path"].count(".") >= 1:
            code = element["path"]
        yield code, [target.rpartition("/")[2] for target in kind.get("targetProfile", ())]


def _system_type(path: str, code: str) -> str:
    """Give the primitive of an element the definitions give only a FHIRPath type: ids and an extension's url."""
    if path == "Extension.url":
        return "uri"
    root, _, name = path.partition(".")
    return "id" if name == "id" and root in RESOURCES else code


def _binding(element: Json, kind: str) -> str | None:
    binding = element.get("binding", {})
    if binding.get("strength") != "required" or kind not in {"code", "Coding", "CodeableConcept", "uri", "Quantity"}:
        return None
    value_set = str(binding["valueSet"]).partition("|")[0]
    return f"{value_set}#{'code' if kind in {'code', 'uri'} else 'coding'}"


def _refuse_uncoded(compiled: Mapping[str, Any]) -> None:
    used = {rule for row in compiled.values() for rule in row["constraints"]} | {
        rule
        for row in compiled.values()
        for element in row["elements"].values()
        for rule in element.get("constraints", ())
    }
    missing = used - set(INVARIANTS) - set(NOT_CODED)
    if missing:
        raise ValueError(f"constraints without code: {sorted(missing)}")


def _bindings(compiled: Mapping[str, Any], code_sets: Sequence[Json]) -> dict[str, list[str]]:
    resources = {
        entry["resource"]["url"]: entry["resource"]
        for bundle in code_sets
        for entry in bundle["entry"]
        if entry["resource"]["resourceType"] in {"ValueSet", "CodeSystem"} and "url" in entry["resource"]
    }
    wanted = {
        element["binding"] for row in compiled.values() for element in row["elements"].values() if "binding" in element
    }
    out = {}
    for key in wanted:
        url, _, form = key.rpartition("#")
        codes = _expand(url, resources)
        if codes is not None:
            out[key] = sorted({code if form == "code" else f"{system}|{code}" for system, code in codes})
    return out


def _expand(url: str, resources: Mapping[str, Json]) -> list[tuple[str, str]] | None:
    """Give the codes of a value set, or None when it is open (MIME types, languages)."""
    value_set = resources.get(url)
    if value_set is None:
        return None
    out: list[tuple[str, str]] = []
    for include in value_set.get("compose", {}).get("include", ()):
        for other in include.get("valueSet", ()):
            inner = _expand(other.partition("|")[0], resources)
            if inner is None:
                return None
            out += inner
        if "system" not in include:
            continue
        codes = _included(include, resources)
        if codes is None:
            return None
        out += [(include["system"], code) for code in codes]
    return out or None


def _included(include: Json, resources: Mapping[str, Json]) -> list[str] | None:
    if "concept" in include:
        return [concept["code"] for concept in include["concept"]]
    system = resources.get(include["system"])
    if system is None or "concept" not in system or "filter" in include:
        return None
    return list(_all_codes(system["concept"]))


def _all_codes(concepts: Iterable[Json]) -> Iterator[str]:
    for concept in concepts:
        yield concept["code"]
        yield from _all_codes(concept.get("concept", ()))
