"""Damage: one message in, another out, wrong in a way that senders, networks and enemies bring about.

Every choice is drawn from the source that is handed in, so a seed, or Hypothesis, tells the whole story again.
"""

import random
import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from gateway.wire.strict_json import dumps, loads

Mutation = Callable[[random.Random, bytes], bytes]

HUGE = 10**30
SCRAPS = (
    *(b"", b" ", b'""', b"0", b"-1", b"1e3", b"0.0001", b"5.0", b"99999999999999999999", b"1,5", b"10-20"),
    *(
        b"|",
        b"^",
        b"~",
        b"&",
        b"\\",
        b"\\F\\",
        b"\\X0D\\",
        b"\\X1C0D\\",
        b"\\Z",
        b"\r",
        b"\n",
        b"\r\n",
        b"\x0b",
        b"\x1c",
    ),
    *(b"<", b">", b"</", b"<!--x-->", b"<?x?>", b"<![CDATA[1]]>", b"&#xD800;", b"&#x31;", b"&amp;", b"<!DOCTYPE a>"),
    *(b"{", b"}", b"[", b"]", b'"', b",", b":", b"null", b"true", b"\\u0000", b"\\ud800", b"NaN"),
    *(b"\x00", b"\x01", b"\x7f", b"\xff", b"\xc0\xaf", b"\xed\xa0\x80", b"\xef\xbb\xbf", b"\xef\xbf\xbe"),
    *(
        text.encode()
        for text in ("٥", "½", "\u00a0", "\u200b", "\u202e", "\u2028", "µ", "μ", "é", "e\u0301", "😀", "\x85")
    ),
    *(b"20260230", b"2026-02-30", b"00010101", b"99991231", b"0001-01-01", b"9999-12-31T23:59:59Z"),
    *(b"mg", b"mcg", b"unit", b"BD", b"Q1W", b"PRN", b"NW", b"CA", b"XO", b"9990000078", b"urn:uuid:", b"#"),
    b"a" * 3000,
)
VALUES: tuple[Any, ...] = (
    *(
        None,
        True,
        False,
        0,
        -1,
        1,
        HUGE,
        Decimal("0.010"),
        Decimal("1.50"),
        Decimal("1e-7"),
        "",
        " ",
        "0",
        "1.5",
        "\ud7ff",
    ),
    *([], {}, [[]], [None], {"a": 1}, "urn:uuid:", "#", "http://169.254.0.1/", "2026-02-30", "٥", "\u202e", "a" * 3000),
    *({"extension": [{"url": "x", "valueBoolean": True}]}, {"modifierExtension": [{"url": "x"}]}, {"reference": "#"}),
)
_TOKEN = re.compile(rb"[A-Za-z0-9.+:-]+")
_NUMBER = re.compile(rb"\d+(?:\.\d+)?")
_ELEMENT = re.compile(rb"<([A-Za-z]+)(?:\s[^<>]*)?(?:/>|>(?:(?!<\1[\s>]).)*?</\1>)", re.DOTALL)
_ATTRIBUTE = re.compile(rb'\s[A-Za-z]+="[^"]*"')
_DEEP = 200


def flip(chance: random.Random, body: bytes) -> bytes:
    """Change one byte."""
    if not body:
        return body
    place = chance.randrange(len(body))
    return body[:place] + bytes([chance.randrange(256)]) + body[place + 1 :]


def cut(chance: random.Random, body: bytes) -> bytes:
    """End it early."""
    return body[: chance.randrange(len(body) + 1)]


def lose(chance: random.Random, body: bytes) -> bytes:
    """Lose a stretch."""
    place = chance.randrange(len(body) + 1)
    return body[:place] + body[place + chance.randrange(1, 40) :]


def again(chance: random.Random, body: bytes) -> bytes:
    """Say a stretch twice."""
    place = chance.randrange(len(body) + 1)
    end = place + chance.randrange(1, 60)
    return body[:end] + body[place:]


def insert(chance: random.Random, body: bytes) -> bytes:
    """Put in a scrap that means something to some parser."""
    place = chance.randrange(len(body) + 1)
    return body[:place] + chance.choice(SCRAPS) + body[place:]


def other_token(chance: random.Random, body: bytes) -> bytes:
    """Put a scrap, or another word of the message, in the place of a word."""
    found = list(_TOKEN.finditer(body))
    if not found:
        return body
    old = chance.choice(found)
    new = chance.choice(SCRAPS) if chance.random() < 0.5 else chance.choice(found)[0]
    return body[: old.start()] + new + body[old.end() :]


def other_number(chance: random.Random, body: bytes) -> bytes:
    """Change a number: its sign, its size, its digits or its form."""
    found = list(_NUMBER.finditer(body))
    if not found:
        return body
    old = chance.choice(found)
    lexeme = old[0]
    new = chance.choice(
        (b"-" + lexeme, b"+" + lexeme, lexeme + b"0", lexeme + b".0", b"0" + lexeme, lexeme[1:], b"9" * 40)
    )
    return body[: old.start()] + new + body[old.end() :]


def pieces(chance: random.Random, body: bytes, by: bytes) -> bytes:
    """Lose, double, move or swap a piece between two separators."""
    parts = body.split(by)
    one, other = chance.randrange(len(parts)), chance.randrange(len(parts))
    match chance.randrange(4):
        case 0:
            del parts[one]
        case 1:
            parts.insert(other, parts[one])
        case 2:
            parts.insert(other, parts.pop(one))
        case _:
            parts[one], parts[other] = parts[other], parts[one]
    return by.join(parts)


def segments(chance: random.Random, body: bytes) -> bytes:
    """Lose, double, move or swap an HL7 segment."""
    return pieces(chance, body, b"\r")


def fields(chance: random.Random, body: bytes) -> bytes:
    """Lose, double, move or swap a field, a component or a repetition of one HL7 segment."""
    lines = body.split(b"\r")
    place = chance.randrange(len(lines))
    lines[place] = pieces(chance, lines[place], chance.choice((b"|", b"^", b"~", b"&")))
    return b"\r".join(lines)


def elements(chance: random.Random, body: bytes) -> bytes:
    """Lose, double, move, wrap or bury an XML element."""
    found = list(_ELEMENT.finditer(body))
    if not found:
        return body
    old = chance.choice(found)
    before, after = body[: old.start()], body[old.end() :]
    match chance.randrange(5):
        case 0:
            return before + after
        case 1:
            return before + old[0] + old[0] + after
        case 2:
            deep = chance.choice((1, 3, _DEEP, 100 * _DEEP))
            return before + b"<a>" * deep + old[0] + b"</a>" * deep + after
        case 3:
            other = chance.choice(found)
            return body[: other.start()] + old[0] + body[other.start() :]
        case _:
            return before + chance.choice(found)[0] + after


def attributes(chance: random.Random, body: bytes) -> bytes:
    """Lose, double or move an XML attribute."""
    found = list(_ATTRIBUTE.finditer(body))
    if not found:
        return body
    old, other = chance.choice(found), chance.choice(found)
    if chance.random() < 0.4:
        return body[: old.start()] + body[old.end() :]
    return body[: other.start()] + old[0] + body[other.start() :]


def members(chance: random.Random, body: bytes) -> bytes:
    """Lose, double, rename, replace or bury a member of a JSON document."""
    try:
        root = loads(body)
    except ValueError:
        return insert(chance, body)
    places = [*_places(root)]
    if not places:
        return body
    inside, key = chance.choice(places)
    _change_member(chance, inside, key, places)
    try:
        return dumps(root)
    except (RecursionError, ValueError, OverflowError):
        return body


def _change_member(chance: random.Random, inside: Any, key: Any, places: list[tuple[Any, Any]]) -> None:
    match chance.randrange(6):
        case 0:
            del inside[key]
        case 1:
            inside[key] = chance.choice(VALUES)
        case 2:
            inside[key] = [inside[key]]
        case 3 if isinstance(inside, list):
            inside.insert(chance.randrange(len(inside) + 1), inside[key])
        case 3:
            inside[chance.choice(("status", "_" + key, key.upper(), "__proto__", "modifierExtension"))] = inside.pop(
                key
            )
        case 4:
            source, name = chance.choice(places)
            if name in source if isinstance(source, dict) else name < len(source):
                inside[key] = loads(dumps(source[name]))
        case _:
            value = inside[key]
            for _ in range(chance.choice((1, 5, 70))):
                value = {"extension": [value]}
            inside[key] = value


def _places(value: Any) -> list[tuple[Any, Any]]:
    inner = (
        list(value.items()) if isinstance(value, dict) else list(enumerate(value)) if isinstance(value, list) else []
    )
    return [(value, key) for key, _ in inner] + [place for _, one in inner for place in _places(one)]


BYTES: tuple[Mutation, ...] = (flip, cut, lose, again, insert, other_token, other_number)
HL7: tuple[Mutation, ...] = (*BYTES, segments, segments, fields, fields, fields)
XML: tuple[Mutation, ...] = (*BYTES, elements, elements, elements, attributes)
JSON: tuple[Mutation, ...] = (*BYTES, members, members, members, members)


def mutated(chance: random.Random, body: bytes, kinds: tuple[Mutation, ...], most: int = 4) -> bytes:
    """Damage a message once or a few times."""
    for _ in range(chance.randrange(1, most + 1)):
        body = chance.choice(kinds)(chance, body)
    return body
