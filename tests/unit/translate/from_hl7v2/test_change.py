"""A cancel, a hold or a release stands on the number of its order; nothing that is left out of the patient stops it."""

import pytest

from gateway.domain.issue import Effect
from gateway.domain.submission import Action
from tests.hl7v2_orders import edited, golden, read

CANCEL = golden("S05")

LEFT_OUT: list[dict[str, str]] = [
    {"PID-11": ""},
    {"PID-8": ""},
    {"PID-7": "1979"},
    {"PID-5": ""},
    {"PID-29": "20261001"},
    {"PID-30": "Y"},
    {"PID-32": "99"},
    {"PID-3": "HC100001^^^RBA^MR"},
    {"PID": ""},
]


@pytest.mark.parametrize("control", ["CA", "DC", "HD", "RL", "RF"])
@pytest.mark.parametrize("change", LEFT_OUT, ids="".join)
def test_what_is_not_said_of_the_patient_stops_no_cancel_hold_or_release(change: dict[str, str], control: str) -> None:
    reading = read(edited(CANCEL, {**change, "ORC-1": control}))
    (order,) = reading.orders
    assert order.action in {Action.CANCEL, Action.HOLD, Action.RELEASE, Action.RENEWAL_REQUEST}
    assert [issue.code for issue in (*reading.issues, *order.issues) if issue.effect is Effect.REFUSE] == []
    assert not reading.unaccounted


def test_the_patient_that_is_named_is_compared_with_the_orders() -> None:
    (order,) = read(CANCEL).orders
    assert order.nhs_number == "9990000212"
    assert order.change is not None


def test_an_nhs_number_that_is_wrong_names_nobody_and_is_refused() -> None:
    (order,) = read(edited(CANCEL, {"PID-3": "9990000078^^^NHS^NH"})).orders
    assert [issue.code for issue in order.issues if issue.effect is Effect.REFUSE] == ["NHSNO_CHECK_DIGIT"]


def test_a_change_still_needs_the_whole_patient() -> None:
    (order,) = read(edited(golden("S06"), {"PID-11": ""})).orders
    assert "ADDRESS_REQUIRED" in [issue.code for issue in order.issues]
