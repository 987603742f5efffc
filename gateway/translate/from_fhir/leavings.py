"""What no rule has read: known and left out for a reason, or unknown. Inside an order the unknown holds the line.

Source: mapping.md 2.2 and 6.2; brief D1; reliability-security.md 4.3, J16, J17 and J30.
"""

from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from functools import lru_cache
from itertools import pairwise

from gateway.domain.issue import Issue
from gateway.translate.from_fhir.bundle import Entries
from gateway.translate.from_fhir.elements import RESOURCES
from gateway.translate.from_fhir.nodes import Node
from gateway.translate.maps.rules import FHIR, Rule, leaving_out, plain
from gateway.translate.record import Leaf, Record

_REPEATS = FHIR.named("FHIR.ignored.repeat-information")
_ENTRY, _REQUEST = FHIR.named("FHIR.ignored.entry"), FHIR.named("FHIR.ignored.request")
_TAKEN = {"MedicationRequest", "Medication", "Dosage"}
_TO_BE_UNDERSTOOD = {"modifierExtension", "implicitRules"}
_ORDINARY = {"U", "L", "M", "N", "HTEST"}
"""Confidentiality up to normal, which is how health data is handled here, and the mark of test data."""
REPEAT_INFORMATION = "-MedicationRepeatInformation"
"""End of the URL of the repeat extension, in EPS and in UK Core."""


def forbidden(bundle: Node, entries: Entries, names: AbstractSet[str]) -> Iterator[Issue]:
    """Give what must be understood and is not: modifierExtension and implicitRules, wherever they stand.

    Args:
        bundle: the message.
        entries: of it.
        names: of all its members; where neither is among them, nobody needs to look for them.
    """
    for node in _all(bundle) if not names.isdisjoint(_TO_BE_UNDERSTOOD) else ():
        for extension in node.children.get("modifierExtension", ()):
            text = "A modifierExtension changes the meaning in a way that is not known here."
            yield Issue(code="EXTENSION_NOT_UNDERSTOOD", location=extension.path, text=text)
        if rules := node.leaves.get("implicitRules"):
            yield Issue(code="EXTENSION_NOT_UNDERSTOOD", location=rules.locator, text="implicitRules are not accepted.")
    for node in (bundle, *entries.resources):
        yield from _labels(node)
        yield from _narrative(node)
    for node in entries.resources:
        if node.kind not in RESOURCES:
            text = "A resource of this type is not read here; leave it out, or agree its use first."
            yield Issue(code="FIELD_NOT_UNDERSTOOD", location=f"{node.path}.resourceType", text=text)


def _labels(node: Node) -> Iterator[Issue]:
    """Give the security labels that ask for more care than every message gets: nothing here could keep them."""
    meta = node.one("meta")
    for label in meta.many("security") if meta else ():
        if label.raw("code") not in _ORDINARY:
            text = "A security label asks for handling that is not served here; agree on it first, or leave it out."
            yield Issue(code="FIELD_NOT_UNDERSTOOD", location=label.path, text=text)


def _narrative(node: Node) -> Iterator[Issue]:
    """Give the narrative of an order or a medicine that says more than its elements: it is not carried."""
    text = node.one("text")
    if text and node.kind in _TAKEN and text.raw("status") == "additional":
        said = "The narrative says more than the elements, and is not carried; send it in them, or as a note."
        yield Issue(code="FIELD_NOT_UNDERSTOOD", location=text.path, text=said)


def _all(node: Node) -> list[Node]:
    """Give a node and every node below it, in order."""
    found, waiting = [], [node]
    while waiting:
        one = waiting.pop()
        found.append(one)
        waiting += [child for children in reversed(one.children.values()) for child in reversed(children)]
    return found


def account(record: Record, entries: Entries) -> None:
    """Account for every value still unread: ignored by a named rule, or unknown and, in an order, a hold."""
    unread = set(record.unread())
    for leaf in (leaf for entry in entries.entries for leaf in entry.leaves.values()):
        record.ignore((leaf,), _ENTRY)
    for request in (part for entry in entries.entries for part in entry.many("request")):
        record.ignore(request.below(), _REQUEST)
    nested = _nested([node.path for node in entries.resources])
    for node in entries.resources:
        inner, kind, here = nested.get(node.path, ()), node.kind, len(node.path)
        for leaf in node.below():
            locator = leaf.locator
            if locator not in unread or (inner and locator.startswith(inner)):
                continue
            if rule := _left_out(kind, locator[here:]):
                record.leave(leaf, rule)
            elif kind in _TAKEN:
                _of_an_order(record, node, leaf)


def _nested(paths: list[str]) -> dict[str, tuple[str, ...]]:
    """Give of each resource that holds others among them the beginnings of their paths; most hold none."""
    ordered = sorted(paths)  # a full stop comes before every other character of a path, so what is inside comes next
    if not any(after.startswith(f"{before}.") for before, after in pairwise(ordered)):
        return {}
    return {path: tuple(f"{one}." for one in paths if one.startswith(f"{path}.")) for path in paths}


@lru_cache(maxsize=8192)
def _left_out(kind: str, inside: str) -> Rule | None:
    """Give the row that leaves out a value of a resource, by its path from there."""
    return leaving_out(FHIR, f"{kind}{plain(inside)}")


def _of_an_order(record: Record, node: Node, leaf: Leaf) -> None:
    repeats = (part for part in node.many("extension") if part.raw("url").endswith(REPEAT_INFORMATION))
    if any(leaf.locator.startswith(f"{part.path}.") for part in repeats):
        record.ignore((leaf,), _REPEATS)
        return
    record.flag("FIELD_NOT_UNDERSTOOD", leaf.locator, "No rule reads this value, and it may bear on the medicine.")
