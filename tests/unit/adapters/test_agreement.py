"""The items of one dispense notification agree, or nothing of it is followed; and it is about a patient."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from adapters.fhir_push.payload import read_answer
from gateway.destination import Unrecognised
from gateway.domain.acknowledgement import Acknowledgement
from gateway.wire.strict_json import dumps
from tests.unit.adapters.test_fhir_push import _ONE, _TWO, _dispense, _notice

_EXAMPLES = Path(__file__).parents[3] / "../shared/eps-examples"
_NHS = "https://fhir.nhs.uk/Id/nhs-number"
_DM = "https://fhir.nhs.uk/StructureDefinition/Extension-DM-PrescriptionNonDispensingReason"
_REPEATS = "https://fhir.nhs.uk/StructureDefinition/Extension-EPS-RepeatInformation"
_REASONS = "https://fhir.nhs.uk/CodeSystem/medicationdispense-status-reason"


def _subject(number: str) -> dict[str, Any]:
    return {"identifier": {"system": _NHS, "value": number}}


def _performer(ods: str) -> list[dict[str, Any]]:
    return [{"actor": {"identifier": {"value": ods}}}]


def _reason(code: str) -> list[dict[str, Any]]:
    return [{"url": _DM, "valueCoding": {"system": _REASONS, "code": code}}]


def _repeats(number: int) -> list[dict[str, Any]]:
    return [{"url": _REPEATS, "extension": [{"url": "numberOfRepeatsIssued", "valueUnsignedInt": number}]}]


def _pair(one: dict[str, Any], other: dict[str, Any], kind: str = "0001") -> dict[str, Any]:
    return _notice(_dispense(kind, **one), _dispense(kind, item=_TWO, **other))


_DISAGREE: dict[str, dict[str, Any]] = {
    "handed over on two days": _pair({}, {"whenHandedOver": "2026-11-03T08:00:00Z"}),
    "two patients": _pair({"subject": _subject("9990000077")}, {"subject": _subject("9990000212")}),
    "two performers": _pair({"performer": _performer("VNE51")}, {"performer": _performer("VNFKT")}),
    "two reasons": _pair({"extension": _reason("0001")}, {"extension": _reason("0002")}, "0002"),
    "two counts of issues": _pair({"extension": _repeats(1)}, {"extension": _repeats(2)}),
    "two forms of medication": _notice(
        _dispense(medicationCodeableConcept={"text": "a"}, medicationReference={"reference": "#m"})
    ),
}


@pytest.mark.parametrize("body", _DISAGREE.values(), ids=_DISAGREE)
def test_a_notification_whose_items_disagree_is_not_followed(body: dict[str, Any]) -> None:
    read = read_answer(dumps(body))
    assert isinstance(read, Unrecognised)
    assert {issue.code for issue in read.issues} == {"STRUCTURE_INVALID"}
    assert all("9990000" not in issue.text for issue in read.issues)


_AGREE: dict[str, dict[str, Any]] = {
    "one that waits was not handed over": _notice(_dispense(), _dispense("0004", item=_TWO, whenHandedOver=None)),
    "one that was dispensed has no reason why not": _notice(
        _dispense(), _dispense("0002", item=_TWO, value=0, extension=_reason("0001"))
    ),
    "the number is written in groups": _pair(
        {"subject": _subject("999 000 0077")}, {"subject": _subject("9990000077")}
    ),
    "contained performers of one name": _pair(
        {"performer": [{"actor": {"reference": "#performer"}}]}, {"performer": [{"actor": {"reference": "#performer"}}]}
    ),
}


@pytest.mark.parametrize("body", _AGREE.values(), ids=_AGREE)
def test_a_notification_whose_items_agree_is_read(body: dict[str, Any]) -> None:
    read = read_answer(dumps(body))
    assert isinstance(read, Acknowledgement), [issue.text for issue in read.issues]
    assert {str(report.line_id) for report in read.reports} == {_ONE, _TWO}


@pytest.mark.parametrize(
    ("change", "number"),
    [
        (lambda item: item.update(subject=_subject("999 000 0077")), "9990000077"),
        (lambda item: item.update(subject={"identifier": {"system": "urn:local", "value": "1"}}), ""),
        (lambda item: item.update(subject={"reference": "urn:uuid:x"}), ""),
        (lambda _: None, ""),
    ],
)
def test_the_patient_is_named_by_the_nhs_number_alone(change: Callable[[dict[str, Any]], None], number: str) -> None:
    item = _dispense()
    change(item)
    read = read_answer(dumps(_notice(item)))
    assert isinstance(read, Acknowledgement)
    assert read.nhs_number == number
    assert number == "" or number not in repr(read)


def test_the_published_notifications_disagree_only_where_they_are_meant_to() -> None:
    paths = sorted(_EXAMPLES.rglob("*Process-Request-Dispense*.json"))
    if not paths:
        pytest.skip("the published EPS examples are not beside this checkout")
    disagreeing = set()
    for path in paths:
        read = read_answer(path.read_bytes())
        issues = () if isinstance(read, Acknowledgement) else read.issues
        if any("Every item" in issue.text for issue in issues):
            disagreeing.add(path.name)
    assert disagreeing == {"3-Process-Request-Dispense-400_Invalid_Value.json"}
