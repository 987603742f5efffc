"""Answers in the EPS dialect: what each says of which line, and what is not understood."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from adapters.fhir_push import statuses
from adapters.fhir_push.payload import read_answer
from gateway.destination import Unrecognised
from gateway.domain.acknowledgement import Acknowledgement, LineReport
from gateway.domain.delivery import STEPS
from gateway.domain.lifecycle import LineEvent
from gateway.wire.strict_json import dumps

_MESSAGE = "0D3F1C52-6A7E-4F4E-9F0B-7A1B2C3D4E5F"
_ONE = "a54219b8-f741-4c47-b662-e4f8dfa49ab6"
_TWO = "b54219b8-f741-4c47-b662-e4f8dfa49ab7"
_ITEM = "https://fhir.nhs.uk/Id/prescription-order-item-number"
_TYPE = "https://fhir.nhs.uk/CodeSystem/medicationdispense-type"
_HISTORY = "https://fhir.nhs.uk/CodeSystem/medicationrequest-status-history"


def _bundle(*resources: dict[str, Any], event: str = "prescription-order-response", code: str = "ok") -> dict[str, Any]:
    header = {
        "resourceType": "MessageHeader",
        "eventCoding": {"system": "https://fhir.nhs.uk/CodeSystem/message-event", "code": event},
        "response": {"identifier": _MESSAGE, "code": code},
    }
    return {
        "resourceType": "Bundle",
        "identifier": {"value": "answer-1"},
        "type": "message",
        "timestamp": "2026-11-02T09:00:00+00:00",
        "entry": [{"resource": resource} for resource in (header, *resources)],
    }


def _notice(*dispenses: dict[str, Any]) -> dict[str, Any]:
    return _bundle(*dispenses, event="dispense-notification")


def _task(status: str, item: str = _ONE) -> dict[str, Any]:
    return {
        "resourceType": "Task",
        "status": status,
        "focus": {"identifier": {"system": _ITEM, "value": item}},
        "statusReason": {"coding": [{"code": "0002"}], "text": "Out of contract"},
    }


def _request(code: str, extension: str = "Extension-DM-PrescriptionStatusHistory") -> dict[str, Any]:
    return {
        "resourceType": "MedicationRequest",
        "identifier": [{"system": _ITEM, "value": _ONE}],
        "status": "cancelled",
        "extension": [
            {
                "url": f"https://fhir.nhs.uk/StructureDefinition/{extension}",
                "extension": [{"url": "status", "valueCoding": {"system": _HISTORY, "code": code}}],
            }
        ],
    }


def _dispense(kind: str = "0001", item: str = _ONE, value: Decimal | int = 2, **change: Any) -> dict[str, Any]:
    return {
        "resourceType": "MedicationDispense",
        "contained": [
            {"resourceType": "MedicationRequest", "id": "m1", "identifier": [{"system": _ITEM, "value": item}]}
        ],
        "status": "completed",
        "authorizingPrescription": [{"reference": "#m1"}],
        "type": {"coding": [{"system": _TYPE, "code": kind}]},
        "quantity": {"value": value, "unit": "tablet"},
        "whenHandedOver": "2026-11-02T08:00:00Z",
    } | change


def _reports(body: dict[str, Any]) -> tuple[LineReport, ...]:
    read = read_answer(dumps(body))
    assert isinstance(read, Acknowledgement), [issue.text for issue in read.issues]
    assert (read.id, read.correlation) == ("answer-1", UUID(_MESSAGE))
    return read.reports


_CODES = {"ok": LineEvent.ACCEPTED, "transient-error": LineEvent.NOT_STORED, "fatal-error": LineEvent.REJECTED}


@pytest.mark.parametrize(("code", "event"), _CODES.items())
def test_a_response_without_lines_speaks_of_every_line(code: str, event: LineEvent) -> None:
    assert [(report.line_id, report.event) for report in _reports(_bundle(code=code))] == [(None, event)]


def test_a_rejection_gives_the_code_and_words_of_its_outcome() -> None:
    outcome = {
        "resourceType": "OperationOutcome",
        "issue": [
            {"severity": "information", "code": "informational", "diagnostics": "hello"},
            {
                "severity": "error",
                "code": "business-rule",
                "details": {"coding": [{"code": "PATIENT_DECEASED", "display": "Patient has died"}]},
            },
        ],
    }
    (report,) = _reports(_bundle(outcome, code="fatal-error"))
    assert (report.event, report.reason_code, report.reason) == (
        LineEvent.REJECTED,
        "PATIENT_DECEASED",
        "Patient has died",
    )


_TASKS = {
    "received": LineEvent.ARRIVED,
    "accepted": LineEvent.ACCEPTED,
    "in-progress": LineEvent.VALIDATED,
    "on-hold": LineEvent.QUERIED,
}


@pytest.mark.parametrize(("status", "event"), _TASKS.items())
def test_a_task_speaks_of_its_line(status: str, event: LineEvent) -> None:
    (report,) = _reports(_bundle(_task(status)))
    assert (report.line_id, report.event) == (UUID(_ONE), event)
    assert (report.reason_code, report.reason) == ("0002", "Out of contract")


def test_a_request_beside_a_task_only_says_which_line_is_meant() -> None:
    request = {
        "resourceType": "MedicationRequest",
        "identifier": [{"system": _ITEM, "value": _ONE}],
        "status": "active",
    }
    (report,) = _reports(_bundle(request, _task("rejected"), code="fatal-error"))
    assert report.event is LineEvent.REJECTED


def test_a_request_alone_is_an_acceptance_of_that_line() -> None:
    request = {
        "resourceType": "MedicationRequest",
        "identifier": [{"system": _ITEM, "value": _ONE}],
        "status": "active",
    }
    (report,) = _reports(_bundle(request))
    assert (report.line_id, report.event) == (UUID(_ONE), LineEvent.ACCEPTED)


def test_a_question_is_no_acceptance_although_the_code_is_ok() -> None:
    question = {"resourceType": "CommunicationRequest", "payload": [{"contentString": "Which strength?"}]}
    (report,) = _reports(_bundle(question))
    assert (report.line_id, report.event, report.reason) == (None, LineEvent.QUERIED, "Which strength?")


def test_lines_may_fare_differently() -> None:
    reports = _reports(_bundle(_task("accepted"), _task("rejected", _TWO)))
    assert [report.event for report in reports] == [LineEvent.ACCEPTED, LineEvent.REJECTED]


_CANCELS = {
    "R-0001": LineEvent.CANCEL_CONFIRMED,
    "R-0002": LineEvent.CANCEL_PENDING,
    "R-0003": LineEvent.CANCEL_PENDING,
    "R-0004": LineEvent.CANCEL_TOO_LATE,
    "R-0005": LineEvent.CANCEL_CONFIRMED,
    "R-0006": LineEvent.CANCEL_CONFIRMED,
    "R-0007": LineEvent.CANCEL_BY_OTHER,
    "R-0008": LineEvent.CANCEL_UNKNOWN,
    "R-0009": LineEvent.CANCEL_REPLY_ERROR,
    "R-0010": LineEvent.CANCEL_REPLY_ERROR,
    "R-5000": LineEvent.CANCEL_REPLY_ERROR,
    "R-5888": LineEvent.CANCEL_REPLY_ERROR,
}


@pytest.mark.parametrize(
    "extension", ["Extension-DM-PrescriptionStatusHistory", "Extension-DM-PrescriptionTaskStatusReason"]
)
@pytest.mark.parametrize(("code", "event"), _CANCELS.items())
def test_the_verdict_on_a_cancel_is_in_the_history_and_not_in_the_code(
    code: str, event: LineEvent, extension: str
) -> None:
    (report,) = _reports(_bundle(_request(code, extension)))
    assert (report.line_id, report.event) == (UUID(_ONE), event)


@pytest.mark.parametrize(("code", "event"), statuses.HOLDS.items())
def test_the_verdict_on_a_hold_or_release_is_in_the_history_in_our_words(code: str, event: LineEvent) -> None:
    request = _request(code)
    request["extension"][0]["extension"][0]["valueCoding"]["system"] = statuses.LINE_EVENT
    (report,) = _reports(_bundle(request))
    assert (report.line_id, report.event) == (UUID(_ONE), event)


@pytest.mark.parametrize("code", ["R-0001", "hold_asked", "cancel_confirmed", "on-hold"])
def test_a_word_of_ours_that_is_no_verdict_on_a_hold_is_not_understood(code: str) -> None:
    request = _request(code)
    request["extension"][0]["extension"][0]["valueCoding"]["system"] = statuses.LINE_EVENT
    assert isinstance(read_answer(dumps(_bundle(request))), Unrecognised)


@pytest.mark.parametrize(("status", "event"), [("active", LineEvent.ACCEPTED), ("on-hold", LineEvent.HOLD_CONFIRMED)])
def test_a_line_without_a_history_says_what_its_status_says(status: str, event: LineEvent) -> None:
    request = {key: value for key, value in _request("").items() if key != "extension"}
    (report,) = _reports(_bundle(request | {"status": status}))
    assert report.event is event


def test_a_task_on_hold_is_a_question_and_never_the_confirmation_of_a_hold() -> None:
    (report,) = _reports(_bundle(_task("on-hold")))
    assert report.event is LineEvent.QUERIED


def _step(status: str, code: str, system: str = statuses.LINE_EVENT, **change: Any) -> dict[str, Any]:
    return _task(status) | {"businessStatus": {"coding": [{"system": system, "code": code}]}} | change


def _numbered(number: object) -> list[dict[str, Any]]:
    return [{"type": {"coding": [{"system": statuses.LINE_EVENT, "code": "issue"}]}, "valuePositiveInt": number}]


@pytest.mark.parametrize("code", STEPS)
@pytest.mark.parametrize("status", ["in-progress", "completed"])
def test_every_step_of_a_delivery_has_a_word(status: str, code: str) -> None:
    (report,) = _reports(_bundle(_step(status, code)))
    assert (report.event, report.line_id, report.reason) == (STEPS[code], UUID(_ONE), "Out of contract")


@pytest.mark.parametrize("said", statuses.TRACKED)
def test_the_words_of_the_tracker_say_how_far_a_delivery_is(said: tuple[str, str]) -> None:
    (report,) = _reports(_bundle(_step(*said, system=statuses.TRACKING)))
    assert report.event is statuses.TRACKED[said]


def test_a_step_numbers_its_supply_and_names_the_day_agreed() -> None:
    day: dict[str, Any] = {"restriction": {"period": {"start": "2026-11-30T10:00:00+00:00"}}, "input": _numbered(2)}
    (report,) = _reports(_bundle(_step("in-progress", "postponed") | day))
    assert report.supplied_at is not None
    assert (report.issue, report.supplied_at.day) == (2, 30)


def test_the_status_of_the_prescription_beside_a_task_changes_nothing() -> None:
    (report,) = _reports(_bundle(_step("in-progress", "0003", system=statuses.BUSINESS_STATUS)))
    assert report.event is LineEvent.VALIDATED


_UNCLEAR = {
    "a word of nobody's": _step("in-progress", "vanished"),
    "a system of nobody's": _step("in-progress", "dispatched", system="urn:x"),
    "a step of a Task that waits": _step("accepted", "dispatched"),
    "a part, of which nobody says how much": _step("in-progress", "Ready to Dispatch - Partial", statuses.TRACKING),
    "two steps at once": _task("completed")
    | {"businessStatus": {"coding": [{"system": statuses.LINE_EVENT, "code": code} for code in STEPS]}},
    "postponed by nobody": _step("in-progress", "postponed", statusReason={}),
    "a day without its zone": _step(
        "in-progress", "supply_planned", restriction={"period": {"start": "2026-11-30T10:00:00"}}
    ),
    "a day of the year 9999": _step(
        "in-progress", "supply_planned", restriction={"period": {"start": "9999-12-31T23:00:00-14:00"}}
    ),
    "a number of nought": _step("in-progress", "dispatched", input=_numbered(0)),
    "two numbers": _step("in-progress", "dispatched", input=[*_numbered(1), *_numbered(2)]),
    "an unknown status of the prescription": _step("in-progress", "0042", system=statuses.BUSINESS_STATUS),
}


@pytest.mark.parametrize("task", _UNCLEAR.values(), ids=_UNCLEAR)
def test_a_step_that_is_unclear_moves_nothing(task: dict[str, Any]) -> None:
    assert isinstance(read_answer(dumps(_bundle(task))), Unrecognised)


@pytest.mark.parametrize("said", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
def test_a_time_at_the_end_of_the_calendar_is_no_time(said: str) -> None:
    read = read_answer(dumps(_bundle(_task("rejected")) | {"timestamp": said}))
    assert isinstance(read, Acknowledgement)
    assert read.at is None


def _repeat(number: object, kind: str = "valueInteger") -> dict[str, Any]:
    told = [{"url": "numberOfRepeatsAllowed", kind: 5}, {"url": "numberOfRepeatsIssued", kind: number}]
    return {"extension": [{"url": statuses.REPEATS_URL, "extension": told}]}


def _of_a_repeat(number: object, kind: str = "valueInteger") -> dict[str, Any]:
    dispense = _dispense()
    dispense["contained"][0]["basedOn"] = [_repeat(number, kind)]
    return dispense


@pytest.mark.parametrize(("first", "issue"), [(0, 3), (1, 2), (None, None)])
@pytest.mark.parametrize("dispense", [_of_a_repeat(2), _of_a_repeat(2, "valueUnsignedInt"), _dispense(**_repeat(2))])
def test_repeats_issued_number_a_supply_only_as_agreed(
    dispense: dict[str, Any], first: int | None, issue: int | None
) -> None:
    read = read_answer(dumps(_notice(dispense)), first_repeat=first)
    assert isinstance(read, Acknowledgement)
    assert [(report.event, report.issue, report.in_full) for report in read.reports] == [
        (LineEvent.DELIVERED, issue, True)
    ]


@pytest.mark.parametrize("dispense", [_of_a_repeat(0), _of_a_repeat("2"), _of_a_repeat(2) | _repeat(3)])
def test_repeats_issued_that_contradict_what_was_agreed_move_nothing(dispense: dict[str, Any]) -> None:
    assert isinstance(read_answer(dumps(_notice(dispense)), first_repeat=1), Unrecognised)


_DISPENSES: dict[str, tuple[dict[str, Any], LineEvent]] = {
    "handed over": (_dispense(), LineEvent.DELIVERED),
    "handed over, status unknown": (_dispense(status="unknown"), LineEvent.DELIVERED),
    "completed, not handed over": (_dispense(whenHandedOver=None), LineEvent.DISPENSED),
    "in progress": (_dispense(status="in-progress"), LineEvent.DISPENSED),
    "in preparation": (_dispense(status="preparation"), LineEvent.SUPPLY_PLANNED),
    "not dispensed": (_dispense("0002", value=0), LineEvent.NOT_SUPPLIED),
    "in part": (_dispense("0003"), LineEvent.SUPPLY_SHORT),
    "owing": (_dispense("0004", value=0), LineEvent.SUPPLY_SHORT),
    "cancelled": (_dispense("0005", value=0), LineEvent.NOT_SUPPLIED),
    "withdrawn": (_dispense(status="entered-in-error"), LineEvent.SUPPLY_WITHDRAWN),
}


@pytest.mark.parametrize("case", _DISPENSES.values(), ids=_DISPENSES)
def test_a_dispense_says_what_was_done(case: tuple[dict[str, Any], LineEvent]) -> None:
    dispense, event = case
    (report,) = _reports(_notice(dispense))
    assert (report.line_id, report.event) == (UUID(_ONE), event)


def test_what_only_restates_an_item_is_no_report() -> None:
    body = _notice(_dispense("0007", value=0), _dispense("0001", item=_TWO, value=0))
    assert _reports(body) == ()


def test_two_parts_of_one_supply_are_one_delivery() -> None:
    (report,) = _reports(_notice(_dispense(value=13), _dispense(value=Decimal("15.0"))))
    assert (report.event, report.amount, report.unit) == (LineEvent.DELIVERED, Decimal("28.0"), "tablet")


Change = Callable[[dict[str, Any]], object]
_FAULTS: dict[str, tuple[dict[str, Any], Change]] = {
    "no correlation": (_bundle(), lambda body: body["entry"][0]["resource"].pop("response")),
    "no identifier": (_bundle(), lambda body: body.pop("identifier")),
    "no header first": (_bundle(_task("accepted")), lambda body: body["entry"].reverse()),
    "no message": (_bundle(), lambda body: body.update(type="collection")),
    "an unknown Task status": (_bundle(_task("completed")), lambda _: None),
    "a Task for no line": (_bundle(_task("accepted", "not-a-uuid")), lambda _: None),
    "an unknown history code": (_bundle(_request("R-4242")), lambda _: None),
    "a cancelled line without a verdict": (
        _bundle(_request("R-0001")),
        lambda body: body["entry"][1]["resource"].pop("extension"),
    ),
    "a yes within a no": (_bundle(_task("accepted"), code="fatal-error"), lambda _: None),
    "an unknown type": (_notice(_dispense("0009")), lambda _: None),
    "an unknown status": (_notice(_dispense(status="stopped")), lambda _: None),
    "no type": (_notice(_dispense()), lambda body: body["entry"][1]["resource"].pop("type")),
    "no line": (_notice(_dispense()), lambda body: body["entry"][1]["resource"].pop("contained")),
    "a negative quantity": (_notice(_dispense(value=-1)), lambda _: None),
    "a quantity in words": (
        _notice(_dispense()),
        lambda body: body["entry"][1]["resource"]["quantity"].update(value="two"),
    ),
    "two units for one line": (
        _notice(_dispense(), _dispense()),
        lambda body: body["entry"][2]["resource"]["quantity"].update(unit="pack"),
    ),
    "made and not made": (
        _notice(_dispense(statusReasonCodeableConcept={"coding": [{"code": "0008"}]})),
        lambda _: None,
    ),
    "an amendment": (
        _notice(_dispense()),
        lambda body: body["entry"][0]["resource"].update(
            extension=[{"url": "https://fhir.nhs.uk/StructureDefinition/Extension-replacementOf"}]
        ),
    ),
    "a modifier": (
        _notice(_dispense()),
        lambda body: body["entry"][1]["resource"].update(modifierExtension=[{"url": "u"}]),
    ),
    "a resource of another kind": (_bundle(_dispense()), lambda _: None),
    "rules of its own": (_bundle(), lambda body: body["entry"][0]["resource"].update(implicitRules="http://x.example")),
    "nothing dispensed": (_notice(), lambda _: None),
}


@pytest.mark.parametrize("fault", _FAULTS.values(), ids=_FAULTS)
def test_what_is_not_understood_moves_nothing(fault: tuple[dict[str, Any], Change]) -> None:
    body, change = fault
    change(body)
    read = read_answer(dumps(body))
    assert isinstance(read, Unrecognised)
    assert all(issue.text for issue in read.issues)
