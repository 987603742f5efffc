"""Where the button of a row leads: the page of its next step, if this person may take it, else what says who can.

Source: console.md 6.1.
"""

from dataclasses import dataclass
from typing import Final

from gateway.access.policy import Action
from gateway.console.site import Looker
from gateway.domain.work_item import REASONS, Reason, Step
from gateway.ports.attention import WorkItem
from gateway.ports.late import Awaits

_PRESCRIPTION: Final = "/console/prescriptions/{id}"
_PAGES: Final[dict[Step, tuple[str, Action]]] = {
    Step.CALL: ("/console/work/{alert}/call", Action.WORK),
    Step.STATEMENT: (f"{_PRESCRIPTION}/resolve", Action.RESOLVE),
    Step.SEE_REASON: (_PRESCRIPTION, Action.READ_CONSOLE),
    Step.ATTEMPTS: (_PRESCRIPTION, Action.READ_CONSOLE),
    Step.WHAT_IS_WRONG: (_PRESCRIPTION, Action.READ_CONSOLE),
    Step.RESOLVE_CODE: ("/console/held-codes", Action.PROPOSE_CODE),
    Step.ANSWER: (f"{_PRESCRIPTION}/answer", Action.PHARMACY),
    Step.REMIND: ("/console/work/{alert}/remind", Action.WORK),
    Step.CHECK: ("/console/screening/{id}", Action.PHARMACY),
    Step.DELIVERY: (_PRESCRIPTION, Action.READ_CONSOLE),
    Step.ASK_PROVIDER: ("/console/work/{alert}/remind", Action.WORK),
    Step.ASK_PRESCRIBER: (f"{_PRESCRIPTION}/renewal", Action.RENEW),
    Step.REGISTER: (f"{_PRESCRIPTION}/paper-original", Action.ENVELOPE),
    Step.EVIDENCE: (_PRESCRIPTION, Action.READ_CONSOLE),
    Step.RULE: (f"{_PRESCRIPTION}/rule", Action.PHARMACY),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A link with its words."""

    words: str
    href: str


def awaits_ruling(item: WorkItem) -> bool:
    """Tell whether a person rules on a late change before anything can be sent."""
    unsent = item.line.unsent if item.line is not None else None
    return item.kind == "change-awaits-ruling" or (unsent is not None and unsent.awaits is Awaits.RULING)


def step_of(item: WorkItem, looker: Looker) -> Link:
    """Give the next step, where this person may take it; otherwise the page that says who can."""
    if item.settled and item.alert is not None and looker.may(Action.CLOSE_ALERT):
        return Link(words="Close", href=f"/console/work/{item.alert}/close")
    step = Step.RULE if awaits_ruling(item) else REASONS[item.reason].step
    if item.reason is Reason.ENDED and item.kind != "renewal-requested":
        step = Step.SEE_REASON  # there is no request for a renewal that could be decided
    address, action = _PAGES.get(step, ("", Action.READ_CONSOLE))
    needs_line, needs_alert = "{id}" in address, "{alert}" in address
    fits = bool(address) and looker.may(action) and (item.line or not needs_line) and (item.alert or not needs_alert)
    if fits:
        prescription = item.line.prescription_id if item.line else ""
        return Link(words=step.value, href=address.format(id=prescription, alert=item.alert))
    if item.alert is not None:
        return Link(words=step.value if not address else Step.LOOK.value, href=f"/console/work/{item.alert}")
    prescription = item.line.prescription_id if item.line else ""
    return Link(words=Step.LOOK.value, href=_PRESCRIPTION.format(id=prescription))
