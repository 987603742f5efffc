"""A FHIR answer comes back in the form of the question."""

import pytest
from starlette.requests import Request

from gateway.config.fhir_xml import fhir_xml
from gateway.domain.issue import Issue
from gateway.domain.submission import Answer
from gateway.translate.to_acknowledgement import fhir
from gateway.web.form import in_form_of
from gateway.web.intake import _key
from gateway.wire.strict_json import loads


def _request(*headers: tuple[str, str]) -> Request:
    raw = [(name.encode(), value.encode()) for name, value in headers]
    return Request({"type": "http", "method": "POST", "path": "/", "headers": raw})


ANSWER = fhir.unreadable(b"", [Issue(code="UNREADABLE", location="Bundle", text="Nothing could be read.")])


def test_a_caller_who_sent_xml_hears_xml() -> None:
    asked = _request(("content-type", "application/fhir+xml; fhirVersion=4.0"))
    told = in_form_of(asked, ANSWER)
    assert told.content_type == "application/fhir+xml; fhirVersion=4.0"
    assert told.http_status == ANSWER.http_status
    assert fhir_xml().to_json(told.body) == loads(ANSWER.body)


def test_a_caller_who_sent_json_hears_the_same_bytes() -> None:
    assert in_form_of(_request(("content-type", "application/fhir+json")), ANSWER) is ANSWER


@pytest.mark.parametrize(
    "body", [b"[]", b'{"resourceType":"Nothing"}', b'{"resourceType":"OperationOutcome","colour":"red"}']
)
def test_what_cannot_be_put_into_xml_is_told_in_json(body: bytes) -> None:
    answer = Answer(body=body, content_type="application/fhir+json", http_status=400)
    assert in_form_of(_request(("content-type", "application/fhir+xml")), answer) is answer


@pytest.mark.parametrize(
    ("headers", "key"),
    [
        ([], ""),
        ([("idempotency-key", "8f7a-1")], "8f7a-1"),
        ([("idempotency-key", '"8f7a-1"')], "8f7a-1"),
        ([("idempotency-key", "1"), ("idempotency-key", "2")], ""),
    ],
)
def test_the_key_is_read_with_or_without_quotation_marks_and_once(headers: list[tuple[str, str]], key: str) -> None:
    assert _key(_request(*headers)) == key
