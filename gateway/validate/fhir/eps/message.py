"""A message Bundle as the rules see it: its resources by type, each with its place, and what is found wrong."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from gateway.validate.fhir.finding import Finding, Level
from gateway.validate.fhir.narrow import found_at

Json = Mapping[str, Any]
Placed = tuple[int, Json]
"""A resource with the index of its entry; `at` gives the FHIRPath, which only a fault has need of."""

NHS = "https://fhir.nhs.uk/StructureDefinition/"
UK_CORE = "https://fhir.hl7.org.uk/StructureDefinition/"
SPINE_CODES = "https://fhir.nhs.uk/R4/CodeSystem/Spine-ErrorOrWarningCode"


class Message:
    """The resources of a message Bundle that has passed the walk, or nearly: every look is guarded.

    A rule looks at the message and tells of each fault; it gives nothing back.

    Args:
        bundle: parsed JSON.

    Attributes:
        of: resources by type, each in the order of the message.
        findings: what the rules that were asked so far have told.
    """

    __slots__ = ("_by_url", "findings", "of")

    def __init__(self, bundle: Json) -> None:
        self.findings: list[Finding] = []
        of: defaultdict[str, list[Placed]] = defaultdict(list)
        by_url: dict[str, Json] = {}
        self.of, self._by_url = of, by_url
        entries = bundle.get("entry")
        for index, entry in enumerate(entries if type(entries) is list else ()):
            resource = entry.get("resource") if type(entry) is dict else None
            if type(resource) is not dict:
                continue
            kind, url = resource.get("resourceType"), entry.get("fullUrl")
            if type(kind) is str:
                of[kind].append((index, resource))
            if type(url) is str:
                by_url[url] = resource

    def target(self, reference: Any) -> Json | None:
        """Give the resource a Reference of this message points at."""
        url = reference.get("reference") if type(reference) is dict else None
        return self._by_url.get(url) if type(url) is str else None

    def tell(self, finding: Finding) -> None:
        """Add a finding."""
        self.findings.append(finding)


def at(index: int, path: str = "") -> str:
    """Give the FHIRPath of an element of the resource in an entry, or of the resource."""
    return f"Bundle.entry[{index}].resource{path and '.'}{path}"


def listed(resource: Json, name: str) -> Sequence[Any]:
    """Give the items of an element of a resource; one that is no array is its own only item."""
    if name not in resource:
        return ()
    value = resource[name]
    return value if type(value) is list else (value,)


def extension(element: Any, url: str) -> Json | None:
    """Give the first extension of an element with a URL."""
    extensions = element.get("extension") if type(element) is dict else None
    for one in extensions if type(extensions) is list else ():
        if type(one) is dict and one.get("url") == url:
            return one
    return None


def codes(concept: Any, system: str | None = None) -> list[str]:
    """Give the codes of a CodeableConcept, of one system or of any."""
    return [
        str(coding.get("code"))
        for coding in (listed(concept, "coding") if type(concept) is dict else found_at(concept, ("coding",)))
        if type(coding) is dict and (system is None or coding.get("system") == system)
    ]


def wrong(section: str, code: str, place: str, text: str, level: Level = Level.ERROR) -> Finding:
    """Give a finding of a rule of the dialect.

    Args:
        section: where eps.md states the rule, `5.3`, with what it is about: `5.3 status`.
        code: FHIR `issue-type`, as EPS answers it.
        place: FHIRPath.
        text: what is wrong; never a value.
        level: warning for what EPS needs only to translate or to sign.
    """
    return Finding(code=code, expression=place, text=text, rule=f"eps-{section}", level=level)


def differing(placed: Sequence[Placed], path: Sequence[str]) -> bool:
    """Tell whether resources disagree in an element."""
    first = found_at(placed[0][1], path) if placed else []
    return any(found_at(resource, path) != first for _, resource in placed[1:])
