"""Bytes are shown as they are: nothing lost, nothing hidden, nothing alive."""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.console.bytes_shown import MOST, json_text, text

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(alphabet=st.characters(codec="utf-8", categories=["L", "P", "N"])),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=20,
)


@given(VALUES)
def test_shown_json_says_what_the_bytes_say(value: object) -> None:
    octets = json.dumps(value, ensure_ascii=True).encode()
    assert json.loads(json_text(octets)) == value


def test_every_lexeme_stands_as_it_was_sent() -> None:
    shown = json_text(b'{"a":5.00,"b":[1e3,-0.10],"c":"{[,:]}\\" \\\\","d":{},"e":[]}')
    for lexeme in ("5.00", "1e3", "-0.10", '"{[,:]}\\" \\\\"', '"d": {}', '"e": []'):
        assert lexeme in shown
    assert shown.startswith('{\n  "a": 5.00,\n  "b": [\n    1e3,')


@pytest.mark.parametrize("octets", [b"", b"]]]]", b'{"a', b"\xff\xfe", b'"\\', b"nonsense {"])
def test_what_is_not_json_is_shown_all_the_same(octets: bytes) -> None:
    assert isinstance(json_text(octets), str)


def test_hl7_segments_stand_on_lines_of_their_own_and_hidden_characters_are_seen() -> None:
    shown = text("MSH|a\rPID|\x0b\u202ex\u200b\r\nZZZ".encode())
    assert shown == "MSH|a\nPID|\u240b[U+202E]x[U+200B]\nZZZ"


@given(st.binary(max_size=300))
def test_no_control_or_bidirectional_character_reaches_the_page(octets: bytes) -> None:
    for shown in (text(octets), json_text(octets)):
        assert not re.search("[\x00-\x08\x0b-\x1f\x7f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]", shown)


def test_a_message_too_long_to_look_at_says_how_much_is_left_out() -> None:
    assert text(b"a" * (MOST + 7)).endswith("7 more characters are not shown")
