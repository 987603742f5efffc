import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.identifiers import (
    NhsNumber,
    OdsCode,
    PrescriptionNumber,
    ProfessionalId,
    Register,
    SnomedCode,
    derived_id,
    derived_text,
    parse_uuid,
)


@pytest.mark.parametrize("text", ["9449304106", "9990548609", "9449304289", "9990000077", "999 000 0077"])
def test_a_number_with_its_check_digit_is_an_nhs_number(text: str) -> None:
    number = NhsNumber.parse(text)
    assert number is not None
    assert str(number) == text.replace(" ", "")


@pytest.mark.parametrize(
    "text",
    ["9990000078", "999000007", "99900000770", "", "999-000-0077", "٩٩٩٠٠٠٠٠٧٧", " 9990000077", "99 90000077"],
)
def test_anything_else_is_not_an_nhs_number(text: str) -> None:
    assert NhsNumber.parse(text) is None


@given(st.integers(0, 999_999_999), st.integers(1, 9))
def test_a_changed_check_digit_is_always_noticed(stem: int, change: int) -> None:
    accepted = [digit for digit in range(10) if NhsNumber.parse(f"{stem:09}{digit}")]
    assert len(accepted) <= 1
    if accepted:
        assert NhsNumber.parse(f"{stem:09}{(accepted[0] + change) % 10}") is None


@given(st.integers(100_000_000, 999_999_999), st.integers(0, 8), st.integers(1, 9))
def test_any_single_wrong_digit_of_an_nhs_number_is_noticed(stem: int, place: int, change: int) -> None:
    for check in range(10):
        text = f"{stem}{check}"
        if NhsNumber.parse(text):
            digits = list(text)
            digits[place] = str((int(digits[place]) + change) % 10)
            assert NhsNumber.parse("".join(digits)) is None


def test_an_nhs_number_hides_itself_where_it_might_be_logged() -> None:
    assert "9990000077" not in repr(NhsNumber.parse("9990000077"))


@pytest.mark.parametrize(
    "text", ["A0548B-A99968-451485", "C2782B-A99968-4E4E9Z", "5EA56C-Z6EA5E-710A1O", "8DB7CE-A83008-32478+"]
)
def test_published_prescription_numbers_pass_their_check_character(text: str) -> None:
    assert PrescriptionNumber.parse(text) is not None


@pytest.mark.parametrize(
    "text",
    [
        "561479-395879-521272",
        "269CA9-A99968-4577BP",
        "DC2C66-A1B2C3-23407B",
        "a0548b-a99968-451485",
        "A0548BA99968451485",
    ],
)
def test_prescription_numbers_with_a_fault_are_refused(text: str) -> None:
    assert PrescriptionNumber.parse(text) is None


@given(st.sampled_from(["RBA11", "A99968", "RBA", "VNE51"]), st.text(min_size=1), st.integers(0, 3))
def test_a_derived_prescription_number_passes_its_own_check(site: str, group: str, salt: int) -> None:
    ods = OdsCode.parse(site)
    assert ods is not None
    number = PrescriptionNumber.derive(ods, "RBA", group, salt=salt)
    assert PrescriptionNumber.parse(str(number)) == number
    assert number == PrescriptionNumber.derive(ods, "RBA", group, salt=salt)


@pytest.mark.parametrize("text", ["15517911000001104", "317972000", "34206005", "3318611000001103", "27113001"])
def test_concept_identifiers_with_their_verhoeff_digit_are_codes(text: str) -> None:
    assert SnomedCode.parse(text) is not None


@pytest.mark.parametrize("text", ["20534211000001109", "99999999", "15517911000001105", "12345", "0317972000", "CD:1"])
def test_plausible_wrong_concept_identifiers_are_refused(text: str) -> None:
    assert SnomedCode.parse(text) is None


@pytest.mark.parametrize(
    ("register", "text", "good"),
    [
        (Register.GMC, "9999991", True),
        (Register.GMC, "C9999991", True),
        (Register.GMC, "G9999999", True),
        (Register.GMC, "999999", False),
        (Register.NMC, "12A3456B", True),
        (Register.NMC, "123456", False),
        (Register.HCPC, "PH12345", True),
        (Register.CONSULTANT, "C9999991", True),
        (Register.CONSULTANT, "9999991", False),
    ],
)
def test_professional_numbers_keep_the_form_of_their_register(register: Register, text: str, *, good: bool) -> None:
    assert (ProfessionalId.parse(register, text) is not None) is good


@pytest.mark.parametrize(
    ("text", "good"), [("RBA", True), ("VNE51", True), ("rba", False), ("RB", False), ("R-B", False)]
)
def test_ods_codes_are_upper_case_letters_and_digits(text: str, *, good: bool) -> None:
    assert (OdsCode.parse(text) is not None) is good


@given(st.lists(st.text()))
def test_a_derived_text_is_the_text_of_the_derived_id(parts: list[str]) -> None:
    assert derived_text(*parts) == str(derived_id(*parts))


def test_derived_ids_do_not_collide_by_joining() -> None:
    assert derived_id("a", "bc") != derived_id("ab", "c")
    assert derived_id("a") == derived_id("a")


def test_uuids_are_read_in_either_case_and_only_with_hyphens() -> None:
    text = "7D0A5C1E-0A52-4B54-9A3F-1F4F6F8A1001"
    assert parse_uuid(text) == uuid.UUID(text)
    assert parse_uuid(text.replace("-", "")) is None
