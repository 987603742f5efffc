"""What people are told of a line or a whole prescription: one label a state, and the worst line first.

Source: mapping.md 10.3; console.md.
"""

from collections.abc import Iterable
from enum import StrEnum

from gateway.domain.cancel import CancelState
from gateway.domain.issue import Effect, Issue
from gateway.domain.lifecycle import LineState

S = LineState

LABELS: dict[LineState, str] = {
    S.RECEIVED: "Being checked",
    S.REFUSED: "Not accepted",
    S.HELD: "Held",
    S.AWAITING_SCREENING: "Waiting for pharmacist check",
    S.READY: "Ready to send",
    S.UNDELIVERABLE: "Could not be sent",
    S.SENT: "Sent, no answer",
    S.UNCERTAIN: "Not known if it arrived",
    S.WITH_PROVIDER: "Arrived, not accepted",
    S.ACCEPTED: "Accepted by provider",
    S.VALIDATED: "Checked by provider's pharmacist",
    S.QUERIED: "Provider has a question",
    S.IN_SUPPLY: "Being supplied",
    S.PART_SUPPLIED: "Part supplied, balance owed",
    S.FULFILLED: "All supplies made",
    S.ON_HOLD: "On hold",
    S.REJECTED: "Rejected by provider",
    S.RETURNED: "Returned by provider",
    S.CANCELLED: "Cancelled, confirmed",
    S.SUPERSEDED: "Replaced",
    S.EXPIRED: "Expired",
    S.CLOSED: "Closed",
}
"""The words people see, on every page, list, message, print and API (console.md 4). Sent, arrived, accepted and checked
are four different things."""


class Held(StrEnum):
    """Why a line is held, where that is known, by who can end it.

    Map approvers give a code of the trust's own a meaning. A national code that our release does not have waits for a
    newer release, or for another code; everything else waits for the trust alone.
    """

    CODE = "code"
    RELEASE = "release"
    SOURCE = "source"


HELD_LABELS: dict[Held, str] = {
    Held.CODE: "Held: code not known",
    Held.RELEASE: "Held: not in our dm+d release",
    Held.SOURCE: "Held: the trust must correct it",
}


WANTS_RELEASE = frozenset({"DRUG_UNKNOWN", "CD_SCHEDULE_UNKNOWN"})
"""Issues that no entry of a code map settles, because the code is a national one."""


OWN_FAULTS = frozenset({"MESSAGE_INVALID"})
"""Issues that are ours: what we wrote failed our own check, and neither the trust nor map approvers can end that."""


def held_as(issues: Iterable[Issue]) -> Held | None:
    """Tell what a held line is held for, from its issues.

    None where a person held it, where it waits for another, and where the fault is ours.

    What only the trust can correct speaks first, and what waits for a release before what two people here can settle:
    resolving the code would not end the hold.
    """
    found = {issue.code: issue.effect for issue in issues if issue.code not in OWN_FAULTS}
    if Effect.HOLD_SOURCE in found.values():
        return Held.SOURCE
    if WANTS_RELEASE & found.keys():
        return Held.RELEASE
    return Held.CODE if Effect.HOLD_MAP in found.values() else None


CANCEL_LABELS: dict[CancelState, str] = {
    CancelState.ASKED: "Cancel asked, not cancelled",
    CancelState.PENDING: "Cancel pending at provider, not cancelled",
    CancelState.TOO_LATE: "Too late to cancel",
}
"""What stands beside the state while a cancel is not confirmed: a line is not cancelled until its holder proves it."""


WORST_FIRST: tuple[LineState, ...] = (
    S.UNCERTAIN,
    S.REJECTED,
    S.RETURNED,
    S.UNDELIVERABLE,
    S.HELD,
    S.QUERIED,
    S.AWAITING_SCREENING,
    S.ON_HOLD,
    S.PART_SUPPLIED,
    S.WITH_PROVIDER,
    S.READY,
    S.SENT,
    S.RECEIVED,
    S.ACCEPTED,
    S.VALIDATED,
    S.IN_SUPPLY,
    S.FULFILLED,
    S.REFUSED,
    S.EXPIRED,
    S.CANCELLED,
    S.SUPERSEDED,
    S.CLOSED,
)
"""A prescription's state is the worst of its lines (mapping.md 10.5)."""


class Condition(StrEnum):
    """What makes a line worse than its state says, until a person has seen to it."""

    INCIDENT = "incident"
    """A supply was reported that should not have been."""
    CANCEL_OVERDUE = "cancel-overdue"
    SENT_OVERDUE = "sent-overdue"


CONDITION_LABELS: dict[Condition, str] = {
    Condition.INCIDENT: "Safety incident",
    Condition.CANCEL_OVERDUE: "Cancellation overdue: not cancelled",
    Condition.SENT_OVERDUE: "Sent, and no answer in time",
}


ROLL_UP: tuple[LineState | Condition, ...] = (
    Condition.INCIDENT,
    *WORST_FIRST[: WORST_FIRST.index(S.AWAITING_SCREENING)],
    Condition.CANCEL_OVERDUE,
    Condition.SENT_OVERDUE,
    *WORST_FIRST[WORST_FIRST.index(S.AWAITING_SCREENING) :],
)
"""States and conditions together, worst first (mapping.md 10.5)."""


def worst(states: tuple[LineState, ...]) -> LineState:
    """Give the state of a prescription from those of its lines; at least one."""
    return min(states, key=WORST_FIRST.index)


def roll_up(lines: tuple[tuple[LineState, Condition | None], ...]) -> tuple[LineState, Condition | None]:
    """Give what a prescription stands for in a list: the state of its worst line, and the condition that makes it so.

    Args:
        lines: each with its condition, where it is in one; at least one line.

    Returns:
        The condition is None where a line's state alone is the worst.

    Source:
        mapping.md 10.5.
    """
    told = {line: [one for one in line if one is not None] for line in lines}
    line = min(lines, key=lambda line: min(ROLL_UP.index(one) for one in told[line]))
    state, condition = line
    counts = condition is not None and ROLL_UP.index(condition) < ROLL_UP.index(state)
    return state, condition if counts else None
