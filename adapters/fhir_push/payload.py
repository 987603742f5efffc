"""Provider answers in the EPS dialect: `prescription-order-response` and `dispense-notification` messages, and Tasks.

An answer is read whole or not at all: a word, a shape or an amount that is not understood is an issue, and then nothing
moves. Three traps of the dialect are met here: the response code is not the verdict on a cancel; a notification
restates items nothing has happened to, with a quantity of nought; and one supply of an item may be written as several
`MedicationDispense` (two manufacturers), which are one report with their quantities added.

Source: mapping.md 9.3; eps.md 1.5, 1.8, 6.4.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Final
from uuid import UUID

from adapters.fhir_push import statuses
from adapters.fhir_push.agreement import disagreements, patient_of
from adapters.fhir_push.handing_back import read_task
from adapters.fhir_push.members import (
    LONGEST_TEXT,
    Resource,
    code_in,
    first_coding,
    list_in,
    object_in,
    objects_in,
    text_in,
)
from adapters.fhir_push.outcomes import issue_code
from adapters.fhir_push.progress import Unclear, issue_of, step_of
from gateway.destination import Unrecognised
from gateway.domain.acknowledgement import Acknowledgement, LineReport
from gateway.domain.calendar import is_possible
from gateway.domain.identifiers import parse_uuid
from gateway.domain.issue import Issue
from gateway.domain.lifecycle import LineEvent
from gateway.wire.strict_json import JSON, JsonError, loads


def read_answer(body: bytes, *, first_repeat: int | None = None) -> Acknowledgement | Unrecognised:
    """Read one answer message.

    Args:
        body: as received.
        first_repeat: the repeats issued that this provider states of a first supply; None where that is not agreed.

    Returns:
        The answer, or every reason why it is not one.
    """
    try:
        value = loads(body)
    except JsonError as error:
        return Unrecognised(issues=(Issue(code=error.code, location=error.location, text=error.text),))
    if isinstance(value, dict) and value.get("resourceType") == "Task":
        return read_task(value)
    reading = _Reading(value if isinstance(value, dict) else {}, first_repeat)
    answer = reading.answer()
    return Unrecognised(issues=tuple(reading.issues)) if reading.issues or answer is None else answer


def _history(request: Resource) -> Iterator[Resource]:
    """Give the status history codings of a MedicationRequest, whatever the extension around them is called."""
    for extension in list_in(request, "extension"):
        for part in list_in(extension, "extension") if isinstance(extension, dict) else []:
            coding = object_in(part, "valueCoding") if isinstance(part, dict) else {}
            if coding.get("system") in {statuses.STATUS_HISTORY, statuses.LINE_EVENT}:
                yield coding


def _non_dispensing(dispense: Resource) -> Resource:
    """Give the reason of Extension-DM-PrescriptionNonDispensingReason, which older senders write."""
    for extension in list_in(dispense, "extension"):
        if isinstance(extension, dict) and extension.get("url") == statuses.NON_DISPENSING_URL:
            return object_in(extension, "valueCoding")
    return {}


def _verdict(coding: Resource, code: str) -> LineEvent | None:
    """Give what a status history says: of a cancel in the words of EPS, of a hold or a release in ours."""
    words = statuses.HOLDS if coding.get("system") == statuses.LINE_EVENT else statuses.CANCELS
    return words.get(code)


def _stated(request: Resource) -> LineEvent | None:
    """Give what the status of a line says where nothing else does; active may be an acceptance and no more."""
    return statuses.STATED.get(code_in(request, "status"))


_BYSTANDERS: Final = frozenset(
    {"MessageHeader", "OperationOutcome", "Patient", "Practitioner", "PractitionerRole", "Organization", "Provenance"}
)
"""Resources that may stand beside what an answer says, and say nothing of a line themselves."""
_SPEAKERS: Final[dict[str, frozenset[str]]] = {
    "prescription-order-response": frozenset({"Task", "MedicationRequest", "CommunicationRequest"}),
    "dispense-notification": frozenset({"MedicationDispense"}),
}
_GOOD_NEWS: Final = frozenset({LineEvent.ARRIVED, LineEvent.ACCEPTED, LineEvent.VALIDATED})


class _Reading:
    """One message being read; what is wrong gathers in `issues`."""

    def __init__(self, bundle: Resource, first_repeat: int | None) -> None:
        self._bundle = bundle
        self._first_repeat = first_repeat
        self.issues: list[Issue] = []

    def answer(self) -> Acknowledgement | None:
        header = self._header()
        if header is None:
            return None
        events: dict[str, Callable[[Resource], tuple[LineReport, ...]]] = {
            "prescription-order-response": self._response,
            "dispense-notification": self._dispenses,
        }
        event = code_in(object_in(header, "eventCoding"), "code")
        if event not in events:
            place = "entry[0].resource.eventCoding"
            self._report("MESSAGE_TYPE_UNSUPPORTED", place, "Send an order response or a dispense notification.")
            return None
        self._check_kinds(_SPEAKERS[event])
        return Acknowledgement(
            id=self._id(),
            correlation=parse_uuid(text_in(object_in(header, "response"), "identifier")),
            reports=events[event](header),
            at=self._at(),
            replaces=self._replaces(header),
            nhs_number=patient_of(list(self._resources("MedicationDispense"))),
        )

    def _report(self, code: str, place: str, text: str) -> None:
        self.issues.append(Issue(code=code, location=f"Bundle.{place}" if place else "Bundle", text=text))

    def _header(self) -> Resource | None:
        if self._bundle.get("resourceType") != "Bundle" or self._bundle.get("type") != "message":
            self._report("STRUCTURE_INVALID", "", "Send a FHIR Bundle of type message.")
            return None
        first = next(iter(list_in(self._bundle, "entry")), None)
        header = object_in(first, "resource") if isinstance(first, dict) else {}
        if header.get("resourceType") != "MessageHeader":
            self._report("STRUCTURE_INVALID", "entry[0].resource", "The first entry must be the MessageHeader.")
            return None
        if parse_uuid(text_in(object_in(header, "response"), "identifier")) is None:
            place = "entry[0].resource.response.identifier"
            self._report("FIELD_MISSING", place, "Name the message that is answered.")
        return header

    def _all(self) -> Iterator[tuple[str, Resource]]:
        """Give every resource with its place."""
        for index, entry in enumerate(list_in(self._bundle, "entry")):
            yield f"entry[{index}].resource", object_in(entry, "resource") if isinstance(entry, dict) else {}

    def _resources(self, kind: str) -> Iterator[tuple[str, Resource]]:
        """Give every resource of a type with its place."""
        return ((place, resource) for place, resource in self._all() if resource.get("resourceType") == kind)

    def _check_kinds(self, speakers: frozenset[str]) -> None:
        """Note every resource that could change what the answer means and is not read here."""
        for place, resource in self._all():
            if text_in(resource, "resourceType") not in speakers | _BYSTANDERS:
                self._report("FIELD_NOT_UNDERSTOOD", place, "This resource is not read in an answer of this kind.")
            if "modifierExtension" in resource or "implicitRules" in resource:
                self._report("EXTENSION_NOT_UNDERSTOOD", place, "A modifier is not understood here.")

    def _id(self) -> str:
        identity = text_in(object_in(self._bundle, "identifier"), "value")
        if not identity:
            self._report("FIELD_MISSING", "identifier.value", "Give every answer an identifier of its own.")
        return identity

    def _at(self) -> datetime | None:
        try:
            at = datetime.fromisoformat(text_in(self._bundle, "timestamp"))
        except ValueError:
            return None
        return at if at.tzinfo and is_possible(at) else None

    def _line(self, identifiers: list[JSON], place: str) -> UUID | None:
        """Find the item number among identifiers."""
        values = {
            text_in(identifier, "value")
            for identifier in identifiers
            if isinstance(identifier, dict) and identifier.get("system") == statuses.ITEM_NUMBER
        }
        line = parse_uuid(next(iter(values))) if len(values) == 1 else None
        if line is None:
            self._report("FIELD_MISSING", place, "Name one item by its prescription-order-item-number.")
        return line

    def _response(self, header: Resource) -> tuple[LineReport, ...]:
        tasks = tuple(self._tasks())
        requests = tuple(self._requests(plain=not tasks))
        reports = (*requests, *tasks) or tuple(self._questions())
        place = "entry[0].resource.response.code"
        code = code_in(object_in(header, "response"), "code")
        event = statuses.RESPONSES.get(code)
        if event is None:
            self._report("VALUE_INVALID", place, "Send ok, transient-error or fatal-error.")
        if event is not LineEvent.ACCEPTED and any(report.event in _GOOD_NEWS for report in reports):
            self._report("STRUCTURE_INVALID", place, "The code and the lines contradict each other.")
        if reports or event is None:
            return reports
        reason_code, reason = self._outcome()
        return (LineReport(line_id=None, event=event, reason_code=reason_code, reason=reason),)

    def _outcome(self) -> tuple[str, str]:
        """Give the first error of an OperationOutcome in the message: its code and its words."""
        for _, outcome in self._resources("OperationOutcome"):
            for issue in list_in(outcome, "issue"):
                if isinstance(issue, dict) and issue.get("severity") in {"fatal", "error"}:
                    details = object_in(issue, "details")
                    words = text_in(issue, "diagnostics") or text_in(details, "text")
                    return issue_code(issue), words or text_in(first_coding(issue, "details"), "display")
        return "", ""

    def _requests(self, *, plain: bool) -> Iterator[LineReport]:
        """Read each MedicationRequest: the verdict in its status history or, if `plain`, an acceptance of the line.

        Beside Tasks a request without a history only says which line is meant; the Task says what became of it.
        """
        for place, request in self._resources("MedicationRequest"):
            coding = next(_history(request), None)
            if coding is None and not plain:
                continue
            code = "" if coding is None else code_in(coding, "code")
            event = _verdict(coding, code) if coding is not None else _stated(request)
            if event is None:
                self._report("VALUE_INVALID", place, "The status of this MedicationRequest is not known here.")
                continue
            line = self._line(list_in(request, "identifier"), f"{place}.identifier")
            yield LineReport(line_id=line, event=event, reason_code=code, reason=text_in(coding or {}, "display"))

    def _tasks(self) -> Iterator[LineReport]:
        for place, task in self._resources("Task"):
            step = step_of(task)
            if isinstance(step, Unclear):
                self._report("VALUE_INVALID", f"{place}.{step.place}", step.text)
                continue
            event = step.event if step else statuses.TASKS.get(code_in(task, "status"))
            if event is None:
                self._report("VALUE_INVALID", f"{place}.status", "This Task status is not known here.")
                continue
            focus = object_in(object_in(task, "focus"), "identifier")
            line = self._line([focus], f"{place}.focus.identifier") if focus else None
            reason = first_coding(task, "statusReason")
            words = text_in(object_in(task, "statusReason"), "text") or text_in(reason, "display")
            report = LineReport(line_id=line, event=event, reason_code=code_in(reason, "code"), reason=words)
            yield replace(report, issue=step.issue, supplied_at=step.day) if step else report

    def _questions(self) -> Iterator[LineReport]:
        """Read a question to the prescriber, which is no acceptance although the response code says ok."""
        for _, question in self._resources("CommunicationRequest"):
            payloads = [payload for payload in list_in(question, "payload") if isinstance(payload, dict)]
            words = " ".join(text_in(payload, "contentString") for payload in payloads)[:LONGEST_TEXT]
            yield LineReport(line_id=None, event=LineEvent.QUERIED, reason=words)

    def _replaces(self, header: Resource) -> str:
        """Give the identifier of the notification that this one amends; "" where it amends none."""
        named = [one for one in objects_in(header, "extension") if one.get("url") in statuses.REPLACEMENT_URLS]
        values = {text_in(object_in(one, "valueIdentifier"), "value") for one in named}
        if not named:
            return ""
        place = "entry[0].resource.extension"
        if len(values) != 1 or values == {""}:
            self._report("FIELD_MISSING", place, "Name the one notification that is amended by its identifier.")
        if code_in(object_in(header, "eventCoding"), "code") != "dispense-notification":
            self._report("ACTION_UNSUPPORTED", place, "Only a dispense notification may be amended.")
        return next(iter(values))

    def _dispenses(self, _: Resource) -> tuple[LineReport, ...]:
        items = list(self._resources("MedicationDispense"))
        for place, text in disagreements(items):
            self._report("STRUCTURE_INVALID", place, text)
        found = [(place, self._dispense(place, dispense)) for place, dispense in items]
        if not found:
            self._report("SEGMENT_MISSING", "entry", "Send a MedicationDispense for every item.")
        return self._joined([(place, report) for place, report in found if report is not None])

    def _dispense(self, place: str, dispense: Resource) -> LineReport | None:
        """Read one dispense; None where it only restates an item."""
        line = self._dispensed_line(place, dispense)
        quantity = object_in(dispense, "quantity")
        amount = quantity.get("value")
        if not isinstance(amount, int | Decimal | None) or isinstance(amount, bool) or (amount or 0) < 0:
            self._report("VALUE_INVALID", f"{place}.quantity.value", "Send the quantity handed over.")
            return None
        self._check_business_status(place, dispense)
        kind = first_coding(dispense, "type", statuses.DISPENSE_TYPE)
        event = self._event(place, dispense, code_in(kind, "code"))
        if event is None or (event is LineEvent.DELIVERED and amount == 0):
            return None
        reason = first_coding(dispense, "statusReasonCodeableConcept") or _non_dispensing(dispense)
        if event is LineEvent.DELIVERED and reason:
            self._report("STRUCTURE_INVALID", place, "A dispense says why it was not made and that it was.")
        if (
            reason.get("system") == statuses.NON_DISPENSING_REASON
            and code_in(reason, "code") not in statuses.NOT_DISPENSED
        ):
            self._report("VALUE_INVALID", place, "This reason for not dispensing is not known here.")
        if event is LineEvent.NOT_SUPPLIED and not reason:
            reason = kind
        issue = issue_of(dispense, self._first_repeat)
        if isinstance(issue, Unclear):
            self._report("VALUE_INVALID", f"{place}.{issue.place}", issue.text)
            return None
        return LineReport(
            line_id=line,
            event=event,
            reason_code=code_in(reason, "code"),
            reason=text_in(reason, "display"),
            amount=None if amount is None else Decimal(amount),
            unit=text_in(quantity, "unit"),
            issue=issue,
            in_full=event is LineEvent.DELIVERED,  # of type 0001: the item is fully dispensed
        )

    def _check_business_status(self, place: str, dispense: Resource) -> None:
        """Refuse a status of the prescription that is not in the table: it may mean what nobody here knows."""
        for extension in objects_in(dispense, "extension"):
            stated = code_in(object_in(extension, "valueCoding"), "code")
            if extension.get("url") == statuses.BUSINESS_STATUS_URL and stated not in statuses.BUSINESS_STATUSES:
                self._report(
                    "VALUE_INVALID", f"{place}.extension", "This status of the prescription is not known here."
                )

    def _dispensed_line(self, place: str, dispense: Resource) -> UUID | None:
        """Find the item a dispense is for: the contained request it names, or that request by its identifier."""
        prescriptions = [item for item in list_in(dispense, "authorizingPrescription") if isinstance(item, dict)]
        contained = {
            f"#{text_in(resource, 'id')}": resource
            for resource in list_in(dispense, "contained")
            if isinstance(resource, dict) and resource.get("resourceType") == "MedicationRequest"
        }
        identifiers: list[JSON] = []
        for reference in prescriptions:
            identifiers.append(reference.get("identifier"))
            identifiers += list_in(contained.get(text_in(reference, "reference"), {}), "identifier")
        return self._line(identifiers, f"{place}.authorizingPrescription")

    def _event(self, place: str, dispense: Resource, kind: str) -> LineEvent | None:
        status = code_in(dispense, "status")
        if status == "entered-in-error":
            return LineEvent.SUPPLY_WITHDRAWN
        if kind == statuses.FULLY:
            return self._progress(place, dispense, status)
        if kind not in statuses.DISPENSES:
            self._report("VALUE_INVALID", f"{place}.type", "This type of dispense is not known here.")
            return None
        return statuses.DISPENSES[kind]

    def _progress(self, place: str, dispense: Resource, status: str) -> LineEvent | None:
        if status in statuses.HANDED_OVER and text_in(dispense, "whenHandedOver"):
            return LineEvent.DELIVERED
        event = LineEvent.DISPENSED if status == "completed" else statuses.PROGRESS.get(status)
        if event is None:
            self._report("VALUE_INVALID", f"{place}.status", "This dispense status is not known here.")
        return event

    def _joined(self, found: list[tuple[str, LineReport]]) -> tuple[LineReport, ...]:
        """Make one report of several dispenses of one item, which are one supply."""
        joined: dict[UUID | None, LineReport] = {}
        for place, report in found:
            earlier = joined.get(report.line_id)
            if earlier is None:
                joined[report.line_id] = report
            elif _are_one(earlier, report):
                amounts = (earlier.amount or Decimal(0)) + (report.amount or Decimal(0))
                joined[report.line_id] = replace(earlier, amount=amounts)
            else:
                self._report("DOSE_CONFLICT", place, "Two dispenses of one item differ in kind, unit or number.")
        return tuple(joined.values())


def _are_one(one: LineReport, other: LineReport) -> bool:
    """Tell whether two dispenses of one item are parts of one supply."""
    same = (one.event, one.unit, one.issue) == (other.event, other.unit, other.issue)
    return same and None not in {one.amount, other.amount}
