"""RDS: what a provider that speaks HL7 v2 reports as supplied.

A report names the trust's order number, never a message of ours; which line it speaks of is found afterwards among the
lines allocated to that provider (I11). Every value that decides what is counted must be there and be understood: the
order number, the provider's own number, the patient, the amount with its unit. Otherwise nothing moves.

RXD-8, the refills that remain, says which supply it is. ORC-25, in our own code system, says that it is dispatched or
delivered and not only made up; ORC-1 XX with RXD-4 "" takes the report of that name back.

HL7 table 0484 calls a new full fill N, and some providers write N for "not supplied"; the amount decides between them.

Answers to a message and what is said of an order by itself are read in `replies`.

Source: mapping.md 3.1, 9.3; HL7 v2.5.1 chapter 4 (RDS, RXD) and table 0484.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from decimal import Decimal

from gateway.domain.coding import SNOMED
from gateway.domain.errors import Refusal
from gateway.domain.identifiers import NhsNumber
from gateway.domain.issue import Issue
from gateway.domain.lifecycle import LineEvent
from gateway.domain.quantity import parse_decimal
from gateway.domain.submission import Envelope, OrderNumber, Submission
from gateway.translate.context import ReadingContext
from gateway.translate.from_hl7v2.coded import coded
from gateway.translate.from_hl7v2.desk import Desk
from gateway.translate.from_hl7v2.groups import Group, Orders, sort_segments
from gateway.translate.from_hl7v2.header import Header, read_header
from gateway.translate.from_hl7v2.moments import day, moment
from gateway.translate.from_hl7v2.replies import ANSWERS, OUR_SYSTEM, STATUSES, Replied, read_replies
from gateway.translate.maps.rules import HL7V2
from gateway.translate.tracer import Tracer
from gateway.wire.er7 import Er7Error, Repetition, Segment, parse

REPORTS = {("RDS", "O13"): "RDS_O13", ("RDS", "O01"): "RDS_O01"}
"""Message types a provider may send."""

_STEPS = {event.value: event for event in (LineEvent.DISPENSED, LineEvent.DISPATCHED, LineEvent.DELIVERED)}
_LONGEST_COUNT = 3
_PART, _FULL = frozenset({"P", "Q"}), frozenset({"C", "F", "N", "R"})


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Supplied:
    """One RXD: one supply, or the word that there is none.

    Attributes:
        number: the trust's order number (ORC-2).
        filler: the provider's own number (ORC-3), with `sub_id` (RXD-1) the name of this supply.
        event: DISPENSED, DISPATCHED, DELIVERED, SUPPLY_SHORT or NOT_SUPPLIED, as far as the report alone tells;
            SUPPLY_WITHDRAWN takes the report of the same name back.
        supplies_left: how many supplies are to come after this one (RXD-8).
        ordered_code: the product of RXE-2, where it is repeated; must be the line's.
        product_code: the product of RXD-2.
        unit_code: the code of RXD-5.
    """

    number: OrderNumber
    filler: str
    sub_id: str
    nhs_number: str
    event: LineEvent
    ordered_code: str
    product_code: str
    product_display: str
    amount: Decimal
    unit_code: str
    unit: str
    at: datetime | None
    batch: str
    expiry: date | None
    note: str
    location: str
    supplies_left: int | None = None

    @property
    def id(self) -> str:
        """The provider's own name for this supply: a repeat of it changes nothing (mapping.md 9.3)."""
        return f"RDS/{self.filler}/{self.sub_id}"


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Report:
    """A whole message as read.

    Attributes:
        issues: any of them refuses the report whole; nothing moves.
    """

    envelope: Envelope
    supplies: tuple[Supplied, ...] = ()
    replies: tuple[Replied, ...] = ()
    issues: tuple[Issue, ...] = ()

    @property
    def said(self) -> tuple[Supplied | Replied, ...]:
        """Everything it says, in its own order: a message holds the one kind or the other."""
        return (*self.supplies, *self.replies)


def read_report(submission: Submission, context: ReadingContext) -> Report:
    """Read a dispense report.

    Args:
        submission: the bytes and the provider that sent them.
        context: `trust` stands for the provider, as the sender MSH-4 must name.

    Raises:
        Refusal: not even MSH can be read.
    """
    try:
        message = parse(submission.body)
    except Er7Error as error:
        raise Refusal(Issue(code=error.code, location=error.location, text=error.text)) from None
    tracer = Tracer(message.lexemes, HL7V2)
    desk = Desk(tracer, context)
    header = read_header(message, desk, served=REPORTS | ANSWERS | STATUSES)
    if not header.served:
        return Report(envelope=header.envelope, issues=tuple(desk.issues))
    orders = sort_segments(message)
    for segment in orders.misplaced:
        desk.flag("STRUCTURE_INVALID", segment.locator, "A message holds one patient and is sent in one piece.")
    if tuple([*header.envelope.message_type.split("^"), ""][:2]) in REPORTS:
        supplies, replies = _supplies(desk, orders, header.zone), []
    else:
        supplies, replies = [], _replies(desk, orders, header)
    return Report(envelope=header.envelope, supplies=tuple(supplies), replies=tuple(replies), issues=tuple(desk.issues))


def _replies(desk: Desk, orders: Orders, header: Header) -> list[Replied]:
    """Read an answer, which may leave its patient out, or a status message, which names one and answers nothing."""
    answers = tuple([*header.envelope.message_type.split("^"), ""][:2]) in ANSWERS
    if answers and not orders.named("MSA"):
        desk.flag("SEGMENT_MISSING", "MSA[1]", "An answer names in MSA the message that it answers.")
    patient = _patient(desk, orders.named("PID")) if orders.named("PID") or not answers else ""
    control_id = header.envelope.control_id
    return read_replies(desk, orders, control_id=control_id, nhs_number=patient, zone=header.zone)


def _supplies(desk: Desk, orders: Orders, zone: tzinfo) -> list[Supplied]:
    patient = _patient(desk, orders.named("PID"))
    if not orders.groups:
        desk.flag("SEGMENT_MISSING", "ORC[1]", "Send an ORC segment for each order that is reported on.")
    found = [each for group in orders.groups for each in _of_group(desk, group, patient, zone)]
    names = [each.id for each in found]
    for index, each in enumerate(found):
        if each.id in names[:index]:
            desk.flag("VALUE_INVALID", each.location, "Two supplies of the message have one number (ORC-3 and RXD-1).")
    return found


def _patient(desk: Desk, pids: Sequence[Segment]) -> str:
    """Give the patient's NHS number: a supply is counted only for the patient it was ordered for."""
    parts = desk.all(pids[0], 3) if pids else ()
    numbers = {_text(desk, part) for part in parts if _text(desk, part, 4) == "NHS" or _text(desk, part, 5) == "NH"}
    numbers.discard("")
    location = pids[0].at(3) if pids else "PID[1]"
    parsed = {NhsNumber.parse(number) for number in numbers}
    if not numbers:
        desk.flag("NHSNO_MISSING", location, "A report names its patient by NHS number.")
    elif None in parsed:
        desk.flag("NHSNO_CHECK_DIGIT", location, "The NHS number's check digit is wrong.")
    elif len(numbers) > 1:
        desk.flag("NHSNO_CONFLICT", location, "Send one NHS number.")
    return next((number.value for number in parsed if number), "")


def _text(desk: Desk, repetition: Repetition | None, component: int = 1) -> str:
    return desk.text(desk.leaf(repetition, component))


def _of_group(desk: Desk, group: Group, nhs_number: str, zone: tzinfo) -> list[Supplied]:
    """Read the supplies of one order."""
    place, filler = desk.one(group.orc, 2), desk.one(group.orc, 3)
    number = OrderNumber(
        trust_number=_text(desk, place),
        assigner=_text(desk, place, 2),
        location=group.orc.at(2),
        order_control=_text(desk, desk.one(group.orc, 1)),
    )
    own = _text(desk, filler)
    _check_order(desk, group.orc, number, own, _text(desk, filler, 2))
    segments = group.named("RXD")
    if not segments:
        desk.flag("SEGMENT_MISSING", f"{group.orc.locator}/RXD", "Send an RXD for each supply.")
    ordered = _product(desk, group.rxe, 2)[0]
    said = _Order(number, own, nhs_number, ordered, _step(desk, group.orc))
    return [_supplied(desk, segment, said, zone) for segment in segments]


@dataclass(frozen=True, slots=True)
class _Order:
    """What every RXD of an order shares; `step` is what ORC-25 makes of a supply in full."""

    number: OrderNumber
    own: str
    nhs_number: str
    ordered: str
    step: LineEvent


def _step(desk: Desk, orc: Segment) -> LineEvent:
    """Read ORC-25: a report without it is of a supply that was made up, whatever became of it."""
    modifier = desk.one(orc, 25)
    code = _text(desk, modifier)
    if _text(desk, modifier, 3) != OUR_SYSTEM:
        return LineEvent.DISPENSED
    found = _STEPS.get(code)
    if found is None:
        desk.flag("VALUE_INVALID", orc.at(25), "Beside an amount, send dispensed, dispatched or delivered.")
    return found or LineEvent.DISPENSED


def _check_order(desk: Desk, orc: Segment, number: OrderNumber, own: str, assigner: str) -> None:
    if not number.trust_number:
        desk.flag("FIELD_MISSING", orc.at(2), "Name the trust's order number, as the order gave it.")
    if not own:
        desk.flag("FIELD_MISSING", orc.at(3), "Name your own number for the order; it tells repeats apart.")
    if assigner not in {"", desk.sender.value}:
        desk.flag("SENDER_MISMATCH", orc.at(3), "ORC-3.2 must name the provider that sends the report.")
    if number.order_control not in {"RE", "UF", "XX"}:
        text = "Served in a report: RE, supplied; UF, will not be supplied; XX, an earlier report taken back."
        desk.flag("ACTION_UNSUPPORTED", orc.at(1), text)


def _product(desk: Desk, segment: Segment | None, number: int) -> tuple[str, str]:
    element = coded(desk, desk.one(segment, number))
    terms = element.of(SNOMED) if element else ()
    code = terms[0].code.raw if terms and terms[0].code else ""
    words = element.words if element else None
    return code, words.raw if words else ""


def _supplied(desk: Desk, rxd: Segment, order: _Order, zone: tzinfo) -> Supplied:
    """Read one RXD."""
    sub_id = _text(desk, desk.one(rxd, 1))
    if not sub_id:
        desk.flag("FIELD_MISSING", rxd.at(1), "Number the supplies of an order, from 1.")
    amount = _deleted(desk, rxd) if order.number.order_control == "XX" else _amount(desk, rxd)
    unit = coded(desk, desk.one(rxd, 5))
    code, words = (leaf.raw if leaf else "" for leaf in ((unit.first.code, unit.words) if unit else (None, None)))
    product_code, product_display = _product(desk, rxd, 2)
    return Supplied(
        number=order.number,
        filler=order.own,
        sub_id=sub_id,
        nhs_number=order.nhs_number,
        event=_event(desk, rxd, order, amount),
        ordered_code=order.ordered,
        product_code=product_code,
        product_display=product_display,
        amount=amount,
        unit_code=code,
        unit=words or code,
        at=moment(desk, desk.leaf(desk.one(rxd, 3)), "", zone),
        batch=", ".join(filter(None, (_text(desk, part) for part in desk.all(rxd, 18)))),
        expiry=day(desk, desk.leaf(desk.one(rxd, 19)), "", zone),
        note="; ".join(filter(None, (_text(desk, part) for part in desk.all(rxd, 9)))),
        location=rxd.locator,
        supplies_left=_left(desk, rxd),
    )


def _left(desk: Desk, rxd: Segment) -> int | None:
    """Read RXD-8, the refills that remain after this one."""
    leaf = desk.leaf(desk.one(rxd, 8))
    text = desk.text(leaf)
    if leaf is None or (text.isascii() and text.isdigit() and len(text) <= _LONGEST_COUNT):
        return int(text) if text else None
    desk.flag("VALUE_INVALID", leaf.locator, "Send the supplies that remain as a whole number.")
    return None


def _amount(desk: Desk, rxd: Segment) -> Decimal:
    """Read RXD-4; nought where it is missing or wrong, which then is an issue."""
    leaf = desk.leaf(desk.one(rxd, 4))
    if leaf is None:
        desk.flag("FIELD_MISSING", rxd.at(4), "State the amount that was supplied.")
        return Decimal(0)
    value = parse_decimal(desk.text(leaf))
    if value is None:
        desk.flag("VALUE_INVALID", leaf.locator, "Send a plain decimal, such as 4 or 0.5.")
    return value or Decimal(0)


def _deleted(desk: Desk, rxd: Segment) -> Decimal:
    """Require the amount of a report that is taken back to be deleted, so that an XX of other sense is not one."""
    if not any(part.null for part in rxd.repetitions(4)):
        desk.flag("QUANTITY_CONFLICT", rxd.at(4), 'ORC-1 XX takes a report back: delete its amount (RXD-4 "").')
    return Decimal(0)


def _event(desk: Desk, rxd: Segment, order: _Order, amount: Decimal) -> LineEvent:
    """Tell a supply in full, in part and none apart; what contradicts itself is refused."""
    control = order.number.order_control
    if control == "XX":
        return LineEvent.SUPPLY_WITHDRAWN
    kind = _text(desk, desk.one(rxd, 33))
    if kind not in _PART | _FULL | {""}:
        text = "Send the type of supply: P, part, or a full one (C, F, N, R)."
        desk.flag("VALUE_INVALID", rxd.at(33), text)
    nothing = control == "UF" or (kind == "N" and not amount)
    if nothing and amount:
        desk.flag("QUANTITY_CONFLICT", rxd.at(4), "ORC-1 says that nothing will be supplied, and RXD-4 an amount.")
    elif not nothing and not amount:
        desk.flag("QUANTITY_CONFLICT", rxd.at(4), "A supply of nought is none: send ORC-1 UF.")
    if nothing:
        return LineEvent.NOT_SUPPLIED
    return LineEvent.SUPPLY_SHORT if kind in _PART else order.step
