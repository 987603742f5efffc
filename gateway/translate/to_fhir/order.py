"""`MedicationRequest`: one for each line.

Source: eps.md 2.3, 2.7, 2.9 to 2.11; mapping.md 3.4, 3.6, 8.5.
"""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from gateway.domain.coding import SNOMED
from gateway.domain.identifiers import OdsCode
from gateway.domain.prescription import ControlledSchedule, CourseOfTherapy, FirstSupply, Line, Prescription, TimeUnit
from gateway.translate.to_fhir import systems
from gateway.translate.to_fhir.datatypes import (
    assigner,
    concept,
    concepts,
    day,
    duration,
    fixed,
    instant,
    local_identifier,
    reference,
    supplied,
    time_quantity,
    urn,
)
from gateway.translate.to_fhir.dosage import instructions
from gateway.translate.to_fhir.leaves import Element, Fixed, Leaf, Node, constant, rule
from gateway.translate.to_fhir.people import IdOf, Resource, role_id

_CATEGORY = Fixed([fixed(systems.CATEGORY, "outpatient", "Outpatient", "category")])
_SITE = Fixed(
    {
        "url": constant(systems.SITE_TYPE_EXTENSION, "site-type"),
        "valueCoding": {
            "system": constant(systems.SITE_PREFERENCE, "site-type"),
            "code": constant("P1", "site-type"),
        },
    }
)


def medication_requests(
    value: Prescription, performer: Element, provider: OdsCode, id_of: IdOf, *, status: str = "active"
) -> list[Resource]:
    """Write every line.

    Args:
        value: the prescription.
        performer: the provider it is addressed to, as a reference.
        provider: its ODS code, which gives a provider's own order number its assigner.
        id_of: gives an entry's id from its name.
        status: what each line is to be; FHIR R4 medicationrequest-status.
    """
    shared = {**_shared(value, id_of), "performer": performer, "filler": _filler(provider)}
    shared["status"] = constant(status, "status")
    return [
        (str(line.id), _medication_request(line, f"lines[{index}]", value, shared))
        for index, line in enumerate(value.lines)
    ]


def _shared(value: Prescription, id_of: IdOf) -> dict[str, Node]:
    """Write what EPS wants identical on every line of a prescription (eps.md 5.3)."""
    return {
        "subject": reference(id_of("patient")),
        "authoredOn": (instant(value.authored), "authored"),
        "requester": reference(role_id(id_of, "prescriber")),
        "groupIdentifier": _group(value),
        "courseOfTherapyType": _course(value.course),
        "type": _prescription_type(value.type_code),
        "responsible": _responsible(role_id(id_of, "responsible_consultant")) if value.responsible_consultant else None,
    }


def _medication_request(line: Line, at: str, value: Prescription, shared: dict[str, Node]) -> dict[str, Node]:
    return {
        "resourceType": constant("MedicationRequest", "resource-type"),
        "extension": [
            shared["type"],
            shared["responsible"],
            _controlled(line, at),
            *(
                {"url": constant(systems.ENDORSEMENT_EXTENSION, "endorsement"), "valueCodeableConcept": endorsement}
                for endorsement in concepts(line.endorsements, f"{at}.endorsements")
            ),
        ],
        "identifier": _identifiers(line, at, shared["filler"]),
        "status": shared["status"],
        "statusReason": concept(line.status_reason, f"{at}.status_reason"),
        "intent": _intent(value.course),
        "category": _CATEGORY,
        "priority": (line.priority, f"{at}.priority"),
        "medicationCodeableConcept": _product(line, f"{at}.product"),
        "subject": shared["subject"],
        "authoredOn": shared["authoredOn"],
        "requester": shared["requester"],
        "reasonCode": concepts(line.reasons, f"{at}.reasons"),
        "groupIdentifier": shared["groupIdentifier"],
        "courseOfTherapyType": shared["courseOfTherapyType"],
        "note": _note(line.notes, f"{at}.notes"),
        "dosageInstruction": instructions(line, at),
        "dispenseRequest": _dispense_request(line, at, value, shared["performer"]),
        "substitution": _substitution(line, at),
        "priorPrescription": _prior(line.prior, f"{at}.prior"),
    }


def _filler(provider: OdsCode) -> Element:
    return {
        "identifier": {
            "system": constant(systems.ODS, "ods-system"),
            "value": rule(provider.value, "destination"),
        }
    }


def _identifiers(line: Line, at: str, filler: Node) -> list[Node]:
    placed_by = assigner(line.order_assigner, f"{at}.order_assigner") if line.order_assigner else None
    return [
        {"system": constant(systems.ITEM_NUMBER, "item-system"), "value": (str(line.id), f"{at}.id")},
        local_identifier("PLAC", (line.order_number, f"{at}.order_number"), placed_by),
        local_identifier("FILL", (line.provider_order_number, f"{at}.provider_order_number"), filler),
    ]


def _group(value: Prescription) -> Element:
    long_form: Element = {
        "url": constant(systems.PRESCRIPTION_ID_EXTENSION, "long-form"),
        "valueIdentifier": {"system": constant(systems.LONG_FORM, "long-form"), "value": (str(value.id), "id")},
    }
    return {
        "extension": [long_form],
        "system": constant(systems.ORDER_NUMBER, "number-system"),
        "value": (value.number.value, "number"),
    }


def _course(course: CourseOfTherapy) -> Element:
    system, display = systems.COURSE[course]
    return {
        "coding": [{"system": (system, "course"), "code": (course.value, "course"), "display": (display, "course")}]
    }


def _intent(course: CourseOfTherapy) -> Leaf:
    """Write `original-order` for repeat dispensing, else `order` (mapping.md 3.6)."""
    return ("original-order" if course is CourseOfTherapy.REPEAT_DISPENSING else "order", "course")


def _prescription_type(code: str) -> Element:
    return {
        "url": constant(systems.PRESCRIPTION_TYPE_EXTENSION, "prescription-type"),
        "valueCoding": {
            "system": constant(systems.PRESCRIPTION_TYPE, "prescription-type"),
            "code": (code, "type_code"),
            "display": (systems.TYPE_DISPLAY.get(code), "type_code"),
        },
    }


def _responsible(role: str) -> Element:
    return {
        "url": constant(systems.RESPONSIBLE_EXTENSION, "responsible"),
        "valueReference": {"reference": rule(urn(role), "reference")},
    }


def _controlled(line: Line, at: str) -> Element:
    if line.schedule is None and not line.quantity_in_words:
        return None
    return {
        "extension": [_quantity_in_words(line.quantity_in_words, at), _schedule(line.schedule, f"{at}.schedule")],
        "url": constant(systems.CONTROLLED_EXTENSION, "controlled"),
    }


def _quantity_in_words(words: str, at: str) -> Element:
    if not words:
        return None
    return {"url": constant("quantityWords", "controlled"), "valueString": (words, f"{at}.quantity_in_words")}


def _schedule(schedule: ControlledSchedule | None, at: str) -> Element:
    if schedule is None:
        return None
    coded: Element = {
        "system": constant(systems.CONTROLLED_DRUG, "controlled"),
        "code": (schedule.value, at),
        "display": (f"Schedule {schedule.value[2:]}", at),
    }
    return {"url": constant("schedule", "controlled"), "valueCoding": coded}


def _product(line: Line, at: str) -> Element:
    coded: Element = {
        "system": constant(SNOMED, "dmd-system"),
        "code": (line.product.code.value, f"{at}.code"),
        "display": (line.product.display, f"{at}.display"),
    }
    return {"coding": [coded]}


def _note(notes: Sequence[str], at: str) -> list[Node]:
    """Write one annotation: EPS allows at most one for each line (eps.md 2.3)."""
    return [{"text": ("\n".join(notes), tuple(f"{at}[{index}]" for index in range(len(notes))))}]


def _dispense_request(line: Line, at: str, value: Prescription, performer: Node) -> Element:
    return {
        "extension": [_SITE],
        "initialFill": _first_supply(line.first_supply, f"{at}.first_supply"),
        "dispenseInterval": duration(line.interval, f"{at}.interval"),
        "validityPeriod": _validity(value.valid_from, value.valid_to),
        "numberOfRepeatsAllowed": (line.total_supplies - 1, _repeats_origin(line, at)),
        "quantity": supplied(line.quantity, f"{at}.quantity"),
        "expectedSupplyDuration": _supply_days(line.days_per_supply, f"{at}.days_per_supply"),
        "performer": performer,
    }


def _repeats_origin(line: Line, at: str) -> str:
    """Name where the count comes from: one supply is also what a prescription that says nothing allows."""
    return f"{at}.total_supplies" if line.total_supplies > 1 else "rule:default.one-supply"


def _first_supply(value: FirstSupply | None, at: str) -> Element:
    if value is None:
        return None
    return {"quantity": supplied(value.quantity, f"{at}.quantity"), "duration": duration(value.lasts, f"{at}.lasts")}


def _validity(start: date | None, end: date | None) -> Element:
    return {"start": day(start, "valid_from"), "end": day(end, "valid_to")}


def _supply_days(days: int | None, at: str) -> Element:
    return None if days is None else time_quantity(days, TimeUnit.DAY, at, at)


def _substitution(line: Line, at: str) -> Element:
    """Write that nothing may be substituted unless the trust's contract says otherwise; and whether by brand."""
    allowed = line.substitution_allowed
    by_brand = line.product.brand_required
    return {
        "allowedBoolean": (True, f"{at}.substitution_allowed") if allowed else rule(False, "default.no-substitution"),  # noqa: FBT003 - a value, not a switch
        "reason": {"text": ("Prescribed by brand", f"{at}.product.brand_required")} if by_brand else None,
    }


def _prior(line: UUID | None, at: str) -> Element:
    if line is None:
        return None
    return {"identifier": {"system": constant(systems.ITEM_NUMBER, "item-system"), "value": (str(line), at)}}
