r"""HL7 v2 in ER7, the encoding with bars and hats: bytes to a message by position, and back.

One positional reader for versions 2.3 to 2.8. It numbers as HL7 does, from one. It splits the received bytes and only
then decodes text and escapes, so that nothing a value holds can make a new field or segment.

A place is named by a locator: `RXE[1]-3.1` is the first RXE of the message, field 3, component 1; a repetition is named
where there are several (`PID[1]-3[2].1`), a subcomponent likewise (`TQ1[1]-2.2.1`).

Source: HL7 v2.5.1 chapter 2.5 to 2.8; mapping.md 2.4; reliability-security.md H08 to H10, H21 to H23.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from gateway.wire.er7_text import ESCAPED, Charset, charset_of, decode_escapes
from gateway.wire.many import MOST_VALUES

NULL = '""'
"""What HL7 writes for "delete this"; an empty field only says nothing."""


class Er7Error(Exception):
    """The bytes cannot be read as one HL7 v2 message.

    Attributes:
        code: UNREADABLE, CHARSET_INVALID or TOO_LARGE, of the table of issue codes.
        location: locator, as far as there is one.
        text: what is wrong, without any value of the message.
    """

    def __init__(self, code: str, location: str, text: str) -> None:
        super().__init__(text)
        self.code, self.location, self.text = code, location, text


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Something wrong in a message that could be read far enough to be answered."""

    code: str
    location: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Delimiters:
    """The five characters that MSH-1 and MSH-2 declare."""

    field: str = "|"
    component: str = "^"
    repetition: str = "~"
    escape: str = "\\"
    subcomponent: str = "&"


@dataclass(slots=True)
class Leaf:
    """One value that is not empty; made once, never changed.

    It is not frozen, and its members have an order, for the sake of time: making a frozen one takes five times as long,
    and a message makes a hundred and fifty of them.

    Attributes:
        raw: as received, in the message's character set, escapes and all.
        text: with escapes decoded. A null is `""` here too; ask `null`.
        offset: of the first byte within the message.
    """

    locator: str
    raw: str = field(repr=False)
    text: str = field(repr=False)
    offset: int

    @property
    def null(self) -> bool:
        """Whether the sender wrote the explicit null."""
        return self.raw == NULL


@dataclass(slots=True)
class Repetition:
    """One repetition of one field: its leaves by component and subcomponent, both from one.

    Never changed once made; not frozen for the same reason as `Leaf`.
    """

    locator: str
    parts: dict[int, dict[int, Leaf]] = field(repr=False)

    def leaf(self, component: int, subcomponent: int = 1) -> Leaf | None:
        """Give the leaf, or None where nothing was sent."""
        subs = self.parts.get(component)
        return subs.get(subcomponent) if subs else None

    def leaves(self, component: int | None = None) -> Iterator[Leaf]:
        """Give every leaf, or those of one component."""
        for number, subs in self.parts.items():
            if component in {None, number}:
                yield from subs.values()

    @property
    def null(self) -> bool:
        """Whether the whole field is the explicit null."""
        if len(self.parts) != 1:
            return False
        subs = self.parts.get(1)
        only = subs.get(1) if subs is not None and len(subs) == 1 else None
        return only is not None and only.raw == NULL


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """One segment.

    Attributes:
        ordinal: among the segments of this name, from one.
        position: among all segments of the message, from one.
        fields: repetitions that hold anything, by field number.
    """

    name: str
    ordinal: int
    position: int
    fields: dict[int, tuple[Repetition, ...]] = field(repr=False)

    @property
    def locator(self) -> str:
        """`RXE[1]`."""
        return f"{self.name}[{self.ordinal}]"

    def at(self, number: int) -> str:
        """Give the locator of a field, whether it was sent or not."""
        return f"{self.locator}-{number}"

    def repetitions(self, number: int) -> tuple[Repetition, ...]:
        """Give the repetitions of a field that are not empty."""
        return self.fields.get(number, ())

    def leaf(self, number: int, component: int = 1, subcomponent: int = 1) -> Leaf | None:
        """Give a leaf of the field's first repetition."""
        repetitions = self.repetitions(number)
        return repetitions[0].leaf(component, subcomponent) if repetitions else None

    def leaves(self) -> Iterator[Leaf]:
        """Give every leaf, in order."""
        for repetitions in self.fields.values():
            for repetition in repetitions:
                yield from repetition.leaves()


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A message as read.

    Attributes:
        charset: what MSH-18 declares, or ASCII.
        line_endings: CR, LF or CRLF.
        faults: wrong values found while reading; the message can be answered but not used.
    """

    delimiters: Delimiters
    charset: Charset
    line_endings: str
    segments: tuple[Segment, ...]
    faults: tuple[Fault, ...] = ()

    @property
    def header(self) -> Segment:
        """The MSH segment."""
        return self.segments[0]

    def named(self, name: str) -> tuple[Segment, ...]:
        """Give the segments of a name, in order."""
        return tuple(segment for segment in self.segments if segment.name == name)

    def leaves(self) -> list[Leaf]:
        """Give every value that is not empty, in order."""
        return [
            leaf
            for segment in self.segments
            for repetitions in segment.fields.values()
            for repetition in repetitions
            for subs in repetition.parts.values()
            for leaf in subs.values()
        ]


def parse(body: bytes) -> Message:
    """Read one message.

    Raises:
        Er7Error: the bytes do not begin with a readable MSH segment, disagree with their character set, or hold more
            values than can be gone through.
    """
    delimiters = _delimiters(body)
    marks = (delimiters.field, delimiters.component, delimiters.repetition, delimiters.subcomponent, "\r", "\n")
    if sum(body.count(mark.encode()) for mark in marks) > MOST_VALUES:
        raise Er7Error("TOO_LARGE", "", f"The message holds more than {MOST_VALUES} values.")
    endings, lines = _lines(body)
    charset = _charset(lines[0][1], delimiters)
    try:
        charset.decode(body)
    except UnicodeDecodeError as error:
        raise Er7Error("CHARSET_INVALID", "MSH[1]-18", _where(error, charset)) from None
    return _Parser(delimiters, charset).message(endings, lines)


def _where(error: UnicodeDecodeError, charset: Charset) -> str:
    return f"Byte {error.start} of the message is not {charset.name}, which MSH-18 declares or its absence implies."


_MSH = re.compile(rb"MSH([!-/:-@\[-`{-~])((?:(?!\1)[!-/:-@\[-`{-~]){4,5})(?:\1|[\r\n]|$)")


def _delimiters(body: bytes) -> Delimiters:
    """Read MSH-1 and MSH-2: printable, neither letters nor digits, all different (H10)."""
    found = _MSH.match(body)
    if found is None:
        raise Er7Error("UNREADABLE", "", _beginning(body))
    declared = (found[1] + found[2]).decode("ascii")
    if len(set(declared)) != len(declared) or '"' in declared:
        raise Er7Error("UNREADABLE", "MSH[1]-2", "MSH-1 and MSH-2 must declare characters that all differ.")
    return Delimiters(
        field=declared[0],
        component=declared[1],
        repetition=declared[2],
        escape=declared[3],
        subcomponent=declared[4],
    )


def _beginning(body: bytes) -> str:
    if body[:3] in {b"FHS", b"BHS"}:
        return "Batches are not served. Send each message by itself."
    if not body.strip():
        return "The message is empty."
    if body.startswith((b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")):
        return "A byte order mark stands before MSH; leave it out, and send UTF-8 where MSH-18 says so."
    return "The message does not begin with MSH and its delimiters."


def _lines(body: bytes) -> tuple[str, list[tuple[int, bytes]]]:
    """Split into segments with their offsets. LF and CRLF are tolerated and named; a bare LF beside CR is a fault."""
    name = "CRLF" if b"\r\n" in body else "LF" if b"\n" in body and b"\r" not in body else "CR"
    ending = re.compile(rb"\n" if name == "LF" else rb"\r\n?")
    lines, offset = [], 0
    for found in [*ending.finditer(body), None]:
        line = body[offset : found.start() if found else len(body)]
        if line:
            lines.append((offset, line))
        offset = found.end() if found else offset
    return name, lines


def _charset(header: bytes, delimiters: Delimiters) -> Charset:
    fields = header.split(delimiters.field.encode())
    declared = fields[17].decode("ascii", "replace") if len(fields) > 17 else ""  # noqa: PLR2004 - MSH-18
    charset = charset_of("" if declared == NULL else declared.split(delimiters.component)[0])
    if charset is None:
        raise Er7Error("CHARSET_INVALID", "MSH[1]-18", "MSH-18 must name one of: UNICODE UTF-8, 8859/1, ASCII.")
    return charset


_NAME = re.compile(rb"[A-Z][A-Z0-9]{2}")
_CONTROLS = re.compile(r"[\x00-\x08\x0a-\x1f\x7f-\x9f]")


class _Parser:
    def __init__(self, delimiters: Delimiters, charset: Charset) -> None:
        self._delimiters = delimiters
        self._charset = charset
        self._codec = charset.codec
        self._faults: list[Fault] = []
        self._field = delimiters.field.encode()
        self._repetition = delimiters.repetition.encode()
        self._component = delimiters.component.encode()
        self._subcomponent = delimiters.subcomponent.encode()
        self._escape = delimiters.escape.encode()

    def message(self, endings: str, lines: list[tuple[int, bytes]]) -> Message:
        seen: dict[str, int] = {}
        segments = []
        for position, (offset, line) in enumerate(lines, start=1):
            name = line[:3].decode("ascii", "replace")
            seen[name] = seen.get(name, 0) + 1
            segments.append(self._segment(name, seen[name], position, offset, line))
        return Message(
            delimiters=self._delimiters,
            charset=self._charset,
            line_endings=endings,
            segments=tuple(segments),
            faults=tuple(self._faults),
        )

    def _segment(self, name: str, ordinal: int, position: int, offset: int, line: bytes) -> Segment:
        head, *rest = line.split(self._field)
        if not _NAME.fullmatch(head):
            self._fault("UNREADABLE", f"segment {position}", "A segment must begin with its three-letter name.")
            return Segment(name="???", ordinal=ordinal, position=position, fields={})
        place = f"{name}[{ordinal}]"
        fields: dict[int, tuple[Repetition, ...]] = {}
        start, number = offset + len(head) + 1, 1
        if name == "MSH":
            fields[1] = self._whole(f"{place}-1", self._field, offset + 3)
            number = 2
        for value in rest:
            if name == "MSH" and number == 2:  # noqa: PLR2004 - MSH-2 holds the delimiters themselves
                fields[2] = self._whole(f"{place}-2", value, start)
            elif value and (repetitions := self._repetitions(f"{place}-{number}", value, start)):
                fields[number] = repetitions
            start += len(value) + 1
            number += 1
        return Segment(name=name, ordinal=ordinal, position=position, fields=fields)

    def _whole(self, locator: str, value: bytes, offset: int) -> tuple[Repetition, ...]:
        text = value.decode("ascii", "replace")
        leaf = Leaf(f"{locator}.1", text, text, offset)
        return (Repetition(locator, {1: {1: leaf}}),)

    def _repetitions(self, locator: str, value: bytes, offset: int) -> tuple[Repetition, ...]:
        if value.isalnum():  # one value as it stands: no delimiter is a letter or a digit
            text = value.decode("ascii")
            return (Repetition(locator, {1: {1: Leaf(f"{locator}.1", text, text, offset)}}),)
        if self._repetition not in value:
            parts = self._components(locator, value, offset)
            return (Repetition(locator, parts),) if parts else ()
        found = []
        for index, part in enumerate(value.split(self._repetition), start=1):
            place = f"{locator}[{index}]"
            if parts := self._components(place, part, offset):
                found.append(Repetition(place, parts))
            offset += len(part) + 1
        return tuple(found)

    def _components(self, locator: str, value: bytes, offset: int) -> dict[int, dict[int, Leaf]]:
        if self._component not in value and self._subcomponent not in value:
            return {1: {1: self._leaf(f"{locator}.1", value, offset)}} if value else {}
        found = {}
        for number, part in enumerate(value.split(self._component), start=1):
            if not part:
                offset += 1
                continue
            if part.isalnum():
                text = part.decode("ascii")
                found[number] = {1: Leaf(f"{locator}.{number}", text, text, offset)}
            elif self._subcomponent in part:
                if subs := self._subcomponents(f"{locator}.{number}", part, offset):
                    found[number] = subs
            else:
                found[number] = {1: self._leaf(f"{locator}.{number}", part, offset)}
            offset += len(part) + 1
        return found

    def _subcomponents(self, locator: str, value: bytes, offset: int) -> dict[int, Leaf]:
        found = {}
        for number, part in enumerate(value.split(self._subcomponent), start=1):
            if part:
                found[number] = self._leaf(f"{locator}.{number}", part, offset)
            offset += len(part) + 1
        return found

    def _leaf(self, locator: str, value: bytes, offset: int) -> Leaf:
        raw = value.decode(self._codec)
        escaped = self._escape in value
        if not escaped and raw.isprintable():
            return Leaf(locator, raw, raw, offset)
        if _CONTROLS.search(raw):
            self._fault("VALUE_INVALID", locator, "The value holds a control character.")
        text = raw
        if escaped:
            decoded = decode_escapes(raw, self._delimiters.escape, self._names(), self._charset)
            if decoded is None:
                self._fault("VALUE_INVALID", locator, "The value holds an escape sequence that HL7 does not define.")
            else:
                text = decoded
        return Leaf(locator, raw, text, offset)

    def _names(self) -> dict[str, str]:
        marks = self._delimiters
        return dict(
            zip(
                ESCAPED, (marks.field, marks.component, marks.subcomponent, marks.repetition, marks.escape), strict=True
            )
        )

    def _fault(self, code: str, location: str, text: str) -> None:
        self._faults.append(Fault(code=code, location=location, text=text))


_USUAL = Delimiters()
_USUAL_MARKS = frozenset("|^~\\&")

Field = str | Sequence["str | Sequence[str]"]
"""A field to write: text, or components, each text or subcomponents."""


@dataclass(frozen=True, slots=True)
class Repeated:
    """A field to write with several repetitions."""

    fields: tuple[Field, ...]


def write(segments: Sequence[Sequence[Field | Repeated]], charset: Charset) -> bytes:
    """Write a message with the usual delimiters, every segment ended by CR.

    Args:
        segments: each its name, then its fields from 1; MSH begins at MSH-3.
        charset: of MSH-18.

    Raises:
        UnicodeEncodeError: the character set cannot say it.
    """
    marks = _USUAL
    lines = []
    for name, *fields in segments:
        written = [_repetitions(value, marks) if value else "" for value in fields]
        opening = [str(name), marks.component + marks.repetition + marks.escape + marks.subcomponent]
        lines.append(marks.field.join([*(opening if name == "MSH" else opening[:1]), *written]).rstrip(marks.field))
    return charset.encode("".join(f"{line}\r" for line in lines))


def _repetitions(value: Field | Repeated, marks: Delimiters) -> str:
    if isinstance(value, Repeated):
        return marks.repetition.join(_written(each, marks) for each in value.fields)
    return _written(value, marks)


def _written(value: Field, marks: Delimiters) -> str:
    if isinstance(value, str):
        return escape(value, marks)
    components = [
        escape(part, marks)
        if isinstance(part, str)
        else marks.subcomponent.join(escape(sub, marks) for sub in part).rstrip(marks.subcomponent)
        for part in value
    ]
    return marks.component.join(components).rstrip(marks.component)


def escape(text: str, marks: Delimiters) -> str:
    """Write text so that it is read back as it is; other control characters become spaces."""
    if not text or text.isalnum():  # no delimiter is a letter or a digit
        return text
    if marks is _USUAL and _USUAL_MARKS.isdisjoint(text) and text.isprintable():
        return text
    written = text.replace(marks.escape, f"{marks.escape}E{marks.escape}")
    for letter, mark in zip("FSTR", (marks.field, marks.component, marks.subcomponent, marks.repetition), strict=True):
        written = written.replace(mark, f"{marks.escape}{letter}{marks.escape}")
    if written.isprintable():
        return written
    written = re.sub(r"\r\n|\r|\n", lambda _: f"{marks.escape}.br{marks.escape}", written)
    return re.sub(r"[\x00-\x1f\x7f]", " ", written)
