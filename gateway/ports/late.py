"""What is known of a line that has not gone on: why nothing of it was sent, or which stage of its supply is late.

Nothing is here that the tables do not say: whether a part of the gateway that sends is alive is not among it.

Source: console.md 2 (rules 1, 2), 4 (READY), 6.1; mapping.md 10.4.
"""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from gateway.domain.delivery import DeliveryState


class Awaits(StrEnum):
    """What keeps an order back, so that it is tried by nobody until then."""

    RULING = "ruling"
    """It replaces one whose cancel came too late: a person rules whether it is sent as well."""
    CANCEL = "cancel"
    """It replaces one whose cancel is not answered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsent:
    """Where the sending of a line stands that has not left.

    Attributes:
        state: of its row in the queue: `due`, `claimed`, `on_wire`, `done` or `stuck`.
        due_at: when it may be tried next.
        attempts: how often it was tried.
        tried_at: when the last attempt ended; `said` is what came of it.
        paused_at: since when nothing is sent where it goes; None where nothing stops that.
        withheld: it is held back, since a line of it is on hold.
        awaits: what keeps it back; None where nothing is known to.
    """

    state: str
    due_at: datetime
    attempts: int = 0
    tried_at: datetime | None = None
    said: str = ""
    paused_at: datetime | None = None
    paused_for: str = ""
    withheld: bool = False
    awaits: Awaits | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """The first supply of a line that is not made: what was last heard of it.

    Attributes:
        since: when it came to where it stands.
        day: agreed for, or else planned.
    """

    issue: int
    state: DeliveryState
    since: datetime
    day: date | None = None
