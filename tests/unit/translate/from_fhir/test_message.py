from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.config.reference import load_reference
from gateway.domain.coding import UCUM, Coding
from gateway.domain.errors import Refusal
from gateway.domain.issue import held, refused
from gateway.domain.partner import CodeEntry, Environment
from gateway.domain.prescription import CourseOfTherapy
from gateway.domain.quantity import Quantity, lexeme
from gateway.domain.submission import Reading, Submission, WireFormat
from gateway.translate.context import ReadingContext
from gateway.translate.from_fhir.message import read
from gateway.wire.strict_json import dumps
from tests import factories
from tests.unit.translate.from_fhir import orders

SHARED = Path(__file__).parents[4] / "../shared/eps-examples/homecare"
CONTEXT = ReadingContext(trust=factories.trust(), reference=load_reference(), environment=Environment.TEST)

Change = Callable[[dict[str, Any]], object]


def reading(message: Any, context: ReadingContext = CONTEXT, content_type: str = "") -> Reading:
    body = message if isinstance(message, bytes) else dumps(message)
    return read(
        Submission(
            tenant=context.trust.ods,
            format=WireFormat.FHIR,
            body=body,
            content_type=content_type,
            received_at=datetime(2026, 10, 5, 9, tzinfo=UTC),
        ),
        context,
    )


def issues(found: Reading) -> set[tuple[str, str]]:
    return {(i.code, i.location) for i in (*found.issues, *(i for order in found.orders for i in order.issues))}


def order(message: dict[str, Any]) -> dict[str, Any]:
    return orders.resource(message, "MedicationRequest")


def dose(message: dict[str, Any]) -> dict[str, Any]:
    first: dict[str, Any] = order(message)["dosageInstruction"][0]
    return first


def test_an_order_becomes_a_whole_prescription() -> None:
    found = reading(orders.message())
    assert issues(found) == set()
    assert found.unaccounted == ()
    prescription = found.orders[0].prescription
    assert prescription is not None
    (line,) = prescription.lines
    assert str(prescription.number) == "A0548B-A99968-451485"
    assert prescription.course is CourseOfTherapy.CONTINUOUS
    assert prescription.valid_to == date(2027, 4, 5)
    assert prescription.patient_information == ("Blood test is due",)
    assert prescription.medication_list == ("Folic acid 5mg tablets",)
    assert prescription.prescriber.organisation is not None
    assert str(prescription.prescriber.organisation.trust) == "RBA"
    assert prescription.signature is not None
    assert prescription.signature.data == b"<Signature/>"
    assert prescription.signature.format == "xmldsig-eps"
    assert str(prescription.homecare.provider) == "VNE51"
    assert (line.total_supplies, line.days_per_supply) == (6, 28)
    assert line.dosages[0].dose == Quantity(value=Decimal(10), unit=Coding(system=UCUM, code="mg", display="milligram"))
    assert found.envelope.control_id == "4bbc97c0-f16d-4d82-85c8-c3cc62f80001"


def test_a_decimal_keeps_its_digits() -> None:
    body = dumps(orders.message()).replace(b'"value":10,', b'"value":10.00,')
    prescription = reading(body).orders[0].prescription
    assert prescription is not None
    amount = prescription.lines[0].dosages[0].dose
    assert isinstance(amount, Quantity)
    assert lexeme(amount.value) == "10.00"


def test_two_lines_of_one_prescription_are_one_order() -> None:
    found = reading(orders.two_lines())
    assert issues(found) == set()
    assert found.orders[0].prescription is not None
    assert len(found.orders[0].prescription.lines) == len(found.orders[0].numbers) == 2


REFUSED_AT_ONCE: dict[str, tuple[Any, str]] = {
    "duplicate key": (b'{"resourceType":"Bundle","type":"message","type":"message"}', "DUPLICATE_KEY"),
    "not JSON": (b"<Bundle/>", "UNREADABLE"),
    "byte order mark": (b"\xef\xbb\xbf{}", "CHARSET_INVALID"),
    "an array": (b"[]", "MESSAGE_TYPE_UNSUPPORTED"),
    "no resource type": (b"{}", "MESSAGE_TYPE_UNSUPPORTED"),
    "another resource": ({"resourceType": "Patient"}, "MESSAGE_TYPE_UNSUPPORTED"),
    "no identifier": ({"resourceType": "Bundle", "type": "message"}, "CONTROL_ID_MISSING"),
}


@pytest.mark.parametrize("case", REFUSED_AT_ONCE.values(), ids=REFUSED_AT_ONCE.keys())
def test_what_has_no_name_to_answer_to_is_refused_at_once(case: tuple[Any, str]) -> None:
    with pytest.raises(Refusal) as refusal:
        reading(case[0])
    assert refusal.value.issues[0].code == case[1]


VERSIONS: dict[str, tuple[Change, str]] = {
    "R5 medication": (lambda m: order(m).update(medication=order(m).pop("medicationCodeableConcept")), "R5"),
    "STU3 event": (lambda m: m["entry"][0]["resource"].update(event={"code": "x"}), "STU3"),
    "STU3 requester": (lambda m: order(m).update(requester={"agent": {"reference": "x"}}), "STU3"),
}


@pytest.mark.parametrize("case", VERSIONS.values(), ids=VERSIONS.keys())
def test_another_version_is_refused_by_its_name(case: tuple[Change, str]) -> None:
    message = orders.message()
    case[0](message)
    with pytest.raises(Refusal) as refusal:
        reading(message)
    assert refusal.value.issues[0].code == "VERSION_UNSUPPORTED"
    assert case[1] in refusal.value.issues[0].text


def test_a_version_in_the_media_type_must_be_r4() -> None:
    with pytest.raises(Refusal):
        reading(orders.message(), content_type="application/fhir+json; fhirVersion=5.0")
    assert issues(reading(orders.message(), content_type="application/fhir+json; fhirVersion=4.0")) == set()


def header(message: dict[str, Any]) -> dict[str, Any]:
    return orders.resource(message, "MessageHeader")


def event(code: str) -> Change:
    return lambda m: header(m)["eventCoding"].update(code=code)


def supply(**members: Any) -> Change:
    return lambda m: order(m)["dispenseRequest"].update(members)


def patient(**members: Any) -> Change:
    return lambda m: orders.resource(m, "Patient").update(members)


def amount(**members: Any) -> Change:
    return lambda m: dose(m)["doseAndRate"][0]["doseQuantity"].update(members)


H = "Bundle.entry[0].resource"
M = "Bundle.entry[1].resource"
D = f"{M}.dosageInstruction[0]"
Q = f"{D}.doseAndRate[0].doseQuantity"
P = "Bundle.entry[2].resource"
EXTENSION = [{"url": "https://example.test/x", "valueString": "twice the dose"}]
FAULTS: dict[str, tuple[Change, str, str]] = {
    "a response": (event("prescription-order-response"), "MESSAGE_TYPE_UNSUPPORTED", f"{H}.eventCoding.code"),
    "a dispense": (event("dispense-notification"), "MESSAGE_TYPE_UNSUPPORTED", f"{H}.eventCoding.code"),
    "transaction": (lambda m: m.update(type="transaction"), "MESSAGE_TYPE_UNSUPPORTED", "Bundle.type"),
    "header not first": (lambda m: m["entry"].reverse(), "STRUCTURE_INVALID", H),
    "another sender": (
        lambda m: header(m)["sender"]["identifier"].update(value="RXX"),
        "SENDER_MISMATCH",
        f"{H}.sender.identifier.value",
    ),
    "dangling focus": (
        lambda m: header(m)["focus"].append({"reference": "urn:uuid:nowhere"}),
        "REF_UNRESOLVED",
        f"{H}.focus[1].reference",
    ),
    "modifier": (
        lambda m: dose(m).update(modifierExtension=EXTENSION),
        "EXTENSION_NOT_UNDERSTOOD",
        f"{D}.modifierExtension[0]",
    ),
    "implicit rules": (
        lambda m: m.update(implicitRules="http://x"),
        "EXTENSION_NOT_UNDERSTOOD",
        "Bundle.implicitRules",
    ),
    "do not perform": (lambda m: order(m).update(doNotPerform=True), "VALUE_INVALID", f"{M}.doNotPerform"),
    "misspelt": (lambda m: order(m).update(dosageInstructions=[]), "STRUCTURE_INVALID", f"{M}.dosageInstructions"),
    "prototype": (lambda m: m.update(__proto__={"a": 1}), "STRUCTURE_INVALID", "Bundle.(member)"),
    "unknown extension on the dose": (
        lambda m: dose(m).update(extension=EXTENSION),
        "FIELD_NOT_UNDERSTOOD",
        f"{D}.extension[0].url",
    ),
    "unknown extension on the order": (
        lambda m: order(m)["extension"].extend(EXTENSION),
        "FIELD_NOT_UNDERSTOOD",
        f"{M}.extension[1].valueString",
    ),
    "known element no rule reads": (
        lambda m: order(m).update(supportingInformation=[{"display": "half at weekends"}]),
        "FIELD_NOT_UNDERSTOOD",
        f"{M}.supportingInformation[0].display",
    ),
    "unknown resource": (
        lambda m: m["entry"].append({"fullUrl": "urn:uuid:x", "resource": {"resourceType": "CarePlan"}}),
        "FIELD_NOT_UNDERSTOOD",
        "Bundle.entry[9].resource.resourceType",
    ),
    "status cancelled": (lambda m: order(m).update(status="cancelled"), "ACTION_UNSUPPORTED", f"{M}.status"),
    "status draft": (lambda m: order(m).update(status="draft"), "VALUE_INVALID", f"{M}.status"),
    "intent plan": (lambda m: order(m).update(intent="plan"), "VALUE_INVALID", f"{M}.intent"),
    "number as text": (amount(value="10"), "VALUE_INVALID", f"{Q}.value"),
    "boolean as text": (
        lambda m: order(m)["substitution"].update(allowedBoolean="false"),
        "VALUE_INVALID",
        f"{M}.substitution.allowedBoolean",
    ),
    "array for scalar": (lambda m: order(m).update(status=["active"]), "VALUE_INVALID", f"{M}.status"),
    "scalar for array": (lambda m: order(m).update(identifier={"value": "x"}), "VALUE_INVALID", f"{M}.identifier"),
    "null": (lambda m: order(m).update(authoredOn=None), "VALUE_INVALID", f"{M}.authoredOn"),
    "empty string": (lambda m: dose(m).update(text=""), "VALUE_INVALID", f"{D}.text"),
    "empty object": (lambda m: order(m).update(encounter={}), "VALUE_INVALID", f"{M}.encounter"),
    "no such date": (patient(birthDate="2026-02-30"), "VALUE_INVALID", f"{P}.birthDate"),
    "year alone": (patient(birthDate="1979"), "VALUE_INVALID", f"{P}.birthDate"),
    "time without a zone": (
        lambda m: order(m).update(authoredOn="2026-10-05T09:10:00"),
        "VALUE_INVALID",
        f"{M}.authoredOn",
    ),
    "no such day as authored": (
        lambda m: order(m).update(authoredOn="2026-02-30"),
        "VALUE_INVALID",
        f"{M}.authoredOn",
    ),
    "dose of nought": (amount(value=0), "VALUE_INVALID", f"{Q}.value"),
    "negative dose": (amount(value=-5), "VALUE_INVALID", f"{Q}.value"),
    "a bound for a dose": (amount(comparator="<"), "FIELD_NOT_UNDERSTOOD", f"{Q}.comparator"),
    "form code as unit": (
        lambda m: order(m)["dispenseRequest"]["quantity"].update(code="385024007"),
        "UNIT_UNMAPPED",
        f"{M}.dispenseRequest.quantity.code",
    ),
    "unit of another system": (amount(system="http://example.test"), "UNIT_UNMAPPED", Q),
    "unit words against code": (amount(unit="microgram"), "DOSE_CONFLICT", Q),
    "frequency nought": (
        lambda m: dose(m)["timing"]["repeat"].update(frequency=0),
        "VALUE_INVALID",
        f"{D}.timing.repeat.frequency",
    ),
    "period without unit": (
        lambda m: dose(m)["timing"]["repeat"].pop("periodUnit"),
        "VALUE_INVALID",
        f"{D}.timing.repeat.period",
    ),
    "as needed twice": (
        lambda m: dose(m).update(asNeededBoolean=True, asNeededCodeableConcept={"text": "pain"}),
        "VALUE_INVALID",
        f"{D}.asNeededBoolean",
    ),
    "two doses": (
        lambda m: dose(m)["doseAndRate"].append(dose(m)["doseAndRate"][0]),
        "DOSE_CONFLICT",
        f"{D}.doseAndRate",
    ),
    "several dosages in no order": (
        lambda m: order(m)["dosageInstruction"].append({"text": "and more"}),
        "TIMING_JOIN_MISSING",
        f"{M}.dosageInstruction",
    ),
    "no directions": (lambda m: order(m).pop("dosageInstruction"), "DOSE_MISSING", f"{M}.dosageInstruction"),
    "no quantity": (
        lambda m: order(m)["dispenseRequest"].pop("quantity"),
        "QUANTITY_MISSING",
        f"{M}.dispenseRequest.quantity",
    ),
    "both ways of medication": (
        lambda m: order(m).update(medicationReference={"reference": "#x"}),
        "VALUE_INVALID",
        f"{M}.medication[x]",
    ),
    "medication elsewhere": (
        lambda m: (
            order(m).pop("medicationCodeableConcept"),
            order(m).update(medicationReference={"reference": "http://169.254.169.254/x"}),
        ),
        "REF_UNRESOLVED",
        f"{M}.medicationReference.reference",
    ),
    "local code": (
        lambda m: order(m).update(medicationCodeableConcept=orders.concept("urn:local", "MTX10", "Methotrexate")),
        "DRUG_LOCAL_UNMAPPED",
        f"{M}.medicationCodeableConcept",
    ),
    "words for another product": (
        lambda m: order(m)["medicationCodeableConcept"]["coding"][0].update(display="Metformin 500mg tablets"),
        "DRUG_TEXT_MISMATCH",
        f"{M}.medicationCodeableConcept.coding[0].display",
    ),
    "text for another product": (
        lambda m: order(m)["medicationCodeableConcept"].update(text="Enbrel 50mg"),
        "DRUG_TEXT_MISMATCH",
        f"{M}.medicationCodeableConcept.text",
    ),
    "a local coding of another product": (
        lambda m: order(m)["medicationCodeableConcept"]["coding"].append(
            {"system": "urn:local", "code": "E50", "display": "Etanercept"}
        ),
        "DRUG_TEXT_MISMATCH",
        f"{M}.medicationCodeableConcept.coding[1].display",
    ),
    "words for a product": (
        lambda m: order(m).update(medicationCodeableConcept={"text": "Methotrexate"}),
        "DRUG_UNCODED",
        f"{M}.medicationCodeableConcept",
    ),
    "short number": (
        lambda m: order(m)["groupIdentifier"].update(value="A0548B-A99968-451486"),
        "SHORTID_CHECK_DIGIT",
        f"{M}.groupIdentifier.value",
    ),
    "identifier system spoofed": (
        lambda m: order(m)["groupIdentifier"].update(system="http://fhir.nhs.uk/Id/prescription-order-number"),
        "IDENTIFIER_INVALID",
        f"{M}.groupIdentifier.system",
    ),
    "not a homecare type": (
        lambda m: order(m)["extension"][0]["valueCoding"].update(code="0101"),
        "VALUE_INVALID",
        f"{M}.extension[0].valueCoding.code",
    ),
    "NHS number": (
        lambda m: orders.resource(m, "Patient")["identifier"][0].update(value="9990000078"),
        "NHSNO_CHECK_DIGIT",
        f"{P}.identifier[0].value",
    ),
    "no NHS number": (lambda m: orders.resource(m, "Patient").pop("identifier"), "NHSNO_MISSING", f"{P}.identifier"),
    "deceased": (patient(deceasedBoolean=True), "PATIENT_DECEASED", f"{P}.deceasedBoolean"),
    "no address": (lambda m: orders.resource(m, "Patient").pop("address"), "ADDRESS_REQUIRED", f"{P}.address"),
    "two patients": (
        lambda m: m["entry"].append({"fullUrl": "urn:uuid:y", "resource": orders.resource(m, "Patient")}),
        "GROUP_PATIENT_MISMATCH",
        "Bundle.entry",
    ),
    "subject by words": (
        lambda m: order(m).update(subject={"display": "Aoife"}),
        "GROUP_PATIENT_MISMATCH",
        f"{M}.subject",
    ),
    "no prescriber": (lambda m: order(m).pop("requester"), "PRESCRIBER_REQUIRED", f"{M}.requester"),
    "same fullUrl": (
        lambda m: m["entry"][3].update(fullUrl=orders.PATIENT.upper()),
        "STRUCTURE_INVALID",
        "Bundle.entry[3].fullUrl",
    ),
    "recipient": (
        lambda m: orders.resource(m, "CommunicationRequest")["recipient"][0]["identifier"].update(value="9990000085"),
        "RECIPIENT_MISMATCH",
        "Bundle.entry[6].resource.recipient[0].identifier.value",
    ),
    "signature not base64": (
        lambda m: orders.resource(m, "Provenance")["signature"][0].update(data="A"),
        "SIGNATURE_INVALID",
        "Bundle.entry[8].resource.signature[0].data",
    ),
    "target incomplete": (
        lambda m: orders.resource(m, "Provenance").update(target=[{"reference": orders.PATIENT}]),
        "REFERENCE_INCOMPLETE",
        "Bundle.entry[8].resource.target",
    ),
    "duration not in days": (
        supply(expectedSupplyDuration={"value": 4, "system": UCUM, "code": "wk"}),
        "VALUE_INVALID",
        f"{M}.dispenseRequest.expectedSupplyDuration.code",
    ),
    "substitution": (
        lambda m: order(m)["substitution"].update(allowedBoolean=True),
        "SUBSTITUTION_NOT_CARRIED",
        f"{M}.substitution",
    ),
    "route not coded": (lambda m: dose(m).update(route={"text": "under the skin"}), "ROUTE_UNMAPPED", f"{D}.route"),
}


@pytest.mark.parametrize("case", FAULTS.values(), ids=FAULTS.keys())
def test_a_fault_is_named_with_its_fhirpath(case: tuple[Change, str, str]) -> None:
    change, code, location = case
    message = orders.message()
    change(message)
    found = reading(message)
    assert (code, location) in issues(found)
    assert found.unaccounted == ()


LINES_THAT_DIFFER: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "number": (lambda o: o["groupIdentifier"].update(value="C2782B-A99968-4E4E9Z"), "VALUE_INVALID"),
    "no number": (lambda o: o.pop("groupIdentifier"), "VALUE_INVALID"),
    "author": (lambda o: o.update(requester={"reference": orders.PERSON}), "PRESCRIBER_AMBIGUOUS"),
    "provider": (
        lambda o: o["dispenseRequest"].update(performer={"identifier": orders.ods("VNCEL")}),
        "PROVIDER_UNKNOWN",
    ),
    "type": (lambda o: o["extension"][0]["valueCoding"].update(code="1204"), "VALUE_INVALID"),
    "authored": (lambda o: o.update(authoredOn="2026-10-06T09:10:00+01:00"), "VALUE_INVALID"),
    "patient": (lambda o: o.update(subject={"reference": orders.ROLE}), "GROUP_PATIENT_MISMATCH"),
    "same item number": (
        lambda o: o["identifier"][0].update(value="d0c2f3a0-5d0b-4d6a-8a54-0f6f2d1b7101"),
        "IDENTIFIER_INVALID",
    ),
}


@pytest.mark.parametrize("case", LINES_THAT_DIFFER.values(), ids=LINES_THAT_DIFFER.keys())
def test_lines_of_one_prescription_must_agree(case: tuple[Change, str]) -> None:
    message = orders.two_lines()
    case[0](message["entry"][2]["resource"])
    assert case[1] in {code for code, _ in issues(reading(message))}


def test_words_for_another_patient_are_not_carried_but_the_list_of_this_one_is() -> None:
    message = orders.message()
    orders.resource(message, "CommunicationRequest")["recipient"][0]["identifier"]["value"] = "9990000085"
    prescription = reading(message).orders[0].prescription
    assert prescription is not None
    assert prescription.patient_information == ()
    assert prescription.medication_list == ("Folic acid 5mg tablets",)


def test_an_order_without_a_date_takes_the_time_of_its_signature() -> None:
    message = orders.message()
    order(message).pop("authoredOn")
    prescription = reading(message).orders[0].prescription
    assert prescription is not None
    assert prescription.authored == datetime(2026, 10, 5, 8, 10, tzinfo=UTC)
    message["entry"].pop()
    assert ("AUTHORED_MISSING", f"{M}.authoredOn") in issues(reading(message))


def test_a_contained_medication_is_the_product() -> None:
    message = orders.message()
    code = order(message).pop("medicationCodeableConcept")
    order(message)["contained"] = [{"resourceType": "Medication", "id": "m", "code": code}]
    order(message)["medicationReference"] = {"reference": "#m"}
    found = reading(message)
    assert issues(found) == set()
    assert found.orders[0].prescription is not None


def test_the_older_form_of_organisation_is_read_from_its_service() -> None:
    message = orders.message()
    role, trust = orders.resource(message, "PractitionerRole"), orders.resource(message, "Organization")
    trust.update(identifier=[orders.ods("RBA")], name="Example Trust")
    trust.pop("partOf")
    role["healthcareService"] = [{"reference": "urn:uuid:s"}]
    service = {"resourceType": "HealthcareService", "identifier": [orders.ods("RBA11")], "name": "Rheumatology"}
    message["entry"].append({"fullUrl": "urn:uuid:s", "resource": service})
    prescription = reading(message).orders[0].prescription
    assert prescription is not None
    organisation = prescription.prescriber.organisation
    assert organisation is not None
    assert (str(organisation.ods), str(organisation.trust)) == ("RBA11", "RBA")


def test_a_local_drug_code_is_read_by_the_trusts_own_entry_with_its_words() -> None:
    target = Coding(system="http://snomed.info/sct", code="15517911000001104", display="")
    entry = CodeEntry(kind="drug", code="MTX10", text="Methotrexate", system="urn:local", target=target)
    context = ReadingContext(
        trust=factories.trust(codes=(entry,)), reference=load_reference(), environment=Environment.TEST
    )
    message = orders.message()
    order(message)["medicationCodeableConcept"] = orders.concept("urn:local", "MTX10", "Methotrexate")
    assert reading(message, context).orders[0].prescription is not None
    order(message)["medicationCodeableConcept"]["coding"][0]["display"] = "Metoclopramide"
    assert "DRUG_LOCAL_UNMAPPED" in {code for code, _ in issues(reading(message, context))}


def test_a_test_message_never_enters_a_live_gateway() -> None:
    context = ReadingContext(trust=factories.trust(), reference=load_reference(), environment=Environment.LIVE)
    message = orders.message()
    message["meta"] = {"tag": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ActReason", "code": "HTEST"}]}
    assert ("ENVIRONMENT_WRONG", "Bundle.meta.tag") in issues(reading(message, context))


def test_a_bound_at_midnight_in_summer_is_that_day_in_london() -> None:
    message = orders.message()
    dose(message)["timing"]["repeat"]["boundsPeriod"] = {"start": "2026-10-18T23:00:00Z"}
    prescription = reading(message).orders[0].prescription
    assert prescription is not None
    timing = prescription.lines[0].dosages[0].timing
    assert timing is not None
    assert timing.bounds is not None
    assert timing.bounds.start == date(2026, 10, 19)


@pytest.mark.skipif(not SHARED.exists(), reason="the published examples are not beside this checkout")
def test_the_published_homecare_order_is_held_for_the_form_code_it_sends_as_a_unit() -> None:
    body = (SHARED / "clinical-practitioner/1-Process-Request-Send-200_OK.json").read_bytes()
    found = reading(body)
    assert {code for code, _ in issues(found)} == {
        "REFERENCE_INCOMPLETE",
        "RECIPIENT_MISMATCH",
        "UNIT_UNMAPPED",
        "DRUG_CODE_REPLACED",
        "DOSE_TEXT_ONLY",
    }
    assert found.unaccounted == ()
    entry = CodeEntry(kind="unit", code="385024007", target=Coding(system=UCUM, code="mL", display="millilitre"))
    context = ReadingContext(
        trust=factories.trust(codes=(entry,)), reference=load_reference(), environment=Environment.TEST
    )
    prescription = reading(body, context).orders[0].prescription
    assert prescription is not None
    assert len(prescription.lines) == 2
    assert len(prescription.medication_list) == 4


@pytest.mark.skipif(not SHARED.exists(), reason="the published examples are not beside this checkout")
def test_every_published_message_is_read_or_refused_and_accounted_for() -> None:
    for path in sorted(SHARED.parent.rglob("*.json")):
        try:
            found = reading(path.read_bytes())
        except Refusal:
            continue
        assert found.unaccounted == (), path.name


def _places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    below = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, member in below for place in _places(member, (*path, key)))]


PLACES = [place for place in _places(orders.message()) if place and place[0] != "identifier"]


@given(st.sampled_from(PLACES), st.sampled_from([None, "", "x", 0, -1, True, [], {}, {"a": 1}, "9" * 40]))
def test_a_changed_value_never_changes_the_prescription_in_silence(place: tuple[Any, ...], value: Any) -> None:
    message = orders.message()
    parent: Any = message
    for key in place[:-1]:
        parent = parent[key]
    parent[place[-1]] = value
    try:
        found = reading(message)
    except Refusal:
        return
    assert found.unaccounted == ()
    whole = (*found.issues, *(issue for order in found.orders for issue in order.issues))
    if refused(whole) or held(whole):
        return
    plain, prescription = reading(orders.message()).orders[0].prescription, found.orders[0].prescription
    assert prescription is not None
    kept = {*(row.raw for row in found.orders[0].trace), *(left.raw for left in found.leftovers)}
    assert prescription == plain or str(value) in kept
