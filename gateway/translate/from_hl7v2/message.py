"""HL7 v2 bytes to a reading: the way in.

Source: mapping.md 2.4, 3.1 and 3.2.
"""

from itertools import chain

from gateway.domain.errors import Refusal
from gateway.domain.issue import Issue
from gateway.domain.submission import Reading, Submission
from gateway.translate.context import ReadingContext
from gateway.translate.from_hl7v2.accounting import hold_the_unread
from gateway.translate.from_hl7v2.desk import Desk
from gateway.translate.from_hl7v2.groups import Orders, sort_segments
from gateway.translate.from_hl7v2.header import Header, read_header
from gateway.translate.from_hl7v2.notices import read_patient_update
from gateway.translate.from_hl7v2.order import OnDesk, batches, read_order
from gateway.translate.from_hl7v2.service_fields import stands_for
from gateway.translate.maps.rules import HL7V2
from gateway.translate.tracer import Tracer
from gateway.wire.er7 import Er7Error, Message, parse


def read(submission: Submission, context: ReadingContext) -> Reading:
    """Read a pharmacy order message.

    Args:
        submission: the bytes and who sent them.
        context: the trust, the tables and the environment.

    Returns:
        The envelope and one order for each prescription; with every issue found.

    Raises:
        Refusal: not even MSH can be read (UNREADABLE, CHARSET_INVALID).
    """
    try:
        message = parse(submission.body)
    except Er7Error as error:
        raise Refusal(Issue(code=error.code, location=error.location, text=error.text)) from None
    tracer = Tracer(message.lexemes, HL7V2, stands_for(context.trust))
    desk = Desk(tracer, context)
    header = read_header(message, desk)
    demographic = header.envelope.message_type.startswith("ADT^")
    read_orders = _orders(message, desk, tracer, header) if header.served and not demographic else []
    notices = (read_patient_update(desk, message, header),) if header.served and demographic else ()
    tracer.ignore_by_rule()
    hold_the_unread(tracer, read_orders)
    orders = (*(each.order() for each in read_orders), *notices)
    leftovers = tracer.finish()
    return Reading(
        envelope=header.envelope,
        orders=orders,
        issues=tuple(desk.issues),
        leftovers=leftovers,
        unaccounted=tracer.unaccounted(chain.from_iterable(order.trace for order in orders)),
    )


def _orders(message: Message, desk: Desk, tracer: Tracer, header: Header) -> list[OnDesk]:
    """Read every prescription of the message, each at its own desk."""
    orders = sort_segments(message)
    _check_structure(desk, orders)
    found = []
    for groups in batches(desk, orders):
        sheet = Desk(tracer, desk.context)
        found.append(read_order(sheet, groups, orders, header))
    _check_numbers(found)
    return found


def _check_structure(desk: Desk, orders: Orders) -> None:
    for segment in orders.misplaced:
        text = "A message holds one patient and is sent in one piece."
        desk.flag("STRUCTURE_INVALID", segment.locator, text)
    if not orders.groups:
        desk.flag("SEGMENT_MISSING", "ORC[1]", "Send an ORC segment for each order.")
        if not orders.named("PID"):
            desk.flag("SEGMENT_MISSING", "PID[1]", "Send the PID segment: an order must name its patient.")


def _check_numbers(read_orders: list[OnDesk]) -> None:
    """One message may not give two orders one number."""
    seen: set[tuple[str, str]] = set()
    for each in read_orders:
        for number in each.numbers:
            key = (number.trust_number, number.assigner)
            if number.trust_number and key in seen:
                each.desk.flag("ORDER_REUSED", number.location, "Two orders of the message have the same number.")
            seen.add(key)
