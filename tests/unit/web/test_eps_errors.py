"""The dialect's table of errors, row by row."""

from datetime import UTC, datetime
from http import HTTPStatus

import pytest

from gateway.translate.to_acknowledgement.eps_codes import (
    DISPENSING,
    DONE,
    EPS_CODES,
    OWN_RULES,
    PRESCRIBING,
    RULES,
    SPINE_CODES,
    EpsError,
)
from gateway.web.eps_errors import Said, eps_outcome, http_status

_PUBLISHED = """
P 0001 PATIENT_DECEASED E business-rule
P 0002 DUPLICATE_PRESCRIPTION_ID E duplicate
P 0003 MISSING_DIGITAL_SIGNATURE E business-rule
P 0005 PRESCRIPTION_NOT_FOUND E not-found
P 0007 INVALID_RESOURCE_ID S code-invalid
P 0008 MISSING_VALUE S value
P 0009 INVALID_MESSAGE E structure
P 7002 INVALID_MESSAGE E structure
P 0010 INVALID_NUMBER_MEDICATIONREQUESTS E business-rule
P 0012 PRESCRIPTION_INVALID_STATE_TRANSITION E business-rule
P 0013 MEDICATIONREQUEST_INVALID_STATE_TRANSITION E business-rule
P 0014 MEDICATIONREQUEST_NOT_FOUND E not-found
P 0015 CLAIM_INVALID_NOT_DISPENSED E business-rule
P 0018 MISMATCH_AUTHORISED_REPEAT_COUNT E business-rule
P 0019 INVALID_REPEAT_COUNT E business-rule
P 0021 DISPENSE_AMEND_IDENTIFIER_MISMATCH E business-rule
P 0099 RESOURCE_VERSION_MISMATCH S conflict
P 0100 CLAIM_AMEND_PERIOD_ISSUE S business-rule
P 5008 DUPLICATE_MEDICATIONREQUEST_ID E duplicate
P 5009 INVALID_CHECK_DIGIT E value
P 9006 INVALID_DATE_FORMAT E value
P 9999 FAILURE_TO_PROCESS_MESSAGE S processing
D 0001 PRESCRIPTION_CANCELLED E business-rule
D 0002 PRESCRIPTION_EXPIRED E business-rule
D 0003 RESOURCE_NOT_FOUND S not-found
D 0004 PRESCRIPTION_WITH_ANOTHER_DISPENSER E business-rule
D 0005 PRESCRIPTION_DISPENSED E business-rule
D 0006 NO_MORE_PRESCRIPTIONS E informational
D 0007 SERVICE_DISABLED E exception
D 0099 RESOURCE_VERSION_MISMATCH S conflict
D 5000 FAILURE_TO_PROCESS_MESSAGE S processing
D 5888 INVALID_MESSAGE E invalid
D 9006 INVALID_DATE_FORMAT E value
"""
_ROWS = [line.split() for line in _PUBLISHED.strip().splitlines()]
_TABLES = {"P": PRESCRIBING, "D": DISPENSING}
_SYSTEMS = {"E": EPS_CODES, "S": SPINE_CODES}


@pytest.mark.parametrize("row", _ROWS, ids=" ".join)
def test_a_row_is_as_published_and_only_the_last_prescription_is_no_error(row: list[str]) -> None:
    table, number, code, system, issue = row
    error = _TABLES[table][number]
    assert (error.code, error.system, error.issue) == (code, _SYSTEMS[system], issue)
    last = code == "NO_MORE_PRESCRIPTIONS"
    assert error.severity == ("information" if last else "error")
    assert http_status([error]) == (HTTPStatus.OK if last else HTTPStatus.BAD_REQUEST)


def test_the_tables_have_no_other_rows() -> None:
    assert len(_ROWS) == len(PRESCRIBING) + len(DISPENSING)


@pytest.mark.parametrize(
    ("rule", "code", "severity", "issue", "status"),
    [
        ("value", "INVALID_VALUE", "error", "value", 400),
        ("invalid", "INVALID_VALUE", "fatal", "invalid", 400),
        ("few", "TOO_FEW_VALUES_SUBMITTED", "fatal", "invalid", 400),
        ("many", "TOO_MANY_VALUES_SUBMITTED", "fatal", "invalid", 400),
        ("forbidden", "ACCESS_DENIED", "error", "forbidden", 403),
        ("failed", "SERVER_ERROR", "fatal", "exception", 500),
        ("late", "TIMEOUT", "fatal", "exception", 500),
    ],
)
def test_a_rule_of_the_interface_has_its_status(rule: str, code: str, severity: str, issue: str, status: int) -> None:
    error = RULES[rule]
    assert (error.code, error.severity, error.issue) == (code, severity, issue)
    assert http_status([error]) == status


@pytest.mark.parametrize(
    ("errors", "status"),
    [
        ([DONE], 200),
        ([DONE, DISPENSING["0006"]], 200),
        ([DONE, RULES["forbidden"]], 400),
        ([RULES["forbidden"], RULES["value"]], 400),
        ([RULES["value"], RULES["failed"]], 500),
    ],
)
def test_several_issues_have_one_status(errors: list[EpsError], status: int) -> None:
    assert http_status(errors) == status


def test_an_outcome_has_the_published_shape() -> None:
    at = datetime(2026, 11, 22, 10, 41, 20, tzinfo=UTC)
    said = Said(error=RULES["value"], text="Send the intent order.", expression="Task.intent")
    assert eps_outcome([said, Said(error=DONE)], at) == {
        "resourceType": "OperationOutcome",
        "meta": {"lastUpdated": "2026-11-22T10:41:20+00:00"},
        "issue": [
            {
                "severity": "error",
                "code": "value",
                "details": {
                    "coding": [
                        {"system": OWN_RULES, "code": "INVALID_VALUE", "display": "A value is not the one expected"}
                    ]
                },
                "diagnostics": "Send the intent order.",
                "expression": ["Task.intent"],
            },
            {"severity": "information", "code": "informational"},
        ],
    }
