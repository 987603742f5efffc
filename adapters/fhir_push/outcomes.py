"""What an OperationOutcome says that came in place of an answer: codes that refuse, and the verdict on a cancel.

Most verdicts on a cancel come in an order response, which names its line. A few come as a bare OperationOutcome, which
names neither line nor message: they are read only where it is the response to the cancel itself, and none of them
confirms it.

Source: eps.md 1.3, 1.5; mapping.md 9.3.
"""

from collections.abc import Iterator
from typing import Final
from uuid import UUID

from adapters.fhir_push import statuses
from adapters.fhir_push.members import Resource, code_in, list_in, object_in, objects_in, text_in
from gateway.domain.acknowledgement import Acknowledgement, LineReport
from gateway.wire.strict_json import JSON, JsonError, loads

_ERRORS: Final = frozenset({"fatal", "error"})
_CANCEL: Final = "prescription-order-update"


def refusal_codes(body: bytes) -> tuple[str, ...] | None:
    """Give the codes of an OperationOutcome's errors, its own coded details first; None if it is not one.

    Only codes: the words may hold anything.
    """
    outcome = _resource(body)
    if outcome.get("resourceType") != "OperationOutcome":
        return None
    return tuple(map(issue_code, _errors(outcome)))


def issue_code(issue: Resource) -> str:
    """Give the code of one issue: of its details, or else its type."""
    detail = next(iter(objects_in(object_in(issue, "details"), "coding")), {})
    return code_in(detail, "code") or code_in(issue, "code") or "unknown"


def cancel_verdict(body: bytes, octets: bytes, message: UUID) -> Acknowledgement | None:
    """Read an OperationOutcome as the verdict on the cancel it is the response to.

    Args:
        body: the response.
        octets: what was sent.
        message: its id.

    Returns:
        What it says of every line of the cancel; None where something other than a cancel was sent, and where the
        outcome holds no verdict or two different ones.
    """
    verdicts = {code_in(coding, "code"): coding for coding in _verdicts(_resource(body))}
    if len(verdicts) != 1 or not _is_cancel(_resource(octets)):
        return None
    code, coding = verdicts.popitem()
    report = LineReport(
        line_id=None,
        event=statuses.OUTCOMES[text_in(coding, "system"), code],
        reason_code=code,
        reason=text_in(coding, "display"),
    )
    # It has no id of its own. The same verdict on the same message, given again, is one answer.
    return Acknowledgement(id=f"{message}:{code}", correlation=message, reports=(report,))


def _verdicts(outcome: Resource) -> Iterator[Resource]:
    for issue in _errors(outcome):
        for coding in objects_in(object_in(issue, "details"), "coding"):
            if (text_in(coding, "system"), code_in(coding, "code")) in statuses.OUTCOMES:
                yield coding


def _errors(outcome: Resource) -> list[Resource]:
    return [issue for issue in objects_in(outcome, "issue") if issue.get("severity") in _ERRORS]


def _is_cancel(message: Resource) -> bool:
    first: JSON = next(iter(list_in(message, "entry")), None)
    header = object_in(first, "resource") if isinstance(first, dict) else {}
    return code_in(object_in(header, "eventCoding"), "code") == _CANCEL


def _resource(body: bytes) -> Resource:
    try:
        value = loads(body)
    except JsonError:
        return {}
    return value if isinstance(value, dict) else {}
