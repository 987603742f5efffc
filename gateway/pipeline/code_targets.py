"""What a trust's unknown code may be given to mean: candidates of the tables in force, and what speaks against each.

Nothing is chosen here and nothing is ranked by likeness: a candidate is found because every word that was asked for
stands in its name. What differs from the words that were sent is said in words; what would be held all the same, or may
never be sent, cannot be chosen.

Source: mapping.md 5; console.md 6.8; domain.md 1.4 (the fatal mapping error).
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Final, cast

from gateway.domain.code_map import MapKind, UnknownCode
from gateway.domain.coding import SNOMED, Coding
from gateway.domain.identifiers import SnomedCode
from gateway.domain.prescription import NEVER_ELECTRONIC, ProductLevel
from gateway.domain.reference import ProductRow, Reference
from gateway.translate.contradictions import unit_contradicts
from gateway.translate.drug_words import names_another
from gateway.translate.form_words import forms_in, names_another_form
from gateway.translate.from_hl7v2.patterns import pattern
from gateway.translate.terms import same_strength, strengths_in

MOST: Final = 50
"""Candidates shown; where there are more, more words are asked for."""
PATTERNS: Final = "HL70335"
TYPED: Final = frozenset({MapKind.SITE, MapKind.METHOD, MapKind.TIMING})
"""Kinds without a table here to search: the code is typed, and checked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """What a code may mean.

    Attributes:
        level: of a product, VMP or AMP; empty otherwise.
        facts: what the tables say of it, in words.
        differences: each difference from the words that were sent, in words.
        stops: why it cannot be chosen; empty where it can.
    """

    coding: Coding
    level: str = ""
    facts: tuple[str, ...] = ()
    differences: tuple[str, ...] = ()
    stops: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a search found; `more` where it found more than are shown."""

    candidates: tuple[Candidate, ...]
    more: bool = False


def search(unknown: UnknownCode, words: str, reference: Reference) -> Found:
    """Find what has every word in its name, whatever the order of the words and the spaces in a strength."""
    wanted = words.casefold().split()
    if not wanted and unknown.kind is MapKind.DRUG:
        return Found(candidates=())
    found = list(islice(_matching(unknown, wanted, reference), MOST + 1))
    return Found(candidates=tuple(found[:MOST]), more=len(found) > MOST)


def target(unknown: UnknownCode, code: str, display: str, reference: Reference) -> Candidate | None:
    """Give what a code of the tables is, with what speaks against it; None where there is no such code.

    Args:
        unknown: the trust's code.
        code: of the target.
        display: its words, where no table here has them.
        reference: the tables in force.
    """
    match unknown.kind:
        case MapKind.DRUG:
            row = reference.products.get(code)
            return _product(unknown, row, reference) if row is not None else None
        case MapKind.UNIT:
            unit = next((one for one in _codings(reference.units) if one.code == code), None)
            return _unit(unknown, unit, reference) if unit is not None else None
        case MapKind.ROUTE:
            route = reference.routes.get(code)
            return _route(unknown, route) if route is not None else None
        case MapKind.TIMING:
            return _timing(unknown, code) if pattern(code) is not None else None
        case _:
            known = SnomedCode.parse(code) is not None and bool(display)
            return Candidate(coding=Coding(system=SNOMED, code=code, display=display)) if known else None


def _matching(unknown: UnknownCode, wanted: list[str], reference: Reference) -> Iterator[Candidate]:
    if unknown.kind is MapKind.DRUG:
        for row in _rows(reference.products, wanted):
            if row.level is not ProductLevel.VTM and _has(wanted, f"{row.display} {row.brand} {row.ingredient}"):
                yield _product(unknown, row, reference)
    elif unknown.kind is MapKind.UNIT:
        for unit in _codings(reference.units):
            if _has(wanted, f"{unit.display} {unit.code}"):
                yield _unit(unknown, unit, reference)
    elif unknown.kind is MapKind.ROUTE:
        for route in _codings(reference.routes):
            if _has(wanted, f"{route.display} {route.code}"):
                yield _route(unknown, route)


def _rows(products: Mapping[str, ProductRow], wanted: list[str]) -> Iterable[ProductRow]:
    """Give the rows that may have the words; a whole release is looked through by its longest word first."""
    holding = getattr(products, "holding", None)
    letters = [word for word in wanted if word.isascii() and word.isalpha()]
    if callable(holding) and letters:
        return cast("Iterable[ProductRow]", holding(max(letters, key=len)))
    return products.values()


def _codings(table: Mapping[str, Coding]) -> list[Coding]:
    distinct = {(one.system, one.code): one for one in table.values()}
    return sorted(distinct.values(), key=lambda one: one.display.casefold())


def _has(wanted: list[str], text: str) -> bool:
    folded = text.casefold()
    tight = "".join(folded.split())
    return all(word in folded or word in tight for word in wanted)


def _product(unknown: UnknownCode, row: ProductRow, reference: Reference) -> Candidate:
    sent = unknown.text
    other_strength = not same_strength(sent, row.display)
    other_form = names_another_form(sent, row.display)
    another = names_another(reference.names, sent, row)
    differences = [
        *_strength(sent, row.display, other=other_strength),
        *_form(sent, row.display, other=other_form),
        *([f"Medicine: the words sent name another medicine than {row.display}"] if another else []),
    ]
    return Candidate(
        coding=Coding(system=SNOMED, code=row.code, display=row.display),
        level=row.level.value,
        facts=tuple(_facts(row)),
        differences=tuple(differences),
        stops=tuple(_stops(sent, row, other=other_strength or other_form or another)),
    )


def _facts(row: ProductRow) -> Iterator[str]:
    if row.unit is not None:
        yield f"Counted or measured in: {row.unit.display}"
    if row.brand:
        yield f"Brand: {row.brand}"
    if row.replaced_by:
        yield f"dm+d now gives it the code {row.replaced_by}"


def _stops(sent: str, row: ProductRow, *, other: bool) -> Iterator[str]:
    if not sent:
        yield "The code came without words. The words of a drug code are part of its key."
    if other:
        yield "It differs from the words sent. Every order would still be held."
    if row.schedule in NEVER_ELECTRONIC:
        yield "A Schedule 1 to 3 controlled drug never goes by homecare."
    elif not row.schedule_known:
        yield "The release does not say whether it is a controlled drug."
    if row.biologic and row.level in {ProductLevel.VMP, ProductLevel.VMPP}:
        yield "A biologic is prescribed by brand. Choose the brand's product."
    if row.level is ProductLevel.VTM:
        yield "It is a substance, not a product."


def _strength(sent: str, name: str, *, other: bool) -> Iterator[str]:
    said, this = strengths_in(sent), strengths_in(name)
    if other:
        yield f"Strength: sent {_and(said)}, this is {_and(this)}"
    elif not said and this:
        yield f"Strength: the words sent state none, this is {_and(this)}"
    elif said and not this:
        yield f"Strength: sent {_and(said)}, this states none"


def _form(sent: str, name: str, *, other: bool) -> Iterator[str]:
    said, this = forms_in(sent), forms_in(name)
    if other:
        yield f"Form: sent {_and(said)}, this is {_and(this)}"
    elif not said and this:
        yield f"Form: the words sent name none, this is {_and(this)}"


def _unit(unknown: UnknownCode, unit: Coding, reference: Reference) -> Candidate:
    clashing = [
        words
        for words in dict.fromkeys((unknown.code, unknown.text))
        if words and unit_contradicts(reference, words, unit)
    ]
    return Candidate(
        coding=unit,
        differences=tuple(f"Unit: sent {words}, this is {unit.display}" for words in clashing),
        stops=("What was sent is known to mean another unit.",) if clashing else (),
    )


def _route(unknown: UnknownCode, route: Coding) -> Candidate:
    sent = unknown.text or unknown.code
    same = _plain(sent) == _plain(route.display)
    return Candidate(coding=route, differences=() if same else (f"Route: sent {sent}, this is {route.display}",))


def _timing(unknown: UnknownCode, code: str) -> Candidate:
    sent = unknown.text or unknown.code
    return Candidate(
        coding=Coding(system=PATTERNS, code=code, display=code),
        differences=(f"Timing: sent {sent}, this is the pattern {code}",),
    )


def _plain(words: str) -> str:
    return words.strip().casefold().removesuffix(" route").removesuffix(" use")


def _and(words: Iterable[str]) -> str:
    return " and ".join(words) or "none"
