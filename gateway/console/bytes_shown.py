"""Bytes as a person may look at them: inert, with what hides made visible, and never parsed again.

A message is shown by inserting line breaks between its tokens, so that every lexeme stays as it was sent.
"""

from typing import Final

MOST: Final = 200_000
"""Characters shown of one message; the rest is counted, not shown."""

_HIDDEN: Final = {
    **{code: chr(0x2400 + code) for code in range(0x20) if chr(code) not in "\n\t"},
    0x7F: "\u2421",
    **{code: f"[U+{code:04X}]" for code in (*range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2066, 0x206A))},
    0xFEFF: "[U+FEFF]",
}
"""Control characters as their pictures; bidirectional and zero-width characters by number (H23, J08)."""
_HIDDEN_IN_A_LINE: Final = {**_HIDDEN, 0x09: "\u2409", 0x0A: "\u240a"}


def visible(words: str) -> str:
    """Show words with what hides in them made visible; line breaks too."""
    return words.translate(_HIDDEN_IN_A_LINE)


def text(octets: bytes) -> str:
    """Show bytes as text: UTF-8 if they are, else one character for each byte."""
    try:
        decoded = octets.decode("utf-8")
    except UnicodeDecodeError:
        decoded = octets.decode("iso-8859-1")
    lines = decoded.replace("\r\n", "\n").replace("\r", "\n")
    return _cut(lines.translate(_HIDDEN))


def json_text(octets: bytes) -> str:
    """Show JSON bytes with line breaks and indentation put between the tokens; every token as it stands."""
    written: list[str] = []
    depth = 0
    in_string = escaped = False
    previous = ""
    for character in octets.decode("utf-8", "replace"):
        if in_string:
            written.append(character)
            in_string = escaped or character != '"'
            escaped = character == "\\" and not escaped
            continue
        if character.isspace():
            continue
        closes = character in "}]"
        depth -= closes
        if previous and closes != (previous in "{[,"):
            written.append(_break(depth))
        written.append(": " if character == ":" else character)
        if character in "{[":
            depth += 1
        in_string = character == '"'
        previous = character
    return _cut("".join(written).translate(_HIDDEN))


def _break(depth: int) -> str:
    return "\n" + "  " * max(0, depth)


def _cut(shown: str) -> str:
    return shown if len(shown) <= MOST else f"{shown[:MOST]}\n… {len(shown) - MOST} more characters are not shown"
