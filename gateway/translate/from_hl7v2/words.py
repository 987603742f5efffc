"""The prescriber's own words for the directions, and which of several they are.

The first of RXE-7, RXO-7, TQ1-11 and RXO-6 that is sent. RXO-6 speaks to the pharmacy when other words exist.

Source: mapping.md 0.6 and 3.4; HL7 v2.5.1 chapter 4.14.1 for the free-text order.
"""

from dataclasses import dataclass

from gateway.translate.from_hl7v2.coded import coded
from gateway.translate.from_hl7v2.desk import Desk
from gateway.translate.from_hl7v2.groups import Group
from gateway.translate.from_hl7v2.patterns import folded
from gateway.translate.record import Leaf
from gateway.wire.er7 import Segment


@dataclass(frozen=True, slots=True)
class Words:
    """Words of one line.

    Attributes:
        directions: those that stand for the whole of the directions, by repetition.
        second: other directions, for the patient.
        notes: words for the pharmacy.
    """

    directions: tuple[Leaf, ...]
    second: tuple[Leaf, ...] = ()
    notes: tuple[Leaf, ...] = ()


def read_words(desk: Desk, group: Group) -> Words:
    """Gather the words of one order."""
    timings = [*group.encoded_timings, *group.ordered_timings]
    texts = [leaf for segment in timings if (leaf := desk.leaf(desk.one(segment, 11)))]
    texts += [
        leaf
        for segment, number in ((group.rxe, 1), (group.orc, 7))
        for part in desk.all(segment, number)
        if (leaf := desk.leaf(part, 8))
    ]
    places = [_text(desk, group.rxe, 7), _text(desk, group.rxo, 7), tuple(texts), _dosing_notes(desk, group)]
    pharmacy = (*_text(desk, group.rxe, 21), *_text(desk, group.rxo, 6))
    found = [place for place in places if place]
    if not found:
        free = _text(desk, group.rxo, 6)
        return Words(free, notes=_text(desk, group.rxe, 21))
    return Words(found[0], second=_others(desk, found), notes=pharmacy)


def _text(desk: Desk, segment: Segment | None, number: int) -> tuple[Leaf, ...]:
    """Read a field of words: the text of each coded element, or its code where that is plainly words."""
    found = []
    for part in desk.all(segment, number):
        element = coded(desk, part)
        if element is None:
            continue
        desk.use(*element.leaves())
        code = element.first.code
        leaf = element.words or (code if code and " " in code.raw.strip() else None)
        if leaf is None:
            desk.not_understood(element.location, "A code for directions is not read; send the words.")
        else:
            found.append(leaf)
    return tuple(found)


def _others(desk: Desk, places: list[tuple[Leaf, ...]]) -> tuple[Leaf, ...]:
    """Give the words sent in a further place, unless they only repeat the first."""
    first = {folded(leaf.raw) for leaf in places[0]}
    others = tuple(leaf for place in places[1:] for leaf in place)
    desk.use(*others)
    second = tuple(leaf for leaf in others if folded(leaf.raw) not in first)
    for leaf in second:
        desk.flag("SECOND_TEXT", leaf.locator, "A second set of words was carried as an instruction.")
    return second


def _dosing_notes(desk: Desk, group: Group) -> tuple[Leaf, ...]:
    """Read the comments whose type this trust uses for dosing words."""
    wanted = desk.context.trust.dosing_comment_types
    if not wanted:
        return ()
    return tuple(
        leaf
        for note in group.named("NTE")
        if desk.text(desk.leaf(desk.one(note, 4))) in wanted
        for part in desk.all(note, 3)
        if (leaf := desk.leaf(part))
    )
