"""ORC-1: what an order asks for, and whether its status allows it.

Source: mapping.md 4.1 and 4.2; HL7 v2.5.1 4.5.1.1 and 4.5.1.5, tables 0119 and 0038.
"""

from collections.abc import Sequence

from gateway.domain.submission import Action, OrderNumber
from gateway.translate.from_hl7v2.desk import Desk
from gateway.translate.from_hl7v2.groups import Group, Orders, parent_of

ACTIONS = {
    "NW": Action.NEW,
    "CA": Action.CANCEL,
    "DC": Action.CANCEL,
    "XO": Action.REPLACE,
    "RP": Action.REPLACE,
    "RO": Action.REPLACE,
    "HD": Action.HOLD,
    "RL": Action.RELEASE,
    "RF": Action.RENEWAL_REQUEST,
    "SS": Action.STATUS_QUERY,
    "SN": Action.NUMBER_REQUEST,
    "NA": Action.NUMBER_REQUEST,
}
"""HL7 table 0119, the codes a trust may ask with; the others are refused by name."""

SERVED = frozenset(ACTIONS.values())
NAMES_ORDERS = SERVED - {Action.NEW, Action.RENEWAL_REQUEST}
"""What refers to orders that were sent before, to change them or to ask about them."""


_NOT_NEW = frozenset({"CA", "CM", "DC", "ER", "HD", "RP"})
"""HL7 table 0038: cancelled, completed, discontinued, not found, on hold, replaced."""
_SERVED_HERE = "Served here: NW, PA by itself, CA, DC, XO, RP with RO, HD, RL, RF, SS, SN and NA."
_OF_A_FAMILY = "A parent and its children may be one therapy ordered twice. Send as NW what is to be dispensed."


def control_of(desk: Desk, group: Group) -> str:
    """Give ORC-1 as sent."""
    return desk.text(desk.leaf(desk.one(group.orc, 1)))


def has_no_children(desk: Desk, orders: Orders) -> bool:
    """Tell whether no order of a message is the child of another (CH)."""
    return all(control_of(desk, group) != "CH" for group in orders.groups)


def action_of(
    desk: Desk, groups: Sequence[Group], numbers: Sequence[OrderNumber], *, alone: bool, renewals: bool
) -> Action | None:
    """Give what is asked. What is not served is refused, and with it every order of its prescription.

    Of a parent and its children one only is dispensed. A parent by itself (PA) is a new order; its children, if they
    ever come, are refused, and so is a parent with children beside it or with a parent of its own.
    """
    asked = [ACTIONS.get(number.order_control) for number in numbers]
    for index, group in enumerate(groups):
        if numbers[index].order_control == "PA" and alone and parent_of(desk, group) is None:
            asked[index] = Action.NEW
    if renewals:
        # RDE^O25 asks for a renewal and never orders, whatever else it calls itself.
        asked = [action if action is Action.RENEWAL_REQUEST else None for action in asked]
    for group, number, action in zip(groups, numbers, asked, strict=True):
        if action not in SERVED:
            code = "ACTION_UNSUPPORTED" if number.order_control else "FIELD_MISSING"
            desk.flag(code, group.orc.at(1), _OF_A_FAMILY if number.order_control in {"PA", "CH"} else _SERVED_HERE)
    unserved = [action for action in asked if action not in SERVED]
    return unserved[0] if unserved else asked[0]


def check_status(desk: Desk, groups: Sequence[Group]) -> None:
    """Hold a new order whose status, ORC-5, says that it is over or stands still; any other is information only."""
    for group in groups:
        status = desk.leaf(desk.one(group.orc, 5))
        if status and status.raw in _NOT_NEW:
            text = f"ORC-1 says that the order is new, ORC-5 ({status.raw}) that it is not."
            desk.not_understood(status.locator, text)
