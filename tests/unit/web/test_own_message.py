"""A trust that asks after its own message learns that it came, whatever became of it; anybody else learns nothing."""

import json
from dataclasses import replace

import pytest
from fhir.resources.R4B.operationoutcome import OperationOutcome

from gateway.domain.issue import Issue
from gateway.domain.submission import Action, Outcome
from gateway.ports.looking_up import OwnMessage, OwnOrder
from gateway.web.own_message import WORDS, told
from gateway.web.status import searchset
from tests.doors import NOW

ISSUE = Issue(code="DRUG_LOCAL_UNMAPPED", location="RXE[1]-2", text="The code of Methotrexate is in no table.")
MESSAGE = OwnMessage(control_id="FIRST1", received_at=NOW, outcome=Outcome.REFUSED, issues=(ISSUE,))


def texts(message: OwnMessage) -> list[str]:
    written = OperationOutcome.model_validate_json(json.dumps(told(message)))
    return [str(issue.diagnostics) for issue in written.issue]


@pytest.mark.parametrize("outcome", Outcome)
def test_every_outcome_is_said_with_when_it_came(outcome: Outcome) -> None:
    first = texts(replace(MESSAGE, outcome=outcome))[0]
    assert first == f"Message FIRST1 was received at 2026-11-22T10:41:20Z, and was {WORDS[outcome]}."


def test_what_is_wrong_is_said_by_its_code_and_place_without_the_medicine() -> None:
    written = told(MESSAGE)
    assert texts(MESSAGE)[1] == "at RXE[1]-2"
    assert ISSUE.code in json.dumps(written)
    assert ISSUE.row.advice in json.dumps(written)
    assert "Methotrexate" not in json.dumps(written)


def test_each_order_of_several_is_said_by_its_numbers() -> None:
    orders = (
        OwnOrder(action=Action.NEW, outcome=Outcome.TRANSLATED, numbers=("RX1", "RX2")),
        OwnOrder(action=Action.CANCEL, outcome=Outcome.REFUSED),
    )
    assert texts(replace(MESSAGE, outcome=Outcome.HELD, orders=orders))[:3] == [
        "Message FIRST1 was received at 2026-11-22T10:41:20Z.",
        "Its order of RX1, RX2 was taken.",
        "Its cancel was refused; nothing of it was taken.",
    ]


def test_what_is_in_an_archive_says_so() -> None:
    assert "archive" in texts(replace(MESSAGE, archived=True, issues=()))[-1]


def test_a_message_is_no_match_and_is_not_counted() -> None:
    bundle = searchset([], left_out=0, query="message-identifier=FIRST1", messages=[MESSAGE])
    assert bundle["total"] == 0
    assert [entry["search"] for entry in bundle["entry"]] == [{"mode": "outcome"}]  # type: ignore[union-attr, call-overload, index]
