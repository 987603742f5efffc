"""Three shapes of FHIR, one reader: what each must say, and what none may."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from gateway.config.profiles import load_r4_table
from gateway.config.reference import load_reference
from gateway.domain.errors import Refusal
from gateway.domain.partner import Environment
from gateway.domain.prescription import CourseOfTherapy, Prescription
from gateway.domain.submission import Action, Reading, Submission, WireFormat
from gateway.translate.context import ReadingContext
from gateway.translate.from_fhir.message import read
from gateway.translate.from_fhir.uk_core import TYPES
from gateway.translate.from_hl7v2 import people as hl7v2_people
from gateway.wire.fhir_xml import FhirXml
from gateway.wire.strict_json import dumps
from tests import factories
from tests.unit.translate.from_fhir import orders, uk_core_orders

XML = FhirXml(load_r4_table())
CONTEXT = ReadingContext(
    trust=factories.trust(), reference=load_reference(), environment=Environment.TEST, fhir_xml=XML
)
Change = Callable[[dict[str, Any]], object]


def _read(body: dict[str, Any] | bytes, *, key: str = "", content_type: str = "application/fhir+json") -> Reading:
    return read(
        Submission(
            tenant=CONTEXT.trust.ods,
            format=WireFormat.FHIR,
            body=body if isinstance(body, bytes) else dumps(body),
            content_type=content_type,
            received_at=datetime(2026, 10, 5, 9, tzinfo=UTC),
            idempotency_key=key,
        ),
        CONTEXT,
    )


def _issues(found: Reading) -> set[tuple[str, str]]:
    return {(i.code, i.location) for i in (*found.issues, *(i for order in found.orders for i in order.issues))}


def _whole(found: Reading) -> Prescription:
    assert _issues(found) == set()
    assert found.unaccounted == ()
    (order,) = found.orders
    assert order.prescription is not None
    return order.prescription


@pytest.mark.parametrize("kind", ["collection", "transaction"])
def test_a_container_is_read_without_a_header(kind: str) -> None:
    found = _read(uk_core_orders.collection(kind))
    prescription = _whole(found)
    assert found.envelope.control_id == "4bbc97c0-f16d-4d82-85c8-c3cc62f80001"
    assert found.envelope.sender == CONTEXT.trust.ods
    assert prescription.group_number == "GRP9001"
    assert prescription.type_code == "1201"
    assert prescription.course is CourseOfTherapy.CONTINUOUS
    assert prescription.lines[0].order_number == "RX9001"
    assert prescription.lines[0].total_supplies == 6


def test_one_order_with_what_it_contains_is_read_and_named_by_its_key() -> None:
    found = _read(uk_core_orders.single(), key="8f7a-1")
    prescription = _whole(found)
    assert found.envelope.control_id == "8f7a-1"
    assert str(prescription.homecare.provider) == "VNE51"
    assert prescription.prescriber.organisation is not None
    assert all(row.source.startswith("MedicationRequest") for row in found.orders[0].trace if row.source)


def test_the_same_order_is_the_same_prescription_in_every_shape() -> None:
    collection, single = _whole(_read(uk_core_orders.collection())), _whole(_read(uk_core_orders.single(), key="k"))
    assert replace(collection, authored=single.authored) == single


def test_an_order_without_a_group_is_its_own_prescription() -> None:
    order = uk_core_orders.single()
    del order["groupIdentifier"]
    assert _whole(_read(order, key="k")).group_number == "RX9001"


def test_an_eps_number_and_type_are_kept_where_they_are_sent() -> None:
    message = uk_core_orders.collection()
    eps = orders.medication_request()
    message["entry"][0]["resource"] |= {name: eps[name] for name in ("extension", "groupIdentifier", "identifier")}
    prescription = _whole(_read(message))
    assert str(prescription.number) == "A0548B-A99968-451485"
    assert str(prescription.id) == "2c9f2f3e-5d0b-4d6a-8a54-0f6f2d1b7100"


def test_a_prescriber_may_be_a_practitioner_without_a_role() -> None:
    message = uk_core_orders.collection()
    message["entry"][0]["resource"]["requester"] = {"reference": orders.PERSON}
    message["entry"] = [
        entry
        for entry in message["entry"]
        if entry["resource"]["resourceType"] not in {"PractitionerRole", "Organization"}
    ]
    assert _whole(_read(message)).prescriber.organisation is None


def test_a_provider_may_be_a_reference_to_an_organisation() -> None:
    message = uk_core_orders.collection()
    message["entry"][0]["resource"]["dispenseRequest"]["performer"] = {"reference": "Organization/hc"}
    message["entry"].append(
        {
            "fullUrl": "https://example.test/Organization/hc",
            "resource": {
                "resourceType": "Organization",
                "id": "hc",
                "identifier": [orders.ods("VNE51")],
                "name": "Example Homecare Ltd",
            },
        }
    )
    homecare = _whole(_read(message)).homecare
    assert (str(homecare.provider), homecare.provider_name) == ("VNE51", "Example Homecare Ltd")


def test_a_bundle_without_an_identifier_is_named_by_the_key() -> None:
    message = uk_core_orders.collection()
    del message["identifier"]
    assert _read(message, key="8f7a-1").envelope.control_id == "8f7a-1"


@pytest.mark.parametrize("key", ["", "with a blank", "x" * 65, "é"])
def test_a_submission_without_a_name_is_refused(key: str) -> None:
    with pytest.raises(Refusal) as refusal:
        _read(uk_core_orders.single(), key=key)
    assert [issue.code for issue in refusal.value.issues] == ["CONTROL_ID_MISSING"]


def _order(message: dict[str, Any]) -> dict[str, Any]:
    return orders.resource(message, "MedicationRequest")


def _request(message: dict[str, Any], **change: str) -> None:
    message["entry"][0]["request"] = {"method": "POST", "url": "MedicationRequest"} | change


RULES: dict[str, tuple[Change, str, str]] = {
    "DELETE": (lambda m: _request(m, method="DELETE"), "ACTION_UNSUPPORTED", "Bundle.entry[0].request.method"),
    "PATCH": (lambda m: _request(m, method="PATCH"), "ACTION_UNSUPPORTED", "Bundle.entry[0].request.method"),
    "a conditional change": (
        lambda m: _request(m, method="PUT", url="MedicationRequest?identifier=1"),
        "ACTION_UNSUPPORTED",
        "Bundle.entry[0].request.url",
    ),
    "a conditional reference": (
        lambda m: _order(m).update(subject={"reference": "Patient?identifier=1"}),
        "VALUE_INVALID",
        "Bundle.entry[0].resource.subject.reference",
    ),
    "a searchset": (lambda m: m.update(type="searchset"), "MESSAGE_TYPE_UNSUPPORTED", "Bundle.type"),
    "a batch": (lambda m: m.update(type="batch"), "MESSAGE_TYPE_UNSUPPORTED", "Bundle.type"),
    "a header in a collection": (
        lambda m: m["entry"].append({"resource": orders.resource(orders.message(), "MessageHeader")}),
        "MESSAGE_TYPE_UNSUPPORTED",
        "Bundle.type",
    ),
    "no order": (lambda m: m["entry"].pop(0), "MESSAGE_TYPE_UNSUPPORTED", "Bundle.entry"),
    "a remote reference": (
        lambda m: _order(m).update(requester={"reference": "https://example.test/PractitionerRole/1"}),
        "REF_UNRESOLVED",
        "Bundle.entry[0].resource.requester.reference",
    ),
    "draft": (lambda m: _order(m).update(status="draft"), "VALUE_INVALID", "Bundle.entry[0].resource.status"),
    "unknown": (lambda m: _order(m).update(status="unknown"), "VALUE_INVALID", "Bundle.entry[0].resource.status"),
    "proposal": (lambda m: _order(m).update(intent="proposal"), "VALUE_INVALID", "Bundle.entry[0].resource.intent"),
    "plan": (lambda m: _order(m).update(intent="plan"), "VALUE_INVALID", "Bundle.entry[0].resource.intent"),
    "reflex order": (
        lambda m: _order(m).update(intent="reflex-order"),
        "VALUE_INVALID",
        "Bundle.entry[0].resource.intent",
    ),
    "not to be given": (
        lambda m: _order(m).update(doNotPerform=True),
        "VALUE_INVALID",
        "Bundle.entry[0].resource.doNotPerform",
    ),
    "reported": (
        lambda m: _order(m).update(reportedBoolean=True),
        "VALUE_INVALID",
        "Bundle.entry[0].resource.reported[x]",
    ),
    "a modifier": (
        lambda m: _order(m).update(modifierExtension=[{"url": "https://example.test", "valueBoolean": True}]),
        "EXTENSION_NOT_UNDERSTOOD",
        "Bundle.entry[0].resource.modifierExtension[0]",
    ),
    "implicit rules": (
        lambda m: _order(m).update(implicitRules="https://example.test"),
        "EXTENSION_NOT_UNDERSTOOD",
        "Bundle.entry[0].resource.implicitRules",
    ),
    "no date": (
        lambda m: _order(m).pop("authoredOn"),
        "AUTHORED_MISSING",
        "Bundle.entry[0].resource.authoredOn",
    ),
    "an unknown element": (
        lambda m: _order(m).update(colour="red"),
        "STRUCTURE_INVALID",
        "Bundle.entry[0].resource.colour",
    ),
}


@pytest.mark.parametrize(
    ("day", "offset"), [("2026-07-05", "+01:00"), ("2026-10-05", "+01:00"), ("2026-11-05", "+00:00")]
)
def test_a_day_on_which_it_was_written_is_its_midnight_in_london(day: str, offset: str) -> None:
    order = uk_core_orders.single() | {"authoredOn": day}
    authored = _whole(_read(order, key="day")).authored
    assert authored.isoformat() == f"{day}T00:00:00{offset}"


def test_an_order_entered_in_error_is_cancelled_as_a_prescribing_error() -> None:
    found = _read(uk_core_orders.single() | {"status": "entered-in-error"}, key="error")
    (order,) = found.orders
    assert (order.action, order.issues) == (Action.CANCEL, ())
    assert order.change is not None
    assert order.change.reason is not None
    assert order.change.reason.code == "0001"


def test_a_dmd_code_may_stand_beside_a_code_and_a_form_of_the_trusts_own() -> None:
    order = uk_core_orders.single()
    drug = order["contained"][-1]
    drug["code"]["coding"].append({"system": "https://example.test/drugs", "code": "MTX10", "display": "MTX 10mg inj"})
    drug["form"] = {"coding": [{"system": "http://snomed.info/sct", "code": "385219001"}]}
    product = _whole(_read(order, key="two-codes")).lines[0].product
    assert product.code.value == "15517911000001104"


def test_words_beside_a_further_code_may_not_name_another_medicine() -> None:
    order = uk_core_orders.single()
    further = {"system": "https://example.test/drugs", "code": "E50", "display": "Etanercept 50mg/1ml pens"}
    order["contained"][-1]["code"]["coding"].append(further)
    codes = {code for code, _ in _issues(_read(order, key="other"))}
    assert codes & {"DRUG_TEXT_MISMATCH", "STRENGTH_TEXT_MISMATCH"}


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_what_breaks_a_rule_is_named_at_its_place(rule: tuple[Change, str, str]) -> None:
    change, code, location = rule
    message = uk_core_orders.collection("collection")
    change(message)
    assert (code, location) in _issues(_read(message))


def test_a_medicine_with_ingredients_beside_its_code_is_held() -> None:
    order = uk_core_orders.single()
    order["contained"][-1]["ingredient"] = [{"itemCodeableConcept": {"text": "Water"}}]
    assert ("FIELD_NOT_UNDERSTOOD", "MedicationRequest.contained[4].ingredient") in _issues(_read(order, key="k"))


VERSIONS: dict[str, Change] = {
    "R5": lambda order: order.update(medication={"reference": {"reference": "#drug"}}),
    "STU3": lambda order: order.update(requester={"agent": {"reference": "#role"}}),
}


@pytest.mark.parametrize("version", VERSIONS)
def test_another_version_of_fhir_is_refused_by_name(version: str) -> None:
    order = uk_core_orders.single()
    VERSIONS[version](order)
    with pytest.raises(Refusal) as refusal:
        _read(order, key="k")
    assert refusal.value.issues[0].code == "VERSION_UNSUPPORTED"
    assert version in refusal.value.issues[0].text


@pytest.mark.parametrize("shape", ["message", "collection", "single"])
def test_fhir_xml_is_the_same_prescription_as_fhir_json(shape: str) -> None:
    value = {
        "message": orders.message,
        "collection": uk_core_orders.collection,
        "single": uk_core_orders.single,
    }[shape]()
    body = XML.to_xml(value)
    assert _whole(_read(body, key="k", content_type="application/fhir+xml; fhirVersion=4.0")) == _whole(
        _read(value, key="k")
    )


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"<!DOCTYPE Bundle><Bundle xmlns='http://hl7.org/fhir'/>", "UNREADABLE"),
        (b"<Bundle", "UNREADABLE"),
        (b"<Bundle xmlns='http://hl7.org/fhir'><nothing value='1'/></Bundle>", "STRUCTURE_INVALID"),
        (b"<Patient xmlns='http://hl7.org/fhir'/>", "MESSAGE_TYPE_UNSUPPORTED"),
    ],
)
def test_xml_that_is_no_fhir_is_refused(body: bytes, code: str) -> None:
    with pytest.raises(Refusal) as refusal:
        _read(body, content_type="application/fhir+xml")
    assert refusal.value.issues[0].code == code


def test_fhir_and_hl7v2_tell_professions_alike() -> None:
    assert TYPES == hl7v2_people._TYPES


@pytest.mark.parametrize(
    "url",
    [
        "https://fhir.hl7.org.uk/StructureDefinition/Extension-UKCore-MedicationRepeatInformation",
        "https://fhir.nhs.uk/StructureDefinition/Extension-DM-MedicationRepeatInformation",
    ],
)
@pytest.mark.parametrize(("said", "conflict"), [(5, False), (6, False), (3, True)])
def test_repeats_said_again_must_not_contradict(url: str, said: int, conflict: bool) -> None:  # noqa: FBT001
    message = uk_core_orders.collection()
    inner = [{"url": "numberOfRepeatPrescriptionsAllowed", "valuePositiveInt": said}]
    _order(message)["extension"] = [{"url": url, "extension": inner}]
    place = ("REPEATS_CONFLICT", "Bundle.entry[0].resource.dispenseRequest.numberOfRepeatsAllowed")
    assert _issues(_read(message)) == ({place} if conflict else set())


@pytest.mark.parametrize(
    ("form", "differs"), [("Solution for injection", False), ("Tablet", True), ("Form one", False)]
)
def test_the_form_of_a_contained_medicine_may_not_be_another(form: str, differs: bool) -> None:  # noqa: FBT001 - a column
    single = uk_core_orders.single()
    drug = next(part for part in single["contained"] if part["resourceType"] == "Medication")
    drug["form"] = {"coding": [{"system": "http://snomed.info/sct", "code": "385055001", "display": form}]}
    named = {code for code, _ in _issues(_read(single, key="form"))}
    assert ("DRUG_TEXT_MISMATCH" in named) is differs
