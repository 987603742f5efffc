"""The entries of a message Bundle and the references between them. Nothing outside the Bundle is ever fetched.

Source: mapping.md 6.2; FHIR R4 bundle.html#references; reliability-security.md 4.3, J10 to J13.
"""

from gateway.domain.issue import Issue
from gateway.translate.from_fhir.nodes import Node
from gateway.translate.maps.rules import FHIR
from gateway.translate.record import Leaf, Record

_REFERENCE = FHIR.named("FHIR.ignored.reference")

_LOCAL_PARTS = 2


class Entries:
    """The resources of a Bundle, found by type and by reference.

    Args:
        bundle: the Bundle's node.
    """

    def __init__(self, bundle: Node) -> None:
        self.entries = bundle.many("entry")
        self.resources = tuple(resource for entry in self.entries if (resource := entry.one("resource")))
        self._of: dict[str, list[Node]] = {}
        for resource in self.resources:
            self._of.setdefault(resource.raw("resourceType"), []).append(resource)
        self._by_url: dict[str, Node] = {}
        self._doubled: list[Leaf] = []
        for entry in self.entries:
            url, resource = entry.leaf("fullUrl"), entry.one("resource")
            if url and resource:
                if url.raw.lower() in self._by_url:
                    self._doubled.append(url)
                self._by_url[url.raw.lower()] = resource

    def of(self, kind: str) -> tuple[Node, ...]:
        """Give the resources of a type, in order."""
        return tuple(self._of.get(kind, ()))

    def faults(self) -> tuple[Issue, ...]:
        """Give the entries that share a fullUrl."""
        text = "Two entries have the same fullUrl."
        return tuple(Issue(code="STRUCTURE_INVALID", location=url.locator, text=text) for url in self._doubled)

    def find(self, reference: Node | None, within: Node | None = None) -> Node | None:
        """Resolve a reference by fullUrl, `Type/id` or `#contained`; None if it leads nowhere in the Bundle."""
        raw = reference.raw("reference") if reference else ""
        if not raw:
            return None
        if raw.startswith("#"):
            inside = self._contained(within)
            return next((node for node in inside if node.raw("id") == raw[1:]), None)
        if raw.lower() in self._by_url:
            return self._by_url[raw.lower()]
        parts = raw.split("/")
        if len(parts) != _LOCAL_PARTS:
            return None
        return next((node for node in self.of(parts[0]) if node.raw("id") == parts[1]), None)

    def _contained(self, within: Node | None) -> tuple[Node, ...]:
        """Give what stands in the same container: of a contained resource, what its container contains."""
        if within is None:
            return ()
        owners = (node for node in self.resources if f"{within.path}.".startswith(f"{node.path}."))
        return tuple(node for owner in (within, *owners) for node in owner.many("contained"))

    def follow(self, record: Record, reference: Node | None, kind: str, within: Node | None = None) -> Node | None:
        """Resolve a reference that must lead to a resource of one type; otherwise REF_UNRESOLVED."""
        if reference is None:
            return None
        record.use(reference.leaf("reference"))
        record.ignore((reference.leaf("display"), reference.leaf("type")), _REFERENCE)
        found = self.find(reference, within)
        if found is None or found.raw("resourceType") != kind:
            text = f"The reference does not lead to a {kind} in this Bundle; references elsewhere are not followed."
            record.flag("REF_UNRESOLVED", f"{reference.path}.reference", text)
            return None
        return found
