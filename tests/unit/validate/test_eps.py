"""The EPS rules on our own output."""

from dataclasses import replace

import pytest

from gateway.domain.coding import Coding
from gateway.domain.identifiers import PrescriptionNumber
from gateway.domain.prescription import Dosage, Prescription
from gateway.validate.eps import check_message
from tests.factories import dosage, line, prescription
from tests.unit.translate.to_fhir.test_message import rows, written

EVERYTHING = rows(
    "id", "number", "group_number", "patient", "prescriber", "authored", "type_code", "course", "lines", "homecare"
)


def found(value: Prescription | None = None, *swaps: tuple[bytes, bytes]) -> list[str]:
    message = written(value, trace=EVERYTHING)
    body = message.body
    for before, after in swaps:
        assert before in body
        body = body.replace(before, after, 1)
    return [issue.code for issue in check_message(replace(message, body=body), lambda path: path)]


def test_what_the_writer_writes_keeps_the_rules() -> None:
    assert found(prescription(lines=(line(), line("RX7002", dosages=(dosage(), dosage(sequence=2)))))) == []


def test_a_value_without_an_account_holds() -> None:
    assert [
        issue.code for issue in check_message(replace(written(trace=EVERYTHING), unexplained=("Bundle.id",)), str)
    ] == ["FIELD_NOT_UNDERSTOOD"]


def test_two_items_with_one_id_are_refused() -> None:
    twice = prescription(lines=(line(), line()))
    assert found(twice) == ["FIELD_NOT_UNDERSTOOD", "IDENTIFIER_INVALID"]


def test_a_prescription_number_with_a_wrong_check_character_is_refused() -> None:
    number = prescription().number.value
    wrong = number[:-1] + ("0" if number[-1] != "0" else "1")
    assert found(prescription(number=PrescriptionNumber(wrong))) == ["SHORTID_CHECK_DIGIT"]


def test_a_dosage_that_no_words_can_be_made_for_is_held() -> None:
    silent = Dosage(route=Coding(code="x"))
    assert found(prescription(lines=(line(dosages=(silent,)),))) == ["DOSE_MISSING"]


@pytest.mark.parametrize(
    ("swap", "codes"),
    [
        pytest.param(
            (b'"subject":{"reference":"urn:', b'"subject":{"reference":"x:'), ["REF_UNRESOLVED"], id="reference"
        ),
        pytest.param((b'"focus":[{"reference":', b'"focus":[{"display":'), ["FIELD_NOT_UNDERSTOOD"], id="focus"),
        pytest.param((b'"MessageHeader"', b'"Basic"'), ["FIELD_NOT_UNDERSTOOD"], id="no header"),
        pytest.param(
            (b'"resourceType":"Binary"', b'"resourceType":"Patient"'), ["FIELD_NOT_UNDERSTOOD"], id="two patients"
        ),
        pytest.param((b'"type":"message"', b'"type":"a\\u0000"'), ["VALUE_INVALID"], id="unreadable"),
    ],
)
def test_a_broken_message_is_found(swap: tuple[bytes, bytes], codes: list[str]) -> None:
    assert found(None, swap) == codes


def test_lines_that_disagree_in_what_they_share_are_found() -> None:
    value = prescription(lines=(line(), line("RX7002")))
    assert found(value, (b'"code":"outpatient"', b'"code":"community"')) == ["FIELD_NOT_UNDERSTOOD"]
