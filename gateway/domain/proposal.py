"""Acts that need two people: one proposes, another seconds; what was proposed is then carried out, or found too late.

A proposal ends once. The second person is never the first, under whatever spelling of the name. What is proposed is
kept as it was when the first person looked; whoever carries it out looks at the facts again.

Source: console.md 3, 6.3 and 6.10; reliability-security.md I10.
"""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from gateway.domain.identifiers import OdsCode


class ProposalState(StrEnum):
    """Where a proposal stands."""

    OPEN = "open"
    """It waits for a second person."""
    SECONDED = "seconded"
    """A second person agreed, and it is being carried out; it stays so only where that was cut off."""
    DONE = "done"
    NOT_DONE = "not-done"
    """The facts had moved: nothing was done, and the outcome says why."""
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"
    """Nobody seconded it in time."""


WORDS: dict[ProposalState, str] = {
    ProposalState.OPEN: "Waiting for a second person",
    ProposalState.SECONDED: "Agreed by a second person; not known if it was carried out",
    ProposalState.DONE: "Agreed by a second person, and carried out",
    ProposalState.NOT_DONE: "Agreed by a second person, and not carried out",
    ProposalState.WITHDRAWN: "Withdrawn",
    ProposalState.EXPIRED: "Lapsed: nobody agreed in time",
}
"""What people are told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """What one person wants done.

    Attributes:
        id: given by whoever proposes, so that a form that is sent twice proposes once.
        kind: which act: `reroute`, `map-entry`, `settings`, …
        subject: opaque name of what it is about; one proposal of a kind is open for it at a time.
        payload: what exactly is to be done, as the act's own code writes and reads it; ids and codes.
        tenant: the trust that it belongs to; None where it is the whole gateway's.
        by: short name of the first person.
        reason: in words; never patient data.
        at: when; aware.
        expires_at: nobody may second it from then on.
    """

    id: UUID
    kind: str
    subject: str
    payload: bytes = field(repr=False)
    tenant: OdsCode | None
    by: str
    reason: str
    at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposalView:
    """A proposal with what became of it.

    Attributes:
        state: as it stands at the moment of the question: an open one that is out of date is EXPIRED.
        second: short name of the second person; empty where there is none.
        ended_by: short name of whoever withdrew it.
        outcome: what came of it, in words.
    """

    proposal: Proposal
    state: ProposalState
    second: str = ""
    ended_by: str = ""
    ended_at: datetime | None = None
    outcome: str = ""


def stands(state: ProposalState, expires_at: datetime, now: datetime) -> ProposalState:
    """Give where a proposal stands now, from the state that was written down last."""
    return ProposalState.EXPIRED if state is ProposalState.OPEN and expires_at <= now else state


def same_person(one: str, other: str) -> bool:
    """Tell whether two short names are one person's, however they are spelt."""
    return one.strip().casefold() == other.strip().casefold()


def why_not_seconded(found: ProposalView, by: str) -> tuple[str, ...]:
    """Say why a person may not second a proposal, in words; empty where they may.

    Args:
        found: as it stands now.
        by: short name of the person.
    """
    if found.state is ProposalState.OPEN:
        if same_person(found.proposal.by, by):
            return ("The second person must be another than the first. Ask a colleague.",)
        return ()
    return (_WHY_NOT[found.state].format(second=found.second, by=found.ended_by),)


_WHY_NOT: dict[ProposalState, str] = {
    ProposalState.SECONDED: "{second} has agreed to it already. It is not known if it was carried out: check first.",
    ProposalState.DONE: "{second} has agreed to it already, and it was carried out.",
    ProposalState.NOT_DONE: "{second} has agreed to it already. It was not carried out.",
    ProposalState.WITHDRAWN: "{by} has withdrawn it.",
    ProposalState.EXPIRED: "Its time is over: it has to be proposed again.",
}
