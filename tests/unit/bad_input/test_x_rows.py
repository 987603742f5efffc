"""Trust XML, by the rows of reliability-security.md 4.2.

Elsewhere: X04 (compressed bodies) in `unit/web`, which refuses every content encoding; S01 to S10 in `unit/sign`. Of
X15 only the refusal applies: SOAP is not served.
"""

from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.domain.submission import WireFormat
from tests.unit.bad_input.rows import REFUSED, TAKEN, Row, judge, swap

GOOD = (Path(__file__).parents[2] / "golden" / "xml" / "example-new.xml").read_bytes()
NUMBER = "<TrustOrderNumber>RX7001<"


def prolog(text: str) -> Callable[[bytes], bytes]:
    return swap("?>", "?>" + text)


def wrapped(before: str, after: str) -> Callable[[bytes], bytes]:
    return lambda body: before.encode() + body.split(b"?>", 1)[1] + after.encode()


BOMB = '<!DOCTYPE a [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
ROWS = [
    Row("X01", "a DOCTYPE", prolog("<!DOCTYPE PrescriptionMessage>"), REFUSED, "UNREADABLE"),
    Row("X02", "an external DTD", prolog('<!DOCTYPE a SYSTEM "http://127.0.0.1/a">'), REFUSED, "UNREADABLE"),
    Row("X02", "a parameter entity", prolog('<!DOCTYPE a [<!ENTITY % p SYSTEM "a">%p;]>'), REFUSED, "UNREADABLE"),
    Row("X02", "a style sheet", prolog('<?xml-stylesheet href="http://127.0.0.1/"?>'), REFUSED, "STRUCTURE_INVALID"),
    Row(
        "X02",
        "XInclude",
        swap("<Supply>", '<i:include xmlns:i="http://www.w3.org/2001/XInclude" href="a"/><Supply>'),
        REFUSED,
        "STRUCTURE_INVALID",
    ),
    Row("X03", "billion laughs", prolog(BOMB), REFUSED, "UNREADABLE"),
    Row("X03", "5,000 deep", swap("<Supply>", "<a>" * 5000 + "</a>" * 5000 + "<Supply>"), REFUSED, "UNREADABLE"),
    Row(
        "X03",
        "20,000 attributes",
        swap("<Supply>", "<Supply " + " ".join(f'a{number}=""' for number in range(20_000)) + ">"),
        REFUSED,
        "",
    ),
    Row("X03", "100,000 siblings", swap("<Supply>", "<a/>" * 100_000 + "<Supply>"), REFUSED, ""),
    Row("X03", "a text of 2 MB", swap("Aoife", "A" * (2 << 20)), REFUSED, "TOO_LARGE"),
    Row("X05", "UTF-16 with a mark", lambda body: body.decode().encode("utf-16"), REFUSED, "CHARSET_INVALID"),
    Row("X05", "UTF-16 without", lambda body: body.decode().encode("utf-16-le"), REFUSED, "CHARSET_INVALID"),
    Row("X05", "UTF-7 declared", swap('"UTF-8"', '"UTF-7"'), REFUSED, "CHARSET_INVALID"),
    Row("X05", "EBCDIC", lambda body: body.decode("ascii", "ignore").encode("cp500"), REFUSED, "CHARSET_INVALID"),
    Row("X06", "NUL", swap("Aoife", "A\x00fe"), REFUSED, "CHARSET_INVALID"),
    Row("X06", "0x01", swap("Aoife", "A\x01fe"), REFUSED, "UNREADABLE"),
    Row("X06", "U+FFFE", swap("Aoife", "A\ufffefe"), REFUSED, "UNREADABLE"),
    Row("X06", "half a surrogate pair", swap("Aoife", "&#xD800;"), REFUSED, "UNREADABLE"),
    Row("X07", "a comment in an id", swap(NUMBER, "<TrustOrderNumber>RX<!---->7001<"), REFUSED, "STRUCTURE_INVALID"),
    Row("X07", "an instruction in an id", swap(NUMBER, "<TrustOrderNumber>RX<?x?>7001<"), REFUSED, "STRUCTURE_INVALID"),
    Row("X09", "another namespace inside", swap("<Dose ", '<Dose xmlns="urn:x" '), REFUSED, "STRUCTURE_INVALID"),
    Row("X10", "an element twice", swap(NUMBER, "<TrustOrderNumber>RX9</TrustOrderNumber>" + NUMBER), REFUSED, ""),
    Row("X11", "an attribute twice", swap('value="10"', 'value="10" value="20"'), REFUSED, "UNREADABLE"),
    Row("X12", "a no-break space in a number", swap(NUMBER, "<TrustOrderNumber>RX\xa07001<"), REFUSED, "VALUE_INVALID"),
    Row("X12", "a line break in a code", swap("15517911000001104", "15517911\n000001104"), REFUSED, ""),
    Row("X13", "an unknown element", swap("<Supply>", "<Halve>dose</Halve><Supply>"), REFUSED, "STRUCTURE_INVALID"),
    Row("X14", "a model instruction", prolog('<?xml-model href="a"?>'), REFUSED, "STRUCTURE_INVALID"),
    Row("X14", "a name of 64 KiB", swap("<Supply>", f"<{'a' * 65536}/><Supply>"), REFUSED, ""),
    Row(
        "X15",
        "a SOAP envelope with two bodies",
        wrapped(
            '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>',
            "</s:Body><s:Body/></s:Envelope>",
        ),
        REFUSED,
        "MESSAGE_TYPE_UNSUPPORTED",
    ),
]


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_bad_xml_is_told_what_is_wrong_with_it(row: Row) -> None:
    judge(row, WireFormat.XML, GOOD)


def test_the_same_message_without_the_fault_is_taken() -> None:
    judge(Row("", "", lambda body: body, TAKEN, ""), WireFormat.XML, GOOD)
