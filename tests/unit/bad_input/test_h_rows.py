"""HL7 v2, by the rows of reliability-security.md 4.1.

Elsewhere: H01 to H07 (framing) in `unit/wire/test_mllp.py` and `unit/test_mllp.py`; H12 to H15 in the contract suite of
the store and in `acceptance/test_bad_input.py`; H14 and H34 in `acceptance/test_repeats.py`; H19 in
`unit/translate/to_acknowledgement`. The sequence number protocol (H20) is not offered: MSH-13 promises nothing.
`test_every_row.py` says which test answers for each row.
"""

from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.commands.offline import Seen
from gateway.domain.submission import Outcome, WireFormat
from tests.fuzz.submissions import carry
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


def both(*changes: Callable[[bytes], bytes]) -> Callable[[bytes], bytes]:
    def change(body: bytes) -> bytes:
        for one in changes:
            body = one(body)
        return body

    return change


def segment(name: str) -> str:
    return next(line for line in GOOD.decode().split("\r") if line.startswith(name))


def move(name: str, before: str) -> Callable[[bytes], bytes]:
    """Put a segment before another one; at the end, where that is empty."""
    line, other = f"{segment(name)}\r".encode(), segment(before).encode() if before else b""

    def change(body: bytes) -> bytes:
        rest = body.replace(line, b"", 1)
        return rest.replace(other, line + other, 1) if other else rest + line

    return change


def again(name: str, old: str = "", new: str = "") -> Callable[[bytes], bytes]:
    """Say a segment twice, the second time with other words."""
    return swap(segment(name), f"{segment(name)}\r{segment(name).replace(old, new)}")


WORDS_ALONE = both(*(put(place, "") for place in ("RXE-3", "RXE-5", "TQ1-2", "TQ1-3")))

ROWS = [
    Row("H07", "50,000 segments", more("NTE|1||a\r" * 50_000), REFUSED, "TOO_LARGE"),
    Row("H07", "100,000 repetitions", swap("^^^NHS^NH~", "^^^NHS^NH~" + "1^^^X^MR~" * 100_000), REFUSED, "TOO_LARGE"),
    Row("H07", "200,000 subcomponents", swap("RHEUMATOLOGY", "R" + "&" * 200_000), REFUSED, "TOO_LARGE"),
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
    Row("H15", "another trust", put("MSH-4", "RZA"), REFUSED, "SENDER_MISMATCH"),
    Row("H16", "live data for a test gateway", put("MSH-11", "P"), REFUSED, "ENVIRONMENT_WRONG"),
    Row("H17", "no version", put("MSH-12", ""), REFUSED, "VERSION_UNSUPPORTED"),
    Row("H17", "version 2.1", put("MSH-12", "2.1"), REFUSED, "VERSION_UNSUPPORTED"),
    Row("H17", "version 2.9", put("MSH-12", "2.9"), TAKEN, ""),
    Row("H17", "a version to come", put("MSH-12", "2.10"), REFUSED, "VERSION_UNSUPPORTED"),
    Row("H18", "another structure", put("MSH-9", "RDE^O11^ADT_A01"), REFUSED, "MESSAGE_TYPE_UNSUPPORTED"),
    *(Row("H20", f"sequence number {number}", put("MSH-13", number), TAKEN, "") for number in ("-1", "0", "7")),
    Row("H21", "Windows-1252 as UTF-8", lambda body: body.replace(b"Aoife", b"A\xa3"), REFUSED, "CHARSET_INVALID"),
    Row("H21", "UTF-16", lambda body: body.decode().encode("utf-16-le"), REFUSED, "UNREADABLE"),
    Row("H22", "CR by its number is text", swap(DIRECTIONS, DIRECTIONS + "\\X0D\\MSH"), TAKEN, ""),
    Row("H22", "an end of frame by its number", swap(DIRECTIONS, DIRECTIONS + "\\X1C0D\\"), REFUSED, "VALUE_INVALID"),
    Row("H22", "an escape without its end", swap(DIRECTIONS, DIRECTIONS + "\\F"), REFUSED, "VALUE_INVALID"),
    Row("H22", "a private escape", swap(DIRECTIONS, DIRECTIONS + "\\Z1\\"), REFUSED, "VALUE_INVALID"),
    Row("H23", "ANSI escapes", swap(DIRECTIONS, "\x1b[2J" + DIRECTIONS), REFUSED, "VALUE_INVALID"),
    Row("H23", "a script", swap(DIRECTIONS, DIRECTIONS + " <script>alert(1)</script>"), TAKEN, "TEXT_NOT_CHECKED"),
    Row("H23", "a formula of a spreadsheet", swap("Rash", '=HYPERLINK("http://127.0.0.1/")'), TAKEN, ""),
    Row("H23", "a turned reading, beside a dose", swap("10mg ONCE", "\u202e01mg ONCE"), HELD, "TEXT_UNSEEN_CHARACTERS"),
    Row(
        "H23",
        "a turned reading, words alone",
        both(swap("10mg ONCE", "\u202e01mg ONCE"), WORDS_ALONE),
        TAKEN,
        "TEXT_UNSEEN_CHARACTERS",
    ),
    Row("H23", "a blank of no width in a dose", swap("10mg ONCE", "1\u200b0mg ONCE"), HELD, "TEXT_UNSEEN_CHARACTERS"),
    Row(
        "H23",
        "a mark of reading in a drug's name",
        swap("pre-filled syringes^SCT", "pre-filled syringes\u200e^SCT"),
        TAKEN,
        "TEXT_UNSEEN_CHARACTERS",
    ),
    Row("H23", "a blank of no width in a name", swap("TESTPATIENT", "TEST\u200bPATIENT"), TAKEN, ""),
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
    Row("H26", "a dose of 99999999", put("RXE-3", "99999999"), HELD, "TEXT_STRUCTURE_MISMATCH"),
    Row("H26", "a dose of 0.0001", put("RXE-3", "0.0001"), HELD, "TEXT_STRUCTURE_MISMATCH"),
    Row("H26", "a quantity of nought", put("RXE-10", "0"), REFUSED, "VALUE_INVALID"),
    Row("H26", "a quantity below nought", put("RXE-10", "-1"), REFUSED, "VALUE_INVALID"),
    Row("H26", "a quantity of 99999999", put("RXE-10", "99999999"), HELD, "SUPPLY_SUM_MISMATCH"),
    Row("H26", "a quantity of 0.0001", put("RXE-10", "0.0001"), HELD, "SUPPLY_SUM_MISMATCH"),
    Row("H27", "no unit", put("RXE-5", ""), HELD, "UNIT_UNMAPPED"),
    Row("H27", "U for units", put("RXE-5", "U"), HELD, "UNIT_UNMAPPED"),
    Row("H27", "micrograms with a micro sign", put("RXE-5", "µg"), HELD, "UNIT_UNMAPPED"),
    Row("H27", "micrograms with a Greek letter", put("RXE-5", "μg"), HELD, "UNIT_UNMAPPED"),
    Row("H28", "a Z-segment nobody knows", more("ZZZ|1|a note\r"), TAKEN, ""),
    Row("H28", "one route said twice", again("RXR"), TAKEN, ""),
    Row("H28", "two routes", again("RXR", "34206005^Subcutaneous", "26643006^Oral"), HELD, "ROUTE_AMBIGUOUS"),
    Row("H28", "one timing said twice", again("TQ1"), HELD, "TIMING_JOIN_MISSING"),
    Row("H28", "two timings", again("TQ1", "Q1W^every week", "Q2W^every two weeks"), HELD, "TIMING_JOIN_MISSING"),
    Row("H28", "two medicines in one order", again("RXE"), REFUSED, "STRUCTURE_INVALID"),
    Row(
        "H28",
        "a component of a medicine",
        swap(segment("RXR"), segment("RXR") + "\rRXC|B|^Water|1|ml"),
        HELD,
        "FIELD_NOT_UNDERSTOOD",
    ),
    Row("H28", "the patient last", move("PID", ""), REFUSED, "STRUCTURE_INVALID"),
    Row("H28", "a route before its order", move("RXR", "ORC"), REFUSED, "SEGMENT_MISSING"),
    Row("H28", "an order after its medicine", move("ORC", "TQ1"), REFUSED, "SEGMENT_MISSING"),
    Row("H29", "two doses", put("RXE-3", "10~20"), REFUSED, "VALUE_INVALID"),
    Row("H29", "two quantities", put("RXE-10", "4~8"), REFUSED, "VALUE_INVALID"),
    Row("H29", "two NHS numbers", swap("^^^NHS^NH~", "^^^NHS^NH~9990000212^^^NHS^NH~"), REFUSED, "NHSNO_CONFLICT"),
    Row("H31", "a wrong check digit", swap("9990000077", "9990000078"), REFUSED, "NHSNO_CHECK_DIGIT"),
    Row("H31", "two patients", more("PID|2||9990000212^^^NHS^NH\r"), REFUSED, "STRUCTURE_INVALID"),
    Row("H32", "30 February", put("PID-7", "19790230"), REFUSED, "VALUE_INVALID"),
    Row("H32", "a year for a date", put("PID-7", "1979"), REFUSED, "VALUE_INVALID"),
    Row("H32", "written in five years", put("RXE-32", "20311005091000+0100"), REFUSED, "AUTHORED_IN_FUTURE"),
    Row("H32", "written 13 months ago", put("RXE-32", "20250905091000+0100"), REFUSED, "EXPIRED"),
    Row("H32", "written on 30 February", put("RXE-32", "20260230"), REFUSED, "VALUE_INVALID"),
    Row("H32", "written in a year", put("RXE-32", "2026"), REFUSED, "VALUE_INVALID"),
    Row("H32", "written in the hour that spring leaves out", put("RXE-32", "20260329013000"), REFUSED, "VALUE_INVALID"),
    Row("H32", "from the hour that spring leaves out", put("TQ1-7", "20260329013000"), REFUSED, "VALUE_INVALID"),
    Row("H32", "from the hour that autumn repeats", put("TQ1-7", "20261025013000"), TAKEN, "TIME_AMBIGUOUS"),
    Row("H32", "that hour with its zone", put("TQ1-7", "20261025013000+0000"), TAKEN, ""),
    Row("H32", "that ends before it begins", put("TQ1-7", "20311019"), REFUSED, "VALUE_INVALID"),
    Row("H33", "a batch", lambda body: b"BHS|^~\\&\r" + body + b"BTS|1\r", REFUSED, "UNREADABLE"),
    Row("H33", "a batch within a message", more("BHS|^~\\&\r"), REFUSED, "STRUCTURE_INVALID"),
    Row("H33", "the end of a batch", lambda body: body + b"BTS|9\rFTS|1\r", REFUSED, "STRUCTURE_INVALID"),
    Row("H33", "a file of batches", lambda body: b"FHS|^~\\&\rBHS|^~\\&\r" + body + b"BTS|9\r", REFUSED, "UNREADABLE"),
]


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_a_bad_hl7_message_is_told_what_is_wrong_with_it(row: Row) -> None:
    judge(row, WireFormat.HL7V2, GOOD)


@pytest.mark.parametrize("count", range(1, GOOD.count(b"\r")))
def test_h30_a_message_cut_between_segments_is_refused_or_orders_the_same_medicine(count: int) -> None:
    cut = b"\r".join(GOOD.split(b"\r")[:count]) + b"\r"
    seen = carry(WireFormat.HL7V2, GOOD, cut)
    if seen.verdict.outcome is not Outcome.REFUSED:
        assert b"\rRXR" in cut  # the last segment that an order needs
        assert said(seen) == said(carry(WireFormat.HL7V2, GOOD, GOOD))


def said(seen: Seen) -> object:
    """Give what would be ordered: the medicine, its dose and its amounts."""
    (order,) = seen.orders
    assert order.prescription is not None
    (line,) = order.prescription.lines
    return line.product, line.dosages, line.quantity, line.total_supplies


@pytest.mark.parametrize(("place", "lexeme"), [("RXE-3", "10.0"), ("RXE-3", "10.00"), ("RXE-10", "4.0")])
def test_h26_a_trailing_nought_is_kept_in_the_message(place: str, lexeme: str) -> None:
    (changed,), (plain,) = (carry(WireFormat.HL7V2, GOOD, body).orders for body in (put(place, lexeme)(GOOD), GOOD))
    assert changed.message is not None
    assert plain.message is not None
    written = f'"value":{lexeme},'.encode()
    assert (written in changed.message.body, written in plain.message.body) == (True, False)


def test_h28_a_segment_nobody_knows_is_kept_and_accounted_for() -> None:
    seen = carry(WireFormat.HL7V2, GOOD, more("ZZZ|1|a note\r")(GOOD))
    assert seen.translation is not None
    kept = {left.source: left.raw for left in seen.translation.leftovers}
    assert kept["ZZZ[1]-2.1"] == "a note"


def test_h10_other_legal_delimiters_give_the_same_answer() -> None:
    judge(Row("H10", "# for |", lambda body: body.replace(b"|", b"#"), TAKEN, ""), WireFormat.HL7V2, GOOD)


def test_the_same_message_without_the_fault_is_taken() -> None:
    judge(Row("", "", lambda body: body, TAKEN, ""), WireFormat.HL7V2, GOOD)
