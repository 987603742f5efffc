"""What is stored of a trust's own message, as an OperationOutcome: when it came, and how it was judged then.

A message that was refused has no line that a search could show; without this it would look like one that never came,
and whoever wonders whether to send it again could not tell. Like a Task it names no patient and no medicine.

Source: reliability-security.md I20; mapping.md 2.3 (the outcomes); FHIR R4 valueset-search-entry-mode (outcome).
"""

from collections.abc import Mapping
from datetime import UTC
from typing import Final

from gateway.domain.issue import Issue
from gateway.domain.submission import Action, Outcome
from gateway.ports.looking_up import OwnMessage, OwnOrder
from gateway.translate.to_acknowledgement.fhir import ISSUE_CODES
from gateway.wire.strict_json import JSON

WORDS: Final[Mapping[Outcome, str]] = {
    Outcome.TRANSLATED: "taken",
    Outcome.HELD: "taken, and held in whole or in part",
    Outcome.REFUSED: "refused; nothing of it was taken",
    Outcome.DUPLICATE: "known already; nothing was done twice",
    Outcome.TASK: "taken as a task for a person",
}
_NAMES: Final[Mapping[Action, str]] = {Action.NEW: "order", Action.REPLACE: "replacement"}
_ARCHIVED: Final = "It is in an archive; what became of its lines is the operator's to look up."


def told(message: OwnMessage) -> dict[str, JSON]:
    """Say what is stored of a message.

    Args:
        message: one that the caller sent itself.
    """
    at = message.received_at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    whole = len(message.orders) < 2 or message.outcome is Outcome.REFUSED  # noqa: PLR2004 - of several, each has its own
    became = f", and was {WORDS[message.outcome]}" if whole else ""
    texts = [f"Message {message.control_id} was received at {at}{became}."]
    if len(message.orders) > 1:
        texts += map(_order, message.orders)
    if message.archived:
        texts.append(_ARCHIVED)
    issues: list[JSON] = [{"severity": "information", "code": "informational", "diagnostics": text} for text in texts]
    return {"resourceType": "OperationOutcome", "issue": [*issues, *map(_issue, message.issues)]}


def _order(order: OwnOrder) -> str:
    numbers = f" of {', '.join(order.numbers)}" if order.numbers else ""
    what = _NAMES.get(order.action, order.action.value.replace("-", " "))
    return f"Its {what}{numbers} was {WORDS[order.outcome]}."


def _issue(issue: Issue) -> dict[str, JSON]:
    """Write one issue by its code and place: its text may name a medicine, and was in the answer to the message."""
    coding: JSON = {"system": ISSUE_CODES, "code": issue.code, "display": issue.row.advice}
    written: dict[str, JSON] = {
        "severity": issue.severity.value,
        "code": issue.row.fhir,
        "details": {"coding": [coding], "text": f"What it means and what to do: /issues/{issue.code}"},
    }
    if issue.location:
        written["diagnostics"] = f"at {issue.location}"
    return written
