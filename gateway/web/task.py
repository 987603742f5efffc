"""One line as a FHIR Task: where it is, in words that keep sent, arrived, accepted and checked apart.

The Task names no patient and no medicine: the caller knows both, and whoever overhears should learn neither.

Source: FHIR R4 task.html; eps.md 1.10; console.md 4 (the words).
"""

from typing import Final

from gateway.domain.labels import LABELS
from gateway.domain.lifecycle import LineState
from gateway.enquiries import LineView, PrescriptionView
from gateway.wire.strict_json import JSON

NUMBER_SYSTEM: Final = "https://fhir.nhs.uk/Id/prescription-order-number"
ITEM_SYSTEM: Final = "https://fhir.nhs.uk/Id/prescription-order-item-number"
ODS_SYSTEM: Final = "https://fhir.nhs.uk/Id/ods-organization-code"
STATE_SYSTEM: Final = "urn:x-homecare-gateway:line-state"
ALERTS_URL: Final = "urn:x-homecare-gateway:open-alerts"
EPOCH_URL: Final = "urn:x-homecare-gateway:epoch"

S = LineState
STATUS: Final[dict[LineState, str]] = {
    S.RECEIVED: "requested",
    S.REFUSED: "rejected",
    S.HELD: "on-hold",
    S.AWAITING_SCREENING: "on-hold",
    S.READY: "requested",
    S.UNDELIVERABLE: "on-hold",
    S.SENT: "requested",
    S.UNCERTAIN: "requested",
    S.WITH_PROVIDER: "received",
    S.ACCEPTED: "accepted",
    S.VALIDATED: "in-progress",
    S.QUERIED: "on-hold",
    S.IN_SUPPLY: "in-progress",
    S.PART_SUPPLIED: "in-progress",
    S.FULFILLED: "completed",
    S.ON_HOLD: "on-hold",
    S.REJECTED: "rejected",
    S.RETURNED: "rejected",
    S.CANCELLED: "cancelled",
    S.SUPERSEDED: "cancelled",
    S.EXPIRED: "failed",
    S.CLOSED: "failed",
}
"""FHIR R4 `task-status` for each state. A closed line is `completed` only when all of it was delivered."""


def task(view: PrescriptionView, line: LineView) -> dict[str, JSON]:
    """Write one line as a Task."""
    number: JSON = {"system": NUMBER_SYSTEM, "value": view.found.number}
    events = [event.at for event in view.events if event.line_id in {None, line.line_id}]
    written: dict[str, JSON] = {
        "resourceType": "Task",
        "id": str(line.line_id),
        "extension": _extensions(view, line),
        "groupIdentifier": number if view.found.number else None,
        "identifier": [{"value": line.order_number}] if line.order_number else None,
        "status": _status(line),
        "businessStatus": {
            "coding": [{"system": STATE_SYSTEM, "code": line.state.value, "display": LABELS[line.state]}],
            "text": LABELS[line.state],
        },
        "intent": "order",
        "focus": {"identifier": {"system": ITEM_SYSTEM, "value": str(line.line_id)}},
        "authoredOn": view.found.received_at.isoformat(),
        "lastModified": max(events, default=view.found.received_at).isoformat(),
        "requester": _organisation(view.found.tenant.value),
        "owner": _organisation(view.found.destination.value) if view.found.destination else None,
        "restriction": _restriction(line),
    }
    return {name: value for name, value in written.items() if value is not None}


def _status(line: LineView) -> str:
    if line.state is S.CLOSED and line.delivered >= line.total_supplies > 0:
        return "completed"
    return STATUS[line.state]


def _restriction(line: LineView) -> JSON:
    """How often it is to be supplied, and by when its holder must act."""
    stated: dict[str, JSON] = {}
    if line.total_supplies > 0:
        stated["repetitions"] = line.total_supplies
    if line.act_by is not None:
        stated["period"] = {"end": line.act_by.isoformat()}
    return stated or None


def _extensions(view: PrescriptionView, line: LineView) -> JSON:
    alerts = sum(alert.closed_at is None and alert.line_id in {None, line.line_id} for alert in view.alerts)
    return [
        {"url": ALERTS_URL, "valueInteger": alerts},
        {"url": EPOCH_URL, "valueInteger": line.epoch},
    ]


def _organisation(ods: str) -> JSON:
    return {"identifier": {"system": ODS_SYSTEM, "value": ods}}
