"""How fast it is given: RXE-22 to 24 and RXO-17, 21 and 22. All three parts are there, or the line is held.

Source: mapping.md 3.4 (RXE-22..24); HL7 v2.5.1 chapter 4.14.4.22: the time unit is a letter and a whole number, `H1`.
"""

import re

from gateway.domain.coding import UCUM, Coding
from gateway.domain.prescription import Rate
from gateway.domain.quantity import Quantity, parse_decimal
from gateway.domain.reference import ProductRow
from gateway.translate.from_hl7v2.amounts import amount, quantity, unit
from gateway.translate.from_hl7v2.coded import coded
from gateway.translate.from_hl7v2.desk import Desk
from gateway.translate.from_hl7v2.groups import Group
from gateway.translate.record import Leaf
from gateway.wire.er7 import Segment

_TIMES = {
    "S": Coding(system=UCUM, code="s", display="second"),
    "M": Coding(system=UCUM, code="min", display="minute"),
    "H": Coding(system=UCUM, code="h", display="hour"),
    "D": Coding(system=UCUM, code="d", display="day"),
    "W": Coding(system=UCUM, code="wk", display="week"),
    "L": Coding(system=UCUM, code="mo", display="month"),
}
"""`M` is minutes and `L` months, as in repeat patterns."""
_PLACES = ((22, 23, 24), (17, 21, 22))
"""Time unit, amount, unit: in RXE, and in RXO."""


def read_rate(desk: Desk, group: Group, row: ProductRow | None, target: str) -> Rate | None:
    """Read the rate of one order; RXO must not give another than RXE."""
    found: list[tuple[Rate, str]] = []
    for segment, places in zip((group.rxe, group.rxo), _PLACES, strict=True):
        if segment is None or not any(segment.repetitions(number) for number in places):
            continue
        sheet = desk.aside() if found else desk
        rate = _of_segment(sheet, segment, places, row, target)
        if sheet is not desk:
            desk.adopt(sheet)
        if rate:
            found.append((rate, segment.at(places[1])))
    if len(found) > 1 and found[0][0] != found[1][0]:
        values = (_shown(found[0][0]), _shown(found[1][0]))
        desk.flag("DOSE_CONFLICT", found[1][1], "RXO and RXE give different rates.", values)
    return found[0][0] if found else None


def _shown(rate: Rate) -> str:
    return f"{rate.amount} per {rate.per}"


def _of_segment(
    desk: Desk, segment: Segment, places: tuple[int, int, int], row: ProductRow | None, target: str
) -> Rate | None:
    time, value, unit_ = places
    said = desk.leaf(desk.one(segment, value))
    element = coded(desk, desk.one(segment, unit_))
    per = _per(desk, desk.leaf(desk.one(segment, time)), f"{target}.per")
    whole = quantity(amount(desk, said, f"{target}.amount.value"), unit(desk, element, f"{target}.amount.unit", row))
    if whole is None or per is None or "/" in whole.unit.code:
        text = "A rate needs its amount, its unit without a time, and the time it is for."
        desk.not_understood(segment.at(value), text)
        return None
    return Rate(amount=whole, per=per)


def _per(desk: Desk, leaf: Leaf | None, target: str) -> Quantity | None:
    """Read the time: `H1`, one hour; a letter without a number is not one that HL7 knows."""
    found = re.fullmatch(r"([SMHDWL])([1-9]\d{0,3})", leaf.raw) if leaf else None
    number = parse_decimal(found[2]) if found else None
    if found is None or number is None:
        desk.use(leaf)
        return None
    desk.trace(target, leaf, "parse:time-unit", f"{found[2]} {_TIMES[found[1]].code}")
    return Quantity(value=number, unit=_TIMES[found[1]])
