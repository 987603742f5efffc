"""Where timing is said: TQ1 (2.5 on) and the older TQ of RXE-1 and ORC-7, brought to one shape.

Source: HL7 v2.5.1 chapter 4.5.4 (TQ1) and chapter 2A (TQ, RPT); mapping.md 3.4.
"""

import re
from dataclasses import dataclass
from decimal import Decimal

from gateway.domain.prescription import Duration, TimeUnit
from gateway.translate.from_hl7v2.amounts import duration
from gateway.translate.from_hl7v2.coded import Coded, coded, coded_within
from gateway.translate.from_hl7v2.desk import Desk
from gateway.translate.record import Leaf
from gateway.wire.er7 import Repetition, Segment


@dataclass(frozen=True, slots=True, kw_only=True)
class Repeat:
    """One repeat pattern: its code with words and system, and the parts of RPT beside it."""

    at: str
    code: Leaf | None = None
    words: Leaf | None = None
    system: str = ""
    alignment: Leaf | None = None
    phase_begin: Leaf | None = None
    phase_end: Leaf | None = None
    period: Leaf | None = None
    period_unit: Leaf | None = None
    event: Leaf | None = None
    offset: Leaf | None = None
    offset_unit: Leaf | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Fields:
    """One timing statement as sent."""

    at: str
    amount: Leaf | None = None
    amount_unit: Coded | None = None
    repeats: tuple[Repeat, ...] = ()
    times: tuple[Leaf, ...] = ()
    relative: Duration | None = None
    length: Duration | None = None
    start: Leaf | None = None
    end: Leaf | None = None
    priorities: tuple[Leaf, ...] = ()
    condition: Leaf | None = None
    text: Leaf | None = None
    join: Leaf | None = None
    lasts: Duration | None = None
    occurrences: Leaf | None = None

    @property
    def empty(self) -> bool:
        """Whether nothing is said of when."""
        said = (
            self.repeats,
            self.times,
            self.relative,
            self.length,
            self.start,
            self.end,
            self.lasts,
            self.occurrences,
        )
        return not any(said) and not any(leaf.raw == "PRN" for leaf in self.priorities)


def fields_of_tq1(desk: Desk, segment: Segment, target: str) -> Fields:
    """Read a TQ1 segment."""
    quantity = desk.one(segment, 2)
    return Fields(
        at=segment.locator,
        amount=desk.leaf(quantity),
        amount_unit=coded_within(desk, quantity, 2),
        repeats=tuple(repeat for part in desk.all(segment, 3) if (repeat := _repeat(desk, part))),
        times=tuple(leaf for part in desk.all(segment, 4) if (leaf := desk.leaf(part))),
        relative=_relative(desk, desk.one(segment, 5), f"{target}.timing"),
        length=duration(desk, desk.one(segment, 6), f"{target}.timing.bounds.duration"),
        start=desk.leaf(desk.one(segment, 7)),
        end=desk.leaf(desk.one(segment, 8)),
        priorities=tuple(_first(desk, element) for part in desk.all(segment, 9) if (element := coded(desk, part))),
        condition=desk.leaf(desk.one(segment, 10)),
        text=desk.leaf(desk.one(segment, 11)),
        join=desk.leaf(desk.one(segment, 12)),
        lasts=duration(desk, desk.one(segment, 13), f"{target}.timing.administer_over"),
        occurrences=desk.leaf(desk.one(segment, 14)),
    )


def _relative(desk: Desk, part: Repetition | None, target: str) -> Duration | None:
    """Read TQ1-5, the time from one dose to the next: once in each such period."""
    found = duration(desk, part, target)
    if found:
        desk.trace(target, desk.leaf(part), "copy", f"once in {found.value:f} {found.unit.value}")
    return found


def _first(desk: Desk, element: Coded) -> Leaf:
    desk.use(*element.leaves())
    return next(element.leaves())


def _repeat(desk: Desk, part: Repetition) -> Repeat | None:
    """Read an RPT. Many senders write it as a coded element (`Q1W^every week^HL70335`); both are read."""
    leaf = {number: desk.leaf(part, number) for number in (2, 3, 4, 5, 6, 7, 8, 9, 10)}
    desk.use(leaf[7])  # institution-specified times change nothing that is sent
    inside = coded_within(desk, part, 1)
    code, words, system = (inside.first.code, inside.first.words, inside.first.system) if inside else (None, None, "")
    named = leaf[2] is not None and not re.fullmatch(r"[A-Z]{2}", leaf[2].raw)
    as_coded = named or (leaf[2] is None and leaf[3] is not None and not re.fullmatch(r"[\d.]+", leaf[3].raw))
    if as_coded:
        words, system = leaf[2], desk.text(leaf[3])
    if not any((code, words, *leaf.values())):
        return None
    return Repeat(
        at=part.locator,
        code=code,
        words=words,
        system=system,
        alignment=None if as_coded else leaf[2],
        phase_begin=None if as_coded else leaf[3],
        phase_end=leaf[4],
        period=leaf[5],
        period_unit=leaf[6],
        event=leaf[8],
        offset=leaf[9],
        offset_unit=leaf[10],
    )


_LENGTHS = {
    "S": TimeUnit.SECOND,
    "M": TimeUnit.MINUTE,
    "H": TimeUnit.HOUR,
    "D": TimeUnit.DAY,
    "W": TimeUnit.WEEK,
    "L": TimeUnit.MONTH,
}


def fields_of_tq(desk: Desk, part: Repetition, target: str) -> Fields:
    """Read one repetition of the older TQ."""
    code, clock = desk.leaf(part, 2, 1), desk.leaf(part, 2, 2)
    priority = desk.leaf(part, 6)
    if clock:
        desk.use(clock)
        desk.not_understood(clock.locator, "Send clock times in TQ1-4.")
    return Fields(
        at=part.locator,
        amount=desk.leaf(part, 1, 1),
        amount_unit=_tq_unit(desk, part),
        repeats=(Repeat(at=f"{part.locator}.2", code=code),) if code else (),
        length=_tq_length(desk, desk.leaf(part, 3), f"{target}.timing.bounds.duration"),
        start=desk.leaf(part, 4),
        end=desk.leaf(part, 5),
        priorities=(priority,) if priority else (),
        condition=desk.leaf(part, 7),
        text=desk.leaf(part, 8),
        join=desk.leaf(part, 9),
        occurrences=desk.leaf(part, 12),
    )


def _tq_unit(desk: Desk, part: Repetition) -> Coded | None:
    """Read the unit of TQ.1: a bare word in its second subcomponent."""
    inside = coded_within(desk, part, 1)
    if inside is None:
        return None
    word = desk.leaf(part, 1, 2)
    if word is None:
        return None
    return Coded(f"{part.locator}.1", (type(inside.first)(word, None, ""),))


def _tq_length(desk: Desk, leaf: Leaf | None, target: str) -> Duration | None:
    """Read TQ.3: a letter and a number; `INDEF` says nothing. `X`, a number of times, is not served here."""
    if leaf is None:
        return None
    desk.use(leaf)
    if leaf.raw == "INDEF":
        return None
    found = re.fullmatch(r"([SMHDWL])([1-9]\d{0,3})", leaf.raw, re.ASCII)
    if found is None:
        desk.flag("TIMING_UNMAPPED", leaf.locator, "Send a duration as D7, W4 or L6.")
        return None
    length = Duration(value=Decimal(found[2]), unit=_LENGTHS[found[1]])
    desk.trace(target, leaf, "parse:tq-duration", f"{found[2]} {length.unit}")
    return length
