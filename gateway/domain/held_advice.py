"""How a hold ends: who is awaited, what comes next and what a trust's people do, by what the line is held for.

One table for the list, the alerts and the page of a prescription, so that none of them asks for what another does not.

Source: console.md 4 (HELD), 6.1, 6.3; mapping.md 2.3.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from gateway.domain.issue import Effect, Issue
from gateway.domain.lifecycle import LineState
from gateway.domain.work_item import Reason, reason_of

R = Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldAdvice:
    """What ends one sort of hold.

    Attributes:
        owner: who is awaited; `{trust}` stands for the trust's name.
        next: what comes next, with the same.
        do: what the trust's people do.
    """

    owner: str
    next: str
    do: str


HELD_ADVICE: Final[Mapping[Reason, HeldAdvice]] = {
    R.HELD_CODE: HeldAdvice(
        owner="The map approvers of {trust}",
        next="Two people to approve what the code means, or {trust} to send a corrected order.",
        do="Resolve the code under Held codes: two people approve what it means. Or correct the order in your own"
        " system and send it again.",
    ),
    R.HELD_RELEASE: HeldAdvice(
        owner="The gateway's operator, or {trust}",
        next="The gateway's operator to load a newer dm+d release, or {trust} to send a corrected order.",
        do="The gateway's operator loads a newer dm+d release. If the medicine runs out first, send a corrected order"
        " with a code that our release has.",
    ),
    R.HELD_SOURCE: HeldAdvice(
        owner="{trust}",
        next="{trust} to send a corrected order. It will replace this one.",
        do="Correct the order in your own system and send it again: it will replace this one. Or cancel it.",
    ),
    R.SIGNATURE: HeldAdvice(
        owner="{trust}",
        next="{trust} to send the order with a signature that can be verified. It will replace this one.",
        do="See the evidence: the prescriber's signature could not be verified. Have the order signed and sent again"
        " from your own system: it will replace this one. Or cancel it.",
    ),
    R.NOT_SENT: HeldAdvice(
        owner="The gateway's operator",
        next="The gateway's operator to mend the message that we wrote. Nothing is asked of the trust.",
        do="Nothing is asked of you: the gateway's operator mends the message that we wrote. If the medicine runs out"
        " first, send the prescription to the provider by your usual other way.",
    ),
}
"""Every reason for which a line is held (`work_item`); what we wrote wrongly is there as not sent."""


def held_advice(codes: Collection[str]) -> HeldAdvice:
    """Give what ends a hold, by the codes of the issues that it is for; without any, a person held it."""
    return HELD_ADVICE[reason_of("line-held", LineState.HELD, codes)]


def holding_codes(issues: Iterable[Issue]) -> tuple[str, ...]:
    """Give the codes of the issues that hold a line, each once."""
    holds = (Effect.HOLD_MAP, Effect.HOLD_SOURCE)
    return tuple(dict.fromkeys(issue.code for issue in issues if issue.effect in holds))
