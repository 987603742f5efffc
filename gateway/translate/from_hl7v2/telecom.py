"""XTN: telephone numbers and e-mail addresses.

Source: HL7 v2.5.1 chapter 2A, XTN, and tables 0201 and 0202; mapping.md 3.3 (PID-13 and 14) and 4.5.
"""

import re

from gateway.domain.prescription import Contact
from gateway.translate.from_hl7v2.desk import Desk
from gateway.translate.maps.tables import table
from gateway.translate.record import Leaf
from gateway.wire.er7 import Repetition

_NUMBER_USES = table("contact-use")


def contact_points(desk: Desk, repetition: Repetition, at: str, first: int, otherwise: str = "") -> tuple[Contact, ...]:
    """Read an XTN: a number in 12, 1, or 5 to 7, with its extension in 8, and an e-mail address in 4 or 1.

    Args:
        desk: takes the trace.
        repetition: one XTN.
        at: canonical path of the list of contacts.
        first: how many the list has already.
        otherwise: use of a number that states none.

    Returns:
        None, one, or a number and an e-mail address that were sent together.
    """
    desk.use(*(desk.leaf(repetition, part) for part in (2, 3, 4, 5, 6, 7, 8)))
    use, equipment = (desk.text(desk.leaf(repetition, part)) for part in (2, 3))
    number, value = _number(desk, repetition)
    email = desk.leaf(repetition, 4)
    if number and "@" in value:
        email, number = email or number, None
    said = [(number, value, "phone"), (email, email.raw if email else "", "email")]
    found: list[Contact] = []
    for source, words, system in said:
        if source is None:
            continue
        desk.trace(f"{at}[{first + len(found)}]", source, "copy", words)
        mobile = system == "phone" and (equipment == "CP" or re.match(r"(\+44|0)7", words.replace(" ", "")))
        found.append(Contact(system=system, value=words, use="mobile" if mobile else _NUMBER_USES.get(use, otherwise)))
    return tuple(found)


def _number(desk: Desk, repetition: Repetition) -> tuple[Leaf | None, str]:
    """Give where the number stands, and the number as it is dialled."""
    country, area, local, extension = (_raw(desk, repetition, part) for part in (5, 6, 7, 8))
    source = desk.leaf(repetition, 12) or desk.leaf(repetition, 1)
    value = source.raw if source else area + local
    if source is None and local:
        source = desk.leaf(repetition, 7)
        if country:
            value = f"+{country.lstrip('+0')}{(area + local).lstrip('0')}"
    return source, f"{value} ext. {extension}" if extension else value


def _raw(desk: Desk, repetition: Repetition, component: int) -> str:
    leaf = desk.leaf(repetition, component)
    return leaf.raw if leaf else ""
