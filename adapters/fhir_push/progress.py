"""How far a delivery is, as a Task says it: the prescription tracker's words, and ours for what it has no word for.

=========================================  =======================================================================
member                                     read as
=========================================  =======================================================================
`status`, `businessStatus`                 the step: see `statuses.TRACKED` and `gateway.domain.delivery.STEPS`
`restriction.period.start`                 the day agreed with the patient, of what is planned or postponed
`statusReason`                             why it failed or will not come; how the patient asked to postpone
`input`, type `issue` of our code system   which of the supplies it was sent, from 1 (`valuePositiveInt`)
=========================================  =======================================================================

A MedicationDispense may number its supply by the repeats issued; where that count begins differs between senders, so it
is read only as it was agreed with the provider.

Source: mapping.md 9.3 (MedicationDispense / Task), 9.4, 10.4; eps.md 1.11.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from adapters.fhir_push import statuses
from adapters.fhir_push.members import Resource, code_in, object_in, objects_in, text_in
from gateway.domain.calendar import is_possible
from gateway.domain.delivery import STEPS
from gateway.domain.lifecycle import LineEvent
from gateway.wire.strict_json import JSON

_PLANS: Final = frozenset({LineEvent.SUPPLY_PLANNED, LineEvent.POSTPONED})
_UNDER_WAY: Final = frozenset({"in-progress", "completed"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step of one delivery.

    Attributes:
        day: agreed with the patient.
        issue: which of the supplies, where it is numbered.
    """

    event: LineEvent
    day: datetime | None = None
    issue: int | None = None


@dataclass(frozen=True, slots=True)
class Unclear:
    """A member that is not understood, and what to send in its place."""

    place: str
    text: str


def step_of(task: Resource) -> Step | Unclear | None:
    """Read how far a delivery is.

    Returns:
        None where the Task states no step: its status alone then says what it says.
    """
    codings = objects_in(object_in(task, "businessStatus"), "coding")
    told = [one for one in codings if one.get("system") != statuses.BUSINESS_STATUS]
    if not told:
        return _restated(codings)
    event = _event(code_in(task, "status"), told[0]) if len(told) == 1 else None
    if event is None:
        return Unclear("businessStatus", "This step, with this status of the Task, is not known here.")
    if event is LineEvent.POSTPONED and not _reason(task):
        return Unclear("statusReason", "Say how the patient asked for a later day.")
    issue, day = _issue(task), _day(task) if event in _PLANS else None
    if isinstance(issue, Unclear):
        return issue
    return day if isinstance(day, Unclear) else Step(event=event, issue=issue, day=day)


def issue_of(dispense: Resource, first: int | None) -> int | Unclear | None:
    """Give which supply a MedicationDispense is of, by the repeats issued.

    Args:
        dispense: the resource, with the request it contains.
        first: what this provider states as the repeats issued in its report of the first supply; None if not agreed.
    """
    stated = {_issued(one) for one in _repeat_information(dispense)} - {None}
    if first is None or not stated:
        return None
    issue = next((number - first + 1 for number in stated if isinstance(number, int)), 0)
    if len(stated) == 1 and issue > 0:
        return issue
    return Unclear("extension:repeatInformation", "State one number of repeats issued, counted as agreed.")


def _repeat_information(dispense: Resource) -> list[Resource]:
    contained = [one for one in objects_in(dispense, "contained") if one.get("resourceType") == "MedicationRequest"]
    holders = [dispense, *(based for one in contained for based in objects_in(one, "basedOn"))]
    return [
        one for holder in holders for one in objects_in(holder, "extension") if one.get("url") == statuses.REPEATS_URL
    ]


def _issued(extension: Resource) -> JSON:
    """Give the number of repeats issued, which senders write as either kind of whole number."""
    found = [one for one in objects_in(extension, "extension") if one.get("url") == "numberOfRepeatsIssued"]
    number = next((one.get("valueInteger", one.get("valueUnsignedInt")) for one in found), None)
    return number if not found or (isinstance(number, int) and not isinstance(number, bool)) else ""


def _restated(codings: list[Resource]) -> Unclear | None:
    """Pass over the status of the whole prescription, which the Task's own status decides, if it is a known one."""
    known = all(code_in(one, "code") in statuses.BUSINESS_STATUSES for one in codings)
    return None if known else Unclear("businessStatus", "This status of the prescription is not known here.")


def _event(status: str, coding: Resource) -> LineEvent | None:
    if coding.get("system") == statuses.LINE_EVENT and status in _UNDER_WAY:
        return STEPS.get(code_in(coding, "code"))
    if coding.get("system") == statuses.TRACKING:
        return statuses.TRACKED.get((status, text_in(coding, "code")))
    return None


def _reason(task: Resource) -> str:
    reason = object_in(task, "statusReason")
    return text_in(reason, "text") or next((text_in(one, "display") for one in objects_in(reason, "coding")), "")


def _day(task: Resource) -> datetime | Unclear | None:
    stated = text_in(object_in(object_in(task, "restriction"), "period"), "start")
    if not stated:
        return None
    try:
        at = datetime.fromisoformat(stated)
    except ValueError:
        at = None
    fits = at is not None and at.tzinfo and is_possible(at)
    return at if fits else Unclear("restriction.period.start", "Send a real date and time with its zone.")


def _issue(task: Resource) -> int | Unclear | None:
    found = [
        one.get("valuePositiveInt")
        for one in objects_in(task, "input")
        if any(
            (coding.get("system"), coding.get("code")) == (statuses.LINE_EVENT, "issue")
            for coding in objects_in(object_in(one, "type"), "coding")
        )
    ]
    if not found:
        return None
    number = found[0]
    if len(found) == 1 and isinstance(number, int) and not isinstance(number, bool) and number > 0:
        return number
    return Unclear("input", "Number one supply, from 1, as valuePositiveInt.")
