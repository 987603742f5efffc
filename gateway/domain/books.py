"""The books of each trust and each provider, day by day, and the comparison of its list with ours.

A day is a day in London. A trust's list names its messages by their control ids, a provider's the lines it was given by
item id and epoch; both carry digests, so that equal names of different content are found. No list names a patient.

Source: reliability-security.md I20, rows 1 and 6 of the promises; peers.md D2.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Final
from zoneinfo import ZoneInfo

from gateway.domain.identifiers import OdsCode
from gateway.domain.lifecycle import LineState
from gateway.domain.reconciliation import STANCES

LONDON: Final = ZoneInfo("Europe/London")
FIRST_DAY: Final = date(2000, 1, 1)
"""Before it there was no gateway; whoever names an earlier day has mistyped it."""


class Side(StrEnum):
    """On which side of the gateway a party stands."""

    TRUST = "trust"
    PROVIDER = "provider"


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """One message of a trust, or one line given to a provider.

    Attributes:
        id: the control id, or the item id of the line.
        epoch: of the message the provider has; 0 for a trust's message.
        digest: SHA-256 of the trust's bytes, or of the sealed message; empty where a party states none.
        state: what we answered the trust, or where the line stands; empty where a party states none.
        expected: the other party must have it: a line that has not arrived yet is ours alone.
        day: in London, on which it came or was given; None in what a party states.
    """

    id: str
    epoch: int = 0
    digest: str = ""
    state: str = ""
    expected: bool = True
    day: date | None = None

    @property
    def key(self) -> tuple[str, int]:
        """What names it for both parties."""
        return self.id, self.epoch


@dataclass(frozen=True, slots=True, kw_only=True)
class DayList:
    """What went between the gateway and one party on one day, oldest first."""

    party: OdsCode
    side: Side
    day: date
    rows: tuple[Listed, ...]

    @property
    def digest(self) -> str:
        """SHA-256 over the sorted lines `id TAB epoch TAB digest LF`: where both parties have it, all agrees."""
        lines = sorted(f"{row.id}\t{row.epoch}\t{row.digest}\n" for row in self.rows)
        return hashlib.sha256("".join(lines).encode()).hexdigest()


class Fault(StrEnum):
    """How a party's list and ours differ on one name."""

    MISSING_HERE = "missing here"
    """The party says that it passed to us, or has from us, what we do not know."""
    MISSING_THERE = "missing there"
    """We say so, and the party's list does not have it."""
    OTHER_CONTENT = "other content"
    OTHER_STATE = "other state"
    OTHER_DAY = "other day"
    """Both have it, and the same; here it is of another day, as is all that the party's list has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Discrepancy:
    """One name on which two lists differ."""

    fault: Fault
    id: str
    epoch: int
    ours: str = ""
    theirs: str = ""


def compare(
    ours: DayList, theirs: Iterable[Listed], known: Mapping[tuple[str, int], Listed]
) -> tuple[Discrepancy, ...]:
    """Compare a party's list with ours, both ways.

    Args:
        ours: of the day.
        theirs: as the party gave it. Some names may be of other days here: its day begins at another hour, or what one
            passed on came later. Where not one is of this day, it is the list of another.
        known: what we have of the names in its list, of whatever day.

    Returns:
        Every difference, ours first; empty where both agree.
    """
    stated = {row.key: row for row in theirs}
    of_this_day = any(known[key].day == ours.day for key in stated.keys() & known.keys())
    found = [
        Discrepancy(fault=Fault.MISSING_THERE, id=row.id, epoch=row.epoch, ours=row.state)
        for row in ours.rows
        if row.expected and row.key not in stated
    ]
    for key, row in stated.items():
        mine = known.get(key)
        if mine is None:
            found.append(Discrepancy(fault=Fault.MISSING_HERE, id=row.id, epoch=row.epoch, theirs=row.state))
        elif row.digest and row.digest.lower() != mine.digest:
            text = {"ours": mine.digest, "theirs": row.digest}
            found.append(Discrepancy(fault=Fault.OTHER_CONTENT, id=row.id, epoch=row.epoch, **text))
        elif _disagree(mine.state, row.state):
            text = {"ours": mine.state, "theirs": row.state}
            found.append(Discrepancy(fault=Fault.OTHER_STATE, id=row.id, epoch=row.epoch, **text))
        elif mine.day is not None and not of_this_day:
            found.append(Discrepancy(fault=Fault.OTHER_DAY, id=row.id, epoch=row.epoch, ours=mine.day.isoformat()))
    return tuple(found)


def london_day(moment: datetime) -> date:
    """Give the day in London on which something happened."""
    return moment.astimezone(LONDON).date()


def has_books(day: date, now: datetime) -> bool:
    """Tell whether there can be books of a day: it has begun in London, and is of this century."""
    return FIRST_DAY <= day <= london_day(now)


def bounds(day: date) -> tuple[datetime, datetime]:
    """Give the first moment of a day in London and of the next, in UTC: 23, 24 or 25 hours apart."""
    first, after = (datetime.combine(one, time(), LONDON) for one in (day, day + timedelta(days=1)))
    return first.astimezone(UTC), after.astimezone(UTC)


def _disagree(ours: str, theirs: str) -> bool:
    """Tell whether two states exclude each other: for lines, who may supply; for messages, the word itself."""
    states = {state.value: state for state in LineState}
    if not theirs:
        return False
    if ours in states and theirs in states:
        return STANCES.get(states[ours]) is not STANCES.get(states[theirs])
    return ours != theirs


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """One party's day.

    Attributes:
        told: orders that the party was told are taken; for a provider, the same as `accepted`.
        accepted: prescriptions stored for a trust, or lines given to a provider.
        terminal: of the accepted, those at their end; for a provider, those it no longer has.
        open: of the accepted, those that still await something.
        alerted: of the open, those that need a person and have an open alert.
        refused: orders the trust was told to change.
        quarantined: input kept apart: unreadable, or other bytes under a used control id.
    """

    party: OdsCode
    side: Side
    day: date
    told: int = 0
    accepted: int = 0
    terminal: int = 0
    open: int = 0
    alerted: int = 0
    refused: int = 0
    quarantined: int = 0

    @property
    def balances(self) -> bool:
        """Whether everything that was promised is accounted for."""
        return self.told == self.accepted == self.terminal + self.open


@dataclass(frozen=True, slots=True, kw_only=True)
class OutOfBalance:
    """One thing that the books do not explain, by name."""

    what: str
    id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """The books: one account a party and day, and what does not balance."""

    accounts: tuple[Account, ...]
    faults: tuple[OutOfBalance, ...]

    @property
    def balances(self) -> bool:
        """Whether nothing is out of balance."""
        return not self.faults and all(account.balances for account in self.accounts)
