"""What no rule has read: known and left out for a reason, or unknown. Inside an order the unknown holds the line.

Source: mapping.md 2.2 and 6.2; brief D1; reliability-security.md 4.3, J16 and J17.
"""

import re
from collections.abc import Iterator

from gateway.domain.issue import Issue
from gateway.translate.from_fhir.bundle import Entries
from gateway.translate.from_fhir.elements import RESOURCES
from gateway.translate.from_fhir.nodes import Node
from gateway.translate.record import Leaf, Record

_EVERYWHERE = re.compile(
    r"\.(id|language|resourceType|fullUrl)$|\.meta\.|\.text\.(status|div)$|^Bundle\.(id|timestamp|total)$|\.search\."
)
_ORDER = (
    (re.compile(r"\.category\[\d+\]"), "FHIR.category: homecare is written as outpatient"),
    (re.compile(r"\.(encounter|recorder|insurance)\b"), "FHIR.order: administration, not the medicine"),
    (re.compile(r"\.identifier\[\d+\]"), "FHIR.identifier: a further number of the order"),
    (
        re.compile(r"\.(subject|requester|performer)\.(display|type|identifier\..*)$"),
        "FHIR.reference: the resource says it",
    ),
    (re.compile(r"\.note\[\d+\]\.(time|author\w+(\..*)?)$"), "FHIR.note: its words are carried"),
    (re.compile(r"\.substitution\."), "FHIR.substitution: the product stands as written"),
    (
        re.compile(r"\.groupIdentifier\.(use|type\..*|assigner\..*|period\..*)$"),
        "FHIR.identifier: its value is carried",
    ),
    (re.compile(r"\.statusReason\."), "FHIR.statusReason: only a change has one"),
)
_TAKEN = {"MedicationRequest", "Medication", "Dosage"}
REPEAT_INFORMATION = "-MedicationRepeatInformation"
"""End of the URL of the repeat extension, in EPS and in UK Core."""


def forbidden(bundle: Node, entries: Entries) -> Iterator[Issue]:
    """Give what must be understood and is not: modifierExtension and implicitRules, wherever they stand."""
    for node in _all(bundle):
        for extension in node.many("modifierExtension"):
            text = "A modifierExtension changes the meaning in a way that is not known here."
            yield Issue(code="EXTENSION_NOT_UNDERSTOOD", location=extension.path, text=text)
        if rules := node.leaf("implicitRules"):
            yield Issue(code="EXTENSION_NOT_UNDERSTOOD", location=rules.locator, text="implicitRules are not accepted.")
    for node in entries.resources:
        if node.kind not in RESOURCES:
            text = "A resource of this type is not read here; leave it out, or agree its use first."
            yield Issue(code="FIELD_NOT_UNDERSTOOD", location=f"{node.path}.resourceType", text=text)


def _all(node: Node) -> list[Node]:
    """Give a node and every node below it, in order."""
    found = [node]
    for nodes in node.children.values():
        for child in nodes:
            found += _all(child)
    return found


def account(record: Record, entries: Entries) -> None:
    """Account for every value still unread: ignored by a named rule, or unknown and, in an order, a hold."""
    unread = set(record.unread())
    for leaf in (leaf for entry in entries.entries for leaf in entry.leaves.values()):
        record.ignore((leaf,), "FHIR.entry: where the resource stands")
    for request in (part for entry in entries.entries for part in entry.many("request")):
        record.ignore(request.below(), "FHIR.request: verbs are not executed; the resource is read where it stands")
    paths = [node.path for node in entries.resources]
    for node in entries.resources:
        inner = tuple(f"{path}." for path in paths if path.startswith(f"{node.path}."))
        for leaf in node.below():
            if leaf.locator in unread and not leaf.locator.startswith(inner):
                _leaf(record, node, leaf)


def _leaf(record: Record, node: Node, leaf: Leaf) -> None:
    inside = leaf.locator[len(node.path) :]
    if _EVERYWHERE.search(leaf.locator):
        record.ignore((leaf,), "FHIR.resource: bookkeeping of the sender's server")
    elif node.kind == "MessageHeader":
        record.ignore((leaf,), "FHIR.header: kept with the message; routing is by performer (eps.md 2.2)")
    elif node.kind in _TAKEN:
        _of_an_order(record, node, leaf, inside)


def _of_an_order(record: Record, node: Node, leaf: Leaf, inside: str) -> None:
    for pattern, rule in _ORDER:
        if pattern.match(inside):
            record.ignore((leaf,), rule)
            return
    repeats = (part for part in node.many("extension") if part.raw("url").endswith(REPEAT_INFORMATION))
    if any(leaf.locator.startswith(f"{part.path}.") for part in repeats):
        record.ignore((leaf,), "FHIR.repeat-information: numberOfRepeatsAllowed and validityPeriod are what count")
        return
    record.flag("FIELD_NOT_UNDERSTOOD", leaf.locator, "No rule reads this value, and it may bear on the medicine.")
