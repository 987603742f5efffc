"""Rules of what is no message: Task (return, withdraw), the Parameters of `$release`, Claim. eps.md 5.6."""

from collections.abc import Iterator
from typing import Any

from gateway.validate.fhir.eps.message import Json, codes, wrong
from gateway.validate.fhir.eps.notification import contained_role
from gateway.validate.fhir.finding import Finding
from gateway.validate.fhir.narrow import found_at

_REASONS = {
    "in-progress": "https://fhir.nhs.uk/CodeSystem/EPS-task-dispense-withdraw-reason",
    "rejected": "https://fhir.nhs.uk/CodeSystem/EPS-task-dispense-return-status-reason",
}
_TASK_CODE = "http://hl7.org/fhir/CodeSystem/task-code"
_AUTHORITIES = {"T1450", "RQFZ1"}
_ENDORSEMENTS = "https://fhir.nhs.uk/CodeSystem/medicationdispense-endorsement"


def task(resource: Json) -> Iterator[Finding]:
    """Check a return or a withdrawal; what its status is told it from any other Task."""
    if resource.get("intent") != "order":
        yield wrong("5.6 intent", "value", "Task.intent", "must be order")
    status = str(resource.get("status"))
    if not codes(resource.get("statusReason"), _REASONS[status]):
        text = f"expected a coding of {_REASONS[status]}"
        yield wrong("5.6 reason", "value", "Task.statusReason", text)
    if status == "in-progress" and codes(resource.get("code"), _TASK_CODE) != ["abort"]:
        yield wrong("5.6 code", "value", "Task.code", "a withdrawal has the code abort")
    yield from _requester(resource)


def _requester(resource: Json) -> Iterator[Finding]:
    reference = next(iter(found_at(resource, ("requester", "reference"))), None)
    if not isinstance(reference, str) or not reference.startswith("#"):
        yield wrong("5.6 requester", "invalid", "Task.requester", "must be a contained reference (INVALID_VALUE)")
        return
    for index, role in enumerate(found_at(resource, ("contained",))):
        if isinstance(role, dict) and f"#{role.get('id')}" == reference:
            yield from contained_role("5.6", f"Task.contained[{index}]", role)


def release(resource: Json) -> Iterator[Finding]:
    """Check the request of `Task/$release`."""
    named: dict[Any, Any] = {
        one.get("name"): one.get("resource") for one in found_at(resource, ("parameter",)) if isinstance(one, dict)
    }
    if "owner" not in named:
        yield wrong("5.6 owner", "invalid", "Parameters.parameter", "required parameter owner is missing")
    agent = named.get("agent")
    if found_at(agent, ("practitioner", "reference")):
        text = "must be an Identifier and a Display, not a reference"
        yield wrong("5.6 practitioner", "invalid", 'Parameters.parameter("agent").resource.practitioner', text)
    if not found_at(agent, ("telecom",)):
        text = "required field telecom is missing"
        yield wrong("5.6 telecom", "invalid", 'Parameters.parameter("agent").resource.telecom', text)


def is_release(resource: Json) -> bool:
    """Tell the request of `Task/$release` from other Parameters: it alone names an agent or a group."""
    names = set(map(str, found_at(resource, ("parameter", "name"))))
    return bool(names & {"agent", "group-identifier"}) or names == {"owner", "status"}


def claim(resource: Json) -> Iterator[Finding]:
    """Check a claim, which homecare has no use for but may be asked about."""
    insurances = found_at(resource, ("insurance",))
    if len(insurances) != 1:
        text = f"expected 1 item in Claim.insurance, found {len(insurances)}"
        yield wrong("5.6 insurance", "invalid", "Claim.insurance", text)
    elif not _AUTHORITIES & set(map(str, found_at(insurances, ("coverage", "identifier", "value")))) and not (
        _AUTHORITIES & set(map(str, found_at(insurances[0], ("coverage", "identifier", "value"))))
    ):
        text = "must be T1450 or RQFZ1"
        yield wrong("5.6 coverage", "value", "Claim.insurance[0].coverage.identifier.value", text)
    for index, role in enumerate(found_at(resource, ("contained",))):
        if isinstance(role, dict) and found_at(role, ("practitioner", "reference")):
            text = "must be an Identifier and a Display, not a reference"
            yield wrong("5.6 practitioner", "invalid", f"Claim.contained[{index}].practitioner", text)
    programmes = found_at(resource, ("item", "detail", "programCode"))
    if not any(codes(one, _ENDORSEMENTS) for one in programmes):
        yield wrong("5.6 endorsement", "invalid", "Claim.item.detail.programCode", "no endorsement code was found")
