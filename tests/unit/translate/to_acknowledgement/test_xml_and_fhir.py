import json
from dataclasses import replace
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import Any, cast

import pytest
from lxml import etree

from gateway.domain.identifiers import OdsCode, derived_id
from gateway.domain.issue import CODES, Issue
from gateway.domain.lifecycle import LineEvent, LineState
from gateway.domain.submission import (
    Action,
    Answer,
    Envelope,
    OrderNumber,
    OrderVerdict,
    Outcome,
    Submission,
    Verdict,
    WireFormat,
)
from gateway.ports.work import News
from gateway.translate.to_acknowledgement import fhir, xml
from gateway.wire.strict_json import loads

CONTROL = "7d0a5c1e-0a52-4b54-9a3f-1f4f6f8a1001"
AT = datetime(2026, 10, 5, 9, 15, tzinfo=UTC)
SCHEMA = etree.XMLSchema(
    etree.fromstring(files("gateway.translate.to_acknowledgement").joinpath("trust-receipt-1.0.xsd").read_bytes())
)
NS = {"r": xml.NAMESPACE}
TOLD = Path(__file__).parents[3] / "golden" / "told"


def submission(form: WireFormat) -> Submission:
    return Submission(tenant=OdsCode("RBA"), format=form, body=b"body", received_at=AT)


def verdict(outcome: Outcome, *codes: str) -> Verdict:
    issues = tuple(Issue(code=code, location="Bundle.entry[1]", text="Words.") for code in codes)
    order = OrderVerdict(
        outcome=outcome,
        action=Action.NEW,
        numbers=(OrderNumber(trust_number="RX7001", assigner="RBA"),),
        issues=issues[1:],
        prescription_id=derived_id("x"),
        prescription_number="A0548B-A99968-451485",
    )
    return Verdict(outcome=outcome, issues=issues, orders=(order,))


CASES = {
    "translated": (verdict(Outcome.TRANSLATED), 200, "accepted", "ok"),
    "task": (verdict(Outcome.TASK), 200, "accepted", "ok"),
    "held": (verdict(Outcome.HELD, "DISPLAY_STALE", "UNIT_UNMAPPED"), 202, "held", "ok"),
    "refused": (verdict(Outcome.REFUSED, "DISPLAY_STALE", "NHSNO_MISSING"), 422, "refused", "fatal-error"),
    "id reused": (verdict(Outcome.REFUSED, "CONTROL_ID_REUSED"), 409, "conflict", "fatal-error"),
    "not theirs": (verdict(Outcome.REFUSED, "SENDER_MISMATCH"), 403, "refused", "fatal-error"),
    "not stored": (verdict(Outcome.REFUSED, "NOT_STORED"), 503, "refused", "transient-error"),
}


def envelope(form: WireFormat) -> Envelope:
    return Envelope(format=form, control_id=CONTROL)


def document(answer: Answer | bytes) -> etree._Element:
    root = etree.fromstring(answer if isinstance(answer, bytes) else answer.body)
    SCHEMA.assertValid(root)
    return root


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_a_receipt_says_what_became_of_the_message(case: tuple[Verdict, int, str, str]) -> None:
    given, status, word, _ = case
    answer = xml.answer(submission(WireFormat.XML), envelope(WireFormat.XML), given)
    root = document(answer)
    assert answer.http_status == status
    assert (root.get("status"), root.get("inReplyTo")) == (word, CONTROL)
    assert {node.get("code") for node in root.iterfind(".//r:Issue", NS)} == {issue.code for issue in given.issues}
    assert len(root.findall(".//r:Issue", NS)) == len(given.issues)
    assert [node.get("orderNumber") for node in root.iterfind(".//r:Item", NS)] == ["RX7001"]


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_a_response_message_names_the_bundle_it_answers(case: tuple[Verdict, int, str, str]) -> None:
    given, status, _, code = case
    answer = fhir.answer(submission(WireFormat.FHIR), envelope(WireFormat.FHIR), given)
    bundle = cast("dict[str, Any]", loads(answer.body))
    header, outcome = (entry["resource"] for entry in bundle["entry"])
    assert answer.http_status == status
    assert header["response"]["identifier"] == CONTROL
    assert header["response"]["code"] == code
    assert header["response"]["details"]["reference"] == bundle["entry"][1]["fullUrl"]
    told = {issue["details"]["coding"][0]["code"] for issue in outcome["issue"] if "details" in issue}
    assert told == {issue.code for issue in given.issues}
    assert outcome["issue"]
    assert all(issue["expression"] == ["Bundle.entry[1]"] for issue in outcome["issue"] if "details" in issue)


UNREAD = {"UNREADABLE": 400, "CHARSET_INVALID": 400, "TOO_LARGE": 413, "CONTENT_TYPE_UNSUPPORTED": 415}


@pytest.mark.parametrize(("code", "status"), UNREAD.items(), ids=UNREAD.keys())
def test_a_body_that_cannot_be_read_gets_a_fault(code: str, status: int) -> None:
    issue = Issue(code=code, location="byte 17", text="Words.")
    fault, outcome = xml.unreadable(b"x", (issue,)), fhir.unreadable(b"x", (issue,))
    assert document(fault).get("status") == "fault"
    assert fault.http_status == outcome.http_status == status
    read = cast("dict[str, Any]", loads(outcome.body))
    assert read["resourceType"] == "OperationOutcome"
    assert "byte 17" in read["issue"][0]["diagnostics"]


@pytest.mark.parametrize("code", sorted(CODES))
def test_every_issue_code_can_be_told(code: str) -> None:
    issue = Issue(code=code, location="/PrescriptionMessage", text="Words.")
    document(xml.unreadable(b"x", (issue,)))
    assert loads(fhir.unreadable(b"x", (issue,)).body)


def news(**change: Any) -> News:
    return replace(
        News(
            seq=4,
            at=AT,
            event=LineEvent.ACCEPTED,
            state=LineState.ACCEPTED,
            reason_code="",
            reason="",
            tenant=OdsCode("RBA"),
            destination=OdsCode("VNE51"),
            prescription_id=derived_id("prescription"),
            prescription_number="A0548B-A99968-451485",
            line_id=derived_id("line"),
            order_number="RX7001",
            order_assigner="RBA",
            group_number="GRP7001",
            product_code="15517911000001104",
            product_display="Methotrexate",
            amount="",
            unit="",
            nhs_number="9990000077",
            submission=submission(WireFormat.XML),
            control_id=CONTROL,
        ),
        **change,
    )


@pytest.mark.parametrize("event", LineEvent)
@pytest.mark.parametrize("state", LineState)
def test_every_event_in_every_state_can_be_told(event: LineEvent, state: LineState) -> None:
    told = document(xml.status(news(event=event, state=state)))
    found = told.find(".//r:Event", NS)
    assert found is not None
    assert (found.get("name"), found.get("state")) == (event.value, state.value)
    bundle = cast("dict[str, Any]", loads(fhir.status(news(event=event, state=state))))
    header, order, task = (entry["resource"] for entry in bundle["entry"])
    assert header["response"] == {"identifier": CONTROL, "code": "ok"}
    assert order["identifier"][0]["value"] == str(derived_id("line"))
    assert task["businessStatus"]["coding"][0]["code"] == state.value


def test_a_supply_and_a_reason_are_told_in_the_providers_words() -> None:
    supplied = news(event=LineEvent.DISPENSED, reason="out\x0bof <stock>", reason_code="0003", amount="2.0", unit="pen")
    root = document(xml.status(supplied))
    assert root.findtext(".//r:Reason", namespaces=NS) == "out\ufffdof <stock>"
    bundle = cast("dict[str, Any]", loads(fhir.status(supplied)))
    task = bundle["entry"][2]["resource"]
    assert task["statusReason"] == {"text": "out\x0bof <stock>", "coding": [{"code": "0003"}]}
    assert task["output"][0]["valueString"] == "2.0 pen"


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
    told = fhir.status(
        news(event=event, state=state, issue=issue, total=6, amount=amount, unit="tablet" * bool(amount))
    )
    assert json.dumps(loads(told), indent=1) + "\n" == (TOLD / f"{name}.json").read_text()


@pytest.mark.parametrize(("issue", "total"), [(0, 6), (1, 1), (0, 0)])
def test_where_no_one_of_several_supplies_is_meant_no_number_is_told(issue: int, total: int) -> None:
    supplied = news(event=LineEvent.DELIVERED, issue=issue, total=total, amount="28", unit="tablet")
    task = cast("dict[str, Any]", loads(fhir.status(supplied)))["entry"][2]["resource"]
    assert "extension" not in task
    assert [one["type"]["text"] for one in task["output"]] == ["quantity supplied"]


@pytest.mark.parametrize("issue", range(1, 7))
def test_a_numbered_supply_counts_the_repeats_after_the_first_and_says_its_number_in_words(issue: int) -> None:
    supplied = news(event=LineEvent.DISPENSED, issue=issue, total=6)
    task = cast("dict[str, Any]", loads(fhir.status(supplied)))["entry"][2]["resource"]
    ((allowed, issued),) = [one["extension"] for one in task["extension"]]
    assert (allowed["valueUnsignedInt"], issued["valueUnsignedInt"]) == (5, issue - 1)
    assert task["output"] == [{"type": {"text": "supply number"}, "valueString": f"{issue} of 6"}]


def test_news_of_what_was_never_completed_has_no_empty_values() -> None:
    assert b'""' not in fhir.status(news(product_code="", product_display="", nhs_number="", prescription_number=""))


def test_the_same_verdict_gives_the_same_bytes() -> None:
    given = verdict(Outcome.HELD, "UNIT_UNMAPPED")
    for module, form in ((xml, WireFormat.XML), (fhir, WireFormat.FHIR)):
        first = module.answer(submission(form), envelope(form), given)
        assert first == module.answer(submission(form), envelope(form), given)
    assert xml.status(news()) == xml.status(news())
    assert fhir.status(news()) != fhir.status(news(seq=5))
