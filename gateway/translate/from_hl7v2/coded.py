"""Coded elements (CE, CWE) and organisations (XON) as HL7 v2 writes them.

Source: HL7 v2.5.1 chapter 2A; mapping.md 5 for the names of SNOMED CT.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import msgspec

from gateway.domain.code_map import MapKind, UnknownCode
from gateway.domain.coding import ICD10, SNOMED, UCUM, Coding
from gateway.domain.identifiers import OdsCode, SnomedCode
from gateway.translate.from_hl7v2.desk import Desk
from gateway.translate.record import Leaf
from gateway.wire.er7 import Repetition

SYSTEMS = {
    **dict.fromkeys(
        (
            "SCT",
            "SNM3",
            "SNOMED-CT",
            "SNM",
            "DM+D",
            "DMD",
            "2.16.840.1.113883.6.96",
            "2.16.840.1.113883.2.1.3.2.4.15",
            SNOMED.upper(),
        ),
        SNOMED,
    ),
    **dict.fromkeys(("UCUM", UCUM.upper()), UCUM),
    **dict.fromkeys(("I10", "ICD10", "ICD-10"), ICD10),
}
"""Names of code systems in the third component, folded to capitals. Anything else is the trust's own."""


class Term(msgspec.Struct, frozen=True, gc=False):
    """One code, words and system of a coded element; any of the three may be missing."""

    code: Leaf | None
    words: Leaf | None
    system: str

    @property
    def known_system(self) -> str:
        """The system's URI, or empty for one of the trust's own."""
        return SYSTEMS.get(self.system.upper(), "")

    @property
    def at(self) -> str:
        """Where it stands."""
        leaf = self.code or self.words
        return leaf.locator if leaf else ""


class Coded(msgspec.Struct, frozen=True, gc=False):
    """A coded element: the first term and its alternates, in the sender's order."""

    location: str
    terms: tuple[Term, ...]

    def of(self, system: str) -> tuple[Term, ...]:
        """Give the terms with a code of a system."""
        return tuple(term for term in self.terms if term.code and term.known_system == system)

    @property
    def first(self) -> Term:
        """The first term."""
        return self.terms[0]

    def leaves(self) -> Iterator[Leaf]:
        """Give every leaf read."""
        for term in self.terms:
            if term.code:
                yield term.code
            if term.words:
                yield term.words

    @property
    def words(self) -> Leaf | None:
        """The first words."""
        for term in self.terms:
            if term.words:
                return term.words
        return None


def coded(desk: Desk, repetition: Repetition | None) -> Coded | None:
    """Read a field that is a coded element: components 1 to 6 and 10 to 12, and the original text in 9."""
    if repetition is None:
        return None
    parts = repetition.parts
    leaf = desk.leaf
    first = _term(desk, leaf(repetition), leaf(repetition, 2), leaf(repetition, 3))
    if max(parts) <= 3:  # noqa: PLR2004 - CE-3; most have no alternate
        return Coded(repetition.locator, (first,)) if first else None
    terms = [first]
    terms += [
        _term(desk, leaf(repetition, start), leaf(repetition, start + 1), leaf(repetition, start + 2))
        for start in (4, 10)
        if start in parts or start + 1 in parts or start + 2 in parts
    ]
    if 9 in parts:  # noqa: PLR2004 - CWE-9
        terms.append(_term(desk, None, desk.leaf(repetition, 9), None))
    return _coded(repetition.locator, terms)


def coded_within(desk: Desk, repetition: Repetition | None, component: int) -> Coded | None:
    """Read a component that is a coded element, written in subcomponents (the units of a CQ)."""
    if repetition is None or component not in repetition.parts:
        return None
    leaf = desk.leaf
    if type(repetition.parts[component]) is not dict:
        only = _term(desk, leaf(repetition, component), None, None)
        return Coded(f"{repetition.locator}.{component}", (only,)) if only else None
    terms = [
        _term(
            desk,
            leaf(repetition, component, start),
            leaf(repetition, component, start + 1),
            leaf(repetition, component, start + 2),
        )
        for start in (1, 4)
    ]
    return _coded(f"{repetition.locator}.{component}", terms)


def _term(desk: Desk, code: Leaf | None, words: Leaf | None, system: Leaf | None) -> Term | None:
    named = desk.text(system)
    return Term(code, words, named) if code or words else None


def _coded(location: str, terms: list[Term | None]) -> Coded | None:
    found = tuple(term for term in terms if term)
    return Coded(location, found) if found else None


def concept(desk: Desk, element: Coded | None, target: str) -> Coding | None:
    """Read a coded element for display and statistics: SNOMED CT or ICD-10 as they are, otherwise the words alone.

    A code of the trust's own means nothing to a provider and is not passed on as one.
    """
    if element is None:
        return None
    desk.use(*element.leaves())
    term = next((term for system in (SNOMED, ICD10) for term in element.of(system)), None)
    words = term.words if term and term.words else element.words
    if term is None or term.code is None:
        return Coding(display=desk.words(words, f"{target}.display")) if words else None
    if term.known_system == SNOMED and SnomedCode.parse(term.code.raw) is None:
        desk.flag("IDENTIFIER_INVALID", term.at, "Send a SNOMED CT concept identifier with a right check digit.")
        return None
    desk.trace(f"{target}.code", term.code, "copy", term.code.raw)
    desk.trace(f"{target}.system", None, "table:code-systems", term.known_system)
    return Coding(
        system=term.known_system, code=term.code.raw, display=desk.words(words, f"{target}.display") if words else ""
    )


def unknown(element: Coded, kind: MapKind, issue: str) -> UnknownCode:
    """Name what no table and no entry reads: the first code that is sent, with its words, else the words alone."""
    term = next((term for term in element.terms if term.code), element.first)
    words = term.words or element.words
    return UnknownCode(
        kind=kind,
        code=term.code.raw if term.code else "",
        text=term.words.raw if term.code and term.words else words.raw if words and not term.code else "",
        system=term.known_system or term.system,
        location=element.location,
        issue=issue,
    )


@dataclass(frozen=True, slots=True)
class Named:
    """An organisation's ODS code and the name sent with it."""

    ods: OdsCode
    at: Leaf
    name: Leaf | None


def organisation(desk: Desk, repetition: Repetition | None) -> Named | None:
    """Read an organisation: XON with its ODS code in 3 or 10, or code, name and `ODS` as a coded element writes them.

    None where no ODS code is stated; one that is misshapen is refused.
    """
    if repetition is None:
        return None
    parts = repetition.parts
    leaves = {number: desk.leaf(repetition, number) for number in (1, 2, 3, 6, 7, 10) if number in parts}
    desk.use(*leaves.values())
    words = {number: leaf.raw for number, leaf in leaves.items() if leaf}
    if words.get(3) == "ODS":
        at, name = leaves.get(1), leaves.get(2)
    elif "ODS" in {words.get(6), words.get(7)}:
        at, name = leaves.get(3) or leaves.get(10), leaves.get(1)
    else:
        return None
    if at is None:
        return None
    ods = OdsCode.parse(at.raw)
    if ods is None:
        desk.flag("IDENTIFIER_INVALID", at.locator, "Send an ODS code: three to twelve capital letters and digits.")
        return None
    return Named(ods, at, name)
