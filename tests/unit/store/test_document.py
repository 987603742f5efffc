"""What is written as JSON reads back as the same value."""

from dataclasses import replace
from datetime import UTC, date, datetime, time
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.domain.coding import Coding
from gateway.domain.identifiers import (
    NhsNumber,
    OdsCode,
    PrescriptionNumber,
    ProfessionalId,
    Register,
    SnomedCode,
)
from gateway.domain.issue import Issue
from gateway.domain.prescription import Prescription, Range
from gateway.domain.quantity import Quantity
from gateway.domain.submission import Action, OrderVerdict, Outcome, Verdict
from gateway.domain.trace import Disposition, Leftover, TraceRow
from gateway.store.document import decode, encode
from tests.factories import dosage, line, prescription

text = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
st.register_type_strategy(str, text)
st.register_type_strategy(Decimal, st.decimals(min_value=0, max_value=10**9, allow_nan=False, places=3))
st.register_type_strategy(datetime, st.datetimes(timezones=st.just(UTC)))
st.register_type_strategy(date, st.dates())
st.register_type_strategy(time, st.times())
st.register_type_strategy(UUID, st.uuids())
for kind in (NhsNumber, OdsCode, PrescriptionNumber, SnomedCode):
    st.register_type_strategy(kind, st.builds(kind, text))
st.register_type_strategy(ProfessionalId, st.builds(ProfessionalId, st.sampled_from(Register), text))


@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large], deadline=None)
@given(st.from_type(Prescription))
def test_any_prescription_reads_back_the_same(value: Prescription) -> None:
    assert decode(encode(value), Prescription) == value


@given(st.lists(st.from_type(TraceRow)).map(tuple))
def test_any_trace_reads_back_the_same(rows: tuple[TraceRow, ...]) -> None:
    assert decode(encode(rows), tuple[TraceRow, ...]) == rows


@pytest.mark.parametrize("lexeme", ["0.50", "5.00", "100", "0.0000001", "0.000", "123456789012345678"])
def test_a_decimal_keeps_its_lexeme(lexeme: str) -> None:
    amount = Quantity(value=Decimal(lexeme), unit=Coding(code="mg"))
    back = decode(encode(amount), Quantity)
    assert format(back.value, "f") == lexeme


@pytest.mark.parametrize("open_end", ["low", "high"])
def test_a_dose_range_is_told_from_a_dose(open_end: str) -> None:
    amount = Quantity(value=Decimal("2.5"), unit=Coding(code="mg"))
    whole = prescription(lines=(line(dosages=(dosage(dose=Range(**{open_end: amount})), dosage())),))
    assert decode(encode(whole), Prescription) == whole


def test_a_verdict_and_its_issues_read_back() -> None:
    issue = Issue(code="DOSE_CONFLICT", location="RXE[1]-3", text="Two doses.", values=("5", "50"))
    order = OrderVerdict(outcome=Outcome.HELD, action=Action.NEW, numbers=(), issues=(issue,))
    verdict = Verdict(outcome=Outcome.HELD, issues=(issue,), orders=(order,))
    assert decode(encode(verdict), Verdict) == verdict
    leftover = Leftover(source="ZZZ-1", raw="x", disposition=Disposition.UNKNOWN)
    assert decode(encode((leftover,)), tuple[Leftover, ...]) == (leftover,)


def test_text_written_before_a_field_existed_takes_the_default() -> None:
    shorter = encode(Coding(code="mg", display="milligram")).replace(b'"system":"",', b"")
    assert decode(shorter, Coding) == Coding(code="mg", display="milligram")


def test_a_prescription_written_before_a_field_existed_takes_the_default() -> None:
    whole = encode(prescription())
    assert b'"notes":[],' in whole
    assert decode(whole.replace(b'"notes":[],', b""), Prescription) == prescription()


@pytest.mark.parametrize("wrong", [b"{}", b"[]", b"{", b'{"value":"x","unit":{}}', b'{"unit":{}}'])
def test_other_text_is_refused(wrong: bytes) -> None:
    with pytest.raises(ValueError, match="not a"):
        decode(wrong, Quantity)


def test_bytes_of_a_signature_survive() -> None:
    signed = replace(prescription(), notes=("\u0000 and é",))
    assert decode(encode(signed), Prescription) == signed


def _with_dose(dose: bytes) -> bytes:
    before, _, after = encode(prescription(lines=(line(dosages=(dosage(),)),))).partition(b'"dose":')
    return before + b'"dose":' + dose + after[after.index(b"}}") + 2 :]


def test_a_dose_that_is_absent_reads_back_as_none() -> None:
    assert decode(_with_dose(b"null"), Prescription).lines[0].dosages[0].dose is None


@pytest.mark.parametrize("dose", [b'{"low":null,"high":null,"value":"5"}', b"[]", b'"5 mg"', b"5"])
def test_a_dose_that_is_neither_an_amount_nor_a_range_is_refused(dose: bytes) -> None:
    with pytest.raises(ValueError, match="not a"):
        decode(_with_dose(dose), Prescription)
