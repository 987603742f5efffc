"""HL7 v2, by the rows of reliability-security.md 4.1.

Elsewhere: H01 to H07 (framing) in `unit/wire/test_mllp.py` and `unit/test_mllp.py`; H12 to H15 in the contract suite of
the store and in `acceptance/test_bad_input.py`; H19 in `unit/translate/to_acknowledgement`; H34 in `unit/web`. H20 does
not apply: the sequence number protocol is not offered.
"""

from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.domain.submission import WireFormat
from tests.unit.bad_input.rows import HELD, REFUSED, TAKEN, Row, judge, swap

GOOD = (Path(__file__).parents[2] / "golden" / "hl7v2" / "S01.hl7").read_bytes()
DIRECTIONS = "Inject 10mg ONCE a WEEK on a Monday"


def put(place: str, value: str) -> Callable[[bytes], bytes]:
    """Set one field of the first segment of that name, `RXE-3`."""
    segment, number = place.split("-")

    def change(body: bytes) -> bytes:
        lines = body.decode().split("\r")
        index = next(at for at, line in enumerate(lines) if line.startswith(segment))
        parts = lines[index].split("|")
        at = int(number) - (segment == "MSH")
        parts += [""] * (at + 1 - len(parts))
        parts[at] = value
        lines[index] = "|".join(parts)
        return "\r".join(lines).encode()

    return change


def more(segments: str) -> Callable[[bytes], bytes]:
    return lambda body: body.rstrip(b"\r") + b"\r" + segments.encode()


def first(count: int) -> Callable[[bytes], bytes]:
    return lambda body: body[:count]


ROWS = [
    Row("H08", "LF for CR", lambda body: body.replace(b"\r", b"\n"), TAKEN, "LINE_ENDINGS_NORMALISED"),
    Row("H08", "CRLF for CR", lambda body: body.replace(b"\r", b"\r\n"), TAKEN, "LINE_ENDINGS_NORMALISED"),
    Row("H09", "empty", first(0), REFUSED, "UNREADABLE"),
    Row("H09", "only MSH", lambda body: body.split(b"\r")[0], REFUSED, "SEGMENT_MISSING"),
    Row("H09", "MSH cut after field 8", lambda body: b"|".join(body.split(b"|")[:8]), REFUSED, "CONTROL_ID_MISSING"),
    Row("H10", "doubled delimiters", swap("MSH|^~\\&", "MSH|^^^^"), REFUSED, "UNREADABLE"),
    Row("H10", "a letter for a delimiter", swap("MSH|^~\\&", "MSH|^~\\A"), REFUSED, "UNREADABLE"),
    Row("H10", "no delimiters", swap("MSH|^~\\&|", "MSH||"), REFUSED, "UNREADABLE"),
    Row("H11", "no control id", put("MSH-10", ""), REFUSED, "CONTROL_ID_MISSING"),
    Row("H11", "200 characters of control id", put("MSH-10", "x" * 200), REFUSED, "CONTROL_ID_MISSING"),
    Row("H11", "a control id of spaces", put("MSH-10", "  "), REFUSED, "CONTROL_ID_MISSING"),
    Row("H16", "not for us", lambda body: put("MSH-6", "B")(put("MSH-5", "A")(body)), REFUSED, "RECEIVER_WRONG"),
    Row("H17", "no version", put("MSH-12", ""), REFUSED, "VERSION_UNSUPPORTED"),
    Row("H17", "version 2.1", put("MSH-12", "2.1"), REFUSED, "VERSION_UNSUPPORTED"),
    Row("H17", "version 2.9", put("MSH-12", "2.9"), REFUSED, "VERSION_UNSUPPORTED"),
    Row("H18", "another structure", put("MSH-9", "RDE^O11^ADT_A01"), REFUSED, "MESSAGE_TYPE_UNSUPPORTED"),
    Row("H21", "Windows-1252 as UTF-8", lambda body: body.replace(b"Aoife", b"A\xa3"), REFUSED, "CHARSET_INVALID"),
    Row("H21", "UTF-16", lambda body: body.decode().encode("utf-16-le"), REFUSED, "UNREADABLE"),
    Row("H22", "CR by its number is text", swap(DIRECTIONS, DIRECTIONS + "\\X0D\\MSH"), TAKEN, ""),
    Row("H22", "an end of frame by its number", swap(DIRECTIONS, DIRECTIONS + "\\X1C0D\\"), REFUSED, "VALUE_INVALID"),
    Row("H22", "an escape without its end", swap(DIRECTIONS, DIRECTIONS + "\\F"), REFUSED, "VALUE_INVALID"),
    Row("H22", "a private escape", swap(DIRECTIONS, DIRECTIONS + "\\Z1\\"), REFUSED, "VALUE_INVALID"),
    Row("H23", "ANSI escapes", swap(DIRECTIONS, "\x1b[2J" + DIRECTIONS), REFUSED, "VALUE_INVALID"),
    Row("H24", "an unknown action", put("ORC-1", "ZZ"), REFUSED, "ACTION_UNSUPPORTED"),
    *(
        Row("H25", f"a dose of {amount!a}", put("RXE-3", amount), outcome, code)
        for amount, outcome, code in [
            ("1,5", REFUSED, "VALUE_INVALID"),
            ("10-20", REFUSED, "VALUE_INVALID"),
            ("1e3", REFUSED, "VALUE_INVALID"),
            ("+5", REFUSED, "VALUE_INVALID"),
            (" 5 ", REFUSED, "VALUE_INVALID"),
            ("٥", REFUSED, "VALUE_INVALID"),
            ("5½", REFUSED, "VALUE_INVALID"),
        ]
    ),
    *(
        Row("H25", f"a quantity of {amount!a}", put("RXE-10", amount), REFUSED, "VALUE_INVALID")
        for amount in ("1,5", "10-20", "1e3", "+5", " 5 ", "٥", "5½")
    ),
    Row("H25", "a quantity in words", put("RXE-10", "ten"), HELD, "FIELD_SHIFTED"),
    Row("H26", "a dose of nought", put("RXE-3", "0"), REFUSED, "VALUE_INVALID"),
    Row("H26", "a dose below nought", put("RXE-3", "-1"), REFUSED, "VALUE_INVALID"),
    Row("H27", "no unit", put("RXE-5", ""), HELD, "UNIT_UNMAPPED"),
    Row("H27", "U for units", put("RXE-5", "U"), HELD, "UNIT_UNMAPPED"),
    Row("H27", "micrograms with a micro sign", put("RXE-5", "µg"), HELD, "UNIT_UNMAPPED"),
    Row("H27", "micrograms with a Greek letter", put("RXE-5", "μg"), HELD, "UNIT_UNMAPPED"),
    Row("H28", "a Z-segment nobody knows", more("ZZZ|1|a note\r"), TAKEN, ""),
    Row("H29", "two doses", put("RXE-3", "10~20"), REFUSED, "VALUE_INVALID"),
    Row("H29", "two quantities", put("RXE-10", "4~8"), REFUSED, "VALUE_INVALID"),
    Row("H29", "two NHS numbers", swap("^^^NHS^NH~", "^^^NHS^NH~9990000212^^^NHS^NH~"), REFUSED, "NHSNO_CONFLICT"),
    Row("H31", "a wrong check digit", swap("9990000077", "9990000078"), REFUSED, "NHSNO_CHECK_DIGIT"),
    Row("H31", "two patients", more("PID|2||9990000212^^^NHS^NH\r"), REFUSED, "STRUCTURE_INVALID"),
    Row("H32", "30 February", put("PID-7", "19790230"), REFUSED, "VALUE_INVALID"),
    Row("H32", "a year for a date", put("PID-7", "1979"), REFUSED, "VALUE_INVALID"),
    Row("H33", "a file of batches", lambda body: b"FHS|^~\\&\rBHS|^~\\&\r" + body + b"BTS|9\r", REFUSED, "UNREADABLE"),
]


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_a_bad_hl7_message_is_told_what_is_wrong_with_it(row: Row) -> None:
    judge(row, WireFormat.HL7V2, GOOD)


@pytest.mark.parametrize("count", range(1, GOOD.count(b"\r")))
def test_h30_a_message_cut_between_segments_is_never_part_of_an_order(count: int) -> None:
    if b"\rRXR" not in b"\r".join(GOOD.split(b"\r")[:count]):
        judge(Row("H30", "", lambda body: b"\r".join(body.split(b"\r")[:count]), REFUSED, ""), WireFormat.HL7V2, GOOD)


def test_h10_other_legal_delimiters_give_the_same_answer() -> None:
    judge(Row("H10", "# for |", lambda body: body.replace(b"|", b"#"), TAKEN, ""), WireFormat.HL7V2, GOOD)


def test_the_same_message_without_the_fault_is_taken() -> None:
    judge(Row("", "", lambda body: body, TAKEN, ""), WireFormat.HL7V2, GOOD)
