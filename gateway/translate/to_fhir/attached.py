"""What travels beside the orders: allergies, measurements, words for the patient, the list of repeat medicines.

"No known allergy" is written only where the sender said so.

Source: mapping.md 3.4 (AL1, OBX), 3.6; eps.md 2.12.
"""

from gateway.domain.coding import SNOMED
from gateway.domain.prescription import Allergy, AllergyStatus, Observation, Prescription
from gateway.domain.quantity import Quantity
from gateway.translate.to_fhir import systems
from gateway.translate.to_fhir.datatypes import concept, day, fixed, quantity, reference
from gateway.translate.to_fhir.leaves import Element, Leaf, Node, constant, rule
from gateway.translate.to_fhir.people import IdOf, Resource

_ACTIVE = fixed(systems.ALLERGY_CLINICAL, "active", "Active", "allergy-active")
_LIST_CODE = {"text": constant("Repeat Medications", "list-code")}


def allergies(value: Prescription, id_of: IdOf) -> list[Resource]:
    """Write what is known of allergies."""
    patient = reference(id_of("patient"))
    if value.allergy_status is AllergyStatus.NONE_KNOWN and not value.allergies:
        return [(id_of("allergy.none"), _none_known(patient))]
    return [
        (id_of(f"allergies[{index}]"), _allergy(allergy, f"allergies[{index}]", patient))
        for index, allergy in enumerate(value.allergies)
    ]


def _none_known(patient: Element) -> dict[str, Node]:
    at = "allergy_status"
    known: Element = {"system": (SNOMED, at), "code": ("716186003", at), "display": ("No known allergy", at)}
    return {
        "resourceType": constant("AllergyIntolerance", "resource-type"),
        "clinicalStatus": _ACTIVE,
        "code": {"coding": [known]},
        "patient": patient,
    }


def _allergy(value: Allergy, at: str, patient: Element) -> dict[str, Node]:
    return {
        "resourceType": constant("AllergyIntolerance", "resource-type"),
        "clinicalStatus": _ACTIVE,
        "criticality": (value.criticality, f"{at}.criticality"),
        "code": concept(value.substance, f"{at}.substance"),
        "patient": patient,
        "reaction": [{"manifestation": [concept(value.reaction, f"{at}.reaction")]}],
    }


def observations(value: Prescription, id_of: IdOf) -> list[Resource]:
    """Write the measurements that came with the prescription."""
    patient = reference(id_of("patient"))
    return [
        (id_of(f"observations[{index}]"), _observation(observation, f"observations[{index}]", patient))
        for index, observation in enumerate(value.observations)
    ]


def _observation(value: Observation, at: str, patient: Element) -> dict[str, Node]:
    return {
        "resourceType": constant("Observation", "resource-type"),
        "status": rule("final", "default.final") if value.status == "final" else (value.status, f"{at}.status"),
        "code": concept(value.code, f"{at}.code"),
        "subject": patient,
        "effectiveDateTime": day(value.on, f"{at}.on"),
        "valueQuantity": quantity(value.value, f"{at}.value") if isinstance(value.value, Quantity) else None,
        "valueCodeableConcept": None if isinstance(value.value, Quantity) else concept(value.value, f"{at}.value"),
    }


def communication(value: Prescription, sender: Leaf, id_of: IdOf) -> list[Resource]:
    """Write the words for the patient and the patient's list of medicines, if there are any.

    The recipient is always this prescription's own patient; published examples name others (eps.md 2.12).
    """
    if not value.patient_information and not value.medication_list:
        return []
    request = id_of("communication"), _request(value, sender, id_of)
    return [request, (id_of("list"), _list(value, id_of))] if value.medication_list else [request]


def _request(value: Prescription, sender: Leaf, id_of: IdOf) -> dict[str, Node]:
    payload: list[Node] = [
        {"contentString": (words, f"patient_information[{index}]")}
        for index, words in enumerate(value.patient_information)
    ]
    if value.medication_list:
        payload.append({"contentReference": reference(id_of("list"))})
    recipient: Element = {
        "type": constant("Patient", "recipient-type"),
        "identifier": {
            "system": constant(systems.NHS_NUMBER, "nhs-number-system"),
            "value": (value.patient.nhs_number.value, "patient.nhs_number"),
        },
    }
    return {
        "resourceType": constant("CommunicationRequest", "resource-type"),
        "status": constant("unknown", "communication-status"),
        "subject": reference(id_of("patient")),
        "payload": payload,
        "requester": {
            "type": constant("Organization", "recipient-type"),
            "identifier": {"system": constant(systems.ODS, "ods-system"), "value": sender},
        },
        "recipient": [recipient],
    }


def _list(value: Prescription, id_of: IdOf) -> dict[str, Node]:
    return {
        "resourceType": constant("List", "resource-type"),
        "status": constant("current", "list-status"),
        "mode": constant("snapshot", "list-mode"),
        "code": {**_LIST_CODE},
        "subject": reference(id_of("patient")),
        "entry": [
            {"item": {"display": (name, f"medication_list[{index}]")}}
            for index, name in enumerate(value.medication_list)
        ],
    }
