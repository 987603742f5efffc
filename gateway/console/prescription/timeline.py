"""The history of a prescription as a list: what happened, who says so, how it is known, and how long nothing did.

Late facts stand where they happened, and say when they were learned; a correction strikes through what it corrects and
removes nothing; only attempts of the transport are ever folded together.

Source: console.md 6.3, 11 (6, 10).
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Final
from uuid import UUID

from gateway.console.pages import named
from gateway.console.prescription.grade import Grade, Graded, Grading
from gateway.console.site import Names
from gateway.console.words import ACTORS, EVENTS, STATES, clock_time, how_long, inert, short_time, when, zone_time
from gateway.domain.amounts import amount_words
from gateway.domain.labels import LABELS
from gateway.domain.lifecycle import TERMINAL, Actor, LineEvent, LineState
from gateway.domain.prescription import Professional
from gateway.enquiries import EventView, PrescriptionView
from gateway.ports.attention import WorkNote
from gateway.ports.dossier import Dossier, EventFacts

QUIET: Final = timedelta(hours=1)
"""A silence longer than this is drawn as an entry of its own."""
LATE: Final = timedelta(minutes=5)
"""A fact that is learned later than this after it happened stands where it happened."""
_FOLDED: Final = 4
"""So many attempts in a row, or more, are folded together."""
_AWAITING: Final = frozenset({LineState.SENT, LineState.WITH_PROVIDER, LineState.UNCERTAIN})
_TECHNICAL: Final = frozenset({LineEvent.ON_WIRE.value, LineEvent.NOT_STORED.value, LineEvent.VERBATIM_RETRY.value})
_BEGINS: Final = frozenset({LineEvent.ON_WIRE.value, LineEvent.VERBATIM_RETRY.value, LineEvent.ARRIVED.value})
"""What the time of an answer is counted from."""
_ABOUT_A_DAY: Final = frozenset({LineEvent.SUPPLY_PLANNED.value, LineEvent.POSTPONED.value})
"""Reports whose time is that of a day to come, not of what happened."""
_TAKES_BACK: Final = frozenset({"supply_withdrawn", "balance_withdrawn"})
_PROVIDERS: Final = frozenset({Actor.PROVIDER_SYSTEM.value, Actor.PROVIDER_PHARMACIST.value})
_ATTEMPT: Final = re.compile(r"attempt \d+\.?", re.IGNORECASE)
_IGNORED: Final = (
    (
        re.compile(r"nothing moved: ([A-Z_]+) is final; [a-z_]+ is kept as an annotation"),
        "nothing moved: it was over already ({state}); what was said is kept",
    ),
    (re.compile(r"nothing moved: [a-z_]+ says nothing new in ([A-Z_]+)"), "nothing moved: this is nothing new"),
    (
        re.compile(r"nothing moved: [a-z_]+ is not expected in ([A-Z_]+)"),
        "nothing moved: this is not expected of what stands as {state}",
    ),
)
"""Why nothing moved, as `domain/transition.py` says it with the names of a state and an event."""
_SAID_AT: Final = re.compile(r"(supplied|stated) at ([^\s;]+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One entry, in words; a silence has only `quiet`, a fold only `folded` and `quiet`.

    Attributes:
        seq: of its event, for its anchor and its evidence; nothing where it rests on no event.
        placed: where it stands in time.
        state: the state it led to, for the picture; empty where nothing moved.
        learned: when we learned it, where that was later than it happened.
        struck: what corrected it later; it is struck through.
        about: the medicines it is about, where not all.
        said: the provider's or a person's own words.
        folded: entries that are shown on demand.
    """

    seq: int = 0
    placed: datetime
    at: str = ""
    ago: str = ""
    what: str = ""
    who: str = ""
    known: Graded = Graded(grade=Grade.NONE, by="")  # noqa: RUF009 - frozen
    href: str = ""
    moved: str = ""
    state: str = ""
    clock: str = ""
    learned: str = ""
    struck: str = ""
    about: str = ""
    said: str = ""
    text: str = ""
    quiet: str = ""
    event: str = ""
    folded: tuple["Entry", ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What the timeline is made from, and for whom."""

    view: PrescriptionView
    dossier: Dossier
    calls: Sequence[WorkNote]
    names: Names
    now: datetime


def timeline(seen: Seen) -> tuple[Entry, ...]:
    """Give the history, oldest first."""
    entries = sorted((*_events(seen), *_calls(seen), *_stated(seen)), key=lambda one: (one.placed, one.seq))
    return tuple(_fold(_with_silences(entries, seen)))


def newest_first(entries: Iterable[Entry]) -> tuple[Entry, ...]:
    """Turn the list round, and what is folded with it."""
    return tuple(replace(one, folded=one.folded[::-1]) for one in reversed(tuple(entries)))


def happened_at(event: EventView, facts: EventFacts | None) -> datetime:
    """Give when the thing itself happened: as stated by whoever reports it, else when it was written down."""
    if facts is None or event.event in _ABOUT_A_DAY:
        return event.at
    said = {match[1]: match[2] for match in _SAID_AT.finditer(facts.text)}
    try:
        moment = datetime.fromisoformat(said.get("supplied") or said["stated"])
    except (KeyError, ValueError):
        return event.at
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return moment if event.at - moment > LATE else event.at


def without_times(text: str) -> str:
    """Give the words of an event without the times that stand among them."""
    return "; ".join(part for part in text.split("; ") if not _SAID_AT.fullmatch(part))


def in_london(text: str) -> str:
    """Give the words of an event with the times in them as every page says times; what is no time stays as it is."""

    def told(match: re.Match[str]) -> str:
        try:
            return f"{match[1]} at {zone_time(datetime.fromisoformat(match[2]))}"
        except ValueError:
            return match[0]

    return _SAID_AT.sub(told, text)


def _events(seen: Seen) -> Iterator[Entry]:
    """Give the events of all lines; what happened to several at once is one entry."""
    told = _Told(seen)
    groups: dict[tuple[object, ...], list[EventView]] = {}
    for event in seen.view.events:
        same = (event.at, event.event, event.actor, event.state_before, event.state_after, event.text)
        groups.setdefault(same, []).append(event)
    for group in groups.values():
        yield _entry(group, seen, told)


class _Told:
    """What is looked up for every event, gathered once: a history may have thousands."""

    def __init__(self, seen: Seen) -> None:
        self.struck = _struck(seen)
        self.grading = Grading(seen.dossier)
        self.attempts = {step.at: step.number for message in seen.dossier.messages for step in message.attempts}
        self.clocks = dict(_clocks(seen.view.events))


def _entry(group: Sequence[EventView], seen: Seen, told: _Told) -> Entry:
    event, facts = group[0], seen.dossier.events.get(group[0].seq)
    placed = happened_at(event, facts)
    late = placed != event.at
    return Entry(
        seq=event.seq,
        placed=placed,
        at=clock_time(placed),
        ago=when(placed, seen.now),
        what=_what(event, seen, facts, told.attempts),
        who=_who(event, facts, seen),
        known=told.grading.of(event),
        href=f"/console/prescriptions/{seen.view.found.prescription_id}/evidence/{event.seq}",
        moved=moved(event),
        state=event.state_after if event.state_before != event.state_after else "",
        clock=told.clocks.get(event.seq, ""),
        learned=clock_time(event.at) if late else "",
        struck=told.struck.get(event.seq, ""),
        about=_about(group, seen.view),
        said=inert("; ".join(filter(None, (facts.reason_code, facts.reason)))) if facts else "",
        text=_text(facts),
        event=event.event,
    )


def _what(event: EventView, seen: Seen, facts: EventFacts | None, attempts: Mapping[datetime, int]) -> str:
    provider = named(facts.provider if facts else None, seen.names)
    if event.event == "received":
        held = seen.dossier.submission
        return f"Received from {named(seen.view.found.tenant, seen.names)}. {held.length:,} bytes"
    if event.event == LineEvent.CLEAR.value and event.actor == Actor.GATEWAY.value:
        return f"Checked, translated and sealed. {seen.dossier.facts} values traced"
    if event.event == LineEvent.ON_WIRE.value:
        number = attempts.get(event.at)
        return f"Sent to {provider}{f', attempt {number}' if number else ''}"
    words = event_words(event.event, event.actor)
    return f"{words}: {amount_words(f'{facts.amount} {facts.unit}'.rstrip())}" if facts and facts.amount else words


def event_words(event: str, actor: str = "") -> str:
    """Give an event in words; the check of a pharmacist here is not the gateway's own."""
    if event == LineEvent.CLEAR.value and actor == Actor.TRUST_PHARMACIST.value:
        return "Passed the pharmacist's check"
    if event in set(LineEvent):
        return EVENTS[LineEvent(event)]
    return event.replace("_", " ").replace("-", " ").capitalize()


def _who(event: EventView, facts: EventFacts | None, seen: Seen) -> str:
    if event.actor in _PROVIDERS and facts and facts.provider:
        return named(facts.provider, seen.names)
    if event.actor in {Actor.PRESCRIBER.value, Actor.TRUST_PHARMACIST.value}:
        return f"{ACTORS[Actor(event.actor)][0]}, {named(seen.view.found.tenant, seen.names)}"
    return ACTORS[Actor(event.actor)][0] if event.actor in set(Actor) else inert(event.actor)


def moved(event: EventView) -> str:
    """Give the state before and after, in words; empty where nothing moved."""
    if event.state_before == event.state_after or event.state_after not in set(LineState):
        return ""
    after = STATES[LineState(event.state_after)].label
    if event.state_before not in set(LineState):
        return after
    return f"{STATES[LineState(event.state_before)].label} → {after}"


def _clocks(events: Sequence[EventView]) -> Iterator[tuple[int, str]]:
    """Say how long each first answer took, from when we sent it or it arrived, line by line."""
    since: dict[UUID | None, EventView] = {}
    for event in events:
        began = since.get(event.line_id)
        if event.actor in _PROVIDERS and began is not None:
            span = how_long(event.at - began.at)
            if began.event == LineEvent.ARRIVED.value:
                yield event.seq, f"{span} after it arrived"
            else:
                arrived = event.event == LineEvent.ARRIVED.value
                yield event.seq, f"{span} after it was sent" if arrived else f"answered in {span}"
            if event.state_before != event.state_after:
                del since[event.line_id]
        if event.event in _BEGINS:
            since[event.line_id] = event


def _about(group: Sequence[EventView], view: PrescriptionView) -> str:
    if len(view.lines) < 2:  # noqa: PLR2004 - one medicine: it is about that
        return ""
    products = {shown.line_id: shown.product for shown in view.lines}
    ids = {event.line_id for event in group}
    if ids >= set(products):
        return f"All {len(products)} medicines"
    return inert("; ".join(products[one] for one in products if one in ids))


def _text(facts: EventFacts | None) -> str:
    if facts is None:
        return ""
    said = ignored(facts.text).split("; ")
    return inert(
        "; ".join(part for part in said if part and not _SAID_AT.fullmatch(part) and not _ATTEMPT.fullmatch(part))
    )


def ignored(text: str) -> str:
    """Give the words of an event with why nothing moved said by labels, not by the names of states and events."""

    def told(words: str, match: re.Match[str]) -> str:
        return words.format(state=LABELS[LineState(match[1])]) if match[1] in set(LineState) else match[0]

    for pattern, words in _IGNORED:
        text = pattern.sub(partial(told, words), text)
    return text


def _struck(seen: Seen) -> Mapping[int, str]:
    """Give what was taken back later, by the number of its event, and in what words."""
    last: dict[tuple[UUID, int], int] = {}
    found: dict[int, str] = {}
    for step in seen.dossier.steps:
        key = (step.line_id, step.issue)
        if step.state_after == "DELIVERED" and step.source is not None:
            last[key] = step.source
        elif step.event in _TAKES_BACK and key in last:
            found[last.pop(key)] = f"Corrected {clock_time(step.at)}: {event_words(step.event).lower()}"
    return found


def _calls(seen: Seen) -> Iterator[Entry]:
    """Give what people were told by telephone."""
    for call in seen.calls:
        at = call.spoken_at or call.at
        yield Entry(
            placed=at,
            at=clock_time(at),
            ago=when(at, seen.now),
            what=f"Call: {inert(call.person)}",
            who=f"logged by {inert(call.by)}",
            known=Graded(grade=Grade.STATED, by=f"a call, as {inert(call.by)} wrote it down"),
            learned=clock_time(call.at) if call.at - at > LATE else "",
            said=inert(call.words),
            text=f"{call.days_at_home} days of medicine at home" if call.days_at_home is not None else "",
        )


def _stated(seen: Seen) -> Iterator[Entry]:
    """Give what the message itself says happened before it was sent."""
    document = seen.dossier.document
    if document is not None and document.clinical_check is not None:
        check = document.clinical_check
        yield Entry(
            placed=check.at,
            at=clock_time(check.at),
            ago=when(check.at, seen.now),
            what=f"Clinically checked by {person_words(check.by)}",
            who=named(seen.view.found.tenant, seen.names),
            known=Graded(grade=Grade.STATED, by="the trust's system"),
            learned=clock_time(seen.dossier.submission.received_at),
        )


def person_words(person: Professional) -> str:
    """Give a clinician with the numbers that identify them."""
    numbers = ", ".join(f"{number.register} {number.value}" for number in person.ids)
    return inert(f"{person.name} ({numbers})" if numbers else str(person.name))


def _with_silences(entries: Sequence[Entry], seen: Seen) -> Iterator[Entry]:
    last: Entry | None = None
    awaiting = began = False
    for entry in entries:
        # what the trust did before it sent anything is no silence of anybody
        if last is not None and began and entry.placed - last.placed > QUIET:
            yield _silence(last.placed, entry.placed, awaiting=awaiting, over=True)
        yield entry
        if entry.state:
            awaiting = entry.state in _AWAITING
        began = began or bool(entry.seq)
        last = entry
    going = any(shown.state not in TERMINAL | {LineState.FULFILLED} for shown in seen.view.lines)
    if last is not None and going and seen.now - last.placed > QUIET:
        yield _silence(last.placed, seen.now, awaiting=awaiting, over=False)


def _silence(since: datetime, until: datetime, *, awaiting: bool, over: bool) -> Entry:
    span = how_long(until - since)
    if over:
        words = f"No answer for {span}" if awaiting else f"Nothing was heard for {span}"
    else:
        words = f"No answer for {span}, up to now" if awaiting else f"Nothing has been heard for {span}"
    return Entry(placed=since, quiet=f"{words} (since {short_time(since)}).")


def _fold(entries: Iterable[Entry]) -> Iterator[Entry]:
    """Fold long runs of attempts, all but the first and the last of each."""
    run: list[Entry] = []
    for entry in (*entries, None):
        if entry is not None and entry.event in _TECHNICAL:
            run.append(entry)
            continue
        if len(run) < _FOLDED:
            yield from run
        else:
            inner = tuple(run[1:-1])
            yield run[0]
            yield Entry(placed=inner[0].placed, quiet=f"{len(inner)} more steps of sending", folded=inner)
            yield run[-1]
        run = []
        if entry is not None:
            yield entry
