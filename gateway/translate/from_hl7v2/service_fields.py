"""Where an order's homecare facts stand: in our segment ZHC, or where the trust's own map says.

A fact that the map names is read from its place there and nowhere else: a value left in ZHC beside it is then one that
nobody reads, and holds the order. A segment of the trust's own may stand in the order's group, or before the first ORC
for every order; of its other fields nothing is read (mapping.md 2.4).

Source: mapping.md 3.5.
"""

from collections.abc import Mapping, Sequence

from gateway.domain.partner import Trust
from gateway.translate.from_hl7v2.desk import Desk
from gateway.translate.from_hl7v2.groups import Group
from gateway.translate.maps.rules import movable
from gateway.wire.er7 import Repetition, Segment

ZHC = "ZHC"


def stands_for(trust: Trust) -> dict[str, str]:
    """Give the places of the trust's own segments, each with the field of ZHC whose rules it is read by."""
    return {field.place: movable()[field.target] for field in trust.z_fields}


class ServiceFields:
    """The homecare facts of one order, by their number in ZHC.

    Args:
        segments: the Z-segments that may speak of the order, by name.
        moved: number in ZHC to segment and number, for the facts the trust's map names.
    """

    def __init__(self, segments: Mapping[str, Segment], moved: Mapping[int, tuple[str, int]]) -> None:
        self._segments = segments
        self._moved = moved

    def place(self, number: int) -> tuple[Segment | None, int]:
        """Give the segment, if it was sent, and the field of a fact."""
        name, field = self._moved.get(number, (ZHC, number))
        return self._segments.get(name), field

    def at(self, number: int) -> str:
        """Give the locator of a fact; empty where its segment was not sent."""
        segment, field = self.place(number)
        return segment.at(field) if segment is not None else ""

    def one(self, desk: Desk, number: int) -> Repetition | None:
        """Give the one repetition of a fact."""
        return desk.one(*self.place(number))

    def all(self, desk: Desk, number: int) -> tuple[Repetition, ...]:
        """Give the repetitions of a fact."""
        return desk.all(*self.place(number))


def service_fields(desk: Desk, group: Group, shared: Sequence[Segment]) -> ServiceFields:
    """Find the Z-segments of an order; a second one of a name is refused, for which one counts cannot be told."""
    moved = {
        int(home.removeprefix(f"{ZHC}-")): (field.segment, field.number)
        for field in desk.context.trust.z_fields
        if (home := movable()[field.target])
    }
    own = {name for name, _ in moved.values()}
    speaking = [segment for segment in shared if segment.name in own]
    own.add(ZHC)
    speaking += [segment for segment in group.segments if segment.name in own]
    found: dict[str, Segment] = {}
    for segment in speaking:
        if segment.name in found:
            desk.flag("STRUCTURE_INVALID", segment.locator, f"An order has one {segment.name}.")
        found.setdefault(segment.name, segment)
    return ServiceFields(found, moved)
