"""XAD: where a patient lives, and any other postal address.

Of several addresses of a patient the current home is meant. One that has ended, or that its type says is not lived at,
is never taken for it; two current homes that differ are held, for the medicine is delivered there.

Source: HL7 v2.5.1 chapter 2A (XAD, SAD) and table 0190; mapping.md 3.3 (PID-11) and 4.5; reliability-security.md H29.
"""

import re
from collections.abc import Sequence
from datetime import datetime

from gateway.domain.prescription import Address
from gateway.translate.from_hl7v2.desk import Desk
from gateway.translate.maps.rules import HL7V2
from gateway.translate.maps.tables import table
from gateway.translate.record import Leaf
from gateway.wire.er7 import Repetition, Segment

_USES = table("address-use")
_DAY = re.compile(r"\d{4}(?:\d\d){0,2}", re.ASCII)
_NOT_LIVED_AT = frozenset({"BR", "BDL", "N", "F"})
"""Where the patient was born or comes from."""
_OTHER_ADDRESS = HL7V2.named("HL7V2.ignored.other-address")


def home_address(desk: Desk, pid: Segment, sent: datetime | None) -> Address | None:
    """Read PID-11: the current home address, else the first current one.

    Args:
        desk: takes the trace and the issues.
        pid: the patient.
        sent: when the message was sent; an address that ended before is no current one.
    """
    addresses = desk.all(pid, 11)
    current = [address for address in addresses if _is_current(desk, address, sent)]
    homes = [address for address in current if _use(desk, address) == "home"]
    chosen = next(iter((*homes, *current, *addresses)), None)
    for other in addresses:
        if other is not chosen:
            desk.pass_over(other, _OTHER_ADDRESS)
    found = postal_address(desk, chosen, "patient.address") if chosen else None
    if found is None:
        desk.flag("ADDRESS_REQUIRED", pid.at(11), "Send the patient's address.")
    elif not current:
        text = "The only address sent has ended, or is one the patient does not live at; send the current one."
        desk.flag("DELIVERY_ADDRESS_UNUSABLE", pid.at(11), text)
    elif _differ(homes):
        text = "Two current home addresses are sent; send the one to deliver to."
        desk.flag("DELIVERY_ADDRESS_UNUSABLE", pid.at(11), text)
    return found


def postal_address(desk: Desk, repetition: Repetition, target: str) -> Address | None:
    """Read an XAD; None if it states neither a line nor a postcode."""
    lines = [leaf for leaf in (*_street(desk, repetition), desk.leaf(repetition, 2)) if leaf]
    postcode = desk.leaf(repetition, 5)
    if not lines and postcode is None:
        desk.mark(repetition)
        return None
    kind = desk.leaf(repetition, 7)
    use = _USES.get(kind.raw.upper(), "") if kind else ""
    if kind and use:
        desk.trace(f"{target}.use", kind, "table:address-use", use)
    return Address(
        lines=tuple(desk.words(leaf, f"{target}.lines[{index}]") for index, leaf in enumerate(lines)),
        city=desk.words(desk.leaf(repetition, 3), f"{target}.city"),
        district=desk.words(desk.leaf(repetition, 4), f"{target}.district"),
        postcode=desk.words(postcode, f"{target}.postcode"),
        country=desk.words(desk.leaf(repetition, 6), f"{target}.country"),
        use=use,
    )


def _street(desk: Desk, repetition: Repetition) -> list[Leaf | None]:
    """Give the lines of a SAD: the address as mailed, and its street and number only where they say more."""
    mailed, street, number = (desk.leaf(repetition, 1, part) for part in (1, 2, 3))
    if mailed is None:
        return [number, street]
    further = [leaf for leaf in (street, number) if leaf and not _says(mailed.raw, leaf.raw)]
    desk.use(*(leaf for leaf in (street, number) if leaf not in further))
    return [mailed, *further]


def _says(text: str, part: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(part)}(?!\w)", text, re.IGNORECASE) is not None


def _use(desk: Desk, address: Repetition) -> str:
    return _USES.get(_raw(desk, address, 7).upper(), "")


def _raw(desk: Desk, address: Repetition, component: int, subcomponent: int = 1) -> str:
    leaf = desk.leaf(address, component, subcomponent)
    return leaf.raw if leaf else ""


def _is_current(desk: Desk, address: Repetition, sent: datetime | None) -> bool:
    """Tell whether a patient may live there: by the type, and by the end in XAD-14, or in XAD-12 before 2.5.

    A year or a month ends with its last day; what is said to end, nobody can read when, is not taken for current.
    """
    if _use(desk, address) == "old" or _raw(desk, address, 7).upper() in _NOT_LIVED_AT:
        return False
    end = _raw(desk, address, 14) or _raw(desk, address, 12, 2)
    if not end or sent is None:
        return True
    day = _DAY.match(end)
    return day is not None and day[0] >= f"{sent:%Y%m%d}"[: len(day[0])]


def _differ(homes: Sequence[Repetition]) -> bool:
    """Tell whether home addresses are of different houses: another postcode, or other numbers."""
    return len({_house(address) for address in homes}) > 1


def _house(address: Repetition) -> tuple[str, ...]:
    postcode = address.leaf(5)
    lines = " ".join(leaf.text for component in (1, 2) if (leaf := address.leaf(component))).casefold()
    numbers = re.findall(r"\d+[a-z]?", lines) or lines.split()
    return (re.sub(r"\W", "", postcode.text).casefold() if postcode else "", *numbers)
