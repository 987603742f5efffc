"""The MSH that is answered: split where that means the same as to parse it."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gateway.translate.to_acknowledgement.hl7v2_parts import _parsed, _usual, request_of
from gateway.wire.er7_text import ASCII, UTF8

FIELD = st.text("aB7^ .", max_size=6)
ANY = st.text('aB7^ .~\\&"\x00\x1c\x7fé', max_size=6)
CHARSET = st.sampled_from(["", "UNICODE UTF-8", "ASCII", "8859/1", "^X", "^", "EBCDIC", '""', "UNICODE UTF-8~X"])


def msh(fields: list[str], charset: str = "") -> bytes:
    before = [*fields, *[""] * 15][:15]
    return "|".join(["MSH", "^~\\&", *before, charset, *fields[15:]]).encode()


@given(st.lists(FIELD | ANY, max_size=20), CHARSET)
@example([], "")
@example(["EPMA^1^ISO", "^^", "a^^b^"], "UNICODE UTF-8")
def test_a_header_that_is_split_says_what_it_says_when_it_is_parsed(fields: list[str], charset: str) -> None:
    first = msh(fields, charset)
    if (split := _usual(first)) is not None:
        parsed = _parsed(first)
        assert parsed is not None
        assert (split[0][3:], split[1]) == (parsed[0][3:], parsed[1])


@given(st.lists(FIELD, max_size=20))
def test_a_plain_header_is_split(fields: list[str]) -> None:
    assert _usual(msh(fields)) is not None


@pytest.mark.parametrize(
    "first",
    [
        b"MSH|^~\\&|A\\T\\B",
        b"MSH|^~\\&|A~B",
        b"MSH|^~\\&|A&B",
        b'MSH|^~\\&|""',
        b"MSH|^~\\#|A",
        b"MSH#^~\\&#A",
        b"MSH|^~\\&|\xc3\xa9",
        b"MSH|^~\\&|" + b"|" * 2001,
        b"MSH",
        b"",
    ],
)
def test_any_other_header_is_parsed(first: bytes) -> None:
    assert _usual(first) is None


def test_the_character_set_is_read_either_way() -> None:
    assert request_of(msh(["A"], "UNICODE UTF-8") + b"\rPID|1").charset == UTF8
    assert request_of(msh(["A&B"], "UNICODE UTF-8") + b"\nPID|1").charset == UTF8
    assert request_of(msh(["A"], "EBCDIC")).charset == ASCII
