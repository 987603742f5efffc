"""What we write ourselves is checked before it may be sealed."""

import re
from pathlib import Path

from gateway.config.profiles import fhir_checker
from gateway.domain.identifiers import OdsCode, parse_uuid
from gateway.domain.issue import Effect
from gateway.domain.message import FhirMessage, MessageEvent
from gateway.validate.written import OF_EPS_ALONE, check_written

GOLDEN = (Path(__file__).parents[2] / "golden" / "to_fhir" / "order.json").read_bytes()


def message(body: bytes) -> FhirMessage:
    identifier = parse_uuid("5b1c2ee6-1cb7-4b0f-9f1a-3a5d60c7b001")
    assert identifier
    return FhirMessage(
        id=identifier, event=MessageEvent.ORDER, destination=OdsCode("VNE51"), line_ids=(), body=body, explained=()
    )


def test_our_own_message_has_nothing_to_say_against_it() -> None:
    assert list(check_written(message(GOLDEN), fhir_checker())) == []


def test_a_message_of_ours_that_fails_is_held_by_rule_and_path_alone() -> None:
    body, count = re.subn(rb'"status":\s*"active"', b'"status":"SECRET"', GOLDEN, count=1)
    assert count == 1
    issues = list(check_written(message(body), fhir_checker()))
    assert {issue.effect for issue in issues} == {Effect.HOLD_MAP}
    assert {issue.location for issue in issues} == {"Bundle.entry[1].resource.status"}
    assert "SECRET" not in repr(issues)


def test_lines_may_be_supplied_for_their_own_length_of_time() -> None:
    assert all(rule.startswith("eps-5.3 ") for rule in OF_EPS_ALONE)
