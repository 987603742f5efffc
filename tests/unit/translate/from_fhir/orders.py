"""An EPS-shaped order of our own, as JSON values, to change one thing in."""

import copy
from typing import Any

NHS = "https://fhir.nhs.uk/"
MEDICATION = "urn:uuid:0b3b43f8-76d8-4ea5-9a52-6e0f3c1b0001"
PATIENT = "urn:uuid:0b3b43f8-76d8-4ea5-9a52-6e0f3c1b0002"
ROLE = "urn:uuid:0b3b43f8-76d8-4ea5-9a52-6e0f3c1b0003"
PERSON = "urn:uuid:0b3b43f8-76d8-4ea5-9a52-6e0f3c1b0004"
PLACE = "urn:uuid:0b3b43f8-76d8-4ea5-9a52-6e0f3c1b0005"
WORDS = "urn:uuid:0b3b43f8-76d8-4ea5-9a52-6e0f3c1b0006"
LIST = "urn:uuid:0b3b43f8-76d8-4ea5-9a52-6e0f3c1b0007"
PROOF = "urn:uuid:0b3b43f8-76d8-4ea5-9a52-6e0f3c1b0008"
HEADER = "urn:uuid:0b3b43f8-76d8-4ea5-9a52-6e0f3c1b0009"
SECOND = "urn:uuid:0b3b43f8-76d8-4ea5-9a52-6e0f3c1b0010"


def ods(code: str) -> dict[str, Any]:
    return {"system": f"{NHS}Id/ods-organization-code", "value": code}


def concept(system: str, code: str, display: str = "") -> dict[str, Any]:
    return {"coding": [{"system": system, "code": code} | ({"display": display} if display else {})]}


def medication_request() -> dict[str, Any]:
    return {
        "resourceType": "MedicationRequest",
        "extension": [
            {
                "url": f"{NHS}StructureDefinition/Extension-DM-PrescriptionType",
                "valueCoding": {"system": f"{NHS}CodeSystem/prescription-type", "code": "1201"},
            }
        ],
        "identifier": [
            {
                "system": f"{NHS}Id/prescription-order-item-number",
                "value": "d0c2f3a0-5d0b-4d6a-8a54-0f6f2d1b7101",
            }
        ],
        "status": "active",
        "intent": "order",
        "category": [
            concept("http://terminology.hl7.org/CodeSystem/medicationrequest-category", "outpatient", "Outpatient")
        ],
        "medicationCodeableConcept": concept(
            "http://snomed.info/sct",
            "15517911000001104",
            "Methotrexate 10mg/0.2ml solution for injection pre-filled syringes",
        ),
        "subject": {"reference": PATIENT},
        "authoredOn": "2026-10-05T09:10:00+01:00",
        "requester": {"reference": ROLE},
        "groupIdentifier": {
            "extension": [
                {
                    "url": f"{NHS}StructureDefinition/Extension-DM-PrescriptionId",
                    "valueIdentifier": {
                        "system": f"{NHS}Id/prescription",
                        "value": "2c9f2f3e-5d0b-4d6a-8a54-0f6f2d1b7100",
                    },
                }
            ],
            "system": f"{NHS}Id/prescription-order-number",
            "value": "A0548B-A99968-451485",
        },
        "courseOfTherapyType": concept(
            "http://terminology.hl7.org/CodeSystem/medicationrequest-course-of-therapy", "continuous"
        ),
        "dosageInstruction": [
            {
                "text": "Inject 10mg ONCE a WEEK on a Monday",
                "timing": {"repeat": {"frequency": 1, "period": 1, "periodUnit": "wk", "dayOfWeek": ["mon"]}},
                "route": concept("http://snomed.info/sct", "34206005", "Subcutaneous route"),
                "method": concept("http://snomed.info/sct", "422145002", "Inject"),
                "doseAndRate": [
                    {
                        "doseQuantity": {
                            "value": 10,
                            "unit": "milligram",
                            "system": "http://unitsofmeasure.org",
                            "code": "mg",
                        }
                    }
                ],
            }
        ],
        "dispenseRequest": {
            "extension": [
                {
                    "url": f"{NHS}StructureDefinition/Extension-DM-PerformerSiteType",
                    "valueCoding": {"system": f"{NHS}CodeSystem/dispensing-site-preference", "code": "P1"},
                }
            ],
            "validityPeriod": {"start": "2026-10-05", "end": "2027-04-05"},
            "numberOfRepeatsAllowed": 5,
            "quantity": {
                "value": 4,
                "unit": "pre-filled disposable injection",
                "system": "http://snomed.info/sct",
                "code": "3318611000001103",
            },
            "expectedSupplyDuration": {
                "value": 28,
                "unit": "day",
                "system": "http://unitsofmeasure.org",
                "code": "d",
            },
            "performer": {"identifier": ods("VNE51")},
        },
        "substitution": {"allowedBoolean": False},
    }


def _people() -> dict[str, dict[str, Any]]:
    return {
        PATIENT: {
            "resourceType": "Patient",
            "identifier": [{"system": f"{NHS}Id/nhs-number", "value": "9990000077"}],
            "name": [{"use": "usual", "family": "TESTPATIENT", "given": ["Aoife", "Mary"], "prefix": ["MS"]}],
            "gender": "female",
            "birthDate": "1979-04-12",
            "address": [{"use": "home", "line": ["1 Example Street", "Testville"], "postalCode": "TA1 1AA"}],
            "generalPractitioner": [{"identifier": ods("B81001")}],
        },
        ROLE: {
            "resourceType": "PractitionerRole",
            "identifier": [{"system": f"{NHS}Id/sds-role-profile-id", "value": "100102238986"}],
            "practitioner": {"reference": PERSON},
            "organization": {"reference": PLACE},
            "code": [concept(f"{NHS}CodeSystem/NHSDigital-SDS-JobRoleCode", "S8000:G8000:R8000")],
            "telecom": [{"system": "phone", "value": "01632960123", "use": "work"}],
        },
        PERSON: {
            "resourceType": "Practitioner",
            "identifier": [{"system": "https://fhir.hl7.org.uk/Id/gmc-number", "value": "C9999991"}],
            "name": [{"family": "PRESCRIBER", "given": ["Casey"], "prefix": ["DR"]}],
        },
        PLACE: {
            "resourceType": "Organization",
            "identifier": [ods("RBA11")],
            "name": "Rheumatology",
            "partOf": {"identifier": ods("RBA"), "display": "Example Trust"},
        },
    }


def _attached() -> dict[str, dict[str, Any]]:
    return {
        WORDS: {
            "resourceType": "CommunicationRequest",
            "status": "unknown",
            "subject": {"reference": PATIENT},
            "payload": [{"contentString": "Blood test is due"}, {"contentReference": {"reference": LIST}}],
            "recipient": [{"identifier": {"system": f"{NHS}Id/nhs-number", "value": "9990000077"}}],
        },
        LIST: {
            "resourceType": "List",
            "status": "current",
            "mode": "snapshot",
            "subject": {"reference": PATIENT},
            "entry": [{"item": {"display": "Folic acid 5mg tablets"}}],
        },
        PROOF: {
            "resourceType": "Provenance",
            "target": [{"reference": MEDICATION}],
            "recorded": "2026-10-05T08:10:00Z",
            "agent": [{"who": {"reference": ROLE}}],
            "signature": [
                {
                    "type": [{"system": "urn:iso-astm:E1762-95:2013", "code": "1.2.840.10065.1.12.1.1"}],
                    "when": "2026-10-05T08:10:00Z",
                    "who": {"reference": ROLE},
                    "data": "PFNpZ25hdHVyZS8+",
                }
            ],
        },
    }


def message() -> dict[str, Any]:
    header = {
        "resourceType": "MessageHeader",
        "eventCoding": {"system": f"{NHS}CodeSystem/message-event", "code": "prescription-order"},
        "sender": {"identifier": ods("RBA"), "reference": ROLE},
        "source": {"endpoint": "https://example.test/epma"},
        "focus": [{"reference": MEDICATION}],
    }
    resources = {HEADER: header, MEDICATION: medication_request(), **_people(), **_attached()}
    return {
        "resourceType": "Bundle",
        "identifier": {
            "system": "https://tools.ietf.org/html/rfc4122",
            "value": "4bbc97c0-f16d-4d82-85c8-c3cc62f80001",
        },
        "type": "message",
        "entry": [{"fullUrl": url, "resource": resource} for url, resource in resources.items()],
    }


def unsigned() -> dict[str, Any]:
    """Leave the signature out: the one in `message` is for readers alone, and any check of it fails."""
    found = message()
    found["entry"] = [entry for entry in found["entry"] if "signature" not in entry["resource"]]
    return found


def two_lines() -> dict[str, Any]:
    found = message()
    second = copy.deepcopy(found["entry"][1])
    second["fullUrl"] = SECOND
    second["resource"]["identifier"][0]["value"] = "d0c2f3a0-5d0b-4d6a-8a54-0f6f2d1b7102"
    found["entry"].insert(2, second)
    found["entry"][0]["resource"]["focus"].append({"reference": SECOND})
    found["entry"][-1]["resource"]["target"].append({"reference": SECOND})
    return found


def resource(found: dict[str, Any], kind: str) -> dict[str, Any]:
    return next(entry["resource"] for entry in found["entry"] if entry["resource"]["resourceType"] == kind)
