"""What fuzzing found, each as the smallest message that shows it."""

import pytest

from adapters.fhir_push.payload import read_answer
from gateway.config.fhir_xml import fhir_xml
from gateway.config.profiles import fhir_checker
from gateway.destination import Unrecognised
from gateway.domain.submission import WireFormat
from gateway.validate.fhir.checker import check_body
from gateway.wire.fhir_xml import FhirXmlError
from gateway.wire.strict_json import JsonError, loads
from tests.fuzz.submissions import carry


@pytest.mark.parametrize(
    ("body", "code", "location"),
    [
        (b'{"a":1e3,}', "UNREADABLE", "byte 9"),
        (b'{"a":1e3', "UNREADABLE", "byte 8"),
        (b"[1e3] {}", "UNREADABLE", "byte 6"),
        (b'{"a":1e3,"b":"\xff"}', "CHARSET_INVALID", "byte 14"),
    ],
)
def test_a_number_that_is_refused_does_not_hide_what_is_broken_after_it(body: bytes, code: str, location: str) -> None:
    with pytest.raises(JsonError) as caught:
        loads(body)
    assert (caught.value.code, caught.value.location) == (code, location)


@pytest.mark.parametrize("identity", [b"[]", b"{}", b"7", b"null"])
def test_a_contained_resource_may_have_anything_for_an_id_and_is_told_so(identity: bytes) -> None:
    body = b'{"resourceType":"Patient","contained":[{"resourceType":"Patient","id":%b}]}' % identity
    assert "Patient.contained[0].id" in {finding.expression for finding in check_body(fhir_checker(), body)}


@pytest.mark.parametrize("kind", [b"[]", b"{}", b"7"])
def test_an_answer_may_have_anything_for_a_resource_type_and_is_not_understood(kind: bytes) -> None:
    body = (
        b'{"resourceType":"Bundle","type":"message","entry":[{"resource":{"resourceType":"MessageHeader","eventCoding":'
        b'{"system":"https://fhir.nhs.uk/CodeSystem/message-event","code":"prescription-order-response"}}},'
        b'{"resource":{"resourceType":%b}}]}' % kind
    )
    answer = read_answer(body)
    assert isinstance(answer, Unrecognised)
    assert ("FIELD_NOT_UNDERSTOOD", "Bundle.entry[1].resource") in {
        (issue.code, issue.location) for issue in answer.issues
    }


@pytest.mark.parametrize("kind", [b"[]", b"{}", b"7", b"null"])
def test_a_submission_may_have_anything_for_a_resource_type_and_is_refused(kind: bytes) -> None:
    body = b'{"resourceType":%b}' % kind
    verdict = carry(WireFormat.FHIR, body, body).verdict
    assert [issue.code for issue in verdict.issues] == ["MESSAGE_TYPE_UNSUPPORTED"]


def test_an_unknown_attribute_beside_a_value_in_fhir_xml_is_refused_not_lost() -> None:
    body = b'<Patient xmlns="http://hl7.org/fhir"><active value="true" sure="no"/></Patient>'
    with pytest.raises(FhirXmlError, match="attribute"):
        fhir_xml().to_json(body)
