"""A notice outside the console: that something waits, and where to sign in. Never of whom, or of which medicine.

Source: console.md 6.11; reliability-security.md I8.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from gateway.domain.alert import Soon
from gateway.domain.alert_kinds import about
from gateway.domain.calendar import LONDON

_DIGITS: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's: none of them is mistaken for another on the telephone."""
_SHOWN: Final = 5
_CHECK: Final = 97
_MOST: Final = 1 << 53
"""No store numbers that many alerts."""
WORK: Final = "/console/work/"
HOME: Final = "/console/"


class Channel(StrEnum):
    """How a person is told."""

    MAIL = "mail"
    WEBHOOK = "webhook"


class NoticeKind(StrEnum):
    """Why a person is told."""

    STEP = "step"
    """Nobody has taken an item."""
    DAILY = "daily"
    WEEKLY = "weekly"


class NoticeState(StrEnum):
    """Where a notice stands."""

    DUE = "due"
    CLAIMED = "claimed"
    SENT = "sent"
    """The mail server or the webhook took it; nobody is known to have read it."""
    SPENT = "spent"
    """Given up, with an alert."""
    DROPPED = "dropped"
    """No longer needed: the items were taken or closed, or the person is no longer named."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One open alert, as a notice may speak of it."""

    alert: int
    kind: str
    prescription: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What a digest says of one circle.

    Attributes:
        still_open: alerts that are open now.
        untaken: of these, those that nobody has taken.
        oldest: when the oldest of them opened; None where none is open.
        oldest_alert: its number.
        closed: alerts that a person closed in the last seven days.
    """

    still_open: int
    untaken: int
    oldest: datetime | None
    oldest_alert: int | None
    closed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """What a notice says: one line, and a short text that ends with where to go."""

    subject: str
    text: str
    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """One notice on its way to one person.

    Attributes:
        id: the same at every attempt, so that a repetition is known as one.
        person: who is told.
        circle: of which trust, or `gateway`.
        lease: what marks this attempt.
        attempt: which one it is, from 1.
    """

    id: UUID
    kind: NoticeKind
    circle: str
    person: str
    channel: Channel
    words: Words = field(repr=False)
    written_at: datetime
    lease: str
    attempt: int


def reference(alert: int) -> str:
    """Give what an alert is called on the telephone: `001J-42`, with two digits that catch a slip."""
    digits, left = "", alert
    while left or len(digits) < len("0000"):
        left, digit = divmod(left, len(_DIGITS))
        digits = _DIGITS[digit] + digits
    return f"{digits}-{alert % _CHECK:02}"


def alert_of(text: str) -> int | None:
    """Read a reference as people write it; None if it is none."""
    digits, _, check = text.strip().upper().translate(str.maketrans("OIL", "011")).partition("-")
    if (
        not digits
        or len(digits) > len("0" * 12)
        or set(digits) - set(_DIGITS)
        or not (check.isascii() and check.isdigit())
    ):
        return None
    number = 0
    for digit in digits:
        number = number * len(_DIGITS) + _DIGITS.index(digit)
    return number if number < _MOST and f"{number % _CHECK:02}" == check else None


def step_words(items: Sequence[Item]) -> Words:
    """Say that items wait which nobody has taken: how many, how soon, and what they are called.

    Args:
        items: at least one.
    """
    soonest = min((about(item.kind).soon for item in items), key=list(Soon).index)
    when = {Soon.NOW: "now", Soon.MORNING: "today", Soon.DAY: "today", Soon.WEEK: "this week"}[soonest]
    subject = f"{_count(items)} you {when}, {_references(items)}."
    path = f"{WORK}{items[0].alert}" if len(items) == 1 else HOME
    text = f"{subject} Nobody has taken {'it' if len(items) == 1 else 'them'}. Sign in."
    return Words(subject=subject.rstrip("."), text=text, path=path)


def daily_words(standing: Standing) -> Words:
    """Say what is open this morning."""
    oldest = _oldest(standing)
    subject = f"{_are(standing.still_open)} open this morning"
    text = f"{subject}; nobody has taken {standing.untaken} of them. {oldest} Sign in."
    return Words(subject=subject, text=text, path=HOME)


def weekly_words(standing: Standing) -> Words:
    """Say what the week leaves: what is still open, the oldest, and how many a person closed."""
    subject = f"Weekly summary: {standing.still_open} still open, {standing.closed} closed in seven days"
    oldest = _oldest(standing) if standing.still_open else "Nothing is open."
    return Words(subject=subject, text=f"{subject}. {oldest} Sign in.", path=HOME)


def _oldest(standing: Standing) -> str:
    if standing.oldest is None or standing.oldest_alert is None:
        return ""
    since = standing.oldest.astimezone(LONDON)
    opened = f"{since.day} {since:%b %Y}, {since:%H:%M}"
    return f"The oldest is open since {opened}, reference {reference(standing.oldest_alert)}."


def _count(items: Sequence[Item]) -> str:
    what = "prescription" if all(item.prescription for item in items) else "item"
    return f"1 {what} needs" if len(items) == 1 else f"{len(items)} {what}s need"


def _are(number: int) -> str:
    return "1 item is" if number == 1 else f"{number} items are"


def _references(items: Sequence[Item]) -> str:
    shown = ", ".join(reference(item.alert) for item in items[:_SHOWN])
    more = f" and {len(items) - _SHOWN} more" if len(items) > _SHOWN else ""
    return f"reference{'s' if len(items) > 1 else ''} {shown}{more}"
