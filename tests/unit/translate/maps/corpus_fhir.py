"""FHIR messages that between them show every row of its rules."""

import copy
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from gateway.domain.coding import SNOMED, UCUM, Coding
from gateway.domain.partner import CodeEntry
from gateway.domain.submission import Reading, WireFormat
from gateway.wire.strict_json import dumps
from tests.unit.translate.from_fhir import orders, uk_core_orders
from tests.unit.translate.maps.corpus import CONTEXT, read

_MG = Coding(system=UCUM, code="mg", display="milligram")
_QUANTITY = {"value": 10, "unit": "milligram", "system": UCUM, "code": "mg"}
_WEEK = {"value": 4, "unit": "week", "system": UCUM, "code": "wk"}
_PER = {"numerator": _QUANTITY, "denominator": _WEEK}
_DAILY = {"frequency": 1, "period": 1, "periodUnit": "d"}
_PERIOD = {"start": "2026-10-19", "end": "2027-04-05"}
_REPEATS: tuple[dict[str, Any], ...] = (
    {"frequency": 1, "frequencyMax": 2, "period": 1, "periodMax": 2, "periodUnit": "wk", "count": 6, "countMax": 8},
    {**_DAILY, "when": ["AC"], "offset": 30, "boundsDuration": _WEEK},
    {
        "frequency": 1,
        "period": 1,
        "periodUnit": "d",
        "timeOfDay": ["08:00:00"],
        "boundsRange": {"low": _WEEK, "high": _WEEK},
    },
    {
        "duration": 10,
        "durationMax": 20,
        "durationUnit": "min",
        "boundsPeriod": {"start": "2026-10-19", "end": "2027-04-05"},
    },
)
_DOSES: tuple[dict[str, Any], ...] = (
    {"doseRange": {"low": _QUANTITY, "high": _QUANTITY}, "rateQuantity": _QUANTITY, "type": {"text": "ordered"}},
    {"rateRange": {"low": _QUANTITY, "high": _QUANTITY}},
    {"doseQuantity": _QUANTITY, "rateRatio": {"numerator": _QUANTITY, "denominator": _QUANTITY}},
    {"doseQuantity": {"value": 10, "unit": "mg"}},
)


def _dosages() -> Iterator[dict[str, Any]]:
    common = {
        "sequence": 1,
        "text": "Inject as directed",
        "patientInstruction": "Rotate the site",
        "site": orders.concept(SNOMED, "818983003", "Abdomen"),
        "additionalInstruction": [orders.concept(SNOMED, "418577003", "Take at regular intervals")],
        "asNeededCodeableConcept": orders.concept(SNOMED, "22253000", "Pain"),
        "maxDosePerPeriod": _PER,
        "maxDosePerAdministration": _QUANTITY,
        "maxDosePerLifetime": _QUANTITY,
    }
    for repeat in _REPEATS:
        yield {**common, "timing": {"repeat": repeat, "code": {"text": "weekly"}}}
    for dose in _DOSES:
        yield {**common, "doseAndRate": [dose]}
    yield {"text": "As directed", "asNeededBoolean": True, "timing": {"event": ["2026-10-19"]}}


def _attached(found: dict[str, Any]) -> dict[str, Any]:
    """Put allergies and measurements beside the order, and more of everything into it."""
    about = {"reference": orders.PATIENT}
    resources = (
        {
            "resourceType": "AllergyIntolerance",
            "patient": about,
            "code": orders.concept(SNOMED, "91936005", "Allergy to penicillin"),
            "criticality": "high",
            "reaction": [{"manifestation": [orders.concept(SNOMED, "271807003", "Rash")]}],
        },
        {
            "resourceType": "Observation",
            "subject": about,
            "status": "final",
            "code": orders.concept(SNOMED, "27113001", "Body weight"),
            "valueQuantity": {"value": 72.5, "unit": "kilogram", "system": UCUM, "code": "kg"},
            "effectiveDateTime": "2026-10-01",
        },
        {
            "resourceType": "Observation",
            "subject": about,
            "status": "final",
            "code": orders.concept(SNOMED, "27113001", "Body weight"),
            "valueCodeableConcept": orders.concept(SNOMED, "260385009", "Negative"),
        },
    )
    for number, resource in enumerate(resources):
        url = f"urn:uuid:0b3b43f8-76d8-4ea5-9a52-6e0f3c1b01{number:02}"
        found["entry"].append({"fullUrl": url, "resource": resource})
    return found


def _richer(found: dict[str, Any]) -> dict[str, Any]:
    order, patient, role, place = (
        orders.resource(found, kind) for kind in ("MedicationRequest", "Patient", "PractitionerRole", "Organization")
    )
    order["id"] = "order-1"
    order["priority"] = "urgent"
    order["reasonCode"] = [orders.concept(SNOMED, "69896004", "Rheumatoid arthritis")]
    order["note"] = [{"text": "A note", "time": "2026-10-05T09:00:00Z"}]
    order["encounter"] = {"display": "Clinic"}
    order["statusReason"] = {"text": "none"}
    order["groupIdentifier"]["use"] = "usual"
    order["subject"]["display"] = order["requester"]["display"] = "somebody"
    order["substitution"]["reason"] = {"text": "as written"}
    order["identifier"].append(
        {"system": "https://example.test/Id/order", "value": "RX1", "assigner": {"identifier": orders.ods("RBA")}}
    )
    order["identifier"].append({"system": "https://example.test/Id/other", "value": "RX2"})
    order["courseOfTherapyType"]["coding"][0]["display"] = "Continuous"
    order["extension"][0]["valueCoding"]["display"] = "Outpatient"
    order["medicationCodeableConcept"]["coding"][0]["version"] = "2026"
    order["medicationCodeableConcept"]["coding"].append({"system": "https://example.test/drugs", "code": "MTX10"})
    order["dispenseRequest"] |= {
        "dispenseInterval": _WEEK,
        "initialFill": {"quantity": order["dispenseRequest"]["quantity"], "duration": _WEEK},
    }
    order["dispenseRequest"]["performer"]["display"] = "Example Homecare"
    nhs = orders.NHS + "StructureDefinition/Extension-DM-"
    order["extension"] += [
        {
            "url": f"{nhs}ControlledDrug",
            "extension": [
                {"url": "schedule", "valueCoding": {"system": "urn:x", "code": "CD4", "display": "Schedule 4"}},
                {"url": "quantityWords", "valueString": "four"},
            ],
        },
        {
            "url": f"{nhs}PrescriptionEndorsement",
            "valueCodeableConcept": orders.concept("urn:x", "CC", "Contraceptive"),
        },
        {"url": f"{nhs}ResponsiblePractitioner", "valueReference": {"reference": orders.ROLE}},
        {
            "url": "https://example.test/Extension-MedicationRepeatInformation",
            "extension": [{"url": "x", "valueString": "y"}],
        },
    ]
    patient["name"][0]["text"] = "Aoife TESTPATIENT"
    patient["telecom"] = [{"system": "phone", "value": "07700900123", "use": "mobile"}]
    patient["communication"] = [{"language": orders.concept("urn:ietf:bcp:47", "cy", "Welsh")}]
    verified = orders.concept("urn:x", "01", "Number present and verified")
    url = "https://fhir.hl7.org.uk/StructureDefinition/Extension-UKCore-NHSNumberVerificationStatus"
    patient["identifier"][0]["extension"] = [{"url": url, "valueCodeableConcept": verified}]
    patient["identifier"].append(
        {"system": "https://example.test/Id/mrn", "value": "HC1", "assigner": {"identifier": orders.ods("RBA")}}
    )
    role["specialty"] = [orders.concept(SNOMED, "394810000", "Rheumatology")]
    place["address"] = [{"line": ["1 Hospital Road"], "city": "Testville", "postalCode": "TA1 1AA"}]
    place["telecom"] = [{"system": "phone", "value": "01632960123"}]
    return found


def _fhir_messages() -> Iterator[dict[str, Any]]:
    yield orders.message()
    yield orders.two_lines()
    yield _attached(_richer(orders.message()))
    for kind in ("collection", "transaction"):
        yield uk_core_orders.collection(kind)
    yield uk_core_orders.single()
    for dosage in _dosages():
        found = orders.message()
        orders.resource(found, "MedicationRequest")["dosageInstruction"] = [dosage]
        yield found
    yield from _variations()


def _variations() -> Iterator[dict[str, Any]]:
    found = orders.message()
    del orders.resource(found, "MedicationRequest")["authoredOn"]
    yield found
    found = orders.message()
    group = orders.resource(found, "MedicationRequest")["groupIdentifier"]
    del group["extension"]
    yield found
    found = orders.message()
    order = orders.resource(found, "MedicationRequest")
    del order["dispenseRequest"]["numberOfRepeatsAllowed"], order["substitution"]
    del order["medicationCodeableConcept"]["coding"][0]["display"]
    yield found
    for found in (_richer(orders.message()), cancel()):
        role = orders.resource(found, "PractitionerRole")
        role["organization"] = {"identifier": orders.ods("RBA11"), "display": "Rheumatology"}
        yield found
    found = orders.message()
    words = orders.resource(found, "CommunicationRequest")
    words["recipient"][0]["identifier"]["value"] = "9990000352"
    yield found
    single = uk_core_orders.single()
    single["contained"][-1]["form"] = orders.concept(SNOMED, "385219001", "Solution for injection")
    del single["groupIdentifier"]
    yield single
    yield _older_place()
    yield _referred_provider()
    yield _parent_by_reference(_richer(orders.message()))
    yield _parent_by_reference(cancel())
    yield cancel()


def _older_place() -> dict[str, Any]:
    """Give an order whose site is a HealthcareService of its trust (eps.md 2.6)."""
    found = orders.message()
    service, location = (f"urn:uuid:0b3b43f8-76d8-4ea5-9a52-6e0f3c1b02{n:02}" for n in (1, 2))
    role, place = orders.resource(found, "PractitionerRole"), orders.resource(found, "Organization")
    role["healthcareService"] = [{"reference": service}]
    place["identifier"] = [orders.ods("RBA")]
    telecom = [{"system": "phone", "value": "01632960123", "use": "work"}]
    more = (
        (service, {
            "resourceType": "HealthcareService", "identifier": [orders.ods("RBA11")], "name": "Rheumatology",
            "location": [{"reference": location}], "telecom": telecom,
        }),
        (location, {"resourceType": "Location", "address": {"line": ["1 Hospital Road"], "postalCode": "TA1 1AA"}}),
    )  # fmt: skip
    found["entry"] += [{"fullUrl": url, "resource": resource} for url, resource in more]
    return found


def _referred_provider() -> dict[str, Any]:
    found = uk_core_orders.collection()
    url = "urn:uuid:0b3b43f8-76d8-4ea5-9a52-6e0f3c1b0301"
    found["entry"][0]["resource"]["dispenseRequest"]["performer"] = {"reference": url}
    provider = {"resourceType": "Organization", "identifier": [orders.ods("VNE51")], "name": "Example Homecare"}
    found["entry"].append({"fullUrl": url, "resource": provider})
    return found


def _parent_by_reference(found: dict[str, Any]) -> dict[str, Any]:
    url = "urn:uuid:0b3b43f8-76d8-4ea5-9a52-6e0f3c1b0401"
    orders.resource(found, "Organization")["partOf"] = {"reference": url}
    trust = {"resourceType": "Organization", "identifier": [orders.ods("RBA")], "name": "Example Trust"}
    found["entry"].append({"fullUrl": url, "resource": trust})
    return found


def cancel() -> dict[str, Any]:
    """Give a cancel of one line, with as much of who asks as can be said."""
    found = _richer(orders.message())
    found["entry"][0]["resource"]["eventCoding"]["code"] = "prescription-order-update"
    order = orders.resource(found, "MedicationRequest")
    order["status"] = "cancelled"
    reason = orders.concept("https://fhir.nhs.uk/CodeSystem/medicationrequest-status-reason", "0001")
    order["statusReason"] = {**reason, "text": "Written for another patient"}
    return found


def fhir() -> Iterator[Reading]:
    """Give every reading in FHIR."""
    trust = replace(
        CONTEXT.trust,
        local_id_systems={"RBA": "https://example.test/Id/mrn"},
        codes=(
            CodeEntry(kind="unit", code="PFS", system="urn:x", target=_MG),
            CodeEntry(kind="profession", code="GMC", target=Coding(system="x", code="1201", display="-")),
        ),
    )
    for found in _fhir_messages():
        yield read(WireFormat.FHIR, dumps(found))
    mapped = copy.deepcopy(orders.message())
    orders.resource(mapped, "MedicationRequest")["dispenseRequest"]["quantity"] = {
        "value": 4, "unit": "syringe", "system": "urn:x", "code": "PFS",
    }  # fmt: skip
    yield read(WireFormat.FHIR, dumps(mapped), replace(CONTEXT, trust=trust))
    for found in (uk_core_orders.single(), _richer(orders.message())):
        yield read(WireFormat.FHIR, dumps(found), replace(CONTEXT, trust=trust))
