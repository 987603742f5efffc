"""PRT: who took part in an order. Version 2.9 names its people there, and has withdrawn ORC-10 to 12, 14 and 21 to 24.

Only what stands directly after ORC, RXO or RXE speaks of the order. There the ordering provider (OP) is the prescriber,
and the verifying one (VP) the pharmacist who checked. Whoever only entered the order, or is told of it, is left out by
rule; any other part, such as who is to dispense, may bear on the supply and holds the order.

Source: mapping.md 2.4 and 3.3; HL7 v2.9 7.3.4 and table 0912.
"""

from collections.abc import Sequence

from gateway.translate.from_hl7v2.desk import Desk
from gateway.translate.from_hl7v2.groups import Group
from gateway.wire.er7 import Repetition, Segment

ORDERING, VERIFYING = "OP", "VP"
_WITHOUT_BEARING = frozenset({"AD", "AT", "CP", "EP", "FHCP", "MDIR", "PP", "RCT", "RP", "TR", "VPS", "VTS"})
"""Roles of table 0912 that say nothing of what is supplied, by whom or where."""
_STANDS = frozenset({"", "AD", "CO", "UC"})
"""PRT-2, table 0287, of a part that is taken: added, corrected or unchanged."""
_PERSON, _PLACE, _ADDRESS, _PHONES = 5, 8, 14, 15


def part_of(desk: Desk, group: Group, role: str) -> list[Segment]:
    """Give the PRT segments of an order that name somebody in a role."""
    return [segment for segment in group.people if desk.text(desk.leaf(desk.one(segment, 4))) == role]


def ordering(desk: Desk, group: Group) -> tuple[tuple[Repetition, ...], str]:
    """Give everything that names the prescriber, in ORC-12 and in PRT-5, and the place to speak of."""
    named = part_of(desk, group, ORDERING)
    in_order = desk.all(group.orc, 12)
    repetitions = (*in_order, *(each for segment in named for each in desk.all(segment, _PERSON)))
    return repetitions, group.orc.at(12) if in_order or not named else named[0].at(_PERSON)


def place_of_ordering(desk: Desk, group: Group) -> tuple[Repetition | None, tuple[Repetition, ...]]:
    """Give the organisation and the addresses sent with the ordering provider."""
    named = part_of(desk, group, ORDERING)
    organisations = [found for segment in named if (found := desk.one(segment, _PLACE))]
    addresses = tuple(address for segment in named for address in desk.all(segment, _ADDRESS))
    return next(iter(organisations), None), addresses


def phones_of_ordering(desk: Desk, group: Group) -> tuple[Repetition, ...]:
    """Give the phone numbers sent with the ordering provider."""
    return tuple(phone for segment in part_of(desk, group, ORDERING) for phone in desk.all(segment, _PHONES))


def check_participants(desk: Desk, groups: Sequence[Group]) -> None:
    """Hold every part that may bear on the supply, or that may not be one at all."""
    for group in groups:
        for segment in group.people:
            _check(desk, segment)


def _check(desk: Desk, segment: Segment) -> None:
    role = desk.text(desk.leaf(desk.one(segment, 4)))
    action = desk.text(desk.leaf(desk.one(segment, 2)))
    if action not in _STANDS:
        desk.not_understood(segment.at(2), "Whether this person takes part is not one of AD, CO and UC.")
    if role not in {ORDERING, VERIFYING, *_WITHOUT_BEARING}:
        desk.not_understood(segment.at(4), "The part this person takes in the order is not one that is read here.")
