import json
from collections.abc import Callable
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.wire.strict_json import DEPTH, JSON, JsonError, _brackets, _shallow, dumps, loads, reread

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"))
NUMBERS = st.decimals(allow_nan=False, allow_infinity=False, places=3, min_value=0, max_value=10**12)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**17), 10**17) | NUMBERS | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=25,
)

MARKS = st.text('[]{}"\\a', max_size=6)
NESTED = st.recursive(
    MARKS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(MARKS, inner, max_size=4),
    max_leaves=25,
)

REFUSED = {
    "escaped duplicate": (rb'{"a":1,"\u0061":2}', "DUPLICATE_KEY", "a"),
    "deep duplicate": (
        b'{"resourceType":"Bundle","entry":[{},{"status":"a","status":"a"}]}',
        "DUPLICATE_KEY",
        "Bundle.entry[1].status",
    ),
    "duplicate hidden by white space before the colon": (b'{"a" :1,"a":":"}', "DUPLICATE_KEY", "a"),
    "duplicate of another member's colon text": (b'{"a":": x","b":1,"b":2}', "DUPLICATE_KEY", "b"),
    "NaN": (b'{"a":NaN}', "UNREADABLE", "byte 5"),
    "Infinity": (b"[-Infinity]", "UNREADABLE", "byte 2"),
    "leading nought": (b'{"a":01}', "UNREADABLE", "byte 6"),
    "no digit before the point": (b'{"a":.5}', "UNREADABLE", "byte 5"),
    "no digit after the point": (b'{"a":5.}', "UNREADABLE", "byte 7"),
    "exponent": (b'{"a":[1,1E400]}', "VALUE_INVALID", "a[1]"),
    "minus nought": (b'{"a":-0}', "VALUE_INVALID", "a"),
    "minus nought decimal": (b'[{"a":-0.0}]', "VALUE_INVALID", "[0].a"),
    "nineteen digits with a point": (b'{"a":1.234567890123456789}', "VALUE_INVALID", "a"),
    "nineteen digits": (b'{"a":1234567890123456789}', "VALUE_INVALID", "a"),
    "byte order mark": (b'\xef\xbb\xbf{"a":1}', "CHARSET_INVALID", "byte 0"),
    "UTF-16": ('{"a":1}'.encode("utf-16-le"), "CHARSET_INVALID", "byte 0"),
    "not UTF-8": (b'{"a":"\xff"}', "CHARSET_INVALID", "byte 6"),
    "overlong": (b'{"a":"\xc0\xaf"}', "CHARSET_INVALID", "byte 6"),
    "lone high surrogate": (rb'{"a":"\ud800 and more"}', "UNREADABLE", None),
    "lone low surrogate": (rb'{"a":"\udc00 and more"}', "UNREADABLE", None),
    "escaped nul": (rb'{"a":"\u0000"}', "VALUE_INVALID", "a"),
    "raw control character": (b'{"a":"\x01"}', "UNREADABLE", "byte 6"),
    "trailing bytes": (b"{}x", "UNREADABLE", "byte 3"),
    "second document": (b"{}{}", "UNREADABLE", None),
    "trailing comma": (b'{"a":1,}', "UNREADABLE", None),
    "comment": (b"{/*x*/}", "UNREADABLE", None),
    "single quotes": (b"{'a':1}", "UNREADABLE", None),
    "empty": (b"", "UNREADABLE", ""),
    "too deep": (b"[" * 65 + b"]" * 65, "UNREADABLE", ""),
    "too deep, behind brackets in strings": (b'["]",' * 100 + b"1" + b',"["]' * 100, "UNREADABLE", ""),
    "too deep, behind escaped quotes": (b'["\\\\\\"]",' * 100 + b"1" + b',"["]' * 100, "UNREADABLE", ""),
    "far too deep": (b"[" * 10_000 + b"]" * 10_000, "UNREADABLE", ""),
}


@pytest.mark.parametrize("case", REFUSED.values(), ids=REFUSED.keys())
def test_what_two_parsers_could_read_differently_is_refused(case: tuple[bytes, str, str | None]) -> None:
    body, code, location = case
    with pytest.raises(JsonError) as caught:
        loads(body)
    assert caught.value.code == code
    assert location is None or caught.value.location == location


@given(VALUES)
def test_what_is_written_reads_back_the_same_with_its_lexemes(value: JSON) -> None:
    written = dumps(value)
    assert dumps(loads(written)) == written
    assert loads(written) == value


@given(VALUES)
def test_a_document_another_writer_made_reads_the_same(value: JSON) -> None:
    body = json.dumps(value, default=float, indent=1).encode()
    expected = json.loads(body, parse_float=Decimal)
    if b"e-" in body or b"e+" in body or b"-0" in body:
        return
    assert loads(body) == expected


@given(members=st.dictionaries(TEXT, TEXT, min_size=1, max_size=5), data=st.data(), escaped=st.booleans())
def test_a_member_said_twice_is_always_found(members: dict[str, str], data: st.DataObject, *, escaped: bool) -> None:
    again = data.draw(st.sampled_from(sorted(members)))
    pairs = [f"{json.dumps(key, ensure_ascii=escaped)} : {json.dumps(value)}" for key, value in members.items()]
    pairs.append(f"{json.dumps(again)}:1")
    with pytest.raises(JsonError, match="named twice"):
        loads(("{" + ",".join(pairs) + "}").encode())


@pytest.mark.parametrize("lexeme", ["5.00", "0.50", "0.0000001", "123456789012345.678", "7", "-2.50"])
def test_a_number_keeps_its_lexeme(lexeme: str) -> None:
    body = f'{{"b":{lexeme},"a":[{lexeme}]}}'.encode()
    assert dumps(loads(body)) == body


def test_no_number_is_written_with_an_exponent_beside_a_text_that_looks_like_one() -> None:
    assert dumps({"data": "3E+4="}) == b'{"data":"3E+4="}'
    assert dumps({"data": '"3E+4', "b": Decimal("0.0000001")}) == b'{"data":"\\"3E+4","b":0.0000001}'


def test_the_deepest_allowed_nesting_is_read() -> None:
    assert loads(b"[" * DEPTH + b"]" * DEPTH) is not None


WRITTEN = st.recursive(
    st.sampled_from(
        [Decimal("-0"), Decimal("-0.0"), 10**18, -(10**17), Decimal(10) ** 30, "\x00", "-0", ":-0", 0, "é"]
    ),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "-0", "\x00"]), inner),
    max_leaves=8,
)


def outcome(read: Callable[[bytes], JSON], body: bytes) -> object:
    try:
        return read(body)
    except JsonError as error:
        return error.code, error.location, error.text


@given(VALUES | WRITTEN | NESTED)
def test_what_we_wrote_reads_back_as_what_anybody_wrote(value: JSON) -> None:
    body = dumps(value)
    assert outcome(reread, body) == outcome(loads, body)


def outside_strings(body: str) -> str:
    inside = escaped = False
    found = ""
    for character in body:
        if not inside and character in "[]{}":
            found += character
        if character == '"' and not escaped:
            inside = not inside
        escaped = inside and character == "\\" and not escaped
    return found


@given(NESTED)
def test_the_brackets_are_those_outside_strings(value: JSON) -> None:
    body = dumps(value)
    assert _brackets(body).decode() == outside_strings(body.decode())


@given(st.lists(st.sampled_from(["[]", "{}", "[{}]"]), max_size=40), st.lists(st.booleans(), min_size=50, max_size=80))
def test_nothing_deeper_than_allowed_is_shallow(siblings: list[str], levels: list[bool]) -> None:
    opened = "".join("[" if array else "{" for array in levels)
    closed = "".join("]" if array else "}" for array in reversed(levels))
    brackets = (opened + "".join(siblings) + closed).encode()
    deepest = len(levels) + max([len(one) // 2 for one in siblings], default=0)
    assert deepest <= DEPTH or not _shallow(brackets)


@pytest.mark.parametrize("siblings", [0, 1, 100])
def test_one_level_too_deep_is_refused_whatever_stands_beside_it(siblings: int) -> None:
    beside = b'{"a":[]},' * siblings
    assert loads(b"[" * (DEPTH - 2) + beside + b"[[]]" + b"]" * (DEPTH - 2))
    with pytest.raises(JsonError):
        loads(b"[" * (DEPTH - 1) + beside + b"[[]]" + b"]" * (DEPTH - 1))


def test_an_error_repeats_no_value_and_no_odd_member_name() -> None:
    with pytest.raises(JsonError) as caught:
        loads(b'{"Mr Bloggs":1,"Mr Bloggs":"secret"}')
    assert "Bloggs" not in f"{caught.value} {caught.value.location} {caught.value.text}"
    assert caught.value.location == "(member)"
