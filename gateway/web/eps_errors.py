"""Answers in the words of the EPS dialect: an OperationOutcome of its errors, and the HTTP status that goes with them.

Source: eps.md 1.2 and 1.3.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus

from gateway.translate.to_acknowledgement.eps_codes import EpsError
from gateway.wire.strict_json import JSON


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One issue of an answer.

    Attributes:
        text: what the caller should know; never patient data.
        expression: FHIRPath of what is meant.
    """

    error: EpsError
    text: str = ""
    expression: str = ""


def http_status(errors: Sequence[EpsError]) -> HTTPStatus:
    """Give the status of an answer with these issues.

    Source:
        eps.md 1.2.
    """
    if all(error.issue == "informational" for error in errors):
        return HTTPStatus.OK
    if all(error.issue == "forbidden" for error in errors):
        return HTTPStatus.FORBIDDEN
    if any(error.severity == "fatal" and error.issue == "exception" for error in errors):
        return HTTPStatus.INTERNAL_SERVER_ERROR
    return HTTPStatus.BAD_REQUEST


def eps_outcome(said: Sequence[Said], at: datetime) -> dict[str, JSON]:
    """Write an OperationOutcome in the dialect's shape."""
    return {
        "resourceType": "OperationOutcome",
        "meta": {"lastUpdated": at.isoformat(timespec="seconds")},
        "issue": [_issue(one) for one in said],
    }


def _issue(said: Said) -> dict[str, JSON]:
    error = said.error
    issue: dict[str, JSON] = {"severity": error.severity, "code": error.issue}
    if error.code:
        coding: dict[str, JSON] = {"system": error.system, "code": error.code, "display": error.display}
        issue["details"] = {"coding": [coding]}
    if said.text:
        issue["diagnostics"] = said.text
    if said.expression:
        issue["expression"] = [said.expression]
    return issue
