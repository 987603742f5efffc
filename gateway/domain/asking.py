"""What a person at the console asks of the lines of one prescription: cancel, hold or release, in the trust's name.

It is judged by the same tables as what the trust's own system asks; only who asks, and how it came, differ.

Source: mapping.md 10.2 and 10.3; reliability-security.md I7; console.md 6.3 and 7 (changed under you).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from gateway.domain.identifiers import OdsCode
from gateway.domain.lifecycle import Actor, LineState


class AskedFor(StrEnum):
    """What is asked."""

    CANCEL = "cancel"
    HOLD = "hold"
    RELEASE = "release"


class Answered(StrEnum):
    """What came of it for one line, at once."""

    DONE = "done"
    """Nothing of it had left, or nobody has it: it is cancelled, on hold or released."""
    ASKED = "asked"
    """Its provider was asked. Nothing has changed until it confirms."""
    RING = "ring"
    """It is asked on the record, and no message can carry it: a person must ring."""
    BEFORE = "before"
    """It was asked before, or is so already: nothing was sent again."""
    NOT_POSSIBLE = "not possible"


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A line as the person saw it."""

    state: LineState
    epoch: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What one person asks, and why.

    Attributes:
        lines: those that are meant, each as it was seen; where one has moved since, nothing is done.
        by: the person's short name.
        actor: for whom the person speaks: the prescriber or the trust's pharmacist.
        reason_code: of EPS, 0001 to 0009, for a cancel; empty where none is given.
        reason: in words; never patient data.
    """

    what: AskedFor
    tenant: OdsCode
    prescription_id: UUID
    lines: Mapping[UUID, Seen]
    by: str
    actor: Actor
    reason: str
    reason_code: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LineAnswer:
    """What came of a wish for one line.

    Attributes:
        why: in words, where it is not possible or must be rung.
    """

    line_id: UUID
    what: Answered
    state: LineState
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """Lines that are no longer as they were seen: nothing was done to any."""

    lines: Mapping[UUID, Seen]
    at: datetime
