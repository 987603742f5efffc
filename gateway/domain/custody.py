"""Who holds a line in each state, and for how long before a person is told.

Source: mapping.md 10.2 (holder, act by); domain.md.
"""

from dataclasses import dataclass
from enum import StrEnum

from gateway.domain.lifecycle import TERMINAL, LineState

S = LineState


class Holder(StrEnum):
    """Who must act next."""

    GATEWAY = "gateway"
    TRUST = "trust"
    PROVIDER = "provider"
    NOBODY = "nobody"


@dataclass(frozen=True, slots=True, kw_only=True)
class Custody:
    """Who holds a line in a state, and for how long before a person is told.

    Attributes:
        limit_seconds: from entering the state; None where nothing is awaited (terminal states).
    """

    holder: Holder
    limit_seconds: int | None


_HOUR = 3600


_DAY = 24 * _HOUR


CUSTODY: dict[LineState, Custody] = {
    S.RECEIVED: Custody(holder=Holder.GATEWAY, limit_seconds=15 * 60),
    S.HELD: Custody(holder=Holder.TRUST, limit_seconds=0),
    S.AWAITING_SCREENING: Custody(holder=Holder.TRUST, limit_seconds=_DAY),
    S.READY: Custody(holder=Holder.GATEWAY, limit_seconds=15 * 60),
    S.UNDELIVERABLE: Custody(holder=Holder.TRUST, limit_seconds=0),
    S.SENT: Custody(holder=Holder.PROVIDER, limit_seconds=4 * _HOUR),
    S.UNCERTAIN: Custody(holder=Holder.GATEWAY, limit_seconds=0),
    S.WITH_PROVIDER: Custody(holder=Holder.PROVIDER, limit_seconds=_DAY),
    S.ACCEPTED: Custody(holder=Holder.PROVIDER, limit_seconds=2 * _DAY),
    S.VALIDATED: Custody(holder=Holder.PROVIDER, limit_seconds=5 * _DAY),
    S.QUERIED: Custody(holder=Holder.TRUST, limit_seconds=_DAY),
    S.IN_SUPPLY: Custody(holder=Holder.PROVIDER, limit_seconds=35 * _DAY),
    S.PART_SUPPLIED: Custody(holder=Holder.PROVIDER, limit_seconds=2 * _DAY),
    S.FULFILLED: Custody(holder=Holder.NOBODY, limit_seconds=None),
    S.ON_HOLD: Custody(holder=Holder.TRUST, limit_seconds=7 * _DAY),
    S.REJECTED: Custody(holder=Holder.TRUST, limit_seconds=0),
    S.RETURNED: Custody(holder=Holder.TRUST, limit_seconds=0),
    **{state: Custody(holder=Holder.NOBODY, limit_seconds=None) for state in TERMINAL},
}
"""Defaults for routine work (reliability-security.md 2.1: technical 4 h, business 1 working day); the configuration may
tighten or widen them by state. Zero means a person must be told at once."""
