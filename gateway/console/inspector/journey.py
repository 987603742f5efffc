"""How a message went: its attempts, what came back and what that was matched to, and what its sender was answered.

Source: console.md 6.7.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from gateway.console import bytes_shown, pages
from gateway.console.inspector.hiding import Hiding
from gateway.console.inspector.issues import Fault, faults
from gateway.console.inspector.names import OUTCOME_WORDS, STATE_WORDS
from gateway.console.site import Names
from gateway.console.words import EVENTS, STATES, clock_time, how_long, when
from gateway.domain.identifiers import OdsCode
from gateway.domain.lifecycle import LineEvent, LineState
from gateway.domain.submission import Answer
from gateway.ports.inspection import (
    Answered,
    Sealed,
    Transmitted,
    Tried,
)

_FIRST_BYTES: Final = 200
_TRIED_WORDS: Final = {
    "on_wire": "Begun; nothing is known of how it ended",
    "taken": "Their system took it",
    "refused": "Their system refused it",
    "try_later": "Proved not taken",
    "in_doubt": "Not known if it arrived",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptShown:
    """One attempt in words."""

    number: int
    began: str
    lasted: str
    outcome: str
    colour: str
    code: str
    first: str
    whole: str
    size: int
    fenced: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Sending:
    """A message on its way, with its attempts."""

    href: str
    name: str
    partner: str
    kind: str
    message_id: str
    state: str
    next_at: str
    duplicate: bool
    withheld: bool
    attempts: tuple[AttemptShown, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerShown:
    """An answer, and what it was matched to, or why it was not."""

    href: str
    name: str
    at: str
    partner: str
    answer_id: str
    outcome: str
    colour: str
    names: str
    matched: str
    matched_href: str
    why_not: tuple[str, ...]
    did: tuple[tuple[str, str], ...]
    faults: tuple[Fault, ...]


def sending(one: Transmitted, names: Names, hide: Hiding, now: datetime) -> Sending:
    """Give a message on its way with its attempts, as a list of deliveries."""
    row = one.row
    ods = OdsCode.parse(row.partner)
    return Sending(
        href=f"/console/messages/{row.id}",
        name=str(row.id),
        partner=pages.named(ods, names) if ods else row.partner,
        kind=row.kind,
        message_id=str(one.message_id),
        state=STATE_WORDS.get(row.state, row.state),
        next_at=_next(one.next_at, now) if one.next_at else "",
        duplicate=one.possible_duplicate,
        withheld=one.withheld,
        attempts=tuple(_attempt(tried, hide) for tried in one.tried),
    )


def _next(moment: datetime, now: datetime) -> str:
    if moment <= now:
        return f"as soon as there is room, since {clock_time(moment)}"
    return f"{clock_time(moment)}, {when(moment, now)}"


def _attempt(tried: Tried, hide: Hiding) -> AttemptShown:
    _, colour = OUTCOME_WORDS.get(tried.outcome, ("", "grey"))
    text = bytes_shown.text(tried.evidence) if tried.evidence else ""
    began = tried.began or tried.ended
    lasted = how_long(tried.ended - tried.began) if tried.began and tried.ended else ""
    shown = text if hide.off else ""
    return AttemptShown(
        number=tried.number,
        began=clock_time(began) if began else "",
        lasted=("under 1 s" if lasted == "0 s" else lasted) or "Not known",
        outcome=_TRIED_WORDS.get(tried.outcome, tried.outcome),
        colour=colour,
        code=bytes_shown.visible(hide.through(tried.reason)),
        first=shown[:_FIRST_BYTES],
        whole=shown if len(shown) > _FIRST_BYTES else "",
        size=len(tried.evidence),
        fenced=tried.fenced,
    )


def answer(one: Answered, names: Names, hide: Hiding) -> AnswerShown:
    """Give an answer, what it was matched to and why, or why not."""
    outcome, colour = OUTCOME_WORDS[one.row.outcome]
    ods = OdsCode.parse(one.row.partner)
    who = pages.named(ods, names) if ods else one.row.partner
    apart = tuple(hide.through(text) for _, text in one.alerts)
    moved = any(event.moved for event in one.happened)
    matched = ""
    if one.answers is not None and not apart and one.happened:
        matched = f"It names that message, which was sent to {who}, and the lines it speaks of are that message's."
    why_not = apart or (("It named no message of ours, and no line was found for it.",) if not one.happened else ())
    return AnswerShown(
        href=f"/console/messages/{one.row.id}",
        name=str(one.row.id),
        at=clock_time(one.row.at),
        partner=who,
        answer_id=bytes_shown.visible(one.row.control_id) or "No id of its own",
        outcome=outcome,
        colour=colour,
        names=str(one.correlation) if one.correlation else "It names no message",
        matched=matched,
        matched_href=f"/console/messages/{one.answers}" if one.answers else "",
        why_not=() if moved and not apart else why_not,
        did=tuple(
            (_event(event.event), _moved(event.state_before, event.state_after, event.text, hide))
            for event in one.happened
        ),
        faults=faults(one.issues, hide),
    )


def _event(name: str) -> str:
    return EVENTS[LineEvent(name)] if name in set(LineEvent) else name.replace("_", " ").capitalize()


def _moved(before: str, after: str, text: str, hide: Hiding) -> str:
    said = hide.through(text)
    if before == after or after not in set(LineState):
        return f"No state changed. {said}".strip()
    earlier = STATES[LineState(before)].label if before in set(LineState) else "Nothing"
    return f"{earlier} → {STATES[LineState(after)].label}. {said}".strip()


def sealed(one: Sealed, names: Names) -> dict[str, str]:
    """Give the facts of a sealed message."""
    ods = OdsCode.parse(one.destination)
    return {
        "id": str(one.id),
        "event": one.event,
        "destination": pages.named(ods, names) if ods else one.destination,
        "epoch": str(one.epoch),
        "digest": one.digest,
        "key": one.key_id,
        "at": clock_time(one.created_at),
        "href": f"/console/messages/{one.sent}" if one.sent else "",
    }


def answer_given(given: Answer, hide: Hiding) -> dict[str, object]:
    """Give the answer that the sender got: its code, and its bytes once the message is unmasked."""
    text = bytes_shown.json_text(given.body) if "json" in given.content_type else bytes_shown.text(given.body)
    later = bytes_shown.text(given.later) if given.later else ""
    return {
        "status": given.http_status,
        "type": given.content_type,
        "size": len(given.body),
        "text": text if hide.off else "",
        "later": later if hide.off else "",
        "has_later": given.later is not None,
    }
