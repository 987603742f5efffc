"""A small picture of a prescription's way, drawn on the server: which stations it passed, and where it waits now.

The list beside it is the primary form. Every station has its own words and shape: no colour speaks alone.

Source: console.md 6.3, 9 (1.4.1); house rule: no style and no script in a page.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from gateway.console.words import short_time
from gateway.domain.labels import LABELS
from gateway.domain.lifecycle import LineState
from gateway.enquiries import PrescriptionView

S = LineState
STATIONS: Final[tuple[tuple[str, frozenset[LineState]], ...]] = (
    ("Received", frozenset({S.RECEIVED, S.HELD, S.AWAITING_SCREENING, S.READY})),
    ("Sent", frozenset({S.SENT, S.UNCERTAIN})),
    ("Arrived", frozenset({S.WITH_PROVIDER})),
    ("Accepted", frozenset({S.ACCEPTED, S.QUERIED})),
    ("Checked", frozenset({S.VALIDATED})),
    ("Supplied", frozenset({S.IN_SUPPLY, S.PART_SUPPLIED, S.FULFILLED})),
)
"""Four different words for sent, arrived, accepted and checked, in the order of the way."""
_FIRST: Final = STATIONS[0][0]
WIDTH: Final = 312
STEP: Final = 44
_TOP: Final = 22


@dataclass(frozen=True, slots=True, kw_only=True)
class Station:
    """One station.

    Attributes:
        kind: `passed`, `here` or `ahead`.
        when: when it was first reached, or that it was not.
    """

    y: int
    words: str
    kind: str
    when: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """The drawing, ready to be written as SVG; `title` and `desc` say all of it in words.

    Attributes:
        off: where it is now, if at none of the stations.
    """

    title: str
    desc: str
    width: int
    height: int
    stations: tuple[Station, ...]
    off: str = ""


def picture(view: PrescriptionView) -> Picture | None:
    """Draw the way of a prescription; None where no line can be drawn."""
    if not view.lines:
        return None
    reached = _reached(view)
    here = _here(view)
    # whose history begins later, such as a provider's, is not told that what came before was passed over
    on_way = STATIONS if _FIRST in {*reached, here} or not reached else STATIONS[1:]
    last = max((index for index, (words, _) in enumerate(on_way) if words in reached), default=0)
    stations = tuple(
        Station(
            y=_TOP + index * STEP,
            words=words,
            kind="here" if words == here else "passed" if words in reached else "ahead",
            when=short_time(reached[words]) if words in reached else _unreached(index, last, on_its_way=bool(here)),
        )
        for index, (words, _) in enumerate(on_way)
    )
    off = "" if here else "; ".join(dict.fromkeys(LABELS[line.state] for line in view.lines))
    said = ", ".join(f"{one.words.lower()}: {one.when}" for one in stations)
    return Picture(
        title=f"The way of this prescription: {f'now at {here.lower()}' if here else f'it left the way: {off}'}",
        desc=f"{said[0].upper()}{said[1:]}.",
        width=WIDTH,
        height=_TOP * 2 + (len(on_way) - 1) * STEP,
        stations=stations,
        off=off,
    )


def _unreached(index: int, last: int, *, on_its_way: bool) -> str:
    if index < last:
        return "passed over"
    return "not yet" if on_its_way else "not reached"


def _reached(view: PrescriptionView) -> dict[str, datetime]:
    found: dict[str, datetime] = {}
    for event in view.events:
        for words, states in STATIONS:
            if event.state_after in states and words not in found:
                found[words] = event.at
    return found


def _here(view: PrescriptionView) -> str:
    """Give the earliest station at which any line waits: the prescription is no further than its slowest line."""
    waiting = [words for words, states in STATIONS if any(line.state in states for line in view.lines)]
    return waiting[0] if waiting else ""
