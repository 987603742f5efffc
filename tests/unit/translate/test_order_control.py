"""HL7 table 0119 as mapping.md 4.1 reads it: what each order control asks for, and what it is answered."""

import pytest

from gateway.domain.cancel import CancelState
from gateway.domain.hold import HoldState
from gateway.domain.issue import CODES
from gateway.domain.lifecycle import LineState
from gateway.domain.submission import Action, OrderVerdict, Outcome, Standing, Verdict
from gateway.translate.to_acknowledgement.hl7v2 import answer
from tests.hl7v2_orders import codes, edited, golden, read, submission

ROWS = [
    ("NW", Action.NEW, "OK", "UA"),
    ("PA", Action.NEW, "OK", "UA"),
    ("XO", Action.REPLACE, "XR", "UX"),
    ("RP", Action.REPLACE, "RQ", "UM"),
    ("RO", Action.REPLACE, "RQ", "UM"),
    ("CA", Action.CANCEL, "CR", "UC"),
    ("DC", Action.CANCEL, "DR", "UD"),
    ("HD", Action.HOLD, "HR", "UH"),
    ("RL", Action.RELEASE, "OR", "UR"),
    ("RF", Action.RENEWAL_REQUEST, "OK", "UA"),
    ("SS", Action.STATUS_QUERY, "SR", "UA"),
    ("SN", Action.NUMBER_REQUEST, "NA", "UA"),
    ("NA", Action.NUMBER_REQUEST, "NA", "UA"),
]
OF_A_PROVIDER = ["SC", "OC", "OD", "OH", "OE", "RE", "XX", "UF"]
OTHERS = ["DE", "LI", "UN", "PY", "OP", "FU", "CH", "OR", "HR", "hd", "SR", "ss"]
CANCELS = [
    (CancelState.CONFIRMED, "CR", "CA"),
    (CancelState.ASKED, "UC", "IP"),
    (CancelState.PENDING, "UC", "IP"),
    (CancelState.TOO_LATE, "UC", "CM"),
    (CancelState.TOMBSTONE, "UC", "ER"),
]
HOLDS = [
    ("HD", HoldState.CONFIRMED, "HR", "HD"),
    ("HD", HoldState.ASKED, "UH", "IP"),
    ("HD", HoldState.REFUSED, "UH", ""),
    ("RL", HoldState.CONFIRMED, "OR", "SC"),
    ("RL", HoldState.ASKED, "UR", "HD"),
    ("RL", HoldState.REFUSED, "UR", ""),
]


def message(control: str, kind: str = "RDE^O11^RDE_O11") -> str:
    return edited(golden("S01"), {"MSH-9": kind, "MSH-15": "", "MSH-16": "", "ORC-1": control})


def answered(
    control: str,
    outcome: Outcome,
    *,
    cancel: CancelState = CancelState.NONE,
    hold: HoldState = HoldState.NONE,
) -> tuple[str, str]:
    """Give ORC-1 and ORC-5 of the answer to an order with this control."""
    text = message(control)
    reading = read(text)
    (order,) = reading.orders
    told = OrderVerdict(outcome=outcome, action=order.action, numbers=order.numbers, cancel=cancel, hold=hold)
    body = answer(submission(text), reading.envelope, Verdict(outcome=outcome, orders=(told,))).body.decode()
    orc = [*next(line for line in body.split("\r") if line.startswith("ORC")).split("|"), "", "", "", "", ""]
    return orc[1], orc[5]


@pytest.mark.parametrize(("control", "action", "done", "undone"), ROWS)
def test_each_served_control_has_its_effect_and_its_two_answers(
    control: str, action: Action, done: str, undone: str
) -> None:
    (order,) = read(message(control)).orders
    assert order.action is action
    assert "ACTION_UNSUPPORTED" not in codes(read(message(control)))
    assert answered(control, Outcome.TRANSLATED)[0] == done
    assert answered(control, Outcome.REFUSED) == (undone, "")


@pytest.mark.parametrize("kind", ["RDE^O11^RDE_O11", "OMP^O09^OMP_O09", "RDE^O01", "ORM^O01"])
@pytest.mark.parametrize(("control", "action"), [("HD", Action.HOLD), ("RL", Action.RELEASE)])
def test_every_message_that_carries_orders_holds_and_releases(kind: str, control: str, action: Action) -> None:
    reading = read(message(control, kind))
    (order,) = reading.orders
    assert (order.action, order.prescription) == (action, None)
    assert order.change is not None
    assert [number.trust_number for number in order.change.orders] == ["RX7001"]
    assert "CANCEL_REASON_UNMAPPED" not in codes(reading)
    assert reading.unaccounted == ()


@pytest.mark.parametrize("control", [*OF_A_PROVIDER, *OTHERS])
def test_what_a_trust_may_not_ask_is_refused_by_name(control: str) -> None:
    reading = read(message(control))
    assert "ACTION_UNSUPPORTED" in codes(reading)
    assert CODES["ACTION_UNSUPPORTED"].hl7 == "103"
    assert answered(control, Outcome.REFUSED)[0] == "UA"


def test_a_parent_by_itself_is_read_as_a_new_order_is() -> None:
    new, parent = (read(message(control)).orders[0] for control in ("NW", "PA"))
    assert parent.prescription == new.prescription
    assert parent.prescription is not None


def test_a_parent_that_has_a_parent_is_refused() -> None:
    assert "ACTION_UNSUPPORTED" in codes(read(edited(message("PA"), {"ORC-8": "RX9999^RBA"})))


@pytest.mark.parametrize("controls", [("PA", "CH"), ("CH", "PA"), ("PA", "PA", "CH")])
def test_of_a_parent_and_its_children_none_is_dispensed(controls: tuple[str, ...]) -> None:
    whole = message("PA")
    head, group = whole.split("ORC|PA|RX7001", 1)
    groups = [f"ORC|{control}|RX70{number:02}{group}" for number, control in enumerate(controls, 1)]
    reading = read(head + "".join(each if each.endswith("\r") else f"{each}\r" for each in groups))
    told = [issue.location for order in reading.orders for issue in order.issues if issue.code == "ACTION_UNSUPPORTED"]
    assert sorted(told) == [f"ORC[{number}]-1" for number in range(1, len(controls) + 1)]


@pytest.mark.parametrize(("state", "control", "status"), CANCELS)
def test_a_cancel_is_answered_by_where_it_stands(state: CancelState, control: str, status: str) -> None:
    assert answered("CA", Outcome.TRANSLATED, cancel=state) == (control, status)


@pytest.mark.parametrize(("asked", "state", "control", "status"), HOLDS)
def test_a_hold_or_release_is_answered_by_where_it_stands(
    asked: str, state: HoldState, control: str, status: str
) -> None:
    assert answered(asked, Outcome.TRANSLATED, hold=state) == (control, status)


@pytest.mark.parametrize("state", [*LineState, None])
def test_every_state_has_its_answer_to_a_question(state: LineState | None) -> None:
    text = message("SS")
    (order,) = read(text).orders
    asked = Standing(number=order.numbers[0], state=state, prescription_number="A0548B-A99968-451485")
    told = OrderVerdict(outcome=Outcome.TASK, action=order.action, numbers=order.numbers, standings=(asked,))
    body = answer(submission(text), read(text).envelope, Verdict(outcome=Outcome.TASK, orders=(told,))).body.decode()
    orc = [*next(line for line in body.split("\r") if line.startswith("ORC")).split("|"), *[""] * 25]
    assert orc[:3] == ["ORC", "SR", "RX7001^RBA"]
    assert orc[4] == "A0548B-A99968-451485"
    assert (orc[25].split("^")[0] or None) == state
    assert orc[5] in {"A", "CA", "CM", "DC", "ER", "HD", "IP", "RP", "SC"} or state is LineState.CLOSED
    assert (orc[5] == "CM") == (state is LineState.FULFILLED)
