"""Order groups: which segments belong to which order, and within it to RXO or to RXE.

A group starts at each ORC and ends before the next. What stands before the first ORC belongs to every order.

Source: mapping.md 3.2; HL7 v2.5.1 chapter 4.
"""

from dataclasses import dataclass, field

from gateway.domain.submission import OrderNumber
from gateway.translate.from_hl7v2.desk import Desk
from gateway.wire.er7 import Message, Segment

_OF_SEVERAL = frozenset({"ADD", "DSC", "FHS", "BHS", "BTS", "FTS"})
"""Segments of a message in several parts, and of a batch: neither is served."""


@dataclass(slots=True)
class Part:
    """RXO or RXE with the segments that follow it."""

    head: Segment
    routes: list[Segment] = field(default_factory=list)
    components: list[Segment] = field(default_factory=list)


@dataclass(slots=True)
class Group:
    """One order, as it stands in the message."""

    orc: Segment
    requested: Part | None = None
    encoded: Part | None = None
    ordered_timings: list[Segment] = field(default_factory=list)
    """TQ1 before RXE: the order's own."""
    encoded_timings: list[Segment] = field(default_factory=list)
    """TQ1 after RXE."""
    loose_routes: list[Segment] = field(default_factory=list)
    segments: list[Segment] = field(default_factory=list)
    repeated: list[Segment] = field(default_factory=list)
    """A second RXO or RXE: which one counts cannot be told."""
    people: list[Segment] = field(default_factory=list)
    """PRT directly after ORC, RXO or RXE: who took part in the order."""

    def named(self, name: str) -> list[Segment]:
        """Give the group's segments of a name."""
        return [segment for segment in self.segments if segment.name == name]

    @property
    def rxo(self) -> Segment | None:
        """The requested order."""
        return self.requested.head if self.requested else None

    @property
    def rxe(self) -> Segment | None:
        """The encoded order, authoritative where it is present."""
        return self.encoded.head if self.encoded else None

    @property
    def routes(self) -> list[Segment]:
        """Every RXR."""
        parts = [part for part in (self.requested, self.encoded) if part]
        return [*self.loose_routes, *(route for part in parts for route in part.routes)]

    def place(self, segment: Segment) -> None:
        """Take the next segment of the message."""
        if segment.name == "PRT" and self._speaks_of_order():
            self.people.append(segment)
        self.segments.append(segment)
        part = self.encoded or self.requested
        match segment.name:
            case "RXO" if self.requested is None and self.encoded is None:
                self.requested = Part(segment)
            case "RXE" if self.encoded is None:
                self.encoded = Part(segment)
            case "RXO" | "RXE":
                self.repeated.append(segment)
            case "TQ1":
                (self.encoded_timings if self.encoded else self.ordered_timings).append(segment)
            case "RXR":
                (part.routes if part else self.loose_routes).append(segment)
            case "RXC" if part:
                part.components.append(segment)
            case _:
                pass

    def _speaks_of_order(self) -> bool:
        """Tell whether a PRT here is about the order, and not about an observation or a timing."""
        before = next((each.name for each in reversed(self.segments) if each.name != "PRT"), "ORC")
        return before in {"ORC", "RXO", "RXE"}


@dataclass(frozen=True, slots=True)
class Orders:
    """A message's segments, sorted.

    Attributes:
        shared: before the first ORC.
        misplaced: segments that show two patients, two messages in one, or one message in several.
    """

    shared: tuple[Segment, ...]
    groups: tuple[Group, ...]
    misplaced: tuple[Segment, ...]

    def named(self, name: str) -> list[Segment]:
        """Give the shared segments of a name."""
        return [segment for segment in self.shared if segment.name == name]


def parent_of(desk: Desk, group: Group) -> OrderNumber | None:
    """Read ORC-8, the sender's number of the order that this one comes from; None where there is none."""
    place = desk.one(group.orc, 8)
    number, assigner = desk.leaf(place), desk.leaf(place, 1, 2)
    if number is None:
        return None
    return OrderNumber(trust_number=number.raw, assigner=assigner.raw if assigner else "", location=number.locator)


def sort_segments(message: Message) -> Orders:
    """Sort the segments of a message into its orders."""
    shared: list[Segment] = []
    groups: list[Group] = []
    misplaced: list[Segment] = []
    for segment in message.segments:
        if (segment.name in {"MSH", "PID"} and (segment.ordinal > 1 or groups)) or segment.name in _OF_SEVERAL:
            misplaced.append(segment)
        elif segment.name == "ORC":
            groups.append(Group(segment))
        elif groups:
            groups[-1].place(segment)
        else:
            shared.append(segment)
    return Orders(tuple(shared), tuple(groups), tuple(misplaced))
