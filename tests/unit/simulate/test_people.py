"""Invented people look like people to every check, and are nobody."""

from datetime import date
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.identifiers import NhsNumber, ProfessionalId, Register
from gateway.simulate.people import broken, invent_person, invent_prescriber

TODAY = date(2026, 11, 22)


@given(st.integers())
def test_every_patient_has_a_valid_number_from_the_test_range(seed: int) -> None:
    number = invent_person(Random(seed), today=TODAY).nhs_number
    assert number.startswith("999")
    assert NhsNumber.parse(number) is not None


@given(st.integers())
def test_a_broken_number_never_passes_its_check(seed: int) -> None:
    assert NhsNumber.parse(broken(invent_person(Random(seed), today=TODAY).nhs_number)) is None


@given(st.integers())
def test_every_patient_is_an_adult(seed: int) -> None:
    assert (TODAY - invent_person(Random(seed), today=TODAY).born).days > 19 * 365


@given(st.integers())
def test_every_prescriber_has_a_number_of_the_right_form(seed: int) -> None:
    assert ProfessionalId.parse(Register.GMC, invent_prescriber(Random(seed)).gmc) is not None


def test_a_patient_is_hidden_from_logs() -> None:
    person = invent_person(Random(1), today=TODAY)
    assert person.nhs_number not in repr(person)
