"""A trust understands the answers of mapping.md 9.1 and 9.2, and nothing else."""

import json

import pytest

from gateway.simulate.er7 import acknowledge, first, split
from gateway.simulate.standing import Standing, read_fhir, read_v2, read_xml

MSH = "MSH|^~\\&|HCGATEWAY|X9HGW|EPMA|RBA|20261122120000||RRE^O12^RRE_O12|G1|T|2.5.1\r"


@pytest.mark.parametrize(
    ("tail", "standing", "codes"),
    [
        ("MSA|CA|C1\r", Standing.COMMITTED, ()),
        ("MSA|AA|C1\rORC|OK|RX1^RBA|||SC\r", Standing.ACCEPTED, ()),
        (
            "MSA|AA|C1\rERR||RXE^1^3|207|W|DOSE_CONFLICT|||Two doses\rORC|OK|RX1|||HD\r",
            Standing.HELD,
            ("DOSE_CONFLICT",),
        ),
        ("MSA|AE|C1\rERR||PID^1^3|102|E|NHSNO_CHECK_DIGIT\r", Standing.REFUSED, ("NHSNO_CHECK_DIGIT",)),
        ("MSA|AR|C1\rERR|||207|E|NOT_STORED\r", Standing.AGAIN, ("NOT_STORED",)),
        ("MSA|AR|C1\rERR|||200|E|MESSAGE_TYPE_UNSUPPORTED\r", Standing.REFUSED, ("MESSAGE_TYPE_UNSUPPORTED",)),
        ("MSA|AE|C1\rERR|MSH^1^10^205&CONTROL_ID_REUSED&HL70357\r", Standing.REFUSED, ("CONTROL_ID_REUSED",)),
        ("MSA|CE|C1\r", Standing.AGAIN, ()),
        ("MSA|ZZ|C1\r", Standing.UNREAD, ()),
        ("", Standing.UNREAD, ()),
    ],
)
def test_an_hl7_answer_is_read_as_it_is_meant(tail: str, standing: Standing, codes: tuple[str, ...]) -> None:
    reply = read_v2((MSH + tail).encode())
    assert (reply.standing, reply.codes) == (standing, codes)


@pytest.mark.parametrize("octets", [b"", b"HTTP/1.1 400 Bad Request", b"MSH|", b"\xff\xfe"])
def test_what_is_no_hl7_answer_is_unread(octets: bytes) -> None:
    assert read_v2(octets).standing is Standing.UNREAD


@pytest.mark.parametrize(
    ("code", "status", "standing"),
    [
        ("ok", 200, Standing.ACCEPTED),
        ("ok", 202, Standing.HELD),
        ("fatal-error", 422, Standing.REFUSED),
        ("transient-error", 503, Standing.AGAIN),
    ],
)
def test_a_fhir_answer_is_read_by_its_code_and_status(code: str, status: int, standing: Standing) -> None:
    header = {"resourceType": "MessageHeader", "response": {"identifier": "C1", "code": code}}
    body = json.dumps({"resourceType": "Bundle", "entry": [{"resource": header}]}).encode()
    reply = read_fhir(body, status)
    assert (reply.standing, reply.about) == (standing, "C1")


def test_a_bare_operation_outcome_is_a_refusal_with_its_code() -> None:
    issue = {"severity": "error", "code": "structure", "details": {"coding": [{"code": "UNREADABLE"}]}}
    reply = read_fhir(json.dumps({"resourceType": "OperationOutcome", "issue": [issue]}).encode(), 400)
    assert (reply.standing, reply.codes) == (Standing.REFUSED, ("UNREADABLE",))


@pytest.mark.parametrize("octets", [b"", b"<html>", b"[1]", b"{}"])
def test_what_is_no_answer_is_unread(octets: bytes) -> None:
    assert read_xml(octets).standing is Standing.UNREAD
    assert read_fhir(octets, 200).standing is Standing.UNREAD


def test_our_acknowledgement_answers_the_message_we_got() -> None:
    segments = split(acknowledge((MSH + "MSA|AA|C1\r").encode(), code="CA", at="20261122120001"))
    header, answer = first(segments, "MSH"), first(segments, "MSA")
    assert header is not None
    assert answer is not None
    assert (answer.get(1), answer.get(2)) == ("CA", "G1")
    assert (header.get(4), header.get(6)) == ("RBA", "X9HGW")
