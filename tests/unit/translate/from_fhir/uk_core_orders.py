"""UK Core orders of our own: a collection, and one MedicationRequest with what it contains."""

import copy
from typing import Any

from tests.unit.translate.from_fhir import orders

LOCAL = "https://example.test/Id/order"


def order() -> dict[str, Any]:
    """One MedicationRequest as UK Core shapes it: no EPS extension, numbers of the trust's own."""
    found = orders.medication_request()
    for member in ("extension", "courseOfTherapyType", "category"):
        del found[member]
    del found["dispenseRequest"]["extension"]
    found["identifier"] = [{"system": LOCAL, "value": "RX9001"}]
    found["groupIdentifier"] = {"system": f"{LOCAL}-group", "value": "GRP9001"}
    return found


def collection(kind: str = "collection") -> dict[str, Any]:
    """A Bundle without a MessageHeader."""
    found = orders.message()
    people = {"Patient", "PractitionerRole", "Practitioner", "Organization"}
    entries = [entry for entry in found["entry"] if entry["resource"]["resourceType"] in people]
    found["entry"] = [{"fullUrl": orders.MEDICATION, "resource": order()}, *entries]
    found["type"] = kind
    if kind == "transaction":
        for entry in found["entry"]:
            entry["request"] = {"method": "POST", "url": entry["resource"]["resourceType"]}
    return found


def single() -> dict[str, Any]:
    """One order that contains everything it refers to."""
    found = order()
    names = {
        "Patient": "pat",
        "PractitionerRole": "role",
        "Practitioner": "person",
        "Organization": "place",
    }
    bundle = collection()
    contained = [copy.deepcopy(orders.resource(bundle, kind)) | {"id": name} for kind, name in names.items()]
    contained[1]["practitioner"] = {"reference": "#person"}
    contained[1]["organization"] = {"reference": "#place"}
    contained.append({"resourceType": "Medication", "id": "drug", "code": found.pop("medicationCodeableConcept")})
    return found | {
        "contained": contained,
        "subject": {"reference": "#pat"},
        "requester": {"reference": "#role"},
        "medicationReference": {"reference": "#drug"},
    }
