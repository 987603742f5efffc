r"""HL7 v2 in ER7, the encoding with bars and hats: bytes to a message by position, and back.

One positional reader for versions 2.3 to 2.8. It numbers as HL7 does, from one. It decodes the character set (in every
one that is served an ASCII byte is that character, and no other byte is), splits, and only then decodes escapes, so
that nothing a value holds can make a new field or segment.

A place is named by a locator: `RXE[1]-3.1` is the first RXE of the message, field 3, component 1; a repetition is named
where there are several (`PID[1]-3[2].1`), a subcomponent likewise (`TQ1[1]-2.2.1`).

Source: HL7 v2.5.1 chapter 2.5 to 2.8; mapping.md 2.4; reliability-security.md H08 to H10, H21 to H23.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import msgspec

from gateway.wire import leaf
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


class Leaf(leaf.Leaf, frozen=True, gc=False):
    """One value that is not empty.

    Attributes:
        raw: as received, escapes and all.
        text: with escapes decoded. A null is `""` here too; ask `null`.
    """

    text: str

    @property
    def null(self) -> bool:
        """Whether the sender wrote the explicit null."""
        return self.raw == NULL


class Repetition(msgspec.Struct, frozen=True, gc=False):
    """One repetition of one field; a structure for the same reason as `Leaf`.

    Attributes:
        parts: by component, from one: its only leaf, or its leaves by subcomponent, from one, where it is divided.
        null: whether the whole field is the explicit null.
    """

    locator: str
    parts: dict[int, Leaf | dict[int, Leaf]]
    null: bool = False

    def __repr__(self) -> str:
        """Give the place alone: a value may be of a patient."""
        return f"Repetition(locator={self.locator!r})"

    def leaf(self, component: int, subcomponent: int = 1) -> Leaf | None:
        """Give the leaf, or None where nothing was sent."""
        found = self.parts.get(component)
        if type(found) is dict:
            return found.get(subcomponent)
        return found if type(found) is Leaf and subcomponent == 1 else None

    def leaves(self, component: int | None = None) -> Iterator[Leaf]:
        """Give every leaf, or those of one component."""
        for number, found in self.parts.items():
            if component is None or component == number:
                if isinstance(found, dict):
                    yield from found.values()
                else:
                    yield found


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
        lexemes: of every leaf by its locator, in order.
        faults: wrong values found while reading; the message can be answered but not used.
    """

    delimiters: Delimiters
    charset: Charset
    line_endings: str
    segments: tuple[Segment, ...]
    lexemes: dict[str, str] = field(repr=False)
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
        return [leaf for segment in self.segments for leaf in segment.leaves()]


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
    charset = _charset(body, delimiters)
    try:
        text = charset.decode(body)
    except UnicodeDecodeError as error:
        raise Er7Error("CHARSET_INVALID", "MSH[1]-18", _where(error, charset)) from None
    return _Parser(delimiters, charset).message(text)


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


def _lines(text: str) -> tuple[str, list[str]]:
    """Split into segments. LF and CRLF are tolerated and named; a bare LF beside CR is a fault."""
    if "\n" not in text:
        return "CR", text.split("\r")
    if "\r\n" in text:
        return "CRLF", _RETURN.split(text)
    return ("CR", text.split("\r")) if "\r" in text else ("LF", text.split("\n"))


def _charset(body: bytes, delimiters: Delimiters) -> Charset:
    header = body.partition(b"\r" if b"\r" in body else b"\n")[0]
    fields = header.split(delimiters.field.encode())
    declared = fields[17].decode("ascii", "replace") if len(fields) > 17 else ""  # noqa: PLR2004 - MSH-18
    charset = charset_of("" if declared == NULL else declared.split(delimiters.component)[0])
    if charset is None:
        raise Er7Error("CHARSET_INVALID", "MSH[1]-18", "MSH-18 must name one of: UNICODE UTF-8, 8859/1, ASCII.")
    return charset


_RETURN = re.compile(r"\r\n?")
_NAME = re.compile(r"[A-Z][A-Z0-9]{2}")
_CONTROLS = re.compile(r"[\x00-\x08\x0a-\x1f\x7f-\x9f]")


class _Parser:
    """Splits one message.

    Most lines hold neither an escape nor a control character. Every value of such a line is its own text, and needs no
    look of its own; a value of letters and digits needs none for any mark either.
    """

    def __init__(self, delimiters: Delimiters, charset: Charset) -> None:
        self._delimiters = delimiters
        self._charset = charset
        self._faults: list[Fault] = []
        self._lexemes: dict[str, str] = {}

    def message(self, text: str) -> Message:
        endings, lines = _lines(text)
        seen: dict[str, int] = {}
        segments: list[Segment] = []
        for line in filter(None, lines):
            name = line[:3] if line[:3].isascii() else self._ascii(line)[:3]
            seen[name] = seen.get(name, 0) + 1
            segments.append(self._segment(name, seen[name], len(segments) + 1, line))
        return Message(
            delimiters=self._delimiters,
            charset=self._charset,
            line_endings=endings,
            segments=tuple(segments),
            lexemes=self._lexemes,
            faults=tuple(self._faults),
        )

    def _ascii(self, text: str) -> str:
        """Give text as ASCII, byte by byte; what is none is replaced, and told as a fault wherever it matters."""
        return self._charset.encode(text).decode("ascii", "replace")

    def _segment(self, name: str, ordinal: int, position: int, line: str) -> Segment:
        head, *rest = line.split(self._delimiters.field)
        if not _NAME.fullmatch(head):
            self._fault("UNREADABLE", f"segment {position}", "A segment must begin with its three-letter name.")
            return Segment(name="???", ordinal=ordinal, position=position, fields={})
        place = f"{name}[{ordinal}]-"
        fields: dict[int, tuple[Repetition, ...]] = {}
        first = 1
        if name == "MSH":
            fields[1] = (self._whole(f"{place}1", self._delimiters.field),)
            if rest:  # MSH-2 holds the delimiters themselves
                fields[2] = (self._whole(f"{place}2", self._ascii(rest.pop(0))),)
            first = 3
        plain = self._is_plain(line)
        repeats = self._delimiters.repetition
        for number, value in enumerate(rest, first):
            if not value:
                continue
            if value.isalnum():
                fields[number] = (self._whole(f"{place}{number}", value),)
            elif repeats in value:
                if repetitions := self._repetitions(f"{place}{number}", value, plain):
                    fields[number] = repetitions
            elif found := self._repetition(f"{place}{number}", value, plain):
                fields[number] = (found,)
        return Segment(name=name, ordinal=ordinal, position=position, fields=fields)

    def _is_plain(self, line: str) -> bool:
        return line.isprintable() and self._delimiters.escape not in line

    def _whole(self, locator: str, value: str) -> Repetition:
        """Give a field that is one value as it stands."""
        place = f"{locator}.1"
        self._lexemes[place] = value
        return Repetition(locator, {1: Leaf(place, value, value)})

    def _repetitions(self, locator: str, value: str, plain: bool) -> tuple[Repetition, ...]:  # noqa: FBT001 - a fact
        parts = enumerate(value.split(self._delimiters.repetition), start=1)
        found = (self._repetition(f"{locator}[{index}]", part, plain) for index, part in parts)
        return tuple(each for each in found if each is not None)

    def _repetition(self, locator: str, value: str, plain: bool) -> Repetition | None:  # noqa: FBT001 - a fact
        components, subcomponent = value.split(self._delimiters.component), self._delimiters.subcomponent
        divided = subcomponent in value
        if len(components) == 1 and not divided:
            leaf = self._leaf(f"{locator}.1", value, plain) if value else None
            return Repetition(locator, {1: leaf}, value == NULL) if leaf else None
        parts: dict[int, Leaf | dict[int, Leaf]] = {}
        for number, part in enumerate(components, 1):
            if not part:
                continue
            if not divided or subcomponent not in part:
                parts[number] = self._leaf(f"{locator}.{number}", part, plain)
            elif subs := self._subcomponents(f"{locator}.{number}", part, plain):
                parts[number] = subs
        return Repetition(locator, parts, NULL in value and _is_null(parts)) if parts else None

    def _subcomponents(self, locator: str, value: str, plain: bool) -> dict[int, Leaf]:  # noqa: FBT001 - a fact
        parts = enumerate(value.split(self._delimiters.subcomponent), start=1)
        return {number: self._leaf(f"{locator}.{number}", part, plain) for number, part in parts if part}

    def _leaf(self, locator: str, raw: str, plain: bool) -> Leaf:  # noqa: FBT001 - a fact
        self._lexemes[locator] = raw
        return Leaf(locator, raw, raw if plain else self._text(locator, raw))

    def _text(self, locator: str, raw: str) -> str:
        """Decode a value of a line that is not plain."""
        escaped = self._delimiters.escape in raw
        if not escaped and raw.isprintable():
            return raw
        if _CONTROLS.search(raw):
            self._fault("VALUE_INVALID", locator, "The value holds a control character.")
        if not escaped:
            return raw
        decoded = decode_escapes(raw, self._delimiters.escape, self._names(), self._charset)
        if decoded is None:
            self._fault("VALUE_INVALID", locator, "The value holds an escape sequence that HL7 does not define.")
            return raw
        return decoded

    def _names(self) -> dict[str, str]:
        marks = self._delimiters
        return dict(
            zip(
                ESCAPED, (marks.field, marks.component, marks.subcomponent, marks.repetition, marks.escape), strict=True
            )
        )

    def _fault(self, code: str, location: str, text: str) -> None:
        self._faults.append(Fault(code=code, location=location, text=text))


def _is_null(parts: dict[int, Leaf | dict[int, Leaf]]) -> bool:
    """Tell whether nothing stands in a field but the explicit null."""
    only = Repetition("", parts).leaf(1)
    return only is not None and only.null and len(list(Repetition("", parts).leaves())) == 1


_PLACE = re.compile(r"(\w{3})\[(\d+)\]-(\d+)(?:\[(\d+)\])?\.(\d+)(?:\.(\d+))?", re.ASCII)


def offset_of(body: bytes, locator: str) -> int:
    """Give the byte at which a leaf begins; found again when somebody asks, which a message on its way never does.

    Args:
        body: a message that `parse` reads.
        locator: of one of its leaves.

    Raises:
        ValueError: there is no such place.

    Source: mapping.md 2.2.
    """
    place = _PLACE.fullmatch(locator)
    if place is None:
        raise ValueError("not the locator of a leaf")
    name, *numbers = place.groups("1")
    ordinal, number, repetition, component, subcomponent = map(int, numbers)
    marks, text = _delimiters(body), body.decode("latin-1")  # one character a byte
    ends = re.finditer("\n" if _lines(text)[0] == "LF" else _RETURN, text)
    starts = [start for start in (0, *(end.end() for end in ends)) if text[start : start + 3] == name]
    if not 0 < ordinal <= len(starts):
        raise ValueError("there is no such segment")
    if name == "MSH" and number == 1:
        return starts[ordinal - 1] + 3
    steps = (
        (marks.field, number - (name == "MSH")),
        (marks.repetition, repetition - 1),
        (marks.component, component - 1),
        (marks.subcomponent, subcomponent - 1),
    )
    return _after(text, starts[ordinal - 1], steps)


def _after(text: str, start: int, steps: Iterable[tuple[str, int]]) -> int:
    for mark, times in steps:
        for _ in range(times):
            start = text.index(mark, start) + 1
    return start


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
