"""Tests anybody's history of lines against the lifecycle tables: what each entry may not have done, and why.

A log is a sequence of entries in the order in which they happened. A line begins with `received`, or with an entry that
says in which state the line stood before it, for a party that joins later: a provider first sees a line that was sent.
A cancel, a revocation for a re-route and a hold are followed beside their line, and a delivery or a renewal that an
entry names beside them (`gateway.domain.logged_line`).

What a log does not hold is not tested: whose certificate an answer came under, and whether a message had expired.

Source: mapping.md 10; reliability-security.md I7, I10, I13, I16.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from gateway.domain.lifecycle import Actor, LineState
from gateway.domain.logged_line import LoggedLine

RECEIVED: Final = "received"
"""The entry that begins a line: its bytes are stored."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One entry of a log.

    Attributes:
        number: its place in the log, from 1; what a violation is reported under.
        line: whatever name the party gives the line.
        event: of the machine meant: a name of mapping.md 10.
        actor: who caused it, by the letters of mapping.md 10.1.
        at: when; entries of one line do not go back in time.
        state: where the line (or delivery, or renewal) stood before, where this is the first that is known of it.
        delivery: the issue it speaks of, from 1; None for an event of the line.
        renewal: whether it is an event of the line's renewal.
    """

    number: int
    line: str
    event: str
    actor: str
    at: datetime
    state: str = ""
    delivery: int | None = None
    renewal: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """One entry that the tables do not allow."""

    number: int
    line: str
    text: str


@dataclass(slots=True)
class _Followed:
    """One line of a log.

    Attributes:
        at: the latest time that an entry of it had.
        unproven: a change that took the line's place, where only the next entry can say that it might.
    """

    line: LoggedLine
    at: datetime
    unproven: Entry | None = None


def violations(entries: Iterable[Entry]) -> Iterator[Violation]:
    """Give every entry that the tables do not allow, as it is found; an entry that is not allowed moves nothing.

    Only a change that waits for its cancel is found out later than where it stands: by the entry after it, or the end.
    A repeat that says nothing new is allowed: partners send them.
    """
    lines: dict[str, _Followed] = {}
    for entry in entries:
        yield from _check(entry, lines)
    for one in lines.values():
        if one.unproven is not None:
            yield _of(one.unproven, _WAITS)


_WAITS: Final = "a change takes the place of what a provider has only once that has confirmed the cancel"


def _of(entry: Entry, text: str) -> Violation:
    return Violation(number=entry.number, line=entry.line, text=text)


def _check(entry: Entry, lines: dict[str, _Followed]) -> Iterator[Violation]:
    if entry.actor not in set(Actor):
        yield _of(entry, f"{entry.actor!r} is no actor of mapping.md 10.1")
        return
    one = lines.get(entry.line)
    if one is None:
        begun = _begin(entry)
        if isinstance(begun, str):
            yield _of(entry, begun)
            return
        one = lines[entry.line] = _Followed(line=begun, at=entry.at)
        if entry.event == RECEIVED:
            return
    elif entry.event == RECEIVED and entry.delivery is None:
        yield _of(entry, "the line was received before")
        return
    if entry.at < one.at:
        yield _of(entry, "it is earlier than the entry before it")
    one.at = max(entry.at, one.at)
    yield from _happens(entry, one)


def _happens(entry: Entry, one: _Followed) -> Iterator[Violation]:
    """Let an entry happen to its line, and say what of it, or of the change before it, may not be."""
    line, of_the_line = one.line, entry.delivery is None and not entry.renewal
    if one.unproven is not None and of_the_line:
        if not line.proves(entry.event, entry.actor):
            yield _of(one.unproven, _WAITS)
        one.unproven = None
    if entry.delivery is not None:
        fault = line.supply(entry.event, Actor(entry.actor), entry.delivery, entry.state)
    elif entry.renewal:
        fault = line.renew(entry.event, Actor(entry.actor))
    else:
        fault = line.happen(entry.event, Actor(entry.actor))
    if fault:
        yield _of(entry, fault)
    elif of_the_line and line.waits_for_proof(entry.event):
        one.unproven = entry


def _begin(entry: Entry) -> LoggedLine | str:
    if entry.event == RECEIVED:
        return LoggedLine(state=LineState.RECEIVED)
    if entry.state not in set(LineState):
        if entry.delivery is not None or entry.renewal:
            return "the line itself is not known yet"
        return "a line begins with 'received', or with the state it stood in"
    return LoggedLine(state=LineState(entry.state))
