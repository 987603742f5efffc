"""Answers to a trust that speaks FHIR: a response message, an OperationOutcome, and later messages with news of a line.

`MessageHeader.response.code` says whether the message was taken; of a provider's decision the verdict is in the status
history of the line and in the Task's status, never in that code (mapping.md 0.12).

Source: mapping.md 9.2 and 9.3; eps.md 1.3, 1.5 and 2.2; FHIR R4 messaging.html.
"""

from collections.abc import Sequence
from datetime import UTC, datetime

from gateway.domain.cancel import CancelState
from gateway.domain.coding import SNOMED
from gateway.domain.hold import HoldState
from gateway.domain.identifiers import derived_id
from gateway.domain.issue import Issue
from gateway.domain.lifecycle import LineEvent, LineState
from gateway.domain.submission import Action, Answer, Envelope, OrderVerdict, Outcome, Submission, Verdict
from gateway.ports.work import News
from gateway.translate.to_acknowledgement import http_status
from gateway.translate.to_acknowledgement.eps_codes import eps_error
from gateway.translate.to_fhir import systems
from gateway.wire.strict_json import JSON, dumps

CONTENT_TYPE = "application/fhir+json; fhirVersion=4.0"
ISSUE_CODES = "urn:x-homecare-gateway:CodeSystem:issue-code"
LINE_STATES = "urn:x-homecare-gateway:CodeSystem:line-state"
LINE_EVENTS = "urn:x-homecare-gateway:CodeSystem:line-event"
STATUS_HISTORY = "https://fhir.nhs.uk/StructureDefinition/Extension-DM-PrescriptionStatusHistory"
EPS_HISTORY = "https://fhir.nhs.uk/CodeSystem/medicationrequest-status-history"
ENDPOINT = "urn:x-homecare-gateway"
MOST_ISSUES = 100

_WORDS = {
    Outcome.TRANSLATED: "The prescription is accepted.",
    Outcome.TASK: "The request is accepted as a task.",
    Outcome.DUPLICATE: "The prescription was accepted before.",
    Outcome.HELD: "The prescription is held; nothing was sent.",
    Outcome.REFUSED: "The prescription is refused.",
}
_CANCEL_WORDS = {
    CancelState.CONFIRMED: "Cancelled. Nothing of it will be supplied.",
    CancelState.ASKED: "The provider is asked to cancel. It is not cancelled until the provider confirms it.",
    CancelState.PENDING: "The cancel is pending at the provider. It is not cancelled.",
    CancelState.TOO_LATE: "Too late: it was supplied.",
    CancelState.TOMBSTONE: "The order is not known here. If it comes, it is cancelled and nothing is sent.",
}
_HOLD_WORDS = {
    (Action.HOLD, HoldState.CONFIRMED): "On hold. Nothing of it is sent or supplied until it is released.",
    (Action.HOLD, HoldState.ASKED): (
        "The provider is asked to put it on hold. It is not on hold until the provider confirms it."
    ),
    (Action.HOLD, HoldState.REFUSED): "Not all of it is on hold; the issues say what is not.",
    (Action.RELEASE, HoldState.CONFIRMED): "Released. It goes on from where it was put on hold.",
    (Action.RELEASE, HoldState.ASKED): (
        "The provider is asked to release it. It stays on hold until the provider confirms it."
    ),
    (Action.RELEASE, HoldState.REFUSED): "Not all of it is released; the issues say what is not.",
}
_CANCELS = {
    LineEvent.CANCEL_CONFIRMED: ("R-0001", "Prescription/item was cancelled"),
    LineEvent.CANCEL_TOO_LATE: ("R-0004", "Prescription/item was not cancelled. Prescription has been dispensed"),
    LineEvent.CANCEL_UNKNOWN: ("R-0008", "Prescription/item not found"),
}
"""EPS codes that say one thing alone; a pending cancel may be R-0002 or R-0003 and is told in our own code only."""
_TASK = {
    LineState.WITH_PROVIDER: "received",
    LineState.ACCEPTED: "accepted",
    LineState.VALIDATED: "in-progress",
    LineState.IN_SUPPLY: "in-progress",
    LineState.PART_SUPPLIED: "in-progress",
    LineState.QUERIED: "on-hold",
    LineState.ON_HOLD: "on-hold",
    LineState.HELD: "on-hold",
    LineState.REJECTED: "rejected",
    LineState.RETURNED: "rejected",
    LineState.FULFILLED: "completed",
    LineState.CLOSED: "completed",
    LineState.CANCELLED: "cancelled",
    LineState.SUPERSEDED: "cancelled",
    LineState.EXPIRED: "failed",
    LineState.REFUSED: "rejected",
}
_ORDER = {
    LineState.FULFILLED: "completed",
    LineState.CLOSED: "completed",
    LineState.CANCELLED: "cancelled",
    LineState.SUPERSEDED: "cancelled",
    LineState.EXPIRED: "stopped",
    LineState.ON_HOLD: "on-hold",
}


def answer(submission: Submission, envelope: Envelope, verdict: Verdict) -> Answer:
    """Write the response message for a Bundle that could be read."""
    identity = ("answer", str(submission.id))
    outcome_url = f"urn:uuid:{derived_id(*identity, 'outcome')}"
    header = _header(identity, envelope.control_id, _code(verdict))
    header["response"] = {**_object(header["response"]), "details": {"reference": outcome_url}}
    issues = [*map(_issue, verdict.issues[:MOST_ISSUES]), *map(_summary, verdict.orders)]
    outcome: dict[str, JSON] = {"resourceType": "OperationOutcome", "issue": [*issues] or [_plain(verdict.outcome)]}
    body = _bundle(identity, submission.received_at, header, {outcome_url: outcome})
    return Answer(body=dumps(body), content_type=CONTENT_TYPE, http_status=http_status.of_verdict(verdict))


def unreadable(body: bytes, issues: Sequence[Issue]) -> Answer:  # noqa: ARG001 - one signature for every format
    """Write the OperationOutcome for a body of which not even the identifier could be read."""
    outcome: JSON = {"resourceType": "OperationOutcome", "issue": [_issue(issue) for issue in issues[:MOST_ISSUES]]}
    return Answer(body=dumps(outcome), content_type=CONTENT_TYPE, http_status=http_status.of_unread(issues))


def status(news: News) -> bytes:
    """Write the response message that tells of one event of one line."""
    identity = ("news", str(news.line_id), str(news.seq))
    order_url = f"urn:uuid:{derived_id(*identity, 'order')}"
    header = _header(identity, news.control_id, "ok")
    header["focus"] = [{"reference": order_url}]
    task_url = f"urn:uuid:{derived_id(*identity, 'task')}"
    resources = {order_url: _object(_filled(_order(news))), task_url: _object(_filled(_task(news, order_url)))}
    return dumps(_bundle(identity, news.at, header, resources))


def _code(verdict: Verdict) -> str:
    if verdict.outcome is not Outcome.REFUSED:
        return "ok"
    return "transient-error" if any(issue.code == "NOT_STORED" for issue in verdict.issues) else "fatal-error"


def _header(identity: tuple[str, ...], control_id: str, code: str) -> dict[str, JSON]:
    return {
        "resourceType": "MessageHeader",
        "id": str(derived_id(*identity, "header")),
        "eventCoding": {
            "system": systems.MESSAGE_EVENT,
            "code": "prescription-order-response",
            "display": "Prescription Order Response",
        },
        "source": {"endpoint": ENDPOINT},
        "response": {"identifier": control_id, "code": code},
    }


def _object(value: JSON) -> dict[str, JSON]:
    return value if isinstance(value, dict) else {}


def _bundle(
    identity: tuple[str, ...], at: datetime, header: dict[str, JSON], resources: dict[str, dict[str, JSON]]
) -> dict[str, JSON]:
    entries: list[JSON] = [{"fullUrl": f"urn:uuid:{header['id']}", "resource": header}]
    entries += [{"fullUrl": url, "resource": resource} for url, resource in resources.items()]
    return {
        "resourceType": "Bundle",
        "identifier": {"system": systems.UUID_SYSTEM, "value": str(derived_id(*identity, "bundle"))},
        "type": "message",
        "timestamp": _moment(at),
        "entry": entries,
    }


def _issue(issue: Issue) -> dict[str, JSON]:
    codings: list[JSON] = [{"system": ISSUE_CODES, "code": issue.code, "display": issue.row.advice}]
    if (error := eps_error(issue)) is not None:
        codings.append({"system": error.system, "code": error.code, "display": error.display})
    written: dict[str, JSON] = {
        "severity": issue.severity.value,
        "code": issue.row.fhir,
        "details": {
            "coding": codings,
            "text": f"What it means and what to do: /issues/{issue.code}",
        },
        "diagnostics": issue.text,
    }
    if issue.location.startswith(("Bundle", "MedicationRequest")):
        written["expression"] = [issue.location]
    elif issue.location:
        written["diagnostics"] = f"{issue.text} (at {issue.location})"
    return written


def _summary(order: OrderVerdict) -> dict[str, JSON]:
    """Say what became of one prescription; its number is the key to ask by later."""
    words = _CANCEL_WORDS.get(order.cancel, _WORDS[order.outcome])
    if order.action is Action.REPLACE and order.cancel is CancelState.CONFIRMED:
        words = _WORDS[order.outcome]
    words = _HOLD_WORDS.get((order.action, order.hold), words)
    number = f" Number {order.prescription_number}." if order.prescription_number else ""
    return {"severity": "information", "code": "informational", "diagnostics": words + number}


def _plain(outcome: Outcome) -> dict[str, JSON]:
    return {"severity": "information", "code": "informational", "diagnostics": _WORDS[outcome]}


def _filled(value: JSON) -> JSON:
    """Leave out what the news does not know: FHIR has no empty values."""
    if isinstance(value, dict):
        kept = {key: _filled(member) for key, member in value.items()}
        return {key: member for key, member in kept.items() if member not in ("", [], {})}
    if isinstance(value, list):
        return [member for member in map(_filled, value) if member not in ("", [], {})]
    return value


def _order(news: News) -> dict[str, JSON]:
    return {
        "resourceType": "MedicationRequest",
        "extension": [_history(news)],
        "identifier": [{"system": systems.ITEM_NUMBER, "value": str(news.line_id)}],
        "status": _ORDER.get(news.state, "active"),
        "intent": "order",
        "medicationCodeableConcept": {
            "coding": [{"system": SNOMED, "code": news.product_code, "display": news.product_display}]
        },
        "subject": {"identifier": {"system": systems.NHS_NUMBER, "value": news.nhs_number}},
        "groupIdentifier": {
            "extension": [
                {
                    "url": systems.PRESCRIPTION_ID_EXTENSION,
                    "valueIdentifier": {"system": systems.LONG_FORM, "value": str(news.prescription_id)},
                }
            ],
            "system": systems.ORDER_NUMBER,
            "value": news.prescription_number,
        },
    }


def _history(news: News) -> dict[str, JSON]:
    cancel = _CANCELS.get(news.event)
    coding: dict[str, JSON] = {"system": LINE_EVENTS, "code": news.event.value}
    if cancel:
        coding = {"system": EPS_HISTORY, "code": cancel[0], "display": cancel[1]}
    parts: list[JSON] = [
        {"url": "status", "valueCoding": coding},
        {"url": "statusDate", "valueDateTime": _moment(news.at)},
    ]
    return {"url": STATUS_HISTORY, "extension": parts}


def _task(news: News, order_url: str) -> dict[str, JSON]:
    task: dict[str, JSON] = {
        "resourceType": "Task",
        "status": _TASK.get(news.state, "requested"),
        "businessStatus": {"coding": [{"system": LINE_STATES, "code": news.state.value}]},
        "intent": "order",
        "code": {"coding": [{"system": systems.TASK_CODE, "code": "fulfill"}]},
        "focus": {"reference": order_url},
        "for": {"identifier": {"system": systems.NHS_NUMBER, "value": news.nhs_number}},
        "lastModified": _moment(news.at),
        "owner": {"identifier": {"system": systems.ODS, "value": str(news.destination)}},
    }
    reason: dict[str, JSON] = {"text": news.reason} if news.reason.strip() else {}
    if news.reason_code:
        reason["coding"] = [{"code": news.reason_code}]
    if reason:
        task["statusReason"] = reason
    output: list[JSON] = []
    if news.amount:
        words = f"{news.amount} {news.unit}".strip()
        output.append({"type": {"text": "quantity supplied"}, "valueString": words})
    if news.issue and news.total > 1:
        task["extension"] = [_repeats(news)]
        output.append({"type": {"text": "supply number"}, "valueString": f"{news.issue} of {news.total}"})
    if output:
        task["output"] = output
    return task


def _repeats(news: News) -> dict[str, JSON]:
    """Say which of several supplies is meant; systems differ on whether the first counts, so words stand beside it.

    Source:
        eps.md 1.10: the extension stands on a Task; repeats are counted after the first supply.
    """
    counts: list[JSON] = [
        {"url": "numberOfRepeatsAllowed", "valueUnsignedInt": news.total - 1},
        {"url": "numberOfRepeatsIssued", "valueUnsignedInt": news.issue - 1},
    ]
    return {"url": systems.REPEATS_EXTENSION, "extension": counts}


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
