"""The renewal of a line: a task for people beside the line, never a state of it.

It is opened by the provider, or by the clock when the supplies that are left end within the trust's lead time. It ends
when a new prescription is named, with a reason, or by lapsing; the old line runs on either way.

Source: mapping.md 10.5.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Final

from gateway.domain.lifecycle import Actor

LEAD_TIME: Final = timedelta(weeks=8)
"""How long before the cover ends a renewal is asked for, unless the trust says otherwise (mapping.md 10.5 [P])."""


class RenewalState(StrEnum):
    """Where one renewal stands."""

    REQUESTED = "REQUESTED"
    WITH_PRESCRIBER = "WITH_PRESCRIBER"
    APPROVED = "APPROVED"
    DECLINED = "DECLINED"
    LAPSED = "LAPSED"


class RenewalEvent(StrEnum):
    """What can happen to a renewal."""

    PASSED_ON = "passed_on"
    APPROVED = "approved"
    DECLINED = "declined"
    LAPSED = "lapsed"


S = RenewalState
E = RenewalEvent
A = Actor

RENEWAL_ENDED: Final = frozenset({S.APPROVED, S.DECLINED, S.LAPSED})
"""States that absorb."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RenewalRow:
    """One arrow: in any of `states`, `event` by any of `actors` leads to `to`."""

    states: frozenset[RenewalState]
    event: RenewalEvent
    to: RenewalState
    actors: frozenset[Actor]
    note: str = ""


def _row(
    states: tuple[RenewalState, ...], event: RenewalEvent, to: RenewalState, actors: tuple[Actor, ...], note: str = ""
) -> RenewalRow:
    return RenewalRow(states=frozenset(states), event=event, to=to, actors=frozenset(actors), note=note)


_OPEN = (S.REQUESTED, S.WITH_PRESCRIBER)

RENEWAL_TABLE: tuple[RenewalRow, ...] = (
    _row((S.REQUESTED,), E.PASSED_ON, S.WITH_PRESCRIBER, (A.TRUST_PHARMACIST, A.PRESCRIBER)),
    _row(_OPEN, E.APPROVED, S.APPROVED, (A.PRESCRIBER, A.TRUST_PHARMACIST), "names the new prescription"),
    _row(_OPEN, E.DECLINED, S.DECLINED, (A.PRESCRIBER, A.TRUST_PHARMACIST), "with a reason"),
    _row(_OPEN, E.LAPSED, S.LAPSED, (A.CLOCK,), "the line ended, and no new prescription was named"),
)
"""Every arrow. What is not here cannot happen."""

_BY_STATE_AND_EVENT = {(state, row.event): row for row in RENEWAL_TABLE for state in row.states}

RENEWAL_LABELS: Final[dict[RenewalState, str]] = {
    S.REQUESTED: "Renewal requested",
    S.WITH_PRESCRIBER: "Renewal with the prescriber",
    S.APPROVED: "Renewed by a new prescription",
    S.DECLINED: "Renewal declined",
    S.LAPSED: "Renewal lapsed",
}


def renewed(state: RenewalState, event: RenewalEvent, actor: Actor) -> RenewalState | None:
    """Give the state after `event`, or None where nothing moves."""
    row = _BY_STATE_AND_EVENT.get((state, event))
    return row.to if row is not None and actor in row.actors else None


def cover_ends(start: date, *, days_per_supply: int, total_supplies: int, stock_days: int = 0) -> date:
    """Give the last day that all supplies of a line cover.

    Args:
        start: the first day covered: the first supply, or what it is required by.
        days_per_supply: how long one supply lasts.
        total_supplies: counting the first.
        stock_days: what the patient had at home when it began.
    """
    return start + timedelta(days=stock_days + days_per_supply * total_supplies - 1)


def wanted(ends: date, today: date, lead: timedelta = LEAD_TIME) -> bool:
    """Tell whether a renewal is to be asked for: the cover ends within the lead time."""
    return ends - today <= lead
