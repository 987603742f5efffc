"""A message as it was received, by segments and fields, or by values: every one a link to what became of it."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from gateway.console import bytes_shown
from gateway.console.inspector.fields import SEGMENTS, name_of
from gateway.console.inspector.hiding import Hiding, Value, field_shown, target_shown
from gateway.console.inspector.links import Links, counted
from gateway.domain.submission import WireFormat
from gateway.domain.trace import Leftover
from gateway.wire.er7 import Delimiters, Er7Error, Message, Segment, parse

MOST: Final = 1500
"""Values shown of one message at once; the rest is a page further."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """A value of the source, or the mark between two.

    Attributes:
        at: locator; empty for a mark.
        name: what the place is called.
        goes: how many places it goes to, in words; empty where no trace says.
        marked: it is the one that was chosen, or goes where the chosen one goes.
        offset: byte at which it begins.
        size: bytes.
    """

    value: Value
    at: str = ""
    name: str = ""
    goes: str = ""
    marked: bool = False
    offset: int = 0
    size: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentShown:
    """A segment: a line of its own, which wraps between values and not within one."""

    name: str
    words: str
    ordinal: int
    offset: int
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceShown:
    """What is shown of the source.

    Attributes:
        fault: why it could not be read into fields; empty where it was.
        text: the whole, where there are no fields to show and a person may see it.
        further: the first value that is not shown, as a number; 0 where all are.
        facts: of the bytes: how many, which character set, which line ends.
    """

    facts: str
    segments: tuple[SegmentShown, ...] = ()
    fault: str = ""
    text: str = ""
    further: int = 0


def of_hl7v2(body: bytes, links: Links, hide: Hiding, marked: frozenset[str], *, start: int = 0) -> SourceShown:
    """Show an HL7 v2 message by its segments.

    Args:
        body: as received.
        links: of its trace.
        hide: masks what must be.
        marked: locators that are chosen.
        start: how many values to leave out before the first that is shown.
    """
    try:
        message = parse(body)
    except Er7Error as error:
        return SourceShown(facts=f"{len(body)} bytes", fault=error.text, text=_text(body, hide))
    known = {row.source: target_shown(row.target) for row in links.rows if row.source}
    segments: list[SegmentShown] = []
    count = 0
    for segment in segments_of(body, message):
        values = sum(bool(cell.at) for cell in segment.cells)
        if count >= start:
            cells = tuple(_linked(cell, links, hide, known, marked) for cell in segment.cells)
            segments.append(replace(segment, cells=cells))
        count += values
        if count >= start + MOST:
            return SourceShown(facts=_facts(body, message), segments=tuple(segments), further=count)
    return SourceShown(facts=_facts(body, message), segments=tuple(segments))


def of_values(
    body: bytes, form: WireFormat, links: Links, left: Sequence[Leftover], *, hide: Hiding, marked: frozenset[str]
) -> SourceShown:
    """Show a message of another format by the values that its reader listed, each with its place."""
    values: dict[str, str] = {row.source: row.raw for row in links.rows if row.source}
    values.update((one.source, one.raw) for one in left)
    shown = {row.source for row in links.rows if row.source and target_shown(row.target)}
    cells = [
        Cell(
            value=hide.of(raw, shown=at in shown),
            at=at,
            goes=_goes(links, at),
            marked=at in marked,
            size=len(raw.encode()),
        )
        for at, raw in sorted(values.items(), key=lambda pair: _natural(pair[0]))[:MOST]
    ]
    segments = tuple(
        SegmentShown(name="", words=cell.at, ordinal=number, offset=0, cells=(cell,))
        for number, cell in enumerate(cells, start=1)
    )
    return SourceShown(
        facts=f"{len(body)} bytes, {form.value.upper()}",
        segments=segments,
        text=_text(body, hide),
        further=len(cells) if len(values) > MOST else 0,
    )


def identifying(body: bytes) -> tuple[str, ...]:
    """Give the values of PID, for what masks them wherever else they stand; nothing where it is no HL7 v2 message."""
    try:
        message = parse(body)
    except Er7Error:
        return ()
    wanted = {3, 5, 6, 9, 11, 13, 14, 18, 40}
    found = [
        leaf.text
        for segment in message.named("PID")
        for number in wanted
        for repetition in segment.repetitions(number)
        for leaf in repetition.leaves()
    ]
    return tuple(word for word in found if len(word) > 3 and word not in _COMMON)  # noqa: PLR2004 - short codes are none


_COMMON: Final = frozenset({"NHS", "Home", "home", "HOME", "GBR"})
_ENDS: Final = frozenset({"\r", "\n", "\r\n"})
_DIGITS: Final = re.compile(r"(\d+)")


def _natural(locator: str) -> list[tuple[int, str]]:
    return [(int(part), "") if part.isdigit() else (-1, part) for part in _DIGITS.split(locator)]


def _text(body: bytes, hide: Hiding) -> str:
    return bytes_shown.text(body) if hide.off else ""


def _facts(body: bytes, message: Message) -> str:
    return f"{len(body)} bytes, {message.charset.name}, segments end in {message.line_endings}"


def _linked(cell: Cell, links: Links, hide: Hiding, known: dict[str, bool], marked: frozenset[str]) -> Cell:
    if not cell.at:
        return cell
    shown = known.get(cell.at, field_shown(cell.at))
    return replace(
        cell,
        value=hide.of(cell.value.text, shown=shown),
        name=name_of(cell.at),
        goes=_goes(links, cell.at),
        marked=cell.at in marked,
    )


def _goes(links: Links, at: str) -> str:
    """Say where a value goes: nothing of a message without a trace, such as one that asks for a hold."""
    if not links.rows:
        return ""
    count = links.places(at)
    return f"goes to {counted(count)}" if count else "goes nowhere"


def segments_of(body: bytes, message: Message) -> Iterator[SegmentShown]:
    """Cut the message as its reader does, keeping every character, marks and line ends too."""
    codec = message.charset.codec
    text = message.charset.decode(body)
    offset = 0
    read = iter(message.segments)
    for line in re.split("(\n)" if message.line_endings == "LF" else "(\r\n|\r)", text):
        size = len(line.encode(codec))
        if line and line not in _ENDS:
            segment = next(read, None)
            if segment is not None:
                cells = tuple(_cells(line, segment, offset, marks=message.delimiters, codec=codec))
                yield SegmentShown(
                    name=segment.name,
                    words=SEGMENTS.get(segment.name, "Segment of the sender's own" if segment.name[0] == "Z" else ""),
                    ordinal=segment.ordinal,
                    offset=offset,
                    cells=cells,
                )
        offset += size


def _cells(line: str, segment: Segment, offset: int, *, marks: Delimiters, codec: str) -> Iterator[Cell]:
    head, *fields = line.split(marks.field)
    yield Cell(value=Value(text=head), offset=offset)
    offset += len(head.encode(codec))
    place = f"{segment.locator}-"
    first = 1
    if segment.name == "MSH":
        yield Cell(value=Value(text=marks.field), at=f"{place}1.1", offset=offset, size=1)
        offset += 1
        declared = fields.pop(0) if fields else ""
        yield Cell(value=Value(text=declared), at=f"{place}2.1", offset=offset, size=len(declared.encode(codec)))
        offset += len(declared.encode(codec))
        first = 3
    for number, value in enumerate(fields, first):
        yield Cell(value=Value(text=marks.field), offset=offset)
        offset += 1
        for text, at in _parts(value, f"{place}{number}", marks):
            size = len(text.encode(codec))
            yield Cell(value=Value(text=text), at=at, offset=offset, size=size)
            offset += size


def _parts(value: str, place: str, marks: Delimiters) -> Iterable[tuple[str, str]]:
    """Give the values of a field and the marks between them, each value with its locator as the reader names it."""
    repeats = value.split(marks.repetition)
    for index, repeat in enumerate(repeats, start=1):
        if index > 1:
            yield marks.repetition, ""
        at = f"{place}[{index}]" if len(repeats) > 1 else place
        for number, component in enumerate(repeat.split(marks.component), start=1):
            if number > 1:
                yield marks.component, ""
            subs = component.split(marks.subcomponent)
            for sub, part in enumerate(subs, start=1):
                if sub > 1:
                    yield marks.subcomponent, ""
                if part:
                    yield part, f"{at}.{number}.{sub}" if len(subs) > 1 else f"{at}.{number}"


def lines(
    body: bytes, form: WireFormat, links: Links, left: Sequence[Leftover], hide: Hiding, *, most: int = 6000
) -> tuple[str, ...]:
    """Give a message as lines for comparing: a segment each in HL7 v2, `place = value` otherwise."""
    if form is not WireFormat.HL7V2:
        shown = of_values(body, form, links, left, hide=hide, marked=frozenset())
        return tuple(f"{part.words} = {part.cells[0].value.text}" for part in shown.segments)
    try:
        message = parse(body)
    except Er7Error:
        return ()
    known = {row.source: target_shown(row.target) for row in links.rows if row.source}
    out = []
    for segment in segments_of(body, message):
        cells = (_linked(cell, links, hide, known, frozenset()) for cell in segment.cells)
        out.append("".join(cell.value.text for cell in cells))
        if len(out) >= most:
            break
    return tuple(out)
