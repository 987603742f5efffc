"""A supply that was reported in another format, as FHIR: MedicationDispense within a collection.

What is written is what was reported, with the numbers of the item it was reported for; nothing of the order is
repeated.

Source: mapping.md 9.3; eps.md 6.2; FHIR R4 MedicationDispense.
"""

from dataclasses import dataclass

from gateway.domain.acknowledgement import LineReport
from gateway.domain.coding import SNOMED, dmd_unit
from gateway.domain.identifiers import OdsCode, derived_id
from gateway.domain.lifecycle import LineEvent
from gateway.domain.prescription import Line, Prescription
from gateway.translate.to_fhir import systems
from gateway.wire.strict_json import JSON

DISPENSE_TYPE = "https://fhir.nhs.uk/CodeSystem/medicationdispense-type"
DISPENSE_NUMBER = "https://fhir.nhs.uk/Id/prescription-dispense-item-number"
_FULL = ("0001", "Item fully dispensed")
_TYPES = {
    LineEvent.SUPPLY_SHORT: ("0003", "Item dispensed - partial"),
    LineEvent.DISPENSED: _FULL,
    LineEvent.DISPATCHED: _FULL,
    LineEvent.DELIVERED: _FULL,
    LineEvent.BALANCE_SUPPLIED: _FULL,
    LineEvent.NOT_SUPPLIED: ("0002", "Item not dispensed"),
}
"""The item's status, as the provider reported it (eps.md 6.2)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dispense:
    """One reported supply.

    Attributes:
        name: the provider's own name for it; a repeat gets the same id.
    """

    name: str
    provider: OdsCode
    prescription: Prescription
    line: Line
    report: LineReport


def is_supply(event: LineEvent) -> bool:
    """Tell whether an event is written as a dispense: a supply, or the word that there is none."""
    return event in _TYPES


def write_dispenses(dispenses: tuple[Dispense, ...]) -> JSON:
    """Write supplies as a Bundle of type collection.

    Raises:
        KeyError: an event that is no supply; the caller's mistake.
    """
    return {
        "resourceType": "Bundle",
        "type": "collection",
        "entry": [{"fullUrl": f"urn:uuid:{_id(each)}", "resource": _resource(each)} for each in dispenses],
    }


def _id(dispense: Dispense) -> str:
    return str(derived_id("dispense", dispense.provider.value, dispense.name))


def _resource(dispense: Dispense) -> JSON:
    report, line = dispense.report, dispense.line
    none = report.event is LineEvent.NOT_SUPPLIED
    written: dict[str, JSON] = {
        "resourceType": "MedicationDispense",
        "id": _id(dispense),
        "identifier": [{"system": DISPENSE_NUMBER, "value": _id(dispense)}],
        "status": "declined" if none else "completed",
        "type": _coded(DISPENSE_TYPE, *_TYPES[report.event]),
        "medicationCodeableConcept": _coded(SNOMED, line.product.code.value, line.product.display),
        "subject": _identified(systems.NHS_NUMBER, dispense.prescription.patient.nhs_number.value),
        "performer": [{"actor": _identified(systems.ODS, dispense.provider.value)}],
        "authorizingPrescription": [_identified(systems.ITEM_NUMBER, str(line.id))],
    }
    if none:
        written["statusReasonCodeableConcept"] = {"text": report.reason or "No reason was given"}
    elif report.amount is not None:
        unit = line.quantity.unit
        quantity: dict[str, JSON] = {"value": report.amount, "unit": report.unit}
        written["quantity"] = quantity | {"system": SNOMED, "code": dmd_unit(unit.code)}
    return written | _when(report) | _notes(report)


def _when(report: LineReport) -> dict[str, JSON]:
    if report.supplied_at is None or report.event is LineEvent.NOT_SUPPLIED:
        return {}
    handed = report.event is LineEvent.DELIVERED
    return {"whenHandedOver" if handed else "whenPrepared": report.supplied_at.isoformat()}


def _notes(report: LineReport) -> dict[str, JSON]:
    """MedicationDispense has no place for batch and expiry of a product it names by code: they stand as words."""
    texts = [report.reason] if report.reason and report.event is not LineEvent.NOT_SUPPLIED else []
    texts += [f"Batch {report.batch}"] if report.batch else []
    texts += [f"Expires {report.expiry.isoformat()}"] if report.expiry else []
    return {"note": [{"text": text} for text in texts]} if texts else {}


def _coded(system: str, code: str, display: str) -> JSON:
    return {"coding": [{"system": system, "code": code, "display": display}]}


def _identified(system: str, value: str) -> JSON:
    return {"identifier": {"system": system, "value": value}}
