"""FHIR XML, by the rows of reliability-security.md 4.2: what the trust XML may not be, it may not be either."""

from collections.abc import Callable

import pytest

from gateway.config.fhir_xml import fhir_xml
from gateway.domain.submission import WireFormat
from tests.fuzz.submissions import FHIR_XML
from tests.fuzz.targets import unsigned
from tests.unit.bad_input.rows import REFUSED, TAKEN, Row, judge, swap
from tests.unit.translate.from_fhir import orders

GOOD = fhir_xml().to_xml(unsigned(orders.message()))
STATUS = '<status value="active"/>'
BOMB = '<!DOCTYPE a [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'


def prolog(text: str) -> Callable[[bytes], bytes]:
    return swap("?>", "?>" + text)


def before_status(text: str) -> Callable[[bytes], bytes]:
    return swap(STATUS, text + STATUS)


ROWS = [
    Row("X01", "a DOCTYPE", prolog("<!DOCTYPE Bundle>"), REFUSED, "UNREADABLE"),
    Row("X02", "an external DTD", prolog('<!DOCTYPE a SYSTEM "http://127.0.0.1/a">'), REFUSED, "UNREADABLE"),
    Row("X02", "a parameter entity", prolog('<!DOCTYPE a [<!ENTITY % p SYSTEM "a">%p;]>'), REFUSED, "UNREADABLE"),
    Row("X02", "a style sheet", prolog('<?xml-stylesheet href="http://127.0.0.1/"?>'), REFUSED, "STRUCTURE_INVALID"),
    Row(
        "X02",
        "XInclude",
        before_status('<i:include xmlns:i="http://www.w3.org/2001/XInclude" href="a"/>'),
        REFUSED,
        "STRUCTURE_INVALID",
    ),
    Row(
        "X02",
        "a schema on a host",
        swap("<Bundle ", '<Bundle xmlns:i="http://www.w3.org/2001/XMLSchema-instance" i:schemaLocation="a http://h/" '),
        REFUSED,
        "STRUCTURE_INVALID",
    ),
    Row("X03", "billion laughs", prolog(BOMB), REFUSED, "UNREADABLE"),
    Row("X03", "5,000 deep", before_status("<a>" * 5000 + "</a>" * 5000), REFUSED, "UNREADABLE"),
    Row("X03", "240 deep", before_status("<contained>" * 240 + "</contained>" * 240), REFUSED, ""),
    Row("X03", "100,000 siblings", before_status("<a/>" * 100_000), REFUSED, "TOO_LARGE"),
    Row(
        "X03",
        "100,000 siblings that are served",
        before_status('<note><text value="a"/></note>' * 100_000),
        REFUSED,
        "TOO_LARGE",
    ),
    Row(
        "X03",
        "20,000 attributes",
        swap("<status ", "<status " + " ".join(f'a{number}=""' for number in range(20_000)) + " "),
        REFUSED,
        "STRUCTURE_INVALID",
    ),
    Row("X05", "UTF-16 with a mark", lambda body: body.decode().encode("utf-16"), REFUSED, "CHARSET_INVALID"),
    Row("X05", "UTF-16 without", lambda body: body.decode().encode("utf-16-be"), REFUSED, "CHARSET_INVALID"),
    Row("X05", "UTF-7 declared", swap("UTF-8", "UTF-7"), REFUSED, "CHARSET_INVALID"),
    Row("X05", "EBCDIC", lambda body: body.decode("ascii", "ignore").encode("cp500"), REFUSED, "CHARSET_INVALID"),
    Row("X06", "NUL", swap("Aoife", "A\x00fe"), REFUSED, "CHARSET_INVALID"),
    Row("X06", "0x01", swap("Aoife", "A\x01fe"), REFUSED, "UNREADABLE"),
    Row("X06", "half a surrogate pair", swap("Aoife", "&#xD800;"), REFUSED, "UNREADABLE"),
    Row("X07", "an instruction in a value", swap(STATUS, '<status value="active"><?x?></status>'), REFUSED, ""),
    Row("X08", "words in a value", swap(STATUS, '<status value="active">draft</status>'), REFUSED, "STRUCTURE_INVALID"),
    Row("X08", "a value as words", swap(STATUS, "<status>active</status>"), REFUSED, "STRUCTURE_INVALID"),
    Row("X08", "a reference in a number", swap('<value value="10"/>', '<value value="&#x31;0"/>'), TAKEN, ""),
    Row("X08", "a number with an exponent", swap('<value value="10"/>', '<value value="1e1"/>'), REFUSED, ""),
    Row("X09", "another namespace inside", swap("<status ", '<status xmlns="urn:x" '), REFUSED, "STRUCTURE_INVALID"),
    Row("X09", "another prefix", before_status('<x:intent xmlns:x="urn:x" value="plan"/>'), REFUSED, ""),
    Row("X10", "an element twice", before_status('<status value="draft"/>'), REFUSED, "STRUCTURE_INVALID"),
    Row("X11", "an attribute twice", swap(STATUS, '<status value="active" value="draft"/>'), REFUSED, "UNREADABLE"),
    Row("X12", "a no-break space in a code", swap(STATUS, '<status value="active\u00a0"/>'), REFUSED, ""),
    Row("X12", "a line break in a code", swap("15517911000001104", "15517911&#10;000001104"), REFUSED, ""),
    Row("X13", "an unknown element", before_status('<halve value="dose"/>'), REFUSED, "STRUCTURE_INVALID"),
    Row("X14", "a model instruction", prolog('<?xml-model href="a"?>'), REFUSED, "STRUCTURE_INVALID"),
    Row("X14", "a name of 64 KiB", before_status(f"<{'a' * 65536}/>"), REFUSED, ""),
]


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_bad_fhir_xml_is_told_what_is_wrong_with_it(row: Row) -> None:
    judge(row, WireFormat.FHIR, GOOD, FHIR_XML)


def test_the_same_message_without_the_fault_is_taken() -> None:
    judge(Row("", "", lambda body: body, TAKEN, ""), WireFormat.FHIR, GOOD, FHIR_XML)
