"""The words of the console, in one place: states, events, people, times (console.md 2, 4 and 10).

Sent, arrived, accepted and checked are four different words. Only what the provider accepted is green.
"""

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from gateway.domain.cancel import CancelState
from gateway.domain.custody import Holder
from gateway.domain.labels import CANCEL_LABELS, CONDITION_LABELS, HELD_LABELS, LABELS, Condition, Held
from gateway.domain.lifecycle import Actor, LineEvent, LineState

LONDON: Final = ZoneInfo("Europe/London")


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """How a state is shown.

    Attributes:
        label: from the lifecycle table; the same on every page.
        colour: class of the tag.
        mark: a shape, so that the colour never speaks alone.
        sentence: what it means, and what it does not.
    """

    label: str
    colour: str
    mark: str
    sentence: str


S = LineState
_SENTENCES: Final[dict[LineState, tuple[str, str]]] = {
    S.RECEIVED: ("grey", "We have it. Checks are running. Nothing has gone to the provider."),
    S.REFUSED: ("red", "We did not accept this message, and told the trust why. Nothing has gone to a provider."),
    S.HELD: ("orange", "It waits here, and nothing has gone to the provider."),
    S.AWAITING_SCREENING: ("orange", "A pharmacist of the trust has not checked it yet. Nothing has gone."),
    S.READY: ("grey", "Waiting to be sent. Nothing has reached the provider."),
    S.UNDELIVERABLE: ("red", "Every attempt to send it ended without success. It never left the gateway."),
    S.SENT: ("grey", "The provider's system has not answered. Nobody there is known to have it."),
    S.UNCERTAIN: (
        "orange",
        "The connection broke after sending. It may or may not have arrived. Do not send it again; ask the provider.",
    ),
    S.WITH_PROVIDER: ("blue", "The provider's system has it. No person and no check there has accepted it."),
    S.ACCEPTED: ("green", "Accepted by the provider's system. Their pharmacist has not checked it yet."),
    S.VALIDATED: ("green", "The provider's pharmacist has checked it. Nothing is known to have been supplied."),
    S.QUERIED: ("orange", "The provider waits for an answer before it goes on."),
    S.IN_SUPPLY: ("green", "The provider is supplying it."),
    S.PART_SUPPLIED: ("yellow", "Part of a supply was made. The rest is owed."),
    S.FULFILLED: ("white", "The provider reports that every supply was delivered."),
    S.ON_HOLD: ("purple", "Stopped on request, confirmed by its holder."),
    S.REJECTED: ("red", "The provider will not supply it. The trust must act."),
    S.RETURNED: ("red", "The provider gave it back. The trust must act."),
    S.CANCELLED: ("white", "The cancel is confirmed, or it never left us."),
    S.SUPERSEDED: ("white", "A later prescription stands in its place."),
    S.EXPIRED: ("white", "Its time is over. It may not be supplied."),
    S.CLOSED: ("white", "Nothing more is expected."),
}
_MARKS: Final[dict[str, str]] = {
    "red": "■",
    "orange": "▲",
    "yellow": "◐",
    "green": "●",
    "blue": "◆",
    "grey": "○",
    "purple": "❚",
    "white": "◇",
}

STATES: Final[dict[LineState, Shown]] = {
    state: Shown(label=LABELS[state], colour=colour, mark=_MARKS[colour], sentence=sentence)
    for state, (colour, sentence) in _SENTENCES.items()
}


HELDS: Final[dict[Held, Shown]] = {
    Held.CODE: replace(
        STATES[S.HELD],
        label=HELD_LABELS[Held.CODE],
        sentence="The trust's system sent a code we do not know. Nothing has gone to the provider.",
    ),
    Held.RELEASE: replace(
        STATES[S.HELD],
        label=HELD_LABELS[Held.RELEASE],
        sentence="The dm+d release that is loaded here does not have this product, or not enough of it. Nobody here "
        "may give a national code another meaning: the gateway's operator loads a newer release, or the trust sends a "
        "code that is in it. Nothing has gone to the provider.",
    ),
    Held.SOURCE: replace(
        STATES[S.HELD],
        label=HELD_LABELS[Held.SOURCE],
        sentence="It contradicts itself, or cannot be followed as it stands. Only the trust can correct it.",
    ),
}
_CANCEL_SENTENCES: Final[dict[CancelState, str]] = {
    CancelState.ASKED: "A cancel was asked, and nobody has answered. Treat it as still active.",
    CancelState.PENDING: "They say that the cancel is with their dispensary. It is not cancelled.",
    CancelState.TOO_LATE: "They say that it was already supplied. Contact the patient.",
}
CANCELS: Final[dict[CancelState, Shown]] = {
    state: Shown(label=CANCEL_LABELS[state], colour="outline", mark="!", sentence=sentence)
    for state, sentence in _CANCEL_SENTENCES.items()
}
"""What stands beside the state while a cancel is not confirmed."""


def held_shown(held: Held) -> Shown:
    """Give how a line is shown whose hold has a known reason."""
    return HELDS[held]


def line_shown(state: LineState, *, held: Held | None = None, made: int = 0, total: int = 0) -> Shown:
    """Give how one line is shown: what it is held for, and how much of it was made.

    Args:
        state: where it is.
        held: what it is held for, if it is.
        made: supplies that were delivered.
        total: supplies there are to be.
    """
    if state is LineState.HELD and held is not None:
        return HELDS[held]
    if state is LineState.IN_SUPPLY and total > 1:
        return replace(STATES[state], label=f"{LABELS[state]}, {made} of {total} made")
    return STATES[state]


def they_said(words: str, sentence: str) -> str:
    """Give a provider's own words, quoted, and what they come to (console.md 10)."""
    if not words:
        return f"They gave no reason. {sentence}"
    said = inert(words).rstrip(". ")
    return f"They said: “{said}”{'' if said.endswith(('?', '!')) else '.'} {sentence}"


def shown_as(state: LineState, condition: Condition | None, held: Held | None = None) -> Shown:
    """Give how a prescription is shown in a list: a condition that needs a person speaks before the state."""
    if condition is None:
        return line_shown(state, held=held)
    return replace(STATES[state], label=CONDITION_LABELS[condition], colour="red", mark=_MARKS["red"])


E = LineEvent
EVENTS: Final[dict[LineEvent, str]] = {
    E.REFUSE: "Refused",
    E.HOLD_BACK: "Held back",
    E.WANT_SCREENING: "Clinical check wanted",
    E.CLEAR: "Checked, translated and sealed",
    E.TOMBSTONE_CANCEL: "Cancelled: the cancellation came first",
    E.MAP_APPROVED: "Released: a code was mapped",
    E.CORRECTED: "A corrected message arrived",
    E.CANCEL: "Cancelled before it was sent",
    E.SCREENING_FAILED: "Clinical check not passed",
    E.ON_WIRE: "Sending began",
    E.RETRIES_SPENT: "Given up sending",
    E.SENT_AGAIN: "To be sent again, by a person",
    E.NOT_STORED: "The provider's system did not take it",
    E.ARRIVED: "Arrived at the provider's system",
    E.ACCEPTED: "Accepted by the provider",
    E.NOTHING_DECISIVE: "No decisive answer: it may have arrived",
    E.VERBATIM_RETRY: "Sent again, the same bytes",
    E.NEVER_HAD_IT: "The provider proved that it never had it",
    E.REJECTED: "Rejected by the provider",
    E.REFUSED_FORMAT: "The provider's system refused the message",
    E.QUERIED: "The provider asked a question",
    E.ANSWERED: "The question was answered",
    E.VALIDATED: "Checked by the provider's pharmacist",
    E.RETURNED: "Returned by the provider",
    E.SUPPLY_PLANNED: "A delivery was planned",
    E.POSTPONED: "The patient asked for a later delivery",
    E.DISPENSING_STARTED: "The provider is making it up",
    E.DISPENSED: "Dispensed",
    E.DISPATCHED: "On its way to the patient",
    E.DELIVERED: "Delivered",
    E.LAST_DELIVERED: "Delivered: the last supply",
    E.DELIVERY_FAILED: "A delivery failed",
    E.SUPPLY_SHORT: "Supplied in part; the rest is owed",
    E.BALANCE_SUPPLIED: "The rest was supplied",
    E.BALANCE_WILL_NOT_COME: "The rest will not be supplied",
    E.NOT_SUPPLIED: "Not supplied",
    E.SUPPLY_WITHDRAWN: "The report of a supply was withdrawn",
    E.BALANCE_WITHDRAWN: "The report of the rest was withdrawn: it is owed again",
    E.WINDOW_OVER: "The time for corrections is over",
    E.HOLD_ASKED: "Hold asked: not on hold",
    E.HOLD_CONFIRMED: "Put on hold, confirmed",
    E.HOLD_REFUSED: "The provider did not put it on hold: not on hold",
    E.RELEASE_ASKED: "Release asked: still on hold",
    E.RELEASE_CONFIRMED: "Released from hold, confirmed",
    E.RELEASE_REFUSED: "The provider did not release it: still on hold",
    E.HOLD_REPLY_ERROR: "The answer to a hold or release could not be used: nothing changed",
    E.REROUTE: "Sent to another provider",
    E.REVOKED_FOR_REROUTE: "Given up by the provider, for another",
    E.REPLACED: "Replaced by another prescription",
    E.CLOSE: "Closed by the trust",
    E.VALIDITY_OVER: "No longer valid",
    E.RENEWAL_REQUESTED: "A renewal was asked for",
    E.RENEWAL_PASSED_ON: "The renewal is with the prescriber",
    E.RENEWAL_APPROVED: "Renewed by a new prescription",
    E.RENEWAL_DECLINED: "The renewal was declined",
    E.RENEWAL_LAPSED: "The renewal lapsed",
    E.CANCEL_ASKED: "Cancellation asked: not cancelled",
    E.CANCEL_CONFIRMED: "Cancellation confirmed",
    E.CANCEL_TOO_LATE: "Too late to cancel: already supplied",
    E.CANCEL_PENDING: "Cancellation pending at the provider: not cancelled",
    E.CANCEL_UNKNOWN: "The provider does not know what was to be cancelled",
    E.CANCEL_BY_OTHER: "Cancelled by another",
    E.CANCEL_REPLY_ERROR: "The answer to the cancellation could not be used: not cancelled",
}

ACTORS: Final[dict[Actor, tuple[str, str]]] = {
    Actor.PRESCRIBER: ("the prescriber", "stated by the trust's system"),
    Actor.TRUST_PHARMACIST: ("the trust's pharmacist", "stated by the trust's system"),
    Actor.GATEWAY: ("this gateway", "our own record"),
    Actor.PROVIDER_SYSTEM: ("the provider's system", "reported by the provider's system"),
    Actor.PROVIDER_PHARMACIST: ("the provider's pharmacist", "reported by the provider"),
    Actor.MAP_APPROVERS: ("two map approvers", "our own record"),
    Actor.OPERATOR: ("an operator", "stated by a person"),
    Actor.TWO_PEOPLE: ("two people", "stated by two people"),
    Actor.CLOCK: ("the clock", "worked out by us from the time"),
}
"""Who, and how we know it."""

HOLDERS: Final[dict[Holder, str]] = {
    Holder.GATEWAY: "This gateway",
    Holder.TRUST: "The trust",
    Holder.PROVIDER: "The provider",
    Holder.NOBODY: "Nobody: nothing is awaited",
}


def clock_time(moment: datetime) -> str:
    """Give a moment as `22 Nov 2026, 09:20:11`, London time."""
    local = moment.astimezone(LONDON)
    return f"{local.day} {local:%b %Y, %H:%M:%S}"


_MARKS_OF_ORDER: Final = {
    code: f"[U+{code:04X}]" for code in (*range(0x202A, 0x202F), *range(0x2066, 0x206A), *range(0x80, 0xA0), 0x7F)
} | {code: f"[U+{code:04X}]" for code in range(0x20) if chr(code) not in "\n\t"}


def inert(text: str) -> str:
    """Give words from outside as they may stand among ours: what would turn the order of the page is shown by number.

    Source: reliability-security.md H23, J08.
    """
    return text.translate(_MARKS_OF_ORDER)


def begun(text: str) -> str:
    """Give words as they begin a sentence: the first letter is a capital, and every other stays as it is."""
    return text[:1].upper() + text[1:]


def zone_time(moment: datetime) -> str:
    """Give a moment as `5 Oct 2026, 09:20:11 BST`, with the zone, as evidence needs it."""
    return f"{clock_time(moment)} {moment.astimezone(LONDON):%Z}"


def short_time(moment: datetime) -> str:
    """Give a moment as `5 Oct 2026, 09:20`, London time."""
    local = moment.astimezone(LONDON)
    return f"{local.day} {local:%b %Y, %H:%M}"


def how_long(span: timedelta) -> str:
    """Give a length of time in its two largest units: `3 h 40 min`."""
    seconds = max(0, int(span.total_seconds()))
    units = (("day", 86400), ("h", 3600), ("min", 60), ("s", 1))
    parts: list[str] = []
    for name, size in units:
        count, seconds = divmod(seconds, size)
        if count or (name == "s" and not parts):
            parts.append(f"{count} {name}{'s' if name == 'day' and count > 1 else ''}")
    return " ".join(parts[:2])


def days(count: int) -> str:
    """Give a number of days as `1 day`, `14 days`."""
    return f"{count} {'day' if count == 1 else 'days'}"


def day(value: date) -> str:
    """Give a day as `22 Nov 2026`."""
    return f"{value.day} {value:%b %Y}"


_SECOND: Final = timedelta(seconds=1)


def when(moment: datetime, now: datetime) -> str:
    """Give how far a moment is from now: `4 min 11 s ago`, `in 3 h 40 min`.

    What was written down while the page was made is of now, and not still to come.
    """
    return f"in {how_long(moment - now)}" if moment - now >= _SECOND else f"{how_long(now - moment)} ago"


def nhs_number(digits: str) -> str:
    """Give an NHS number in the 3-3-4 form people read out."""
    return f"{digits[:3]} {digits[3:6]} {digits[6:]}" if len(digits) == len("9990000018") else digits


def born(iso_date: str, now: datetime) -> str:
    """Give a birth date as `12 Apr 1979 (47)`, with the age today in London; empty for none."""
    if not iso_date:
        return ""
    birth, today = date.fromisoformat(iso_date), now.astimezone(LONDON).date()
    age = today.year - birth.year - ((today.month, today.day) < (birth.month, birth.day))
    return f"{birth.day} {birth:%b %Y} ({age})"
