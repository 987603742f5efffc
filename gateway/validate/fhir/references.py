"""References: inside a Bundle, inside `contained`, and to nothing.

An unresolved reference is an error, save in three places where published EPS messages leave them dangling, and where
it is a warning that says so: `Provenance.target`, `basedOn` of an issued repeat (it repeats another
message's order), and within a `contained` copy of another system's resource. Remote URLs are never fetched; a warning.

Source: FHIR R4 4.0.1, Bundle "resolving references in Bundles", DomainResource dom-2 to dom-5, Reference ref-1;
libraries.md 1.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from gateway.validate.fhir.finding import Level, Path
from gateway.validate.fhir.narrow import Walked

Json = Mapping[str, Any]


@dataclass(slots=True)
class _Scope:
    """What a reference may point into.

    Attributes:
        resource: the resource the reference stands in.
        owner: the resource whose `contained` a `#` points into.
        bundle: resource types by fullUrl and by `Type/id` of the nearest Bundle; None outside a Bundle.
    """

    resource: Json
    owner: Json
    bundle: dict[str, str] | None


def check_references(walked: Walked) -> None:
    """Resolve every reference the walk collected and add what is wrong to its findings."""
    scopes = _scopes(walked)
    for path, reference, targets in walked.references:
        scope = _scope_of(path, scopes)
        if reference.startswith("#"):
            _local(path, reference, targets, scope, walked)
        elif scope.bundle is None:
            _typed(path, reference.split("/")[-2] if "/" in reference else "", targets, walked)
        else:
            _bundled(path, reference, targets, scope, walked)
    for place, resource in walked.resources:
        if "contained" in resource:
            _contained(place, resource, walked)


def _scopes(walked: Walked) -> dict[int, _Scope]:
    """Give the scope of every resource, by the identity of its place; outer resources come first."""
    scopes: dict[int, _Scope] = {}
    for place, resource in walked.resources:
        outer: _Scope | None = _scope_of(place[0] if place else None, scopes)
        bundle = _entries(resource) if resource.get("resourceType") == "Bundle" else outer.bundle if outer else None
        inside = place is not None and place[1] == "contained"
        scopes[id(place)] = _Scope(
            resource=resource, owner=outer.owner if inside and outer else resource, bundle=bundle
        )
    return scopes


def _scope_of(path: Any, scopes: Mapping[int, _Scope]) -> Any:
    """Give the scope of the innermost resource around a place; None only above the root."""
    while path is not None:
        if (scope := scopes.get(id(path))) is not None:
            return scope
        path = path[0]
    return None


def _entries(bundle: Json) -> dict[str, str]:
    out: dict[str, str] = {}
    entries = bundle.get("entry")
    for entry in entries if isinstance(entries, list) else ():
        resource = entry.get("resource") if isinstance(entry, dict) else None
        if isinstance(resource, dict) and isinstance(resource.get("resourceType"), str):
            if isinstance(entry.get("fullUrl"), str):
                out[entry["fullUrl"]] = resource["resourceType"]
            if isinstance(resource.get("id"), str):
                out.setdefault(f"{resource['resourceType']}/{resource['id']}", resource["resourceType"])
    return out


def _local(path: Path, reference: str, targets: tuple[str, ...], scope: _Scope, walked: Walked) -> None:
    if reference == "#":
        return
    contained = scope.owner.get("contained")
    for resource in contained if isinstance(contained, list) else ():
        if isinstance(resource, dict) and resource.get("id") == reference[1:]:
            _typed(path, str(resource.get("resourceType")), targets, walked)
            return
    walked.report(path, "not-found", "ref-1", "refers to a contained resource that is not there")


def _bundled(path: Path, reference: str, targets: tuple[str, ...], scope: _Scope, walked: Walked) -> None:
    found = (scope.bundle or {}).get(reference)
    if found is not None:
        _typed(path, found, targets, walked)
        return
    if reference.startswith(("http://", "https://")):
        text, level = "refers to a remote resource, which is never fetched", Level.WARNING
    elif scope.resource is not scope.owner or _may_dangle(path, scope.resource):
        text, level = "refers to a resource that is not in the Bundle; published EPS messages do this", Level.WARNING
    else:
        text, level = "refers to a resource that is not in the Bundle", Level.ERROR
    walked.report(path, "not-found", "reference", text, level)


def _may_dangle(path: Path, resource: Json) -> bool:
    if path[1] == "basedOn":
        return resource.get("intent") == "reflex-order"
    return path[1] == "target" and resource.get("resourceType") == "Provenance"


def _typed(path: Path, found: str, targets: tuple[str, ...], walked: Walked) -> None:
    if found[:1].isupper() and targets and found not in targets and "Resource" not in targets:
        walked.report(path, "structure", "reference", f"may not refer to a {found}")


def _contained(path: Path | None, resource: Json, walked: Walked) -> None:
    contained = resource["contained"]
    used = list(_local_references(resource))  # not a set: an `id` may be anything
    for index, inner in enumerate(contained if isinstance(contained, list) else ()):
        if not isinstance(inner, dict):
            continue
        place: Path = (path, "contained", index)
        if "contained" in inner:
            walked.report(place, "invariant", "dom-2", "a contained resource may not contain others")
        if inner.get("id") not in used and "" not in set(_local_references(inner)):
            walked.report(place, "invariant", "dom-3", "a contained resource must be referred to")
        meta = inner.get("meta")
        if isinstance(meta, dict) and ("versionId" in meta or "lastUpdated" in meta):
            walked.report(place, "invariant", "dom-4", "a contained resource has no version of its own")
        if isinstance(meta, dict) and "security" in meta:
            walked.report(place, "invariant", "dom-5", "a contained resource has no security label of its own")


def _local_references(value: Any) -> Iterator[str]:
    """Give what follows the `#` of every local reference below a value."""
    if isinstance(value, dict):
        for key, item in value.items():
            if key == "reference" and isinstance(item, str) and item.startswith("#"):
                yield item[1:]
            else:
                yield from _local_references(item)
    elif isinstance(value, list):
        for item in value:
            yield from _local_references(item)
