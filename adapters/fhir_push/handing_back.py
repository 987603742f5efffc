"""The Tasks a provider posts by themselves: the two of the EPS dialect, and the wish for a renewal.

==========  ===========================  ====================================  =========================
Task is     `status`, `code`             `focus.identifier`                    says
==========  ===========================  ====================================  =========================
a return    rejected, none or fulfill    the message that is given back        every line of it returned
withdrawal  in-progress, abort           the notification that is undone       its deliveries withdrawn
renewal     requested, renewal_requested the message that runs out             a renewal of its lines wanted
==========  ===========================  ====================================  =========================

EPS has no renewal: its code is of our own system, and its reason, if it gives one, is in words.

Source: eps.md 1.7, 5.6, 6.6; mapping.md 9.3, 10.5.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from adapters.fhir_push import statuses
from adapters.fhir_push.agreement import nhs_number
from adapters.fhir_push.members import LONGEST_TEXT, Resource, code_in, first_coding, object_in, objects_in, text_in
from gateway.destination import Unrecognised
from gateway.domain.acknowledgement import Acknowledgement, LineReport
from gateway.domain.calendar import is_possible
from gateway.domain.identifiers import parse_uuid
from gateway.domain.issue import Issue
from gateway.domain.lifecycle import LineEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kind:
    event: LineEvent
    codes: frozenset[str]
    reason_system: str
    reasons: dict[str, str]
    code_system: str = statuses.TASK_CODE


_KINDS: Final[dict[str, _Kind]] = {
    "rejected": _Kind(
        event=LineEvent.RETURNED,
        codes=frozenset({"", "fulfill"}),
        reason_system=statuses.RETURN_REASON,
        reasons=statuses.RETURNS,
    ),
    "in-progress": _Kind(
        event=LineEvent.SUPPLY_WITHDRAWN,
        codes=frozenset({"abort"}),
        reason_system=statuses.WITHDRAW_REASON,
        reasons=statuses.WITHDRAWALS,
    ),
    "requested": _Kind(
        event=LineEvent.RENEWAL_REQUESTED,
        codes=frozenset({"renewal_requested"}),
        reason_system="",
        reasons={},
        code_system=statuses.LINE_EVENT,
    ),
}


_STATUSES: Final = "Send rejected to return, in-progress to withdraw, requested for a renewal."


def read_task(task: Resource) -> Acknowledgement | Unrecognised:
    """Read a Task that was posted by itself.

    Returns:
        The answer, or every reason why it is not one.
    """
    issues = [*_shape(task), *_requester(task)]
    kind = _KINDS.get(code_in(task, "status"))
    if kind is None:
        return Unrecognised(issues=(*issues, _invalid("status", _STATUSES)))
    issues += _coded(task, kind)
    focus = parse_uuid(text_in(object_in(object_in(task, "focus"), "identifier"), "value"))
    if focus is None:
        issues.append(_missing("focus.identifier.value", "Name what is handed back by its UUID."))
    identity = next((text_in(one, "value") for one in objects_in(task, "identifier")), "")
    if not identity:
        issues.append(_missing("identifier.value", "Give every Task an identifier of its own."))
    if issues or focus is None:
        return Unrecognised(issues=tuple(issues))
    withdraws = kind.event is LineEvent.SUPPLY_WITHDRAWN
    reason = code_in(first_coding(task, "statusReason", kind.reason_system), "code") if kind.reasons else ""
    words = kind.reasons[reason] if kind.reasons else text_in(object_in(task, "statusReason"), "text")[:LONGEST_TEXT]
    return Acknowledgement(
        id=identity,
        correlation=None if withdraws else focus,
        reports=(LineReport(line_id=None, event=kind.event, reason_code=reason, reason=words),),
        at=_at(task),
        replaces=text_in(object_in(object_in(task, "focus"), "identifier"), "value") if withdraws else "",
        prescription_number=text_in(object_in(task, "groupIdentifier"), "value"),
        nhs_number=nhs_number(object_in(task, "for")),
    )


def _shape(task: Resource) -> list[Issue]:
    issues = []
    if "modifierExtension" in task or "implicitRules" in task:
        issues.append(
            Issue(code="EXTENSION_NOT_UNDERSTOOD", location="Task", text="A modifier is not understood here.")
        )
    if code_in(task, "intent") != "order":
        issues.append(_invalid("intent", "Send the intent order."))
    group = object_in(task, "groupIdentifier")
    if group.get("system") != statuses.ORDER_NUMBER or not text_in(group, "value"):
        issues.append(_missing("groupIdentifier", "Name the prescription by its prescription-order-number."))
    return issues


def _requester(task: Resource) -> list[Issue]:
    """Check that the person who hands back is contained, and named by identifier."""
    contained = {f"#{text_in(one, 'id')}": one for one in objects_in(task, "contained")}
    role = contained.get(text_in(object_in(task, "requester"), "reference"))
    if role is None or role.get("resourceType") != "PractitionerRole":
        return [_invalid("requester", "Refer to a contained PractitionerRole.")]
    if "reference" in object_in(role, "practitioner"):
        return [_invalid("contained.practitioner", "Name the practitioner by identifier and display.")]
    return []


def _coded(task: Resource, kind: _Kind) -> list[Issue]:
    issues = []
    codings = objects_in(object_in(task, "code"), "coding")
    code = code_in(first_coding(task, "code", kind.code_system), "code")
    if code not in kind.codes or (codings and not code):
        text = "Send fulfill or no code to return, abort to withdraw, our renewal_requested for a renewal."
        issues.append(_invalid("code", text))
    if kind.reasons and code_in(first_coding(task, "statusReason", kind.reason_system), "code") not in kind.reasons:
        issues.append(_invalid("statusReason", f"Send a reason of {kind.reason_system}."))
    return issues


def _at(task: Resource) -> datetime | None:
    try:
        at = datetime.fromisoformat(text_in(task, "authoredOn"))
    except ValueError:
        return None
    return at if at.tzinfo and is_possible(at) else None


def _invalid(place: str, text: str) -> Issue:
    return Issue(code="VALUE_INVALID", location=f"Task.{place}", text=text)


def _missing(place: str, text: str) -> Issue:
    return Issue(code="FIELD_MISSING", location=f"Task.{place}", text=text)
