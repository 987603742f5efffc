"""The envelope `Task`: the service around the medicine, outside what the prescriber signs.

Each fact is one `input` whose type is a code of our own system, `urn:x-homecare-gateway:task-input:1`; the code is the
name of the canonical field.

Source: mapping.md 0.10, 3.6.
"""

from uuid import UUID

from gateway.domain.identifiers import OdsCode
from gateway.domain.prescription import AllergyStatus, Delivery, Homecare, Prescription
from gateway.translate.to_fhir import systems
from gateway.translate.to_fhir.datatypes import (
    address,
    concept,
    day,
    duration,
    fixed,
    ods,
    reference,
)
from gateway.translate.to_fhir.leaves import Element, Leaf, Node, constant
from gateway.translate.to_fhir.people import IdOf, Resource

_FULFIL = fixed(systems.TASK_CODE, "fulfill", "Fulfill the focal request", "task-code")


def task(
    value: Prescription, *, provider: OdsCode, owner: Element, sender: Leaf, received: Leaf, release: Leaf, id_of: IdOf
) -> Resource:
    """Write the Task.

    Args:
        value: the prescription.
        provider: the ODS code of the provider the message goes to.
        owner: that provider, as a reference.
        sender: the ODS code of the trust that sent it.
        received: when the gateway received it.
        release: the reference data in force.
        id_of: gives an entry's id from its name.
    """
    return id_of("task"), {
        "resourceType": constant("Task", "resource-type"),
        "groupIdentifier": {
            "system": constant(systems.ORDER_NUMBER, "number-system"),
            "value": (value.number.value, "number"),
        },
        "status": constant("requested", "task-status"),
        "intent": constant("order", "task-intent"),
        "code": _FULFIL,
        "focus": {
            "identifier": {
                "system": constant(systems.ORDER_NUMBER, "number-system"),
                "value": (value.number.value, "number"),
            }
        },
        "for": reference(id_of("patient")),
        "authoredOn": received,
        "requester": {"identifier": {"system": constant(systems.ODS, "ods-system"), "value": sender}},
        "owner": owner,
        "note": [{"text": (note, f"notes[{index}]")} for index, note in enumerate(value.notes)],
        "input": [
            *_prescription_facts(value),
            _fact("reference-release", "valueString", release),
            *_service_facts(value.homecare, provider),
            *_delivery_facts(value.homecare.delivery, "homecare.delivery"),
        ],
    }


def _fact(code: str, kind: str, value: Node) -> Element:
    """Write one input; nothing where the fact was not said."""
    if value is None or (isinstance(value, tuple) and value[0] in {None, ""}):
        return None
    return {"type": fixed(systems.ENVELOPE_FACT, code, "", "task-input"), kind: value}


def _prescription_facts(value: Prescription) -> list[Node]:
    status = value.allergy_status
    stated = "" if status is AllergyStatus.NOT_STATED else status.value
    return [
        _fact("group-number", "valueString", (value.group_number, "group_number")),
        _fact("stated-age", "valueString", (value.patient.stated_age, "patient.stated_age")),
        _fact("allergy-status", "valueCode", (stated, "allergy_status")),
        _fact("replaces", "valueIdentifier", _long_form(value.replaces)),
    ]


def _long_form(prescription: UUID | None) -> Element:
    if prescription is None:
        return None
    return {"system": constant(systems.LONG_FORM, "long-form"), "value": (str(prescription), "replaces")}


def _service_facts(value: Homecare, provider: OdsCode) -> list[Node]:
    at = "homecare"
    named = value.provider if value.provider != provider else None
    other_name = value.provider_name if value.provider != provider else ""
    return [
        _fact("named-provider", "valueIdentifier", ods(named, f"{at}.provider")),
        _fact("named-provider-name", "valueString", (other_name, f"{at}.provider_name")),
        *(
            _fact("backup-provider", "valueIdentifier", ods(backup, f"{at}.backups[{index}]"))
            for index, backup in enumerate(value.backups)
        ),
        _fact("kind", "valueCode", (value.kind, f"{at}.kind")),
        _fact("tier", "valueCode", (value.tier, f"{at}.tier")),
        _fact("registration", "valueString", (value.registration, f"{at}.registration")),
        _fact("purchase-order", "valueString", (value.purchase_order, f"{at}.purchase_order")),
        _fact("purchase-order-line", "valuePositiveInt", (value.purchase_order_line, f"{at}.purchase_order_line")),
        _fact("funding", "valueCode", (value.funding, f"{at}.funding")),
        _fact("funding-contract", "valueString", (value.funding_contract, f"{at}.funding_contract")),
        _fact("funding-approval", "valueString", (value.funding_approval, f"{at}.funding_approval")),
        *_ancillaries(value),
        _fact("nurse-service", "valueCode", (value.nurse_service, f"{at}.nurse_service")),
        _fact("nurse-visits", "valuePositiveInt", (value.nurse_visits, f"{at}.nurse_visits")),
        _fact("consent-given", "valueBoolean", (value.consent_given, f"{at}.consent_given")),
        _fact("consent-on", "valueDate", day(value.consent_on, f"{at}.consent_on")),
        _fact("stock-held-days", "valueUnsignedInt", (value.stock_held_days, f"{at}.stock_held_days")),
        _fact("stock-as-at", "valueDate", day(value.stock_as_at, f"{at}.stock_as_at")),
    ]


def _ancillaries(value: Homecare) -> list[Node]:
    written: list[Node] = []
    for index, ancillary in enumerate(value.ancillaries):
        at = f"homecare.ancillaries[{index}]"
        fact = _fact("ancillary", "valueCodeableConcept", concept(ancillary.item, f"{at}.item"))
        written.append({"extension": [_count(ancillary.quantity, f"{at}.quantity")], **(fact or {})})
    return written


def _count(number: int | None, at: str) -> Element:
    if number is None:
        return None
    return {"url": constant(systems.COUNT_EXTENSION, "input-count"), "valuePositiveInt": (number, at)}


def _delivery_facts(value: Delivery | None, at: str) -> list[Node]:
    if value is None:
        return []
    return [
        _fact("first-required-by", "valueDate", day(value.first_required_by, f"{at}.first_required_by")),
        _fact("delivery-frequency", "valueDuration", duration(value.frequency, f"{at}.frequency")),
        _fact("delivery-total", "valuePositiveInt", (value.total, f"{at}.total")),
        _fact("delivery-place", "valueCode", (value.place, f"{at}.place")),
        _fact("delivery-address", "valueAddress", address(value.address, f"{at}.address")),
        _fact("cold-chain", "valueBoolean", (value.cold_chain, f"{at}.cold_chain")),
        _fact("contact-before", "valueBoolean", (value.contact_before, f"{at}.contact_before")),
    ]
