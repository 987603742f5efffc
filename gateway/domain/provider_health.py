"""How a provider's system is now, by rules that are shown beside the word.

It is worked out, never reported: from what was sent, what was taken and what was answered. Where nothing was sent,
nothing is known; that is said, and is not called working.

Source: console.md 6.5, rule 2.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from gateway.domain.lifecycle import LineEvent
from gateway.domain.spread import Spread


class Now(StrEnum):
    """How a provider's system is, in the word that is shown."""

    PAUSED = "Paused by us"
    BY_HAND = "By hand"
    NOT_ANSWERING = "Not answering"
    MUTE = "Takes messages, answers none"
    SLOW = "Slow"
    WORKING = "Working"
    NOT_KNOWN = "Not known"


SILENT_AFTER: Final = timedelta(minutes=20)
SILENT_SENT: Final = 3
"""So many transmissions without a sign of life, for so long, are no chance."""
SLOW_FACTOR: Final = 2
SLOW_ANSWERS: Final = 5
"""Fewer answers of a day say nothing about it."""
USUAL_ANSWERS: Final = 20
"""Fewer answers of thirty days do not say what is usual."""
HEARD_WITHIN: Final = timedelta(hours=24)
MUTE_AFTER: Final = timedelta(hours=4)
"""How long an answer may take where nothing says what is usual: as long as a line may be sent without one
(`custody`)."""
LONGEST_WAIT: Final = timedelta(hours=24)
"""Whatever is usual, nobody should wait longer for a decision."""

RULES: Final[Mapping[Now, str]] = MappingProxyType(
    {
        Now.PAUSED: "A person or the gateway has paused it: nothing is sent until that ends.",
        Now.BY_HAND: "It is worked by people, not by a system: only what they state is known.",
        Now.NOT_ANSWERING: (
            f"Nothing was taken and nothing came back for {SILENT_AFTER // timedelta(minutes=1)} minutes or longer,"
            f" while at least {SILENT_SENT} transmissions were tried. A planned outage does not change the word: it is"
            " shown beside it."
        ),
        Now.MUTE: (
            f"At least {SILENT_SENT} prescriptions wait for its answer, and since the oldest of them was sent it has"
            f" answered nothing at all: for more than {SLOW_FACTOR} times the 95th centile of the 30 days before, or"
            f" more than {MUTE_AFTER // timedelta(hours=1)} hours where those had fewer than {USUAL_ANSWERS} answers."
            " That its system takes a message is no answer; that it refuses one is, in any later hour of the clock."
        ),
        Now.SLOW: (
            f"Of {SLOW_ANSWERS} or more answers today, the 95th centile is over {SLOW_FACTOR} times that of the 30 days"
            f" before; or the oldest that waits has waited longer than that. Both are judged only where those 30 days"
            f" had {USUAL_ANSWERS} answers or more. Or something has waited for more than"
            f" {LONGEST_WAIT // timedelta(hours=1)} hours."
        ),
        Now.WORKING: "Its system took something or answered in the last 24 hours, and no rule before this one holds.",
        Now.NOT_KNOWN: "Nothing was heard from it in the last 24 hours, and too little was sent to say more.",
    }
)
"""What each word means; the first that holds is shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pulse:
    """The last signs of life of a provider's system.

    Attributes:
        heard_at: when it last took a message or said anything; None if never.
        tried_at: when something was last sent to it.
        tried_since: transmissions tried since it was heard.
        silent_since: the first of those.
        said_at: when it last said anything of its own, beside taking what it was sent, on the connection it was sent on
            or later; None if that is not known.
    """

    heard_at: datetime | None = None
    tried_at: datetime | None = None
    tried_since: int = 0
    silent_since: datetime | None = None
    said_at: datetime | None = None

    def tried(self, at: datetime) -> "Pulse":
        """Give it after one more transmission was begun."""
        return replace(self, tried_at=at, tried_since=self.tried_since + 1, silent_since=self.silent_since or at)

    def heard(self, at: datetime) -> "Pulse":
        """Give it after it took something or said something."""
        return replace(self, heard_at=at, tried_since=0, silent_since=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Signs:
    """What is known of a provider's system at a moment.

    Attributes:
        today: how long the answers of today took; `usual`: those of the thirty days before.
        oldest: since when the item waits that has waited longest, of those that were sent; `waiting`: how many do.
        refused_from: beginning of the last whole hour in which it refused a message itself: it will do nothing with it,
            and that is an answer. When within the hour is not kept, so it counts where all of the hour does.
    """

    pulse: Pulse
    paused: bool = False
    by_hand: bool = False
    today: Spread = field(default_factory=Spread)
    usual: Spread = field(default_factory=Spread)
    oldest: datetime | None = None
    waiting: int = 0
    refused_from: datetime | None = None


def judge(signs: Signs, now: datetime) -> Now:
    """Work out how a provider's system is; the first rule that holds, in the order of `RULES`."""
    if signs.paused:
        return Now.PAUSED
    if signs.by_hand:
        return Now.BY_HAND
    if silent_for(signs.pulse, now) is not None:
        return Now.NOT_ANSWERING
    if _mute(signs, now):
        return Now.MUTE
    if _slow(signs, now):
        return Now.SLOW
    heard = signs.pulse.heard_at
    return Now.WORKING if heard is not None and now - heard <= HEARD_WITHIN else Now.NOT_KNOWN


def silent_for(pulse: Pulse, now: datetime) -> timedelta | None:
    """Give for how long it has not answered; None where that is not to be said of it."""
    if pulse.silent_since is None or pulse.tried_since < SILENT_SENT:
        return None
    silent = now - pulse.silent_since
    return silent if silent >= SILENT_AFTER else None


def _mute(signs: Signs, now: datetime) -> bool:
    """Tell whether it takes what it is sent, and has answered nothing of it for too long."""
    heard = signs.pulse.heard_at
    if signs.oldest is None or signs.waiting < SILENT_SENT or heard is None or heard < signs.oldest:
        return False
    if any(said is not None and said >= signs.oldest for said in (signs.pulse.said_at, signs.refused_from)):
        return False
    usual = signs.usual.percentile(95)
    known = usual is not None and len(signs.usual) >= USUAL_ANSWERS
    limit = SLOW_FACTOR * usual if usual is not None and known else MUTE_AFTER
    return now - signs.oldest > min(limit, LONGEST_WAIT)


def _slow(signs: Signs, now: datetime) -> bool:
    waited = now - signs.oldest if signs.oldest is not None else timedelta(0)
    if waited > LONGEST_WAIT:
        return True
    usual = signs.usual.percentile(95)
    if usual is None or len(signs.usual) < USUAL_ANSWERS:
        return False
    limit = SLOW_FACTOR * usual
    today = signs.today.percentile(95)
    if today is not None and len(signs.today) >= SLOW_ANSWERS and today > limit:
        return True
    return waited > limit


class Cause(StrEnum):
    """Where the reason for a rejection lies, in the word that is shown."""

    TRUST = "Trust"
    PROVIDER = "Provider"
    INTERFACE = "Interface"
    PATIENT = "Patient"
    NOT_STATED = "Not stated"


_RETURNS: Final[Mapping[str, tuple[Cause, str]]] = MappingProxyType(
    {
        "0001": (Cause.PATIENT, "Patient did not attend"),
        "0002": (Cause.PROVIDER, "Unable to dispense what is prescribed"),
        "0003": (Cause.PATIENT, "Patient asked for its release"),
        "0004": (Cause.PATIENT, "Another dispenser asked for its release on behalf of the patient"),
        "0005": (Cause.TRUST, "Invalid digital signature"),
        "0006": (Cause.INTERFACE, "Rejected because of a version problem"),
        "0007": (Cause.TRUST, "Prescription otherwise invalid or unreadable"),
        "0008": (Cause.TRUST, "Prescription expired"),
    }
)
"""Source: EPS-task-dispense-return-status-reason."""
_HOW: Final[Mapping[str, str]] = MappingProxyType(
    {
        LineEvent.REJECTED.value: "Rejected",
        LineEvent.RETURNED.value: "Returned",
        LineEvent.NOT_SUPPLIED.value: "Will not be supplied",
        LineEvent.REFUSED_FORMAT.value: "Their system could not use the message",
    }
)


def reason_words(event: str, code: str) -> tuple[Cause, str]:
    """Give where the reason for a rejection lies, and what it means; of a code that is the provider's own, only that.

    Args:
        event: as which it came: rejected, returned, not supplied, refused for its format.
        code: as sent; empty where none was.
    """
    how = _HOW.get(event, "Rejected")
    if event == LineEvent.RETURNED and code in _RETURNS:
        cause, meaning = _RETURNS[code]
        return cause, f"{how}: {meaning[0].lower()}{meaning[1:]} (code {code})"
    cause = Cause.INTERFACE if event == LineEvent.REFUSED_FORMAT else Cause.NOT_STATED
    return cause, f"{how}: their code {code}" if code else f"{how}, without a code"
