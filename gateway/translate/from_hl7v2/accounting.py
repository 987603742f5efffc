"""The end of a reading: what nobody read is left out by a named rule, held, or kept as unknown.

An unread value in a segment that may bear on what the patient takes holds its order. Elsewhere it is kept, shown and
does no harm.

Source: mapping.md 2.2 and 2.4; brief D1.
"""

import re
from collections.abc import Iterable
from functools import lru_cache

from gateway.translate.from_hl7v2.groups import Group
from gateway.translate.from_hl7v2.order import OnDesk
from gateway.translate.tracer import Tracer
from gateway.wire.er7 import Segment

_SET_ID = "the set id only counts"
_READ_ELSEWHERE = "another field says it"
_NOT_CARRIED = "demographics and visit details that are not carried"
_VERSION = "the version of a coding system"
_BY_MAP = "read only where the trust's settings say so"
_ADMINISTRATIVE = "administrative; no bearing on the supply"

IGNORED: tuple[tuple[str, str, str], ...] = (
    ("MSH", "1|2|8|13|17|18|19|20|21|22|23|24|25", "about the message itself"),
    ("MSH", "3|4|5|6|11|12|15|16", "further components of what MSH says"),
    ("SFT|UAC", r"\d+", "about the sending software"),
    ("PID", "1", _SET_ID),
    ("PID", "2|4|19", _BY_MAP),
    ("PID", "3", "further components of an identifier"),
    ("PID", r"6|9|10|12|16|17|18|2[0-8]|31|3[3-9]", _NOT_CARRIED),
    ("PID", r"(5|7|8|11|13|14|15|32|40)\.\d+(\.\d+)?", "further components of what is carried"),
    ("PD1", r"\d+", _NOT_CARRIED),
    ("PV1|PV2", r"\d+", _NOT_CARRIED),
    ("ORC", "3", "a provider's number; only a provider gives it"),
    ("ORC", r"2\.[34]|4\.[34]", "further parts of the assigner"),
    ("ORC", "5|6|19|20|24|27|28|29|30|32|33|34", _ADMINISTRATIVE),
    ("ORC", "9|15", "authored is RXE-32, else ORC-9, else ORC-15"),
    ("ORC", "10|11|13|18", "who entered or verified it, without number and time"),
    ("ORC", r"(12|17|21|22|23|14)\.\d+(\.\d+)?", "further components of people and places"),
    ("RXE", "13|14", "staff; the prescriber is ORC-12"),
    ("RXO", "14|15", "staff; the prescriber is ORC-12"),
    ("RXE", "15", "the trust's prescription number; ORC-2 is the number used"),
    ("RXE", "16|18", "refill counts of an order that is new"),
    ("RXE", "19", "the daily total is a sum, not a limit"),
    ("RXE", "6", "the form is the product's"),
    ("RXO", "5", "the form is the product's"),
    ("RXE", "36|38|41", _ADMINISTRATIVE),
    ("RXE", r"(2|5|11|26|35|40)\.[78]", _VERSION),
    ("RXO", r"(1|4|12|19|32)\.[78]", _VERSION),
    ("RXR", r"[1-5]\.[78]", _VERSION),
    ("TQ1|ZHC", "1", _SET_ID),
    ("NTE", "1|2|4|5|6|7", "who commented and of what kind"),
    ("AL1|IAM|DG1|OBX", r"\d+", "beside the code, value, unit, date and status that are carried"),
)
"""Segment, field (or field and component) and the rule that leaves it out. The first row that matches counts."""

BEARING = frozenset({"RXO", "RXE", "RXR", "RXC", "TQ1", "TQ2", "NTE", "ZHC", "RXD", "RXG", "RXA", "RXV", "CDO"})
"""Segments of an order whose every value may bear on what the patient takes or where it goes."""

_BEARING_ORC = frozenset({"7", "8", "25", "26", "31", "35"})
_LOCATOR = re.compile(r"(\w{3})\[(\d+)\]-(\d+)(?:\[\d+\])?((?:\.\d+)+)?")


def ignore_by_rule(tracer: Tracer) -> None:
    """Account for every unread value that a row of the table leaves out."""
    for locator in tracer.unread():
        found = _LOCATOR.fullmatch(locator)
        if found and (rule := _rule(found[1], found[3], found[4] or "")):
            tracer.ignore(locator, rule)


@lru_cache(maxsize=4096)
def _rule(name: str, field: str, rest: str) -> str:
    """Give the rule that leaves a place out, or nothing."""
    for segments, fields, rule in IGNORED:
        whole_field = re.fullmatch(fields, field)
        if re.fullmatch(segments, name) and (whole_field or (rest and re.fullmatch(fields, field + rest))):
            return rule
    return ""


def hold_the_unread(tracer: Tracer, read: Iterable[OnDesk]) -> None:
    """Hold each new order that has an unread value where it may bear on what the patient takes."""
    owners = {segment.locator: each for each in read if each.served for group in each.groups for segment in _all(group)}
    for locator in tracer.unread():
        found = _LOCATOR.fullmatch(locator)
        if found is None:
            continue
        name, ordinal, field, _ = found.groups()
        owner = owners.get(f"{name}[{ordinal}]")
        if owner and (name in BEARING or (name == "ORC" and field in _BEARING_ORC)):
            place = f"{name}[{ordinal}]-{field}"
            owner.desk.not_understood(place, "A value here is not read, and may bear on what the patient takes.")


def _all(group: Group) -> tuple[Segment, ...]:
    return (group.orc, *group.segments)
