"""JSON read strictly: what two parsers could read differently is refused, and a decimal keeps its lexeme.

Refused: bytes that are not UTF-8, a byte order mark, a member named twice in one object (however its name is escaped),
nesting deeper than `DEPTH`, numbers with an exponent, minus nought or more than 18 digits, U+0000, lone surrogates, and
anything before or after the one document. msgspec alone keeps the last of two members in silence, so what was read is
written again and compared with the bytes: what was lost or changed in reading is missing there. Only where the two
differ (most often by an escape that may be written in two ways) are members counted, and only where the counts differ
does a slow second reading name the place.

Source: RFC 8259 clauses 4, 6 and 8; FHIR R4 json.html and datatypes `decimal`; reliability-security.md 4.3, J01 to J07.
"""

import json
import re
from decimal import Decimal
from itertools import chain
from typing import TypeAlias, cast

import msgspec

JSON: TypeAlias = "dict[str, JSON] | list[JSON] | str | int | Decimal | bool | None"

DEPTH = 64
"""Deepest nesting read; FHIR messages stay under 20."""
DIGITS = 18
"""Most digits of one number; FHIR R4 asks for 18."""

_LIMIT = 10**DIGITS
_WHITE = b" \t\r\n"
_NOT_BRACKETS = bytes(sorted(set(range(256)) - set(b"[]{}")))
_NOT_MARKS = bytes(sorted(set(_NOT_BRACKETS) - set(b'"')))
_DIGITS_ONLY = bytes(ord("0") if character in b"0123456789" else ord(" ") for character in range(256))
_EXPONENT = re.compile(rb"E(?<=\dE)[+-]\d")  # begins with a letter, which is found at the speed of memory
_MINUS_NOUGHT = re.compile(rb"-0(?<=[:,\[]-0)").search  # as above
_TOO_LONG = b"0" * (DIGITS + 1)
_BYTE = re.compile(r"\(byte (\d+)\)")


class JsonError(ValueError):
    """The bytes are not JSON that can be read in one way only.

    Attributes:
        code: an issue code: UNREADABLE, CHARSET_INVALID, DUPLICATE_KEY or VALUE_INVALID.
        location: `Bundle.entry[1].resource.status`, or `byte 17` where no path is known; empty for the whole.
        text: what is wrong, without any value from the document.
    """

    def __init__(self, code: str, location: str, text: str) -> None:
        super().__init__(text)
        self.code = code
        self.location = location
        self.text = text


def loads(body: bytes) -> JSON:
    """Read one JSON document.

    Args:
        body: UTF-8 without a byte order mark.

    Returns:
        dict, list, str, bool, None, `int` for numbers without a point and `Decimal` for the others.

    Raises:
        JsonError: the document is malformed or ambiguous; see the module.
    """
    value = _decode(body)
    if _survived(value, body):
        return value
    compact = body.translate(None, _WHITE)
    # Deleting white space can only add matches (inside a string), so equal counts prove that no member was lost.
    if _members(value) != compact.count(b'":') or b"\\u0000" in compact or _minus_nought(compact):
        _find_fault(body)
    return value


def reread(body: bytes) -> JSON:
    """Read what `dumps` wrote, as `loads` does but in less time: no member of a dict has been named twice.

    Raises:
        JsonError: it says what `loads` refuses.
    """
    value = _decode(body)
    return loads(body) if _minus_nought(body) or not _within_limits(body) else value


def _survived(value: JSON, body: bytes) -> bool:
    """Tell whether nothing was lost in reading, and no limit is near; False says only that a closer look is needed.

    No value is written longer than it was read, and a member that was lost is not written at all: equal texts, white
    space aside, prove that none was.
    """
    if not _within_limits(body):
        return False
    written = _ENCODER.encode(value)
    return written == body or written.translate(None, _WHITE) == body.translate(None, _WHITE)


def _within_limits(body: bytes) -> bool:
    """Tell whether a body surely holds no U+0000, no number that is too long, and no nesting that is too deep."""
    if b"\\" in body and b"\\u0000" in body:
        return False
    if _TOO_LONG in body.translate(_DIGITS_ONLY) and _TOO_LONG in _without_strings(body).translate(_DIGITS_ONLY):
        return False
    return _shallow(_brackets(body))


def _without_strings(body: bytes) -> bytes:
    """Give what stands outside strings: a bracket or a digit within one says nothing of depth or of numbers."""
    return b"".join(_plain_quotes(body).split(b'"')[::2])


def _plain_quotes(body: bytes) -> bytes:
    """Give the body without the quotes that stand in strings."""
    return body.replace(b"\\\\", b"").replace(b'\\"', b"") if b"\\" in body else body


def _brackets(body: bytes) -> bytes:
    """Give the brackets outside strings.

    Where no string holds one, quotes and brackets alone show every string as a pair of quotes. The first string that
    does hold one leaves an odd number of quotes before it, and so one that is not deleted with another.
    """
    marks = _plain_quotes(body).translate(None, _NOT_MARKS).replace(b'""', b"")
    return _without_strings(body).translate(None, _NOT_BRACKETS) if b'"' in marks else marks


def _shallow(brackets: bytes) -> bool:
    """Tell whether brackets nest at most `DEPTH` deep.

    Each round peels off the one or two innermost levels, two where an array holds the innermost objects; what is left
    is no deeper than half its length.
    """
    for peeled in range(0, DEPTH, 2):
        if len(brackets) <= 2 * (DEPTH - peeled):
            return True
        brackets = brackets.replace(b"{}", b"").replace(b"[]", b"")
    return not brackets


def dumps(value: JSON) -> bytes:
    """Write compact JSON: member order and number lexemes as they stand in `value`."""
    written = _ENCODER.encode(value)
    if _EXPONENT.search(written) and _EXPONENT.search(_without_strings(written)):  # base64 looks like one at times
        return _ENCODER.encode(_plain(value))
    return written


def _number(lexeme: str) -> Decimal:
    if number_fault(lexeme):
        raise ValueError(lexeme)
    return Decimal(lexeme)


_DECODER = msgspec.json.Decoder(float_hook=_number)
_ENCODER = msgspec.json.Encoder(decimal_format="number")


def _wrong_byte(body: bytes) -> str:
    try:
        body.decode("utf-8")
    except UnicodeDecodeError as error:
        return f"byte {error.start}"
    return ""


def _decode(body: bytes) -> JSON:
    try:
        return cast("JSON", _DECODER.decode(body))
    except UnicodeDecodeError:
        raise JsonError("CHARSET_INVALID", _wrong_byte(body), "The body is not UTF-8.") from None
    except RecursionError:
        raise _too_deep() from None
    except msgspec.ValidationError:  # only `_number` causes one
        _find_fault(body)
        raise JsonError("VALUE_INVALID", "", "A number is not in plain decimal form.") from None
    except msgspec.DecodeError as error:
        raise _malformed(body, str(error)) from None


def _malformed(body: bytes, why: str) -> JsonError:
    if body[:3] == b"\xef\xbb\xbf":
        return JsonError("CHARSET_INVALID", "byte 0", "The body starts with a byte order mark; send plain UTF-8.")
    if b"\x00" in body[:4]:
        return JsonError("CHARSET_INVALID", "byte 0", "The body is UTF-16 or UTF-32; send UTF-8.")
    place = _BYTE.search(why)
    what = _BYTE.sub("", why.removeprefix("JSON is malformed: ")).strip()
    return JsonError("UNREADABLE", f"byte {place[1]}" if place else "", f"The body is not valid JSON: {what}.")


def _too_deep() -> JsonError:
    return JsonError("UNREADABLE", "", f"The JSON is nested deeper than {DEPTH} levels.")


def _minus_nought(compact: bytes) -> bool:
    return _MINUS_NOUGHT(compact) is not None


def _members(root: JSON) -> int:
    """Count the members of every object; -1 where an integer is too long, which sends the caller to look closer."""
    count = depth = 0
    dicts = [root] if isinstance(root, dict) else []
    lists = [root] if isinstance(root, list) else []
    while dicts or lists:
        depth += 1
        if depth > DEPTH:
            raise _too_deep()
        count += sum(map(len, dicts))
        below = chain(chain.from_iterable(map(dict.values, dicts)), chain.from_iterable(lists))
        rest = [value for value in below if type(value) is not str]
        dicts = [value for value in rest if type(value) is dict]
        lists = [value for value in rest if type(value) is list]
        whole = [value for value in rest if type(value) is int]
        if whole and (max(whole) >= _LIMIT or min(whole) <= -_LIMIT):
            return -1
    return count


class _Object(list[tuple[str, object]]):
    """An object as its members in order, doubles and all."""


class _Number(str):
    """A number as written."""

    __slots__ = ()


def _find_fault(body: bytes) -> None:
    """Read again, slowly, and raise the first fault in document order; give nothing if all is well."""
    try:
        text = body.decode("utf-8")
        document = json.loads(text, object_pairs_hook=_Object, parse_float=_Number, parse_int=_Number)
        _search(document, _root_name(document))
    except RecursionError:
        raise _too_deep() from None
    except UnicodeDecodeError:
        raise JsonError("CHARSET_INVALID", _wrong_byte(body), "The body is not UTF-8.") from None
    except json.JSONDecodeError as error:  # msgspec stopped at a number, before it came to this
        raise _malformed(body, f"{error.msg.lower()} (byte {len(text[: error.pos].encode())})") from None


def _root_name(document: object) -> str:
    kinds = [value for key, value in document if key == "resourceType"] if isinstance(document, _Object) else []
    return kinds[0] if kinds and isinstance(kinds[0], str) and kinds[0].isalpha() else ""


def _search(node: object, path: str) -> None:
    if isinstance(node, _Object):
        seen: set[str] = set()
        for key, value in node:
            below = f"{path}.{_shown(key)}" if path else _shown(key)
            if key in seen:
                raise JsonError("DUPLICATE_KEY", below, "The member is named twice in one object.")
            seen.add(key)
            _text_fault(key, path)
            _search(value, below)
    elif isinstance(node, list):
        for index, value in enumerate(node):
            _search(value, f"{path}[{index}]")
    elif isinstance(node, _Number):
        if fault := number_fault(node):
            raise JsonError("VALUE_INVALID", path, fault)
    elif isinstance(node, str):
        _text_fault(node, path)


def _shown(key: str) -> str:
    """Give a member's name if it is a name; a made-up one could hold anything and is not repeated."""
    return key if re.fullmatch(r"\w{1,64}", key, re.ASCII) else "(member)"


def _text_fault(text: str, path: str) -> None:
    if "\x00" in text:
        raise JsonError("VALUE_INVALID", path, "The text holds the character U+0000.")


def number_fault(lexeme: str) -> str:
    """Say why a number that is well-formed is still refused: no exponent, no minus nought, at most 18 digits."""
    if "e" in lexeme or "E" in lexeme:
        return "Write the number without an exponent."
    if lexeme.lstrip("-0.") == "" and lexeme.startswith("-"):
        return "Minus nought is not a number to send."
    if sum(character.isdigit() for character in lexeme) > DIGITS:
        return f"The number has more than {DIGITS} digits."
    return ""


def _plain(value: JSON) -> object:
    """Copy `value` with every decimal as its plain lexeme; msgspec alone writes `0.0000001` as `1E-7`."""
    if isinstance(value, dict):
        return {key: _plain(member) for key, member in value.items()}
    if isinstance(value, list):
        return [_plain(member) for member in value]
    return msgspec.Raw(format(value, "f").encode()) if isinstance(value, Decimal) else value
