"""What a simulated provider's system says back: EPS-shaped FHIR messages, or the sandbox's own small JSON.

Ids are derived from what is answered, so that saying the same thing twice is the same answer.

Source: mapping.md 9.3; eps.md 1.5, 1.8.
"""

import json
import uuid
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

_ODS = "https://fhir.nhs.uk/Id/ods-organization-code"
_ITEM = "https://fhir.nhs.uk/Id/prescription-order-item-number"
_HISTORY = "https://fhir.nhs.uk/CodeSystem/medicationrequest-status-history"
_LINE_EVENT = "urn:x-homecare-gateway:CodeSystem:line-event"
_HISTORY_URL = "https://fhir.nhs.uk/StructureDefinition/Extension-DM-PrescriptionStatusHistory"
_RFC4122 = "https://tools.ietf.org/html/rfc4122"
_SPACE = uuid.UUID("0d9f4e8a-53f1-5b43-8a0b-3a7c1d1f7f10")
FHIR_TYPE = "application/fhir+json; fhirVersion=4.0"


class Word(StrEnum):
    """What a provider may say of one line; from PLANNED on in the sandbox's JSON alone."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"
    QUERIED = "queried"
    DELIVERED = "delivered"
    CANCELLED = "cancelled"
    CANCEL_TOO_LATE = "cancel-too-late"
    CANCEL_PENDING = "cancel-pending"
    CANCEL_UNKNOWN = "cancel-unknown"
    ON_HOLD = "on-hold"
    HOLD_REFUSED = "hold-refused"
    RELEASED = "released"
    RELEASE_REFUSED = "release-refused"
    PLANNED = "planned"
    NOT_DELIVERED = "not-delivered"
    SHORT = "short"
    RETURNED = "returned"
    RENEWAL_WANTED = "renewal-wanted"


_VERDICTS = {
    Word.CANCELLED: (_HISTORY, "R-0001", "cancelled"),
    Word.CANCEL_PENDING: (_HISTORY, "R-0002", "active"),
    Word.CANCEL_TOO_LATE: (_HISTORY, "R-0004", "completed"),
    Word.CANCEL_UNKNOWN: (_HISTORY, "R-0008", "active"),
    Word.ON_HOLD: (_LINE_EVENT, "hold_confirmed", "on-hold"),
    Word.HOLD_REFUSED: (_LINE_EVENT, "hold_refused", "active"),
    Word.RELEASED: (_LINE_EVENT, "release_confirmed", "active"),
    Word.RELEASE_REFUSED: (_LINE_EVENT, "release_refused", "on-hold"),
}
"""What is said of a cancel, a hold or a release: system and code of the status history, and the line's status."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line as the provider read it; `replaces` is the line that it takes the place of, if any."""

    item: str
    names: tuple[str, ...]
    product: dict[str, Any]
    quantity: dict[str, Any]
    supplies: int
    nhs_number: str
    replaces: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A message as the provider read it; `wanted` is what an update asks for, and empty for an order."""

    id: str
    lines: tuple[Line, ...]
    wanted: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """One thing to say.

    Attributes:
        issue: the number of the supply, from one.
        amount: how much was handed over, where that is not a whole supply.
        day: the one that is planned.
    """

    provider: str
    message: Message
    line: Line
    word: Word
    at: datetime
    issue: int = 0
    reason: str = ""
    amount: Decimal | None = None
    day: date | None = None

    @property
    def id(self) -> str:
        """The provider's own id for this answer."""
        return str(uuid.uuid5(_SPACE, f"{self.provider} {self.message.id} {self.line.item} {self.word} {self.issue}"))


def read_message(octets: bytes) -> Message:
    """Read a prescription order, or an update of one, as a provider would, numbers as text.

    Raises:
        ValueError: it is neither.
        KeyError: something is missing in it; `StopIteration` likewise.
    """
    bundle = json.loads(octets, parse_float=str)
    resources = [entry["resource"] for entry in bundle["entry"]]
    patient = next(resource for resource in resources if resource["resourceType"] == "Patient")
    lines = tuple(_line(resource, patient) for resource in resources if resource["resourceType"] == "MedicationRequest")
    return Message(id=bundle["identifier"]["value"], lines=lines, wanted=_wanted(resources[0]))


def _wanted(header: dict[str, Any]) -> str:
    """Give what an update asks for: cancel, hold or release; empty for an order."""
    event = header.get("eventCoding", {}).get("code")
    return str(header["reason"]["coding"][0]["code"]) if event == "prescription-order-update" else ""


def _line(request: dict[str, Any], patient: dict[str, Any]) -> Line:
    item = next(identifier["value"] for identifier in request["identifier"] if identifier.get("system") == _ITEM)
    dispense = request["dispenseRequest"]
    return Line(
        item=item,
        replaces=request.get("priorPrescription", {}).get("identifier", {}).get("value", ""),
        names=(*(identifier["value"] for identifier in request["identifier"]), request["groupIdentifier"]["value"]),
        product=request["medicationCodeableConcept"],
        quantity=dispense["quantity"],
        supplies=int(dispense.get("numberOfRepeatsAllowed", 0)) + 1,
        nhs_number=patient["identifier"][0]["value"],
    )


def in_sandbox_json(statement: Statement) -> bytes:
    """Write a statement as the sandbox provider's own JSON."""
    said: dict[str, Any] = {
        "answer": statement.id,
        "message": statement.message.id,
        "item": statement.line.item,
        "status": statement.word.value,
        "at": statement.at.isoformat(),
    }
    if statement.reason:
        said["reason"] = statement.reason
    if statement.word in {Word.DELIVERED, Word.SHORT}:
        said["amount"] = str(statement.amount or statement.line.quantity["value"])
        said["unit"] = statement.line.quantity["unit"]
    if statement.day:
        said["day"] = statement.day.isoformat()
    return json.dumps(said).encode()


def in_fhir(statement: Statement) -> bytes:
    """Write a statement as a FHIR message: an order response, or a dispense notification for a supply."""
    body = _dispense(statement) if statement.word is Word.DELIVERED else _response(statement)
    return json.dumps(body).encode()


def refusal_in_fhir(reason: str) -> bytes:
    """Write why a message is not taken at all, as an OperationOutcome."""
    issue = {"severity": "error", "code": "invalid", "diagnostics": reason}
    return json.dumps({"resourceType": "OperationOutcome", "issue": [issue]}).encode()


def refusal_in_sandbox_json(reason: str) -> bytes:
    """Write why a message is not taken at all, in the sandbox's JSON."""
    return json.dumps({"refused": reason}).encode()


def _message(statement: Statement, event: str, code: str, entries: list[dict[str, Any]]) -> dict[str, Any]:
    header = {
        "resourceType": "MessageHeader",
        "eventCoding": {"system": "https://fhir.nhs.uk/CodeSystem/message-event", "code": event},
        "sender": {"identifier": {"system": _ODS, "value": statement.provider}},
        "source": {"endpoint": f"https://provider.example/{statement.provider}"},
        "response": {"identifier": statement.message.id, "code": code},
        "focus": [{"reference": entry["fullUrl"]} for entry in entries],
    }
    return {
        "resourceType": "Bundle",
        "identifier": {"system": _RFC4122, "value": statement.id},
        "type": "message",
        "timestamp": statement.at.isoformat(),
        "entry": [{"fullUrl": _url(statement, "header"), "resource": header}, *entries],
    }


def _response(statement: Statement) -> dict[str, Any]:
    if statement.word in _VERDICTS:
        entry = {"fullUrl": _url(statement, "request"), "resource": _verdict(statement)}
        return _message(statement, "prescription-order-response", "ok", [entry])
    code = "fatal-error" if statement.word is Word.REJECTED else "ok"
    state = {Word.ACCEPTED: "accepted", Word.REJECTED: "rejected", Word.QUERIED: "on-hold"}[statement.word]
    task: dict[str, Any] = {
        "resourceType": "Task",
        "status": state,
        "intent": "order",
        "focus": {"identifier": {"system": _ITEM, "value": statement.line.item}},
        "authoredOn": statement.at.isoformat(),
    }
    if statement.reason:
        task["statusReason"] = {"text": statement.reason}
    entry = {"fullUrl": _url(statement, "task"), "resource": task}
    return _message(statement, "prescription-order-response", code, [entry])


def _verdict(statement: Statement) -> dict[str, Any]:
    """Write a line with its status history, which is where the verdict on a cancel or a hold stands."""
    system, code, status = _VERDICTS[statement.word]
    said = {"url": "status", "valueCoding": {"system": system, "code": code}}
    return {
        "resourceType": "MedicationRequest",
        "extension": [{"url": _HISTORY_URL, "extension": [said]}],
        "identifier": [{"system": _ITEM, "value": statement.line.item}],
        "status": status,
        "intent": "order",
        "medicationCodeableConcept": statement.line.product,
    }


def _dispense(statement: Statement) -> dict[str, Any]:
    line = statement.line
    dispense = {
        "resourceType": "MedicationDispense",
        "contained": [
            {
                "resourceType": "MedicationRequest",
                "id": "m1",
                "identifier": [{"system": _ITEM, "value": line.item}],
                "status": "active",
                "intent": "order",
                "medicationCodeableConcept": line.product,
                "subject": {"identifier": {"system": "https://fhir.nhs.uk/Id/nhs-number", "value": line.nhs_number}},
            }
        ],
        "identifier": [
            {"system": "https://fhir.nhs.uk/Id/prescription-dispense-item-number", "value": statement.id},
        ],
        "status": "completed",
        "medicationCodeableConcept": line.product,
        "subject": {"identifier": {"system": "https://fhir.nhs.uk/Id/nhs-number", "value": line.nhs_number}},
        "authorizingPrescription": [{"reference": "#m1"}],
        "type": {
            "coding": [
                {
                    "system": "https://fhir.nhs.uk/CodeSystem/medicationdispense-type",
                    "code": "0001",
                    "display": "Item fully dispensed",
                }
            ]
        },
        "quantity": {**line.quantity, "value": float(line.quantity["value"])},
        "whenHandedOver": statement.at.isoformat(),
    }
    entry = {"fullUrl": _url(statement, "dispense"), "resource": dispense}
    return _message(statement, "dispense-notification", "ok", [entry])


def _url(statement: Statement, part: str) -> str:
    return f"urn:uuid:{uuid.uuid5(_SPACE, statement.id + part)}"
