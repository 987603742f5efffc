"""Which of a patient's names and addresses is meant: the current one, by its use and its period.

`use` changes what a name or an address means (FHIR R4 modifier element): one that is old is never taken for the
current. Two current homes that differ are held, for the medicine is delivered there.

Source: FHIR R4 datatypes.html#HumanName, #Address and #Period; mapping.md 3.3 (PID-5 and PID-11).
"""

import re
from collections.abc import Sequence

from gateway.translate.from_fhir.nodes import Node
from gateway.translate.record import Record

_NAMES_NO_LONGER = frozenset({"old", "maiden", "anonymous"})
_NOT_LIVED_AT = frozenset({"old", "billing"})


def current_name(patient: Node, on: str) -> Node | None:
    """Give the official name, else the usual one, else the first that is current; None where none is.

    Args:
        patient: the Patient.
        on: the date, `YYYY-MM-DD`, or nothing where it is not known.
    """
    names = [said for said in patient.many("name") if said.raw("use") not in _NAMES_NO_LONGER and not _ended(said, on)]
    best = (said for use in ("official", "usual") for said in names if said.raw("use") == use)
    return next(iter((*best, *names)), None)


def current_address(record: Record, patient: Node, on: str) -> Node | None:
    """Give the current home, else the first current address, else the first of all, which is held."""
    addresses = patient.many("address")
    current = [said for said in addresses if _is_lived_at(said) and not _ended(said, on)]
    homes = [said for said in current if said.raw("use") == "home"]
    if addresses and not current:
        text = "The only address sent has ended, or is one the patient does not live at; send the current one."
        record.flag("DELIVERY_ADDRESS_UNUSABLE", f"{patient.path}.address", text)
    elif _differ(homes):
        text = "Two current home addresses are sent; send the one to deliver to."
        record.flag("DELIVERY_ADDRESS_UNUSABLE", f"{patient.path}.address", text)
    return next(iter((*homes, *current, *addresses)), None)


def _is_lived_at(said: Node) -> bool:
    return said.raw("use") not in _NOT_LIVED_AT and said.raw("type") != "postal"


def _ended(said: Node, on: str) -> bool:
    """Tell whether a period ended before the day; a year or a month ends with its last day."""
    period = said.one("period")
    end = period.raw("end")[:10] if period else ""
    return bool(end and on) and end < on[: len(end)]


def _differ(homes: Sequence[Node]) -> bool:
    """Tell whether home addresses are of different houses: another postcode, or other numbers."""
    return len({_house(said) for said in homes}) > 1


def _house(said: Node) -> tuple[str, ...]:
    lines = " ".join(leaf.raw for leaf in (*said.repeated("line"), said.leaf("text")) if leaf).casefold()
    numbers = re.findall(r"\d+[a-z]?", lines) or lines.split()
    return (re.sub(r"\W", "", said.raw("postalCode")).casefold(), *numbers)
