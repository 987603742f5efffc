import pytest

from gateway.validate.fhir.identifiers import check_identifiers

NHS = "https://fhir.nhs.uk/Id/nhs-number"
NUMBER = "https://fhir.nhs.uk/Id/prescription-order-number"


@pytest.mark.parametrize(
    ("system", "value", "good"),
    [
        (NHS, "9990000077", True),
        (NHS, "9990000078", False),
        (NUMBER, "A0548B-A99968-451485", True),
        (NUMBER, "561479-395879-521272", False),
        ("https://example.nhs.uk/local", "anything", True),
    ],
)
def test_an_identifier_is_checked_by_its_system(system: str, value: str, *, good: bool) -> None:
    resource = {"resourceType": "Patient", "identifier": [{"system": system, "value": value}]}
    found = check_identifiers(resource)
    assert [finding.expression for finding in found] == ([] if good else ["Patient.identifier[0].value"])


def test_a_snomed_code_with_a_wrong_check_digit_is_found_at_any_depth() -> None:
    coding = {"system": "http://snomed.info/sct", "code": "20534211000001109"}
    resource = {"resourceType": "MedicationRequest", "medicationCodeableConcept": {"coding": [coding]}}
    (found,) = check_identifiers(resource)
    assert found.expression == "MedicationRequest.medicationCodeableConcept.coding[0].code"
    assert "20534211000001109" not in found.text
