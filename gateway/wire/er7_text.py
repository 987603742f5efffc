"""Character sets and escape sequences of HL7 v2: strict both ways, nothing is ever replaced.

Source: HL7 v2.5.1 chapter 2.7 and table 0211; mapping.md 2.4.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

ESCAPED = ("F", "S", "T", "R", "E")
"""The escapes for field, component, subcomponent, repetition and escape character."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Charset:
    """A character set as MSH-18 names it."""

    name: str
    codec: str

    def decode(self, octets: bytes) -> str:
        """Decode, strictly."""
        return octets.decode(self.codec)

    def encode(self, text: str) -> bytes:
        """Encode, strictly."""
        return text.encode(self.codec)


ASCII = Charset(name="ASCII", codec="ascii")
UTF8 = Charset(name="UNICODE UTF-8", codec="utf-8")
_LATIN = {f"8859/{part}": f"iso8859-{part}" for part in (1, 2, 3, 4, 5, 6, 7, 8, 9, 15)}
_CHARSETS = {
    "": ASCII,
    "ASCII": ASCII,
    "UNICODE UTF-8": UTF8,
    "UTF-8": UTF8,
    **{name: Charset(name=name, codec=codec) for name, codec in _LATIN.items()},
}


def charset_of(name: str) -> Charset | None:
    """Give the character set of an MSH-18 value; ASCII when it is empty; None when it is not served."""
    return _CHARSETS.get(name)


_BREAKS = {".br": "\n", ".sp": "\n", "H": "", "N": ""}


def decode_escapes(raw: str, mark: str, names: Mapping[str, str], charset: Charset) -> str | None:
    r"""Decode `\F\ \S\ \T\ \R\ \E\ \.br\ \Xhh..\` once.

    Args:
        raw: text after splitting, with its escapes.
        mark: the escape character.
        names: letter to the character it stands for.
        charset: of the bytes that `\X` spells.

    Returns:
        The text, or None when an escape is unknown, has no end, or spells a control character.
    """
    pieces = raw.split(mark)
    if len(pieces) % 2 == 0:
        return None
    words = [piece if index % 2 == 0 else _decoded(piece, names, charset) for index, piece in enumerate(pieces)]
    return None if None in words else "".join(word for word in words if word is not None)


def _decoded(name: str, names: Mapping[str, str], charset: Charset) -> str | None:
    if name in names:
        return names[name]
    if name in _BREAKS:
        return _BREAKS[name]
    if not re.fullmatch(r"X(?:[0-9A-Fa-f]{2})+", name):
        return None
    try:
        text = charset.decode(bytes.fromhex(name[1:]))
    except UnicodeDecodeError:
        return None
    text = re.sub(r"\r\n?", "\n", text)
    return None if re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", text) else text
