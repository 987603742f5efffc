"""Answers in HL7 v2, read back with python-hl7 as a trust would."""

from dataclasses import replace
from pathlib import Path
from uuid import UUID

import hl7
import pytest

from gateway.domain.identifiers import OdsCode
from gateway.domain.issue import Issue
from gateway.domain.lifecycle import LineEvent, LineState
from gateway.domain.submission import Answer, OrderVerdict, Outcome, Submission, Verdict
from gateway.ports.work import News
from gateway.translate.to_acknowledgement.hl7v2 import answer, status, unreadable
from tests.hl7v2_orders import RECEIVED, edited, golden, read, submission

TRANSLATED = Outcome.TRANSLATED
NHS = Issue(code="NHSNO_CHECK_DIGIT", location="PID[1]-3[1].1", text="Wrong.")
LOCAL = Issue(code="UNIT_LOCAL_MAPPED", location="RXE[1]-11", text="Mapped.")
DOSE = Issue(code="DOSE_CONFLICT", location="TQ1[2]-2.1", text="Two doses.")
REUSED = Issue(code="CONTROL_ID_REUSED", location="MSH[1]-10", text="Used before.")
VERSION = Issue(code="VERSION_UNSUPPORTED", location="MSH[1]-12", text="Not served.")
BUSY = Issue(code="NOT_STORED", location="", text="Busy.")


def _verdict(text: str, outcome: Outcome, *found: Issue, stored: bool = True) -> Verdict:
    orders = tuple(
        OrderVerdict(outcome=outcome, action=order.action, numbers=order.numbers, issues=found)
        for order in read(text).orders
    )
    return Verdict(outcome=outcome, issues=found, orders=orders, stored=stored)


def _answer(text: str, outcome: Outcome, *found: Issue, stored: bool = True) -> Answer:
    sent = submission(text)
    return answer(sent, read(text).envelope, _verdict(text, outcome, *found, stored=stored))


def _parsed(body: bytes | None) -> hl7.Message:
    assert body is not None
    return hl7.parse(body.decode())


ORIGINAL_MODE = edited(golden("S01"), {"MSH-15": "", "MSH-16": ""})


@pytest.mark.parametrize(
    ("outcome", "issue", "stored", "msa", "orc", "http"),
    [
        (TRANSLATED, None, True, "AA", ("OK", "SC"), 200),
        (TRANSLATED, LOCAL, True, "AA", ("OK", "SC"), 200),
        (Outcome.HELD, DOSE, True, "AA", ("OK", "HD"), 200),
        (Outcome.REFUSED, NHS, True, "AE", ("UA", ""), 422),
        (Outcome.REFUSED, REUSED, True, "AE", ("UA", ""), 409),
        (Outcome.REFUSED, VERSION, False, "AR", ("UA", ""), 400),
        (Outcome.REFUSED, BUSY, False, "AR", ("UA", ""), 503),
    ],
)
def test_the_answer_in_original_mode(  # noqa: PLR0917 - the table's columns
    outcome: Outcome,
    issue: Issue | None,
    stored: bool,  # noqa: FBT001
    msa: str,
    orc: tuple[str, str],
    http: int,
) -> None:
    given = _answer(ORIGINAL_MODE, outcome, *([issue] if issue else []), stored=stored)
    parsed = _parsed(given.body)
    assert str(parsed.segment("MSH")[9]) == "RRE^O12^RRE_O12"
    assert (str(parsed["MSA.F1"]), str(parsed["MSA.F2"])) == (msa, "S01-0001")
    line = parsed.segment("ORC")
    assert str(line[1]) == orc[0]
    assert str(line[2]) == "RX7001^RBA"
    assert (str(line[5]) if len(line) > 5 else "") == orc[1]
    assert given.http_status == http
    assert given.later is None
    assert given.content_type == "application/hl7-v2+er7"


@pytest.mark.parametrize(
    ("issue", "place", "number", "severity"),
    [
        (NHS, "PID^1^3^1^1", "102", "E"),
        (REUSED, "MSH^1^10", "205", "E"),
        (DOSE, "TQ1^2^2^1^1", "207", "W"),
        (replace(NHS, location="ORC[1]/RXE", code="SEGMENT_MISSING"), "ORC^1", "100", "E"),
        (replace(NHS, location="TQ1[1]-2.2.1"), "TQ1^1^2^1^2^1", "102", "E"),
    ],
)
def test_an_error_is_placed_numbered_and_worded(issue: Issue, place: str, number: str, severity: str) -> None:
    error = _parsed(_answer(ORIGINAL_MODE, Outcome.REFUSED, issue).body).segment("ERR")
    assert str(error[2]) == place
    assert str(error[3]).split("^")[0] == number
    assert str(error[4]) == severity
    assert str(error[5]).split("^")[0] == issue.code
    assert str(error[8]).startswith(issue.text)


def test_sender_and_receiver_are_exchanged() -> None:
    msh = _parsed(_answer(ORIGINAL_MODE, TRANSLATED).body).segment("MSH")
    assert [str(msh[number]) for number in range(3, 7)] == ["HCGATEWAY", "GATEWAY", "EPMA", "RBA"]
    assert (str(msh[7]), str(msh[11]), str(msh[12])) == ("20261005081500+0000", "T", "2.5.1")


@pytest.mark.parametrize(
    ("accept", "application", "refused", "commit", "later"),
    [
        ("AL", "AL", False, "CA", "AA"),
        ("AL", "AL", True, "CA", "AE"),
        ("AL", "NE", True, "CA", None),
        ("AL", "ER", False, "CA", None),
        ("AL", "ER", True, "CA", "AE"),
        ("AL", "SU", False, "CA", "AA"),
        ("AL", "SU", True, "CA", None),
        ("NE", "AL", False, None, "AA"),
        ("ER", "NE", True, None, None),
        ("SU", "NE", True, "CA", None),
    ],
)
def test_enhanced_mode_is_obeyed(
    accept: str,
    application: str,
    refused: bool,  # noqa: FBT001
    commit: str | None,
    later: str | None,
) -> None:
    text = edited(golden("S01"), {"MSH-15": accept, "MSH-16": application})
    given = _answer(text, Outcome.REFUSED if refused else TRANSLATED, *([NHS] if refused else []))
    assert (str(_parsed(given.body)["MSA.F1"]) if given.body else None) == commit
    assert (str(_parsed(given.later)["MSA.F1"]) if given.later else None) == later
    if given.body:
        assert str(_parsed(given.body).segment("MSH")[9]) == "ACK^O11^ACK"


def test_what_was_not_stored_is_refused_at_the_commit_and_answered_once() -> None:
    given = _answer(golden("S01"), Outcome.REFUSED, VERSION, stored=False)
    assert str(_parsed(given.body)["MSA.F1"]) == "CR"
    assert str(_parsed(given.body).segment("ERR")[3]).startswith("203")
    assert given.later is None
    assert given.http_status == 400


def test_versions_before_2_5_get_the_old_segments() -> None:
    parsed = _parsed(_answer(golden("S04"), Outcome.HELD, DOSE, LOCAL).body)
    assert str(parsed.segment("MSH")[9]) == "RRE^O02"
    assert str(parsed.segment("MSA")[3]) == "DOSE_CONFLICT: Two doses."
    assert str(parsed.segment("ERR")[1]) == "TQ1^2^2^207&DOSE_CONFLICT&HL70357~RXE^1^11^0&UNIT_LOCAL_MAPPED&HL70357"


def test_a_mixed_message_answers_each_order() -> None:
    text = golden("S01") + edited(
        golden("S01"), {"MSH": "", "PID": "", "PV1": "", "AL1": "", "ORC-2": "RX2", "ORC-4": ""}
    )
    text = edited(text, {"MSH-15": "", "MSH-16": ""})
    verdict = _verdict(text, TRANSLATED)
    mixed = replace(verdict, orders=(verdict.orders[0], replace(verdict.orders[1], outcome=Outcome.REFUSED)))
    lines = _parsed(answer(submission(text), read(text).envelope, mixed).body).segments("ORC")
    assert [(str(line[1]), str(line[2])) for line in lines] == [("OK", "RX7001^RBA"), ("UA", "RX2")]


@pytest.mark.parametrize(
    ("control", "answered"), [("CA", "UC"), ("DC", "UD"), ("XO", "UX"), ("HD", "UH"), ("ZZ", "UA")]
)
def test_each_action_has_its_own_refusal(control: str, answered: str) -> None:
    text = edited(ORIGINAL_MODE, {"ORC-1": control})
    assert str(_parsed(_answer(text, Outcome.REFUSED, NHS).body).segment("ORC")[1]) == answered


def test_the_same_verdict_gives_the_same_bytes() -> None:
    assert _answer(golden("S01"), TRANSLATED) == _answer(golden("S01"), TRANSLATED)
    other = edited(golden("S01"), {"MSH-10": "other"})
    assert (
        _parsed(_answer(golden("S01"), TRANSLATED).body)["MSH.F10"]
        != _parsed(_answer(other, TRANSLATED).body)["MSH.F10"]
    )


@pytest.mark.parametrize(
    ("body", "control_id"),
    [
        (b"", ""),
        (b"hello", ""),
        (b"MSH|^~\\&|EPMA|RBA|GW|GW|20261005||RDE^O11|77|T|2.5.1\rPID|1||\xff\r", "77"),
        (b"MSH|^~\\&|EPMA|RBA|GW|GW|20261005||RDE^O11|77|T|2.5.1|||||GBR|KOI8\r", "77"),
        (b"MSH|^~\\&|EPMA|RBA|GW", ""),
        (b"MSH|^^^^|EPMA|RBA|GW", ""),
    ],
)
def test_what_cannot_be_read_is_answered_with_what_is_legible(body: bytes, control_id: str) -> None:
    given = unreadable(body, [Issue(code="UNREADABLE", location="", text="No message.")])
    parsed = _parsed(given.body)
    assert str(parsed.segment("MSA")[1]) == "AR"
    assert (str(parsed.segment("MSA")[2]) if len(parsed.segment("MSA")) > 2 else "") == control_id
    assert given.http_status == 400


@pytest.mark.parametrize(("code", "msa"), [("NOT_STORED", "CE"), ("UNREADABLE", "CR")])
def test_what_could_not_be_stored_may_be_sent_again_in_enhanced_mode(code: str, msa: str) -> None:
    given = unreadable(golden("S01").replace("\n", "\r").encode(), [Issue(code=code, location="", text="x")])
    assert f"MSA|{msa}|S01-0001".encode() in given.body


def test_a_hostile_control_id_is_written_inert() -> None:
    body = b"MSH|^~\\&|EPMA|RBA|GW|GW|20261005||RDE^O11|a\\.br\\MSA\\F\\AA|T|2.5.1\rPID|1||\xff\r"
    given = unreadable(body, [Issue(code="UNREADABLE", location="", text="x")])
    assert [str(segment[0]) for segment in _parsed(given.body)] == ["MSH", "MSA", "ERR"]


TOLD = Path(__file__).parents[3] / "golden/told"


def _news(event: LineEvent, state: LineState, sent: Submission, **change: object) -> News:
    base = News(
        seq=41,
        at=RECEIVED,
        event=event,
        state=state,
        reason_code="0001",
        reason="Out of stock | phone\rMSA",
        tenant=OdsCode("RBA"),
        destination=OdsCode("VNE51"),
        prescription_id=UUID(int=1),
        prescription_number="A0548B-A99968-451485",
        line_id=UUID(int=2),
        order_number="RX7001",
        order_assigner="RBA",
        group_number="GRP7001",
        product_code="325427002",
        product_display="Prednisolone 5mg tablets",
        amount="",
        unit="",
        nhs_number="9990000077",
        submission=sent,
        control_id="S01-0001",
    )
    return replace(base, **change)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("event", "state", "control", "order_status"),
    [
        (LineEvent.ARRIVED, LineState.WITH_PROVIDER, "SC", "IP"),
        (LineEvent.ACCEPTED, LineState.ACCEPTED, "OK", "SC"),
        (LineEvent.REJECTED, LineState.REJECTED, "UA", ""),
        (LineEvent.CANCEL_TOO_LATE, LineState.IN_SUPPLY, "UC", "CM"),
        (LineEvent.WINDOW_OVER, LineState.CLOSED, "SC", ""),
        (LineEvent.NOT_SUPPLIED, LineState.RETURNED, "UF", ""),
        (LineEvent.NOT_SUPPLIED, LineState.ACCEPTED, "SC", "SC"),
        (LineEvent.NOT_SUPPLIED, LineState.IN_SUPPLY, "SC", "IP"),
    ],
)
def test_news_is_told_by_its_order_control(event: LineEvent, state: LineState, control: str, order_status: str) -> None:
    parsed = _parsed(status(_news(event, state, submission(golden("S01")))))
    line = parsed.segment("ORC")
    assert str(parsed.segment("MSH")[9]) == "OMP^O09^OMP_O09"
    assert str(parsed["MSH.F10"]) == "HCG00000000000000041"
    assert (str(line[1]), str(line[2]), str(line[4]), str(line[5])) == (control, "RX7001^RBA", "GRP7001", order_status)
    assert [str(segment[0]) for segment in parsed] == ["MSH", "PID", "ORC", "RXO", "NTE"]


def test_one_supply_that_will_not_be_made_is_told_as_that_and_not_as_the_order() -> None:
    notes = [
        str(_parsed(status(_news(LineEvent.NOT_SUPPLIED, state, submission(golden("S01"))))).segment("NTE")[3])
        for state in (LineState.IN_SUPPLY, LineState.RETURNED)
    ]
    assert ["One of its supplies will not be made; the order stands." in note for note in notes] == [True, False]


def test_a_supply_with_its_amount_is_a_dispense_message() -> None:
    event = _news(LineEvent.DELIVERED, LineState.IN_SUPPLY, submission(golden("S01")), amount="28", unit="tablet")
    parsed = _parsed(status(event))
    assert str(parsed.segment("MSH")[9]) == "RDS^O13^RDS_O13"
    assert str(parsed.segment("ORC")[1]) == "RE"
    assert (str(parsed.segment("RXD")[4]), str(parsed.segment("RXD")[5])) == ("28", "^tablet")


@pytest.mark.parametrize(
    ("event", "issue", "written", "words"),
    [
        (LineEvent.DELIVERED, 1, ("1", "5", ""), " Supply 1 of 6. "),
        (LineEvent.DISPENSED, 3, ("3", "3", ""), " Supply 3 of 6. "),
        (LineEvent.LAST_DELIVERED, 6, ("6", "0", ""), " Supply 6 of 6. "),
        (LineEvent.SUPPLY_SHORT, 1, ("1", "5", "P"), " Supply 1 of 6. "),
        (LineEvent.SUPPLY_SHORT, 2, ("2", "4", "Q"), " Supply 2 of 6. "),
        (LineEvent.SUPPLY_SHORT, 0, ("1", "", ""), ". Prescription "),
    ],
)
def test_a_supply_says_which_it_is(event: LineEvent, issue: int, written: tuple[str, str, str], words: str) -> None:
    change = {"amount": "28", "unit": "tablet", "issue": issue, "total": 6}
    parsed = _parsed(status(_news(event, LineState.IN_SUPPLY, submission(golden("S01")), **change)))
    rxd = [*map(str, parsed.segment("RXD")), *[""] * 33]
    assert (rxd[1], rxd[8], rxd[33]) == written
    assert words in str(parsed.segment("NTE")[3])


@pytest.mark.parametrize(
    ("name", "event", "state", "issue", "amount"),
    [
        ("delivered", LineEvent.DELIVERED, LineState.IN_SUPPLY, 2, "28"),
        ("part", LineEvent.SUPPLY_SHORT, LineState.PART_SUPPLIED, 3, "14"),
        ("rest", LineEvent.BALANCE_SUPPLIED, LineState.IN_SUPPLY, 3, "14"),
        ("postponed", LineEvent.POSTPONED, LineState.IN_SUPPLY, 4, ""),
    ],
)
def test_what_is_told_of_a_supply_is_as_it_was(
    name: str, event: LineEvent, state: LineState, issue: int, amount: str
) -> None:
    change = {"issue": issue, "total": 6, "amount": amount, "unit": "tablet", "reason_code": "", "reason": ""}
    told = status(_news(event, state, submission(golden("S01")), **change))
    assert told.decode().replace("\r", "\n") == (TOLD / f"{name}.hl7").read_text()


def test_a_status_says_in_words_which_supply_it_is_of_where_there_are_several() -> None:
    notes = [
        str(
            _parsed(status(_news(LineEvent.POSTPONED, LineState.IN_SUPPLY, submission(golden("S01")), **of))).segment(
                "NTE"
            )[3]
        )
        for of in ({"issue": 2, "total": 6}, {"issue": 1, "total": 1}, {"issue": 0, "total": 6})
    ]
    assert ["Supply 2 of 6." in notes[0], "Supply" in notes[1], "Supply 0" in notes[2]] == [True, False, False]


def test_old_versions_get_news_under_the_old_names() -> None:
    parsed = _parsed(status(_news(LineEvent.ACCEPTED, LineState.ACCEPTED, submission(golden("S04")))))
    assert str(parsed.segment("MSH")[9]) == "ORM^O01"


def test_news_is_deterministic() -> None:
    event = _news(LineEvent.ACCEPTED, LineState.ACCEPTED, submission(golden("S01")))
    assert status(event) == status(event)
