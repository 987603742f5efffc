"""What a provider that speaks HL7 v2 answers to a message, and what it says of an order by itself.

An answer (RRE, ORP, ORR, ACK) names the message it answers in MSA-2, by the id that the message bore. A status message
(OMP^O09, ORM^O01) names the trust's order number and the patient, as a report of supplies does; which line it speaks of
is found afterwards (I11). A pair of codes that is not in these tables is an issue, never a guess.

Source: mapping.md 3.1, 9.3; HL7 tables 0008, 0038 and 0119.
"""

from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Final
from uuid import UUID

from gateway.domain.delivery import STEPS
from gateway.domain.identifiers import parse_uuid
from gateway.domain.lifecycle import LineEvent
from gateway.domain.submission import OrderNumber
from gateway.translate.from_hl7v2.desk import Desk
from gateway.translate.from_hl7v2.groups import Group, Orders
from gateway.translate.from_hl7v2.moments import moment
from gateway.wire.er7 import Segment

ANSWERS: Final = {
    ("RRE", "O12"): "RRE_O12",
    ("RRE", "O02"): "RRE_O02",
    ("ORP", "O10"): "ORP_O10",
    ("ORR", "O02"): "ORR_O02",
    ("ACK", ""): "ACK",
    ("ACK", "O09"): "ACK",
    ("ACK", "O11"): "ACK",
    ("ACK", "O01"): "ACK",
}
"""Answers to a message of ours."""
STATUSES: Final = {("OMP", "O09"): "OMP_O09", ("ORM", "O01"): "ORM_O01"}
"""What a provider says of an order without being asked."""

OF_THE_MESSAGE: Final[dict[str, LineEvent]] = {
    "CA": LineEvent.ARRIVED,
    "AA": LineEvent.ARRIVED,
    "AE": LineEvent.REJECTED,
    "AR": LineEvent.REFUSED_FORMAT,
    "CR": LineEvent.REFUSED_FORMAT,
    "CE": LineEvent.NOT_STORED,
}
"""MSA-1 of an answer that names no order (HL7 table 0008)."""
_AWAY: Final = "207"
"""ERR-3 beside AR: the system is down, so that nothing was stored."""

OF_AN_ORDER: Final[dict[str, LineEvent]] = {
    "OK": LineEvent.ACCEPTED,
    "UA": LineEvent.REJECTED,
    "OC": LineEvent.RETURNED,
    "UF": LineEvent.NOT_SUPPLIED,
    "CR": LineEvent.CANCEL_CONFIRMED,
    "DR": LineEvent.CANCEL_CONFIRMED,
    "HR": LineEvent.HOLD_CONFIRMED,
    "UH": LineEvent.HOLD_REFUSED,
    "OR": LineEvent.RELEASE_CONFIRMED,
    "UR": LineEvent.RELEASE_REFUSED,
}
"""ORC-1, where it says all (HL7 table 0119)."""
WITH_STATUS: Final[dict[tuple[str, str], LineEvent]] = {
    **{(control, "CM"): LineEvent.CANCEL_TOO_LATE for control in ("UC", "UD")},
    **{(control, status): LineEvent.CANCEL_PENDING for control in ("UC", "UD") for status in ("IP", "SC")},
    **{(control, "ER"): LineEvent.CANCEL_UNKNOWN for control in ("UC", "UD")},
    ("SC", "SC"): LineEvent.VALIDATED,
}
"""ORC-1 with ORC-5, where only both say it."""
OUR_SYSTEM: Final = "99HCG"
"""Our own code system in ORC-25, with ORC-1 SC: the agreed codes for the steps of a delivery."""
_REFUSALS: Final = frozenset({"AE", "AR", "CE", "CR"})
_GOOD_NEWS: Final = frozenset({LineEvent.ARRIVED, LineEvent.ACCEPTED, LineEvent.VALIDATED})


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Replied:
    """What one ORC says, or MSA of a whole message.

    Attributes:
        number: the trust's order number; without one where it is of the whole message.
        id: the provider's own name for it: a repeat of it changes nothing.
        correlation: the message it answers; None for a status message.
        nhs_number: the patient, where one is named.
        day: agreed with the patient, of what is planned or postponed.
    """

    number: OrderNumber
    id: str
    event: LineEvent
    correlation: UUID | None
    nhs_number: str
    reason_code: str
    reason: str
    day: datetime | None
    location: str


@dataclass(frozen=True, slots=True)
class _About:
    """What every ORC of a message shares."""

    control_id: str
    code: str
    correlation: UUID | None
    nhs_number: str
    zone: tzinfo


def read_replies(desk: Desk, orders: Orders, *, control_id: str, nhs_number: str, zone: tzinfo) -> list[Replied]:
    """Read what an answer or a status message says; what is wrong becomes an issue of the whole."""
    acknowledged = next(iter(orders.named("MSA")), None)
    code = _word(desk, acknowledged, 1)
    about = _About(control_id, code, _correlation(desk, acknowledged), nhs_number, zone)
    if orders.groups:
        return [each for group in orders.groups for each in _of_group(desk, group, about)]
    whole = _of_the_message(desk, orders, about)
    return [whole] if whole else []


def _word(desk: Desk, segment: Segment | None, field: int, component: int = 1) -> str:
    return desk.text(desk.leaf(desk.one(segment, field), component)) if segment else ""


def _correlation(desk: Desk, acknowledged: Segment | None) -> UUID | None:
    if acknowledged is None:
        return None
    found = parse_uuid(_word(desk, acknowledged, 2))
    if found is None:
        desk.flag("FIELD_MISSING", acknowledged.at(2), "Name the message that is answered by the id it bore.")
    if _word(desk, acknowledged, 1) not in OF_THE_MESSAGE:
        desk.flag("VALUE_INVALID", acknowledged.at(1), "Send AA, AE, AR, CA, CE or CR.")
    return found


def _of_the_message(desk: Desk, orders: Orders, about: _About) -> Replied | None:
    event = OF_THE_MESSAGE.get(about.code)
    if event is None:
        desk.flag("SEGMENT_MISSING", "ORC[1]", "Send MSA, or an ORC for each order that is spoken of.")
        return None
    errors = orders.named("ERR")
    codes = [_word(desk, error, 3) for error in errors]
    away = about.code == "AR" and _AWAY in codes
    return Replied(
        number=OrderNumber(trust_number="", location="MSA[1]"),
        id=f"HL7/{about.control_id}",
        event=LineEvent.NOT_STORED if away else event,
        correlation=about.correlation,
        nhs_number=about.nhs_number,
        reason_code=next(filter(None, codes), ""),
        reason="; ".join(filter(None, (_word(desk, error, 8) for error in errors))),
        day=None,
        location="MSA[1]",
    )


def _of_group(desk: Desk, group: Group, about: _About) -> list[Replied]:
    orc, place = group.orc, desk.one(group.orc, 2)
    number = OrderNumber(
        trust_number=desk.text(desk.leaf(place)),
        assigner=desk.text(desk.leaf(place, 2)),
        location=orc.at(2),
        order_control=_word(desk, orc, 1),
    )
    if not number.trust_number:
        desk.flag("FIELD_MISSING", orc.at(2), "Name the trust's order number, as the order gave it.")
    notes = [desk.text(desk.leaf(part)) for note in group.named("NTE") for part in desk.all(note, 3)]
    words = "; ".join(filter(None, (_word(desk, orc, 16, 2), *notes)))
    event = _event(desk, orc, noted=any(notes))
    if event is None:
        return []
    if event is LineEvent.POSTPONED and not words:
        desk.flag("FIELD_MISSING", orc.at(16), "Say how the patient asked for a later day, in ORC-16 or NTE.")
    if about.code in _REFUSALS and event in _GOOD_NEWS:
        desk.flag("VALUE_INVALID", orc.at(1), "MSA-1 refuses what ORC-1 takes.")
    planned = event in {LineEvent.SUPPLY_PLANNED, LineEvent.POSTPONED}
    return [
        Replied(
            number=number,
            id=f"HL7/{about.control_id}/{orc.locator}",
            event=event,
            correlation=about.correlation,
            nhs_number=about.nhs_number,
            reason_code=_word(desk, orc, 16),
            reason=words,
            day=moment(desk, desk.leaf(desk.one(orc, 15)), "", about.zone) if planned else None,
            location=orc.at(1),
        )
    ]


def _event(desk: Desk, orc: Segment, *, noted: bool) -> LineEvent | None:
    """Give what ORC-1 says, with ORC-5, ORC-25 or a note where only both say it."""
    control, status = _word(desk, orc, 1), _word(desk, orc, 5)
    step, system = _word(desk, orc, 25), _word(desk, orc, 25, 3)
    if control == "SC" and step and system == OUR_SYSTEM:
        found = STEPS.get(step)
    elif control == "SC" and noted:
        found = None if status else LineEvent.QUERIED
    else:
        found = OF_AN_ORDER.get(control) or WITH_STATUS.get((control, status))
    if found is None:
        text = "This order control, with this status (ORC-5, ORC-25) and these notes, is not known here."
        desk.flag("ACTION_UNSUPPORTED", orc.at(1), text)
    return found
