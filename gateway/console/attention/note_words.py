"""What was done about an item, in words."""

from dataclasses import dataclass
from datetime import datetime

from gateway.console.words import (
    clock_time,
    days,
    when,
)
from gateway.ports.attention import WorkNote


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteShown:
    """One thing that was done about an item."""

    at: str
    ago: str
    what: str
    words: str
    evidence: str


def note_of(note: WorkNote, now: datetime) -> NoteShown:
    """Give one note in words."""
    whats = {
        "taken": f"{note.by} took it",
        "handed over": f"{note.by} handed it to {note.person}",
        "put off": f"{note.by} put it off until {clock_time(note.until)}" if note.until else "",
        "call": f"{note.by} spoke with {note.person}, {clock_time(note.spoken_at)}" if note.spoken_at else "",
        "reminded": f"{note.by} reminded {note.person}",
    }
    stock = f" Medicine at home: {days(note.days_at_home)}." if note.days_at_home is not None else ""
    return NoteShown(
        at=clock_time(note.at),
        ago=when(note.at, now),
        what=whats[note.kind],
        words=note.words + stock,
        evidence="stated" if note.kind == "call" else "our own record",
    )
