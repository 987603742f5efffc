"""Tasks and amendments in the EPS dialect: the published examples, and each rule broken once."""

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from adapters.fhir_push import statuses
from adapters.fhir_push.payload import read_answer
from gateway.destination import Unrecognised
from gateway.domain.acknowledgement import Acknowledgement
from gateway.domain.lifecycle import LineEvent
from gateway.wire.strict_json import dumps

_EXAMPLES = Path(__file__).parents[3] / "../shared/eps-examples"
_HOMECARE = "homecare/clinical-practitioner"
_FOCUS = "a5d77265-8ba5-4c74-b8ce-ea0dbaafbdb8"


def _task(**change: Any) -> dict[str, Any]:
    return {
        "resourceType": "Task",
        "contained": [
            {
                "resourceType": "PractitionerRole",
                "id": "requester",
                "practitioner": {"identifier": {"value": "7654321"}, "display": "A Pharmacist"},
            }
        ],
        "identifier": [{"system": "https://tools.ietf.org/html/rfc4122", "value": "task-1"}],
        "status": "rejected",
        "intent": "order",
        "statusReason": {"coding": [{"system": statuses.RETURN_REASON, "code": "0002"}]},
        "groupIdentifier": {"system": statuses.ORDER_NUMBER, "value": "24F5DA-A83008-7EFE6Z"},
        "focus": {"identifier": {"value": _FOCUS}},
        "authoredOn": "2026-11-02T09:00:00+00:00",
        "requester": {"reference": "#requester"},
    } | change


def _withdrawal(**change: Any) -> dict[str, Any]:
    stated = {
        "status": "in-progress",
        "code": {"coding": [{"system": statuses.TASK_CODE, "code": "abort"}]},
        "statusReason": {"coding": [{"system": statuses.WITHDRAW_REASON, "code": "DA"}]},
    }
    return _task(**(stated | change))


def _read(body: dict[str, Any]) -> Acknowledgement:
    read = read_answer(dumps(body))
    assert isinstance(read, Acknowledgement), read
    return read


@pytest.mark.parametrize("said", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
def test_a_time_at_the_end_of_the_calendar_is_no_time(said: str) -> None:
    assert _read(_task()).at is not None
    assert _read(_task(authoredOn=said)).at is None


@pytest.mark.parametrize(("code", "words"), statuses.RETURNS.items())
def test_every_reason_to_return_is_read(code: str, words: str) -> None:
    read = _read(_task(statusReason={"coding": [{"system": statuses.RETURN_REASON, "code": code}]}))
    (report,) = read.reports
    assert (read.id, read.correlation, read.replaces) == ("task-1", UUID(_FOCUS), "")
    assert (report.event, report.line_id) == (LineEvent.RETURNED, None)
    assert (report.reason_code, report.reason) == (code, words)


def _renewal(system: str = statuses.LINE_EVENT, **change: Any) -> dict[str, Any]:
    code = {"coding": [{"system": system, "code": "renewal_requested"}]}
    return _task(**({"status": "requested", "code": code, "statusReason": {"text": "Two supplies are left."}} | change))


def test_a_provider_asks_for_a_renewal_of_what_it_was_sent() -> None:
    read = _read(_renewal())
    (report,) = read.reports
    assert (read.correlation, read.replaces) == (UUID(_FOCUS), "")
    assert (report.event, report.line_id, report.reason) == (
        LineEvent.RENEWAL_REQUESTED,
        None,
        "Two supplies are left.",
    )
    assert _read(_renewal(statusReason={})).reports[0].reason == ""


@pytest.mark.parametrize("change", [{"code": {}}, {"system": statuses.TASK_CODE}, {"focus": {}}])
def test_a_wish_for_a_renewal_that_does_not_say_so_is_not_understood(change: dict[str, Any]) -> None:
    assert isinstance(read_answer(dumps(_renewal(**change))), Unrecognised)


@pytest.mark.parametrize(("code", "words"), statuses.WITHDRAWALS.items())
def test_every_reason_to_withdraw_is_read(code: str, words: str) -> None:
    read = _read(_withdrawal(statusReason={"coding": [{"system": statuses.WITHDRAW_REASON, "code": code}]}))
    (report,) = read.reports
    assert (read.correlation, read.replaces) == (None, _FOCUS)
    assert (report.event, report.reason_code, report.reason) == (LineEvent.SUPPLY_WITHDRAWN, code, words)


_FAULTS: dict[str, tuple[dict[str, Any], str]] = {
    "a plan": (_task(intent="plan"), "Task.intent"),
    "another status": (_task(status="accepted"), "Task.status"),
    "no status": (_task(status=None), "Task.status"),
    "no requester": (_task(requester=None), "Task.requester"),
    "a requester elsewhere": (_task(requester={"reference": "Practitioner/1"}), "Task.requester"),
    "a practitioner elsewhere": (
        _task(contained=[{**_task()["contained"][0], "practitioner": {"reference": "Practitioner/1"}}]),
        "Task.contained.practitioner",
    ),
    "a return that aborts": (_task(code=_withdrawal()["code"]), "Task.code"),
    "a code of another system": (_task(code={"coding": [{"system": "x", "code": "fulfill"}]}), "Task.code"),
    "a withdrawal without a code": (_withdrawal(code=None), "Task.code"),
    "a withdrawal that fulfils": (
        _withdrawal(code={"coding": [{"system": statuses.TASK_CODE, "code": "fulfill"}]}),
        "Task.code",
    ),
    "the other kind's reason": (_task(statusReason=_withdrawal()["statusReason"]), "Task.statusReason"),
    "an unknown reason": (
        _task(statusReason={"coding": [{"system": statuses.RETURN_REASON, "code": "0009"}]}),
        "Task.statusReason",
    ),
    "no reason": (_task(statusReason=None), "Task.statusReason"),
    "no focus": (_task(focus=None), "Task.focus.identifier.value"),
    "no identifier": (_task(identifier=[]), "Task.identifier.value"),
    "no number": (_task(groupIdentifier=None), "Task.groupIdentifier"),
    "a modifier": (_task(modifierExtension=[{"url": "u"}]), "Task"),
}


@pytest.mark.parametrize("fault", _FAULTS.values(), ids=_FAULTS)
def test_a_task_that_breaks_a_rule_says_which(fault: tuple[dict[str, Any], str]) -> None:
    body, place = fault
    read = read_answer(dumps(body))
    assert isinstance(read, Unrecognised)
    assert [issue.location for issue in read.issues] == [place]


def _example(name: str) -> dict[str, Any]:
    path = _EXAMPLES / name
    if not path.is_file():
        pytest.skip("the published EPS examples are not beside this tree")
    body: dict[str, Any] = json.loads(path.read_bytes())
    return body


_PUBLISHED: dict[str, tuple[str, list[str]]] = {
    f"{_HOMECARE}/1-Process-Request-Dispense-200_OK.json": ("", ["delivered 5 ml", "delivered 28 tablet"]),
    f"{_HOMECARE}/3-Process-Request-Dispense-200_OK.json": ("", ["delivered 1 pre-filled disposable injection"]),
    f"{_HOMECARE}/5-Process-Request-Dispense-200_OK.json": ("", ["delivered 1 pre-filled disposable injection"]),
    f"{_HOMECARE}/5-Process-Request-DispenseAmend-200_OK.json": (
        "50101420-789b-4a3d-a4fb-4d3d0af76a64",
        ["delivered 1 pre-filled disposable injection"],
    ),
    f"{_HOMECARE}/7-Process-Request-Dispense-200_OK.json": ("", ["delivered 5 ml", "delivered 28 tablet"]),
    "homecare/concurrent-dosage-instructions/1-Process-Request-Dispense-200_OK.json": ("", ["delivered 8 tablets"]),
    f"{_HOMECARE}/3-Task-Request-Withdraw-200_OK.json": (
        "602159ee-1678-41ec-a100-7b3dd04c1d84",
        ["supply_withdrawn DA"],
    ),
    "spec/dispensing/withdraw/acute-primary-example-req.json": (
        "a14d4fc1-82a2-4a82-aae2-50e212e7b907",
        ["supply_withdrawn MU"],
    ),
    "spec/dispensing/return/acute-primary-example-req.json": ("", ["returned 0003"]),
}


@pytest.mark.parametrize(("name", "said"), _PUBLISHED.items(), ids=_PUBLISHED)
def test_every_published_notification_return_and_withdrawal_is_read(name: str, said: tuple[str, list[str]]) -> None:
    read = _read(_example(name))
    words = [
        " ".join(filter(None, (one.event.value, one.reason_code, str(one.amount or ""), one.unit)))
        for one in read.reports
    ]
    assert (read.replaces, words) == said


_Change = Callable[[dict[str, Any]], object]
_SPOILT: dict[str, _Change] = {
    "the amended one is not named": lambda body: body["entry"][0]["resource"]["extension"][0].pop("valueIdentifier"),
    "two are amended": lambda body: body["entry"][0]["resource"]["extension"].append(
        {"url": next(iter(statuses.REPLACEMENT_URLS)), "valueIdentifier": {"value": "another"}}
    ),
    "a status nobody knows": lambda body: body["entry"][1]["resource"]["extension"][0]["valueCoding"].update(
        code="0042"
    ),
    "a reason nobody knows": lambda body: body["entry"][1]["resource"].update(
        type={"coding": [{"system": statuses.DISPENSE_TYPE, "code": "0002"}]},
        statusReasonCodeableConcept={"coding": [{"system": statuses.NON_DISPENSING_REASON, "code": "0042"}]},
    ),
}


@pytest.mark.parametrize("spoil", _SPOILT.values(), ids=_SPOILT)
def test_an_amendment_with_a_word_that_is_not_known_moves_nothing(spoil: _Change) -> None:
    body = copy.deepcopy(_example(f"{_HOMECARE}/5-Process-Request-DispenseAmend-200_OK.json"))
    spoil(body)
    assert isinstance(read_answer(dumps(body)), Unrecognised)


def test_only_a_notification_may_be_amended() -> None:
    body = _example(f"{_HOMECARE}/5-Process-Request-DispenseAmend-200_OK.json")
    body["entry"][0]["resource"]["eventCoding"]["code"] = "prescription-order-response"
    body["entry"] = body["entry"][:1]
    assert isinstance(read_answer(dumps(body)), Unrecognised)


@pytest.mark.parametrize(("code", "words"), statuses.NOT_DISPENSED.items())
def test_every_reason_for_not_dispensing_is_read(code: str, words: str) -> None:
    body = _example(f"{_HOMECARE}/1-Process-Request-Dispense-200_OK.json")
    reason = {"system": statuses.NON_DISPENSING_REASON, "code": code, "display": words}
    body["entry"][1]["resource"] |= {
        "type": {"coding": [{"system": statuses.DISPENSE_TYPE, "code": "0002"}]},
        "extension": [{"url": statuses.NON_DISPENSING_URL, "valueCoding": reason}],
    }
    report = _read(body).reports[0]
    assert (report.event, report.reason_code, report.reason) == (LineEvent.NOT_SUPPLIED, code, words)
