"""A small splitter of HL7 v2 messages for the simulated trusts, written apart from the gateway's own codec.

Positions are HL7's, counted from one. It reads what the gateway answers; it is no validator.
"""

from dataclasses import dataclass

START, END = b"\x0b", b"\x1c\x0d"


@dataclass(frozen=True, slots=True)
class Segment:
    """One segment, split at its fields."""

    name: str
    _fields: tuple[str, ...]
    _separators: tuple[str, str, str, str]
    """Component, repetition, escape and subcomponent marks."""

    def get(self, field: int, component: int = 1, subcomponent: int = 1) -> str:
        """Give a subcomponent of the first repetition of a field, unescaped; empty where there is none."""
        return self.all(field, component, subcomponent)[0]

    def all(self, field: int, component: int = 1, subcomponent: int = 1) -> tuple[str, ...]:
        """Give a subcomponent of every repetition of a field, as `get` does; at least one."""
        component_mark, repeat_mark, _, subcomponent_mark = self._separators
        text = self._fields[field] if field < len(self._fields) else ""
        chosen = (_part(one, component_mark, component) for one in text.split(repeat_mark))
        return tuple(self._unescape(_part(one, subcomponent_mark, subcomponent)) for one in chosen)

    def _unescape(self, text: str) -> str:
        component_mark, repeat_mark, escape_mark, subcomponent_mark = self._separators
        marks = {"F": "|", "S": component_mark, "T": subcomponent_mark, "R": repeat_mark}
        for letter, mark in marks.items():
            text = text.replace(f"{escape_mark}{letter}{escape_mark}", mark)
        return text.replace(f"{escape_mark}E{escape_mark}", escape_mark)


def _part(text: str, mark: str, number: int) -> str:
    parts = text.split(mark)
    return parts[number - 1] if number <= len(parts) else ""


def split(message: bytes) -> tuple[Segment, ...]:
    """Split a message into its segments.

    Raises:
        ValueError: it does not begin with a usable MSH.
    """
    charset = "iso-8859-1" if b"8859/1" in message.split(b"\r", 1)[0] else "utf-8"
    text = message.decode(charset)
    if not text.startswith("MSH") or len(text) < 8:  # noqa: PLR2004 - MSH and its five separators
        raise ValueError("not an HL7 v2 message")
    field_mark, separators = text[3], (text[4], text[5], text[6], text[7])
    segments = []
    for line in text.split("\r"):
        if not line:
            continue
        fields = line.split(field_mark)
        if fields[0] == "MSH":  # MSH-1 is the separator itself
            fields = ["MSH", field_mark, *fields[1:]]
        segments.append(Segment(fields[0], tuple(fields), separators))
    return tuple(segments)


def first(segments: tuple[Segment, ...], name: str) -> Segment | None:
    """Give the first segment of a name."""
    return next((segment for segment in segments if segment.name == name), None)


def acknowledge(message: bytes, *, code: str, at: str) -> bytes:
    """Write the acknowledgement of a message we were sent.

    Args:
        message: what was received.
        code: MSA-1.
        at: MSH-7.
    """
    header = first(split(message), "MSH")
    if header is None:
        raise ValueError("no MSH")
    control, ours, theirs = header.get(10), (header.get(5), header.get(6)), (header.get(3), header.get(4))
    return (
        f"MSH|^~\\&|{ours[0]}|{ours[1]}|{theirs[0]}|{theirs[1]}|{at}||ACK|A{control[-18:]}|"
        f"{header.get(11)}|{header.get(12)}\rMSA|{code}|{control}\r"
    ).encode()
