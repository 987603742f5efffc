"""RXR: how the medicine gets into the patient. One route for each line, or nobody can say which.

Source: mapping.md 3.4 (RXR) and 5.
"""

from dataclasses import dataclass

from gateway.domain.code_map import MapKind
from gateway.domain.coding import SNOMED, Coding
from gateway.domain.identifiers import SnomedCode
from gateway.translate.contradictions import ROUTE_CONTRADICTION, route_contradicts
from gateway.translate.from_hl7v2.coded import Coded, coded, unknown
from gateway.translate.from_hl7v2.desk import Desk
from gateway.translate.from_hl7v2.groups import Group
from gateway.translate.record import Leaf

_LETTERS = frozenset({"", "HL70162"})


@dataclass(frozen=True, slots=True)
class Given:
    """A coded value with the leaf it comes from, to be traced on each dosage."""

    coding: Coding
    at: Leaf
    how: str


@dataclass(frozen=True, slots=True)
class Administration:
    """Route, site, method, device and extra words of a line."""

    route: Given | None = None
    site: Given | None = None
    method: Given | None = None
    instructions: tuple[Leaf, ...] = ()
    devices: tuple[Leaf, ...] = ()


def read_administration(desk: Desk, group: Group, *, drug_known: bool) -> Administration:
    """Read every RXR of an order: all must name one route, one site and one method."""
    segments = group.routes
    if not segments:
        desk.flag("SEGMENT_MISSING", f"{group.orc.locator}/RXR", "Send an RXR segment with the route.")
        return Administration()
    routes, sites, methods, devices, instructions = (
        [element for segment in segments for part in desk.all(segment, number) if (element := coded(desk, part))]
        for number in (1, 2, 4, 3, 5)
    )
    if not routes:
        desk.flag("FIELD_MISSING", segments[0].at(1), "Send the route.")
    return Administration(
        route=_one(desk, [_route(desk, element) for element in routes], "ROUTE_AMBIGUOUS"),
        site=_one(desk, [_site(desk, element) for element in sites], "ROUTE_AMBIGUOUS"),
        method=_one(desk, [_method(desk, element, drug_known) for element in methods], "ROUTE_AMBIGUOUS"),
        devices=_words(desk, devices),
        instructions=_words(desk, instructions),
    )


def _one(desk: Desk, found: list[Given | None], code: str) -> Given | None:
    given = [each for each in found if each]
    desk.use(*(each.at for each in given))
    if len({each.coding.code for each in given}) > 1:
        values = tuple(each.coding.display or each.coding.code for each in given)
        desk.flag(code, given[1].at.locator, "Different ones are sent for one line.", values)
        return None
    return given[0] if given else None


def _words(desk: Desk, elements: list[Coded]) -> tuple[Leaf, ...]:
    found: dict[str, Leaf] = {}
    for element in elements:
        desk.use(*element.leaves())
        leaf = element.words or element.first.code
        if leaf:
            found.setdefault(leaf.raw, leaf)
    return tuple(found.values())


def _snomed(desk: Desk, element: Coded) -> Given | None:
    term = next(iter(element.of(SNOMED)), None)
    if term is None or term.code is None:
        return None
    if SnomedCode.parse(term.code.raw) is None:
        desk.flag("IDENTIFIER_INVALID", term.at, "Send a SNOMED CT concept identifier with a right check digit.")
        return None
    words = term.words.raw if term.words else ""
    return Given(Coding(system=SNOMED, code=term.code.raw, display=words), term.code, "copy")


def _local(desk: Desk, element: Coded, kind: str) -> Given | None:
    for term in element.terms:
        code, words = (leaf.raw if leaf else "" for leaf in (term.code, term.words))
        entry = desk.context.trust.entry(kind, code, words, term.system) if code else None
        if entry and term.code:
            return Given(entry.target, term.code, entry.how)
    return None


def _route(desk: Desk, element: Coded) -> Given | None:
    """Read a route: SNOMED CT that the table knows, the trust's entry, or a letter of table 0162 that is safe."""
    desk.use(*element.leaves())
    reference = desk.context.reference
    given = _snomed(desk, element)
    if given and given.coding.code in reference.routes:
        known = reference.routes[given.coding.code]
        if route_contradicts(reference, given.coding):
            desk.flag("ROUTE_AMBIGUOUS", element.location, ROUTE_CONTRADICTION, (given.coding.display, known.code))
            return None
        return Given(
            Coding(system=SNOMED, code=known.code, display=given.coding.display or known.display), given.at, "copy"
        )
    if given is None and not element.of(SNOMED):
        given = _local(desk, element, "route")
        code = element.first.code
        if given is None and code and element.first.system in _LETTERS and code.raw in reference.route_letters:
            return Given(reference.route_letters[code.raw], code, "table:HL70162")
        if given:
            return given
    desk.unmapped(unknown(element, MapKind.ROUTE, "ROUTE_UNMAPPED"), "The route is not one that is known here.")
    return None


def _site(desk: Desk, element: Coded) -> Given | None:
    desk.use(*element.leaves())
    given = _snomed(desk, element) or _local(desk, element, "site")
    if given is None and not element.of(SNOMED):
        text = "The site is not SNOMED CT or mapped for this trust."
        desk.unmapped(unknown(element, MapKind.SITE, "SITE_UNMAPPED"), text)
    return given


def _method(desk: Desk, element: Coded, drug_known: bool) -> Given | None:  # noqa: FBT001 - a fact, not a switch
    """Read the method. A local one is judged only beside a known product, which usually settles it."""
    desk.use(*element.leaves())
    given = _snomed(desk, element) or _local(desk, element, "method")
    if given is None and not element.of(SNOMED) and drug_known:
        text = "The method is not SNOMED CT or mapped for this trust."
        desk.unmapped(unknown(element, MapKind.METHOD, "FIELD_NOT_UNDERSTOOD"), text)
    return given
