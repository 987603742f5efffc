"""Which patient, which of the names and addresses, and which allergies are meant."""

from collections.abc import Callable
from typing import Any

import pytest

from gateway.domain.prescription import Patient
from tests.unit.translate.from_fhir import orders
from tests.unit.translate.from_fhir.test_message import issues, reading

Json = dict[str, Any]
_AT = "Bundle.entry[2].resource"
_OLD = {"line": ["9 Old Street"], "postalCode": "XX1 1XX"}
_NHS = {"system": f"{orders.NHS}Id/nhs-number", "value": "9990000212"}


def _changed(change: Callable[[Json], object]) -> Json:
    found = orders.message()
    change(orders.resource(found, "Patient"))
    return found


def _patient(change: Callable[[Json], object]) -> Patient:
    prescription = reading(_changed(change)).orders[0].prescription
    assert prescription is not None
    return prescription.patient


@pytest.mark.parametrize(
    "other",
    [
        _OLD | {"use": "old"},
        _OLD | {"use": "billing"},
        _OLD | {"use": "home", "period": {"end": "2026-10-04"}},
        _OLD | {"use": "home", "period": {"end": "2026-09"}},
        _OLD | {"use": "home", "type": "postal"},
        _OLD | {"use": "temp"},
    ],
    ids=["old", "billing", "ended", "ended in a month", "for letters", "temporary"],
)
@pytest.mark.parametrize("place", [0, 1])
def test_the_current_home_is_taken_wherever_it_stands(other: Json, place: int) -> None:
    found = _patient(lambda patient: patient["address"].insert(place, other))
    assert found.address.postcode == "TA1 1AA"


@pytest.mark.parametrize("change", [{"use": "old"}, {"period": {"end": "2025"}}, {"type": "postal"}])
def test_an_address_nobody_lives_at_is_held(change: Json) -> None:
    found = reading(_changed(lambda patient: patient["address"][0].update(change)))
    assert ("DELIVERY_ADDRESS_UNUSABLE", f"{_AT}.address") in issues(found)


@pytest.mark.parametrize("end", ["2026-10-05", "2026-10", "2026", "2027-01-01T00:00:00Z"])
def test_a_period_ends_with_its_last_day(end: str) -> None:
    assert issues(reading(_changed(lambda patient: patient["address"][0].update(period={"end": end})))) == set()


@pytest.mark.parametrize(
    ("second", "differs"),
    [
        ({"line": ["9 Other Street"], "postalCode": "TA1 1AA"}, True),
        ({"line": ["1 Example Street"], "postalCode": "TA1 1AB"}, True),
        ({"line": ["1 EXAMPLE ST"], "postalCode": "ta11aa"}, False),
    ],
)
def test_two_current_homes_that_differ_are_held(second: Json, differs: bool) -> None:  # noqa: FBT001 - a column
    found = reading(_changed(lambda patient: patient["address"].append(second | {"use": "home"})))
    assert (("DELIVERY_ADDRESS_UNUSABLE", f"{_AT}.address") in issues(found)) is differs


@pytest.mark.parametrize(
    "other",
    [{"use": "old"}, {"use": "maiden"}, {"use": "anonymous"}, {"use": "official", "period": {"end": "2020"}}],
)
def test_a_name_that_is_no_longer_borne_is_not_taken(other: Json) -> None:
    before = {"family": "BEFORE", "given": ["Name"]} | other
    assert _patient(lambda patient: patient["name"].insert(0, before)).name.family == "TESTPATIENT"
    found = reading(_changed(lambda patient: patient.update(name=[before])))
    assert ("FIELD_MISSING", f"{_AT}.name") in issues(found)


def test_an_old_nhs_number_is_none() -> None:
    assert (
        _patient(lambda patient: patient["identifier"].insert(0, _NHS | {"use": "old"})).nhs_number.value
        == "9990000077"
    )
    found = reading(_changed(lambda patient: patient["identifier"][0].update(use="old")))
    assert issues(found) == {("NHSNO_MISSING", f"{_AT}.identifier")}


def test_a_record_that_is_not_in_use_is_held() -> None:
    found = reading(_changed(lambda patient: patient.update(active=False)))
    assert issues(found) == {("FIELD_NOT_UNDERSTOOD", f"{_AT}.active")}
    assert issues(reading(_changed(lambda patient: patient.update(active=True)))) == set()


@pytest.mark.parametrize(
    ("kind", "held"), [("replaced-by", True), ("refer", True), ("replaces", False), ("seealso", False)]
)
def test_a_record_that_another_stands_for_is_held(kind: str, held: bool) -> None:  # noqa: FBT001 - a column
    link = {"other": {"reference": "Patient/2"}, "type": kind}
    found = reading(_changed(lambda patient: patient.update(link=[link])))
    assert (("FIELD_NOT_UNDERSTOOD", f"{_AT}.link[0]") in issues(found)) is held


@pytest.mark.parametrize(
    ("subject", "refused"),
    [
        ({"reference": orders.PATIENT}, False),
        ({"reference": orders.PATIENT, "identifier": _NHS | {"value": "9990000077"}}, False),
        ({"identifier": _NHS | {"value": "999 000 0077"}}, False),
        ({"reference": orders.PATIENT, "identifier": _NHS}, True),
        ({"identifier": _NHS}, True),
        ({"identifier": {"system": "https://example.test/mrn", "value": "9990000077"}}, True),
        ({"display": "Somebody"}, True),
    ],
)
def test_the_subject_is_the_one_patient_by_all_that_names_it(subject: Json, refused: bool) -> None:  # noqa: FBT001 - a column
    message = orders.message()
    orders.resource(message, "MedicationRequest")["subject"] = subject
    assert (("GROUP_PATIENT_MISMATCH", "Bundle.entry[1].resource.subject") in issues(reading(message))) is refused


def _with(resource: Json) -> set[tuple[str, str]]:
    message = orders.message()
    message["entry"].append({"fullUrl": orders.SECOND, "resource": resource})
    return issues(reading(message))


def _allergy(clinical: str, verification: str) -> Json:
    system = "http://terminology.hl7.org/CodeSystem/allergyintolerance-"
    return {
        "resourceType": "AllergyIntolerance",
        "clinicalStatus": orders.concept(f"{system}clinical", clinical),
        "verificationStatus": orders.concept(f"{system}verification", verification),
        "code": orders.concept("http://snomed.info/sct", "91936005", "Allergy to penicillin"),
        "patient": {"reference": orders.PATIENT},
    }


@pytest.mark.parametrize(
    ("clinical", "verification", "member"),
    [
        ("active", "confirmed", ""),
        ("active", "unconfirmed", ""),
        ("resolved", "confirmed", "clinicalStatus"),
        ("inactive", "confirmed", "clinicalStatus"),
        ("active", "refuted", "verificationStatus"),
        ("active", "entered-in-error", "verificationStatus"),
    ],
)
def test_an_allergy_that_does_not_stand_is_not_written_as_one(clinical: str, verification: str, member: str) -> None:
    wanted = {("FIELD_NOT_UNDERSTOOD", f"Bundle.entry[9].resource.{member}")} if member else set()
    assert _with(_allergy(clinical, verification)) == wanted


def test_a_measurement_of_several_parts_is_held_and_not_lost() -> None:
    pressure = {
        "resourceType": "Observation",
        "status": "final",
        "code": orders.concept("http://loinc.org", "85354-9", "Blood pressure"),
        "subject": {"reference": orders.PATIENT},
        "component": [{"code": {"text": "systolic"}, "valueQuantity": {"value": 120, "unit": "mmHg"}}],
    }
    assert _with(pressure) == {("FIELD_NOT_UNDERSTOOD", "Bundle.entry[9].resource")}


@pytest.mark.parametrize(("status", "held"), [("additional", True), ("generated", False), ("extensions", False)])
def test_a_narrative_that_says_more_than_the_order_is_held(status: str, held: bool) -> None:  # noqa: FBT001 - a column
    message = orders.message()
    div = '<div xmlns="http://www.w3.org/1999/xhtml">Take double</div>'
    orders.resource(message, "MedicationRequest")["text"] = {"status": status, "div": div}
    assert (("FIELD_NOT_UNDERSTOOD", "Bundle.entry[1].resource.text") in issues(reading(message))) is held


def test_an_organisation_without_its_code_is_refused_by_name() -> None:
    message = orders.message()
    orders.resource(message, "Organization")["identifier"] = [{"system": "https://example.test", "value": "1"}]
    assert ("FIELD_MISSING", "Bundle.entry[5].resource.identifier") in issues(reading(message))
