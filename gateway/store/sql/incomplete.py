"""What is stored of an order that could not be completed: it has lines, a holder and a deadline all the same.

Its lines bear the ids that the reader found for them, so that they keep their names when what held them is settled and
the order is read again. Where the reader found none, they bear ids of our own.

Source: mapping.md 2.3 (held) and 10.2.
"""

import re
from collections.abc import Sequence
from typing import Final
from uuid import UUID

from gateway.domain.deadline import Urgency
from gateway.domain.identifiers import derived_id
from gateway.domain.submission import OrderNumber, Submission
from gateway.ports.acceptance import AcceptedOrder

_LINE_ID: Final = re.compile(r"lines\[(\d+)\]\.id")
_REPLACED: Final = "RP"
"""ORC-1 of the order that another in the message replaces: it names what is here already, and is no new line."""


def prescription_id(order: AcceptedOrder, submission: Submission) -> UUID:
    """Give the id of an order that could not be completed."""
    found = next((row.result for row in order.trace if row.target == "id"), "")
    numbers = (part for number in order.verdict.numbers for part in (number.trust_number, number.assigner))
    return order.verdict.prescription_id or _parsed(found) or derived_id("held-order", str(submission.id), *numbers)


def lines(order: AcceptedOrder, prescription: UUID) -> list[dict[str, str | int | bytes]]:
    """Give a row for each order number, whatever is known of the rest."""
    own = [number for number in order.verdict.numbers if number.order_control != _REPLACED]
    numbers = own or list(order.verdict.numbers) or [OrderNumber(trust_number="")]
    return [_line(id_, number) for id_, number in zip(_ids(order, prescription, numbers), numbers, strict=True)]


def _ids(order: AcceptedOrder, prescription: UUID, numbers: Sequence[OrderNumber]) -> list[UUID]:
    """Give the ids that were read for the lines if there is one for each; ids of our own otherwise."""
    found = {
        int(match[1]): parsed
        for row in order.trace
        if (match := _LINE_ID.fullmatch(row.target)) and (parsed := _parsed(row.result))
    }
    if found.keys() == set(range(len(numbers))) and len(set(found.values())) == len(numbers):
        return [found[index] for index in range(len(numbers))]
    return [derived_id("held-line", str(prescription), str(index)) for index in range(len(numbers))]


def _line(id_: UUID, number: OrderNumber) -> dict[str, str | int | bytes]:
    return {
        "uuid": id_.bytes,
        "order_number": number.trust_number,
        "order_assigner": number.assigner,
        "product_code": "",
        "product_display": "",
        "directions": "",
        "quantity": "",
        "total_supplies": 1,
        "urgency": Urgency.ROUTINE.value,
    }


def _parsed(text: str) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        return None
