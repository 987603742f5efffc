"""A cancel in FHIR: the line it names, why, and every way in which it may not be carried out."""

from collections.abc import Callable
from typing import Any

import pytest

from gateway.domain.submission import Action
from tests.unit.translate.from_fhir import orders
from tests.unit.translate.from_fhir.test_message import issues, order, reading

SYSTEM = "https://fhir.nhs.uk/CodeSystem/medicationrequest-status-reason"


def cancel() -> dict[str, Any]:
    message = orders.message()
    message["entry"][0]["resource"]["eventCoding"]["code"] = "prescription-order-update"
    order(message).update(status="cancelled", statusReason={"coding": [{"system": SYSTEM, "code": "0005"}]})
    return message


def test_a_cancel_names_its_line_and_its_reason() -> None:
    found = reading(cancel())
    assert issues(found) == set()
    assert found.unaccounted == ()
    (read,) = found.orders
    assert (read.action, read.prescription) == (Action.CANCEL, None)
    assert read.change is not None
    items = [one["value"] for one in order(cancel())["identifier"] if one["system"].endswith("order-item-number")]
    assert [str(item) for item in read.change.items] == items
    assert read.change.reason is not None
    assert read.change.reason.code == "0005"
    assert read.change.by is not None
    assert read.nhs_number


FAULTS: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "an order": (lambda one: one.update(status="active"), "VALUE_INVALID"),
    "no reason": (lambda one: one.pop("statusReason"), "FIELD_MISSING"),
    "words alone": (lambda one: one.update(statusReason={"text": "stop"}), "FIELD_MISSING"),
    "another reason": (lambda one: one["statusReason"]["coding"][0].update(code="0010"), "VALUE_INVALID"),
    "no item": (lambda one: one.pop("identifier"), "FIELD_MISSING"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_cancel_that_may_be_misread_is_refused(fault: str) -> None:
    change, code = FAULTS[fault]
    message = cancel()
    change(order(message))
    found = reading(message)
    assert {each for each, _ in issues(found)} == {code}
    assert found.unaccounted == ()


@pytest.mark.parametrize(("status", "action"), [("on-hold", Action.HOLD), ("active", Action.RELEASE)])
def test_an_update_holds_or_releases_its_line_for_a_reason_in_words(status: str, action: Action) -> None:
    message = cancel()
    order(message).update(status=status, statusReason={"text": "blood test awaited"})
    found = reading(message)
    assert issues(found) == set()
    assert found.unaccounted == ()
    (read,) = found.orders
    assert (read.action, read.prescription) == (action, None)
    assert read.change is not None
    assert len(read.change.items) == 1
    assert (read.change.reason, read.change.reason_text) == (None, "blood test awaited")


@pytest.mark.parametrize(("said", "status"), [("cancel", "on-hold"), ("release", "on-hold"), ("hold", "cancelled")])
def test_a_status_and_a_reason_of_the_message_that_contradict_each_other_are_refused(said: str, status: str) -> None:
    message = cancel()
    message["entry"][0]["resource"]["reason"] = {"coding": [{"code": said}]}
    order(message).update(status=status)
    assert {each for each, _ in issues(reading(message))} == {"VALUE_INVALID"}


def test_two_lines_in_one_cancel_are_refused() -> None:
    message = cancel()
    second = {**message["entry"][1], "fullUrl": "urn:uuid:5b3c4f9e-6a0c-4a3f-8a54-5f6f2d1b7009"}
    message["entry"].append(second)
    assert "STRUCTURE_INVALID" in {code for code, _ in issues(reading(message))}
