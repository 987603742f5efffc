"""Trust XML, by the rows of reliability-security.md 4.2.

Elsewhere: X04 (compressed bodies) in `acceptance/test_repeats.py`; S01 to S10 in `unit/sign`; FHIR XML in
`unit/wire/test_fhir_xml.py`. Of X15 only the refusal applies: SOAP is not served.
"""

import json
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from gateway.domain.submission import WireFormat
from tests.fuzz.submissions import carry
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
    Row("X08", "a part of a number as an element", swap(NUMBER, "<TrustOrderNumber>RX<b/>7001<"), REFUSED, ""),
    Row("X08", "words beside an element", swap("<Supply>", "two<Supply>"), REFUSED, "STRUCTURE_INVALID"),
    Row("X08", "a dose that becomes a text", swap('value="10"', 'value="&#x31;&#x65;1"'), REFUSED, ""),
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


@pytest.mark.parametrize(
    "change",
    [
        swap(NUMBER, "<TrustOrderNumber><![CDATA[RX7001]]><"),
        swap(NUMBER, "<TrustOrderNumber>RX<![CDATA[70]]>01<"),
        swap(NUMBER, "<TrustOrderNumber>&#x52;X7001<"),
        swap('value="10"', 'value="&#x31;0"'),
        swap('value="10"', "value='10'"),
    ],
    ids=["CDATA", "part CDATA", "a reference in a number", "a reference in a dose", "other quotation marks"],
)
def test_x08_what_xml_writes_in_several_ways_reads_the_same_in_two_parsers(change: Callable[[bytes], bytes]) -> None:
    body = change(GOOD)
    assert texts(body) == texts(GOOD)
    (one,) = carry(WireFormat.XML, GOOD, body).orders
    (other,) = carry(WireFormat.XML, GOOD, GOOD).orders
    assert one.prescription == other.prescription


def texts(body: bytes) -> list[tuple[str, str, dict[str, str]]]:
    """Read a document with the standard library's parser."""
    return [(one.tag, one.text or "", one.attrib) for one in ET.fromstring(body).iter()]  # noqa: S314 - ours


@pytest.mark.parametrize("number", ["RX']", "RX|1", "RX//*[1]", "RX' or '1'='1", 'RX"1', "RX{1}", "RX*", "RX$x"])
def test_x16_a_number_that_means_something_in_xpath_is_a_number(number: str) -> None:
    body = GOOD.replace(NUMBER.encode(), f"<TrustOrderNumber>{number}<".encode())
    seen = carry(WireFormat.XML, GOOD, body)
    (order,) = seen.orders
    assert seen.verdict.outcome is TAKEN
    assert [line.order_number for line in order.prescription.lines] == [number]  # type: ignore[union-attr]
    assert order.message is not None
    assert json.dumps(number).encode() in order.message.body


def test_the_same_message_without_the_fault_is_taken() -> None:
    judge(Row("", "", lambda body: body, TAKEN, ""), WireFormat.XML, GOOD)
