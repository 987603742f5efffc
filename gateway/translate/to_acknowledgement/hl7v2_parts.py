"""The parts every HL7 v2 answer is made of: MSH with sender and receiver exchanged, MSA and ERR.

Source: mapping.md 9.1; HL7 v2.5.1 chapter 2.15 and tables 0008, 0357 and 0516.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from gateway.domain.issue import Issue, Severity
from gateway.wire.er7 import Er7Error, Field, Message, Repeated, parse, write
from gateway.wire.er7_text import ASCII, UTF8, Charset, charset_of

_ERROR_WORDS = {
    "0": "Message accepted",
    "100": "Segment sequence error",
    "101": "Required field missing",
    "102": "Data type error",
    "103": "Table value not found",
    "200": "Unsupported message type",
    "202": "Unsupported processing id",
    "203": "Unsupported version id",
    "204": "Unknown key identifier",
    "205": "Duplicate key identifier",
    "207": "Application internal error",
}
_SEVERITIES = {Severity.FATAL: "F", Severity.ERROR: "E", Severity.WARNING: "W", Severity.INFORMATION: "I"}
_LOCATOR = re.compile(r"(\w{3})\[(\d+)\](?:-(\d+)(?:\[(\d+)\])?(?:\.(\d+))?(?:\.(\d+))?)?")
_BEFORE_2_5 = re.compile(r"2\.[1-4](\D|$)").match
_MSA_TEXT = 80
"""Length of MSA-3."""

MSH_FIELDS = 19
"""Up to MSH-18, the character set, counted from nought."""
_USUAL = re.compile(rb"MSH\|\^~\\&(?:\|[^\x00-\x1f\x7f-\xff~\\&\"]{0,2000})?").fullmatch
"""MSH with the usual delimiters, in plain ASCII: nothing is escaped, repeated, divided twice or null."""

Header = tuple[list[tuple[str, ...]], Charset]
"""The components of each field of MSH by its number, and the character set."""
Line = Sequence[Field | Repeated]


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What an answer takes from the MSH it answers; whatever of it is legible.

    Attributes:
        parties: MSH-3 to MSH-6, components and all.
    """

    parties: tuple[tuple[str, ...], ...] = ((), (), (), ())
    sent: str = ""
    type: tuple[str, ...] = ()
    control_id: str = ""
    processing: str = "P"
    version: str = "2.5.1"
    country: str = ""
    charset: Charset = ASCII
    accept_ack: str = ""
    application_ack: str = ""

    @property
    def modern(self) -> bool:
        """Whether the version has ERR-2 to ERR-8 (2.5 on)."""
        return _BEFORE_2_5(self.version) is None

    @property
    def enhanced(self) -> bool:
        """Whether the sender asked for enhanced acknowledgement mode."""
        return bool(self.accept_ack or self.application_ack)


def request_of(body: bytes) -> Request:
    """Read the MSH of a message that may be broken elsewhere; nothing of it where it is broken itself."""
    first = body.partition(b"\r")[0].partition(b"\n")[0]
    found = _usual(first) or _parsed(first)
    if found is None:
        return Request()
    words, charset = found
    one = [part[0] if part else "" for part in words]
    return Request(
        parties=tuple(words[3:7]),
        sent=one[7],
        type=words[9],
        control_id=one[10],
        processing=one[11] or "P",
        version=one[12] or "2.5.1",
        accept_ack=one[15],
        application_ack=one[16],
        country=one[17],
        charset=charset,
    )


def _usual(first: bytes) -> Header | None:
    """Split the MSH that nearly everybody writes, where it means the same as to parse it and takes a tenth as long."""
    if _USUAL(first) is None:
        return None
    fields = first.decode("ascii").split("|")[: MSH_FIELDS - 1]
    words = [tuple(field.rstrip("^").split("^")) if field.strip("^") else () for field in fields]
    words += [()] * (MSH_FIELDS - 1 - len(words))
    charset = charset_of(words[-1][0] if words[-1] else "")
    return ([(), *words], charset) if charset else None


def _parsed(first: bytes) -> Header | None:
    message = _legible(first)
    return ([_components(message, number) for number in range(MSH_FIELDS)], message.charset) if message else None


def _legible(first: bytes) -> Message | None:
    """Parse the first segment, else as much of it as is plain ASCII, whatever MSH-18 claims."""
    for octets in (first, first.split(b"\x1c")[0]):
        try:
            return parse(octets)
        except Er7Error:
            continue
    return _without_charset(first)


def _without_charset(first: bytes) -> Message | None:
    fields = first.split(first[3:4]) if len(first) > len("MSH|") else []
    try:
        return parse(first[3:4].join(fields[:17])) if first.isascii() else None
    except Er7Error:
        return None


def _components(message: Message, number: int) -> tuple[str, ...]:
    repetitions = message.header.repetitions(number)
    if not repetitions or repetitions[0].null:
        return ()
    first = repetitions[0]
    leaves = [first.leaf(part) for part in range(1, max(first.parts) + 1)]
    return tuple([leaf.text if leaf and not leaf.null else "" for leaf in leaves])


def header(request: Request, *, at: str, type_: Field, control_id: str, reply: tuple[str, str] = ("", "")) -> Line:
    """Write MSH with the parties exchanged.

    Args:
        request: the message that is answered.
        at: MSH-7.
        type_: MSH-9.
        control_id: MSH-10.
        reply: MSH-15 and MSH-16.
    """
    application, facility, our_application, our_facility = request.parties
    parties = (our_application, our_facility, application, facility)
    envelope = ("", type_, control_id, request.processing, request.version, "", "", *reply)
    return ("MSH", *parties, at, *envelope, request.country, request.charset.name if request.charset != ASCII else "")


def acknowledgement(request: Request, code: str, issues: Sequence[Issue]) -> list[Line]:
    """Write MSA, and ERR as the version has it."""
    if request.modern:
        return [("MSA", code, request.control_id), *(_error(issue) for issue in issues)]
    text = f"{issues[0].code}: {issues[0].text}"[:_MSA_TEXT] if issues else ""
    msa: Line = ("MSA", code, request.control_id, text)
    return [msa, ("ERR", Repeated(tuple(_old_error(issue) for issue in issues)))] if issues else [msa]


def _error(issue: Issue) -> Line:
    row = issue.row
    return (
        "ERR",
        "",
        place(issue.location),
        (row.hl7, _ERROR_WORDS[row.hl7], "HL70357"),
        _SEVERITIES[issue.severity],
        (issue.code, "", "99HCG"),
        "",
        "",
        f"{issue.text} {row.advice}",
    )


def _old_error(issue: Issue) -> Field:
    """Write ERR-1 of 2.3 and 2.4: segment, sequence, field, and the code with its words."""
    segment, sequence, field = (*place(issue.location)[:3], "", "", "")[:3]
    return (segment, sequence, field, (issue.row.hl7, issue.code, "HL70357"))


def place(location: str) -> tuple[str, ...]:
    """Give a locator as ERR-2: segment, sequence, field, repetition, component, subcomponent."""
    found = _LOCATOR.match(location)
    if found is None:
        return ()
    segment, sequence, field, repetition, component, subcomponent = (part or "" for part in found.groups())
    parts = (segment, sequence, field, repetition or ("1" if component else ""), component, subcomponent)
    return tuple(parts[: max(index for index, part in enumerate(parts, start=1) if part)])


def written(segments: Sequence[Line], charset: Charset) -> bytes:
    """Write the answer in the sender's character set, or in UTF-8, said so in MSH-18, where that cannot say it."""
    try:
        return write(segments, charset)
    except UnicodeEncodeError:
        msh, *rest = segments
        return write([(*msh[:-1], UTF8.name), *rest], UTF8)
