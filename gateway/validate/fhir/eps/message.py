"""A message Bundle as the rules see it: its resources by type, each with its place."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from gateway.validate.fhir.finding import Finding, Level
from gateway.validate.fhir.narrow import found_at

Json = Mapping[str, Any]
Placed = tuple[str, Json]
"""A resource with the FHIRPath of its place."""

NHS = "https://fhir.nhs.uk/StructureDefinition/"
UK_CORE = "https://fhir.hl7.org.uk/StructureDefinition/"
SPINE_CODES = "https://fhir.nhs.uk/R4/CodeSystem/Spine-ErrorOrWarningCode"


class Message:
    """The resources of a message Bundle that has passed the walk, or nearly: every look is guarded.

    Args:
        bundle: parsed JSON.
    """

    def __init__(self, bundle: Json) -> None:
        self.bundle = bundle
        self._by_type: dict[str, list[Placed]] = {}
        self._by_url: dict[str, Json] = {}
        entries = bundle.get("entry")
        for index, entry in enumerate(entries if isinstance(entries, list) else ()):
            resource = entry.get("resource") if isinstance(entry, dict) else None
            if not isinstance(resource, dict):
                continue
            place = f"Bundle.entry[{index}].resource"
            self._by_type.setdefault(str(resource.get("resourceType")), []).append((place, resource))
            if isinstance(entry.get("fullUrl"), str):
                self._by_url[entry["fullUrl"]] = resource

    def of(self, *kinds: str) -> Sequence[Placed]:
        """Give the resources of some types, in the order of the message."""
        if len(kinds) == 1:
            return self._by_type.get(kinds[0], ())
        return [placed for kind in kinds for placed in self._by_type.get(kind, ())]

    def target(self, reference: Any) -> Json | None:
        """Give the resource a Reference of this message points at."""
        url = reference.get("reference") if isinstance(reference, dict) else None
        return self._by_url.get(url) if isinstance(url, str) else None


def listed(resource: Json, name: str) -> Sequence[Any]:
    """Give the items of an element of a resource; one that is no array is its own only item."""
    if name not in resource:
        return ()
    value = resource[name]
    return value if type(value) is list else (value,)


def extension(element: Any, url: str) -> Json | None:
    """Give the first extension of an element with a URL."""
    extensions = element.get("extension") if isinstance(element, dict) else None
    for one in extensions if isinstance(extensions, list) else ():
        if isinstance(one, dict) and one.get("url") == url:
            return one
    return None


def codes(concept: Any, system: str | None = None) -> list[str]:
    """Give the codes of a CodeableConcept, of one system or of any."""
    return [
        str(coding.get("code"))
        for coding in (listed(concept, "coding") if type(concept) is dict else found_at(concept, ("coding",)))
        if isinstance(coding, dict) and (system is None or coding.get("system") == system)
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


def shared_by(placed: Sequence[Placed], name: str) -> bool:
    """Tell whether resources agree in an element and all that is in it."""
    first = placed[0][1].get(name) if placed else None
    for _, resource in placed[1:]:  # noqa: SIM110 - a generator here costs more than the look
        if resource.get(name) != first:
            return False
    return True


def without(message: Message, kinds: tuple[str, ...], elements: tuple[str, ...]) -> Iterator[tuple[str, int, str]]:
    """Give every telecom of some types that lacks an element: place, index, element."""
    for place, resource in message.of(*kinds):
        telecoms = resource.get("telecom")
        for index, telecom in enumerate(telecoms if isinstance(telecoms, list) else ()):
            if isinstance(telecom, dict):
                for element in elements:
                    if element not in telecom:
                        yield place, index, element
