"""The ER7 codec, with python-hl7 as a second opinion."""

import re

import hl7
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.wire.er7 import Delimiters, Er7Error, Leaf, Message, Repeated, offset_of, parse, write
from gateway.wire.er7_text import ASCII, UTF8, charset_of
from tests.hl7v2_orders import GOLDEN

HEAD = "MSH|^~\\&|EPMA|RBA|HCGATEWAY|GATEWAY|20261005091500||RDE^O11|1|T|2.5.1|||||GBR|UNICODE UTF-8\r"
SAMPLES = sorted(GOLDEN.glob("*.hl7"))


def _leaf(message: Message, locator: str) -> Leaf:
    return next(leaf for leaf in message.leaves() if leaf.locator == locator)


def _text(body: str, locator: str) -> str:
    return _leaf(parse((HEAD + body).encode()), locator).text


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_every_leaf_is_where_python_hl7_finds_it(path) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001
    body = path.read_bytes()
    oracle = hl7.parse(body.decode())
    for segment in parse(body).segments[1:]:
        theirs = list(oracle.segments(segment.name))[segment.ordinal - 1]
        for number, repetitions in segment.fields.items():
            for repetition in repetitions:
                for leaf in repetition.leaves():
                    assert leaf.raw in str(theirs[number])


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_every_leaf_stands_at_its_offset(path) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001
    body = path.read_bytes()
    leaves = list(parse(body).leaves())
    assert len(leaves) > 50
    assert len({leaf.locator for leaf in leaves}) == len(leaves)
    for leaf in leaves:
        assert body[offset_of(body, leaf.locator) :].startswith(leaf.raw.encode())


def test_offsets_are_bytes_where_characters_are_longer() -> None:
    body = (HEAD + "PID|1||é^x~ü&z\r").encode()
    leaf = _leaf(parse(body), "PID[1]-3[2].1.2")
    assert body[offset_of(body, leaf.locator) :].startswith(b"z\r")


def test_locators_name_segment_field_repetition_component_and_subcomponent() -> None:
    message = parse((HEAD + "PID|1||a^b~c^d&e\rPID|2\r").encode())
    located = {leaf.locator: leaf.text for leaf in message.leaves() if leaf.locator.startswith("PID")}
    assert located == {
        "PID[1]-1.1": "1",
        "PID[1]-3[1].1": "a",
        "PID[1]-3[1].2": "b",
        "PID[1]-3[2].1": "c",
        "PID[1]-3[2].2.1": "d",
        "PID[1]-3[2].2.2": "e",
        "PID[2]-1.1": "2",
    }


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (r"a\F\b", "a|b"),
        (r"a\S\b", "a^b"),
        (r"a\T\b", "a&b"),
        (r"a\R\b", "a~b"),
        (r"a\E\b", "a\\b"),
        (r"a\.br\b", "a\nb"),
        (r"\X41C3A9\ ", "Aé "),
        (r"\X0D0A\ ", "\n "),
        (r"\E\F\E\ ", "\\F\\ "),
        (r"\H\bold\N\ ", "bold "),
    ],
)
def test_escapes_are_decoded_once_and_after_splitting(raw: str, text: str) -> None:
    message = parse((HEAD + f"NTE|1||{raw}|x\r").encode())
    assert _leaf(message, "NTE[1]-3.1").text == text
    assert _leaf(message, "NTE[1]-4.1").text == "x"
    assert not message.faults


@pytest.mark.parametrize(
    "raw", [r"a\b", r"\Zx\ ", r"\X4\ ", r"\X1C\ ", r"\X0B\ ", r"\XFF\ ", r"\C2842\ ", "a\x0bb", "a\nb"]
)
def test_a_wrong_escape_or_a_control_character_is_a_fault_at_its_place(raw: str) -> None:
    message = parse((HEAD + f"NTE|1||{raw}\r").encode())
    assert [(fault.code, fault.location) for fault in message.faults] == [("VALUE_INVALID", "NTE[1]-3.1")]


def test_null_is_not_empty() -> None:
    message = parse((HEAD + 'PID|1|||""^|x\r').encode())
    assert _leaf(message, "PID[1]-4.1").null
    assert message.named("PID")[0].leaf(2) is None
    assert message.named("PID")[0].repetitions(4)[0].null


@pytest.mark.parametrize(("ending", "name"), [("\r", "CR"), ("\n", "LF"), ("\r\n", "CRLF")])
def test_line_endings_are_tolerated_and_named(ending: str, name: str) -> None:
    message = parse((HEAD + "PID|1\rORC|NW\r").replace("\r", ending).encode())
    assert [segment.name for segment in message.segments] == ["MSH", "PID", "ORC"]
    assert message.line_endings == name
    body = (HEAD + "PID|1\rORC|NW\r").replace("\r", ending).encode()
    assert body[offset_of(body, "ORC[1]-1.1") :].startswith(b"NW")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "UNREADABLE"),
        (b" \r", "UNREADABLE"),
        (b"hello", "UNREADABLE"),
        (b"MSH|", "UNREADABLE"),
        (b"MSH|^~", "UNREADABLE"),
        (b"MSH|^^^^|A\r", "UNREADABLE"),
        (b"MSH|^~\\||A\r", "UNREADABLE"),
        (b"MSHA^~\\&AB\r", "UNREADABLE"),
        (b"FHS|^~\\&|A\rMSH|^~\\&|A\r", "UNREADABLE"),
        ("\ufeff" + HEAD, "UNREADABLE"),
        (HEAD.encode("utf-16"), "UNREADABLE"),
        (HEAD.encode() + b"PID|1||\xa3\r", "CHARSET_INVALID"),
        (HEAD.replace("UNICODE UTF-8", "").encode() + b"PID|1||\xc2\xa3\r", "CHARSET_INVALID"),
        (HEAD.replace("UNICODE UTF-8", "ISO IR87").encode(), "CHARSET_INVALID"),
    ],
)
def test_what_is_no_message_says_why(body: bytes | str, code: str) -> None:
    with pytest.raises(Er7Error) as caught:
        parse(body.encode() if isinstance(body, str) else body)
    assert caught.value.code == code
    assert caught.value.text


def test_latin_1_that_is_windows_1252_is_a_fault() -> None:
    body = HEAD.replace("UNICODE UTF-8", "8859/1").encode() + b"NTE|1||it\x92s\r"
    assert [fault.code for fault in parse(body).faults] == ["VALUE_INVALID"]


def test_other_legal_delimiters_are_read() -> None:
    message = parse(b"MSH#*!%$#EPMA#A*B!C$D\r")
    assert message.delimiters == Delimiters(field="#", component="*", repetition="!", escape="%", subcomponent="$")
    assert _leaf(message, "MSH[1]-4[2].1.2").text == "D"


def test_an_empty_msh_3_is_not_a_truncation_character() -> None:
    assert parse(b"MSH|^~\\&||RBA\r").header.leaf(4) is not None


def test_a_line_that_is_no_segment_is_a_fault() -> None:
    assert [fault.code for fault in parse((HEAD + "pid|1\r").encode()).faults] == ["UNREADABLE"]


words = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), min_size=1).filter(
    lambda text: text != '""'
)


@given(st.lists(st.lists(words, min_size=1, max_size=3), min_size=1, max_size=4))
def test_what_is_written_is_read_back(fields: list[list[str]]) -> None:
    msh = ("MSH", *[""] * 15, UTF8.name)
    body = write([msh, ("ZZZ", *(tuple(field) for field in fields))], UTF8)
    message = parse(body)
    assert not message.faults
    segment = message.named("ZZZ")[0]
    for number, field in enumerate(fields, start=1):
        assert [leaf.text for repetition in segment.repetitions(number) for leaf in repetition.leaves()] == field


@given(words)
def test_no_value_can_make_a_segment(text: str) -> None:
    hostile = f"{text}\rORC|NW|{text}\x0b\x1c\r"
    message = parse(write([("MSH", *[""] * 15, UTF8.name), ("NTE", "1", "", hostile)], UTF8))
    assert [segment.name for segment in message.segments] == ["MSH", "NTE"]
    assert "\x1c" not in (message.named("NTE")[0].leaf(3) or _leaf(message, "MSH[1]-1.1")).text


def test_repetitions_and_subcomponents_are_written() -> None:
    body = write([("MSH",), ("ERR", Repeated((("PID", "1", ("102", "x")), ("ORC",))))], ASCII)
    assert body == b"MSH|^~\\&\rERR|PID^1^102&x~ORC\r"


def test_a_character_set_that_cannot_say_it_is_an_error_not_a_question_mark() -> None:
    with pytest.raises(UnicodeEncodeError):
        write([("MSH", "é")], ASCII)
    assert charset_of("KOI8-R") is None


def test_a_leaf_hides_its_value() -> None:
    assert not re.search("SECRET", repr(parse((HEAD + "PID|1||SECRET\r").encode())))


@pytest.mark.parametrize("mark", [b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff"])
def test_a_byte_order_mark_is_named_as_what_is_wrong(mark: bytes) -> None:
    with pytest.raises(Er7Error) as caught:
        parse(mark + b"MSH|^~\\&|A|B\r")
    assert (caught.value.code, "byte order mark" in caught.value.text) == ("UNREADABLE", True)
