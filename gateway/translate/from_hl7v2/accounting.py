"""The end of a reading: what neither a reader nor a rule accounts for is held, or kept as unknown.

An unread value in a segment that may bear on what the patient takes holds its order. Elsewhere it is kept, shown and
does no harm.

Source: mapping.md 2.2 and 2.4; brief D1.
"""

import re
from collections.abc import Iterable

from gateway.translate.from_hl7v2.groups import Group
from gateway.translate.from_hl7v2.order import OnDesk
from gateway.translate.tracer import Tracer
from gateway.wire.er7 import Segment

BEARING = frozenset({"RXO", "RXE", "RXR", "RXC", "TQ1", "TQ2", "NTE", "ZHC", "RXD", "RXG", "RXA", "RXV", "CDO"})
"""Segments of an order whose every value may bear on what the patient takes or where it goes."""

_BEARING_ORC = frozenset({"7", "8", "25", "26", "31", "35"})
_LOCATOR = re.compile(r"(\w{3})\[(\d+)\]-(\d+)(?:\[\d+\])?(?:\.\d+)*")


def hold_the_unread(tracer: Tracer, read: Iterable[OnDesk]) -> None:
    """Hold each new order that has an unread value where it may bear on what the patient takes."""
    owners = {segment.locator: each for each in read if each.served for group in each.groups for segment in _all(group)}
    for locator in tracer.unread():
        found = _LOCATOR.fullmatch(locator)
        if found is None:
            continue
        name, ordinal, field = found.groups()
        owner = owners.get(f"{name}[{ordinal}]")
        if owner and (name in BEARING or (name == "ORC" and field in _BEARING_ORC)):
            place = f"{name}[{ordinal}]-{field}"
            owner.desk.not_understood(place, "A value here is not read, and may bear on what the patient takes.")


def _all(group: Group) -> tuple[Segment, ...]:
    return (group.orc, *group.segments)
