"""An OperationOutcome that comes back from a cancel: the verdict it means, and never a confirmation."""

from pathlib import Path
from uuid import UUID

import pytest

from adapters._http import Reply
from adapters.fhir_push import statuses
from adapters.fhir_push.adapter import FhirPush
from adapters.fhir_push.outcomes import cancel_verdict
from gateway.destination import InDoubt, Refused, Taken, Transmission, TransmitOutcome, TryLater
from gateway.domain.identifiers import OdsCode
from gateway.domain.lifecycle import LineEvent
from gateway.domain.partner import Environment, Provider
from gateway.wire.strict_json import JSON, dumps

_MESSAGE = UUID("0d3f1c52-6a7e-4f4e-9f0b-7a1b2c3d4e5f")
_PUBLISHED = Path(__file__).parents[3] / "../shared/eps-examples/spec/errors/prescription-order-update"
_FHIR = "application/fhir+json"
_VERDICTS = {
    "R-0008": LineEvent.CANCEL_UNKNOWN,
    "R-0009": LineEvent.CANCEL_REPLY_ERROR,
    "R-5000": LineEvent.CANCEL_REPLY_ERROR,
    "R-5888": LineEvent.CANCEL_REPLY_ERROR,
}


def _message(event: str = "prescription-order-update") -> bytes:
    header: JSON = {"resourceType": "MessageHeader", "eventCoding": {"code": event}}
    return dumps({"resourceType": "Bundle", "entry": [{"resource": header}]})


def _issue(code: str, system: str = statuses.STATUS_HISTORY, kind: str = "processing") -> dict[str, JSON]:
    coding: JSON = {"system": system, "code": code, "display": "in its words"}
    return {"severity": "error", "code": kind, "details": {"coding": [coding]}}


def _outcome(*issues: dict[str, JSON]) -> bytes:
    return dumps({"resourceType": "OperationOutcome", "issue": [*issues]})


def _transmitted(body: bytes, status: int = 400, octets: bytes = b"") -> TransmitOutcome:
    provider = Provider(
        ods=OdsCode("VNE51"),
        name="Example",
        environment=Environment.TEST,
        adapter="fhir_push",
        endpoint="http://127.0.0.1/",
        token="a-token",
        answers_within_seconds=1.0,
    )
    transmission = Transmission(message_id=_MESSAGE, octets=octets or _message(), content_type=_FHIR, attempt=1)
    return FhirPush(provider)._outcome(Reply(status=status, media_type=_FHIR, body=body), transmission)


@pytest.mark.parametrize(("code", "event"), _VERDICTS.items())
def test_a_verdict_without_a_line_is_of_every_line_of_the_cancel(code: str, event: LineEvent) -> None:
    outcome = _transmitted(_outcome(_issue(code)))
    assert isinstance(outcome, Taken)
    assert outcome.evidence
    assert outcome.acknowledgement is not None
    assert (outcome.acknowledgement.correlation, outcome.acknowledgement.epoch) == (_MESSAGE, None)
    (report,) = outcome.acknowledgement.reports
    assert (report.line_id, report.event, report.reason_code, report.reason) == (None, event, code, "in its words")


@pytest.mark.parametrize("code", ["PRESCRIPTION_NOT_FOUND", "MEDICATIONREQUEST_NOT_FOUND"])
@pytest.mark.parametrize("status", [400, 404, 422])
def test_what_a_provider_does_not_know_is_not_refused_but_unknown(code: str, status: int) -> None:
    outcome = _transmitted(_outcome(_issue(code, statuses.EPS_CODES, "not-found")), status)
    assert isinstance(outcome, Taken)
    assert outcome.acknowledgement is not None
    assert [report.event for report in outcome.acknowledgement.reports] == [LineEvent.CANCEL_UNKNOWN]


def test_no_operation_outcome_confirms_a_cancel() -> None:
    assert not {LineEvent.CANCEL_CONFIRMED, LineEvent.CANCEL_TOO_LATE} & set(statuses.OUTCOMES.values())
    said = {code: event for (system, code), event in statuses.OUTCOMES.items() if system == statuses.STATUS_HISTORY}
    assert said == _VERDICTS
    assert said.items() <= statuses.CANCELS.items()


_NO_VERDICT: dict[str, tuple[bytes, int, type[TransmitOutcome]]] = {
    "a confirmation in this shape": (_outcome(_issue("R-0001")), 400, Refused),
    "a code nobody published": (_outcome(_issue("R-5006")), 400, Refused),
    "two verdicts": (_outcome(_issue("R-0008"), _issue("R-5000")), 400, Refused),
    "the code of another system": (_outcome(_issue("R-0008", "urn:theirs")), 400, Refused),
    "a state it may not leave": (
        _outcome(_issue("PRESCRIPTION_INVALID_STATE_TRANSITION", statuses.EPS_CODES)),
        400,
        Refused,
    ),
    "a verdict on a good status": (_outcome(_issue("R-0008")), 200, InDoubt),
    "a verdict on a failure": (_outcome(_issue("R-0008")), 500, InDoubt),
    "busy": (_outcome(_issue("R-0008")), 503, TryLater),
}


@pytest.mark.parametrize("case", _NO_VERDICT.values(), ids=_NO_VERDICT)
def test_what_is_no_verdict_is_read_as_any_other_response(case: tuple[bytes, int, type[TransmitOutcome]]) -> None:
    body, status, kind = case
    assert isinstance(_transmitted(body, status), kind)


def test_a_warning_beside_the_verdict_changes_nothing() -> None:
    warning = _issue("R-5000") | {"severity": "warning"}
    outcome = _transmitted(_outcome(warning, _issue("R-0008"), {"severity": "error", "code": "not-found"}))
    assert isinstance(outcome, Taken)


@pytest.mark.parametrize("octets", [_message("prescription-order"), b"MSH|", b"[]", b'{"entry":[7]}'])
def test_an_order_is_refused_and_never_unknown(octets: bytes) -> None:
    assert isinstance(_transmitted(_outcome(_issue("R-0008")), octets=octets), Refused)


def test_the_same_verdict_again_is_one_answer_and_another_verdict_another() -> None:
    one, same, other = (cancel_verdict(_outcome(_issue(code)), _message(), _MESSAGE) for code in _SAID)
    assert one is not None
    assert other is not None
    assert one == same
    assert one.id != other.id


_SAID = ("R-0008", "R-0008", "R-5000")


@pytest.mark.parametrize("code", ["R-0008", "R-5000"])
def test_the_published_replies_are_verdicts(code: str) -> None:
    path = _PUBLISHED / f"{code}-Cancellation.json"
    if not path.is_file():
        pytest.skip("the published EPS examples are not beside this checkout")
    answer = cancel_verdict(path.read_bytes(), _message(), _MESSAGE)
    assert answer is not None
    assert [report.event for report in answer.reports] == [_VERDICTS[code]]
